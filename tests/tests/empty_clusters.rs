//! What becomes of clusters that lose their rows.

use miscela::prelude::*;
use miscela::{Empty, RepairAction};
use miscela_tests::{Blobs, assert_close, cases};
use ndarray::{Array2, Axis, array, concatenate};
use proptest::prelude::*;

/// Blobs, and start centres of which the last few are far from everything.
fn case() -> impl Strategy<Value = (Blobs, Array2<f64>)> {
    (any::<u64>(), 20usize..120, 1usize..4, 2usize..5, 1usize..4).prop_map(|(seed, n, d, near, far)| {
        let blobs = Blobs::new(seed, n, d, near, 8.0);
        let far = Array2::from_shape_fn((far, d), |(c, _)| 1e3 * (c + 1) as f64);
        let start = concatenate![Axis(0), blobs.first_rows(near), far];
        (blobs, start)
    })
}

fn fit(blobs: &Blobs, start: &Array2<f64>, policy: Empty) -> Result<KMeans<f64>, KMeansError> {
    let init = KMeansInit::Precomputed(start.clone());
    let params = KMeans::params(start.nrows()).init_method(init).tolerance(0.0).empty(policy);
    params.fit_weighted(&blobs.rows, &blobs.weights)
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn clusters_that_are_given_rows_lower_the_inertia((blobs, start) in case()) {
        let kept = fit(&blobs, &start, Empty::Keep).unwrap();
        for policy in [Empty::Farthest, Empty::SplitLargest] {
            let model = fit(&blobs, &start, policy).unwrap();
            prop_assert!(model.sizes().iter().all(|size| *size > 0));
            prop_assert!(model.report().repairs.iter().any(|repair| repair.action == RepairAction::Relocated));
            for pair in model.report().trace.windows(2) {
                prop_assert!(pair[1] <= pair[0] * (1.0 + 1e-11), "{} after {}", pair[1], pair[0]);
            }
            prop_assert!(model.report().trace[0] < kept.report().trace[0]);
        }
    }

    #[test]
    fn those_that_keep_their_place_or_go_change_nothing_for_others((blobs, start) in case()) {
        let (kept, dropped) = (fit(&blobs, &start, Empty::Keep).unwrap(), fit(&blobs, &start, Empty::Drop).unwrap());
        let near: Vec<usize> = (0..start.nrows()).filter(|c| kept.sizes()[*c] > 0).collect();
        let far: Vec<usize> = (0..start.nrows()).filter(|c| kept.sizes()[*c] == 0).collect();
        prop_assert!(!far.is_empty());
        // One of the others can run empty later, from where it has moved to.
        prop_assume!(far.iter().all(|c| start[[*c, 0]] >= 1e3));
        prop_assert_eq!(kept.centroids().select(Axis(0), &far), start.select(Axis(0), &far));
        prop_assert_eq!(dropped.centroids(), &kept.centroids().select(Axis(0), &near));
        prop_assert_eq!(dropped.predict(&blobs.rows).mapv(|label| near[label]), kept.predict(&blobs.rows));
        assert_close("inertia", dropped.inertia_sum(), kept.inertia_sum(), 1e-12);
        prop_assert_eq!(&dropped.report().trace, &kept.report().trace);
        let gone: Vec<usize> = dropped.report().repairs.iter().filter(|r| r.action == RepairAction::Dropped).map(|r| r.component).collect();
        prop_assert_eq!(gone, far.into_iter().rev().collect::<Vec<_>>());
        for pair in kept.report().trace.windows(2) {
            prop_assert!(pair[1] <= pair[0] * (1.0 + 1e-11));
        }
    }

    #[test]
    fn an_empty_cluster_can_be_an_error((blobs, start) in case()) {
        let error = fit(&blobs, &start, Empty::Error).unwrap_err();
        prop_assert!(matches!(error, KMeansError::EmptyCluster { iteration: 0, .. }), "{error}");
        // Where none runs empty, no policy does anything.
        let near = blobs.first_rows(1);
        let plain = fit(&blobs, &near, Empty::Farthest).unwrap();
        for policy in Empty::ALL {
            let other = fit(&blobs, &near, policy).unwrap();
            prop_assert_eq!(other.centroids(), plain.centroids());
            prop_assert_eq!(other.inertia_sum(), plain.inertia_sum());
        }
    }
}

#[test]
fn the_largest_is_split_and_not_the_one_with_the_farthest_row() {
    let rows = array![[0.0], [0.1], [0.2], [0.3], [0.4], [50.0], [60.0]];
    let start = array![[0.2], [55.0], [999.0]];
    let init = KMeansInit::Precomputed(start);
    let params = KMeans::params(3).init_method(init).max_n_iterations(1);
    let split = params.clone().empty(Empty::SplitLargest).fit(&DatasetBase::from(rows.clone())).unwrap();
    assert!(split.report().repairs[0].detail.contains("took row 0 from component 0"), "{:?}", split.report().repairs);
    let farthest = params.fit(&DatasetBase::from(rows)).unwrap();
    assert!(farthest.report().repairs[0].detail.contains("took row 5 from component 1"));
}

#[test]
fn copies_of_one_row_cannot_be_split() {
    let rows = array![[0.0], [0.0], [0.0], [5.0], [6.0]];
    let init = KMeansInit::Precomputed(array![[0.0], [5.5], [90.0], [91.0]]);
    let params = KMeans::params(4).init_method(init).empty(Empty::SplitLargest);
    let model = params.fit(&DatasetBase::from(rows)).unwrap();
    assert_eq!((model.sizes(), model.inertia_sum()), (&[3, 1, 1, 0][..], 0.0));
    assert!(model.report().repairs.iter().any(|repair| repair.action == RepairAction::KeptEmpty));
}

#[test]
fn a_trimmed_fit_has_its_policy_too() {
    let rows = array![[0.0], [1.0], [9.0], [8.0], [500.0]];
    let init = KMeansInit::Precomputed(array![[-99.0], [0.0], [9.0]]);
    let params = KMeans::params(3).init_method(init).trim(0.2).empty(Empty::Drop);
    let model = params.fit(&DatasetBase::from(rows)).unwrap();
    assert_eq!(model.centroids(), array![[0.5], [8.5]]);
    assert_eq!(model.fit_labels().unwrap(), [Some(0), Some(0), Some(1), Some(1), None]);
}

#[test]
fn batches_leave_empty_clusters_alone() {
    let batch = DatasetBase::from(array![[0.0], [1.0], [5.0]]);
    for policy in Empty::ALL {
        let params = KMeans::<f64>::params(2).empty(policy).check().unwrap();
        let answer = params.fit_with(None, &batch);
        let refused = matches!(answer, Err(IncrKMeansError::Fit(KMeansError::NeedsAllRows(_))));
        assert_eq!(refused, !matches!(policy, Empty::Farthest | Empty::Keep), "{policy}");
    }
}
