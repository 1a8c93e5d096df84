//! Bayesian mixtures as a family of the engine.
//!
//! Variational inference alternates between sharing the rows out by the expected log-densities and believing what is best
//! for the shares (Attias 2000; Bishop 2006, §10.2; Blei & Jordan 2006). The expected log-density of a component is that of
//! a Gaussian with the expected parameters, and a constant: so the E-step is that of any mixture with other numbers in the
//! place of ln wₖ, and the M-step needs the statistics of any mixture.

use super::bound::{evidence_constant, lower_bound};
use super::posterior::{Posterior, update};
use super::priors::Priors;
use crate::covariance::{Covariance, Regulariser};
use crate::density::Density;
use crate::engine::{Assigned, Family, MStep, summarize};
use crate::history::Change;
use crate::parameters::{Mixture, ParameterError};
use crate::report::{Repair, RepairAction, Termination};
use crate::start::{Shares, StartError, shared_statistics};
use crate::statistics::{Statistics, Sums};
use crate::summary::Summary;
use crate::tiles::{GaussianScratch, tile_rows};
use miscela_kernel::{Block, Column, Float, Samples, Scatter, Threads};

/// What a Bayesian mixture's M-step and stopping rule follow, beside its priors.
#[derive(Clone, Debug, PartialEq)]
pub struct BayesianSettings {
    /// The structure of the covariances: those with a shape for each component or one for all.
    pub covariance: Covariance,
    /// Added to every row's variances in each M-step.
    pub reg_covariance: f64,
    /// Stop when the lower bound (of all rows together) changes by less; zero: until nothing changes.
    pub tolerance: f64,
}

impl Default for BayesianSettings {
    fn default() -> Self {
        Self { covariance: Covariance::Full, reg_covariance: 1e-6, tolerance: 1e-3 }
    }
}

/// The family of Bayesian mixtures.
///
/// ```
/// use miscela_em::{BayesianFamily, BayesianSettings, PriorSettings, Priors, Shares, Summary, run};
/// use miscela_kernel::{Samples, Threads};
/// use ndarray::array;
///
/// let rows = array![[0.0], [1.0], [2.0], [7.0], [8.0], [9.5]];
/// let samples = Samples::new(&rows)?;
/// let (settings, summary) = (BayesianSettings::default(), Summary::of(&samples, Threads::One));
/// let priors = PriorSettings::default();
/// let (priors, _) = Priors::new(&priors, settings.covariance, 3, &samples, &summary, Threads::One)?;
/// let partition = Shares::Labels(&[0, 0, 0, 1, 1, 2]);
/// let (mut family, _) =
///     BayesianFamily::from_shares(&samples, partition, settings, priors, 3, &summary, 6.0, Threads::One)?;
/// let before = family.lower_bound();
/// run(&mut family, &samples, 100, Threads::One, &mut ());
/// assert!(family.lower_bound() > before);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BayesianFamily<F> {
    /// The expected parameters.
    mixture: Mixture<F>,
    /// With what is expected of ln πₖ and ln|Λₖ| in its constants.
    density: Density<F>,
    posterior: Posterior,
    priors: Priors,
    settings: BayesianSettings,
    lower_bound: f64,
    /// A variance for each column: what small is measured against.
    scale: Vec<f64>,
    total_weight: f64,
}

impl<F: Float> BayesianFamily<F> {
    /// From k shares of the rows, or of a sample of rows that weigh `total_weight`, by an M-step; with what had to be
    /// repaired for that. Components may have no rows.
    pub fn from_shares(
        samples: &Samples<F>,
        shares: Shares<F>,
        settings: BayesianSettings,
        priors: Priors,
        k: usize,
        summary: &Summary,
        total_weight: f64,
        threads: Threads,
    ) -> Result<(Self, Vec<Repair>), StartError> {
        let scatter = settings.covariance.structure().scatter();
        shares.check(samples, k, false)?;
        let statistics = shared_statistics(samples, &shares, k, false, scatter, summary, threads);
        Self::first(&statistics, settings, priors, summary, total_weight)
    }

