//! Data at the edge: right answers or a clear error, never a panic, never a NaN.

use miscela::prelude::*;
use miscela::{L2, SamplesError};
use miscela_tests::{Blobs, assert_close, assert_covariances, assert_means, narrow};
use ndarray::{Array1, Array2, Axis, array, concatenate};

type Rows = DatasetBase<Array2<f64>, ()>;

fn dataset(rows: &Array2<f64>) -> Rows {
    DatasetBase::new(rows.clone(), ())
}

fn rules() -> [Assignment; 3] {
    [Assignment::Soft, Assignment::Hard, Assignment::Tempered(0.5)]
}

/// All structures and rules, from k-means.
fn mixtures(k: usize) -> impl Iterator<Item = GmmParams<f64, rand_xoshiro::Xoshiro256Plus>> {
    Covariance::all().flat_map(move |covariance| {
        rules().map(|assignment| {
            GaussianMixture::params(k).covariance(covariance).assignment(assignment).reg_covariance(0.0)
        })
    })
}

/// Finite in all its parts, positive definite, and probabilities that are.
fn is_sound(model: &GaussianMixture<f64>, rows: &Array2<f64>) {
    let what = format!("{} {}", model.covariance(), model.assignment());
    assert!(model.means().iter().all(|x| x.is_finite()), "{what}: means {}", model.means());
    assert!(model.weights().iter().all(|x| x.is_finite() && *x >= 0.0), "{what}: weights {}", model.weights());
    assert_close(&what, model.weights().sum(), 1.0, 1e-12);
    assert!(model.covariances().iter().all(|x| x.is_finite()), "{what}: covariances {}", model.covariances());
    assert!(model.log_likelihood().is_finite(), "{what}: log-likelihood {}", model.log_likelihood());
    assert!(model.report().trace.iter().all(|x| x.is_finite()), "{what}: trace {:?}", model.report().trace);
    assert_eq!(model.report().trace.len(), model.report().iterations);
    for row in model.predict_proba(rows).outer_iter() {
        assert_close(&what, row.sum(), 1.0, 1e-9);
    }
}

// ---- where the data lie, and in what unit

#[test]
fn an_offset_of_1e8_costs_few_digits() {
    let blobs = Blobs::new(1, 600, 3, 3, 10.0);
    // Whole multiples of 2⁻¹⁶, so that adding 1e8 rounds nothing away.
    let rows = blobs.rows.mapv(|x| (x * 65536.0).round() / 65536.0);
    let far = &rows + 1e8;
    let start = rows.select(Axis(0), &[0, 1, 2]);
    let kmeans = |rows: &Array2<f64>, start: Array2<f64>| {
        KMeans::params(3).init_method(KMeansInit::Precomputed(start)).tolerance(0.0).fit(&dataset(rows)).unwrap()
    };
    let (near, away) = (kmeans(&rows, start.clone()), kmeans(&far, &start + 1e8));
    assert_eq!(near.predict(&rows), away.predict(&far));
    assert_close("inertia", away.inertia_sum(), near.inertia_sum(), 1e-7);
    for params in mixtures(3) {
        let params =
            params.init_method(GmmInitMethod::Labels(blobs.labels.clone())).max_n_iterations(10).tolerance(0.0);
        let (near, away) = (params.fit(&dataset(&rows)).unwrap(), params.fit(&dataset(&far)).unwrap());
        // Means near 1e8 are good to 1.5e-8, one part in 1e8 of the spread.
        assert_close("log-likelihood", away.log_likelihood(), near.log_likelihood(), 1e-7);
        assert_covariances("covariances", &away.covariances(), &near.covariances(), 1e-6);
        is_sound(&away, &far);
    }
}

/// `f32` has a step of 8 at 1e8, so that only what is left of the rows can be clustered; at 1e4 all is well.
#[test]
fn an_offset_in_single_precision() {
    let blobs = Blobs::new(2, 300, 2, 2, 20.0);
    let far = narrow(&(&blobs.rows + 1e4));
    let model = GaussianMixture::params(2).fit(&DatasetBase::new(far.clone(), ())).unwrap();
    let wide = GaussianMixture::params(2).fit(&dataset(&far.mapv(f64::from))).unwrap();
    assert_eq!(model.predict(&far), wide.predict(&far.mapv(f64::from)));
    assert_close("log-likelihood", model.log_likelihood(), wide.log_likelihood(), 1e-3);
}

