//! VVV: Σₖ = Sₖ/Nₖ, each component its own.

use super::{Regulariser, Structure, Within};
use crate::Covariances;
use miscela_kernel::Scatter;
use ndarray::{Array3, ArrayView2};

pub(super) struct Full;

impl Structure for Full {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn n_parameters(&self, k: usize, d: usize) -> usize {
        k * d * (d + 1) / 2
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let d = within.width;
        let mut all = Array3::zeros((within.covariance.len(), d, d));
        for (c, mut matrix) in all.outer_iter_mut().enumerate() {
            let regular = regulariser.matrix(Some(c), &within.covariance[c]);
            if let Ok(regular) = ArrayView2::from_shape((d, d), &regular) {
                matrix.assign(&regular);
            }
        }
        Covariances::Full(all)
    }
}

#[cfg(test)]
super::conformance::runner!(super::Full);
