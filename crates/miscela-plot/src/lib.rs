//! Pictures of clusterings, as SVG and PNG, without system libraries.
//!
//! | picture | function |
//! |---|---|
//! | a clustering: densities (d = 1), scatter and decision regions (d = 2), pairs of columns (d ≤ 6), principal plane (d > 6) | [`draw`], [`Picture::clusters`] |
//! | several clusterings side by side | [`draw_grid`], [`Picture::grid`] |
//! | criteria over the number of clusters | [`Picture::curves`] |
//! | the silhouette of every row | [`Picture::silhouettes`] |
//! | the objective along the iterations of a fit | [`draw_trace`], [`Picture::trace`] |
//!
//! A [`Picture`] is laid out once as a list of shapes; [`Picture::to_svg`] writes them as text and [`Picture::to_png`]
//! paints them. Colours are those of Okabe and Ito (2008), which people of every colour vision can tell apart.
//!
//! ```
//! use miscela_plot::{Clusters, Picture};
//! use ndarray::array;
//!
//! let points = array![[3.6, 79.0], [1.8, 54.0], [3.3, 74.0], [2.3, 62.0]];
//! let centres = array![[3.45, 76.5], [2.05, 58.0]];
//! let clusters = Clusters::new(points.view(), &[0, 1, 0, 1], centres.view()).title("Old Faithful");
//! let svg = Picture::clusters(&clusters)?.to_svg();
//! assert!(svg.starts_with("<svg "));
//! # Ok::<(), miscela_plot::PlotError>(())
//! ```

mod axis;
mod cells;
mod clip;
mod clusters;
mod curves;
mod density;
mod detail;
mod ellipse;
mod extent;
mod font;
mod layout;
mod legend;
mod marks;
mod pairs;
mod palette;
mod panel;
mod picture;
mod png;
mod principal;
mod regions;
mod scatter;
mod scene;
mod silhouettes;
mod svg;
mod trace;

pub use clusters::{Clusters, Labeller, PlotError};
pub use curves::{Curve, Curves};
pub use palette::{N_COLOURS, cluster_colour};
pub use picture::{ImageFormat, Picture, draw, draw_grid, draw_trace};
pub use silhouettes::Silhouettes;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
