//! Fewer iterations: squared extrapolation (SQUAREM, Varadhan & Roland 2008) with a guard.
//!
//! ```text
//! s₁ → s₂ → s₃ by EM,   r = s₂ − s₁,   v = (s₃ − s₂) − r,   α = −‖r‖/‖v‖ ≤ −1
//! s' = s₁ − 2α r + α² v;   α = −1 is s₃
//! ```
//!
//! What is extrapolated are not the parameters but what the M-step makes them of: Nₖ, means and covariances of the shares.
//! These are free of the structure, so that whatever the M-step makes of s' is in it, with its floor and what is held; the
//! fixed points are those of EM. As numbers without bounds or units they are ln Nₖ, means in the data's deviations, and
//! Cholesky factors with the logarithms of their diagonals. Student-t components add what their degrees of freedom are made of.
//!
//! The next E-step tells the objective at s'. Where it is below that of the parameters before, they are given up for those
//! of s₃, by which it does not fall, at the price of one E-step; and the greatest |α|, which grows fourfold whenever it was
//! what held α back, shrinks.

use crate::parameters::Mixture;
use crate::statistics::Statistics;
use miscela_kernel::{Float, Scatter};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Whether iterations are made fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Acceleration {
    /// Plain EM.
    #[default]
    None,
    /// Squared extrapolation (Varadhan & Roland 2008) that never lowers the objective: for components that overlap, where
    /// EM is slow. It keeps four times the statistics.
    Squarem,
}

/// What the greatest |α| is multiplied or divided by.
const GROWTH: f64 = 4.0;

/// The cycle of extrapolation.
#[derive(Clone, Debug)]
pub(crate) struct Squarem<F> {
    points: Vec<Vec<f64>>,
    longest: f64,
    pending: Option<Pending<F>>,
}

/// What parameters that were extrapolated are given up for, if they are worse.
#[derive(Clone, Debug)]
struct Pending<F> {
    statistics: Statistics,
    /// The objective at the parameters before.
    objective: f64,
    before: Mixture<F>,
    limited: bool,
}

impl<F: Float> Squarem<F> {
    pub(crate) fn new() -> Self {
        Self { points: Vec::new(), longest: 1.0, pending: None }
    }

    /// What the M-step from `before`, where the objective is this, is to be of: the statistics, or, every third time, where
    /// they lead.
    pub(crate) fn advance(
        &mut self,
        statistics: Statistics,
        objective: f64,
        scale: &[f64],
        before: &Mixture<F>,
    ) -> Statistics {
        let Some(point) = coordinates(&statistics, scale) else {
            self.points.clear();
            return statistics;
        };
        self.points.push(point);
        let [first, second, third] = &self.points[..] else { return statistics };
        let (alpha, limited) = step(first, second, third, self.longest);
        let ahead = (alpha < -1.0).then(|| extrapolate(first, second, third, alpha));
        let ahead = ahead.and_then(|point| from_coordinates(&point, &statistics, scale));
        let Some(ahead) = ahead else {
            self.longest *= if limited { GROWTH } else { 1.0 };
            self.points.drain(..2);
            return statistics;
        };
        self.points.clear();
        self.pending = Some(Pending { statistics, objective, before: before.clone(), limited });
        ahead
    }

    /// Judges parameters that were extrapolated, by their objective: the statistics, and the parameters before them, of the
    /// M-step that they are to be given up for, if they are worse.
    pub(crate) fn judge(&mut self, now: f64, slack: f64) -> Option<(Statistics, Mixture<F>)> {
        let Pending { statistics, objective, before, limited } = self.pending.take()?;
        if now >= objective - slack {
            self.longest *= if limited { GROWTH } else { 1.0 };
            return None;
        }
        self.longest = if limited { (self.longest / GROWTH).max(1.0) } else { self.longest };
        Some((statistics, before))
    }
}

/// α, at most −1 and at least −`longest`, and whether that held it back.
fn step(first: &[f64], second: &[f64], third: &[f64], longest: f64) -> (f64, bool) {
    let (mut r2, mut v2) = (0.0, 0.0);
    for ((a, b), c) in first.iter().zip(second).zip(third) {
        r2 += (b - a).powi(2);
        v2 += (c - 2.0 * b + a).powi(2);
    }
    let length = if v2 > 0.0 { (r2 / v2).sqrt() } else { 1.0 };
    (-length.clamp(1.0, longest), length >= longest)
}

fn extrapolate(first: &[f64], second: &[f64], third: &[f64], alpha: f64) -> Vec<f64> {
    let points = first.iter().zip(second).zip(third);
    points.map(|((a, b), c)| a - 2.0 * alpha * (b - a) + alpha * alpha * (c - 2.0 * b + a)).collect()
}

/// Nₖ, means and covariances as numbers without bounds or units; `None` where a component has none.
fn coordinates(statistics: &Statistics, scale: &[f64]) -> Option<Vec<f64>> {
    let (sums, d) = (statistics.sums(), scale.len());
    let mut point = Vec::new();
    for (c, mean) in statistics.means().outer_iter().enumerate() {
        let n = sums.counts()[c];
        point.push(n.ln());
        if sums.has_tails() {
            point.extend([(sums.weight[c] / n).ln(), sums.excess[c] / n]);
        }
        point.extend(mean.iter().zip(scale).map(|(m, v)| m / v.sqrt()));
        let covariance: Vec<f64> = statistics.scatter_about_mean(c).iter().map(|s| s / n).collect();
        match sums.scatter {
            Scatter::Spherical => point.push((covariance[0] / scale.iter().sum::<f64>()).ln()),
            Scatter::Diagonal => point.extend(covariance.iter().zip(scale).map(|(s, v)| (s / v).ln())),
            Scatter::Full => {
                let mut matrix = vec![0.0; d * d];
                for (at, s) in triangle(d).zip(covariance) {
                    matrix[at.0 * d + at.1] = s / (scale[at.0] * scale[at.1]).sqrt();
                }
                let lower = miscela_linalg::cholesky(&matrix, d)?;
                point.extend(triangle(d).map(|(i, j)| if i == j { lower[i * d + i].ln() } else { lower[i * d + j] }));
            }
        }
    }
    point.iter().all(|x| x.is_finite()).then_some(point)
}

