//! An M-step by itself: from statistics, wherever they were taken, to the next parameters.

use crate::centroids::KMeansFamily;
use crate::engine::{Assigned, Family, MStep};
use crate::gaussian::{GaussianFamily, MixtureSettings};
use crate::maximise::Notes;
use crate::parameters::Mixture;
use crate::statistics::{MergeError, Statistics};
use crate::summary::{Summary, at_least_zero};
use crate::workers::{WorkError, mixture::check_settings};
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Scatter, Threads};
use ndarray::Array2;

/// The parameters that an M-step makes of statistics which were taken under these, what the assignment rule maximised under the ones
/// before, and what had to be repaired.
///
/// What small variances are measured against is what the statistics say of all rows together.
///
/// # Errors
/// If the statistics were taken under other parameters or hold no weight; if the settings need all rows.
pub fn maximised<F: Float>(
    mixture: &Mixture<F>,
    settings: &MixtureSettings,
    statistics: Statistics,
) -> Result<(Mixture<F>, f64, Notes), WorkError> {
    check_settings(settings)?;
    let shape = (mixture.n_components(), mixture.n_columns(), settings.covariance.structure().scatter());
    statistics.check_shape(shape, mixture.degrees.is_some())?;
    let summary = statistics.summary();
    let mut family = GaussianFamily::new(mixture.clone(), settings.clone(), &summary, summary.total_weight)?;
    statistics.check_origin(&family)?;
    let none = Array2::zeros((0, mixture.n_columns()));
    let rows = Assigned { samples: &Samples::unchecked(&none), labels: &[], relocated: &[], threads: Threads::One };
    let objective = family.objective(&statistics).unwrap_or(statistics.sums().objective) - family.log_prior();
    let MStep { repairs, .. } = family.m_step(statistics, &rows);
    Ok((family.into_mixture(), objective, repairs))
}

/// The centres, k × d, that an M-step of k-means makes of statistics which were taken under the centres of `family`, and the inertia of
/// the statistics' rows about them.
///
/// # Errors
/// If the statistics were taken under other centres or hold no weight.
pub fn maximised_centroids<F: Float, D: Centred<F>>(
    family: KMeansFamily<F, D>,
    statistics: &Statistics,
) -> Result<(Array2<F>, f64), WorkError> {
    statistics.check_origin(&family)?;
    let means = statistics.means().mapv(F::narrow);
    let about = |c: usize| means.row(c).iter().map(|x| x.widen()).collect::<Vec<_>>();
    let spread = (0..means.nrows()).map(|c| at_least_zero(statistics.spread_about(c, about(c).into_iter())));
    let inertia = spread.sum();
    Ok((means, inertia))
}

impl Statistics {
    /// Fails unless these were taken under the parameters of this family, and hold some weight.
    pub(crate) fn check_origin<F: Float, M: Family<F>>(&self, family: &M) -> Result<(), WorkError> {
        let (k, d) = (family.n_components(), family.shift().len() / family.n_components().max(1));
        self.check_shape((k, d, family.scatter()), family.has_tails())?;
        if self.fingerprint() != family.fingerprint() {
            return Err(MergeError::Fingerprint(self.fingerprint(), family.fingerprint()).into());
        }
        if self.sums().total() > 0.0 { Ok(()) } else { Err(miscela_kernel::SourceError::NoRows.into()) }
    }

    fn check_shape(&self, (k, d, scatter): (usize, usize, Scatter), tails: bool) -> Result<(), MergeError> {
        let sums = self.sums();
        if (sums.k(), sums.width, sums.scatter, sums.has_tails()) == (k, d, scatter, tails) {
            return Ok(());
        }
        Err(MergeError::Shape(sums.k(), k, sums.width, d))
    }

    /// What they say of the columns of all rows: means, and variances, which are taken to be alike within components where only
    /// their sum is known.
    pub(crate) fn summary(&self) -> Summary {
        let (k, d) = (self.sums().k(), self.sums().width);
        let total = self.sums().weight.iter().sum::<f64>();
        let share = |c: usize| if total > 0.0 { self.sums().weight[c] / total } else { 0.0 };
        let means = self.means();
        let mean: Vec<f64> = (0..d).map(|j| (0..k).map(|c| share(c) * means[[c, j]]).sum()).collect();
        // About the mean of all: what lies within components and what lies between.
        let mut scatter = vec![0.0; self.sums().scatter.len(d)];
        for c in 0..k {
            let about = self.scatter_about(c, mean.iter().copied());
            scatter.iter_mut().zip(about).for_each(|(all, own)| *all += own / total);
        }
        let between = |j: usize| -> f64 { (0..k).map(|c| share(c) * (means[[c, j]] - mean[j]).powi(2)).sum() };
        let (variance, covariance): (Vec<f64>, _) = match self.sums().scatter {
            Scatter::Spherical => {
                let all: f64 = (0..d).map(between).sum();
                ((0..d).map(|j| (scatter[0] - all) / d as f64 + between(j)).collect(), None)
            }
            Scatter::Diagonal => (scatter, None),
            Scatter::Full => ((0..d).map(|j| scatter[j * (j + 1) / 2 + j]).collect(), Some(scatter)),
        };
        let variance = variance.into_iter().map(at_least_zero).collect();
        Summary { mean, variance, total_weight: self.sums().total(), covariance, observed: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Sums;
    use ndarray::array;

    #[test]
    fn what_clusters_say_of_all_rows_is_so() {
        let rows = array![[0.0, 1.0], [4.0, 3.0], [2.0, -1.0], [7.0, 5.0]];
        let samples = Samples::weighted(&rows, vec![1.0, 1.0, 2.0, 0.5]).unwrap();
        let expected = Summary::of(&samples, Threads::One).with_covariance(&samples, Threads::One);
        let close = |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13);
        for scatter in [Scatter::Full, Scatter::Diagonal, Scatter::Spherical] {
            let (mut sums, mut scratch, shift) = (Sums::zero(2, 2, scatter), Vec::new(), [1.0, 0.0, 5.0, 5.0]);
            sums.hard().add(&samples.block(0..4, &mut scratch), &[0, 1, 0, 1], &shift);
            let found = Statistics::new(0, shift.to_vec(), sums).summary();
            assert!(close(&found.mean, &expected.mean) && found.total_weight == 4.5, "{found:?}");
            match scatter {
                // How what lies within is shared among the columns is not known.
                Scatter::Spherical => {
                    let total = |summary: &Summary| [summary.variance.iter().sum::<f64>()];
                    assert!(close(&total(&found), &total(&expected)), "{found:?}");
                }
                _ => assert!(close(&found.variance, &expected.variance), "{found:?}"),
            }
            if scatter == Scatter::Full {
                assert!(close(&found.covariance.unwrap(), expected.covariance.as_ref().unwrap()));
            }
        }
    }
}
