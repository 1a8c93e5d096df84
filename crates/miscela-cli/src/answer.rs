//! What `--json` answers. The names are a contract with the programs that read them.

use crate::model::{Model, Number};
use miscela::{
    BisectingNode, ColumnScaling, Covariances, GaussianMixture, Repair, SearchReport, Termination, Trimming, Uniform,
    WeightConcentration, WeightPrior,
};
use ndarray::{ArrayView, ArrayViewD, Dimension, aview0};
use serde::{Serialize, Serializer};

/// The most numbers that covariances are written out in full with.
const MOST_DENSE: usize = 1_000_000;

/// The answer of `fit`.
#[derive(Debug, Serialize)]
#[serde(bound = "F: Number")]
pub(crate) struct FitAnswer<'a, F> {
    method: &'static str,
    covariance: Option<&'static str>,
    assignment: &'static str,
    /// What was done to the columns before.
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling: Option<&'a ColumnScaling>,
    n_samples: usize,
    n_missing: usize,
    n_features: usize,
    n_clusters: usize,
    dtype: &'static str,
    seed: u64,
    n_runs: usize,
    iterations: usize,
    converged: bool,
    termination: Termination,
    inertia: Option<f64>,
    log_likelihood: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_bound: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bayesian: Option<Posterior<'a>>,
    n_parameters: Option<usize>,
    bic: Option<f64>,
    aic: Option<f64>,
    icl: Option<f64>,
    weights: Option<Nested<'a, F>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noise: Option<&'a Uniform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trimming: Option<Trimming>,
    #[serde(skip_serializing_if = "Option::is_none")]
    degrees: Option<&'a [f64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<&'a [BisectingNode]>,
    means: Nested<'a, F>,
    covariances: Option<Matrices<'a, F>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    covariance_shape: Option<Vec<usize>>,
    sizes: &'a [usize],
    trace: &'a [f64],
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<&'a SearchReport>,
    repairs: &'a [Repair],
    /// Over the rows, where they were read in chunks.
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<usize>,
    seconds: Seconds,
}

#[derive(Debug, Serialize)]
struct Seconds {
    read: f64,
    init: f64,
    fit: f64,
}

impl<'a, F: Number> FitAnswer<'a, F> {
    pub(crate) fn new(model: &'a Model<F>, n_samples: usize, seed: u64, read_seconds: f64) -> Self {
        let (report, likelihood) = (model.report(), model.likelihood());
        let (n_clusters, n_features) = model.centres().dim();
        let covariances = model.mixture().map(Matrices::of);
        Self {
            method: model.method(),
            covariance: model.covariance().map(|covariance| covariance.name()),
            assignment: model.assignment().name(),
            scaling: model.scaling(),
            n_samples,
            n_missing: report.n_missing,
            n_features,
            n_clusters,
            dtype: F::DTYPE,
            seed,
            n_runs: report.n_runs,
            iterations: report.iterations,
            converged: report.converged(),
            termination: report.termination,
            inertia: model.inertia(),
            log_likelihood: likelihood.log_likelihood,
            lower_bound: model.bounds().map(|(bound, _)| bound),
            bayesian: Posterior::of(model),
            n_parameters: likelihood.n_parameters,
            bic: likelihood.bic,
            aic: likelihood.aic,
            icl: likelihood.icl,
            weights: model.mixture().map(|mixture| nested(mixture.weights().view())),
            noise: model.mixture().and_then(GaussianMixture::noise),
            trimming: model.trimming(),
            degrees: model.mixture().and_then(GaussianMixture::degrees),
            tree: model.tree().map(|tree| tree.nodes()),
            means: nested(model.centres().view()),
            covariance_shape: covariances.as_ref().and_then(Matrices::shape),
            covariances,
            sizes: model.sizes(),
            trace: &report.trace,
            search: report.search.as_ref(),
            repairs: &report.repairs,
            passes: Some(report.passes).filter(|passes| *passes > 0),
            seconds: Seconds { read: read_seconds, init: report.seconds.init, fit: report.seconds.fit },
        }
    }
}

/// What a Bayesian mixture has beside the parameters of a mixture.
#[derive(Debug, Serialize)]
struct Posterior<'a> {
    /// Components that are the densest for some row.
    n_effective: usize,
    evidence_bound: f64,
    weight_prior: WeightPrior,
    weight_concentration: &'a WeightConcentration,
    mean_precision: &'a [f64],
    degrees_of_freedom: &'a [f64],
}

impl<'a> Posterior<'a> {
    fn of<F: Number>(model: &'a Model<F>) -> Option<Self> {
        let (bayesian, (_, evidence_bound)) = (model.bayesian()?, model.bounds()?);
        Some(Self {
            n_effective: bayesian.n_effective(),
            evidence_bound,
            weight_prior: bayesian.weight_prior(),
            weight_concentration: bayesian.weight_concentration(),
            mean_precision: bayesian.mean_precision(),
            degrees_of_freedom: bayesian.degrees_of_freedom(),
        })
    }
}

