//! How it is computed fast, and the same every time: the kernels under miscela.
//!
//! | module | holds |
//! |---|---|
//! | [`Samples`], [`Block`] | rows and weights, checked once; blocks of contiguous rows |
//! | [`Source`], [`Chunk`] | rows that come in chunks, as often as they are asked for, from wherever they are kept |
//! | [`Lanes`], [`Threads`] | rows cut into fixed lanes, so that any number of threads gives the same bits |
//! | [`Tile`] | rows turned into the lanes of registers |
//! | [`Centroids`] | the fused nearest-centroid kernel, with labels that are exact |
//! | [`screen`] | which rows of a tile may lie nearer to some candidates than they lie to what they have |
//! | [`add_distances`], [`extreme_distances`] | distances of the rows of a tile to other rows, summed, or their extremes |
//! | [`Search`], [`Bounds`] | labels renewed after the centroids moved, at the cost of what has changed |
//! | [`Sweep`], [`Boxes`] | labels renewed a tile at a time, if it has a box around its rows from few centroids |
//! | [`Rounded`] | rows in whole numbers of 16 bits, kept for passes by which each is held against all centroids |
//! | [`Prefix`] | centroids bounded from a few columns of a rotation, for a search of wide rows |
//! | [`Forms`] | log-densities of many Gaussians for a tile: [`Scaled`] distances, or solves with a [`Factor`] |
//! | [`Student`] | the same of Student's t, from the forms of Gaussians |
//! | [`share`], [`soften`], [`winners`] | log-densities to responsibilities, with exponential and logarithm vectorised |
//! | [`SoftMoments`], [`HardMoments`] | weighted sums of z and zzᵀ, z = x − μ, soft and hard |
//! | [`uniform`] | random numbers that are functions of a seed and a row number |
//!
//! Nothing here knows what a cluster is. There is no `unsafe` code: instruction sets are chosen at run time through
//! [pulp](https://docs.rs/pulp), and [`Isa`] lists them.

mod aligned;
mod along;
mod bounds;
#[cfg(test)]
mod cases;
mod direct;
mod exp;
mod float;
mod forms;
mod hard;
mod isa;
mod lanes;
mod log;
mod moments;
mod narrow;
mod nearest;
mod packed;
mod prefix;
mod responsibilities;
mod rounded;
mod samples;
mod scaled;
mod scores;
mod screen;
mod search;
mod source;
mod spans;
mod student;
mod sweep;
mod tile;
mod tiled;
mod triangular;
pub mod uniform;
mod whole;

pub use bounds::{Bounds, Step};
pub use float::Float;
pub use forms::Forms;
pub use hard::HardMoments;
pub use isa::Isa;
pub use lanes::{BLOCK_ROWS, Lanes, Threads};
pub use moments::{MomentScratch, Scatter, Shared, SoftMoments};
pub use nearest::{Centroids, MAX_CENTROIDS, NearestScratch, nearest_direct, squared_distance};
pub use prefix::Prefix;
pub use responsibilities::{Sharing, is_settled, share, share_with, soften, winners};
pub use rounded::Rounded;
pub use samples::{Block, Samples, SamplesError, UNKNOWN};
pub use scaled::Scaled;
pub use screen::{screen, screen_with, squared_distance_in_parts};
pub use search::{CentroidColumns, Effort, Moved, Search, SearchScratch};
pub use source::{Chunk, Chunked, Chunks, Origin, Source, SourceError};
pub use spans::{add_distances, add_distances_with, extreme_distances, extreme_distances_with};
pub use student::{Student, TailWeights};
pub use sweep::{Boxes, Candidates, Sweep, SweepScratch};
pub use tile::{Column, TILE_ROWS, Tile};
pub use triangular::{Factor, Solved};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