    /// From a mixture, less its noise: by an M-step on its responsibilities.
    pub fn from_mixture(
        samples: &Samples<F>,
        mixture: Mixture<F>,
        settings: BayesianSettings,
        priors: Priors,
        summary: &Summary,
        threads: Threads,
    ) -> Result<(Self, Vec<Repair>), StartError> {
        mixture.check()?;
        let mixture = Mixture { noise: None, degrees: None, ..mixture };
        let (k, d) = mixture.means.dim();
        // What is believed before any row is seen, but for the densities that rows are shared by.
        let no_rows = Sums::zero(k, d, settings.covariance.structure().scatter());
        let no_rows = Statistics::new(0, vec![0.0; k * d], no_rows);
        let (mut family, _) = Self::first(&no_rows, settings, priors, summary, samples.total_weight())?;
        family.density = Density::new(&mixture)?;
        family.mixture = mixture;
        let statistics = summarize(&family, samples, threads);
        Self::first(&statistics, family.settings, family.priors, summary, samples.total_weight())
    }

    /// The best belief for the statistics.
    fn first(
        statistics: &Statistics,
        settings: BayesianSettings,
        priors: Priors,
        summary: &Summary,
        total_weight: f64,
    ) -> Result<(Self, Vec<Repair>), StartError> {
        let scale = summary.positive_variance::<F>();
        let Belief { posterior, mixture, density, lower_bound, repairs } =
            believe(statistics, &settings, &priors, &scale)?;
        let family = Self { mixture, density, posterior, priors, settings, lower_bound, scale, total_weight };
        let repairs = repairs.into_iter();
        let repairs = repairs.map(|(component, action, detail)| Repair { iteration: 0, component, action, detail });
        Ok((family, repairs.collect()))
    }

    /// The expected weights and means, and the inverses of the expected precisions.
    pub fn mixture(&self) -> &Mixture<F> {
        &self.mixture
    }

    /// What rows are shared by: exp E[ln πₖ N(x; μₖ, Λₖ⁻¹)].
    pub fn density(&self) -> &Density<F> {
        &self.density
    }

    /// The expected parameters and what else is believed, taken out.
    pub fn into_parts(self) -> (Mixture<F>, Posterior, Priors) {
        (self.mixture, self.posterior, self.priors)
    }

    /// What is believed, beside the expected parameters.
    pub fn posterior(&self) -> &Posterior {
        &self.posterior
    }

    /// What was believed before.
    pub fn priors(&self) -> &Priors {
        &self.priors
    }

    /// The lower bound, as scikit-learn has it: without what the priors and the number of rows alone determine.
    pub fn lower_bound(&self) -> f64 {
        self.lower_bound
    }

    /// The lower bound of ln p(rows): to compare other k, structures and priors by, on the same rows.
    pub fn evidence_bound(&self) -> f64 {
        // Priors have been factored before, so this does not fail.
        let log_determinant = self.priors.log_determinant().unwrap_or(f64::NAN);
        let k = self.mixture.n_components();
        self.lower_bound + evidence_constant(&self.priors, log_determinant, k, self.total_weight)
    }
}

/// A posterior and what follows from it.
struct Belief<F> {
    posterior: Posterior,
    mixture: Mixture<F>,
    density: Density<F>,
    lower_bound: f64,
    repairs: Vec<(usize, RepairAction, String)>,
}

/// The M-step.
fn believe<F: Float>(
    statistics: &Statistics,
    settings: &BayesianSettings,
    priors: &Priors,
    scale: &[f64],
) -> Result<Belief<F>, ParameterError> {
    let mut regulariser = Regulariser::new::<F>(scale);
    let (posterior, mixture) =
        update::<F>(statistics, priors, settings.covariance, settings.reg_covariance, &mut regulariser);
    let (density, log_determinants) = posterior.density(&mixture)?;
    let lower_bound = lower_bound(statistics.sums().objective, &posterior, &log_determinants, mixture.n_columns());
    let floor = regulariser.floor;
    let repairs = regulariser.raised.into_iter().map(|(component, count)| {
        let whose = if component.is_some() { "its" } else { "the shared" };
        let detail = format!("{count} of {whose} variances raised to {floor:e} of the data's");
        (component.unwrap_or(0), RepairAction::Floored, detail)
    });
    Ok(Belief { posterior, mixture, density, lower_bound, repairs: repairs.collect() })
}

