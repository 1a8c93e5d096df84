//! Is the inertia lower than it would be if there were no clusters?
//!
//! ```text
//! gap(k)  =  mean over B reference sets of ln W*(k)  −  ln W(k)             W the inertia
//! se(k)   =  √(1 + 1/B) · standard deviation of ln W*(k) over the sets
//! ```
//!
//! Tibshirani, Walther & Hastie 2001. A reference set has as many rows, drawn evenly from a box: that of the columns' ranges,
//! or, better where columns are correlated, that of the rows' ranges along their principal axes. As k-means by L2 knows no
//! directions, the box is left in the coordinates of those axes.

use super::KMeansSelectionParams;
use crate::Float;
use crate::told::Steps;
use miscela_em::Summary;
use miscela_kernel::uniform::of_row;
use miscela_kernel::{BLOCK_ROWS, Samples, Threads};
use ndarray::{Array2, ArrayView2};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

/// The box that the reference sets of the gap statistic are drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapReference {
    /// Along the principal axes of the rows. Where there are no more rows than columns, that of the columns.
    #[default]
    PrincipalAxes,
    /// The ranges of the columns; for columns that are unrelated, or have bounds of their own.
    Columns,
}

/// What the reference sets say of one number of clusters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// The mean of ln W*.
    pub(super) mean: f64,
    /// The standard error.
    pub(super) error: f64,
}

impl<F: Float> KMeansSelectionParams<F> {
    /// What to expect for each number of clusters; none where a reference set cannot be clustered so, or has no inertia.
    pub(super) fn expected(&self, samples: &Samples<F>, threads: Threads, steps: &Steps) -> Vec<Option<Expected>> {
        let sides = match self.n_references {
            0 => return vec![None; self.ks.len()],
            _ => self.sides(samples, threads),
        };
        let n = samples.n_positive();
        let of_set = |set: usize| -> Vec<Option<f64>> {
            let seed = of_row(self.seed, set);
            let mut rng = Xoshiro256Plus::seed_from_u64(seed);
            let rows = Array2::from_shape_fn((n, sides.len()), |(_, j)| {
                let (low, high) = sides[j];
                F::narrow(low + (high - low) * rng.r#gen::<f64>())
            });
            // Finite, as the rows are whose box this is.
            let drawn = Samples::unchecked(&rows);
            let log = |k: &usize| {
                let model = self.fit_one(&drawn, *k, seed, threads);
                steps.step();
                let model = model.ok()?;
                Some(model.inertia_sum().ln()).filter(|log| log.is_finite())
            };
            self.ks.iter().map(log).collect()
        };
        let sets = threads.map(self.n_references, of_set);
        // Each of the rows drawn weighs what one of the data does on average.
        let weight = (samples.total_weight() / n as f64).ln();
        let of_k = |at: usize| {
            let logs: Vec<f64> = sets.iter().map(|set| set[at]).collect::<Option<_>>()?;
            let b = logs.len() as f64;
            let mean = logs.iter().sum::<f64>() / b;
            let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / b;
            Some(Expected { mean: mean + weight, error: (variance * (1.0 + 1.0 / b)).sqrt() })
        };
        (0..self.ks.len()).map(of_k).collect()
    }

    /// The ends of each side of the box, about the mean of the rows.
    fn sides(&self, samples: &Samples<F>, threads: Threads) -> Vec<(f64, f64)> {
        let (d, summary) = (samples.n_columns(), Summary::of(samples, threads));
        let axes = match self.reference {
            GapReference::Columns => None,
            GapReference::PrincipalAxes => {
                principal_axes(summary.clone().with_covariance(samples, threads).covariance, d)
            }
        };
        let axes = axes.unwrap_or_else(|| Array2::eye(d));
        let mut sides = vec![(f64::INFINITY, f64::NEG_INFINITY); d];
        let (mut scratch, mut centred) = (Vec::new(), Vec::new());
        for first in (0..samples.n_rows()).step_by(BLOCK_ROWS) {
            let block = samples.block(first..(first + BLOCK_ROWS).min(samples.n_rows()), &mut scratch);
            centred.clear();
            for (_, row) in block.rows().enumerate().filter(|(i, _)| block.weight(*i) > 0.0) {
                centred.extend(row.iter().zip(&summary.mean).map(|(x, m)| miscela_kernel::Float::widen(*x) - m));
            }
            let Ok(rows) = ArrayView2::from_shape((centred.len() / d, d), &centred) else { continue };
            for row in rows.dot(&axes).outer_iter() {
                sides.iter_mut().zip(row).for_each(|(side, x)| *side = (side.0.min(*x), side.1.max(*x)));
            }
        }
        sides
    }
}

/// The principal axes, d × d, one a column, of a covariance given by its lower triangle.
fn principal_axes(covariance: Option<Vec<f64>>, d: usize) -> Option<Array2<f64>> {
    let covariance = covariance?;
    let entry = |i: usize, j: usize| covariance[i.max(j) * (i.max(j) + 1) / 2 + i.min(j)];
    let dense: Vec<f64> = (0..d * d).map(|at| entry(at / d, at % d)).collect();
    Array2::from_shape_vec((d, d), miscela_linalg::eigen(&dense, d)?.vectors).ok()
}