#[test]
fn units_from_1e_minus_150_to_1e150() {
    let blobs = Blobs::new(3, 300, 3, 3, 10.0);
    let kmeans = KMeans::params(3).fit(&dataset(&blobs.rows)).unwrap();
    for unit in [1e-150, 1e-100, 1e-30, 1e-8, 1e8, 1e30, 1e100, 1e150] {
        let rows = &blobs.rows * unit;
        let model = KMeans::params(3).fit(&dataset(&rows)).unwrap();
        assert_eq!(model.predict(&rows), kmeans.predict(&blobs.rows), "unit {unit:e}");
        assert_means("centroids", &(model.centroids() / unit), kmeans.centroids(), 1e-9);
        assert_close("inertia", model.inertia_sum() / unit / unit, kmeans.inertia_sum(), 1e-9);
        for params in mixtures(3) {
            let params =
                params.init_method(GmmInitMethod::Labels(blobs.labels.clone())).max_n_iterations(5).tolerance(0.0);
            let (plain, scaled) = (params.fit(&dataset(&blobs.rows)).unwrap(), params.fit(&dataset(&rows)).unwrap());
            let shift = rows.len() as f64 * unit.ln();
            let error = (scaled.log_likelihood() + shift - plain.log_likelihood()).abs();
            assert!(error <= 1e-9 * shift.abs(), "{} in the unit {unit:e}: off by {error}", plain.covariance());
            assert_eq!(scaled.predict(&rows), plain.predict(&blobs.rows));
            is_sound(&scaled, &rows);
        }
    }
}

/// Columns of units that differ by 1e12, for structures that let columns differ.
#[test]
fn columns_of_very_different_units() {
    let blobs = Blobs::new(4, 300, 3, 2, 10.0);
    let units = array![1e-6, 1.0, 1e6];
    for covariance in [Covariance::Full, Covariance::Tied, Covariance::Diagonal, Covariance::TiedDiagonal] {
        let params = GaussianMixture::params(2).covariance(covariance).reg_covariance(0.0);
        let params = params.init_method(GmmInitMethod::Labels(blobs.labels.clone())).max_n_iterations(10);
        let (plain, scaled) = (params.fit(&dataset(&blobs.rows)), params.fit(&dataset(&(&blobs.rows * &units))));
        let (plain, scaled) = (plain.unwrap(), scaled.unwrap());
        assert!(scaled.report().repairs.is_empty());
        assert_close("log-likelihood", scaled.log_likelihood(), plain.log_likelihood(), 1e-9);
    }
}

// ---- columns and rows that say little

#[test]
fn constant_columns() {
    let blobs = Blobs::new(5, 200, 2, 2, 10.0);
    for constant in [0.0, 1.0, -1e9] {
        let rows = concatenate![Axis(1), blobs.rows, Array2::from_elem((200, 1), constant)];
        let model = KMeans::params(2).fit(&dataset(&rows)).unwrap();
        let plain = KMeans::params(2).fit(&dataset(&blobs.rows)).unwrap();
        assert_eq!(model.predict(&rows), plain.predict(&blobs.rows));
        assert_close("inertia", model.inertia_sum(), plain.inertia_sum(), 1e-9);
        assert!(model.centroids().column(2).iter().all(|c| *c == constant));
        for params in mixtures(2) {
            let model = params.fit(&dataset(&rows)).unwrap();
            is_sound(&model, &rows);
            assert!(model.means().column(2).iter().all(|m| *m == constant), "{}", model.means());
            // Spheres have no column of their own to collapse.
            let has_columns = !matches!(model.covariance(), Covariance::Spherical | Covariance::TiedSpherical);
            let floored = model.report().repairs.iter().any(|repair| repair.action.name() == "floored");
            assert_eq!(floored, has_columns, "{}", model.covariance());
        }
        let only = Array2::from_elem((50, 1), constant);
        let model = KMeans::params(1).fit(&dataset(&only)).unwrap();
        assert_eq!(model.inertia_sum(), 0.0);
        assert_eq!(model.centroids(), &array![[constant]]);
    }
}

