//! `miscela predict`: labels, probabilities or densities of the rows of a table.

use crate::answer::{PredictAnswer, nested};
use crate::args::PredictArgs;
use crate::data::Request;
use crate::error::Failure;
use crate::model::{Loaded, Model, Number};
use crate::plan::threads;
use crate::plot::{self, Labelled};
use crate::progress::Progress;
use crate::rows::Rows;
use crate::stream::Stream;
use crate::{output, paths, stream, summary};
use miscela_table::{
    Columns, Format, Kind, RowWriter, STANDARD_STREAM, TextColumns, write_array, write_labels, write_rows,
};
use ndarray::{Array1, Array2, Axis, concatenate};
use std::io;
use std::path::Path;

pub(crate) fn run(args: &PredictArgs) -> Result<(), Failure> {
    check(args)?;
    match Loaded::open(&args.model)?.cut(args.cut.cut, &args.model)? {
        Loaded::F32(model) => predict(args, &model.with_missing(args.missing.missing, &args.model)?),
        Loaded::F64(model) => predict(args, &model.with_missing(args.missing.missing, &args.model)?),
    }
}

fn check(args: &PredictArgs) -> Result<(), Failure> {
    paths::model(&args.model)?;
    paths::tables(&args.data)?;
    let carries = args.append || args.id.is_some();
    if let Some(path) = &args.output {
        if carries { paths::text_table(path) } else { paths::table(path) }?;
    }
    let stdout = args.answer.json.then_some(Path::new(STANDARD_STREAM));
    plot::check(args.plot.as_deref())?;
    let written = [args.output.as_deref(), args.plot.as_deref()];
    paths::apart(&[Some(&args.data), Some(&args.model)], &[written[0], written[1], stdout])?;
    paths::folders(&written)
}

/// What was asked for, of each row.
struct Prediction<F> {
    n_rows: usize,
    labels: Option<Vec<usize>>,
    /// n × k
    probabilities: Option<Array2<F>>,
    log_density: Option<Array1<f64>>,
    uncertainty: Option<Array1<f64>>,
}

fn predict<F: Number>(args: &PredictArgs, model: &Model<F>) -> Result<(), Failure> {
    let progress = Progress::start(args.answer.quiet);
    let meter = progress.reading(&args.data);
    let carry = match &args.id {
        _ if args.append => Some(Columns::All),
        id => id.as_ref().map(|id| Columns::only([id])),
    };
    let request = Request {
        model: Some(model.feature_names()),
        missing: model.missing(),
        carry,
        id: args.id.as_deref(),
        meter,
        ..Request::default()
    };
    let limits = (&args.memory, threads(args.threads.threads));
    let data = match Rows::open(&args.data, &args.columns, &request, limits, args.answer.quiet)? {
        Rows::Stream(stream) => return predict_stream(args, model, &stream, progress),
        Rows::Table(data) => data,
    };
    let carried = data.table.carried().clone();
    let rows = data.table.into_array::<F>()?;
    progress.stage("predicting");
    let prediction = threads(args.threads.threads).install(|_| Prediction::of(args, model, &rows))?;
    if let Some(path) = &args.plot {
        draw(args, model, (&rows, None), path)?;
    }
    drop(progress);

    match &args.output {
        Some(path) => prediction.write(path, &carried)?,
        None if !args.answer.json => return prediction.write(Path::new(STANDARD_STREAM), &carried),
        None => {}
    }
    match &args.output {
        _ if args.answer.json => output::json(&prediction.answer(model)),
        _ => say_written(args, prediction.n_rows),
    }
}

/// Says where the answer went, if it is not there to be seen.
fn say_written(args: &PredictArgs, n_rows: usize) -> Result<(), Failure> {
    match &args.output {
        Some(path) if !args.answer.quiet && !paths::is_stream(path) => {
            output::text(&format!("{} written to {}\n", summary::count(n_rows, "row"), path.display()))
        }
        _ => Ok(()),
    }
}

/// The answers of some rows after those of others, as they are read.
fn predict_stream<F: Number>(
    args: &PredictArgs,
    model: &Model<F>,
    stream: &Stream,
    progress: Progress,
) -> Result<(), Failure> {
    stream::needs_memory(&args.data, &[("--json", args.answer.json)])?;
    progress.stage("predicting");
    let path = args.output.as_deref().unwrap_or(Path::new(STANDARD_STREAM));
    let written = threads(args.threads.threads).install(|_| {
        // Any row has the columns of all.
        let any = Prediction::of(args, model, &model.centres().slice_axis(Axis(0), (0..1).into()).to_owned())?;
        stream.write((&args.data, path), &any.names(), |rows, out| {
            let prediction = Prediction::of(args, model, rows)?;
            Ok((0..prediction.n_rows).try_for_each(|i| {
                prediction.write_row(i, out)?;
                out.end()
            }))
        })
    });
    let written = written?;
    if let Some(to) = &args.plot {
        let (rows, _) = stream.sample::<F>(SEED, &args.data)?;
        let all = Some(written).filter(|n| *n > rows.nrows());
        draw(args, model, (&rows, all), to)?;
    }
    drop(progress);
    say_written(args, written)
}

