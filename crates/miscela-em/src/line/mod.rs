//! K-means of one column, solved: the best of all partitions, by dynamic programming (Wang & Song 2011).
//!
//! On a line clusters are intervals of the sorted values. With D_j(i) the least inertia of the first i values in j clusters,
//!
//! ```text
//! D_j(i) = min over l < i of  D_{j−1}(l) + inertia of the values l..i
//! ```
//!
//! The inertia of intervals is Monge, so that the best l never falls as i grows, and SMAWK ([`smawk`]) finds a layer's n minima
//! in O(n): O(k·n) for all layers. Where the intervals meet is not kept layer by layer: each D_j(i) of the upper half of the
//! layers carries where its first k/2 clusters end, and both sides of that place are solved again (Hirschberg 1975). That
//! doubles the work and leaves O(n) memory.

mod smawk;
mod sums;

use miscela_kernel::{Float, Samples};
use smawk::row_minima;
use std::ops::Range;
use sums::Sums;

/// The centres, ascending, of the best partition of one column's rows into `k` clusters: the global optimum of weighted
/// k-means, to a relative 1e-8 of its inertia. `None` if there are fewer than `k` distinct values of positive weight, or the
/// rows do not have one column.
///
/// Cost: O(n·log n) to sort and O(k·n), one thread; some 100 bytes a row.
pub fn optimal_centres<F: Float>(samples: &Samples<F>, k: usize) -> Option<Vec<F>> {
    if samples.n_columns() != 1 {
        return None;
    }
    let rows = samples.rows();
    let values = rows.iter().enumerate().map(|(i, x)| (x.widen(), samples.weight(i)));
    let sums = Sums::of(values.filter(|(_, w)| *w > 0.0).collect());
    if k == 0 || sums.len() < k {
        return None;
    }
    let mut ends = intervals(&sums, k, |l, i| sums.inertia(l, i));
    if !is_told_by_plain_sums(&sums, &ends) {
        ends = intervals(&sums, k, |l, i| sums.precise_inertia(l, i));
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    Some(starts.zip(&ends).map(|(l, i)| F::narrow(sums.mean(l, *i))).collect())
}

/// Whether what sums in plain `f64` may have got wrong is nothing beside the inertia.
fn is_told_by_plain_sums(sums: &Sums, ends: &[usize]) -> bool {
    const NOTHING: f64 = 1e-8;
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let inertia: f64 = starts.zip(ends).map(|(l, i)| sums.precise_inertia(l, *i)).sum();
    4.0 * f64::EPSILON * ends.len() as f64 * sums.greatest() <= NOTHING * inertia
}

/// Where each of the `k` intervals of least total inertia ends.
fn intervals(sums: &Sums, k: usize, inertia: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut ends = Vec::with_capacity(k);
    let mut layers = Layers::new(sums.len());
    layers.divide(0..sums.len(), k, &inertia, &mut ends);
    ends
}

/// Two layers of the dynamic programme, used again for every part.
struct Layers {
    /// D_{j−1}, by the number of values
    before: Vec<f64>,
    /// D_j
    now: Vec<f64>,
    /// Where the first half of the clusters ends, for D_{j−1}
    halves_before: Vec<u32>,
    /// and for D_j.
    halves: Vec<u32>,
    /// The best l of each i.
    best: Vec<u32>,
}

impl Layers {
    fn new(n: usize) -> Self {
        let (reals, numbers) = (vec![0.0; n + 1], vec![0; n + 1]);
        Self {
            before: reals.clone(),
            now: reals,
            halves_before: numbers.clone(),
            halves: numbers.clone(),
            best: numbers,
        }
    }

    /// Adds the ends of the best `k` intervals of these values.
    fn divide(
        &mut self,
        values: Range<usize>,
        k: usize,
        inertia: &impl Fn(usize, usize) -> f64,
        ends: &mut Vec<usize>,
    ) {
        match k {
            1 => ends.push(values.end),
            _ if k == values.len() => ends.extend(values.map(|i| i + 1)),
            _ => {
                let middle = self.middle(values.clone(), k, inertia);
                self.divide(values.start..middle, k / 2, inertia, ends);
                self.divide(middle..values.end, k - k / 2, inertia, ends);
            }
        }
    }

    /// Where the first k/2 of the best `k` ≥ 2 intervals of these values end.
    fn middle(&mut self, values: Range<usize>, k: usize, inertia: &impl Fn(usize, usize) -> f64) -> usize {
        let Range { start, end } = values;
        for i in start + 1..=end - (k - 1) {
            self.now[i] = inertia(start, i);
        }
        for j in 2..=k {
            std::mem::swap(&mut self.before, &mut self.now);
            std::mem::swap(&mut self.halves_before, &mut self.halves);
            // Each interval has a value at least; the last layer is asked for one i only.
            let last = end - (k - j);
            let first = if j == k { last } else { start + j };
            let before = &self.before;
            let total = |i: usize, l: usize| if l < i { before[l] + inertia(l, i) } else { f64::INFINITY };
            row_minima(first..last + 1, start + j - 1..last, &total, &mut self.best);
            for i in first..=last {
                let l = self.best[i] as usize;
                self.now[i] = total(i, l);
                self.halves[i] = if j == k / 2 + 1 { l as u32 } else { self.halves_before[l] };
            }
        }
        self.halves[end] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn column(values: &[f64]) -> Array2<f64> {
        Array2::from_shape_vec((values.len(), 1), values.to_vec()).unwrap()
    }

    /// Σ over the intervals of w (x − mean)², two passes each.
    fn inertia(sorted: &[(f64, f64)], ends: &[usize]) -> f64 {
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let one = |rows: &[(f64, f64)]| {
            let mass: f64 = rows.iter().map(|(_, w)| w).sum();
            let mean = rows.iter().map(|(x, w)| x * w).sum::<f64>() / mass;
            rows.iter().map(|(x, w)| w * (x - mean) * (x - mean)).sum::<f64>()
        };
        starts.zip(ends).map(|(l, i)| one(&sorted[l..*i])).sum()
    }

    /// The least inertia of all ways to cut n values into k intervals.
    fn least(sorted: &[(f64, f64)], k: usize, ends: &mut Vec<usize>) -> f64 {
        if ends.len() + 1 == k {
            ends.push(sorted.len());
            let inertia = inertia(sorted, ends);
            ends.pop();
            return inertia;
        }
        let from = ends.last().map_or(1, |end| end + 1);
        let mut best = f64::INFINITY;
        for end in from..=sorted.len() - (k - 1 - ends.len()) {
            ends.push(end);
            best = best.min(least(sorted, k, ends));
            ends.pop();
        }
        best
    }

    /// The inertia of the rows about the nearest of the centres.
    fn about(rows: &[(f64, f64)], centres: &[f64]) -> f64 {
        let nearest = |x: f64| centres.iter().map(|c| (x - c) * (x - c)).fold(f64::INFINITY, f64::min);
        rows.iter().map(|(x, w)| w * nearest(*x)).sum()
    }

    proptest! {
        #[test]
        fn no_partition_is_better(
            values in prop::collection::vec((-20i32..20, 0u8..4), 4..12),
            scale in prop::sample::select(vec![1.0, 1e-160, 1e150]),
            k in 1usize..5,
        ) {
            let rows: Vec<(f64, f64)> = values.iter().map(|(x, w)| (f64::from(*x), f64::from(*w))).collect();
            let mut sorted: Vec<(f64, f64)> = rows.iter().copied().filter(|(_, w)| *w > 0.0).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let distinct = sorted.chunk_by(|a, b| a.0 == b.0).count();
            let table = column(&rows.iter().map(|(x, _)| x * scale).collect::<Vec<_>>());
            let weights: Vec<f64> = rows.iter().map(|(_, w)| *w).collect();
            prop_assume!(weights.iter().sum::<f64>() > 0.0);
            let samples = Samples::weighted(&table, &weights[..]).unwrap();
            let Some(centres) = optimal_centres(&samples, k) else { prop_assert!(distinct < k); return Ok(()) };
            prop_assert!(distinct >= k && centres.is_sorted() && centres.len() == k);
            let centres: Vec<f64> = centres.iter().map(|c| c / scale).collect();
            let (found, least) = (about(&sorted, &centres), least(&sorted, k, &mut Vec::new()));
            prop_assert!((found - least).abs() <= 1e-12 * (1.0 + least), "{found} {least}");
        }

        #[test]
        fn the_middle_is_that_of_all_layers(seed in 0u64..1000, n in 50usize..200, k in 2usize..20) {
            let uniform = |i: usize| miscela_kernel::uniform::of_row(seed, i) as f64 / u64::MAX as f64;
            let sums = Sums::of((0..n).map(|i| (uniform(i).powi(3), 0.1 + uniform(i + n))).collect());
            let ends = intervals(&sums, k, |l, i| sums.inertia(l, i));
            let sorted: Vec<(f64, f64)> = sums.values();
            // The quadratic programme that remembers all.
            let mut least = vec![vec![f64::INFINITY; n + 1]; k + 1];
            least[0][0] = 0.0;
            for j in 1..=k {
                for i in j..=n {
                    least[j][i] = (j - 1..i).map(|l| least[j - 1][l] + sums.precise_inertia(l, i)).fold(f64::INFINITY, f64::min);
                }
            }
            let found = inertia(&sorted, &ends);
            prop_assert!((found - least[k][n]).abs() <= 1e-12 * found, "{found} {}", least[k][n]);
        }
    }

    #[test]
    fn groups_that_are_far_away_are_told_apart_too() {
        let far = |offset: f64| [0.0, 1.0, 2.0, 10.0, 11.0, 12.0].map(|x| x + offset);
        let values: Vec<f64> = [far(0.0), far(1e12), far(-3e11)].concat();
        let centres = optimal_centres(&Samples::new(&column(&values)).unwrap(), 6).unwrap();
        assert_eq!(centres, [-3e11 + 1.0, -3e11 + 11.0, 1.0, 11.0, 1e12 + 1.0, 1e12 + 11.0]);
    }

    #[test]
    fn single_precision_and_one_value_a_cluster() {
        let rows = Array2::from_shape_vec((4, 1), vec![3.0f32, 1.0, 2.0, 2.0]).unwrap();
        let samples = Samples::new(&rows).unwrap();
        assert_eq!(optimal_centres(&samples, 3), Some(vec![1.0, 2.0, 3.0]));
        assert_eq!(optimal_centres(&samples, 4), None);
    }
}
