//! The costs of all pairs of clusters, and the cheapest of them.
//!
//! Clusters stand in a list. The union of two takes the place of the earlier one, and the last of the list takes the place of
//! the later one. Of pairs that cost the same, that whose later cluster stands last is merged, and of those that whose earlier
//! one does. That is mclust's order; rounded data have many ties, and how they are broken decides much of the tree.

use super::Merge;

/// What it costs to unite two clusters, for all pairs of those that are left.
#[derive(Debug)]
pub(super) struct Pairs {
    /// The names of the clusters in the list.
    names: Vec<usize>,
    /// Row j holds the costs of j with each place before it: j (j − 1)/2 numbers come before it.
    costs: Vec<f64>,
    /// The cheapest of each row, and with which place.
    best: Vec<(f64, usize)>,
}

impl Pairs {
    /// Clusters 0, …, m − 1.
    pub(super) fn new(m: usize, mut cost: impl FnMut(usize, usize) -> f64) -> Self {
        let pairs = (0..m).flat_map(|j| (0..j).map(move |i| (i, j)));
        let costs = pairs.map(|(i, j)| cost(i, j)).collect();
        let mut pairs = Self { names: (0..m).collect(), costs, best: vec![(f64::INFINITY, 0); m] };
        (0..m).for_each(|j| pairs.search(j));
        pairs
    }

    /// The places of the cheapest pair, the earlier one first.
    pub(super) fn cheapest(&self) -> (usize, usize) {
        let later = (1..self.names.len()).fold(0, |best, j| if self.best[j].0 <= self.best[best].0 { j } else { best });
        (self.best[later].1, later)
    }

    /// The pair at two places: the union goes by the name of the cluster that was first named.
    pub(super) fn merge_at(&self, (i, j): (usize, usize)) -> Merge {
        let (a, b) = (self.names[i], self.names[j]);
        Merge { kept: a.min(b), joined: a.max(b), cost: self.costs[start(j) + i] }
    }

    /// Unites the clusters at places i < j; `cost` knows of it already.
    pub(super) fn unite(&mut self, (i, j): (usize, usize), mut cost: impl FnMut(usize, usize) -> f64) {
        let last = self.names.len() - 1;
        self.names[i] = self.merge_at((i, j)).kept;
        self.names[j] = self.names[last];
        self.names.pop();
        if j < last {
            self.costs.copy_within(start(last)..start(last) + j, start(j));
        }
        (0..i).for_each(|k| self.costs[start(i) + k] = cost(self.names[k], self.names[i]));
        for k in i + 1..last {
            if k > j {
                self.costs[start(k) + j] = self.costs[start(last) + k];
            }
            self.costs[start(k) + i] = cost(self.names[i], self.names[k]);
        }
        self.costs.truncate(start(last));
        self.best.truncate(last);
        for k in i..last {
            match self.best[k].1 {
                // What was cheapest is not there any more, or the whole row is new.
                with if k == i || k == j || with == i || (k > j && with == j) => self.search(k),
                _ => [i, j].into_iter().filter(|place| *place < k).for_each(|place| self.offer(k, place)),
            }
        }
    }

    /// The cheapest of row j.
    fn search(&mut self, j: usize) {
        let cheaper = |best: (f64, usize), (i, cost): (usize, &f64)| if *cost <= best.0 { (*cost, i) } else { best };
        self.best[j] = self.costs[start(j)..start(j) + j].iter().enumerate().fold((f64::INFINITY, 0), cheaper);
    }

    /// The cost of row j with place i has changed, and was not its cheapest.
    fn offer(&mut self, j: usize, i: usize) {
        let (cost, best) = (self.costs[start(j) + i], self.best[j]);
        if cost < best.0 || (cost == best.0 && i > best.1) {
            self.best[j] = (cost, i);
        }
    }
}

/// Where row j begins.
fn start(j: usize) -> usize {
    j * j.saturating_sub(1) / 2
}
