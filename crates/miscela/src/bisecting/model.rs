//! A fitted tree of clusters and what can be asked of it.

use super::descent::Descent;
use super::fit::Course;
use super::tree::Tree;
use super::{BisectingNode, BisectingParams, BisectingSplit, SplitStrategy};
use crate::Float;
use crate::input::samples_by;
use crate::kmeans::KMeansError;
use crate::provenance::Provenance;
use crate::report::Report;
use linfa::traits::{PredictInplace, Transformer};
use miscela_distance::{AnyCentred, Distance, L2};
use miscela_em::{Missing, Termination};
use miscela_kernel::{Lanes, Samples, Threads};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix1, Ix2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// Bisecting k-means: clusters that come of splitting in two, again and again (Steinbach, Karypis & Kumar 2000).
///
/// One cluster of all rows is split by k-means with two centres, then the cluster of the greatest inertia (or the
/// [heaviest](SplitStrategy)) of those that there are, until there are k. The model keeps all splits as a tree. Any number of
/// clusters up to k is a [`cut`](Self::cut) of it: the first splits, without another fit, and each cut only splits a cluster
/// of the one before. A row finds its cluster by going down from the root, at each node to the nearer of two centres.
///
/// **Labels.** Of the two parts of a cluster the heavier keeps its label (of equals that of the lesser coordinates), and the other
/// gets the next label that is free. So from one cut to the next only rows of one cluster change their label, to the last.
///
/// **Cost.** A split is a fit of two clusters to the rows of one. So an iteration of all splits costs O(n·d·log k) if they are
/// even, and O(n·d·k) if each takes only a few rows off. Memory beside the rows: a copy of those of the cluster that is split,
/// and some 40 bytes a row. Prediction takes two distances for each split on the way down: about log₂ k where splits are even,
/// [`depth`](Self::depth) at most.
///
/// **When not to use it.** Not for the least inertia: no split is ever taken back, so that plain [`KMeans`](crate::KMeans) with the
/// same k finds better clusters, and with a [`Search`](crate::Search) much better ones. (From [`centroids`](Self::centroids) as a
/// start it goes on to its own optimum.) Not where the number of clusters is small and known: the tree is then of no use. A row
/// need not go to the nearest of the k centres, as it would in k-means, but to one that is near by.
///
/// `D` is the distance: [`L2`] unless [`params_with`](BisectingKMeans::params_with) is given another that knows its centres.
///
/// ```
/// use miscela::prelude::*;
///
/// let iris = linfa_datasets::iris();
/// let model = BisectingKMeans::params(6).fit(&iris)?;
/// let labels = model.predict(&iris);
/// assert_eq!(labels.iter().max(), Some(&5));
///
/// // Two clusters, three … of the same tree: each has split one of those before.
/// for k in 2..=6 {
///     let cut = model.cut(k)?;
///     println!("{k}: inertia {:.2}, sizes {:?}", cut.inertia_sum(), cut.sizes());
///     let (now, before) = (cut.predict(&iris), model.cut(k - 1)?.predict(&iris));
///     assert!(now.iter().zip(&before).all(|(now, before)| now == before || *now == k - 1));
/// }
///
/// // Plain k-means from there on.
/// let start = KMeansInit::Precomputed(model.centroids().clone());
/// assert!(KMeans::params(6).init_method(start).fit(&iris)?.inertia_sum() < model.inertia_sum());
/// # Ok::<(), KMeansError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BisectingKMeans<F, D = L2> {
    pub(super) tree: Tree<F>,
    pub(super) strategy: SplitStrategy,
    pub(super) distance: D,
    pub(super) report: Report,
    pub(super) feature_names: Vec<String>,
    /// Of the leaves, by label.
    centroids: Array2<F>,
    cluster_count: Array1<F>,
    sizes: Vec<usize>,
    inertia_sum: f64,
}

impl<F: Float> BisectingKMeans<F, L2> {
    /// Parameters for this number of clusters, with the seed 42.
    pub fn params(n_clusters: usize) -> BisectingParams<F, Xoshiro256Plus, L2> {
        Self::params_with_rng(n_clusters, Xoshiro256Plus::seed_from_u64(42))
    }

    /// Parameters that draw random numbers from `rng`.
    pub fn params_with_rng<R>(n_clusters: usize, rng: R) -> BisectingParams<F, R, L2> {
        BisectingParams::new(n_clusters, rng, L2)
    }
}

