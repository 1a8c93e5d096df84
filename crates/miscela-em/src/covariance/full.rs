//! VVV: Σₖ = Sₖ/Nₖ, each component its own.

use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Full;

impl Structure for Full {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let regular = |c| regulariser.matrix(Some(c), within.matrix(c));
        within::full(within.width, (0..within.weight.len()).map(regular))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Full);
