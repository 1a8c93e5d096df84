//! What is believed of a mixture before its rows are seen.
//!
//! ```text
//! weights      π ~ Dirichlet(γ, …, γ),  or  πₖ = vₖ Π_{j<k} (1 − vⱼ),  vₖ ~ Beta(1, γ)
//! means        μₖ | Λₖ ~ Normal(m₀, (β₀ Λₖ)⁻¹)
//! precisions   Λₖ ~ Wishart(ν₀, W₀⁻¹)
//! ```
//!
//! The second prior of the weights is a Dirichlet process, broken into sticks (Sethuraman 1994; Blei & Jordan 2006) and cut
//! off after k of them. W₀ counts as the scatter of ν₀ rows, m₀ as the mean of β₀ rows. Names and defaults are those of
//! scikit-learn's `BayesianGaussianMixture`; see Bishop 2006, §10.2.

use crate::covariance::{Covariance, Regulariser, Within, kept};
use crate::parameters::{Covariances, Mixture, ParameterError};
use crate::report::{Repair, RepairAction};
use crate::summary::Summary;
use crate::{Density, FLOOR_F64};
use miscela_kernel::{Float, Samples, Scatter, Threads};
use ndarray::{Array1, Axis};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What is believed of the mixing weights. The lower the concentration γ > 0, the fewer components are expected to matter.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
pub enum WeightPrior {
    /// γ rows in each component, seen before: treats all components alike.
    Dirichlet(f64),
    /// Sticks broken off one after the other: components that come first tend to be larger.
    DirichletProcess(f64),
}

impl WeightPrior {
    /// γ
    pub fn concentration(self) -> f64 {
        match self {
            WeightPrior::Dirichlet(concentration) | WeightPrior::DirichletProcess(concentration) => concentration,
        }
    }

    /// `dirichlet` or `dirichlet-process`.
    pub fn name(self) -> &'static str {
        match self {
            WeightPrior::Dirichlet(_) => "dirichlet",
            WeightPrior::DirichletProcess(_) => "dirichlet-process",
        }
    }
}

/// Priors as they are asked for; what is not given is taken from the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct PriorSettings {
    /// By default a Dirichlet process with γ = 1/k.
    pub weights: Option<WeightPrior>,
    /// β₀ > 0, 1 by default.
    pub mean_precision: f64,
    /// m₀, d; by default the mean of the rows.
    pub mean: Option<Array1<f64>>,
    /// ν₀ > d − 1; d by default.
    pub degrees_of_freedom: Option<f64>,
    /// W₀, one for all components: [`Covariances::Tied`], [`TiedDiagonal`](Covariances::TiedDiagonal) or
    /// [`TiedSpherical`](Covariances::TiedSpherical). By default the covariance of the rows (divided by Σw − 1), as much of
    /// it as the structure has.
    pub covariance: Option<Covariances<f64>>,
}

impl Default for PriorSettings {
    fn default() -> Self {
        Self { weights: None, mean_precision: 1.0, mean: None, degrees_of_freedom: None, covariance: None }
    }
}

/// What is wrong with a prior.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PriorError {
    /// A concentration that is not above zero.
    #[error("the concentration of the weights must be a finite number above zero, not {0}")]
    Concentration(f64),
    /// A precision of the means that is not above zero.
    #[error("the precision prior of the means must be a finite number above zero, not {0}")]
    MeanPrecision(f64),
    /// A mean of another width than the rows, or not finite.
    #[error("the mean prior must be {columns} finite numbers, one a column")]
    Mean {
        /// Columns of the rows.
        columns: usize,
    },
    /// Too few degrees of freedom, or not a number.
    #[error("the degrees of freedom must be a finite number above {columns} − 1, the columns less one, not {got}")]
    DegreesOfFreedom {
        /// What was given.
        got: f64,
        /// Columns of the rows.
        columns: usize,
    },
    /// Covariances that differ from component to component, or are of another width.
    #[error("the covariance prior must be one for all components: {columns} × {columns}, {columns}, or one number")]
    CovarianceShape {
        /// Columns of the rows.
        columns: usize,
    },
    /// A covariance that is none.
    #[error("the covariance prior must be symmetric, finite and positive definite")]
    Covariance,
    /// Rows that have no sample covariance.
    #[error(
        "rows that weigh {total} in all, no more than one row, have no covariance to serve as prior; give a covariance prior"
    )]
    TooLittleWeight {
        /// Σ w
        total: f64,
    },
    /// A structure that the posterior has no form for.
    #[error(
        "Bayesian mixtures are there for covariances full, tied, diag, spherical, tied-diag and tied-spherical, not for {0}"
    )]
    Structure(Covariance),
}

impl PriorSettings {
    /// Whether they make sense for covariances of this structure, as far as can be said without the rows.
    pub fn check(&self, covariance: Covariance) -> Result<(), PriorError> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        match self.weights.map(WeightPrior::concentration) {
            Some(concentration) if !positive(concentration) => Err(PriorError::Concentration(concentration)),
            _ if !positive(self.mean_precision) => Err(PriorError::MeanPrecision(self.mean_precision)),
            _ => shared(covariance).map(|_| ()),
        }
    }
}

