//! `miscela report`: a page about a model and the rows of a table.
//!
//! The rows are passed over twice, and once more for the score, in chunks whether they are in memory or not; what is drawn is
//! worked out by [`miscela_page::report`].

mod along;
mod words;

use crate::answer::ReportAnswer;
use crate::args::ReportArgs;
use crate::data::{Data, Request, Weights};
use crate::error::Failure;
use crate::model::{Fitted, Loaded, Model, Number, Score};
use crate::plan::threads;
use crate::progress::Progress;
use crate::rows::Rows;
use crate::{memory, output, paths, summary};
use miscela::metrics::Clustering;
use miscela::{AnyCentred, Chunked, KMeans, L2, Source, SourceError};
use miscela_page::report::{Axes, Drawn, Groups, Labelled, Near, Report, Selection, Survey, Tally};
use miscela_table::{Columns, STANDARD_STREAM, TextColumns, chunk_rows, write_file};
use ndarray::{Array2, ArrayView2, Axis};
use std::path::Path;
use words::Words;

/// Rows whose probabilities are worked out at a time: of many components, all at once would be large.
const BATCH: usize = 256;
/// The most products of pairs of rows and columns that a silhouette may take.
const MOST_PAIRED: f64 = 2e9;

pub(crate) fn run(args: &ReportArgs) -> Result<(), Failure> {
    let weights = check(args)?;
    match Loaded::open(&args.model)?.cut(args.cut.cut, &args.model)? {
        Loaded::F32(model) => report(args, weights.as_ref(), &model.with_missing(args.missing.missing, &args.model)?),
        Loaded::F64(model) => report(args, weights.as_ref(), &model.with_missing(args.missing.missing, &args.model)?),
    }
}

/// What the arguments alone show, and where the weights are.
fn check(args: &ReportArgs) -> Result<Option<Weights>, Failure> {
    paths::model(&args.model)?;
    paths::tables(&args.data)?;
    paths::page(&args.output)?;
    let weights = args.weights.as_deref().map(Weights::named);
    let read = [Some(args.data.as_path()), Some(&args.model), weights.as_ref().and_then(Weights::file)];
    let stdout = args.answer.json.then_some(Path::new(STANDARD_STREAM));
    paths::apart(&read, &[Some(&args.output), stdout])?;
    paths::folders(&[Some(&args.output)])?;
    Ok(weights)
}

fn report<F: Number>(args: &ReportArgs, weights: Option<&Weights>, model: &Model<F>) -> Result<(), Failure> {
    let progress = Progress::start(args.answer.quiet);
    let meter = progress.reading(&args.data);
    let request = Request {
        model: Some(model.feature_names()),
        missing: model.missing(),
        weights,
        carry: args.id.as_ref().map(|id| Columns::only([id])),
        id: args.id.as_deref(),
        meter,
    };
    let threads = threads(args.threads.threads);
    let page = match Rows::open(&args.data, &args.columns, &request, (&args.memory, threads), args.answer.quiet)? {
        Rows::Stream(stream) => {
            progress.stage("scoring");
            let score = stream.score(model, threads, &args.data)?;
            progress.stage("reporting");
            threads.install(|_| {
                Findings::of(args, model, (stream.blocks.names(), &TextColumns::default()), &stream.blocks, score)
            })?
        }
        Rows::Table(data) => {
            let Data { table, weights, .. } = *data;
            let (names, carried) = (table.names().to_vec(), table.carried().clone());
            let rows = table.into_array::<F>()?;
            progress.stage("scoring");
            threads.install(|_| {
                let score = model.score(&rows, weights.as_deref(), &args.data)?;
                progress.stage("reporting");
                let chunks = Chunked::new(&rows, weights.as_deref(), chunk_rows(rows.ncols()));
                Findings::of(args, model, (&names, &carried), &chunks, score)
            })?
        }
    };
    drop(progress);
    write_file(&args.output, |out| out.write_all(page.html.as_bytes()))?;
    page.say(args)
}

/// A page and what is said of it.
struct Findings {
    html: String,
    n_samples: usize,
    n_drawn: usize,
}

