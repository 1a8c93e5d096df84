//! VVI: the diagonal of Sₖ/Nₖ, each component its own.

use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Diagonal;

impl Structure for Diagonal {
    fn scatter(&self) -> Scatter {
        Scatter::Diagonal
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let all: Vec<Vec<f64>> = (within.covariance.iter().enumerate())
            .map(|(c, variances)| regulariser.diagonal(Some(c), variances.clone()))
            .collect();
        within::diagonal(within.width, &all)
    }
}

#[cfg(test)]
super::conformance::runner!(super::Diagonal);
