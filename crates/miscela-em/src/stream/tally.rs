//! K-means from batches: each centre is the mean of all rows that it was ever given.
//!
//! ```text
//! N ← N + Σ w,   c ← c + Σ w (x − c)/N       over the rows of the batch nearest to c
//! ```
//!
//! A row thus moves its centre by w/N of the way, the learning rate by counts of Sculley (2010), here for a whole batch at once.
//! Rates that sum to ln N make for slow learning: after T batches it is where some ln T iterations over all rows would be. So
//! a centre may remember less, the latest part of its rows ([`Learning::memory`]): the last N' of N, and N' takes the place
//! of N above. Learning is then 1/memory times as fast, and a centre is as exact as the mean of about 2N' rows.

use crate::centroids::KMeansFamily;
use crate::engine::Session;
use crate::inference::CentroidFit;
use crate::plan::Algorithm;
use crate::report::RepairAction;
use crate::statistics::Statistics;
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Threads};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A centre remembers so much weight, unless it was given less.
const LEAST_REMEMBERED: f64 = 50.0;

/// How k-means learns from a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learning {
    /// The part of its rows, the latest, that a centre is the mean of, above 0 and at most 1; of all of them while they weigh
    /// 50 or less.
    pub memory: f64,
    /// Centres whose count is below this fraction of the largest are re-seeded; zero: none.
    pub reseed_below: f64,
    /// What the draws for that are functions of, besides the batch: another for each batch.
    pub seed: u64,
}

impl Default for Learning {
    /// Means of all rows, and no re-seeding.
    fn default() -> Self {
        Self { memory: 1.0, reseed_below: 0.0, seed: 0 }
    }
}

impl Learning {
    /// The weight that a centre is the mean of after a batch that gave it `new` and made it `count` in all.
    fn remembered(self, count: f64, new: f64) -> f64 {
        count.min((self.memory * count).max(LEAST_REMEMBERED)).max(new)
    }
}

/// What a stream of batches has given each centre.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Tally {
    /// The weight of the rows that each centre was given, k.
    pub counts: Vec<f64>,
    /// The largest count when the centre was last re-seeded, k; zero if it never was.
    pub reseeded_at: Vec<f64>,
}

impl Tally {
    /// Centres that are the means of rows of these weights, k.
    pub fn new(counts: Vec<f64>) -> Self {
        Self { reseeded_at: vec![0.0; counts.len()], counts }
    }

    /// Whether it is one of k centres.
    pub fn fits(&self, k: usize) -> bool {
        let sound = |all: &[f64]| all.len() == k && all.iter().all(|x| x.is_finite() && *x >= 0.0);
        sound(&self.counts) && sound(&self.reseeded_at)
    }

    /// The same with centre `order[i]` as the i-th.
    ///
    /// # Panics
    /// If `order` names a centre that there is not.
    #[must_use]
    pub fn in_order(&self, order: &[usize]) -> Self {
        let select = |all: &[f64]| order.iter().map(|c| all[*c]).collect();
        Self { counts: select(&self.counts), reseeded_at: select(&self.reseeded_at) }
    }
}

/// What one batch did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BatchStep {
    /// How well the centres before it fitted the batch.
    pub fit: CentroidFit,
    /// How far the centres moved, squared and summed.
    pub shift2: f64,
    /// How far they would have moved if the batch were all there is.
    pub pull2: f64,
    /// Component, action, detail.
    pub repairs: Vec<(usize, RepairAction, String)>,
}

impl<F: Float, D: Centred<F>> KMeansFamily<F, D> {
    /// Moves the centres by one batch, and re-seeds those that starve.
    ///
    /// Only for distances whose centre is a plain mean: no such average of old and new is a median or a direction.
    ///
    /// ```
    /// use miscela_distance::L2;
    /// use miscela_em::{KMeansFamily, Learning, Tally};
    /// use miscela_kernel::{Samples, Threads};
    /// use ndarray::array;
    ///
    /// let mut family = KMeansFamily::new(&array![[0.0], [10.0]], L2, 0.0, vec![5.0]);
    /// let mut tally = Tally::new(vec![0.0; 2]);
    /// for batch in [array![[1.0], [9.0], [3.0]], array![[8.0], [11.0]]] {
    ///     family.take_in(&Samples::new(&batch)?, &mut tally, Learning::default(), Threads::One);
    /// }
    /// assert_eq!((family.centroids(), tally.counts), (array![[2.0], [28.0 / 3.0]], vec![2.0, 3.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_in(
        &mut self,
        batch: &Samples<F>,
        tally: &mut Tally,
        learning: Learning,
        threads: Threads,
    ) -> BatchStep {
        // What Lloyd's algorithm does is all that can be done in a single pass.
        let single = self.clone().with_algorithm(Algorithm::Lloyd);
        let mut session = Session::new(&single, batch, threads);
        let statistics = session.statistics(&single);
        let fit = single.fit_of(&statistics, &session, batch, threads);
        let pull2 = (0..tally.counts.len()).flat_map(|c| statistics.movement(c)).map(|m| m * m).sum();
        let shift2 = self.absorb(&statistics, &mut tally.counts, learning);
        let repairs = learning.feed(self, batch, tally, threads);
        BatchStep { fit, shift2, pull2, repairs }
    }

    /// How well the centres fit a batch that was labelled by them.
    fn fit_of(
        &self,
        statistics: &Statistics,
        session: &Session<F, Self>,
        batch: &Samples<F>,
        threads: Threads,
    ) -> CentroidFit {
        let inertia = if self.distance().is_squared_euclidean() {
            // Single passes are about the centres.
            statistics.sums().second.iter().sum()
        } else {
            self.inertia_of_labels(batch, session.labelled().1, threads)
        };
        CentroidFit { inertia, sizes: session.sizes(self), weights: statistics.sums().weight.clone() }
    }

    /// Moves each centre to the mean of the rows that it remembers: `counts` holds the weight of all those before, and the
    /// statistics those of a new batch. Returns how far the centres moved, squared and summed.
    fn absorb(&mut self, statistics: &Statistics, counts: &mut [f64], learning: Learning) -> f64 {
        let mut centres = Vec::with_capacity(statistics.sums().first.len());
        for (c, count) in counts.iter_mut().enumerate() {
            let new = statistics.sums().weight[c];
            *count += new;
            let share = if new > 0.0 { 1.0 / learning.remembered(*count, new) } else { 0.0 };
            let first = statistics.sums().first(c);
            centres.extend(statistics.shift(c).iter().zip(first).map(|(c, s)| F::narrow(c + share * s)));
        }
        self.move_to(centres)
    }
}
