//! Under which rules a step is made.

use crate::error::PlayError;
use miscela::prelude::*;
use rand_xoshiro::Xoshiro256Plus;
use serde::{Deserialize, Serialize};

/// The mixing weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// Estimated.
    Free,
    /// All 1/k: a condition of k-means.
    Equal,
}

/// The rules of a step: how free the components are, and how rows are shared among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A covariance structure by the name that the command knows it by.
    pub covariance: String,
    /// For one shared sphere (`tied-spherical`): its σ² is fixed at this part of the mean variance of the two columns.
    #[serde(default)]
    pub variance: Option<f64>,
    /// Whether the weights are estimated.
    pub weights: Weights,
    /// From 1, soft, to 0, hard: shares are r ∝ exp(l/T).
    pub temperature: f64,
}

impl Settings {
    /// The parameters of a fit of k components under these rules, from what start is asked for. The ridge is zero.
    ///
    /// # Errors
    /// If there is no such structure or temperature, or the size of something else than a shared sphere is fixed.
    pub fn params(&self, k: usize) -> Result<GmmParams<f64, Xoshiro256Plus>, PlayError> {
        let covariance = self.covariance.parse()?;
        let fixed = self.variance.is_some();
        if self
            .variance
            .is_some_and(|part| !(part > 0.0 && part.is_finite()) || covariance != Covariance::TiedSpherical)
        {
            return Err(PlayError::Variance);
        }
        let assignment = match self.temperature {
            1.0 => Assignment::Soft,
            0.0 => Assignment::Hard,
            temperature if temperature > 0.0 && temperature < 1.0 => Assignment::Tempered(temperature),
            temperature => return Err(PlayError::Temperature(temperature)),
        };
        Ok(GaussianMixture::params(k)
            .covariance(covariance)
            .mixing(if self.weights == Weights::Equal { Mixing::Equal } else { Mixing::Free })
            .assignment(assignment)
            .held(Held { covariances: fixed, ..Held::default() })
            .reg_covariance(0.0)
            .tolerance(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(covariance: &str, variance: Option<f64>, temperature: f64) -> Settings {
        Settings { covariance: covariance.into(), variance, weights: Weights::Free, temperature }
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        assert!(settings("full", None, 1.0).params(2).is_ok());
        assert!(settings("EII", Some(0.1), 0.0).params(2).is_ok());
        assert!(matches!(settings("round", None, 1.0).params(2), Err(PlayError::Covariance(_))));
        assert!(matches!(settings("full", Some(0.1), 1.0).params(2), Err(PlayError::Variance)));
        for part in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert!(matches!(settings("EII", Some(part), 1.0).params(2), Err(PlayError::Variance)), "{part}");
        }
        for temperature in [-0.1, 1.1, f64::NAN] {
            let refused = settings("full", None, temperature).params(2);
            assert!(matches!(refused, Err(PlayError::Temperature(_))), "{temperature}");
        }
    }
}
