//! Weighted moments of the rows of some tiles about a given point: what an M-step needs.
//!
//! ```text
//! weight += Σ r,   first += Σ r z,   second += Σ r z zᵀ      with z = x − μ
//! ```
//!
//! About the current mean, not about the origin: the sums then stay small where the data are far away, and no digits are
//! lost when the M-step takes their difference. Sums run in `F` over at most [`BLOCK_ROWS`] rows, in the lanes of a
//! register, and are added to the `f64` totals.
//!
//! [`BLOCK_ROWS`]: crate::BLOCK_ROWS

use crate::tile::{Column, Tile};
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// How much of Σ r z zᵀ is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Scatter {
    /// Its trace: one number.
    Spherical,
    /// Its diagonal: d numbers.
    Diagonal,
    /// Its lower triangle, row by row: d(d + 1)/2 numbers.
    Full,
}

impl Scatter {
    /// The numbers kept for d columns.
    pub fn len(self, width: usize) -> usize {
        match self {
            Scatter::Spherical => 1,
            Scatter::Diagonal => width,
            Scatter::Full => width * (width + 1) / 2,
        }
    }

    /// Adds r z zᵀ for one row. `difference` is z.
    #[inline]
    pub fn add_row(self, weight: f64, difference: &[f64], second: &mut [f64]) {
        match self {
            Scatter::Spherical => second[0] += weight * difference.iter().map(|z| z * z).sum::<f64>(),
            Scatter::Diagonal => second.iter_mut().zip(difference).for_each(|(s, z)| *s += weight * z * z),
            Scatter::Full => {
                let mut rest = second;
                for (j, z) in difference.iter().enumerate() {
                    let (row, tail) = std::mem::take(&mut rest).split_at_mut(j + 1);
                    row.iter_mut().zip(difference).for_each(|(s, other)| *s += weight * z * other);
                    rest = tail;
                }
            }
        }
    }
}

/// Where the moments of one component are added.
#[derive(Debug)]
pub struct Moments<'a> {
    /// Σ r
    pub weight: &'a mut f64,
    /// Σ r z, d numbers.
    pub first: &'a mut [f64],
    /// Σ r z zᵀ, as much as `scatter` says.
    pub second: &'a mut [f64],
    /// How much of the second moment is kept.
    pub scatter: Scatter,
}

/// Space to work in, kept between calls: z and r z of all columns, the rows of all tiles in one run.
#[derive(Clone, Debug, Default)]
pub struct MomentScratch<F> {
    z: Vec<Column<F>>,
    rz: Vec<Column<F>>,
}

impl Moments<'_> {
    /// Adds the rows of `tiles`, each weighted by its entry in `weights`, one column a tile.
    ///
    /// Cost a row: d² operations for the full scatter, 4d otherwise.
    pub fn add<F: Float>(
        &mut self,
        tiles: &[Tile<F>],
        mean: &[F],
        weights: &[Column<F>],
        scratch: &mut MomentScratch<F>,
    ) {
        self.add_with(Isa::best(), tiles, mean, weights, scratch);
    }

    /// [`Moments::add`] by a given instruction set.
    ///
    /// # Panics
    /// If the widths disagree or there are not as many weight columns as tiles.
    pub fn add_with<F: Float>(
        &mut self,
        isa: Isa,
        tiles: &[Tile<F>],
        mean: &[F],
        weights: &[Column<F>],
        scratch: &mut MomentScratch<F>,
    ) {
        assert_eq!(tiles.len(), weights.len());
        assert_eq!((self.first.len(), self.second.len()), (mean.len(), self.scatter.len(mean.len())));
        assert!(tiles.iter().all(|tile| tile.columns().len() == mean.len()));
        // Whole groups of four columns, so that the product below needs no special case.
        let columns = mean.len().next_multiple_of(GROUP) * tiles.len();
        let zero = Column::splat(F::zero());
        for padded in [&mut scratch.z, &mut scratch.rz] {
            padded.resize(columns, zero);
            padded[mean.len() * tiles.len()..].fill(zero);
        }
        isa.run(Add { moments: self, tiles, mean, weights, scratch });
    }
}

const GROUP: usize = 4;

struct Add<'a, 'b, F> {
    moments: &'a mut Moments<'b>,
    tiles: &'a [Tile<F>],
    mean: &'a [F],
    weights: &'a [Column<F>],
    scratch: &'a mut MomentScratch<F>,
}

