//! The whole course of a mixture's fit: the temperatures of annealing, the iterations, the figures at the end.
//!
//! Every assignment rule but annealing is one run of the engine. Annealing is a run for each temperature, each from where the
//! last ended, and a run at the end: soft, or hard with labels of its own.

use crate::annealing::{self, STEPS};
use crate::assignment::Assignment;
use crate::engine::{self, Family, Rows, Session};
use crate::gaussian::{GaussianFamily, MixtureSettings};
use crate::inference::MixtureFit;
use crate::parameters::{Mixture, ParameterError};
use crate::report::{Observer, Run};
use crate::squarem::Acceleration;
use crate::summary::Summary;
use miscela_kernel::{Float, Samples, Threads, uniform};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What a fit of a mixture needs besides a start.
#[derive(Clone, Debug)]
pub struct Course<'a, 's, F: Float> {
    /// The rows.
    pub samples: &'a Samples<'s, F>,
    /// Their means and variances.
    pub summary: &'a Summary,
    /// What is followed.
    pub settings: MixtureSettings,
    /// What draws and nudges are functions of.
    pub seed: u64,
    /// The limit of iterations, over all temperatures.
    pub max_iterations: usize,
    /// Who works.
    pub threads: Threads,
}

/// What a fit of a mixture came to.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Outcome<F> {
    /// The parameters.
    pub mixture: Mixture<F>,
    /// How well they fit.
    pub fit: MixtureFit,
    /// How the fit went.
    pub run: Run,
    /// What the assignment rule maximises, at the parameters.
    pub objective: f64,
}

impl<F: Float> Outcome<F> {
    pub(crate) fn of(family: GaussianFamily<F>, fit: MixtureFit, run: Run, assignment: Assignment) -> Self {
        // With a prior its density is part of what is maximised.
        let objective = fit.objective(assignment) + family.log_prior();
        Outcome { objective, mixture: family.into_mixture(), fit, run }
    }
}

/// Evaluates a mixture after its run, whose last objective may still be missing.
pub(crate) fn conclude<F: Float, R: Rows<F, GaussianFamily<F>>>(
    rows: &mut R,
    family: &mut GaussianFamily<F>,
    run: &mut Run,
    (assignment, max_iterations): (Assignment, usize),
    observer: &mut dyn Observer,
    mut evaluate: impl FnMut(&GaussianFamily<F>, &mut R) -> Result<MixtureFit, R::Error>,
) -> Result<MixtureFit, R::Error> {
    let k = family.mixture().n_components();
    let has_empty = |fit: &MixtureFit| fit.sizes.iter().take(k).any(|size| *size == 0);
    let mut fit = engine::conclude(rows, family, run, &mut evaluate, has_empty)?;
    // The limit may have come before what the last M-step made was judged.
    if family.give_up(fit.objective(assignment) + family.log_prior(), rows.threads()).is_some() {
        run.given_up += 1;
        fit = evaluate(family, rows)?;
    }
    run.complete(fit.objective(assignment) + family.log_prior(), max_iterations, observer);
    if family.return_to_best(fit.log_likelihood) {
        fit = evaluate(family, rows)?;
    }
    Ok(fit)
}

impl<F: Float> Course<'_, '_, F> {
    /// Fits from start parameters, which are used as they are; an error names what is wrong with them.
    ///
    /// ```
    /// use miscela_em::{Annealing, Assignment, Course, MixtureSettings, Shares, Summary, from_shares};
    /// use miscela_kernel::{Samples, Threads};
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0], [1.0], [2.0], [7.0], [8.0], [9.5]];
    /// let (samples, threads) = (Samples::new(&rows)?, Threads::One);
    /// let assignment = Assignment::Annealed(Annealing::default());
    /// let (settings, summary) = (MixtureSettings { assignment, ..Default::default() }, &Summary::of(&samples, threads));
    /// // A poor start: every other row.
    /// let partition = Shares::Labels(&[0, 1, 0, 1, 0, 1]);
    /// let (start, _) = from_shares(&samples, partition, 2, &settings, summary, threads)?;
    /// let course = Course { samples: &samples, summary, settings, seed: 42, max_iterations: 200, threads };
    /// let outcome = course.run(start, &mut ())?;
    /// assert_eq!(outcome.objective, outcome.fit.log_likelihood);
    /// assert_eq!(outcome.run.trace.len(), outcome.run.iterations);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run(&self, start: Mixture<F>, observer: &mut dyn Observer) -> Result<Outcome<F>, ParameterError> {
        let mut run = Run::default();
        let start = self.anneal(start, &mut run, observer)?;
        let mut family = self.family(start, self.settings.assignment.at_end())?;
        let mut session = Session::new(&family, self.samples, self.threads);
        if !run.termination.is_asked_for() {
            session.extend(&mut family, &mut run, self.max_iterations, observer);
        }
        let assignment = self.settings.assignment;
        let evaluate = |family: &GaussianFamily<F>, _: &mut _| Ok(self.evaluate(family));
        let limit = self.max_iterations;
        let Ok(fit) = conclude(&mut session, &mut family, &mut run, (assignment, limit), observer, evaluate);
        Ok(Outcome::of(family, fit, run, assignment))
    }

    /// What a run has come to that ended with this family.
    pub(crate) fn concluded(&self, family: GaussianFamily<F>, run: Run) -> Outcome<F> {
        let fit = self.evaluate(&family);
        Outcome::of(family, fit, run, self.settings.assignment)
    }

    /// The runs at temperatures above the end, where there are any.
    fn anneal(
        &self,
        mut mixture: Mixture<F>,
        run: &mut Run,
        observer: &mut dyn Observer,
    ) -> Result<Mixture<F>, ParameterError> {
        let Assignment::Annealed(schedule) = self.settings.assignment else { return Ok(mixture) };
        for (i, temperature) in schedule.temperatures().enumerate() {
            if run.iterations >= self.max_iterations || run.termination.is_asked_for() {
                break;
            }
            if temperature > 1.0 && !self.settings.held.means {
                annealing::nudge(&mut mixture, self.summary, uniform::of_row(self.seed, i));
            }
            let limit = self.max_iterations.min(run.iterations + STEPS);
            let plain = Self {
                settings: MixtureSettings { acceleration: Acceleration::None, ..self.settings.clone() },
                ..self.clone()
            };
            let mut family = plain.family(mixture, Assignment::Tempered(temperature))?;
            Session::new(&family, self.samples, self.threads).extend(&mut family, run, limit, observer);
            if run.trace.len() < run.iterations {
                let fit = family.evaluate(self.samples, temperature, self.threads);
                run.complete(fit.tempered_log_likelihood + family.log_prior(), limit, observer);
            }
            mixture = family.into_mixture();
        }
        Ok(mixture)
    }

    pub(crate) fn family(
        &self,
        start: Mixture<F>,
        assignment: Assignment,
    ) -> Result<GaussianFamily<F>, ParameterError> {
        let settings = MixtureSettings { assignment, ..self.settings.clone() };
        let family = GaussianFamily::new(start, settings, self.summary, self.samples.total_weight())?;
        family.with_seed(self.seed).with_missing(self.samples)
    }

    fn evaluate(&self, family: &GaussianFamily<F>) -> MixtureFit {
        family.evaluate(self.samples, reported_temperature(self.settings.assignment), self.threads)
    }
}

/// The temperature at which the fit of a mixture is reported.
pub(crate) fn reported_temperature(assignment: Assignment) -> f64 {
    match assignment {
        Assignment::Tempered(temperature) => temperature,
        _ => 1.0,
    }
}
