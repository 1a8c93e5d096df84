//! Rows in whole numbers of 16 bits, two columns in a word: what `whole.rs` scores.
//!
//! ```text
//! x ≈ s·q      s: one number for the rows of a tile, such that no q is longer than 2¹⁵, but for rows that are far longer than the others
//! ```
//!
//! Rows do not move. Where there is room for half a table (a quarter in `f64`), they are rounded once and kept for all passes over
//! them, which then neither turn rows nor read them in full.

use crate::float::lanes;
use crate::scores::{norms, strips};
use crate::tile::{Column, Rows, TILE_ROWS, Tile};
use crate::{Centroids, Float, Isa, Samples, Threads};
use pulp::{Simd, WithSimd};

/// How long a row or a centroid may be at most, in whole numbers: with what rounding adds, less than 2¹⁵.
pub(crate) const LONGEST: f64 = 32_000.0;

/// What is far: so many times the mean of the lengths.
pub(crate) const FAR: f64 = 4.0;

/// What is known of the rows of a tile in whole numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<F> {
    /// ‖x‖²
    pub(crate) norm2: Column<F>,
    /// The greatest ‖x‖² of a row that is not far.
    pub(crate) limit: F,
    /// 1/s
    pub(crate) scale: F,
    /// ‖x/s‖² and ‖x/s − q‖²
    pub(crate) square: Column<f32>,
    pub(crate) lost: Column<f32>,
}

impl<F: Float> Default for About<F> {
    fn default() -> Self {
        let (zero, nothing) = (F::zero(), Column::splat(0.0));
        Self { norm2: Column::splat(zero), limit: zero, scale: zero, square: nothing, lost: nothing }
    }
}

/// Rounds the rows of a tile. `reach` is how far centroids lie from the offset: rows that are shorter need no finer numbers.
pub(crate) struct Round<'a, F> {
    pub(crate) tile: &'a Tile<F>,
    pub(crate) reach: f64,
    /// They are put at the end.
    pub(crate) words: &'a mut Vec<Column<u32>>,
}

impl<F: Float> WithSimd for Round<'_, F> {
    type Output = About<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> About<F> {
        const STRIP: usize = 4;
        let Self { tile, reach, words } = self;
        let mut about = About::default();
        for at in strips::<S, F, STRIP>(TILE_ROWS) {
            let norm2: [_; STRIP] = norms(simd, tile.columns(), at);
            F::vectors_mut::<S>(&mut about.norm2.0)[at..at + STRIP].copy_from_slice(&norm2);
        }
        let mean = mean_length::<S, F>(simd, &about.norm2, tile.rows());
        about.limit = F::narrow((FAR * mean) * (FAR * mean));
        let longest = longest::<S, F>(simd, &about.norm2, about.limit).widen().sqrt();
        about.scale = F::narrow(LONGEST / longest.max(reach));
        about.round::<S>(tile.columns(), words);
        about
    }
}

/// The mean of the lengths of so many rows; those that are not there have none.
#[inline(always)]
fn mean_length<S: Simd, F: Float>(simd: S, norm2: &Column<F>, rows: usize) -> f64 {
    let mut sum = F::splat(simd, F::zero());
    for x in F::vectors::<S>(&norm2.0) {
        sum = F::vadd(simd, sum, F::vsqrt(simd, *x));
    }
    F::vsum(simd, sum).widen() / rows as f64
}

/// The greatest number that is not above a limit.
#[inline(always)]
fn longest<S: Simd, F: Float>(simd: S, norm2: &Column<F>, limit: F) -> F {
    let zero = F::splat(simd, F::zero());
    let (mut longest, above) = (zero, F::splat(simd, limit));
    for x in F::vectors::<S>(&norm2.0) {
        let counts = F::vselect(simd, F::vless(simd, above, *x), zero, *x);
        longest = F::vmax(simd, longest, counts);
    }
    let mut numbers = [F::zero(); TILE_ROWS];
    F::vectors_mut::<S>(&mut numbers)[0] = longest;
    numbers[..lanes::<S, F>()].iter().fold(F::zero(), |most, x| if *x > most { *x } else { most })
}

impl<F: Float> About<F> {
    /// Rounds columns, two to a word, and sums up how long the rows are and what is lost.
    #[inline(always)]
    fn round<S: Simd>(&mut self, columns: &[Column<F>], words: &mut Vec<Column<u32>>) {
        // Added to a number, it leaves what is whole of it in the last bits.
        const ROUND: f32 = 3.0 * (1 << 22) as f32;
        let (nothing, scale) = (Column::splat(F::zero()), self.scale);
        let first = words.len();
        words.resize(first + columns.len().div_ceil(2), Column([0; TILE_ROWS]));
        for (pair, words) in columns.chunks(2).zip(&mut words[first..]) {
            let (a, b) = (&pair[0].0, &pair.get(1).unwrap_or(&nothing).0);
            for i in 0..TILE_ROWS {
                let (y, z) = ((a[i] * scale).widen() as f32, (b[i] * scale).widen() as f32);
                let (v, w) = (y + ROUND, z + ROUND);
                words.0[i] = (v.to_bits() & 0xFFFF) | (w.to_bits() << 16);
                let (v, w) = (y - (v - ROUND), z - (w - ROUND));
                self.square.0[i] = f32::fma::<S>(y, y, f32::fma::<S>(z, z, self.square.0[i]));
                self.lost.0[i] = f32::fma::<S>(v, v, f32::fma::<S>(w, w, self.lost.0[i]));
            }
        }
    }
}

