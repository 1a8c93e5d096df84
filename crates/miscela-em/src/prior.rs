//! The conjugate prior of a mixture's means and covariances: rows that were never seen.
//!
//! Fraley & Raftery (2007), as mclust's `priorControl()`: μₖ given Σₖ is normal about the mean of the data with covariance
//! Σₖ/κ, and Σₖ is inverse Wishart. What is maximised is then the log-likelihood plus, to a constant,
//!
//! ```text
//! −½ Σₖ ( ωₖ ln|Σₖ| + tr(Σₖ⁻¹ Λₖ) + κ (μₖ − m)ᵀ Σₖ⁻¹ (μₖ − m) )
//! ```
//!
//! so that the M-step is that without a prior, of Nₖ + ωₖ rows with the scatter Sₖ + Λₖ + κNₖ/(κ + Nₖ) (x̄ₖ − m)(x̄ₖ − m)ᵀ; the
//! mean is (Nₖ x̄ₖ + κ m)/(Nₖ + κ). A component can shrink to nothing no more: Λₖ is left of it.
//!
//! The defaults are mclust's: κ = 0.01; Λ is the covariance of the data over k^(2/d), for spherical and diagonal structures the
//! mean of its variances on the diagonal; ω comes from ν = d + 2 degrees of freedom (3 for one column). How often Λ and
//! how much of ω go in is mclust's for each structure, also where it is no density's (EII has no Λ; VEV no ω).

use crate::covariance::{Covariance, Within, whole};
use crate::parameters::Mixture;
use crate::summary::Summary;
use miscela_kernel::{Float, Scatter};
use ndarray::Axis;

/// How much a prior mean counts for, in rows.
const SHRINKAGE: f64 = 0.01;

/// A prior for one structure.
#[derive(Clone, Debug)]
pub(crate) struct Prior {
    /// m
    mean: Vec<f64>,
    /// Λₖ, the same for all, as much of it as the structure's scatter keeps.
    scale: Vec<f64>,
    /// ωₖ, the same for all.
    rows: f64,
}

impl Prior {
    /// mclust's default prior for k components, if it has one for the structure.
    pub(crate) fn new(covariance: Covariance, k: usize, summary: &Summary) -> Option<Self> {
        let d = summary.mean.len();
        let (n, dof, count) = (d as f64, if d == 1 { 3.0 } else { d as f64 + 2.0 }, k as f64);
        let shared = covariance.shares_volume();
        // How often Λ goes in, and ω, over all components where the volume is shared and otherwise for each.
        let (times, rows) = match covariance {
            _ if d == 1 => (1.0, if shared { dof + count + 2.0 } else { dof + 3.0 }),
            Covariance::TiedSpherical => (0.0, (dof + n * count + 2.0) / n),
            Covariance::Spherical => (1.0, (dof + n + 2.0) / n),
            Covariance::TiedDiagonal => (1.0, dof + 2.0),
            Covariance::Vei => (1.0, (dof + 3.0) / n),
            Covariance::Evi => (count, dof + 2.0),
            Covariance::Diagonal => (1.0, dof + 3.0),
            Covariance::Tied => (1.0, dof + count + n + 1.0),
            Covariance::Eev => (count, dof + n + 2.0),
            Covariance::Vev => (1.0, 0.0),
            Covariance::Full => (1.0, dof + n + 2.0),
            _ => return None,
        };
        let each = if shared { 1.0 / count } else { 1.0 };
        let factor = times * each * count.powf(-2.0 / n);
        let scatter = covariance.structure().scatter();
        Some(Self {
            mean: summary.mean.clone(),
            scale: summary.scatter_unbiased(scatter).into_iter().map(|s| factor * s).collect(),
            rows: each * rows,
        })
    }

    /// Adds what is known before to what the rows say of component `c`, whose mean is moved unless it is held.
    pub(crate) fn add(&self, within: &mut Within, c: usize, mean: &mut [f64], held: bool, scatter: Scatter) {
        let n = within.weight[c];
        let rows = n + self.rows;
        let from: Vec<f64> = mean.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        let covariance = &mut within.covariance[c];
        if rows > 0.0 {
            let mut sum: Vec<f64> = covariance.iter().zip(&self.scale).map(|(s, prior)| n * s + prior).collect();
            scatter.add_row(if held { SHRINKAGE } else { SHRINKAGE * n / (SHRINKAGE + n) }, &from, &mut sum);
            covariance.iter_mut().zip(sum).for_each(|(to, sum)| *to = sum / rows);
        }
        within.weight[c] = rows;
        if held {
            return;
        }
        let share = n / (n + SHRINKAGE);
        mean.iter_mut().zip(&self.mean).zip(from).for_each(|((x, m), from)| *x = m + share * from);
    }

    /// The logarithm of the prior density, to a constant.
    pub(crate) fn log_density<F: Float>(&self, mixture: &Mixture<F>) -> f64 {
        let (k, d) = mixture.means.dim();
        let dense = mixture.covariances.dense(k, d);
        let of_component = |c: usize| {
            let covariance: Vec<f64> = dense.index_axis(Axis(0), c).iter().map(|x| x.widen()).collect();
            let lower = miscela_linalg::cholesky(&covariance, d)?;
            let log_determinant: f64 = lower.iter().step_by(d + 1).map(|x| 2.0 * x.ln()).sum();
            let precision = miscela_linalg::inverse_of_factored(&lower, d);
            let from: Vec<f64> = mixture.means.row(c).iter().zip(&self.mean).map(|(x, m)| x.widen() - m).collect();
            let entry = |at: usize| precision[at] * from[at / d] * from[at % d];
            let of_mean: f64 = (0..d * d).map(entry).sum();
            Some(self.rows * log_determinant + self.trace(&precision) + SHRINKAGE * of_mean)
        };
        -0.5 * (0..k).map(|c| of_component(c).unwrap_or(f64::NAN)).sum::<f64>()
    }

    /// tr(Σ⁻¹ Λ), as much of Λ as there is.
    fn trace(&self, precision: &[f64]) -> f64 {
        let d = self.mean.len();
        match self.scale.len() {
            // The trace of Λ alone: Σ is a sphere.
            1 => precision[0] * self.scale[0],
            length if length == d => self.scale.iter().enumerate().map(|(j, s)| precision[j * (d + 1)] * s).sum(),
            _ => whole(&self.scale, d).iter().zip(precision).map(|(s, p)| s * p).sum(),
        }
    }
}
