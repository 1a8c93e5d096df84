//! NPY, NumPy's array format (NEP 1, Kern 2007): a magic word, a Python dictionary of type, order and shape, and the
//! bytes.
//!
//! The bytes are read in pieces and widened as they come, so a header that lies about the shape costs no memory. They are not
//! mapped into memory: a file that is cut short while it is read must be an error, and no signal.

use crate::Place;
use crate::TableError;
use crate::columns::numbered;
use crate::field::push_number;
use crate::layout::Layout;
use crate::rows::{Rows, wrong};
use miscela_kernel::Float;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

/// Longer headers are not written for arrays of numbers.
const MAX_HEADER: usize = 1 << 16;

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// More columns than this are not believed before they are seen.
const MANY_COLUMNS: usize = 1 << 16;

/// Where bytes come from: of a file, anywhere in it; else one after the other.
pub(crate) enum Input {
    File(Box<dyn ReadSeek>),
    Stream(Box<dyn Read + Send>),
}

pub(crate) trait ReadSeek: Read + Seek + Send {}

impl<R: Read + Seek + Send> ReadSeek for R {}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::File(file) => file.read(buffer),
            Input::Stream(stream) => stream.read(buffer),
        }
    }
}

impl Input {
    /// Goes to a place counted from the start of the file. A stream is kept in memory from then on.
    fn seek(&mut self, start: u64, offset: u64) -> io::Result<()> {
        if let Input::Stream(stream) = self {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest)?;
            // What came before is not needed any more.
            *self = Input::File(Box::new(Rest { start, rest: Cursor::new(rest) }));
        }
        match self {
            Input::File(file) => file.seek(SeekFrom::Start(start + offset)).map(drop),
            Input::Stream(_) => Ok(()),
        }
    }
}

impl Input {
    /// Fails unless there are so many bytes from here on. A stream is kept in memory then, so ask only where it matters.
    fn check_length(&mut self, start: u64, bytes: u64) -> io::Result<()> {
        self.seek(start, 0)?;
        if let Input::File(file) = self {
            let (here, end) = (file.stream_position()?, file.seek(SeekFrom::End(0))?);
            file.seek(SeekFrom::Start(start))?;
            if end.saturating_sub(here) < bytes {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}

/// A file from `start` on.
struct Rest {
    start: u64,
    rest: Cursor<Vec<u8>>,
}

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.rest.read(buffer)
    }
}

impl Seek for Rest {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.rest.seek(match to {
            SeekFrom::Start(place) => SeekFrom::Start(place.saturating_sub(self.start)),
            other => other,
        })
    }
}

/// An array that is being read, row by row.
pub(crate) struct Npy {
    input: Input,
    header: Header,
    number: Number,
    /// Where the numbers begin.
    start: u64,
    /// Rows and columns.
    shape: (usize, usize),
    names: Vec<String>,
    file: String,
    done: usize,
    piece: Vec<u8>,
}

impl Npy {
    /// Reads the header of an array of one or two dimensions.
    pub(crate) fn open(mut input: Input, file: &str) -> Result<Self, TableError> {
        let (header, number, start) = opened(&mut input, file)?;
        let shape = match header.shape[..] {
            [n] => (n, 1),
            [n, d] => (n, d),
            _ => {
                let (file, got) = (file.to_string(), header.shape);
                return Err(TableError::Shape { file, expected: "rows × columns", got });
            }
        };
        if shape.0 == 0 || shape.1 == 0 {
            return Err(TableError::Empty { file: file.to_string() });
        }
        header.length().ok_or_else(|| too_large(file, &header.shape))?;
        // Each column gets a name: of more than a few there should at least be a row.
        if shape.1 > MANY_COLUMNS {
            let row = (shape.1 as u64).saturating_mul(number.size() as u64);
            input.check_length(start, row).map_err(|error| io_error(file, error))?;
        }
        let (names, file) = (numbered(shape.1), file.to_string());
        Ok(Self { input, header, number, start, shape, names, file, done: 0, piece: Vec::new() })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.shape.0
    }

    /// The numbers are 32-bit floats.
    pub(crate) fn is_f32(&self) -> bool {
        self.number == Number::F4
    }

    /// Appends at most `most` rows, fewer only where the array ends; says how many.
    pub(crate) fn read<F: Float>(
        &mut self,
        layout: &Layout,
        most: usize,
        rows: &mut Rows<F>,
    ) -> Result<usize, TableError> {
        let most = most.min(self.shape.0 - self.done);
        let mut n = 0;
        while n < most {
            let m = (most - n).min((PIECE / (self.shape.1 * self.number.size())).max(1));
            let placed = self.fetch(layout, m).map_err(|error| io_error(&self.file, error))?;
            self.append(layout, m, &placed, rows)?;
            self.done += m;
            n += m;
        }
        if self.done == self.shape.0 && n > 0 {
            self.end().map_err(|error| io_error(&self.file, error))?;
        }
        Ok(n)
    }

