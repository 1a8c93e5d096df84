//! The logarithm of positive normal numbers: all that log-sum-exp needs.
//!
//! ```text
//! x = 2ⁿ·m,  m ∈ [√½, √2),  f = (m − 1)/(m + 1),  ln x = n·ln 2 + 2·atanh f,   atanh f = f + f³/3 + f⁵/5 + …
//! ```
//!
//! The exponent becomes a number without a conversion: as the low bits of 2⁵² (2²³ for `f32`), which is then taken off. With
//! |f| ≤ 0.172 the series is short, and ln 2 is split in two so that n·ln 2 keeps all its digits (Cody & Waite 1980). Plain
//! branchless arithmetic, so the compiler turns a loop over it into vector code.
//!
//! Error: at most 2 units in the last place (tested over the whole range).

use crate::Float;
use pulp::Simd;

#[inline(always)]
pub(crate) fn ln_f64<S: Simd>(x: f64) -> f64 {
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    let bits = x.to_bits();
    let exponent = f64::from_bits((bits >> 52) | TWO_52.to_bits()) - TWO_52 - 1023.0;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | 1f64.to_bits());
    let large = mantissa > std::f64::consts::SQRT_2;
    let (m, n) = (if large { 0.5 * mantissa } else { mantissa }, if large { exponent + 1.0 } else { exponent });
    let f = (m - 1.0) / (m + 1.0);
    let f2 = f * f;
    let mut p = 2.0 / 21.0;
    for c in [2.0 / 19.0, 2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0] {
        p = f64::fma::<S>(p, f2, c);
    }
    let rest = f64::fma::<S>(p * f2, f, n * LN2_LOW);
    f64::fma::<S>(n, LN2_HIGH, f64::fma::<S>(2.0, f, rest))
}

#[inline(always)]
pub(crate) fn ln_f32<S: Simd>(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_145_75;
    const LN2_LOW: f32 = 1.428_606_8e-6;
    const TWO_23: f32 = 8_388_608.0;
    let bits = x.to_bits();
    let exponent = f32::from_bits((bits >> 23) | TWO_23.to_bits()) - TWO_23 - 127.0;
    let mantissa = f32::from_bits((bits & ((1 << 23) - 1)) | 1f32.to_bits());
    let large = mantissa > std::f32::consts::SQRT_2;
    let (m, n) = (if large { 0.5 * mantissa } else { mantissa }, if large { exponent + 1.0 } else { exponent });
    let f = (m - 1.0) / (m + 1.0);
    let f2 = f * f;
    let mut p = 2.0 / 9.0;
    for c in [2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0] {
        p = f32::fma::<S>(p, f2, c);
    }
    let rest = f32::fma::<S>(p * f2, f, n * LN2_LOW);
    f32::fma::<S>(n, LN2_HIGH, f32::fma::<S>(2.0, f, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use pulp::WithSimd;

    struct Ln<'a, F>(&'a mut [F]);

    impl<F: Float> WithSimd for Ln<'_, F> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            self.0.iter_mut().for_each(|x| *x = F::ln_positive::<S>(*x));
        }
    }

    /// The largest error in units in the last place, against a logarithm of at least twice the digits' worth.
    fn worst<F: Float>(isa: Isa, inputs: &[F]) -> f64 {
        let mut outputs = inputs.to_vec();
        isa.run(Ln(&mut outputs));
        let error = |(x, y): (&F, &F)| {
            let expected = x.widen().ln();
            let ulp = 2.0 * F::UNIT_ROUNDOFF * 2f64.powi(expected.abs().max(f64::MIN_POSITIVE).log2().floor() as i32);
            (y.widen() - expected).abs() / ulp
        };
        inputs.iter().zip(&outputs).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn two_units_in_the_last_place() {
        // All exponents, and closely around one, where the result is small.
        let sweep = |lowest: f64, highest: f64| {
            (0..500_000).map(move |i| (lowest + (highest - lowest) * f64::from(i) / 5e5).exp())
        };
        for isa in Isa::available() {
            let double: Vec<f64> = sweep(-708.0, 709.0).chain(sweep(-1.0, 1.0)).chain(sweep(-1e-6, 1e-6)).collect();
            let single: Vec<f32> = sweep(-87.0, 88.0).chain(sweep(-1.0, 1.0)).map(|x| x as f32).collect();
            let (double, single) = (worst(isa, &double), worst(isa, &single));
            assert!(double <= 2.0 && single <= 2.0, "{}: {double} and {single} ulp", isa.name());
        }
    }

    #[test]
    fn one_and_powers_of_two() {
        for isa in Isa::available() {
            let mut x = [1.0, 2.0, 0.5, 1024.0];
            isa.run(Ln(&mut x));
            let ln2 = std::f64::consts::LN_2;
            assert_eq!(x, [0.0, ln2, -ln2, 10.0 * ln2]);
        }
    }
}
