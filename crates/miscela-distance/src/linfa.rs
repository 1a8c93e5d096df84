//! Distances to and from linfa.
//!
//! linfa_nn's four distances are distances here as they are, with the kernels of ours. [`FromLinfa`] takes any other of
//! its distances, and [`ToLinfa`] makes any of ours one of its, for its nearest-neighbour searches.

use crate::any::stands_for_another;
use crate::lp::minkowski;
use crate::{CentreRule, Centred, Distance, DomainError, L1, L2, LInf, Lp, Metric, Sums};
use linfa_nn::distance::{Distance as LinfaDistance, L1Dist, L2Dist, LInfDist, LpDist};
use miscela_kernel::{Block, Centroids, Float, NearestScratch};
use ndarray::{ArrayView, ArrayView1, Dimension};
use std::borrow::Cow;
use std::fmt;

/// A distance of this crate as one of linfa_nn. Its algorithms need a [`Metric`] to be exact.
///
/// Arrays of any number of axes are measured, as rows of all their numbers in logical order. What is returned is rounded
/// to `F`. linfa has no way to refuse rows, so call `check` on them first where a distance is not defined for all.
///
/// ```
/// use linfa_nn::distance::Distance;
/// use miscela_distance::{L1, ToLinfa};
/// use ndarray::array;
///
/// assert_eq!(ToLinfa(L1).distance(array![1.0, 2.0].view(), array![4.0, -2.0].view()), 7.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ToLinfa<D>(pub D);

/// The numbers of an array in logical order.
fn numbers<'a, F: Float, D: Dimension>(array: &'a ArrayView<F, D>) -> Cow<'a, [F]> {
    array.as_slice().map_or_else(|| array.iter().copied().collect::<Vec<_>>().into(), Cow::Borrowed)
}

impl<F: Float + ::linfa::Float, D: Distance<F>> LinfaDistance<F> for ToLinfa<D> {
    fn distance<I: Dimension>(&self, a: ArrayView<F, I>, b: ArrayView<F, I>) -> F {
        self.rdist_to_dist(self.rdistance(a, b))
    }

    fn rdistance<I: Dimension>(&self, a: ArrayView<F, I>, b: ArrayView<F, I>) -> F {
        assert_eq!(a.shape(), b.shape(), "both arrays have the same shape");
        F::narrow(self.0.reduced(&numbers(&a), &numbers(&b)))
    }

    fn rdist_to_dist(&self, rdist: F) -> F {
        F::narrow(Distance::<F>::from_reduced(&self.0, rdist.widen()))
    }

    fn dist_to_rdist(&self, dist: F) -> F {
        F::narrow(Distance::<F>::to_reduced(&self.0, dist.widen()))
    }
}

/// A distance written for linfa_nn as one of this crate.
///
/// It is as exact as `F` and its own code are. Whether it obeys the triangle inequality and which centre it asks for is
/// not known, so it is neither [`Metric`] nor [`Centred`]; implement [`Distance`] for the type itself to say so.
///
/// ```
/// use linfa_nn::distance::L1Dist;
/// use miscela_distance::{Distance, FromLinfa};
///
/// assert_eq!(FromLinfa(L1Dist).distance(&[1.0, 2.0], &[4.0, -2.0]), 7.0);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FromLinfa<D>(pub D);

// linfa's distances need not be `Debug`.
impl<D> fmt::Debug for FromLinfa<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FromLinfa({})", std::any::type_name::<D>())
    }
}

impl<F: Float + ::linfa::Float, D: LinfaDistance<F>> Distance<F> for FromLinfa<D> {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        self.0.distance(ArrayView1::from(a), ArrayView1::from(b)).widen()
    }

    fn reduced(&self, a: &[F], b: &[F]) -> f64 {
        self.0.rdistance(ArrayView1::from(a), ArrayView1::from(b)).widen()
    }

    fn from_reduced(&self, reduced: f64) -> f64 {
        self.0.rdist_to_dist(F::narrow(reduced)).widen()
    }

    fn to_reduced(&self, distance: f64) -> f64 {
        self.0.dist_to_rdist(F::narrow(distance)).widen()
    }
}

/// Makes a unit struct of linfa stand for one of ours.
macro_rules! stands_for {
    ($linfa:ident, $with:ident) => {
        stands_for_another!($linfa, $with);

        impl<F: Float> Metric<F> for $linfa {}
    };
}

macro_rules! l2 {
    ($linfa:expr, $ours:ident => $body:expr) => {{
        let (_, $ours) = ($linfa, &L2);
        $body
    }};
}

macro_rules! l1 {
    ($linfa:expr, $ours:ident => $body:expr) => {{
        let (_, $ours) = ($linfa, &L1);
        $body
    }};
}

macro_rules! l_inf {
    ($linfa:expr, $ours:ident => $body:expr) => {{
        let (_, $ours) = ($linfa, &LInf);
        $body
    }};
}

stands_for!(L2Dist, l2);
stands_for!(L1Dist, l1);
stands_for!(LInfDist, l_inf);

impl<F: Float> Centred<F> for L2Dist {
    fn centre_rule(&self) -> CentreRule {
        Centred::<F>::centre_rule(&L2)
    }
}

impl<F: Float> Centred<F> for L1Dist {
    fn centre_rule(&self) -> CentreRule {
        Centred::<F>::centre_rule(&L1)
    }
}

