//! The cheapest assignment of rows to clusters of bounded size: a flow of minimal cost, by successive shortest paths.
//!
//! ```text
//! row → its cluster → sink      a unit from each row, from min to max units from each cluster to the sink
//! a → b                          at the price of the cheapest row of a that could go to b: min cᵢᵦ − cᵢₐ
//! ```
//!
//! As all rows go somewhere and there are few clusters, the rows are folded into the edges between clusters, each a heap of
//! differences of costs (Bradley, Bennett & Demiriz 2000 for the flow; Ahuja, Magnanti & Orlin 1993, §9.7 for the paths). Each
//! cluster has a price. A row starts at its cheapest cluster, cost and price together; from every cluster with too many rows
//! the shortest path then carries one to where there is room, and raises prices so that no row would rather be elsewhere. So
//! the prices of the last iteration of k-means are a good start for the next, and what is found is optimal whatever they were.
//!
//! Cost: O(nk) numbers of memory; time O(nk + m(k² + k log n)) for m paths, at most n in the first iteration and few later.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Labels for costs, n × k, with from `bounds.0` to `bounds.1` rows in each of k clusters, which there must be a way to do.
/// `prices`, one a cluster, are a guess and come back better.
pub(super) fn assign(costs: &[f64], bounds: (usize, usize), prices: &mut [f64], labels: &mut [u32]) {
    let mut flow = Flow::start(costs, bounds, prices, labels);
    while let Some(source) = flow.excess.iter().position(|excess| *excess > 0) {
        let Some(target) = flow.shortest_paths(source) else {
            debug_assert!(false, "bounds that can be met leave a path");
            break;
        };
        flow.send(source, target);
    }
    flow.keep_prices(prices);
}

/// The rows of a cluster by what each would cost more in another, the cheapest on top.
type Movers = BinaryHeap<Reverse<Mover>>;

#[derive(Clone, Copy, PartialEq)]
struct Mover {
    more: f64,
    row: u32,
}

impl Eq for Mover {}

impl Ord for Mover {
    fn cmp(&self, other: &Self) -> Ordering {
        self.more.total_cmp(&other.more).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Mover {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How a shortest path comes to a node.
#[derive(Clone, Copy)]
struct Step {
    from: usize,
    /// The row that goes along it, between clusters.
    row: u32,
}

/// The state of the flow. Nodes are the clusters and, last, the sink.
struct Flow<'a> {
    costs: &'a [f64],
    labels: &'a mut [u32],
    k: usize,
    min: i64,
    max: i64,
    /// Of each node. Nothing that could still flow has a negative cost when they are added.
    prices: Vec<f64>,
    /// Units from each cluster to the sink.
    drained: Vec<i64>,
    /// What comes into each node and does not leave it.
    excess: Vec<i64>,
    /// For each cluster, once it is asked for: its rows by where they could go.
    movers: Vec<Option<Vec<Movers>>>,
    distances: Vec<f64>,
    steps: Vec<Step>,
    settled: Vec<bool>,
}

impl<'a> Flow<'a> {
    fn start(costs: &'a [f64], (min, max): (usize, usize), prices: &[f64], labels: &'a mut [u32]) -> Self {
        let (k, min, max) = (prices.len(), min as i64, max as i64);
        let mut counts = vec![0i64; k];
        for (label, costs) in labels.iter_mut().zip(costs.chunks_exact(k)) {
            let mut least = (0, f64::INFINITY);
            for (c, (cost, price)) in costs.iter().zip(prices).enumerate() {
                if cost + price < least.1 {
                    least = (c, cost + price);
                }
            }
            *label = least.0 as u32;
            counts[least.0] += 1;
        }
        // A cluster with a price is one whose bound was reached.
        let drain = |c: usize| match prices[c].partial_cmp(&0.0) {
            Some(Ordering::Greater) => max,
            Some(Ordering::Less) => min,
            _ => counts[c].clamp(min, max),
        };
        let drained: Vec<i64> = (0..k).map(drain).collect();
        let sink = drained.iter().sum::<i64>() - labels.len() as i64;
        Self {
            costs,
            labels,
            k,
            min,
            max,
            prices: prices.iter().copied().chain([0.0]).collect(),
            excess: counts.iter().zip(&drained).map(|(count, drained)| count - drained).chain([sink]).collect(),
            drained,
            movers: vec![None; k],
            distances: vec![0.0; k + 1],
            steps: vec![Step { from: 0, row: 0 }; k + 1],
            settled: vec![false; k + 1],
        }
    }

    /// The shortest paths from `source` to nodes as near as the nearest that lacks something, which is returned; prices are
    /// raised to match (Dijkstra 1959).
    fn shortest_paths(&mut self, source: usize) -> Option<usize> {
        self.distances.fill(f64::INFINITY);
        self.settled.fill(false);
        self.distances[source] = 0.0;
        loop {
            let open = (0..=self.k).filter(|v| !self.settled[*v] && self.distances[*v] < f64::INFINITY);
            let next = open.min_by(|a, b| self.distances[*a].total_cmp(&self.distances[*b]))?;
            if self.excess[next] < 0 {
                let reach = self.distances[next];
                for v in (0..=self.k).filter(|v| self.settled[*v]) {
                    self.prices[v] += reach - self.distances[v];
                }
                return Some(next);
            }
            self.settled[next] = true;
            if next == self.k { self.relax_from_sink() } else { self.relax_from(next) }
        }
    }

    fn relax_from_sink(&mut self) {
        for c in (0..self.k).filter(|c| self.drained[*c] > self.min).collect::<Vec<_>>() {
            self.relax(Step { from: self.k, row: 0 }, c, 0.0);
        }
    }

    fn relax_from(&mut self, from: usize) {
        for to in (0..self.k).filter(|to| *to != from) {
            if let Some(Mover { more, row }) = self.cheapest(from, to) {
                self.relax(Step { from, row }, to, more);
            }
        }
        if self.drained[from] < self.max {
            self.relax(Step { from, row: 0 }, self.k, 0.0);
        }
    }

    fn relax(&mut self, step: Step, to: usize, cost: f64) {
        // Negative by rounding only.
        let reduced = (cost - self.prices[step.from] + self.prices[to]).max(0.0);
        let distance = self.distances[step.from] + reduced;
        if distance < self.distances[to] {
            (self.distances[to], self.steps[to]) = (distance, step);
        }
    }

    /// The row of `from` that is cheapest to move to `to`.
    fn cheapest(&mut self, from: usize, to: usize) -> Option<Mover> {
        let Self { costs, labels, k, movers, .. } = self;
        let movers = movers[from].get_or_insert_with(|| {
            let rows: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] as usize == from).collect();
            let movers = |to| rows.iter().map(|i| Reverse(mover(costs, *k, *i, from, to))).collect();
            (0..*k).map(movers).collect()
        });
        // Rows that have left are found out here.
        while movers[to].peek().is_some_and(|Reverse(top)| labels[top.row as usize] as usize != from) {
            movers[to].pop();
        }
        movers[to].peek().map(|Reverse(top)| *top)
    }