impl<F: Float, D: Distance<F>> BisectingKMeans<F, D> {
    /// Parameters with another distance that is [`Centred`](crate::Centred).
    ///
    /// ```
    /// use miscela::{L1, prelude::*};
    /// # use rand::SeedableRng;
    ///
    /// let rng = rand_xoshiro::Xoshiro256Plus::seed_from_u64(42);
    /// let iris = linfa_datasets::iris();
    /// let medians = BisectingKMeans::params_with(3, rng, L1).fit(&iris)?;
    /// assert_eq!(medians.sizes().len(), 3);
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn params_with<R>(n_clusters: usize, rng: R, distance: D) -> BisectingParams<F, R, D> {
        BisectingParams::new(n_clusters, rng, distance)
    }

    pub(super) fn new(tree: Tree<F>, strategy: SplitStrategy, distance: D, course: Course) -> Self {
        let (leaves, d) = (tree.leaves(), tree.width());
        let figures = |leaf: &usize| &tree.nodes[*leaf];
        let inertia_sum = leaves.iter().map(|leaf| figures(leaf).inertia).sum();
        Self {
            centroids: Array2::from_shape_fn((leaves.len(), d), |(c, j)| tree.centre(leaves[c])[j]),
            cluster_count: leaves.iter().map(|leaf| F::narrow(figures(leaf).weight)).collect(),
            sizes: leaves.iter().map(|leaf| figures(leaf).size).collect(),
            inertia_sum,
            report: report(&tree.splits, inertia_sum, course),
            feature_names: crate::names::default_names(d),
            tree,
            strategy,
            distance,
        }
    }

    /// The model of the first `n_clusters` − 1 splits: what a fit of so many clusters with the same parameters finds. Cost: a copy
    /// of that part of the tree.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let (six, three) = (BisectingKMeans::params(6).fit(&iris)?, BisectingKMeans::params(3).fit(&iris)?);
    /// assert_eq!(six.cut(3)?.centroids(), three.centroids());
    /// assert!(six.cut(7).is_err());
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// For no cluster, and for more than the model has.
    pub fn cut(&self, n_clusters: usize) -> Result<Self, KMeansError> {
        if n_clusters == 0 || n_clusters > self.n_clusters() {
            return Err(KMeansError::Cut { n_clusters, most: self.n_clusters() });
        }
        let tree = self.tree.cut(n_clusters);
        let Report { n_runs, mut trace, mut repairs, provenance, seconds, .. } = self.report.clone();
        let iterations = tree.splits.iter().fold(0usize, |sum, split| sum.saturating_add(split.iterations));
        trace.truncate(iterations);
        repairs.retain(|repair| repair.iteration <= iterations);
        let course = Course { n_runs, trace, repairs, seconds };
        let mut cut = Self::new(tree, self.strategy, self.distance.clone(), course);
        cut.report.provenance = provenance;
        Ok(cut.with_feature_names(self.feature_names.clone()))
    }

    /// The model with its distance as one of any: what [`AnyModel`](crate::AnyModel) holds.
    pub fn into_any(self) -> BisectingKMeans<F, AnyCentred>
    where
        D: Into<AnyCentred>,
    {
        let Self { tree, strategy, distance, report, feature_names, centroids, cluster_count, sizes, inertia_sum } =
            self;
        let distance = distance.into();
        BisectingKMeans {
            tree,
            strategy,
            distance,
            report,
            feature_names,
            centroids,
            cluster_count,
            sizes,
            inertia_sum,
        }
    }

    /// The nodes, 2k − 1: first the root, then the two parts of the first split, of the second, and so on. Parents come before
    /// their children.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let model = BisectingKMeans::params(3).fit(&linfa_datasets::iris())?;
    /// let nodes = model.nodes();
    /// assert_eq!((nodes.len(), nodes[0].size, nodes[0].children), (5, 150, Some([1, 2])));
    /// for node in nodes {
    ///     let gain = node.children.map(|parts| node.inertia - parts.map(|part| nodes[part].inertia).iter().sum::<f64>());
    ///     println!("{} rows, label {}, {:?} gained by the split", node.size, node.label, gain);
    /// }
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn nodes(&self) -> &[BisectingNode] {
        &self.tree.nodes
    }

    /// The centres of the nodes, 2k − 1 × d; the array is made on call.
    pub fn node_centres(&self) -> Array2<F> {
        Array2::from_shape_fn((self.tree.nodes.len(), self.n_features()), |(node, j)| self.tree.centre(node)[j])
    }

