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
use std::mem::swap;
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

/// Rows are ordered in parts that take no more memory than this, one after the other; and up to twice as much again.
const PART_BYTES: usize = 4 << 20;

/// Rows that one thread takes at a time while there is but one node.
const CHUNK: usize = 16_384;

/// The order of the leaves, of a tree of the first D columns.
fn order<F: Float, const D: usize>(samples: &Samples<F>, threads: Threads) -> Vec<u32> {
    let part = (PART_BYTES / size_of::<Item<F, D>>()).next_multiple_of(TILE_ROWS);
    let mut order = vec![0; samples.n_rows()];
    for (i, order) in order.chunks_mut(part).enumerate() {
        arrange::<F, D>(samples, i * part, order, threads);
    }
    order
}

/// Writes the order of the rows from `first` on.
fn arrange<F: Float, const D: usize>(samples: &Samples<F>, first: usize, order: &mut [u32], threads: Threads) {
    let n = order.len();
    let part = if n > 2 * CHUNK { part_rows(n) } else { n };
    let mut all = threads.map(n.div_ceil(part), |p| {
        let start = first + p * part;
        items::<F, D>(samples, start..(first + n).min(start + part))
    });
    let mut spare = threads.map(all.len(), |p| all[p].clone());
    if all.len() > 1 {
        first_cuts(&mut all, &mut spare, threads);
    }
    let nodes = all.iter_mut().zip(&mut spare).zip(order.chunks_mut(part));
    let mut nodes: Vec<_> = nodes.map(|((items, spare), order)| (&mut items[..], &mut spare[..], order)).collect();
    // Level by level, so that there is work for all threads; then each node by one.
    const SHARED: usize = 32;
    while nodes.len() < SHARED && nodes[0].0.len() > TILE_ROWS {
        let mut work: Vec<_> = nodes.into_iter().map(|node| (node, 0)).collect();
        threads.each(&mut work, |_, (node, part)| *part = divide(node));
        nodes = work.into_iter().flat_map(|(node, part)| parts(node, part)).collect();
    }
    threads.each(&mut nodes, |_, (items, spare, order)| settle((items, spare, order)));
}

/// Cuts rows as [`divide`] does, by all threads: from equal parts, all but the last as long as the first, into such parts.
fn first_cuts<F: Float, const D: usize>(all: &mut [Vec<Item<F, D>>], spare: &mut [Vec<Item<F, D>>], threads: Threads) {
    let (part, n) = (all[0].len(), all.iter().map(Vec::len).sum::<usize>());
    let sample: Vec<_> = (0..n).step_by(n.div_ceil(LOOKED_AT)).map(|i| all[i / part][i % part]).collect();
    let (column, low, high) = widest(&sample);
    let chunks = all.iter().zip(spare).flat_map(|(items, sorted)| items.chunks(CHUNK).zip(sorted.chunks_mut(CHUNK)));
    let mut chunks: Vec<_> = chunks.map(|(items, sorted)| (items, sorted, [0; BINS + 1])).collect();
    threads.each(&mut chunks, |_, (items, sorted, starts)| *starts = into_bins(items, sorted, column, (low, high)));
    let chunks: Vec<_> = chunks.into_iter().map(|(_, sorted, starts)| (&*sorted, starts)).collect();
    let starts: [usize; BINS + 1] = std::array::from_fn(|b| chunks.iter().map(|(_, starts)| starts[b]).sum());
    let bin = |b: usize| chunks.iter().map(move |(sorted, starts)| &sorted[starts[b]..starts[b + 1]]);
    // Bins that cuts go through, in order as far as need be.
    let cut = threads.map(BINS, |b| {
        let cuts = (part..n).step_by(part).filter(|cut| starts[b] < *cut && *cut < starts[b + 1]);
        let (mut rows, mut done) = (Vec::new(), 0);
        for cut in cuts {
            if rows.is_empty() {
                rows.reserve_exact(starts[b + 1] - starts[b]);
                bin(b).for_each(|part| rows.extend_from_slice(part));
            }
            rows[done..].select_nth_unstable_by(cut - starts[b] - done, |a, b| compare(a, b, column));
            done = cut - starts[b];
        }
        rows
    });
    threads.each(all, |p, items| {
        let (from, to) = (p * part, p * part + items.len());
        items.clear();
        for b in (0..BINS).filter(|b| starts[*b] < to && from < starts[b + 1]) {
            if cut[b].is_empty() {
                bin(b).for_each(|rows| items.extend_from_slice(rows));
            } else {
                items.extend_from_slice(&cut[b][from.max(starts[b]) - starts[b]..to.min(starts[b + 1]) - starts[b]]);
            }
        }
    });
}

fn items<F: Float, const D: usize>(samples: &Samples<F>, range: Range<usize>) -> Vec<Item<F, D>> {
    let mut copied = Vec::new();
    let block = samples.block(range.clone(), &mut copied);
    let mut items = Vec::with_capacity(range.len());
    for (row, i) in block.rows().zip(range) {
        let columns = <[F; D]>::try_from(row).unwrap_or_else(|_| {
            let mut columns = [F::zero(); D];
            columns.iter_mut().zip(row).for_each(|(to, x)| *to = *x);
            columns
        });
        items.push((i as u32, columns));
    }
    items
}