impl Findings {
    fn of<F: Number>(
        args: &ReportArgs,
        model: &Model<F>,
        (names, carried): (&[String], &TextColumns),
        rows: &dyn Source<F>,
        score: Score,
    ) -> Result<Self, Failure> {
        let survey = surveyed(args, model, rows)?;
        let drawn = survey.drawn();
        let centres = model.centres().mapv(F::widen);
        let covariance =
            model.mixture().map(|mixture| move |c, basis: ArrayView2<f64>| along::along(mixture, c, basis));
        let covariance = covariance.as_ref().map(|of| of as &dyn Fn(usize, ArrayView2<f64>) -> Array2<f64>);
        let (shares, k) = (shares(model), centres.nrows());
        let groups = Groups {
            columns: words::column_names(model.feature_names(), names),
            centres: centres.view(),
            shares: &shares,
            noise: shares.len() > k,
            covariance,
            degrees: model.mixture().and_then(|mixture| mixture.degrees()),
        };
        let axes = Axes::new(&survey, &drawn, &groups).map_err(|error| Failure::in_file(&args.data, error))?;
        let tally = tallied(args, model, rows, (&axes, &groups))?;
        let (labels, near) = nearest(args, model, &drawn, shares.len())?;
        let called = |number: &u64| carried.row(*number as usize).next().unwrap_or_default().to_string();
        let called = args.id.as_ref().map(|_| drawn.numbers.iter().map(called).collect::<Vec<String>>());
        let words = Words::of(args, model, &score, (&survey, &tally));
        let table = words.selection.as_ref();
        let report = Report {
            title: &summary::title(model),
            data: &words.data,
            is_mixture: model.mixture().is_some(),
            words: &words.words,
            warnings: &words.warnings,
            figures: &words.figures,
            groups,
            survey: &survey,
            drawn: &drawn,
            axes: &axes,
            tally: &tally,
            names: called.as_deref(),
            labels: &labels,
            near: &near,
            trace: (words.objective, &model.report().trace),
            silhouette: silhouette(&drawn, &labels, k),
            selection: table.map(|(caption, head, rows)| Selection { caption, head, rows }),
            command: (words.made, words.command.as_deref()),
            page_command: &words.page_command,
        };
        let html = report.to_html().map_err(|error| Failure::in_file(&args.data, error))?;
        Ok(Self { html, n_samples: score.n_samples, n_drawn: drawn.numbers.len() })
    }

    fn say(&self, args: &ReportArgs) -> Result<(), Failure> {
        let (path, bytes) = (&args.output, self.html.len());
        if args.answer.json {
            let (n_samples, n_drawn) = (self.n_samples, self.n_drawn);
            output::json(&ReportAnswer { page: path.display().to_string(), bytes, n_samples, n_drawn })
        } else if args.answer.quiet || paths::is_stream(path) {
            Ok(())
        } else {
            let (rows, size) = (summary::count(self.n_samples, "row"), memory::shown(bytes as u64));
            output::text(&format!("report of {rows} written to {} ({size}); open it in a browser\n", path.display()))
        }
    }
}

/// The share of each cluster in the fit, and that of noise or of rows that were left out, if there are some.
fn shares<F: Number>(model: &Model<F>) -> Vec<f64> {
    let mut shares = model.shares();
    if let Some(trimming) = model.trimming() {
        let kept: usize = model.sizes().iter().sum();
        let left_out = trimming.n_rows as f64 / (kept + trimming.n_rows).max(1) as f64;
        shares.iter_mut().for_each(|share| *share *= 1.0 - left_out);
        shares.push(left_out);
    }
    shares
}

