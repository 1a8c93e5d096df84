//! Labels under bounds on the sizes, fast: moves where there is room, exchanges where there is none.
//!
//! The first labels go to the rows in the order of what they would lose elsewhere, each to its cheapest cluster with room.
//! From then on a row moves to a cheaper cluster if sizes allow it, or changes places with a row of another cluster if the two
//! gain together (after the same-size k-means of ELKI, Schubert & Zimek 2019). Each step lowers the sum of the costs, so that
//! k-means never rises; what no move and no exchange of two improves need not be the cheapest there is.
//!
//! One round of both an iteration: k-means has many. Cost: O(nk log n), and no memory beside that of the costs.

use crate::passes::UNLABELLED;

/// Renews labels for costs, n × k, with from `bounds.0` to `bounds.1` rows in each of k clusters.
pub(super) fn assign(costs: &[f64], k: usize, bounds: (usize, usize), labels: &mut [u32]) {
    if labels.contains(&UNLABELLED) {
        share_out(costs, k, bounds, labels);
    }
    move_rows(costs, k, bounds, labels);
    exchange_rows(costs, k, labels);
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

/// Exchanges rows of each two clusters, as long as there are some that gain together.
fn exchange_rows(costs: &[f64], k: usize, labels: &mut [u32]) {
    let mut members = vec![Vec::new(); k];
    labels.iter().enumerate().for_each(|(i, label)| members[*label as usize].push(i));
    for a in 0..k {
        for b in a + 1..k {
            for (here, there) in exchanges(costs, k, (a, b), &members) {
                let (i, j) = (members[a][here], members[b][there]);
                (members[a][here], members[b][there]) = (j, i);
                (labels[i], labels[j]) = (b as u32, a as u32);
            }
        }
    }
}

/// Moves each row to its cheapest cluster with room, if that is cheaper than its own and its own can spare it.
fn move_rows(costs: &[f64], k: usize, (min, max): (usize, usize), labels: &mut [u32]) {
    let mut counts = vec![0; k];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    for (label, costs) in labels.iter_mut().zip(costs.chunks_exact(k)) {
        let own = *label as usize;
        let better = (0..k).filter(|c| counts[own] > min && counts[*c] < max && costs[*c] < costs[own]);
        if let Some(to) = better.min_by(|a, b| costs[*a].total_cmp(&costs[*b])) {
            (counts[own], counts[to]) = (counts[own] - 1, counts[to] + 1);
            *label = to as u32;
        }
    }
}

/// Pairs of rows of two clusters, by their places among the members, that gain together by an exchange: those first that
/// gain most.
fn exchanges(costs: &[f64], k: usize, (a, b): (usize, usize), members: &[Vec<usize>]) -> Vec<(usize, usize)> {
    let more = |i: usize, from: usize, to: usize| costs[i * k + to] - costs[i * k + from];
    let all = |from: usize, to: usize| members[from].iter().map(move |i| more(*i, from, to));
    let least = |from: usize, to: usize| all(from, to).fold(f64::INFINITY, f64::min);
    // Most rows would not even gain with the best partner there is.
    let candidates = |from: usize, to: usize| {
        let best = least(to, from);
        let mut rows: Vec<(f64, usize)> = all(from, to).zip(0..).filter(|(more, _)| more + best < 0.0).collect();
        rows.sort_unstable_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
        rows
    };
    let pairs = candidates(a, b).into_iter().zip(candidates(b, a));
    pairs.take_while(|(x, y)| x.0 + y.0 < 0.0).map(|(x, y)| (x.1, y.1)).collect()
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
