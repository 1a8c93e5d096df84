//! Rows that are labelled together: trimmed k-means, and clusters of bounded size.
//!
//! ```text
//! labels, weights ← the best for all rows at once, at these centres
//! centres         ← the best for these labels and weights
//! ```
//!
//! Whether a row counts, or where it goes, then depends on the others, so that blocks of rows cannot be summed one by one: such
//! fits need all rows, and no batch, stream or part of a table will do. Everything else is the engine's.

use crate::centroids::KMeansFamily;
use crate::engine::{Assigned, Session};
use crate::inference::CentroidFit;
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Threads, UNKNOWN};

/// What is kept from pass to pass of rows that are labelled together.
#[derive(Clone, Debug, Default)]
pub struct Joint {
    /// What each row counts with, n; `None`: its own weight.
    pub weights: Option<Vec<f64>>,
    /// What bounds on the sizes cost at each cluster, k: where the next pass starts.
    pub(crate) prices: Vec<f64>,
}

/// What becomes of the rows of a fit in which they are labelled together.
#[derive(Clone, Debug, PartialEq)]
pub struct JointFit {
    /// The cluster of each row, n, which need not be the nearest; [`UNKNOWN`] for rows that do not count.
    pub labels: Vec<u32>,
    /// The greatest reduced distance of a row that counts to its centre.
    pub farthest: f64,
}

impl<F: Float, D: Centred<F>> KMeansFamily<F, D> {
    /// How well the centres fit the rows that count, labelled as they are here.
    pub(crate) fn evaluate_joint(
        &self,
        session: &mut Session<F, Self>,
        samples: &Samples<F>,
        threads: Threads,
    ) -> CentroidFit {
        session.statistics(self);
        let (labels, weights) = session.labels();
        let samples = &weights.map_or(samples.in_order(None), |weights| samples.reweighted(weights));
        let k = self.index().len();
        let inertia = self.inertia_of_rows(&Assigned { samples, labels, relocated: &[], threads });
        let mut fit = CentroidFit { inertia, sizes: vec![0; k], weights: vec![0.0; k] };
        for (i, label) in labels.iter().enumerate() {
            let w = samples.weight(i);
            fit.sizes[*label as usize] += usize::from(w > 0.0);
            fit.weights[*label as usize] += w;
        }
        fit
    }

    /// What became of the rows of a session, as of its last [evaluation](Self::evaluate).
    pub fn joint_fit(&self, session: &mut Session<F, Self>, samples: &Samples<F>) -> JointFit {
        let (labels, weights) = session.labels();
        let (mut row, mut farthest) = (vec![F::zero(); samples.n_columns()], 0.0f64);
        let mut fate = |(i, label): (usize, &u32)| {
            let left = weights.map_or(samples.weight(i), |weights| weights[i]);
            if left > 0.0 {
                samples.copy_row(i, &mut row);
                farthest = farthest.max(self.reduced(&row, *label));
            }
            if left > 0.0 { *label } else { UNKNOWN }
        };
        let labels = labels.iter().enumerate().map(&mut fate).collect();
        JointFit { labels, farthest }
    }
}
