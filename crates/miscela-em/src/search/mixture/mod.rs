//! Searches of mixtures: components are split and others merged.
//!
//! [`swap`] splits one and merges two, after Ueda, Nakano, Ghahramani & Hinton (2000); [`breathing`] splits several, settles,
//! and merges as many, after Fritzke (2020). What is split gains by a bound that [`split`] computes on the rows of the one
//! component; what is merged loses what [`component`] tells from the parameters.
//!
//! The likelihood of a mixture has no bound where a component collapses onto few rows, and such a maximum says nothing of the
//! data. So a trial is not kept if it needed [repairs](crate::Repair) that the best did not, or if it has a component that
//! gathers less weight than it has means and variances of its own, and less than any of the best, or one that the ridge alone
//! holds up where the best has none, as rows of equal rounded values have.

mod breathing;
mod component;
mod split;
mod swap;

use super::{Search, SearchReport};
use crate::assignment::Mixing;
use crate::course::{Course, Outcome};
use crate::report::{Observer, Progress, Run};
use component::{Component, together};
use miscela_kernel::{Float, Scatter, uniform};
use ndarray::Axis;
use split::{Split, splits};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// How much better for each unit of weight is better: less could be rounding.
const BETTER: f64 = 1e-6;

/// What is worth to go on for: a breath that gains more for each unit of weight is followed by another of the same depth, and
/// only such swaps count as gains.
const MUCH: f64 = 1e-4;

/// A search of mixtures.
#[derive(Clone, Debug)]
pub struct MixtureSearch<'a, 's, F: Float> {
    /// The fit of a trial. No row is known by its label, no value is missing, and no parameter is held or given.
    pub course: Course<'a, 's, F>,
    /// What is done.
    pub method: Search,
    /// The iterations that all trials may take, which are then used up; `None`: until trials stop to gain.
    pub budget: Option<usize>,
}

impl<F: Float> MixtureSearch<'_, '_, F> {
    /// Searches from what a course came to, and returns the best found. The observer is told of each iteration, and may stop
    /// the search.
    pub fn run(&self, mut best: Outcome<F>, observer: &mut dyn Observer) -> (Outcome<F>, SearchReport) {
        let course = Course { settings: self.course.settings.clone(), ..self.course.clone() };
        let mut of = Self { course, ..self.clone() };
        // A trial starts near where it is to end: to melt it down would be to start anew.
        of.course.settings.assignment = self.course.settings.assignment.at_end();
        let report = SearchReport { method: self.method, before: best.objective, ..SearchReport::default() };
        let mut trials = Trials { of: &of, observer, report, draws: 0, over: false };
        match self.method {
            Search::None => {}
            Search::Swap => swap::run(&mut trials, &mut best),
            Search::Breathing => breathing::run(&mut trials, &mut best),
        }
        let report = trials.report;
        (best, report)
    }

    fn scatter(&self) -> Scatter {
        self.course.settings.covariance.structure().scatter()
    }

    /// The weight that a component should gather: as much as it has means and variances of its own.
    fn support(&self) -> f64 {
        let (covariance, d) = (self.course.settings.covariance, self.course.samples.n_columns());
        (d + covariance.n_parameters(2, d) - covariance.n_parameters(1, d)) as f64
    }

    /// How many components have a direction in which rows vary by no more than the ridge: that alone holds them up.
    fn held_up(&self, outcome: &Outcome<F>) -> usize {
        let (ridge, mixture) = (self.course.settings.reg_covariance, &outcome.mixture);
        let (k, d) = mixture.means.dim();
        let dense = mixture.covariances.dense(k, d);
        let is_held_up = |c: &usize| {
            let covariance: Vec<f64> = dense.index_axis(Axis(0), *c).iter().map(|x| x.widen()).collect();
            miscela_linalg::clip_eigenvalues(&covariance, d, 2.0 * ridge).is_none_or(|(_, raised)| raised > 0)
        };
        (0..k).filter(is_held_up).count()
    }

