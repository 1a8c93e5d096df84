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

    /// How far any other centroid is at least.
    pub fn lower(self) -> f32 {
        self.lower
    }

    /// The bounds once there is one more centroid, this far from the row.
    pub fn beside(self, distance: f64) -> Self {
        Self { lower: self.lower.min(below(distance)), ..self }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounding_goes_outwards(x in prop_oneof![0.0..1.0f64, 0.0..1e30f64, 0.0..1e-30f64, Just(0.0), 0.0..1e300f64]) {
            prop_assert!(f64::from(above(x)) > x);
            prop_assert!(f64::from(below(x)) < x || x == 0.0);
            prop_assert!((0.0..=f32::MAX).contains(&below(x)));
        }

        #[test]
        fn bounds_stay_bounds_and_what_they_tell_is_so(
            (d, row, sets) in (1usize..4, 1usize..6).prop_flat_map(|(d, k)| {
                let numbers = |count| prop::collection::vec(prop_oneof![-2.0..2.0f64, (-2i32..3).prop_map(f64::from)], count);
                (Just(d), numbers(d), prop::collection::vec(numbers(k * d), 2..5))
            }),
            gaps in any::<bool>(),
            scale in prop_oneof![Just(1.0), Just(1e-30), Just(1e-42), Just(1e30), Just(1e200)],
        ) {
            let scaled = |all: &[f64]| all.iter().map(|x| x * scale).collect::<Vec<_>>();
            let row = scaled(&row);
            let sets: Vec<_> = sets.iter().map(|set| Centroids::new(&scaled(set), &vec![0.0; d])).collect();
            let distances = |set: &Centroids<f64>| set.rows().map(|c| squared_distance(&row, c).sqrt()).collect::<Vec<_>>();
            let (own, nearest) = crate::nearest_direct(&row, &sets[0]);
            let own = own as usize;
            let others = |all: &[f64]| (0..all.len()).filter(|c| *c != own).fold(f64::INFINITY, |least, c| least.min(all[c]));
            let mut bounds = Bounds { upper: above(nearest.sqrt()), lower: below(others(&distances(&sets[0]))) };
            for pair in sets.windows(2) {
                let (renewed, told) = Step::all(&pair[0], &pair[1], gaps)[own].renew(bounds);
                bounds = renewed;
                let now = distances(&pair[1]);
                prop_assert!(now[own] <= f64::from(bounds.upper), "{} {bounds:?}", now[own]);
                prop_assert!(others(&now) >= f64::from(bounds.lower), "{now:?} {bounds:?}");
                prop_assert!(!told || crate::nearest_direct(&row, &pair[1]).0 as usize == own);
            }
        }
    }

    #[test]
    fn nothing_known_tells_nothing() {
        assert_eq!((Bounds::UNKNOWN.upper(), Bounds::UNKNOWN.lower()), (f32::INFINITY, 0.0));
        let still = Step { own: 0.0, others: 0.0, half_gap: f32::MAX };
        assert!(!still.renew(Bounds::UNKNOWN).1);
        let endless = Step { own: f32::INFINITY, others: f32::INFINITY, half_gap: 0.0 };
        let (bounds, told) = endless.renew(Bounds { upper: 1.0, lower: f32::MAX });
        assert!(!told && bounds.lower == 0.0);
    }

    #[test]
    fn the_one_that_moved_most_does_not_count_for_itself() {
        let centroids = |rows: &[f64]| Centroids::new(rows, &[0.0]);
        let steps = Step::all(&centroids(&[0.0, 10.0, 20.0]), &centroids(&[3.0, 11.0, 20.0]), true);
        let others: Vec<f32> = steps.iter().map(|step| step.others.round()).collect();
        assert_eq!(others, [1.0, 3.0, 3.0]);
        assert_eq!(steps.iter().map(|step| step.half_gap.ceil()).collect::<Vec<_>>(), [4.0, 4.0, 5.0]);
    }
}
