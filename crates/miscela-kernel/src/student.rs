//! From the quadratic forms of Gaussians to the log-densities of Student's t, a tile at a time.
//!
//! ```text
//! l = constant − ½ (ν + d) ln(1 + δ/ν),    u = (ν + d)/(ν + δ),    δ = (x − μ)ᵀ Σ⁻¹ (x − μ)
//! ```
//!
//! u is the weight by which a row counts in mean and scatter: the farther out it lies, the less (Lange, Little & Taylor
//! 1989). ln u − u is what an estimate of ν sums up. All three follow from one logarithm, and ln(1 + x) keeps its digits
//! where x is small and so ν large: ln y + (x − (y − 1))/y with y = 1 + x rounded (Kahan).

use crate::tile::Column;
use crate::{Float, Isa};
use pulp::{Simd, WithSimd};

/// What one component's density needs beside the quadratic form.
#[derive(Clone, Copy, Debug)]
pub struct Student<F> {
    constant: F,
    /// 1/ν
    inverse: F,
    /// (ν + d)/2
    half: F,
    /// (ν + d)/ν, and its logarithm.
    ratio: F,
    ln_ratio: F,
}

/// How the rows of a tile count in a component: u, and ln u − u.
#[derive(Clone, Copy, Debug)]
pub struct TailWeights<F> {
    /// u
    pub weight: Column<F>,
    /// ln u − u
    pub excess: Column<F>,
}

impl<F: Float> TailWeights<F> {
    /// Of rows that lie where u = 1.
    pub fn one() -> Self {
        Self { weight: Column::splat(F::one()), excess: Column::splat(-F::one()) }
    }
}

impl<F: Float> Student<F> {
    /// With ν degrees of freedom in d columns, and the log-density at the centre.
    pub fn new(degrees: f64, width: usize, constant: f64) -> Self {
        let d = width as f64;
        Self {
            constant: F::narrow(constant),
            inverse: F::narrow(1.0 / degrees),
            half: F::narrow(0.5 * (degrees + d)),
            ratio: F::narrow(1.0 + d / degrees),
            ln_ratio: F::narrow((d / degrees).ln_1p()),
        }
    }

    /// The log-density at the centre.
    pub fn peak(&self) -> F {
        self.constant
    }

    /// Turns −½δ of a tile's rows into their log-densities, and tells how they count. Cost: a logarithm a row.
    ///
    /// A distance that overflows gives a density of about the lowest that a power law knows, and a weight of nearly zero.
    pub fn log_density(&self, forms: &mut Column<F>, weights: &mut TailWeights<F>) {
        self.log_density_with(Isa::best(), forms, weights);
    }

    /// [`Student::log_density`] by a given instruction set.
    pub fn log_density_with(&self, isa: Isa, forms: &mut Column<F>, weights: &mut TailWeights<F>) {
        isa.run(Tail { student: self, forms, weights });
    }
}

struct Tail<'a, F> {
    student: &'a Student<F>,
    forms: &'a mut Column<F>,
    weights: &'a mut TailWeights<F>,
}

impl<F: Float> WithSimd for Tail<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { student: Student { constant, inverse, half, ratio, ln_ratio }, forms, weights } = self;
        let two = F::one() + F::one();
        let most = F::max_value() / (two * two);
        let rows = forms.0.iter_mut().zip(&mut weights.weight.0).zip(&mut weights.excess.0);
        for ((form, weight), excess) in rows {
            // Rounding can make a square negative.
            let x = -two * *form * *inverse;
            let x = if x > F::zero() { x } else { F::zero() };
            let x = if x < most { x } else { most };
            let y = F::one() + x;
            let ln = F::ln_positive::<S>(y) + (x - (y - F::one())) / y;
            let u = *ratio / y;
            *form = *constant - *half * ln;
            *weight = u;
            *excess = (*ln_ratio - ln) - u;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TILE_ROWS;
    use proptest::prelude::*;

    fn conforms<F: Float>(squares: &[f64], degrees: f64, width: usize, tolerance: f64) {
        let student = Student::<F>::new(degrees, width, -3.0);
        let given = Column(std::array::from_fn(|i| F::narrow(-0.5 * squares[i])));
        for isa in Isa::available() {
            let (mut forms, mut weights) = (given, TailWeights::one());
            student.log_density_with(isa, &mut forms, &mut weights);
            for i in 0..TILE_ROWS {
                let (square, d) = (-2.0 * given.0[i].widen(), width as f64);
                let u = (degrees + d) / (degrees + square);
                let expected = -3.0 - 0.5 * (degrees + d) * (square / degrees).ln_1p();
                assert!((forms.0[i].widen() - expected).abs() <= tolerance * (1.0 + expected.abs()), "{square}");
                assert!((weights.weight.0[i].widen() - u).abs() <= tolerance * u);
                let excess = u.ln() - u;
                assert!((weights.excess.0[i].widen() - excess).abs() <= 2.0 * tolerance * (1.0 + excess.abs()));
            }
        }
    }

    proptest! {
        #[test]
        fn densities_are_the_textbook_ones(
            squares in prop::collection::vec((-12.0..12.0f64).prop_map(f64::exp), TILE_ROWS),
            degrees in (-2.0..18.0f64).prop_map(f64::exp),
            width in 1usize..40,
        ) {
            conforms::<f64>(&squares, degrees, width, 1e-14);
            conforms::<f32>(&squares, degrees, width, 4e-6);
        }
    }

    #[test]
    fn rows_beyond_all_numbers_count_for_nothing() {
        let student = Student::<f32>::new(0.5, 3, 0.0);
        let (mut forms, mut weights) = (Column::splat(f32::NEG_INFINITY), TailWeights::one());
        student.log_density(&mut forms, &mut weights);
        assert!(forms.0.iter().all(|l| l.is_finite()) && weights.excess.0.iter().all(|e| e.is_finite()));
        assert!(weights.weight.0.iter().all(|u| (0.0..1e-30).contains(u)));
        // Below zero by rounding is zero.
        let mut forms = Column::splat(1e-7f32);
        student.log_density(&mut forms, &mut weights);
        assert!(forms.0.iter().all(|l| *l == 0.0) && weights.weight.0.iter().all(|u| *u == 7.0));
    }
}
