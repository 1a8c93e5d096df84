//! Wide rows against many centroids: bounded from a few columns of a rotation, and completed exactly.
//!
//! ```text
//! φ(x) = (Rᵀx, ‖x − R Rᵀx‖)           R: d × p, orthonormal, along the directions of greatest variance
//! ‖φ(x) − φ(c)‖ ≤ ‖x − c‖             by Pythagoras and the triangle inequality
//!
//! for each row: u ← its distance from the centroid that it has
//!               the centroids with ‖φ(x) − φ(c)‖ ≤ u are scored in full, and no others
//! ```
//!
//! Where the variance decays, few centroids are left, at d/p of the work. The programs PDX and SuperKMeans prune by leading
//! columns of a rotation too; here nothing is approximate, and the labels are those of the direct form.

use crate::float::lanes;
use crate::scores::{Found, Known, STRIP, Shifted, TOGETHER, norms, strips};
use crate::tile::{Column, Rows, TILE_ROWS, Tile};
use crate::{Block, Centroids, Float, Isa};
use pulp::{Simd, WithSimd};

/// A basis of the leading directions, and the centroids seen through it.
#[derive(Clone, Debug)]
pub struct Prefix<F> {
    /// p directions of d columns.
    basis: Shifted<F>,
    /// φ of each centroid less the offset, p + 1 columns.
    leading: Shifted<F>,
    /// What rounding may do to the last column of any of them.
    blur: f64,
}

impl<F: Float> Prefix<F> {
    /// Directions along which some rows, less their mean, vary most: an eighth as many as there are columns. Rows and the
    /// result are row-major; the directions are orthonormal, found by one round of subspace iteration.
    ///
    /// Cost: n·d²/4 for n rows.
    pub fn directions(rows: &[F], mean: &[F]) -> Vec<F> {
        let rows = rows.chunks_exact(mean.len());
        let rows = rows.map(|row| row.iter().zip(mean).map(|(x, m)| x.widen() - m.widen()).collect()).collect();
        let directions = Isa::best().run(Leading { rows, count: mean.len() / 8 });
        directions.concat().into_iter().map(F::narrow).collect()
    }

    /// The centroids seen through directions. Cost: k·d²/4, vectorised.
    pub fn new(directions: &[F], centroids: &Centroids<F>) -> Self {
        let (shifted, width, k) = (centroids.shifted(), centroids.width(), centroids.len());
        let p = directions.len() / width;
        let (basis, nothing) = (Shifted::directions(directions, width), vec![F::zero(); width]);
        let (mut tile, mut columns, mut leading) = (Tile::new(), Vec::new(), Vec::with_capacity(k * (p + 1)));
        let mut greatest = 0.0f64;
        for first in (0..k).step_by(TILE_ROWS) {
            let rows = Block::new(&shifted.rows[first * width..(first + TILE_ROWS).min(k) * width], width);
            tile.fill(&rows, &nothing);
            let norm2 = Isa::best().run(Project { basis: &basis, tile: &tile, leading: &mut columns });
            for i in 0..rows.len() {
                leading.extend(columns.iter().map(|column| column.0[i]));
                let error = error::<F>(width, p, norm2.0[i].widen());
                greatest = greatest.max(blur(columns[p].0[i].widen(), error));
            }
        }
        Self { basis, leading: Shifted::new(&leading, &nothing[..p + 1]), blur: greatest }
    }
}

/// How far around a row centroids are completed, by its distance from its own.
const MARGIN: f64 = 1.15;

/// By what part of (‖x‖ + ‖c‖)² a squared distance seen through the directions, in `F`, may be too great.
fn slack<F: Float>(width: usize, p: usize) -> f64 {
    8.0 * (width + p + 16) as f64 * F::UNIT_ROUNDOFF
}

/// The same, with the squares that vanished.
fn error<F: Float>(width: usize, p: usize, square: f64) -> f64 {
    slack::<F>(width, p) * square + 8.0 * (width + p + 16) as f64 * F::min_positive_value().widen()
}

/// What an error of a square may do to its root.
fn blur(root: f64, error: f64) -> f64 {
    error / (root + error.sqrt()).max(f64::MIN_POSITIVE)
}

/// So many orthonormal directions along which some rows vary most.
struct Leading {
    rows: Vec<Vec<f64>>,
    count: usize,
}

impl WithSimd for Leading {
    type Output = Vec<Vec<f64>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Vec<f64>> {
        let Self { rows, count } = self;
        let mut directions: Vec<Vec<f64>> = (0..count).map(|q| rows[q * rows.len() / count].clone()).collect();
        orthonormalise(simd, &mut directions);
        for direction in &mut directions {
            let mut image = vec![0.0; direction.len()];
            for row in &rows {
                add_multiple(simd, dot(simd, row, direction), row, &mut image);
            }
            *direction = image;
        }
        orthonormalise(simd, &mut directions);
        directions
    }
}

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f64], b: &[f64]) -> f64 {
    let mut sum = f64::splat(simd, 0.0);
    for (a, b) in f64::vectors::<S>(a).iter().zip(f64::vectors::<S>(b)) {
        sum = f64::vfma(simd, *a, *b, sum);
    }
    let whole = a.len() - a.len() % lanes::<S, f64>();
    a[whole..].iter().zip(&b[whole..]).fold(f64::vsum(simd, sum), |sum, (a, b)| sum + a * b)
}

