//! The mean and variance of each column: the scale against which "small" is measured.

use crate::missing::column_moments;
use crate::passes::over_lanes;
use crate::statistics::{Statistics, Sums};
use miscela_kernel::{BLOCK_ROWS, Block, Float, Samples, SamplesError, Scatter, Threads};
use ndarray::ArrayView1;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Weighted mean and variance of each column.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Summary {
    /// d
    pub mean: Vec<f64>,
    /// d, about the mean, divided by Σ w.
    pub variance: Vec<f64>,
    /// Σ w
    pub total_weight: f64,
    /// The lower triangle of the covariance, divided by Σ w, if it [was asked for](Self::with_covariance).
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub covariance: Option<Vec<f64>>,
    /// Σ w of each column over the values that are there, d; nothing where all are.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub observed: Option<Vec<f64>>,
}

impl Summary {
    /// One pass over the rows, about the heaviest of them.
    ///
    /// That row is at most √(n·variance) from the mean, because it is one of the rows whose variance is taken: so the
    /// shift costs at most a relative n·u of the variance, however far from the origin the rows are.
    ///
    /// Where values are missing, of those that are there: two passes, one for the mean and one about it.
    pub fn of<F: Float>(samples: &Samples<F>, threads: Threads) -> Self {
        if samples.n_missing() > 0 {
            return Self::of_observed(samples, threads);
        }
        let heavier = |w: &[f64]| (1..w.len()).fold(0, |most, i| if w[i] > w[most] { i } else { most });
        let heaviest = samples.weights().map_or(0, heavier);
        let mut row = vec![F::zero(); samples.n_columns()];
        samples.copy_row(heaviest, &mut row);
        let (statistics, total_weight) = (about(samples, &row, Scatter::Diagonal, threads), samples.total_weight());
        let variance = statistics.scatter_about_mean(0).iter().map(|s| at_least_zero(*s) / total_weight).collect();
        let mean = statistics.means().into_raw_vec_and_offset().0;
        Self { mean, variance, total_weight, covariance: None, observed: None }
    }

    /// The same with the covariance of the columns, which takes another pass, if there are more rows than columns and no
    /// value is missing.
    pub fn with_covariance<F: Float>(mut self, samples: &Samples<F>, threads: Threads) -> Self {
        if samples.n_positive() > samples.n_columns() && samples.n_missing() == 0 {
            let scatter = self.scatter(samples, Scatter::Full, threads);
            self.covariance = Some(scatter.into_iter().map(|s| s / self.total_weight).collect());
        }
        self
    }

