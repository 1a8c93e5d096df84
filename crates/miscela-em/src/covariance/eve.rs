//! EVE: Σₖ = λ D Aₖ Dᵀ with |Aₖ| = 1. Along the common axes D it is EVI; D itself is found by turning pairs of axes.

use super::axes::{Volume, common_axes};
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
        let lowest = regulariser.along_axes();
        let turned = common_axes(within, Volume::Equal, lowest);
        let mut all: Vec<Vec<f64>> = (0..within.weight.len()).map(|c| turned.variances(c)).collect();
        all.iter_mut().enumerate().for_each(|(c, variances)| regulariser.raise(Some(c), variances, |_| lowest));
        let logarithms: Vec<f64> = all.iter().map(|variances| mean_logarithm(variances)).collect();
        let factors = to_one_volume(&within.shares(), &logarithms);
        for (variances, factor) in all.iter_mut().zip(factors) {
            variances.iter_mut().for_each(|variance| *variance *= factor);
        }
        within::full(within.width, all.iter().map(|variances| turned.matrix(variances)))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Eve);
