//! k-means++: rows far from those picked before.
//!
//! ```text
//! pick a row by weight
//! until there are k: draw t rows by weight × D², D the distance to the nearest pick;
//!                    pick the one that leaves the smallest Σ w·D²
//! ```
//!
//! With t = 1 this is Arthur & Vassilvitskii (2007), whose inertia is at most 8(ln k + 2) times the best, in expectation;
//! the greedy choice among t = 2 + ⌊ln k⌋ is theirs too and is better in practice. D² is the reduced distance of whatever
//! distance is given.

use crate::reach::Reach;
use crate::{Seeding, SeedingError, Seeds, check};
use miscela_distance::Distance;
use miscela_kernel::{Float, Samples, Threads};
use rand::RngCore;

/// k-means++, greedy unless told otherwise.
///
/// Cost: at most n·k·t distances in k passes over the rows, and 13 bytes a row. For Euclidean distances a screen of bounds
/// in `f32` leaves few of them: rows, and in clustered data whole groups of rows, that a candidate cannot come nearer to
/// are not measured. It takes up to a quarter of the rows' memory and 24 MB for its copy of the rows, and nothing where
/// n·d·k·t is below a million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KMeansPlusPlus {
    /// The number t of rows tried for each centre; `None` is 2 + ⌊ln k⌋.
    pub trials: Option<usize>,
}

impl KMeansPlusPlus {
    /// One trial: the method of 2007, whose picks follow the D² distribution exactly.
    pub fn classic() -> Self {
        Self { trials: Some(1) }
    }

    fn trials(self, k: usize) -> usize {
        self.trials.unwrap_or_else(|| 2 + (k.max(1) as f64).ln() as usize)
    }

    /// Picks rows until there are k.
    pub(crate) fn grow<F: Float, D: Distance<F>>(
        self,
        reach: &mut Reach<F, D>,
        k: usize,
        rng: &mut dyn RngCore,
    ) -> Result<(), SeedingError> {
        let mut expected = false;
        while reach.picks().len() < k {
            let first = reach.picks().is_empty();
            if !first && !expected {
                reach.expect(k - 1, self.trials(k));
                expected = true;
            }
            let trials = if first { 1 } else { self.trials(k) };
            let mut candidates: Vec<usize> = Vec::with_capacity(trials);
            for row in (0..trials).map_while(|_| reach.draw(rng)) {
                if !candidates.contains(&row) {
                    candidates.push(row);
                }
            }
            if candidates.is_empty() {
                // Copies of the picks are left, or rows so close to them that the distance rounds to 0.
                return reach.pick_by_weight(k, rng.next_u64());
            }
            reach.pick_best(&candidates);
        }
        Ok(())
    }
}

