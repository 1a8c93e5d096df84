//! Soft moments of diagonals for many components at a time: one product of shares and rows.
//!
//! ```text
//! u = x − offset,  m = μ − offset
//! A = Rᵀ U,   B = Rᵀ U²,   N = Rᵀ 1             two operations fewer a row, column and component than differences take
//! Σ r z = A − N m,   Σ r z² = B − 2 m A + N m²
//! ```
//!
//! Rows stay rows: the columns are in the lanes, and two registers of them meet four components at a time. The squares are
//! made on the way.
//!
//! **When this may be used.** The last line loses the digits by which Σ r z² is smaller than B + N m². Where that is more
//! than ten bits of an `f64`, or five of an `f32`, in any column (or in their sum, where only that is kept), [`add`] refuses,
//! and differences are taken instead.

use crate::aligned::Aligned;
use crate::float::lanes;
use crate::moments::{Moments, Scatter, Shared};
use crate::tile::TILE_ROWS;
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// Components that are worked on together, and registers of columns.
const GROUP: usize = 4;
const STRIP: usize = 2;

/// Space to work in, kept between calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackedScratch<F> {
    /// u, row by row.
    rows: Aligned<F>,
    /// For each component that was asked for: N, then A, then B.
    products: Vec<F>,
}

/// Computes N, A and B of the components listed in `which`.
pub(crate) fn products<F: Float>(isa: Isa, rows: &Shared<F>, which: &[usize], scratch: &mut PackedScratch<F>) {
    if !which.is_empty() {
        isa.run(Products { rows, which, scratch });
    }
}

/// Adds what [`products`] found for the component at place `at` of its list; false if too many digits would be lost.
pub(crate) fn add<F: Float>(
    isa: Isa,
    moments: &mut Moments,
    scratch: &PackedScratch<F>,
    at: usize,
    offset: &[F],
    mean: &[F],
) -> bool {
    let size = 2 * mean.len() + 1;
    let products = &scratch.products[at * size..(at + 1) * size];
    isa.vectorize(|| add_moved(moments, products, offset, mean))
}

#[inline(always)]
fn add_moved<F: Float>(moments: &mut Moments, products: &[F], offset: &[F], mean: &[F]) -> bool {
    let (n, (a, b)) = (products[0].widen(), products[1..].split_at(mean.len()));
    let columns = || {
        mean.iter().zip(offset).zip(a.iter().zip(b)).map(|((m, o), (a, b))| {
            let (m, a, b) = (m.widen() - o.widen(), a.widen(), b.widen());
            (a - n * m, b - 2.0 * m * a + n * m * m, b + n * m * m)
        })
    };
    let kept = if F::UNIT_ROUNDOFF > f64::EPSILON { 2f64.powi(-5) } else { 2f64.powi(-10) };
    // Written so that a NaN, from sums that overflowed, is refused.
    let keeps = |second: f64, parts: f64| second >= kept * parts;
    if moments.scatter == Scatter::Spherical {
        let (second, parts) = columns().fold((0.0, 0.0), |sum, (_, second, parts)| (sum.0 + second, sum.1 + parts));
        if !keeps(second, parts) {
            return false;
        }
        moments.second[0] += second;
    } else {
        // Without a branch a column, so that columns go together.
        if !columns().fold(true, |all, (_, second, parts)| all & keeps(second, parts)) {
            return false;
        }
        moments.second.iter_mut().zip(columns()).for_each(|(to, (_, second, _))| *to += second);
    }
    *moments.weight += n;
    moments.first.iter_mut().zip(columns()).for_each(|(to, (first, ..))| *to += first);
    true
}

struct Products<'a, F> {
    rows: &'a Shared<'a, F>,
    which: &'a [usize],
    scratch: &'a mut PackedScratch<F>,
}

