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
use crate::density::Density;
use crate::gaussian::weighted;
use crate::inference::{MixtureFit, densest_labels, evaluate_mixture, log_densities, responsibilities};
use crate::parameters::{Mixture, ParameterError};
use crate::statistics::Sums;
use crate::stochastic::Drawing;
use miscela_kernel::{BLOCK_ROWS, Block, Float, Samples, Threads};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use std::borrow::Cow;
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
struct Space {
    /// x̂ − μ for each component, k × d.
    z: Vec<f64>,
    /// Log-densities with the weights in them, then shares, k.
    logs: Vec<f64>,
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
        patterns.sort_by(|a, b| b.1.cmp(&a.1));
        let patterns = patterns.into_iter().map(|(pattern, _)| pattern).collect();
        let mut marginal = Self { whole: Whole::new(mixture), patterns, seen: BTreeMap::new() };
        marginal.renew(mixture, Threads::One)?;
        Ok(marginal)
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
    fn for_rows(whole: &Whole) -> Self {
        let (k, d) = (whole.n_components(), whole.width());
        Self { z: vec![0.0; k * d], logs: vec![0.0; k], solved: vec![0.0; d] }
    }

    /// Completes a row under each component.
    fn complete<F: Float>(&mut self, whole: &Whole, seen: &Seen, row: &[F]) {
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
fn winner(logs: &[f64]) -> usize {
    (1..logs.len()).fold(0, |best, c| if logs[c] > logs[best] { c } else { best })
}

/// Turns log-densities into shares at a temperature T and returns T ln Σ exp(l/T). A row that no component gives any density
/// has no shares, and about the lowest number as its log-density, as on the fast path.
fn share(logs: &mut [f64], temperature: f64) -> f64 {
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

/// The rows with their gaps filled by one number a column: for what needs whole rows.
pub fn filled<F: Float>(rows: ArrayView2<F>, fill: &[f64]) -> Array2<F> {
    let mut filled = Array2::zeros(rows.dim());
    for (mut to, from) in filled.outer_iter_mut().zip(rows.outer_iter()) {
        to.iter_mut()
            .zip(from)
            .zip(fill)
            .for_each(|((to, x), fill)| *to = if x.is_nan() { F::narrow(*fill) } else { *x });
    }
    filled
}

/// What a fitted mixture says of rows with gaps. Rows without one get what they get elsewhere, to the bit.
///
/// Takes a copy of the rows, and costs d³/3 for each component and pattern of missing columns beside d²/2 for each component
/// and row that has one.
///
/// ```
/// use miscela_em::{Covariances, Density, IncompleteDensity, Mixture};
/// use miscela_kernel::Threads;
/// use ndarray::array;
///
/// let covariance = Covariances::Tied(array![[4.0, 2.0], [2.0, 3.0]]);
/// let mixture = Mixture { weights: array![1.0], means: array![[1.0, 10.0]], covariances: covariance };
/// let density = Density::new(&mixture)?;
/// let incomplete = IncompleteDensity::new(&mixture, &density);
/// let rows = array![[3.0, f64::NAN]];
/// assert_eq!(incomplete.impute(rows.view(), Threads::One), array![[3.0, 11.0]]);
/// # Ok::<(), miscela_em::ParameterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct IncompleteDensity<'a, F> {
    whole: Whole,
    density: &'a Density<F>,
}

impl<'a, F: Float> IncompleteDensity<'a, F> {
    /// Of a mixture and its factors.
    pub fn new(mixture: &Mixture<F>, density: &'a Density<F>) -> Self {
        Self { whole: Whole::new(mixture), density }
    }

    /// The label of the densest component of each row, n; the lowest of equals. A row without any value gets that of the
    /// greatest weight.
    pub fn densest_labels(&self, rows: ArrayView2<F>, threads: Threads) -> Array1<usize> {
        let filled = self.filled(rows);
        let mut labels = densest_labels(&Samples::unchecked(&filled), self.density, threads);
        self.visit(rows, threads, |space, _| winner(&space.logs)).for_each(|(i, label)| labels[i] = label);
        labels
    }

    /// The probability of each component given what each row shows, n × k; rows sum to one.
    pub fn responsibilities(&self, rows: ArrayView2<F>, threads: Threads) -> Array2<F> {
        let filled = self.filled(rows);
        let mut out = responsibilities(&Samples::unchecked(&filled), self.density, threads);
        let shares = self.visit(rows, threads, |space, _| {
            share_or_first(&mut space.logs);
            space.logs.iter().map(|r| F::narrow(*r)).collect::<Array1<F>>()
        });
        shares.for_each(|(i, shares)| out.row_mut(i).assign(&shares));
        out
    }

    /// ln p(x_O) of each row, n; zero for a row without any value.
    pub fn log_densities(&self, rows: ArrayView2<F>, threads: Threads) -> Array1<f64> {
        let filled = self.filled(rows);
        let mut out = log_densities(&Samples::unchecked(&filled), self.density, threads);
        self.visit(rows, threads, |space, _| share(&mut space.logs, 1.0)).for_each(|(i, total)| out[i] = total);
        out
    }

    /// The rows with each missing value replaced by its conditional mean, n × d: Σ rₖ x̂ₖ. What is there stays as it is.
    pub fn impute(&self, rows: ArrayView2<F>, threads: Threads) -> Array2<F> {
        let mut out = rows.to_owned();
        let d = self.whole.width();
        let values = self.visit(rows, threads, |space, seen| {
            share_or_first(&mut space.logs);
            let expected = |j: usize| {
                let terms = space.logs.iter().enumerate();
                terms.map(|(c, r)| r * (self.whole.mean(c)[j] + space.z[c * d + j])).sum::<f64>()
            };
            seen.columns.missing.iter().map(|j| (*j, F::narrow(expected(*j)))).collect::<Vec<_>>()
        });
        values.for_each(|(i, values)| values.into_iter().for_each(|(j, value)| out[[i, j]] = value));
        out
    }

    /// Likelihoods and sizes over samples, at a temperature for the tempered one.
    pub fn evaluate(&self, samples: &Samples<F>, temperature: f64, threads: Threads) -> MixtureFit {
        let rows = samples.rows();
        let filled = self.filled(rows);
        let whole = |i: usize| !rows.row(i).iter().any(|x| x.is_nan());
        let weights: Vec<f64> = (0..rows.nrows()).map(|i| if whole(i) { samples.weight(i) } else { 0.0 }).collect();
        let mut fit = match Samples::weighted(&filled, weights) {
            Ok(complete) => evaluate_mixture(&complete, self.density, temperature, threads),
            // Every row has a gap.
            Err(_) => MixtureFit {
                log_likelihood: 0.0,
                classification_log_likelihood: 0.0,
                tempered_log_likelihood: 0.0,
                sizes: vec![0; self.whole.n_components()],
            },
        };
        let figures = self.visit(rows, threads, |space, _| {
            let winner = winner(&space.logs);
            let greatest = space.logs[winner].max(f64::MIN);
            let tempered = share(&mut space.logs.clone(), temperature);
            (winner, greatest, tempered, share(&mut space.logs, 1.0))
        });
        for (i, (winner, greatest, tempered, total)) in figures {
            let w = samples.weight(i);
            fit.log_likelihood += weighted(w, total);
            fit.classification_log_likelihood += weighted(w, greatest);
            fit.tempered_log_likelihood += weighted(w, tempered);
            fit.sizes[winner] += usize::from(w > 0.0);
        }
        fit
    }

    /// Gaps filled with the first mean: rows for the fast path, which are then written over.
    fn filled(&self, rows: ArrayView2<F>) -> Array2<F> {
        filled(rows, self.whole.mean(0))
    }

    /// Works on each row that has gaps, completed under each component, and returns what came of it with the row's index, in
    /// the order of the rows' patterns within each run of rows.
    fn visit<T: Send>(
        &self,
        rows: ArrayView2<F>,
        threads: Threads,
        work: impl Fn(&mut Space, &Seen) -> T + Sync + Send,
    ) -> impl Iterator<Item = (usize, T)> {
        const RUN: usize = 16 * BLOCK_ROWS;
        let d = self.whole.width();
        let cost = (rows.nrows() * self.whole.n_components() * d * d) as f64;
        let runs = threads.for_work(cost).map(rows.nrows().div_ceil(RUN), |run| {
            let first = run * RUN;
            let rows: Vec<F> = rows.axis_chunks_iter(Axis(0), RUN).nth(run).into_iter().flatten().copied().collect();
            let (block, mut gaps) = (Block::new(&rows, d), Gaps::default());
            gaps.find(&block);
            let (mut space, mut found) = (Space::for_rows(&self.whole), Vec::new());
            for group in gaps.groups() {
                // A fitted mixture's covariances have factors; where rounding denies one, the fast path's answer stays.
                let Some(seen) = self.whole.seen(gaps.pattern(gaps.row(group.start))) else { continue };
                for i in group.map(|at| gaps.row(at) as usize) {
                    space.complete(&self.whole, &seen, block.row(i));
                    found.push((first + i, work(&mut space, &seen)));
                }
            }
            found
        });
        runs.into_iter().flatten()
    }
}

/// Shares that sum to one: a row that no component gives any density goes to the first, as its label does.
fn share_or_first(logs: &mut [f64]) {
    share(logs, 1.0);
    if logs.iter().all(|r| *r == 0.0) {
        logs[0] = 1.0;
    }
}
