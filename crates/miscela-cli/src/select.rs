//! `miscela select`: fits many mixtures to a table and keeps the best.

use crate::answer::FitAnswer;
use crate::args::{Dtype, Method, SelectArgs, SelectInit};
use crate::data::{Data, Request, Weights};
use crate::error::{Failure, name_of};
use crate::model::{Model, Number};
use crate::output::{HINT, TITLE};
use crate::progress::Progress;
use crate::{output, paths, plan, summary};
use miscela::{Covariance, Criterion, GaussianMixture, Mixing, Selection, SelectionParams, SelectionStart};
use ndarray::Array2;
use serde::Serialize;
use std::path::Path;
use std::time::Instant;

pub(crate) fn run(args: &SelectArgs) -> Result<(), Failure> {
    let weights = check(args)?;
    let progress = Progress::start(args.answer.quiet);
    progress.stage("reading");
    let clock = Instant::now();
    let request = Request { weights: weights.as_ref(), missing: Some(args.missing), ..Request::default() };
    let data = Data::read(&args.data, &args.columns, &request)?;
    let read_seconds = clock.elapsed().as_secs_f64();
    progress.stage("fitting");
    match args.dtype.unwrap_or(data.dtype()) {
        Dtype::F32 => select::<f32>(args, data, read_seconds, progress),
        Dtype::F64 => select::<f64>(args, data, read_seconds, progress),
    }
}

/// What the arguments alone show, and where the weights are.
fn check(args: &SelectArgs) -> Result<Option<Weights>, Failure> {
    if args.method == Method::Kmeans {
        return Err(Failure::call("-m kmeans is not available in select; use -m gmm"));
    }
    if args.folds.is_some() && args.criterion != Criterion::HeldOut {
        return Err(Failure::call("--folds is for --criterion held-out; leave one of the two out"));
    }
    let weights = args.weights.as_deref().map(Weights::named);
    paths::table(&args.data)?;
    args.output.as_deref().map_or(Ok(()), paths::model)?;
    let stdout = args.answer.json.then_some(Path::new(miscela_table::STANDARD_STREAM));
    let read = [Some(args.data.as_path()), weights.as_ref().and_then(Weights::file)];
    paths::apart(&read, &[args.output.as_deref(), stdout])?;
    paths::folders(&[args.output.as_deref()])?;
    Ok(weights)
}

fn select<F: Number>(args: &SelectArgs, data: Data, read_seconds: f64, progress: Progress) -> Result<(), Failure> {
    let Data { table, weights, .. } = data;
    let names = table.names().to_vec();
    let rows: Array2<F> = table.into_array()?;
    let selection =
        params(args).fit_records(&rows, weights.as_deref()).map_err(|error| Failure::in_file(&args.data, error))?;
    drop(progress);
    let best = Model::Mixture(Box::new(selection.best().clone().with_feature_names(names)));
    if let Some(path) = &args.output {
        best.save(path)?;
    }
    if args.answer.json {
        let best = FitAnswer::new(&best, rows.nrows(), args.seed, read_seconds);
        output::json(&SelectAnswer::new(&selection, best))
    } else if args.answer.quiet {
        Ok(())
    } else {
        output::text(&text(&selection, rows.dim(), args))
    }
}

fn params<F: Number>(args: &SelectArgs) -> SelectionParams<F> {
    let start = match args.init {
        SelectInit::Hierarchical => SelectionStart::Hierarchical,
        SelectInit::Kmeans => SelectionStart::KMeans,
    };
    let threads = plan::threads(args.threads.threads);
    let params = GaussianMixture::select(args.k.0.iter().copied(), args.covariance.0.iter().copied())
        .criterion(args.criterion)
        .start(start)
        .n_starts(args.n_runs.get())
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

/// The answer of `select`.
#[derive(Debug, Serialize)]
#[serde(bound = "F: Number")]
struct SelectAnswer<'a, F> {
    criterion: &'static str,
    table: Vec<RowAnswer<'a>>,
    best: FitAnswer<'a, F>,
}

#[derive(Debug, Serialize)]
struct RowAnswer<'a> {
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
    error: Option<&'a str>,
}

impl<'a, F: Number> SelectAnswer<'a, F> {
    fn new(selection: &'a Selection<F>, best: FitAnswer<'a, F>) -> Self {
        let held_out = selection.criterion() == Criterion::HeldOut;
        let row = |row: &'a miscela::SelectionRow| {
            let score = row.score.as_ref();
            RowAnswer {
                k: row.k,
                covariance: row.covariance.name(),
                log_likelihood: score.map(|score| score.log_likelihood),
                n_parameters: score.map(|score| score.n_parameters),
                bic: score.map(|score| score.bic),
                aic: score.map(|score| score.aic),
                icl: score.map(|score| score.icl),
                held_out: held_out.then_some(row.held_out),
                converged: score.map(|_| row.converged),
                error: row.error.as_deref(),
            }
        };
        Self { criterion: selection.criterion().name(), table: selection.table().iter().map(row).collect(), best }
    }
}

fn text<F: Number>(selection: &Selection<F>, (n, d): (usize, usize), args: &SelectArgs) -> String {
    let (rows, columns) = (summary::count(n, "row"), summary::count(d, "column"));
    let title = format!("{TITLE}Gaussian mixtures by {}{TITLE:#}", selection.criterion());
    let hint = match &args.output {
        Some(model) => format!("the best is kept; look at it with: miscela info {}", model.display()),
        None => "keep the best with -o model.json".to_string(),
    };
    format!("{title}: {rows} × {columns} of {}\n\n{selection}\n{HINT}Next: {hint}{HINT:#}\n", name_of(&args.data))
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
