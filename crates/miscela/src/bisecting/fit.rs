//! Growing the tree: one cluster after another is split by k-means with two centres (Steinbach, Karypis & Kumar 2000).
//!
//! ```text
//! until there are k leaves: take the leaf of the greatest inertia (or weight),
//!                           split its rows by 2-means, the best of n_runs
//! ```
//!
//! Each split is a whole fit by the engine on a copy of the leaf's rows, so that its passes read memory in order: as the leaves
//! of a level share the rows among them, a level costs one copy of the table.

use super::tree::{Figures, Tree};
use super::{BisectingKMeans, BisectingParams, BisectingSplit, BisectingValidParams, SplitStrategy};
use crate::Float;
use crate::input::{samples, samples_of};
use crate::kmeans::{Fitted, KMeansError, KMeansParams, KMeansValidParams, check_count, check_domain, index};
use crate::order::CanonicalOrder;
use crate::report::{Seconds, timed};
use linfa::{DatasetBase, ParamGuard, traits::Fit};
use miscela_distance::Centred;
use miscela_em::{Missing, Observer, Repair, Termination, nearest_centres};
use miscela_init::SeedingError;
use miscela_kernel::{Samples, Threads};
use ndarray::{Array1, Array2, ArrayBase, Axis, Data, Ix2};
use rand::{Rng, RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

impl<F: Float, R: Rng + Clone, D: Centred<F>, S: Data<Elem = F>, T> Fit<ArrayBase<S, Ix2>, T, KMeansError>
    for BisectingValidParams<F, R, D>
{
    type Object = BisectingKMeans<F, D>;

    /// Fits the tree to the dataset's rows, weighted by its weights.
    ///
    /// # Errors
    /// On rows that are not finite, weights that are not weights, or fewer distinct rows than clusters.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<BisectingKMeans<F, D>, KMeansError> {
        self.fit_samples(&samples_of(dataset, Missing::Error)?, &mut ())
    }
}

impl<F: Float, R: Rng + Clone, D: Centred<F>> BisectingValidParams<F, R, D> {
    /// Fits with weights in `f64`, one a row: `&[f64]`, `&Vec<f64>` or `&Array1<f64>`.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<BisectingKMeans<F, D>, KMeansError> {
        let weights: Vec<f64> = weights.into_iter().copied().collect();
        self.fit_observed(records, Some(&weights), &mut ())
    }

    /// Fits and tells the observer of each iteration of each split; it may stop the fit, which then keeps the tree that it has,
    /// of fewer leaves.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<BisectingKMeans<F, D>, KMeansError> {
        self.fit_samples(&samples(records, weights, Missing::Error)?, observer)
    }

    fn fit_samples(
        &self,
        samples: &Samples<F>,
        observer: &mut dyn Observer,
    ) -> Result<BisectingKMeans<F, D>, KMeansError> {
        let params = self.kmeans.check_ref()?;
        check_count(samples, params.n_clusters())?;
        check_domain(samples, params.distance())?;
        // The generator stays here: it need not be able to go to another thread.
        let (k, seed, strategy) = (params.n_clusters(), params.rng().clone().next_u64(), self.strategy);
        let halves = self.kmeans.clone().with_rng(()).check()?.with_n_clusters(2);
        halves.threads().install(|threads| {
            let mut growth = Growth::start(&halves, samples, seed, threads)?;
            growth.grow(k, strategy, observer)?;
            let Growth { tree, trace, repairs, seconds, .. } = growth;
            let (n_runs, distance) = (halves.n_runs(), halves.distance().clone());
            Ok(BisectingKMeans::new(tree, strategy, distance, Course { n_runs, trace, repairs, seconds }))
        })
    }
}

/// What a report holds that the tree does not.
pub(super) struct Course {
    pub(super) n_runs: usize,
    pub(super) trace: Vec<f64>,
    pub(super) repairs: Vec<Repair>,
    pub(super) seconds: Seconds,
}

/// A leaf that may be split, and its rows of positive weight in the table.
struct Leaf {
    node: usize,
    rows: Vec<u32>,
}

/// A tree that grows.
struct Growth<'a, 's, F: Float, D> {
    /// Of a split: two clusters.
    params: &'a KMeansValidParams<F, (), D>,
    samples: &'a Samples<'s, F>,
    threads: Threads,
    rng: Xoshiro256Plus,
    tree: Tree<F>,
    /// The leaves that were not found to be all of a piece.
    open: Vec<Leaf>,
    trace: Vec<f64>,
    repairs: Vec<Repair>,
    seconds: Seconds,
}

impl<'a, 's, F: Float, D: Centred<F>> Growth<'a, 's, F, D> {
    /// All rows about their centre, which is what k-means with one cluster finds.
    fn start(
        params: &'a KMeansValidParams<F, (), D>,
        samples: &'a Samples<'s, F>,
        seed: u64,
        threads: Threads,
    ) -> Result<Self, KMeansError> {
        let mut rng = Xoshiro256Plus::seed_from_u64(seed);
        let one = KMeansParams::new(1, (), params.distance().clone());
        let Fitted { centroids, fit, report, .. } =
            one.check_ref()?.best_of(samples, &[rng.next_u64()], threads, &mut ())?;
        let figures = Figures { size: fit.sizes[0], weight: fit.weights[0], inertia: fit.inertia };
        let rows = (0..samples.n_rows()).filter(|i| samples.weight(*i) > 0.0).map(|i| i as u32).collect();
        Ok(Self {
            params,
            samples,
            threads,
            rng,
            tree: Tree::of_root(centroids.into_iter().collect(), figures),
            open: vec![Leaf { node: 0, rows }],
            trace: Vec::new(),
            repairs: Vec::new(),
            seconds: report.seconds,
        })
    }

