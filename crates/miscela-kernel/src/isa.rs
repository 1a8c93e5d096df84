//! Which instructions a kernel runs with: the one place that lists them.
//!
//! The choice is made at run time, so one binary serves every machine. `MISCELA_ISA` set to the name of a set that the
//! machine has forces that one, which is how the tests reach each path; other values are ignored.

use pulp::{Arch, Simd, WithSimd};
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use std::any::Any;
use std::sync::OnceLock;

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Isa {
    arch: Arch,
    /// Its instructions for products of whole numbers.
    pairs: Option<Pairs>,
}

impl Isa {
    /// The best set of this machine, or the one that `MISCELA_ISA` names if the machine has it. Looked up once.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let wanted = std::env::var("MISCELA_ISA").unwrap_or_default();
            let best = Isa { arch: Arch::new(), pairs: Pairs::try_new() };
            Self::available().into_iter().find(|isa| isa.name() == wanted).unwrap_or(best)
        })
    }

    /// All sets that this machine has, the plainest first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut sets = vec![Arch::Scalar];
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            sets.extend(pulp::x86::V3::try_new().map(Arch::V3));
            sets.extend(pulp::x86::V4::try_new().map(Arch::V4));
        }
        #[cfg(target_arch = "aarch64")]
        sets.extend(pulp::aarch64::Neon::try_new().map(Arch::Neon));
        let mut sets: Vec<_> = sets.into_iter().map(|arch| Isa { arch, pairs: None }).collect();
        if let (Some(pairs), Some(last)) = (Pairs::try_new(), sets.last().copied()) {
            sets.push(Isa { pairs: Some(pairs), ..last });
        }
        sets
    }

    /// `portable`, `avx2`, `avx512`, `avx512vnni` or `neon`.
    pub fn name(self) -> &'static str {
        match self.arch {
            Arch::Scalar => "portable",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Arch::V3(_) => "avx2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Arch::V4(_) if self.pairs.is_some() => "avx512vnni",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Arch::V4(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => "neon",
            _ => "other",
        }
    }

    /// Runs a closure compiled for this instruction set: loops that are inlined into it become vector code.
    ///
    /// What it computes does not change: plain multiplications and additions are never fused or reordered.
    #[inline]
    pub fn vectorize<R>(self, work: impl FnOnce() -> R) -> R {
        self.arch.dispatch(work)
    }

    /// Its instructions for products of whole numbers.
    pub(crate) fn pairs(self) -> Option<Pairs> {
        self.pairs
    }

    #[inline]
    pub(crate) fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.arch.dispatch(op)
    }
}

/// The bytes of a cache line.
const LINE: usize = 64;

/// Asks for the cache lines of some numbers, where a machine can be asked. Nothing that is computed depends on it.
#[inline(always)]
pub(crate) fn fetch<S: Simd, F, const N: usize>(simd: S, numbers: &[F; N]) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        // Which it is is known when this is compiled.
        let simd: &dyn Any = &simd;
        let sse = match (simd.downcast_ref(), simd.downcast_ref()) {
            (Some(pulp::x86::V3 { sse, .. }), _) | (_, Some(pulp::x86::V4 { sse, .. })) => sse,
            _ => return,
        };
        for number in numbers.iter().step_by(LINE / size_of::<F>()) {
            sse._mm_prefetch::<2>(std::ptr::from_ref(number).cast());
        }
    }
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    let _ = (simd, numbers);
}

/// The same of a slice of any length.
#[inline(always)]
pub(crate) fn fetch_all<S: Simd, F>(simd: S, numbers: &[F]) {
    let lines = numbers.chunks(LINE / size_of::<F>()).map(|line| &line[0]);
    // They need not begin where a line does, and may end in one more.
    lines.chain(numbers.last()).for_each(|number| fetch(simd, std::array::from_ref(number)));
}

/// Products of whole numbers of 16 bits, two of them in each lane.
pub(crate) trait Products<S: Simd>: Copy {
    /// sums + a₀·b₀ + a₁·b₁ in each lane, without a carry.
    fn add(self, simd: S, sums: S::u32s, a: S::u32s, b: S::u32s) -> S::u32s;
}

/// What is done with instructions for such products.
pub(crate) trait WithProducts {
    type Output;

    fn with_products<S: Simd>(self, simd: S, products: impl Products<S>) -> Self::Output;
}

pub(crate) use pairs::Pairs;

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod pairs {
    use super::{Products, WithProducts};
    use pulp::x86::V4;
    use pulp::{NullaryFnOnce, cast, u32x16};

    pulp::simd_type! {
        /// What AVX-512 is together with VNNI, of which it makes one instruction: multiply two, add both to a third.
        struct Vnni {
            pub f: "avx512f",
            pub bw: "avx512bw",
            pub cd: "avx512cd",
            pub dq: "avx512dq",
            pub vl: "avx512vl",
            pub vnni: "avx512vnni",
        }
    }

    /// Such instructions, on a machine that has them.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Pairs {
        simd: V4,
        vnni: Vnni,
    }

    impl Pairs {
        pub(crate) fn try_new() -> Option<Self> {
            Some(Self { simd: V4::try_new()?, vnni: Vnni::try_new()? })
        }

        pub(crate) fn run<Op: WithProducts>(self, op: Op) -> Op::Output {
            self.vnni.vectorize(Inside { pairs: self, op })
        }
    }

    impl Products<V4> for Pairs {
        #[inline(always)]
        fn add(self, simd: V4, sums: u32x16, a: u32x16, b: u32x16) -> u32x16 {
            // The compiler makes one instruction of the two.
            let products = simd.avx512bw._mm512_madd_epi16(cast(a), cast(b));
            cast(simd.avx512f._mm512_add_epi32(cast(sums), products))
        }
    }

    struct Inside<Op> {
        pairs: Pairs,
        op: Op,
    }

    impl<Op: WithProducts> NullaryFnOnce for Inside<Op> {
        type Output = Op::Output;

        #[inline(always)]
        fn call(self) -> Op::Output {
            self.op.with_products(self.pairs.simd, self.pairs)
        }
    }
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
mod pairs {
    use super::WithProducts;

    /// There are none.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Pairs {}

    impl Pairs {
        pub(crate) fn try_new() -> Option<Self> {
            None
        }

        pub(crate) fn run<Op: WithProducts>(self, _: Op) -> Op::Output {
            match self {}
        }
    }
}
