//! Many fits in one process: at once, and one after the other for as long as is asked.

use crate::MEMORY;
use miscela::Chunked;
use miscela::prelude::*;
use miscela_tests::Blobs;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;
use std::time::{Duration, Instant};

/// Everything of a fit of some shape that its seed decides: centroids or means, and the objective after each iteration.
fn fit(seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut rng = Xoshiro256Plus::seed_from_u64(seed);
    let (n, d, k) = (rng.gen_range(50..4_000), rng.gen_range(1..24), rng.gen_range(1..12));
    let blobs = Blobs::new(seed, n, d, k, 8.0);
    let threads = [Threads::One, Threads::Ambient, Threads::Count(3)][rng.gen_range(0..3)];
    let source = Chunked::new(&blobs.rows, blobs.weights.as_slice(), 700);
    let mixtures = || {
        let covariance = Covariance::all().nth(rng.clone().gen_range(0..14)).unwrap();
        GaussianMixture::params(k).covariance(covariance).max_n_iterations(20).threads(threads)
    };
    let kmeans = || KMeans::params(k).max_n_iterations(30).threads(threads);
    let of_kmeans = |model: KMeans<f64>| (model.centroids().clone(), model.report().trace.clone());
    let of_mixture = |model: GaussianMixture<f64>| (model.means().clone(), model.report().trace.clone());
    let (centres, trace) = match seed % 5 {
        0 => of_kmeans(kmeans().n_runs(2).fit_weighted(&blobs.rows, &blobs.weights).unwrap()),
        1 => of_kmeans(kmeans().mini_batch(64).fit_weighted(&blobs.rows, &blobs.weights).unwrap()),
        2 => of_kmeans(kmeans().fit_source(&source, &mut ()).unwrap()),
        3 => of_mixture(mixtures().fit_weighted(&blobs.rows, &blobs.weights).unwrap()),
        _ => of_mixture(mixtures().fit_source(&source, &mut ()).unwrap()),
    };
    (centres.into_iter().collect(), trace)
}

#[test]
fn sixty_four_fits_at_once_give_the_bits_of_each_alone() {
    let alone: Vec<_> = (0..64).map(fit).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..64).map(|seed| scope.spawn(move || fit(seed))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (seed, (together, alone)) in together.iter().zip(&alone).enumerate() {
        assert_eq!(together, alone, "fit {seed}");
    }
}

/// Resident memory in MiB, where the system says it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// Fits of random shapes for `SOAK_SECONDS` (1200), a line for each twentieth of them. What stays allocated between fits
/// are the threads' buffers, which do not grow.
#[test]
#[ignore = "takes as long as SOAK_SECONDS says, and must run by itself"]
fn memory_is_flat() {
    let asked = std::env::var("SOAK_SECONDS").map_or(1200, |seconds| seconds.parse().unwrap());
    let (start, step) = (Instant::now(), Duration::from_secs(asked) / 20);
    let mut marks: Vec<(usize, f64)> = Vec::new();
    println!("| seconds | fits | allocated between fits, KiB | resident, MiB |\n|---:|---:|---:|---:|");
    for seed in 0.. {
        fit(seed);
        if start.elapsed() >= step * (marks.len() as u32 + 1) {
            marks.push((MEMORY.current_usage(), resident().unwrap_or(0.0)));
            let (allocated, resident) = marks[marks.len() - 1];
            let (seconds, kib) = (start.elapsed().as_secs(), allocated as f64 / 1024.0);
            println!("| {seconds} | {} | {kib:.1} | {resident:.1} |", seed + 1);
        }
        if marks.len() == 20 {
            break;
        }
    }
    // Pools end in their own time, a thread gets its buffers (4 MiB) with the first fit that needs them, and the allocator
    // keeps what was freed.
    let (half, end) = marks[4..].split_at(8);
    let most =
        |marks: &[(usize, f64)]| marks.iter().fold((0, 0.0f64), |most, mark| (most.0.max(mark.0), most.1.max(mark.1)));
    let (half, end) = (most(half), most(end));
    assert!(end.0 < half.0 + (8 << 20), "allocated: at most {} bytes, then {}", half.0, end.0);
    assert!(end.1 < 1.25 * half.1, "resident: at most {} MiB, then {}", half.1, end.1);
}
