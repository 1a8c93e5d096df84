//! What the machine can do at best: what a kernel's speed is a share of.
//!
//! ```text
//! machine flops f32|f64 THREADS        billions of operations a second, two for each fused multiply-add
//! machine read MEGABYTES THREADS       10⁹ bytes a second, adding up an array that each thread has a part of
//! ```
//!
//! Multiply-adds: twelve independent chains of registers a thread, which is more than their latency needs and no more than
//! the fewest registers hold. Both take the best of several goes of about 50 ms.

use miscela_kernel::Float;
use pulp::{Arch, Simd, WithSimd};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Barrier;
use std::time::{Duration, Instant};

const GOES: usize = 12;
const CHAINS: usize = 12;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let best = match args[..] {
        ["flops", "f32", threads] => threads.parse().ok().map(flops::<f32>),
        ["flops", "f64", threads] => threads.parse().ok().map(flops::<f64>),
        ["read", size, threads] => size.parse().ok().zip(threads.parse().ok()).map(|(size, n)| read(size, n)),
        _ => None,
    };
    match best {
        Some(rate) => println!("{rate:.1}"),
        None => eprintln!("usage: machine flops f32|f64 THREADS, or machine read MEGABYTES THREADS"),
    }
    if best.is_some() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

/// The time from when all threads are ready to when the last is done, the best of several goes.
fn best_time(threads: usize, work: impl Fn(usize) + Sync) -> Duration {
    let go = || {
        let barrier = Barrier::new(threads);
        let spans: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
            let run = |i| {
                let (barrier, work) = (&barrier, &work);
                move || {
                    barrier.wait();
                    let start = Instant::now();
                    work(i);
                    (start, Instant::now())
                }
            };
            let all: Vec<_> = (0..threads).map(|i| scope.spawn(run(i))).collect();
            all.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let start = spans.iter().map(|span| span.0).min();
        let end = spans.iter().map(|span| span.1).max();
        start.zip(end).map_or(Duration::MAX, |(start, end)| end - start)
    };
    (0..GOES).map(|_| go()).min().unwrap_or(Duration::MAX)
}

struct Chains<F> {
    steps: usize,
    factor: F,
}

impl<F: Float> WithSimd for Chains<F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> F {
        let (factor, term) = (F::splat(simd, self.factor), F::splat(simd, F::one()));
        let mut chains = [term; CHAINS];
        for _ in 0..self.steps {
            for chain in &mut chains {
                *chain = F::vfma(simd, *chain, factor, term);
            }
        }
        chains.into_iter().fold(F::zero(), |sum, chain| sum + F::vsum(simd, chain))
    }
}

struct Lanes<F>(std::marker::PhantomData<F>);

impl<F: Float> WithSimd for Lanes<F> {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        size_of::<F::Vector<S>>() / size_of::<F>()
    }
}

fn flops<F: Float>(threads: usize) -> f64 {
    const STEPS: usize = 10_000_000;
    let arch = Arch::new();
    let lanes = arch.dispatch(Lanes::<F>(std::marker::PhantomData));
    let time = best_time(threads, |_| {
        black_box(arch.dispatch(Chains { steps: STEPS, factor: black_box(F::narrow(0.5)) }));
    });
    (2 * STEPS * CHAINS * lanes * threads) as f64 / time.as_secs_f64() / 1e9
}

fn read(megabytes: usize, threads: usize) -> f64 {
    const SUMS: usize = 64;
    let data = vec![1.0f32; megabytes * 1_000_000 / size_of::<f32>()];
    let parts: Vec<&[f32]> = data.chunks(data.len().div_ceil(threads).max(1)).collect();
    let rounds = (1000 / megabytes.max(1)).max(1);
    let time = best_time(threads, |i| {
        for _ in 0..rounds {
            Arch::new().dispatch(|| {
                let mut sums = [0.0f32; SUMS];
                for chunk in parts[i].as_chunks::<SUMS>().0 {
                    sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x);
                }
                black_box(sums);
            });
        }
    });
    (rounds * size_of_val(&data[..])) as f64 / time.as_secs_f64() / 1e9
}
