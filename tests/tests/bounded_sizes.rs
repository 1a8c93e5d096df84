//! Clusters of bounded size: laws, the best of all labellings of small tables, and what another program reaches.

use miscela::prelude::*;
use miscela::{Empty, KMeansParamsError, L1, L2, SizesError, Sizing};
use miscela_tests::{Blobs, Record, assert_close, assert_near, cases, data};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256Plus;

type Params<D> = KMeansParams<f64, Xoshiro256Plus, D>;

/// Blobs, a number of clusters, and bounds that can be met.
fn case() -> impl Strategy<Value = (Blobs, usize, usize, usize)> {
    (any::<u64>(), 20usize..120, 1usize..4, 1usize..5, 1usize..6, 0.0..1.0f64, 0.0..1.0f64).prop_map(
        |(seed, n, d, blobs, k, low, high)| {
            let (least, most) = (n / k, n.div_ceil(k));
            let max = most + (high * (n - most) as f64) as usize;
            (Blobs::new(seed, n, d, blobs, 8.0), k, (low * least as f64) as usize, max)
        },
    )
}

fn from<D: miscela::Distance<f64>>(distance: D, start: &Array2<f64>, (min, max): (usize, usize)) -> Params<D> {
    let (rng, init) = (rand::SeedableRng::seed_from_u64(42), KMeansInit::Precomputed(start.clone()));
    let params = KMeans::params_with(start.nrows(), rng, distance).init_method(init).tolerance(0.0);
    params.min_size(min).max_size(max)
}

fn sized(start: &Array2<f64>, rows: &Array2<f64>, bounds: (usize, usize)) -> KMeans<f64> {
    from(L2, start, bounds).fit(&DatasetBase::from(rows.clone())).unwrap()
}

fn falls<D>(model: &KMeans<f64, D>)
where
    D: miscela::Distance<f64>,
{
    let trace = &model.report().trace;
    for pair in trace.windows(2) {
        assert!(pair[1] <= pair[0] * (1.0 + 1e-11), "{} after {}", pair[1], pair[0]);
    }
    assert!(model.inertia_sum() <= trace[trace.len() - 1] * (1.0 + 1e-11));
}

