//! Trimmed k-means: the rows that are farthest from all centres do not count.
//!
//! ```text
//! min over c and u of  Σ uᵢ D(xᵢ, nearest c)      0 ≤ uᵢ ≤ wᵢ,   Σ uᵢ = Σ wᵢ − T
//! ```
//!
//! For given centres the best u leaves out the farthest rows (k-means--: Chawla & Gionis 2013; impartial trimming:
//! Cuesta-Albertos, Gordaliza & Matrán 1997), for given u the best centres are those of the rows that are left: neither step
//! raises the sum. T is αΣw, rounded down where all weights are whole numbers: ⌊αn⌋ rows of n. The row at which T is used up may
//! keep a part of its weight, as some copies of it would stay and others go.

use miscela_kernel::{Float, Samples};

/// What each row counts with, n, where α of all weight is left out and `reduced` are the distances to the nearest centres.
/// Cost: O(n) and the sorting of as many rows as may be left out.
pub(crate) fn trimmed_weights<F: Float>(samples: &Samples<F>, reduced: &[f64], alpha: f64) -> Vec<f64> {
    let mut weights: Vec<f64> = (0..samples.n_rows()).map(|i| samples.weight(i)).collect();
    let mut left = amount(&weights, alpha);
    let mut rows: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] > 0.0).collect();
    let least = rows.iter().map(|i| weights[*i]).fold(f64::INFINITY, f64::min);
    let farther = |a: &usize, b: &usize| reduced[*b].total_cmp(&reduced[*a]).then(a.cmp(b));
    let most = (left / least).ceil() as usize;
    if most < rows.len() {
        rows.select_nth_unstable_by(most, farther);
        rows.truncate(most);
    }
    rows.sort_unstable_by(farther);
    for i in rows {
        let taken = left.min(weights[i]);
        weights[i] -= taken;
        left -= taken;
    }
    weights
}

/// How much weight is left out.
fn amount(weights: &[f64], alpha: f64) -> f64 {
    let share = alpha * weights.iter().sum::<f64>();
    let whole = weights.iter().all(|w| w.fract() == 0.0);
    // α is a decimal fraction, nearly always, and rounded itself: 0.29 of 100 are 29.
    if whole { (share + 1e-9 * share.max(1.0)).floor() } else { share }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn weights_of(weights: &[f64], reduced: &[f64], alpha: f64) -> Vec<f64> {
        let rows = Array2::<f64>::zeros((weights.len(), 1));
        trimmed_weights(&Samples::weighted(&rows, weights).unwrap(), reduced, alpha)
    }

    #[test]
    fn whole_weights_lose_whole_units_and_others_their_exact_share() {
        assert_eq!(weights_of(&[1.0; 5], &[3.0, 1.0, 9.0, 2.0, 0.0], 0.5), [0.0, 1.0, 0.0, 1.0, 1.0]);
        assert_eq!(weights_of(&[1.0, 5.0, 0.0], &[0.0, 1.0, 2.0], 0.5), [1.0, 2.0, 0.0]);
        assert_eq!(weights_of(&[0.25, 0.25, 0.5], &[0.0, 1.0, 2.0], 0.625), [0.25, 0.125, 0.0]);
        let hundred = weights_of(&[1.0; 100], &[1.0; 100], 0.29);
        assert_eq!(hundred.iter().sum::<f64>(), 71.0);
    }

    proptest! {
        /// No other way to leave out as much leaves a smaller sum: each weight that is left lies no farther than any taken.
        #[test]
        fn the_farthest_go_first(rows in prop::collection::vec((0.1..5.0f64, 0..20u8), 1..40), alpha in 0.0..1.0f64) {
            let (weights, reduced): (Vec<f64>, Vec<f64>) = rows.iter().map(|(w, r)| (*w, f64::from(*r))).unzip();
            let left = weights_of(&weights, &reduced, alpha);
            let total: f64 = weights.iter().sum();
            prop_assert!((left.iter().sum::<f64>() - (1.0 - alpha) * total).abs() <= 1e-12 * total);
            for i in 0..left.len() {
                prop_assert!((0.0..=weights[i]).contains(&left[i]));
                let taken = left[i] < weights[i];
                prop_assert!(!taken || (0..left.len()).all(|j| left[j] == 0.0 || reduced[j] <= reduced[i]));
            }
        }
    }
}
