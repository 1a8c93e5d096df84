//! VVE: Σₖ = λₖ D Aₖ Dᵀ. Along the common axes D it is VVI; D itself is found by turning pairs of axes (Flury 1984).

use super::axes::{Volume, along_common_axes};
use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Vve;

impl Structure for Vve {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn iterates(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn has_other_optima(&self) -> bool {
        true
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let (turned, all) = along_common_axes(within, Volume::Varying, regulariser);
        within::full(within.width, all.iter().map(|variances| turned.matrix(variances)))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Vve);
