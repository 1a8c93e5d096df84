//! Rows told apart by their values, and drawn without replacement by an exponential race.
//!
//! Let row i arrive after a time of rate wᵢ, Tᵢ = −ln(uᵢ)/wᵢ. The order of arrival is that of successive draws by weight
//! without replacement (Efraimidis & Spirakis 2006), and among equal rows the first arrives at the sum of their rates. So
//! taking rows in order of arrival and leaving out values seen before draws *values* by their total weight.

use crate::SeedingError;
use miscela_kernel::{Float, Lanes, Samples, Threads, uniform};
use std::cmp::Ordering;
use std::collections::HashSet;

/// A set of rows by value; 0 and −0 are the same value.
#[derive(Debug, Default)]
pub(crate) struct DistinctRows {
    keys: HashSet<Box<[u64]>>,
}

impl DistinctRows {
    /// Adds row `i`; whether its value is new.
    pub(crate) fn insert<F: Float>(&mut self, samples: &Samples<F>, i: usize) -> bool {
        self.keys.insert(key(samples, i))
    }

    pub(crate) fn contains<F: Float>(&self, samples: &Samples<F>, i: usize) -> bool {
        self.keys.contains(&key(samples, i))
    }
}

/// The values of a row as bits, 0 and −0 the same.
pub(crate) fn key<F: Float>(samples: &Samples<F>, i: usize) -> Box<[u64]> {
    // −0 + 0 = 0
    samples.rows().row(i).iter().map(|x| (*x + F::zero()).widen().to_bits()).collect()
}

/// Draws rows by weight, of values not in `seen`, until `picks` has k.
///
/// Only the rows that arrive early are remembered; where more of them than expected have values seen before, the others are
/// asked again. Cost: a random number a row, memory for O(k) rows in each lane.
pub(crate) fn race<F: Float>(
    samples: &Samples<F>,
    k: usize,
    picks: &mut Vec<usize>,
    seen: &mut DistinctRows,
    seed: u64,
    threads: Threads,
) -> Result<(), SeedingError> {
    let (mut most, mut latest) = (4 * k.saturating_sub(picks.len()) + 64, None);
    while picks.len() < k {
        let arrivals = earliest(samples, seed, most, latest, threads);
        for Arrival { row, .. } in &arrivals {
            if picks.len() < k && seen.insert(samples, *row) {
                picks.push(*row);
            }
        }
        if picks.len() < k && arrivals.len() < most {
            return Err(SeedingError::TooFewDistinct { distinct: picks.len(), k });
        }
        (latest, most) = (arrivals.last().copied(), 8 * most);
    }
    Ok(())
}

/// The first `most` rows to arrive after `latest`, in order; fewer if there are no more.
fn earliest<F: Float>(
    samples: &Samples<F>,
    seed: u64,
    most: usize,
    latest: Option<Arrival>,
    threads: Threads,
) -> Vec<Arrival> {
    let lanes = Lanes::new(samples.n_rows(), 0);
    let of_lane = |lane| {
        let counting = lanes.rows(lane).filter(|i| samples.weight(*i) > 0.0);
        let mut early: Vec<Arrival> = Vec::new();
        for arrival in counting.map(|row| Arrival::new(row, samples.weight(row), seed)) {
            if latest.is_none_or(|latest| arrival > latest) {
                early.push(arrival);
            }
            if early.len() >= 2 * most {
                early.select_nth_unstable(most - 1);
                early.truncate(most);
            }
        }
        early
    };
    const COST: f64 = 50.0;
    let lanes = threads.for_work(COST * samples.n_rows() as f64).map(lanes.count(), of_lane);
    let mut early = lanes.concat();
    early.sort_unstable();
    early.truncate(most);
    early
}

/// When a row arrives.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    log_time: f64,
    row: usize,
}

impl Arrival {
    fn new(row: usize, weight: f64, seed: u64) -> Self {
        // The logarithm of the time, so that no weight is too small or too large.
        Self { log_time: (-uniform::unit(uniform::of_row(seed, row)).ln()).ln() - weight.ln(), row }
    }
}

impl Ord for Arrival {
    /// By time; those that arrive together, by row.
    fn cmp(&self, other: &Self) -> Ordering {
        self.log_time.total_cmp(&other.log_time).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Arrival {}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn signed_zeros_are_one_value() {
        let rows = array![[0.0f32, 1.0], [-0.0, 1.0], [0.0, -1.0]];
        let samples = Samples::new(&rows).unwrap();
        let mut seen = DistinctRows::default();
        assert!(seen.insert(&samples, 0));
        assert!(!seen.insert(&samples, 1));
        assert!(!seen.contains(&samples, 2));
    }

    #[test]
    fn copies_are_passed_over_however_many_come_first() {
        // One row in a thousand is another value, so that the first to arrive are nearly all copies of one.
        let n = 50_000;
        let rows = Array2::from_shape_fn((n, 1), |(i, _)| if i % 1000 == 7 { i as f64 } else { 0.0 });
        let samples = Samples::new(&rows).unwrap();
        let (mut picks, mut seen) = (vec![], DistinctRows::default());
        race(&samples, 51, &mut picks, &mut seen, 3, Threads::One).unwrap();
        let mut values: Vec<f64> = picks.iter().map(|row| rows[[*row, 0]]).collect();
        values.sort_by(f64::total_cmp);
        let expected = (0..50).map(|i| (i * 1000 + 7) as f64);
        assert_eq!(values, std::iter::once(0.0).chain(expected).collect::<Vec<_>>());
        // In order of arrival, as if all had been lined up.
        let time = |row: &usize| Arrival::new(*row, 1.0, 3);
        assert!(picks.iter().map(time).is_sorted());
        let error = race(&samples, 52, &mut picks, &mut seen, 3, Threads::One).unwrap_err();
        assert_eq!(error, SeedingError::TooFewDistinct { distinct: 51, k: 52 });
    }

    #[test]
    fn extreme_weights_race() {
        let rows = array![[0.0], [1.0], [2.0]];
        let samples = Samples::weighted(&rows, vec![1e-30, 1e30, 1e-15]).unwrap();
        let mut picks = vec![];
        race(&samples, 3, &mut picks, &mut DistinctRows::default(), 1, Threads::One).unwrap();
        assert_eq!(picks, [1, 2, 0]);
    }
}
