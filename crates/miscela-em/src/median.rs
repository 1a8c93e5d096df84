//! Component-wise weighted medians: the centres of k-medians.
//!
//! Σ w|x − m| is least where the weight below m and the weight above are both at most half; the lower such row value is
//! taken. This needs the rows themselves: no sums tell a median.

use crate::engine::Assigned;
use miscela_kernel::Float;

/// The median row of each cluster, k × d; a cluster without weight keeps its centre. Cost: O(n·d·log n).
pub(crate) fn medians<F: Float>(rows: &Assigned<F>, centres: &[F]) -> Vec<F> {
    let d = rows.samples.n_columns();
    let mut members = vec![Vec::new(); centres.len() / d];
    for (i, label) in rows.labels.iter().enumerate().filter(|(i, _)| rows.samples.weight(*i) > 0.0) {
        members[*label as usize].push(i);
    }
    let table = rows.samples.rows();
    let columns = rows.threads.map(members.len(), |c| {
        let mut centre = centres[c * d..(c + 1) * d].to_vec();
        let mut values: Vec<(F, f64)> = Vec::with_capacity(members[c].len());
        for (j, centre) in centre.iter_mut().enumerate() {
            values.clear();
            values.extend(members[c].iter().map(|i| (table[[*i, j]], rows.samples.weight(*i))));
            *centre = weighted_median(&mut values).unwrap_or(*centre);
        }
        centre
    });
    columns.concat()
}

fn weighted_median<F: Float>(values: &mut [(F, f64)]) -> Option<F> {
    values.sort_unstable_by(|a, b| a.0.widen().total_cmp(&b.0.widen()));
    let half = values.iter().map(|(_, w)| w).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let middle = values.iter().find(|(_, w)| {
        below += w;
        below >= half
    });
    middle.or(values.last()).map(|(x, _)| *x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_other_value_is_closer_to_all(values in prop::collection::vec((-9.0..9.0f64, 0.1..3.0f64), 1..30)) {
            let cost = |m: f64| values.iter().map(|(x, w)| w * (x - m).abs()).sum::<f64>();
            let median = weighted_median(&mut values.clone()).unwrap();
            prop_assert!(values.iter().all(|(x, _)| cost(median) <= cost(*x) + 1e-12));
        }
    }
}