/// Working space of the E-step.
#[derive(Debug)]
pub struct BayesianScratch<F> {
    gaussian: GaussianScratch<F>,
    logs: Vec<Column<F>>,
}

impl<F: Float> Default for BayesianScratch<F> {
    fn default() -> Self {
        Self { gaussian: GaussianScratch::default(), logs: Vec::new() }
    }
}

impl<F: Float> Family<F> for BayesianFamily<F> {
    type Scratch = BayesianScratch<F>;

    fn n_components(&self) -> usize {
        self.mixture.n_components()
    }

    fn scatter(&self) -> Scatter {
        self.settings.covariance.structure().scatter()
    }

    fn fingerprint(&self) -> u64 {
        let constants = self.density.constants().iter();
        let numbers = constants.chain(&self.mixture.means).chain(self.mixture.covariances.iter());
        crate::statistics::fingerprint(numbers.map(|x| x.widen()))
    }

    fn shift(&self) -> Vec<f64> {
        self.mixture.means.iter().map(|m| m.widen()).collect()
    }

    fn is_hard(&self) -> bool {
        false
    }

    /// The objective that is summed is the entropy of the shares.
    fn e_step(&self, block: &Block<F>, _: &mut [u32], sums: &mut Sums, scratch: &mut Self::Scratch) {
        let BayesianScratch { gaussian, logs } = scratch;
        for t in 0..gaussian.fill(block, self.density.offset(), self.n_components()) {
            let entropy = gaussian.share_entropy(&self.density, t, logs, (sums, self.total_weight));
            let rows = tile_rows(block.len(), t).len();
            sums.objective += entropy.0[..rows].iter().map(|entropy| entropy.widen()).sum::<f64>();
        }
        gaussian.add_moments(block, self.density.means(), sums);
    }

    fn add(&self, block: &Block<F>, labels: &[u32], sums: &mut Sums, _: &mut Self::Scratch) {
        sums.hard().add(block, labels, self.density.means());
    }

    /// Known after the M-step only: the bound is that of the last shares and the posterior that is best for them.
    fn objective(&self, _: &Statistics) -> Option<f64> {
        None
    }

    fn misfit(&self, row: &[F], label: u32, scratch: &mut Self::Scratch) -> f64 {
        scratch.gaussian.misfit(&self.density, row, label)
    }

    fn m_step(&mut self, statistics: Statistics, _: &Assigned<F>) -> MStep {
        let belief = match believe::<F>(&statistics, &self.settings, &self.priors, &self.scale) {
            Ok(belief) => belief,
            // Rounding to F undid the floor, or an overflow: the posterior stays, and it is said.
            Err(error) => {
                let detail = format!("the new posterior cannot be used ({error}); kept the old one");
                let repairs = vec![(0, RepairAction::Starved, detail)];
                return MStep { objective: Some(self.lower_bound), shift2: 0.0, repairs };
            }
        };
        let moved = belief.mixture.means.iter().zip(&self.mixture.means);
        let shift2 = moved.map(|(new, old)| (new.widen() - old.widen()).powi(2)).sum();
        (self.posterior, self.mixture, self.density) = (belief.posterior, belief.mixture, belief.density);
        self.lower_bound = belief.lower_bound;
        MStep { objective: Some(self.lower_bound), shift2, repairs: belief.repairs }
    }

    fn is_idle(&self, change: &Change) -> bool {
        // The bound is a difference of terms that grow with the rows.
        let terms = change.now.abs() + self.total_weight * self.mixture.n_columns() as f64;
        (change.now - change.before).abs() <= 8.0 * F::UNIT_ROUNDOFF * (1.0 + terms)
    }

    fn settled(&self, change: &Change) -> Option<Termination> {
        let still = self.settings.tolerance > 0.0 && (change.now - change.before).abs() < self.settings.tolerance;
        (still || change.hovering >= 10 || change.idle >= 2).then_some(Termination::Tolerance)
    }
}