    /// Splits until there are k leaves, or the observer has had enough.
    fn grow(&mut self, k: usize, strategy: SplitStrategy, observer: &mut dyn Observer) -> Result<(), KMeansError> {
        while self.tree.n_leaves() < k {
            let Some(next) = self.next(strategy) else {
                return Err(KMeansError::TooFewGroups { n_clusters: k, most: self.tree.n_leaves() });
            };
            let leaf = self.open.swap_remove(next);
            if self.split(leaf, observer)?.is_some_and(Termination::is_asked_for) {
                break;
            }
        }
        Ok(())
    }

    /// The open leaf that is split next; of equals the one that is there longest.
    fn next(&self, strategy: SplitStrategy) -> Option<usize> {
        let size = |i: &usize| match &self.tree.nodes[self.open[*i].node] {
            node if strategy == SplitStrategy::Largest => node.weight,
            node => node.inertia,
        };
        let age = |i: &usize| self.open[*i].node;
        (0..self.open.len()).max_by(|a, b| size(a).total_cmp(&size(b)).then_with(|| age(b).cmp(&age(a))))
    }

    /// Splits a leaf, if its rows differ, and says how that ended.
    fn split(&mut self, leaf: Leaf, observer: &mut dyn Observer) -> Result<Option<Termination>, KMeansError> {
        let seeds: Vec<u64> = (0..self.params.n_runs()).map(|_| self.rng.next_u64()).collect();
        let gathered = self.gather(&leaf.rows);
        let own = match &gathered {
            Some((rows, weights)) => samples(rows, weights.as_deref(), Missing::Error)?,
            None => self.samples.in_order(None),
        };
        let fitted = match self.params.best_of(&own, &seeds, self.threads, observer) {
            Err(KMeansError::Seeding(SeedingError::TooFewRows { .. } | SeedingError::TooFewDistinct { .. })) => {
                return Ok(None);
            }
            fitted => fitted?,
        };
        let Fitted { centroids, fit, report, .. } = fitted;
        let heavier_first = CanonicalOrder::Weight.of(&Array1::from(fit.weights), &centroids);
        let centres = centroids.select(Axis(0), &heavier_first);
        let (mut figures, mut rows) = ([Figures::default(); 2], [Vec::new(), Vec::new()]);
        let mut seconds = report.seconds;
        timed(&mut seconds.fit, || {
            let (labels, reduced) = nearest_centres(&own, &index(&centres), self.params.distance(), self.threads);
            for (i, (label, reduced)) in labels.iter().zip(&reduced).enumerate() {
                let (w, figures) = (own.weight(i), &mut figures[*label]);
                figures.size += 1;
                figures.weight += w;
                figures.inertia += w * reduced;
                rows[*label].push(leaf.rows[i]);
            }
        });
        self.seconds.init += seconds.init;
        self.seconds.fit += seconds.fit;
        if figures.iter().any(|figures| figures.size == 0) {
            // Rows that differ, and not by this distance.
            return Ok(None);
        }
        self.note(leaf.node, &report.trace, &report.repairs, &heavier_first);
        let first = self.tree.nodes.len();
        let (iterations, termination) = (report.iterations, report.termination);
        self.tree.divide(BisectingSplit { node: leaf.node, iterations, termination }, centres, figures);
        self.open.extend(rows.into_iter().enumerate().map(|(c, rows)| Leaf { node: first + c, rows }));
        Ok(Some(termination))
    }

    /// A copy of these rows and their weights; none where they are all that there are.
    fn gather(&self, rows: &[u32]) -> Option<(Array2<F>, Option<Vec<f64>>)> {
        if rows.len() == self.samples.n_rows() {
            return None;
        }
        let (table, mut copy) = (self.samples.rows(), Array2::zeros((rows.len(), self.samples.n_columns())));
        copy.outer_iter_mut().zip(rows).for_each(|(mut row, i)| row.assign(&table.row(*i as usize)));
        let weights = self.samples.weights().map(|all| rows.iter().map(|i| all[*i as usize]).collect());
        Some((copy, weights))
    }

    /// Adds the iterations of a split to those before: the inertia of all leaves, and repairs by label.
    fn note(&mut self, node: usize, trace: &[f64], repairs: &[Repair], order: &[usize]) {
        let others = self.tree.leaves().into_iter().filter(|leaf| *leaf != node);
        let others: f64 = others.map(|leaf| self.tree.nodes[leaf].inertia).sum();
        let (before, labels) = (self.trace.len(), [self.tree.nodes[node].label, self.tree.n_leaves()]);
        self.trace.extend(trace.iter().map(|inertia| others + inertia));
        self.repairs.extend(repairs.iter().map(|repair| Repair {
            iteration: before + repair.iteration,
            component: labels[usize::from(order[0] != repair.component)],
            ..repair.clone()
        }));
    }
}

impl<F: Float, R: Rng + Clone, D: Centred<F>> BisectingParams<F, R, D> {
    /// [`BisectingValidParams::fit_weighted`] after checking the parameters.
    pub fn fit_weighted<'w, S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: impl IntoIterator<Item = &'w f64>,
    ) -> Result<BisectingKMeans<F, D>, KMeansError> {
        self.check_ref()?.fit_weighted(records, weights)
    }

    /// [`BisectingValidParams::fit_observed`] after checking the parameters.
    pub fn fit_observed<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
        observer: &mut dyn Observer,
    ) -> Result<BisectingKMeans<F, D>, KMeansError> {
        self.check_ref()?.fit_observed(records, weights, observer)
    }
}