    /// Of these rows and others together: the parts' variances, and that of their means (Chan, Golub & LeVeque 1983).
    ///
    /// # Panics
    /// If the widths differ.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        assert_eq!(self.mean.len(), other.mean.len());
        let total_weight = self.total_weight + other.total_weight;
        let d = self.mean.len();
        let observed = |part: &Self| part.observed.clone().unwrap_or_else(|| vec![part.total_weight; d]);
        let (a, b) = (observed(self), observed(other));
        // The share of the other part in all that is seen of a column; nothing of nothing.
        let share = |j: usize| if b[j] > 0.0 { b[j] / (a[j] + b[j]) } else { 0.0 };
        let apart: Vec<f64> = self.mean.iter().zip(&other.mean).map(|(a, b)| b - a).collect();
        let variance = |j: usize| {
            let there = share(j);
            (1.0 - there) * self.variance[j] + there * other.variance[j] + (1.0 - there) * there * apart[j] * apart[j]
        };
        let (here, there) = (self.total_weight / total_weight, other.total_weight / total_weight);
        let covariance = |(a, b): (&Vec<f64>, &Vec<f64>)| {
            let mut pooled: Vec<f64> = a.iter().zip(b).map(|(a, b)| here * a + there * b).collect();
            Scatter::Full.add_row(here * there, &apart, &mut pooled);
            pooled
        };
        let has_gaps = self.observed.is_some() || other.observed.is_some();
        Self {
            mean: (0..d).map(|j| self.mean[j] + share(j) * apart[j]).collect(),
            variance: (0..d).map(variance).collect(),
            covariance: self.covariance.as_ref().zip(other.covariance.as_ref()).map(covariance),
            observed: has_gaps.then(|| a.iter().zip(&b).map(|(a, b)| a + b).collect()),
            total_weight,
        }
    }

    /// Whether each column has a value in a row that counts: what a fit needs.
    ///
    /// # Errors
    /// [`SamplesError::EmptyColumn`].
    pub fn check_columns(&self) -> Result<(), SamplesError> {
        let unseen = self.observed.as_ref().and_then(|observed| observed.iter().position(|w| *w <= 0.0));
        unseen.map_or(Ok(()), |column| Err(SamplesError::EmptyColumn { column }))
    }

    /// Whether values are missing in the rows.
    pub fn has_gaps(&self) -> bool {
        self.observed.is_some()
    }

    /// The scatter of the rows over Σ w − 1, as much of it as is asked for: the mean variance; it on the diagonal; the lower
    /// triangle of the covariance, or of the variances where there is no covariance.
    pub(crate) fn scatter_unbiased(&self, scatter: Scatter) -> Vec<f64> {
        let d = self.variance.len();
        let unbiased = if self.total_weight > 1.0 { self.total_weight / (self.total_weight - 1.0) } else { 1.0 };
        let values = match scatter {
            Scatter::Spherical => vec![self.mean_variance()],
            Scatter::Diagonal => vec![self.mean_variance(); d],
            Scatter::Full => self.covariance.clone().unwrap_or_else(|| {
                let entry = |i: usize, j: usize| if i == j { self.variance[i] } else { 0.0 };
                (0..d).flat_map(|i| (0..=i).map(move |j| entry(i, j))).collect()
            }),
        };
        values.into_iter().map(|value| unbiased * value).collect()
    }

    fn of_observed<F: Float>(samples: &Samples<F>, threads: Threads) -> Self {
        let counts = |i: &usize| samples.weight(*i) > 0.0;
        let first = |column: ArrayView1<F>| {
            (0..column.len()).filter(counts).map(|i| column[i].widen()).find(|x| !x.is_nan()).unwrap_or(0.0)
        };
        let first: Vec<f64> = samples.rows().columns().into_iter().map(first).collect();
        let whole = |_: usize, _: &[F], shares: &mut [f64]| shares[0] = 1.0;
        let moments = column_moments(samples, &first, whole, threads);
        let moved = |(j, x): (usize, &f64)| x + moments.movement(j).unwrap_or(0.0);
        let mean: Vec<f64> = first.iter().enumerate().map(moved).collect();
        let moments = column_moments(samples, &mean, whole, threads);
        // Some of the rows may show nothing of a column that others show.
        let variance = |j: usize| if moments.weight[j] > 0.0 { moments.scatter(j) / moments.weight[j] } else { 0.0 };
        let (variance, total_weight) = ((0..mean.len()).map(variance).collect(), samples.total_weight());
        Self { mean, variance, total_weight, covariance: None, observed: Some(moments.weight) }
    }

    /// Σ w (x − μ)(x − μ)ᵀ of all rows, as much of it as asked for. One pass.
    pub(crate) fn scatter<F: Float>(&self, samples: &Samples<F>, scatter: Scatter, threads: Threads) -> Vec<f64> {
        about(samples, &self.offset(), scatter, threads).scatter_about_mean(0)
    }

    /// The mean of the rows in their own number type: what kernels take off rows and centroids alike.
    pub fn offset<F: Float>(&self) -> Vec<F> {
        self.mean.iter().map(|m| F::narrow(*m)).collect()
    }

    /// The mean over columns of their variances: what a k-means tolerance is relative to.
    pub fn mean_variance(&self) -> f64 {
        self.variance.iter().map(|v| v / self.variance.len() as f64).sum()
    }

    /// The variance of each column, or for a constant column something of the data's scale, so that it is never zero. Constant is
    /// also a column whose variance is too small for `F`, as covariances are numbers of that type.
    pub fn positive_variance<F: Float>(&self) -> Vec<f64> {
        let least = F::min_positive_value().widen();
        let reach = self.mean.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let fallback = [self.mean_variance(), reach * reach, 1.0].into_iter().find(|v| *v > 0.0).unwrap_or(1.0);
        self.variance.iter().map(|v| if *v >= least { *v } else { fallback }).collect()
    }
}

