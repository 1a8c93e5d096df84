//! A mixture of which each row shows only some columns.
//!
//! The E-step of EM for incomplete rows (Ghahramani & Jordan 1994): responsibilities r by the marginal densities of what is
//! observed, and for each component the sums of completed rows,
//!
//! ```text
//! N = Σ r,   first = Σ r z,   second = Σ r (z zᵀ + C)      z = x̂ − μ
//! ```
//!
//! with the conditional mean x̂ and covariance C under the component (`pattern.rs`). What only depends on a pattern of
//! missing columns is worked out once for each M-step, up to a limit of memory, and beyond that once a block.

use super::gaps::Gaps;
use super::pattern::{Seen, Whole};
use crate::parameters::{Mixture, ParameterError};
use crate::statistics::Sums;
use crate::stochastic::Drawing;
use miscela_kernel::{BLOCK_ROWS, Block, Float, Samples, Threads};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The bytes that patterns which are kept may take.
const KEPT: usize = 32 << 20;

/// A mixture ready for rows with gaps, renewed with its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Marginal {
    whole: Whole,
    /// The patterns of the rows, those of most rows first.
    patterns: Vec<Vec<u64>>,
    seen: BTreeMap<Vec<u64>, Seen>,
}

/// How a row is shared among the components.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// At this temperature.
    Soft(f64),
    /// To components that are drawn; the seed of the draws.
    Drawn(u64),
    /// To the densest component.
    Hard,
    /// By its label.
    Given,
}

/// Space for one row.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// x̂ − μ for each component, k × d.
    pub(super) z: Vec<f64>,
    /// Log-densities with the weights in them, then shares, k.
    pub(super) logs: Vec<f64>,
    solved: Vec<f64>,
}

impl Marginal {
    /// For the patterns of these rows.
    pub(crate) fn new<F: Float>(mixture: &Mixture<F>, samples: &Samples<F>) -> Result<Self, ParameterError> {
        let mut counts = BTreeMap::<Vec<u64>, usize>::new();
        let (mut gaps, mut copied) = (Gaps::default(), Vec::new());
        for first in (0..samples.n_rows()).step_by(BLOCK_ROWS) {
            gaps.find(&samples.block(first..(first + BLOCK_ROWS).min(samples.n_rows()), &mut copied));
            for group in gaps.groups() {
                let pattern = gaps.pattern(gaps.row(group.start));
                match counts.get_mut(pattern) {
                    Some(count) => *count += group.len(),
                    None => drop(counts.insert(pattern.to_vec(), group.len())),
                }
            }
        }
        let mut patterns: Vec<_> = counts.into_iter().collect();
        patterns.sort_by_key(|(_, count)| Reverse(*count));
        let patterns = patterns.into_iter().map(|(pattern, _)| pattern).collect();
        let mut marginal = Self { whole: Whole::new(mixture), patterns, seen: BTreeMap::new() };
        marginal.renew(mixture, Threads::One)?;
        Ok(marginal)
    }

    /// For rows whose patterns are not known.
    pub(crate) fn of<F: Float>(mixture: &Mixture<F>) -> Self {
        Self { whole: Whole::new(mixture), patterns: Vec::new(), seen: BTreeMap::new() }
    }

    /// Takes other parameters; if they cannot be used it keeps the old ones.
    pub(crate) fn renew<F: Float>(&mut self, mixture: &Mixture<F>, threads: Threads) -> Result<(), ParameterError> {
        let whole = Whole::new(mixture);
        let kept = &self.patterns[..self.patterns.len().min(KEPT / whole.bytes_a_pattern())];
        let work = (kept.len() * whole.bytes_a_pattern() * whole.width()) as f64;
        let seen = threads.for_work(work).map(kept.len(), |i| Some((kept[i].clone(), whole.seen(&kept[i])?)));
        let seen: Option<_> = seen.into_iter().collect();
        self.seen = seen.ok_or(ParameterError::NotPositiveDefinite { component: 0 })?;
        self.whole = whole;
        Ok(())
    }

