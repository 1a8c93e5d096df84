//! Fits of standardised columns: those of scikit-learn's pipelines, and the same whatever the columns' units.

use miscela::prelude::*;
use miscela::{Chunked, ScaledSource, Source, Streamed};
use miscela_tests::{
    Blobs, Record, assert_close, assert_means, assert_near, cases, data, labels, narrow, step_weights,
};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;

/// A digit a row.
fn digits(record: &Record) -> Vec<usize> {
    record.text("labels").chars().filter_map(|c| Some(c.to_digit(10)? as usize)).collect()
}

/// Rows in other units: times powers of two, which round nothing, and moved if that is to be so.
fn in_other_units(rows: &Array2<f64>, powers: &[i32], offset: f64) -> Array2<f64> {
    let mut rows = rows.clone();
    for (j, mut column) in rows.axis_iter_mut(Axis(1)).enumerate() {
        column.mapv_inplace(|x| (x + offset) * 2f64.powi(powers[j % powers.len()]));
    }
    rows
}

#[test]
fn kmeans_is_that_of_a_pipeline_of_scikit_learn() {
    for (name, case) in Record::read("sklearn/standardized.json").at("cases").parts() {
        let (rows, starts) = (data(&name), case.counts("init_rows"));
        for (kind, weights) in [("kmeans", None), ("kmeans_weighted", Some(step_weights(rows.nrows()).to_vec()))] {
            let expected = case.at(kind);
            let scaling = ColumnScaling::standardizing(&rows, weights.as_deref()).unwrap();
            assert_near("mean", &Array1::from(scaling.shift().to_vec()), &expected.vector("mean"), 1e-13);
            assert_near("scale", &Array1::from(scaling.scale().to_vec()), &expected.vector("scale"), 1e-12);
            let scaled = scaling.scaled(&rows);
            let params = KMeans::params(starts.len())
                .init_method(KMeansInit::Precomputed(scaled.select(Axis(0), &starts)))
                .tolerance(0.0)
                .max_n_iterations(1000);
            let model = match &weights {
                Some(weights) => params.fit_weighted(&scaled, weights).unwrap(),
                None => params.fit(&DatasetBase::from(scaled)).unwrap(),
            };
            let model = Scaled::new(scaling, model);
            assert_eq!(model.try_predict(&rows).unwrap().to_vec(), digits(&expected), "{name}, {kind}");
            assert_close("inertia", model.model().inertia_sum(), expected.number("inertia"), 1e-11);
            assert_means("centroids", &model.centroids(), &expected.matrix("centroids"), 1e-11);
        }
    }
}

#[test]
fn mixtures_are_those_of_pipelines_of_scikit_learn() {
    for (name, case) in Record::read("sklearn/standardized.json").at("cases").parts() {
        let (rows, start) = (data(&name), labels(&format!("data/{name}.labels.csv")));
        for (covariance, expected) in case.at("mixtures").parts() {
            let what = format!("{name}, {covariance}");
            let params = GaussianMixture::params(3)
                .covariance(covariance.parse().unwrap())
                .init_method(GmmInitMethod::Labels(start.clone()))
                .reg_covariance(0.0)
                .tolerance(1e-13)
                .max_n_iterations(20_000);
            let dataset = DatasetBase::from(rows.clone());
            let model = Standardized(params).fit(&dataset).unwrap();
            assert_eq!(model.predict(&dataset).to_vec(), digits(&expected), "{what}");
            assert_means(&what, &model.means(), &expected.matrix("means"), 1e-6);
            let score = model.training_score();
            assert_close(&what, score.log_likelihood, expected.number("log_likelihood"), 1e-9);
            assert_close(&what, score.bic, expected.number("bic"), 1e-9);
            let again = model.evaluate(&rows, None).unwrap();
            assert_close(&what, again.bic, score.bic, 1e-12);
            assert_close(&what, again.icl, score.icl, 1e-12);
            let first = model.score_samples(&rows.select(Axis(0), &[0, 1, 2, 3, 4]));
            assert_near(&what, &first, &expected.vector("log_density_first"), 1e-6);
        }
    }
}

/// A structure that adapts to units by itself finds the same in all of them, and its criteria say so.
#[test]
fn criteria_are_to_be_compared_with_those_of_rows_as_they_are() {
    let (rows, start) = (data("penguins"), labels("data/penguins.labels.csv"));
    let dataset = DatasetBase::from(rows.clone());
    for covariance in [Covariance::Full, Covariance::Tied, Covariance::Diagonal, Covariance::Vee, Covariance::Evv] {
        let params = GaussianMixture::params(3)
            .covariance(covariance)
            .init_method(GmmInitMethod::Labels(start.clone()))
            .reg_covariance(0.0)
            .tolerance(1e-12)
            .max_n_iterations(10_000);
        let (plain, scaled) = (params.fit(&dataset).unwrap(), Standardized(params).fit(&dataset).unwrap());
        let (a, b) = (plain.training_score(), scaled.training_score());
        assert_close(&format!("{covariance}"), b.bic, a.bic, 1e-7);
        assert_eq!(a.n_parameters, b.n_parameters);
        let folded = scaled.unscaled().unwrap();
        assert_eq!(folded.covariance(), covariance);
        assert_close("folded", folded.training_score().bic, b.bic, 1e-12);
        assert_close("trace", *folded.report().trace.last().unwrap(), b.log_likelihood, 1e-8);
    }
}