    /// The tree as programs that draw dendrograms have it (scipy's `linkage`), k − 1 × 4: the last split is joined first. Each
    /// line has the two clusters that are joined, which are labels below k, and k + i where line i has joined them; the
    /// inertia of what they are together, as the height; and its rows.
    ///
    /// Heights grow from the leaves to the root. From line to line they do so where the greatest inertia was split first, and
    /// need not where the largest cluster was.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let model = BisectingKMeans::params(3).fit(&linfa_datasets::iris())?;
    /// let linkage = model.linkage();
    /// assert_eq!((linkage.dim(), linkage[[1, 3]]), ((2, 4), 150.0));
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn linkage(&self) -> Array2<f64> {
        let (nodes, k) = (&self.tree.nodes, self.n_clusters());
        let mut linkage = Array2::zeros((k - 1, 4));
        let mut number: Vec<usize> = nodes.iter().map(|node| node.label).collect();
        for (i, split) in self.tree.splits.iter().rev().enumerate() {
            let (node, first) = (&nodes[split.node], nodes.len() - 2 * (i + 1));
            let joined = [number[first], number[first + 1]];
            let line =
                [joined[0].min(joined[1]) as f64, joined[0].max(joined[1]) as f64, node.inertia, node.size as f64];
            linkage.row_mut(i).assign(&Array1::from(line.to_vec()));
            number[split.node] = k + i;
        }
        linkage
    }

    /// How many splits lie between the root and the deepest leaf.
    pub fn depth(&self) -> usize {
        self.tree.depth()
    }

    /// Which cluster was split next.
    pub fn strategy(&self) -> SplitStrategy {
        self.strategy
    }

    /// The centres of the clusters, k × d.
    pub fn centroids(&self) -> &Array2<F> {
        &self.centroids
    }

    /// The weight of the rows in each cluster; their number where rows have no weights.
    pub fn cluster_count(&self) -> &Array1<F> {
        &self.cluster_count
    }

    /// The number of rows of positive weight in each cluster.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The weighted mean of the rows' (squared, for L2) distances to the centres of their clusters.
    pub fn inertia(&self) -> f64 {
        self.inertia_sum / self.tree.nodes[0].weight
    }

    /// Their weighted sum. (It can be a little more than what k-means would say of these centres, as rows need not be in the
    /// cluster of the nearest.)
    pub fn inertia_sum(&self) -> f64 {
        self.inertia_sum
    }

    /// How the fit went: the iterations of all splits together, the inertia of all clusters after each, and the worst that
    /// ended a split.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The distance.
    pub fn distance(&self) -> &D {
        &self.distance
    }

    /// k
    pub fn n_clusters(&self) -> usize {
        self.tree.n_leaves()
    }

    /// d
    pub fn n_features(&self) -> usize {
        self.tree.width()
    }

