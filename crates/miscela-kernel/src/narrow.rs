//! Soft moments of up to four columns: rows in the lanes, and all sums of a component in registers.
//!
//! ```text
//! for each component, for each register of rows:  r, then z = x − μ, r z, and every product r zⱼ zₗ that is kept
//! ```
//!
//! With so few columns the vectors of the other ways would be mostly empty.

use crate::moments::{Moments, Scatter, Shared, SoftMoments};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// The most columns that are served here.
pub(crate) const MOST_COLUMNS: usize = 4;
/// The products of that many columns.
const PRODUCTS: usize = MOST_COLUMNS * (MOST_COLUMNS + 1) / 2;

/// Adds the rows to every component.
pub(crate) fn add<F: Float>(isa: Isa, moments: &mut SoftMoments, rows: &Shared<F>, means: &[F]) {
    isa.run(Add { moments, rows, means });
}

struct Add<'a, 'b, F> {
    moments: &'a mut SoftMoments<'b>,
    rows: &'a Shared<'a, F>,
    means: &'a [F],
}

impl<F: Float> WithSimd for Add<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.rows.offset.len(), self.moments.scatter == Scatter::Full) {
            (1, _) => self.components::<S, 1, true>(simd),
            (2, true) => self.components::<S, 2, true>(simd),
            (3, true) => self.components::<S, 3, true>(simd),
            (4, true) => self.components::<S, 4, true>(simd),
            (2, false) => self.components::<S, 2, false>(simd),
            (3, false) => self.components::<S, 3, false>(simd),
            _ => self.components::<S, 4, false>(simd),
        }
    }
}

impl<F: Float> Add<'_, '_, F> {
    #[inline(always)]
    fn components<S: Simd, const D: usize, const FULL: bool>(self, simd: S) {
        let Self { moments, rows, means } = self;
        for (c, mean) in means.as_chunks::<D>().0.iter().enumerate().filter(|(c, _)| rows.counts[*c] > 0) {
            // In the tiles' coordinates.
            let mean: [F; D] = std::array::from_fn(|j| mean[j] - rows.offset[j]);
            component::<S, F, D, FULL>(simd, &mut moments.of(c, D), rows, c, &mean);
        }
    }
}

/// Adds the rows to component `c`.
#[inline(always)]
fn component<S: Simd, F: Float, const D: usize, const FULL: bool>(
    simd: S,
    moments: &mut Moments,
    rows: &Shared<F>,
    c: usize,
    mean: &[F; D],
) {
    let zero = F::splat(simd, F::zero());
    let mut centre = [zero; D];
    for j in 0..D {
        centre[j] = F::splat(simd, mean[j]);
    }
    let (mut weight, mut first, mut second) = (zero, [zero; D], [zero; PRODUCTS]);
    let k = rows.counts.len();
    for (t, tile) in rows.tiles.iter().enumerate() {
        let shares = F::vectors::<S>(&rows.shares[t * k + c].0);
        let columns: [_; D] = std::array::from_fn(|j| F::vectors::<S>(&tile.columns()[j].0));
        for (v, r) in shares.iter().enumerate() {
            let mut z = [zero; D];
            for j in 0..D {
                z[j] = F::vsub(simd, columns[j][v], centre[j]);
            }
            weight = F::vadd(simd, weight, *r);
            let mut product = 0;
            for j in 0..D {
                let rz = F::vmul(simd, *r, z[j]);
                first[j] = F::vadd(simd, first[j], rz);
                for l in if FULL { 0 } else { j }..=j {
                    second[product] = F::vfma(simd, rz, z[l], second[product]);
                    product += 1;
                }
            }
        }
    }
    *moments.weight += F::vsum(simd, weight).widen();
    for (to, sum) in moments.first.iter_mut().zip(first) {
        *to += F::vsum(simd, sum).widen();
    }
    let kept = if FULL { D * (D + 1) / 2 } else { D };
    for (product, sum) in second[..kept].iter().enumerate() {
        let to = if moments.scatter == Scatter::Spherical { 0 } else { product };
        moments.second[to] += F::vsum(simd, *sum).widen();
    }
}
