//! `miscela predict`: labels, probabilities or densities of the rows of a table.

use crate::answer::{PredictAnswer, nested};
use crate::args::PredictArgs;
use crate::data::{Data, Request};
use crate::error::Failure;
use crate::model::{Loaded, Model, Number};
use crate::plan::threads;
use crate::progress::Progress;
use crate::{output, paths, summary};
use miscela_table::{Columns, STANDARD_STREAM, TextColumns, write_array, write_labels, write_rows};
use ndarray::{Array1, Array2, Axis, concatenate};
use std::path::Path;

pub(crate) fn run(args: &PredictArgs) -> Result<(), Failure> {
    check(args)?;
    match Loaded::open(&args.model)? {
        Loaded::F32(model) => predict(args, &model),
        Loaded::F64(model) => predict(args, &model),
    }
}

fn check(args: &PredictArgs) -> Result<(), Failure> {
    paths::model(&args.model)?;
    paths::table(&args.data)?;
    let carries = args.append || args.id.is_some();
    if let Some(path) = &args.output {
        if carries { paths::text_table(path) } else { paths::table(path) }?;
    }
    let stdout = args.answer.json.then_some(Path::new(STANDARD_STREAM));
    paths::apart(&[Some(&args.data), Some(&args.model)], &[args.output.as_deref(), stdout])?;
    paths::folders(&[args.output.as_deref()])
}

/// What was asked for, of each row.
struct Prediction<F> {
    labels: Option<Vec<usize>>,
    /// n × k
    probabilities: Option<Array2<F>>,
    log_density: Option<Array1<f64>>,
}

fn predict<F: Number>(args: &PredictArgs, model: &Model<F>) -> Result<(), Failure> {
    let progress = Progress::start(args.answer.quiet);
    progress.stage("reading");
    let carry = match &args.id {
        _ if args.append => Some(Columns::All),
        id => id.as_ref().map(|id| Columns::only([id])),
    };
    let request =
        Request { model: Some(model.feature_names()), carry, id: args.id.as_deref(), ..Request::default() };
    let data = Data::read_for(&args.data, &args.columns, &request)?;
    let carried = data.table.carried().clone();
    let rows = data.table.into_array::<F>()?;
    progress.stage("predicting");
    let prediction = threads(args.threads.threads).install(|_| Prediction::of(args, model, &rows))?;
    drop(progress);

    let n = rows.nrows();
    match &args.output {
        Some(path) => prediction.write(path, &carried)?,
        None if !args.answer.json => return prediction.write(Path::new(STANDARD_STREAM), &carried),
        None => {}
    }
    match &args.output {
        _ if args.answer.json => output::json(&prediction.answer(model, n)),
        Some(path) if !args.answer.quiet && !paths::is_stream(path) => {
            output::text(&format!("{} written to {}\n", summary::count(n, "row"), path.display()))
        }
        _ => Ok(()),
    }
}

impl<F: Number> Prediction<F> {
    fn of(args: &PredictArgs, model: &Model<F>, rows: &Array2<F>) -> Result<Self, Failure> {
        let mixture = |flag: bool, name| flag.then(|| model.need_mixture(&args.model, name)).transpose();
        Ok(Self {
            labels: (!args.proba && !args.log_density).then(|| model.labels(rows, &args.data)).transpose()?,
            probabilities: mixture(args.proba, "--proba")?.map(|mixture| mixture.predict_proba(rows)),
            log_density: mixture(args.log_density, "--log-density")?.map(|mixture| mixture.score_samples(rows)),
        })
    }

    fn answer<'a>(&'a self, model: &Model<F>, n_samples: usize) -> PredictAnswer<'a, F> {
        PredictAnswer {
            method: model.method(),
            n_samples,
            n_clusters: model.centres().nrows(),
            labels: self.labels.as_deref(),
            probabilities: self.probabilities.as_ref().map(|p| nested(p.view())),
            log_density: self.log_density.as_ref().map(|density| nested(density.view())),
        }
    }

    /// The names of the columns that are written after those carried.
    fn names(&self) -> Vec<String> {
        let label = self.labels.as_ref().map(|_| "label".to_string());
        let k = self.probabilities.as_ref().map_or(0, Array2::ncols);
        let density = self.log_density.as_ref().map(|_| "log_density".to_string());
        label.into_iter().chain((0..k).map(|c| format!("p{c}"))).chain(density).collect()
    }

    fn write(&self, path: &Path, carried: &TextColumns) -> Result<(), Failure> {
        if carried.names().is_empty() && let Some(labels) = &self.labels {
            return Ok(write_labels(path, labels)?);
        }
        let names: Vec<String> = carried.names().iter().cloned().chain(self.names()).collect();
        let n = self.n_rows();
        write_rows(path, &names, |rows| {
            for i in 0..n {
                carried.row(i).try_for_each(|text| rows.text(text))?;
                self.labels.iter().try_for_each(|labels| rows.integer(labels[i]))?;
                self.probabilities.iter().flat_map(|p| p.row(i)).try_for_each(|p| rows.number(*p))?;
                self.log_density.iter().try_for_each(|density| rows.number(density[i]))?;
                rows.end()?;
            }
            Ok(())
        })?;
        Ok(())
    }
}