impl<F: Float, D: Distance<F>> Seeding<F, D> for KMeansPlusPlus {
    fn seed(
        &self,
        samples: &Samples<F>,
        k: usize,
        distance: &D,
        threads: Threads,
        rng: &mut dyn RngCore,
    ) -> Result<Seeds<F>, SeedingError> {
        check(samples, k, distance, threads)?;
        if self.trials == Some(0) {
            return Err(SeedingError::NoTrials);
        }
        let mut reach = Reach::new(samples, distance, threads);
        self.grow(&mut reach, k, rng)?;
        Ok(Seeds::of_rows(samples, reach.into_picks()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Random, conformance};
    use miscela_distance::L2;
    use ndarray::{Array2, array};
    use rand_xoshiro::Xoshiro256Plus;
    use rand_xoshiro::rand_core::SeedableRng;

    mod greedy {
        use crate::conformance;
        conformance::laws!(KMeansPlusPlus::default());
    }

    mod classic {
        use crate::conformance;
        conformance::laws!(KMeansPlusPlus::classic());
    }

    fn follows_d_square(rows: &Array2<f64>, weights: &[f64], k: usize) {
        conformance::follows(&KMeansPlusPlus::classic(), rows, weights, k, |i, picks| {
            let squared = |pick: &usize| (rows[[i, 0]] - rows[[*pick, 0]]).powi(2);
            weights[i] * picks.iter().map(squared).reduce(f64::min).unwrap_or(1.0)
        });
    }

    #[test]
    fn classic_picks_follow_the_d_square_distribution() {
        let rows = array![[0.0], [1.0], [3.0], [10.0]];
        follows_d_square(&rows, &[1.0; 4], 2);
        follows_d_square(&rows, &[1.0; 4], 3);
        follows_d_square(&rows, &[1.0, 2.5, 0.0, 0.75], 2);
        follows_d_square(&(rows * 1e-150 + 0.0), &[3.0, 1.0, 1.0, 2.0], 3);
    }

    #[test]
    fn greedy_picks_follow_their_distribution() {
        let rows: Array2<f64> = array![[0.0], [1.0], [3.0], [10.0], [11.0]];
        for (weights, trials) in [([1.0; 5], 2), ([1.0, 2.5, 0.0, 0.75, 3.0], 2), ([2.0, 1.0, 1.0, 0.5, 0.25], 3)] {
            let method = KMeansPlusPlus { trials: Some(trials) };
            let left = |i: usize, picks: &[usize]| {
                let squared = |pick: &usize| (rows[[i, 0]] - rows[[*pick, 0]]).powi(2);
                weights[i] * picks.iter().map(squared).reduce(f64::min).unwrap_or(1.0)
            };
            let potential = |picks: &[usize]| (0..5).map(|i| left(i, picks)).sum::<f64>();
            // Every sequence of draws, its chance, and the draw that leaves least; the first of equals.
            conformance::follows(&method, &rows, &weights, 3, |row, picks| {
                let masses: Vec<f64> = (0..5).map(|i| left(i, picks)).collect();
                if picks.is_empty() {
                    return masses[row];
                }
                let mut chance = 0.0;
                for code in 0..5usize.pow(trials as u32) {
                    let draws: Vec<usize> = (0..trials as u32).map(|t| code / 5usize.pow(t) % 5).collect();
                    let leaves = |i: usize| potential(&[picks, &[i]].concat());
                    let best = draws.iter().copied().reduce(|a, b| if leaves(b) < leaves(a) { b } else { a });
                    if best == Some(row) {
                        chance += draws.iter().map(|i| masses[*i]).product::<f64>();
                    }
                }
                chance
            });
        }
    }

    #[test]
    fn greedy_starts_better_than_classic_and_classic_better_than_random() {
        let [greedy, classic, random] = [
            conformance::mean_potential(&KMeansPlusPlus::default()),
            conformance::mean_potential(&KMeansPlusPlus::classic()),
            conformance::mean_potential(&Random),
        ];
        assert!(greedy < classic && classic < random, "{greedy} {classic} {random}");
    }

    #[test]
    fn trials_are_two_and_the_logarithm_unless_set() {
        let trials = |k| KMeansPlusPlus::default().trials(k);
        assert_eq!([trials(1), trials(3), trials(8), trials(100)], [2, 3, 4, 6]);
        let rows = array![[0.0], [1.0]];
        let samples = Samples::new(&rows).unwrap();
        let mut rng = Xoshiro256Plus::seed_from_u64(0);
        let none = KMeansPlusPlus { trials: Some(0) }.seed(&samples, 1, &L2, Threads::One, &mut rng);
        assert_eq!(none, Err(SeedingError::NoTrials));
    }

    /// The square, with a rounding error even from a row to itself.
    #[derive(Clone, Debug)]
    struct Rounding;

    impl Distance<f64> for Rounding {
        fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
            (a[0] - b[0]).powi(2) + 1e-3
        }
    }

    #[test]
    fn copies_of_a_pick_stay_out_even_if_their_distance_rounds_above_zero() {
        let rows = Array2::from_shape_fn((200, 1), |(i, _)| (i % 4) as f64);
        let samples = Samples::new(&rows).unwrap();
        for seed in 0..50 {
            let mut rng = Xoshiro256Plus::seed_from_u64(seed);
            let found = KMeansPlusPlus::default().seed(&samples, 4, &Rounding, Threads::One, &mut rng).unwrap();
            let mut values = found.centres.into_raw_vec_and_offset().0;
            values.sort_by(f64::total_cmp);
            assert_eq!(values, [0.0, 1.0, 2.0, 3.0]);
            let many = KMeansPlusPlus::default().seed(&samples, 5, &Rounding, Threads::One, &mut rng);
            assert_eq!(many, Err(SeedingError::TooFewDistinct { distinct: 4, k: 5 }));
        }
    }
}
