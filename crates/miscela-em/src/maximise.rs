//! The M-step of Gaussian mixtures: from statistics to the most likely parameters.

use crate::covariance::{Regulariser, Within};
use crate::gaussian::MixtureSettings;
use crate::parameters::Mixture;
use crate::report::RepairAction;
use crate::statistics::Statistics;
use miscela_kernel::Float;
use ndarray::Array2;

/// The most likely mixture for the statistics, under the settings' structure, ridge and floor.
///
/// Structures whose estimate is iterated go on from the parameters before, if there are any; and means that are held are
/// theirs, and what the scatter is about.
///
/// Noise takes its share of the weights; it is for the caller to put it into the mixture.
/// A component without weight, or one that was just moved, has no scatter to speak of and takes the pooled shape.
pub(crate) fn maximise<F: Float>(
    statistics: Statistics,
    settings: &MixtureSettings,
    scale: &[f64],
    previous: Option<&Mixture<F>>,
    relocated: &[usize],
    repairs: &mut Vec<(usize, RepairAction, String)>,
) -> Mixture<F> {
    let sums = statistics.sums();
    let (total, noise) = (sums.total(), sums.noise);
    let (k, structure) = (sums.k(), settings.covariance.structure());
    let held_means = previous.filter(|_| settings.held.means).map(|before| &before.means);
    let means = held_means.cloned().unwrap_or_else(|| statistics.means().mapv(F::narrow));
    let mut within = Within {
        width: sums.width,
        weight: sums.weight.clone(),
        covariance: (0..k).map(|c| covariance_of(&statistics, c, held_means)).collect(),
        previous: previous.filter(|_| structure.iterates()).map(|before| before.covariances.clone().cast()),
    };
    let starved: Vec<usize> = (0..k).filter(|c| within.weight[*c] <= f64::EPSILON * total).collect();
    // The sums can be as large as the rows: what is done with goes before more is made.
    drop(statistics);
    // A shape that all share is pooled anyway, and the more it counts of them the better it is estimated.
    if !settings.covariance.is_tied() {
        let pooled = within.pooled();
        for c in starved.iter().chain(relocated) {
            within.covariance[*c].clone_from(&pooled);
        }
    }
    for c in starved {
        repairs.push((
            c,
            RepairAction::Starved,
            "had no weight left; kept its mean, with the pooled covariance".into(),
        ));
    }
    within.add_to_variances(settings.reg_covariance, structure.scatter());
    let mut regulariser = Regulariser::new::<F>(scale);
    let covariances = structure.estimate(&within, &mut regulariser);
    let floor = regulariser.floor;
    for (component, count) in regulariser.raised {
        let whose = if component.is_some() { "its" } else { "the shared" };
        let detail = format!("{count} of {whose} variances raised to {floor:e} of the data's");
        repairs.push((component.unwrap_or(0), RepairAction::Floored, detail));
    }
    let estimated = || within.weight.iter().map(|n| F::narrow(n / total)).collect();
    let weights = settings.mixing.fixed(k, 1.0 - noise / total).unwrap_or_else(estimated);
    Mixture::new(weights, means, covariances.cast())
}

fn covariance_of<F: Float>(statistics: &Statistics, c: usize, held_means: Option<&Array2<F>>) -> Vec<f64> {
    let n = statistics.sums().weight[c];
    let mut scatter = match held_means {
        Some(means) => statistics.scatter_about(c, means.row(c).iter().map(|m| m.widen())),
        None => statistics.scatter_about_mean(c),
    };
    scatter.iter_mut().for_each(|s| *s = if n > 0.0 { *s / n } else { 0.0 });
    scatter
}
