//! From log-densities to responsibilities, a tile at a time.
//!
//! ```text
//! soft, at temperature T:  eₖ = exp((lₖ − m)/T),   m = maxₖ lₖ,   s = Σₖ eₖ,   rₖ = w eₖ / s
//! log-sum-exp:             m + T ln s
//! ```
//!
//! The greatest log-density is taken out first, so nothing overflows and the sum is at least one. Sixteen rows go together:
//! where all of them are hopeless for a component, their exponentials are not computed.
//!
//! **What may be dropped.** Where a component allows it, eₖ below 2⁻⁶⁰ (`f32`: 2⁻⁴⁴) becomes zero exactly,
//! so that what follows can leave the row out. A component that has [gathered](is_settled) 2⁻²⁰ of all weight W or more
//! allows it: the n rows together then lose at most 2⁻⁶⁰ W ≤ 2⁻⁴⁰ Nₖ (`f32`: 2⁻²⁴ Nₖ, half a digit of one number). One that
//! has gathered less stays dense, down to 2⁻⁹⁹⁶ (2⁻¹⁰⁰): it knows no scale, and recovers only by what little it gets.

use crate::tile::Column;
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// Rows that are worked on together.
const CHUNK: usize = 16;

/// The least e that counts, with its logarithm, where nothing may be dropped and where what is negligible may.
fn limits<F: Float>() -> [(F, F); 2] {
    // The first are far enough above the least normal number that their products with differences are normal, too, as a rule: others
    // take a hundred times as long.
    let powers = if F::UNIT_ROUNDOFF > f64::EPSILON { [-100, -44] } else { [-996, -60] };
    powers.map(|power| (F::narrow(2f64.powi(power)), F::narrow(f64::from(power) * std::f64::consts::LN_2)))
}

/// Whether a component that has gathered `weight` so far, of rows that weigh `total` in all, may drop what is negligible.
pub fn is_settled(weight: f64, total: f64) -> bool {
    weight >= total * 2f64.powi(-20)
}

/// How the rows of a tile are shared.
#[derive(Clone, Copy, Debug)]
pub struct Sharing<'a, F> {
    /// T: one for probabilities.
    pub temperature: F,
    /// What each row's shares sum to.
    pub weights: &'a Column<F>,
    /// For each component whether what is negligible may be dropped.
    pub droppable: &'a [bool],
}

/// Turns the log-densities of a tile's rows, one column a component, into responsibilities that sum to one, and returns
/// T · log Σ exp(l / T) for each row.
///
/// A row to which every component gives density zero has responsibilities of zero, and about the lowest finite number as
/// its log-density. Responsibilities below 2⁻⁹⁹⁶ (`f32`: 2⁻¹⁰⁰) are zero. Cost: one exponential a row and component.
pub fn soften<F: Float>(log_densities: &mut [Column<F>], temperature: F) -> Column<F> {
    let k = log_densities.len();
    let sharing = Sharing { temperature, weights: &Column::splat(F::one()), droppable: &vec![false; k] };
    share(log_densities, &sharing, &mut vec![0; k])
}

/// [`soften`], with weights and with what is negligible dropped. Adds to `counts`, one a component, the rows that have a
/// share in it.
///
/// # Panics
/// If there are not as many `droppable` and `counts` as columns.
pub fn share<F: Float>(log_densities: &mut [Column<F>], sharing: &Sharing<F>, counts: &mut [u32]) -> Column<F> {
    share_with(Isa::best(), log_densities, sharing, counts)
}

/// [`share`] by a given instruction set.
///
/// # Panics
/// As [`share`].
pub fn share_with<F: Float>(
    isa: Isa,
    log_densities: &mut [Column<F>],
    sharing: &Sharing<F>,
    counts: &mut [u32],
) -> Column<F> {
    assert_eq!((sharing.droppable.len(), counts.len()), (log_densities.len(), log_densities.len()));
    isa.run(Share { columns: log_densities, sharing, counts })
}

struct Share<'a, F> {
    columns: &'a mut [Column<F>],
    sharing: &'a Sharing<'a, F>,
    counts: &'a mut [u32],
}

