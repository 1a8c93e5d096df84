//! Pages to look at clusterings with: HTML, style, script and numbers in one string, which loads nothing from anywhere.
//!
//! A [`Page`] puts the parts together, and keeps text from becoming markup. Its style (`assets/style.css`) and its drawing on
//! canvases (`assets/common.js`) are shared by all pages; colours of components are those of `miscela-plot`.
//! [`report`](mod@report) is the page of a model and a table.
//!
//! ```
//! use miscela_page::{Page, escape};
//!
//! let page = Page::new("Old Faithful")
//!     .body(&format!("<main><h1>{}</h1></main>", escape("eruptions & waits")))
//!     .data("rows", &[[3.6, 79.0], [1.8, 54.0]])?
//!     .script("console.log(Data.read('rows').length)");
//! assert!(page.to_html().starts_with("<!doctype html>"));
//! # Ok::<(), miscela_page::PageError>(())
//! ```

mod colours;
mod page;
pub mod report;

pub use page::{Page, PageError, escape};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
