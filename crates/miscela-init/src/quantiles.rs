//! The start for one column: cut it at its quantiles (mclust's `qclass`, which its `Mclust` starts from).

use crate::SeedingError;
use miscela_kernel::{Float, Samples};

/// How many quantiles are tried for each cluster.
const MOST_QUANTILES: usize = 64;

/// The labels of a partition of the first column into k intervals, n, in ascending order.
///
/// The cuts are quantiles by linear interpolation (type 7 of Hyndman & Fan 1996), a weight counting as copies: k + 1 of
/// them, or where some coincide, as many more as it takes for k + 1 to differ, of which those with the smallest steps are
/// dropped. Where values are so often repeated that no such cuts leave k clusters with rows, each cluster gets as many
/// distinct values as the others. Rows of no weight get the label of the interval they are in.
///
/// Cost: a sort of the column.
///
/// # Errors
/// If k is 0, or more than there are distinct values of positive weight.
///
/// ```
/// use miscela_init::quantile_labels;
/// use miscela_kernel::Samples;
/// use ndarray::array;
///
/// let column = array![[9.0], [1.0], [2.0], [3.0], [4.0], [5.0]];
/// assert_eq!(quantile_labels(&Samples::new(&column)?, 3)?, [2, 0, 0, 1, 1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn quantile_labels<F: Float>(samples: &Samples<F>, k: usize) -> Result<Vec<usize>, SeedingError> {
    if k == 0 {
        return Err(SeedingError::NoCentres);
    }
    let column: Vec<f64> = samples.rows().column(0).iter().map(|x| x.widen()).collect();
    let mut sorted: Vec<(f64, f64)> = column.iter().enumerate().map(|(i, x)| (*x, samples.weight(i))).collect();
    sorted.retain(|(_, weight)| *weight > 0.0);
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut values: Vec<f64> = sorted.iter().map(|(x, _)| *x).collect();
    values.dedup();
    if values.len() < k {
        return Err(SeedingError::TooFewDistinct { distinct: values.len(), k });
    }
    let label = |cuts: &[f64], x: f64| cuts.partition_point(|cut| *cut <= x);
    let fills = |cuts: &Vec<f64>| {
        let mut filled = vec![false; k];
        values.iter().for_each(|x| filled[label(cuts, *x)] = true);
        filled.iter().all(|filled| *filled)
    };
    let equal = || (1..k).map(|c| values[c * values.len() / k]).collect();
    let cuts = Quantiles::new(&sorted).cuts(k).filter(fills).unwrap_or_else(equal);
    Ok(column.iter().map(|x| label(&cuts, *x)).collect())
}

/// The values at positions of the sorted copies, linear between them.
struct Quantiles {
    /// Positions and values, ascending.
    knots: Vec<(f64, f64)>,
}

impl Quantiles {
    fn new(sorted: &[(f64, f64)]) -> Self {
        let mut knots = Vec::with_capacity(2 * sorted.len());
        let mut before = 0.0;
        for (value, weight) in sorted {
            knots.push((before, *value));
            if *weight > 1.0 {
                knots.push((before + weight - 1.0, *value));
            }
            before += weight;
        }
        Self { knots }
    }

    /// The value at a share of the way from the first copy to the last.
    fn at(&self, share: f64) -> f64 {
        let last = self.knots.len() - 1;
        let position = share * self.knots[last].0;
        let next = self.knots.partition_point(|(at, _)| *at <= position).min(last);
        let ((from, low), (to, high)) = (self.knots[next.saturating_sub(1)], self.knots[next]);
        if to > from { low + (position - from).clamp(0.0, to - from) / (to - from) * (high - low) } else { high }
    }

    /// The k − 1 cuts between k intervals.
    fn cuts(&self, k: usize) -> Option<Vec<f64>> {
        let cuts_of = |n: usize| {
            let mut cuts: Vec<f64> = (0..n).map(|i| self.at(i as f64 / (n - 1) as f64)).collect();
            cuts.dedup();
            cuts
        };
        let mut cuts = (k + 1..=MOST_QUANTILES * k + 1).map(cuts_of).find(|cuts| cuts.len() > k)?;
        let mut steps: Vec<usize> = (0..cuts.len() - 1).collect();
        steps.sort_by(|a, b| (cuts[a + 1] - cuts[*a]).total_cmp(&(cuts[b + 1] - cuts[*b])));
        let mut dropped = steps[..cuts.len() - k - 1].to_vec();
        dropped.sort_unstable();
        for at in dropped.into_iter().rev() {
            cuts.remove(at);
        }
        // The first and the last are the ends.
        Some(cuts[1..k].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn clusters_are_intervals_with_rows_and_a_weight_is_a_number_of_copies(
            (values, weights, k) in (1usize..40).prop_flat_map(|n| {
                (prop::collection::vec(-5i32..6, n), prop::collection::vec(0usize..4, n), 1usize..6)
            }),
        ) {
            let rows = Array2::from_shape_vec((values.len(), 1), values).unwrap().mapv(f64::from);
            let places: Vec<usize> = weights.iter().enumerate().flat_map(|(i, w)| vec![i; *w]).collect();
            prop_assume!(!places.is_empty());
            let copies = rows.select(Axis(0), &places);
            let weighted = Samples::weighted(&rows, weights.iter().map(|w| *w as f64).collect::<Vec<_>>()).unwrap();
            match (quantile_labels(&weighted, k), quantile_labels(&Samples::new(&copies).unwrap(), k)) {
                (Ok(weighted), Ok(repeated)) => {
                    prop_assert_eq!(places.iter().map(|i| weighted[*i]).collect::<Vec<_>>(), repeated.clone());
                    prop_assert!((0..k).all(|c| repeated.contains(&c)));
                    for i in 0..repeated.len() {
                        for j in 0..i {
                            let order = copies[[i, 0]].total_cmp(&copies[[j, 0]]);
                            prop_assert!(repeated[i].cmp(&repeated[j]) == order || repeated[i] == repeated[j]);
                        }
                    }
                }
                (weighted, repeated) => {
                    let few = matches!(weighted, Err(SeedingError::TooFewDistinct { distinct, .. }) if distinct < k);
                    prop_assert!(few);
                    prop_assert_eq!(weighted, repeated);
                }
            }
        }
    }

    #[test]
    fn a_value_that_most_rows_have_leaves_room_for_others() {
        let mut rows = Array2::zeros((10_000, 1));
        (0..4).for_each(|i| rows[[i, 0]] = 1.0 + i as f64);
        let labels = quantile_labels(&Samples::new(&rows).unwrap(), 4).unwrap();
        assert!((0..4).all(|c| labels.contains(&c)), "{:?}", &labels[..5]);
    }

    #[test]
    fn between_two_copies_values_lie_in_proportion() {
        // Of half a row each, and one that counts twice.
        let quantiles = Quantiles::new(&[(0.0, 0.5), (10.0, 0.5), (20.0, 2.0)]);
        let at = |position: f64| quantiles.at(position / 2.0);
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0].map(at), [0.0, 5.0, 10.0, 15.0, 20.0, 20.0, 20.0]);
    }
}