#[test]
fn duplicates_of_few_rows() {
    let few = array![[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]];
    let rows = few.select(Axis(0), &(0..90).map(|i| i % 3).collect::<Vec<_>>());
    for init in [KMeansInit::Random, KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPara] {
        let model = KMeans::params(3).init_method(init).fit(&dataset(&rows)).unwrap();
        assert_eq!(model.inertia_sum(), 0.0);
        assert_eq!(model.sizes(), [30, 30, 30]);
    }
    for params in mixtures(3) {
        let model = params.fit(&dataset(&rows)).unwrap();
        is_sound(&model, &rows);
        assert_eq!(model.sizes(), [30, 30, 30]);
        assert!(model.report().repairs.iter().any(|repair| repair.action.name() == "floored"));
    }
}

#[test]
fn fewer_distinct_rows_than_clusters() {
    let rows = array![[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [3.0, 4.0], [1.0, 2.0]];
    for init in [KMeansInit::Random, KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPara] {
        let error = KMeans::params(3).init_method(init).fit(&dataset(&rows)).unwrap_err().to_string();
        assert!(error.contains('2') && error.contains('3'), "{error}");
    }
    for params in mixtures(3) {
        let error = params.fit(&dataset(&rows)).unwrap_err().to_string();
        assert!(error.contains('2') && error.contains('3'), "{error}");
    }
    // −0 is 0.
    let zeros = array![[0.0], [-0.0], [0.0]];
    assert!(KMeans::params(2).fit(&dataset(&zeros)).is_err());
    // Rows of no weight are not there.
    let rows = array![[1.0], [2.0], [3.0]];
    let error = KMeans::params(3).fit_weighted(&rows, &[1.0, 0.0, 1.0]).unwrap_err().to_string();
    assert!(error.contains('2') && error.contains('3'), "{error}");
    // Given centres may be as many as they like: those without rows stay where they are, and the report says so.
    let rows = array![[1.0], [1.0], [5.0], [5.0]];
    let start = KMeansInit::Precomputed(array![[1.0], [5.0], [9.0]]);
    let model = KMeans::params(3).init_method(start).fit(&dataset(&rows)).unwrap();
    assert_eq!(model.centroids(), &array![[1.0], [5.0], [9.0]]);
    assert_eq!(model.sizes(), [2, 2, 0]);
    assert!(model.report().repairs.iter().any(|r| r.component == 2 && r.action.name() == "kept-empty"));
}

#[test]
fn all_rows_equal_and_one_cluster() {
    let rows = Array2::from_elem((20, 3), 7.5);
    let model = KMeans::params(1).fit(&dataset(&rows)).unwrap();
    assert_eq!(model.centroids(), &array![[7.5, 7.5, 7.5]]);
    assert_eq!(model.inertia_sum(), 0.0);
    for params in mixtures(1) {
        let model = params.fit(&dataset(&rows)).unwrap();
        is_sound(&model, &rows);
        assert_eq!(model.means(), &array![[7.5, 7.5, 7.5]]);
        assert!(!model.report().repairs.is_empty());
    }
}

// ---- very small problems

#[test]
fn one_column() {
    let rows = array![[1.0], [1.2], [0.8], [9.0], [9.1], [8.9]];
    let model = KMeans::params(2).fit(&dataset(&rows)).unwrap();
    assert_close("inertia", model.inertia_sum(), 0.08 + 0.02, 1e-12);
    // In one column the structures with a shape of their own agree, and so do the tied ones.
    let fit = |covariance| {
        let params = GaussianMixture::params(2).covariance(covariance).reg_covariance(0.0);
        params.fit(&dataset(&rows)).unwrap()
    };
    for (group, first) in [
        ([Covariance::Full, Covariance::Diagonal, Covariance::Spherical], Covariance::Full),
        ([Covariance::Tied, Covariance::TiedDiagonal, Covariance::TiedSpherical], Covariance::Tied),
    ] {
        let first = fit(first);
        for other in group.map(fit) {
            assert_close("log-likelihood", other.log_likelihood(), first.log_likelihood(), 1e-12);
            assert_covariances("covariances", &other.covariances(), &first.covariances(), 1e-12);
            assert_eq!(other.n_parameters(), first.n_parameters());
        }
    }
}

/// One component is the normal distribution: mean, covariance and likelihood in closed form.
#[test]
fn one_component() {
    let blobs = Blobs::new(6, 100, 2, 1, 1.0);
    let (rows, weights) = (&blobs.rows, &blobs.weights);
    let total = weights.sum();
    let mean = weights.dot(rows) / total;
    let centred = rows - &mean;
    let covariance = (&centred * &weights.clone().insert_axis(Axis(1))).t().dot(&centred) / total;
    let model = KMeans::params(1).fit_weighted(rows, weights).unwrap();
    assert_means("centroid", model.centroids(), &mean.clone().insert_axis(Axis(0)), 1e-12);
    assert_close("inertia", model.inertia_sum(), total * covariance.diag().sum(), 1e-12);
    assert_eq!(model.sizes(), [100]);
    for params in mixtures(1) {
        let model = params.fit_weighted(rows, weights).unwrap();
        assert_means("mean", model.means(), &mean.clone().insert_axis(Axis(0)), 1e-12);
        assert_eq!(model.weights(), &array![1.0]);
        if matches!(model.covariance(), Covariance::Full | Covariance::Tied) {
            assert_covariances("covariance", &model.covariances(), &covariance.clone().insert_axis(Axis(0)), 1e-12);
            let determinant = covariance[[0, 0]] * covariance[[1, 1]] - covariance[[0, 1]].powi(2);
            let expected = -0.5 * total * (determinant.ln() + 2.0 * (std::f64::consts::TAU.ln() + 1.0));
            assert_close("log-likelihood", model.log_likelihood(), expected, 1e-12);
        }
    }
}

#[test]
fn as_many_clusters_as_rows() {
    let rows = array![[0.0, 1.0], [2.0, 3.0], [4.0, 9.0], [-5.0, 2.0]];
    for init in [KMeansInit::Random, KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPara] {
        let model = KMeans::params(4).init_method(init).fit(&dataset(&rows)).unwrap();
        assert_eq!(model.inertia_sum(), 0.0);
        assert_eq!(model.sizes(), [1, 1, 1, 1]);
    }
    for params in mixtures(4) {
        let model = params.fit(&dataset(&rows)).unwrap();
        is_sound(&model, &rows);
        assert_eq!(model.sizes(), [1, 1, 1, 1]);
    }
}

#[test]
fn one_row() {
    let rows = array![[3.0, -1.0]];
    let model = KMeans::params(1).fit(&dataset(&rows)).unwrap();
    assert_eq!(model.centroids(), &rows);
    assert_eq!(model.predict(&rows), array![0]);
    assert_eq!(model.inertia(), 0.0);
    for params in mixtures(1) {
        let model = params.fit(&dataset(&rows)).unwrap();
        is_sound(&model, &rows);
        assert_eq!(model.means(), &rows);
    }
}

// ---- what cannot be done

#[test]
fn values_that_are_not_numbers_are_named() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut rows = Blobs::new(8, 40, 3, 2, 5.0).rows;
        rows[[17, 2]] = bad;
        let error = KMeans::params(2).fit(&dataset(&rows)).unwrap_err();
        let names = |error: &SamplesError| match error {
            SamplesError::Missing { count: 1, row: 17, column: 2 } => bad.is_nan(),
            SamplesError::NotFinite { row: 17, column: 2, .. } => bad.is_infinite(),
            _ => false,
        };
        let expected = matches!(&error, miscela::KMeansError::Samples(error) if names(error));
        assert!(expected, "{error}");
        assert!(error.to_string().contains("17"), "{error}");
        for params in mixtures(2) {
            let error = params.fit(&dataset(&rows)).unwrap_err();
            let expected = matches!(&error, miscela::GmmError::Samples(error) if names(error));
            assert!(expected, "{error}");
        }
        let good = Blobs::new(8, 40, 3, 2, 5.0).rows;
        assert!(KMeans::params(2).fit(&dataset(&good)).unwrap().try_predict(&rows).is_err());
        assert!(GaussianMixture::params(2).fit(&dataset(&good)).unwrap().try_predict(&rows).is_err());
        let weights = Array1::from_shape_fn(40, |i| if i == 3 { bad } else { 1.0 });
        let error = KMeans::params(2).fit_weighted(&good, &weights).unwrap_err().to_string();
        assert!(error.contains("weight") && error.contains('3'), "{error}");
    }
}

