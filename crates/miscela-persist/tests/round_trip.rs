//! What is written is what is read, bit for bit.

mod sample;

use miscela_persist::{Codec, Dtype, PersistError};
use proptest::prelude::*;
use sample::{Sample, sample};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Debug;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers<F> {
    numbers: Vec<Vec<F>>,
}

fn again<T: Serialize + DeserializeOwned>(codec: Codec, document: &T) -> T {
    codec.decode(&codec.encode(document).unwrap()).unwrap()
}

/// Every kind of bit pattern as often as any other: random bits alone are hardly ever subnormal.
fn bits_f64() -> impl Strategy<Value = f64> {
    let exponent = prop_oneof![Just(0u64), Just(1), Just(0x7fe), 0u64..0x7ff];
    let fraction = prop_oneof![Just(0u64), Just(1), Just((1 << 52) - 1), 0u64..1 << 52];
    (any::<bool>(), exponent, fraction).prop_map(|(sign, e, f)| f64::from_bits(u64::from(sign) << 63 | e << 52 | f))
}

fn bits_f32() -> impl Strategy<Value = f32> {
    let exponent = prop_oneof![Just(0u32), Just(1), Just(0xfe), 0u32..0xff];
    let fraction = prop_oneof![Just(0u32), Just(1), Just((1 << 23) - 1), 0u32..1 << 23];
    (any::<bool>(), exponent, fraction).prop_map(|(sign, e, f)| f32::from_bits(u32::from(sign) << 31 | e << 23 | f))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_finite_f64(numbers in prop::collection::vec(prop::collection::vec(bits_f64(), 0..6), 0..4)) {
        let bits = |d: &Numbers<f64>| d.numbers.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
        let document = Numbers { numbers };
        for codec in Codec::ALL {
            let read = again(codec, &document);
            prop_assert_eq!(bits(&read), bits(&document));
            prop_assert_eq!(read.numbers.len(), document.numbers.len());
        }
    }

    #[test]
    fn every_finite_f32(numbers in prop::collection::vec(prop::collection::vec(bits_f32(), 0..6), 0..4)) {
        let bits = |d: &Numbers<f32>| d.numbers.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
        let document = Numbers { numbers };
        for codec in Codec::ALL {
            prop_assert_eq!(bits(&again(codec, &document)), bits(&document));
        }
    }

    #[test]
    fn any_text(text in any::<String>()) {
        let mut document: Sample<f64> = sample(Dtype::F64);
        document.feature_names = Some(vec![text]);
        for codec in Codec::ALL {
            prop_assert_eq!(&again(codec, &document), &document);
        }
    }
}

fn whole_document<F>(dtype: Dtype)
where
    F: From<f32> + Clone + Debug + PartialEq + Serialize + DeserializeOwned,
{
    let document: Sample<F> = sample(dtype);
    for codec in Codec::ALL {
        let bytes = codec.encode(&document).unwrap();
        let read: Sample<F> = codec.decode(&bytes).unwrap();
        assert_eq!(read, document, "{codec:?}");
        assert_eq!(codec.encode(&read).unwrap(), bytes, "writing again changes nothing");
        let header = codec.peek(&bytes).unwrap();
        assert_eq!((header.kind.as_str(), header.dtype, header.n_features, header.version), ("gmm", dtype, 2, 1));
    }
}

#[test]
fn whole_documents() {
    whole_document::<f32>(Dtype::F32);
    whole_document::<f64>(Dtype::F64);
}

#[test]
fn cbor_keeps_f32_in_four_bytes() {
    let size = |n: usize| Codec::Cbor.encode(&Numbers { numbers: vec![vec![0.1f32; n]] }).unwrap().len();
    assert_eq!(size(20) - size(10), 10 * 5);
    let bytes = Codec::Cbor.encode(&Numbers { numbers: vec![vec![0.1f32]] }).unwrap();
    let error = Codec::Cbor.decode::<Numbers<f64>>(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "`numbers[0][0]`: expected f64, found an f32 number");
}

#[test]
fn json_is_laid_out_in_rows() {
    let bytes = Codec::Json.encode(&sample::<f32>(Dtype::F32)).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.starts_with("{\n  \"format\": \"miscela-model\",\n  \"version\": 1,\n  \"kind\": \"gmm\",\n"),
        "{text}"
    );
    assert!(text.contains("  \"means\": [\n    [0.1, -0.0],\n    [1e-40, 3e+38]\n  ],\n"), "{text}");
    assert!(text.ends_with("}\n"));
}

#[test]
fn numbers_that_are_not_finite_are_not_written() {
    for codec in Codec::ALL {
        for (bad, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
            let mut document: Sample<f64> = sample(Dtype::F64);
            document.means[1][0] = bad;
            let error = codec.encode(&document).unwrap_err();
            assert_eq!(error.to_string(), format!("`means[1][0]` is {name}: a model holds finite numbers only"));
            document = sample(Dtype::F64);
            document.report.trace[1] = bad;
            let error = codec.encode(&document).unwrap_err();
            assert!(matches!(error, PersistError::NotFinite { field, .. } if field == "report.trace[1]"));
        }
        let mut document: Sample<f32> = sample(Dtype::F32);
        document.covariances[1][0][1] = f32::NAN;
        let error = codec.encode(&document).unwrap_err();
        assert!(matches!(error, PersistError::NotFinite { field, .. } if field == "covariances[1][0][1]"));
    }
}
