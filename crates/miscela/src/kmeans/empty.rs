//! What becomes, at the end of a run, of clusters without rows.

use super::KMeansError;
use crate::Float;
use miscela_em::{CentroidFit, Empty, JointFit, Repair, RepairAction, Run};
use miscela_kernel::UNKNOWN;
use ndarray::{Array2, Axis};

/// Keeps, drops or refuses the clusters that ended empty, as the policy says, and reports it; the engine has dealt with the
/// other policies. An error is one about any iteration of the run.
pub(crate) fn settle<F: Float>(
    policy: Empty,
    centroids: Array2<F>,
    fit: CentroidFit,
    joint: &mut Option<JointFit>,
    run: &mut Run,
) -> Result<(Array2<F>, CentroidFit), KMeansError> {
    let empty: Vec<usize> = (0..fit.weights.len()).filter(|c| fit.weights[*c] == 0.0).collect();
    let iteration = run.iterations;
    let mut note = |component: usize, action: RepairAction, detail: &str| {
        run.repairs.push(Repair { iteration, component, action, detail: detail.into() });
    };
    match policy {
        Empty::Keep => empty.iter().for_each(|c| note(*c, RepairAction::KeptEmpty, "ended empty; kept its centre")),
        Empty::Drop => {
            // From the last on, so that each still has its number when it goes.
            empty.iter().rev().for_each(|c| note(*c, RepairAction::Dropped, "ended empty; was left out of the model"));
            let kept: Vec<usize> = (0..fit.weights.len()).filter(|c| fit.weights[*c] > 0.0).collect();
            // Rows that count are in no cluster that is left out.
            let labels = joint.iter_mut().flat_map(|joint| &mut joint.labels).filter(|label| **label != UNKNOWN);
            labels.for_each(|label| *label -= empty.iter().filter(|c| **c < *label as usize).count() as u32);
            let fit = CentroidFit {
                inertia: fit.inertia,
                sizes: kept.iter().map(|c| fit.sizes[*c]).collect(),
                weights: kept.iter().map(|c| fit.weights[*c]).collect(),
            };
            return Ok((centroids.select(Axis(0), &kept), fit));
        }
        Empty::Error => {
            let emptied = run.repairs.iter().find(|repair| repair.action == RepairAction::KeptEmpty);
            let emptied = emptied.map(|repair| (repair.component, repair.iteration - 1));
            if let Some((cluster, iteration)) = emptied.or(empty.first().map(|cluster| (*cluster, iteration))) {
                return Err(KMeansError::EmptyCluster { cluster, iteration });
            }
        }
        _ => {}
    }
    Ok((centroids, fit))
}
