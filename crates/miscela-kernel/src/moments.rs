//! Weighted moments of the rows of a block, each shared by many components: what a soft M-step needs.
//!
//! ```text
//! weight[c] += Σ r,   first[c] += Σ r z,   second[c] += Σ r z zᵀ      with z = x − μ[c],  r the row's share in c
//! ```
//!
//! About the current mean, not about the origin: the sums then stay small where the data are far away, and no digits are
//! lost when the M-step takes their difference. Sums run in `F` over one block and are added to the `f64` totals.
//!
//! | columns | scatter | rows with a share | way |
//! |---|---|---|---|
//! | up to four | any | any | `narrow`: rows in the lanes, everything in registers |
//! | more | full | up to half, or any of 32 columns and more | `direct`: the rows that have a share, picked out |
//! | more | full | more | `tiled`: all rows, in the lanes |
//! | more | diagonal, spherical | up to a quarter | `direct` |
//! | more | diagonal, spherical | more | `packed`: one product for all components, where that loses few digits |

use crate::direct::DirectScratch;
use crate::packed::{self, PackedScratch};
use crate::tile::{Column, TILE_ROWS, Tile};
use crate::tiled::TiledScratch;
use crate::{Block, Float, Isa, narrow};

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

/// Where the moments of k components are added.
#[derive(Debug)]
pub struct SoftMoments<'a> {
    /// Σ r, one a component.
    pub weight: &'a mut [f64],
    /// Σ r z, k × d.
    pub first: &'a mut [f64],
    /// Σ r z zᵀ, k × as much as `scatter` says.
    pub second: &'a mut [f64],
    /// How much of the second moment is kept.
    pub scatter: Scatter,
}

/// The rows of a block and how they are shared.
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a, F> {
    /// The rows.
    pub block: &'a Block<'a, F>,
    /// The same rows less `offset`, as tiles. Rows that no component has a share in must be zero.
    pub tiles: &'a [Tile<F>],
    /// What was taken off the rows, d numbers: zero, or near enough to the means that the rounding of it does not count.
    pub offset: &'a [F],
    /// For each tile a column a component: the rows' shares by their weights. Zero where there is no row.
    pub shares: &'a [Column<F>],
    /// For each component the number of rows that have a share.
    pub counts: &'a [u32],
}

/// Space to work in, kept between calls.
#[derive(Clone, Debug, Default)]
pub struct MomentScratch<F> {
    direct: DirectScratch<F>,
    tiled: TiledScratch<F>,
    packed: PackedScratch<F>,
    dense: Vec<usize>,
}

impl SoftMoments<'_> {
    /// Adds the rows, each by its share, to every component, about that component's row of `means` (k × d).
    ///
    /// Cost a row: d² operations for each component in which it has a share for the full scatter, 4d otherwise.
    pub fn add<F: Float>(&mut self, rows: &Shared<F>, means: &[F], scratch: &mut MomentScratch<F>) {
        self.add_with(Isa::best(), rows, means, scratch);
    }

    /// [`SoftMoments::add`] by a given instruction set.
    ///
    /// # Panics
    /// If the sizes disagree.
    pub fn add_with<F: Float>(&mut self, isa: Isa, rows: &Shared<F>, means: &[F], scratch: &mut MomentScratch<F>) {
        let (k, d) = (self.weight.len(), rows.block.width());
        assert_eq!((self.first.len(), self.second.len()), (k * d, k * self.scatter.len(d)));
        assert_eq!((means.len(), rows.offset.len(), rows.counts.len()), (k * d, d, k));
        assert_eq!((rows.tiles.len(), rows.shares.len()), (rows.block.len().div_ceil(TILE_ROWS), rows.tiles.len() * k));
        if d <= narrow::MOST_COLUMNS {
            return narrow::add(isa, self, rows, means);
        }
        scratch.dense.clear();
        for c in (0..k).filter(|c| rows.counts[*c] > 0) {
            let (count, mean) = (rows.counts[c] as usize, &means[c * d..(c + 1) * d]);
            match self.scatter {
                Scatter::Full if 2 * count > rows.block.len() && d < 32 => {
                    let (moments, scratch) = (&mut self.of(c, d), &mut scratch.tiled);
                    isa.run(Component { moments, rows, c, mean, scratch });
                }
                Scatter::Diagonal | Scatter::Spherical if 4 * count > rows.block.len() => scratch.dense.push(c),
                _ => {
                    let (moments, scratch) = (&mut self.of(c, d), &mut scratch.direct);
                    isa.run(Component { moments, rows, c, mean, scratch });
                }
            }
        }
        packed::products(isa, rows, &scratch.dense, &mut scratch.packed);
        for (at, c) in scratch.dense.iter().copied().enumerate() {
            let (moments, mean) = (&mut self.of(c, d), &means[c * d..(c + 1) * d]);
            if !packed::add(isa, moments, &scratch.packed, at, rows.offset, mean) {
                isa.run(Component { moments, rows, c, mean, scratch: &mut scratch.direct });
            }
        }
    }

    /// Where the moments of component `c` are added.
    pub(crate) fn of(&mut self, c: usize, width: usize) -> Moments<'_> {
        let size = self.scatter.len(width);
        Moments {
            weight: &mut self.weight[c],
            first: &mut self.first[c * width..(c + 1) * width],
            second: &mut self.second[c * size..(c + 1) * size],
            scatter: self.scatter,
        }
    }
}

/// The rows of a block to be added to component `c`, whose mean is given: by `direct` or by `tiled`, as the scratch space
/// says.
pub(crate) struct Component<'a, 'b, F, T> {
    pub(crate) moments: &'a mut Moments<'b>,
    pub(crate) rows: &'a Shared<'a, F>,
    pub(crate) c: usize,
    pub(crate) mean: &'a [F],
    pub(crate) scratch: &'a mut T,
}