/// Priors with nothing left open.
#[derive(Clone, Debug, PartialEq)]
pub struct Priors {
    /// Of the mixing weights.
    pub weights: WeightPrior,
    /// β₀
    pub mean_precision: f64,
    /// m₀, d.
    pub mean: Array1<f64>,
    /// ν₀
    pub degrees_of_freedom: f64,
    /// W₀, one for all components, in as many numbers as the structure of the mixture has for a component.
    pub covariance: Covariances<f64>,
}

impl Priors {
    /// Completes what was asked for by the rows, for k components. A covariance of the rows that is singular is raised to
    /// the floor, which is reported.
    pub fn new<F: Float>(
        settings: &PriorSettings,
        covariance: Covariance,
        k: usize,
        samples: &Samples<F>,
        summary: &Summary,
        threads: Threads,
    ) -> Result<(Self, Vec<Repair>), PriorError> {
        settings.check(covariance)?;
        let (d, mut repairs) = (samples.n_columns(), Vec::new());
        let scale = summary.positive_variance::<F>();
        let one = shared(covariance)?;
        let priors = Self {
            weights: settings.weights.unwrap_or(WeightPrior::DirichletProcess(1.0 / k as f64)),
            mean_precision: settings.mean_precision,
            mean: settings.mean.clone().unwrap_or_else(|| summary.mean.clone().into()),
            degrees_of_freedom: settings.degrees_of_freedom.unwrap_or(d as f64),
            covariance: match &settings.covariance {
                Some(given) if one_for_all(given) && given.fits(1, d) => one.shape(given, &Array1::ones(1), d),
                Some(_) => return Err(PriorError::CovarianceShape { columns: d }),
                None => {
                    let total = samples.total_weight();
                    let usable = Some(total - 1.0).filter(|weight| *weight > 0.0);
                    let weight = usable.ok_or(PriorError::TooLittleWeight { total })?;
                    let scatter = summary.scatter(samples, one.structure().scatter(), threads);
                    let covariance = vec![scatter.iter().map(|s| s / weight).collect()];
                    let mut regulariser = Regulariser::new::<f64>(&scale);
                    let within = Within { width: d, weight: vec![1.0], covariance, previous: None };
                    let covariance = one.structure().estimate(&within, &mut regulariser);
                    repairs.extend(regulariser.raised.into_iter().map(|(_, count)| Repair {
                        iteration: 0,
                        component: 0,
                        action: RepairAction::Floored,
                        detail: format!(
                            "{count} variances of the covariance prior raised to {FLOOR_F64:e} of the data's"
                        ),
                    }));
                    covariance
                }
            },
        };
        priors.check(covariance, d)?;
        Ok((priors, repairs))
    }

    /// Whether these are priors for covariances of this structure and rows of `d` columns.
    pub fn check(&self, covariance: Covariance, d: usize) -> Result<(), PriorError> {
        let (mean_precision, degrees) = (self.mean_precision, self.degrees_of_freedom);
        PriorSettings { weights: Some(self.weights), mean_precision, ..PriorSettings::default() }.check(covariance)?;
        if self.mean.len() != d || self.mean.iter().any(|m| !m.is_finite()) {
            return Err(PriorError::Mean { columns: d });
        }
        if !(degrees.is_finite() && degrees > d as f64 - 1.0) {
            return Err(PriorError::DegreesOfFreedom { got: degrees, columns: d });
        }
        if !(shared(covariance)?.has_shape(&self.covariance) && self.covariance.fits(1, d)) {
            return Err(PriorError::CovarianceShape { columns: d });
        }
        self.log_determinant().map(|_| ()).map_err(|_| PriorError::Covariance)
    }

    /// ln|W₀|
    pub(super) fn log_determinant(&self) -> Result<f64, ParameterError> {
        let (weights, means) = (Array1::ones(1), self.mean.clone().insert_axis(Axis(0)));
        let mixture = Mixture::new(weights, means, self.covariance.clone());
        mixture.check()?;
        Ok(Density::with_log_weights(&mixture, |_| 0.0)?.1[0])
    }

    /// W₀ as the sums of so much scatter hold it.
    pub(super) fn scatter(&self, scatter: Scatter) -> Vec<f64> {
        kept(self.covariance.dense(1, self.mean.len()).index_axis(Axis(0), 0), scatter)
    }
}

/// The structure with one shape for all components that has as much freedom within a component.
fn shared(covariance: Covariance) -> Result<Covariance, PriorError> {
    match covariance {
        Covariance::Full | Covariance::Tied => Ok(Covariance::Tied),
        Covariance::Diagonal | Covariance::TiedDiagonal => Ok(Covariance::TiedDiagonal),
        Covariance::Spherical | Covariance::TiedSpherical => Ok(Covariance::TiedSpherical),
        other => Err(PriorError::Structure(other)),
    }
}

fn one_for_all(covariances: &Covariances<f64>) -> bool {
    matches!(covariances, Covariances::Tied(_) | Covariances::TiedDiagonal(_) | Covariances::TiedSpherical(_))
}
