//! What of a model goes to other tools: plain numbers, whatever its type. `f64` holds those of `f32` as they are.

use crate::ExchangeError;
use miscela::{
    AnyCentred, AnyDistance, AnyModel, BayesianMixture, BisectingKMeans, BisectingNode, ColumnScaling, Covariance,
    Float, GaussianMixture, KMeans, Mahalanobis, Mixture,
};
use miscela_em::Density;
use ndarray::{Array2, ArrayView2};

/// A model of whatever kind.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    /// `kmeans`, `bisecting-kmeans`, `gmm` or `bayesian-gmm`.
    pub(crate) kind: &'static str,
    /// Whether its numbers are `f32`.
    pub(crate) narrow: bool,
    /// One a column.
    pub(crate) feature_names: Vec<String>,
    /// Iterations of its fit, and whether they were enough.
    pub(crate) iterations: usize,
    pub(crate) converged: bool,
    /// What is done to rows before all else.
    pub(crate) scaling: Option<ColumnScaling>,
    pub(crate) parameters: Parameters,
}

#[derive(Clone, Debug)]
pub(crate) enum Parameters {
    Centres(Centres),
    Components(Components),
}

/// Centres, and by which distance rows go to them.
#[derive(Clone, Debug)]
pub(crate) struct Centres {
    /// k × d
    pub(crate) centroids: Array2<f64>,
    pub(crate) distance: AnyDistance,
    pub(crate) sizes: Vec<usize>,
    pub(crate) inertia: f64,
    /// Rows with a greater (reduced) distance have the label k.
    pub(crate) cutoff: Option<f64>,
    pub(crate) tree: Option<Tree>,
}

/// The splits by which rows find their centre.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// 2k − 1
    pub(crate) nodes: Vec<BisectingNode>,
    /// 2k − 1 × d
    pub(crate) centres: Array2<f64>,
}

/// A mixture.
#[derive(Clone, Debug)]
pub(crate) struct Components {
    pub(crate) mixture: Mixture<f64>,
    pub(crate) covariance: Covariance,
    /// The log-density of each component at its centre, with its weight, k.
    pub(crate) peaks: Vec<f64>,
    /// What labels and probabilities of a Bayesian mixture have in its place, k: what is expected of that logarithm.
    pub(crate) believed: Option<Vec<f64>>,
}

impl Plain {
    pub(crate) fn of(model: &AnyModel) -> Result<Self, ExchangeError> {
        let (parameters, report) = match model {
            AnyModel::KMeansF32(model) => (of_kmeans(model), model.report()),
            AnyModel::KMeansF64(model) => (of_kmeans(model), model.report()),
            AnyModel::BisectingF32(model) => (of_bisecting(model), model.report()),
            AnyModel::BisectingF64(model) => (of_bisecting(model), model.report()),
            AnyModel::GmmF32(model) => (of_mixture(model, None)?, model.report()),
            AnyModel::GmmF64(model) => (of_mixture(model, None)?, model.report()),
            AnyModel::BayesianF32(model) => (of_mixture(model, Some(believed(model)?))?, model.report()),
            AnyModel::BayesianF64(model) => (of_mixture(model, Some(believed(model)?))?, model.report()),
            other => return Err(refused(format!("a model of kind {} cannot be carried over", other.kind()))),
        };
        Ok(Self {
            kind: model.kind(),
            narrow: model.dtype() == "f32",
            feature_names: model.feature_names().to_vec(),
            iterations: report.iterations,
            converged: report.termination.converged(),
            scaling: None,
            parameters,
        })
    }

    /// The same of rows that are to be scaled.
    pub(crate) fn scaled(self, scaling: Option<&ColumnScaling>) -> Self {
        Self { scaling: scaling.cloned(), ..self }
    }

    /// Whether the columns have other names than x0, x1, …
    pub(crate) fn names_were_given(&self) -> bool {
        self.feature_names.iter().enumerate().any(|(j, name)| *name != format!("x{j}"))
    }

    /// d
    pub(crate) fn n_features(&self) -> usize {
        self.feature_names.len()
    }
}

fn refused(why: impl ToString) -> ExchangeError {
    ExchangeError::Parameters(why.to_string())
}

fn of_kmeans<F: Float>(model: &KMeans<F, AnyCentred>) -> Parameters {
    Parameters::Centres(Centres {
        centroids: model.centroids().mapv(|x| x.widen()),
        distance: model.distance().clone().into(),
        sizes: model.sizes().to_vec(),
        inertia: model.inertia_sum(),
        cutoff: model.trimming().map(|trimming| trimming.cutoff),
        tree: None,
    })
}

fn of_bisecting<F: Float>(model: &BisectingKMeans<F, AnyCentred>) -> Parameters {
    Parameters::Centres(Centres {
        centroids: model.centroids().mapv(|x| x.widen()),
        distance: model.distance().clone().into(),
        sizes: model.sizes().to_vec(),
        inertia: model.inertia_sum(),
        cutoff: None,
        tree: Some(Tree { nodes: model.nodes().to_vec(), centres: model.node_centres().mapv(|x| x.widen()) }),
    })
}

fn of_mixture<F: Float>(model: &GaussianMixture<F>, believed: Option<Vec<f64>>) -> Result<Parameters, ExchangeError> {
    let peaks = peaks(&Density::new(model.parameters()).map_err(refused)?);
    let Mixture { weights, means, covariances, noise, degrees } = model.parameters().clone();
    let mixture = Mixture {
        weights: weights.mapv(|x| x.widen()),
        means: means.mapv(|x| x.widen()),
        covariances: covariances.cast(),
        noise,
        degrees,
    };
    Ok(Parameters::Components(Components { mixture, covariance: model.covariance(), peaks, believed }))
}

fn believed<F: Float>(model: &BayesianMixture<F>) -> Result<Vec<f64>, ExchangeError> {
    let density = model.posterior().expected_density(model.mixture().parameters());
    Ok(peaks(&density.map_err(refused)?))
}

fn peaks<F: Float>(density: &Density<F>) -> Vec<f64> {
    density.peaks().into_iter().map(|x| x.widen()).collect()
}

/// L⁻ᵀ of Σ = LLᵀ, by which a row is multiplied from the right, d × d.
pub(crate) fn whitening(covariance: ArrayView2<f64>) -> Result<Array2<f64>, ExchangeError> {
    let d = covariance.nrows();
    let refused = || refused("a covariance is not positive definite");
    let numbers: Vec<f64> = covariance.iter().copied().collect();
    let lower = miscela_linalg::cholesky(&numbers, d).ok_or_else(refused)?;
    let lower = Array2::from_shape_vec((d, d), lower).map_err(|_| refused())?;
    let distance = Mahalanobis::from_cholesky(lower.view()).map_err(|_| refused())?;
    Ok(distance.whitening().reversed_axes())
}