    /// Fetches the bytes of the next `m` rows; says where in them the columns begin, and how far apart their values are.
    fn fetch(&mut self, layout: &Layout, m: usize) -> io::Result<Placed> {
        let ((n, d), size) = (self.shape, self.number.size());
        self.piece.clear();
        if !self.header.fortran_order || d == 1 {
            exactly(&mut self.input, m * d * size, &mut self.piece)?;
            return Ok(Placed { starts: (0..d).map(|j| j * size).collect(), step: d * size });
        }
        let mut starts = vec![0; d];
        let mut needed: Vec<usize> =
            layout.chosen.iter().chain(&layout.weights).chain(&layout.carry).copied().collect();
        needed.sort_unstable();
        needed.dedup();
        for j in needed {
            starts[j] = self.piece.len();
            self.input.seek(self.start, ((j * n + self.done) * size) as u64)?;
            exactly(&mut self.input, m * size, &mut self.piece)?;
        }
        Ok(Placed { starts, step: size })
    }

    fn append<F: Float>(
        &self,
        layout: &Layout,
        m: usize,
        placed: &Placed,
        rows: &mut Rows<F>,
    ) -> Result<(), TableError> {
        let (size, d) = (self.number.size(), self.shape.1);
        // What threads share: the bytes, and not what they come from.
        let (piece, number, big_endian) = (&self.piece, self.number, self.header.big_endian);
        let one = |i: usize, j: usize, to: &mut f64| {
            let start = placed.starts[j] + i * placed.step;
            number.widen(&piece[start..start + size], big_endian, std::slice::from_mut(to));
        };
        let whole = placed.step == d * size && layout.chosen.iter().copied().eq(0..d);
        let fill = |first: usize, tile: &mut [f64]| {
            if whole {
                return number.widen(&piece[first * d * size..], big_endian, tile);
            }
            for (i, row) in tile.chunks_exact_mut(layout.chosen.len()).enumerate() {
                row.iter_mut().zip(&layout.chosen).for_each(|(to, &j)| one(first + i, j, to));
            }
        };
        let error =
            |i: usize, name: &str, number, problem| wrong(&self.file, Place::Row(self.done + i), name, number, problem);
        rows.numbers.extend(m, fill, |i, j, number, problem| error(i, layout.name(j), number, problem))?;
        if let (Some(j), Some(weights)) = (layout.weights, &mut rows.weights) {
            let fill = |first: usize, tile: &mut [f64]| {
                tile.iter_mut().enumerate().for_each(|(i, to)| one(first + i, j, to));
            };
            weights.extend(m, fill, |i, _, number, problem| error(i, &self.names[j], number, problem))?;
        }
        let mut text = String::new();
        for i in 0..if layout.carry.is_empty() { 0 } else { m } {
            for &j in &layout.carry {
                let mut number = 0.0;
                one(i, j, &mut number);
                text.clear();
                if self.is_f32() {
                    push_number(&mut text, number as f32)
                } else {
                    push_number(&mut text, number)
                }
                rows.carried.push(&text);
            }
        }
        Ok(())
    }

    /// There is nothing after the array.
    fn end(&mut self) -> io::Result<()> {
        if self.header.fortran_order && self.shape.1 > 1 {
            self.input.seek(self.start, (self.shape.0 * self.shape.1 * self.number.size()) as u64)?;
        }
        nothing_more(&mut self.input)
    }
}

/// Where the values of a piece are.
struct Placed {
    /// The first value of each column.
    starts: Vec<usize>,
    /// From a value of a column to the next.
    step: usize,
}

/// Reads an array of numbers of any number of dimensions, and the end of the file after it; row-major.
pub(crate) fn read_array(mut input: impl Read, file: &str) -> Result<ArrayD<f64>, TableError> {
    let (header, number, _) = opened(&mut input, file)?;
    numbers(input, &header, number, file)
}

/// An array of an NPY file, of any number of dimensions, row-major.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NpyArray {
    /// Numbers of any type, widened.
    Numbers {
        /// The numbers.
        values: ArrayD<f64>,
        /// Whether they are 32-bit floats in the file.
        narrow: bool,
    },
    /// Text of NumPy's type `U`.
    Text(ArrayD<String>),
}