/// b += s·a
#[inline(always)]
fn add_multiple<S: Simd>(simd: S, s: f64, a: &[f64], b: &mut [f64]) {
    let whole = a.len() - a.len() % lanes::<S, f64>();
    let scale = f64::splat(simd, s);
    for (a, b) in f64::vectors::<S>(a).iter().zip(f64::vectors_mut::<S>(b)) {
        *b = f64::vfma(simd, scale, *a, *b);
    }
    b[whole..].iter_mut().zip(&a[whole..]).for_each(|(b, a)| *b += s * a);
}

/// Gram-Schmidt, twice for each, so that rounding leaves nothing of the others (Giraud et al. 2005). What is all of the
/// others becomes zero, which bounds nothing and harms nothing.
#[inline(always)]
fn orthonormalise<S: Simd>(simd: S, vectors: &mut [Vec<f64>]) {
    for i in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(i);
        let vector = &mut rest[0];
        let size = dot(simd, vector, vector).sqrt();
        for _ in 0..2 {
            for other in &*before {
                add_multiple(simd, -dot(simd, vector, other), other, vector);
            }
        }
        let left = dot(simd, vector, vector).sqrt();
        let scale = if left > 1e-8 * size { 1.0 / left } else { 0.0 };
        vector.iter_mut().for_each(|x| *x *= scale);
    }
}

/// Space to sift in, kept between calls.
#[derive(Clone, Debug)]
pub(crate) struct SiftScratch<F> {
    /// φ of the rows of a tile.
    leading: Vec<Column<F>>,
    /// For each row, in ascending order, the centroids that may be nearest.
    contenders: Vec<Vec<u32>>,
}

impl<F> SiftScratch<F> {
    /// The centroids that were completed for row `i`.
    pub(crate) fn contenders(&self, i: usize) -> &[u32] {
        &self.contenders[i]
    }
}

impl<F: Float> Default for SiftScratch<F> {
    fn default() -> Self {
        Self { leading: Vec::new(), contenders: vec![Vec::new(); TILE_ROWS] }
    }
}

/// Finds the nearest centroids of the rows of a tile, which was filled from `rows`. `labels` are what the rows have;
/// returns how many scores were completed.
pub(crate) struct Sift<'a, F> {
    pub(crate) prefix: &'a Prefix<F>,
    pub(crate) rows: &'a Rows<'a, F>,
    pub(crate) tile: &'a Tile<F>,
    pub(crate) offset: &'a [F],
    pub(crate) centroids: &'a Shifted<F>,
    pub(crate) labels: &'a [u32],
    pub(crate) scratch: &'a mut SiftScratch<F>,
    pub(crate) found: &'a mut Found<F>,
    /// For each row a distance that no centroid is within which was not completed.
    pub(crate) beyond: &'a mut Column<F>,
}

impl<F: Float> WithSimd for Sift<'_, F> {
    type Output = u64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> u64 {
        let Self { prefix, rows, tile, offset, centroids, labels, scratch, found, beyond } = self;
        let (width, p, count) = (offset.len(), prefix.basis.len(), tile.rows());
        let norm2 = project(simd, &prefix.basis, tile, &mut scratch.leading);

        // The greatest score, through the directions, of a centroid that is too far away.
        let mut limit = Column::splat(F::infinity());
        let slack = slack::<F>(width, p);
        let mut row = vec![F::zero(); width];
        for i in 0..count {
            rows.copy_shifted(i, offset, &mut row);
            let norm2 = norm2.0[i].widen();
            let score = centroids.score_of(simd, &row, labels[i] as usize).widen();
            // ‖x‖² was itself computed.
            let norm = (norm2 * (1.0 + slack)).sqrt() + centroids.reach().widen();
            let error = error::<F>(width, p, norm * norm);
            let tail = scratch.leading[p].0[i].widen();
            let blur = prefix.blur + blur(tail, error);
            // Somewhat farther than need be, so that the row's bounds will hold for a while.
            let reach = MARGIN * (norm2 - 2.0 * score + error).max(0.0).sqrt();
            beyond.0[i] = F::narrow(reach * (1.0 - slack));
            let reach = reach + 2.0 * blur;
            limit.0[i] = F::narrow(0.5 * (through(&scratch.leading, i) - reach * reach - error));
        }
        sift(simd, prefix, &limit, count, scratch);

        let mut known = Known { norm2, ..Known::new() };
        let mut completed = 0;
        for i in 0..count {
            rows.copy_shifted(i, offset, &mut row);
            for c in &scratch.contenders[i] {
                known.note(i, centroids.score_of(simd, &row, *c as usize), centroids.numbers[*c as usize]);
            }
            completed += scratch.contenders[i].len() as u64;
        }
        known.finish(simd, (count, width, 0), centroids, found);
        completed
    }
}

