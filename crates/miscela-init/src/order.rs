//! Rows put in an order in which neighbours lie close together, cut into tiles.
//!
//! ```text
//! split(rows):  if they fit into a tile, they are one
//!               look at a few of them: the column in which these vary most, and the cut there that leaves the least
//!               variance on both sides (Otsu 1979);  split the rows below the cut;  split those above
//! ```
//!
//! A k-d tree (Bentley 1975) of which only the leaves are kept. Cutting where the gap is, and not at the median, keeps
//! clusters whole. The order depends on the rows alone.

use miscela_kernel::{Float, Samples, TILE_ROWS, Threads};
use std::ops::Range;

/// The rows of a table, in some order and cut into tiles of at most 64.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Order {
    /// As they are, 64 to a tile.
    Given { n: usize },
    /// `rows` in this order; tile t starts at place `starts[t]` and ends where the next one starts.
    Sorted { rows: Vec<u32>, starts: Vec<u32> },
}

impl Order {
    /// Neighbours together. Cost: about n·log₂(n/64) numbers looked at, and 4 bytes a row.
    pub(crate) fn near<F: Float>(samples: &Samples<F>, threads: Threads) -> Self {
        let threads = threads.for_work(10.0 * samples.n_rows() as f64);
        Self::of_rows(samples, (0..samples.n_rows() as u32).collect(), TILE_ROWS, threads)
    }

    /// Some of the rows, neighbours together, at most `most` to a tile.
    pub(crate) fn of_rows<F: Float>(samples: &Samples<F>, mut rows: Vec<u32>, most: usize, threads: Threads) -> Self {
        // The first few levels one by one, so that there are parts enough to share.
        const LEVELS: usize = 6;
        let mut parts = vec![&mut rows[..]];
        for _ in 0..LEVELS {
            let mut halves: Vec<_> = parts.into_iter().map(|part| (part, None)).collect();
            threads.each(&mut halves, |_, (part, other)| {
                if let Some(at) = divide(samples, part, most, &mut Look::default()) {
                    let (low, high) = std::mem::take(part).split_at_mut(at);
                    (*part, *other) = (low, Some(high));
                }
            });
            parts = halves.into_iter().flat_map(|(low, high)| [Some(low), high].into_iter().flatten()).collect();
        }
        let mut leaves: Vec<_> = parts.into_iter().map(|part| (part, Vec::new())).collect();
        threads.each(&mut leaves, |_, (part, sizes)| split(samples, part, most, sizes, &mut Look::default(), 0));
        let mut starts = vec![0];
        for size in leaves.into_iter().flat_map(|(_, sizes)| sizes) {
            let end = starts[starts.len() - 1] + size;
            match starts[..] {
                // Neighbours that fit into a tile together are one.
                [.., start, _] if end - start <= most as u32 => starts.pop(),
                _ => None,
            };
            starts.push(end);
        }
        Self::Sorted { rows, starts }
    }

    /// The number of tiles.
    pub(crate) fn tiles(&self) -> usize {
        match self {
            Order::Given { n } => n.div_ceil(TILE_ROWS),
            Order::Sorted { starts, .. } => starts.len() - 1,
        }
    }

    /// The places of tile `t`.
    pub(crate) fn places(&self, t: usize) -> Range<usize> {
        match self {
            Order::Given { n } => t * TILE_ROWS..(*n).min((t + 1) * TILE_ROWS),
            Order::Sorted { starts, .. } => starts[t] as usize..starts[t + 1] as usize,
        }
    }

    /// The row at a place.
    #[inline]
    pub(crate) fn row(&self, place: usize) -> usize {
        match self {
            Order::Given { .. } => place,
            Order::Sorted { rows, .. } => rows[place] as usize,
        }
    }

    /// The rows of tile `t`, in order.
    #[inline]
    pub(crate) fn rows(&self, t: usize) -> impl Iterator<Item = usize> {
        self.places(t).map(|place| self.row(place))
    }
}

/// Splits until all parts fit into tiles; notes their sizes in order.
fn split<F: Float>(
    samples: &Samples<F>,
    rows: &mut [u32],
    most: usize,
    sizes: &mut Vec<u32>,
    look: &mut Look,
    depth: usize,
) {
    // Deeper than any tree of clusters goes: cuts that take off a row or two at a time.
    const DEEPEST: usize = 64;
    match if depth < DEEPEST { divide(samples, rows, most, look) } else { None } {
        Some(at) => {
            let (low, high) = rows.split_at_mut(at);
            split(samples, low, most, sizes, look, depth + 1);
            split(samples, high, most, sizes, look, depth + 1);
        }
        None => sizes.extend(rows.chunks(most).map(|tile| tile.len() as u32)),
    }
}

/// Brings rows below a cut before those above it, and says how many these are; `None` where there is nothing to cut.
fn divide<F: Float>(samples: &Samples<F>, rows: &mut [u32], most: usize, look: &mut Look) -> Option<usize> {
    if rows.len() <= most {
        return None;
    }
    let (column, cut) = look.cut(samples, rows)?;
    let (table, d) = (samples.rows(), samples.n_columns());
    let all = table.as_slice();
    let is_low = |row: u32| match all {
        Some(all) => all[row as usize * d + column].widen() <= cut,
        None => table[[row as usize, column]].widen() <= cut,
    };
    // Of many rows, parts of a few tiles are cut so that tiles are full: each takes memory for all that it could hold.
    const MANY: usize = 500_000;
    const FEW: usize = 16;
    if samples.n_rows() > MANY && rows.len() <= FEW * most {
        let value = |row: u32| table[[row as usize, column]].widen();
        let at = (rows.len() / 2).next_multiple_of(most).min((rows.len() - 1) / most * most);
        rows.select_nth_unstable_by(at, |a, b| value(*a).total_cmp(&value(*b)).then(a.cmp(b)));
        return Some(at);
    }
    // Without a branch that depends on the numbers, and in the order the rows had.
    let (mut low, mut high) = (0, 0);
    look.high.resize(look.high.len().max(rows.len()), 0);
    for i in 0..rows.len() {
        let row = rows[i];
        let is_low = is_low(row);
        rows[low] = row;
        look.high[high] = row;
        low += usize::from(is_low);
        high += usize::from(!is_low);
    }
    rows[low..].copy_from_slice(&look.high[..high]);
    Some(low)
}

