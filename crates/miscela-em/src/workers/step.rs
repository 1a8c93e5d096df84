//! An M-step by itself: from statistics, wherever they were taken, to the next parameters.

use crate::centroids::KMeansFamily;
use crate::engine::{Assigned, Family, MStep};
use crate::gaussian::{GaussianFamily, MixtureSettings};
use crate::parameters::Mixture;
use crate::report::RepairAction;
use crate::statistics::{MergeError, Statistics};
use crate::summary::Summary;
use crate::workers::{WorkError, mixture::check_settings};
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Scatter, Threads};
use ndarray::Array2;

/// The parameters that an M-step makes of statistics which were taken under these, and what it had to repair.
///
/// What small variances are measured against is what the statistics say of all rows together.
///
/// # Errors
/// If the statistics were taken under other parameters or hold no weight; if the settings need all rows.
pub fn maximised<F: Float>(
    mixture: &Mixture<F>,
    settings: &MixtureSettings,
    statistics: Statistics,
) -> Result<(Mixture<F>, Vec<(usize, RepairAction, String)>), WorkError> {
    check_settings(settings)?;
    let summary = statistics.summary();
    let mut family = GaussianFamily::new(mixture.clone(), settings.clone(), &summary, summary.total_weight)?;
    statistics.check_origin(&family)?;
    let none = Array2::zeros((0, mixture.n_columns()));
    let rows = Assigned { samples: &Samples::unchecked(&none), labels: &[], relocated: &[], threads: Threads::One };
    let MStep { repairs, .. } = family.m_step(statistics, &rows);
    Ok((family.into_mixture(), repairs))
}

/// The centres, k × d, that an M-step of k-means makes of statistics which were taken under the centres of `family`, and the inertia of
/// the statistics' rows about them.
///
/// # Errors
/// If the statistics were taken under other centres or hold no weight.
pub fn moved<F: Float, D: Centred<F>>(
    family: KMeansFamily<F, D>,
    statistics: &Statistics,
) -> Result<(Array2<F>, f64), WorkError> {
    statistics.check_origin(&family)?;
    let means = statistics.means().mapv(F::narrow);
    let about = |c: usize| means.row(c).iter().map(|x| x.widen()).collect::<Vec<_>>();
    let spread = (0..means.nrows()).map(|c| statistics.spread_about(c, about(c).into_iter()).max(0.0));
    let inertia = spread.sum();
    Ok((means, inertia))
}

impl Statistics {
    /// Fails unless these were taken under the parameters of this family, and hold some weight.
    pub(crate) fn check_origin<F: Float, M: Family<F>>(&self, family: &M) -> Result<(), WorkError> {
        let (k, d) = (family.n_components(), family.shift().len() / family.n_components().max(1));
        if (self.sums().k(), self.sums().width, self.sums().scatter) != (k, d, family.scatter()) {
            return Err(MergeError::Shape(self.sums().k(), k, self.sums().width, d).into());
        }
        if self.fingerprint() != family.fingerprint() {
            return Err(MergeError::Fingerprint(self.fingerprint(), family.fingerprint()).into());
        }
        if self.sums().total() > 0.0 { Ok(()) } else { Err(miscela_kernel::SourceError::NoRows.into()) }
    }

    /// What they say of the columns of all rows: means, and variances, which are taken to be alike within components where only
    /// their sum is known.
    pub(crate) fn summary(&self) -> Summary {
        let (k, d) = (self.sums().k(), self.sums().width);
        let total = self.sums().weight.iter().sum::<f64>();
        let share = |c: usize| if total > 0.0 { self.sums().weight[c] / total } else { 0.0 };
        let means = self.means();
        let mean: Vec<f64> = (0..d).map(|j| (0..k).map(|c| share(c) * means[[c, j]]).sum()).collect();
        let within = |j: usize| -> f64 {
            let scatters = (0..k).map(|c| self.scatter_about_mean(c));
            scatters
                .map(|scatter| match self.sums().scatter {
                    Scatter::Spherical => scatter[0] / d as f64,
                    Scatter::Diagonal => scatter[j],
                    Scatter::Full => scatter[j * (j + 1) / 2 + j],
                })
                .sum::<f64>()
                / total
        };
        let between = |j: usize| -> f64 { (0..k).map(|c| share(c) * (means[[c, j]] - mean[j]).powi(2)).sum() };
        let variance = (0..d).map(|j| (within(j) + between(j)).max(0.0)).collect();
        Summary { mean, variance, total_weight: self.sums().total(), covariance: None }
    }
}