    /// Sends a unit along the path that was found.
    fn send(&mut self, source: usize, target: usize) {
        let mut to = target;
        while to != source {
            let Step { from, row } = self.steps[to];
            if to == self.k {
                self.drained[from] += 1;
            } else if from == self.k {
                self.drained[to] -= 1;
            } else {
                self.labels[row as usize] = to as u32;
                for (c, movers) in self.movers[to].iter_mut().flatten().enumerate() {
                    movers.push(Reverse(mover(self.costs, self.k, row as usize, to, c)));
                }
            }
            to = from;
        }
        self.excess[source] -= 1;
        self.excess[target] += 1;
    }

    /// Prices relative to the sink. Those of clusters that have reached neither bound are zero but for rounding.
    fn keep_prices(self, prices: &mut [f64]) {
        for (c, price) in prices.iter_mut().enumerate() {
            *price = self.prices[c] - self.prices[self.k];
            if self.drained[c] < self.max {
                *price = price.min(0.0);
            }
            if self.drained[c] > self.min {
                *price = price.max(0.0);
            }
        }
    }
}

fn mover(costs: &[f64], k: usize, row: usize, from: usize, to: usize) -> Mover {
    Mover { more: costs[row * k + to] - costs[row * k + from], row: row as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn total(costs: &[f64], k: usize, labels: impl Iterator<Item = usize>) -> f64 {
        labels.enumerate().map(|(i, label)| costs[i * k + label]).sum()
    }

    fn fits(labels: impl Iterator<Item = usize>, k: usize, (min, max): (usize, usize)) -> bool {
        let mut counts = vec![0; k];
        labels.for_each(|label| counts[label] += 1);
        counts.iter().all(|count| (min..=max).contains(count))
    }

    proptest! {
        /// From any prices; costs are whole numbers, so that there are ties.
        #[test]
        fn no_labelling_is_cheaper(
            costs in prop::collection::vec(0..30u8, 4..21),
            k in 2usize..4,
            (low, high) in (0usize..4, 0usize..7),
            guess in prop::collection::vec(-20.0..20.0f64, 3),
        ) {
            let n = costs.len() / k;
            let costs: Vec<f64> = costs[..n * k].iter().map(|cost| f64::from(*cost)).collect();
            let bounds = (low.min(n / k), high.max(n.div_ceil(k)));
            let (mut labels, mut prices) = (vec![0; n], guess[..k].to_vec());
            assign(&costs, bounds, &mut prices, &mut labels);
            let found = || labels.iter().map(|label| *label as usize);
            prop_assert!(fits(found(), k, bounds));
            let all = (0..k.pow(n as u32)).map(|code| (0..n).map(move |i| code / k.pow(i as u32) % k));
            let least = all.filter(|labels| fits(labels.clone(), k, bounds)).map(|labels| total(&costs, k, labels));
            let least = least.fold(f64::INFINITY, f64::min);
            prop_assert!((total(&costs, k, found()) - least).abs() < 1e-9);
            // Once more from the prices that were found: nothing is cheaper, and rows need not move far.
            assign(&costs, bounds, &mut prices, &mut labels);
            prop_assert!((total(&costs, k, labels.iter().map(|label| *label as usize)) - least).abs() < 1e-9);
        }
    }
}
