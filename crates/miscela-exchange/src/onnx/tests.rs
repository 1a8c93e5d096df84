//! Graphs say what the library says, by an interpreter that knows nothing of clusters.

use super::interpreter::run;
use super::{OPSET, encode, proto};
use crate::plain::Plain;
use crate::{ExchangeError, Format};
use miscela::prelude::*;
use miscela::{AnyCentred, AnyDistance, AnyModel, Cosine, Covariance, Degrees, Mahalanobis, Noise, Tails};
use ndarray::{Array1, Array2, Axis, array, concatenate};
use proptest::prelude::*;
use prost::Message;
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;
use std::collections::HashMap;

/// What comes out of a graph.
struct Answer(HashMap<String, ndarray::ArrayD<f64>>);

impl Answer {
    fn labels(&self) -> Vec<usize> {
        self.0["label"].iter().map(|label| *label as usize).collect()
    }

    fn matrix(&self, name: &str) -> Array2<f64> {
        self.0[name].clone().into_dimensionality().unwrap()
    }

    fn vector(&self, name: &str) -> Array1<f64> {
        self.0[name].clone().into_dimensionality().unwrap()
    }
}

/// The file's graph, run on these rows, through its bytes.
fn answer(model: &AnyModel, rows: &Array2<f64>) -> Answer {
    run_file(Format::Onnx.encode(model).unwrap(), rows)
}

fn run_file(bytes: Vec<u8>, rows: &Array2<f64>) -> Answer {
    let model = proto::Model::decode(&bytes[..]).unwrap();
    assert_eq!(model.opset_import[0].version, Some(OPSET));
    Answer(run(model.graph.as_ref().unwrap(), rows.clone().into_dyn()))
}

fn close(got: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    assert_eq!(got.dim(), expected.dim());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance * expected.abs().max(1.0), "{got} is not {expected}");
    }
}

fn column(of: Array1<f64>) -> Array2<f64> {
    of.insert_axis(Axis(1))
}

/// Three lumps about 0, 4 and 8 in each column, all of it moved by an offset; 90 rows.
fn lumps(d: usize, offset: f64) -> Array2<f64> {
    let wave = |i: usize, j: usize| ((i * (7 + 3 * j) + 5 * j) as f64 * 0.7311).sin() * (1.0 + 0.3 * j as f64);
    Array2::from_shape_fn((90, d), |(i, j)| offset + 4.0 * (i % 3) as f64 + wave(i, j))
}

fn check_mixture(model: &GaussianMixture<f64>, rows: &Array2<f64>, tolerance: f64) {
    let got = answer(&AnyModel::GmmF64(model.clone()), rows);
    assert_eq!(got.labels(), model.try_predict(rows).unwrap().to_vec());
    close(&got.matrix("probabilities"), &model.predict_proba(rows), tolerance);
    close(&column(got.vector("log_density")), &column(model.score_samples(rows)), tolerance);
}

#[test]
fn mixtures_of_every_structure() {
    for d in [1, 3] {
        for offset in [0.0, 1e7] {
            let rows = lumps(d, offset);
            for covariance in Covariance::all() {
                let fit = GaussianMixture::params(3).covariance(covariance).max_n_iterations(20);
                let model = fit.fit(&DatasetBase::from(rows.clone())).unwrap();
                check_mixture(&model, &rows, 1e-11);
            }
        }
    }
}

#[test]
fn noise_and_heavy_tails() {
    let rows = concatenate![Axis(0), lumps(2, 0.0), array![[60.0, -40.0], [-55.0, 70.0]]];
    let dataset = DatasetBase::from(rows.clone());
    let noisy = GaussianMixture::params(3).noise(Noise::Hypervolume).fit(&dataset).unwrap();
    check_mixture(&noisy, &rows, 1e-11);
    assert_eq!(answer(&AnyModel::GmmF64(noisy), &rows).labels()[90..], [3, 3]);
    for degrees in [Degrees::Given(1.5), Degrees::Given(1e6), Degrees::Each] {
        let fit = GaussianMixture::params(3).covariance(Covariance::Vev).tails(Tails::Student(degrees));
        check_mixture(&fit.fit(&dataset).unwrap(), &rows, 1e-11);
    }
}

#[test]
fn where_all_densities_are_zero_nothing_is_nan() {
    let model = GaussianMixture::params(3).fit(&DatasetBase::from(lumps(2, 0.0))).unwrap();
    let far = array![[1e200, -1e200], [0.0, 0.0]];
    let got = answer(&AnyModel::GmmF64(model.clone()), &far);
    assert_eq!(got.matrix("probabilities").row(0), array![0.0, 0.0, 0.0]);
    let (got, expected) = (got.vector("log_density"), model.score_samples(&far));
    assert!(got[0] < -1e307 && expected[0] < -1e307, "{got} {expected}");
}

