//! Rows in an order that keeps near ones together, with boxes around them.
//!
//! ```text
//! cut the rows in two, or in up to eight, by their widest column, and so the parts, until there are 64 left, a tile
//! ```
//!
//! That is a k-d tree (Bentley 1975), of which the order of the leaves is all that is kept. Cuts are not in the middle, but at
//! multiples of powers of two tiles: 4, 8 or 16 tiles side by side then are the rows of one node, and lie in a small box. (The
//! order of seeding, `miscela-init`'s `order.rs`, cuts where gaps are, and has tiles of any length.)

use miscela_kernel::{Boxes, Float, Isa, Samples, TILE_ROWS, Threads};
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// Where rows lie, for [`Sweep`](miscela_kernel::Sweep).
#[derive(Clone, Debug)]
pub(crate) struct Places<F> {
    /// Which row is the i-th.
    pub(crate) order: Arc<Vec<u32>>,
    /// In that order.
    pub(crate) boxes: Boxes<F>,
}

impl<F: Float> Places<F> {
    /// The places of rows for centroids with this offset. Cost: about n·log₂(n/64) comparisons.
    pub(crate) fn new(samples: &Samples<F>, offset: &[F], threads: Threads) -> Self {
        let order = Arc::new(match samples.n_columns() {
            1 => order::<F, 1>(samples, threads),
            2 => order::<F, 2>(samples, threads),
            3 => order::<F, 3>(samples, threads),
            4 => order::<F, 4>(samples, threads),
            5..=8 => order::<F, 8>(samples, threads),
            _ => order::<F, 16>(samples, threads),
        });
        let boxes = Boxes::new(&samples.in_order(Some(&order)), offset, keeps_rows(samples), threads);
        Self { order, boxes }
    }
}

/// Whether there is room for the rows once more: a fit may take a quarter of their size, 16 bytes a row and some megabytes. Labels,
/// an order and labels on their way into it take 12 of these, and weights in that order eight.
fn keeps_rows<F: Float>(samples: &Samples<F>) -> bool {
    let (n, size) = (samples.n_rows(), samples.n_rows() * samples.n_columns() * size_of::<F>());
    let left = if samples.weights().is_some() { 0 } else { 4 * n };
    size <= size / 4 + left + (16 << 20)
}

/// A row's number, and its first D columns.
type Item<F, const D: usize> = (u32, [F; D]);

/// Rows are ordered in parts that take no more memory than this, one after the other; and as much again.
const PART_BYTES: usize = 8 << 20;

/// The order of the leaves, of a tree of the first D columns.
fn order<F: Float, const D: usize>(samples: &Samples<F>, threads: Threads) -> Vec<u32> {
    let n = samples.n_rows();
    let part = (PART_BYTES / size_of::<Item<F, D>>()).next_multiple_of(TILE_ROWS);
    let mut order = Vec::with_capacity(n);
    for first in (0..n).step_by(part) {
        let mut items = items::<F, D>(samples, first..n.min(first + part), threads);
        let mut spare = items.clone();
        let mut nodes = vec![(&mut items[..], &mut spare[..])];
        // Level by level, so that there is work for all threads; then each node by one.
        const SHARED: usize = 32;
        while nodes.len() < SHARED && nodes[0].0.len() > TILE_ROWS {
            let mut work: Vec<_> = nodes.into_iter().map(|(node, spare)| (node, spare, 0)).collect();
            threads.each(&mut work, |_, (node, spare, part)| *part = divide(node, spare));
            let parts = |(node, spare, part)| <[_]>::chunks_mut(node, part).zip(<[_]>::chunks_mut(spare, part));
            nodes = work.into_iter().flat_map(parts).collect();
        }
        threads.each(&mut nodes, |_, (node, spare)| settle(node, spare));
        order.extend(items.iter().map(|(row, _)| row));
    }
    order
}

fn items<F: Float, const D: usize>(samples: &Samples<F>, range: Range<usize>, threads: Threads) -> Vec<Item<F, D>> {
    const TOGETHER: usize = 4096;
    let mut items = vec![(0, [F::zero(); D]); range.len()];
    let mut parts: Vec<_> = items.chunks_mut(TOGETHER).collect();
    threads.each(&mut parts, |part, items| {
        let first = range.start + part * TOGETHER;
        let mut copied = Vec::new();
        let block = samples.block(first..first + items.len(), &mut copied);
        for ((item, row), i) in items.iter_mut().zip(block.rows()).zip(first..) {
            item.0 = i as u32;
            item.1.iter_mut().zip(row).for_each(|(to, x)| *to = *x);
        }
    });
    items
}

/// Puts rows in the order of the leaves.
fn settle<F: Float, const D: usize>(items: &mut [Item<F, D>], spare: &mut [Item<F, D>]) {
    let part = divide(items, spare);
    if part < items.len() {
        items.chunks_mut(part).zip(spare.chunks_mut(part)).for_each(|(items, spare)| settle(items, spare));
    }
}

