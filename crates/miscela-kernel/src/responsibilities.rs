//! From log-densities to responsibilities, a tile at a time.
//!
//! ```text
//! soft, at temperature T:  rₖ = exp((lₖ − m)/T) / s,   s = Σₖ exp((lₖ − m)/T),   m = maxₖ lₖ
//! log-sum-exp:             m + T ln s
//! ```
//!
//! The greatest log-density is taken out first, so nothing overflows and the sum is at least one.

use crate::tile::Column;
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// Turns the log-densities of a tile's rows, one column a component, into responsibilities that sum to one, and returns
/// T · log Σ exp(l / T) for each row.
///
/// A row to which every component gives density zero has responsibilities of zero, and about the lowest finite number as
/// its log-density. Cost: one exponential a row and component.
pub fn soften<F: Float>(log_densities: &mut [Column<F>], temperature: F) -> Column<F> {
    soften_with(Isa::best(), log_densities, temperature)
}

/// [`soften`] by a given instruction set.
pub fn soften_with<F: Float>(isa: Isa, log_densities: &mut [Column<F>], temperature: F) -> Column<F> {
    isa.run(Soften { columns: log_densities, temperature })
}

struct Soften<'a, F> {
    columns: &'a mut [Column<F>],
    temperature: F,
}

impl<F: Float> WithSimd for Soften<'_, F> {
    type Output = Column<F>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Column<F> {
        let Self { columns, temperature } = self;
        // Not −∞, so that a row of −∞s gives −∞ − m = −∞ and not NaN.
        let mut greatest = Column::splat(F::min_value());
        for column in &*columns {
            for (m, l) in greatest.0.iter_mut().zip(&column.0) {
                *m = if *l > *m { *l } else { *m };
            }
        }
        let inverse = F::one() / temperature;
        let mut sum = Column::splat(F::zero());
        for column in &mut *columns {
            for ((l, m), s) in column.0.iter_mut().zip(&greatest.0).zip(&mut sum.0) {
                *l = F::exp_negative::<S>((*l - *m) * inverse);
                *s += *l;
            }
        }
        let share = Column(sum.0.map(|s| if s > F::zero() { F::one() / s } else { F::zero() }));
        for column in &mut *columns {
            column.0.iter_mut().zip(&share.0).for_each(|(r, share)| *r *= *share);
        }
        let mut total = greatest;
        for (m, s) in total.0.iter_mut().zip(&sum.0) {
            *m += temperature * if *s > F::zero() { s.ln() } else { F::zero() };
        }
        total
    }
}

/// For each row of a tile the component of the greatest log-density, the lowest index on ties, and that log-density.
pub fn winners<F: Float>(log_densities: &[Column<F>]) -> (Column<u32>, Column<F>) {
    let mut winner = Column([0; crate::TILE_ROWS]);
    let mut greatest = Column::splat(F::neg_infinity());
    for (c, column) in log_densities.iter().enumerate() {
        for ((w, m), l) in winner.0.iter_mut().zip(&mut greatest.0).zip(&column.0) {
            let better = *l > *m;
            *m = if better { *l } else { *m };
            *w = if better { c as u32 } else { *w };
        }
    }
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
        for isa in Isa::available() {
            let mut soft = columns.clone();
            let total = soften_with(isa, &mut soft, F::narrow(temperature));
            for i in 0..TILE_ROWS {
                let l: Vec<f64> = columns.iter().map(|column| column.0[i].widen()).collect();
                let m = l.iter().fold(f64::NEG_INFINITY, |m, l| m.max(*l));
                let s: f64 = l.iter().map(|l| ((l - m) / temperature).exp()).sum();
                assert!((total.0[i].widen() - (m + temperature * s.ln())).abs() <= tolerance * (1.0 + m.abs()));
                let one: f64 = soft.iter().map(|column| column.0[i].widen()).sum();
                assert!((one - 1.0).abs() <= tolerance, "probabilities sum to {one}");
                for (l, column) in l.iter().zip(&soft) {
                    assert!((column.0[i].widen() - ((l - m) / temperature).exp() / s).abs() <= tolerance);
                }
            }
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
