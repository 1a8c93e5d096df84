//! Weighted moments column by column, over the values that are there.

use crate::passes::over_lanes;
use crate::summary::at_least_zero;
use miscela_kernel::{Block, Float, Samples, Threads};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// For k clusters and d columns, over the values x that are there and the share r of their rows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct ColumnMoments {
    /// Σ r whatever is there, k.
    pub(crate) total: Vec<f64>,
    /// Σ r, k × d.
    pub(crate) weight: Vec<f64>,
    /// Σ r (x − shift), k × d.
    first: Vec<f64>,
    /// Σ r (x − shift)², k × d.
    second: Vec<f64>,
}

impl ColumnMoments {
    fn zero(k: usize, d: usize) -> Self {
        let zeros = |n| vec![0.0; n];
        Self { total: zeros(k), weight: zeros(k * d), first: zeros(k * d), second: zeros(k * d) }
    }

    /// Adds the moments of other rows, about the same shift.
    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.total, &other.total),
            (&mut self.weight, &other.weight),
            (&mut self.first, &other.first),
            (&mut self.second, &other.second),
        ];
        pairs.into_iter().for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(to, from)| *to += from));
    }

    /// Whether it is of so many clusters and columns, as far as it shows: it may come from elsewhere.
    pub(crate) fn has_shape(&self, k: usize, d: usize) -> bool {
        self.total.len() == k && [&self.weight, &self.first, &self.second].iter().all(|sums| sums.len() == k * d)
    }

    /// Where the mean of an entry lies from the shift; `None` where no value is.
    pub(crate) fn movement(&self, entry: usize) -> Option<f64> {
        (self.weight[entry] > 0.0).then(|| self.first[entry] / self.weight[entry])
    }

    /// Σ r (x − mean)² of an entry.
    pub(crate) fn scatter(&self, entry: usize) -> f64 {
        let moved = self.movement(entry).unwrap_or(0.0);
        at_least_zero(self.second[entry] - moved * self.first[entry])
    }
}

/// One pass: moments about `shift` (k × d), each row shared out as `share` says of its index and values.
pub(crate) fn column_moments<F: Float>(
    samples: &Samples<F>,
    shift: &[f64],
    share: impl Fn(usize, &[F], &mut [f64]) + Sync + Send,
    threads: Threads,
) -> ColumnMoments {
    let d = samples.n_columns();
    let (size, k) = (shift.len(), shift.len() / d);
    let empty = || ColumnMoments::zero(k, d);
    let add = |block: &Block<F>, moments: &mut ColumnMoments, shares: &mut Vec<f64>| {
        shares.resize(k, 0.0);
        for (i, row) in block.rows().enumerate().filter(|(i, _)| block.weight(*i) > 0.0) {
            share(block.first() + i, row, shares);
            for (c, r) in shares.iter().map(|r| r * block.weight(i)).enumerate().filter(|(_, r)| *r > 0.0) {
                moments.total[c] += r;
                for (j, x) in row.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                    let (at, z) = (c * d + j, x.widen() - shift[c * d + j]);
                    moments.weight[at] += r;
                    moments.first[at] += r * z;
                    moments.second[at] += r * z * z;
                }
            }
        }
    };
    let threads = threads.for_work((samples.n_rows() * (d + k)) as f64);
    let mut all = empty();
    for part in over_lanes(samples, 8 * (3 * size + k), threads, empty, add) {
        all.add(&part);
    }
    all
}