/// Cuts rows by the widest column, in two or, where the parts are cut again, in more, and says how long the parts are. What is no
/// longer than a tile stays whole.
fn divide<F: Float, const D: usize>(items: &mut [Item<F, D>], spare: &mut [Item<F, D>]) -> usize {
    let tiles = items.len().div_ceil(TILE_ROWS);
    if tiles <= 1 {
        return TILE_ROWS;
    }
    let ways = match tiles {
        ..16 => 2,
        16..64 => 4,
        _ => 8,
    };
    let part = tiles.next_power_of_two() / ways * TILE_ROWS;
    let (column, low, high) = widest(items);
    let before = |a: &Item<F, D>, b: &Item<F, D>| a.1[column].partial_cmp(&b.1[column]).unwrap_or(Ordering::Equal);
    if ways == 2 {
        items.select_nth_unstable_by(part, before);
        return part;
    }
    // Sorted into bins first, so that each row is moved once for all cuts.
    let scale = F::narrow(BINS as f64 / (high.widen() - low.widen()));
    let last = F::of_index(BINS as u32 - 1);
    let mut bins = vec![0u8; items.len()];
    Isa::best().vectorize(|| {
        for (bin, item) in bins.iter_mut().zip(&*items) {
            let place = (item.1[column] - low) * scale;
            *bin = (if place < last { place } else { last }).index() as u8;
        }
    });
    let mut counts = [0; BINS];
    bins.iter().for_each(|bin| counts[usize::from(*bin)] += 1);
    let mut starts = [0; BINS];
    (1..BINS).for_each(|b| starts[b] = starts[b - 1] + counts[b - 1]);
    let mut places = starts;
    for (item, bin) in items.iter().zip(bins) {
        let place = &mut places[usize::from(bin)];
        spare[*place] = *item;
        *place += 1;
    }
    items.copy_from_slice(spare);
    let mut done = 0;
    for cut in (part..items.len()).step_by(part) {
        // The bin that the cut goes through, less what earlier cuts have taken of it.
        let b = starts.partition_point(|start| *start <= cut) - 1;
        let (start, end) = (starts[b].max(done), starts.get(b + 1).map_or(items.len(), |next| *next));
        if start < cut {
            items[start..end].select_nth_unstable_by(cut - start, before);
        }
        done = cut;
    }
    part
}

/// The bins that rows are sorted into.
const BINS: usize = 256;

/// The widest column, its least and its greatest, as a few of the rows tell: others may lie beyond.
fn widest<F: Float, const D: usize>(items: &[Item<F, D>]) -> (usize, F, F) {
    const LOOKED_AT: usize = 64;
    let (mut low, mut high) = (items[0].1, items[0].1);
    for (_, row) in items.iter().step_by(items.len().div_ceil(LOOKED_AT)) {
        for j in 0..D {
            low[j] = if row[j] < low[j] { row[j] } else { low[j] };
            high[j] = if row[j] > high[j] { row[j] } else { high[j] };
        }
    }
    let widest = (1..D).fold(0, |most, j| if high[j] - low[j] > high[most] - low[most] { j } else { most });
    (widest, low[widest], high[widest])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn order_of(rows: &Array2<f64>, threads: Threads) -> Vec<u32> {
        let samples = Samples::new(rows).unwrap();
        Places::new(&samples, &vec![0.0; rows.ncols()], threads).order.to_vec()
    }

    proptest! {
        #[test]
        fn every_row_has_one_place_whatever_the_threads(
            (d, rows) in (1usize..20, 1usize..3000).prop_flat_map(|(d, n)| {
                let number = prop_oneof![(-3i32..4).prop_map(f64::from), -1.0..1.0f64, -1e300..1e300f64];
                (Just(d), prop::collection::vec(number, n * d))
            }),
        ) {
            let rows = Array2::from_shape_vec((rows.len() / d, d), rows).unwrap();
            let order = order_of(&rows, Threads::One);
            prop_assert_eq!(&order_of(&rows, Threads::Ambient), &order);
            let mut sorted = order;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..rows.nrows() as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn tiles_are_small_and_so_are_powers_of_two_of_them() {
        // A square of 256 × 256 rows, shuffled: a tile takes 8 × 8 of them, and sixteen tiles 32 × 32.
        let side = 256usize;
        let shuffled = |i: usize| (i * 40_503) % (side * side);
        let coordinate = |i: usize, j: usize| if j == 0 { shuffled(i) % side } else { shuffled(i) / side };
        let rows = Array2::from_shape_fn((side * side, 2), |(i, j)| coordinate(i, j) as f64);
        let order = order_of(&rows, Threads::Ambient);
        for (tiles, extent) in [(1, 8.0), (4, 16.0), (16, 32.0)] {
            for rows_of in order.chunks(tiles * TILE_ROWS) {
                for j in 0..2 {
                    let column = rows_of.iter().map(|i| rows[[*i as usize, j]]);
                    let (low, high) = (column.clone().fold(f64::MAX, f64::min), column.fold(f64::MIN, f64::max));
                    assert!(high - low < 2.0 * extent, "{tiles} tiles: {low} to {high}");
                }
            }
        }
    }

    #[test]
    fn one_row_far_away_does_not_spoil_the_others() {
        let mut rows = Array2::from_shape_fn((4096, 1), |(i, _)| ((i * 2_711) % 4096) as f64);
        rows[[77, 0]] = 1e30;
        let order = order_of(&rows, Threads::One);
        for tile in order.chunks(TILE_ROWS).filter(|tile| !tile.contains(&77)) {
            let values = tile.iter().map(|i| rows[[*i as usize, 0]]);
            let extent = values.clone().fold(f64::MIN, f64::max) - values.fold(f64::MAX, f64::min);
            assert!(extent < 2.0 * TILE_ROWS as f64, "{extent}");
        }
    }
}
