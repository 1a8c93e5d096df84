//! Student-t components: Gaussians whose tails are heavier, so that outliers pull less.
//!
//! ```text
//! t_ν(x; μ, Σ) = Γ((ν + d)/2) / (Γ(ν/2) (νπ)^{d/2} |Σ|^½) · (1 + δ/ν)^{−(ν + d)/2},   δ = (x − μ)ᵀ Σ⁻¹ (x − μ)
//!
//! E-step   rₖ as ever,   uₖ = (νₖ + d)/(νₖ + δₖ)
//! M-step   μ = Σ r u x / Σ r u,   S = Σ r u (x − μ)(x − μ)ᵀ / Σ r, to which the structure is applied,   w = Σ r / n
//!          ν: the root of ln(ν/2) − ψ(ν/2) + 1 + Σ r (ln u − u)/Σ r + ψ((ν' + d)/2) − ln((ν' + d)/2),  ν' the old one
//! ```
//!
//! (Peel & McLachlan 2000.) All parameters move on the same expected complete likelihood, so that the likelihood never
//! falls. Estimated degrees of freedom stay between [`LEAST_DEGREES`] and [`MOST_DEGREES`]: below, the density has a pole at
//! a row; above, it is a Gaussian's. Where EM is slow to tell large ones from each other, so is the likelihood.

use crate::statistics::Sums;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The least degrees of freedom that are estimated.
pub const LEAST_DEGREES: f64 = 0.1;
/// The most degrees of freedom that are estimated.
pub const MOST_DEGREES: f64 = 1e4;
/// Where an estimate starts, unless the start says so.
pub const START_DEGREES: f64 = 10.0;

/// How the density of a component falls off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Tails {
    /// As a Gaussian's.
    #[default]
    Gaussian,
    /// As Student's t with these degrees of freedom.
    Student(Degrees),
}

/// Degrees of freedom ν.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Degrees {
    /// As given, above zero, for all components.
    Given(f64),
    /// Estimated, the same for all components.
    Shared,
    /// Estimated, for each component its own.
    Each,
}

impl Tails {
    /// The number of degrees of freedom that are estimated, for k components.
    pub fn n_parameters(self, k: usize) -> usize {
        match self {
            Tails::Student(Degrees::Shared) => 1,
            Tails::Student(Degrees::Each) => k,
            _ => 0,
        }
    }

    /// The degrees of freedom that a fit starts with; none where tails are Gaussian.
    pub(crate) fn start(self, given: Option<Vec<f64>>, k: usize) -> Option<Vec<f64>> {
        match self {
            Tails::Gaussian => None,
            Tails::Student(Degrees::Given(degrees)) => Some(vec![degrees; k]),
            Tails::Student(Degrees::Each) => Some(given.unwrap_or_else(|| vec![START_DEGREES; k])),
            Tails::Student(Degrees::Shared) => {
                let given = given.unwrap_or_else(|| vec![START_DEGREES; k]);
                // A mean of equal numbers can be another by rounding, and theirs are to stay.
                let equal = given.windows(2).all(|pair| pair[0] == pair[1]);
                let shared = if equal { given[0] } else { given.iter().sum::<f64>() / k as f64 };
                Some(vec![shared; k])
            }
        }
    }

    /// The next degrees of freedom, from those under which the sums were taken.
    pub(crate) fn next(self, old: &[f64], sums: &Sums) -> Vec<f64> {
        let (k, d) = (old.len(), sums.width as f64);
        match self {
            Tails::Student(Degrees::Each) => {
                (0..k).map(|c| degrees(old[c], d, sums.shares[c], sums.excess[c])).collect()
            }
            Tails::Student(Degrees::Shared) => {
                vec![degrees(old[0], d, sums.shares.iter().sum(), sums.excess.iter().sum()); k]
            }
            _ => old.to_vec(),
        }
    }
}

/// The most likely ν, within bounds; `old` where there are no rows.
fn degrees(old: f64, d: f64, rows: f64, excess: f64) -> f64 {
    let surplus = excess / rows + 1.0 - ln_less_digamma(0.5 * (old + d));
    if !surplus.is_finite() {
        return old;
    }
    // ln(ν/2) − ψ(ν/2) falls from ∞ to zero: what is left of the equation has one root, or none and then ν is large.
    let (mut low, mut high) = (LEAST_DEGREES.ln(), MOST_DEGREES.ln());
    let left = |ln_degrees: f64| ln_less_digamma(0.5 * ln_degrees.exp()) + surplus;
    if left(high) >= 0.0 {
        return MOST_DEGREES;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if left(middle) > 0.0 { low = middle } else { high = middle }
    }
    (0.5 * (low + high)).exp()
}

/// The mean of ln u − u over rows of a component in d columns that has these degrees of freedom: what makes them the root.
pub(crate) fn expected_excess(degrees: f64, d: usize) -> f64 {
    ln_less_digamma(0.5 * (degrees + d as f64)) - ln_less_digamma(0.5 * degrees) - 1.0
}

