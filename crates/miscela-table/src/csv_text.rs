//! CSV and TSV (RFC 4180): records of fields, parsed straight into one vector of numbers.
//!
//! The first record is a header if any of its fields is text. Records end at a line feed; the carriage return before it
//! is a blank at the end of the last field, and blanks around fields do not count. Lines that hold nothing else are
//! passed over. Where a comma is expected and the first line has none, but semicolons or tabs, these are between fields.

use crate::columns::{numbered, refuse_duplicates};
use crate::field::{self, Problem};
use crate::layout::Layout;
use crate::rows::Rows;
use crate::{Place, TableError};
use csv::ByteRecord;
use miscela_kernel::Float;
use std::io::{self, Cursor, Read};

/// A text whose first line was looked at, with a line feed after its end so that lines are counted alike for all.
type Text<R> = io::Chain<io::Chain<Cursor<Vec<u8>>, R>, &'static [u8]>;

/// A text that is being read.
pub(crate) struct Csv<R> {
    records: Records<R>,
    names: Vec<String>,
    /// The current record has not been read yet.
    more: bool,
}

impl<R: Read> Csv<R> {
    /// Reads the names, and goes to the first record of numbers.
    pub(crate) fn open(mut input: R, delimiter: u8, file: &str) -> Result<Self, TableError> {
        let start = first_line(&mut input).map_err(|source| TableError::Read { file: file.to_string(), source })?;
        let between = if delimiter == b',' { between(&start) } else { delimiter };
        let mut records = Records::new(Cursor::new(start).chain(input).chain(&b"\n"[..]), between, file);
        if !records.advance()? {
            return Err(TableError::Empty { file: file.to_string() });
        }
        let has_header = records.record.iter().any(|field| field::parse(field) == Err(Problem::Text));
        let names = if has_header { records.names()? } else { numbered(records.record.len()) };
        let more = !has_header || records.advance()?;
        if !more {
            return Err(TableError::NoRows { file: file.to_string() });
        }
        Ok(Self { records, names, more })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Appends at most `most` rows, fewer only where the text ends; says how many.
    pub(crate) fn read<F: Float>(
        &mut self,
        layout: &Layout,
        most: usize,
        rows: &mut Rows<F>,
    ) -> Result<usize, TableError> {
        let (records, names) = (&mut self.records, &self.names);
        let mut n = 0;
        while self.more && n < most {
            if records.record.len() != names.len() {
                return Err(records.ragged(names.len()));
            }
            for &j in &layout.chosen {
                rows.numbers.push(field::parse(&records.record[j]), |problem| {
                    records.problem(problem, j, names, &layout.chosen)
                })?;
            }
            if let (Some(j), Some(weights)) = (layout.weights, &mut rows.weights) {
                weights.push(field::parse(&records.record[j]), |problem| records.problem(problem, j, names, &[]))?;
            }
            for &j in &layout.carry {
                rows.carried.push(records.text(j)?);
            }
            n += 1;
            self.more = records.advance()?;
        }
        Ok(n)
    }
}

/// The bytes of the first line that is not empty, or as many as tell what is between its fields, and maybe some more.
fn first_line(input: &mut impl Read) -> io::Result<Vec<u8>> {
    const ENOUGH: usize = 1 << 16;
    let mut start = vec![];
    let mut part = [0; 1 << 10];
    while start.len() < ENOUGH && !start.trim_ascii_start().contains(&b'\n') {
        match input.read(&mut part) {
            Ok(0) => break,
            Ok(n) => start.extend_from_slice(&part[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(start)
}

/// What is between the fields of the first line.
fn between(start: &[u8]) -> u8 {
    let line = start.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|sign| line.contains(sign)).unwrap_or(b',')
}

/// The records of a text one after the other, and the lines they stand on.
struct Records<R> {
    reader: csv::Reader<Text<R>>,
    record: ByteRecord,
    file: String,
}

impl<R: Read> Records<R> {
    fn new(text: Text<R>, delimiter: u8, file: &str) -> Self {
        let reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(text);
        Self { reader, record: ByteRecord::new(), file: file.to_string() }
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
        refuse_duplicates(&self.file, &names)?;
        Ok(names)
    }

    /// What is wrong with a field. Where others of the record are text as well, all of them are named at once.
    #[cold]
    fn problem(&self, problem: Problem, j: usize, names: &[String], chosen: &[usize]) -> TableError {
        let is_text = |j: &&usize| field::parse(&self.record[**j]) == Err(Problem::Text);
        let of_text: Vec<String> = chosen.iter().filter(is_text).map(|j| names[*j].clone()).collect();
        if problem == Problem::Text && of_text.len() > 1 {
            return TableError::TextColumns { file: self.file.clone(), line: self.line(), columns: of_text };
        }
        let column = &names[j];
        match self.text(j) {
            Ok(text) => problem.at(&self.file, Place::Line(self.line()), column, text),
            Err(not_utf8) => not_utf8,
        }
    }

    #[cold]
    fn ragged(&self, expected: usize) -> TableError {
        TableError::Ragged { file: self.file.to_string(), line: self.line(), expected, got: self.record.len() }
    }
}
