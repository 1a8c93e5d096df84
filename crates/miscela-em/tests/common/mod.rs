//! What the engine's tests share: blobs of rows, and families started on them.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part")]

use miscela_distance::L2;
use miscela_em::{Covariance, GaussianFamily, KMeansFamily, Mixture, MixtureSettings, Shares, Summary, from_shares};
use miscela_kernel::{Samples, Threads};
use ndarray::{Array2, Axis};
use proptest::prelude::*;

/// n rows of d columns around k centres, overlapping somewhat.
pub fn blobs(n: usize, d: usize, k: usize, seed: u64) -> Array2<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let centres = Array2::from_shape_simple_fn((k, d), || 8.0 * uniform());
    // The sum of a few uniforms is near enough to normal.
    let mut rows = Array2::from_shape_simple_fn((n, d), || (0..4).map(|_| uniform()).sum::<f64>() - 2.0);
    for (i, mut row) in rows.outer_iter_mut().enumerate() {
        row += &centres.row(i % k);
    }
    rows
}

/// A data set with its number of clusters, and weights of which some may be zero.
pub fn cases() -> impl Strategy<Value = (Array2<f64>, Vec<f64>, usize)> {
    (20usize..120, 1usize..5, 1usize..4, any::<u64>()).prop_flat_map(|(n, d, k, seed)| {
        let weights = prop::collection::vec(prop_oneof![Just(0.0), 0.2..3.0f64, 0.2..3.0f64], n);
        // The first k rows are the start, so they must count.
        weights.prop_map(move |mut weights| {
            weights[..k].fill(1.0);
            (blobs(n, d, k, seed), weights, k)
        })
    })
}

pub fn first_rows(rows: &Array2<f64>, k: usize) -> Array2<f64> {
    rows.select(Axis(0), &(0..k).collect::<Vec<_>>())
}

pub fn kmeans(samples: &Samples<f64>, centres: &Array2<f64>) -> KMeansFamily<f64, L2> {
    KMeansFamily::new(centres, L2, 0.0, Summary::of(samples, Threads::One).mean)
}

pub fn settings(covariance: Covariance) -> MixtureSettings {
    MixtureSettings { covariance, reg_covariance: 0.0, tolerance: 0.0, ..MixtureSettings::default() }
}

pub fn start(samples: &Samples<f64>, k: usize, settings: &MixtureSettings) -> Mixture<f64> {
    let means = first_rows(&samples.rows().to_owned(), k);
    let summary = Summary::of(samples, Threads::One);
    from_shares(samples, Shares::NearestMean(means.view()), k, settings, &summary, Threads::One).unwrap().0
}

pub fn mixture(samples: &Samples<f64>, k: usize, settings: MixtureSettings) -> GaussianFamily<f64> {
    let start = start(samples, k, &settings);
    let summary = Summary::of(samples, Threads::One);
    GaussianFamily::new(start, settings, &summary, samples.total_weight()).unwrap()
}
