//! Axes that all components share and that are estimated (EVE, VVE): common principal components.
//!
//! With Tₖ = Dᵀ Sₖ D the most likely variances along axes D follow from the diagonals tₖⱼ of Tₖ; left to minimise over D is
//!
//! ```text
//! VVE:  Σₖ Nₖ Σⱼ ln tₖⱼ            EVE:  Σₖ Nₖ Πⱼ tₖⱼ^(1/d)
//! ```
//!
//! Axes are turned two at a time: with the variances vₖⱼ = tₖⱼ held, the best angle θ in the plane of axes j and l minimises
//! α cos 2θ + β sin 2θ, α = Σ ωₖ (1/vₖⱼ − 1/vₖₗ)(tₖⱼ − tₖₗ)/2, β = Σ ωₖ (1/vₖⱼ − 1/vₖₗ) tₖⱼₗ, with ωₖ = Nₖ (VVE) or
//! Nₖ Πⱼ vₖⱼ^(1/d) (EVE): Flury & Gautschi's G-step (1986), exact and without their inner iteration, since the
//! variances are set anew after each turn. Every turn lowers what is minimised. (Browne & McNicholas 2014, whom mclust
//! follows, move all axes at once by a bound, in many more steps.)

use super::volumes::mean_logarithm;
use super::within::Within;
use crate::Covariances;
use miscela_linalg::Eigen;

/// Sweeps over all pairs of axes, at most.
const SWEEPS: usize = 500;
/// A sweep that turns no pair by more than this is the last. (What is minimised is flat where angles are still uncertain to
/// the root of rounding.)
const ANGLE: f64 = 1e-11;
/// And so many sweeps in a row that gain nothing are the last: where all is round, angles mean nothing.
const IDLE: usize = 20;

/// Which variances go with the axes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Volume {
    /// EVE: all |Σₖ| are equal.
    Equal,
    /// VVE
    Varying,
}

/// Common axes, one a column of a row-major matrix, and the scatter matrices turned to them.
pub(super) struct Turned {
    pub(super) axes: Vec<f64>,
    scatters: Vec<Vec<f64>>,
    d: usize,
}

/// The best axes for the scatter, found from the axes before if there are any.
pub(super) fn common_axes(within: &Within, volume: Volume, lowest: f64) -> Turned {
    let d = within.width;
    let scatters: Vec<Vec<f64>> = (0..within.weight.len()).map(|c| within.matrix(c)).collect();
    let sweep = |axes: Vec<f64>, scatters: &[Vec<f64>]| {
        let mut turned = Turned::new(axes, scatters, d);
        turned.sweep(&within.weight, volume, lowest);
        turned
    };
    if let Some(Covariances::Full(previous)) = &within.previous {
        let previous: Vec<Vec<f64>> = previous.outer_iter().map(|matrix| matrix.iter().copied().collect()).collect();
        // They have the same axes, which are those of their sum, unless that is round where they are not.
        let axes = sweep(principal_axes(&previous, &within.weight, d), &previous).axes;
        return sweep(axes, &scatters);
    }
    // There can be more than one minimum. Coordinates often mean something, and so do the axes of all components together.
    let coordinates = (0..d * d).map(|at| if at % (d + 1) == 0 { 1.0 } else { 0.0 }).collect();
    let starts = [principal_axes(&scatters, &within.weight, d), coordinates];
    let [pooled, coordinates] = starts.map(|axes| sweep(axes, &scatters));
    let objective = |turned: &Turned| turned.objective(&within.weight, volume, lowest);
    if objective(&coordinates) < objective(&pooled) { coordinates } else { pooled }
}

/// The eigenvectors of Σ Nₖ Sₖ, or the coordinates where they cannot be computed.
fn principal_axes(scatters: &[Vec<f64>], weight: &[f64], d: usize) -> Vec<f64> {
    let mut sum = vec![0.0; d * d];
    for (scatter, n) in scatters.iter().zip(weight) {
        sum.iter_mut().zip(scatter).for_each(|(sum, s)| *sum += n * s);
    }
    let unit = || (0..d * d).map(|at| if at % (d + 1) == 0 { 1.0 } else { 0.0 }).collect();
    miscela_linalg::eigen(&sum, d).map_or_else(unit, |eigen| eigen.vectors)
}

impl Turned {
    fn new(axes: Vec<f64>, scatters: &[Vec<f64>], d: usize) -> Self {
        let turn = |scatter: &Vec<f64>| {
            let times = |i: usize, j: usize| (0..d).map(|l| scatter[i * d + l] * axes[l * d + j]).sum::<f64>();
            let half: Vec<f64> = (0..d * d).map(|at| times(at / d, at % d)).collect();
            let entry = |i: usize, j: usize| (0..d).map(|l| axes[l * d + i] * half[l * d + j]).sum::<f64>();
            (0..d * d).map(|at| entry(at / d, at % d)).collect()
        };
        Self { scatters: scatters.iter().map(turn).collect(), axes, d }
    }

    /// The variances of component `c` along the axes.
    pub(super) fn variances(&self, c: usize) -> Vec<f64> {
        self.scatters[c].iter().step_by(self.d + 1).copied().collect()
    }

    /// The matrix with these variances along the axes.
    pub(super) fn matrix(&self, variances: &[f64]) -> Vec<f64> {
        Eigen { values: variances.to_vec(), vectors: self.axes.clone() }.with_values(variances)
    }

