//! Numbers of clusters that stay: canonical orders, alignment, drift; and what models say of rows beside labels.

use miscela::prelude::*;
use miscela::{CanonicalOrder, ClusterSummary, L1, Sizing};
use miscela_tests::{Blobs, assert_close, assert_near, cases};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;

/// Blobs that are well apart, and as many clusters.
fn case() -> impl Strategy<Value = (Blobs, usize)> {
    (any::<u64>(), 60usize..150, 1usize..4, 2usize..5).prop_map(|(seed, n, d, k)| (Blobs::new(seed, n, d, k, 60.0), k))
}

fn from(start: Array2<f64>) -> KMeansParams<f64, rand_xoshiro::Xoshiro256Plus, miscela::L2> {
    KMeans::params(start.nrows()).init_method(KMeansInit::Precomputed(start))
}

/// A permutation of k from a seed.
fn permutation(k: usize, seed: u64) -> Vec<usize> {
    Blobs::new(seed, k, 1, 1, 1.0).permutation(seed)
}

fn fit(start: Array2<f64>, blobs: &Blobs) -> KMeans<f64> {
    from(start).fit_weighted(&blobs.rows, &blobs.weights).unwrap()
}

fn mixture(labels: &[usize], k: usize, blobs: &Blobs) -> GaussianMixture<f64> {
    let params = GaussianMixture::params(k).init_method(GmmInitMethod::Labels(labels.to_vec()));
    params.noise(miscela::Noise::Hypervolume).fit(&DatasetBase::from(blobs.rows.clone())).unwrap()
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn the_order_of_a_start_leaves_no_trace((blobs, k) in case(), seed in any::<u64>()) {
        let start = blobs.centres.clone();
        let other = start.select(Axis(0), &permutation(k, seed));
        for order in CanonicalOrder::ALL {
            let (a, b) = (fit(start.clone(), &blobs).canonical_order(order), fit(other.clone(), &blobs).canonical_order(order));
            prop_assert_eq!(a.sizes(), b.sizes());
            assert_near("centroids", a.centroids(), b.centroids(), 1e-12);
            assert_near("Σ w", a.cluster_count(), b.cluster_count(), 1e-12);
            prop_assert_eq!(a.predict(&blobs.rows), b.predict(&blobs.rows));
            let sorted = match order {
                CanonicalOrder::Weight => a.cluster_count().mapv(|w| -w),
                _ => a.centroids().column(0).to_owned(),
            };
            prop_assert!(sorted.windows(2).into_iter().all(|pair| pair[0] <= pair[1]));
        }
    }

    #[test]
    fn models_take_over_the_numbers_of_others((blobs, k) in case(), seed in any::<u64>()) {
        let order = permutation(k, seed);
        let before = fit(blobs.centres.clone(), &blobs);
        let now = fit(blobs.centres.select(Axis(0), &order), &blobs);
        let drift = now.drift_on(&before, &blobs.rows).unwrap();
        for pair in &drift.matches {
            prop_assert_eq!(order[pair.current], pair.previous);
            prop_assert!(pair.movement < 1e-9 && (pair.current_share - pair.previous_share).abs() < 1e-12);
        }
        prop_assert_eq!((drift.matches.len(), drift.relabelled.unwrap().changed), (k, 0));
        prop_assert!(drift.moved_share < 1e-12);
        let aligned = now.align_to(&before).unwrap();
        assert_near("centroids", aligned.centroids(), before.centroids(), 1e-9);
        prop_assert_eq!(aligned.predict(&blobs.rows), before.predict(&blobs.rows));
        prop_assert_eq!(aligned.sizes(), before.sizes());
    }

    #[test]
    fn so_do_mixtures((blobs, k) in case(), seed in any::<u64>()) {
        let order = permutation(k, seed);
        let names: Vec<usize> = (0..k).map(|c| order.iter().position(|old| *old == c).unwrap()).collect();
        let turned: Vec<usize> = blobs.labels.iter().map(|label| names[*label]).collect();
        let (before, now) = (mixture(&blobs.labels, k, &blobs), mixture(&turned, k, &blobs));
        let drift = now.drift_on(&before, &blobs.rows).unwrap();
        prop_assert!(drift.greatest_movement() < 1e-6 && drift.moved_share < 1e-6, "{drift}");
        prop_assert_eq!(drift.relabelled.unwrap().changed, 0);
        let labels = now.predict(&blobs.rows);
        let aligned = now.align_to(&before).unwrap();
        prop_assert_eq!(aligned.sizes(), before.sizes());
        prop_assert_eq!(aligned.predict(&blobs.rows), before.predict(&blobs.rows));
        assert_near("weights", aligned.weights(), before.weights(), 1e-6);
        assert_near("covariances", &aligned.covariances(), &before.covariances(), 1e-6);
        let ordered = aligned.clone().canonical_order(CanonicalOrder::Centre).unwrap();
        assert_close("log-likelihood", ordered.score(&DatasetBase::from(blobs.rows.clone())).unwrap(), aligned.score(&DatasetBase::from(blobs.rows.clone())).unwrap(), 1e-12);
        prop_assert_eq!(labels.len(), ordered.predict(&blobs.rows).len());
    }

    #[test]
    fn the_nearest_centres_are_those_of_all_distances((blobs, _) in case(), k in 1usize..9, m in 0usize..10) {
        let rows = DatasetBase::from(blobs.rows.clone());
        let model = from(blobs.first_rows(k)).fit(&rows).unwrap();
        let all = model.distances(&blobs.rows);
        let (centres, distances) = model.nearest_centroids(&blobs.rows, m).unwrap();
        prop_assert_eq!(centres.dim(), (blobs.rows.nrows(), m.min(k)));
        for (i, row) in all.outer_iter().enumerate() {
            let mut order: Vec<usize> = (0..k).collect();
            order.sort_by(|a, b| row[*a].total_cmp(&row[*b]));
            for j in 0..m.min(k) {
                prop_assert_eq!(centres[[i, j]], order[j]);
                prop_assert_eq!(distances[[i, j]], row[order[j]]);
            }
        }
        let single: Vec<usize> = blobs.rows.outer_iter().map(|row| model.predict(&row)).collect();
        prop_assert_eq!(Array1::from(single), model.predict(&blobs.rows));
    }

    #[test]
    fn summaries_add_up_to_the_model((blobs, k) in case()) {
        let model = from(blobs.first_rows(k)).tolerance(0.0).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let summaries = model.summaries(&blobs.rows, blobs.weights.as_slice()).unwrap();
        let (labels, all) = (model.predict(&blobs.rows), model.distances(&blobs.rows));
        assert_close("inertia", summaries.iter().map(|s| s.inertia).sum(), model.inertia_sum(), 1e-9);
        for (c, summary) in summaries.iter().enumerate() {
            prop_assert_eq!(summary.size, model.sizes()[c]);
            assert_close("Σ w", summary.weight, model.cluster_count()[c], 1e-12);
            assert_near("mean", &summary.mean, &model.centroids().row(c), 1e-9);
            let own: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == c).collect();
            let farthest = own.iter().map(|i| all[[*i, c]]).fold(0.0, f64::max);
            assert_close("radius", summary.radius, farthest, 1e-12);
            assert_close("farthest", all[[summary.farthest.unwrap(), c]], farthest, 1e-12);
            let sum: f64 = own.iter().map(|i| blobs.weights[*i] * all[[*i, c]]).sum();
            assert_close("mean distance", summary.mean_distance, sum / summary.weight, 1e-9);
        }
    }
}