/// The same density, whatever the structure, with noise and with heavy tails.
#[test]
fn a_mixture_of_scaled_rows_is_one_of_the_rows() {
    let blobs = Blobs::new(5, 200, 3, 3, 12.0);
    let rows = in_other_units(&blobs.rows, &[0, 9, -7], 50.0);
    let dataset = DatasetBase::from(rows.clone());
    let check = |params: GmmParams<f64, _>| {
        let what = format!("{params:?}");
        let scaled = Standardized(params).fit(&dataset).unwrap();
        let plain = scaled.unscaled().unwrap();
        assert_near(&what, &plain.score_samples(&rows), &scaled.score_samples(&rows), 1e-9);
        assert_near(&what, &plain.predict_proba(&rows), &scaled.predict_proba(&rows), 1e-9);
        assert_close(&what, plain.evaluate(&rows, None).unwrap().log_likelihood, plain.log_likelihood(), 1e-9);
        let source = Chunked::new(&rows, None, 64);
        let over = scaled.score_over(&mut Streamed::new(&source, Threads::One)).unwrap();
        assert_close(&what, over.icl, scaled.training_score().icl, 1e-9);
        let document = plain.to_document().unwrap();
        assert_eq!(GaussianMixture::from_document(document).unwrap(), plain);
    };
    Covariance::all().for_each(|covariance| check(GaussianMixture::params(3).covariance(covariance)));
    check(GaussianMixture::params(3).noise(Noise::Hypervolume));
    check(GaussianMixture::params(3).tails(Tails::Student(Degrees::Shared)));
}

#[test]
fn constant_columns_and_missing_values() {
    let rows = array![[1.0, 7.0, 0.1], [3.0, 7.0, 0.1], [f64::NAN, 7.0, 0.1], [5.0, f64::NAN, 0.1]];
    let scaling = ColumnScaling::standardizing(&rows, None).unwrap();
    assert_eq!(scaling.shift()[..2], [3.0, 7.0]);
    assert_close("scale", scaling.scale()[0], (8.0f64 / 3.0).sqrt(), 1e-15);
    // A tenth is no binary number, and its mean may be another.
    assert_eq!(scaling.scale()[1..], [1.0, 1.0]);
    let scaled = scaling.scaled(&rows);
    assert!(scaled[[2, 0]].is_nan() && scaled[[3, 1]].is_nan());
    assert_eq!(scaled.column(1).iter().filter(|x| **x == 0.0).count(), 3);
    assert!(ColumnScaling::standardizing(&array![[f64::NAN], [f64::NAN]], None).is_err());
    assert!(ColumnScaling::standardizing(&array![[f64::INFINITY], [1.0]], None).is_err());

    // The likelihood is of what is there.
    let blobs = Blobs::new(3, 150, 2, 2, 9.0);
    let mut rows = in_other_units(&blobs.rows, &[3, -6], 0.0);
    (0..150).step_by(7).for_each(|i| rows[[i, i % 2]] = f64::NAN);
    let params = GaussianMixture::params(2).missing(Missing::Marginal).reg_covariance(0.0).tolerance(1e-12);
    let params = params.max_n_iterations(5000);
    let dataset = DatasetBase::from(rows.clone());
    let (plain, scaled) = (params.fit(&dataset).unwrap(), Standardized(params).fit(&dataset).unwrap());
    assert_close("with gaps", scaled.training_score().bic, plain.training_score().bic, 1e-8);
    assert_close("again", scaled.evaluate(&rows, None).unwrap().bic, plain.training_score().bic, 1e-8);
    assert_near("densities", &scaled.score_samples(&rows), &plain.score_samples(&rows), 1e-5);
}

#[test]
fn a_scaler_of_linfa_can_be_taken_over() {
    use linfa_preprocessing::linear_scaling::LinearScaler;
    let iris = linfa_datasets::iris();
    let scaler = LinearScaler::standard().fit(&iris).unwrap();
    let scale = scaler.scales().mapv(f64::recip).to_vec();
    let theirs = ColumnScaling::new(scaler.offsets().to_vec(), scale).unwrap();
    let ours = ColumnScaling::standardizing_dataset(&iris).unwrap();
    assert_near("rows", &theirs.transform(iris.records().clone()), &scaler.transform(iris.records().clone()), 1e-12);
    assert_near("scales", &Array1::from(ours.scale().to_vec()), &Array1::from(theirs.scale().to_vec()), 1e-12);
}

