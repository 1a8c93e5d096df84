//! EEE: Σ = Σₖ Sₖ / N, one for all.

use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;
use ndarray::Array2;

pub(super) struct Tied;

impl Structure for Tied {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let d = within.width;
        let matrix = regulariser.matrix(None, within::whole(&within.pooled(), d));
        Covariances::Tied(Array2::from_shape_fn((d, d), |(i, j)| matrix[i * d + j]))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Tied);