#[test]
fn other_numbers_of_clusters_are_matched_as_far_as_they_go() {
    let rows = array![[0.0], [1.0], [10.0], [11.0], [30.0], [31.0]];
    let data = DatasetBase::from(rows.clone());
    let three = from(array![[0.5], [10.5], [30.5]]).fit(&data).unwrap();
    let two = from(array![[30.5], [5.5]]).fit(&data).unwrap();
    let drift = two.drift_on(&three, &rows).unwrap();
    assert_eq!((drift.matches.len(), &drift.vanished[..], &drift.appeared[..]), (2, &[1][..], &[][..]));
    assert_eq!((drift.matches[0].previous, drift.matches[1].previous), (2, 0));
    assert_eq!(drift.relabelled.unwrap().changed, 2);
    assert!((drift.moved_share - 1.0 / 3.0).abs() < 1e-12);
    // From 0.5 to 5.5, where rows lie 0.5 from their centres.
    assert!((drift.matches[1].movement - 10.0).abs() < 1e-12);
    assert_eq!(two.clone().align_to(&three).unwrap().centroids(), array![[5.5], [30.5]]);
    let back = three.drift(&two).unwrap();
    assert_eq!((&back.appeared[..], back.relabelled), (&[1][..], None));
    assert_eq!(three.align_to(&two).unwrap().centroids(), array![[30.5], [0.5], [10.5]]);
    assert!(drift.to_string().contains("2 of 6 rows changed their cluster"), "{drift}");

    let wide = from(array![[0.0, 0.0]]).fit(&DatasetBase::from(array![[0.0, 1.0]])).unwrap();
    let error = wide.drift(&two).unwrap_err().to_string();
    assert!(error.contains("fitted on 1 columns"), "{error}");
}