#[test]
fn calls_that_make_no_sense_are_errors() {
    let rows = Blobs::new(9, 10, 2, 2, 5.0).rows;
    let ds = dataset(&rows);
    let kmeans = |params: KMeansParams<f64, _, L2>| params.fit(&ds).unwrap_err().to_string();
    let text = kmeans(KMeans::params(11));
    assert!(text.contains("10") && text.contains("11"), "{text}");
    kmeans(KMeans::params(0));
    kmeans(KMeans::params(2).n_runs(0));
    kmeans(KMeans::params(2).tolerance(-1.0));
    kmeans(KMeans::params(2).tolerance(f64::NAN));
    kmeans(KMeans::params(2).threads(Threads::Count(0)));
    kmeans(KMeans::params(2).init_method(KMeansInit::Precomputed(Array2::zeros((3, 2)))));
    kmeans(KMeans::params(2).init_method(KMeansInit::Precomputed(Array2::zeros((2, 3)))));
    kmeans(KMeans::params(1).init_method(KMeansInit::Precomputed(array![[f64::NAN, 0.0]])));
    let mixture = |params: GmmParams<f64, _>| params.fit(&ds).unwrap_err().to_string();
    let text = mixture(GaussianMixture::params(11));
    assert!(text.contains("10") && text.contains("11"), "{text}");
    mixture(GaussianMixture::params(0));
    mixture(GaussianMixture::params(2).n_runs(0));
    mixture(GaussianMixture::params(2).tolerance(-1.0));
    mixture(GaussianMixture::params(2).reg_covariance(f64::INFINITY));
    mixture(GaussianMixture::params(2).assignment(Assignment::Tempered(0.0)));
    mixture(GaussianMixture::params(2).init_method(GmmInitMethod::Labels(vec![0; 9])));
    mixture(GaussianMixture::params(2).init_method(GmmInitMethod::Labels(vec![0; 10])));
    mixture(GaussianMixture::params(2).init_method(GmmInitMethod::Labels((0..10).collect())));
    mixture(GaussianMixture::params(2).init_method(GmmInitMethod::Responsibilities(Array2::ones((10, 2)))));
    mixture(GaussianMixture::params(2).init_method(GmmInitMethod::means(Array2::zeros((2, 3)))));
    for covariance in
        [array![[1.0, 2.0], [2.0, 1.0]], array![[1.0, 0.5], [0.0, 1.0]], array![[f64::NAN, 0.0], [0.0, 1.0]]]
    {
        mixture(GaussianMixture::params(2).covariance(Covariance::Tied).init_method(GmmInitMethod::Parameters {
            weights: Some(array![0.5, 0.5]),
            means: array![[0.0, 0.0], [1.0, 1.0]],
            covariances: Some(Covariances::Tied(covariance)),
        }));
    }
    mixture(GaussianMixture::params(2).init_method(GmmInitMethod::Parameters {
        weights: Some(array![0.5, 0.6]),
        means: array![[0.0, 0.0], [1.0, 1.0]],
        covariances: None,
    }));
    // No rows, no columns, no weight, weights that are none.
    for empty in [Array2::zeros((0, 2)), Array2::zeros((3, 0))] {
        assert!(KMeans::params(1).fit(&dataset(&empty)).is_err());
        assert!(GaussianMixture::params(1).fit(&dataset(&empty)).is_err());
    }
    for weights in [vec![0.0; 10], vec![1.0; 9], vec![-1.0; 10]] {
        assert!(KMeans::params(1).fit_weighted(&rows, &weights).is_err());
        assert!(GaussianMixture::params(1).fit_weighted(&rows, &weights).is_err());
    }
    let model = KMeans::params(2).fit(&ds).unwrap();
    let error = model.try_predict(&Array2::zeros((1, 3))).unwrap_err().to_string();
    assert!(error.contains('2') && error.contains('3'), "{error}");
    let model = GaussianMixture::params(2).fit(&ds).unwrap();
    let error = model.try_predict(&Array2::zeros((1, 3))).unwrap_err().to_string();
    assert!(error.contains('2') && error.contains('3'), "{error}");
}

