//! The number types miscela computes in, and the handful of vector operations its kernels are written with.
//!
//! A kernel is generic over `F: Float` and over an instruction set `S: Simd` (from pulp). `F::Vector<S>` is then one
//! register of `F`s; the functions here name what may be done with it. Nothing here is unsafe: pulp's tokens prove that
//! the instructions exist.

use crate::exp::{exp_f32, exp_f64};
use crate::log::{ln_f32, ln_f64};
use num_traits::{Float as Real, NumAssign};
use pulp::Simd;
use pulp::bytemuck::bytes_of;
use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;

/// The numbers in one register.
#[inline(always)]
pub(crate) fn lanes<S: Simd, F: Float>() -> usize {
    size_of::<F::Vector<S>>() / size_of::<F>()
}

/// a·b in `f64`, in eight parts, so that few additions wait for others.
#[inline]
pub(crate) fn dot<F: Float>(a: &[F], b: &[F]) -> f64 {
    let mut parts = [0.0; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            parts[i] += a[i].widen() * b[i].widen();
        }
    }
    parts.iter_mut().zip(a_rest.iter().zip(b_rest)).for_each(|(part, (a, b))| *part += a.widen() * b.widen());
    parts.iter().sum()
}

/// The sums of the lanes of 16 registers.
///
/// ```text
/// for h = 1, 2, 4, … half the lanes:   of each two registers make one, whose lanes with h in their number hold what the
///                                      second had, and the others what the first had, both from lanes h apart
/// ```
#[inline(always)]
pub(crate) fn lane_sums<S: Simd, F: Float>(simd: S, mut all: [F::Vector<S>; 16]) -> [F; 16] {
    let lanes = lanes::<S, F>();
    // One by one, so that each knows how far it goes when it is compiled.
    if lanes > 1 {
        add_lanes::<S, F, 1>(simd, &mut all);
    }
    if lanes > 2 {
        add_lanes::<S, F, 2>(simd, &mut all);
    }
    if lanes > 4 {
        add_lanes::<S, F, 4>(simd, &mut all);
    }
    if lanes > 8 {
        add_lanes::<S, F, 8>(simd, &mut all);
    }
    let mut sums = [F::zero(); 16];
    F::vectors_mut::<S>(&mut sums).copy_from_slice(&all[..16 / lanes]);
    sums
}

/// One round, of as many registers as the rounds before have left.
#[inline(always)]
fn add_lanes<S: Simd, F: Float, const H: usize>(simd: S, all: &mut [F::Vector<S>; 16]) {
    let mut numbers = [F::zero(); 16];
    (0..16).filter(|lane| lane & H != 0).for_each(|lane| numbers[lane] = F::one());
    let has = F::vless(simd, F::splat(simd, F::zero()), F::vectors::<S>(&numbers)[0]);
    for i in 0..8 / H {
        let (a, b) = (all[2 * i], all[2 * i + 1]);
        let moved = F::vrotate(simd, F::vselect(simd, has, a, b), H);
        all[i] = F::vadd(simd, F::vselect(simd, has, b, a), moved);
    }
}

pub(crate) mod sealed {
    use crate::nearest::{Find, NearestScratch};

    /// What is compiled here for both types, once, and not again in each crate that calls it for any type.
    pub trait Sealed: Sized {
        fn find(find: Find<Self>, scratch: &mut NearestScratch<Self>) -> bool;
    }
    impl Sealed for f32 {
        fn find(find: Find<f32>, scratch: &mut NearestScratch<f32>) -> bool {
            find.run(scratch)
        }
    }
    impl Sealed for f64 {
        fn find(find: Find<f64>, scratch: &mut NearestScratch<f64>) -> bool {
            find.run(scratch)
        }
    }
}

/// `f32` or `f64`.
///
/// Data and parameters are of this type; whatever is summed over rows is `f64`.
pub trait Float:
    sealed::Sealed + Real + NumAssign + Sum + Debug + Display + LowerExp + Default + Send + Sync + Unpin + 'static
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// The relative rounding error of one operation: half the distance from 1 to the next number.
    const UNIT_ROUNDOFF: f64;

    /// One register of numbers.
    type Vector<S: Simd>: Copy + Debug;
    /// One register of truth values.
    type Mask<S: Simd>: Copy + Debug;

    /// Widens to `f64`, exactly.
    fn widen(self) -> f64;
    /// Rounds to the nearest number of this type.
    fn narrow(value: f64) -> Self;
    /// The whole number that this one is, or is nearest to; not for numbers below zero.
    fn index(self) -> u32;
    /// A whole number, rounded if it is great.
    fn of_index(index: u32) -> Self;

    /// All lanes equal to `value`.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// The slice as registers; what does not fill one is left out.
    fn vectors<S: Simd>(slice: &[Self]) -> &[Self::Vector<S>];
    /// The slice as registers, to be written; what does not fill one is left out.
    fn vectors_mut<S: Simd>(slice: &mut [Self]) -> &mut [Self::Vector<S>];
    /// a + b
    fn vadd<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a − b
    fn vsub<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a · b
    fn vmul<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a · b + c, with one rounding where the machine can and two where it cannot.
    fn vfma<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// The smaller of each pair.
    fn vmin<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// The larger of each pair.
    fn vmax<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a < b
    fn vless<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// `yes` where the mask holds, `no` elsewhere.
    fn vselect<S: Simd>(simd: S, mask: Self::Mask<S>, yes: Self::Vector<S>, no: Self::Vector<S>) -> Self::Vector<S>;
    /// Each lane from `amount` lanes before it, around the end.
    fn vrotate<S: Simd>(simd: S, a: Self::Vector<S>, amount: usize) -> Self::Vector<S>;
    /// √a
    fn vsqrt<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// |a|
    fn vabs<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// Lane i of the mask as bit i.
    fn vbits<S: Simd>(mask: Self::Mask<S>) -> u64;
    /// The sum of the lanes.
    fn vsum<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;

    /// eˣ for x ≤ 0, to 2 units in the last place; zero where the result would not be normal, and for NaN. Scalar code
    /// that is compiled for the instruction set `S`.
    fn exp_negative<S: Simd>(x: Self) -> Self;

    /// ln x for positive normal x, to 2 units in the last place. Scalar code that is compiled for the instruction set `S`.
    fn ln_positive<S: Simd>(x: Self) -> Self;

    /// a · b + c in scalar code that is compiled for the instruction set `S`, which the compiler may vectorise.
    #[inline(always)]
    fn fma<S: Simd>(a: Self, b: Self, c: Self) -> Self {
        // Without the instruction, `mul_add` is a slow library call.
        if S::IS_SCALAR { a * b + c } else { a.mul_add(b, c) }
    }
}

