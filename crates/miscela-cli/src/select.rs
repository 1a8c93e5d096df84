//! `miscela select`: fits many mixtures, or numbers of clusters, to a table and keeps the best.

use crate::answer::FitAnswer;
use crate::args::{Dtype, Method, ReferenceBox, SelectArgs, SelectInit};
use crate::data::{Data, Request, Weights};
use crate::error::{Failure, name_of};
use crate::model::{Fitted, Model, Number};
use crate::output::{HINT, TITLE};
use crate::progress::Progress;
use crate::rows::Rows;
use crate::{fit, output, paths, plan, plot, provenance, summary};
use miscela::{
    Chunked, ColumnScaling, Covariance, Criterion, GapReference, GaussianMixture, KMeans, KMeansCriterion,
    KMeansSelection, KMeansSelectionParams, KMeansSelectionRow, Missing, Mixing, ScaledSource, Selection,
    SelectionLine, SelectionParams, SelectionRow, SelectionStart, SelectionTable, Source, Streamed,
};
use miscela_plot::{Curves, Picture};
use miscela_table::chunk_rows;
use ndarray::Array2;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

pub(crate) fn run(args: &SelectArgs) -> Result<(), Failure> {
    let call = Call::of(args)?;
    let progress = Progress::start(args.answer.quiet);
    let meter = progress.reading(&args.data);
    let clock = Instant::now();
    let request = Request { weights: call.weights.as_ref(), missing: Some(args.missing), meter, ..Request::default() };
    let limits = (&args.memory, plan::threads(args.threads.threads));
    let rows = Rows::open(&args.data, &args.columns, &request, limits, args.answer.quiet)?;
    let read_seconds = clock.elapsed().as_secs_f64();
    progress.stage("fitting");
    match args.dtype.unwrap_or(rows.dtype()) {
        Dtype::F32 => call.select::<f32>(rows, read_seconds, progress),
        Dtype::F64 => call.select::<f64>(rows, read_seconds, progress),
    }
}

/// By what the best is chosen.
#[derive(Clone, Copy, Debug)]
enum By {
    Mixture(Criterion),
    KMeans(KMeansCriterion),
}

/// The arguments, checked.
struct Call<'a> {
    args: &'a SelectArgs,
    by: By,
    weights: Option<Weights>,
}

/// What a selection found, whichever it was.
struct Found<F> {
    best: Fitted<F>,
    criterion: &'static str,
    table: Vec<RowAnswer>,
    margin: Option<Option<f64>>,
    curves: Curves,
    /// What was selected, and the table for people.
    title: String,
    text: String,
}

impl<'a> Call<'a> {
    /// What the arguments alone show, and where the weights are.
    fn of(args: &'a SelectArgs) -> Result<Self, Failure> {
        let by = match args.method {
            Method::Gmm => By::Mixture(named(args.criterion.as_deref())?),
            Method::Kmeans => By::KMeans(named(args.criterion.as_deref())?),
            Method::Bisecting => {
                return Err(Failure::call(
                    "select is for -m gmm and -m kmeans; one fit of -m bisecting has all numbers of clusters: score it with --cut",
                ));
            }
        };
        let folds_of_no_use = args.folds.is_some() && !matches!(by, By::Mixture(Criterion::HeldOut));
        if folds_of_no_use {
            return Err(Failure::call("--folds is for --criterion held-out; leave one of the two out"));
        }
        let other = match by {
            By::Mixture(_) => for_kmeans_only(args),
            By::KMeans(_) => for_mixtures_only(args),
        };
        if let Some((flag, method)) = other {
            return Err(Failure::call(format!("{flag} is for -m {method}; leave it out")));
        }
        let weights = args.weights.as_deref().map(Weights::named);
        paths::tables(&args.data)?;
        args.output.as_deref().map_or(Ok(()), paths::model)?;
        plot::check(args.plot.as_deref())?;
        let stdout = args.answer.json.then_some(Path::new(miscela_table::STANDARD_STREAM));
        let read = [Some(args.data.as_path()), weights.as_ref().and_then(Weights::file)];
        paths::apart(&read, &[args.output.as_deref(), args.plot.as_deref(), stdout])?;
        paths::folders(&[args.output.as_deref(), args.plot.as_deref()])?;
        Ok(Self { args, by, weights })
    }

