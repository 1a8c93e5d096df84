//! Rows told apart by their values, and drawn without replacement by an exponential race.
//!
//! Let row i arrive after a time of rate wᵢ, Tᵢ = −ln(uᵢ)/wᵢ. The order of arrival is that of successive draws by weight
//! without replacement (Efraimidis & Spirakis 2006), and among equal rows the first arrives at the sum of their rates. So
//! taking rows in order of arrival and leaving out values seen before draws *values* by their total weight.

use crate::{SeedingError, uniform};
use miscela_kernel::{Float, Lanes, Samples, Threads};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

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
/// Cost: a random number a row and O(log n) for each row drawn or left out.
pub(crate) fn race<F: Float>(
    samples: &Samples<F>,
    k: usize,
    picks: &mut Vec<usize>,
    seen: &mut DistinctRows,
    seed: u64,
    threads: Threads,
) -> Result<(), SeedingError> {
    let mut arrivals = arrivals(samples, seed, threads);
    while picks.len() < k {
        match arrivals.pop() {
            Some(Arrival { row, .. }) if seen.insert(samples, row) => picks.push(row),
            Some(_) => {}
            None => return Err(SeedingError::TooFewDistinct { distinct: picks.len(), k }),
        }
    }
    Ok(())
}

fn arrivals<F: Float>(samples: &Samples<F>, seed: u64, threads: Threads) -> BinaryHeap<Arrival> {
    let lanes = Lanes::new(samples.n_rows(), 0);
    let of_lane = |lane| -> Vec<Arrival> {
        let counting = lanes.rows(lane).filter(|i| samples.weight(*i) > 0.0);
        counting.map(|row| Arrival::new(row, samples.weight(row), seed)).collect()
    };
    const COST: f64 = 50.0;
    let arrivals = threads.for_work(COST * samples.n_rows() as f64).map(lanes.count(), of_lane);
    arrivals.concat().into()
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
    /// The greatest is the earliest, which a heap hands out first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.log_time.total_cmp(&self.log_time).then(other.row.cmp(&self.row))
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
    use ndarray::array;

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
    fn extreme_weights_race() {
        let rows = array![[0.0], [1.0], [2.0]];
        let samples = Samples::weighted(&rows, vec![1e-30, 1e30, 1e-15]).unwrap();
        let mut picks = vec![];
        race(&samples, 3, &mut picks, &mut DistinctRows::default(), 1, Threads::One).unwrap();
        assert_eq!(picks, [1, 2, 0]);
    }
}
