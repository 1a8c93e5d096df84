//! A model of either kind, as the commands see it.

use crate::error::Failure;
use miscela::{
    AnyCentred, AnyModel, Assignment, BayesianMixture, BisectingKMeans, CanonicalOrder, Covariance, Covariances, Float,
    GaussianMixture, KMeans, Missing, Provenance, Report, Trimming,
};
use ndarray::{Array1, Array2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{Display, LowerExp};
use std::path::Path;

/// A number of a model: `f32` or `f64`.
pub(crate) trait Number: Float + Serialize + DeserializeOwned + Display + LowerExp {
    /// The name of the type.
    const DTYPE: &'static str;
}

impl Number for f32 {
    const DTYPE: &'static str = "f32";
}

impl Number for f64 {
    const DTYPE: &'static str = "f64";
}

/// A fitted model.
#[derive(Debug)]
pub(crate) enum Model<F> {
    KMeans(Box<KMeans<F, AnyCentred>>),
    Bisecting(Box<BisectingKMeans<F, AnyCentred>>),
    Mixture(Box<GaussianMixture<F>>),
    Bayesian(Box<BayesianMixture<F>>),
}

/// A model read from a file.
#[derive(Debug)]
pub(crate) enum Loaded {
    F32(Model<f32>),
    F64(Model<f64>),
}

impl Loaded {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        match open_any(path)? {
            AnyModel::KMeansF32(model) => Ok(Loaded::F32(Model::KMeans(Box::new(model)))),
            AnyModel::BisectingF32(model) => Ok(Loaded::F32(Model::Bisecting(Box::new(model)))),
            AnyModel::GmmF32(model) => Ok(Loaded::F32(Model::Mixture(Box::new(model)))),
            AnyModel::BayesianF32(model) => Ok(Loaded::F32(Model::Bayesian(Box::new(model)))),
            AnyModel::KMeansF64(model) => Ok(Loaded::F64(Model::KMeans(Box::new(model)))),
            AnyModel::BisectingF64(model) => Ok(Loaded::F64(Model::Bisecting(Box::new(model)))),
            AnyModel::GmmF64(model) => Ok(Loaded::F64(Model::Mixture(Box::new(model)))),
            AnyModel::BayesianF64(model) => Ok(Loaded::F64(Model::Bayesian(Box::new(model)))),
            other => Err(Failure::in_file(path, format!("a model of kind {} is not available here", other.kind()))),
        }
    }

    /// The model of fewer clusters, where that is asked for; errors name the model's file.
    pub(crate) fn cut(self, k: Option<usize>, path: &Path) -> Result<Self, Failure> {
        match (self, k) {
            (model, None) => Ok(model),
            (Loaded::F32(model), Some(k)) => model.cut(k, path).map(Loaded::F32),
            (Loaded::F64(model), Some(k)) => model.cut(k, path).map(Loaded::F64),
        }
    }
}

/// Reads a model file, whatever it holds.
pub(crate) fn open_any(path: &Path) -> Result<AnyModel, Failure> {
    AnyModel::load(path).map_err(|error| Failure::in_file(path, error))
}

/// How well a model fits some rows. What its kind does not have is `null`.
#[derive(Debug, Serialize)]
pub(crate) struct Score {
    pub(crate) method: &'static str,
    pub(crate) n_samples: usize,
    pub(crate) inertia: Option<f64>,
    #[serde(flatten)]
    pub(crate) likelihood: Likelihood,
}

/// What only mixtures have.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Likelihood {
    pub(crate) log_likelihood: Option<f64>,
    pub(crate) mean_log_likelihood: Option<f64>,
    pub(crate) n_parameters: Option<usize>,
    pub(crate) bic: Option<f64>,
    pub(crate) aic: Option<f64>,
    pub(crate) icl: Option<f64>,
}

impl From<miscela::MixtureScore> for Likelihood {
    fn from(score: miscela::MixtureScore) -> Self {
        Self {
            log_likelihood: Some(score.log_likelihood),
            mean_log_likelihood: Some(score.mean_log_likelihood),
            n_parameters: Some(score.n_parameters),
            bic: Some(score.bic),
            aic: Some(score.aic),
            icl: Some(score.icl),
        }
    }
}

impl<F: Number> Model<F> {
    /// The first `k` clusters of a tree; errors name the model's file.
    fn cut(self, k: usize, path: &Path) -> Result<Self, Failure> {
        match self {
            Model::Bisecting(model) => {
                let cut = model.cut(k).map_err(|error| Failure::in_file(path, error))?;
                Ok(Model::Bisecting(Box::new(cut)))
            }
            _ => Err(Failure::in_file(path, "it holds no tree of clusters to --cut; fit one with -m bisecting")),
        }
    }