impl<F: Float> WithSimd for Share<'_, F> {
    type Output = Column<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Column<F> {
        let Self { columns, sharing, counts } = self;
        let (mut totals, limits) = (Column::splat(F::zero()), limits());
        for (part, total) in totals.0.as_chunks_mut::<CHUNK>().0.iter_mut().enumerate() {
            *total = share_chunk::<S, F>(simd, columns, part, sharing, &limits);
        }
        let (zero, one) = (F::splat(simd, F::zero()), F::splat(simd, F::one()));
        for (column, count) in columns.iter().zip(counts) {
            let mut there = zero;
            for r in F::vectors::<S>(&column.0) {
                there = F::vadd(simd, there, F::vselect(simd, F::vless(simd, zero, *r), one, zero));
            }
            *count += F::vsum(simd, there).widen() as u32;
        }
        totals
    }
}

/// The rows of one chunk.
#[inline(always)]
fn chunk<F>(column: &mut Column<F>, part: usize) -> &mut [F; CHUNK] {
    &mut column.0.as_chunks_mut::<CHUNK>().0[part]
}

/// Shares out chunk `part` of a tile; returns the log-sum-exp of its rows.
#[inline(always)]
fn share_chunk<S: Simd, F: Float>(
    simd: S,
    columns: &mut [Column<F>],
    part: usize,
    sharing: &Sharing<F>,
    limits: &[(F, F); 2],
) -> [F; CHUNK] {
    // Not −∞, so that a row of −∞s gives −∞ − m = −∞ and not NaN.
    let mut greatest = [F::min_value(); CHUNK];
    for column in &mut *columns {
        let l = F::vectors::<S>(chunk(column, part));
        for (m, l) in F::vectors_mut::<S>(&mut greatest).iter_mut().zip(l) {
            *m = F::vmax(simd, *l, *m);
        }
    }
    let inverse = F::one() / sharing.temperature;
    let mut sum = [F::zero(); CHUNK];
    for (column, droppable) in columns.iter_mut().zip(sharing.droppable) {
        let (least, lowest) = limits[usize::from(*droppable)];
        let e = chunk(column, part);
        let mut counts = false;
        for (l, m) in e.iter_mut().zip(&greatest) {
            *l = (*l - *m) * inverse;
            counts |= *l >= lowest;
        }
        if !counts {
            *e = [F::zero(); CHUNK];
            continue;
        }
        for (e, s) in e.iter_mut().zip(&mut sum) {
            let exp = F::exp_negative::<S>(*e);
            *e = if exp < least { F::zero() } else { exp };
            *s += *e;
        }
    }
    let weights = &sharing.weights.0.as_chunks::<CHUNK>().0[part];
    let mut share = [F::zero(); CHUNK];
    let mut total = greatest;
    for i in 0..CHUNK {
        let there = sum[i] > F::zero();
        let s = if there { sum[i] } else { F::one() };
        share[i] = weights[i] / s;
        total[i] += sharing.temperature * F::ln_positive::<S>(s);
    }
    for column in columns {
        for (r, share) in F::vectors_mut::<S>(chunk(column, part)).iter_mut().zip(F::vectors::<S>(&share)) {
            *r = F::vmul(simd, *r, *share);
        }
    }
    total
}

