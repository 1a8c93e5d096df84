//! Damaged and hostile model files: an error that names the field, or a sound model; no panic, and no more memory than the file
//! justifies.

use miscela::prelude::*;
use miscela::{AnyModel, Codec, Cosine, Float, Mahalanobis, PersistError, Standardized};
use ndarray::{Array1, Array2, array};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;
use serde_json::{Value, json};
use std::panic::catch_unwind;

const SEED: u64 = 8;
const MUTATIONS: usize = 10_000;

/// Bytes that a reader may hold at once for each byte of a file, and beside that: `[[0,0]]` is three bytes a number, which are eight
/// in a list that has grown to twice its length, beside the nested lists, the arrays, and the copy that is checked.
const BYTES_A_BYTE: u64 = 64;
const BYTES_BESIDE: u64 = 1 << 18;

fn iris() -> Array2<f64> {
    linfa_datasets::iris().records
}

/// A mixture of two components by full covariances, as a JSON value.
fn mixture() -> Value {
    let model = GaussianMixture::params(2).fit(&DatasetBase::from(iris())).unwrap();
    serde_json::from_slice(&Codec::Json.encode(&model.to_document().unwrap()).unwrap()).unwrap()
}

/// A file of each kind in each codec, of either number type.
fn files() -> Vec<(Codec, Vec<u8>)> {
    let (data, short) = (DatasetBase::from(iris()), DatasetBase::from(iris().mapv(|x| x as f32)));
    let rng = || Xoshiro256Plus::seed_from_u64(SEED);
    let mut files = Vec::new();
    for codec in Codec::ALL {
        let mixture = |covariance| GaussianMixture::params(2).covariance(covariance).fit(&short).unwrap();
        let bayesian = BayesianMixture::params(2).max_n_iterations(5).fit(&data).unwrap();
        // Without the time it took, which is another in each run.
        macro_rules! file {
            ($model:expr) => {{
                let mut document = $model.to_document().unwrap();
                document.report.seconds = Default::default();
                codec.encode(&document)
            }};
        }
        files.extend(
            [
                file!(KMeans::params(3).fit(&data).unwrap()),
                file!(KMeans::params_with(3, rng(), Cosine).fit(&short).unwrap()),
                file!(BisectingKMeans::params(4).fit(&data).unwrap()),
                file!(GaussianMixture::params(2).fit(&data).unwrap()),
                file!(mixture(Covariance::Tied)),
                file!(mixture(Covariance::Spherical)),
                file!(bayesian),
            ]
            .map(|bytes| (codec, bytes.unwrap())),
        );
    }
    files
}

/// What the reader makes of these bytes, within the memory that they justify; a model that it lets through is put to use.
fn read(codec: Codec, bytes: &[u8]) -> Result<AnyModel, PersistError> {
    let mut read = None;
    let held = allocation_counter::measure(|| read = Some(AnyModel::from_bytes(bytes.to_vec(), codec))).bytes_max;
    let most = BYTES_BESIDE + BYTES_A_BYTE * bytes.len() as u64;
    assert!(held <= most, "{held} bytes were held for a file of {}", bytes.len());
    let model = read.unwrap()?;
    match &model {
        AnyModel::KMeansF32(model) => label(model),
        AnyModel::KMeansF64(model) => label(model),
        AnyModel::BisectingF32(model) => label(model),
        AnyModel::BisectingF64(model) => label(model),
        AnyModel::GmmF32(model) => label(model),
        AnyModel::GmmF64(model) => label(model),
        AnyModel::BayesianF32(model) => label(model),
        AnyModel::BayesianF64(model) => label(model),
        _ => unreachable!("models are of these kinds"),
    }
    Ok(model)
}

fn label<F: Float, M: PredictInplace<Array2<F>, Array1<usize>>>(model: &M) {
    let rows = iris().mapv(|x| F::from(x).unwrap());
    let labels: Array1<usize> = model.predict(&rows);
    assert_eq!(labels.len(), rows.nrows());
}

/// A file after one mutation, of a kind that is drawn.
fn mutated(codec: Codec, bytes: &[u8], rng: &mut Xoshiro256Plus) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = rng.gen_range(0..bytes.len());
    let end = (at + rng.gen_range(1..40)).min(bytes.len());
    match rng.gen_range(0..7) {
        0 => bytes[at] ^= 1 << rng.gen_range(0..8),
        1 => (0..4).for_each(|_| {
            let at = rng.gen_range(0..bytes.len());
            bytes[at] ^= 1 << rng.gen_range(0..8);
        }),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        5 => bytes[at] = rng.r#gen(),
        _ => match codec {
            Codec::Json => put_token(&mut bytes, at, rng),
            _ => put_item(&mut bytes, at, rng),
        },
    }
    bytes
}

