//! Which instructions a kernel runs with: the one place that lists them.
//!
//! The choice is made at run time, so one binary serves every machine. `MISCELA_ISA` set to the name of a set that the
//! machine has forces that one, which is how the tests reach each path; other values are ignored.

use pulp::{Arch, WithSimd};
use std::sync::OnceLock;

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Isa(Arch);

impl Isa {
    /// The best set of this machine, or the one that `MISCELA_ISA` names if the machine has it. Looked up once.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let wanted = std::env::var("MISCELA_ISA").unwrap_or_default();
            Self::available().into_iter().find(|isa| isa.name() == wanted).unwrap_or(Isa(Arch::new()))
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
        sets.into_iter().map(Isa).collect()
    }

    /// `portable`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Arch::Scalar => "portable",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Arch::V3(_) => "avx2",
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
        self.0.dispatch(work)
    }

    /// Asks for the cache lines of some numbers, where a machine can be asked. Nothing that is computed depends on it.
    #[inline(always)]
    pub(crate) fn fetch<F, const N: usize>(self, numbers: &[F; N]) {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            const LINE: usize = 64;
            let sse = match self.0 {
                Arch::V3(isa) => isa.sse,
                Arch::V4(isa) => isa.sse,
                _ => return,
            };
            for number in numbers.iter().step_by(LINE / size_of::<F>()) {
                sse._mm_prefetch::<2>(std::ptr::from_ref(number).cast());
            }
        }
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let _ = numbers;
    }

    #[inline]
    pub(crate) fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        self.0.dispatch(op)
    }
}
