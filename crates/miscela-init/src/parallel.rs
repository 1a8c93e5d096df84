//! k-means‖: many candidates in a few passes over the rows, then k of them.
//!
//! ```text
//! pick a row by weight
//! r times:  each row tosses a coin, about ℓ fall in all, likelier for rows far from the picks; pick those rows
//! weigh each pick by the rows nearest to it; k-means++ among the picks
//! ```
//!
//! Bahmani, Moseley, Vattani, Kumar & Vassilvitskii (2012), with ℓ = 2k and r = 5 as they advise. Their coin falls with
//! probability min(1, p), p = ℓ·wD²/Σ wD²; here it is 1 − e⁻ᵖ, the chance that at least one of a Poisson number of draws
//! hits the row. The two agree for small p, and the second makes a row of weight 2 exactly as likely as two copies of it.
//!
//! The coin of a row is a function of a seed and the row's number, so the picks do not depend on threads.

use crate::reach::Reach;
use crate::{KMeansPlusPlus, Seeding, SeedingError, Seeds, check};
use miscela_distance::Distance;
use miscela_kernel::{Float, Samples, Threads};
use ndarray::Array2;
use rand::RngCore;

/// k-means‖.
///
/// Cost: about n·k·oversampling·rounds distances in `rounds` + 1 passes over the rows, and 17 bytes a row. That is more
/// distances than [`KMeansPlusPlus`] needs, but they are computed many at a time by the fused nearest kernel, and nearly
/// all of k passes are saved: use it for large k, or where rows are slow to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KMeansParallel {
    /// The number of rows expected in each round, ℓ, as a multiple of k.
    pub oversampling: f64,
    /// The number of rounds, r.
    pub rounds: usize,
}

impl Default for KMeansParallel {
    /// ℓ = 2k, r = 5.
    fn default() -> Self {
        Self { oversampling: 2.0, rounds: 5 }
    }
}

impl<F: Float, D: Distance<F>> Seeding<F, D> for KMeansParallel {
    fn seed(
        &self,
        samples: &Samples<F>,
        k: usize,
        distance: &D,
        threads: Threads,
        rng: &mut dyn RngCore,
    ) -> Result<Seeds<F>, SeedingError> {
        check(samples, k, distance, threads)?;
        if !(self.oversampling > 0.0 && self.oversampling.is_finite()) {
            return Err(SeedingError::Oversampling(self.oversampling));
        }
        let mut reach = Reach::new(samples, distance, threads);
        let mut owners = vec![0; samples.n_rows()];
        KMeansPlusPlus::default().grow(&mut reach, 1, rng)?;
        for _ in 0..self.rounds {
            let fallen = reach.coins(self.oversampling * k as f64, rng.next_u64());
            reach.pick(&fallen, &mut owners);
        }
        let rows = if reach.picks().len() > k {
            reduce(samples, reach.picks(), &owners, k, distance, threads, rng)?
        } else {
            KMeansPlusPlus::default().grow(&mut reach, k, rng)?;
            reach.into_picks()
        };
        Ok(Seeds::of_rows(samples, rows))
    }
}

/// k of the picks, of which there are more. Each row is nearest to the pick that `owners` says.
fn reduce<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    picks: &[usize],
    owners: &[u32],
    k: usize,
    distance: &D,
    threads: Threads,
    rng: &mut dyn RngCore,
) -> Result<Vec<usize>, SeedingError> {
    let mut weighed: Vec<(usize, f64)> = picks.iter().map(|pick| (*pick, 0.0)).collect();
    owners.iter().enumerate().for_each(|(row, owner)| weighed[*owner as usize].1 += samples.weight(row));
    // A pick may lie so close to another that the distance rounds to 0, and then owns no rows.
    weighed.sort_by_key(|(_, weight)| *weight == 0.0);
    let owning = weighed.partition_point(|(_, weight)| *weight > 0.0);
    weighed.truncate(owning.max(k));
    let (rows, weights): (Vec<usize>, Vec<f64>) = weighed.into_iter().unzip();
    if rows.len() == k {
        return Ok(rows);
    }
    let candidates: Array2<F> = Seeds::of_rows(samples, rows.clone()).centres;
    // As shares, none too small to be a weight.
    let share = |w: f64| if w > 0.0 { (w / samples.total_weight()).max(1e-30) } else { 0.0 };
    let weights: Vec<f64> = weights.into_iter().map(share).collect();
    let candidates = Samples::weighted(&candidates, weights)?;
    let mut chosen = Reach::new(&candidates, distance, threads);
    KMeansPlusPlus::default().grow(&mut chosen, k, rng)?;
    Ok(chosen.into_picks().into_iter().map(|c| rows[c]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Random, conformance};
    use miscela_distance::L2;
    use ndarray::array;
    use rand_xoshiro::Xoshiro256Plus;
    use rand_xoshiro::rand_core::SeedableRng;

    conformance::laws!(KMeansParallel::default());

    #[test]
    fn starts_better_than_random() {
        let [parallel, random] =
            [conformance::mean_potential(&KMeansParallel::default()), conformance::mean_potential(&Random)];
        assert!(parallel < random, "{parallel} {random}");
    }

    #[test]
    fn candidates_stand_for_the_rows_near_them() {
        // The far row is nearly always one of about ten candidates, and stands for one row in 2000.
        let rows = Array2::from_shape_fn((2000, 1), |(i, _)| if i == 0 { 1e3 } else { (i % 50) as f64 });
        let samples = Samples::new(&rows).unwrap();
        let far = |seed: &u64| {
            let mut rng = Xoshiro256Plus::seed_from_u64(*seed);
            let found = KMeansParallel::default().seed(&samples, 1, &L2, Threads::One, &mut rng).unwrap();
            found.centres[[0, 0]] == 1e3
        };
        assert!((0..300).filter(far).count() < 5);
    }

    #[test]
    fn too_few_candidates_are_topped_up() {
        let rows = Array2::from_shape_fn((50, 1), |(i, _)| i as f64);
        let samples = Samples::new(&rows).unwrap();
        let mut rng = Xoshiro256Plus::seed_from_u64(1);
        let method = KMeansParallel { oversampling: 0.01, rounds: 1 };
        let found = method.seed(&samples, 30, &L2, Threads::One, &mut rng).unwrap();
        assert_eq!(found.rows.unwrap().len(), 30);
    }

    #[test]
    fn oversampling_must_be_a_positive_number() {
        let rows = array![[0.0], [1.0]];
        let samples = Samples::new(&rows).unwrap();
        for oversampling in [0.0, -1.0, f64::INFINITY] {
            let mut rng = Xoshiro256Plus::seed_from_u64(1);
            let method = KMeansParallel { oversampling, rounds: 5 };
            let found = method.seed(&samples, 1, &L2, Threads::One, &mut rng);
            assert_eq!(found, Err(SeedingError::Oversampling(oversampling)));
        }
    }
}