    /// `kmeans`, `bisecting` or `gmm`.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Model::KMeans(_) => "kmeans",
            Model::Bisecting(_) => "bisecting",
            Model::Mixture(_) | Model::Bayesian(_) => "gmm",
        }
    }

    /// The name of the distance of k-means.
    pub(crate) fn metric(&self) -> Option<&'static str> {
        match self {
            Model::KMeans(model) => Some(model.distance().name()),
            Model::Bisecting(model) => Some(model.distance().name()),
            Model::Mixture(_) | Model::Bayesian(_) => None,
        }
    }

    pub(crate) fn mixture(&self) -> Option<&GaussianMixture<F>> {
        match self {
            Model::KMeans(_) | Model::Bisecting(_) => None,
            Model::Mixture(model) => Some(model),
            Model::Bayesian(model) => Some(model.mixture()),
        }
    }

    /// How uncertain each row's label is, n; none for k-means.
    pub(crate) fn uncertainty(&self, rows: &Array2<F>) -> Option<Array1<f64>> {
        match self {
            Model::KMeans(_) | Model::Bisecting(_) => None,
            Model::Mixture(model) => Some(model.uncertainty(rows)),
            Model::Bayesian(model) => Some(model.uncertainty(rows)),
        }
    }

    pub(crate) fn bayesian(&self) -> Option<&BayesianMixture<F>> {
        match self {
            Model::Bayesian(model) => Some(model),
            Model::KMeans(_) | Model::Bisecting(_) | Model::Mixture(_) => None,
        }
    }

    /// The tree of bisecting k-means.
    pub(crate) fn tree(&self) -> Option<&BisectingKMeans<F, AnyCentred>> {
        match self {
            Model::Bisecting(model) => Some(model),
            Model::KMeans(_) | Model::Mixture(_) | Model::Bayesian(_) => None,
        }
    }

    /// The probability of each component for each row, n × k; none for k-means.
    pub(crate) fn probabilities(&self, rows: &Array2<F>) -> Option<Array2<F>> {
        match self {
            Model::KMeans(_) | Model::Bisecting(_) => None,
            Model::Mixture(model) => Some(model.predict_proba(rows)),
            Model::Bayesian(model) => Some(model.predict_proba(rows)),
        }
    }

    /// The mixture that `what` needs.
    pub(crate) fn need_mixture(&self, path: &Path, what: &str) -> Result<&GaussianMixture<F>, Failure> {
        let sentence = || format!("it holds a k-means model, and {what} needs a mixture: fit one with -m gmm");
        self.mixture().ok_or_else(|| Failure::in_file(path, sentence()))
    }

    pub(crate) fn covariance(&self) -> Option<Covariance> {
        self.mixture().map(GaussianMixture::covariance)
    }

    /// How rows are shared among the clusters.
    pub(crate) fn assignment(&self) -> Assignment {
        self.mixture().map_or(Assignment::Hard, GaussianMixture::assignment)
    }

    /// k × d
    pub(crate) fn centres(&self) -> &Array2<F> {
        match self {
            Model::KMeans(model) => model.centroids(),
            Model::Bisecting(model) => model.centroids(),
            Model::Mixture(model) => model.means(),
            Model::Bayesian(model) => model.means(),
        }
    }

    pub(crate) fn sizes(&self) -> &[usize] {
        match self {
            Model::KMeans(model) => model.sizes(),
            Model::Bisecting(model) => model.sizes(),
            Model::Mixture(model) => model.sizes(),
            Model::Bayesian(model) => model.sizes(),
        }
    }

    /// The share of the rows' weight that each cluster has, k, and that of the noise, if there is some.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let weights = match self {
            Model::KMeans(model) => model.cluster_count(),
            Model::Bisecting(model) => model.cluster_count(),
            Model::Mixture(model) => model.weights(),
            Model::Bayesian(model) => model.weights(),
        };
        let noise = self.mixture().and_then(GaussianMixture::noise).map(|noise| noise.weight);
        let weights: Vec<f64> = weights.iter().map(|w| w.widen()).chain(noise).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }

    /// The standard deviation of each component in column `j`, k; none for k-means.
    pub(crate) fn deviations(&self, j: usize) -> Vec<f64> {
        let Some(mixture) = self.mixture() else {
            return Vec::new();
        };
        let variance = |c: usize| match mixture.covariance_parameters() {
            Covariances::Full(all) => all[[c, j, j]],
            Covariances::Tied(one) => one[[j, j]],
            Covariances::Diagonal(all) => all[[c, j]],
            Covariances::TiedDiagonal(one) => one[j],
            Covariances::Spherical(all) => all[c],
            Covariances::TiedSpherical(one) => *one,
            other => other.dense(mixture.n_clusters(), mixture.n_features())[[c, j, j]],
        };
        (0..mixture.n_clusters()).map(|c| variance(c).widen().sqrt()).collect()
    }

    /// What was left out of k-means, if it was trimmed.
    pub(crate) fn trimming(&self) -> Option<Trimming> {
        match self {
            Model::KMeans(model) => model.trimming(),
            Model::Bisecting(_) | Model::Mixture(_) | Model::Bayesian(_) => None,
        }
    }

    pub(crate) fn report(&self) -> &Report {
        match self {
            Model::KMeans(model) => model.report(),
            Model::Bisecting(model) => model.report(),
            Model::Mixture(model) => model.report(),
            Model::Bayesian(model) => model.report(),
        }
    }

    pub(crate) fn feature_names(&self) -> &[String] {
        match self {
            Model::KMeans(model) => model.feature_names(),
            Model::Bisecting(model) => model.feature_names(),
            Model::Mixture(model) => model.feature_names(),
            Model::Bayesian(model) => model.feature_names(),
        }
    }

    /// What is done about missing values in rows to predict; none where there is no choice.
    pub(crate) fn missing(&self) -> Option<Missing> {
        match self {
            Model::KMeans(model) => Some(model.missing()),
            Model::Mixture(model) => Some(model.missing()),
            Model::Bisecting(_) | Model::Bayesian(_) => None,
        }
    }

    /// Does something else about them, where that is said; errors name the model's file.
    pub(crate) fn with_missing(self, missing: Option<Missing>, path: &Path) -> Result<Self, Failure> {
        match (self, missing) {
            (model, None) | (model @ (Model::Bisecting(_) | Model::Bayesian(_)), Some(Missing::Error)) => Ok(model),
            (Model::KMeans(model), Some(missing)) => match model.to_l2() {
                Some(model) => Ok(Model::KMeans(Box::new(model.with_missing(missing).into_any()))),
                None if missing == Missing::Error => Ok(Model::KMeans(model)),
                None => {
                    let metric = model.distance().name();
                    let sentence =
                        format!("its metric is {metric}, and --missing {missing} is for l2; impute the rows before");
                    Err(Failure::in_file(path, sentence))
                }
            },
            (Model::Mixture(model), Some(missing)) => Ok(Model::Mixture(Box::new(model.with_missing(missing)))),
            (model @ (Model::Bisecting(_) | Model::Bayesian(_)), Some(missing)) => {
                let kind = if model.tree().is_some() { "tree of clusters" } else { "Bayesian mixture" };
                let sentence = format!("it holds a {kind}, which has no --missing {missing}; impute the rows before");
                Err(Failure::in_file(path, sentence))
            }
        }
    }

    pub(crate) fn with_feature_names(self, names: Vec<String>) -> Self {
        match self {
            Model::KMeans(model) => Model::KMeans(Box::new(model.with_feature_names(names))),
            Model::Bisecting(model) => Model::Bisecting(Box::new(model.with_feature_names(names))),
            Model::Mixture(model) => Model::Mixture(Box::new(model.with_feature_names(names))),
            Model::Bayesian(model) => Model::Bayesian(Box::new(model.with_feature_names(names))),
        }
    }

    /// Says how the model came about.
    pub(crate) fn with_provenance(self, provenance: Provenance) -> Self {
        match self {
            Model::KMeans(model) => Model::KMeans(Box::new(model.with_provenance(provenance))),
            Model::Bisecting(model) => Model::Bisecting(Box::new(model.with_provenance(provenance))),
            Model::Mixture(model) => Model::Mixture(Box::new(model.with_provenance(provenance))),
            Model::Bayesian(model) => Model::Bayesian(Box::new(model.with_provenance(provenance))),
        }
    }

    /// Numbers the clusters by this rule; a Bayesian mixture, whose prior can know an order, keeps its own, and so does a tree.
    pub(crate) fn canonical_order(self, order: CanonicalOrder) -> Result<Self, Failure> {
        Ok(match self {
            Model::KMeans(model) => Model::KMeans(Box::new(model.canonical_order(order))),
            Model::Mixture(model) => Model::Mixture(Box::new(model.canonical_order(order).map_err(Failure::fault)?)),
            model @ (Model::Bisecting(_) | Model::Bayesian(_)) => model,
        })
    }

    /// Σ w ‖x − c‖², or what other distance it is by, over the rows of the fit, for k-means.
    pub(crate) fn inertia(&self) -> Option<f64> {
        match self {
            Model::KMeans(model) => Some(model.inertia_sum()),
            Model::Bisecting(model) => Some(model.inertia_sum()),
            Model::Mixture(_) | Model::Bayesian(_) => None,
        }
    }

    /// Likelihood and criteria on the rows of the fit, for a mixture that has seen some.
    pub(crate) fn likelihood(&self) -> Likelihood {
        let score = self.mixture().map(GaussianMixture::training_score);
        score.filter(|score| score.total_weight > 0.0).map_or(Likelihood::default(), Likelihood::from)
    }

    /// The label of each row; errors name the file that the rows are from.
    pub(crate) fn labels(&self, rows: &Array2<F>, data: &Path) -> Result<Vec<usize>, Failure> {
        let labels = match self {
            Model::KMeans(model) if model.trimming().is_some() => {
                let labels = model.predict_trimmed(rows).map_err(|error| Failure::in_file(data, error))?;
                labels.mapv(|label| label.unwrap_or(model.n_clusters()))
            }
            Model::KMeans(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
            Model::Bisecting(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
            Model::Mixture(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
            Model::Bayesian(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
        };
        Ok(labels.to_vec())
    }

    /// The label of each row of the fit; the number of clusters is that of rows which were left out.
    pub(crate) fn labels_of_fit(
        &self,
        rows: &Array2<F>,
        weights: Option<&[f64]>,
        data: &Path,
    ) -> Result<Vec<usize>, Failure> {
        let mut labels = self.labels(rows, data)?;
        if let Model::KMeans(model) = self {
            // Rows of no weight are where others like them would go.
            let counts = |i: usize| weights.is_none_or(|weights| weights[i] > 0.0);
            for (i, label) in model.fit_labels().into_iter().flatten().enumerate().filter(|(i, _)| counts(*i)) {
                labels[i] = label.unwrap_or(model.n_clusters());
            }
        }
        Ok(labels)
    }

    /// Rows with their gaps filled; errors name the file that the rows are from.
    pub(crate) fn impute(&self, rows: &Array2<F>, data: &Path) -> Result<Array2<F>, Failure> {
        match self {
            Model::KMeans(model) => model.impute(rows).map_err(|error| Failure::in_file(data, error)),
            Model::Bisecting(_) => Err(Failure::fault(
                "bisecting k-means does not fill missing values; use a model of -m kmeans or -m gmm",
            )),
            Model::Mixture(model) => model.impute(rows).map_err(|error| Failure::in_file(data, error)),
            Model::Bayesian(model) => model.impute(rows).map_err(|error| Failure::in_file(data, error)),
        }
    }

    /// How well the model fits rows; errors name the file that they are from.
    pub(crate) fn score(&self, rows: &Array2<F>, weights: Option<&[f64]>, data: &Path) -> Result<Score, Failure> {
        let (inertia, likelihood) = match (self, self.mixture()) {
            (Model::KMeans(model), _) => {
                let inertia = model.inertia_of(rows, weights).map_err(|error| Failure::in_file(data, error))?;
                (Some(inertia), Likelihood::default())
            }
            (Model::Bisecting(model), _) => {
                let inertia = model.inertia_of(rows, weights).map_err(|error| Failure::in_file(data, error))?;
                (Some(inertia), Likelihood::default())
            }
            (_, mixture) => {
                let score = mixture.map(|mixture| mixture.evaluate(rows, weights)).transpose();
                let score = score.map_err(|error| Failure::in_file(data, error))?;
                (None, score.map(Likelihood::from).unwrap_or_default())
            }
        };
        Ok(self.scored(rows.nrows(), inertia, likelihood))
    }

    /// A score of this model.
    pub(crate) fn scored(&self, n_samples: usize, inertia: Option<f64>, likelihood: Likelihood) -> Score {
        Score { method: self.method(), n_samples, inertia, likelihood }
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), Failure> {
        match self {
            Model::KMeans(model) => model.save(path).map_err(|error| Failure::in_file(path, error)),
            Model::Bisecting(model) => model.save(path).map_err(|error| Failure::in_file(path, error)),
            Model::Mixture(model) => model.save(path).map_err(|error| Failure::in_file(path, error)),
            Model::Bayesian(model) => model.save(path).map_err(|error| Failure::in_file(path, error)),
        }
    }
}
