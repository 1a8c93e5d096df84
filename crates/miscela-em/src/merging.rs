//! Components merged into clusters by entropy (Baudry, Raftery, Celeux, Lo & Gottardo 2010).
//!
//! BIC chooses as many Gaussians as the density needs, which can be several to a cluster. From k components down to one, the
//! two are merged that lower the entropy of the soft clustering most:
//!
//! ```text
//! Ent = −Σᵢ wᵢ Σₖ rᵢₖ ln rᵢₖ          gain(a, b) = Σᵢ wᵢ (f(rᵢₐ + rᵢ_b) − f(rᵢₐ) − f(rᵢ_b)),   f(r) = r ln r
//! ```
//!
//! The density stays what it is; only the grouping changes. A gain is never negative, and one of a pair depends on that pair
//! alone: after a merge only those with the merged group are computed anew, O(n k²) for the whole hierarchy.

use crate::doubt::x_ln_x;
use miscela_kernel::{Float, Threads};
use ndarray::{Array2, ArrayView2, Axis};

/// A hierarchy of merged components, from k groups to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Hierarchy {
    k: usize,
    merges: Vec<(usize, usize)>,
    entropies: Vec<f64>,
}

impl Hierarchy {
    /// Of the components that share rows by these probabilities (n × k), each row weighing so much (all one if there are none).
    pub fn new<F: Float>(probabilities: ArrayView2<F>, weights: Option<&[f64]>, threads: Threads) -> Self {
        let k = probabilities.ncols();
        let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
        let mut groups: Vec<Vec<f64>> =
            probabilities.axis_iter(Axis(1)).map(|r| r.iter().map(|r| r.widen()).collect()).collect();
        let sum =
            |of: &(dyn Fn(usize) -> f64 + Sync)| (0..probabilities.nrows()).map(|i| weight(i) * of(i)).sum::<f64>();
        let entropy =
            |groups: &[Vec<f64>]| -> f64 { groups.iter().fold(0.0, |total, r| total - sum(&|i| x_ln_x(r[i]))) };
        let gain = |a: &[f64], b: &[f64]| sum(&|i| x_ln_x(a[i] + b[i]) - x_ln_x(a[i]) - x_ln_x(b[i]));
        // gains[b][a] for a < b.
        let mut gains: Vec<Vec<f64>> = threads.map(k, |b| groups[..b].iter().map(|a| gain(a, &groups[b])).collect());
        let mut entropies = vec![entropy(&groups)];
        let mut merges = Vec::new();
        while groups.len() > 1 {
            let (a, b) = greatest(&gains);
            merges.push((a, b));
            let merged = groups.remove(b);
            groups[a].iter_mut().zip(merged).for_each(|(a, b)| *a += b);
            entropies.push(entropy(&groups));
            gains.remove(b);
            gains.iter_mut().skip(b).for_each(|row| {
                row.remove(b);
            });
            let anew = threads.map(groups.len(), |c| if c == a { 0.0 } else { gain(&groups[c], &groups[a]) });
            for (c, gain) in anew.into_iter().enumerate().filter(|(c, _)| *c != a) {
                gains[c.max(a)][c.min(a)] = gain;
            }
        }
        entropies.reverse();
        Self { k, merges, entropies }
    }

    /// k
    pub fn n_components(&self) -> usize {
        self.k
    }

    /// Step by step the groups that are merged, (a, b) with a < b, numbered as they are at that step: b joins a, and those
    /// after b move up by one. k − 1 pairs.
    pub fn merges(&self) -> &[(usize, usize)] {
        &self.merges
    }

    /// The entropy of the soft clustering with 1, 2, …, k groups.
    pub fn entropies(&self) -> &[f64] {
        &self.entropies
    }

    /// The group of each component, k, when there are `g` of them. At least one, at most k: others are taken as those.
    pub fn groups(&self, g: usize) -> Vec<usize> {
        let steps = self.k - g.clamp(1, self.k);
        let mut groups: Vec<usize> = (0..self.k).collect();
        for (a, b) in &self.merges[..steps] {
            groups.iter_mut().for_each(|group| match *group {
                joined if joined == *b => *group = *a,
                later if later > *b => *group -= 1,
                _ => {}
            });
        }
        groups
    }

    /// The probabilities of `g` groups, n × g, from those of the components, n × k: sums within each group.
    pub fn combine<F: Float>(&self, g: usize, probabilities: ArrayView2<F>) -> Array2<F> {
        let mut combined = Array2::zeros((probabilities.nrows(), g.clamp(1, self.k)));
        for (component, group) in self.groups(g).into_iter().enumerate() {
            let mut to = combined.column_mut(group);
            to += &probabilities.column(component);
        }
        combined
    }

