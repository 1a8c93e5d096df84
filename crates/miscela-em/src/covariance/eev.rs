//! EEV: Σₖ = Dₖ A Dₖᵀ, |A| free: Dₖ are the eigenvectors of Sₖ, and A is the mean of their eigenvalues, largest with largest
//! (Celeux & Govaert 1995). Raised to the floor it is the most likely under that bound.

use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;
use miscela_linalg::Eigen;

pub(super) struct Eev;

impl Structure for Eev {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let eigen: Vec<Eigen> = (0..within.weight.len()).map(|c| regulariser.eigen(c, &within.matrix(c))).collect();
        let mut shared = vec![0.0; within.width];
        for (eigen, share) in eigen.iter().zip(within.shares()) {
            shared.iter_mut().zip(&eigen.values).for_each(|(shared, value)| *shared += share * value);
        }
        let lowest = regulariser.along_axes();
        regulariser.raise(None, &mut shared, |_| lowest);
        within::full(within.width, eigen.iter().map(|eigen| eigen.with_values(&shared)))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Eev);
