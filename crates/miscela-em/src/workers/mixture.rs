//! Mixtures of rows that are elsewhere: a pass over the rows an iteration, and one at the end.

use crate::assignment::Assignment;
use crate::collapse::Collapse;
use crate::course::{Outcome, conclude, reported_temperature};
use crate::engine::{self, Family, State};
use crate::gaussian::{GaussianFamily, MixtureSettings};
use crate::maximise::maximise_start;
use crate::missing::{completed, observed_means};
use crate::parameters::Mixture;
use crate::report::{Observer, Repair, Run};
use crate::squarem::Acceleration;
use crate::start::StartError;
use crate::statistics::Statistics;
use crate::summary::Summary;
use crate::workers::checkpoint::{Checkpoint, Keeper, Parameters};
use crate::workers::elsewhere::{Elsewhere, Remote};
use crate::workers::task::MixtureTask;
use crate::workers::{Observed, Pick, Task, WorkError, Workers};
use miscela_kernel::{Float, Scatter, Threads};
use ndarray::Array2;

/// What a fit of a mixture needs besides a start.
#[derive(Clone, Debug)]
pub struct MixtureOver<'a> {
    /// The means and variances of the rows.
    pub summary: &'a Summary,
    /// What is followed.
    pub settings: MixtureSettings,
    /// The limit of iterations.
    pub max_iterations: usize,
    /// Who does what is to be done here, beside the workers.
    pub threads: Threads,
}

