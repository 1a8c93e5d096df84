//! The distances of the rows of a tile to some other rows, summed up, or the least and the greatest of them.
//!
//! ```text
//! sumᵢ  +=  Σⱼ wⱼ √Σₕ (xᵢₕ − yⱼₕ)²                nearestᵢ, farthestᵢ  =  min, max over j of Σₕ (xᵢₕ − yⱼₕ)²
//! ```
//!
//! None of the distances is stored: two registers of rows of the tile meet up to four other rows at a time, and what comes
//! out is taken up in registers. Differences are squared, never sums of squares subtracted, so that near rows far from the
//! origin keep their digits.

use crate::float::lanes;
use crate::tile::{Column, TILE_ROWS};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// Adds to `sums` the Euclidean distances of each row of a tile to `others`, times their weights: row-major, as wide as
/// there are columns. Rows that the tile has not get sums as well, of no use.
///
/// Cost: 2·d + 2 operations and a square root for each pair, vectorised.
///
/// ```
/// use miscela_kernel::{Column, add_distances};
///
/// let mut sums = Column::splat(0.0);
/// add_distances(&[Column::splat(3.0), Column::splat(4.0)], 1, &[0.0, 0.0, 3.0, 4.0], &[2.0, 7.0], &mut sums);
/// assert_eq!(sums.0[0], 10.0);
/// ```
///
/// # Panics
/// If there are more than 64 rows, or not as many weights as other rows.
pub fn add_distances<F: Float>(columns: &[Column<F>], rows: usize, others: &[F], weights: &[F], sums: &mut Column<F>) {
    add_distances_with(Isa::best(), columns, rows, others, weights, sums);
}

/// [`add_distances`] by a given instruction set.
pub fn add_distances_with<F: Float>(
    isa: Isa,
    columns: &[Column<F>],
    rows: usize,
    others: &[F],
    weights: &[F],
    sums: &mut Column<F>,
) {
    let mut state = [*sums, Column::splat(F::zero())];
    isa.run(Spans { columns, rows, others, weights, state: &mut state, take: Sum });
    *sums = state[0];
}

/// Lowers `nearest` and raises `farthest` to the squared distances of each row of a tile to `others`.
///
/// # Panics
/// If there are more than 64 rows, or a part of another one.
pub fn extreme_distances<F: Float>(
    columns: &[Column<F>],
    rows: usize,
    others: &[F],
    nearest: &mut Column<F>,
    farthest: &mut Column<F>,
) {
    extreme_distances_with(Isa::best(), columns, rows, others, nearest, farthest);
}

/// [`extreme_distances`] by a given instruction set.
pub fn extreme_distances_with<F: Float>(
    isa: Isa,
    columns: &[Column<F>],
    rows: usize,
    others: &[F],
    nearest: &mut Column<F>,
    farthest: &mut Column<F>,
) {
    let mut state = [*nearest, *farthest];
    let weights = vec![F::one(); others.len() / columns.len().max(1)];
    isa.run(Spans { columns, rows, others, weights: &weights, state: &mut state, take: Extremes });
    [*nearest, *farthest] = state;
}

/// What becomes of the squared distances of a register of rows to another row.
trait Take<F: Float>: Copy {
    fn take<S: Simd>(self, simd: S, squared: F::Vector<S>, weight: F::Vector<S>, state: &mut [F::Vector<S>; 2]);
}

#[derive(Clone, Copy)]
struct Sum;

impl<F: Float> Take<F> for Sum {
    #[inline(always)]
    fn take<S: Simd>(self, simd: S, squared: F::Vector<S>, weight: F::Vector<S>, state: &mut [F::Vector<S>; 2]) {
        state[0] = F::vfma(simd, F::vsqrt(simd, squared), weight, state[0]);
    }
}

#[derive(Clone, Copy)]
struct Extremes;

impl<F: Float> Take<F> for Extremes {
    #[inline(always)]
    fn take<S: Simd>(self, simd: S, squared: F::Vector<S>, _: F::Vector<S>, state: &mut [F::Vector<S>; 2]) {
        *state = [F::vmin(simd, state[0], squared), F::vmax(simd, state[1], squared)];
    }
}

struct Spans<'a, F, T> {
    columns: &'a [Column<F>],
    rows: usize,
    others: &'a [F],
    weights: &'a [F],
    state: &'a mut [Column<F>; 2],
    take: T,
}

impl<F: Float, T: Take<F>> WithSimd for Spans<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let d = self.columns.len();
        assert!(self.rows <= TILE_ROWS && d > 0 && self.others.len() == self.weights.len() * d);
        let strip = 2 * lanes::<S, F>();
        for at in (0..self.rows.div_ceil(strip)).map(|strip| 2 * strip) {
            self.strip(simd, at);
        }
    }
}