/// A look at a few rows.
#[derive(Default)]
struct Look {
    sums: Vec<f64>,
    squares: Vec<f64>,
    values: Vec<f64>,
    /// Rows above the cut, on their way.
    high: Vec<u32>,
}

impl Look {
    /// The column that varies most and the number there up to which rows belong to the lower part. Both parts get rows.
    fn cut<F: Float>(&mut self, samples: &Samples<F>, rows: &[u32]) -> Option<(usize, f64)> {
        const LOOKED_AT: usize = 32;
        let (table, d) = (samples.rows(), samples.n_columns());
        let some = || (0..LOOKED_AT).map(|i| rows[i * rows.len() / LOOKED_AT] as usize);
        self.sums.clear();
        self.sums.resize(d, 0.0);
        self.squares.clone_from(&self.sums);
        let first = table.row(rows[0] as usize);
        for i in some() {
            let sums = self.sums.iter_mut().zip(&mut self.squares);
            for ((x, first), (sum, square)) in table.row(i).iter().zip(first).zip(sums) {
                let z = x.widen() - first.widen();
                *sum += z;
                *square += z * z;
            }
        }
        let spread = |j: usize| self.squares[j] - self.sums[j] * self.sums[j] / LOOKED_AT as f64;
        let column = (1..d).fold(0, |most, j| if spread(j) > spread(most) { j } else { most });
        self.values.clear();
        self.values.extend(some().map(|i| table[[i, column]].widen()));
        self.values.sort_unstable_by(f64::total_cmp);
        widest_gap(&self.values).map(|cut| (column, cut))
    }
}

/// A number between those of the sorted ones where cutting makes the variance of both parts least; `None` if all are
/// equal.
fn widest_gap(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let total: f64 = values.iter().map(|x| x - values[0]).sum();
    let (mut below, mut best) = (0.0, (-1.0, None));
    for (i, pair) in values.windows(2).enumerate() {
        below += pair[0] - values[0];
        let (low, high) = ((i + 1) as f64, n - (i + 1) as f64);
        let difference = below / low - (total - below) / high;
        let between = low * high * difference * difference;
        if pair[0] < pair[1] && between > best.0 {
            let middle = pair[0] + (pair[1] - pair[0]) / 2.0;
            best = (between, Some(if middle < pair[1] { middle } else { pair[0] }));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::blobs;
    use ndarray::{Array2, array};

    fn order(rows: &Array2<f64>) -> (Order, Vec<Vec<usize>>) {
        let samples = Samples::new(rows).unwrap();
        let order = Order::near(&samples, Threads::One);
        let tiles = (0..order.tiles()).map(|t| order.rows(t).collect()).collect();
        (order, tiles)
    }

    #[test]
    fn every_row_is_in_one_tile() {
        let many = array![[1.0], [2.0]].select(ndarray::Axis(0), &vec![0; 500]);
        // Numbers that grow so fast that each cut takes off the largest.
        let steep = Array2::from_shape_fn((300, 1), |(i, _)| 8f64.powi(i as i32));
        for rows in [blobs(1, 1), blobs(64, 1), blobs(5000, 1), many, steep] {
            let (order, tiles) = order(&rows);
            assert!(tiles.iter().all(|tile| (1..=TILE_ROWS).contains(&tile.len())));
            assert!(tiles.windows(2).all(|pair| pair[0].len() + pair[1].len() > TILE_ROWS), "two that could be one");
            let mut all = tiles.concat();
            all.sort_unstable();
            assert_eq!(all, (0..rows.nrows()).collect::<Vec<_>>());
            let mut places: Vec<usize> = (0..order.tiles()).flat_map(|t| order.places(t)).collect();
            places.dedup();
            assert_eq!(places, (0..rows.nrows()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn neighbours_are_together_and_clusters_whole() {
        // Forty clusters of fifty rows, dealt out one by one.
        let rows = Array2::from_shape_fn((2000, 2), |(i, j)| {
            let cluster = i % 40;
            let corner = if j == 0 { cluster % 8 } else { cluster / 8 };
            100.0 * corner as f64 + ((i * 7 + j * 13) % 11) as f64
        });
        let (_, tiles) = order(&rows);
        assert_eq!(tiles.len(), 40);
        assert!(tiles.iter().all(|tile| tile.iter().all(|row| row % 40 == tile[0] % 40)));
    }

    #[test]
    fn threads_change_nothing() {
        let rows = blobs(200_000, 3);
        let samples = Samples::new(&rows).unwrap();
        let one = Order::near(&samples, Threads::One);
        assert_eq!(Threads::Count(3).install(|threads| Order::near(&samples, threads)), one);
    }

    #[test]
    fn the_cut_is_where_the_variance_of_both_sides_is_least() {
        assert_eq!(widest_gap(&[0.0, 1.0, 2.0, 10.0, 11.0]), Some(6.0));
        assert_eq!(widest_gap(&[0.0, 0.0, 0.0, 5.0]), Some(2.5));
        assert_eq!(widest_gap(&[3.0; 4]), None);
        assert_eq!(widest_gap(&[-1e308, 1e308]), Some(-1e308));
    }
}
