//! Components one by one: two that become one, and all of them put together to a mixture.
//!
//! ```text
//! w = w₁ + w₂    μ = (w₁μ₁ + w₂μ₂)/w    Σ = (w₁Σ₁ + w₂Σ₂)/w + (w₁w₂/w²) δδᵀ,   δ = μ₁ − μ₂
//! ½ (w ln|Σ| − w₁ ln|Σ₁| − w₂ ln|Σ₂|) − h  ≤  loss  ≤  ½ (w ln|Σ| − w₁ ln|Σ₁| − w₂ ln|Σ₂|)
//! h = −w₁ ln(w₁/w) − w₂ ln(w₂/w)
//! ```
//!
//! The one has the moments of the two. What it loses is by how much the mean log-density of rows of the mixture falls, the
//! divergence of the one from the two. That has no closed form, and lies between these bounds (the upper one: Runnalls 2007,
//! *Kullback-Leibler approach to Gaussian mixture reduction*; the lower one: the entropy of a mixture is at most that of its
//! components and of the choice among them): the lower one is near where the two lie far apart, the upper one where they are the
//! same. Their middle is taken, and no row has to be looked at for it.

use crate::covariance::{Covariance, Regulariser, Within, kept, whole};
use crate::parameters::{Covariances, Mixture};
use miscela_kernel::{Float, Scatter};
use ndarray::{Array2, Axis};

/// One component.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) weight: f64,
    pub(super) mean: Vec<f64>,
    /// As much of the covariance as the scatter of the structure keeps.
    pub(super) spread: Vec<f64>,
    pub(super) degrees: Option<f64>,
}

/// The components of a mixture.
pub(super) fn apart<F: Float>(mixture: &Mixture<F>, scatter: Scatter) -> Vec<Component> {
    let (k, d) = mixture.means.dim();
    let spread = |c: usize| match &mixture.covariances {
        Covariances::Full(all) => kept(all.index_axis(Axis(0), c).mapv(|x| x.widen()).view(), scatter),
        Covariances::Tied(one) => kept(one.mapv(|x| x.widen()).view(), scatter),
        Covariances::Diagonal(all) => all.row(c).iter().map(|x| x.widen()).collect(),
        Covariances::TiedDiagonal(one) => one.iter().map(|x| x.widen()).collect(),
        Covariances::Spherical(all) => vec![all[c].widen() * d as f64],
        Covariances::TiedSpherical(one) => vec![one.widen() * d as f64],
    };
    let component = |c: usize| Component {
        weight: mixture.weights[c].widen(),
        mean: mixture.means.row(c).iter().map(|x| x.widen()).collect(),
        spread: spread(c),
        degrees: mixture.degrees.as_ref().map(|degrees| degrees[c]),
    };
    (0..k).map(component).collect()
}

/// The mixture of these components, of this structure, with the noise of another.
pub(super) fn together<F: Float>(components: &[Component], covariance: Covariance, of: &Mixture<F>) -> Mixture<F> {
    let d = of.n_columns();
    let within = Within {
        width: d,
        weight: components.iter().map(|component| component.weight).collect(),
        covariance: components.iter().map(|component| component.spread.clone()).collect(),
        previous: None,
    };
    let covariances = covariance.structure().estimate(&within, &mut Regulariser::as_given(&vec![1.0; d])).cast();
    let left = 1.0 - of.noise.as_ref().map_or(0.0, |noise| noise.weight);
    let weights = within.shares().into_iter().map(|share| F::narrow(share * left)).collect();
    let means = Array2::from_shape_fn((components.len(), d), |(c, j)| F::narrow(components[c].mean[j]));
    let mut mixture = Mixture::new(weights, means, covariances);
    mixture.noise.clone_from(&of.noise);
    mixture.degrees = components.iter().map(|component| component.degrees).collect();
    mixture
}

