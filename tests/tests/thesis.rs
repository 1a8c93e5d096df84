//! K-means is a mixture: hard assignment, equal weights, one shared sphere.
//!
//! Asked for by the mixture's own door, it gives the labels of `KMeans` at every iteration; and the soft mixture of held
//! spheres tends to it as they shrink.

use miscela::L2;
use miscela::prelude::*;
use miscela_tests::{Blobs, assert_close, assert_means, cases, data, narrow};
use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;

fn start<F>(centres: &Array2<F>, variance: F) -> GmmInitMethod<F>
where
    F: miscela::Float,
{
    let k = centres.nrows();
    GmmInitMethod::Parameters {
        weights: Some(Array1::from_elem(k, F::one() / F::from(k).unwrap())),
        means: centres.clone(),
        covariances: Some(Covariances::TiedSpherical(variance)),
    }
}

fn sphere<F: miscela::Float>(
    centres: &Array2<F>,
    variance: F,
    assignment: Assignment,
    hold: bool,
) -> GmmParams<F, rand_xoshiro::Xoshiro256Plus> {
    let held = Held { covariances: hold, ..Held::default() };
    GaussianMixture::params(centres.nrows())
        .covariance(Covariance::TiedSpherical)
        .assignment(assignment)
        .mixing(Mixing::Equal)
        .held(held)
        .reg_covariance(F::zero())
        .tolerance(F::zero())
        .init_method(start(centres, variance))
}

fn kmeans<F: miscela::Float>(centres: &Array2<F>) -> KMeansParams<F, rand_xoshiro::Xoshiro256Plus, L2> {
    KMeans::params(centres.nrows()).init_method(KMeansInit::Precomputed(centres.clone())).tolerance(F::zero())
}

/// Both doors, iteration by iteration, until `KMeans` stops: the labels are the same, and centres and sizes are the same
/// bits. Only how they notice the end differs: where no label changed, `KMeans` still moves its centres to their means (by
/// rounding), and counts that; the mixture, which learns its objective from an E-step, is through.
fn same_at_every_iteration<F: miscela::Float>(
    rows: &Array2<F>,
    weights: &Array1<f64>,
    centres: &Array2<F>,
    hold: bool,
) {
    for limit in 1.. {
        let plain = kmeans(centres).max_n_iterations(limit).fit_weighted(rows, weights).unwrap();
        let params = sphere(centres, F::one(), Assignment::Hard, hold).max_n_iterations(limit);
        let same = params.fit_weighted(rows, weights).unwrap();
        assert_eq!(same.predict(rows), plain.predict(rows), "iteration {limit}, covariance held: {hold}");
        assert_eq!(same.sizes(), plain.sizes(), "iteration {limit}");
        assert_eq!(relocated(same.report()), relocated(plain.report()), "iteration {limit}");
        if plain.report().termination != Termination::MaxIterations {
            assert_eq!(plain.report().termination, Termination::LabelsUnchanged);
            assert_eq!(same.report().termination, Termination::LabelsUnchanged);
            assert_eq!(same.report().iterations, plain.report().iterations);
            assert_eq!(same.means(), plain.centroids());
            return;
        }
        assert_eq!(same.means(), plain.centroids(), "iteration {limit}");
    }
}

/// When which cluster was given rows.
fn relocated(report: &miscela::Report) -> Vec<(usize, usize)> {
    let relocated = report.repairs.iter().filter(|repair| repair.action.name() == "relocated");
    relocated.map(|repair| (repair.iteration, repair.component)).collect()
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn the_hard_sphere_is_kmeans(
        seed in any::<u64>(), n in 20usize..300, d in 1usize..6, k in 1usize..8, hold in any::<bool>()
    ) {
        let blobs = Blobs::new(seed, n, d, 3, 6.0);
        let centres = blobs.first_rows(k);
        same_at_every_iteration(&blobs.rows, &blobs.weights, &centres, hold);
        same_at_every_iteration(&narrow(&blobs.rows), &blobs.weights, &narrow(&centres), hold);
    }

    /// Centres far from all rows: all but one cluster are empty at first, and take the farthest rows.
    #[test]
    fn also_where_clusters_run_empty(
        seed in any::<u64>(), n in 20usize..200, d in 1usize..4, k in 2usize..7, hold in any::<bool>()
    ) {
        let blobs = Blobs::new(seed, n, d, 3, 6.0);
        let centres = Array2::from_shape_fn((k, d), |(c, j)| 30.0 + (c * 7 + j * 3) as f64);
        same_at_every_iteration(&blobs.rows, &blobs.weights, &centres, hold);
        let plain = kmeans(&centres).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        prop_assert!(plain.report().repairs.iter().any(|repair| repair.action.name() == "relocated"));
        prop_assert!(plain.sizes().iter().all(|size| *size > 0));
    }
}

