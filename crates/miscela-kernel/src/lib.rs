//! How it is computed fast, and the same every time: the kernels under miscela.
//!
//! | module | holds |
//! |---|---|
//! | [`Samples`], [`Block`] | rows and weights, checked once; blocks of contiguous rows |
//! | [`Lanes`], [`Threads`] | rows cut into fixed lanes, so that any number of threads gives the same bits |
//! | [`Tile`] | rows turned into the lanes of registers |
//! | [`Centroids`] | the fused nearest-centroid kernel, with labels that are exact |
//! | [`screen`] | which rows of a tile may lie nearer to some candidates than they lie to what they have |
//! | [`Precision`] | squared Mahalanobis distances for a tile |
//! | [`soften`], [`winners`] | log-densities to responsibilities, with a vectorised exponential |
//! | [`Moments`], [`HardMoments`] | weighted sums of z and zzᵀ, z = x − μ, soft and hard |
//!
//! Nothing here knows what a cluster is. There is no `unsafe` code: instruction sets are chosen at run time through
//! [pulp](https://docs.rs/pulp), and [`Isa`] lists them.

mod bounds;
mod exp;
mod float;
mod hard;
mod isa;
mod lanes;
mod moments;
mod nearest;
mod quadratic;
mod responsibilities;
mod samples;
mod scores;
mod screen;
mod search;
mod tile;

pub use bounds::{Bounds, Step};
pub use float::Float;
pub use hard::HardMoments;
pub use isa::Isa;
pub use lanes::{BLOCK_ROWS, Lanes, Threads};
pub use moments::{MomentScratch, Moments, Scatter};
pub use nearest::{Centroids, MAX_CENTROIDS, NearestScratch, nearest_direct, squared_distance};
pub use quadratic::{Factor, Precision, Solved};
pub use responsibilities::{soften, soften_with, winners};
pub use samples::{Block, Samples, SamplesError};
pub use screen::{screen, screen_with, squared_distance_in_parts};
pub use search::{CentroidColumns, Effort, Moved, Search, SearchScratch};
pub use tile::{Column, TILE_ROWS, Tile};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
