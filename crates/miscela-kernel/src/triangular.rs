//! Quadratic forms of full matrices, for the rows of a tile.
//!
//! ```text
//! q(x) = (x − μ)ᵀ Σ⁻¹ (x − μ) = ‖y‖²,   L y = x − μ,   Σ = L Lᵀ
//!
//! for each four rows j … j + 3 of L:            (fewer where d ends)
//!     yⱼ ← (xⱼ − μⱼ)/Lⱼⱼ
//!     yⱼ ← yⱼ − (Lⱼₗ/Lⱼⱼ) yₗ                    for all l < j
//! ```
//!
//! Forward substitution, with the rows in the lanes and four rows of L at a time, so that each y is loaded once for four.
//! Differences are taken directly, so an offset of the data costs no digits, and no inverse is formed.

use crate::tile::{Column, TILE_ROWS, Tile};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// The most rows of L that go together.
const PANEL: usize = 4;

/// A lower Cholesky factor, laid out for the solve.
#[derive(Clone, Debug)]
pub struct Factor<F> {
    /// For each panel: for each l before it, −Lⱼₗ/Lⱼⱼ for the panel's rows j; the same for the l in it, row by row; 1/Lⱼⱼ.
    panels: Vec<F>,
    width: usize,
}

/// Space for the solve, kept between calls.
pub type Solved<F> = Vec<Column<F>>;

impl<F: Float> Factor<F> {
    /// From the d × d factor, row-major; what is above the diagonal is not read.
    ///
    /// # Panics
    /// If there are not d² numbers.
    pub fn new(lower: &[f64], width: usize) -> Self {
        assert_eq!(lower.len(), width * width);
        let scaled = |j: usize, l: usize| F::narrow(-lower[j * width + l] / lower[j * (width + 1)]);
        let mut panels = Vec::with_capacity(width * (width + 1) / 2);
        for first in (0..width).step_by(PANEL) {
            let rows = first..(first + PANEL).min(width);
            (0..first).for_each(|l| panels.extend(rows.clone().map(|j| scaled(j, l))));
            rows.clone().for_each(|j| panels.extend((first..j).map(|l| scaled(j, l))));
            panels.extend(rows.map(|j| F::narrow(1.0 / lower[j * (width + 1)])));
        }
        Self { panels, width }
    }

    /// d
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes constant − ½ (x − μ)ᵀ Σ⁻¹ (x − μ) for each row of the tile, and leaves L⁻¹(x − μ) in `solved`.
    ///
    /// Cost: d² operations a row, vectorised.
    ///
    /// # Panics
    /// If the widths disagree.
    pub fn log_density(&self, tile: &Tile<F>, mean: &[F], constant: F, solved: &mut Solved<F>, out: &mut Column<F>) {
        self.log_density_with(Isa::best(), tile, mean, constant, solved, out);
    }

    /// [`Factor::log_density`] by a given instruction set.
    ///
    /// # Panics
    /// As [`Factor::log_density`].
    pub fn log_density_with(
        &self,
        isa: Isa,
        tile: &Tile<F>,
        mean: &[F],
        constant: F,
        solved: &mut Solved<F>,
        out: &mut Column<F>,
    ) {
        assert_eq!((tile.columns().len(), mean.len()), (self.width, self.width));
        solved.resize(self.width, Column::splat(F::zero()));
        isa.run(Solve { tile, mean, panels: &self.panels, constant, solved, out });
    }
}

struct Solve<'a, F> {
    tile: &'a Tile<F>,
    mean: &'a [F],
    panels: &'a [F],
    constant: F,
    solved: &'a mut [Column<F>],
    out: &'a mut Column<F>,
}

impl<F: Float> WithSimd for Solve<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Four registers of rows where there is room for four sums of each and what they are made of.
        if S::REGISTER_COUNT >= 32 { self.strips::<S, 4>(simd) } else { self.strips::<S, 2>(simd) }
    }
}