    /// The columns' names: `x0`, `x1`, … unless [given](Self::with_feature_names).
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Names the columns.
    ///
    /// # Panics
    /// If there are not as many names as columns.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Self {
        assert_eq!(names.len(), self.n_features(), "one name a column");
        self.feature_names = names;
        self
    }

    /// Says how the model came about, for its report and its file.
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.report.provenance = Some(provenance);
        self
    }

    /// The cluster of each row, n: the leaf that it comes to.
    ///
    /// # Errors
    /// If rows are not finite, or of another width than the model.
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, KMeansError> {
        Ok(self.labels(&self.checked(records, None)?))
    }

    /// The inertia (sum) of the rows about the centres of the clusters that they come to.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn inertia_of<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<f64, KMeansError> {
        let samples = self.checked(records, weights)?;
        let own = self.own_distances(&samples);
        let weighted = own.iter().enumerate().filter(|(i, _)| samples.weight(*i) > 0.0);
        Ok(weighted.map(|(i, reduced)| samples.weight(i) * reduced).sum())
    }

    fn descent(&self) -> Descent<'_, F, D> {
        Descent { tree: &self.tree, distance: &self.distance }
    }

    fn labels(&self, samples: &Samples<F>) -> Array1<usize> {
        let leaves = self.descent().leaves(samples, Threads::Ambient);
        leaves.into_iter().map(|leaf| self.tree.nodes[leaf].label).collect()
    }

    /// The reduced distance of each row to the centre of its leaf, n.
    fn own_distances(&self, samples: &Samples<F>) -> Vec<f64> {
        let leaves = self.descent().leaves(samples, Threads::Ambient);
        let (lanes, mut own) = (Lanes::new(samples.n_rows(), 1), vec![0.0; leaves.len()]);
        let mut chunks: Vec<&mut [f64]> = own.chunks_mut(lanes.rows_per_lane()).collect();
        let operations = leaves.len() as f64 * self.n_features() as f64;
        Threads::Ambient.for_work(operations).each(&mut chunks, |lane, own| {
            let mut row = vec![F::zero(); self.n_features()];
            for (i, reduced) in lanes.rows(lane).zip(own.iter_mut()) {
                samples.copy_row(i, &mut row);
                *reduced = self.distance.reduced(&row, self.tree.centre(leaves[i]));
            }
        });
        own
    }

    fn checked<'a, S: Data<Elem = F>>(
        &self,
        records: &'a ArrayBase<S, Ix2>,
        weights: Option<&'a [f64]>,
    ) -> Result<Samples<'a, F>, KMeansError> {
        let (expected, got) = (self.n_features(), records.ncols());
        if expected != got {
            return Err(KMeansError::FeatureCount { expected, got });
        }
        Ok(samples_by(records, weights, Missing::Error, Threads::Ambient)?)
    }

    fn unchecked<'a, S: Data<Elem = F>>(&self, records: &'a ArrayBase<S, Ix2>) -> Samples<'a, F> {
        assert_eq!(records.ncols(), self.n_features(), "rows must have the columns the model was fitted on");
        Samples::unchecked(records)
    }
}

/// What follows from how the splits went.
pub(super) fn report(splits: &[BisectingSplit], inertia: f64, course: Course) -> Report {
    let Course { n_runs, trace, repairs, seconds } = course;
    let ended = |ending| splits.iter().any(|split| split.termination == ending);
    let worst = [
        Termination::Interrupted,
        Termination::TimeLimit,
        Termination::Cancelled,
        Termination::MaxIterations,
        Termination::Tolerance,
    ];
    Report {
        n_runs,
        iterations: splits.iter().fold(0usize, |sum, split| sum.saturating_add(split.iterations)),
        termination: worst.into_iter().find(|ending| ended(*ending)).unwrap_or(Termination::LabelsUnchanged),
        trace,
        run_objectives: vec![inertia],
        repairs,
        n_missing: 0,
        given_up: 0,
        search: None,
        passes: 0,
        provenance: None,
        seconds,
    }
}

impl<F: Float, D: Distance<F>, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix2>, Array1<usize>>
    for BisectingKMeans<F, D>
{
    /// # Panics
    /// If the rows are of another width than the model, or `labels` of another length.
    /// [`try_predict`](BisectingKMeans::try_predict) returns an error instead.
    fn predict_inplace(&self, records: &ArrayBase<S, Ix2>, labels: &mut Array1<usize>) {
        assert_eq!(records.nrows(), labels.len(), "one label a row");
        *labels = self.labels(&self.unchecked(records));
    }

    fn default_target(&self, records: &ArrayBase<S, Ix2>) -> Array1<usize> {
        Array1::zeros(records.nrows())
    }
}

impl<F: Float, D: Distance<F>, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix1>, usize> for BisectingKMeans<F, D> {
    /// Allocates nothing if the row is contiguous. Cost: two distances for each split on the way down.
    ///
    /// # Panics
    /// If the row is of another width than the model.
    fn predict_inplace(&self, row: &ArrayBase<S, Ix1>, label: &mut usize) {
        assert_eq!(row.len(), self.n_features(), "a row must have the columns the model was fitted on");
        let leaf = match row.as_slice() {
            Some(row) => self.descent().leaf_of(row),
            None => self.descent().leaf_of(&row.to_vec()),
        };
        *label = self.tree.nodes[leaf].label;
    }

    fn default_target(&self, _: &ArrayBase<S, Ix1>) -> usize {
        0
    }
}

impl<F: Float, D: Distance<F>, S: Data<Elem = F>> Transformer<&ArrayBase<S, Ix2>, Array1<F>> for BisectingKMeans<F, D> {
    /// The distance of each row to the centre of its cluster, squared for L2.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    fn transform(&self, records: &ArrayBase<S, Ix2>) -> Array1<F> {
        self.own_distances(&self.unchecked(records)).into_iter().map(F::narrow).collect()
    }
}
