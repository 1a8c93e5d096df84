//! VEV: Σₖ = λₖ Dₖ A Dₖᵀ. Dₖ are the eigenvectors of Sₖ, whatever the volumes and the shape, if the shape is in the order of
//! the eigenvalues; along them volumes and shape are found in turn, as for VEI (Celeux & Govaert 1995).

use super::volumes::Along;
use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;
use miscela_linalg::Eigen;

pub(super) struct Vev;

impl Structure for Vev {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn iterates(&self) -> bool {
        true
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let eigen: Vec<Eigen> = (0..within.weight.len()).map(|c| regulariser.eigen(c, &within.matrix(c))).collect();
        let variances: Vec<Vec<f64>> = eigen.iter().map(|eigen| eigen.values.clone()).collect();
        let previous = match &within.previous {
            Some(Covariances::Full(all)) => all
                .outer_iter()
                .map(|matrix| {
                    Some(miscela_linalg::eigen(&matrix.iter().copied().collect::<Vec<_>>(), within.width)?.values)
                })
                .collect(),
            _ => None,
        };
        let all = Along {
            shares: &within.shares(),
            variances: &variances,
            unit: &vec![1.0; within.width],
            lowest: regulariser.along_axes(),
        }
        .estimate(previous, regulariser);
        within::full(within.width, eigen.iter().zip(&all).map(|(eigen, variances)| eigen.with_values(variances)))
    }
}

#[cfg(test)]
super::conformance::runner!(super::Vev);