/// Where the moments of one component are added.
pub(crate) struct Moments<'a> {
    pub weight: &'a mut f64,
    pub first: &'a mut [f64],
    pub second: &'a mut [f64],
    pub scatter: Scatter,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A block of rows, a share of each row for each component, and means to sum about.
    #[derive(Clone, Debug)]
    struct Case {
        rows: Vec<f64>,
        shares: Vec<f64>,
        means: Vec<f64>,
        offset: Vec<f64>,
    }

    impl Case {
        /// The moments by the textbook, and by every instruction set. `tolerance` is relative to the sums of magnitudes:
        /// of z, and where something was taken off rows and means, of what was left of them.
        fn conforms<F: Float>(&self, tolerance: f64) {
            let d = self.offset.len();
            let (n, k) = (self.rows.len() / d, self.means.len() / d);
            let to_f = |all: &[f64]| all.iter().map(|x| F::narrow(*x)).collect::<Vec<F>>();
            let (rows, means, offset, given) =
                (to_f(&self.rows), to_f(&self.means), to_f(&self.offset), to_f(&self.shares));
            let block = Block::new(&rows, d);
            let tiles: Vec<Tile<F>> = rows
                .chunks(TILE_ROWS * d)
                .map(|rows| {
                    let mut tile = Tile::new();
                    tile.fill(&Block::new(rows, d), &offset);
                    tile
                })
                .collect();
            let mut shares = vec![Column::splat(F::zero()); tiles.len() * k];
            let mut counts = vec![0; k];
            for (i, row) in given.chunks(k).enumerate() {
                for (c, r) in row.iter().enumerate() {
                    shares[i / TILE_ROWS * k + c].0[i % TILE_ROWS] = *r;
                    counts[c] += u32::from(*r > F::zero());
                }
            }
            let shared = Shared { block: &block, tiles: &tiles, offset: &offset, shares: &shares, counts: &counts };
            // Scratch left over from another problem must not show.
            let mut scratch = MomentScratch::default();
            for scatter in [Scatter::Full, Scatter::Spherical, Scatter::Diagonal] {
                let size = scatter.len(d);
                let mut sums = [vec![0.0; k], vec![0.0; k * d], vec![0.0; k * size]];
                let mut magnitudes = sums.clone();
                for (row, given) in rows.chunks(d).zip(given.chunks(k)) {
                    for (c, r) in given.iter().map(|r| r.widen()).enumerate() {
                        let z: Vec<f64> = row.iter().zip(&means[c * d..]).map(|(x, m)| x.widen() - m.widen()).collect();
                        let reach = |j: usize| {
                            let (x, m, o) = (row[j].widen(), means[c * d + j].widen(), offset[j].widen());
                            if o == 0.0 { (x - m).abs() } else { (x - o).abs() + (m - o).abs() }
                        };
                        let reaches: Vec<f64> = (0..d).map(reach).collect();
                        for (sums, z) in [(&mut sums, &z), (&mut magnitudes, &reaches)] {
                            sums[0][c] += r;
                            sums[1][c * d..(c + 1) * d].iter_mut().zip(z).for_each(|(s, z)| *s += r * z);
                            scatter.add_row(r, z, &mut sums[2][c * size..(c + 1) * size]);
                        }
                    }
                }
                for isa in Isa::available() {
                    let mut got = [vec![0.0; k], vec![0.0; k * d], vec![0.0; k * size]];
                    let [weight, first, second] = &mut got;
                    SoftMoments { weight, first, second, scatter }.add_with(isa, &shared, &means, &mut scratch);
                    for part in 0..3 {
                        for ((expected, got), size) in sums[part].iter().zip(&got[part]).zip(&magnitudes[part]) {
                            let error = (expected - got).abs();
                            assert!(
                                error <= tolerance * size,
                                "{scatter:?} {part} {}: {got} {expected} {n}",
                                isa.name()
                            );
                        }
                    }
                }
            }
        }
    }

    fn case(sparse: bool) -> impl Strategy<Value = Case> {
        (1usize..21, 1usize..257, 1usize..15).prop_flat_map(move |(d, n, k)| {
            let numbers = |count| prop::collection::vec(-2.0..2.0f64, count);
            let share =
                (0.0..1.0f64, 0.0..1.0f64).prop_map(move |(r, coin)| if sparse && coin < 0.9 { 0.0 } else { r });
            (numbers(n * d), prop::collection::vec(share, n * k), numbers(k * d), numbers(d))
                .prop_map(|(rows, shares, means, offset)| Case { rows, shares, means, offset })
        })
    }

    proptest! {
        #[test]
        fn moments_are_the_sums_they_say(case in prop_oneof![case(false), case(true)]) {
            case.conforms::<f64>(1e-12);
            case.conforms::<f32>(2e-4);
        }

        #[test]
        fn moments_far_from_the_offset_keep_their_digits(case in case(false)) {
            // About the offset alone only some six digits of the second moments would be left.
            let moved = |all: &[f64]| all.iter().map(|x| x + 1e5).collect::<Vec<f64>>();
            let offset = vec![0.0; case.offset.len()];
            Case { rows: moved(&case.rows), means: moved(&case.means), offset, ..case }.conforms::<f64>(1e-12);
        }
    }

    #[test]
    fn one_row_adds_its_outer_product() {
        let mut second = [0.0; 6];
        Scatter::Full.add_row(2.0, &[1.0, 2.0, 3.0], &mut second);
        assert_eq!(second, [2.0, 4.0, 8.0, 6.0, 12.0, 18.0]);
    }
}
