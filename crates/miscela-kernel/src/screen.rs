//! Which rows of a tile may lie within their own limit of each of a few candidates?
//!
//! ```text
//! for each candidate c:  bit i of found[c]  =  not (Σⱼ (xᵢⱼ − cⱼ)² > limitᵢ)
//! ```
//!
//! This is the cheap look that comes before an exact one: two operations a column in the precision of the tile, two
//! registers of rows against up to four candidates at a time. After every [`STEP`] columns a strip of rows that are all
//! past their limits is left: sums of squares only grow (partial distances: Bei & Gray 1985).
//!
//! Rounding is the caller's affair: a sum here is within a relative (d + 2)u of the sum in exact arithmetic, and a limit
//! that is that much higher misses no row.

use crate::float::lanes;
use crate::tile::{Column, TILE_ROWS};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// Columns between two looks at whether any row is left.
const STEP: usize = 32;

/// Sets bit i of `found[c]` if the squared distance of row i to candidate c, as computed in the type of the columns, is not
/// above limit i; clears it otherwise. `columns` holds up to 64 rows, of which the first `rows` are looked at. `sums[c]` gets
/// the squared distances of the rows whose bits are set, and nothing of use for the others.
///
/// Cost: 2·d operations for each row and candidate, vectorised, less what is abandoned.
///
/// ```
/// use miscela_kernel::{Column, screen};
///
/// let mut column = Column::splat(0.0f32);
/// column.0[..3].copy_from_slice(&[1.0, 5.0, 9.0]);
/// let (mut found, mut sums) = ([0; 2], [Column::splat(0.0); 2]);
/// screen(&[column], 3, &Column::splat(4.0), &[&[0.0], &[8.0]], &mut found, &mut sums);
/// assert_eq!(found, [0b001, 0b100]);
/// assert_eq!((sums[0].0[0], sums[1].0[2]), (1.0, 1.0));
/// ```
///
/// # Panics
/// If there are more than 64 rows, a candidate is not as wide as there are columns, or `found` or `sums` are not one for each.
pub fn screen<F: Float>(
    columns: &[Column<F>],
    rows: usize,
    limits: &Column<F>,
    candidates: &[&[F]],
    found: &mut [u64],
    sums: &mut [Column<F>],
) {
    screen_with(Isa::best(), columns, rows, limits, candidates, found, sums);
}

/// [`screen`] by a given instruction set.
pub fn screen_with<F: Float>(
    isa: Isa,
    columns: &[Column<F>],
    rows: usize,
    limits: &Column<F>,
    candidates: &[&[F]],
    found: &mut [u64],
    sums: &mut [Column<F>],
) {
    assert!(rows <= TILE_ROWS && candidates.len() == found.len() && candidates.len() == sums.len());
    assert!(candidates.iter().all(|candidate| candidate.len() == columns.len()));
    isa.run(Screen { columns, rows, limits, candidates, found, sums });
}

/// Σ (a − b)² in `f64`, in eight parts: the same bits by every instruction set, and fast inside [`Isa::vectorize`].
#[inline(always)]
pub fn squared_distance_in_parts<F: Float>(a: &[F], b: &[F]) -> f64 {
    const PARTS: usize = 8;
    let (chunks, a_rest) = a.as_chunks::<PARTS>();
    let (others, b_rest) = b.as_chunks::<PARTS>();
    let mut parts = [0.0; PARTS];
    for (a, b) in chunks.iter().zip(others) {
        for p in 0..PARTS {
            let z = a[p].widen() - b[p].widen();
            parts[p] += z * z;
        }
    }
    let [a0, a1, a2, a3, a4, a5, a6, a7] = parts;
    let start = if chunks.is_empty() { 0.0 } else { ((a0 + a4) + (a1 + a5)) + ((a2 + a6) + (a3 + a7)) };
    a_rest.iter().zip(b_rest).fold(start, |sum, (a, b)| {
        let z = a.widen() - b.widen();
        sum + z * z
    })
}

struct Screen<'a, F> {
    columns: &'a [Column<F>],
    rows: usize,
    limits: &'a Column<F>,
    candidates: &'a [&'a [F]],
    found: &'a mut [u64],
    sums: &'a mut [Column<F>],
}

impl<F: Float> WithSimd for Screen<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut first = 0;
        while first < self.candidates.len() {
            first += match self.candidates.len() - first {
                1 => self.group::<S, 1>(simd, first),
                2 => self.group::<S, 2>(simd, first),
                3 => self.group::<S, 3>(simd, first),
                _ => self.group::<S, 4>(simd, first),
            };
        }
    }
}

