//! What is done about a component that collapses onto few rows, where the likelihood has no bound.
//!
//! | policy | what is done | is the objective monotone? |
//! |---|---|---|
//! | floor | variances are raised to ε of the data's (`covariance/floor.rs`) | yes, as far as said there |
//! | shrink | a component's scatter S goes towards the pooled P, to S + α(P − S), with the least α that leaves it a thousandth of P's variance in every direction | where nothing was shrunk |
//! | prior | the covariances have a conjugate prior (`prior.rs`) | yes, with the prior's density in it |
//! | respawn | it starts again at the row that the mixture explains worst, with the pooled covariance | but for that |
//! | drop | it is removed, the lightest first, one an iteration | but for that |
//!
//! A component has collapsed for respawn and drop if the floor holds more of its variances than of the pooled covariance's:
//! what is singular in the data themselves is nobody's collapse. The floor stands behind every policy.

use crate::covariance::{Regulariser, Within};
use crate::density::Density;
use crate::inference::log_densities;
use crate::maximise::{Gathered, Notes};
use crate::report::RepairAction;
use miscela_kernel::{Float, Samples, Scatter, Threads};
use std::fmt;
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What is done about a component that collapses. All that was done is in the report, with component and iteration.
///
/// ```
/// use miscela_em::Collapse;
///
/// assert_eq!("respawn".parse(), Ok(Collapse::Respawn));
/// assert_eq!(Collapse::default().name(), "floor");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Collapse {
    /// Its variances are raised to a floor relative to the data's: maximum likelihood under that bound (Ingrassia & Rocci
    /// 2007).
    #[default]
    Floor,
    /// Its scatter is moved towards the pooled scatter of all components until it has a thousandth of that in every
    /// direction (after Friedman 1989).
    Shrink,
    /// Means and covariances have mclust's default conjugate prior (Fraley & Raftery 2007), for the structures that mclust
    /// has one for: all but VEE, EVE, VVE and EVV. The objective is then the log-likelihood plus the logarithm of the prior.
    Prior,
    /// It starts again at the row that is explained worst, with the pooled covariance; three times at most (at each temperature
    /// of an annealed fit).
    Respawn,
    /// It is removed, so that the model has one component less.
    Drop,
}

/// How often a component may start again.
pub(crate) const RESPAWNS: usize = 3;
/// Of the pooled variance, what shrinking leaves a component in every direction.
const LEAST: f64 = 1e-3;

impl Collapse {
    /// All policies.
    pub const ALL: [Collapse; 5] =
        [Collapse::Floor, Collapse::Shrink, Collapse::Prior, Collapse::Respawn, Collapse::Drop];

    /// `floor`, `shrink`, `prior`, `respawn` or `drop`.
    pub fn name(self) -> &'static str {
        match self {
            Collapse::Floor => "floor",
            Collapse::Shrink => "shrink",
            Collapse::Prior => "prior",
            Collapse::Respawn => "respawn",
            Collapse::Drop => "drop",
        }
    }

    /// Whether components start again or go, so that none of their parameters can be held.
    pub fn replaces(self) -> bool {
        matches!(self, Collapse::Respawn | Collapse::Drop)
    }
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no policy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no policy for collapsing components; use floor, shrink, prior, respawn or drop")]
pub struct UnknownCollapse(String);

impl FromStr for Collapse {
    type Err = UnknownCollapse;

    fn from_str(text: &str) -> Result<Self, UnknownCollapse> {
        Collapse::ALL.into_iter().find(|policy| policy.name() == text).ok_or_else(|| UnknownCollapse(text.into()))
    }
}

/// Moves the scatter of components that have less than [`LEAST`] of the pooled variance in some direction towards the pooled;
/// which, and by how much.
pub(crate) fn shrink(within: &mut Within, scatter: Scatter, scale: &[f64]) -> Vec<(usize, f64)> {
    let (pooled, d) = (within.pooled(), within.width);
    // Where the pooled scatter is singular itself, the floor takes its place.
    let whole_pooled = || Regulariser::new::<f64>(scale).matrix(None, crate::covariance::whole(&pooled, d));
    let lower = (scatter == Scatter::Full).then(|| miscela_linalg::cholesky(&whole_pooled(), d)).flatten();
    let of_pooled = |own: &[f64]| match &lower {
        Some(lower) => {
            let whitened = miscela_linalg::whitened(lower, &crate::covariance::whole(own, d), d);
            miscela_linalg::eigen(&whitened, d).map_or(0.0, |eigen| eigen.values[0])
        }
        None => {
            let ratios = own.iter().zip(&pooled).filter(|(_, p)| **p > 0.0).map(|(s, p)| s / p);
            ratios.fold(1.0, f64::min)
        }
    };
    let mut shrunk = Vec::new();
    for (c, own) in within.covariance.iter_mut().enumerate() {
        let least = of_pooled(own).max(0.0);
        if least < LEAST {
            let alpha = (LEAST - least) / (1.0 - least);
            own.iter_mut().zip(&pooled).for_each(|(own, pooled)| *own += alpha * (pooled - *own));
            shrunk.push((c, alpha));
        }
    }
    shrunk
}

