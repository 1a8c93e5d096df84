//! Where to start a clustering?
//!
//! A [`Seeding`] finds k centres to start from. Each method is one file, and [`KMeansInit`] lists them:
//!
//! | method | picks | cost, in distances | use it |
//! |---|---|---|---|
//! | [`Random`] | k distinct rows, by weight | none | as a baseline, or for very large k |
//! | [`KMeansPlusPlus`] | rows far from those picked before, by weight × D² | at most n·k·t for t trials | by default |
//! | [`KMeansParallel`] | about 10·k such rows in five rounds, then k of them | 10·n·k, by the fused kernel in 6 passes | for large k, or where a pass over the rows is dear |
//! | [`Precomputed`] | the centres given | none | to go on from known centres |
//!
//! [`Agglomerate`] and [`quantile_labels`] find partitions instead, as mixtures like to start from.
//!
//! All methods honour weights (zero weight is an absent row, an integer weight is that many copies, in distribution) and
//! depend on the random numbers alone: the same generator gives the same bits for any number of threads and any memory
//! layout. The rows picked have pairwise different values; where there are fewer than k of those, the answer is
//! [`SeedingError::TooFewDistinct`].
//!
//! ```
//! use miscela_distance::L2;
//! use miscela_init::{KMeansInit, Seeding};
//! use miscela_kernel::{Samples, Threads};
//! use ndarray::array;
//! use rand::SeedableRng;
//! use rand_xoshiro::Xoshiro256Plus;
//!
//! let rows = array![[0.0, 0.1], [0.1, 0.0], [9.0, 9.1], [9.1, 9.0]];
//! let samples = Samples::new(&rows)?;
//! let mut rng = Xoshiro256Plus::seed_from_u64(42);
//! let seeds = KMeansInit::KMeansPlusPlus.seed(&samples, 2, &L2, Threads::Ambient, &mut rng)?;
//! // One centre from each corner, each a row of the data.
//! let apart: f64 = seeds.centres[[0, 0]] - seeds.centres[[1, 0]];
//! assert!(apart.abs() > 8.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agglomerate;
#[cfg(test)]
mod conformance;
mod distinct;
mod error;
mod method;
mod near;
mod order;
mod parallel;
mod plus_plus;
mod precomputed;
mod quantiles;
mod random;
mod reach;
mod screen;

pub use agglomerate::{Agglomerate, Agglomeration, AgglomerationModel, Merge, Transform};
pub use error::SeedingError;
pub use method::{KMeansInit, UnknownInit};
pub use parallel::KMeansParallel;
pub use plus_plus::KMeansPlusPlus;
pub use precomputed::Precomputed;
pub use quantiles::quantile_labels;
pub use random::Random;

use miscela_distance::Distance;
use miscela_kernel::{Float, Lanes, Samples, Threads};
use ndarray::Array2;
use rand::RngCore;

/// A way to find k centres to start from.
pub trait Seeding<F: Float, D: Distance<F>> {
    /// Finds k centres for the rows of `samples`.
    ///
    /// `threads` changes the time and nothing else; [`Threads::Count`] should have been
    /// [installed](Threads::install) by the caller and otherwise works as [`Threads::Ambient`].
    ///
    /// # Errors
    /// If k is 0 or more than there are rows or distinct rows of positive weight, if the distance is not defined on the
    /// rows, or if what the method was given does not fit them.
    fn seed(
        &self,
        samples: &Samples<F>,
        k: usize,
        distance: &D,
        threads: Threads,
        rng: &mut dyn RngCore,
    ) -> Result<Seeds<F>, SeedingError>;
}

/// Centres to start from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Seeds<F> {
    /// k × d, row by row in memory.
    pub centres: Array2<F>,
    /// The indices of the rows that the centres are copies of, for methods that pick rows.
    pub rows: Option<Vec<usize>>,
}

impl<F: Float> Seeds<F> {
    fn of_rows(samples: &Samples<F>, rows: Vec<usize>) -> Self {
        let mut centres = Array2::zeros((rows.len(), samples.n_columns()));
        for (mut centre, row) in centres.rows_mut().into_iter().zip(&rows) {
            centre.assign(&samples.rows().row(*row));
        }
        Self { centres, rows: Some(rows) }
    }
}

/// What every method asks of its input, checked once at its door.
fn check<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    k: usize,
    distance: &D,
    threads: Threads,
) -> Result<(), SeedingError> {
    let n_rows = samples.n_rows();
    if k == 0 {
        return Err(SeedingError::NoCentres);
    }
    if k > n_rows {
        return Err(SeedingError::TooFewRows { n_rows, k });
    }
    let lanes = Lanes::new(n_rows, 0);
    let threads = threads.for_work((n_rows * samples.n_columns()) as f64);
    let checked = threads.map(lanes.count(), |lane| {
        let mut scratch = Vec::new();
        lanes.blocks(lane).try_for_each(|rows| distance.check(&samples.block(rows, &mut scratch)))
    });
    checked.into_iter().try_for_each(|lane| lane.map_err(SeedingError::from))
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