/// Reads an array from anything that can be read, to its end; `name` stands for the file in messages. Memory is in proportion to
/// what is there, whatever the header says.
///
/// ```
/// use miscela_table::{NpyArray, read_npy_from, write_npy_text};
///
/// let mut bytes = Vec::new();
/// write_npy_text(&["full"], true, &mut bytes)?;
/// let NpyArray::Text(text) = read_npy_from(&bytes[..], "covariance_type")? else { unreachable!() };
/// assert_eq!((text.ndim(), text.first().map(String::as_str)), (0, Some("full")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`TableError::Npy`] and [`TableError::Read`].
pub fn read_npy_from(mut input: impl Read, name: &str) -> Result<NpyArray, TableError> {
    let header = header(&mut input, name)?.0;
    match header.number.strip_prefix('U').and_then(|width| width.parse().ok()) {
        Some(width) => Ok(NpyArray::Text(texts(input, &header, width, name)?)),
        None => {
            let number = Number::of(&header, name)?;
            let narrow = number == Number::F4;
            Ok(NpyArray::Numbers { values: numbers(input, &header, number, name)?, narrow })
        }
    }
}

/// Writes texts as an array of NumPy's type `U`: of one dimension, or of none if it is a single one and `scalar`.
///
/// # Errors
///
/// Those of `out`.
pub fn write_npy_text(texts: &[impl AsRef<str>], scalar: bool, out: &mut impl Write) -> io::Result<()> {
    let width = texts.iter().map(|text| text.as_ref().chars().count()).max().unwrap_or(0).max(1);
    let shape = if scalar && texts.len() == 1 { String::new() } else { format!("{},", texts.len()) };
    let dictionary = format!("{{'descr': '<U{width}', 'fortran_order': False, 'shape': ({shape}), }}");
    // Magic word, version, length, dictionary and line feed are a multiple of 64 bytes.
    let length = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
    let length = u16::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&length.to_le_bytes())?;
    writeln!(out, "{dictionary:<width$}", width = usize::from(length) - 1)?;
    for text in texts {
        let code_points = text.as_ref().chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
        code_points.into_iter().try_for_each(|code| out.write_all(&code.to_le_bytes()))?;
    }
    Ok(())
}

/// The texts of an array, of so many code points each: UTF-32, filled up with zeros.
fn texts(input: impl Read, header: &Header, width: usize, file: &str) -> Result<ArrayD<String>, TableError> {
    let size = width.checked_mul(4).ok_or_else(|| too_large(file, &header.shape))?;
    let (length, bytes) = content(input, header, size, file)?;
    // Texts of no length take no bytes, so these do not bound their number.
    if width == 0 && length > MAX_HEADER {
        return Err(too_large(file, &header.shape));
    }
    let code = |bytes: &[u8; 4]| match header.big_endian {
        true => u32::from_be_bytes(*bytes),
        false => u32::from_le_bytes(*bytes),
    };
    let text = |i: usize| {
        let codes = bytes[i * size..][..size].as_chunks().0.iter().map(code);
        let filled = codes.clone().rev().take_while(|code| *code == 0).count();
        let text: Option<String> = codes.take(width - filled).map(char::from_u32).collect();
        text.ok_or_else(|| npy_error(file, "its text holds what is no character; write the file again"))
    };
    arranged(header, (0..length).map(text).collect::<Result<_, _>>()?, file)
}

/// The numbers of an array.
fn numbers(input: impl Read, header: &Header, number: Number, file: &str) -> Result<ArrayD<f64>, TableError> {
    let (length, bytes) = content(input, header, number.size(), file)?;
    let mut values = vec![0.0; length];
    number.widen(&bytes, header.big_endian, &mut values);
    arranged(header, values, file)
}

/// How many items of this size an array has, and their bytes, after which there is nothing.
fn content(mut input: impl Read, header: &Header, size: usize, file: &str) -> Result<(usize, Vec<u8>), TableError> {
    let too_large = || too_large(file, &header.shape);
    let length = header.length().ok_or_else(too_large)?;
    let mut bytes = Vec::new();
    let read = exactly(&mut input, length.checked_mul(size).ok_or_else(too_large)?, &mut bytes);
    read.and_then(|()| nothing_more(&mut input)).map_err(|error| io_error(file, error))?;
    Ok((length, bytes))
}

/// In the shape of the header, row-major.
fn arranged<T: Clone>(header: &Header, values: Vec<T>, file: &str) -> Result<ArrayD<T>, TableError> {
    let order = IxDyn(&header.shape).set_f(header.fortran_order);
    let array = ArrayD::from_shape_vec(order, values).map_err(|_| too_large(file, &header.shape))?;
    Ok(if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() })
}

/// The header of an array, the type of its numbers, and where they begin.
fn opened(input: &mut impl Read, file: &str) -> Result<(Header, Number, u64), TableError> {
    let (header, start) = header(input, file)?;
    let number = Number::of(&header, file)?;
    Ok((header, number, start))
}

/// The header of an array, and where what it holds begins.
fn header(input: &mut impl Read, file: &str) -> Result<(Header, u64), TableError> {
    let (text, start) = header_text(input).map_err(|error| io_error(file, error))?;
    Ok((Header::parse(&text).map_err(|what| npy_error(file, what))?, start))
}