/// ‖φ(x)‖² of row `i` of a tile.
fn through<F: Float>(leading: &[Column<F>], i: usize) -> f64 {
    leading.iter().map(|column| column.0[i].widen() * column.0[i].widen()).sum()
}

/// φ of the rows of a tile, and ‖x‖².
struct Project<'a, F> {
    basis: &'a Shifted<F>,
    tile: &'a Tile<F>,
    leading: &'a mut Vec<Column<F>>,
}

impl<F: Float> WithSimd for Project<'_, F> {
    type Output = Column<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Column<F> {
        project(simd, self.basis, self.tile, self.leading)
    }
}

#[inline(always)]
fn project<S: Simd, F: Float>(simd: S, basis: &Shifted<F>, tile: &Tile<F>, leading: &mut Vec<Column<F>>) -> Column<F> {
    let p = basis.len();
    leading.resize(p + 1, Column::splat(F::zero()));
    let mut norm2 = Column::splat(F::zero());
    for at in strips::<S, F, STRIP>(TILE_ROWS) {
        let whole: [_; STRIP] = norms(simd, tile.columns(), at);
        let mut rest = whole;
        for first in (0..p).step_by(TOGETHER) {
            let sums = basis.scores::<S, STRIP, TOGETHER>(simd, tile.columns(), at, &basis.together(None, first));
            for g in 0..TOGETHER.min(p - first) {
                for r in 0..STRIP {
                    let along = sums[g][r];
                    rest[r] = F::vsub(simd, rest[r], F::vmul(simd, along, along));
                    F::vectors_mut::<S>(&mut leading[first + g].0)[at + r] = along;
                }
            }
        }
        for r in 0..STRIP {
            F::vectors_mut::<S>(&mut norm2.0)[at + r] = whole[r];
            let rest = F::vmax(simd, rest[r], F::splat(simd, F::zero()));
            F::vectors_mut::<S>(&mut leading[p].0)[at + r] = F::vsqrt(simd, rest);
        }
    }
    norm2
}

/// Lists for each row the centroids whose score through the directions is not below its limit.
#[inline(always)]
fn sift<S: Simd, F: Float>(simd: S, prefix: &Prefix<F>, limit: &Column<F>, count: usize, scratch: &mut SiftScratch<F>) {
    let SiftScratch { leading, contenders } = scratch;
    contenders.iter_mut().for_each(Vec::clear);
    let (centroids, k) = (&prefix.leading, prefix.leading.len());
    let lanes = lanes::<S, F>();
    for at in strips::<S, F, STRIP>(count) {
        for first in (0..k).step_by(TOGETHER) {
            let together = centroids.together(None, first);
            let scores = centroids.scores::<S, STRIP, TOGETHER>(simd, leading, at, &together);
            for g in 0..TOGETHER.min(k - first) {
                for r in 0..STRIP {
                    let limit = F::vectors::<S>(&limit.0)[at + r];
                    // Those below are out; so what is no number stays in.
                    let mut bits = !F::vbits::<S>(F::vless(simd, scores[g][r], limit)) & (u64::MAX >> (64 - lanes));
                    while bits != 0 {
                        let i = (at + r) * lanes + bits.trailing_zeros() as usize;
                        contenders[i].push((first + g) as u32);
                        bits &= bits - 1;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uniform::{of_row, unit};

    /// Of rows that lie nearly in the plane of the directions most digits of what is left are lost.
    #[test]
    fn what_the_directions_leave_is_right_to_its_blur() {
        let (n, d, p) = (TILE_ROWS, 16, 2);
        let zero = vec![0.0; d];
        let number = |i: usize, j: usize| unit(of_row(9, i * d + j)) - 0.5;
        for noise in [0.0, 1e-4, 1e-2, 1.0] {
            let entry = |i, j| number(i, 0) * number(n, j) + number(i, 1) * number(n + 1, j) + noise * number(i, j);
            let rows: Vec<f32> = (0..n).flat_map(|i| (0..d).map(move |j| entry(i, j) as f32)).collect();
            let directions = Prefix::directions(&rows, &zero);
            let basis = Shifted::directions(&directions, d);
            let mut tile = Tile::new();
            tile.fill(&Block::new(&rows, d), &zero);
            let dot =
                |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
            for isa in Isa::available() {
                let mut leading = Vec::new();
                let norm2 = isa.run(Project { basis: &basis, tile: &tile, leading: &mut leading });
                for (i, row) in rows.chunks_exact(d).enumerate() {
                    let whole = dot(row, row);
                    let along: f64 = directions.chunks_exact(d).map(|direction| dot(row, direction).powi(2)).sum();
                    let (error, rest) = (error::<f32>(d, p, whole), (whole - along).max(0.0).sqrt());
                    assert!((f64::from(norm2.0[i]) - whole).abs() <= error);
                    let told = f64::from(leading[p].0[i]);
                    assert!((told - rest).abs() <= 2.0 * blur(told, error), "{told:e} for {rest:e}");
                }
            }
        }
    }
}
