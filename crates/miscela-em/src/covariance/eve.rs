//! EVE: Σₖ = λ D Aₖ Dᵀ with |Aₖ| = 1. Along the common axes D it is EVI; D itself is found by turning pairs of axes.

use super::axes::{Volume, along_common_axes};
use super::volumes::{mean_logarithm, to_one_volume};
use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Eve;

impl Structure for Eve {
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
        let (turned, mut all) = along_common_axes(within, Volume::Equal, regulariser);
        let logarithms: Vec<f64> = all.iter().map(|variances| mean_logarithm(variances)).collect();
        to_one_volume(&within.shares(), &logarithms, &mut all);
        within::full(within.width, all.iter().map(|variances| turned.matrix(variances)))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Eve);