/// Calls `work` on the rows of each chunk, as they are and widened, and on their weights.
fn each<F: Number>(
    args: &ReportArgs,
    rows: &dyn Source<F>,
    mut work: impl FnMut(&Array2<F>, ArrayView2<f64>, Option<&[f64]>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error: SourceError| Failure::in_file(&args.data, error);
    for chunk in rows.chunks().map_err(failed)? {
        let chunk = chunk.map_err(failed)?;
        let rows = chunk.rows.into_owned();
        work(&rows, rows.mapv(F::widen).view(), chunk.weights.as_deref())?;
    }
    Ok(())
}

fn surveyed<F: Number>(args: &ReportArgs, model: &Model<F>, rows: &dyn Source<F>) -> Result<Survey, Failure> {
    let mut survey = Survey::new(model.centres().ncols(), args.seed);
    each(args, rows, |_, rows, weights| {
        survey.add(rows, weights);
        Ok(())
    })?;
    Ok(survey)
}

fn tallied<F: Number>(
    args: &ReportArgs,
    model: &Model<F>,
    rows: &dyn Source<F>,
    (axes, groups): (&Axes, &Groups),
) -> Result<Tally, Failure> {
    let mut tally = Tally::new(axes, groups);
    each(args, rows, |rows, widened, weights| {
        let labels = model.labels(rows, &args.data)?;
        let doubts = model.uncertainty(rows).map(|doubts| doubts.to_vec());
        tally.add(axes, widened, weights, Labelled { labels: &labels, doubts: doubts.as_deref() });
        Ok(())
    })?;
    Ok(tally)
}

/// The labels of the rows that are drawn, and the groups that they are nearest to.
fn nearest<F: Number>(
    args: &ReportArgs,
    model: &Model<F>,
    drawn: &Drawn,
    n_labels: usize,
) -> Result<(Vec<usize>, Near), Failure> {
    let rows = drawn.rows.mapv(F::narrow);
    let labels = model.labels(&rows, &args.data)?;
    if let Some(centres) = centres(model)? {
        let mut near = Near::distances(centres.n_clusters());
        let (groups, distances) = centres
            .nearest_centroids(model.scaled(&rows).as_ref(), near.kept())
            .map_err(|error| Failure::in_file(&args.data, error))?;
        for (groups, distances) in groups.outer_iter().zip(distances.outer_iter()) {
            near.add_nearest(groups, distances.mapv(F::widen).view());
        }
        return Ok((labels, near));
    }
    let mut near = Near::probabilities(n_labels);
    for batch in rows.axis_chunks_iter(Axis(0), BATCH) {
        let probabilities = model.probabilities(&batch.to_owned());
        probabilities.iter().for_each(|probabilities| near.add(probabilities.mapv(F::widen).view()));
    }
    Ok((labels, near))
}

/// The centres of k-means, to measure from: those of a tree's clusters too.
fn centres<F: Number>(model: &Model<F>) -> Result<Option<KMeans<F, AnyCentred>>, Failure> {
    match model.fitted() {
        Fitted::KMeans(model) => Ok(Some(KMeans::clone(model))),
        Fitted::Bisecting(model) => {
            let centres = KMeans::from_centroids(model.centroids().clone(), model.distance().clone());
            centres.map(Some).map_err(Failure::fault)
        }
        Fitted::Mixture(_) | Fitted::Bayesian(_) => Ok(None),
    }
}

/// The mean silhouette of the rows that are drawn, or of every so many of them, and how many these are; none where rows have
/// gaps or labels say nothing.
fn silhouette(drawn: &Drawn, labels: &[usize], k: usize) -> Option<(f64, usize)> {
    let (m, d) = drawn.rows.dim();
    let most = (MOST_PAIRED / d.max(1) as f64).sqrt() as usize;
    let step = m.div_ceil(most.max(2)).max(1);
    // Noise is no cluster.
    let taken: Vec<usize> = (0..m).step_by(step).filter(|i| labels[*i] < k).collect();
    let (rows, labels) = (drawn.rows.select(Axis(0), &taken), taken.iter().map(|i| labels[*i]));
    let clustering = match &drawn.weights {
        Some(weights) => Clustering::weighted(&rows, taken.iter().map(|i| weights[*i]).collect::<Vec<f64>>(), labels),
        None => Clustering::new(&rows, labels),
    };
    let silhouette = clustering.ok()?.silhouette(&L2).ok()?;
    Some((silhouette.mean(), taken.len()))
}
