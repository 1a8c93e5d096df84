//! What of a column is shown: all of it, unless a few values lie so far off that nothing would be seen of the others.
//!
//! Two in a hundred rows, or one, may be left out on either side, and are where they lie more than 50 times as far apart as all
//! others do: these would share a few pixels. What is within five of their spans stays.

use crate::Clusters;
use crate::axis::{padded, range};

/// How many spans of most rows are too many to show.
const FAR: f64 = 50.0;
/// How many spans from most rows are still shown then.
const NEAR: f64 = 5.0;
/// Fewer rows are all shown.
const LEAST: usize = 5;

/// The range of a column on an axis: its rows and centres, and what is near of the ellipses at `reach` standard deviations.
pub(crate) fn extent(clusters: &Clusters, column: usize, reach: f64) -> (f64, f64) {
    let rows = clusters.column(column);
    let fence = fence(rows.clone());
    let inside = |x: &f64| (fence.0..=fence.1).contains(x);
    let (centres, present) = (&clusters.centres.column(column), &clusters.present());
    let drawn = || (0..clusters.k()).filter(|c| present[*c] && inside(&centres[*c]));
    let shown = rows.iter().copied().filter(inside);
    let all = range(shown.chain(drawn().map(|c| centres[c])));
    let near = padded(all, 0.25);
    let reaches = clusters.covariances.into_iter().flat_map(|covariances| {
        drawn().flat_map(move |c| {
            let reach = reach * covariances[(c, column, column)].max(0.0).sqrt();
            [centres[c] - reach, centres[c] + reach]
        })
    });
    padded(range([all.0, all.1].into_iter().chain(reaches.map(|x| x.clamp(near.0, near.1)))), 0.04)
}

/// Between which values rows are shown.
pub(crate) fn fence(mut values: Vec<f64>) -> (f64, f64) {
    const EVERYTHING: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
    let n = values.len();
    if n < LEAST {
        return EVERYTHING;
    }
    let all = range(values.iter().copied());
    let tail = (n / 50).max(1);
    let low = *values.select_nth_unstable_by(tail, f64::total_cmp).1;
    let high = *values.select_nth_unstable_by(n - 1 - tail, f64::total_cmp).1;
    let span = high - low;
    // Nor where most values are the same but for rounding.
    let tiny = span <= 1e-9 * low.abs().max(high.abs());
    if tiny || all.1 - all.0 <= FAR * span { EVERYTHING } else { (low - NEAR * span, high + NEAR * span) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(n: usize, others: &[f64]) -> Vec<f64> {
        (0..n).map(|i| i as f64 / n as f64).chain(others.iter().copied()).collect()
    }

    #[test]
    fn one_outlier_is_left_out_and_a_cluster_is_not() {
        assert!(fence(column(30, &[1e15])).1 < 10.0);
        assert!(fence(column(30, &[1e15, -1e15])).1 < 10.0);
        assert_eq!(fence(column(30, &[40.0])).1, f64::INFINITY, "not so far");
        assert_eq!(fence(column(95, &[1e15; 5])).1, f64::INFINITY, "five in a hundred are a cluster");
        assert_eq!(fence(column(3, &[1e15])).1, f64::INFINITY, "too few to tell");
        assert_eq!(fence(vec![7.0; 100]).0, f64::NEG_INFINITY);
        assert_eq!(fence(column(0, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1e15])).1, f64::INFINITY, "two places are shown");
        assert!(fence(column(50, &[1.7e308, -1.7e308])).1 < 10.0, "a range that no number holds");
    }
}
