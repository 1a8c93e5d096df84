//! Arrays there and back, and archives that lie.

use super::archive::Writer;
use crate::Format;
use miscela::prelude::*;
use miscela::{AnyModel, Covariance, Noise};
use ndarray::{Array2, arr1, array};
use proptest::prelude::*;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn rows() -> Array2<f64> {
    Array2::from_shape_fn((60, 3), |(i, j)| 5.0 * (i % 3) as f64 + ((i * (3 + j)) as f64 * 0.7).sin())
}

fn there_and_back(model: &AnyModel) -> AnyModel {
    Format::Npz.decode(&Format::Npz.encode(model).unwrap()).unwrap()
}

#[test]
fn kmeans_comes_back() {
    let names: Vec<String> = ["length", "größe", "🙂"].map(String::from).to_vec();
    let model = KMeans::params(3).fit(&DatasetBase::from(rows())).unwrap().with_feature_names(names);
    let AnyModel::KMeansF64(again) = there_and_back(&AnyModel::KMeansF64(model.clone().into_any())) else { panic!() };
    assert_eq!((again.centroids(), again.feature_names()), (model.centroids(), model.feature_names()));
    assert_eq!(again.report().iterations, model.report().iterations);
    let narrow = KMeans::params(2).fit(&DatasetBase::from(rows().mapv(|x| x as f32))).unwrap();
    let AnyModel::KMeansF32(again) = there_and_back(&AnyModel::KMeansF32(narrow.clone().into_any())) else { panic!() };
    assert_eq!(again.centroids(), narrow.centroids());
}

#[test]
fn mixtures_of_every_structure_come_back_as_a_type_that_holds_them() {
    for covariance in Covariance::all() {
        let model = GaussianMixture::params(2).covariance(covariance).fit(&DatasetBase::from(rows())).unwrap();
        let AnyModel::GmmF64(again) = there_and_back(&AnyModel::GmmF64(model.clone())) else { panic!() };
        assert_eq!((again.weights(), again.means()), (model.weights(), model.means()));
        assert_eq!(again.covariances(), model.covariances());
        assert!(again.covariance() == covariance || again.covariance().generalises(covariance), "{covariance}");
        assert_eq!(again.try_predict(&rows()).unwrap(), model.try_predict(&rows()).unwrap());
    }
}

#[test]
fn a_model_read_from_arrays_is_kept_like_any() {
    let arrays = of_arrays(|to| to.numbers("cluster_centers_", array![[0.0], [5.0]].view()).unwrap());
    let AnyModel::KMeansF64(model) = Format::Npz.decode(&arrays).unwrap() else { panic!() };
    let document = model.to_document().unwrap();
    assert_eq!(KMeans::from_document(document).unwrap(), model);
}

#[test]
fn matrices_that_are_symmetric_but_for_rounding_are_read() {
    let arrays = |above: f64| {
        of_arrays(|to| {
            to.numbers("means_", array![[0.0, 0.0]].view()).unwrap();
            to.numbers("weights_", arr1(&[1.0]).view()).unwrap();
            to.numbers("covariances_", array![[[1.0, above], [0.5, 2.0]]].view()).unwrap();
        })
    };
    let AnyModel::GmmF64(model) = Format::Npz.decode(&arrays(0.5 + 1e-12)).unwrap() else { panic!() };
    assert_eq!(model.covariances(), array![[[1.0, 0.5], [0.5, 2.0]]]);
    assert!(error(&arrays(0.6)).contains("not symmetric"));
}

#[test]
fn labels_give_the_sizes() {
    let arrays = of_arrays(|to| {
        to.numbers("cluster_centers_", array![[0.0], [5.0]].view()).unwrap();
        to.numbers("labels_", arr1(&[0.0, 1.0, 1.0]).view()).unwrap();
        to.value("inertia_", 0.5).unwrap();
    });
    let AnyModel::KMeansF64(model) = Format::Npz.decode(&arrays).unwrap() else { panic!() };
    assert_eq!((model.sizes(), model.inertia_sum()), (&[1, 2][..], 0.5));
}

#[test]
fn what_the_estimators_have_no_place_for_is_refused() {
    let dataset = DatasetBase::from(rows());
    let trimmed = AnyModel::KMeansF64(KMeans::params(2).trim(0.1).fit(&dataset).unwrap().into_any());
    let tree = AnyModel::BisectingF64(BisectingKMeans::params(2).fit(&dataset).unwrap().into_any());
    let noisy = AnyModel::GmmF64(GaussianMixture::params(2).noise(Noise::Hypervolume).fit(&dataset).unwrap());
    let bayesian = AnyModel::BayesianF64(BayesianMixture::params(2).fit(&dataset).unwrap());
    for (model, what) in
        [(trimmed, "trimmed k-means"), (tree, "a tree of clusters"), (noisy, "noise"), (bayesian, "a Bayesian mixture")]
    {
        let error = Format::Npz.encode(&model).unwrap_err().to_string();
        assert!(error.starts_with(&format!("scikit-learn's arrays cannot hold {what}: ")), "{error}");
    }
}

fn of_arrays(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new(false);
    write(&mut writer);
    writer.finish().unwrap()
}

