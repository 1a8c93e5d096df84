//! Model-based agglomeration: a start of a mixture for every number of components at once.
//!
//! Every distinct row begins as a cluster of its own, and the two clusters are merged whose union costs the classification
//! likelihood of a Gaussian model least, until one cluster is left (Banfield & Raftery 1993; Fraley 1998). The tree of
//! merges is then cut at any k. This is mclust's `hc`, and with the defaults the partition that its `Mclust` starts from:
//! unconstrained covariances on columns made [spherical](Transform::Svd) (Scrucca & Raftery 2015).
//!
//! Cost, for m distinct rows of d columns: 4·m² bytes for the costs of all pairs, some 3·m·d numbers for the clusters, and about
//! m² evaluations of the criterion, each d³/3 (VVV) or d (EII). A pair is evaluated when it comes up and when one of the
//! two has grown; each cluster remembers its cheapest partner, so that a merge passes over what it changed, and not over
//! all pairs (the generic algorithm of Müllner 2011).

mod criterion;
mod groups;
mod pairs;
mod transform;

use crate::{SeedingError, distinct};
use criterion::{Criterion, Eii, Vvv};
use groups::Groups;
use miscela_kernel::{Float, Samples, Threads};
use pairs::Pairs;
pub use transform::Transform;

/// The Gaussian model whose classification likelihood decides what is merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AgglomerationModel {
    /// Each cluster has a covariance matrix of its own. Σ nₖ ln(|Wₖ/nₖ| + (tr Wₖ + α)/nₖ) is kept low, W the scatter of a
    /// cluster and α the mean variance of a column, which keeps clusters finite that have no volume (Fraley 1998). Where
    /// there are no more distinct rows than columns, EII takes its place, as no cluster has a volume then.
    #[default]
    Vvv,
    /// All clusters are one sphere: Σ tr Wₖ is kept low, which is Ward's criterion (1963).
    Eii,
}

/// Model-based agglomeration of rows; see the [table](crate) for what else there is.
///
/// A weight is a number of copies, as in mclust, where equal rows are one cluster from the start; weights below one on
/// average are scaled up to it, so that shares do as well. The answer depends on no random number unless there are more
/// rows than the limit, and on no thread. Equal costs go to the clusters whose first rows come first.
///
/// ```
/// use miscela_init::Agglomerate;
/// use miscela_kernel::{Samples, Threads};
/// use ndarray::array;
///
/// let rows = array![[0.0, 0.1], [0.1, 0.0], [9.0, 9.2], [9.1, 9.0], [0.0, 0.0]];
/// let tree = Agglomerate::default().tree(&Samples::new(&rows)?, 42, Threads::Ambient)?;
/// assert_eq!(tree.labels(2)?, [Some(0), Some(0), Some(1), Some(1), Some(0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agglomerate {
    /// What decides.
    pub model: AgglomerationModel,
    /// What is done to the columns first.
    pub transform: Transform,
    /// The most distinct rows to agglomerate. If there are more, so many are drawn, by weight, and count one each.
    pub limit: usize,
}

impl Default for Agglomerate {
    /// What mclust does: VVV on columns made spherical, and at most 2,000 rows.
    fn default() -> Self {
        Self { model: AgglomerationModel::default(), transform: Transform::default(), limit: 2_000 }
    }
}

impl Agglomerate {
    /// Whether there are more distinct rows of positive weight than the limit, so that chance has a part in the answer.
    pub fn samples_rows<F: Float>(&self, samples: &Samples<F>) -> bool {
        samples.n_positive() > self.limit && self.draw(samples, 0, Threads::Ambient).is_some()
    }

    /// Merges the rows of positive weight into one tree. `seed` matters only above the limit.
    ///
    /// # Errors
    /// If the columns cannot be transformed because their numbers are too large to be squared.
    pub fn tree<F: Float>(
        &self,
        samples: &Samples<F>,
        seed: u64,
        threads: Threads,
    ) -> Result<Agglomeration, SeedingError> {
        let drawn = if samples.n_positive() > self.limit { self.draw(samples, seed, threads) } else { None };
        let groups = match &drawn {
            Some(rows) => Groups::of_rows(samples, rows),
            None => Groups::of_all(samples),
        };
        let (points, d) = self.transform.apply(&groups)?;
        let no_volume = groups.weight.len() <= samples.n_columns();
        let merges = match self.model {
            _ if no_volume => merge_all(&mut Eii::new(&points, &groups.weight, d)),
            AgglomerationModel::Vvv => merge_all(&mut Vvv::new(&points, &groups.weight, d)),
            AgglomerationModel::Eii => merge_all(&mut Eii::new(&points, &groups.weight, d)),
        };
        Ok(Agglomeration { group: groups.of_row, n_groups: groups.weight.len(), merges, is_sample: drawn.is_some() })
    }

