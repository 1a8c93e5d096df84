//! EEE: Σ = Σₖ Sₖ / N, one for all.

use super::{Regulariser, Structure, Within};
use crate::Covariances;
use miscela_kernel::Scatter;
use ndarray::Array2;

pub(super) struct Tied;

impl Structure for Tied {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn n_parameters(&self, _: usize, d: usize) -> usize {
        d * (d + 1) / 2
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let d = within.width;
        let matrix = regulariser.matrix(None, &within.pooled());
        Covariances::Tied(Array2::from_shape_fn((d, d), |(i, j)| matrix[i * d + j]))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Tied);
