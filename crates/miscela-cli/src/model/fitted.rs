//! A model of any kind, of the rows as the fit saw them.

use crate::error::Failure;
use miscela::{
    AnyCentred, Assignment, BayesianMixture, BisectingKMeans, CanonicalOrder, ColumnScaling, Covariance, Float,
    GaussianMixture, KMeans, Kept, Missing, Provenance, Report, Trimming,
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
pub(crate) enum Fitted<F> {
    KMeans(Box<KMeans<F, AnyCentred>>),
    Bisecting(Box<BisectingKMeans<F, AnyCentred>>),
    Mixture(Box<GaussianMixture<F>>),
    Bayesian(Box<BayesianMixture<F>>),
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

impl<F: Number> Fitted<F> {
    /// The first `k` clusters of a tree; errors name the model's file.
    pub(super) fn cut(self, k: usize, path: &Path) -> Result<Self, Failure> {
        match self {
            Fitted::Bisecting(model) => {
                let cut = model.cut(k).map_err(|error| Failure::in_file(path, error))?;
                Ok(Fitted::Bisecting(Box::new(cut)))
            }
            _ => Err(Failure::in_file(path, "it holds no tree of clusters to --cut; fit one with -m bisecting")),
        }
    }

    /// `kmeans`, `bisecting` or `gmm`.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Fitted::KMeans(_) => "kmeans",
            Fitted::Bisecting(_) => "bisecting",
            Fitted::Mixture(_) | Fitted::Bayesian(_) => "gmm",
        }
    }

    /// The name of the distance of k-means.
    pub(crate) fn metric(&self) -> Option<&'static str> {
        match self {
            Fitted::KMeans(model) => Some(model.distance().name()),
            Fitted::Bisecting(model) => Some(model.distance().name()),
            Fitted::Mixture(_) | Fitted::Bayesian(_) => None,
        }
    }

    pub(crate) fn mixture(&self) -> Option<&GaussianMixture<F>> {
        match self {
            Fitted::KMeans(_) | Fitted::Bisecting(_) => None,
            Fitted::Mixture(model) => Some(model),
            Fitted::Bayesian(model) => Some(model.mixture()),
        }
    }

    /// How uncertain each row's label is, n; none for k-means.
    pub(crate) fn uncertainty(&self, rows: &Array2<F>) -> Option<Array1<f64>> {
        match self {
            Fitted::KMeans(_) | Fitted::Bisecting(_) => None,
            Fitted::Mixture(model) => Some(model.uncertainty(rows)),
            Fitted::Bayesian(model) => Some(model.uncertainty(rows)),
        }
    }

    pub(crate) fn bayesian(&self) -> Option<&BayesianMixture<F>> {
        match self {
            Fitted::Bayesian(model) => Some(model),
            Fitted::KMeans(_) | Fitted::Bisecting(_) | Fitted::Mixture(_) => None,
        }
    }

    /// The tree of bisecting k-means.
    pub(crate) fn tree(&self) -> Option<&BisectingKMeans<F, AnyCentred>> {
        match self {
            Fitted::Bisecting(model) => Some(model),
            Fitted::KMeans(_) | Fitted::Mixture(_) | Fitted::Bayesian(_) => None,
        }
    }

    /// The probability of each component for each row, n × k; none for k-means.
    pub(crate) fn probabilities(&self, rows: &Array2<F>) -> Option<Array2<F>> {
        match self {
            Fitted::KMeans(_) | Fitted::Bisecting(_) => None,
            Fitted::Mixture(model) => Some(model.predict_proba(rows)),
            Fitted::Bayesian(model) => Some(model.predict_proba(rows)),
        }
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
            Fitted::KMeans(model) => model.centroids(),
            Fitted::Bisecting(model) => model.centroids(),
            Fitted::Mixture(model) => model.means(),
            Fitted::Bayesian(model) => model.means(),
        }
    }

    pub(crate) fn sizes(&self) -> &[usize] {
        match self {
            Fitted::KMeans(model) => model.sizes(),
            Fitted::Bisecting(model) => model.sizes(),
            Fitted::Mixture(model) => model.sizes(),
            Fitted::Bayesian(model) => model.sizes(),
        }
    }

    /// The share of the rows' weight that each cluster has, k, and that of the noise, if there is some.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let weights = match self {
            Fitted::KMeans(model) => model.cluster_count(),
            Fitted::Bisecting(model) => model.cluster_count(),
            Fitted::Mixture(model) => model.weights(),
            Fitted::Bayesian(model) => model.weights(),
        };
        let noise = self.mixture().and_then(GaussianMixture::noise).map(|noise| noise.weight);
        let weights: Vec<f64> = weights.iter().map(|w| w.widen()).chain(noise).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }

    /// What was left out of k-means, if it was trimmed.
    pub(crate) fn trimming(&self) -> Option<Trimming> {
        match self {
            Fitted::KMeans(model) => model.trimming(),
            Fitted::Bisecting(_) | Fitted::Mixture(_) | Fitted::Bayesian(_) => None,
        }
    }

    pub(crate) fn report(&self) -> &Report {
        match self {
            Fitted::KMeans(model) => model.report(),
            Fitted::Bisecting(model) => model.report(),
            Fitted::Mixture(model) => model.report(),
            Fitted::Bayesian(model) => model.report(),
        }
    }

    pub(crate) fn feature_names(&self) -> &[String] {
        match self {
            Fitted::KMeans(model) => model.feature_names(),
            Fitted::Bisecting(model) => model.feature_names(),
            Fitted::Mixture(model) => model.feature_names(),
            Fitted::Bayesian(model) => model.feature_names(),
        }
    }

    /// What is done about missing values in rows to predict; none where there is no choice.
    pub(crate) fn missing(&self) -> Option<Missing> {
        match self {
            Fitted::KMeans(model) => Some(model.missing()),
            Fitted::Mixture(model) => Some(model.missing()),
            Fitted::Bisecting(_) | Fitted::Bayesian(_) => None,
        }
    }

    /// Does something else about them, where that is said; errors name the model's file.
    pub(crate) fn with_missing(self, missing: Option<Missing>, path: &Path) -> Result<Self, Failure> {
        match (self, missing) {
            (model, None) | (model @ (Fitted::Bisecting(_) | Fitted::Bayesian(_)), Some(Missing::Error)) => Ok(model),
            (Fitted::KMeans(model), Some(missing)) => match model.to_l2() {
                Some(model) => Ok(Fitted::KMeans(Box::new(model.with_missing(missing).into_any()))),
                None if missing == Missing::Error => Ok(Fitted::KMeans(model)),
                None => {
                    let metric = model.distance().name();
                    let sentence =
                        format!("its metric is {metric}, and --missing {missing} is for l2; impute the rows before");
                    Err(Failure::in_file(path, sentence))
                }
            },
            (Fitted::Mixture(model), Some(missing)) => Ok(Fitted::Mixture(Box::new(model.with_missing(missing)))),
            (model @ (Fitted::Bisecting(_) | Fitted::Bayesian(_)), Some(missing)) => {
                let kind = if model.tree().is_some() { "tree of clusters" } else { "Bayesian mixture" };
                let sentence = format!("it holds a {kind}, which has no --missing {missing}; impute the rows before");
                Err(Failure::in_file(path, sentence))
            }
        }
    }

    pub(crate) fn with_feature_names(self, names: Vec<String>) -> Self {
        match self {
            Fitted::KMeans(model) => Fitted::KMeans(Box::new(model.with_feature_names(names))),
            Fitted::Bisecting(model) => Fitted::Bisecting(Box::new(model.with_feature_names(names))),
            Fitted::Mixture(model) => Fitted::Mixture(Box::new(model.with_feature_names(names))),
            Fitted::Bayesian(model) => Fitted::Bayesian(Box::new(model.with_feature_names(names))),
        }
    }

    /// Says how the model came about.
    pub(crate) fn with_provenance(self, provenance: Provenance) -> Self {
        match self {
            Fitted::KMeans(model) => Fitted::KMeans(Box::new(model.with_provenance(provenance))),
            Fitted::Bisecting(model) => Fitted::Bisecting(Box::new(model.with_provenance(provenance))),
            Fitted::Mixture(model) => Fitted::Mixture(Box::new(model.with_provenance(provenance))),
            Fitted::Bayesian(model) => Fitted::Bayesian(Box::new(model.with_provenance(provenance))),
        }
    }

    /// Numbers the clusters by this rule; a Bayesian mixture, whose prior can know an order, keeps its own, and so does a tree.
    pub(crate) fn canonical_order(self, order: CanonicalOrder) -> Result<Self, Failure> {
        Ok(match self {
            Fitted::KMeans(model) => Fitted::KMeans(Box::new(model.canonical_order(order))),
            Fitted::Mixture(model) => Fitted::Mixture(Box::new(model.canonical_order(order).map_err(Failure::fault)?)),
            model @ (Fitted::Bisecting(_) | Fitted::Bayesian(_)) => model,
        })
    }

    /// Σ w ‖x − c‖², or what other distance it is by, over the rows of the fit, for k-means.
    pub(crate) fn inertia(&self) -> Option<f64> {
        match self {
            Fitted::KMeans(model) => Some(model.inertia_sum()),
            Fitted::Bisecting(model) => Some(model.inertia_sum()),
            Fitted::Mixture(_) | Fitted::Bayesian(_) => None,
        }
    }

    /// The label of each row; errors name the file that the rows are from.
    pub(crate) fn labels(&self, rows: &Array2<F>, data: &Path) -> Result<Vec<usize>, Failure> {
        let labels = match self {
            Fitted::KMeans(model) if model.trimming().is_some() => {
                let labels = model.predict_trimmed(rows).map_err(|error| Failure::in_file(data, error))?;
                labels.mapv(|label| label.unwrap_or(model.n_clusters()))
            }
            Fitted::KMeans(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
            Fitted::Bisecting(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
            Fitted::Mixture(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
            Fitted::Bayesian(model) => model.try_predict(rows).map_err(|error| Failure::in_file(data, error))?,
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
        if let Fitted::KMeans(model) = self {
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
            Fitted::KMeans(model) => model.impute(rows).map_err(|error| Failure::in_file(data, error)),
            Fitted::Bisecting(_) => Err(Failure::fault(
                "bisecting k-means does not fill missing values; use a model of -m kmeans or -m gmm",
            )),
            Fitted::Mixture(model) => model.impute(rows).map_err(|error| Failure::in_file(data, error)),
            Fitted::Bayesian(model) => model.impute(rows).map_err(|error| Failure::in_file(data, error)),
        }
    }

    /// How well the model fits rows; errors name the file that they are from.
    pub(crate) fn score(&self, rows: &Array2<F>, weights: Option<&[f64]>, data: &Path) -> Result<Score, Failure> {
        let (inertia, likelihood) = match (self, self.mixture()) {
            (Fitted::KMeans(model), _) => {
                let inertia = model.inertia_of(rows, weights).map_err(|error| Failure::in_file(data, error))?;
                (Some(inertia), Likelihood::default())
            }
            (Fitted::Bisecting(model), _) => {
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

    /// Writes the model with the scaling of its rows.
    pub(super) fn save(&self, path: &Path, scaling: Option<&ColumnScaling>) -> Result<(), Failure> {
        let scaling = scaling.cloned();
        let written = match self {
            Fitted::KMeans(model) => model.write(path, scaling),
            Fitted::Bisecting(model) => model.write(path, scaling),
            Fitted::Mixture(model) => model.write(path, scaling),
            Fitted::Bayesian(model) => model.write(path, scaling),
        };
        written.map_err(|error| Failure::in_file(path, error))
    }
}
