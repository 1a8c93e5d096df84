//! `miscela fit`: reads a table, at once or in each pass, fits, and writes only when all has gone well.

use crate::answer::FitAnswer;
use crate::args::{Dtype, FitArgs, ScalingArgs};
use crate::data::{Data, Request, known_labels};
use crate::error::Failure;
use crate::model::{Fitted, Model, Number};
use crate::plan::{Kind, Plan};
use crate::plot::{self, Labelled};
use crate::problem::Problem;
use crate::progress::Progress;
use crate::rows::Rows;
use crate::start::Origin;
use crate::stop::Stop;
use crate::stream::Stream;
use crate::{output, paths, provenance, spread, stream, summary};
use miscela::{
    Checkpoints, Chunked, ColumnScaling, Elsewhere, GmmError, GmmParamsError, KMeansError, Missing, Observer,
    ScaledSource, Source, Streamed, Threads, WorkError,
};
use miscela_plot::Picture;
use miscela_table::{Columns, chunk_rows, read_vector, write_labels};
use ndarray::Array2;
use std::path::Path;
use std::time::{Duration, Instant};

/// From a checkpoint to the next, if nothing is said.
const CHECKPOINT_SECONDS: f64 = 60.0;

pub(crate) fn run(args: &FitArgs) -> Result<(), Failure> {
    let clock = Instant::now();
    let plan = Plan::of(args)?;
    paths::folders(&plan.written())?;
    let progress = Progress::start(args.answer.quiet);
    let meter = progress.reading(&args.data);
    let known = args.known_labels.as_deref();
    let carry = known.map(|name| Columns::only([name]));
    let request = Request {
        weights: plan.weights.as_ref(),
        missing: plan.kind.takes_gaps().then_some(args.missing),
        carry,
        id: known,
        meter,
        ..Request::default()
    };
    let limits = (&args.memory, plan.threads);
    let rows = Rows::open(&args.data, &args.columns, &request, limits, args.answer.quiet)?;
    let (names, dtype) = (rows.names().to_vec(), rows.dtype());
    let origin = Origin::read(&plan.start, &names)?;
    let given_weights = args.mixture.given_weights.as_ref().map(read_vector).transpose()?;
    let given_weights = given_weights.map(|weights| weights.to_vec());
    let read_seconds = clock.elapsed().as_secs_f64();
    let stop = Stop::watch(progress.observer(plan.bounds(clock)), clock, args.iteration.time_limit);
    let (known, uneven) = (None, None);
    let input = Input { plan: &plan, origin, given_weights, known, names, uneven, read_seconds, progress, stop };
    match args.dtype.unwrap_or(dtype) {
        Dtype::F32 => input.fit::<f32>(rows),
        Dtype::F64 => input.fit::<f64>(rows),
    }
}

/// What a fit starts with, besides the rows.
struct Input<'a, O> {
    plan: &'a Plan<'a>,
    origin: Origin,
    given_weights: Option<Vec<f64>>,
    known: Option<Vec<Option<usize>>>,
    names: Vec<String>,
    /// What is to be said of columns of very different spread.
    uneven: Option<String>,
    read_seconds: f64,
    progress: Progress,
    stop: Stop<O>,
}