/// The statistics that have these coordinates, like others in all else; `None` if a number is out of range.
fn from_coordinates(point: &[f64], like: &Statistics, scale: &[f64]) -> Option<Statistics> {
    let (sums, d) = (like.sums(), scale.len());
    let (k, size) = (sums.k(), sums.scatter.len(d));
    let total: f64 = sums.counts().iter().sum();
    let head = if sums.has_tails() { 3 } else { 1 };
    let of = |c: usize| point[c * (head + d + size)..(c + 1) * (head + d + size)].split_at(head);
    let share: f64 = (0..k).map(|c| of(c).0[0].exp()).sum();
    let (mut shift, mut ahead) = (Vec::with_capacity(k * d), sums.emptied());
    for c in 0..k {
        let (counts, place) = of(c);
        let n = total * counts[0].exp() / share;
        ahead.weight[c] = n;
        if let [_, weight, excess] = counts {
            (ahead.shares[c], ahead.weight[c], ahead.excess[c]) = (n, n * weight.exp(), n * excess);
        }
        shift.extend(place[..d].iter().zip(scale).map(|(m, v)| m * v.sqrt()));
        let (shape, second) = (&place[d..], &mut ahead.second[c * size..(c + 1) * size]);
        match sums.scatter {
            Scatter::Spherical => second[0] = n * shape[0].exp() * scale.iter().sum::<f64>(),
            Scatter::Diagonal => {
                second.iter_mut().zip(shape).zip(scale).for_each(|((s, l), v)| *s = n * l.exp() * v);
            }
            Scatter::Full => {
                let start = |i: usize| i * (i + 1) / 2;
                let entry = |i: usize, j: usize| if i == j { shape[start(i) + i].exp() } else { shape[start(i) + j] };
                for ((i, j), s) in triangle(d).zip(second) {
                    let product: f64 = (0..=j).map(|l| entry(i, l) * entry(j, l)).sum();
                    *s = n * product * (scale[i] * scale[j]).sqrt();
                }
            }
        }
    }
    (ahead.objective, ahead.noise) = (sums.objective, sums.noise);
    let numbers = ahead.weight.iter().chain(&ahead.second).chain(&ahead.shares).chain(&ahead.excess).chain(&shift);
    let usable = numbers.clone().all(|x| x.is_finite()) && ahead.weight.iter().all(|n| *n > 0.0);
    usable.then(|| Statistics::new(like.fingerprint(), shift, ahead))
}

/// The places of a lower triangle, row by row.
fn triangle(d: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..d).flat_map(|i| (0..=i).map(move |j| (i, j)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Sums;

    #[test]
    fn coordinates_tell_the_statistics() {
        let scatters = [Scatter::Spherical, Scatter::Diagonal, Scatter::Full];
        for (scatter, tails) in scatters.iter().flat_map(|scatter| [(*scatter, false), (*scatter, true)]) {
            let mut sums = Sums::zero(2, 2, scatter);
            if tails {
                sums = sums.with_tails();
                (sums.shares, sums.excess) = (vec![5.0, 3.5], vec![-6.0, -4.0]);
            }
            for (c, rows) in
                [[[1.0, 2.0], [3.0, 1.0], [0.0, 0.5]], [[5.0, 5.0], [6.0, 8.0], [9.0, 7.0]]].iter().enumerate()
            {
                for row in rows {
                    sums.weight[c] += 1.5;
                    (0..2).for_each(|j| sums.first[c * 2 + j] += 1.5 * row[j]);
                    let size = scatter.len(2);
                    scatter.add_row(1.5, row, &mut sums.second[c * size..(c + 1) * size]);
                }
            }
            let (statistics, scale) = (Statistics::new(7, vec![0.0; 4], sums), [4.0, 9.0]);
            let point = coordinates(&statistics, &scale).unwrap();
            let back = from_coordinates(&point, &statistics, &scale).unwrap();
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{scatter:?}: {a} {b}");
            for c in 0..2 {
                near(back.sums().weight[c], statistics.sums().weight[c]);
                near(back.sums().counts()[c], statistics.sums().counts()[c]);
                back.sums().excess.iter().zip(&statistics.sums().excess).for_each(|(a, b)| near(*a, *b));
                (0..2).for_each(|j| near(back.means()[[c, j]], statistics.means()[[c, j]]));
                back.scatter_about_mean(c).iter().zip(statistics.scatter_about_mean(c)).for_each(|(a, b)| near(*a, b));
            }
        }
    }

    #[test]
    fn a_linear_map_is_solved_in_one_step() {
        // s → 1 + 0.9 (s − 1), whose fixed point is 1.
        let (a, b, c) = ([0.0], [0.1], [0.19]);
        let (alpha, limited) = step(&a, &b, &c, 64.0);
        assert!((alpha + 10.0).abs() < 1e-9 && !limited);
        assert!((extrapolate(&a, &b, &c, alpha)[0] - 1.0).abs() < 1e-9);
        assert_eq!(step(&a, &b, &c, 4.0), (-4.0, true));
        assert_eq!(extrapolate(&a, &b, &c, -1.0)[0], 0.19);
    }
}
