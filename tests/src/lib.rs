//! What the tests across crates share: data, recorded results, generated blobs, and ways to compare.

mod blobs;
mod compare;
mod data;
mod double;
mod exact;
mod record;
mod settings;

pub use blobs::{Blobs, rotation};
pub use compare::{assert_close, assert_covariances, assert_means, assert_near, dense};
pub use data::{data, labels, narrow, scaled, step_weights};
pub use double::Double;
pub use exact::ExactInverse;
pub use record::Record;
pub use settings::any_settings;

/// So many cases for a property, with no file for those that failed: they are the same in every run where it matters, since
/// all data follows from a seed that the failure prints. However many cases the environment asks for instead, those to which
/// a property does not apply are no failure.
pub fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases,
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        ..Default::default()
    }
}