/// Puts something else in the place of the next number of a JSON text.
fn put_token(bytes: &mut Vec<u8>, at: usize, rng: &mut Xoshiro256Plus) {
    const TOKENS: [&str; 14] = [
        "NaN",
        "-1",
        "1e999",
        "-1e308",
        "1e308",
        "0",
        "-0.0",
        "1000000000",
        "18446744073709551615",
        "null",
        "[]",
        "{}",
        "\"x\"",
        "5e-324",
    ];
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.e".contains(byte);
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|skipped| at + skipped) else { return };
    let length = bytes[start..].iter().take_while(|byte| is_part(byte)).count();
    bytes.splice(start..start + length, TOKENS[rng.gen_range(0..TOKENS.len())].bytes());
}

/// Puts something else in the place of the next 64-bit number of a CBOR document, or claims a length.
fn put_item(bytes: &mut Vec<u8>, at: usize, rng: &mut Xoshiro256Plus) {
    const NUMBERS: [f64; 9] =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, -0.0, 1e308, 5e-324, f64::MIN_POSITIVE];
    let number = |x: f64| [&[0xfb][..], &x.to_be_bytes()].concat();
    let claim = |major: u8, length: u64| [&[major << 5 | 0x1b][..], &length.to_be_bytes()].concat();
    if rng.gen_bool(0.7) {
        let Some(start) = bytes[at..].iter().position(|byte| *byte == 0xfb).map(|skipped| at + skipped) else { return };
        let end = (start + 9).min(bytes.len());
        bytes.splice(start..end, number(NUMBERS[rng.gen_range(0..NUMBERS.len())]));
    } else {
        let length = [1_000_000_000, 1 << 40, u64::MAX][rng.gen_range(0..3)];
        bytes.splice(at..=at, claim(rng.gen_range(2..6), length));
    }
}

#[test]
fn ten_thousand_mutations() {
    let (files, mut rng) = (files(), Xoshiro256Plus::seed_from_u64(SEED));
    let (mut refused, mut named) = (0, 0);
    for i in 0..MUTATIONS {
        let (codec, bytes) = &files[i % files.len()];
        let bytes = mutated(*codec, bytes, &mut rng);
        let read = catch_unwind(|| read(*codec, &bytes).map(drop));
        let read = read.unwrap_or_else(|_| panic!("mutation {i}: {}", String::from_utf8_lossy(&bytes)));
        let Err(error) = read else { continue };
        let sentence = error.to_string();
        assert!(!sentence.is_empty() && !sentence.contains('\n'), "mutation {i}: {sentence}");
        refused += 1;
        named += usize::from(sentence.contains('`'));
    }
    // A digit may become another digit; and a file that is cut says where it ends, if not between two fields.
    assert!(refused > MUTATIONS / 2, "{refused} were refused");
    assert!(named > refused * 9 / 10, "{named} of {refused} errors name a field");
}

#[test]
fn truncated_at_every_byte() {
    for (codec, bytes) in files() {
        let end = bytes.trim_ascii_end().len();
        for length in 0..end {
            assert!(read(codec, &bytes[..length]).is_err(), "{length} of {end} bytes");
        }
        assert!(read(codec, &bytes).is_ok());
    }
}

/// The mixture with other values at some places.
fn changed(changes: &[(&str, Value)]) -> Value {
    let mut document = mixture();
    for (place, value) in changes {
        *document.pointer_mut(place).unwrap_or_else(|| panic!("there is no {place}")) = value.clone();
    }
    document
}

/// The document without what is null, which says nothing in either codec.
fn told(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, told(value))).collect()
        }
        other => other,
    }
}

fn sentence(codec: Codec, bytes: &[u8]) -> String {
    read(codec, bytes).unwrap_err().to_string()
}