    /// The number of groups at the elbow of the entropy: where two straight lines, one up to it and one from it, fit the
    /// entropies best by least squares, as mclust's `clustCombiOptim`. With two components or fewer there is no elbow, and it
    /// is their number.
    pub fn elbow(&self) -> usize {
        let misfit = |g: &usize| line_misfit(&self.entropies, 0, *g) + line_misfit(&self.entropies, *g - 1, self.k);
        // The first of equals.
        (2..self.k)
            .map(|g| (g, misfit(&g)))
            .fold((self.k, f64::INFINITY), |best, one| if one.1 < best.1 { one } else { best })
            .0
    }
}

/// The pair (a, b), a < b, of greatest gain; of equals the one whose b is least, then a, as R's column order has it.
fn greatest(gains: &[Vec<f64>]) -> (usize, usize) {
    let pairs =
        gains.iter().enumerate().flat_map(|(b, row)| row.iter().enumerate().map(move |(a, gain)| (a, b, *gain)));
    let (a, b, _) = pairs.fold((0, 1, f64::NEG_INFINITY), |best, one| if one.2 > best.2 { one } else { best });
    (a, b)
}

/// Σ (y − line)² of the straight line of least squares through the points `from..to`.
fn line_misfit(y: &[f64], from: usize, to: usize) -> f64 {
    let n = (to - from) as f64;
    let x_mean = (from..to).map(|x| x as f64).sum::<f64>() / n;
    let y_mean = y[from..to].iter().sum::<f64>() / n;
    let points = || (from..to).map(|x| (x as f64 - x_mean, y[x] - y_mean));
    let slope = points().map(|(x, y)| x * y).sum::<f64>() / points().map(|(x, _)| x * x).sum::<f64>();
    points().map(|(x, y)| (y - slope * x).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn components_that_share_their_rows_are_merged_first() {
        let r = array![[0.5, 0.0, 0.5], [0.4, 0.0, 0.6], [0.0, 1.0, 0.0], [0.1, 0.9, 0.0]];
        let hierarchy = Hierarchy::new(r.view(), None, Threads::One);
        assert_eq!(hierarchy.merges(), [(0, 2), (0, 1)]);
        assert_eq!(hierarchy.groups(2), [0, 1, 0]);
        assert_eq!(hierarchy.groups(1), [0, 0, 0]);
        assert_eq!(hierarchy.entropies()[0], 0.0);
        assert_eq!(hierarchy.combine(2, r.view()), array![[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.1, 0.9]]);
        // Rows of no weight do not count.
        let weighted = Hierarchy::new(r.view(), Some(&[0.0, 0.0, 1.0, 1.0]), Threads::One);
        assert_eq!(weighted.merges(), [(0, 1), (0, 1)]);
    }

    #[test]
    fn the_elbow_is_where_two_lines_meet() {
        let of = |entropies: Vec<f64>| Hierarchy { k: entropies.len(), merges: Vec::new(), entropies }.elbow();
        assert_eq!(of(vec![0.0, 1.0, 2.0, 12.0, 22.0]), 3);
        assert_eq!(of(vec![0.0, 5.0]), 2);
        assert_eq!(of(vec![0.0]), 1);
    }

    proptest! {
        /// The pairs' gains are kept from step to step: each merge is still the best of all, and lowers the entropy.
        #[test]
        fn every_merge_is_the_best_there_is(raw in prop::collection::vec(0.0..1.0f64, 5 * 12)) {
            let mut r = Array2::from_shape_vec((12, 5), raw).unwrap().mapv(|x| x * x * x + 1e-12);
            r.outer_iter_mut().for_each(|mut row| row /= row.sum());
            let hierarchy = Hierarchy::new(r.view(), None, Threads::One);
            let entropy = |r: &Array2<f64>| r.iter().map(|r| -x_ln_x(*r)).sum::<f64>();
            for g in (2..=5).rev() {
                let now = hierarchy.combine(g, r.view());
                prop_assert!((entropy(&now) - hierarchy.entropies()[g - 1]).abs() < 1e-12);
                let merged = |a: usize, b: usize| {
                    let mut next = now.clone();
                    let sum = &now.column(a) + &now.column(b);
                    next.column_mut(a).assign(&sum);
                    next.column_mut(b).fill(0.0);
                    entropy(&next)
                };
                let best = (0..g).flat_map(|b| (0..b).map(move |a| (a, b))).map(|(a, b)| merged(a, b));
                let best = best.fold(f64::INFINITY, f64::min);
                prop_assert!((best - hierarchy.entropies()[g - 2]).abs() < 1e-12);
                prop_assert!(hierarchy.entropies()[g - 2] <= hierarchy.entropies()[g - 1] + 1e-12);
            }
        }
    }
}