// ---- repairs

/// An empty cluster takes the farthest distinct row of positive weight, with all its copies; the report says which.
#[test]
fn empty_clusters_take_the_farthest_rows() {
    let rows = array![[0.0], [1.0], [2.0], [50.0], [50.0], [1000.0]];
    let weights = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0];
    let start = KMeansInit::Precomputed(array![[1.0], [-500.0]]);
    let params = KMeans::params(2).init_method(start).tolerance(0.0);
    let model = params.fit_weighted(&rows, &weights).unwrap();
    assert_eq!(model.centroids(), &array![[1.0], [50.0]]);
    assert_eq!(model.sizes(), [3, 2]);
    let repair = &model.report().repairs[0];
    assert_eq!((repair.iteration, repair.component, repair.action.name()), (1, 1, "relocated"));
    assert!(repair.detail.contains('3'), "{}", repair.detail);
    // All k start centres at one point.
    let blobs = Blobs::new(10, 200, 2, 4, 20.0);
    for k in 2..8 {
        let start = KMeansInit::Precomputed(Array2::from_elem((k, 2), 3.0));
        let model = KMeans::params(k).init_method(start).tolerance(0.0).fit(&dataset(&blobs.rows)).unwrap();
        assert!(model.sizes().iter().all(|size| *size > 0), "{:?}", model.sizes());
        assert!(model.report().trace.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-12)));
    }
}

