//! Squared Mahalanobis distances of the rows of a tile from one mean.
//!
//! ```text
//! full:       z = x − μ,  solve L y = z,  ‖y‖²          (Σ = L Lᵀ)
//! diagonal:   Σⱼ zⱼ² pⱼ                                  (p = 1/σ²)
//! spherical:  p Σⱼ zⱼ²
//! ```
//!
//! Differences are taken directly, so an offset of the data costs no digits. The triangular solve runs down the columns of
//! the tile with the rows in the lanes; two rows of L go together, so that each y is loaded once for both.

use crate::tile::{Column, TILE_ROWS, Tile};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// The shape of one component's covariance, factored.
#[derive(Clone, Debug)]
pub enum Precision<F> {
    /// A Cholesky factor.
    Full(Factor<F>),
    /// 1/σ² for each column.
    Diagonal(Vec<F>),
    /// 1/σ², the same for all columns.
    Spherical(F),
}

/// A lower Cholesky factor, laid out for the solve: rows in pairs, with 1/Lⱼⱼ beside.
#[derive(Clone, Debug)]
pub struct Factor<F> {
    /// For each pair of rows j, j + 1 and each l < j: −Lⱼₗ, −Lⱼ₊₁ₗ; then −Lⱼ₊₁ⱼ, 1/Lⱼⱼ, 1/Lⱼ₊₁ⱼ₊₁.
    pairs: Vec<F>,
    width: usize,
}

impl<F: Float> Factor<F> {
    /// From the d × d factor, row-major; what is above the diagonal is not read.
    ///
    /// # Panics
    /// If there are not d² numbers.
    pub fn new(lower: &[f64], width: usize) -> Self {
        assert_eq!(lower.len(), width * width);
        // An odd last row is paired with one that solves to zero.
        let at = |j: usize, l: usize| if j < width { lower[j * width + l] } else { 0.0 };
        let inverse = |j: usize| if j < width { 1.0 / lower[j * width + j] } else { 0.0 };
        let mut pairs = Vec::new();
        for j in (0..width).step_by(2) {
            (0..j).for_each(|l| pairs.extend([-at(j, l), -at(j + 1, l)]));
            pairs.extend([-at(j + 1, j), inverse(j), inverse(j + 1)]);
        }
        Self { pairs: pairs.into_iter().map(F::narrow).collect(), width }
    }
}

/// Space for the solve, kept between calls.
pub type Solved<F> = Vec<Column<F>>;

impl<F: Float> Precision<F> {
    /// Writes (x − μ)ᵀ Σ⁻¹ (x − μ) for each row of the tile. Cost: d² operations a row for a full shape, 3d otherwise.
    pub fn quadratic(&self, tile: &Tile<F>, mean: &[F], solved: &mut Solved<F>, out: &mut Column<F>) {
        self.quadratic_with(Isa::best(), tile, mean, solved, out);
    }

    /// [`Precision::quadratic`] by a given instruction set.
    ///
    /// # Panics
    /// If the widths disagree.
    pub fn quadratic_with(&self, isa: Isa, tile: &Tile<F>, mean: &[F], solved: &mut Solved<F>, out: &mut Column<F>) {
        let width = tile.columns().len();
        assert_eq!(mean.len(), width);
        match self {
            Precision::Full(factor) => {
                assert_eq!(factor.width, width);
                solved.resize(width.next_multiple_of(2), Column::splat(F::zero()));
                isa.run(Solve { tile, mean, pairs: &factor.pairs, solved, out });
            }
            Precision::Diagonal(precisions) => {
                assert_eq!(precisions.len(), width);
                isa.run(Weighted { tile, mean, precisions, out });
            }
            Precision::Spherical(precision) => {
                isa.run(Weighted { tile, mean, precisions: &[], out });
                out.0.iter_mut().for_each(|q| *q *= *precision);
            }
        }
    }
}

/// The registers of rows that one strip works on.
const STRIP: usize = 4;

struct Solve<'a, F> {
    tile: &'a Tile<F>,
    mean: &'a [F],
    pairs: &'a [F],
    solved: &'a mut [Column<F>],
    out: &'a mut Column<F>,
}

impl<F: Float> WithSimd for Solve<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, mean, pairs, solved, out } = self;
        let zero = Column::splat(F::zero());
        let registers = F::vectors::<S>(&out.0).len();
        let strips = (tile.rows() * registers).div_ceil(TILE_ROWS * STRIP);
        for at in (0..strips).map(|strip| strip * STRIP) {
            let mut sum = [F::splat(simd, F::zero()); STRIP];
            let mut rest = pairs;
            for j in (0..mean.len()).step_by(2) {
                let (coefficients, tail) = rest.split_at(2 * j);
                let &[below, inverse0, inverse1] = tail.first_chunk().unwrap_or(&[F::zero(); 3]);
                rest = &tail[3..];
                let (second, second_mean) = match tile.columns().get(j + 1) {
                    Some(column) => (column, mean[j + 1]),
                    None => (&zero, F::zero()),
                };
                let mut a = difference::<S, F>(simd, &tile.columns()[j], at, mean[j]);
                let mut b = difference::<S, F>(simd, second, at, second_mean);
                for (y, l) in solved.iter().zip(coefficients.as_chunks::<2>().0) {
                    let y = &F::vectors::<S>(&y.0)[at..at + STRIP];
                    let (l0, l1) = (F::splat(simd, l[0]), F::splat(simd, l[1]));
                    for r in 0..STRIP {
                        a[r] = F::vfma(simd, y[r], l0, a[r]);
                        b[r] = F::vfma(simd, y[r], l1, b[r]);
                    }
                }
                let below = F::splat(simd, below);
                let (inverse0, inverse1) = (F::splat(simd, inverse0), F::splat(simd, inverse1));
                for r in 0..STRIP {
                    a[r] = F::vmul(simd, a[r], inverse0);
                    b[r] = F::vmul(simd, F::vfma(simd, a[r], below, b[r]), inverse1);
                    sum[r] = F::vfma(simd, b[r], b[r], F::vfma(simd, a[r], a[r], sum[r]));
                }
                F::vectors_mut::<S>(&mut solved[j].0)[at..at + STRIP].copy_from_slice(&a);
                F::vectors_mut::<S>(&mut solved[j + 1].0)[at..at + STRIP].copy_from_slice(&b);
            }
            F::vectors_mut::<S>(&mut out.0)[at..at + STRIP].copy_from_slice(&sum);
        }
    }
}

