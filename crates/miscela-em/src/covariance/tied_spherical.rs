//! EII: Σₖ tr(Sₖ) / (d N), one sphere for all: the shape of k-means.

use super::{Regulariser, Structure, Within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct TiedSpherical;

impl Structure for TiedSpherical {
    fn scatter(&self) -> Scatter {
        Scatter::Spherical
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        Covariances::TiedSpherical(regulariser.spherical(None, within.pooled()[0] / within.width as f64))
    }
}

#[cfg(test)]
super::conformance::runner!(super::TiedSpherical);
