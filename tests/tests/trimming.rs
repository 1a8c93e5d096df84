//! Trimmed k-means: laws, and the best of all ways to leave rows out of small tables.

use miscela::prelude::*;
use miscela::{KMeansParamsError, L1};
use miscela_tests::{Blobs, assert_close, assert_means, cases};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256Plus;

type Params<D> = KMeansParams<f64, Xoshiro256Plus, D>;

fn case() -> impl Strategy<Value = (Blobs, usize, f64)> {
    (any::<u64>(), 30usize..150, 1usize..4, 1usize..5, 1usize..6, 0.01..0.5f64)
        .prop_map(|(seed, n, d, blobs, k, alpha)| (Blobs::new(seed, n, d, blobs, 8.0), k, alpha))
}

fn from<D: miscela::Distance<f64>>(distance: D, start: &Array2<f64>, alpha: f64) -> Params<D> {
    let rng = rand::SeedableRng::seed_from_u64(42);
    let init = KMeansInit::Precomputed(start.clone());
    KMeans::params_with(start.nrows(), rng, distance).init_method(init).tolerance(0.0).trim(alpha)
}

fn trimmed(start: &Array2<f64>, rows: &Array2<f64>, weights: &Array1<f64>, alpha: f64) -> KMeans<f64> {
    from(miscela::L2, start, alpha).fit_weighted(rows, weights).unwrap()
}

fn falls(model_trace: &[f64], end: f64) {
    for pair in model_trace.windows(2) {
        assert!(pair[1] <= pair[0] * (1.0 + 1e-11), "{} after {}", pair[1], pair[0]);
    }
    assert!(end <= model_trace[model_trace.len() - 1] * (1.0 + 1e-11));
}

/// The least Σ ‖x − mean‖² of any labels, of which label k means that the row is left out: just `out` rows.
fn best_of_all(rows: &Array2<f64>, k: usize, out: usize) -> (f64, Array2<f64>) {
    let (n, d) = rows.dim();
    let mut best = (f64::INFINITY, Array2::zeros((k, d)));
    for code in 0..(k + 1).pow(n as u32) {
        let labels: Vec<usize> = (0..n).map(|i| code / (k + 1).pow(i as u32) % (k + 1)).collect();
        if labels.iter().filter(|label| **label == k).count() != out {
            continue;
        }
        let members = |c: usize| (0..n).filter(|i| labels[*i] == c).collect::<Vec<_>>();
        let means: Option<Vec<Array1<f64>>> =
            (0..k).map(|c| rows.select(Axis(0), &members(c)).mean_axis(Axis(0))).collect();
        let Some(means) = means else { continue };
        let kept = (0..n).filter(|i| labels[*i] < k);
        let cost: f64 = kept.map(|i| (&rows.row(i) - &means[labels[i]]).mapv(|z| z * z).sum()).sum();
        if cost < best.0 {
            let views: Vec<_> = means.iter().map(|mean| mean.view()).collect();
            best = (cost, ndarray::stack(Axis(0), &views).unwrap());
        }
    }
    best
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn the_trimmed_objective_never_rises((blobs, k, alpha) in case(), far in any::<bool>()) {
        let start = if far { Array2::from_elem((k, blobs.rows.ncols()), 30.0) } else { blobs.first_rows(k) };
        let model = trimmed(&start, &blobs.rows, &blobs.weights, alpha);
        falls(&model.report().trace, model.inertia_sum());
        let medians = from(L1, &start, alpha).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        falls(&medians.report().trace, medians.inertia_sum());
    }

    /// Of few rows: no fit is better than the best of all labellings, and a fit that starts there stays there.
    #[test]
    fn the_best_of_all_labellings_is_a_fixed_point(seed in any::<u64>(), n in 5usize..8, out in 1usize..3) {
        let blobs = Blobs::new(seed, n, 2, 2, 4.0);
        let (least, centres) = best_of_all(&blobs.rows, 2, out);
        let (alpha, ones) = (out as f64 / n as f64, Array1::ones(n));
        let there = trimmed(&centres, &blobs.rows, &ones, alpha);
        assert_close("objective", there.inertia_sum(), least, 1e-9);
        prop_assert_eq!(there.fit_labels().unwrap().iter().filter(|label| label.is_none()).count(), out);
        let elsewhere = trimmed(&blobs.first_rows(2), &blobs.rows, &ones, alpha);
        prop_assert!(elsewhere.inertia_sum() >= least * (1.0 - 1e-9));
    }

    #[test]
    fn whole_weights_are_repetition((blobs, k, alpha) in case()) {
        let repeats: Vec<usize> = (0..blobs.rows.nrows()).map(|i| (i * 7) % 4).collect();
        let all: Vec<usize> = repeats.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
        let (repeated, ones) = (blobs.rows.select(Axis(0), &all), Array1::ones(all.len()));
        let weights: Array1<f64> = repeats.iter().map(|times| *times as f64).collect();
        let start = blobs.first_rows(k);
        let (once, often) = (trimmed(&start, &blobs.rows, &weights, alpha), trimmed(&start, &repeated, &ones, alpha));
        assert_close("objective", once.inertia_sum(), often.inertia_sum(), 1e-9);
        assert_means("centroids", once.centroids(), often.centroids(), 1e-9);
        assert_close("Σ w", once.cluster_count().sum(), often.cluster_count().sum(), 1e-12);
        let left = all.len() - (alpha * all.len() as f64) as usize;
        assert_close("left", often.cluster_count().sum(), left as f64, 1e-12);
    }

    #[test]
    fn the_model_describes_the_rows_that_count((blobs, k, alpha) in case()) {
        let n = blobs.rows.nrows();
        let model = trimmed(&blobs.first_rows(k), &blobs.rows, &Array1::ones(n), alpha);
        let (labels, own) = (model.fit_labels().unwrap(), model.transform(&blobs.rows));
        let left: Vec<usize> = (0..n).filter(|i| labels[*i].is_none()).collect();
        prop_assert_eq!(left.len(), (alpha * n as f64) as usize);
        prop_assert_eq!(model.trimming().unwrap().n_rows, left.len());
        let nearest = model.predict(&blobs.rows);
        let mut sizes = vec![0; k];
        for (i, label) in labels.iter().enumerate().filter_map(|(i, label)| Some((i, (*label)?))) {
            prop_assert_eq!(label, nearest[i]);
            prop_assert!(left.iter().all(|far| own[*far] >= own[i]));
            sizes[label] += 1;
        }
        prop_assert_eq!(model.sizes(), sizes);
        prop_assert_eq!(model.predict_trimmed(&blobs.rows).unwrap().to_vec(), labels);
        let inertia: f64 = (0..n).filter(|i| !left.contains(i)).map(|i| own[i]).sum();
        assert_close("inertia", model.inertia_sum(), inertia, 1e-9);
    }
}