impl<F: Float + ::linfa::Float> Distance<F> for LpDist<F> {
    fn distance(&self, a: &[F], b: &[F]) -> f64 {
        minkowski(self.0.widen(), a, b)
    }

    /// linfa takes any order, so it is looked at here.
    fn check(&self, _: &Block<F>) -> Result<(), DomainError> {
        Lp::new(self.0.widen())?;
        Ok(())
    }
}

impl<F: Float + ::linfa::Float> Metric<F> for LpDist<F> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cosine;
    use linfa_nn::{CommonNearestNeighbour, NearestNeighbour};
    use ndarray::{Array2, Axis, Slice, array};

    mod l2 {
        use super::*;
        crate::conformance::conforms!(|_| L2Dist, Reals: kernels, reduced, zero, symmetric, metric, degree(1), centre);
    }

    mod l1 {
        use super::*;
        crate::conformance::conforms!(|_| L1Dist, Reals: kernels, reduced, zero, symmetric, metric, degree(1), centre);
    }

    mod linf {
        use super::*;
        crate::conformance::conforms!(|_| LInfDist, Reals: kernels, reduced, zero, symmetric, metric, degree(1));
    }

    /// Both of linfa's functions and ours on the same rows.
    fn agree<F: Float + ::linfa::Float>(ours: impl Distance<F>, linfas: impl LinfaDistance<F> + Distance<F>) {
        let cast = |row: [f64; 3]| row.map(F::narrow);
        let (a, b) = (cast([1.0, -2.0, 0.5]), cast([0.25, 7.0, 0.5]));
        let (a_view, b_view) = (ArrayView1::from(&a), ArrayView1::from(&b));
        let close = |x: f64, y: f64| assert!((x - y).abs() <= 8.0 * F::UNIT_ROUNDOFF * y, "{x} {y}");
        let expected = ours.distance(&a, &b);
        close(LinfaDistance::distance(&linfas, a_view, b_view).widen(), expected);
        close(Distance::distance(&linfas, &a, &b), expected);
        close(FromLinfa(linfas.clone()).distance(&a, &b), expected);
        close(FromLinfa(linfas.clone()).reduced(&a, &b), ours.reduced(&a, &b));
        close(FromLinfa(linfas.clone()).from_reduced(ours.reduced(&a, &b)), expected);
        close(FromLinfa(linfas.clone()).to_reduced(expected), ours.reduced(&a, &b));
        let to = ToLinfa(ours.clone());
        close(to.distance(a_view, b_view).widen(), expected);
        close(to.rdistance(a_view, b_view).widen(), LinfaDistance::rdistance(&linfas, a_view, b_view).widen());
        close(to.rdist_to_dist(to.dist_to_rdist(F::narrow(expected))).widen(), expected);
    }

    #[test]
    fn the_four_of_linfa_are_ours() {
        agree::<f64>(L2, L2Dist);
        agree::<f32>(L2, L2Dist);
        agree::<f64>(L1, L1Dist);
        agree::<f32>(L1, L1Dist);
        agree::<f64>(LInf, LInfDist);
        agree::<f32>(LInf, LInfDist);
        agree::<f64>(Lp::new(2.5).unwrap(), LpDist(2.5));
        agree::<f32>(Lp::new(2.5).unwrap(), LpDist(2.5));
    }

    #[test]
    fn an_order_without_a_metric_is_refused() {
        let rows = [1.0, 2.0];
        assert_eq!(LpDist(3.0).check(&Block::new(&rows, 1)), Ok(()));
        assert!(matches!(LpDist(0.5).check(&Block::new(&rows, 1)), Err(DomainError::Order(_))));
    }

    #[test]
    fn any_shape_and_stride_is_measured_in_logical_order() {
        let table = Array2::from_shape_fn((4, 6), |(i, j)| (i * i + 3 * j) as f64 - 7.0);
        let (even, odd) = (Slice::new(0, None, 2), Slice::new(1, None, 2));
        let a = table.slice_axis(Axis(0), even).slice_axis_move(Axis(1), Slice::new(0, None, -3));
        let b = table.slice_axis(Axis(0), odd).slice_axis_move(Axis(1), Slice::new(1, None, 3));
        let flat = |view: &ndarray::ArrayView2<f64>| view.iter().copied().collect::<Vec<_>>();
        let expected = Cosine.distance(&flat(&a), &flat(&b));
        assert_eq!(ToLinfa(Cosine).distance(a, b), expected);
        let column_major = b.t().to_owned();
        assert_eq!(ToLinfa(Cosine).distance(a, column_major.t()), expected);
    }

    #[test]
    #[should_panic(expected = "same shape")]
    fn shapes_that_disagree_panic_as_in_linfa() {
        ToLinfa(L1).distance(array![1.0].view(), array![1.0, 2.0].view());
    }

    #[test]
    fn linfas_searches_take_our_distances() {
        let rows = array![[0.0, 0.0], [5.0, 1.0], [2.0, 2.0]];
        for search in [CommonNearestNeighbour::LinearSearch, CommonNearestNeighbour::BallTree] {
            let index = search.from_batch(&rows, ToLinfa(L1)).unwrap();
            let found = index.k_nearest(array![3.0, 1.0].view(), 2).unwrap();
            let mut found: Vec<usize> = found.into_iter().map(|(_, row)| row).collect();
            found.sort_unstable();
            assert_eq!(found, [1, 2], "row 0 is 4 away, the others 2");
        }
    }
}
