//! EVI: Σₖ = λ Bₖ with diagonal Bₖ, |Bₖ| = 1: Bₖ as the diagonal of Sₖ, and λ = Σₖ (Nₖ/N) |diag Sₖ|^(1/d).
//!
//! A variance of Sₖ that is below the floor is raised to it first, as |Sₖ| must not be zero.

use super::volumes::{mean_logarithm, to_one_volume};
use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Evi;

impl Structure for Evi {
    fn scatter(&self) -> Scatter {
        Scatter::Diagonal
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let mut all: Vec<Vec<f64>> = (within.covariance.iter().enumerate())
            .map(|(c, variances)| regulariser.diagonal(Some(c), variances.clone()))
            .collect();
        let logarithms: Vec<f64> = all.iter().map(|variances| mean_logarithm(variances)).collect();
        to_one_volume(&within.shares(), &logarithms, &mut all);
        within::diagonal(within.width, &all)
    }
}

#[cfg(test)]
super::conformance::runner!(super::Evi);