impl<F: Float, T: Take<F>> Spans<'_, F, T> {
    /// Two registers of rows, those at `at`, against all others.
    #[inline(always)]
    fn strip<S: Simd>(&mut self, simd: S, at: usize) {
        let mut state: [[F::Vector<S>; 2]; 2] = std::array::from_fn(|r| {
            [F::vectors::<S>(&self.state[0].0)[at + r], F::vectors::<S>(&self.state[1].0)[at + r]]
        });
        let mut first = 0;
        while first < self.weights.len() {
            first += match self.weights.len() - first {
                1 => self.group::<S, 1>(simd, at, first, &mut state),
                2 => self.group::<S, 2>(simd, at, first, &mut state),
                3 => self.group::<S, 3>(simd, at, first, &mut state),
                _ => self.group::<S, 4>(simd, at, first, &mut state),
            };
        }
        for (r, own) in state.into_iter().enumerate() {
            for (to, own) in self.state.iter_mut().zip(own) {
                F::vectors_mut::<S>(&mut to.0)[at + r] = own;
            }
        }
    }

    /// The same two registers against `G` others from `first` on.
    #[inline(always)]
    fn group<S: Simd, const G: usize>(
        &self,
        simd: S,
        at: usize,
        first: usize,
        state: &mut [[F::Vector<S>; 2]; 2],
    ) -> usize {
        let d = self.columns.len();
        let others: [&[F]; G] = std::array::from_fn(|g| &self.others[(first + g) * d..][..d]);
        let mut squared = [[F::splat(simd, F::zero()); 2]; G];
        for j in 0..d {
            let x = &F::vectors::<S>(&self.columns[j].0)[at..at + 2];
            for g in 0..G {
                let y = F::splat(simd, others[g][j]);
                for r in 0..2 {
                    let z = F::vsub(simd, x[r], y);
                    squared[g][r] = F::vfma(simd, z, z, squared[g][r]);
                }
            }
        }
        for (g, squared) in squared.into_iter().enumerate() {
            let weight = F::splat(simd, self.weights[first + g]);
            for r in 0..2 {
                self.take.take(simd, squared[r], weight, &mut state[r]);
            }
        }
        G
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, Tile, squared_distance};
    use proptest::prelude::*;

    fn conforms<F: Float>(d: usize, rows: &[F], others: &[F], weights: &[F]) {
        let block = Block::new(rows, d);
        let mut tile = Tile::new();
        tile.fill(&block, &vec![F::zero(); d]);
        let slack = 4.0 * (d + weights.len() + 4) as f64 * F::UNIT_ROUNDOFF;
        for isa in Isa::available() {
            let mut sums = Column::splat(F::one());
            add_distances_with(isa, tile.columns(), block.len(), others, weights, &mut sums);
            let (mut nearest, mut farthest) = (Column::splat(F::infinity()), Column::splat(F::zero()));
            extreme_distances_with(isa, tile.columns(), block.len(), others, &mut nearest, &mut farthest);
            for (i, row) in block.rows().enumerate() {
                let squared = |other: &[F]| squared_distance(row, other);
                let all = others.chunks_exact(d).zip(weights);
                let sum = all.fold(1.0, |sum, (other, w)| sum + w.widen() * squared(other).sqrt());
                assert!((sums.0[i].widen() - sum).abs() <= slack * sum, "{} {sum}", isa.name());
                let least = others.chunks_exact(d).map(squared).fold(f64::INFINITY, f64::min);
                let most = others.chunks_exact(d).map(squared).fold(0.0, f64::max);
                assert!((nearest.0[i].widen() - least).abs() <= slack * least, "{} {least}", isa.name());
                assert!((farthest.0[i].widen() - most).abs() <= slack * most, "{} {most}", isa.name());
            }
        }
    }

    proptest! {
        #[test]
        fn distances_are_those_of_the_plain_loop(
            (d, rows, others, weights) in (1usize..20, 1usize..65, 1usize..11).prop_flat_map(|(d, n, m)| {
                let numbers = |count| prop::collection::vec(-1.0..1.0f64, count);
                (Just(d), numbers(n * d), numbers(m * d), prop::collection::vec(0.0..3.0f64, m))
            }),
        ) {
            conforms(d, &rows, &others, &weights);
            let single = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect::<Vec<_>>();
            conforms(d, &single(&rows), &single(&others), &single(&weights));
        }
    }
}
