//! Rows, and sets of centroids one after the other, that the ways of renewing labels are tested on.

use crate::Float;
use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;

/// What is told a test: rows, sets of centroids, what to take off both, and the order of the rows.
pub(crate) type Told<'a, F> = (ArrayView2<'a, F>, &'a [Vec<F>], &'a [F], Option<&'a [u32]>);

/// Rows, the centroids that they are given to first and those that follow.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    table: Array2<f64>,
    sets: Vec<Vec<f64>>,
    /// Where the middle of the rows is, in every column.
    middle: f64,
    order: Option<Vec<u32>>,
}

/// Cases of some columns, rows and centroids, in which the centroids move so often.
pub(crate) fn cases(shapes: impl Strategy<Value = (usize, usize, usize)>, steps: usize) -> impl Strategy<Value = Case> {
    let numbers = shapes.prop_flat_map(move |(d, n, k)| {
        (Just(d), numbers(n * d), numbers(k * d), prop::collection::vec(numbers(k * d), steps))
    });
    let shrink = prop_oneof![Just(1.0), Just(0.01), Just(1e-7), Just(0.0)];
    let offset = prop_oneof![Just(0.0), Just(1e6)];
    let scale = prop_oneof![Just(1.0), Just(1e-25), Just(1e-40), Just(1e-160), Just(1e15), Just(1e150)];
    (numbers, shrink, offset, scale, any::<bool>()).prop_map(
        |((d, rows, start, steps), shrink, offset, scale, sorts)| {
            let n = rows.len() / d;
            let mut order: Vec<u32> = (0..n as u32).collect();
            order.sort_by(|a, b| rows[*a as usize * d].total_cmp(&rows[*b as usize * d]));
            let mut sets = vec![start];
            for step in &steps {
                let last = &sets[sets.len() - 1];
                sets.push(last.iter().zip(step).map(|(c, s)| c + shrink * s).collect());
            }
            let place = |x: &f64| (x + offset) * scale;
            let place_all = |all: &Vec<f64>| all.iter().map(place).collect::<Vec<_>>();
            Case {
                table: Array2::from_shape_vec((n, d), place_all(&rows)).unwrap(),
                sets: sets.iter().map(place_all).collect(),
                middle: place(&0.0),
                order: sorts.then_some(order),
            }
        },
    )
}

impl Case {
    /// Tells tests of both types of numbers, and of rows whose columns lie one after the other.
    pub(crate) fn tell(&self, double: impl Fn(Told<f64>), single: impl Fn(Told<f32>)) {
        let (d, order) = (self.table.ncols(), self.order.as_deref());
        double((self.table.view(), &self.sets, &vec![self.middle; d], order));
        let turned = self.table.t().as_standard_layout().into_owned();
        double((turned.t(), &self.sets, &vec![0.0; d], order));
        let table = self.table.mapv(f32::narrow);
        let sets: Vec<Vec<f32>> = self.sets.iter().map(|set| set.iter().map(|x| f32::narrow(*x)).collect()).collect();
        if table.iter().chain(sets.iter().flatten()).all(|x| x.is_finite()) {
            single((table.view(), &sets, &vec![f32::narrow(self.middle); d], order));
        }
    }
}

/// Numbers with exact ties, with many scales, or clustered.
fn numbers(count: usize) -> impl Strategy<Value = Vec<f64>> {
    let ties = prop::collection::vec((-3i32..4).prop_map(f64::from), count);
    let scales = prop::collection::vec(prop_oneof![-1.0..1.0f64, -1e4..1e4f64, -1e-6..1e-6f64], count);
    let clustered = prop::collection::vec((0i32..6, -1.0..1.0f64).prop_map(|(c, x)| f64::from(c) * 40.0 + x), count);
    prop_oneof![ties, scales, clustered]
}