    fn select<F: Number>(&self, rows: Rows, read_seconds: f64, progress: Progress) -> Result<(), Failure> {
        let args = self.args;
        let failed = |error: &dyn std::fmt::Display| Failure::in_file(&args.data, error);
        let threads = plan::threads(args.threads.threads);
        let scaling_of =
            |source: &dyn Source<F>| fit::scaling(&args.scaling, source, args.missing, (threads, &args.data));
        let (found, names, n, scaling) = match rows {
            Rows::Table(data) => {
                let Data { table, weights, .. } = *data;
                let names = table.names().to_vec();
                let mut rows: Array2<F> = table.into_array()?;
                let weights = weights.as_deref();
                let scaling = scaling_of(&Chunked::new(&rows, weights, chunk_rows(rows.ncols())))?;
                if let Some(scaling) = &scaling {
                    scaling.scale_in_place(&mut rows);
                }
                let found = match self.by {
                    By::Mixture(criterion) => mixtures(args, criterion)
                        .told(progress.fits())
                        .fit_records(&rows, weights)
                        .map(|found| Found::of_mixtures(found, scaling.as_ref(), &args.data))
                        .map_err(|error| failed(&error)),
                    By::KMeans(criterion) => clusterings(args, criterion)
                        .told(progress.fits())
                        .fit_records(&rows, weights)
                        .map(|found| Found::of_kmeans(&found, &args.data))
                        .map_err(|error| failed(&error)),
                };
                (found?, names, rows.nrows(), scaling)
            }
            Rows::Stream(stream) => {
                let scaling = scaling_of(&stream.blocks)?;
                let scaled = scaling.as_ref().map(|scaling| ScaledSource::new(&stream.blocks, scaling));
                let source = scaled.as_ref().map_or(&stream.blocks as &dyn Source<F>, |scaled| scaled);
                threads.install(|threads| {
                    let passes = progress.passes(source, stream.blocks.n_rows());
                    let mut workers = Streamed::new(&passes, threads).with_missing(args.missing);
                    let found = match self.by {
                        By::Mixture(criterion) => mixtures(args, criterion)
                            .told(progress.fits())
                            .fit_over(&mut workers, threads)
                            .map(|found| Found::of_mixtures(found, scaling.as_ref(), &args.data))
                            .map_err(|error| failed(&error)),
                        By::KMeans(criterion) => clusterings(args, criterion)
                            .told(progress.fits())
                            .fit_over(&mut workers, threads)
                            .map(|found| Found::of_kmeans(&found, &args.data))
                            .map_err(|error| failed(&error)),
                    };
                    let n = workers.n_rows().unwrap_or(0) as usize;
                    Ok::<_, Failure>((found?, stream.blocks.names().to_vec(), n, scaling.clone()))
                })?
            }
        };
        let Found { best, criterion, table, margin, curves, title, text } = found;
        drop(progress);
        let d = names.len();
        let made = provenance::of_this_command().selected(selected(criterion, &table, &best));
        let best = Model::new(best.with_feature_names(names).with_provenance(made), scaling)?;
        if let Some(path) = &args.output {
            best.save(path)?;
        }
        if let Some(path) = &args.plot {
            plot::save(&Picture::curves(&curves).map_err(Failure::fault)?, path)?;
        }
        if args.answer.json {
            let best = FitAnswer::new(&best, n, args.seed, read_seconds);
            output::json(&SelectAnswer { criterion, margin, table, best })
        } else if args.answer.quiet {
            Ok(())
        } else {
            let (rows, columns) = (summary::count(n, "row"), summary::count(d, "column"));
            let hint = match &args.output {
                Some(model) => format!("the best is kept; look at it with: miscela info {}", model.display()),
                None => "keep the best with -o model.json".to_string(),
            };
            let title =
                format!("{TITLE}{title} by {criterion}{TITLE:#}: {rows} × {columns} of {}", name_of(&args.data));
            output::text(&format!("{title}\n\n{text}\n{HINT}Next: {hint}{HINT:#}\n"))
        }
    }
}

/// The criterion of that name, or the default.
fn named<C: FromStr<Err: std::fmt::Display> + Default>(name: Option<&str>) -> Result<C, Failure> {
    let criterion = |name: &str| name.parse().map_err(|error| Failure::call(format!("--criterion: {error}")));
    name.map_or(Ok(C::default()), criterion)
}

/// A flag that was given, and the only method that it is for.
fn for_mixtures_only(args: &SelectArgs) -> Option<(&'static str, &'static str)> {
    let flags = [
        ("--covariance", args.covariance.is_some()),
        ("--init", args.init.is_some()),
        ("--warm", args.warm),
        ("--equal-weights", args.equal_weights),
        ("--reg-covar", args.reg_covar.is_some()),
        ("--missing marginal", args.missing == Missing::Marginal),
    ];
    flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| (flag, "gmm"))
}

/// The same for k-means.
fn for_kmeans_only(args: &SelectArgs) -> Option<(&'static str, &'static str)> {
    let flags = [
        ("--references", args.references.is_some()),
        ("--reference-box", args.reference_box.is_some()),
        ("--silhouette-rows", args.silhouette_rows.is_some()),
    ];
    flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| (flag, "kmeans"))
}