/// Masks are bits on AVX-512, one truth value on one lane, and elsewhere lanes of zeros or ones as wide as the numbers.
#[inline(always)]
fn bits(mask: &[u8], lane: usize) -> u64 {
    match *mask {
        [bits] => u64::from(bits),
        [low, high] => u64::from(low) | u64::from(high) << 8,
        _ => mask.iter().step_by(lane).enumerate().fold(0, |bits, (i, byte)| bits | u64::from(*byte & 1) << i),
    }
}

macro_rules! float {
    ($F:ident, $vector:ident, $mask:ident, $as_simd:ident, $as_mut_simd:ident, $splat:ident, $add:ident, $sub:ident,
     $mul:ident, $fma:ident, $min:ident, $max:ident, $less:ident, $select:ident, $sum:ident, $rotate:ident, $sqrt:ident, $abs:ident, $exp:ident, $ln:ident) => {
        impl Float for $F {
            const NAME: &'static str = stringify!($F);
            const UNIT_ROUNDOFF: f64 = $F::EPSILON as f64 / 2.0;
            type Vector<S: Simd> = S::$vector;
            type Mask<S: Simd> = S::$mask;

            #[inline(always)]
            fn widen(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn narrow(value: f64) -> Self {
                value as $F
            }
            #[inline(always)]
            fn index(self) -> u32 {
                // Beside 2⁵² it is what the last bits say. A cast is made for one number at a time.
                (self.widen() + (1u64 << 52) as f64).to_bits() as u32
            }

            #[inline(always)]
            fn of_index(index: u32) -> Self {
                index as $F
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }
            #[inline(always)]
            fn vectors<S: Simd>(slice: &[Self]) -> &[S::$vector] {
                S::$as_simd(slice).0
            }
            #[inline(always)]
            fn vectors_mut<S: Simd>(slice: &mut [Self]) -> &mut [S::$vector] {
                S::$as_mut_simd(slice).0
            }
            #[inline(always)]
            fn vadd<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn vsub<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn vmul<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn vfma<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$fma(a, b, c)
            }
            #[inline(always)]
            fn vmin<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$min(a, b)
            }
            #[inline(always)]
            fn vmax<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$max(a, b)
            }
            #[inline(always)]
            fn vless<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$mask {
                simd.$less(a, b)
            }
            #[inline(always)]
            fn vselect<S: Simd>(simd: S, mask: S::$mask, yes: S::$vector, no: S::$vector) -> S::$vector {
                simd.$select(mask, yes, no)
            }
            #[inline(always)]
            fn vrotate<S: Simd>(simd: S, a: S::$vector, amount: usize) -> S::$vector {
                simd.$rotate(a, amount)
            }
            #[inline(always)]
            fn vsqrt<S: Simd>(simd: S, a: S::$vector) -> S::$vector {
                simd.$sqrt(a)
            }
            #[inline(always)]
            fn vabs<S: Simd>(simd: S, a: S::$vector) -> S::$vector {
                simd.$abs(a)
            }
            #[inline(always)]
            fn vbits<S: Simd>(mask: S::$mask) -> u64 {
                bits(bytes_of(&mask), size_of::<$F>())
            }
            #[inline(always)]
            fn vsum<S: Simd>(simd: S, a: S::$vector) -> Self {
                simd.$sum(a)
            }
            #[inline(always)]
            fn exp_negative<S: Simd>(x: Self) -> Self {
                $exp::<S>(x)
            }
            #[inline(always)]
            fn ln_positive<S: Simd>(x: Self) -> Self {
                $ln::<S>(x)
            }
        }
    };
}

float!(
    f32,
    f32s,
    m32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    add_f32s,
    sub_f32s,
    mul_f32s,
    mul_add_e_f32s,
    min_f32s,
    max_f32s,
    less_than_f32s,
    select_f32s,
    reduce_sum_f32s,
    rotate_right_f32s,
    sqrt_f32s,
    abs_f32s,
    exp_f32,
    ln_f32
);
float!(
    f64,
    f64s,
    m64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    add_f64s,
    sub_f64s,
    mul_f64s,
    mul_add_e_f64s,
    min_f64s,
    max_f64s,
    less_than_f64s,
    select_f64s,
    reduce_sum_f64s,
    rotate_right_f64s,
    sqrt_f64s,
    abs_f64s,
    exp_f64,
    ln_f64
);