/// For each row of a tile the component of the greatest log-density, the lowest index on ties, and that log-density.
pub fn winners<F: Float>(log_densities: &[Column<F>]) -> (Column<u32>, Column<F>) {
    let mut winner = Column([0; crate::TILE_ROWS]);
    let mut greatest = Column::splat(F::neg_infinity());
    Isa::best().vectorize(|| {
        for (c, column) in log_densities.iter().enumerate() {
            for ((w, m), l) in winner.0.iter_mut().zip(&mut greatest.0).zip(&column.0) {
                let better = *l > *m;
                *m = if better { *l } else { *m };
                *w = if better { c as u32 } else { *w };
            }
        }
    });
    (winner, greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TILE_ROWS;
    use proptest::prelude::*;

    fn conforms<F: Float>(densities: &[f64], k: usize, temperature: f64, tolerance: f64) {
        let columns: Vec<Column<F>> =
            (0..k).map(|c| Column(std::array::from_fn(|i| F::narrow(densities[c * TILE_ROWS + i])))).collect();
        let weights = Column(std::array::from_fn(|i| F::narrow((i % 5) as f64 / 2.0)));
        let droppable: Vec<bool> = (0..k).map(|c| c % 2 == 0).collect();
        for isa in Isa::available() {
            let (mut soft, mut counts) = (columns.clone(), vec![0; k]);
            let sharing = Sharing { temperature: F::narrow(temperature), weights: &weights, droppable: &droppable };
            let total = share_with(isa, &mut soft, &sharing, &mut counts);
            for i in 0..TILE_ROWS {
                let l: Vec<f64> = columns.iter().map(|column| column.0[i].widen()).collect();
                let m = l.iter().fold(f64::NEG_INFINITY, |m, l| m.max(*l));
                let s: f64 = l.iter().map(|l| ((l - m) / temperature).exp()).sum();
                let w = weights.0[i].widen();
                assert!((total.0[i].widen() - (m + temperature * s.ln())).abs() <= tolerance * (1.0 + m.abs()));
                let sum: f64 = soft.iter().map(|column| column.0[i].widen()).sum();
                assert!((sum - w).abs() <= 2.0 * tolerance, "shares sum to {sum}, not {w}");
                for ((l, column), droppable) in l.iter().zip(&soft).zip(&droppable) {
                    let e = ((l - m) / temperature).exp();
                    assert!((column.0[i].widen() - w * e / s).abs() <= 2.0 * tolerance);
                    let least = limits::<F>()[1].0.widen();
                    assert!(!droppable || e >= 0.99 * least || column.0[i] == F::zero(), "{e} is negligible");
                    assert!(e <= 1.01 * least || w == 0.0 || column.0[i] > F::zero(), "{e} counts");
                }
            }
            let counted = soft.iter().map(|column| column.0.iter().filter(|r| **r > F::zero()).count() as u32);
            assert_eq!(counts, counted.collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn responsibilities_are_the_textbook_ones(
            (k, densities) in (1usize..7)
                .prop_flat_map(|k| (Just(k), prop::collection::vec(-50.0..10.0f64, k * TILE_ROWS))),
            temperature in 0.2..3.0f64,
        ) {
            conforms::<f64>(&densities, k, temperature, 1e-14);
            conforms::<f32>(&densities, k, temperature, 2e-5);
        }
    }

    #[test]
    fn what_is_negligible_is_left_out_where_that_is_allowed() {
        let mut columns = [0.0, -40.0, -42.0, -40.0, -42.0].map(Column::splat);
        let ones = Column::splat(1.0);
        let sharing = Sharing { temperature: 1.0, weights: &ones, droppable: &[true, true, true, false, false] };
        let mut counts = [0; 5];
        share(&mut columns, &sharing, &mut counts);
        assert_eq!(counts, [64, 64, 0, 64, 64], "60 ln 2 = 41.6");
        let (mut single, ones) = ([0.0, -69.0, -70.0].map(Column::<f32>::splat), Column::splat(1.0));
        let (sharing, mut counts) = (Sharing { temperature: 1.0, weights: &ones, droppable: &[false; 3] }, [0; 3]);
        share(&mut single, &sharing, &mut counts);
        assert_eq!(counts, [64, 64, 0], "100 ln 2 = 69.3");
        assert!(is_settled(1.0, 1e6) && !is_settled(1.0, 1.1e6));
    }

    #[test]
    fn a_hopeless_row_stays_finite() {
        let mut columns = vec![Column::splat(f64::NEG_INFINITY); 3];
        let total = soften(&mut columns, 1.0);
        assert!(total.0.iter().all(|l| l.is_finite()));
        assert!(columns.iter().all(|column| column.0.iter().all(|r| *r == 0.0)));
    }

    #[test]
    fn ties_go_to_the_lowest_component() {
        let columns = [Column::splat(-1.0f32), Column::splat(0.0), Column::splat(0.0)];
        assert_eq!(winners(&columns).0.0, [1; TILE_ROWS]);
        assert_eq!(winners(&[Column::splat(f32::NEG_INFINITY); 2]).0.0, [0; TILE_ROWS]);
    }
}
