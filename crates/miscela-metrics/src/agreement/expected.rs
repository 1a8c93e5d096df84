//! The mutual information that two labellings with clusters of given sizes share by chance.
//!
//! ```text
//! E[I]  =  Σᵢⱼ Σₘ P(m) · m/n · ln (n m / (aᵢ bⱼ)),        m hypergeometric: b drawn of n, of which a are marked
//! ```
//!
//! Vinh, Epps & Bailey 2010. Factorials of n are avoided: from the mode m* outwards each P(m) is a ratio times the one
//! before, and they are divided by their sum. That keeps the digits that differences of ln n! lose, and ends where nothing
//! more adds up. Clusters of the same size have the same terms, and there are at most √(2n) sizes.

use crate::MetricsError;
use std::collections::BTreeMap;

/// Sizes that a sum of f64 still tells apart.
const MOST: f64 = 9_007_199_254_740_992.0;

pub(super) fn expected_information(first: &[f64], second: &[f64]) -> Result<f64, MetricsError> {
    let n: f64 = first.iter().sum();
    let (first, second) = (sizes(first)?, sizes(second)?);
    let mut expected = 0.0;
    for (a, times_a) in &first {
        for (b, times_b) in &second {
            expected += times_a * times_b * of_pair(*a as f64, *b as f64, n);
        }
    }
    Ok(expected)
}

/// The different sizes, and how often each is there.
fn sizes(weights: &[f64]) -> Result<BTreeMap<u64, f64>, MetricsError> {
    let mut sizes = BTreeMap::new();
    for w in weights {
        if w.fract() != 0.0 || *w > MOST {
            return Err(MetricsError::Fractional(*w));
        }
        *sizes.entry(*w as u64).or_insert(0.0) += 1.0;
    }
    Ok(sizes)
}

/// The part of a pair of clusters of sizes a and b.
fn of_pair(a: f64, b: f64, n: f64) -> f64 {
    let (least, most) = ((a + b - n).max(0.0), a.min(b));
    let mode = (((a + 1.0) * (b + 1.0) / (n + 2.0)).floor()).clamp(least, most);
    let term = |m: f64| if m == 0.0 { 0.0 } else { m / n * ((m / a).ln() - (b / n).ln()) };
    let (mut sum, mut chance) = (term(mode), 1.0);
    let mut take = |m: f64, p: f64| {
        sum += p * term(m);
        chance += p;
        // What is left of the tail falls at least this fast.
        p > f64::EPSILON * 1e-4 * chance
    };
    let (mut m, mut p) = (mode, 1.0);
    while m < most {
        p *= (a - m) * (b - m) / ((m + 1.0) * (n - a - b + m + 1.0));
        m += 1.0;
        if !take(m, p) {
            break;
        }
    }
    let (mut m, mut p) = (mode, 1.0);
    while m > least {
        p *= m * (n - a - b + m) / ((a - m + 1.0) * (b - m + 1.0));
        m -= 1.0;
        if !take(m, p) {
            break;
        }
    }
    sum / chance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_tables_are_counted_out() {
        // n = 3, sizes 2 and 1 on both sides: of 3 places for the single row, one agrees.
        // Agreeing: I = H = ln 3 − ⅔ ln 2. Else: cells 1, 1, 1, 0.
        let agreeing = 3f64.ln() - 2.0 / 3.0 * 2f64.ln();
        let other: f64 = [(2.0, 2.0), (2.0, 1.0), (1.0, 2.0)].iter().map(|(a, b)| (3.0f64 / (a * b)).ln() / 3.0).sum();
        let expected = (agreeing + 2.0 * other) / 3.0;
        let got = expected_information(&[2.0, 1.0], &[1.0, 2.0]).unwrap();
        assert!((got - expected).abs() < 1e-15, "{got} {expected}");
        assert_eq!(expected_information(&[1.5], &[1.5]), Err(MetricsError::Fractional(1.5)));
    }
}