impl<F: Float> WithSimd for Products<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows, which, scratch } = self;
        let d = rows.offset.len();
        let stride = d.next_multiple_of(lanes::<S, F>());
        let PackedScratch { rows: u, products } = scratch;
        let u = u.take(rows.block.len() * stride);
        for (i, (u, x)) in u.chunks_exact_mut(stride).zip(rows.block.rows()).enumerate() {
            let (u, rest) = u.split_at_mut(d);
            rest.fill(F::zero());
            // A row that does not count may be so far away that its square is infinite.
            if rows.block.weight(i) > 0.0 {
                u.iter_mut().zip(x).zip(rows.offset).for_each(|((u, x), o)| *u = *x - *o);
            } else {
                u.fill(F::zero());
            }
        }
        products.clear();
        products.resize(which.len() * (2 * d + 1), F::zero());
        let k = rows.counts.len();
        for (which, products) in which.chunks(GROUP).zip(products.chunks_mut(GROUP * (2 * d + 1))) {
            // A group that is not full has its last component repeated.
            let which: [usize; GROUP] = std::array::from_fn(|g| which[g.min(which.len() - 1)]);
            for v in (0..stride / lanes::<S, F>()).step_by(STRIP) {
                let part = Part { rows, u, stride, which: &which, v };
                if v + 1 == stride / lanes::<S, F>() {
                    part.sums::<S, 1>(simd, products);
                } else {
                    part.sums::<S, STRIP>(simd, products);
                }
            }
            for (c, products) in which.iter().zip(products.chunks_exact_mut(2 * d + 1)) {
                let mut n = F::splat(simd, F::zero());
                for t in 0..rows.tiles.len() {
                    for r in F::vectors::<S>(&rows.shares[t * k + c].0) {
                        n = F::vadd(simd, n, *r);
                    }
                }
                products[0] = F::vsum(simd, n);
            }
        }
    }
}

/// A group of components, and the registers of columns from `v`.
struct Part<'a, F> {
    rows: &'a Shared<'a, F>,
    u: &'a [F],
    stride: usize,
    which: &'a [usize; GROUP],
    v: usize,
}

impl<F: Float> Part<'_, F> {
    /// Writes Σ r u and Σ r u² over `V` registers to the components' products.
    #[inline(always)]
    fn sums<S: Simd, const V: usize>(self, simd: S, products: &mut [F]) {
        let Self { rows, u, stride, which, v } = self;
        let (d, k) = (rows.offset.len(), rows.counts.len());
        let zero = F::splat(simd, F::zero());
        let (mut firsts, mut seconds) = ([[zero; V]; GROUP], [[zero; V]; GROUP]);
        for (t, u) in u.chunks(TILE_ROWS * stride).enumerate() {
            let shares: [&[F; TILE_ROWS]; GROUP] = which.map(|c| &rows.shares[t * k + c].0);
            for i in 0..TILE_ROWS.min(u.len() / stride) {
                let x = &F::vectors::<S>(&u[i * stride..(i + 1) * stride])[v..v + V];
                for h in 0..V {
                    let (x, square) = (x[h], F::vmul(simd, x[h], x[h]));
                    for g in 0..GROUP {
                        let r = F::splat(simd, shares[g][i]);
                        firsts[g][h] = F::vfma(simd, r, x, firsts[g][h]);
                        seconds[g][h] = F::vfma(simd, r, square, seconds[g][h]);
                    }
                }
            }
        }
        let start = v * lanes::<S, F>();
        for (g, products) in products.chunks_exact_mut(2 * d + 1).enumerate() {
            let (a, b) = products[1..].split_at_mut(d);
            for (to, sums) in [(a, firsts[g]), (b, seconds[g])] {
                let mut numbers = [F::zero(); STRIP * 16];
                F::vectors_mut::<S>(&mut numbers)[..V].copy_from_slice(&sums);
                let kept = (d - start).min(V * lanes::<S, F>());
                to[start..start + kept].copy_from_slice(&numbers[..kept]);
            }
        }
    }
}
