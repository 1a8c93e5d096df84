//! VEI: Σₖ = λₖ B with one diagonal B, volumes and shape in turn.

use super::volumes::Along;
use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Vei;

impl Structure for Vei {
    fn scatter(&self) -> Scatter {
        Scatter::Diagonal
    }

    fn iterates(&self) -> bool {
        true
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let previous = match &within.previous {
            Some(Covariances::Diagonal(all)) => Some(all.outer_iter().map(|row| row.to_vec()).collect()),
            _ => None,
        };
        let all = Along {
            shares: &within.shares(),
            variances: &within.covariance,
            unit: regulariser.scale,
            lowest: regulariser.floor,
        }
        .estimate(previous, regulariser);
        within::diagonal(within.width, &all)
    }
}

#[cfg(test)]
super::conformance::runner!(super::Vei);
