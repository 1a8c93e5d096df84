//! The idea, to touch: a Gaussian mixture that becomes k-means while one watches.
//!
//! K-means is the mixture with hard assignment, equal fixed weights and one shared spherical covariance. The page that this
//! crate makes has a slider from free covariances to that sphere and on to σ² → 0, another from soft to hard assignment, and
//! shows E-step, M-step, shares and both objectives. Every number on it is computed by `miscela`; the page only draws.
//!
//! ```text
//! points ─► steps (the engine: start, E, M, run) ─┬─► server: the page asks for one step after another
//!              under settings ◄─ path (stations)   └─► record: every station computed beforehand, in one file
//! ```
//!
//! [`Server`] serves the page on loopback behind a random token; [`export`] writes it as one file that needs no server.
//!
//! ```
//! use miscela_play::{Init, Points, Start, export};
//!
//! let page = export(&Points::old_faithful(), Start { k: 2, init: Init::KMeansPlusPlus, seed: 42 })?;
//! assert!(page.starts_with("<!doctype html>") && page.len() < 2_000_000);
//! # Ok::<(), miscela_play::PlayError>(())
//! ```

mod error;
mod page;
mod path;
mod points;
mod record;
mod server;
mod settings;
mod shares;
mod steps;

pub use error::PlayError;
pub use path::{Assigned, Condition, Path, Place, Shape};
pub use points::{MAX_POINTS, Points};
pub use record::{EXPORT_POINTS, export};
pub use server::Server;
pub use settings::{Settings, Weights};
pub use steps::{Expected, Frame, Init, MAX_K, Maximised, Parameters, Reference, Run, Start, Steps};