    /// The least weight that a component gathers; where weights are fixed, the fewest rows by label.
    fn lightest(&self, outcome: &Outcome<F>) -> f64 {
        let Outcome { mixture, fit, .. } = outcome;
        if self.course.settings.mixing != Mixing::Free {
            return fit.sizes.iter().take(mixture.n_components()).min().map_or(0.0, |size| *size as f64);
        }
        let least = mixture.weights.iter().fold(f64::INFINITY, |least, w| w.widen().min(least));
        least * self.course.samples.total_weight()
    }
}

/// What all trials share.
struct Trials<'t, 'a, 's, 'o, F: Float> {
    of: &'t MixtureSearch<'a, 's, F>,
    observer: &'o mut dyn Observer,
    report: SearchReport,
    draws: usize,
    /// Whether the budget is used up, or the observer has asked to stop.
    over: bool,
}

impl<F: Float> Trials<'_, '_, '_, '_, F> {
    /// Whether the search goes on although nothing was gained for long.
    fn is_patient(&self) -> bool {
        self.of.budget.is_some()
    }

    /// What a component of a trial is to gather at least.
    fn support(&self, best: &Outcome<F>) -> f64 {
        self.of.support().min(self.of.lightest(best))
    }

    /// The splits of the best, by other chances at each call.
    fn splits(&mut self, best: &Outcome<F>) -> Vec<Option<Split>> {
        self.draws += 1;
        splits(self.of, &best.mixture, self.support(best), uniform::of_row(self.of.course.seed, self.draws))
    }

    /// Settles from these components, unless it is seen on the way that `target` is out of reach: that takes more than many times
    /// the last gain.
    fn settle(&mut self, components: &[Component], best: &Outcome<F>, target: Option<f64>) -> Option<Outcome<F>> {
        const WITHIN: f64 = 20.0;
        if self.over {
            return None;
        }
        let left = self.of.budget.map_or(usize::MAX, |budget| budget.saturating_sub(self.report.iterations));
        let course = Course { max_iterations: self.of.course.max_iterations.min(left), ..self.of.course.clone() };
        let (mut stopped, observer) = (false, &mut *self.observer);
        let mut watch = |progress: &Progress| {
            if observer.iteration(progress).is_break() {
                stopped = true;
                return ControlFlow::Break(());
            }
            let Progress { objective, change, .. } = *progress;
            let hopeless = target.is_some_and(|target| target - objective > WITHIN * change);
            if hopeless { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let start = together(components, course.settings.covariance, &best.mixture);
        let outcome = course.run(start, &mut watch).ok();
        self.over |= stopped || outcome.is_none();
        let outcome = outcome?;
        self.report.iterations += outcome.run.iterations;
        self.over |= outcome.run.iterations >= left;
        let hopeless = outcome.run.termination.is_asked_for() && !stopped;
        (!hopeless).then_some(outcome)
    }

    /// Takes a trial for the best if it is better, and says whether it is better by more than `by` for each unit of weight.
    fn keep(&mut self, best: &mut Outcome<F>, trial: Option<Outcome<F>>, by: f64) -> bool {
        self.report.tried += 1;
        let total = self.of.course.samples.total_weight();
        let gain = |trial: &Outcome<F>| (trial.objective - best.objective) / total;
        let (support, repaired, held_up) = (self.support(best), repairs(&best.run), self.of.held_up(best));
        let sound = |trial: &Outcome<F>| {
            trial.mixture.n_components() == best.mixture.n_components()
                && self.of.lightest(trial) >= support
                && repairs(&trial.run) <= repaired
                && self.of.held_up(trial) <= held_up
        };
        let Some(trial) = trial.filter(|trial| gain(trial) > BETTER && sound(trial)) else { return false };
        let much = gain(&trial) > by;
        *best = trial;
        self.report.kept += 1;
        self.report.trace.push(best.objective);
        much
    }
}

/// How many components had to be repaired, each way counted for itself.
fn repairs(run: &Run) -> usize {
    run.repairs.iter().map(|repair| (repair.component, repair.action.name())).collect::<BTreeSet<_>>().len()
}
