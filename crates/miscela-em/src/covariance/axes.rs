//! Axes that all components share and that are estimated (EVE, VVE): common principal components.
//!
//! With Tₖ = Dᵀ Sₖ D the most likely variances along axes D follow from the diagonals tₖⱼ of Tₖ; left to minimise over D is
//!
//! ```text
//! VVE:  Σₖ Nₖ Σⱼ ln tₖⱼ            EVE:  Σₖ Nₖ Πⱼ tₖⱼ^(1/d)
//! ```
//!
//! Axes are turned two at a time, by the best angle for their plane (a Jacobi method, as Flury & Gautschi 1986; what is to be
//! minimised is a function of the angle in closed form, so that its minimum is found among all angles, and not from one
//! angle to the next). Every turn lowers what is minimised. (Browne & McNicholas 2014, whom mclust follows, move all axes
//! at once by a bound, in many more steps.)

use super::Regulariser;
use super::within::Within;
use crate::Covariances;
use miscela_linalg::Eigen;

/// Sweeps over all pairs of axes, at most.
const SWEEPS: usize = 100;
/// A sweep that turns no pair by more than this is the last.
const ANGLE: f64 = 1e-11;
/// And so many sweeps in a row that gain nothing are the last: where all is round, angles mean nothing.
const IDLE: usize = 4;
/// Whose own axes are tried, where there are none to go on from.
const HEAVIEST: usize = 4;

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
    axes: Vec<f64>,
    scatters: Vec<Vec<f64>>,
    d: usize,
}

/// The best axes for the scatter, and each component's variances along them, none below the floor.
pub(super) fn along_common_axes(
    within: &Within,
    volume: Volume,
    regulariser: &mut Regulariser,
) -> (Turned, Vec<Vec<f64>>) {
    let lowest = regulariser.along_axes();
    let turned = common_axes(within, volume, lowest);
    let mut all: Vec<Vec<f64>> = (0..within.weight.len()).map(|c| turned.variances(c)).collect();
    all.iter_mut().enumerate().for_each(|(c, variances)| regulariser.raise(Some(c), variances, |_| lowest));
    (turned, all)
}

/// The best axes for the scatter, found from the axes before if there are any.
fn common_axes(within: &Within, volume: Volume, lowest: f64) -> Turned {
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
    // There can be more than one minimum: from the axes of all together, the coordinates, and those of the heaviest components.
    let mut heaviest: Vec<usize> = (0..scatters.len()).collect();
    heaviest.sort_by(|a, b| within.weight[*b].total_cmp(&within.weight[*a]));
    let own = heaviest.iter().take(HEAVIEST).map(|c| principal_axes(&scatters[*c..=*c], &[1.0], d));
    let starts = [principal_axes(&scatters, &within.weight, d), coordinates(d)].into_iter().chain(own);
    let found = starts.map(|axes| sweep(axes, &scatters));
    let better = |a: Turned, b: Turned| {
        let objective = |turned: &Turned| turned.objective(&within.weight, volume, lowest);
        if objective(&b) < objective(&a) { b } else { a }
    };
    found.reduce(better).unwrap_or_else(|| sweep(coordinates(d), &scatters))
}

/// The axes of the coordinates.
fn coordinates(d: usize) -> Vec<f64> {
    (0..d * d).map(|at| if at % (d + 1) == 0 { 1.0 } else { 0.0 }).collect()
}

