//! Standard output: text for people, one JSON object for machines; and the colours of both streams.
//!
//! Colours go to terminals only, and to none where `NO_COLOR` is set.

use crate::error::Failure;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::Write;

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const TITLE: Style = Style::new().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(crate) const HINT: Style = Style::new().dimmed();

/// Writes text, styled or not.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes one object on one line.
pub(crate) fn json(answer: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(answer).map_err(|error| Failure::fault(format!("cannot write JSON: {error}")))?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    Ok(out.flush()?)
}

/// A note on standard error. Where nobody reads that any more, work goes on all the same.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{WARNING}note:{WARNING:#} {text}");
}