#[test]
fn a_mixture_tells_components_at_one_place_apart() {
    let weights = || array![0.5, 0.5];
    let spheres = |variances: [f64; 2]| {
        let covariances = miscela::Covariances::Spherical(Array1::from(variances.to_vec()));
        let mixture = miscela::Mixture::new(weights(), array![[0.0, 0.0], [0.0, 0.0]], covariances);
        GaussianMixture::from_parameters(mixture, Covariance::Spherical).unwrap()
    };
    let (before, now) = (spheres([1.0, 50.0]), spheres([48.0, 1.1]));
    let drift = now.drift(&before).unwrap();
    assert_eq!([drift.matches[0].previous, drift.matches[1].previous], [1, 0]);
    let aligned = now.align_to(&before).unwrap();
    assert_eq!(aligned.covariances()[[0, 0, 0]], 1.1);
}

#[test]
fn labels_of_bounded_clusters_are_renumbered_too() {
    let rows = DatasetBase::from(array![[9.0], [8.0], [0.0], [1.0], [2.0]]);
    let params = from(array![[9.0], [0.0]]).min_size(2).sizing(Sizing::Exact);
    let model = params.fit(&rows).unwrap();
    let ordered = model.clone().canonical_order(CanonicalOrder::Centre);
    let turned: Vec<Option<usize>> = model.fit_labels().unwrap().iter().map(|label| label.map(|c| 1 - c)).collect();
    assert_eq!(ordered.fit_labels().unwrap(), turned);
}

#[test]
fn summaries_leave_missing_values_out() {
    let rows = array![[0.0, 1.0], [2.0, f64::NAN], [10.0, 5.0]];
    let params = from(array![[1.0, 1.0], [10.0, 5.0]]).missing(Missing::Marginal);
    let model = params.fit(&DatasetBase::from(rows.clone())).unwrap();
    let summaries: Vec<ClusterSummary> = model.summaries(&rows, None).unwrap();
    assert_eq!((&summaries[0].mean, summaries[0].radius), (&array![1.0, 1.0], 1.0));
    let (centres, distances) = model.nearest_centroids(&rows, 2).unwrap();
    assert_eq!((centres.row(1).to_vec(), distances[[1, 0]]), (vec![0, 1], 1.0));
    let rng = <rand_xoshiro::Xoshiro256Plus as rand::SeedableRng>::seed_from_u64(42);
    let medians = KMeans::params_with(2, rng, L1).fit(&DatasetBase::from(array![[0.0], [1.0], [9.0]])).unwrap();
    assert!(medians.summaries(&array![[0.0], [1.0], [9.0]], None).unwrap().iter().all(|s| s.size > 0));
}
