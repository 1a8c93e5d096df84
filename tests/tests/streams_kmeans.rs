//! K-means by batches drawn from a table, and by batches as they come: centres that starve, files, laws.

use miscela::{Cosine, Empty, MiniBatch, RepairAction, prelude::*};
use miscela_tests::{Blobs, assert_close, assert_means, cases, data};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// So many batches and no fewer.
fn exactly(batch_size: usize) -> MiniBatch {
    MiniBatch { batch_size, patience: 0 }
}

/// N ← N + Σ w, c ← c + Σ w (x − c)/N over the rows nearest to the centres, so many times over all rows.
fn running_means(rows: &Array2<f64>, weights: &Array1<f64>, start: &Array2<f64>, times: usize) -> Array2<f64> {
    let (mut centres, mut counts) = (start.clone(), vec![0.0; start.nrows()]);
    for _ in 0..times {
        let mut sums = Array2::<f64>::zeros(centres.dim());
        for (row, w) in rows.outer_iter().zip(weights) {
            let distance = |c: &usize| (&row - &centres.row(*c)).mapv(|x| x * x).sum();
            let nearest = (0..centres.nrows()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
            counts[nearest] += w;
            sums.row_mut(nearest).scaled_add(*w, &(&row - &centres.row(nearest)));
        }
        for (c, sum) in sums.outer_iter().enumerate().filter(|(c, _)| counts[*c] > 0.0) {
            centres.row_mut(c).scaled_add(1.0 / counts[c], &sum);
        }
    }
    centres
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn batches_as_large_as_the_table_are_the_table(
        seed in any::<u64>(), n in 10usize..200, d in 1usize..5, k in 1usize..5, times in 1usize..6
    ) {
        let blobs = Blobs::new(seed, n, d, k, 6.0);
        let start = blobs.first_rows(k);
        let params = KMeans::params(k).init_method(KMeansInit::Precomputed(start.clone())).tolerance(0.0);
        let params = params.empty(Empty::Keep).max_n_iterations(times as u64);
        let model = params.mini_batch(exactly(n)).memory(1.0).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let expected = running_means(&blobs.rows, &blobs.weights, &start, times);
        assert_means("centroids", model.centroids(), &expected, 1e-9);
        prop_assert_eq!((model.report().iterations, model.report().trace.len()), (times, times));
        assert_close("inertia", model.inertia_sum(), model.inertia_of(&blobs.rows, blobs.weights.as_slice()).unwrap(), 1e-9);
    }

    /// Drawn by the line that weights laid end to end make up, copies and weights are the same draws: to the bit.
    #[test]
    fn a_weight_is_so_many_copies_and_zero_is_none(
        seed in any::<u64>(), n in 40usize..200, d in 1usize..4, k in 1usize..5, times in 1usize..12
    ) {
        let blobs = Blobs::new(seed, n, d, k, 6.0);
        let weights: Vec<f64> = (0..n).map(|i| ((seed >> (i % 60)) % 4) as f64).collect();
        let copies: Vec<usize> = (0..n).flat_map(|i| vec![i; weights[i] as usize]).collect();
        prop_assume!(weights.iter().filter(|w| **w > 0.0).count() > 20);
        let start = KMeansInit::Precomputed(blobs.first_rows(k));
        let params = KMeans::params(k).init_method(start).tolerance(0.0).max_n_iterations(times as u64);
        let params = params.mini_batch(exactly(15)).reassignment_ratio(0.2);
        let weighted = params.fit_weighted(&blobs.rows, &weights).unwrap();
        let repeated = params.fit(&DatasetBase::from(blobs.rows.select(Axis(0), &copies))).unwrap();
        prop_assert_eq!(weighted.centroids(), repeated.centroids());
        prop_assert_eq!(&weighted.report().trace.len(), &repeated.report().trace.len());
        prop_assert_eq!(&weighted.report().repairs, &repeated.report().repairs);
        let counting: Vec<usize> = (0..n).filter(|i| weights[*i] > 0.0).collect();
        let without: Vec<f64> = counting.iter().map(|i| weights[*i]).collect();
        let without = params.fit_weighted(&blobs.rows.select(Axis(0), &counting), &without).unwrap();
        prop_assert_eq!(weighted.centroids(), without.centroids());
        prop_assert_eq!(&weighted.report().trace, &without.report().trace);
        prop_assert_eq!(weighted.sizes(), without.sizes());
    }
}

#[test]
fn threads_and_layouts_change_no_bit() {
    let blobs = Blobs::new(9, 30_000, 8, 20, 8.0);
    let params = KMeans::params(20).mini_batch(4096).max_n_iterations(20);
    let fit = |threads, rows: &Array2<f64>| {
        params.clone().threads(threads).fit_weighted(rows, &blobs.weights).unwrap().centroids().clone()
    };
    let one = fit(Threads::One, &blobs.rows);
    assert_eq!(one, fit(Threads::Count(3), &blobs.rows));
    let columns = blobs.rows.t().as_standard_layout().reversed_axes().to_owned();
    assert_eq!(one, fit(Threads::One, &columns));
    let other = params.clone().with_rng(Xoshiro256Plus::seed_from_u64(1)).fit_weighted(&blobs.rows, &blobs.weights);
    assert_ne!(&one, other.unwrap().centroids());
}

#[test]
fn it_ends_near_a_fit_to_all_rows() {
    for (name, k, batch) in [("iris", 3, 50), ("faithful", 2, 50), ("digits", 10, 100)] {
        let dataset = DatasetBase::from(data(name));
        let start = KMeans::params(k).max_n_iterations(0).fit(&dataset).unwrap().centroids().clone();
        let params = KMeans::params(k).init_method(KMeansInit::Precomputed(start));
        let all = params.fit(&dataset).unwrap();
        let batches = params.clone().mini_batch(batch).fit(&dataset).unwrap();
        let (found, expected) = (batches.inertia_sum(), all.inertia_sum());
        assert!(found < 1.01 * expected, "{name}: {found} and {expected}");
        assert!(batches.report().converged());
        assert_eq!(batches.sizes().iter().sum::<usize>(), dataset.records().nrows());
    }
}

#[test]
fn a_batch_settles_where_all_rows_would() {
    let rows = array![[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]];
    let start = KMeansInit::Precomputed(array![[1.0], [11.0]]);
    let params = KMeans::params(2).init_method(start).mini_batch(6);
    let model = params.fit(&DatasetBase::from(rows)).unwrap();
    assert_eq!((model.report().iterations, model.report().termination), (1, Termination::Tolerance));
    assert_eq!((model.inertia_sum(), &model.report().trace[..]), (4.0, &[4.0][..]));
}

#[test]
fn patience_ends_a_fit() {
    let blobs = Blobs::new(4, 2000, 3, 4, 9.0);
    let dataset = DatasetBase::from(blobs.rows);
    let params = KMeans::params(4).max_n_iterations(5000);
    let fit = |patience| params.clone().mini_batch(MiniBatch { batch_size: 100, patience }).fit(&dataset).unwrap();
    let (hasty, patient) = (fit(3), fit(40));
    assert!(hasty.report().iterations < patient.report().iterations);
    assert!(patient.report().iterations < 5000 && patient.report().converged());
}

/// Batches of two clusters, and of a third that holds one row in three hundred, far off.
fn batch(t: usize) -> DatasetBase<Array2<f64>, Array1<()>> {
    let noise = |i: usize| ((i * 7919 + t * 104_729) % 1000) as f64 / 1000.0;
    let place = |i: usize| if i == 0 { 100.0 } else { 10.0 * (i % 2) as f64 };
    DatasetBase::from(Array2::from_shape_fn((300, 2), |(i, j)| place(i) + noise(i + 500 * j)))
}

fn after(params: &KMeansParams<f64, Xoshiro256Plus, miscela::L2>, batches: usize) -> KMeans<f64> {
    let step = |model, t| Some(params.partial_fit(model, &batch(t)).unwrap());
    (0..batches).fold(None, step).unwrap()
}

#[test]
fn centres_that_starve_go_where_rows_are_served_badly() {
    // The third centre wins nothing, and the far row is served by the second.
    let start = KMeansInit::Precomputed(array![[0.0, 0.0], [10.0, 10.0], [-500.0, -500.0]]);
    let params = KMeans::params(3).init_method(start);
    let model = after(&params, 20);
    let reseeded: Vec<_> = model.report().repairs.iter().filter(|r| r.action == RepairAction::Reseeded).collect();
    assert!(!reseeded.is_empty() && reseeded.iter().all(|repair| repair.component == 2));
    let far = model.centroids().row(2);
    assert!((far[0] - 100.5).abs() < 1.0 && (far[1] - 100.5).abs() < 1.0, "{far}");
    // Once it is there it stays, though it is below a hundredth of the largest.
    assert!(model.cluster_count()[2] < 0.01 * model.cluster_count()[0]);
    assert_eq!(reseeded.last().map(|repair| repair.iteration), reseeded.first().map(|repair| repair.iteration));
    for kept in [params.clone().empty(Empty::Keep), params.clone().reassignment_ratio(0.0)] {
        let model = after(&kept, 20);
        assert_eq!(model.centroids().row(2), array![-500.0, -500.0]);
        assert!(model.report().repairs.is_empty());
    }
}

#[test]
fn a_short_memory_follows_a_drift() {
    let drifting = |t: usize| DatasetBase::from(batch(t).records().mapv(|x| x + t as f64));
    let start = KMeansInit::Precomputed(array![[0.5, 0.5], [10.5, 10.5], [100.5, 100.5]]);
    let params = KMeans::params(3).init_method(start);
    let lag = |params: &KMeansParams<_, _, _>| {
        let model: Option<KMeans<f64>> =
            (0..40).fold(None, |model, t| Some(params.partial_fit(model, &drifting(t)).unwrap()));
        39.0 + 0.5 - model.unwrap().centroids()[[0, 0]]
    };
    // The mean of 40 batches is half of the way behind; that of a tenth of them some two batches.
    let (all, latest) = (lag(&params.clone().reassignment_ratio(0.0)), lag(&params.memory(0.1)));
    assert!(all > 10.0 && latest.abs() < 5.0, "{all} and {latest}");
}

#[test]
fn a_file_goes_on_as_the_model_would() {
    let params = KMeans::params(3);
    let folder = tempfile::tempdir().unwrap();
    for name in ["m.json", "m.cbor"] {
        let path = folder.path().join(name);
        let first = after(&params, 3);
        let (mut kept, mut filed) = (first.clone(), first);
        for t in 3..6 {
            filed.save(&path).unwrap();
            filed = KMeans::load(&path).unwrap();
            assert_eq!(filed, kept);
            kept = params.partial_fit(Some(kept), &batch(t)).unwrap();
            filed = params.partial_fit(Some(filed), &batch(t)).unwrap();
            assert_eq!((kept.centroids(), kept.cluster_count()), (filed.centroids(), filed.cluster_count()));
            // But for the clock.
            filed = kept.clone();
        }
    }
    // Counts in full, where the model's numbers would have lost a row.
    let rows = DatasetBase::from(array![[1.0f32], [9.0]]).with_weights(array![2e7, 1.0]);
    let params = KMeans::params(2).init_method(KMeansInit::Precomputed(array![[1.0f32], [9.0]]));
    let first = params.partial_fit(None, &rows).unwrap();
    let more = DatasetBase::from(array![[1.0f32], [9.0]]).with_weights(array![0.5, 1.0]);
    let model = (0..8).fold(first, |model, _| params.partial_fit(Some(model), &more).unwrap());
    assert_eq!(model.cluster_count(), array![2e7 + 4.0, 9.0]);
    let path = folder.path().join("counts.json");
    model.save(&path).unwrap();
    let broken = std::fs::read_to_string(&path).unwrap().replace("20000004.0", "-1.0");
    std::fs::write(&path, broken).unwrap();
    assert!(KMeans::<f32>::load(&path).unwrap_err().to_string().contains("tally"));
}

#[test]
fn plain_and_by_convention_are_the_same() {
    let params = KMeans::params(3).tolerance(1e-2);
    let (mut plain, mut convention) = (None, None);
    for t in 0..30 {
        let next = params.partial_fit(plain, &batch(t)).unwrap();
        let settled = match params.fit_with(convention, &batch(t)) {
            Ok(model) => {
                assert!(next.report().converged());
                model
            }
            Err(IncrKMeansError::NotConverged(model)) => model,
            Err(error) => panic!("{error}"),
        };
        // But for the clock.
        assert_eq!((settled.centroids(), &settled.report().trace), (next.centroids(), &next.report().trace));
        (plain, convention) = (Some(next), Some(settled));
    }
    let model = plain.unwrap();
    assert!(model.report().converged());
    // Other numbers of the clusters are those of their counts too.
    let reordered = model.clone().canonical_order(miscela::CanonicalOrder::Weight);
    let (one, other) = (params.partial_fit(Some(model), &batch(30)), params.partial_fit(Some(reordered), &batch(30)));
    let (one, other) = (one.unwrap().canonical_order(miscela::CanonicalOrder::Weight), other.unwrap());
    assert_eq!((one.centroids(), one.cluster_count()), (other.centroids(), other.cluster_count()));
}

#[test]
fn what_needs_all_rows_is_refused() {
    let dataset = DatasetBase::from(data("iris"));
    let params = KMeans::params(3).mini_batch(32);
    let sentence =
        |params: KMeansParams<f64, Xoshiro256Plus, miscela::L2>| params.fit(&dataset).unwrap_err().to_string();
    for (refused, why) in [
        (params.clone().trim(0.1), "which rows to trim"),
        (params.clone().min_size(3), "clusters to their sizes"),
        (params.clone().search(Search::Swap), "better placed"),
        (params.clone().known_labels(vec![None; 150]), "known label"),
        (params.clone().mini_batch(0), "size of batches"),
        (params.clone().reassignment_ratio(1.0), "from 0 to below 1"),
        (params.clone().memory(0.0), "remembers must be above 0"),
    ] {
        let sentence = sentence(refused);
        assert!(sentence.contains(why) && !sentence.contains(". "), "{sentence}");
    }
    let known = KMeans::params(3).known_labels(vec![None; 150]);
    assert!(known.partial_fit(None, &dataset).unwrap_err().to_string().contains("known label"));
    let gaps = DatasetBase::from(array![[1.0], [f64::NAN], [3.0], [4.0]]);
    assert!(params.clone().missing(Missing::Marginal).fit(&gaps).unwrap_err().to_string().contains("missing values"));
    let rng = Xoshiro256Plus::seed_from_u64(1);
    let directions = KMeans::params_with(3, rng, Cosine).mini_batch(32).fit(&dataset);
    assert!(directions.unwrap_err().to_string().contains("not means"));
    // A batch may be smaller than there are clusters; the table may not.
    assert!(params.clone().mini_batch(1).fit(&dataset).is_ok());
    assert!(params.fit(&DatasetBase::from(array![[1.0, 2.0]])).is_err());
}

#[test]
fn empty_clusters_follow_their_policy_at_the_end() {
    let rows = DatasetBase::from(Array2::from_shape_fn((400, 1), |(i, _)| (i % 4) as f64));
    let start = KMeansInit::Precomputed(array![[0.0], [3.0], [90.0]]);
    let params = KMeans::params(3).init_method(start).mini_batch(40).reassignment_ratio(0.0);
    assert!(params.fit(&rows).unwrap().sizes().iter().all(|size| *size > 0));
    assert_eq!(params.clone().empty(Empty::Drop).fit(&rows).unwrap().n_clusters(), 2);
    assert!(params.clone().empty(Empty::Error).fit(&rows).is_err());
    assert_eq!(params.empty(Empty::Keep).fit(&rows).unwrap().sizes()[2], 0);
}
