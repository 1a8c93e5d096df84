//! EEI: the diagonal of Σₖ Sₖ / N, one for all.

use super::{Regulariser, Structure, Within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct TiedDiagonal;

impl Structure for TiedDiagonal {
    fn scatter(&self) -> Scatter {
        Scatter::Diagonal
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        Covariances::TiedDiagonal(regulariser.diagonal(None, within.pooled()).into())
    }
}

#[cfg(test)]
super::conformance::runner!(super::TiedDiagonal);