fn clusterings<F: Number>(args: &SelectArgs, criterion: KMeansCriterion) -> KMeansSelectionParams<F> {
    let threads = plan::threads(args.threads.threads);
    let mut params = KMeans::select(args.k.0.iter().copied()).criterion(criterion).seed(args.seed).each(|mut each| {
        if let Some(runs) = args.n_runs {
            each = each.n_runs(runs.get());
        }
        if let Some(limit) = args.max_iter {
            each = each.max_n_iterations(limit);
        }
        if let Some(tolerance) = args.tol {
            each = each.tolerance(F::narrow(tolerance));
        }
        each.threads(threads)
    });
    if let Some(sets) = args.references {
        params = params.n_references(sets);
    }
    if let Some(rows) = args.silhouette_rows {
        params = params.silhouette_rows(rows);
    }
    params.reference(match args.reference_box {
        Some(ReferenceBox::Columns) => GapReference::Columns,
        Some(ReferenceBox::PrincipalAxes) | None => GapReference::PrincipalAxes,
    })
}

fn mixtures<F: Number>(args: &SelectArgs, criterion: Criterion) -> SelectionParams<F> {
    let start = match args.init {
        Some(SelectInit::Hierarchical) | None => SelectionStart::Hierarchical,
        Some(SelectInit::Kmeans) => SelectionStart::KMeans,
    };
    let covariances = args.covariance.as_ref().map_or_else(|| Covariance::all().collect(), |named| named.0.clone());
    let threads = plan::threads(args.threads.threads);
    let params = GaussianMixture::select(args.k.0.iter().copied(), covariances)
        .criterion(criterion)
        .start(start)
        .n_starts(args.n_runs.map_or(1, NonZeroUsize::get))
        .warm(args.warm)
        .seed(args.seed)
        .each(|mut each| {
            if args.equal_weights {
                each = each.mixing(Mixing::Equal);
            }
            if let Some(limit) = args.max_iter {
                each = each.max_n_iterations(limit);
            }
            if let Some(tolerance) = args.tol {
                each = each.tolerance(F::narrow(tolerance));
            }
            if let Some(ridge) = args.reg_covar {
                each = each.reg_covariance(F::narrow(ridge));
            }
            each.missing(args.missing).threads(threads)
        });
    args.folds.map_or(params.clone(), |folds| params.n_folds(folds))
}

/// The table as a model keeps it.
fn selected<F: Number>(criterion: &str, table: &[RowAnswer], best: &Fitted<F>) -> SelectionTable {
    let line = |row: &RowAnswer| {
        let (k, covariance, error) = row.what();
        let is_its = covariance.is_none_or(|name| best.covariance().is_some_and(|own| own.name() == name));
        let figures = row.figures().into_iter().filter_map(|(name, figure)| Some((name.to_string(), figure?)));
        SelectionLine {
            k,
            covariance: covariance.map(str::to_string),
            figures: figures.collect(),
            chosen: k == best.centres().nrows() && is_its,
            error: error.map(str::to_string),
        }
    };
    SelectionTable { criterion: criterion.replace('-', "_"), rows: table.iter().map(line).collect() }
}

/// The answer of `select`.
#[derive(Debug, Serialize)]
#[serde(bound = "F: Number")]
struct SelectAnswer<'a, F> {
    criterion: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<Option<f64>>,
    table: Vec<RowAnswer>,
    best: FitAnswer<'a, F>,
}

/// A row of the table.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RowAnswer {
    Mixture {
        k: usize,
        covariance: &'static str,
        log_likelihood: Option<f64>,
        n_parameters: Option<usize>,
        bic: Option<f64>,
        aic: Option<f64>,
        icl: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        held_out: Option<Option<f64>>,
        converged: Option<bool>,
        error: Option<String>,
    },
    KMeans {
        k: usize,
        inertia: Option<f64>,
        gap: Option<f64>,
        gap_se: Option<f64>,
        silhouette: Option<f64>,
        silhouette_se: Option<f64>,
        calinski_harabasz: Option<f64>,
        davies_bouldin: Option<f64>,
        elbow: Option<f64>,
        converged: Option<bool>,
        error: Option<String>,
    },
}

impl RowAnswer {
    /// Which fit it is, and why it cannot be chosen.
    fn what(&self) -> (usize, Option<&'static str>, Option<&str>) {
        match self {
            RowAnswer::Mixture { k, covariance, error, .. } => (*k, Some(*covariance), error.as_deref()),
            RowAnswer::KMeans { k, error, .. } => (*k, None, error.as_deref()),
        }
    }