impl<F: Float> WithSimd for Add<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { moments, tiles, mean, weights, scratch } = self;
        let zero = F::splat(simd, F::zero());
        let mut sum = zero;
        for r in weights.iter().flat_map(|r| F::vectors::<S>(&r.0)) {
            sum = F::vadd(simd, sum, *r);
        }
        *moments.weight += F::vsum(simd, sum).widen();

        let run = tiles.len();
        let mut trace = 0.0;
        for (j, mean) in mean.iter().enumerate() {
            let mean = F::splat(simd, *mean);
            let (mut first, mut second) = (zero, zero);
            for (t, (tile, r)) in tiles.iter().zip(weights).enumerate() {
                let x = F::vectors::<S>(&tile.columns()[j].0);
                let r = F::vectors::<S>(&r.0);
                let z_out = F::vectors_mut::<S>(&mut scratch.z[j * run + t].0);
                let rz_out = F::vectors_mut::<S>(&mut scratch.rz[j * run + t].0);
                for (((x, r), z_out), rz_out) in x.iter().zip(r).zip(z_out).zip(rz_out) {
                    let z = F::vsub(simd, *x, mean);
                    let rz = F::vmul(simd, *r, z);
                    first = F::vadd(simd, first, rz);
                    second = F::vfma(simd, rz, z, second);
                    *z_out = z;
                    *rz_out = rz;
                }
            }
            moments.first[j] += F::vsum(simd, first).widen();
            match moments.scatter {
                Scatter::Spherical => trace += F::vsum(simd, second).widen(),
                Scatter::Diagonal => moments.second[j] += F::vsum(simd, second).widen(),
                Scatter::Full => {}
            }
        }
        match moments.scatter {
            Scatter::Spherical => moments.second[0] += trace,
            Scatter::Diagonal => {}
            Scatter::Full => {
                for j in (0..mean.len()).step_by(GROUP) {
                    for l in (0..=j).step_by(GROUP) {
                        let columns = (&scratch.rz[j * run..], &scratch.z[l * run..]);
                        add_products::<S, F>(simd, columns, run, (j, l), mean.len(), moments.second);
                    }
                }
            }
        }
    }
}

/// Adds Σ r zⱼ zₗ for four columns j and four columns l, in 16 registers over all rows. `rz` and `z` start at column j and
/// at column l; each column is `run` tiles long.
#[inline(always)]
fn add_products<S: Simd, F: Float>(
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
            let b: [F::Vector<S>; GROUP] = std::array::from_fn(|g| b[g][v]);
            for g in 0..GROUP {
                for h in 0..GROUP {
                    sums[g][h] = F::vfma(simd, a[g][v], b[h], sums[g][h]);
                }
            }
        }
    }
    for g in 0..GROUP.min(width - j) {
        for h in 0..GROUP.min(j + g + 1 - l) {
            second[Scatter::Full.len(j + g) + l + h] += F::vsum(simd, sums[g][h]).widen();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, TILE_ROWS};
    use proptest::prelude::*;

    fn conforms<F: Float>(rows: &[f64], weights: &[f64], mean: &[f64], tolerance: f64) {
        let d = mean.len();
        let narrow = |all: &[f64]| all.iter().map(|x| F::narrow(*x)).collect::<Vec<F>>();
        let (rows, mean) = (narrow(rows), narrow(mean));
        let tiles: Vec<Tile<F>> = rows
            .chunks(TILE_ROWS * d)
            .map(|rows| {
                let mut tile = Tile::new();
                tile.fill(&Block::new(rows, d), &vec![F::zero(); d]);
                tile
            })
            .collect();
        let mut columns = vec![Column::splat(F::zero()); tiles.len()];
        for (i, w) in weights.iter().enumerate() {
            columns[i / TILE_ROWS].0[i % TILE_ROWS] = F::narrow(*w);
        }
        // Scratch left over from a larger problem must not show.
        let mut scratch =
            MomentScratch { z: vec![Column::splat(F::one()); 100], rz: vec![Column::splat(F::one()); 100] };
        for scatter in [Scatter::Spherical, Scatter::Diagonal, Scatter::Full] {
            let mut expected = (0.0, vec![0.0; d], vec![0.0; scatter.len(d)]);
            for (row, w) in rows.chunks(d).zip(weights) {
                let w = F::narrow(*w).widen();
                let z: Vec<f64> = row.iter().zip(&mean).map(|(x, m)| x.widen() - m.widen()).collect();
                expected.0 += w;
                expected.1.iter_mut().zip(&z).for_each(|(s, z)| *s += w * z);
                scatter.add_row(w, &z, &mut expected.2);
            }
            for isa in Isa::available() {
                let mut got = (0.0, vec![0.0; d], vec![0.0; scatter.len(d)]);
                let mut moments = Moments { weight: &mut got.0, first: &mut got.1, second: &mut got.2, scatter };
                moments.add_with(isa, &tiles, &mean, &columns, &mut scratch);
                let pairs = expected.1.iter().zip(&got.1).chain(expected.2.iter().zip(&got.2));
                for (expected, got) in pairs.chain([(&expected.0, &got.0)]) {
                    assert!(
                        (expected - got).abs() <= tolerance * (16 * rows.len()) as f64,
                        "{scatter:?} {}",
                        isa.name()
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn moments_are_the_sums_they_say(
            (rows, weights, mean) in (1usize..11, 1usize..200).prop_flat_map(|(d, n)| {
                let numbers = |count| prop::collection::vec(-2.0..2.0f64, count);
                (numbers(n * d), prop::collection::vec(0.0..1.0f64, n), numbers(d))
            }),
        ) {
            conforms::<f64>(&rows, &weights, &mean, 1e-15);
            conforms::<f32>(&rows, &weights, &mean, 1e-6);
        }
    }

    #[test]
    fn one_row_adds_its_outer_product() {
        let mut second = [0.0; 6];
        Scatter::Full.add_row(2.0, &[1.0, 2.0, 3.0], &mut second);
        assert_eq!(second, [2.0, 4.0, 8.0, 6.0, 12.0, 18.0]);
    }
}