/// ln x − ψ(x), to all digits also where x is large.
///
/// ψ(x) = ψ(x + 1) − 1/x until x is large, then Stirling's series (Abramowitz & Stegun 1972, 6.3.5 and 6.3.18).
fn ln_less_digamma(x: f64) -> f64 {
    let (mut y, mut steps) = (x, 0.0);
    while y < 10.0 {
        steps += 1.0 / y;
        y += 1.0;
    }
    let z = 1.0 / (y * y);
    let small = z * (1.0 / 240.0 - z * (1.0 / 132.0 - z * (691.0 / 32_760.0)));
    let series = z * (1.0 / 12.0 - z * (1.0 / 120.0 - z * (1.0 / 252.0 - small)));
    0.5 / y + series + steps + if y > x { (x / y).ln() } else { 0.0 }
}

/// ln Γ(x + h) − ln Γ(x), to all digits also where x is large.
///
/// By Γ(x) = Γ(x + 1)/x until x is large, then Stirling's series (Abramowitz & Stegun 1972, 6.1.41), whose large terms are
/// taken from each other first.
fn ln_gamma_ratio(x: f64, h: f64) -> f64 {
    let (mut y, mut steps) = (x, 0.0);
    while y < 10.0 {
        steps += ((y + h) / y).ln();
        y += 1.0;
    }
    let series = |y: f64| {
        let z = 1.0 / (y * y);
        let small = z * (1.0 / 1680.0 - z * (1.0 / 1188.0 - z * (691.0 / 360_360.0)));
        (1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0 - small))) / y
    };
    (y - 0.5) * (h / y).ln_1p() + h * (y + h).ln() - h + series(y + h) - series(y) - steps
}

/// The logarithm of t's density at its centre, for ln|Σ|.
pub(crate) fn ln_peak(degrees: f64, width: usize, log_determinant: f64) -> f64 {
    let h = 0.5 * width as f64;
    ln_gamma_ratio(0.5 * degrees, h) - h * (degrees * std::f64::consts::PI).ln() - 0.5 * log_determinant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() <= 4e-15 * expected.abs().max(1.0), "{got} {expected}");
    }

    #[test]
    fn special_functions_are_those_of_the_tables() {
        // ψ(1) = −γ, ψ(½) = −γ − 2 ln 2, ψ(10) = H₉ − γ.
        let gamma = 0.577_215_664_901_532_9;
        close(ln_less_digamma(1.0), gamma);
        close(ln_less_digamma(0.5), 0.5f64.ln() + gamma + 2.0 * 2f64.ln());
        let harmonic: f64 = (1..10).map(|i| 1.0 / f64::from(i)).sum();
        close(ln_less_digamma(10.0), 10f64.ln() - harmonic + gamma);
        // 1/2x + 1/12x² where that is all.
        assert!((ln_less_digamma(1e6) / (0.5e-6 + 1e-12 / 12.0) - 1.0).abs() < 1e-14);
        // Γ(½ + ½)/Γ(½) = 1/√π; Γ(x + 1)/Γ(x) = x; Γ(3.5 + 2)/Γ(3.5) = 3.5 · 4.5.
        close(ln_gamma_ratio(0.5, 0.5), -0.5 * std::f64::consts::PI.ln());
        close(ln_gamma_ratio(3.5, 2.0), (3.5f64 * 4.5).ln());
        for x in [0.05, 0.7, 9.5, 10.5, 300.0, 1e6, 1e12] {
            close(ln_gamma_ratio(x, 1.0), x.ln());
        }
    }

    #[test]
    fn degrees_solve_their_equation() {
        // Cauchy in one column: t₁ at its own degrees. E(ln u − u) over the density is what makes ν = 1 the root.
        for (old, d) in [(1.0, 1.0), (4.0, 3.0), (30.0, 2.0)] {
            close(degrees(old, d, 7.0, 7.0 * expected_excess(old, d as usize)) / old, 1.0);
        }
        // Where every u is 1, tails are as light as can be: ν goes up, by d at a time. No rows leave it as it is.
        close(degrees(8.0, 2.0, 5.0, -5.0) / 10.0, 1.0);
        assert_eq!(degrees(MOST_DEGREES - 1.0, 2.0, 5.0, -5.0), MOST_DEGREES);
        assert_eq!(degrees(8.0, 2.0, 0.0, 0.0), 8.0);
        assert!((degrees(8.0, 2.0, 1.0, -1e9) / LEAST_DEGREES - 1.0).abs() < 1e-12);
    }

    #[test]
    fn many_degrees_are_gaussian() {
        let gaussian = -1.5 * (2.0 * std::f64::consts::PI).ln() - 0.5 * 0.3;
        assert!((ln_peak(1e13, 3, 0.3) - gaussian).abs() < 1e-11);
        // t₁ in one column is Cauchy's density.
        close(ln_peak(1.0, 1, 0.0), -std::f64::consts::PI.ln());
    }
}
