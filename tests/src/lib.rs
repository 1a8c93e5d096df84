//! What the tests across crates share: data, recorded results, generated blobs, and ways to compare.

mod blobs;
mod compare;
mod data;
mod record;

pub use blobs::{Blobs, rotation};
pub use compare::{assert_close, assert_covariances, assert_means, assert_near, dense};
pub use data::{data, labels, narrow, scaled, step_weights};
pub use record::Record;