#[test]
fn bayesian_mixtures() {
    let rows = lumps(2, 100.0);
    for covariance in [Covariance::Full, Covariance::Tied, Covariance::Diagonal, Covariance::Spherical] {
        let fit = BayesianMixture::params(5).covariance(covariance);
        let model = fit.fit(&DatasetBase::from(rows.clone())).unwrap();
        let got = answer(&AnyModel::BayesianF64(model.clone()), &rows);
        assert_eq!(got.labels(), model.try_predict(&rows).unwrap().to_vec());
        close(&got.matrix("probabilities"), &model.predict_proba(&rows), 1e-11);
        close(&column(got.vector("log_density")), &column(model.mixture().score_samples(&rows)), 1e-11);
    }
}

fn kmeans(k: usize, rows: &Array2<f64>, distance: AnyCentred) -> KMeans<f64, AnyCentred> {
    let rng = Xoshiro256Plus::seed_from_u64(42);
    KMeans::params_with(k, rng, distance).fit(&DatasetBase::from(rows.clone())).unwrap()
}

fn named(name: &str) -> AnyCentred {
    AnyDistance::from_name(name).unwrap().try_into().unwrap()
}

#[test]
fn kmeans_by_every_distance_that_operators_can_say() {
    let covariance = array![[2.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 0.7]];
    let mahalanobis = Mahalanobis::from_covariance(covariance.view()).unwrap();
    for distance in [named("l2"), named("sqeuclidean"), named("l1"), Cosine.into(), mahalanobis.into()] {
        for offset in [0.5, 1e7] {
            let rows = lumps(3, offset);
            let model = kmeans(3, &rows, distance.clone());
            let got = answer(&AnyModel::KMeansF64(model.clone()), &rows);
            assert_eq!(got.labels(), model.try_predict(&rows).unwrap().to_vec(), "{}", distance.name());
            close(&got.matrix("distances"), &model.distances(&rows), 1e-13);
        }
    }
}

#[test]
fn divergences_are_refused_in_one_sentence() {
    for name in ["kl", "itakura-saito"] {
        let model = AnyModel::KMeansF64(kmeans(2, &lumps(2, 20.0), named(name)));
        let error = Format::Onnx.encode(&model).unwrap_err();
        assert!(matches!(error, ExchangeError::Inexpressible { .. }));
        assert!(error.to_string().starts_with(&format!("ONNX cannot hold k-means by {name}: ")), "{error}");
    }
}

#[test]
fn trimmed_rows_have_the_label_k() {
    let rows = concatenate![Axis(0), lumps(2, 0.0), array![[60.0, -40.0], [-55.0, 70.0]]];
    let model = KMeans::params(3).trim(0.05).fit(&DatasetBase::from(rows.clone())).unwrap();
    let expected: Vec<usize> = model.predict_trimmed(&rows).unwrap().iter().map(|label| label.unwrap_or(3)).collect();
    assert!(expected.contains(&3));
    assert_eq!(answer(&AnyModel::KMeansF64(model.into_any()), &rows).labels(), expected);
}

#[test]
fn rows_go_down_a_tree() {
    for (k, d) in [(1, 2), (2, 1), (7, 2), (12, 3)] {
        let rows = lumps(d, 0.0);
        let model = BisectingKMeans::params(k).fit(&DatasetBase::from(rows.clone())).unwrap().into_any();
        let got = answer(&AnyModel::BisectingF64(model.clone()), &rows);
        assert_eq!(got.labels(), model.try_predict(&rows).unwrap().to_vec(), "k = {k}");
        assert_eq!(got.matrix("distances").dim(), (90, k));
    }
}

#[test]
fn ties_go_to_the_lowest_index() {
    let model = KMeans::from_centroids(array![[1.0], [-1.0], [1.0]], miscela::L2).unwrap();
    let rows = array![[0.0], [1.0], [-3.0]];
    assert_eq!(answer(&AnyModel::KMeansF64(model.into_any()), &rows).labels(), [0, 0, 1]);
}

#[test]
fn narrow_models_have_narrow_numbers() {
    let rows = lumps(2, 0.0).mapv(|x| x as f32);
    let model = GaussianMixture::params(3).fit(&DatasetBase::from(rows.clone())).unwrap();
    let got = answer(&AnyModel::GmmF32(model.clone()), &rows.mapv(f64::from));
    assert_eq!(got.labels(), model.try_predict(&rows).unwrap().to_vec());
    close(&got.matrix("probabilities"), &model.predict_proba(&rows).mapv(f64::from), 1e-5);
    let bytes = Format::Onnx.encode(&AnyModel::GmmF32(model)).unwrap();
    let graph = proto::Model::decode(&bytes[..]).unwrap().graph.unwrap();
    let narrow = |tensor: &proto::Tensor| [1, 7].contains(&tensor.data_type.unwrap());
    assert!(graph.initializer.iter().all(narrow));
}

