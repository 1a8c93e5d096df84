//! JSON by serde_json, laid out so that a matrix reads as a matrix.
//!
//! Objects and lists of lists go over several lines, a list of plain values stays on one:
//!
//! ```json
//! {
//!   "centroids": [
//!     [0.0, 1.0],
//!     [2.5, 3.0]
//!   ]
//! }
//! ```

use crate::PersistError;
use serde::{Serialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

pub(crate) fn encode<T: Serialize + ?Sized>(document: &T) -> Result<Vec<u8>, PersistError> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Layout::default());
    serde_path_to_error::serialize(document, &mut serializer)
        .map_err(|error| PersistError::malformed(error.path(), error.inner().to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, PersistError> {
    // A struct could also be read from a list, so the first byte decides.
    if bytes.iter().find(|byte| !is_space(byte)) != Some(&b'{') {
        return Err(PersistError::NotAModel { reason: "it is no JSON object".to_string() });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let document = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        let message = if inner.is_eof() { "the file ends early".to_string() } else { inner.to_string() };
        PersistError::malformed(error.path(), message)
    })?;
    let end = deserializer.into_iter::<IgnoredAny>().byte_offset();
    let rest = &bytes[end..];
    match rest.iter().position(|byte| !is_space(byte)) {
        None => Ok(document),
        Some(blank) => Err(PersistError::TrailingBytes { count: rest.len() - blank }),
    }
}

/// The four characters that JSON allows between its tokens.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Decides about a line break only when the first byte of the next value is known.
#[derive(Default)]
struct Layout {
    /// For each open list or object: does it go over several lines?
    tall: Vec<bool>,
    /// The list entry that is due: is it the first?
    entry: Option<bool>,
}

impl Layout {
    /// A plain value follows.
    fn plain<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        match self.entry.take() {
            Some(false) => writer.write_all(b", "),
            _ => Ok(()),
        }
    }

    /// A list or an object follows.
    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        if let Some(first) = self.entry.take() {
            self.line(writer, first)?;
        }
        self.tall.push(false);
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.tall.pop() == Some(true) {
            self.indent(writer)?;
        }
        writer.write_all(bracket)
    }

    /// Starts a line in the innermost list or object.
    fn line<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if let Some(tall) = self.tall.last_mut() {
            *tall = true;
        }
        if !first {
            writer.write_all(b",")?;
        }
        self.indent(writer)
    }

    fn indent<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        self.tall.iter().try_for_each(|_| writer.write_all(b"  "))
    }
}

/// Values that are written as in compact JSON, after a comma and a blank where they are entries of a list.
macro_rules! plain {
    ($($write:ident $(: $T:ty)?),* $(,)?) => {
        $(plain!(@one $write $($T)?);)*
    };
    (@one $write:ident $T:ty) => {
        fn $write<W: ?Sized + Write>(&mut self, writer: &mut W, value: $T) -> io::Result<()> {
            self.plain(writer)?;
            CompactFormatter.$write(writer, value)
        }
    };
    (@one $write:ident) => {
        fn $write<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
            self.plain(writer)?;
            CompactFormatter.$write(writer)
        }
    };
}

impl Formatter for Layout {
    plain!(write_null, write_bool: bool, begin_string, write_number_str: &str, write_f32: f32, write_f64: f64);
    plain!(write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128);
    plain!(write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128);

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.entry = Some(first);
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.line(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    struct Everything {
        name: &'static str,
        none: Option<u8>,
        pairs: Vec<(u8, bool)>,
        cube: Vec<Vec<Vec<f32>>>,
        empty: Vec<f64>,
        hollow: Vec<Vec<f64>>,
        map: BTreeMap<String, i64>,
        nothing: BTreeMap<String, i64>,
        records: Vec<BTreeMap<String, f64>>,
        texts: Vec<&'static str>,
    }

    #[test]
    fn the_layout() {
        let document = Everything {
            name: "a \"quoted\" [name], {here}",
            none: None,
            pairs: vec![(1, true), (2, false)],
            cube: vec![vec![vec![1.0, 0.5], vec![0.5, 2.0]]],
            empty: vec![],
            hollow: vec![vec![], vec![]],
            map: BTreeMap::from([("a".to_string(), -1), ("b".to_string(), 2)]),
            nothing: BTreeMap::new(),
            records: vec![BTreeMap::from([("x".to_string(), 1e300)])],
            texts: vec!["a", "b"],
        };
        let text = String::from_utf8(encode(&document).unwrap()).unwrap();
        let expected = r#"{
  "name": "a \"quoted\" [name], {here}",
  "none": null,
  "pairs": [
    [1, true],
    [2, false]
  ],
  "cube": [
    [
      [1.0, 0.5],
      [0.5, 2.0]
    ]
  ],
  "empty": [],
  "hollow": [
    [],
    []
  ],
  "map": {
    "a": -1,
    "b": 2
  },
  "nothing": {},
  "records": [
    {
      "x": 1e+300
    }
  ],
  "texts": ["a", "b"]
}
"#;
        assert_eq!(text, expected);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, serde_json::to_value(&document).unwrap());
    }
}