/// Rows, room for as many, and where the order of their leaves is written.
type Node<'a, F, const D: usize> = (&'a mut [Item<F, D>], &'a mut [Item<F, D>], &'a mut [u32]);

/// The parts of a node that was divided.
fn parts<F: Float, const D: usize>((items, spare, order): Node<F, D>, part: usize) -> impl Iterator<Item = Node<F, D>> {
    let parts = items.chunks_mut(part).zip(spare.chunks_mut(part)).zip(order.chunks_mut(part));
    parts.map(|((items, spare), order)| (items, spare, order))
}

/// Writes the rows in the order of the leaves.
fn settle<F: Float, const D: usize>(mut node: Node<F, D>) {
    let part = divide(&mut node);
    if part < node.0.len() {
        return parts(node, part).for_each(settle);
    }
    let (items, _, order) = node;
    order.iter_mut().zip(items).for_each(|(to, (row, _))| *to = *row);
}

/// How many rows each part has of so many, but the last: a half, or less where the parts are cut again.
fn part_rows(n: usize) -> usize {
    let tiles = n.div_ceil(TILE_ROWS);
    let ways = match tiles {
        ..16 => 2,
        16..64 => 4,
        _ => 8,
    };
    tiles.next_power_of_two() / ways * TILE_ROWS
}

/// By one column.
fn compare<F: Float, const D: usize>(a: &Item<F, D>, b: &Item<F, D>, column: usize) -> Ordering {
    a.1[column].partial_cmp(&b.1[column]).unwrap_or(Ordering::Equal)
}

/// Cuts rows by the widest column, in two or, where the parts are cut again, in more, and says how long the parts are. What is no
/// longer than a tile stays whole.
fn divide<F: Float, const D: usize>((items, spare, _): &mut Node<F, D>) -> usize {
    let n = items.len();
    if n <= TILE_ROWS {
        return TILE_ROWS;
    }
    let part = part_rows(n);
    let (column, low, high) = widest(items);
    if 2 * part >= n {
        items.select_nth_unstable_by(part, |a, b| compare(a, b, column));
        return part;
    }
    // Sorted into bins first, so that each row is moved once for all cuts.
    let starts = into_bins(items, spare, column, (low, high));
    swap(items, spare);
    let mut done = 0;
    for cut in (part..n).step_by(part) {
        // The bin that the cut goes through, less what earlier cuts have taken of it.
        let b = starts.partition_point(|start| *start <= cut) - 1;
        let start = starts[b].max(done);
        if start < cut {
            items[start..starts[b + 1]].select_nth_unstable_by(cut - start, |a, b| compare(a, b, column));
        }
        done = cut;
    }
    part
}

/// The bins that rows are sorted into.
const BINS: usize = 256;

/// Copies rows in the order of equal parts of a column's extent, and says where each of these begins, and the last ends.
fn into_bins<F: Float, const D: usize>(
    items: &[Item<F, D>],
    sorted: &mut [Item<F, D>],
    column: usize,
    (low, high): (F, F),
) -> [usize; BINS + 1] {
    let scale = F::narrow(BINS as f64 / (high.widen() - low.widen()));
    let (last, half) = (F::of_index(BINS as u32 - 1), F::narrow(0.5));
    let mut bins = vec![0u8; items.len()];
    Isa::best().vectorize(|| {
        for (bin, item) in bins.iter_mut().zip(items) {
            let place = (item.1[column] - low) * scale - half;
            let place = if place > F::zero() { place } else { F::zero() };
            *bin = (if place < last { place } else { last }).index() as u8;
        }
    });
    let mut starts = [0; BINS + 1];
    bins.iter().for_each(|bin| starts[usize::from(*bin) + 1] += 1);
    (1..=BINS).for_each(|b| starts[b] += starts[b - 1]);
    let mut places = starts;
    for (item, bin) in items.iter().zip(bins) {
        let place = &mut places[usize::from(bin)];
        sorted[*place] = *item;
        *place += 1;
    }
    starts
}

/// The rows that tell how far a column extends.
const LOOKED_AT: usize = 64;

/// The widest column, its least and its greatest, as a few of the rows tell: others may lie beyond.
fn widest<F: Float, const D: usize>(items: &[Item<F, D>]) -> (usize, F, F) {
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
    fn tables_that_all_threads_cut_first_are_ordered_too() {
        let n = 2 * CHUNK + 9001;
        let noise = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 10_007) as f64;
        type Number<'a> = &'a dyn Fn(usize, usize) -> f64;
        let cases: [Number; 5] = [
            &noise,
            &|_, _| 1.5,
            &|i, j| noise(i, j) % 3.0,
            &|i, j| if i == 77 { -1e30 } else { noise(i, j) },
            &|i, j| (noise(i, j) - 5000.0) * 3e304,
        ];
        for number in cases {
            for d in [1, 2, 5, 17] {
                let rows = Array2::from_shape_fn((n, d), |(i, j)| number(i, j));
                let order = order_of(&rows, Threads::One);
                assert_eq!(order_of(&rows, Threads::Ambient), order);
                // As from a table that is not contiguous.
                let other = Array2::from_shape_fn((d, n), |(j, i)| number(i, j)).reversed_axes();
                assert_eq!(order_of(&other, Threads::One), order);
                let mut sorted = order;
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..n as u32));
            }
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
