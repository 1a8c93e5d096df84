//! From a model to arrays.

use super::archive::Writer;
use crate::plain::{Centres, Components, Parameters, Plain, whitening};
use crate::{ExchangeError, Format};
use miscela::{AnyDistance, Covariances};
use ndarray::{Array, Array3, ArrayD, Axis, Dimension};

pub(crate) fn encode(plain: &Plain) -> Result<Vec<u8>, ExchangeError> {
    let mut to = Writer::new(plain.narrow);
    match &plain.parameters {
        Parameters::Centres(centres) => write_centres(centres, &mut to)?,
        Parameters::Components(components) => write_components(components, &mut to)?,
    }
    to.value("n_iter_", plain.iterations as i64)?;
    to.value("converged_", plain.converged)?;
    to.value("n_features_in_", plain.n_features() as i64)?;
    if plain.names_were_given() {
        to.texts("feature_names_in_", &plain.feature_names, false)?;
    }
    to.finish()
}

fn refused(what: &str, why: &'static str) -> ExchangeError {
    ExchangeError::Inexpressible { format: Format::Npz, what: what.to_string(), why }
}

fn write_centres(model: &Centres, to: &mut Writer) -> Result<(), ExchangeError> {
    if !matches!(model.distance, AnyDistance::L2 | AnyDistance::SquaredL2) {
        let what = format!("k-means by {}", model.distance.name());
        return Err(refused(&what, "its KMeans knows Euclidean distances only; use a model by l2"));
    }
    if model.tree.is_some() {
        return Err(refused("a tree of clusters", "its KMeans has centres only; fit with -m kmeans, or write .onnx"));
    }
    if model.cutoff.is_some() {
        return Err(refused("trimmed k-means", "its KMeans leaves no row out; fit without trimming, or write .onnx"));
    }
    to.value("n_clusters", model.centroids.nrows() as i64)?;
    to.numbers("cluster_centers_", model.centroids.view())?;
    to.value("inertia_", model.inertia)?;
    // What `predict` asks for beside the centres.
    to.value("_n_threads", 1i64)
}

fn write_components(model: &Components, to: &mut Writer) -> Result<(), ExchangeError> {
    let mixture = &model.mixture;
    if mixture.noise.is_some() {
        return Err(refused("noise", "its GaussianMixture has Gaussians only; write .onnx"));
    }
    if mixture.degrees.is_some() {
        return Err(refused("Student-t components", "its GaussianMixture has Gaussians only; write .onnx"));
    }
    if model.believed.is_some() {
        let why =
            "its GaussianMixture knows parameters and no beliefs about them; fit without --bayesian, or write .onnx";
        return Err(refused("a Bayesian mixture", why));
    }
    let (k, d) = mixture.means.dim();
    to.value("n_components", k as i64)?;
    to.numbers("weights_", mixture.weights.view())?;
    to.numbers("means_", mixture.means.view())?;
    let covariances = known(&mixture.covariances, k, d);
    let (name, covariances, precisions, factors) = match &covariances {
        Covariances::Tied(one) => {
            let factor = whitening(one.view())?;
            ("tied", one.clone().into_dyn(), factor.dot(&factor.t()).into_dyn(), factor.into_dyn())
        }
        Covariances::Diagonal(all) => diagonal("diag", all),
        Covariances::Spherical(all) => diagonal("spherical", all),
        full => {
            let full = full.dense(k, d);
            let (mut precisions, mut factors) = (Array3::zeros((k, d, d)), Array3::zeros((k, d, d)));
            for (c, covariance) in full.outer_iter().enumerate() {
                let factor = whitening(covariance)?;
                precisions.index_axis_mut(Axis(0), c).assign(&factor.dot(&factor.t()));
                factors.index_axis_mut(Axis(0), c).assign(&factor);
            }
            ("full", full.into_dyn(), precisions.into_dyn(), factors.into_dyn())
        }
    };
    to.texts("covariance_type", &[name], true)?;
    to.numbers("covariances_", covariances.view())?;
    to.numbers("precisions_", precisions.view())?;
    to.numbers("precisions_cholesky_", factors.view())
}

/// The same matrices in one of the four shapes that scikit-learn has.
fn known(covariances: &Covariances<f64>, k: usize, d: usize) -> Covariances<f64> {
    match covariances {
        Covariances::TiedDiagonal(one) => Covariances::Diagonal(Array::from_shape_fn((k, d), |(_, j)| one[j])),
        Covariances::TiedSpherical(one) => Covariances::Spherical(Array::from_elem(k, *one)),
        same => same.clone(),
    }
}

/// Variances, their inverses, and the roots of these.
fn diagonal<D: Dimension>(
    name: &'static str,
    variances: &Array<f64, D>,
) -> (&'static str, ArrayD<f64>, ArrayD<f64>, ArrayD<f64>) {
    let (precisions, factors) = (variances.mapv(f64::recip), variances.mapv(|variance| 1.0 / variance.sqrt()));
    (name, variances.clone().into_dyn(), precisions.into_dyn(), factors.into_dyn())
}