#[test]
fn files_know_the_scaling_and_others_refuse_them() {
    let (folder, iris) = (tempfile::tempdir().unwrap(), linfa_datasets::iris());
    for ending in ["json", "cbor"] {
        let file = folder.path().join(format!("model.{ending}"));
        let model = Standardized(KMeans::params(3)).fit(&iris).unwrap();
        model.save(&file).unwrap();
        assert_eq!(Scaled::<KMeans<f64>>::load(&file).unwrap(), model);
        let refused = KMeans::<f64>::load(&file).unwrap_err().to_string();
        assert!(refused.contains("scaled rows"), "{refused}");
        assert!(AnyModel::load(&file).is_err());

        let model = Standardized(GaussianMixture::params(3)).fit(&iris).unwrap();
        model.save(&file).unwrap();
        assert_eq!(Scaled::<GaussianMixture<f64>>::load(&file).unwrap(), model);
        assert!(GaussianMixture::<f64>::load(&file).is_err());
        model.model().save(&file).unwrap();
        assert!(Scaled::<GaussianMixture<f64>>::load(&file).unwrap_err().to_string().contains("scaling"));

        let model = Standardized(BisectingKMeans::params(3)).fit(&iris).unwrap();
        model.save(&file).unwrap();
        assert_eq!(Scaled::<BisectingKMeans<f64>>::load(&file).unwrap(), model);
        let model = Standardized(BayesianMixture::params(3)).fit(&iris).unwrap();
        model.save(&file).unwrap();
        assert_eq!(Scaled::<BayesianMixture<f64>>::load(&file).unwrap(), model);
    }
}

#[test]
fn streams_are_scaled_as_they_are_read() {
    let blobs = Blobs::new(8, 500, 3, 3, 20.0);
    let rows = in_other_units(&blobs.rows, &[10, 0, -10], 3.0);
    let weights = blobs.weights.to_vec();
    let source = Chunked::new(&rows, Some(&weights), 64);
    let over = ColumnScaling::standardizing_over(&mut Streamed::<f64>::new(&source, Threads::One)).unwrap();
    let here = ColumnScaling::standardizing(&rows, Some(&weights)).unwrap();
    assert_near("shift", &Array1::from(over.shift().to_vec()), &Array1::from(here.shift().to_vec()), 1e-12);
    assert_near("scale", &Array1::from(over.scale().to_vec()), &Array1::from(here.scale().to_vec()), 1e-12);
    let scaled = ScaledSource::new(&source, &over);
    let read: usize = scaled.chunks().unwrap().map(|chunk| chunk.unwrap().rows.nrows()).sum();
    assert_eq!(read, 500);
    let model = KMeans::params(3).fit_source(&scaled, &mut ()).unwrap();
    let model = Scaled::new(over, model);
    let other = Scaled::new(here.clone(), KMeans::params(3).fit_weighted(&here.scaled(&rows), &weights).unwrap());
    assert_close("inertia", model.model().inertia_sum(), other.model().inertia_sum(), 1e-9);
}

/// Columns far from the origin keep in `f32` what digits they have.
#[test]
fn narrow_rows_are_scaled_in_f64() {
    let rows = narrow(&in_other_units(&Blobs::new(2, 100, 2, 2, 10.0).rows, &[0, 12], 1000.0));
    let (narrow, wide) = (
        ColumnScaling::standardizing(&rows, None).unwrap().scaled(&rows),
        ColumnScaling::standardizing(&rows.mapv(f64::from), None).unwrap().scaled(&rows.mapv(f64::from)),
    );
    assert_near("scaled", &narrow.mapv(f64::from), &wide, 1e-6);
}

proptest! {
    #![proptest_config(cases(24))]

    /// Units do not matter: labels are the same to the last, and likelihoods but for what a unit is worth.
    #[test]
    fn units_change_nothing(
        seed in any::<u64>(),
        powers in prop::collection::vec(-40..40i32, 3),
        (k, n) in (1usize..4, 40usize..120),
        covariance in prop::sample::select(Covariance::all().collect::<Vec<_>>()),
    ) {
        let blobs = Blobs::new(seed, n, 3, k, 15.0);
        let (here, there) = (blobs.rows.clone(), in_other_units(&blobs.rows, &powers, 0.0));
        let weights = blobs.weights.mapv(|w| w as f32);
        let of = |rows: &Array2<f64>| DatasetBase::from(rows.clone()).with_weights(weights.clone());
        let fit = |rows| Standardized(KMeans::params(k)).fit(&of(rows)).unwrap();
        let (a, b) = (fit(&here), fit(&there));
        prop_assert_eq!(a.model().centroids(), b.model().centroids());
        prop_assert_eq!(a.try_predict(&here).unwrap(), b.try_predict(&there).unwrap());
        prop_assert_eq!(in_other_units(&a.centroids(), &powers, 0.0), b.centroids());

        let fit = |rows| Standardized(GaussianMixture::params(k).covariance(covariance)).fit(&of(rows)).unwrap();
        let (a, b) = (fit(&here), fit(&there));
        prop_assert_eq!(a.try_predict(&here).unwrap(), b.try_predict(&there).unwrap());
        let unit: f64 = powers.iter().map(|power| f64::from(*power) * std::f64::consts::LN_2).sum();
        let (a, b) = (a.score_samples(&here), b.score_samples(&there));
        prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - (b + unit)).abs() < 1e-9 * (1.0 + a.abs() + unit.abs())));
    }
}
