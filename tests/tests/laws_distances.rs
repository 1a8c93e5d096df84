//! K-means under every distance that knows its centres: nothing that ships can raise its own objective.

use miscela::prelude::*;
use miscela::{Centred, Cosine, ItakuraSaito, Kl, L1, L2, Mahalanobis, SquaredL2};
use miscela_tests::{Blobs, assert_close, assert_means, cases};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

fn fit<D: Centred<f64>>(
    rows: &Array2<f64>,
    weights: &Array1<f64>,
    start: &Array2<f64>,
    distance: &D,
) -> KMeans<f64, D> {
    KMeans::params_with(start.nrows(), Xoshiro256Plus::seed_from_u64(42), distance.clone())
        .init_method(KMeansInit::Precomputed(start.clone()))
        .tolerance(0.0)
        .fit_weighted(rows, weights)
        .unwrap()
}

fn laws<D: Centred<f64>>(name: &str, blobs: &Blobs, k: usize, distance: &D) {
    let (rows, weights, start) = (&blobs.rows, &blobs.weights, blobs.first_rows(k));
    let model = fit(rows, weights, &start, distance);

    let trace = &model.report().trace;
    for pair in trace.windows(2) {
        assert!(pair[1] <= pair[0] * (1.0 + 1e-11), "{name}: {} after {}", pair[1], pair[0]);
    }
    assert!(model.inertia_sum() <= trace[trace.len() - 1] * (1.0 + 1e-11), "{name}");
    assert!(model.report().converged(), "{name}");

    // Labels are nearest centres, and the objective is that of the labels.
    let mut objective = 0.0;
    let own = model.transform(rows);
    for (i, (row, label)) in rows.outer_iter().zip(model.predict(rows)).enumerate() {
        let to = |centre: ndarray::ArrayView1<f64>| distance.reduced(&row.to_vec(), &centre.to_vec());
        let reduced: Vec<f64> = model.centroids().outer_iter().map(to).collect();
        let nearest = reduced.iter().fold(f64::INFINITY, |m, r| m.min(*r));
        assert!(reduced[label] <= nearest * (1.0 + 1e-9) + 1e-12, "{name}, row {i}: {} of {reduced:?}", reduced[label]);
        assert!((own[i] - reduced[label]).abs() <= 1e-9 * reduced[label].abs() + 1e-12, "{name}, row {i}");
        objective += weights[i] * reduced[label];
    }
    assert_close(name, model.inertia_sum(), objective, 1e-9);

    // Whole weights are copies, zero is absence.
    let repeats: Vec<usize> = (0..rows.nrows()).map(|i| if i < k { 1 } else { i % 3 }).collect();
    let all: Vec<usize> = repeats.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
    let whole: Array1<f64> = repeats.iter().map(|times| *times as f64).collect();
    let (weighted, repeated) = (
        fit(rows, &whole, &start, distance),
        fit(&rows.select(Axis(0), &all), &Array1::ones(all.len()), &start, distance),
    );
    assert_close(name, weighted.inertia_sum(), repeated.inertia_sum(), 1e-9);
    assert_means(name, weighted.centroids(), repeated.centroids(), 1e-9);
    assert_eq!(weighted.report().iterations, repeated.report().iterations, "{name}");
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn every_distance_with_a_centre_obeys(seed in any::<u64>(), n in 20usize..150, k in 1usize..6) {
        let mut blobs = Blobs::new(seed, n, 2, 3, 8.0);
        laws("L2", &blobs, k, &L2);
        laws("squared L2", &blobs, k, &SquaredL2);
        laws("L1", &blobs, k, &L1);
        laws("cosine", &blobs, k, &Cosine);
        let covariance = array![[2.0, 0.6], [0.6, 0.5]];
        laws("Mahalanobis", &blobs, k, &Mahalanobis::from_covariance(covariance.view()).unwrap());
        // Only defined where nothing is negative.
        blobs.rows.mapv_inplace(f64::abs);
        laws("KL", &blobs, k, &Kl);
        blobs.rows += 0.01;
        laws("Itakura-Saito", &blobs, k, &ItakuraSaito);
    }
}

/// Mahalanobis is L2 in other coordinates, so that its clusters are those of whitened rows.
#[test]
fn mahalanobis_is_l2_of_whitened_rows() {
    let blobs = Blobs::new(4, 200, 2, 3, 8.0);
    let covariance = array![[4.0, 0.0], [0.0, 0.25]];
    let distance = Mahalanobis::from_covariance(covariance.view()).unwrap();
    let white = &blobs.rows / &array![2.0, 0.5];
    let start = blobs.first_rows(4);
    let (here, there) = (
        fit(&blobs.rows, &blobs.weights, &start, &distance),
        fit(&white, &blobs.weights, &(&start / &array![2.0, 0.5]), &L2),
    );
    assert_eq!(here.predict(&blobs.rows), there.predict(&white));
    assert_close("inertia", here.inertia_sum(), there.inertia_sum(), 1e-9);
}

/// Directions only: the length of a row does not matter to the cosine.
#[test]
fn the_cosine_sees_directions_alone() {
    let blobs = Blobs::new(5, 200, 3, 3, 12.0);
    let lengths = Array2::from_shape_fn((200, 1), |(i, _)| 0.1 + (i % 7) as f64);
    let stretched = &blobs.rows * &lengths;
    let start = blobs.first_rows(3);
    let (short, long) =
        (fit(&blobs.rows, &blobs.weights, &start, &Cosine), fit(&stretched, &blobs.weights, &start, &Cosine));
    assert_eq!(short.predict(&blobs.rows), long.predict(&stretched));
    assert_close("objective", long.inertia_sum(), short.inertia_sum(), 1e-9);
    for centre in short.centroids().outer_iter() {
        assert_close("length", centre.dot(&centre), 1.0, 1e-12);
    }
}
