//! Squared distances of the rows of a tile from many centres at a time, in units of each centre's own.
//!
//! ```text
//! q_c(x) = Σⱼ tⱼ²,   tⱼ = (xⱼ − μ_cⱼ) s_cⱼ,   s = 1/σ
//! ```
//!
//! That is the quadratic form of a Gaussian with a diagonal covariance. Written as t = x·s − μ·s it takes two fused
//! multiply-adds a row, column and centre, and none of the tables of squares that q = x²·s² − 2x·μs² + μ²s² needs, which
//! loses many more digits besides. The real code holds two registers of rows against six centres at a time, so that each
//! number loaded is used several times.
//!
//! **When the fused form may be used.** Rows and centres are taken about an offset, such as the centres' mean. μ·s is rounded
//! once, and so is x less the offset; so t is off by at most 2u(|t| + |μ|s), and q by at most 4u√q √M, M = Σⱼ (μⱼsⱼ)²
//! (Cauchy & Schwarz), beyond what any sum of squares is off by. As 2√q ≤ 1 + q, that is at most 2u√M (1 + q). Where
//! 2u√M is above 10⁻¹⁰ (`f32`: 10⁻⁴) for any centre, nothing is taken off the rows and differences come first, for one more
//! operation.

use crate::float::lanes;
use crate::tile::{Column, TILE_ROWS, Tile};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// The centres that are worked on together.
const GROUP: usize = 6;
/// The registers of rows that are worked on together.
const STRIP: usize = 2;

/// Centres with their scales, prepared for [`Scaled::log_densities`].
///
/// ```
/// use miscela_kernel::{Block, Column, Scaled, Tile};
///
/// // Two centres of two columns, with scales 1 and 2 that they share, and a constant each.
/// let scaled = Scaled::new(&[0.0, 0.0, 3.0, 1.0], &[1.0, 2.0], &[0.0, -1.0], &[1.5, 0.5]);
/// let mut tile = Tile::new();
/// tile.fill(&Block::new(&[3.0, 0.0], 2), scaled.offset());
/// let mut out = [Column::splat(0.0); 2];
/// scaled.log_densities(&tile, &mut out);
/// assert_eq!((out[0].0[0], out[1].0[0]), (-4.5, -3.0));
/// ```
#[derive(Clone, Debug)]
pub struct Scaled<F> {
    offset: Vec<F>,
    groups: Vec<Group<F>>,
    count: usize,
    fused: bool,
}

/// How far, relative to 1 + q, a faster form may be off beyond what any form is off by.
pub(crate) fn tolerance<F: Float>() -> f64 {
    if F::UNIT_ROUNDOFF > f64::EPSILON { 1e-4 } else { 1e-10 }
}

/// Six centres side by side; the last group is filled up with centres at the offset.
#[derive(Clone, Debug)]
struct Group<F> {
    constants: [F; GROUP],
    /// For each column the scales and the shifts: −μ·s in the fused form, μ otherwise.
    columns: Vec<([F; GROUP], [F; GROUP])>,
}

impl<F: Float> Scaled<F> {
    /// Prepares centres given row by row, k × d, with the scales 1/σ of each, or with d scales for all, and a constant
    /// each. `offset`, d numbers, should be in the midst of the centres. Cost: O(k·d).
    ///
    /// # Panics
    /// If the sizes disagree.
    pub fn new(centres: &[F], scales: &[F], constants: &[F], offset: &[F]) -> Self {
        let (count, width) = (constants.len(), offset.len());
        assert!(count > 0 && centres.len() == count * width, "centres are whole rows");
        assert!(scales.len() == centres.len() || scales.len() == width, "scales for each centre or for all");
        let scales = |c: usize| if scales.len() == width { scales } else { &scales[c * width..(c + 1) * width] };
        let mut reach2 = centres.chunks(width).enumerate().map(|(c, centre)| {
            let terms = centre.iter().zip(offset).zip(scales(c));
            terms.map(|((m, o), s)| ((*m - *o) * *s).widen().powi(2)).sum::<f64>()
        });
        // Written so that a NaN, from sums that overflowed, is refused.
        let fused = reach2.all(|m| 2.0 * F::UNIT_ROUNDOFF * m.sqrt() <= tolerance::<F>());
        let offset = if fused { offset.to_vec() } else { vec![F::zero(); width] };
        let groups = (0..count).step_by(GROUP).map(|first| {
            let mut group =
                Group { constants: [F::zero(); GROUP], columns: vec![([F::zero(); GROUP], [F::zero(); GROUP]); width] };
            for g in 0..GROUP.min(count - first) {
                let c = first + g;
                group.constants[g] = constants[c];
                for (j, (s, shift)) in group.columns.iter_mut().enumerate() {
                    s[g] = scales(c)[j];
                    let centre = centres[c * width + j] - offset[j];
                    shift[g] = if fused { -(centre * s[g]) } else { centre };
                }
            }
            group
        });
        Self { groups: groups.collect(), offset, count, fused }
    }

    /// What must be taken off the rows of a tile before it comes here.
    pub fn offset(&self) -> &[F] {
        &self.offset
    }

    /// Writes constant_c − ½ q_c(x) for each row of the tile, one column a centre. Cost: 4·k·d operations a row, vectorised.
    ///
    /// # Panics
    /// If there are not k columns to write or the tile is of another width.
    pub fn log_densities(&self, tile: &Tile<F>, out: &mut [Column<F>]) {
        self.log_densities_with(Isa::best(), tile.columns(), tile.rows(), out);
    }