/// The answer of `info`.
#[derive(Debug, Serialize)]
#[serde(bound = "F: Number")]
pub(crate) struct InfoAnswer<'a, F> {
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<&'static str>,
    covariance: Option<&'static str>,
    assignment: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling: Option<&'a ColumnScaling>,
    dtype: &'static str,
    n_features: usize,
    n_clusters: usize,
    feature_names: &'a [String],
    n_runs: usize,
    iterations: usize,
    converged: bool,
    termination: Termination,
    inertia: Option<f64>,
    log_likelihood: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_bound: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bayesian: Option<Posterior<'a>>,
    n_parameters: Option<usize>,
    weights: Option<Nested<'a, F>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noise: Option<&'a Uniform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trimming: Option<Trimming>,
    #[serde(skip_serializing_if = "Option::is_none")]
    degrees: Option<&'a [f64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<&'a [BisectingNode]>,
    means: Nested<'a, F>,
    sizes: &'a [usize],
    repairs: &'a [Repair],
}

impl<'a, F: Number> InfoAnswer<'a, F> {
    pub(crate) fn new(model: &'a Model<F>) -> Self {
        let fit = FitAnswer::new(model, 0, 0, 0.0);
        Self {
            method: fit.method,
            metric: model.metric(),
            covariance: fit.covariance,
            assignment: fit.assignment,
            scaling: fit.scaling,
            dtype: fit.dtype,
            n_features: fit.n_features,
            n_clusters: fit.n_clusters,
            feature_names: model.feature_names(),
            n_runs: fit.n_runs,
            iterations: fit.iterations,
            converged: fit.converged,
            termination: fit.termination,
            inertia: fit.inertia,
            log_likelihood: fit.log_likelihood,
            lower_bound: fit.lower_bound,
            bayesian: fit.bayesian,
            n_parameters: fit.n_parameters,
            weights: fit.weights,
            noise: fit.noise,
            trimming: fit.trimming,
            degrees: fit.degrees,
            tree: fit.tree,
            means: fit.means,
            sizes: fit.sizes,
            repairs: fit.repairs,
        }
    }
}

/// The answer of `predict`: what was asked for, the rest `null`.
#[derive(Debug, Serialize)]
pub(crate) struct PredictAnswer<'a, F> {
    pub(crate) method: &'static str,
    pub(crate) n_samples: usize,
    pub(crate) n_clusters: usize,
    pub(crate) labels: Option<&'a [usize]>,
    pub(crate) probabilities: Option<Nested<'a, F>>,
    pub(crate) log_density: Option<Nested<'a, f64>>,
    pub(crate) uncertainty: Option<Nested<'a, f64>>,
}

/// The answer of `report`.
#[derive(Debug, Serialize)]
pub(crate) struct ReportAnswer {
    pub(crate) page: String,
    pub(crate) bytes: usize,
    pub(crate) n_samples: usize,
    /// Rows that are points of the page.
    pub(crate) n_drawn: usize,
}

/// The answer of `sample`.
#[derive(Debug, Serialize)]
pub(crate) struct SampleAnswer<'a, F> {
    pub(crate) n_samples: usize,
    pub(crate) feature_names: &'a [String],
    pub(crate) rows: Nested<'a, F>,
    pub(crate) labels: &'a [usize],
}

/// The answer of `impute`.
#[derive(Debug, Serialize)]
pub(crate) struct ImputeAnswer<'a, F> {
    pub(crate) method: &'static str,
    pub(crate) n_samples: usize,
    pub(crate) n_missing: usize,
    pub(crate) feature_names: &'a [String],
    pub(crate) rows: Nested<'a, F>,
}

/// The answer of `convert`.
#[derive(Debug, Serialize)]
pub(crate) struct ConvertAnswer<'a> {
    pub(crate) method: &'a str,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// An array as nested lists of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Nested<'a, F>(ArrayViewD<'a, F>);

pub(crate) fn nested<'a, F, D: Dimension>(array: ArrayView<'a, F, D>) -> Nested<'a, F> {
    Nested(array.into_dyn())
}

impl<F: Serialize> Serialize for Nested<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.first() {
            Some(number) if self.0.ndim() == 0 => number.serialize(serializer),
            _ => serializer.collect_seq(self.0.outer_iter().map(Nested)),
        }
    }
}

/// Whether the covariances are few enough to be written out as matrices.
pub(crate) fn is_small_dense<F: Number>(mixture: &GaussianMixture<F>) -> bool {
    let (k, d) = mixture.means().dim();
    k.saturating_mul(d).saturating_mul(d) <= MOST_DENSE
}

/// The covariances of a mixture: k × d × d, or in the shape of their structure where that would be too much.
#[derive(Debug)]
enum Matrices<'a, F> {
    Dense(&'a GaussianMixture<F>),
    Own(Nested<'a, F>),
}

impl<'a, F: Number> Matrices<'a, F> {
    fn of(mixture: &'a GaussianMixture<F>) -> Self {
        match mixture.covariance_parameters() {
            _ if is_small_dense(mixture) => Matrices::Dense(mixture),
            Covariances::Full(all) => Matrices::Own(nested(all.view())),
            Covariances::Tied(all) | Covariances::Diagonal(all) => Matrices::Own(nested(all.view())),
            Covariances::TiedDiagonal(all) | Covariances::Spherical(all) => Matrices::Own(nested(all.view())),
            Covariances::TiedSpherical(one) => Matrices::Own(nested(aview0(one))),
            _ => Matrices::Dense(mixture),
        }
    }

    fn shape(&self) -> Option<Vec<usize>> {
        match self {
            Matrices::Dense(_) => None,
            Matrices::Own(Nested(array)) => Some(array.shape().to_vec()),
        }
    }
}

impl<F: Number> Serialize for Matrices<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Matrices::Dense(mixture) => nested(mixture.covariances().view()).serialize(serializer),
            Matrices::Own(own) => own.serialize(serializer),
        }
    }
}