impl Component {
    /// The component with the moments of this one and another.
    pub(super) fn merged(&self, other: &Self, scatter: Scatter) -> Self {
        let weight = self.weight + other.weight;
        // Two that have no weight count alike.
        let share = if weight > 0.0 { self.weight / weight } else { 0.5 };
        let mix = |a: f64, b: f64| share * a + (1.0 - share) * b;
        let delta: Vec<f64> = self.mean.iter().zip(&other.mean).map(|(a, b)| a - b).collect();
        let between = outer(&delta, scatter);
        let within = self.spread.iter().zip(&other.spread).map(|(a, b)| mix(*a, *b));
        Self {
            weight,
            mean: self.mean.iter().zip(&other.mean).map(|(a, b)| mix(*a, *b)).collect(),
            spread: within.zip(between).map(|(within, b)| within + share * (1.0 - share) * b).collect(),
            degrees: self.degrees.zip(other.degrees).map(|(a, b)| mix(a, b)),
        }
    }

    /// What merging two components loses, for each row of the mixture: the middle of the bounds. Cost: O(d³), or O(d) without
    /// whole covariances.
    pub(super) fn loss(&self, other: &Self, scatter: Scatter) -> f64 {
        let merged = self.merged(other, scatter);
        let volume = |one: &Self| one.weight * one.log_determinant(scatter);
        let choice = |one: &Self| -one.weight * (one.weight / merged.weight).ln();
        let upper = 0.5 * (volume(&merged) - volume(self) - volume(other));
        let loss = upper - 0.5 * (choice(self) + choice(other));
        match self.weight.min(other.weight) {
            // What has no weight is not missed.
            0.0 => 0.0,
            _ if loss.is_nan() => f64::INFINITY,
            _ => loss,
        }
    }

    fn log_determinant(&self, scatter: Scatter) -> f64 {
        let d = self.mean.len();
        match scatter {
            Scatter::Spherical => d as f64 * (self.spread[0] / d as f64).ln(),
            Scatter::Diagonal => self.spread.iter().map(|variance| variance.ln()).sum(),
            Scatter::Full => miscela_linalg::ln_det(&mut whole(&self.spread, d), d).unwrap_or(f64::NAN),
        }
    }

    /// Σ⁻¹z, or none where Σ is singular.
    pub(super) fn solved(&self, z: &[f64], scatter: Scatter) -> Option<Vec<f64>> {
        let d = z.len();
        match scatter {
            Scatter::Spherical => Some(z.to_vec()),
            Scatter::Diagonal => Some(z.iter().zip(&self.spread).map(|(z, variance)| z / variance).collect()),
            Scatter::Full => {
                let lower = miscela_linalg::cholesky(&whole(&self.spread, d), d)?;
                let inverse = miscela_linalg::inverse_of_factored(&lower, d);
                Some(inverse.chunks_exact(d).map(|row| row.iter().zip(z).map(|(a, z)| a * z).sum()).collect())
            }
        }
    }
}

/// δδᵀ, as much of it as the scatter keeps.
fn outer(delta: &[f64], scatter: Scatter) -> Vec<f64> {
    match scatter {
        Scatter::Spherical => vec![delta.iter().map(|x| x * x).sum()],
        Scatter::Diagonal => delta.iter().map(|x| x * x).collect(),
        Scatter::Full => (0..delta.len()).flat_map(|i| delta[..=i].iter().map(move |x| delta[i] * x)).collect(),
    }
}

/// The pair (a, b), a < b, that is missed least when it is merged, and what that loses; the first of equals.
pub(super) fn least_missed(components: &[Component], scatter: Scatter) -> Option<(usize, usize)> {
    let pairs = (0..components.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let losses = pairs.map(|(a, b)| (components[a].loss(&components[b], scatter), (a, b)));
    losses.reduce(|best, one| if one.0 < best.0 { one } else { best }).map(|(_, pair)| pair)
}

/// Merges component `b` into `a`.
pub(super) fn merge(components: &mut Vec<Component>, (a, b): (usize, usize), scatter: Scatter) {
    components[a] = components[a].merged(&components[b], scatter);
    components.remove(b);
}