/// The least Σ ‖x − mean‖² of any labels within the bounds, and the means.
fn best_of_all(rows: &Array2<f64>, k: usize, (min, max): (usize, usize)) -> (f64, Array2<f64>) {
    let (n, d) = rows.dim();
    let mut best = (f64::INFINITY, Array2::zeros((k, d)));
    for code in 0..k.pow(n as u32) {
        let labels: Vec<usize> = (0..n).map(|i| code / k.pow(i as u32) % k).collect();
        let members: Vec<Vec<usize>> = (0..k).map(|c| (0..n).filter(|i| labels[*i] == c).collect()).collect();
        if !members.iter().all(|members| (min..=max).contains(&members.len())) {
            continue;
        }
        let means: Vec<_> = members.iter().map(|i| rows.select(Axis(0), i).mean_axis(Axis(0)).unwrap()).collect();
        let cost: f64 = (0..n).map(|i| (&rows.row(i) - &means[labels[i]]).mapv(|z| z * z).sum()).sum();
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
    fn sizes_are_kept_and_the_objective_never_rises((blobs, k, min, max) in case(), far in any::<bool>()) {
        let start = if far { Array2::from_elem((k, blobs.rows.ncols()), 30.0) } else { blobs.first_rows(k) };
        let rows = DatasetBase::from(blobs.rows.clone());
        for sizing in Sizing::ALL {
            let model = from(L2, &start, (min, max)).sizing(sizing).fit(&rows).unwrap();
            falls(&model);
            prop_assert!(model.sizes().iter().all(|size| (min..=max).contains(size)), "{:?}", model.sizes());
            let mut sizes = vec![0; k];
            let own = model.distances(&blobs.rows);
            let mut inertia = 0.0;
            for (i, label) in model.fit_labels().unwrap().into_iter().enumerate() {
                sizes[label.unwrap()] += 1;
                inertia += own[[i, label.unwrap()]].powi(2);
            }
            prop_assert_eq!(model.sizes(), sizes);
            assert_close("inertia", model.inertia_sum(), inertia, 1e-9);
            falls(&from(L1, &start, (min, max)).sizing(sizing).fit(&rows).unwrap());
        }
    }

    /// No way to share rows out among the centres of the start is cheaper than the exact one.
    #[test]
    fn the_exact_assignment_is_the_cheapest((blobs, k, min, max) in case()) {
        let rows = DatasetBase::from(blobs.rows.clone());
        let params = from(L2, &blobs.first_rows(k), (min, max)).max_n_iterations(0);
        let exact = params.clone().fit(&rows).unwrap().inertia_sum();
        let fast = params.sizing(Sizing::Transfers).fit(&rows).unwrap().inertia_sum();
        prop_assert!(exact <= fast * (1.0 + 1e-12), "{exact} against {fast}");
    }

    /// Of few rows: no fit is better than the best of all labellings, and one that starts there stays there.
    #[test]
    fn the_best_of_all_labellings_is_a_fixed_point(seed in any::<u64>(), n in 5usize..9, (low, high) in (1usize..3, 3usize..6)) {
        let blobs = Blobs::new(seed, n, 2, 3, 4.0);
        let bounds = (low.min(n / 3), high);
        let (least, centres) = best_of_all(&blobs.rows, 3, bounds);
        assert_close("objective", sized(&centres, &blobs.rows, bounds).inertia_sum(), least, 1e-9);
        let elsewhere = sized(&blobs.first_rows(3), &blobs.rows, bounds);
        prop_assert!(elsewhere.inertia_sum() >= least * (1.0 - 1e-9));
    }

    #[test]
    fn bounds_that_do_not_bind_change_nothing((blobs, k, _, _) in case()) {
        let n = blobs.rows.nrows();
        let plain = KMeans::params(k).init_method(KMeansInit::Precomputed(blobs.first_rows(k))).tolerance(0.0);
        let plain = plain.fit(&DatasetBase::from(blobs.rows.clone())).unwrap();
        let model = sized(&blobs.first_rows(k), &blobs.rows, (1, n));
        if plain.report().repairs.is_empty() {
            assert_near("centroids", model.centroids(), plain.centroids(), 1e-9);
            let labels: Vec<usize> = model.fit_labels().unwrap().into_iter().flatten().collect();
            prop_assert_eq!(labels, plain.predict(&blobs.rows).to_vec());
        }
    }

    #[test]
    fn whole_weights_are_repetition((blobs, k, _, _) in case()) {
        let repeats: Vec<usize> = (0..blobs.rows.nrows()).map(|i| (i * 7) % 4).collect();
        let all: Vec<usize> = repeats.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
        let bounds = (all.len() / k - all.len() / (3 * k), all.len() / k + 2);
        let weights: Array1<f64> = repeats.iter().map(|times| *times as f64).collect();
        let start = blobs.first_rows(k);
        let once = from(L2, &start, bounds).fit_weighted(&blobs.rows, &weights).unwrap();
        let often = sized(&start, &blobs.rows.select(Axis(0), &all), bounds);
        prop_assert_eq!(once.centroids(), often.centroids());
        prop_assert_eq!((once.inertia_sum(), once.sizes()), (often.inertia_sum(), often.sizes()));
        let labels = once.fit_labels().unwrap();
        for (i, times) in repeats.iter().enumerate() {
            prop_assert_eq!(labels[i].is_some(), *times > 0);
        }
    }
}

/// From the same starts, on real data.
#[test]
fn another_program_ends_no_lower() {
    let record = Record::read("k_means_constrained/sizes.json");
    for (_, case) in record.at("cases").parts() {
        let (rows, bounds) = (data(&case.text("data")), (case.count("min"), case.count("max")));
        let start = rows.select(Axis(0), &case.counts("init_rows"));
        let model = from(L2, &start, bounds).max_n_iterations(1000).fit(&DatasetBase::from(rows)).unwrap();
        assert_close(case.name(), model.inertia_sum(), case.number("inertia"), 1e-9);
        assert_eq!(model.sizes(), case.counts("sizes"), "{}", case.name());
        let labels: String = model.fit_labels().unwrap().iter().map(|label| label.unwrap().to_string()).collect();
        assert_eq!(labels, case.text("labels"), "{}", case.name());
        assert!(model.inertia_sum() <= case.number("inertia_as_it_is") * (1.0 + 1e-9));
    }
}

#[test]
fn a_row_is_in_the_cluster_of_most_of_its_copies() {
    let rows = array![[0.0], [1.0], [9.0]];
    let params = from(L2, &array![[0.0], [9.0]], (3, 4));
    let model = params.fit_weighted(&rows, &[1.0, 5.0, 1.0]).unwrap();
    assert_eq!((model.sizes().iter().sum::<usize>(), model.fit_labels().unwrap()[0]), (7, Some(0)));
    assert_eq!(model.cluster_count().sum(), 7.0);
    let most = if model.sizes()[0] == 4 { 0 } else { 1 };
    assert_eq!(model.fit_labels().unwrap()[1..], [Some(most), Some(1)]);
}

#[test]
fn clusters_may_be_empty_only_where_sizes_say_so() {
    let rows = DatasetBase::from(array![[0.0], [1.0], [9.0], [8.0]]);
    let start = array![[0.0], [9.0], [99.0]];
    let params = |min| from(L2, &start, (min, 3));
    assert!(params(1).fit(&rows).unwrap().sizes().iter().all(|size| *size > 0));
    let model = params(0).fit(&rows).unwrap();
    assert_eq!(model.sizes(), [2, 2, 0]);
    assert_eq!(model.report().repairs.last().unwrap().action.name(), "kept-empty");
    assert_eq!(params(0).empty(Empty::Drop).fit(&rows).unwrap().sizes(), [2, 2]);
    assert!(params(0).empty(Empty::Error).fit(&rows).is_err());
    // Only a greatest size: each has at least one.
    let init = KMeansInit::Precomputed(start.clone());
    let model = KMeans::params(3).init_method(init).max_size(3).fit(&rows).unwrap();
    assert!(model.sizes().iter().all(|size| *size > 0));
}

#[test]
fn what_cannot_be_is_said_with_numbers() {
    let rows = array![[0.0], [1.0], [5.0], [6.0], [7.0]];
    let fit = |params: Params<L2>| params.fit(&DatasetBase::from(rows.clone())).unwrap_err();
    let params = || KMeans::<f64>::params(2);
    assert!(matches!(fit(params().min_size(3)), KMeansError::Sizes(SizesError::TooFew { n: 5, k: 2, min: 3 })));
    assert!(matches!(fit(params().max_size(2)), KMeansError::Sizes(SizesError::TooMany { n: 5, k: 2, max: 2 })));
    let error = fit(params().min_size(3)).to_string();
    assert!(error.contains("2 clusters of at least 3 rows need 6 rows, and there are 5"), "{error}");
    let error = params().min_size(1).fit_weighted(&rows, &[1.0, 2.0, 0.5, 1.0, 1.0]).unwrap_err().to_string();
    assert!(error.contains("row 2 is 0.5") && error.contains("whole numbers"), "{error}");
    for (params, error) in [
        (params().min_size(4).max_size(3), KMeansParamsError::Sizes(4, 3)),
        (params().max_size(0), KMeansParamsError::Sizes(1, 0)),
        (params().max_size(3).trim(0.1), KMeansParamsError::TrimSizes),
        (params().min_size(1).known_labels([None]), KMeansParamsError::KnownTogether),
        (params().min_size(1).algorithm(Algorithm::Groups), KMeansParamsError::EveryRow(Algorithm::Groups)),
    ] {
        assert_eq!(params.check_ref().unwrap_err(), error);
    }
    let refused = params().min_size(1).check().unwrap().fit_with(None, &DatasetBase::from(rows.clone()));
    assert!(refused.unwrap_err().to_string().contains("keep clusters to their sizes"));
}

#[test]
fn threads_change_no_bit_and_gaps_are_no_obstacle() {
    let mut blobs = Blobs::new(11, 900, 3, 4, 8.0);
    let fit = |rows: &Array2<f64>, threads, missing| {
        let params = from(L2, &blobs.first_rows(4), (200, 240)).threads(threads).missing(missing);
        params.fit(&DatasetBase::from(rows.clone())).unwrap()
    };
    let (one, three) =
        (fit(&blobs.rows, Threads::One, Missing::Error), fit(&blobs.rows, Threads::Count(3), Missing::Error));
    assert_eq!((one.centroids(), one.fit_labels()), (three.centroids(), three.fit_labels()));
    let mut rows = std::mem::take(&mut blobs.rows);
    let start = rows.select(Axis(0), &[0, 1, 2, 3]);
    rows.iter_mut().skip(20).step_by(7).for_each(|x| *x = f64::NAN);
    let params = from(L2, &start, (200, 240)).missing(Missing::Marginal);
    let model = params.fit(&DatasetBase::from(rows)).unwrap();
    falls(&model);
    assert!(model.sizes().iter().all(|size| (200..=240).contains(size)));
}
