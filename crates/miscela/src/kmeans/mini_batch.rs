//! K-means by batches that are drawn from a table: where it starts, and what the engine is told.

use super::{KMeansError, KMeansValidParams};
use crate::Float;
use miscela_distance::{CentreRule, Centred};
use miscela_em::{KMeansBatches, Learning, drawn_rows};
use miscela_init::{KMeansInit, Seeding};
use miscela_kernel::{Samples, Threads};
use ndarray::{Array2, Axis};
use rand::RngCore;
use rand_xoshiro::Xoshiro256Plus;

/// The batches whose rows a start is found in.
const START_BATCHES: usize = 3;
/// The part of its rows that a centre remembers, unless something else is asked for.
const DRAWN_MEMORY: f64 = 0.1;
/// The rows for each centre that a start is found in, at least.
const START_ROWS: usize = 30;

impl<F: Float, R, D: Centred<F>> KMeansValidParams<F, R, D> {
    /// Whether centres can be learnt from a part of the rows, and from these.
    pub(super) fn check_batch(&self, samples: &Samples<F>) -> Result<(), KMeansError> {
        if self.distance().centre_rule() != CentreRule::Mean {
            return Err(KMeansError::NeedsRows);
        }
        if samples.n_missing() > 0 {
            return Err(KMeansError::MissingInBatch);
        }
        Ok(())
    }
}

impl<F: Float, D: Centred<F>> KMeansValidParams<F, (), D> {
    /// The batches of a fit by batches.
    pub(super) fn batches<'a, 's>(
        &self,
        samples: &'a Samples<'s, F>,
        seed: u64,
        threads: Threads,
    ) -> Option<KMeansBatches<'a, 's, F>> {
        let learning = Learning { memory: self.memory(DRAWN_MEMORY), reseed_below: self.reassignment_ratio(), seed };
        let max_iterations = self.iteration_limit();
        let batches = |batch| KMeansBatches { samples, batch, learning, max_iterations, threads };
        self.mini_batch().map(batches)
    }

    /// Start centres, k × d, found in some rows of a table that is fitted by batches; none where all rows are few enough, or
    /// those that were drawn hold too few values.
    pub(super) fn start_of_drawn(
        &self,
        samples: &Samples<F>,
        threads: Threads,
        rng: &mut Xoshiro256Plus,
    ) -> Option<Array2<F>> {
        let (init, k) = (self.init_method(), self.n_clusters());
        let batch = self.mini_batch().filter(|_| !matches!(init, KMeansInit::Precomputed(_)))?;
        let count = batch.batch_size.saturating_mul(START_BATCHES).max(k * START_ROWS);
        if count >= samples.n_positive() {
            return None;
        }
        let rows = samples.rows().select(Axis(0), &drawn_rows(samples, count, rng.next_u64()));
        let drawn = Samples::new(&rows).ok()?;
        init.seed(&drawn, k, self.distance(), threads, rng).ok().map(|seeds| seeds.centres)
    }
}