impl<O: Observer + Clone + Sync> Input<'_, O> {
    fn fit<F: Number>(self, rows: Rows) -> Result<(), Failure> {
        match rows {
            Rows::Table(data) => self.table::<F>(*data),
            Rows::Stream(stream) => self.stream::<F>(&stream),
        }
    }

    fn table<F: Number>(mut self, data: Data) -> Result<(), Failure> {
        let args = self.plan.args;
        let Data { table, weights, .. } = data;
        if let Some(name) = args.known_labels.as_deref() {
            self.known = Some(known_labels(&args.data, name, table.carried(), table.n_rows())?);
        }
        let mut rows = table.into_array::<F>()?;
        let weights = weights.as_deref();
        let scaling = self.scaling(&Chunked::new(&rows, weights, chunk_rows(rows.ncols())))?;
        match &scaling {
            Some(scaling) => scaling.scale_in_place(&mut rows),
            None if self.plan.kind.measures_plainly(args) => self.uneven = spread::uneven(&rows, &self.names),
            None => {}
        }
        let model = match args.iteration.checkpoint {
            None => self.model(&rows, weights)?,
            Some(_) => self.model_over(&Chunked::new(&rows, weights, chunk_rows(rows.ncols())))?.0,
        };
        let model = self.finished(model, scaling)?;

        let mut labels = Vec::new();
        if args.labels.is_some() || args.plot.is_some() {
            self.progress.stage("labelling");
            labels = self.plan.threads.install(|_| model.fitted().labels_of_fit(&rows, weights, &args.data))?;
            let known = self.known.iter().flatten().enumerate();
            known.for_each(|(i, known)| labels[i] = known.unwrap_or(labels[i]));
        }
        let n_rows = rows.nrows();
        if let Some(scaling) = model.scaling().filter(|_| args.plot.is_some()) {
            scaling.unscale_in_place(&mut rows);
        }
        // Rows are drawn where the model expects them, if it does not know.
        let rows = match &args.plot {
            Some(_) if model.report().n_missing > 0 => model.impute(&rows, &args.data)?,
            _ => rows,
        };
        let picture =
            self.picture(&model, &Labelled { rows: &rows, labels: &labels, weights, sample_of: None, sizes: None })?;
        self.write(&model, n_rows, picture.as_ref(), || {
            Ok(args.labels.as_ref().map_or(Ok(()), |path| write_labels(path, &labels))?)
        })
    }

    fn stream<F: Number>(mut self, stream: &Stream) -> Result<(), Failure> {
        let args = self.plan.args;
        args.labels.as_deref().map_or(Ok(()), stream::text_table)?;
        let scaling = self.scaling::<F>(&stream.blocks)?;
        let (model, n_rows) = match &scaling {
            Some(scaling) => self.model_over::<F>(&ScaledSource::new(&stream.blocks, scaling))?,
            None => self.model_over::<F>(&stream.blocks)?,
        };
        let model = self.finished(model, scaling)?;
        self.progress.stage("labelling");
        let picture = match &args.plot {
            Some(_) => {
                let (rows, weights) = stream.sample::<F>(args.start.seed, &args.data)?;
                let labels = model.labels(&rows, &args.data)?;
                let gaps = model.report().n_missing > 0;
                let rows = if gaps { model.impute(&rows, &args.data)? } else { rows };
                let sample_of = Some(n_rows).filter(|n| *n > rows.nrows());
                let sizes = sample_of.map(|_| model.sizes());
                let weights = weights.as_deref();
                self.picture(&model, &Labelled { rows: &rows, labels: &labels, weights, sample_of, sizes })?
            }
            None => None,
        };
        self.write(&model, n_rows, picture.as_ref(), || match &args.labels {
            Some(path) => stream.labels(&model, self.plan.threads, (&args.data, path)).map(drop),
            None => Ok(()),
        })
    }

    /// How the columns of these rows are to be scaled, if they are; the start is then one of scaled columns.
    fn scaling<F: Number>(&mut self, source: &dyn Source<F>) -> Result<Option<ColumnScaling>, Failure> {
        let args = self.plan.args;
        let scaling = scaling(&args.scaling, source, args.missing, (self.plan.threads, &args.data))?;
        if let Some(scaling) = &scaling {
            self.origin.scale(scaling);
        }
        Ok(scaling)
    }

    /// The model with what is said of it beside the fit.
    fn finished<F: Number>(&self, model: Fitted<F>, scaling: Option<ColumnScaling>) -> Result<Model<F>, Failure> {
        let model = model.with_feature_names(self.names.clone()).with_provenance(provenance::of_this_command());
        let model = Model::new(model, scaling)?;
        match self.plan.args.order {
            Some(order) => model.canonical_order(order),
            None => Ok(model),
        }
    }

    /// The clusters, if they are to be drawn.
    fn picture<F: Number>(&self, model: &Model<F>, drawn: &Labelled<'_, F>) -> Result<Option<Picture>, Failure> {
        let Some(_) = &self.plan.args.plot else { return Ok(None) };
        self.progress.stage("drawing");
        self.plan.threads.install(|_| plot::clusters(model, drawn)).map(Some)
    }

    /// Writes the model, what goes with it, and the answer. A checkpoint of a fit that is done is then needed no more.
    fn write<F: Number>(
        &self,
        model: &Model<F>,
        n_rows: usize,
        picture: Option<&Picture>,
        others: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let args = self.plan.args;
        args.output.as_ref().map_or(Ok(()), |path| model.save(path))?;
        if let (Some(path), Some(picture)) = (&args.plot, picture) {
            plot::save(picture, path)?;
        }
        if let Some(path) = &args.plot_trace {
            plot::save(&plot::trace(model)?, path)?;
        }
        others()?;
        self.progress.clear();
        let stdout_is_taken = args.labels.as_deref().is_some_and(paths::is_stream);
        if args.answer.json {
            output::json(&FitAnswer::new(model, n_rows, args.start.seed, self.read_seconds))?;
        } else if !args.answer.quiet && !stdout_is_taken {
            output::text(&summary::fit(model, n_rows, args, self.uneven.as_deref()))?;
        }
        match self.checkpoints() {
            Some(checkpoints) if !model.report().termination.is_asked_for() => checkpoints
                .remove()
                .map_err(|error| Failure::fault(format!("cannot remove {}: {error}", checkpoints.path().display()))),
            _ => Ok(()),
        }
    }

    fn checkpoints(&self) -> Option<Checkpoints> {
        let iteration = &self.plan.args.iteration;
        let every = iteration.checkpoint_every.unwrap_or(CHECKPOINT_SECONDS);
        let every = Duration::try_from_secs_f64(every).unwrap_or(Duration::MAX);
        iteration.checkpoint.as_ref().map(|path| Checkpoints::new(path, every))
    }

    fn problem<'p, F: Number>(&'p self, rows: Option<&'p Array2<F>>, weights: Option<&'p [f64]>) -> Problem<'p, F> {
        let args = self.plan.args;
        Problem {
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
        }
    }

    fn model<F: Number>(&self, rows: &Array2<F>, weights: Option<&[f64]>) -> Result<Fitted<F>, Failure> {
        self.progress.stage("seeding");
        let mut stop = self.stop.clone();
        let (problem, observer) = (self.problem(Some(rows), weights), &mut stop);
        match &self.plan.kind {
            Kind::KMeans(settings) => problem.kmeans(settings, observer).map(|model| Fitted::KMeans(Box::new(model))),
            Kind::Bisecting(settings) => {
                problem.bisecting(settings, observer).map(|model| Fitted::Bisecting(Box::new(model)))
            }
            Kind::Mixture(settings) => {
                problem.mixture(settings, observer).map(|model| Fitted::Mixture(Box::new(model)))
            }
            Kind::Bayesian(settings) => {
                problem.bayesian(settings, observer).map(|model| Fitted::Bayesian(Box::new(model)))
            }
        }
        .map_err(|error| self.failure(error))
    }

    /// The model of rows that are read once a pass, and how many these are.
    fn model_over<F: Number>(&self, source: &dyn Source<F>) -> Result<(Fitted<F>, usize), Failure> {
        self.progress.stage("seeding");
        let (mut stop, mut checkpoints) = (self.stop.clone(), self.checkpoints());
        let going_on = checkpoints.as_ref().filter(|checkpoints| checkpoints.exists() && !self.plan.args.answer.quiet);
        if let Some(checkpoints) = going_on {
            output::note(&format!("the fit goes on from the checkpoint {}", checkpoints.path().display()));
        }
        let problem = self.problem(None, None);
        let fitted = self.plan.threads.install(|threads| {
            let passes = self.progress.passes(source, None);
            let mut workers = Streamed::new(&passes, threads).with_missing(self.plan.args.missing);
            let (checkpoints, observer) = (checkpoints.as_mut(), &mut stop);
            let elsewhere = Elsewhere { workers: &mut workers, checkpoints, observer, threads };
            let model = match &self.plan.kind {
                Kind::KMeans(settings) => {
                    problem.kmeans_over(settings, elsewhere).map(|model| Fitted::KMeans(Box::new(model)))
                }
                Kind::Mixture(settings) => {
                    problem.mixture_over(settings, elsewhere).map(|model| Fitted::Mixture(Box::new(model)))
                }
                Kind::Bisecting(_) => Err(WorkError::NeedsRows("bisecting k-means").into()),
                Kind::Bayesian(_) => Err(WorkError::NeedsRows("a Bayesian mixture").into()),
            };
            Ok((model?, workers.n_rows().unwrap_or(0) as usize))
        });
        fitted.map_err(|error| self.failure(error))
    }

    fn failure(&self, error: GmmError) -> Failure {
        let args = self.plan.args;
        match error {
            GmmError::InvalidParams(GmmParamsError::Mixing(error)) => {
                Failure::in_file(args.mixture.given_weights.as_ref().unwrap_or(&args.data), error)
            }
            // Whatever the data.
            GmmError::InvalidParams(error) => Failure::call(error),
            GmmError::KMeans(KMeansError::InvalidParams(error)) => Failure::call(error),
            error => Failure::in_file(&args.data, error),
        }
    }
}

/// The scaling that was asked for, of the columns of these rows, in one pass over them.
pub(crate) fn scaling<F: Number>(
    args: &ScalingArgs,
    source: &dyn Source<F>,
    missing: Missing,
    (threads, data): (Threads, &Path),
) -> Result<Option<ColumnScaling>, Failure> {
    let standardizing = || {
        let mut workers = Streamed::new(source, threads).with_missing(missing);
        threads.install(|_| ColumnScaling::standardizing_over(&mut workers))
    };
    args.standardize.then(standardizing).transpose().map_err(|error| Failure::in_file(data, error))
}