/// Of the rows that are drawn where not all are.
const SEED: u64 = 42;

/// Draws rows by their labels, and how many there are where these are a sample.
fn draw<F: Number>(
    args: &PredictArgs,
    model: &Model<F>,
    (rows, sample_of): (&Array2<F>, Option<usize>),
    path: &Path,
) -> Result<(), Failure> {
    let picture = threads(args.threads.threads).install(|_| {
        let labels = model.labels(rows, &args.data)?;
        // Gaps are filled where there are any.
        let whole = rows.iter().any(|x| x.is_nan()).then(|| model.impute(rows, &args.data)).transpose()?;
        let rows = whole.as_ref().unwrap_or(rows);
        plot::clusters(model, &Labelled { rows, labels: &labels, weights: None, sample_of, sizes: None })
    })?;
    plot::save(&picture, path)
}

impl<F: Number> Prediction<F> {
    fn of(args: &PredictArgs, model: &Model<F>, rows: &Array2<F>) -> Result<Self, Failure> {
        let mixture = |flag: bool, name| flag.then(|| model.need_mixture(&args.model, name)).transpose();
        Ok(Self {
            n_rows: rows.nrows(),
            labels: (!args.proba && !args.log_density && !args.uncertainty)
                .then(|| model.labels(rows, &args.data))
                .transpose()?,
            probabilities: mixture(args.proba, "--proba")?.and_then(|_| model.probabilities(rows)),
            log_density: mixture(args.log_density, "--log-density")?.map(|mixture| mixture.score_samples(rows)),
            uncertainty: mixture(args.uncertainty, "--uncertainty")?.and_then(|_| model.uncertainty(rows)),
        })
    }

    fn answer<'a>(&'a self, model: &Model<F>) -> PredictAnswer<'a, F> {
        PredictAnswer {
            method: model.method(),
            n_samples: self.n_rows,
            n_clusters: model.centres().nrows(),
            labels: self.labels.as_deref(),
            probabilities: self.probabilities.as_ref().map(|p| nested(p.view())),
            log_density: self.log_density.as_ref().map(|density| nested(density.view())),
            uncertainty: self.uncertainty.as_ref().map(|uncertainty| nested(uncertainty.view())),
        }
    }

    /// The names of the columns that are written after those carried.
    fn names(&self) -> Vec<String> {
        let label = self.labels.as_ref().map(|_| "label".to_string());
        let k = self.probabilities.as_ref().map_or(0, Array2::ncols);
        let figures = self.figures().map(|(name, _)| name.to_string());
        label.into_iter().chain((0..k).map(|c| format!("p{c}"))).chain(figures).collect()
    }

    /// What there is one number a row of.
    fn figures(&self) -> impl Iterator<Item = (&'static str, &Array1<f64>)> {
        let all = [("log_density", &self.log_density), ("uncertainty", &self.uncertainty)];
        all.into_iter().filter_map(|(name, figures)| Some((name, figures.as_ref()?)))
    }

    fn write(&self, path: &Path, carried: &TextColumns) -> Result<(), Failure> {
        match &self.labels {
            Some(labels) if carried.names().is_empty() => return Ok(write_labels(path, labels)?),
            // Arrays have room for numbers of one type.
            None if Format::of(path)?.kind == Kind::Npy => return self.write_numbers(path),
            _ => {}
        }
        let names: Vec<String> = carried.names().iter().cloned().chain(self.names()).collect();
        write_rows(path, &names, |rows| {
            for i in 0..self.n_rows {
                carried.row(i).try_for_each(|text| rows.text(text))?;
                self.write_row(i, rows)?;
                rows.end()?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Writes what was asked for of one row.
    fn write_row(&self, i: usize, rows: &mut RowWriter<'_>) -> io::Result<()> {
        self.labels.iter().try_for_each(|labels| rows.integer(labels[i]))?;
        self.probabilities.iter().flat_map(|p| p.row(i)).try_for_each(|p| rows.number(*p))?;
        self.figures().try_for_each(|(_, figures)| rows.number(figures[i]))
    }

    fn write_numbers(&self, path: &Path) -> Result<(), Failure> {
        let figures: Vec<_> = self.figures().map(|(_, figures)| figures.view().insert_axis(Axis(1))).collect();
        match &self.probabilities {
            Some(p) if figures.is_empty() => write_array(path, &self.names(), p.view())?,
            p => {
                let p = p.as_ref().map(|p| p.mapv(F::widen));
                let parts: Vec<_> = p.iter().map(Array2::view).chain(figures).collect();
                let together = concatenate(Axis(1), &parts).map_err(Failure::fault)?;
                write_array(path, &self.names(), together.view())?;
            }
        }
        Ok(())
    }
}
