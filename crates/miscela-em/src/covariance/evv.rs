//! EVV: Σₖ = λ Sₖ/|Sₖ|^(1/d), λ = Σₖ (Nₖ/N) |Sₖ|^(1/d) (Celeux & Govaert 1995).
//!
//! A singular Sₖ is raised to the floor first, as |Sₖ| must not be zero.

use super::volumes::to_one_volume;
use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Evv;

impl Structure for Evv {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let d = within.width;
        let mut all: Vec<Vec<f64>> =
            (0..within.weight.len()).map(|c| regulariser.matrix(Some(c), within.matrix(c))).collect();
        let logarithms: Vec<f64> = all.iter().map(|matrix| within::log_volume(matrix, d)).collect();
        to_one_volume(&within.shares(), &logarithms, &mut all);
        within::full(d, all.into_iter())
    }
}

#[cfg(test)]
super::conformance::runner!(super::Evv);