    /// What it is judged by.
    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        match self {
            RowAnswer::Mixture { log_likelihood, n_parameters, bic, aic, icl, held_out, .. } => vec![
                ("log_likelihood", *log_likelihood),
                ("n_parameters", n_parameters.map(|n| n as f64)),
                ("bic", *bic),
                ("aic", *aic),
                ("icl", *icl),
                ("held_out", held_out.flatten()),
            ],
            RowAnswer::KMeans {
                inertia, gap, gap_se, silhouette, calinski_harabasz, davies_bouldin, elbow, ..
            } => vec![
                ("inertia", *inertia),
                ("gap", *gap),
                ("gap_se", *gap_se),
                ("silhouette", *silhouette),
                ("calinski_harabasz", *calinski_harabasz),
                ("davies_bouldin", *davies_bouldin),
                ("elbow", *elbow),
            ],
        }
    }
}

impl<F: Number> Found<F> {
    fn of_mixtures(selection: Selection<F>, scaling: Option<&ColumnScaling>, data: &Path) -> Self {
        let selection = match scaling {
            Some(scaling) => selection.of_scaled(scaling),
            None => selection,
        };
        let held_out = selection.criterion() == Criterion::HeldOut;
        let row = |row: &SelectionRow| {
            let score = row.score.as_ref();
            RowAnswer::Mixture {
                k: row.k,
                covariance: row.covariance.name(),
                log_likelihood: score.map(|score| score.log_likelihood),
                n_parameters: score.map(|score| score.n_parameters),
                bic: score.map(|score| score.bic),
                aic: score.map(|score| score.aic),
                icl: score.map(|score| score.icl),
                held_out: held_out.then_some(row.held_out),
                converged: score.map(|_| row.converged),
                error: row.error.clone(),
            }
        };
        Self {
            best: Fitted::Mixture(Box::new(selection.best().clone())),
            criterion: selection.criterion().name(),
            table: selection.table().iter().map(row).collect(),
            margin: None,
            curves: plot::mixtures(&selection, data),
            title: "Gaussian mixtures".into(),
            text: selection.to_string(),
        }
    }

    fn of_kmeans(selection: &KMeansSelection<F>, data: &Path) -> Self {
        let row = |row: &KMeansSelectionRow| RowAnswer::KMeans {
            k: row.k,
            inertia: row.inertia,
            gap: row.gap,
            gap_se: row.gap_se,
            silhouette: row.silhouette,
            silhouette_se: row.silhouette_se,
            calinski_harabasz: row.calinski_harabasz,
            davies_bouldin: row.davies_bouldin,
            elbow: row.elbow,
            converged: row.inertia.map(|_| row.converged),
            error: row.error.clone(),
        };
        Self {
            best: Fitted::KMeans(Box::new(selection.best().clone().into_any())),
            criterion: selection.criterion().name(),
            table: selection.table().iter().map(row).collect(),
            margin: Some(selection.margin()),
            curves: plot::clusterings(selection, data),
            title: "K-means".into(),
            text: selection.to_string(),
        }
    }
}

/// Numbers of components: `1..9` (both inclusive), `2,4,8`, or a mix.
#[derive(Clone, Debug)]
pub(crate) struct Ks(Vec<usize>);

/// The most numbers of components in one call.
const MOST_KS: usize = 10_000;

/// Reads numbers of components.
pub(crate) fn ks(text: &str) -> Result<Ks, String> {
    let wrong = || "give whole numbers from 1 on: a range as 1..9 (both inclusive) or a list as 2,4,8".to_string();
    let number = |text: &str| text.trim().parse().ok().filter(|k: &usize| *k > 0).ok_or_else(wrong);
    let mut ks = Vec::new();
    for part in text.split(',') {
        let (first, last) = match part.split_once("..") {
            Some((first, last)) => (number(first)?, number(last.strip_prefix('=').unwrap_or(last))?),
            None => (number(part)?, number(part)?),
        };
        if first > last {
            return Err(format!("the range {part} goes down; write {last}..{first}"));
        }
        if last - first >= MOST_KS {
            return Err(format!("the range {part} has more than {MOST_KS} numbers; give fewer"));
        }
        ks.extend(first..=last);
    }
    Ok(Ks(ks))
}

/// Structures of covariances.
#[derive(Clone, Debug)]
pub(crate) struct Structures(Vec<Covariance>);

/// Reads names of structures, or `all`.
pub(crate) fn structures(text: &str) -> Result<Structures, String> {
    let named = |name: &str| name.trim().parse::<Covariance>().map_err(|error| error.to_string());
    match text {
        "all" => Ok(Structures(Covariance::all().collect())),
        names => names.split(',').map(named).collect::<Result<_, _>>().map(Structures),
    }
}
