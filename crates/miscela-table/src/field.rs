//! One field of a text table: a number, or what it is instead; and numbers as text.

use crate::{Place, TableError};
use num_traits::Float;
use std::fmt::{Display, LowerExp, Write};

/// Words that stand for a value that is not there, in lower case. They never make a line a header.
const MISSING: [&str; 6] = ["", "na", "n/a", "null", "none", "?"];

/// What becomes of missing values: NaN where they are wanted, else an error about the first, which counts them all if all are
/// to be read.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    wanted: bool,
    at_once: bool,
    first: Option<TableError>,
    total: usize,
}

impl Missed {
    /// An error at the end, that counts them.
    pub(crate) fn counted(wanted: bool) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// An error at the first.
    pub(crate) fn at_once(wanted: bool) -> Self {
        Self { wanted, at_once: true, ..Self::default() }
    }

    /// The value of a field, or what stands for it; `error` says where it is.
    pub(crate) fn value(
        &mut self,
        value: Result<f64, Problem>,
        error: impl FnOnce(Problem) -> TableError,
    ) -> Result<f64, TableError> {
        match value {
            Ok(value) => return Ok(value),
            Err(Problem::Missing) if self.wanted => {}
            Err(Problem::Missing) if !self.at_once => {
                self.total += 1;
                if self.first.is_none() {
                    self.first = Some(error(Problem::Missing));
                }
            }
            Err(problem) => return Err(error(problem)),
        }
        Ok(f64::NAN)
    }

    /// The error, once all values have been seen.
    pub(crate) fn finish(&mut self) -> Result<(), TableError> {
        match self.first.take() {
            Some(TableError::Missing { file, place, column, text, .. }) => {
                Err(TableError::Missing { file, place, column, text, count: self.total })
            }
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Why a field or value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Text,
    Missing,
    NotFinite,
    NotALabel,
    /// For the type of number that is computed with.
    TooLarge,
}

/// What a value must be.
pub(crate) type Check = fn(f64) -> Result<f64, Problem>;

/// NaN is how a missing value is computed with, and written by many programs.
#[inline]
pub(crate) fn finite(value: f64) -> Result<f64, Problem> {
    match value {
        x if x.is_finite() => Ok(x),
        x if x.is_nan() => Err(Problem::Missing),
        _ => Err(Problem::NotFinite),
    }
}

/// A whole number from 0 on, small enough that an `f64` holds it exactly.
pub(crate) fn label(value: f64) -> Result<f64, Problem> {
    let largest = (1u64 << f64::MANTISSA_DIGITS) as f64;
    if value >= 0.0 && value <= largest && value.fract() == 0.0 { Ok(value) } else { Err(Problem::NotALabel) }
}

/// The number in a field; blanks around it do not count.
pub(crate) fn parse(field: &[u8]) -> Result<f64, Problem> {
    let text = str::from_utf8(field.trim_ascii()).map_err(|_| Problem::Text)?;
    text.parse().map_err(|_| if is_missing(text) { Problem::Missing } else { Problem::Text })
}

fn is_missing(text: &str) -> bool {
    MISSING.iter().any(|word| text.eq_ignore_ascii_case(word))
}

impl Problem {
    /// The error that says so.
    pub(crate) fn at(self, file: &str, place: Place, column: &str, text: &str) -> TableError {
        let (file, column, text) = (file.to_string(), column.to_string(), shorten(text));
        match self {
            Problem::Text => TableError::NotANumber { file, place, column, text },
            Problem::Missing => TableError::Missing { file, place, column, text, count: 1 },
            Problem::NotFinite => TableError::NotFinite { file, place, column, text },
            Problem::NotALabel => TableError::NotALabel { file, place, column, text },
            Problem::TooLarge => TableError::Overflow { file, place, column, text },
        }
    }
}

/// At most forty characters, so that a message stays a sentence.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// Appends the shortest text that reads back as the same number; exponents only where the digits would be many.
pub(crate) fn push_number<F: Float + Display + LowerExp>(text: &mut String, value: F) {
    let size = value.abs().to_f64().unwrap_or(f64::NAN);
    let plain = size == 0.0 || (1e-5..1e16).contains(&size) || !size.is_finite();
    // Writing to a String cannot fail.
    let _ = if plain { write!(text, "{value}") } else { write!(text, "{value:e}") };
}