#[test]
fn errors_name_the_field() {
    let matrix = json!([[1.0, 2.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]);
    let billion = json!(1_000_000_000);
    type Changes<'a> = &'a [(&'a str, Value)];
    let table: &[(Changes, &str)] = &[
        (&[("/format", json!("pickle"))], "not a miscela model file: its field `format` says `pickle`"),
        (&[("/version", json!(2))], "written by a newer miscela: version 2"),
        (&[("/version", json!(0))], "`version`: versions count from 1"),
        (&[("/kind", json!("forest"))], "a model of kind `forest` where `kmeans` or"),
        (&[("/dtype", json!("f16"))], "unknown dtype `f16`"),
        (&[("/kind", json!("two\nlines"))], "a model of kind `two\\nlines` where `kmeans` or"),
        (&[("/n_features", json!(0))], "`n_features`: a model has at least one feature"),
        (&[("/n_features", billion.clone())], "`means[0]` has length 4 where 1000000000 is needed"),
        (
            &[("/weights", json!([0.5, 0.6]))],
            "`weights`: the weights must not be negative and must sum to one; they sum to 1.1",
        ),
        (&[("/weights", json!([-0.5, 1.5]))], "`weights`: the weights must not be negative"),
        (&[("/weights", json!([0.25, 0.25, 0.5]))], "`means` has length 2 where 3 is needed"),
        (&[("/weights", json!([]))], "`means` has length 2 where 0 is needed"),
        (&[("/weights/1", json!("half"))], "`weights[1]`: "),
        (&[("/weights/1", json!(null))], "`weights[1]`: "),
        (&[("/means/1", json!([1.0]))], "`means[1]` has length 1 where 4 is needed"),
        (&[("/means/0/0", json!([1.0]))], "`means[0][0]`: "),
        (&[("/covariances/full/1", matrix)], "`covariances`: "),
        (&[("/covariances/full/0/0/0", json!(-1.0))], "`covariances`: "),
        (&[("/covariances/full/1/0/1", json!(9.0))], "`covariances`: "),
        (&[("/covariances/full/1", json!([[1.0]]))], "`covariances[1]` has length 1 where 4 is needed"),
        (
            &[
                ("/covariances", json!({"diagonal": [[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -1.0]]})),
                ("/covariance", json!("diagonal")),
            ],
            "`covariances`: ",
        ),
        (
            &[("/covariances", json!({"spherical": [1.0, -1.0]})), ("/covariance", json!("spherical"))],
            "`covariances`: ",
        ),
        (&[("/covariances", json!({"tied-spherical": 1.0}))], "`covariances`: their shape is not that of `full`"),
        (&[("/covariances", json!({"round": 1.0}))], "`covariances"),
        (&[("/mixing", json!({"given": [1.0]}))], "`mixing"),
        (&[("/sizes", json!([1]))], "`sizes` has length 1 where 2 is needed"),
        (&[("/sizes/0", json!(-1))], "`sizes[0]`: "),
        (&[("/total_weight", json!(-1.0))], "`total_weight`: it must not be below zero"),
        (&[("/feature_names", json!(["a"]))], "`feature_names`"),
        (&[("/report/trace", json!({}))], "`report.trace`: "),
    ];
    for (changes, words) in table {
        let document = told(changed(changes));
        for codec in Codec::ALL {
            let sentence = sentence(codec, &codec.encode(&document).unwrap());
            assert!(sentence.starts_with(words), "{changes:?} in {codec:?}: {sentence}");
        }
    }
}

#[test]
fn errors_name_the_field_of_what_no_value_holds() {
    let text = String::from_utf8(Codec::Json.encode(&mixture()).unwrap()).unwrap();
    let weight = mixture()["weights"][0].as_f64().unwrap();
    let written = format!("\"weights\": [{weight}");
    assert_eq!(text.matches(&written).count(), 1, "{text}");
    for (token, words) in [("NaN", "`weights`: expected value"), ("1e999", "`weights[0]`: number out of range")] {
        let sentence = sentence(Codec::Json, text.replace(&written, &format!("\"weights\": [{token}")).as_bytes());
        assert!(sentence.starts_with(words), "{sentence}");
    }
    let twice = text.replacen("\"total_weight\"", "\"tolerance\": 0.1, \"total_weight\"", 1);
    assert!(sentence(Codec::Json, twice.as_bytes()).contains("duplicate field `tolerance`"));
    let more = text.replacen("\"total_weight\"", "\"colour\": 0.1, \"total_weight\"", 1);
    assert!(sentence(Codec::Json, more.as_bytes()).contains("unknown field `colour`"));

    let bytes = Codec::Cbor.encode(&told(mixture())).unwrap();
    let item = |x: f64| [&[0xfb][..], &x.to_be_bytes()].concat();
    let at = bytes.windows(9).rposition(|window| window == item(weight)).unwrap();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut bytes = bytes.clone();
        bytes.splice(at..at + 9, item(value));
        assert!(sentence(Codec::Cbor, &bytes).starts_with("`weights[0]` is "), "{}", sentence(Codec::Cbor, &bytes));
    }
}

/// Files with what other fits have, as JSON values: trimming, batches, noise, tails, annealing, a search, scaling.
fn more_files() -> Vec<Value> {
    let data = DatasetBase::from(iris());
    let whitened = Mahalanobis::from_covariance(
        array![[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 3.0]].view(),
    );
    let annealed = Assignment::Annealed(Annealing::default());
    let trimmed = KMeans::params(3).trim(0.1).fit(&data).unwrap();
    let searched = KMeans::params(3).search(Search::Swap).fit(&data).unwrap();
    let whitened = KMeans::params_with(3, Xoshiro256Plus::seed_from_u64(SEED), whitened.unwrap()).fit(&data).unwrap();
    let mixtures = [
        GaussianMixture::params(2).noise(Noise::Hypervolume),
        GaussianMixture::params(2).tails(Tails::Student(Degrees::Given(5.0))),
        GaussianMixture::params(2).assignment(annealed),
    ];
    let batchwise = GaussianMixture::params(2).partial_fit(None, &data).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scaled.json");
    Standardized(GaussianMixture::params(2)).fit(&data).unwrap().save(&path).unwrap();
    let mut files = vec![
        json!(trimmed.to_document().unwrap()),
        json!(searched.to_document().unwrap()),
        json!(whitened.to_document().unwrap()),
        json!(batchwise.to_document().unwrap()),
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
    ];
    files.extend(mixtures.map(|params| json!(params.fit(&data).unwrap().to_document().unwrap())));
    files
}

/// The places of all objects in a document, as pointers.
fn objects(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            places.push(place.clone());
            fields.iter().for_each(|(name, value)| objects(value, format!("{place}/{name}"), places));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| objects(value, format!("{place}/{i}"), places));
        }
        _ => {}
    }
}

