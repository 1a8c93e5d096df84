//! What is still known of a row's distances after the centroids have moved.
//!
//! ```text
//! upper ≥ ‖x − own‖,   lower ≤ ‖x − c‖ for every other c
//! after a move:  upper += ‖own' − own‖,   lower −= the greatest ‖c' − c‖ of the others
//! upper < max(lower, half the gap between own and its nearest neighbour)   ⇒   own is still the nearest
//! ```
//!
//! By the triangle inequality, with two numbers a row (Hamerly 2010). They are kept in `f32` for any type of data, and
//! every rounding goes outwards: a row that is passed over is one that the full search would give the same label.

use crate::{Centroids, Float, squared_distance};

/// How near a row's own centroid is at most, and how near any other is at least.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub(crate) upper: f32,
    pub(crate) lower: f32,
}

impl Bounds {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { upper: f32::INFINITY, lower: 0.0 };

    /// How far the row's own centroid is at most.
    pub fn upper(self) -> f32 {
        self.upper
    }
}

/// How far a centroid moved, how far any other did at most, and half the gap to its nearest neighbour: all on the safe
/// side.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    own: f32,
    others: f32,
    half_gap: f32,
}

/// What one operation in `f32` can lose, and more.
const LOSS: f32 = 1.0 / (1 << 22) as f32;

impl Step {
    /// The bounds after the step, and whether they still tell the label.
    #[inline(always)]
    pub(crate) fn renew(&self, bounds: Bounds) -> (Bounds, bool) {
        let upper = (bounds.upper + self.own) * (1.0 + LOSS);
        let lower = (bounds.lower - self.others) * (1.0 - LOSS);
        (Bounds { upper, lower: lower.max(0.0) }, upper < lower.max(self.half_gap))
    }
}

impl Step {
    /// The steps of all centroids from `old` to `new`. `gaps` says whether half gaps are computed, which costs k²·d.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn all<F: Float>(old: &Centroids<F>, new: &Centroids<F>, gaps: bool) -> Vec<Step> {
        assert_eq!((old.len(), old.width()), (new.len(), new.width()));
        let moved: Vec<f32> = old.rows().zip(new.rows()).map(|(a, b)| above(squared_distance(a, b).sqrt())).collect();
        let first = (0..moved.len()).fold(0, |first, c| if moved[c] > moved[first] { c } else { first });
        let second = (0..moved.len()).filter(|c| *c != first).fold(0.0f32, |most, c| most.max(moved[c]));
        let half_gaps = if gaps { half_gaps(new) } else { vec![0.0; moved.len()] };
        let step = |(c, own): (usize, f32)| Step {
            own,
            others: if c == first { second } else { moved[first] },
            half_gap: half_gaps[c],
        };
        moved.iter().copied().enumerate().map(step).collect()
    }
}

/// Half the distance from each centroid to the nearest other one.
fn half_gaps<F: Float>(centroids: &Centroids<F>) -> Vec<f32> {
    let k = centroids.len();
    let mut nearest = vec![f64::INFINITY; k];
    for a in 0..k {
        for b in 0..a {
            let squared = squared_distance(centroids.row(a), centroids.row(b));
            nearest[a] = nearest[a].min(squared);
            nearest[b] = nearest[b].min(squared);
        }
    }
    nearest.into_iter().map(|squared| below(0.5 * squared.sqrt())).collect()
}

/// A number not below `x` ≥ 0, which was computed in `f64`.
#[inline(always)]
pub(crate) fn above(x: f64) -> f32 {
    // A square below the least number was zero.
    (x as f32) * (1.0 + LOSS) + f32::MIN_POSITIVE
}

/// A number not above `x`, which was computed in `f64`, and finite.
#[inline(always)]
pub(crate) fn below(x: f64) -> f32 {
    ((x as f32) * (1.0 - LOSS) - f32::MIN_POSITIVE).clamp(0.0, f32::MAX)
}