#[test]
fn a_model_keeps_its_cutoff_in_a_file() {
    let blobs = Blobs::new(7, 60, 2, 3, 8.0);
    let model = trimmed(&blobs.first_rows(3), &blobs.rows, &Array1::ones(60), 0.1);
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.json", "model.cbor"] {
        let file = folder.path().join(name);
        model.save(&file).unwrap();
        let loaded = KMeans::<f64>::load(&file).unwrap();
        assert_eq!((&loaded, loaded.fit_labels()), (&model, None));
        assert_eq!(loaded.predict_trimmed(&blobs.rows).unwrap().to_vec(), model.fit_labels().unwrap());
    }
    let mut document = model.to_document().unwrap();
    document.trimming.as_mut().unwrap().cutoff = -1.0;
    assert!(KMeans::<f64>::from_document(document).unwrap_err().to_string().contains("cutoff"));
}

#[test]
fn threads_and_layout_change_no_bit() {
    let blobs = Blobs::new(3, 3000, 3, 4, 8.0);
    let fit = |rows: &Array2<f64>, threads| {
        let params = from(miscela::L2, &blobs.first_rows(4), 0.05).threads(threads);
        params.fit(&DatasetBase::from(rows.clone())).unwrap()
    };
    let plain = fit(&blobs.rows, Threads::One);
    let columns = blobs.rows.t().as_standard_layout().to_owned().reversed_axes();
    for other in [fit(&blobs.rows, Threads::Count(3)), fit(&columns, Threads::One)] {
        assert_eq!(other.centroids(), plain.centroids());
        assert_eq!((other.inertia_sum(), other.fit_labels()), (plain.inertia_sum(), plain.fit_labels()));
    }
}

#[test]
fn missing_values_are_no_reason_to_be_left_out() {
    let rows = array![[0.0, 1.0], [f64::NAN, 1.2], [0.2, 0.9], [9.0, f64::NAN], [9.1, 5.0], [70.0, f64::NAN]];
    let start = array![[0.0, 1.0], [9.0, 5.0]];
    let params = from(miscela::L2, &start, 0.2).missing(Missing::Marginal);
    let model = params.fit(&DatasetBase::from(rows.clone())).unwrap();
    assert_eq!(model.fit_labels().unwrap(), [Some(0), Some(0), Some(0), Some(1), Some(1), None]);
    assert_eq!(model.predict_trimmed(&rows).unwrap().to_vec(), model.fit_labels().unwrap());
}

#[test]
fn what_does_not_go_together_is_said() {
    let rows = DatasetBase::from(array![[0.0], [1.0], [5.0]]);
    let params = || KMeans::<f64>::params(2).trim(0.3);
    for (params, error) in [
        (KMeans::params(2).trim(1.0), KMeansParamsError::Trim(1.0)),
        (params().known_labels([Some(0), None, None]), KMeansParamsError::KnownTogether),
        (params().algorithm(Algorithm::Bounds), KMeansParamsError::EveryRow(Algorithm::Bounds)),
    ] {
        assert_eq!(params.check_ref().unwrap_err(), error);
    }
    assert!(KMeans::<f64>::params(2).trim(f64::NAN).check().is_err());
    let refused = params().check().unwrap().fit_with(None, &rows).unwrap_err().to_string();
    assert!(refused.contains("trim") && refused.contains("use `fit`"), "{refused}");
}
