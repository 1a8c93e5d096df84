//! Soft moments of one component from whole tiles, for full scatters of some columns in which most rows have a share.
//!
//! ```text
//! for each column:                    z = x − μ,  r z,  for all rows of the block
//! for each four columns j by four l:  Σ r zⱼ zₗ
//! ```
//!
//! Rows are in the lanes, so nothing has to be picked out, and each sum over lanes is taken once a block.

use crate::Float;
use crate::float::lane_sums;
use crate::moments::{Component, Scatter};
use crate::tile::Column;
use pulp::{Simd, WithSimd};

/// Columns that go together.
const GROUP: usize = 4;

/// Space to work in, kept between calls: z and r z of all columns, the rows of all tiles in one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct TiledScratch<F> {
    z: Vec<Column<F>>,
    rz: Vec<Column<F>>,
}

impl<F: Float> WithSimd for Component<'_, '_, F, TiledScratch<F>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { moments, rows, c, mean, scratch } = self;
        // Whole groups of columns, so that the product below needs no special case.
        let columns = mean.len().next_multiple_of(GROUP) * rows.tiles.len();
        for padded in [&mut scratch.z, &mut scratch.rz] {
            padded.resize(columns, Column::splat(F::zero()));
            padded[mean.len() * rows.tiles.len()..].fill(Column::splat(F::zero()));
        }
        let zero = F::splat(simd, F::zero());
        let (run, k) = (rows.tiles.len(), rows.counts.len());
        let mut weight = zero;
        for t in 0..run {
            for r in F::vectors::<S>(&rows.shares[t * k + c].0) {
                weight = F::vadd(simd, weight, *r);
            }
        }
        *moments.weight += F::vsum(simd, weight).widen();
        for (j, (mean, offset)) in mean.iter().zip(rows.offset).enumerate() {
            // In the tiles' coordinates.
            let mean = F::splat(simd, *mean - *offset);
            let mut first = zero;
            for (t, tile) in rows.tiles.iter().enumerate() {
                let x = F::vectors::<S>(&tile.columns()[j].0);
                let r = F::vectors::<S>(&rows.shares[t * k + c].0);
                let z_out = F::vectors_mut::<S>(&mut scratch.z[j * run + t].0);
                let rz_out = F::vectors_mut::<S>(&mut scratch.rz[j * run + t].0);
                for (((x, r), z_out), rz_out) in x.iter().zip(r).zip(z_out).zip(rz_out) {
                    let z = F::vsub(simd, *x, mean);
                    let rz = F::vmul(simd, *r, z);
                    first = F::vadd(simd, first, rz);
                    *z_out = z;
                    *rz_out = rz;
                }
            }
            moments.first[j] += F::vsum(simd, first).widen();
        }
        for j in (0..mean.len()).step_by(GROUP) {
            for l in (0..=j).step_by(GROUP) {
                let columns = (&scratch.rz[j * run..], &scratch.z[l * run..]);
                if j == l {
                    add_products::<S, F, true>(simd, columns, run, (j, l), mean.len(), moments.second);
                } else {
                    add_products::<S, F, false>(simd, columns, run, (j, l), mean.len(), moments.second);
                }
            }
        }
    }
}

/// Adds Σ r zⱼ zₗ for four columns j and four columns l, in 16 registers over all rows. `rz` and `z` start at column j and
/// at column l; each column is `run` tiles long. On the `DIAGONAL` where l = j, those with l above j are left out.
#[inline(always)]
fn add_products<S: Simd, F: Float, const DIAGONAL: bool>(
    simd: S,
    (rz, z): (&[Column<F>], &[Column<F>]),
    run: usize,
    (j, l): (usize, usize),
    width: usize,
    second: &mut [f64],
) {
    let mut sums = [[F::splat(simd, F::zero()); GROUP]; GROUP];
    for t in 0..run {
        let a: [&[F::Vector<S>]; GROUP] = std::array::from_fn(|g| F::vectors::<S>(&rz[g * run + t].0));
        let b: [&[F::Vector<S>]; GROUP] = std::array::from_fn(|g| F::vectors::<S>(&z[g * run + t].0));
        for v in 0..a[0].len() {
            let b = [b[0][v], b[1][v], b[2][v], b[3][v]];
            for g in 0..GROUP {
                for h in 0..if DIAGONAL { g + 1 } else { GROUP } {
                    sums[g][h] = F::vfma(simd, a[g][v], b[h], sums[g][h]);
                }
            }
        }
    }
    let mut all = [F::splat(simd, F::zero()); GROUP * GROUP];
    for g in 0..GROUP {
        all[g * GROUP..(g + 1) * GROUP].copy_from_slice(&sums[g]);
    }
    let sums: [F; GROUP * GROUP] = lane_sums(simd, all);
    for g in 0..GROUP.min(width - j) {
        let row = &mut second[Scatter::Full.len(j + g) + l..][..GROUP.min(j + g + 1 - l)];
        row.iter_mut().zip(&sums[g * GROUP..]).for_each(|(to, sum)| *to += sum.widen());
    }
}