#[test]
fn on_real_data_too() {
    for (name, k) in [("iris", 3), ("faithful", 2), ("penguins@scaled", 6), ("digits", 10)] {
        let rows = data(name);
        let centres = rows.select(Axis(0), &(0..k).map(|c| c * 11).collect::<Vec<_>>());
        let weights = Array1::ones(rows.nrows());
        same_at_every_iteration(&rows, &weights, &centres, false);
    }
}

/// With a held sphere of variance σ², soft assignment gives the centres of k-means as σ² → 0, at every iteration: a row
/// that is nearer to one centre than to the next by g in squared distance leaks exp(−g/2σ²).
#[test]
fn the_soft_sphere_tends_to_kmeans() {
    let blobs = Blobs::new(5, 400, 3, 4, 8.0);
    let rows = DatasetBase::new(blobs.rows.clone(), ());
    let centres = blobs.first_rows(4);
    for limit in [1, 2, 5, 30] {
        let hard = kmeans(&centres).max_n_iterations(limit).fit(&rows).unwrap();
        let labels = hard.predict(&blobs.rows);
        let mut before = f64::INFINITY;
        for power in 0..12 {
            let params = sphere(&centres, 4f64.powi(-power), Assignment::Soft, true);
            let soft = params.max_n_iterations(limit).fit(&rows).unwrap();
            let apart = (soft.means() - hard.centroids()).iter().fold(0.0f64, |m, x| m.max(x.abs()));
            let agree = soft.predict(&blobs.rows).iter().zip(&labels).filter(|(a, b)| a == b).count();
            // The first spheres are wider than the gaps between blobs, where nothing need fall yet.
            assert!(power < 4 || apart <= before * (1.0 + 1e-9) + 1e-12, "σ² = 4^-{power}: {apart} after {before}");
            before = apart;
            if power == 11 {
                assert!(apart < 1e-6, "iteration {limit}: still {apart} apart");
                assert_eq!(agree, labels.len());
            }
        }
    }
}

/// The same limit at a held variance of one, by temperature: r ∝ exp(l/T).
#[test]
fn the_tempered_sphere_tends_to_kmeans() {
    let blobs = Blobs::new(6, 300, 2, 3, 8.0);
    let centres = blobs.first_rows(3);
    let hard = kmeans(&centres).max_n_iterations(8).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
    let at = |assignment| {
        sphere(&centres, 1.0, assignment, true).max_n_iterations(8).fit_weighted(&blobs.rows, &blobs.weights).unwrap()
    };
    let cold = at(Assignment::Tempered(1e-7));
    assert_means("cold", cold.means(), hard.centroids(), 1e-6);
    assert_eq!(cold.predict(&blobs.rows), hard.predict(&blobs.rows));
    // And a temperature of T is a variance of T.
    let tempered = at(Assignment::Tempered(0.25));
    let narrower = sphere(&centres, 0.25, Assignment::Soft, true).max_n_iterations(8);
    let narrower = narrower.fit_weighted(&blobs.rows, &blobs.weights).unwrap();
    assert_means("T is σ²", tempered.means(), narrower.means(), 1e-9);
    // One is plain EM.
    let (one, soft) = (at(Assignment::Tempered(1.0)), at(Assignment::Soft));
    assert_means("T = 1", one.means(), soft.means(), 1e-12);
    assert_close("T = 1", one.log_likelihood(), soft.log_likelihood(), 1e-12);
}
