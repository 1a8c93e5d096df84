//! Damaged and malicious files end in an error, without a panic, a deep stack or a large allocation.

mod sample;

use miscela_persist::{Codec, Dtype, PersistError};
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use sample::{Sample, sample};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// All tests of this file together stay below this, though the files they read claim up to 2⁶⁴ bytes.
const MOST_MEGABYTES: f32 = 64.0;

fn bytes(codec: Codec) -> Vec<u8> {
    codec.encode(&sample::<f32>(Dtype::F32)).unwrap()
}

fn read(codec: Codec, bytes: &[u8]) -> Result<Sample<f32>, PersistError> {
    let peeked = codec.peek(bytes);
    let document = codec.decode::<Sample<f32>>(bytes);
    assert!(MEMORY.peak_usage_as_mb() < MOST_MEGABYTES, "{} MB", MEMORY.peak_usage_as_mb());
    assert!(peeked.is_ok() || document.is_err(), "the header is part of the document: {peeked:?}");
    document
}

#[test]
fn truncated_anywhere() {
    for codec in Codec::ALL {
        let bytes = bytes(codec);
        // The line break after the last brace is not part of the document.
        let end = bytes.trim_ascii_end().len();
        assert!(read(codec, &bytes[..end]).is_ok());
        for length in 0..end {
            let error = read(codec, &bytes[..length]).unwrap_err();
            let message = error.to_string();
            assert!(!message.is_empty() && !message.contains("Eof"), "{message}");
            assert!(codec.peek(&bytes[..length]).is_err());
        }
    }
    let json = bytes(Codec::Json);
    let error = read(Codec::Json, &json[..json.len() / 2]).unwrap_err().to_string();
    assert!(error.ends_with("the file ends early"), "{error}");
    let cbor = bytes(Codec::Cbor);
    let error = read(Codec::Cbor, &cbor[..cbor.len() - 4]).unwrap_err().to_string();
    assert_eq!(error, "`report.trace[1]`: the file ends early");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn one_byte_changed(place in any::<prop::sample::Index>(), value in any::<u8>()) {
        for codec in Codec::ALL {
            let mut bytes = bytes(codec);
            let place = place.index(bytes.len());
            bytes[place] = value;
            // A digit may become another digit: then the document is read, and can be written again.
            if let Ok(document) = read(codec, &bytes) {
                prop_assert!(codec.encode(&document).is_ok());
            }
        }
    }

    #[test]
    fn bytes_cut_out_and_put_in(
        place in any::<prop::sample::Index>(),
        cut in 0usize..12,
        put in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        for codec in Codec::ALL {
            let mut bytes = bytes(codec);
            let start = place.index(bytes.len());
            let end = (start + cut).min(bytes.len());
            bytes.splice(start..end, put.iter().copied());
            if let Ok(document) = read(codec, &bytes) {
                prop_assert!(codec.encode(&document).is_ok());
            }
        }
    }

    #[test]
    fn any_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (codec, first) in [(Codec::Json, b'{'), (Codec::Cbor, 0xa5)] {
            bytes.insert(0, first);
            prop_assert!(read(codec, &bytes).is_err());
        }
    }
}

/// A map of one entry: its key, then the bytes.
fn entry(key: &str, value: &[u8]) -> Vec<u8> {
    [&[0xa1, 0x60 | key.len() as u8], key.as_bytes(), value].concat()
}

#[test]
fn claimed_lengths_are_not_believed() {
    // A list, a map, a text and bytes, with lengths up to 2⁶⁴ − 1.
    for major in [4u8, 5, 3, 2] {
        for length in [u64::MAX, 1 << 62, 1 << 40, u64::from(u32::MAX)] {
            let claim = [&[major << 5 | 0x1b][..], &length.to_be_bytes()].concat();
            let nested = [claim.clone(), claim.clone(), claim.clone()].concat();
            for key in ["means", "kind", "feature_names", "format", "unknown"] {
                assert!(read(Codec::Cbor, &entry(key, &claim)).is_err());
                assert!(read(Codec::Cbor, &entry(key, &nested)).is_err());
            }
            assert!(read(Codec::Cbor, &claim).is_err());
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    const DEPTH: usize = 1_000_000;
    for open in [vec![0x81u8], vec![0x9f], vec![0xa1, 0x61, b'a'], vec![0xc6], vec![0xbf, 0x61, b'a']] {
        for key in ["unknown", "means"] {
            let deep = entry(key, &open.repeat(DEPTH));
            assert!(read(Codec::Cbor, &deep).is_err());
        }
        assert!(Codec::Cbor.peek(&entry("unknown", &open.repeat(DEPTH))).is_err());
    }
    let error = Codec::Cbor.peek(&entry("unknown", &[0x81].repeat(DEPTH))).unwrap_err();
    assert!(error.to_string().ends_with("nested too deeply"), "{error}");

    for open in ["[", "{\"a\":"] {
        for key in ["unknown", "means"] {
            let deep = format!("{{\"{key}\":{}", open.repeat(DEPTH));
            assert!(read(Codec::Json, deep.as_bytes()).is_err());
            let _ = Codec::Json.peek(deep.as_bytes()).unwrap_err();
        }
    }
}
