//! Soft moments of one component from the rows that have a share in it, differences first.
//!
//! ```text
//! rows i with rᵢ > 0:   zᵢ = xᵢ − μ
//! diagonal:             first += rᵢ zᵢ,   second += rᵢ zᵢ²                    row by row
//! full:                 second += (R Z)ᵀ Z,  lower triangle                  eight rows of it by three registers at a time
//! ```
//!
//! Rows stay rows here: the columns are in the lanes, so nothing needs a horizontal sum, and a component in which few rows
//! have a share costs what those few do.

use crate::Float;
use crate::aligned::Aligned;
use crate::float::lanes;
use crate::moments::{Component, Moments, Scatter, Shared};
use crate::tile::TILE_ROWS;
use pulp::{Simd, WithSimd};

/// The most rows of the second moment that go together, and registers of its columns.
const GROUP: usize = 8;
const STRIP: usize = 3;
/// The most numbers in a register.
const MOST_LANES: usize = 16;

/// Space to work in, kept between calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct DirectScratch<F> {
    /// The rows that have a share, and their shares.
    rows: Vec<(usize, F)>,
    /// z and r z, row by row.
    z: Aligned<F>,
    rz: Aligned<F>,
    /// Σ r z and Σ r z² over the block.
    first: Aligned<F>,
    second: Aligned<F>,
}

impl<F: Float> WithSimd for Component<'_, '_, F, DirectScratch<F>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { moments, rows, c, mean, scratch } = self;
        select(rows, c, &mut scratch.rows);
        *moments.weight += scratch.rows.iter().map(|(_, r)| r.widen()).sum::<f64>();
        if moments.scatter == Scatter::Full {
            add_full(simd, moments, rows, mean, scratch);
        } else {
            add_diagonal(simd, moments, rows, mean, scratch);
        }
    }
}

/// Lists the rows that have a share in component `c`.
#[inline(always)]
fn select<F: Float>(rows: &Shared<F>, c: usize, selected: &mut Vec<(usize, F)>) {
    const CHUNK: usize = 16;
    let k = rows.counts.len();
    // One more than can be found, so that each can be written before it is known to count.
    selected.resize(rows.tiles.len() * TILE_ROWS + 1, (0, F::zero()));
    let mut count = 0;
    for t in 0..rows.tiles.len() {
        for (part, shares) in rows.shares[t * k + c].0.as_chunks::<CHUNK>().0.iter().enumerate() {
            let mut any = false;
            for r in shares {
                any |= *r > F::zero();
            }
            if any {
                for (i, r) in shares.iter().enumerate() {
                    selected[count] = (t * TILE_ROWS + part * CHUNK + i, *r);
                    count += usize::from(*r > F::zero());
                }
            }
        }
    }
    selected.truncate(count);
}

/// A row of the block beside the mean, in as many whole registers as there are, and the rest.
macro_rules! columns {
    ($S:ty, $F:ty, $row:expr, $mean:expr) => {{
        let (row, mean): (&[$F], &[$F]) = ($row, $mean);
        let whole = row.len() / lanes::<$S, $F>() * lanes::<$S, $F>();
        (<$F>::vectors::<$S>(row), <$F>::vectors::<$S>(mean), &row[whole..], &mean[whole..], whole)
    }};
}

#[inline(always)]
fn add_diagonal<S: Simd, F: Float>(
    simd: S,
    moments: &mut Moments,
    rows: &Shared<F>,
    mean: &[F],
    scratch: &mut DirectScratch<F>,
) {
    let (first, second) = (scratch.first.take(mean.len()), scratch.second.take(mean.len()));
    first.fill(F::zero());
    second.fill(F::zero());
    for (i, r) in &scratch.rows {
        let (x, m, x_rest, m_rest, whole) = columns!(S, F, rows.block.row(*i), mean);
        let share = F::splat(simd, *r);
        let sums = F::vectors_mut::<S>(first).iter_mut().zip(F::vectors_mut::<S>(second));
        for ((x, m), (s, q)) in x.iter().zip(m).zip(sums) {
            let z = F::vsub(simd, *x, *m);
            let rz = F::vmul(simd, share, z);
            *s = F::vadd(simd, *s, rz);
            *q = F::vfma(simd, rz, z, *q);
        }
        let sums = first[whole..].iter_mut().zip(&mut second[whole..]);
        for ((x, m), (s, q)) in x_rest.iter().zip(m_rest).zip(sums) {
            let z = *x - *m;
            *s += *r * z;
            *q += *r * z * z;
        }
    }
    moments.first.iter_mut().zip(first).for_each(|(to, sum)| *to += sum.widen());
    match moments.scatter {
        Scatter::Spherical => moments.second[0] += second.iter().map(|q| q.widen()).sum::<f64>(),
        _ => moments.second.iter_mut().zip(second).for_each(|(to, sum)| *to += sum.widen()),
    }
}