    /// The mean logarithm of each component's variances, none below `lowest`.
    fn mean_logarithms(&self, lowest: f64) -> Vec<f64> {
        let bounded = |c| self.variances(c).iter().map(|v| v.max(lowest)).collect::<Vec<_>>();
        (0..self.scatters.len()).map(|c| mean_logarithm(&bounded(c))).collect()
    }

    /// What is to be minimised, on the scale of a log-likelihood a row.
    fn objective(&self, weight: &[f64], volume: Volume, lowest: f64) -> f64 {
        let (logarithms, total) = (self.mean_logarithms(lowest), weight.iter().sum::<f64>());
        let shares = weight.iter().map(|n| n / total).zip(&logarithms);
        let mean = match volume {
            Volume::Varying => shares.map(|(share, l)| share * l).sum::<f64>(),
            Volume::Equal => {
                let greatest = logarithms.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
                greatest + shares.map(|(share, l)| share * (l - greatest).exp()).sum::<f64>().ln()
            }
        };
        self.d as f64 * mean
    }

    /// Turns all pairs of axes, again and again, until they stay.
    fn sweep(&mut self, weight: &[f64], volume: Volume, lowest: f64) {
        let (mut least, mut idle) = (self.objective(weight, volume, lowest), 0);
        for _ in 0..SWEEPS {
            let (mut logarithms, mut widest) = (self.mean_logarithms(lowest), 0.0f64);
            for j in 1..self.d {
                for l in 0..j {
                    widest = widest.max(self.turn_best(j, l, weight, volume, lowest, &mut logarithms));
                }
            }
            let now = self.objective(weight, volume, lowest);
            idle = if now < least { 0 } else { idle + 1 };
            least = least.min(now);
            if widest <= ANGLE || idle == IDLE {
                return;
            }
        }
    }

    /// Turns axes j and l by the best angle θ, at most 45°, and says |sin θ|.
    fn turn_best(
        &mut self,
        j: usize,
        l: usize,
        weight: &[f64],
        volume: Volume,
        lowest: f64,
        logarithms: &mut [f64],
    ) -> f64 {
        let (d, greatest) = (self.d, logarithms.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x)));
        let pair = |scatter: &[f64]| (scatter[j * d + j], scatter[l * d + l], scatter[j * d + l]);
        let (mut alpha, mut beta) = (0.0, 0.0);
        for ((scatter, n), logarithm) in self.scatters.iter().zip(weight).zip(&*logarithms) {
            let (a, e, b) = pair(scatter);
            let size = if volume == Volume::Equal { n * (logarithm - greatest).exp() } else { *n };
            let precision = size * (1.0 / a.max(lowest) - 1.0 / e.max(lowest));
            alpha += precision * (a - e) / 2.0;
            beta += precision * b;
        }
        let (sin, cos) = (0.5 * f64::atan2(-beta, -alpha)).sin_cos();
        if sin == 0.0 || !sin.is_finite() {
            return 0.0;
        }
        turn(&mut self.axes, d, (j, l), (sin, cos), false);
        for (scatter, logarithm) in self.scatters.iter_mut().zip(logarithms) {
            let product = |scatter: &[f64]| pair(scatter).0.max(lowest).ln() + pair(scatter).1.max(lowest).ln();
            let before = product(scatter);
            turn(scatter, d, (j, l), (sin, cos), true);
            *logarithm += (product(scatter) - before) / d as f64;
        }
        sin.abs()
    }
}

/// Turns columns j and l of a d × d matrix by an angle, and its rows too for a quadratic form.
fn turn(matrix: &mut [f64], d: usize, (j, l): (usize, usize), (sin, cos): (f64, f64), rows_too: bool) {
    let mut mix = |a: usize, b: usize| {
        let (x, y) = (matrix[a], matrix[b]);
        (matrix[a], matrix[b]) = (cos * x + sin * y, cos * y - sin * x);
    };
    (0..d).for_each(|i| mix(i * d + j, i * d + l));
    if rows_too {
        (0..d).for_each(|i| mix(j * d + i, l * d + i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In two columns the axes are one angle, and all angles can be tried.
        #[test]
        fn no_other_angle_is_better(
            entries in prop::collection::vec((0.1..4.0f64, 0.1..4.0f64, -0.95..0.95f64), 1..4),
            weight in prop::collection::vec(0.5..5.0f64, 3),
            equal in any::<bool>(),
        ) {
            let (volume, lowest) = (if equal { Volume::Equal } else { Volume::Varying }, 1e-10);
            let weight = weight[..entries.len()].to_vec();
            let covariance = entries.iter().map(|(a, e, r)| vec![*a, r * (a * e).sqrt(), *e]).collect();
            let within = Within { width: 2, weight: weight.clone(), covariance, previous: None };
            let found = common_axes(&within, volume, lowest).objective(&weight, volume, lowest);
            let scatters: Vec<Vec<f64>> = (0..weight.len()).map(|c| within.matrix(c)).collect();
            for step in 0..1_000 {
                let (sin, cos) = (f64::from(step) * std::f64::consts::FRAC_PI_2 / 1_000.0).sin_cos();
                let other = Turned::new(vec![cos, -sin, sin, cos], &scatters, 2).objective(&weight, volume, lowest);
                prop_assert!(found <= other + 1e-9, "{found} > {other} at {sin}");
            }
        }
    }
}