impl<F: Float> Solve<'_, F> {
    #[inline(always)]
    fn strips<S: Simd, const STRIP: usize>(self, simd: S) {
        let Self { tile, mean, panels, constant, solved, out } = self;
        let registers = F::vectors::<S>(&out.0).len();
        let strips = (tile.rows() * registers).div_ceil(TILE_ROWS * STRIP);
        let (half, constant) = (F::splat(simd, F::narrow(-0.5)), F::splat(simd, constant));
        for at in (0..strips).map(|strip| strip * STRIP) {
            let mut sum = [F::splat(simd, F::zero()); STRIP];
            let mut rest = panels;
            for first in (0..mean.len()).step_by(PANEL) {
                let panel = Panel { columns: tile.columns(), mean, first, at };
                rest = match mean.len() - first {
                    1 => panel.solve::<S, STRIP, 1>(simd, rest, solved, &mut sum),
                    2 => panel.solve::<S, STRIP, 2>(simd, rest, solved, &mut sum),
                    3 => panel.solve::<S, STRIP, 3>(simd, rest, solved, &mut sum),
                    _ => panel.solve::<S, STRIP, PANEL>(simd, rest, solved, &mut sum),
                };
            }
            let out = &mut F::vectors_mut::<S>(&mut out.0)[at..at + STRIP];
            for r in 0..STRIP {
                out[r] = F::vfma(simd, half, sum[r], constant);
            }
        }
    }
}

/// Some rows of L, from `first`, and the registers of rows of the tile at `at`.
struct Panel<'a, F> {
    columns: &'a [Column<F>],
    mean: &'a [F],
    first: usize,
    at: usize,
}

impl<F: Float> Panel<'_, F> {
    /// Solves for the `P` entries of y that start at `first`, adds their squares, and returns the panels behind this one.
    #[inline(always)]
    fn solve<'p, S: Simd, const STRIP: usize, const P: usize>(
        &self,
        simd: S,
        panels: &'p [F],
        solved: &mut [Column<F>],
        sum: &mut [F::Vector<S>; STRIP],
    ) -> &'p [F] {
        let (at, first) = (self.at, self.first);
        let (before, rest) = panels.split_at(first * P);
        let (within, rest) = rest.split_at(P * (P - 1) / 2);
        let (inverses, rest) = rest.split_at(P);
        let mut y = [[F::splat(simd, F::zero()); STRIP]; P];
        for p in 0..P {
            let x = &F::vectors::<S>(&self.columns[first + p].0)[at..at + STRIP];
            let (mean, inverse) = (F::splat(simd, self.mean[first + p]), F::splat(simd, inverses[p]));
            for r in 0..STRIP {
                y[p][r] = F::vmul(simd, F::vsub(simd, x[r], mean), inverse);
            }
        }
        for (known, l) in solved.iter().zip(before.as_chunks::<P>().0) {
            let known = &F::vectors::<S>(&known.0)[at..at + STRIP];
            for p in 0..P {
                let l = F::splat(simd, l[p]);
                for r in 0..STRIP {
                    y[p][r] = F::vfma(simd, known[r], l, y[p][r]);
                }
            }
        }
        let mut l = within.iter();
        for p in 1..P {
            for (q, l) in (0..p).zip(&mut l) {
                let l = F::splat(simd, *l);
                for r in 0..STRIP {
                    y[p][r] = F::vfma(simd, y[q][r], l, y[p][r]);
                }
            }
        }
        for (p, y) in y.iter().enumerate() {
            for r in 0..STRIP {
                sum[r] = F::vfma(simd, y[r], y[r], sum[r]);
            }
            F::vectors_mut::<S>(&mut solved[first + p].0)[at..at + STRIP].copy_from_slice(y);
        }
        rest
    }
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
        let factor = Factor::new(lower, d);
        for isa in Isa::available() {
            let mut out = Column::splat(F::nan());
            factor.log_density_with(isa, &tile, &mean, F::narrow(0.25), &mut Vec::new(), &mut out);
            for (row, got) in rows.chunks(d).zip(&out.0) {
                let expected = 0.25 - 0.5 * naive(&wide(row), &wide(&mean), lower);
                let error = (got.widen() - expected).abs();
                assert!(error <= tolerance * (1.0 + expected.abs()), "{}: {got} for {expected}", isa.name());
            }
        }
    }

    proptest! {
        #[test]
        fn quadratic_forms_are_the_textbook_ones(
            (d, rows, mean, factor) in (1usize..12, 1usize..65).prop_flat_map(|(d, n)| {
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