/// A sum of squares, of which rounding may have left less than nothing. No number, which is what sums that overflowed leave, stays none:
/// it is not to look like nothing.
pub(crate) fn at_least_zero(square: f64) -> f64 {
    if square < 0.0 { 0.0 } else { square }
}

/// All rows as one cluster, about a given point.
pub(crate) fn about<F: Float>(samples: &Samples<F>, shift: &[F], scatter: Scatter, threads: Threads) -> Statistics {
    let d = samples.n_columns();
    // Each number is widened and added twice or more.
    let threads = threads.for_work(4.0 * samples.n_rows() as f64 * scatter.len(d) as f64);
    let empty = || Sums::zero(1, d, scatter);
    let add = |block: &Block<F>, sums: &mut Sums, (): &mut ()| {
        sums.hard().add(block, &[0; BLOCK_ROWS][..block.len()], shift);
    };
    let parts = over_lanes(samples, Sums::bytes(1, d, scatter), threads, empty, add);
    let mut total = empty();
    parts.iter().for_each(|sums| total.add(sums));
    Statistics::new(0, shift.iter().map(|x| x.widen()).collect(), total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn an_offset_costs_no_digits() {
        let rows = array![[1e8 + 1.0, 5.0], [1e8 + 2.0, 5.0], [1e8 + 3.0, 5.0]];
        let summary = Summary::of(&Samples::weighted(&rows, vec![1.0, 2.0, 1.0]).unwrap(), Threads::One);
        assert_eq!(summary.mean, [1e8 + 2.0, 5.0]);
        assert_eq!(summary.variance, [0.5, 0.0]);
        assert_eq!(summary.positive_variance::<f64>(), [0.5, 0.25]);
    }

    #[test]
    fn squares_that_overflow_are_no_variance_of_zero() {
        for gap in [1.0, f64::NAN] {
            let rows = array![[gap, -1.6e307], [1.0, 2.0], [3.0, 2.0]];
            let summary = Summary::of(&Samples::with_missing(&rows, None).unwrap(), Threads::One);
            assert!(!summary.variance[1].is_finite(), "{gap}: {}", summary.variance[1]);
        }
    }

    #[test]
    fn a_variance_that_the_type_does_not_hold_is_none() {
        let rows = array![[1.0, 1e-30], [3.0, 3e-30]];
        let summary = Summary::of(&Samples::new(&rows).unwrap(), Threads::One);
        let [wide, narrow] = [summary.positive_variance::<f64>(), summary.positive_variance::<f32>()];
        assert!(wide[0] == 1.0 && wide[1] < 1e-59, "{wide:?}");
        assert_eq!(narrow, [1.0, 0.5]);
    }

    #[test]
    fn variances_are_the_diagonal_of_the_covariance() {
        let rows = array![[0.0, 1.0], [4.0, 3.0], [2.0, -1.0]];
        let samples = Samples::weighted(&rows, vec![1.0, 1.0, 2.0]).unwrap();
        let summary = Summary::of(&samples, Threads::One).with_covariance(&samples, Threads::One);
        assert_eq!(summary.variance, [2.0, 2.75]);
        assert_eq!(summary.covariance, Some(vec![2.0, 1.0, 2.75]));
        // As many rows as columns say nothing of how these go together.
        let few = Samples::weighted(&rows, vec![1.0, 1.0, 0.0]).unwrap();
        assert_eq!(Summary::of(&few, Threads::One).with_covariance(&few, Threads::One).covariance, None);
    }
}