    /// The rows drawn, ascending; `None` if no more distinct rows count than the limit.
    fn draw<F: Float>(&self, samples: &Samples<F>, seed: u64, threads: Threads) -> Option<Vec<usize>> {
        let (mut picks, mut seen) = (Vec::new(), distinct::DistinctRows::default());
        distinct::race(samples, self.limit + 1, &mut picks, &mut seen, seed, threads).ok()?;
        picks.truncate(self.limit);
        picks.sort_unstable();
        Some(picks)
    }
}

/// Two clusters that became one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Merge {
    /// The cluster that both are from now on: the one whose first row comes first.
    pub kept: usize,
    /// The cluster that went into it.
    pub joined: usize,
    /// What the union cost: the rise of the model's criterion.
    pub cost: f64,
}

/// The tree that an agglomeration built: cut it at any number of clusters.
///
/// The clusters at the bottom are the distinct rows, numbered in order of first appearance.
#[derive(Clone, Debug, PartialEq)]
pub struct Agglomeration {
    /// The cluster at the bottom that each row belongs to; `None` for rows that were left out.
    group: Vec<Option<u32>>,
    n_groups: usize,
    merges: Vec<Merge>,
    is_sample: bool,
}

impl Agglomeration {
    /// The merges, first to last: one fewer than distinct rows.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// The number of distinct rows at the bottom of the tree.
    pub fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// Whether the rows are a sample, each of which counts one.
    pub fn is_sample(&self) -> bool {
        self.is_sample
    }

    /// The labels of the partition into k clusters, n, numbered in order of first appearance; `None` for rows of no weight
    /// and for those that were not drawn. Cost: n + m.
    ///
    /// # Errors
    /// If k is 0, or more than there are distinct rows.
    pub fn labels(&self, k: usize) -> Result<Vec<Option<usize>>, SeedingError> {
        if k == 0 {
            return Err(SeedingError::NoCentres);
        }
        if k > self.n_groups {
            return Err(SeedingError::TooFewDistinct { distinct: self.n_groups, k });
        }
        // The later of two clusters goes into the earlier one, so one pass in order resolves every chain.
        let mut cluster: Vec<usize> = (0..self.n_groups).collect();
        self.merges[..self.n_groups - k].iter().for_each(|merge| cluster[merge.joined] = merge.kept);
        let mut labels = Vec::with_capacity(self.n_groups);
        let mut next = 0;
        for group in 0..self.n_groups {
            let label = if cluster[group] == group { next } else { labels[cluster[group]] };
            next += usize::from(cluster[group] == group);
            labels.push(label);
        }
        Ok(self.group.iter().map(|group| group.map(|group| labels[group as usize])).collect())
    }
}

