//! The exponential of numbers that are not positive: all that responsibilities need.
//!
//! ```text
//! n = round(x / ln 2),  r = x − n·ln 2 ∈ [−½ ln 2, ½ ln 2],  eˣ = 2ⁿ · eʳ,  eʳ by its Taylor polynomial
//! ```
//!
//! Plain branchless arithmetic, so the compiler turns a loop over it into vector code. `n` is read off the low bits of
//! x/ln 2 + 1.5·2⁵² (2²³ for `f32`), and ln 2 is split in two so that r keeps all its digits (Cody & Waite 1980).
//!
//! Error: at most 2 units in the last place (tested over the whole range). Results below the
//! smallest normal number are zero; `NaN` gives zero too, so that a hopeless density cannot spread.

use crate::Float;
use pulp::Simd;

#[inline(always)]
pub(crate) fn exp_f64<S: Simd>(x: f64) -> f64 {
    const LOWEST: f64 = -708.0;
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5·2⁵²
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let inside = if x > LOWEST { x } else { LOWEST };
    let shifted = f64::fma::<S>(inside, std::f64::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = f64::fma::<S>(-n, LN2_LOW, f64::fma::<S>(-n, LN2_HIGH, inside));
    let mut p = 1.0 / 6_227_020_800.0; // 1/13!
    for c in [
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = f64::fma::<S>(p, r, c);
    }
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x > LOWEST { p * scale } else { 0.0 }
}

#[inline(always)]
pub(crate) fn exp_f32<S: Simd>(x: f32) -> f32 {
    const LOWEST: f32 = -87.0;
    const MAGIC: f32 = 12_582_912.0; // 1.5·2²³
    const LN2_HIGH: f32 = 0.693_145_75;
    const LN2_LOW: f32 = 1.428_606_8e-6;
    let inside = if x > LOWEST { x } else { LOWEST };
    let shifted = f32::fma::<S>(inside, std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = f32::fma::<S>(-n, LN2_LOW, f32::fma::<S>(-n, LN2_HIGH, inside));
    let mut p = 1.0 / 5_040.0; // 1/7!
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = f32::fma::<S>(p, r, c);
    }
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x > LOWEST { p * scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use pulp::WithSimd;

    struct Exp<'a, F>(&'a mut [F]);

    impl<F: Float> WithSimd for Exp<'_, F> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            self.0.iter_mut().for_each(|x| *x = F::exp_negative::<S>(*x));
        }
    }

    /// The largest error against the standard library's, in units in the last place, over a dense sweep of the range.
    fn worst<F: Float>(isa: Isa, lowest: f64) -> f64 {
        let inputs: Vec<F> = (0..1_000_000).map(|i| F::narrow(lowest * f64::from(i) / 1e6)).collect();
        let mut outputs = inputs.clone();
        isa.run(Exp(&mut outputs));
        let ulp = 2.0 * F::UNIT_ROUNDOFF;
        let error = |(x, y): (&F, &F)| {
            let expected = x.widen().exp();
            // A unit in the last place of the expected value.
            (y.widen() - expected).abs() / (ulp * 2f64.powi(expected.log2().floor() as i32))
        };
        inputs.iter().zip(&outputs).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn two_units_in_the_last_place() {
        for isa in Isa::available() {
            let (double, single) = (worst::<f64>(isa, -707.9), worst::<f32>(isa, -86.9));
            assert!(double <= 2.0 && single <= 2.0, "{}: {double} and {single} ulp", isa.name());
        }
    }

    #[test]
    fn edges() {
        for isa in Isa::available() {
            let mut x = [0.0, -0.0, -709.0, f64::NEG_INFINITY, f64::NAN, -1e300];
            isa.run(Exp(&mut x));
            assert_eq!(x, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        }
    }
}