/// The eigenvectors of Σ Nₖ Sₖ, or the coordinates where they cannot be computed.
fn principal_axes(scatters: &[Vec<f64>], weight: &[f64], d: usize) -> Vec<f64> {
    let mut sum = vec![0.0; d * d];
    for (scatter, n) in scatters.iter().zip(weight) {
        sum.iter_mut().zip(scatter).for_each(|(sum, s)| *sum += n * s);
    }
    miscela_linalg::eigen(&sum, d).map_or_else(|| coordinates(d), |eigen| eigen.vectors)
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
    fn variances(&self, c: usize) -> Vec<f64> {
        self.scatters[c].iter().step_by(self.d + 1).copied().collect()
    }

    /// The matrix with these variances along the axes.
    pub(super) fn matrix(&self, variances: &[f64]) -> Vec<f64> {
        Eigen { values: variances.to_vec(), vectors: self.axes.clone() }.with_values(variances)
    }

    /// The mean logarithm of each component's variances, none below `lowest`.
    fn mean_logarithms(&self, lowest: f64) -> Vec<f64> {
        let bounded = |c| self.variances(c).into_iter().map(|t| bounded_logarithm(t, lowest)).sum::<f64>();
        (0..self.scatters.len()).map(|c| bounded(c) / self.d as f64).collect()
    }

    /// Nₖ, times |Tₖ|^(1/d) where volumes are equal, on any one scale.
    fn sizes(&self, weight: &[f64], volume: Volume, lowest: f64) -> Vec<f64> {
        if volume == Volume::Varying {
            return weight.to_vec();
        }
        let logarithms = self.mean_logarithms(lowest);
        let greatest = logarithms.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
        weight.iter().zip(logarithms).map(|(n, l)| n * (l - greatest).exp()).collect()
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
            let (mut sizes, mut widest) = (self.sizes(weight, volume, lowest), 0.0f64);
            for j in 1..self.d {
                for l in 0..j {
                    widest = widest.max(self.turn_best(j, l, &mut sizes, volume, lowest));
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
    fn turn_best(&mut self, j: usize, l: usize, sizes: &mut [f64], volume: Volume, lowest: f64) -> f64 {
        let d = self.d;
        let entries = |s: &Vec<f64>| (s[j * d + j], s[l * d + l], s[j * d + l]);
        let power = if volume == Volume::Equal { 1.0 / d as f64 } else { 0.0 };
        let forms: Vec<Form> = (self.scatters.iter().map(entries).zip(&*sizes))
            .map(|(entries, size)| Form::new(entries, *size, power, lowest))
            .collect();
        let angle = best_angle(&forms);
        if angle == 0.0 {
            return 0.0;
        }
        let (sin, cos) = angle.sin_cos();
        turn(&mut self.axes, d, (j, l), (sin, cos), false);
        for ((scatter, size), form) in self.scatters.iter_mut().zip(sizes).zip(&forms) {
            turn(scatter, d, (j, l), (sin, cos), true);
            *size *= form.growth(angle);
        }
        sin.abs()
    }
}

/// ln v + t/v − 1 at the best variance v ≥ `lowest` for the scatter t: ln t, unless the bound holds v.
fn bounded_logarithm(t: f64, lowest: f64) -> f64 {
    t.max(lowest).ln() + (t / lowest).min(1.0) - 1.0
}

/// What one component adds to what is minimised when its two axes are turned by θ: ω ln p or ω (p/p₀)^(1/d), p the product of
/// its variances tⱼ, tₗ = m ± r cos(2θ − φ).
struct Form {
    size: f64,
    power: f64,
    lowest: f64,
    mean: f64,
    radius: f64,
    phase: f64,
    /// ln p at θ = 0.
    start: f64,
}

impl Form {
    fn new((a, e, b): (f64, f64, f64), size: f64, power: f64, lowest: f64) -> Self {
        let (mean, radius, phase) = ((a + e) / 2.0, f64::hypot((a - e) / 2.0, b), f64::atan2(b, (a - e) / 2.0));
        let mut form = Self { size, power, lowest, mean, radius, phase, start: 0.0 };
        form.start = form.log_product(0.0).0;
        form
    }

    /// ln p and its slope.
    fn log_product(&self, angle: f64) -> (f64, f64) {
        let (sin, cos) = (2.0 * angle - self.phase).sin_cos();
        let of = |sign: f64| {
            let variance = self.mean + sign * self.radius * cos;
            (bounded_logarithm(variance, self.lowest), -2.0 * sign * self.radius * sin / variance.max(self.lowest))
        };
        let ((a, slope_a), (b, slope_b)) = (of(1.0), of(-1.0));
        (a + b, slope_a + slope_b)
    }

    /// (p/p₀)^(1/d) where volumes are equal, and one otherwise.
    fn growth(&self, angle: f64) -> f64 {
        if self.power == 0.0 { 1.0 } else { (self.power * (self.log_product(angle).0 - self.start)).exp() }
    }

    /// What it adds, and the slope of that.
    fn value(&self, angle: f64) -> (f64, f64) {
        let (log, slope) = self.log_product(angle);
        if self.power == 0.0 {
            return (self.size * (log - self.start), self.size * slope);
        }
        let grown = self.size * (self.power * (log - self.start)).exp();
        (grown, self.power * grown * slope)
    }
}

/// The angle from −45° to 45° that minimises the sum: the best of a few, and from there where the slope is zero.
fn best_angle(forms: &[Form]) -> f64 {
    const CELLS: i32 = 8;
    let value =
        |angle: f64| forms.iter().map(|form| form.value(angle)).fold((0.0, 0.0), |(v, s), (a, b)| (v + a, s + b));
    let cell = std::f64::consts::FRAC_PI_2 / f64::from(CELLS);
    let here = value(0.0).0;
    let (mut best, mut least) = (0.0, here);
    for angle in (1 - CELLS / 2..=CELLS / 2).map(|step| f64::from(step) * cell) {
        let found = value(angle).0;
        // Turns that gain next to nothing would only exchange axes.
        if found < least - 1e-9 * least.abs() {
            (best, least) = (angle, found);
        }
    }
    let (mut low, mut high) = (best - cell, best + cell);
    if value(best).1 > 0.0 {
        high = best;
    } else {
        low = best;
    }
    while high - low > 1e-14 {
        let middle = (low + high) / 2.0;
        if value(middle).1 > 0.0 { high = middle } else { low = middle }
    }
    let angle = (low + high) / 2.0;
    // About the minimum the slope knows the angle to rounding, and the value only to the root of that.
    let rounding = 8.0 * f64::EPSILON * forms.iter().map(|form| form.size * (1.0 + form.start.abs())).sum::<f64>();
    if value(angle).0 <= here + rounding { angle } else { 0.0 }
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
        /// In two columns the axes are one angle, and all angles can be tried: none that is near is better, and none at all
        /// by much.
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
            let best = common_axes(&within, volume, lowest);
            let (found, at) = (best.objective(&weight, volume, lowest), f64::atan2(best.axes[2], best.axes[0]));
            let scatters: Vec<Vec<f64>> = (0..weight.len()).map(|c| within.matrix(c)).collect();
            for step in -500..500 {
                let by = f64::from(step) * std::f64::consts::FRAC_PI_2 / 1_000.0;
                let (sin, cos) = (at + by).sin_cos();
                let other = Turned::new(vec![cos, -sin, sin, cos], &scatters, 2).objective(&weight, volume, lowest);
                let slack = if by.abs() < 0.02 { 1e-12 } else { 0.02 };
                prop_assert!(found <= other + slack, "{found} > {other} at {by} from {at}");
            }
        }
    }
}
