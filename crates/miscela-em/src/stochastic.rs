//! Stochastic assignment: each row to one component, drawn by its responsibilities.
//!
//! ```text
//! E: r ∝ wₖ Nₖ(x)    S: one component for each copy of a row, by r    M: as if these were the labels
//! ```
//!
//! Celeux & Diebolt (1985). The draws of a row are functions of a seed, the iteration and the row's number, so that they
//! are the same for any threads and lanes. A row of weight w is ⌈w⌉ copies drawn one by one, each with its part of w: an
//! integer weight is then, in distribution, as good as repeated rows. More than [`MOST`] copies are drawn as that many
//! heavier ones.

use crate::parameters::Mixture;
use miscela_kernel::{Column, Float, uniform};

/// The most copies of a row that are drawn one by one.
const MOST: f64 = 64.0;

/// Space to draw in.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// For each component, the shares up to and with it.
    cumulative: Vec<f64>,
    drawn: Vec<f64>,
}

impl Drawing {
    /// Replaces the shares of a tile's rows, one column a component, by draws. The tile's rows weigh `weights`, and the
    /// first of them is row `first` of the table. Adds to `counts`, one a component, the rows that have a share in it.
    pub(crate) fn draw<F: Float>(
        &mut self,
        columns: &mut [Column<F>],
        weights: &[F],
        (seed, first): (u64, usize),
        counts: &mut [u32],
    ) {
        for (i, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > F::zero()) {
            let shares = columns.iter().map(|column| column.0[i].widen());
            let Some(drawn) = self.draw_row(shares, weight.widen(), (seed, first + i)) else { continue };
            for ((column, drawn), count) in columns.iter_mut().zip(drawn).zip(&mut *counts) {
                column.0[i] = F::narrow(*drawn);
                *count += u32::from(*drawn > 0.0);
            }
        }
    }

    /// What of its weight each component gets of a row by draws, from its shares. A row to which every component gives
    /// density zero has no shares, and is drawn to none.
    pub(crate) fn draw_row(
        &mut self,
        shares: impl Iterator<Item = f64>,
        weight: f64,
        (seed, row): (u64, usize),
    ) -> Option<&[f64]> {
        let mut total = 0.0;
        self.cumulative.clear();
        self.cumulative.extend(shares.map(|share| {
            total += share;
            total
        }));
        if total <= 0.0 {
            return None;
        }
        let copies = weight.ceil().clamp(1.0, MOST);
        let of_row = uniform::of_row(seed, row);
        self.drawn.clear();
        self.drawn.resize(self.cumulative.len(), 0.0);
        for copy in 0..copies as usize {
            let at = total * uniform::unit(uniform::of_row(of_row, copy));
            // By rounding the product may be the total: the last with a share is then the first to reach it.
            let c = self.cumulative.partition_point(|sum| *sum <= at && *sum < total);
            self.drawn[c] += weight / copies;
        }
        Some(&self.drawn)
    }
}

/// The parameters of greatest likelihood so far. Those for which a component had to be repaired come after all others: a
/// draw may leave it next to nothing, and the likelihood of a collapsed one means little.
#[derive(Clone, Debug)]
pub(crate) struct Best<F> {
    kept: Option<(bool, f64, Mixture<F>)>,
    /// Whether the current parameters needed no repair.
    pub(crate) sound: bool,
}

impl<F: Float> Best<F> {
    pub(crate) fn new() -> Self {
        Self { kept: None, sound: true }
    }

    /// Considers the current parameters.
    pub(crate) fn offer(&mut self, log_likelihood: f64, mixture: &Mixture<F>) {
        let better = |(sound, best, _): &(bool, f64, Mixture<F>)| (self.sound, log_likelihood) > (*sound, *best);
        if self.kept.as_ref().is_none_or(better) {
            self.kept = Some((self.sound, log_likelihood, mixture.clone()));
        }
    }

    pub(crate) fn into_kept(self) -> Option<Mixture<F>> {
        self.kept.map(|(_, _, mixture)| mixture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shares that many rows of this weight are given by draws, summed.
    fn drawn(weight: f64, shares: &[f64], n: usize) -> (Vec<f64>, f64) {
        let (mut sums, mut squares) = (vec![0.0; shares.len()], 0.0);
        let mut drawing = Drawing::default();
        for row in 0..n {
            let mut columns: Vec<Column<f64>> = shares.iter().map(|r| Column::splat(r * weight)).collect();
            let mut counts = vec![0; shares.len()];
            drawing.draw(&mut columns, &[weight], (7, row), &mut counts);
            let got: Vec<f64> = columns.iter().map(|column| column.0[0]).collect();
            assert!((got.iter().sum::<f64>() - weight).abs() < 1e-12 * weight);
            assert_eq!(counts, got.iter().map(|r| u32::from(*r > 0.0)).collect::<Vec<_>>());
            sums.iter_mut().zip(&got).for_each(|(sum, r)| *sum += r / n as f64);
            squares += (got[0] - shares[0] * weight).powi(2) / n as f64;
        }
        (sums, squares)
    }

    #[test]
    fn copies_are_drawn_one_by_one() {
        let shares = [0.2, 0.0, 0.5, 0.3];
        for weight in [1.0, 3.0, 40.0, 0.25] {
            let (means, variance) = drawn(weight, &shares, 20_000);
            for (mean, share) in means.iter().zip(shares) {
                assert!((mean / weight - share).abs() < 0.012, "{weight}: {means:?}");
            }
            // Binomial: w copies of variance p(1 − p); a row lighter than one is one copy.
            let expected = if weight < 1.0 { weight * weight } else { weight } * 0.2 * 0.8;
            assert!((variance / expected - 1.0).abs() < 0.05, "{weight}: {variance} {expected}");
        }
        let (means, _) = drawn(1e6, &shares, 500);
        assert!((means[2] / 1e6 - 0.5).abs() < 0.01, "{means:?}");
    }

    #[test]
    fn repaired_parameters_are_kept_only_where_there_are_no_others() {
        let sphere = crate::Covariances::TiedSpherical(1.0);
        let mixture = |at: f64| Mixture::new(ndarray::array![1.0], ndarray::array![[at]], sphere.clone());
        let mut best = Best::new();
        for (sound, log_likelihood, at) in [(false, 9.0, 0.0), (true, -5.0, 1.0), (false, 10.0, 2.0), (true, -4.0, 3.0)]
        {
            best.sound = sound;
            best.offer(log_likelihood, &mixture(at));
        }
        assert_eq!(best.into_kept(), Some(mixture(3.0)));
    }
}
