//! What is wrong with a document is said, and where.

mod sample;

use miscela_persist::{Codec, Dtype, PersistError, matrix, rows, stack, vector};
use sample::{Sample, sample};
use serde::Serialize;

fn json() -> String {
    String::from_utf8(Codec::Json.encode(&sample::<f64>(Dtype::F64)).unwrap()).unwrap()
}

/// The sample in JSON with one passage replaced.
fn changed(from: &str, to: &str) -> String {
    let text = json();
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    text.replace(from, to)
}

fn decode_error(text: &str) -> String {
    Codec::Json.decode::<Sample<f64>>(text.as_bytes()).unwrap_err().to_string()
}

fn peek_error(text: &str) -> PersistError {
    Codec::Json.peek(text.as_bytes()).unwrap_err()
}

#[test]
fn headers() {
    let newer = "written by a newer miscela: version 2, this one reads up to 1; update miscela to read it";
    let error = peek_error(&changed("\"version\": 1", "\"version\": 2"));
    assert!(matches!(error, PersistError::NewerVersion { found: 2, supported: 1 }));
    assert_eq!(error.to_string(), newer);
    // A newer document may have other fields altogether.
    assert_eq!(peek_error(r#"{"format": "miscela-model", "version": 2, "model": {}}"#).to_string(), newer);
    let error = peek_error(r#"{"format": "miscela-model", "version": 1, "kind": "gmm", "dtype": "f64"}"#);
    assert!(error.to_string().starts_with("the document: missing field `n_features`"), "{error}");
    let error =
        peek_error(r#"{"format": "miscela-model", "version": 0, "kind": "a", "dtype": "f64", "n_features": 1}"#);
    assert_eq!(error.to_string(), "`version`: versions count from 1");
    assert_eq!(peek_error(r#"{"format": "miscela-model"}"#).to_string(), "`version`: it is missing");

    let error = peek_error(&changed("\"dtype\": \"f64\"", "\"dtype\": \"f16\""));
    assert_eq!(error.to_string(), "unknown dtype `f16`: it is f32 or f64");
    let error = peek_error(&changed("\"n_features\": 2", "\"n_features\": 0"));
    assert_eq!(error.to_string(), "`n_features`: a model has at least one feature");
    let error = peek_error(&changed("\"n_features\": 2", "\"n_features\": -2"));
    assert!(error.to_string().starts_with("`n_features`: invalid value: integer `-2`"), "{error}");

    let header = Codec::Json.peek(json().as_bytes()).unwrap();
    assert!(header.expect_kind(&["kmeans", "gmm"]).is_ok());
    let error = header.expect_kind(&["kmeans", "other"]).unwrap_err();
    assert_eq!(error.to_string(), "a model of kind `gmm` where `kmeans` or `other` is needed");
    assert!(header.expect_dtype(Dtype::F64).is_ok());
    let error = header.expect_dtype(Dtype::F32).unwrap_err();
    assert_eq!(error.to_string(), "a model of f64 numbers where f32 is needed: read it as f64");
}

#[test]
fn other_files() {
    for text in ["", "  ", "[1, 2]", "eruptions,waiting\n3.6,79\n", "\u{feff}{}", "null", "{}", r#"{"format": "x"}"#] {
        let error = peek_error(text);
        assert!(matches!(error, PersistError::NotAModel { .. }), "{text:?}: {error:?}");
    }
    let error = peek_error(&changed("miscela-model", "onnx"));
    assert_eq!(error.to_string(), "not a miscela model file: its field `format` says `onnx`, not `miscela-model`");
    assert_eq!(Codec::Cbor.peek(b"").unwrap_err().to_string(), "not a miscela model file: it is empty");
    let error = Codec::Cbor.peek(json().as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "not a miscela model file: it holds text, not a map");
}

#[test]
fn documents_check_their_own_format_and_version() {
    assert!(decode_error(&changed("miscela-model", "onnx")).contains("its field `format` says `onnx`"));
    assert!(decode_error(&changed("\"version\": 1", "\"version\": 7")).contains("version 7, this one reads up to 1"));
}

#[test]
fn fields() {
    let error = decode_error(&changed("\"kind\"", "\"colour\": 3, \"kind\""));
    assert!(error.starts_with("`colour`: unknown field `colour`, expected one of"), "{error}");
    let error = decode_error(&changed("\"kind\"", "\"dtype\": \"f64\", \"kind\""));
    assert!(error.contains("duplicate field `dtype`"), "{error}");
    let error = decode_error(&changed("\"weights\": [0.25, 0.75],", ""));
    assert!(error.starts_with("the document: missing field `weights`"), "{error}");
    let error = decode_error(&changed("-0.0", "\"a\""));
    assert!(error.starts_with("`means[0][1]`: invalid type: string \"a\", expected f64"), "{error}");
    let error = decode_error(&changed("[0.25, 0.75]", "[0.25, null]"));
    assert!(error.starts_with("`weights[1]`: invalid type: null, expected f64"), "{error}");
    let error = decode_error(&changed("max-iterations", "boredom"));
    assert!(error.starts_with("`report.termination`: unknown variant `boredom`"), "{error}");
    let error = decode_error(&changed("[0.25, 0.75]", "[0.25, 1e999]"));
    assert!(error.starts_with("`weights[1]`: number out of range"), "{error}");
    for word in ["NaN", "Infinity", "-Infinity"] {
        let error = decode_error(&changed("[0.25, 0.75]", &format!("[0.25, {word}]")));
        assert!(error.starts_with("`weights[1]`: "), "{error}");
    }
}

#[test]
fn f32_overflow_is_refused() {
    let bytes = Codec::Json.encode(&sample::<f32>(Dtype::F32)).unwrap();
    let text = String::from_utf8(bytes).unwrap().replace("3e+38", "4e+38");
    let error = Codec::Json.decode::<Sample<f32>>(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("`means[1][1]`"), "{error}");
}

#[test]
fn over_long_files() {
    let document = sample::<f64>(Dtype::F64);
    for codec in Codec::ALL {
        for tail in [&b"x"[..], b"{}", b"\0\0\0"] {
            let mut bytes = codec.encode(&document).unwrap();
            bytes.extend_from_slice(tail);
            let decoded = codec.decode::<Sample<f64>>(&bytes).unwrap_err();
            let peeked = codec.peek(&bytes).unwrap_err();
            for error in [decoded, peeked] {
                assert!(matches!(error, PersistError::TrailingBytes { count } if count == tail.len()), "{error:?}");
            }
        }
    }
    assert!(Codec::Json.decode::<Sample<f64>>(format!("{}\r\n\t ", json()).as_bytes()).is_ok());
}

/// The sample in CBOR with another item in the place of the first weight.
fn cbor_weights(item: &[u8]) -> Vec<u8> {
    let document = sample::<f64>(Dtype::F64);
    let bytes = Codec::Cbor.encode(&document).unwrap();
    let quarter = [&[0xfb][..], &0.25f64.to_be_bytes()].concat();
    let at = bytes.windows(9).position(|window| window == quarter).unwrap();
    [&bytes[..at], item, &bytes[at + 9..]].concat()
}

#[test]
fn cbor_says_where_too() {
    let error = |item: &[u8]| Codec::Cbor.decode::<Sample<f64>>(&cbor_weights(item)).unwrap_err().to_string();
    let nan = [&[0xfb][..], &f64::NAN.to_be_bytes()].concat();
    assert_eq!(error(&nan), "`weights[0]` is NaN: a model holds finite numbers only");
    assert_eq!(error(&[0x61, b'a']), "`weights[0]`: expected f64, found text");
    assert_eq!(error(&[0xf6]), "`weights[0]`: expected f64, found nothing (null)");
    assert_eq!(error(&[0xf9, 0x3c, 0]), "`weights[0]`: expected f64, found an f16 number");
}

#[test]
fn cbor_refuses_repeated_and_unknown_fields() {
    #[derive(Serialize)]
    struct Extra {
        format: &'static str,
        colour: u8,
    }
    let bytes = Codec::Cbor.encode(&Extra { format: "miscela-model", colour: 1 }).unwrap();
    let error = Codec::Cbor.decode::<Sample<f64>>(&bytes).unwrap_err().to_string();
    assert!(error.contains("unknown field `colour`"), "{error}");

    let format = b"\x66format\x6dmiscela-model";
    let twice = [&b"\xa2"[..], format, format].concat();
    for error in [Codec::Cbor.decode::<Sample<f64>>(&twice).unwrap_err(), Codec::Cbor.peek(&twice).unwrap_err()] {
        assert!(error.to_string().contains("duplicate field `format`"), "{error}");
    }
}

#[test]
fn shapes_and_their_names() {
    let means = ndarray::array![[0.0f32, 1.0], [2.0, 3.0], [4.0, 5.0]];
    // Column-major and strided views give the same lists.
    assert_eq!(rows(means.t().t()), rows(means.view()));
    assert_eq!(rows(means.slice_axis(ndarray::Axis(0), ndarray::Slice::new(0, None, 2))), [[0.0, 1.0], [4.0, 5.0]]);
    assert_eq!(matrix("means", &rows(means.view()), 3, 2).unwrap(), means);
    assert_eq!(matrix::<f32>("means", &[vec![], vec![]], 2, 0).unwrap().dim(), (2, 0));
    assert_eq!(vector("weights", &[1.0, 2.0], 2).unwrap(), ndarray::array![1.0, 2.0]);

    let said = |error: PersistError| error.to_string();
    assert_eq!(said(vector("weights", &[1.0], 2).unwrap_err()), "`weights` has length 1 where 2 is needed");
    assert_eq!(said(matrix::<f64>("means", &[], 2, 2).unwrap_err()), "`means` has length 0 where 2 is needed");
    let ragged = [vec![1.0, 2.0], vec![1.0, 2.0, 3.0]];
    assert_eq!(said(matrix("means", &ragged, 2, 2).unwrap_err()), "`means[1]` has length 3 where 2 is needed");
    let error = stack("covariances", &[vec![vec![1.0]], vec![vec![1.0], vec![2.0]]], 2, 1, 1).unwrap_err();
    assert_eq!(said(error), "`covariances[1]` has length 2 where 1 is needed");
    assert!(matrix("means", &ragged[..1], usize::MAX, usize::MAX).is_err());
}
