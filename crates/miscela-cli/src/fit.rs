//! `miscela fit`: reads a table, fits, and writes only when all has gone well.

use crate::answer::{FitAnswer, is_small_dense};
use crate::args::{Dtype, FitArgs};
use crate::data::{Data, Request, known_labels};
use crate::error::Failure;
use crate::model::{Model, Number};
use crate::plan::{Kind, Plan};
use crate::problem::Problem;
use crate::progress::Progress;
use crate::start::Origin;
use crate::{output, paths, summary};
use miscela::{GmmError, GmmParamsError, KMeansError};
use miscela_plot::{Clusters, Picture};
use miscela_table::{Columns, read_vector, write_labels};
use ndarray::Array2;
use std::time::Instant;

pub(crate) fn run(args: &FitArgs) -> Result<(), Failure> {
    let plan = Plan::of(args)?;
    paths::folders(&plan.written())?;
    let progress = Progress::start(args.answer.quiet);
    progress.stage("reading");
    let clock = Instant::now();
    let known = args.known_labels.as_deref();
    let carry = known.map(|name| Columns::only([name]));
    let request = Request {
        weights: plan.weights.as_ref(),
        missing: plan.kind.takes_gaps().then_some(args.missing),
        carry,
        id: known,
        ..Request::default()
    };
    let data = Data::read(&args.data, &args.columns, &request)?;
    let known =
        known.map(|name| known_labels(&args.data, name, data.table.carried(), data.table.n_rows())).transpose()?;
    let origin = Origin::read(&plan.start, data.table.names())?;
    let given_weights = args.mixture.given_weights.as_ref().map(read_vector).transpose()?;
    let given_weights = given_weights.map(|weights| weights.to_vec());
    let read_seconds = clock.elapsed().as_secs_f64();
    let input = Input { plan: &plan, origin, given_weights, known, read_seconds, progress };
    match args.dtype.unwrap_or(data.dtype()) {
        Dtype::F32 => input.fit::<f32>(data),
        Dtype::F64 => input.fit::<f64>(data),
    }
}

/// What a fit starts with, besides the rows.
struct Input<'a> {
    plan: &'a Plan<'a>,
    origin: Origin,
    given_weights: Option<Vec<f64>>,
    known: Option<Vec<Option<usize>>>,
    read_seconds: f64,
    progress: Progress,
}

impl Input<'_> {
    fn fit<F: Number>(self, data: Data) -> Result<(), Failure> {
        let args = self.plan.args;
        let Data { table, weights, .. } = data;
        let names = table.names().to_vec();
        let rows = table.into_array::<F>()?;
        let model = self.model(&rows, weights.as_deref())?.with_feature_names(names);
        let model = match args.order {
            Some(order) => model.canonical_order(order)?,
            None => model,
        };

        let mut labels = Vec::new();
        if args.labels.is_some() || args.plot.is_some() {
            self.progress.stage("labelling");
            labels = self.plan.threads.install(|_| model.labels_of_fit(&rows, weights.as_deref(), &args.data))?;
            let known = self.known.iter().flatten().enumerate();
            known.for_each(|(i, known)| labels[i] = known.unwrap_or(labels[i]));
        }
        let picture = match &args.plot {
            // Rows are drawn where the model expects them, if it does not know.
            Some(_) if model.report().n_missing > 0 => {
                Some(picture(&model, &model.impute(&rows, &args.data)?, &labels)?)
            }
            Some(_) => Some(picture(&model, &rows, &labels)?),
            None => None,
        };
        drop(self.progress);

        if let Some(path) = &args.output {
            model.save(path)?;
        }
        if let (Some(path), Some(picture)) = (&args.plot, picture) {
            picture.save(path).map_err(|error| Failure::in_file(path, error))?;
        }
        if let Some(path) = &args.labels {
            write_labels(path, &labels)?;
        }
        let stdout_is_taken = args.labels.as_deref().is_some_and(paths::is_stream);
        if args.answer.json {
            output::json(&FitAnswer::new(&model, rows.nrows(), args.start.seed, self.read_seconds))
        } else if args.answer.quiet || stdout_is_taken {
            Ok(())
        } else {
            output::text(&summary::fit(&model, rows.nrows(), args))
        }
    }

    fn model<F: Number>(&self, rows: &Array2<F>, weights: Option<&[f64]>) -> Result<Model<F>, Failure> {
        let args = self.plan.args;
        self.progress.stage("fitting");
        let problem = Problem {
            rows,
            weights,
            k: args.k.or(self.origin.k()).unwrap_or(1),
            origin: &self.origin,
            given_weights: self.given_weights.as_deref(),
            known: self.known.as_deref(),
            seed: args.start.seed,
            n_runs: args.start.n_runs.get(),
            max_iter: args.iteration.max_iter,
            tol: args.iteration.tol,
            threads: self.plan.threads,
            missing: args.missing,
            search: self.plan.search,
            search_budget: self.plan.search_budget,
            batch_size: args.iteration.batch_size,
        };
        let observer = &mut self.progress.observer();
        match &self.plan.kind {
            Kind::KMeans(settings) => problem.kmeans(settings, observer).map(|model| Model::KMeans(Box::new(model))),
            Kind::Bisecting(settings) => {
                problem.bisecting(settings, observer).map(|model| Model::Bisecting(Box::new(model)))
            }
            Kind::Mixture(settings) => problem.mixture(settings, observer).map(|model| Model::Mixture(Box::new(model))),
            Kind::Bayesian(settings) => {
                problem.bayesian(settings, observer).map(|model| Model::Bayesian(Box::new(model)))
            }
        }
        .map_err(|error| match error {
            GmmError::InvalidParams(GmmParamsError::Mixing(error)) => {
                Failure::in_file(args.mixture.given_weights.as_ref().unwrap_or(&args.data), error)
            }
            // Whatever the data.
            GmmError::InvalidParams(error) => Failure::call(error),
            GmmError::KMeans(KMeansError::InvalidParams(error)) => Failure::call(error),
            error => Failure::in_file(&args.data, error),
        })
    }
}

/// The clusters as they are drawn: without ellipses where all matrices together would be too much.
fn picture<F: Number>(model: &Model<F>, rows: &Array2<F>, labels: &[usize]) -> Result<Picture, Failure> {
    let (rows, centres) = (rows.mapv(F::widen), model.centres().mapv(F::widen));
    let title = summary::title(model);
    let clusters = Clusters::new(rows.view(), labels, centres.view()).names(model.feature_names()).title(&title);
    let drawn = match model.mixture() {
        None if model.trimming().is_some() => Picture::clusters(&clusters.noise()),
        None => Picture::clusters(&clusters),
        Some(mixture) => {
            let weights: Vec<f64> = mixture.weights().iter().map(|w| w.widen()).collect();
            let clusters = clusters.weights(&weights);
            let clusters = if mixture.noise().is_some() { clusters.noise() } else { clusters };
            if !is_small_dense(mixture) {
                return Picture::clusters(&clusters).map_err(Failure::fault);
            }
            let covariances = mixture.covariances().mapv(F::widen);
            Picture::clusters(&clusters.covariances(covariances.view()))
        }
    };
    drawn.map_err(Failure::fault)
}