/// Merges the cheapest two clusters until one is left.
fn merge_all(criterion: &mut impl Criterion) -> Vec<Merge> {
    let m = criterion.n_clusters();
    let mut pairs = Pairs::new(m, |i, j| criterion.cost(i, j));
    let merge = |_| {
        let places = pairs.cheapest();
        let merge = pairs.merge_at(places);
        criterion.merge(merge.kept, merge.joined);
        pairs.unite(places, |i, j| criterion.cost(i, j));
        merge
    };
    (1..m).map(merge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis};
    use proptest::prelude::*;

    fn tree(rows: &Array2<f64>, weights: Option<Vec<f64>>) -> Agglomeration {
        let samples = match weights {
            Some(weights) => Samples::weighted(rows, weights).unwrap(),
            None => Samples::new(rows).unwrap(),
        };
        Agglomerate::default().tree(&samples, 1, Threads::One).unwrap()
    }

    fn tables() -> impl Strategy<Value = Array2<f64>> {
        (1usize..25, 1usize..4).prop_flat_map(|(n, d)| {
            prop::collection::vec(-3i32..4, n * d)
                .prop_map(move |x| Array2::from_shape_vec((n, d), x).unwrap().mapv(f64::from))
        })
    }

    proptest! {
        #[test]
        fn a_weight_is_a_number_of_copies(
            (rows, weights) in tables().prop_flat_map(|rows| {
                let n = rows.nrows();
                (Just(rows), prop::collection::vec(0usize..4, n))
            }),
        ) {
            prop_assume!(weights.iter().any(|w| *w > 0));
            let places: Vec<usize> = weights.iter().enumerate().flat_map(|(i, w)| vec![i; *w]).collect();
            let weighted = tree(&rows, Some(weights.iter().map(|w| *w as f64).collect()));
            let repeated = tree(&rows.select(Axis(0), &places), None);
            prop_assert_eq!(weighted.merges(), repeated.merges());
            for k in 1..=weighted.n_groups() {
                let (a, b) = (weighted.labels(k).unwrap(), repeated.labels(k).unwrap());
                prop_assert_eq!(places.iter().map(|i| a[*i]).collect::<Vec<_>>(), b);
                prop_assert!(weights.iter().zip(&a).all(|(w, label)| label.is_some() == (*w > 0)));
            }
        }

        #[test]
        fn a_cut_has_k_clusters_and_the_next_one_refines_it(rows in tables()) {
            let tree = tree(&rows, None);
            let mut coarser = vec![Some(0); rows.nrows()];
            for k in 1..=tree.n_groups() {
                let labels = tree.labels(k).unwrap();
                prop_assert_eq!(labels.iter().flatten().max(), Some(&(k - 1)));
                for i in 0..labels.len() {
                    for j in 0..i {
                        prop_assert!(labels[i] != labels[j] || coarser[i] == coarser[j]);
                        prop_assert!(rows.row(i) != rows.row(j) || labels[i] == labels[j]);
                    }
                }
                coarser = labels;
            }
            let too_many = SeedingError::TooFewDistinct { distinct: tree.n_groups(), k: tree.n_groups() + 1 };
            prop_assert_eq!(tree.labels(tree.n_groups() + 1), Err(too_many));
            prop_assert_eq!(tree.labels(0), Err(SeedingError::NoCentres));
        }

        #[test]
        fn units_change_nothing(rows in tables(), exponent in prop_oneof![-900i32..-200, 200i32..900]) {
            prop_assert_eq!(tree(&rows, None), tree(&rows.mapv(|x| x * 2f64.powi(exponent)), None));
        }
    }

    #[test]
    fn differences_may_be_too_large_for_the_number_type() {
        let rows = ndarray::array![[-1.5], [-1.25], [0.5], [1.0], [1.75]];
        assert_eq!(tree(&rows, None), tree(&rows.mapv(|x| x * 2f64.powi(1023)), None));
    }

    /// The pairs are searched as a plain loop would.
    #[test]
    fn merges_are_the_cheapest() {
        let rows = crate::conformance::blobs(60, 3);
        let points: Vec<f64> = rows.iter().copied().collect();
        let weight = vec![1.0; 60];
        let merges = merge_all(&mut Vvv::new(&points, &weight, 2));
        let mut plain = Vvv::new(&points, &weight, 2);
        let mut left: Vec<usize> = (0..60).collect();
        for merge in &merges {
            let pairs = left.iter().flat_map(|i| left.iter().map(move |j| (*i, *j))).filter(|(i, j)| i < j);
            let least = pairs.map(|(i, j)| plain.cost(i, j)).fold(f64::INFINITY, f64::min);
            assert_eq!((merge.cost, plain.cost(merge.kept, merge.joined)), (least, least));
            plain.merge(merge.kept, merge.joined);
            left.retain(|i| *i != merge.joined);
        }
        assert_eq!(left, [0]);
    }

    #[test]
    fn weights_may_be_shares() {
        let rows = crate::conformance::blobs(40, 2);
        let weights: Vec<f64> = (0..40).map(|i| 1.0 + 0.1 * f64::from(i % 7)).collect();
        let total: f64 = weights.iter().sum();
        let shares = |scale: f64| weights.iter().map(|w| w * scale / total).collect::<Vec<_>>();
        let (one, less) = (tree(&rows, Some(shares(1.0))), tree(&rows, Some(shares(1e-20))));
        for k in [2, 5, 9] {
            assert_eq!(one.labels(k).unwrap(), less.labels(k).unwrap());
        }
    }

    #[test]
    fn above_the_limit_rows_are_drawn() {
        let rows = crate::conformance::blobs(300, 2);
        let samples = Samples::new(&rows).unwrap();
        let few = Agglomerate { limit: 100, ..Agglomerate::default() };
        assert!(few.samples_rows(&samples) && !Agglomerate::default().samples_rows(&samples));
        let labels = |seed, threads| few.tree(&samples, seed, threads).unwrap().labels(3).unwrap();
        assert_eq!(labels(1, Threads::One).iter().flatten().count(), 100);
        assert_eq!(labels(1, Threads::One), labels(1, Threads::Ambient));
        assert_ne!(labels(1, Threads::One), labels(2, Threads::One));
        // Copies do not fill the sample.
        let twice = ndarray::concatenate![Axis(0), rows, rows];
        let enough = Agglomerate { limit: 300, ..Agglomerate::default() };
        assert!(!enough.samples_rows(&Samples::new(&twice).unwrap()));
    }

    #[test]
    fn flat_data_are_clustered_where_they_extend() {
        let line = Array2::from_shape_fn((30, 3), |(i, j)| {
            let x = f64::from(i as u32) + 100.0 * f64::from(i >= 12);
            if j == 2 { 7.0 } else { x * (j + 1) as f64 }
        });
        let labels = tree(&line, None).labels(2).unwrap();
        assert!(labels.iter().enumerate().all(|(i, label)| *label == Some(usize::from(i >= 12))), "{labels:?}");
        let point = Array2::<f64>::ones((5, 2));
        assert_eq!(tree(&point, None).labels(1).unwrap(), [Some(0); 5]);
        let raw = Agglomerate { transform: Transform::None, ..Agglomerate::default() };
        let huge = ndarray::array![[1e200], [-1e200]];
        assert_eq!(raw.tree(&Samples::new(&huge).unwrap(), 0, Threads::One), Err(SeedingError::TooLarge));
    }
}
