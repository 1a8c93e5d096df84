//! Where a fit starts: read from files, and handed to the library.

use crate::args::{ColumnArgs, Init};
use crate::data::{Data, Request};
use crate::error::{Failure, name_of};
use crate::model::{Loaded, Model, Number};
use crate::plan::Start;
use miscela::{
    ColumnScaling, Covariance, Covariances, GaussianMixture, GmmInitMethod, KMeansInit, Mixture, Noise, Tails,
};
use miscela_table::{read_array3, read_labels, read_vector};
use ndarray::{Array1, Array2};
use std::path::Path;

/// A start whose files have been read.
#[derive(Debug)]
pub(crate) enum Origin {
    Named(Option<Init>),
    Labels(Vec<usize>),
    Given(Box<Given>),
}

/// Start parameters.
#[derive(Debug)]
pub(crate) struct Given {
    weights: Option<Array1<f64>>,
    means: Array2<f64>,
    covariances: Option<Covariances<f64>>,
    /// The structure of the mixture that they are from.
    structure: Option<Covariance>,
    /// How that mixture has noise, if it has.
    noise: Option<Noise>,
    tails: Option<Tails>,
    degrees: Option<Vec<f64>>,
}

impl Origin {
    /// Reads what the start needs, for a table with these columns.
    pub(crate) fn read(start: &Start, columns: &[String]) -> Result<Self, Failure> {
        match *start {
            Start::Default => Ok(Origin::Named(None)),
            Start::Named(init) => Ok(Origin::Named(Some(init))),
            Start::Labels(path) => Ok(Origin::Labels(read_labels(path)?)),
            Start::Centres { means, weights, covariances } => Ok(Origin::Given(Box::new(Given {
                means: read_centres(means, columns)?,
                weights: weights.map(read_vector).transpose()?,
                covariances: covariances.map(read_array3).transpose()?.map(Covariances::Full),
                structure: None,
                noise: None,
                tails: None,
                degrees: None,
            }))),
            Start::Model(path) => Ok(Origin::Given(Box::new(match Loaded::open(path)? {
                Loaded::F32(model) => Given::of(&model),
                Loaded::F64(model) => Given::of(&model),
            }))),
        }
    }

    /// Puts start parameters in the units of columns that are scaled.
    pub(crate) fn scale(&mut self, scaling: &ColumnScaling) {
        if let Origin::Given(given) = self {
            let k = given.means.nrows();
            given.covariances = given.covariances.as_ref().map(|all| scaling.scaled_covariances(all, k));
            scaling.scale_in_place(&mut given.means);
        }
    }

    /// The number of clusters that the start is for, where it says so.
    pub(crate) fn k(&self) -> Option<usize> {
        match self {
            Origin::Named(_) => None,
            Origin::Labels(labels) => labels.iter().max().map(|last| last + 1),
            Origin::Given(given) => Some(given.means.nrows()),
        }
    }

    /// The structure of the mixture to start from, where it is one.
    pub(crate) fn structure(&self) -> Option<Covariance> {
        match self {
            Origin::Given(given) => given.structure,
            _ => None,
        }
    }

    /// How the mixture to start from has noise, if it has.
    pub(crate) fn noise(&self) -> Option<Noise> {
        match self {
            Origin::Given(given) => given.noise,
            _ => None,
        }
    }

    /// How the densities of the mixture to start from fall off.
    pub(crate) fn tails(&self) -> Option<Tails> {
        match self {
            Origin::Given(given) => given.tails,
            _ => None,
        }
    }

    /// As a start of k-means; labels are none, as k-means starts from centres.
    pub(crate) fn for_kmeans<F: Number>(&self, trials: Option<usize>) -> Option<KMeansInit<F>> {
        match (self, trials) {
            (Origin::Named(Some(Init::Random)), _) => Some(KMeansInit::Random),
            (Origin::Named(Some(Init::Parallel)), _) => Some(KMeansInit::KMeansPara),
            (Origin::Named(_), Some(trials)) => Some(KMeansInit::GreedyKMeansPlusPlus { trials }),
            (Origin::Named(_), None) => Some(KMeansInit::KMeansPlusPlus),
            (Origin::Given(given), _) => Some(KMeansInit::Precomputed(given.means.mapv(F::narrow))),
            (Origin::Labels(_), _) => None,
        }
    }

    /// As a start of a mixture.
    pub(crate) fn for_mixture<F: Number>(&self) -> GmmInitMethod<F> {
        match self {
            Origin::Named(Some(Init::Random)) => GmmInitMethod::Random,
            Origin::Named(Some(Init::PlusPlus)) => GmmInitMethod::KMeansPlusPlus,
            Origin::Named(Some(Init::Parallel)) => GmmInitMethod::KMeansPara,
            Origin::Named(Some(Init::Kmeans) | None) => GmmInitMethod::KMeans,
            Origin::Named(Some(Init::Hierarchical)) => GmmInitMethod::Hierarchical,
            Origin::Labels(labels) => GmmInitMethod::Labels(labels.clone()),
            Origin::Given(given) => given.for_mixture(),
        }
    }
}

impl Given {
    /// As a start of a mixture.
    fn for_mixture<F: Number>(&self) -> GmmInitMethod<F> {
        let (weights, means) =
            (self.weights.as_ref().map(|weights| weights.mapv(F::narrow)), self.means.mapv(F::narrow));
        match (weights, self.covariances.clone().map(Covariances::cast)) {
            (Some(weights), Some(covariances)) => {
                let degrees = self.degrees.clone();
                GmmInitMethod::Mixture(Mixture { degrees, ..Mixture::new(weights, means, covariances) })
            }
            (weights, covariances) => GmmInitMethod::Parameters { weights, means, covariances },
        }
    }

    fn of<F: Number>(model: &Model<F>) -> Self {
        let mixture = model.mixture();
        Self {
            weights: mixture.map(|mixture| mixture.weights().mapv(F::widen)),
            means: model.centres().mapv(F::widen),
            covariances: mixture.map(|mixture| mixture.covariance_parameters().clone().cast()),
            structure: model.covariance(),
            noise: mixture.and_then(GaussianMixture::noise_rule),
            tails: mixture.map(GaussianMixture::tails),
            degrees: mixture.and_then(GaussianMixture::degrees).map(<[f64]>::to_vec),
        }
    }
}

/// Centres from a table: the columns of the data by name if they are all there, else all columns in order.
fn read_centres(path: &Path, columns: &[String]) -> Result<Array2<f64>, Failure> {
    let all = ColumnArgs { columns: None, exclude: None };
    let data = Data::read(path, &all, &Request { model: Some(columns), ..Request::default() })?;
    match (data.table.n_columns(), columns.len()) {
        (got, expected) if got != expected => {
            let file = name_of(path);
            Err(Failure::fault(format!(
                "{file} has {got} columns and the data {expected}; give a centre a value a column"
            )))
        }
        _ => Ok(data.table.into_f64()),
    }
}
