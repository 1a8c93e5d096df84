//! k distinct rows, by weight.
//!
//! Forgy's start (1965): rows drawn one after another without replacement, each with a chance proportional to its weight.
//! Once a row is drawn, its copies are out.

use crate::distinct::{DistinctRows, race};
use crate::{Seeding, SeedingError, Seeds, check};
use miscela_distance::Distance;
use miscela_kernel::{Float, Samples, Threads};
use rand::RngCore;

/// k distinct rows, by weight.
///
/// Cost: a random number a row, no distances. The inertia it starts from is often many times that of
/// [`KMeansPlusPlus`](crate::KMeansPlusPlus).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Random;

impl<F: Float, D: Distance<F>> Seeding<F, D> for Random {
    fn seed(
        &self,
        samples: &Samples<F>,
        k: usize,
        distance: &D,
        threads: Threads,
        rng: &mut dyn RngCore,
    ) -> Result<Seeds<F>, SeedingError> {
        check(samples, k, distance, threads)?;
        let mut rows = Vec::with_capacity(k);
        race(samples, k, &mut rows, &mut DistinctRows::default(), rng.next_u64(), threads)?;
        Ok(Seeds::of_rows(samples, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use ndarray::array;

    conformance::laws!(Random);

    #[test]
    fn rows_are_drawn_by_weight_without_replacement() {
        // Rows 1 and 3 are copies: the first of them to be drawn puts the other out.
        let rows = array![[0.0], [1.0], [2.0], [1.0], [3.0]];
        let weights = [1.0, 2.0, 0.5, 1.5, 0.0];
        conformance::follows(&Random, &rows, &weights, 2, |i, picks| {
            if picks.iter().any(|pick| rows.row(*pick) == rows.row(i)) { 0.0 } else { weights[i] }
        });
    }
}
