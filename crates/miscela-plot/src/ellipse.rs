//! The ellipse of a 2 × 2 covariance: the points r standard deviations from the centre, c + r·V·√Λ·(cos t, sin t),
//! with Σ = V·Λ·Vᵀ. A singular covariance gives a line or a point.

use crate::scene::Point;
use std::f64::consts::TAU;

/// [variance of x, covariance, variance of y]
pub(crate) type Covariance2 = [f64; 3];

/// A closed line of so many points.
pub(crate) fn ellipse(centre: Point, [xx, xy, yy]: Covariance2, r: f64, sides: usize) -> Vec<Point> {
    let half = (xx / 2.0 - yy / 2.0).hypot(xy);
    let middle = xx / 2.0 + yy / 2.0;
    // Rounding may leave a singular covariance slightly negative.
    let (long, short) = ((middle + half).max(0.0).sqrt(), (middle - half).max(0.0).sqrt());
    let (sin, cos) = (xy.atan2(xx / 2.0 - yy / 2.0) / 2.0).sin_cos();
    (0..sides)
        .map(|i| {
            let (v, u) = (TAU * i as f64 / sides as f64).sin_cos();
            let (u, v) = (r * long * u, r * short * v);
            [centre[0] + cos * u - sin * v, centre[1] + sin * u + cos * v]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Every point is r standard deviations away: (p − c)ᵀ Σ⁻¹ (p − c) = r².
        #[test]
        fn all_points_are_as_far(a in 0.1..5.0f64, b in -5.0..5.0f64, c in 0.1..5.0f64, r in 0.5..3.0f64) {
            // L·Lᵀ with L = [[a, 0], [b, c]]
            let covariance = [a * a, a * b, b * b + c * c];
            for [x, y] in ellipse([1.0, -2.0], covariance, r, 72) {
                let u = (x - 1.0) / a;
                let v = (y + 2.0 - b * u) / c;
                prop_assert!((u.hypot(v) - r).abs() < 1e-6 * r, "{} {}", u.hypot(v), r);
            }
        }
    }

    #[test]
    fn a_singular_covariance_is_a_line() {
        for [x, y] in ellipse([0.0, 0.0], [4.0, 4.0, 4.0], 1.0, 72) {
            assert!((x - y).abs() < 1e-7);
        }
    }
}