/// The rows of positive weight, without gaps, that the mixture explains worst, all different, at most `count`. One pass, 8 bytes a row.
fn worst_rows<F: Float>(
    samples: &Samples<F>,
    density: &Density<F>,
    threads: Threads,
    count: usize,
) -> Vec<(usize, Vec<F>)> {
    let densities = log_densities(samples, density, threads);
    let mut found: Vec<(usize, Vec<F>)> = Vec::new();
    let mut row = vec![F::zero(); samples.n_columns()];
    for _ in 0..count {
        let mut worst: Option<(usize, f64)> = None;
        for (i, density) in densities.iter().enumerate() {
            let worse = samples.weight(i) > 0.0 && worst.is_none_or(|(_, least)| *density < least) && !density.is_nan();
            if worse
                && !found.iter().any(|(_, other)| {
                    samples.copy_row(i, &mut row);
                    *other == row
                })
            {
                worst = Some((i, *density));
            }
        }
        let Some((i, _)) = worst else { break };
        samples.copy_row(i, &mut row);
        found.push((i, row.clone()));
    }
    found
}

/// Starts components that collapsed again, each at a row of its own, as long as they have not been so often; whether any did.
pub(crate) fn respawn<F: Float>(
    gathered: &mut Gathered,
    respawned: &mut [usize],
    collapsed: &[usize],
    repairs: &mut Notes,
    (samples, density, threads): (&Samples<F>, &Density<F>, Threads),
) -> bool {
    let again: Vec<usize> = collapsed.iter().copied().filter(|c| respawned[*c] < RESPAWNS).collect();
    let rows = worst_rows(samples, density, threads, again.len());
    for (c, (i, row)) in again.iter().zip(&rows) {
        gathered.respawn(*c, row);
        respawned[*c] += 1;
        repairs.retain(|(other, ..)| other != c);
        let detail = format!("had collapsed; starts again at row {i} with the pooled covariance");
        repairs.push((*c, RepairAction::Respawned, detail));
    }
    !rows.is_empty()
}

/// Removes the lightest of the components that collapsed, unless it is the last of all; whether there was one to remove.
pub(crate) fn remove_lightest(
    gathered: &mut Gathered,
    respawned: &mut Vec<usize>,
    collapsed: &[usize],
    repairs: &mut Notes,
) -> bool {
    let lighter = |a: &&usize, b: &&usize| gathered.weight[**a].total_cmp(&gathered.weight[**b]);
    let Some(c) = collapsed.iter().min_by(lighter).copied().filter(|_| gathered.weight.len() > 1) else { return false };
    gathered.remove(c);
    respawned.remove(c);
    repairs.retain(|(other, ..)| *other != c);
    repairs.iter_mut().filter(|(other, ..)| *other > c).for_each(|(other, ..)| *other -= 1);
    let detail = format!("had collapsed and was removed; {} are left", gathered.weight.len());
    repairs.push((c, RepairAction::Dropped, detail));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_known_by_name() {
        for policy in Collapse::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        assert_eq!("pray".parse::<Collapse>(), Err(UnknownCollapse("pray".into())));
    }

    /// The pooled scatter is 2; the first component keeps all, the second gets a thousandth of 2 at least.
    #[test]
    fn shrinking_leaves_a_thousandth_of_the_pooled_variance() {
        let of = |scatter, covariance: Vec<Vec<f64>>, d: usize| {
            let mut within = Within { width: d, weight: vec![1.0, 1.0], covariance, previous: None };
            let shrunk = shrink(&mut within, scatter, &vec![1.0; d]);
            assert_eq!(shrunk.iter().map(|(c, _)| *c).collect::<Vec<_>>(), [1]);
            within.covariance
        };
        let spherical = of(Scatter::Spherical, vec![vec![4.0], vec![0.0]], 2);
        assert!((spherical[1][0] - 0.002).abs() < 1e-15 && spherical[0] == [4.0], "{spherical:?}");
        let diagonal = of(Scatter::Diagonal, vec![vec![4.0, 2.0], vec![0.0, 2.0]], 2);
        assert!((diagonal[1][0] - 0.002).abs() < 1e-15 && diagonal[0] == [4.0, 2.0], "{diagonal:?}");
        // Along (1, −1)/√2 the second has nothing, and the pooled scatter has 2.
        let full = of(Scatter::Full, vec![vec![4.0, 0.0, 4.0], vec![1.0, 1.0, 1.0]], 2);
        assert!((full[1][0] - full[1][1] - 0.002).abs() < 1e-12, "{full:?}");
    }
}
