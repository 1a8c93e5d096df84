//! Which centre of a cluster a distance asks for.
//!
//! k-means alternates two steps, and its objective Σ wᵢ·reduced(xᵢ, c) never rises because each of them is the best
//! there is. For the second step the best centre must be known, which is a property of the distance.

use crate::Distance;
use miscela_kernel::Float;

/// How the centre of a cluster follows from its rows, so that their summed reduced distance to it is least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CentreRule {
    /// The weighted mean (L2, and every Bregman divergence: Banerjee et al. 2005).
    Mean,
    /// The weighted mean of the rows' directions, scaled to length one (Dhillon & Modha 2001). Where the directions
    /// cancel, all centres are equally good.
    NormalisedMean,
    /// The weighted median of each column.
    Median,
}

/// A [`Distance`] for which the best centre of a cluster is known, so that k-means never raises its own objective.
///
/// ```compile_fail,E0277
/// fn kmeans<D: miscela_distance::Centred<f64>>(_: D) {}
/// kmeans(miscela_distance::LInf); // no centre rule is known for L∞
/// ```
#[diagnostic::on_unimplemented(
    message = "k-means has no centre rule for `{Self}`",
    note = "k-means needs to know which centre minimises the summed distances of a cluster; use a distance that says so, such as `L2`"
)]
pub trait Centred<F: Float>: Distance<F> {
    /// How the centre follows from the rows.
    fn centre_rule(&self) -> CentreRule;
}