    /// What is seen through a pattern. Beyond those that are kept it is worked out; a matrix that has no factor in this order
    /// of its columns, which can only be rounding, then shows nothing.
    fn seen(&self, pattern: &[u64]) -> Option<Cow<'_, Seen>> {
        self.seen.get(pattern).map(Cow::Borrowed).or_else(|| self.whole.seen(pattern).map(Cow::Owned))
    }

    /// Adds the rows of a block that have gaps to the sums. Under [`Rule::Hard`] their labels are renewed, and compared with
    /// those in `gaps`.
    pub(crate) fn e_step<F: Float>(
        &self,
        rule: Rule,
        block: &Block<F>,
        labels: &mut [u32],
        sums: &mut Sums,
        gaps: &Gaps<F>,
    ) {
        let (k, d, scatter) = (self.whole.n_components(), self.whole.width(), sums.scatter);
        let size = scatter.len(d);
        let (mut space, mut gathered) = (Space::for_rows(&self.whole), vec![0.0; k]);
        let mut drawing = Drawing::default();
        for group in gaps.groups() {
            let Some(seen) = self.seen(gaps.pattern(gaps.row(group.start))) else { continue };
            gathered.fill(0.0);
            for i in group.map(|at| gaps.row(at) as usize) {
                let weight = block.weight(i);
                space.complete(&self.whole, &seen, block.row(i));
                let total = match rule {
                    Rule::Soft(temperature) => share(&mut space.logs, temperature),
                    Rule::Drawn(seed) => {
                        let total = share(&mut space.logs, 1.0);
                        let shares = space.logs.iter().copied();
                        if let Some(drawn) = drawing.draw_row(shares, weight, (seed, block.first() + i)) {
                            space.logs.iter_mut().zip(drawn).for_each(|(r, drawn)| *r = drawn / weight);
                        }
                        total
                    }
                    Rule::Hard => {
                        let winner = winner(&space.logs);
                        labels[i] = winner as u32;
                        sums.changed += u64::from(gaps.labels[i] != labels[i] && weight > 0.0);
                        space.give_all_to(winner)
                    }
                    Rule::Given => space.give_all_to(labels[i] as usize),
                };
                if weight == 0.0 {
                    continue;
                }
                sums.objective += weight * total;
                for (c, share) in space.logs.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                    let (r, z) = (weight * share, &space.z[c * d..(c + 1) * d]);
                    sums.weight[c] += r;
                    gathered[c] += r;
                    sums.first[c * d..(c + 1) * d].iter_mut().zip(z).for_each(|(s, z)| *s += r * z);
                    scatter.add_row(r, z, &mut sums.second[c * size..(c + 1) * size]);
                }
            }
            for (c, r) in gathered.iter().enumerate().filter(|(_, r)| **r > 0.0) {
                seen.add_covariance(c, *r, scatter, &mut sums.second[c * size..(c + 1) * size]);
            }
        }
    }

    /// ln wₖ + ln N(x_O; μₖ_O, Σₖ_OO) of one row; fills its gaps with the conditional mean.
    pub(crate) fn complete_row<F: Float>(&self, row: &mut [F], component: usize) -> f64 {
        let mut gaps = Gaps::default();
        gaps.find(&Block::new(row, row.len()));
        let Some(seen) = self.seen(gaps.pattern(0)) else { return f64::NEG_INFINITY };
        let mut space = Space::for_rows(&self.whole);
        space.complete(&self.whole, &seen, row);
        let d = row.len();
        for j in seen.columns.missing.iter().copied() {
            row[j] = F::narrow(self.whole.mean(component)[j] + space.z[component * d + j]);
        }
        space.logs[component]
    }
}

impl Space {
    pub(super) fn for_rows(whole: &Whole) -> Self {
        let (k, d) = (whole.n_components(), whole.width());
        Self { z: vec![0.0; k * d], logs: vec![0.0; k], solved: vec![0.0; d] }
    }

    /// Completes a row under each component.
    pub(super) fn complete<F: Float>(&mut self, whole: &Whole, seen: &Seen, row: &[F]) {
        let Self { z, logs, solved } = self;
        for (c, (z, log)) in z.chunks_exact_mut(row.len()).zip(logs).enumerate() {
            *log = whole.log_weights[c] + seen.complete(c, whole.mean(c), row, z, solved);
        }
    }

    /// One component gets the row; returns its log-density.
    fn give_all_to(&mut self, winner: usize) -> f64 {
        let log_density = self.logs[winner];
        self.logs.fill(0.0);
        self.logs[winner] = 1.0;
        log_density
    }
}

/// The index of the greatest; the lowest of equals.
pub(super) fn winner(logs: &[f64]) -> usize {
    (1..logs.len()).fold(0, |best, c| if logs[c] > logs[best] { c } else { best })
}

/// Turns log-densities into shares at a temperature T and returns T ln Σ exp(l/T). A row that no component gives any density
/// has no shares, and about the lowest number as its log-density, as on the fast path.
pub(super) fn share(logs: &mut [f64], temperature: f64) -> f64 {
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if greatest == f64::NEG_INFINITY {
        logs.fill(0.0);
        return f64::MIN;
    }
    logs.iter_mut().for_each(|l| *l = ((*l - greatest) / temperature).exp());
    let sum: f64 = logs.iter().sum();
    logs.iter_mut().for_each(|l| *l /= sum);
    greatest + temperature * sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Covariances;
    use miscela_kernel::Scatter;
    use ndarray::{Array2, Array3, array};

    #[test]
    fn patterns_that_are_not_kept_are_worked_out_alike() {
        let d = 3;
        let full = Array3::from_shape_fn((2, d, d), |(c, i, j)| if i == j { 2.0 + c as f64 } else { 0.7 });
        let means = array![[0.0, 1.0, 2.0], [3.0, 2.0, 1.0]];
        let mixture = Mixture::new(array![0.4, 0.6], means, Covariances::Full(full));
        let value = |(i, j): (usize, usize)| if (i + j * j) % 4 == 0 { f64::NAN } else { (i * 7 + j * 5) as f64 % 4.0 };
        let rows = Array2::from_shape_fn((40, d), value);
        let samples = Samples::with_missing(&rows, None).unwrap();
        let kept = Marginal::new(&mixture, &samples).unwrap();
        assert!(kept.seen.len() > 1);
        let mut forgetful = kept.clone();
        forgetful.seen.clear();
        let sums = |marginal: &Marginal, rule| {
            let (mut sums, mut gaps, mut scratch) = (Sums::zero(2, d, Scatter::Full), Gaps::default(), Vec::new());
            let block = samples.block(0..40, &mut scratch);
            gaps.find(&block);
            gaps.labels.resize(40, 0);
            marginal.e_step(rule, &block, &mut [0; 40], &mut sums, &gaps);
            sums
        };
        for rule in [Rule::Soft(1.0), Rule::Soft(0.5), Rule::Hard, Rule::Given] {
            let sums = (sums(&kept, rule), sums(&forgetful, rule));
            assert!(sums.0.weight.iter().sum::<f64>() > 10.0);
            assert_eq!(sums.0, sums.1);
        }
    }
}