/// An archive of these entries.
fn archive(method: CompressionMethod, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn npy(dictionary: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((dictionary.len() as u16).to_le_bytes());
    bytes.extend(dictionary.as_bytes());
    bytes.extend(content);
    bytes
}

fn error(bytes: &[u8]) -> String {
    Format::Npz.decode(bytes).unwrap_err().to_string()
}

#[test]
fn wrong_arrays_are_errors_that_name_them() {
    let centres = |to: &mut Writer| to.numbers("cluster_centers_", array![[0.0], [5.0]].view()).unwrap();
    let gmm = |to: &mut Writer, covariance: &ndarray::ArrayD<f64>, name: Option<&str>| {
        to.numbers("means_", array![[0.0, 0.0], [5.0, 5.0]].view()).unwrap();
        to.numbers("weights_", arr1(&[0.5, 0.5]).view()).unwrap();
        to.numbers("covariances_", covariance.view()).unwrap();
        name.into_iter().for_each(|name| to.texts("covariance_type", &[name], true).unwrap());
    };
    let unit = Array2::<f64>::eye(2).into_dyn();
    let cases = [
        (of_arrays(|to| to.value("x", 1.0).unwrap()), "neither the array `cluster_centers_`"),
        (of_arrays(|to| to.numbers("cluster_centers_", arr1(&[1.0]).view()).unwrap()), "2 dimensions"),
        (of_arrays(|to| to.numbers("cluster_centers_", Array2::zeros((0, 2)).view()).unwrap()), "[0, 2]"),
        (of_arrays(|to| to.numbers("cluster_centers_", array![[f64::NAN]].view()).unwrap()), "NaN"),
        (of_arrays(|to| to.texts("cluster_centers_", &["a"], false).unwrap()), "holds no numbers"),
        (of_arrays(|to| (centres(to), to.numbers("labels_", arr1(&[0.0, 2.0]).view()).unwrap()).1), "holds 2"),
        (of_arrays(|to| (centres(to), to.texts("feature_names_in_", &["a", "b"], false).unwrap()).1), "[2]"),
        (of_arrays(|to| to.numbers("means_", array![[0.0]].view()).unwrap()), "`weights_` is missing"),
        (of_arrays(|to| gmm(to, &unit, None)), "leaves open of which type"),
        (of_arrays(|to| gmm(to, &unit, Some("round"))), "\"round\""),
        (of_arrays(|to| gmm(to, &unit, Some("full"))), "the shape [2, 2, 2] is needed"),
        (of_arrays(|to| gmm(to, &-&unit, Some("tied"))), "positive definite"),
    ];
    for (bytes, part) in cases {
        let error = error(&bytes);
        assert!(error.starts_with("not a model in scikit-learn's arrays: ") && error.contains(part), "{error}");
    }
    assert!(error(b"{}").contains("no .npz archive"));
}

#[test]
fn sizes_that_are_claimed_are_not_believed() {
    for shape in ["(99999999999999, 9999)", "(18446744073709551615, 2)", "(1000000000, 4)", "(3, 2)"] {
        for descr in ["<f8", "<U3", "<U0", "<U4611686018427387904"] {
            let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
            let bytes = npy(&dictionary, &[0; 40]);
            error(&archive(CompressionMethod::Stored, &[("cluster_centers_.npy", &bytes)]));
        }
    }
    let pickled = npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }\n", b"\x80\x04.");
    let error = error(&archive(CompressionMethod::Stored, &[("cluster_centers_.npy", &pickled)]));
    assert!(error.contains("type \"O\" cannot be read"), "{error}");
}

#[test]
fn what_unpacks_to_far_more_is_refused() {
    let dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (40000000, 1), }\n";
    let bytes = npy(dictionary, &vec![0; 320_000_000]);
    let packed = archive(CompressionMethod::Deflated, &[("cluster_centers_.npy", &bytes)]);
    assert!(packed.len() < 1_000_000);
    assert!(error(&packed).contains("unpacks to more than any model"));
}

#[test]
fn compressed_archives_are_read() {
    let stored = of_arrays(|to| to.numbers("cluster_centers_", rows().view()).unwrap());
    let mut bytes = Vec::new();
    ndarray_npy::WriteNpyExt::write_npy(&rows().reversed_axes(), &mut bytes).unwrap();
    let packed = archive(CompressionMethod::Deflated, &[("cluster_centers_.npy", &bytes)]);
    let (AnyModel::KMeansF64(stored), AnyModel::KMeansF64(packed)) =
        (Format::Npz.decode(&stored).unwrap(), Format::Npz.decode(&packed).unwrap())
    else {
        panic!()
    };
    assert_eq!(packed.centroids(), &stored.centroids().t());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_bytes_are_an_error_or_a_model(
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        shorter in any::<bool>(),
    ) {
        let mut bytes = of_arrays(|to| {
            to.numbers("means_", array![[0.0, 0.0], [5.0, 5.0]].view()).unwrap();
            to.numbers("weights_", arr1(&[0.5, 0.5]).view()).unwrap();
            to.numbers("covariances_", array![[1.0, 1.0], [2.0, 2.0]].view()).unwrap();
            to.texts("covariance_type", &["diag"], true).unwrap();
        });
        for (index, byte) in at {
            let i = index.index(bytes.len());
            bytes[i] = byte;
        }
        if shorter {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(model) = Format::Npz.decode(&bytes) {
            prop_assert!(Format::Npz.encode(&model).is_ok());
        }
    }
}