struct Weighted<'a, F> {
    tile: &'a Tile<F>,
    mean: &'a [F],
    /// One a column, or none for a plain sum of squares.
    precisions: &'a [F],
    out: &'a mut Column<F>,
}

impl<F: Float> WithSimd for Weighted<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, mean, precisions, out } = self;
        let registers = F::vectors::<S>(&out.0).len();
        let strips = (tile.rows() * registers).div_ceil(TILE_ROWS * STRIP);
        for at in (0..strips).map(|strip| strip * STRIP) {
            let mut sum = [F::splat(simd, F::zero()); STRIP];
            for (j, (column, mean)) in tile.columns().iter().zip(mean).enumerate() {
                let z = difference::<S, F>(simd, column, at, *mean);
                match precisions.get(j) {
                    Some(precision) => {
                        let precision = F::splat(simd, *precision);
                        for r in 0..STRIP {
                            sum[r] = F::vfma(simd, F::vmul(simd, z[r], precision), z[r], sum[r]);
                        }
                    }
                    None => {
                        for r in 0..STRIP {
                            sum[r] = F::vfma(simd, z[r], z[r], sum[r]);
                        }
                    }
                }
            }
            F::vectors_mut::<S>(&mut out.0)[at..at + STRIP].copy_from_slice(&sum);
        }
    }
}

/// x − μ for the registers of one strip.
#[inline(always)]
fn difference<S: Simd, F: Float>(simd: S, column: &Column<F>, at: usize, mean: F) -> [F::Vector<S>; STRIP] {
    let x = &F::vectors::<S>(&column.0)[at..at + STRIP];
    let mean = F::splat(simd, mean);
    std::array::from_fn(|r| F::vsub(simd, x[r], mean))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Block;
    use proptest::prelude::*;

    /// The textbook form, one row at a time in `f64`.
    fn naive(row: &[f64], mean: &[f64], lower: &[f64]) -> f64 {
        let d = row.len();
        let mut y = vec![0.0; d];
        for j in 0..d {
            let known: f64 = (0..j).map(|l| lower[j * d + l] * y[l]).sum();
            y[j] = (row[j] - mean[j] - known) / lower[j * d + j];
        }
        y.iter().map(|y| y * y).sum()
    }

    fn conforms<F: Float>(rows: &[f64], mean: &[f64], lower: &[f64], tolerance: f64) {
        let d = mean.len();
        let narrow = |all: &[f64]| all.iter().map(|x| F::narrow(*x)).collect::<Vec<F>>();
        let wide = |all: &[F]| all.iter().map(|x| x.widen()).collect::<Vec<f64>>();
        let (rows, mean) = (narrow(rows), narrow(mean));
        let mut tile = Tile::new();
        tile.fill(&Block::new(&rows, d), &vec![F::zero(); d]);
        let diagonal: Vec<f64> = (0..d).map(|j| lower[j * d + j]).collect();
        let of_diagonal = |sd: &[f64]| (0..d * d).map(|i| if i % (d + 1) == 0 { sd[i / d] } else { 0.0 }).collect();
        let shapes: [(Precision<F>, Vec<f64>); 3] = [
            (Precision::Full(Factor::new(lower, d)), lower.to_vec()),
            (
                Precision::Diagonal(narrow(&diagonal.iter().map(|s| 1.0 / (s * s)).collect::<Vec<_>>())),
                of_diagonal(&diagonal),
            ),
            (Precision::Spherical(F::narrow(0.25)), of_diagonal(&vec![2.0; d])),
        ];
        for isa in Isa::available() {
            for (precision, lower) in &shapes {
                let mut out = Column::splat(F::nan());
                precision.quadratic_with(isa, &tile, &mean, &mut Vec::new(), &mut out);
                for (row, got) in rows.chunks(d).zip(&out.0) {
                    let expected = naive(&wide(row), &wide(&mean), lower);
                    let error = (got.widen() - expected).abs();
                    assert!(error <= tolerance * (1.0 + expected), "{}: {got} for {expected}", isa.name());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn quadratic_forms_are_the_textbook_ones(
            (d, rows, mean, factor) in (1usize..9, 1usize..65).prop_flat_map(|(d, n)| {
                let numbers = |count| prop::collection::vec(-2.0..2.0f64, count);
                (Just(d), numbers(n * d), numbers(d), numbers(d * d))
            }),
        ) {
            // Well conditioned, so that the tolerance can be tight.
            let lower: Vec<f64> = factor.iter().enumerate()
                .map(|(i, x)| if i % (d + 1) == 0 { 1.0 + x.abs() } else { 0.2 * x }).collect();
            conforms::<f64>(&rows, &mean, &lower, 1e-13);
            conforms::<f32>(&rows, &mean, &lower, 2e-5);
        }
    }
}
