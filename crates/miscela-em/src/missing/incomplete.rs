//! What a fitted mixture says of rows with gaps: labels, probabilities, densities, values for the gaps, and figures.
//!
//! All by the marginal densities of what a row shows. Rows without gaps are put through the functions that they go through
//! elsewhere, with the others masked, and so get the same answers to the bit.

use super::gaps::Gaps;
use super::marginal::{Space, share, winner};
use super::pattern::{Seen, Whole};
use crate::density::Density;
use crate::doubt::{component_log_densities, entropies, entropy_of, uncertainties, uncertainty_of};
use crate::gaussian::weighted;
use crate::inference::{MixtureFit, densest_labels, evaluate_mixture, log_densities, shares};
use crate::parameters::{Mixture, ParameterError};
use miscela_kernel::{BLOCK_ROWS, Block, Float, Samples, Threads};
use ndarray::{Array1, Array2, ArrayView2, Axis};

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
/// let mixture = Mixture::new(array![1.0], array![[1.0, 10.0]], covariance);
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
        self.shares(rows, 1.0, threads)
    }

    /// What an E-step at a temperature shares out given what each row shows, n × k; rows sum to one.
    pub fn shares(&self, rows: ArrayView2<F>, temperature: f64, threads: Threads) -> Array2<F> {
        let filled = self.filled(rows);
        let mut out = shares(&Samples::unchecked(&filled), self.density, temperature, threads);
        let shares = self.visit(rows, threads, |space, _| {
            share_or_first(&mut space.logs, temperature);
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

    /// 1 − maxₖ rₖ of each row given what it shows, n.
    pub fn uncertainties(&self, rows: ArrayView2<F>, threads: Threads) -> Array1<f64> {
        let out = uncertainties(&Samples::unchecked(&self.filled(rows)), self.density, threads);
        self.with_shares(out, rows, threads, uncertainty_of)
    }

    /// −Σ rₖ ln rₖ of each row given what it shows, n.
    pub fn entropies(&self, rows: ArrayView2<F>, threads: Threads) -> Array1<f64> {
        let out = entropies(&Samples::unchecked(&self.filled(rows)), self.density, threads);
        self.with_shares(out, rows, threads, entropy_of)
    }

    /// Figures of rows, with those of rows that have gaps replaced by what `figure` makes of their shares.
    fn with_shares(
        &self,
        mut out: Array1<f64>,
        rows: ArrayView2<F>,
        threads: Threads,
        figure: impl Fn(&[f64]) -> f64 + Sync + Send,
    ) -> Array1<f64> {
        let figures = self.visit(rows, threads, |space, _| {
            share_or_first(&mut space.logs, 1.0);
            figure(&space.logs)
        });
        figures.for_each(|(i, figure)| out[i] = figure);
        out
    }

    /// ln N(x_O; μₖ_O, Σₖ_OO) of each row and component of this mixture, without the weights: n × k.
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    pub fn component_log_densities(
        &self,
        mixture: &Mixture<F>,
        rows: ArrayView2<F>,
        threads: Threads,
    ) -> Result<Array2<F>, ParameterError> {
        let mut out = component_log_densities(&Samples::unchecked(&self.filled(rows)), mixture, threads)?;
        let mut whole = self.whole.clone();
        whole.log_weights.fill(0.0);
        let unweighted = Self { whole, density: self.density };
        let logs = unweighted.visit(rows, threads, |space, _| space.logs.clone());
        logs.for_each(|(i, logs)| out.row_mut(i).iter_mut().zip(logs).for_each(|(l, log)| *l = F::narrow(log)));
        Ok(out)
    }

    /// The rows with each missing value replaced by its conditional mean, n × d: Σ rₖ x̂ₖ. What is there stays as it is.
    pub fn impute(&self, rows: ArrayView2<F>, threads: Threads) -> Array2<F> {
        let mut out = rows.to_owned();
        let d = self.whole.width();
        let values = self.visit(rows, threads, |space, seen| {
            share_or_first(&mut space.logs, 1.0);
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
                total_weight: 0.0,
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
            fit.total_weight += w;
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
fn share_or_first(logs: &mut [f64], temperature: f64) {
    share(logs, temperature);
    if logs.iter().all(|r| *r == 0.0) {
        logs[0] = 1.0;
    }
}
