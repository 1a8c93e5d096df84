//! NPY, NumPy's array format (NEP 1, Kern 2007): a magic word, a Python dictionary of type, order and shape, and the
//! bytes.
//!
//! The bytes are read in pieces and widened as they come, so a header that lies about the shape costs no memory.

use crate::TableError;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use std::io::{self, Read};

/// Longer headers are not written for arrays of numbers.
const MAX_HEADER: usize = 1 << 16;

/// An array of any number of dimensions, row-major.
pub(crate) enum Values {
    F64(ArrayD<f64>),
    F32(ArrayD<f32>),
}

/// Reads one array and the end of the file after it.
pub(crate) fn read(mut input: impl Read, file: &str) -> Result<Values, TableError> {
    let text = header_text(&mut input).map_err(|error| io_error(file, error))?;
    let header = Header::parse(&text).map_err(|what| npy_error(file, what))?;
    let elements = Elements { input, header: &header, file };
    match header.number.as_str() {
        "f8" => elements.wide(f64::from_le_bytes),
        "f4" => elements.array(f32::from_le_bytes).map(Values::F32),
        "i8" => elements.wide(|bytes| i64::from_le_bytes(bytes) as f64),
        "i4" => elements.wide(|bytes| f64::from(i32::from_le_bytes(bytes))),
        "i2" => elements.wide(|bytes| f64::from(i16::from_le_bytes(bytes))),
        "i1" => elements.wide(|bytes| f64::from(i8::from_le_bytes(bytes))),
        "u8" => elements.wide(|bytes| u64::from_le_bytes(bytes) as f64),
        "u4" => elements.wide(|bytes| f64::from(u32::from_le_bytes(bytes))),
        "u2" => elements.wide(|bytes| f64::from(u16::from_le_bytes(bytes))),
        "u1" => elements.wide(|bytes| f64::from(u8::from_le_bytes(bytes))),
        other => Err(npy_error(
            file,
            format!("numbers of type {other:?} cannot be read; save the array as float64, float32 or an integer type"),
        )),
    }
}

fn npy_error(file: &str, what: impl Into<String>) -> TableError {
    TableError::Npy { file: file.to_string(), what: what.into() }
}

fn io_error(file: &str, error: io::Error) -> TableError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => npy_error(file, "the file is cut short; write it again"),
        io::ErrorKind::InvalidData => npy_error(file, error.to_string()),
        _ => TableError::Read { file: file.to_string(), source: error },
    }
}

/// The dictionary at the start of the file.
fn header_text(input: &mut impl Read) -> io::Result<String> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut start = [0; 8];
    input.read_exact(&mut start)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(invalid("this is not an NPY file; save it with numpy.save or use another ending"));
    }
    let length = match start[6] {
        1 => {
            let mut length = [0; 2];
            input.read_exact(&mut length)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            input.read_exact(&mut length)?;
            u32::from_le_bytes(length) as usize
        }
        _ => return Err(invalid("this version of the NPY format is not known; save it with a current NumPy")),
    };
    if length > MAX_HEADER {
        return Err(invalid("the header of the array is too long; save it as a plain array of numbers"));
    }
    let mut text = vec![0; length];
    input.read_exact(&mut text)?;
    String::from_utf8(text).map_err(|_| invalid("the header of the array is damaged; write the file again"))
}

struct Header {
    /// The type of number, such as `f8`.
    number: String,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, String> {
        let damaged = || "the header of the array is damaged; write the file again".to_string();
        let descr = value_of(text, "descr").ok_or_else(damaged)?;
        let Some(descr) = descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next()) else {
            return Err("records of several types cannot be read; save a plain array of numbers".to_string());
        };
        let fortran_order = match value_of(text, "fortran_order").ok_or_else(damaged)? {
            value if value.starts_with("True") => true,
            value if value.starts_with("False") => false,
            _ => return Err(damaged()),
        };
        let shape = value_of(text, "shape").and_then(|value| value.strip_prefix('(')).ok_or_else(damaged)?;
        let (shape, _) = shape.split_once(')').ok_or_else(damaged)?;
        let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape = sizes.map(str::parse).collect::<Result<_, _>>().map_err(|_| damaged())?;
        let number = descr.trim_start_matches(['<', '>', '|', '=']).to_string();
        Ok(Self { number, big_endian: descr.starts_with('>'), fortran_order, shape })
    }
}

/// What follows `'key':` in a Python dictionary.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let start = [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|k| Some(text.find(k)? + k.len()))?;
    Some(text[start..].trim_start().strip_prefix(':')?.trim_start())
}

/// The numbers after the header.
struct Elements<'a, R> {
    input: R,
    header: &'a Header,
    file: &'a str,
}

impl<R: Read> Elements<'_, R> {
    fn wide<const N: usize>(self, number: impl Fn([u8; N]) -> f64) -> Result<Values, TableError> {
        self.array(number).map(Values::F64)
    }

    fn array<T: Clone, const N: usize>(mut self, number: impl Fn([u8; N]) -> T) -> Result<ArrayD<T>, TableError> {
        let (shape, file) = (&self.header.shape, self.file);
        let too_large = || npy_error(file, format!("an array of shape {shape:?} does not fit into memory"));
        let length = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size)).ok_or_else(too_large)?;
        let mut values = Vec::new();
        values.try_reserve_exact(length).map_err(|_| too_large())?;
        self.fill(&mut values, length, number).map_err(|error| io_error(file, error))?;

        let order = IxDyn(shape).set_f(self.header.fortran_order);
        let array = ArrayD::from_shape_vec(order, values).map_err(|_| too_large())?;
        Ok(if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() })
    }

    fn fill<T, const N: usize>(
        &mut self,
        values: &mut Vec<T>,
        length: usize,
        number: impl Fn([u8; N]) -> T,
    ) -> io::Result<()> {
        let mut piece = vec![[0; N]; 8192.min(length)];
        while values.len() < length {
            piece.truncate(length - values.len());
            self.input.read_exact(piece.as_flattened_mut())?;
            if self.header.big_endian {
                piece.iter_mut().for_each(|bytes| bytes.reverse());
            }
            values.extend(piece.iter().map(|&bytes| number(bytes)));
        }
        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "there is more after the array; save one array a file"))
            }
        }
    }
}