/// The tiles that are kept in one piece.
const TOGETHER: usize = 16;

/// All rows of a table in whole numbers, less the offset of the centroids to come, kept for passes over them tile by tile.
#[derive(Clone, Debug)]
pub struct Rounded<F> {
    /// The words of a row.
    length: usize,
    parts: Vec<Part<F>>,
}

/// Some tiles, written by the thread that turned them.
#[derive(Clone, Debug)]
struct Part<F> {
    words: Vec<Column<u32>>,
    about: Vec<About<F>>,
}

impl<F: Float> Rounded<F> {
    /// The bytes that so many rows take.
    pub fn bytes(rows: usize, width: usize) -> usize {
        rows * (size_of::<u32>() * width.div_ceil(2) + size_of::<F>() + 2 * size_of::<f32>())
    }

    /// The rows of a table in the samples' order, if whole numbers are of use to tell which of these centroids they are nearest to,
    /// or of others of their kind. Cost: one pass without scores.
    pub fn new(samples: &Samples<F>, centroids: &Centroids<F>, threads: Threads) -> Option<Self> {
        let (reach, offset) = (centroids.whole()?.reach(), centroids.offset());
        let (n, length) = (samples.n_rows(), offset.len().div_ceil(2));
        let mut parts = vec![Part { words: Vec::new(), about: Vec::new() }; n.div_ceil(TILE_ROWS * TOGETHER)];
        threads.each(&mut parts, |part, Part { words, about }| {
            let (mut tile, mut copied) = (Tile::new(), Vec::new());
            let first = part * TILE_ROWS * TOGETHER;
            let tiles = (n - first).div_ceil(TILE_ROWS).min(TOGETHER);
            words.reserve_exact(tiles * length);
            about.reserve_exact(tiles);
            for first in (0..tiles).map(|t| first + t * TILE_ROWS) {
                tile.take(&Rows::run(samples, first..n.min(first + TILE_ROWS), &mut copied), offset);
                about.push(Isa::best().run(Round { tile: &tile, reach, words: &mut *words }));
            }
        });
        Some(Self { length, parts })
    }

    /// A tile.
    pub(crate) fn tile(&self, tile: usize) -> (&[Column<u32>], &About<F>) {
        let (Part { words, about }, at) = (&self.parts[tile / TOGETHER], tile % TOGETHER);
        (&words[at * self.length..(at + 1) * self.length], &about[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Told, cases};
    use proptest::prelude::*;

    /// Rows that are not far are no longer than they may be, and what is told of their lengths and of what was lost is so, by every
    /// instruction set; and the same is kept of a table in any order.
    fn conforms<F: Float>((rows, sets, offset, order): Told<F>) {
        let all = Samples::new(&rows).unwrap();
        let samples = all.in_order(order);
        let (n, mut copied) = (samples.n_rows(), Vec::new());
        let centroids = Centroids::new(&sets[0], offset);
        let kept = Rounded::new(&samples, &centroids, Threads::One);
        for (t, first) in (0..n).step_by(TILE_ROWS).enumerate() {
            let range = first..n.min(first + TILE_ROWS);
            let mut tile = Tile::new();
            tile.take(&Rows::run(&samples, range.clone(), &mut copied), offset);
            for isa in Isa::available() {
                let (mut words, reach) = (Vec::new(), centroids.whole().map_or(0.0, |whole| whole.reach()));
                let about = isa.run(Round { tile: &tile, reach, words: &mut words });
                if let Some(kept) = kept.as_ref().filter(|_| isa.name() == Isa::best().name()) {
                    let (same, also) = kept.tile(t);
                    assert!(same.iter().zip(&words).all(|(a, b)| a.0 == b.0));
                    assert_eq!((also.scale, also.limit), (about.scale, about.limit));
                }
                // Rows without length, or whose squares overflow or vanish, are not of use.
                if !about.scale.is_normal() || !about.limit.is_normal() {
                    continue;
                }
                for i in (0..range.len()).filter(|i| about.norm2.0[*i] <= about.limit) {
                    let exact = |j: usize| tile.columns()[j].0[i].widen() * about.scale.widen();
                    let whole = |j: usize| f64::from((words[j / 2].0[i] >> (j % 2 * 16)) as i16);
                    let length =
                        |of: &dyn Fn(usize) -> f64| (0..offset.len()).map(|j| of(j).powi(2)).sum::<f64>().sqrt();
                    let (square, lost) = (length(&exact), length(&|j| exact(j) - whole(j)));
                    assert!(length(&whole) <= f64::from(1 << 15), "{} {}", isa.name(), F::NAME);
                    assert!((f64::from(about.square.0[i]).sqrt() - square).abs() <= 1e-4 * square + 1e-15);
                    // What `Best::tell` allows for.
                    let told = f64::from(about.lost.0[i]).sqrt();
                    assert!((told - lost).abs() <= 1e-6 * square + 1e-4 * lost, "{told} and {lost} of {square}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_are_rounded_and_what_is_lost_is_known(case in cases((1usize..70, 1usize..200, 1usize..12), 0)) {
            case.tell(conforms, conforms);
        }
    }
}
