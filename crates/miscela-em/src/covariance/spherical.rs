//! VII: tr(Sₖ) / (d Nₖ), each component its own.

use super::{Regulariser, Structure, Within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Spherical;

impl Structure for Spherical {
    fn scatter(&self) -> Scatter {
        Scatter::Spherical
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let d = within.width as f64;
        let variances = (within.covariance.iter().enumerate())
            .map(|(c, trace)| regulariser.spherical(Some(c), trace[0] / d))
            .collect();
        Covariances::Spherical(variances)
    }
}

#[cfg(test)]
super::conformance::runner!(super::Spherical);