/// A component that shrinks onto one row has an infinite likelihood: the floor keeps it finite, and says so.
#[test]
fn collapsing_components_are_kept_from_zero() {
    let mut rows = Blobs::new(11, 100, 2, 1, 1.0).rows;
    rows.row_mut(99).fill(40.0);
    for covariance in Covariance::all() {
        for assignment in rules() {
            let labels = (0..100).map(|i| usize::from(i == 99)).collect();
            let params = GaussianMixture::params(2).covariance(covariance).assignment(assignment).reg_covariance(0.0);
            let params = params.init_method(GmmInitMethod::Labels(labels)).tolerance(0.0).max_n_iterations(20);
            let model = params.fit(&dataset(&rows)).unwrap();
            is_sound(&model, &rows);
            // EEV shares its variances, though not its axes.
            let shared = covariance.is_tied() || covariance == Covariance::Eev;
            let floored = model.report().repairs.iter().any(|r| r.component == 1 && r.action.name() == "floored");
            assert_eq!(floored, !shared, "{covariance} {assignment}");
            assert_eq!(model.sizes(), [99, 1]);
            let trace = &model.report().trace;
            assert!(trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9 * pair[0].abs()), "{trace:?}");
        }
    }
}

/// A component far from all rows gets no weight: it keeps its mean and takes the pooled shape.
#[test]
fn components_without_rows_survive() {
    let rows = Blobs::new(12, 100, 2, 1, 1.0).rows;
    for params in mixtures(2) {
        let params = params.init_method(GmmInitMethod::Parameters {
            weights: Some(array![0.5, 0.5]),
            means: array![[0.0, 0.0], [1e6, 1e6]],
            covariances: Some(Covariances::TiedSpherical(1.0)),
        });
        let model = params.max_n_iterations(5).fit(&dataset(&rows)).unwrap();
        is_sound(&model, &rows);
        assert!(!model.report().repairs.is_empty(), "{} {}", model.covariance(), model.assignment());
    }
}

/// More columns than rows in any component: every full covariance is singular.
#[test]
fn more_columns_than_rows() {
    let rows = Blobs::new(13, 12, 20, 2, 10.0).rows;
    for params in mixtures(2) {
        let model = params.fit(&dataset(&rows)).unwrap();
        is_sound(&model, &rows);
    }
}

/// Ties everywhere: a grid, and centres on its lines. Sizes are those of the labels, and every label is a nearest centre.
#[test]
fn rows_between_two_centres() {
    let rows = Array2::from_shape_fn((441, 2), |(i, j)| if j == 0 { (i / 21) as f64 } else { (i % 21) as f64 });
    for k in 1..12 {
        let centres = rows.select(Axis(0), &(0..k).map(|c| c * 40).collect::<Vec<_>>());
        let params = KMeans::params(k).init_method(KMeansInit::Precomputed(centres)).tolerance(0.0);
        let model = params.fit(&dataset(&rows)).unwrap();
        let labels = model.predict(&rows);
        let mut sizes = vec![0; k];
        labels.iter().for_each(|label| sizes[*label] += 1);
        assert_eq!(model.sizes(), sizes, "k = {k}");
        let own = model.transform(&rows);
        let all = model.distances(&rows);
        for (i, own) in own.iter().enumerate() {
            let least = all.row(i).fold(f64::INFINITY, |m, x| m.min(*x));
            assert!(own.sqrt() <= least * (1.0 + 1e-9) + 1e-12, "row {i}");
        }
    }
}
