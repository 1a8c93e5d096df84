//! How a model is kept: a versioned, self-describing document in a file.
//!
//! This crate knows documents, not models. Whoever has a model derives a document from serde (plain structs, lists of
//! numbers) and gets
//!
//! | | |
//! |---|---|
//! | [`Codec`] | JSON and CBOR, by the ending of the file; bitwise exact, strict, safe with hostile files |
//! | [`Header`] | the five fields that every document opens with, readable without knowing the rest |
//! | [`save`], [`save_as`], [`Document`] | files that are written whole or not at all, and read by kind |
//! | [`write_atomically`] | the same for files of any content |
//! | [`abandon`] | nothing left behind by a process that is told to end while it writes |
//! | [`rows`], [`matrix`], [`finite`] … | arrays as nested lists, and back with shape errors that name the field |
//! | [`PersistError`] | one sentence for whatever is wrong |
//!
//! A document is an object that opens with `{"format": "miscela-model", "version": 1, "kind": …, "dtype": …,
//! "n_features": …}`; [`Format`], [`Version`] and [`Dtype`] are the types of those fields. The example of [`Document`]
//! shows one from end to end.
//!
//! # What is refused
//!
//! Another format or a newer version; unknown, missing and repeated fields of structs; NaN and infinities, in both
//! directions; files that end early or go on after the document; deep nesting. Lengths that a file claims are not
//! believed: memory stays in proportion to the file.

mod arrays;
mod atomic;
mod cbor;
mod codec;
mod error;
mod file;
mod finite;
mod header;
mod json;

pub use arrays::{layers, matrix, rows, stack, vector};
pub use atomic::{Abandoned, abandon, write_atomically};
pub use codec::Codec;
pub use error::PersistError;
pub use file::{Document, MAX_BYTES, load_bytes, save, save_as};
pub use finite::finite;
pub use header::{Dtype, FORMAT, Format, Header, VERSION, Version};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