    /// [`Scaled::log_densities`] of the first `rows` rows of some columns, by a given instruction set.
    ///
    /// # Panics
    /// As [`Scaled::log_densities`].
    pub fn log_densities_with(&self, isa: Isa, columns: &[Column<F>], rows: usize, out: &mut [Column<F>]) {
        assert_eq!((columns.len(), out.len()), (self.offset.len(), self.count));
        isa.run(Distances { columns, rows, scaled: self, out });
    }
}

struct Distances<'a, F> {
    columns: &'a [Column<F>],
    rows: usize,
    scaled: &'a Scaled<F>,
    out: &'a mut [Column<F>],
}

impl<F: Float> WithSimd for Distances<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { columns, rows, scaled, out } = self;
        let registers = TILE_ROWS / lanes::<S, F>();
        let strips = (rows * registers).div_ceil(TILE_ROWS * STRIP);
        for (group, out) in scaled.groups.iter().zip(out.chunks_mut(GROUP)) {
            for at in (0..strips).map(|strip| strip * STRIP) {
                let sums = if scaled.fused {
                    group_sums::<S, F, true>(simd, columns, at, group)
                } else {
                    group_sums::<S, F, false>(simd, columns, at, group)
                };
                let half = F::splat(simd, F::narrow(-0.5));
                for (g, out) in out.iter_mut().enumerate() {
                    let constant = F::splat(simd, group.constants[g]);
                    let out = &mut F::vectors_mut::<S>(&mut out.0)[at..at + STRIP];
                    for r in 0..STRIP {
                        out[r] = F::vfma(simd, half, sums[g][r], constant);
                    }
                }
            }
        }
    }
}

/// The forms of the registers of rows at `at`, for one group of centres.
#[inline(always)]
fn group_sums<S: Simd, F: Float, const FUSED: bool>(
    simd: S,
    columns: &[Column<F>],
    at: usize,
    group: &Group<F>,
) -> [[F::Vector<S>; STRIP]; GROUP] {
    let mut sums = [[F::splat(simd, F::zero()); STRIP]; GROUP];
    for (column, (scales, shifts)) in columns.iter().zip(&group.columns) {
        let x = &F::vectors::<S>(&column.0)[at..at + STRIP];
        for g in 0..GROUP {
            let (scale, shift) = (F::splat(simd, scales[g]), F::splat(simd, shifts[g]));
            for r in 0..STRIP {
                let t = if FUSED {
                    F::vfma(simd, x[r], scale, shift)
                } else {
                    F::vmul(simd, F::vsub(simd, x[r], shift), scale)
                };
                sums[g][r] = F::vfma(simd, t, t, sums[g][r]);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Block;
    use proptest::prelude::*;

    /// The textbook form in `f64`, one row and centre at a time, against every instruction set.
    fn conforms<F: Float>(rows: &[f64], centres: &[f64], scales: &[f64], d: usize, tolerance: f64) {
        let narrow = |all: &[f64]| all.iter().map(|x| F::narrow(*x)).collect::<Vec<F>>();
        let (rows, centres, scales) = (narrow(rows), narrow(centres), narrow(scales));
        let k = centres.len() / d;
        let constants: Vec<F> = (0..k).map(|c| F::narrow(c as f64 / 4.0)).collect();
        for scales in [&scales[..], &scales[..d]] {
            let scaled = Scaled::new(&centres, scales, &constants, &centres[..d]);
            let mut tile = Tile::new();
            tile.fill(&Block::new(&rows, d), scaled.offset());
            for isa in Isa::available() {
                let mut out = vec![Column::splat(F::nan()); k];
                scaled.log_densities_with(isa, tile.columns(), tile.rows(), &mut out);
                for (i, row) in rows.chunks(d).enumerate() {
                    for c in 0..k {
                        let q: f64 = (0..d)
                            .map(|j| {
                                let s = scales[(c * d + j) % scales.len()].widen();
                                ((row[j].widen() - centres[c * d + j].widen()) * s).powi(2)
                            })
                            .sum();
                        let (expected, got) = (constants[c].widen() - 0.5 * q, out[c].0[i].widen());
                        assert!(
                            (got - expected).abs() <= tolerance * (1.0 + q + k as f64),
                            "{}: {got} {expected}",
                            isa.name()
                        );
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn forms_are_the_textbook_ones(
            (d, rows, centres, scales) in (1usize..12, 1usize..65, 1usize..20).prop_flat_map(|(d, n, k)| {
                let numbers = |count| prop::collection::vec(-2.0..2.0f64, count);
                (Just(d), numbers(n * d), numbers(k * d), prop::collection::vec(0.1..9.0f64, k * d))
            }),
            // Close together, and so far off that products first would leave no digits.
            place in prop_oneof![Just(0.0), Just(1e3), Just(1e8)],
        ) {
            let moved = |x: &[f64]| x.iter().map(|x| x + place).collect::<Vec<f64>>();
            conforms::<f64>(&moved(&rows), &moved(&centres), &scales, d, 1e-13);
            conforms::<f32>(&moved(&rows), &moved(&centres), &scales, d, 1e-5);
        }
    }

    #[test]
    fn centres_too_far_apart_for_products_are_served_by_differences() {
        let (centres, scales) = ([0.0, 1e6], [1e3]);
        assert!(!Scaled::new(&centres, &scales, &[0.0; 2], &[0.0]).fused);
        conforms::<f64>(&[1e-3, 1e6 + 1e-3], &centres, &[1e3, 1e3], 1, 1e-12);
        assert!(Scaled::new(&centres, &[1e-2], &[0.0; 2], &[0.0]).fused);
    }
}