/// Names that nobody knows are no matter to be passed over, at whatever depth they stand.
#[test]
fn unknown_fields_are_refused_everywhere() {
    let json = files().into_iter().filter(|(codec, _)| *codec == Codec::Json);
    let documents = json.map(|(_, bytes)| serde_json::from_slice(&bytes).unwrap()).chain(more_files());
    let (mut seen, mut held) = (0, false);
    for document in documents {
        let mut places = Vec::new();
        objects(&document, String::new(), &mut places);
        for place in places {
            let mut document: Value = document.clone();
            let fields = document.pointer_mut(&place).and_then(Value::as_object_mut).unwrap();
            // A map of one name may be a variant, which is refused for not being one of one name.
            let is_variant = fields.len() == 1;
            fields.insert("colour".to_string(), json!(0.1));
            let sentence = sentence(Codec::Json, &Codec::Json.encode(&document).unwrap());
            assert!(is_variant || sentence.contains("unknown field `colour`"), "{place}: {sentence}");
            held |= place == "/held";
            seen += 1;
        }
    }
    assert!(held && seen > 50, "{seen} objects");
}

/// A kilobyte that says there are 10⁹ components fails at once, for `read` looks at what is held.
#[test]
fn claimed_numbers_of_clusters_are_not_believed() {
    let claim = [&[0x9a][..], &1_000_000_000u32.to_be_bytes()].concat();
    let mut bytes = Codec::Cbor.encode(&told(mixture())).unwrap();
    for key in ["weights", "means", "sizes", "feature_names"] {
        let at = bytes.windows(key.len()).position(|window| window == key.as_bytes()).unwrap() + key.len();
        let kept = bytes[at];
        bytes.splice(at..=at, claim.iter().copied());
        assert!(read(Codec::Cbor, &bytes).is_err());
        bytes.splice(at..at + claim.len(), [kept]);
    }
    let centroids = r#"{"format": "miscela-model", "version": 1, "kind": "kmeans", "dtype": "f64", "n_features": 1000000000,
        "feature_names": [], "metric": "l2", "centroids": [[1.0]], "cluster_count": [1.0], "sizes": [1], "inertia": 0.0,
        "total_weight": 1.0, "report": {}}"#;
    assert!(read(Codec::Json, centroids.as_bytes()).is_err());
}
