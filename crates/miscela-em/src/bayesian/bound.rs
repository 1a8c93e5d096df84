//! The lower bound of the log-evidence that variational inference raises.
//!
//! With the posterior that is best for the shares r, Jordan et al.'s bound (1999) is a ratio of normalising constants:
//!
//! ```text
//! Σ w Σ −r ln r + ln Z(weights) + Σₖ ln Z(Wishart νₖ, Wₖ) − d/2 Σₖ ln βₖ
//! ln Z(Wishart ν, W) = −ν/2 ln|W| + νd/2 ln 2 + Σ_{j<d} lnΓ((ν − j)/2)
//! ln Z(Dirichlet α) = Σ lnΓ(αₖ) − lnΓ(Σ αₖ)      ln Z(sticks) = Σ ln B(aₖ, bₖ)
//! ```
//!
//! [`lower_bound`] is that: what scikit-learn reports, for the shares of the last E-step. Left out are what the priors and
//! the number of rows alone determine; [`evidence_constant`] has it, and with it the bound is one of ln p(rows), to compare
//! different k and priors by.

use super::posterior::{Posterior, WeightConcentration};
use super::priors::{Priors, WeightPrior};
use statrs::function::{beta::ln_beta, gamma::ln_gamma};

/// The bound less its constants, for the entropy of the shares and ln|Σ| of the expected covariances (one, or one each).
pub(super) fn lower_bound(entropy: f64, posterior: &Posterior, log_determinants: &[f64], d: usize) -> f64 {
    let shape = |c: usize| {
        let nu = posterior.degrees_of_freedom[c];
        let log_determinant = log_determinants[c.min(log_determinants.len() - 1)];
        // Wₖ = νₖ Σₖ
        log_wishart_constant(nu, log_determinant + d as f64 * nu.ln(), d)
    };
    let shapes: f64 = (0..posterior.mean_precision.len()).map(shape).sum();
    let means: f64 = posterior.mean_precision.iter().map(|beta| beta.ln()).sum();
    entropy + log_weight_constant(&posterior.weight_concentration) + shapes - 0.5 * d as f64 * means
}

/// What is added to [`lower_bound`] to have a bound of the log-evidence of rows that weigh so much.
pub(super) fn evidence_constant(priors: &Priors, log_determinant: f64, k: usize, total_weight: f64) -> f64 {
    let (k, d) = (k as f64, priors.mean.len());
    let weights = match priors.weights {
        WeightPrior::Dirichlet(gamma) => k * ln_gamma(gamma) - ln_gamma(k * gamma),
        WeightPrior::DirichletProcess(gamma) => -k * gamma.ln(),
    };
    let shapes = k * log_wishart_constant(priors.degrees_of_freedom, log_determinant, d);
    let normaliser = (2.0 * std::f64::consts::PI).ln();
    0.5 * d as f64 * (k * priors.mean_precision.ln() - total_weight * normaliser) - shapes - weights
}

/// ln Z(Wishart ν, W), less what d alone determines.
fn log_wishart_constant(nu: f64, log_determinant: f64, d: usize) -> f64 {
    let gammas: f64 = (0..d).map(|j| ln_gamma(0.5 * (nu - j as f64))).sum();
    0.5 * nu * (d as f64 * std::f64::consts::LN_2 - log_determinant) + gammas
}

fn log_weight_constant(concentration: &WeightConcentration) -> f64 {
    match concentration {
        WeightConcentration::Dirichlet(all) => {
            all.iter().map(|alpha| ln_gamma(*alpha)).sum::<f64>() - ln_gamma(all.iter().sum())
        }
        WeightConcentration::DirichletProcess(a, b) => a.iter().zip(b).map(|(a, b)| ln_beta(*a, *b)).sum(),
    }
}
