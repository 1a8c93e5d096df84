//! CBOR (Bormann & Hoffman, RFC 8949, 2020) by cbor4ii, which limits depth and believes no claimed length.

use crate::PersistError;
use cbor4ii::core::{dec, dec::Read, utils::SliceReader};
use cbor4ii::serde::{DecodeError, Deserializer, to_vec};
use serde::{Serialize, de::DeserializeOwned};
use std::convert::Infallible;

/// The kinds of item by the top three bits of their first byte.
const MAJORS: [&str; 8] =
    ["a number", "a negative number", "bytes", "text", "a list", "a map", "a tag", "a simple value"];
const MAP: usize = 5;

pub(crate) fn encode<T: Serialize + ?Sized>(document: &T) -> Result<Vec<u8>, PersistError> {
    to_vec(Vec::new(), &document)
        .map_err(|error| PersistError::Malformed { field: String::new(), message: error.to_string() })
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, PersistError> {
    match bytes.first() {
        Some(&first) if major(first) == MAP => {}
        Some(&first) => return Err(not_a_model(&format!("it holds {}, not a map", item(first)))),
        None => return Err(not_a_model("it is empty")),
    }
    let mut deserializer = Deserializer::new(SliceReader::new(bytes));
    let document = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| PersistError::malformed(error.path(), sentence(error.inner())))?;
    match remaining(deserializer.into_inner()) {
        0 => Ok(document),
        count => Err(PersistError::TrailingBytes { count }),
    }
}

fn not_a_model(reason: &str) -> PersistError {
    PersistError::NotAModel { reason: reason.to_string() }
}

fn remaining(mut reader: SliceReader<'_>) -> usize {
    let Ok(rest) = reader.fill(usize::MAX);
    rest.as_ref().len()
}

fn major(first: u8) -> usize {
    usize::from(first >> 5)
}

fn item(first: u8) -> &'static str {
    match first {
        0xf4 | 0xf5 => "true or false",
        0xf6 => "nothing (null)",
        0xf9 => "an f16 number",
        0xfa => "an f32 number",
        0xfb => "an f64 number",
        _ => MAJORS[major(first)],
    }
}

fn sentence(error: &DecodeError<Infallible>) -> String {
    let core = match error {
        DecodeError::Custom(message) => return message.to_string(),
        DecodeError::Core(core) => core,
    };
    match core {
        dec::Error::Eof { .. } => "the file ends early".to_string(),
        dec::Error::Mismatch { name, found } => format!("expected {name}, found {}", item(*found)),
        dec::Error::Unsupported { found, .. } => format!("no document holds {} here", item(*found)),
        dec::Error::RequireUtf8 { .. } => "the text is not UTF-8".to_string(),
        dec::Error::DepthOverflow { .. } => "nested too deeply".to_string(),
        dec::Error::RequireLength { name, .. } => format!("the {name} is of another length"),
        dec::Error::CastOverflow { name } | dec::Error::LengthOverflow { name, .. } => {
            format!("out of the range of {name}")
        }
        other => other.to_string(),
    }
}