#[inline(always)]
fn add_full<S: Simd, F: Float>(
    simd: S,
    moments: &mut Moments,
    rows: &Shared<F>,
    mean: &[F],
    scratch: &mut DirectScratch<F>,
) {
    let DirectScratch { rows: selected, z, rz, first, .. } = scratch;
    let stride = mean.len().next_multiple_of(lanes::<S, F>().max(GROUP));
    let first = first.take(stride);
    first.fill(F::zero());
    let (z, rz) = (z.take(selected.len() * stride), rz.take(selected.len() * stride));
    differences::<S, F>(simd, rows, mean, selected, (&mut *z, &mut *rz, &mut *first));
    let product = Product { z, rz, stride };
    if S::REGISTER_COUNT >= 32 {
        product.add::<S, GROUP>(simd, moments);
    } else {
        product.add::<S, 4>(simd, moments);
    }
    moments.first.iter_mut().zip(first).for_each(|(to, sum)| *to += sum.widen());
}

/// Writes z and r z of the selected rows, filled up with zeros to whole registers, and adds r z to `first`.
#[inline(always)]
fn differences<S: Simd, F: Float>(
    simd: S,
    rows: &Shared<F>,
    mean: &[F],
    selected: &[(usize, F)],
    (z, rz, first): (&mut [F], &mut [F], &mut [F]),
) {
    let stride = first.len();
    for (((i, r), z), rz) in selected.iter().zip(z.chunks_exact_mut(stride)).zip(rz.chunks_exact_mut(stride)) {
        let (x, m, x_rest, m_rest, whole) = columns!(S, F, rows.block.row(*i), mean);
        let share = F::splat(simd, *r);
        if whole < stride {
            z[whole..].fill(F::zero());
            z[whole..].iter_mut().zip(x_rest.iter().zip(m_rest)).for_each(|(z, (x, m))| *z = *x - *m);
        }
        let z = F::vectors_mut::<S>(z);
        for ((x, m), z) in x.iter().zip(m).zip(&mut *z) {
            *z = F::vsub(simd, *x, *m);
        }
        for ((z, rz), s) in z.iter().zip(F::vectors_mut::<S>(rz)).zip(F::vectors_mut::<S>(first)) {
            *rz = F::vmul(simd, share, *z);
            *s = F::vadd(simd, *s, *rz);
        }
    }
}

/// (R Z)ᵀ Z of some rows.
struct Product<'a, F> {
    z: &'a [F],
    rz: &'a [F],
    stride: usize,
}

impl<F: Float> Product<'_, F> {
    /// Adds the lower triangle, `G` rows of it at a time.
    #[inline(always)]
    fn add<S: Simd, const G: usize>(&self, simd: S, moments: &mut Moments) {
        let width = moments.first.len();
        for j in (0..width).step_by(G) {
            // The registers that hold columns up to the last of these rows.
            let columns = (j + G).min(width).div_ceil(lanes::<S, F>());
            for v in (0..columns).step_by(STRIP) {
                match columns - v {
                    1 => self.add_part::<S, G, 1>(simd, (j, v), moments),
                    2 => self.add_part::<S, G, 2>(simd, (j, v), moments),
                    _ => self.add_part::<S, G, STRIP>(simd, (j, v), moments),
                }
            }
        }
    }

    /// Adds `G` rows from `j`, and `V` registers of columns from register `v`.
    #[inline(always)]
    fn add_part<S: Simd, const G: usize, const V: usize>(
        &self,
        simd: S,
        (j, v): (usize, usize),
        moments: &mut Moments,
    ) {
        let Self { z, rz, stride } = *self;
        let lanes = lanes::<S, F>();
        let mut sums = [[F::splat(simd, F::zero()); V]; G];
        for (z, rz) in z.chunks_exact(stride).zip(rz.chunks_exact(stride)) {
            let (z, rz) = (&F::vectors::<S>(z)[v..v + V], &rz[j..j + G]);
            for g in 0..G {
                let rz = F::splat(simd, rz[g]);
                for h in 0..V {
                    sums[g][h] = F::vfma(simd, rz, z[h], sums[g][h]);
                }
            }
        }
        let mut numbers = [F::zero(); STRIP * MOST_LANES];
        for (g, sums) in sums.iter().enumerate().take(moments.first.len() - j) {
            F::vectors_mut::<S>(&mut numbers)[..V].copy_from_slice(sums);
            // Up to the diagonal.
            let (columns, start) = (j + g + 1, v * lanes);
            let row = &mut moments.second[Scatter::Full.len(j + g)..][..columns];
            let kept = (V * lanes).min(columns.saturating_sub(start));
            row[columns.min(start)..][..kept].iter_mut().zip(&numbers[..kept]).for_each(|(to, sum)| *to += sum.widen());
        }
    }
}
