//! K-means batch by batch (Sculley 2010, with whole batches): each centre is the mean of all rows it was ever given.
//!
//! ```text
//! N ← N + Σ w,   c ← c + Σ w (x − c) / N       over the rows of the batch nearest to c
//! ```

use super::model::Fitted;
use super::{IncrKMeansError, KMeans, KMeansError, KMeansValidParams};
use crate::input::samples_of;
use crate::report::{Report, Seconds, timed};
use crate::Float;
use linfa::{DatasetBase, traits::FitWith};
use miscela_distance::Centred;
use miscela_em::{CentroidFit, Summary, Termination, evaluate_centroids};
use miscela_init::Seeding;
use miscela_kernel::{Float as _, Samples, Threads};
use ndarray::{Array2, ArrayBase, Data, Ix2};
use rand::{Rng, RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;