impl MixtureOver<'_> {
    /// Fits from start parameters, which are used as they are.
    ///
    /// # Errors
    /// What workers or keeper meet with, parameters that cannot be used, and [settings](check_settings) that need all rows.
    pub fn run<F: Float>(
        &self,
        workers: &mut dyn Workers<F>,
        start: Mixture<F>,
        keeper: &mut dyn Keeper<F>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome<F>, WorkError> {
        self.go(workers, (start, State::default(), Run::default(), None), keeper, observer)
    }

    /// Goes on from a checkpoint of such a fit.
    ///
    /// # Errors
    /// As [`run`](Self::run); if it is the checkpoint of another fit, or the fit is accelerated: what acceleration
    /// remembers is not kept.
    pub fn resume<F: Float>(
        &self,
        workers: &mut dyn Workers<F>,
        checkpoint: Checkpoint<F>,
        keeper: &mut dyn Keeper<F>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome<F>, WorkError> {
        let Checkpoint { parameters: Parameters::Mixture(mixture), state, run, labels } = checkpoint else {
            return Err(WorkError::OtherFit("of k-means".into()));
        };
        if mixture.n_columns() != self.summary.mean.len() {
            return Err(WorkError::OtherFit("of other columns".into()));
        }
        if self.settings.acceleration != Acceleration::None {
            return Err(WorkError::OtherFit("accelerated fits cannot be gone on with".into()));
        }
        self.go(workers, (*mixture, state, run, labels), keeper, observer)
    }

    fn go<F: Float>(
        &self,
        workers: &mut dyn Workers<F>,
        (mixture, state, mut run, labels): (Mixture<F>, State, Run, Option<u64>),
        keeper: &mut dyn Keeper<F>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome<F>, WorkError> {
        check_settings(&self.settings)?;
        let mut family = GaussianFamily::new(mixture, self.settings.clone(), self.summary, self.summary.total_weight)?;
        if self.summary.has_gaps() {
            family = family.with_gaps();
        }
        let mut rows =
            Elsewhere { workers, keeper, summary: self.summary, labels, moved: Vec::new(), threads: self.threads };
        engine::resume(&mut rows, &mut family, state, &mut run, self.max_iterations, observer)?;
        let assignment = self.settings.assignment;
        let temperature = reported_temperature(assignment);
        let evaluate = |family: &GaussianFamily<F>, rows: &mut Elsewhere<F>| {
            let task = Task::MixtureFit { mixture: family.mixture().clone(), temperature };
            let fit = rows.workers.run(&task)?.mixture_fit()?;
            fit.check(family.n_labels())?;
            Ok(fit)
        };
        let fit = conclude(&mut rows, &mut family, &mut run, (assignment, self.max_iterations), observer, evaluate)?;
        Ok(Outcome::of(family, fit, run, assignment))
    }
}

/// Whether a fit with these settings needs no more than sums.
///
/// # Errors
/// [`WorkError::NeedsRows`], which says what does.
pub fn check_settings(settings: &MixtureSettings) -> Result<(), WorkError> {
    let needs = |what| Err(WorkError::NeedsRows(what));
    match (settings.assignment, settings.collapse) {
        (Assignment::Stochastic, _) => needs("stochastic assignment"),
        (Assignment::Annealed(_), _) => needs("annealed assignment"),
        (_, Collapse::Respawn) => needs("to respawn collapsed components"),
        (_, Collapse::Drop) => needs("to drop collapsed components"),
        _ if settings.noise.is_some() => needs("a noise component"),
        _ => Ok(()),
    }
}

/// The parameters that an M-step makes of the partition by the nearest of some means, k × d, in two passes, and what it had to
/// repair.
///
/// # Errors
/// What workers meet with, means that no row is nearest to, and settings that need all rows.
pub fn start_over<F: Float>(
    workers: &mut dyn Workers<F>,
    means: &Array2<F>,
    settings: &MixtureSettings,
    summary: &Summary,
) -> Result<(Mixture<F>, Vec<Repair>), WorkError> {
    check_settings(settings)?;
    let statistics = match summary.has_gaps() {
        true => observed_at_start(workers, means, settings, summary)?,
        false => whole_at_start(workers, means, settings, summary)?,
    };
    let mut repairs = Vec::new();
    let mixture = maximise_start(statistics, settings, summary, &mut repairs);
    let at_start = |(component, action, detail)| Repair { iteration: 0, component, action, detail };
    Ok((mixture, repairs.into_iter().map(at_start).collect()))
}

/// What the rows nearest to each of some means add up to, about their own means.
fn whole_at_start<F: Float>(
    workers: &mut dyn Workers<F>,
    means: &Array2<F>,
    settings: &MixtureSettings,
    summary: &Summary,
) -> Result<Statistics, WorkError> {
    let centre: Vec<F> = summary.offset();
    let mut moments = |about: Array2<F>, scatter: Scatter| {
        let task = Task::Moments { means: means.clone(), about, scatter, offset: centre.clone() };
        Ok::<_, WorkError>(workers.run(&task)?.statistics()?.0)
    };
    let about = Array2::from_shape_fn(means.dim(), |(_, j)| centre.get(j).copied().unwrap_or(F::zero()));
    // The first pass only needs the means; the spherical scatter is the cheapest to carry along.
    let means = moments(about, Scatter::Spherical)?.means().mapv(F::narrow);
    let statistics = moments(means, settings.covariance.structure().scatter())?;
    if let Some(component) = statistics.sums().weight.iter().position(|n| *n <= 0.0) {
        return Err(StartError::Empty { component }.into());
    }
    Ok(statistics)
}

/// The same of rows with gaps, completed under independent columns.
fn observed_at_start<F: Float>(
    workers: &mut dyn Workers<F>,
    means: &Array2<F>,
    settings: &MixtureSettings,
    summary: &Summary,
) -> Result<Statistics, WorkError> {
    let (k, d) = means.dim();
    let mut observed = |about: Array2<f64>, scatter: Scatter| {
        let task = Task::Observed { means: means.clone(), about, scatter, labels: Vec::new() };
        workers.run(&task)?.observed(k, d)
    };
    let centre = Array2::from_shape_fn((k, d), |(_, j)| summary.mean[j]);
    let columns = observed(centre, Scatter::Spherical)?.columns;
    let about = observed_means(&summary.mean.repeat(k), &columns)?;
    let points = Array2::from_shape_fn((k, d), |(c, j)| about[c * d + j]);
    let Observed { statistics, columns } = observed(points, settings.covariance.structure().scatter())?;
    Ok(completed(about, statistics.into_sums(), &columns, summary))
}

impl<F: Float> GaussianFamily<F> {
    fn task(&self, summary: &Summary) -> MixtureTask<F> {
        let MixtureSettings { covariance, assignment, tails, .. } = *self.settings();
        MixtureTask { mixture: self.mixture().clone(), covariance, assignment, tails, summary: summary.clone() }
    }
}

impl<F: Float> Remote<F> for GaussianFamily<F> {
    fn step(&self, summary: &Summary) -> Task<F> {
        Task::Mixture(Box::new(self.task(summary)))
    }

    fn worst(&self, summary: &Summary) -> Pick<F> {
        Pick::WorstOfMixture(Box::new(self.task(summary)))
    }

    fn parameters(&self) -> Parameters<F> {
        Parameters::Mixture(Box::new(self.mixture().clone()))
    }
}