#[test]
fn names_and_kind_are_in_the_metadata() {
    let model = kmeans(2, &lumps(2, 0.0), named("l1")).with_feature_names(vec!["a \"b\"".into(), "ü".into()]);
    let bytes = encode(&Plain::of(&AnyModel::KMeansF64(model)).unwrap()).unwrap();
    let model = proto::Model::decode(&bytes[..]).unwrap();
    let find = |key: &str| {
        let entry = model.metadata_props.iter().find(|entry| entry.key.as_deref() == Some(key));
        entry.unwrap().value.clone().unwrap()
    };
    assert_eq!((find("kind"), find("metric")), ("kmeans".to_string(), "l1".to_string()));
    assert_eq!(serde_json::from_str::<Vec<String>>(&find("feature_names")).unwrap(), ["a \"b\"", "ü"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_centres_and_rows(
        numbers in prop::collection::vec(-100.0..100.0f64, 60),
        k in 1..6usize,
        d in 1..5usize,
        offset in prop::sample::select(vec![0.0, 1e7]),
    ) {
        let all: Vec<f64> = numbers.iter().map(|x| offset + x.round() / 2.0).collect();
        let n = all.len() / d;
        let rows = Array2::from_shape_vec((n, d), all[..n * d].to_vec()).unwrap();
        let centres = rows.select(Axis(0), &(0..k).collect::<Vec<_>>());
        for name in ["l2", "l1"] {
            let model = KMeans::from_centroids(centres.clone(), named(name)).unwrap();
            let got = answer(&AnyModel::KMeansF64(model.clone()), &rows);
            prop_assert_eq!(got.labels(), model.try_predict(&rows).unwrap().to_vec());
        }
    }
}

/// Models of standardised columns take rows as they are.
#[test]
fn scaled_models_of_every_kind() {
    let mut rows = lumps(3, 1e4);
    rows.column_mut(1).mapv_inplace(|x| 1e-3 * x);
    let dataset = DatasetBase::from(rows.clone());
    let scaled = |model: AnyModel, scaling: &ColumnScaling| {
        run_file(Format::Onnx.encode_scaled(&model, Some(scaling)).unwrap(), &rows)
    };

    let kmeans = Standardized(KMeans::params(3)).fit(&dataset).unwrap();
    let got = scaled(AnyModel::KMeansF64(kmeans.model().clone().into_any()), kmeans.scaling());
    assert_eq!(got.labels(), kmeans.try_predict(&rows).unwrap().to_vec());

    let tree = Standardized(BisectingKMeans::params(3)).fit(&dataset).unwrap();
    let got = scaled(AnyModel::BisectingF64(tree.model().clone().into_any()), tree.scaling());
    assert_eq!(got.labels(), tree.try_predict(&rows).unwrap().to_vec());

    let mixture = Standardized(GaussianMixture::params(3).covariance(Covariance::Eev)).fit(&dataset).unwrap();
    let got = scaled(AnyModel::GmmF64(mixture.model().clone()), mixture.scaling());
    assert_eq!(got.labels(), mixture.try_predict(&rows).unwrap().to_vec());
    close(&got.matrix("probabilities"), &mixture.predict_proba(&rows), 1e-9);
    close(&column(got.vector("log_density")), &column(mixture.score_samples(&rows)), 1e-9);

    let bayesian = Standardized(BayesianMixture::params(3)).fit(&dataset).unwrap();
    let got = scaled(AnyModel::BayesianF64(bayesian.model().clone()), bayesian.scaling());
    assert_eq!(got.labels(), bayesian.try_predict(&rows).unwrap().to_vec());

    let refused =
        Format::Pmml.encode_scaled(&AnyModel::KMeansF64(kmeans.model().clone().into_any()), Some(kmeans.scaling()));
    assert!(
        refused.unwrap_err().to_string().contains("a model of standardised columns: it has no place for the scaling")
    );
    let arrays =
        Format::Npz.encode_scaled(&AnyModel::GmmF64(mixture.model().clone()), Some(mixture.scaling())).unwrap();
    let AnyModel::GmmF64(again) = Format::Npz.decode(&arrays).unwrap() else { panic!("it was a mixture") };
    close(&column(again.score_samples(&rows)), &column(mixture.score_samples(&rows)), 1e-9);
}