/// Appends so many bytes, as they come.
fn exactly(input: &mut impl Read, bytes: usize, to: &mut Vec<u8>) -> io::Result<()> {
    let before = to.len();
    input.by_ref().take(bytes as u64).read_to_end(to)?;
    if to.len() - before < bytes { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn nothing_more(input: &mut impl Read) -> io::Result<()> {
    match input.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "there is more after the array; save one array a file")),
    }
}

fn too_large(file: &str, shape: &[usize]) -> TableError {
    npy_error(file, format!("an array of shape {shape:?} does not fit into memory"))
}

/// A type of numbers, by NumPy's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    F8,
    F4,
    I8,
    I4,
    I2,
    I1,
    U8,
    U4,
    U2,
    U1,
}

impl Number {
    fn named(name: &str) -> Option<Self> {
        use Number::*;
        let all = [F8, F4, I8, I4, I2, I1, U8, U4, U2, U1];
        all.into_iter().find(|number| format!("{number:?}").eq_ignore_ascii_case(name))
    }

    /// That of an array.
    fn of(header: &Header, file: &str) -> Result<Self, TableError> {
        let other = &header.number;
        let sentence = || {
            format!("numbers of type {other:?} cannot be read; save the array as float64, float32 or an integer type")
        };
        Number::named(other).ok_or_else(|| npy_error(file, sentence()))
    }

    /// Bytes.
    fn size(self) -> usize {
        match self {
            Number::F8 | Number::I8 | Number::U8 => 8,
            Number::F4 | Number::I4 | Number::U4 => 4,
            Number::I2 | Number::U2 => 2,
            Number::I1 | Number::U1 => 1,
        }
    }

    /// As many numbers as there is room for.
    fn widen(self, bytes: &[u8], big_endian: bool, to: &mut [f64]) {
        match self {
            Number::F8 => widen(bytes, big_endian, to, f64::from_le_bytes),
            Number::F4 => widen(bytes, big_endian, to, |bytes| f64::from(f32::from_le_bytes(bytes))),
            Number::I8 => widen(bytes, big_endian, to, |bytes| i64::from_le_bytes(bytes) as f64),
            Number::I4 => widen(bytes, big_endian, to, |bytes| f64::from(i32::from_le_bytes(bytes))),
            Number::I2 => widen(bytes, big_endian, to, |bytes| f64::from(i16::from_le_bytes(bytes))),
            Number::I1 => widen(bytes, big_endian, to, |bytes| f64::from(i8::from_le_bytes(bytes))),
            Number::U8 => widen(bytes, big_endian, to, |bytes| u64::from_le_bytes(bytes) as f64),
            Number::U4 => widen(bytes, big_endian, to, |bytes| f64::from(u32::from_le_bytes(bytes))),
            Number::U2 => widen(bytes, big_endian, to, |bytes| f64::from(u16::from_le_bytes(bytes))),
            Number::U1 => widen(bytes, big_endian, to, |bytes| f64::from(u8::from_le_bytes(bytes))),
        }
    }
}

fn widen<const N: usize>(bytes: &[u8], big_endian: bool, to: &mut [f64], number: impl Fn([u8; N]) -> f64) {
    for (to, item) in to.iter_mut().zip(bytes.as_chunks::<N>().0) {
        let mut item = *item;
        if big_endian {
            item.reverse();
        }
        *to = number(item);
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

/// The dictionary at the start of the file, and where it ends.
fn header_text(input: &mut impl Read) -> io::Result<(String, u64)> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut start = [0; 8];
    input.read_exact(&mut start)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(invalid("this is not an NPY file; save it with numpy.save or use another ending"));
    }
    let (length, before) = match start[6] {
        1 => {
            let mut length = [0; 2];
            input.read_exact(&mut length)?;
            (usize::from(u16::from_le_bytes(length)), 10)
        }
        2 | 3 => {
            let mut length = [0; 4];
            input.read_exact(&mut length)?;
            (u32::from_le_bytes(length) as usize, 12)
        }
        _ => return Err(invalid("this version of the NPY format is not known; save it with a current NumPy")),
    };
    if length > MAX_HEADER {
        return Err(invalid("the header of the array is too long; save it as a plain array of numbers"));
    }
    let mut text = vec![0; length];
    input.read_exact(&mut text)?;
    let text = String::from_utf8(text);
    let text = text.map_err(|_| invalid("the header of the array is damaged; write the file again"))?;
    Ok((text, before + length as u64))
}

struct Header {
    /// The type of number, such as `f8`.
    number: String,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// How many numbers there are, if they can be counted.
    fn length(&self) -> Option<usize> {
        let length = self.shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size))?;
        length.checked_mul(8).map(|_| length)
    }

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