impl<F: Float> Screen<'_, F> {
    /// Looks at `G` candidates from `first` on.
    #[inline(always)]
    fn group<S: Simd, const G: usize>(&mut self, simd: S, first: usize) -> usize {
        let mut candidates = [self.candidates[first]; G];
        candidates.copy_from_slice(&self.candidates[first..first + G]);
        let lanes = lanes::<S, F>();
        let mut found = [0; G];
        for strip in 0..self.rows.div_ceil(2 * lanes) {
            let bits = self.strip::<S, G>(simd, 2 * strip, lanes, first, &candidates);
            found.iter_mut().zip(bits).for_each(|(found, bits)| *found |= bits << (2 * strip * lanes));
        }
        let counting = u64::MAX >> (TILE_ROWS - self.rows.max(1));
        self.found[first..first + G].iter_mut().zip(found).for_each(|(to, found)| *to = found & counting);
        G
    }

    /// The bits of two registers of rows, those at `at`.
    #[inline(always)]
    fn strip<S: Simd, const G: usize>(
        &mut self,
        simd: S,
        at: usize,
        lanes: usize,
        first: usize,
        candidates: &[&[F]; G],
    ) -> [u64; G] {
        let limits = &F::vectors::<S>(&self.limits.0)[at..at + 2];
        let mut sums = [[F::splat(simd, F::zero()); 2]; G];
        let mut bits = [0; G];
        let d = self.columns.len();
        for from in (0..d).step_by(STEP) {
            let to = d.min(from + STEP);
            let columns = &self.columns[from..to];
            let candidates = candidates.map(|candidate| &candidate[from..to]);
            for j in 0..columns.len() {
                let x = &F::vectors::<S>(&columns[j].0)[at..at + 2];
                for g in 0..G {
                    let c = F::splat(simd, candidates[g][j]);
                    for r in 0..2 {
                        let z = F::vsub(simd, x[r], c);
                        sums[g][r] = F::vfma(simd, z, z, sums[g][r]);
                    }
                }
            }
            for g in 0..G {
                let past = |r: usize| F::vbits::<S>(F::vless(simd, limits[r], sums[g][r]));
                bits[g] = !(past(0) | past(1) << lanes) & (u64::MAX >> (TILE_ROWS - 2 * lanes));
            }
            if bits == [0; G] {
                return bits;
            }
        }
        for (to, sums) in self.sums[first..first + G].iter_mut().zip(sums) {
            F::vectors_mut::<S>(&mut to.0)[at..at + 2].copy_from_slice(&sums);
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, Tile, squared_distance};
    use proptest::prelude::*;

    fn conforms<F: Float>(d: usize, rows: &[F], candidates: &[F], limits: &[F]) {
        let block = Block::new(rows, d);
        let mut tile = Tile::new();
        tile.fill(&block, &vec![F::zero(); d]);
        let mut column = Column::splat(F::infinity());
        column.0[..block.len()].copy_from_slice(limits);
        let candidates: Vec<&[F]> = candidates.chunks_exact(d).collect();
        let slack = 1.0 + 4.0 * (d + 4) as f64 * F::UNIT_ROUNDOFF;
        for isa in Isa::available() {
            let mut found = vec![u64::MAX; candidates.len()];
            let mut sums = vec![Column::splat(F::nan()); candidates.len()];
            screen_with(isa, tile.columns(), block.len(), &column, &candidates, &mut found, &mut sums);
            for ((candidate, found), sums) in candidates.iter().zip(found).zip(sums) {
                assert_eq!(found.checked_shr(block.len() as u32).unwrap_or(0), 0, "bits beyond the rows");
                for (i, (row, limit)) in block.rows().zip(limits).enumerate() {
                    let (squared, limit) = (squared_distance(row, candidate), limit.widen());
                    match found >> i & 1 {
                        1 => {
                            assert!(squared <= limit * slack, "{} {squared} {limit}", isa.name());
                            assert!((sums.0[i].widen() - squared).abs() <= squared * (slack - 1.0));
                        }
                        _ => assert!(squared * slack >= limit, "{} {squared} {limit}", isa.name()),
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn rows_found_are_those_within_their_limit(
            (d, rows, candidates, limits) in (1usize..80, 1usize..65, 1usize..11).prop_flat_map(|(d, n, t)| {
                let numbers = |count| prop::collection::vec(-1.0..1.0f64, count);
                (Just(d), numbers(n * d), numbers(t * d), prop::collection::vec(0.0..1.3f64, n))
            }),
        ) {
            let limits: Vec<f64> = limits.iter().map(|limit| limit * d as f64).collect();
            conforms(d, &rows, &candidates, &limits);
            let single = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect::<Vec<_>>();
            conforms(d, &single(&rows), &single(&candidates), &single(&limits));
        }

        #[test]
        fn parts_add_up((a, b) in (0usize..40).prop_flat_map(|d| {
            let numbers = || prop::collection::vec(-1.0..1.0f64, d);
            (numbers(), numbers())
        })) {
            let plain = squared_distance_in_parts(&a, &b);
            prop_assert!((plain - squared_distance(&a, &b)).abs() <= 1e-14 * plain);
            for isa in Isa::available() {
                prop_assert_eq!(isa.vectorize(|| squared_distance_in_parts(&a, &b)), plain);
            }
        }
    }

    #[test]
    fn limits_decide_inclusively_and_what_is_not_a_number_is_found() {
        let mut rows = Column::splat(3.0f32);
        rows.0[1] = f32::NAN;
        rows.0[2] = f32::INFINITY;
        let mut limits = Column::splat(9.0);
        limits.0[3] = 8.9;
        limits.0[2] = f32::INFINITY;
        for isa in Isa::available() {
            let mut found = [0];
            screen_with(isa, &[rows], 5, &limits, &[&[0.0]], &mut found, &mut [Column::splat(0.0)]);
            assert_eq!(found, [0b10111], "{}", isa.name());
        }
        let mut found = [0];
        screen(&[rows], 5, &limits, &[&[0.0]], &mut found, &mut [Column::splat(0.0)]);
        assert_eq!(found, [0b10111], "by the best of them");
    }
}
