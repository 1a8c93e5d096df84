//! CSV and TSV (RFC 4180): records of fields, parsed straight into one vector of numbers.
//!
//! The first record is a header if any of its fields is text. Records end at a line feed; the carriage return before it
//! is a blank at the end of the last field, and blanks around fields do not count. Lines that hold nothing else are
//! passed over.

use crate::columns::{numbered, refuse_duplicates};
use crate::field::{self, Missed, Problem};
use crate::read::Wanted;
use crate::{Place, Table, TableError, TableValues, TextColumns};
use csv::ByteRecord;
use ndarray::Array2;
use std::io::{self, Read};

/// Reads what is wanted of all records of `input`.
pub(crate) fn read(input: impl Read, delimiter: u8, file: &str, wanted: &Wanted) -> Result<Table, TableError> {
    let mut records = Records::new(input, delimiter, file);
    if !records.advance()? {
        return Err(TableError::Empty { file: file.to_string() });
    }
    let has_header = records.record.iter().any(|field| field::parse(field) == Err(Problem::Text));
    let names = if has_header { records.names()? } else { numbered(records.record.len()) };
    let width = names.len();
    let (chosen, carry) = wanted.resolve(file, &names)?;

    let (mut values, mut missed) = (Vec::new(), Missed::new(wanted.missing));
    let mut carried = TextColumns::new(carry.iter().map(|&j| names[j].clone()).collect());
    let mut more = !has_header || records.advance()?;
    while more {
        if records.record.len() != width {
            return Err(records.ragged(width));
        }
        for &j in &chosen {
            let value = field::parse(&records.record[j]).and_then(wanted.check);
            values.push(missed.value(value, |problem| records.problem(problem, j, &names[j]))?);
        }
        for &j in &carry {
            carried.push(records.text(j)?);
        }
        more = records.advance()?;
    }
    missed.finish()?;
    if values.is_empty() {
        return Err(TableError::NoRows { file: file.to_string() });
    }
    let shape = (values.len() / chosen.len(), chosen.len());
    // The length is a multiple of the width: every record gave one value a column.
    let values = Array2::from_shape_vec(shape, values).unwrap_or_default();
    let names = chosen.iter().map(|&j| names[j].clone()).collect();
    Ok(Table::new(file.to_string(), names, TableValues::F64(values), carried))
}

/// The records of a text one after the other, and the lines they stand on.
struct Records<'a, R> {
    reader: csv::Reader<io::Chain<R, &'static [u8]>>,
    record: ByteRecord,
    file: &'a str,
}

impl<'a, R: Read> Records<'a, R> {
    fn new(input: R, delimiter: u8, file: &'a str) -> Self {
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            // The last record ends in a line feed too, so that lines are counted alike for all.
            .from_reader(input.chain(&b"\n"[..]));
        Self { reader, record: ByteRecord::new(), file }
    }

    /// Goes to the next record that is not a blank line; false at the end.
    fn advance(&mut self) -> Result<bool, TableError> {
        loop {
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) if self.is_blank() => {}
                Ok(more) => return Ok(more),
                Err(error) => return Err(TableError::Read { file: self.file.to_string(), source: error.into() }),
            }
        }
    }

    /// Blanks alone. Empty lines never arrive here, so a single empty field was quoted: a missing value.
    fn is_blank(&self) -> bool {
        self.record.len() == 1 && !self.record[0].is_empty() && self.record[0].trim_ascii().is_empty()
    }

    /// The line on which the current record starts, counted from 1.
    fn line(&self) -> u64 {
        let inside = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        (self.reader.position().line() - 1).saturating_sub(inside)
    }

    fn text(&self, j: usize) -> Result<&str, TableError> {
        str::from_utf8(self.record[j].trim_ascii()).map_err(|_| TableError::NotUtf8 {
            file: self.file.to_string(),
            line: self.line(),
            field: j + 1,
        })
    }

    /// The current record as names; a column without one is called `xj`.
    fn names(&self) -> Result<Vec<String>, TableError> {
        let mut names = numbered(self.record.len());
        for (j, name) in names.iter_mut().enumerate() {
            let text = self.text(j)?;
            if !text.is_empty() {
                *name = text.to_string();
            }
        }
        refuse_duplicates(self.file, &names)?;
        Ok(names)
    }

    #[cold]
    fn problem(&self, problem: Problem, j: usize, column: &str) -> TableError {
        match self.text(j) {
            Ok(text) => problem.at(self.file, Place::Line(self.line()), column, text),
            Err(not_utf8) => not_utf8,
        }
    }

    #[cold]
    fn ragged(&self, expected: usize) -> TableError {
        TableError::Ragged { file: self.file.to_string(), line: self.line(), expected, got: self.record.len() }
    }
}
