//! The cosine distance, 1 − cos ∠(a, b) = ½‖a/‖a‖ − b/‖b‖‖².
//!
//! The second form is computed: it is never negative, and it keeps its digits where the angle is small. Lengths of rows
//! have no influence, and rows are divided by their largest number first, so that squares neither overflow nor vanish.
//!
//! The best centre is the mean of the directions (Dhillon & Modha 2001), which makes k-means with this distance spherical
//! k-means. It is half a squared chord, not a metric.

use crate::columnwise::{Columnwise, columnwise_kernels};
use crate::{CentreRule, Centred, Distance, DomainError};
use miscela_kernel::{Block, Float};

/// 1 − cos ∠(a, b), between 0 (same direction) and 2 (opposite); not a metric.
///
/// A row of zeros has no direction, and `check` refuses it. Should a centre be one, because the directions of its rows
/// cancel, then its distance to everything is ½. Not where lengths matter, and not for data whose origin means nothing, such as
/// temperatures or coordinates.
///
/// ```
/// use miscela_distance::{Cosine, Distance};
/// assert_eq!(Cosine.distance(&[1.0, 0.0], &[0.0, 5.0]), 1.0);
/// assert_eq!(Cosine.distance(&[1.0, 2.0], &[2.0, 4.0]), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cosine;

/// How to scale a row to length one: twice, so that nothing overflows.
#[derive(Clone, Copy)]
struct Length {
    largest: f64,
    rest: f64,
}

impl Length {
    fn of<F: Float>(row: &[F]) -> Self {
        let largest = row.iter().fold(0.0, |largest: f64, x| largest.max(x.widen().abs()));
        if largest == 0.0 {
            return Self { largest: 1.0, rest: 1.0 };
        }
        let rest = row.iter().fold(0.0, |sum, x| sum + (x.widen() / largest) * (x.widen() / largest)).sqrt();
        Self { largest, rest }
    }

    #[inline(always)]
    fn unit(self, x: f64) -> f64 {
        x / self.largest / self.rest
    }
}

impl<F: Float> Columnwise<F> for Cosine {
    fn view(row: &[F], view: &mut [f64]) {
        let length = Length::of(row);
        view.iter_mut().zip(row).for_each(|(to, x)| *to = length.unit(x.widen()));
    }

    #[inline(always)]
    fn step(sum: f64, a: f64, b: f64) -> f64 {
        sum + 0.5 * (a - b) * (a - b)
    }
}

impl<F: Float> Distance<F> for Cosine {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        let (of_a, of_b) = (Length::of(a), Length::of(b));
        let units = a.iter().zip(b).map(|(a, b)| (of_a.unit(a.widen()), of_b.unit(b.widen())));
        units.fold(0.0, |sum, (a, b)| <Self as Columnwise<F>>::step(sum, a, b))
    }

    fn check(&self, rows: &Block<F>) -> Result<(), DomainError> {
        match rows.rows().position(|row| row.iter().all(|x| x.is_zero())) {
            Some(i) => Err(DomainError::ZeroRow { row: rows.first() + i }),
            None => Ok(()),
        }
    }

    columnwise_kernels!(Self: assign, nearest, nearest_two, pairwise);
}

impl<F: Float> Centred<F> for Cosine {
    fn centre_rule(&self) -> CentreRule {
        CentreRule::NormalisedMean
    }
}

#[cfg(test)]
crate::conformance::conforms!(|_| Cosine, NonZero: kernels, reduced, zero, symmetric, degree(0), centre);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_angles_keep_their_digits() {
        // 1 − cos θ = 2 sin²(θ/2); the plain form would give 0.
        let theta = 1e-9f64;
        let found = Cosine.distance(&[1.0, 0.0], &[theta.cos(), theta.sin()]);
        assert!((found / (theta * theta / 2.0) - 1.0).abs() < 1e-6, "{found}");
    }

    #[test]
    fn lengths_do_not_matter_at_any_scale() {
        for scale in [5e-324, 1e-300, 1e-150, 1e150, 1e307] {
            let found = Cosine.distance(&[scale, scale], &[2.0, 0.0]);
            assert!((found - (1.0 - 0.5f64.sqrt())).abs() < 1e-15, "{scale}: {found}");
        }
        assert!((Cosine.distance(&[1.0f32, 1.0], &[-1e38, -1e38]) - 2.0).abs() < 1e-15);
    }

    #[test]
    fn a_row_of_zeros_is_named() {
        let rows = [1.0, 0.0, 0.0, 0.0];
        assert_eq!(Cosine.check(&Block::new(&rows, 2)), Err(DomainError::ZeroRow { row: 1 }));
        assert_eq!(Cosine.check(&Block::new(&rows, 2).slice(1..2)), Err(DomainError::ZeroRow { row: 1 }));
        assert_eq!(Cosine.check(&Block::new(&rows, 2).slice(0..1)), Ok(()));
    }
}
