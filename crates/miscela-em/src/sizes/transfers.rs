//! Labels under bounds on the sizes, fast: moves where there is room, exchanges where there is none.
//!
//! The first labels go to the rows in the order of what they would lose elsewhere, each to its cheapest cluster with room.
//! From then on a row moves to a cheaper cluster if sizes allow it, or changes places with a row of that cluster which would
//! rather be where it is (after the same-size k-means of ELKI, Schubert & Zimek 2019). Each step lowers the sum of the costs, so
//! that k-means never rises; what no move and no exchange of two improves need not be the cheapest there is.
//!
//! Cost: O(nk log n) a round, as many rounds as there is something to gain, at most [`ROUNDS`].

use crate::passes::UNLABELLED;
use std::collections::BinaryHeap;

/// The most rounds over all rows in an iteration of k-means; the next goes on.
const ROUNDS: usize = 16;

/// Renews labels for costs, n × k, with from `bounds.0` to `bounds.1` rows in each of k clusters.
pub(super) fn assign(costs: &[f64], k: usize, bounds: (usize, usize), labels: &mut [u32]) {
    if labels.contains(&UNLABELLED) {
        share_out(costs, k, bounds, labels);
    }
    let mut counts = vec![0; k];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    for _ in 0..ROUNDS {
        if !improve(costs, k, bounds, &mut counts, labels) {
            break;
        }
    }
}

/// First labels: who would lose most elsewhere chooses first.
fn share_out(costs: &[f64], k: usize, (min, max): (usize, usize), labels: &mut [u32]) {
    let cost = |i: usize, c: usize| costs[i * k + c];
    let loss = |i: usize| {
        let (least, next) = (0..k).fold((f64::INFINITY, f64::INFINITY), |(least, next), c| {
            let cost = cost(i, c);
            if cost < least { (cost, least) } else { (least, next.min(cost)) }
        });
        if k > 1 { next - least } else { 0.0 }
    };
    let mut order: Vec<(f64, usize)> = (0..labels.len()).map(|i| (loss(i), i)).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut counts = vec![0; k];
    let mut lacking = k * min;
    for (left, (_, i)) in (1..=labels.len()).rev().zip(order) {
        // The last rows are for clusters that would end too small.
        let room = |c: &usize| counts[*c] < if left > lacking { max } else { min };
        let cheapest = (0..k).filter(room).min_by(|a, b| cost(i, *a).total_cmp(&cost(i, *b))).unwrap_or_default();
        lacking -= usize::from(counts[cheapest] < min);
        counts[cheapest] += 1;
        labels[i] = cheapest as u32;
    }
}

/// One round over all rows; whether anything was gained.
fn improve(costs: &[f64], k: usize, (min, max): (usize, usize), counts: &mut [usize], labels: &mut [u32]) -> bool {
    // For each two clusters, the rows of one that would rather be in the other and could not go: what they would gain, as
    // the bits of a positive number, which are in its order.
    let mut waiting: Vec<BinaryHeap<(u64, u32)>> = vec![BinaryHeap::new(); k * k];
    let mut gained = false;
    for i in 0..labels.len() {
        let (own, costs) = (labels[i] as usize, &costs[i * k..(i + 1) * k]);
        let mut better: Vec<usize> = (0..k).filter(|c| costs[*c] < costs[own]).collect();
        better.sort_by(|a, b| costs[*a].total_cmp(&costs[*b]));
        let mut goes = |to: &usize, labels: &mut [u32]| {
            if counts[own] > min && counts[*to] < max {
                (counts[own], counts[*to]) = (counts[own] - 1, counts[*to] + 1);
                return true;
            }
            let partners = &mut waiting[to * k + own];
            // Some have gone elsewhere since.
            let partner = std::iter::from_fn(|| partners.pop()).find(|(_, row)| labels[*row as usize] as usize == *to);
            partner.inspect(|(_, row)| labels[*row as usize] = own as u32).is_some()
        };
        let moved = better.iter().find(|to| goes(to, labels)).copied();
        match moved {
            Some(to) => labels[i] = to as u32,
            None => better.iter().for_each(|to| {
                waiting[own * k + to].push(((costs[own] - costs[*to]).to_bits(), i as u32));
            }),
        }
        gained |= moved.is_some();
    }
    gained
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sizes_are_kept_and_nothing_gets_dearer(
            costs in prop::collection::vec(0.0..9.0f64, 8..120),
            k in 1usize..5,
            (low, high) in (0usize..9, 0usize..9),
        ) {
            let n = costs.len() / k;
            let costs = &costs[..n * k];
            let (min, max) = (low.min(n / k), high.max(n.div_ceil(k)));
            let total = |labels: &[u32]| labels.iter().enumerate().map(|(i, c)| costs[i * k + *c as usize]).sum::<f64>();
            let fits = |labels: &[u32]| (0..k as u32).all(|c| {
                (min..=max).contains(&labels.iter().filter(|label| **label == c).count())
            });
            let mut labels = vec![UNLABELLED; n];
            share_out(costs, k, (min, max), &mut labels);
            prop_assert!(fits(&labels));
            let (first, mut last) = (total(&labels), labels.clone());
            assign(costs, k, (min, max), &mut last);
            prop_assert!(fits(&last) && total(&last) <= first + 1e-9);
            if min == 0 && max >= n {
                let least: f64 = costs.chunks(k).map(|costs| costs.iter().copied().fold(f64::INFINITY, f64::min)).sum();
                prop_assert!((total(&last) - least).abs() < 1e-9);
            }
        }
    }
}
