//! Fits of a table by batches that are drawn from it.
//!
//! An iteration is a batch. Its objective at the parameters before it, which it had no part in, tells how good these are; it
//! is smoothed over batches and scaled to the table, and that is the trace. A fit ends when the smoothed objective is no
//! better for some batches in a row, or when a batch by itself would change as little as the tolerance says, the rate of
//! learning set aside: where each batch is the table, that is when a fit to all rows would end.

use crate::centroids::KMeansFamily;
use crate::course::{Course, Outcome};
use crate::engine::Family;
use crate::history::Repairs;
use crate::parameters::{Mixture, ParameterError};
use crate::report::{Observer, Repair, RepairAction, Run, Termination};
use crate::stream::draw::Draw;
use crate::stream::mini_batch::MiniBatch;
use crate::stream::smoothed::Smoothed;
use crate::stream::stepwise::{StepSize, Stepwise, Stream};
use crate::stream::tally::{Learning, Tally};
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Threads, uniform};

/// K-means by batches.
#[derive(Clone, Copy, Debug)]
pub struct KMeansBatches<'a, 's, F: Float> {
    /// The rows.
    pub samples: &'a Samples<'s, F>,
    /// How large batches are.
    pub batch: MiniBatch,
    /// How centres learn; its seed is what all draws are functions of.
    pub learning: Learning,
    /// The limit of batches.
    pub max_iterations: usize,
    /// Who works.
    pub threads: Threads,
}

impl<F: Float> KMeansBatches<'_, '_, F> {
    /// Moves a family from its centres to where the batches lead.
    pub fn run<D: Centred<F>>(&self, family: &mut KMeansFamily<F, D>, observer: &mut dyn Observer) -> Run {
        let mut pace = Pace::new(self.samples, self.batch, self.max_iterations);
        let draw = Draw::new(self.samples, self.batch.batch_size, self.learning.seed);
        let mut tally = Tally::new(vec![0.0; family.n_components()]);
        while let Some(t) = pace.next() {
            let learning = Learning { seed: uniform::of_row(!self.learning.seed, t), ..self.learning };
            let (step, weight) =
                draw.lend(t, |batch| (family.take_in(batch, &mut tally, learning, self.threads), batch.total_weight()));
            let still = family.tolerance() > 0.0 && step.pull2 <= family.tolerance();
            let inertia = step.fit.inertia / weight * self.samples.total_weight();
            pace.note((inertia, true), step.repairs, still, observer);
        }
        pace.finish()
    }
}

/// Stepwise EM by batches.
#[derive(Clone, Debug)]
pub struct StepwiseBatches<'a, 's, F: Float> {
    /// The fit, whose iterations are batches.
    pub course: Course<'a, 's, F>,
    /// How large batches are.
    pub batch: MiniBatch,
    /// How much they count.
    pub step_size: StepSize,
}

impl<F: Float> StepwiseBatches<'_, '_, F> {
    /// Fits from start parameters, which are used as they are; an error names what is wrong with them. What goes with the
    /// parameters comes with the outcome, if there was a batch.
    pub fn run(
        &self,
        start: Mixture<F>,
        observer: &mut dyn Observer,
    ) -> Result<(Outcome<F>, Option<Stream>), ParameterError> {
        start.check()?;
        let Course { samples, ref settings, seed, max_iterations, threads, .. } = self.course;
        let weight = samples.total_weight();
        let stepwise = Stepwise { settings, step_size: self.step_size, total_weight: Some(weight), threads };
        let mut pace = Pace::new(samples, self.batch, max_iterations);
        let draw = Draw::new(samples, self.batch.batch_size, seed);
        let (mut mixture, mut stream) = (start, None);
        while let Some(t) = pace.next() {
            let step = draw.lend(t, |batch| stepwise.step(mixture, stream.take(), batch))?;
            (mixture, stream) = (step.mixture, Some(step.stream));
            let still = settings.tolerance > 0.0 && step.rise < settings.tolerance * step.rate;
            pace.note((step.before * weight, false), step.repairs, still, observer);
        }
        let family = self.course.family(mixture, settings.assignment)?;
        Ok((self.course.concluded(family, pace.finish()), stream))
    }
}

/// What all fits by batches do after each.
struct Pace {
    run: Run,
    ended: Option<Termination>,
    smoothed: Smoothed,
    repairs: Repairs,
    patience: usize,
    max_iterations: usize,
}

impl Pace {
    fn new<F: Float>(samples: &Samples<F>, batch: MiniBatch, max_iterations: usize) -> Self {
        Self {
            run: Run::default(),
            ended: None,
            smoothed: Smoothed::new(batch.batch_size, samples.n_positive()),
            repairs: Repairs::default(),
            patience: batch.patience,
            max_iterations,
        }
    }

    /// The number of the next batch, if there is to be one.
    fn next(&self) -> Option<usize> {
        (self.ended.is_none() && self.run.iterations < self.max_iterations).then_some(self.run.iterations)
    }

    /// Takes note of a batch: its objective, scaled to the table, and whether that is a cost; and whether it changed as little
    /// as the tolerance says.
    fn note(
        &mut self,
        (objective, is_cost): (f64, bool),
        repairs: Vec<(usize, RepairAction, String)>,
        still: bool,
        observer: &mut dyn Observer,
    ) {
        self.run.iterations += 1;
        for (component, action, detail) in repairs {
            self.repairs.note(Repair { iteration: self.run.iterations, component, action, detail });
        }
        let sign = if is_cost { 1.0 } else { -1.0 };
        let smoothed = sign * self.smoothed.note(sign * objective);
        let cancelled = self.run.record(smoothed, self.max_iterations, observer).then(|| observer.reason());
        let settled = (still || self.smoothed.is_idle(self.patience)).then_some(Termination::Tolerance);
        self.ended = settled.or(cancelled);
    }

    fn finish(self) -> Run {
        let repairs = self.repairs.into_list();
        Run { termination: self.ended.unwrap_or_default(), repairs, ..self.run }
    }
}
