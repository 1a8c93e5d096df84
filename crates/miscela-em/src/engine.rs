//! The one loop: E-step over blocks of rows → statistics → M-step, until there is no more to gain.
//!
//! ```text
//! repeat
//!     statistics ← Σ over lanes, in lane order, of the family's E-step over the lane's blocks
//!     parameters ← the family's M-step of the statistics
//! until nothing changes, or the limit
//! ```
//!
//! K-means and mixtures are families: they bring the two steps, the loop is this. No matrix of rows × components is ever
//! formed. A family with hard assignment has its labels kept, four bytes a row.

use crate::history::{Change, History, Repairs};
use crate::joint::Joint;
use crate::maximise::Notes;
use crate::passes::Passes;
use crate::plan::Algorithm;
use crate::relocate::{Empty, relocate};
use crate::report::{Observer, Progress, Repair, RepairAction, Run, Termination};
use crate::statistics::{Statistics, Sums};
use miscela_kernel::{Block, Bounds, Centroids, Float, Samples, Scatter, Threads};
use std::borrow::Cow;
use std::convert::Infallible;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A kind of mixture component with its parameters: the two steps of EM.
pub trait Family<F: Float>: Sync {
    /// Space that an E-step works in, one a lane, kept for the whole fit.
    type Scratch: Default + Send;

    /// k
    fn n_components(&self) -> usize;
    /// How many labels there are: k, or more where rows can belong to no component.
    fn n_labels(&self) -> usize {
        self.n_components()
    }
    /// Whether the M-step needs what sums [with tails](Sums::with_tails) hold.
    fn has_tails(&self) -> bool {
        false
    }
    /// How much of the second moment the M-step needs.
    fn scatter(&self) -> Scatter;
    /// Which parameters these are.
    fn fingerprint(&self) -> u64;
    /// What each component is summed about, k × d.
    fn shift(&self) -> Vec<f64>;
    /// Whether each row belongs to one component, whose label is kept.
    fn is_hard(&self) -> bool;

    /// Adds the rows of a block to the sums. A hard family also updates the rows' labels and counts the changes; a soft
    /// one is given none.
    fn e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut Self::Scratch);

    /// The centroids, if each row wholly belongs to the nearest of them by L2, and how that one is found. Passes over the
    /// rows then need no [`e_step`](Self::e_step) of the family's, and their sums may be about other points than
    /// [`shift`](Self::shift).
    fn centroids(&self) -> Option<(&Centroids<F>, Algorithm)> {
        None
    }

    /// Adds the rows of a block to the components of their labels, as [`e_step`](Self::e_step) does once it knows them.
    fn add(&self, block: &Block<F>, labels: &[u32], sums: &mut Sums, scratch: &mut Self::Scratch);

    /// The objective at the current parameters, if the statistics of their E-step tell it.
    fn objective(&self, statistics: &Statistics) -> Option<f64>;

    /// How badly a row is explained by its own component: empty clusters take the worst explained rows.
    fn misfit(&self, row: &[F], label: u32, scratch: &mut Self::Scratch) -> f64;

    /// Whether an empty component of a hard family may be given rows.
    fn can_relocate(&self) -> bool {
        true
    }

    /// What is done about empty components, where they may be given rows.
    fn empty(&self) -> Empty {
        Empty::Farthest
    }

    /// Whether a row's label, or whether it counts, depends on other rows. Passes then are
    /// [`assign_jointly`](Self::assign_jointly) and [`add`](Self::add) in the place of [`e_step`](Self::e_step).
    fn is_joint(&self) -> bool {
        false
    }

    /// Labels all rows at once, and says with what weights they count; returns how many rows that changed for.
    fn assign_jointly(&self, _: &Samples<F>, _labels: &mut [u32], _: &mut Joint, _: Threads) -> u64 {
        0
    }

    /// Fills what is missing of a row that an empty component takes from component `from`.
    fn complete(&self, row: &mut [F], from: u32) {
        let _ = (row, from);
    }

    /// After an E-step: gives parameters up that were a guess and have turned out worse than those before, for others by which
    /// the objective does not fall. What had to be repaired for these; `None` if the parameters stay.
    fn give_up(&mut self, _objective: f64, _threads: Threads) -> Option<Vec<(usize, RepairAction, String)>> {
        None
    }

    /// Moves to the best parameters for the statistics.
    fn m_step(&mut self, statistics: Statistics, rows: &Assigned<F>) -> MStep;

    /// Whether the objective is no better, beyond rounding, than it was.
    fn is_idle(&self, change: &Change) -> bool;

    /// Whether to stop, given the parameters' last change. (That no label changed ends any hard fit without
    /// tails; it is not asked here.)
    fn settled(&self, change: &Change) -> Option<Termination>;
}

/// The rows behind the statistics, for M-steps that need more than sums.
#[derive(Clone, Copy, Debug)]
pub struct Assigned<'a, 's, F: Float> {
    /// All rows, in the order of the labels.
    pub samples: &'a Samples<'s, F>,
    /// Their labels; empty where assignment is soft.
    pub labels: &'a [u32],
    /// Components that were just given new rows.
    pub relocated: &'a [usize],
    /// Who may work.
    pub threads: Threads,
}

/// What an M-step did.
#[derive(Clone, Debug, Default)]
pub struct MStep {
    /// The objective at the new parameters, if the statistics tell it.
    pub objective: Option<f64>,
    /// Σ over components of how far, squared, their means moved.
    pub shift2: f64,
    /// Component, action, detail.
    pub repairs: Vec<(usize, RepairAction, String)>,
}

/// Rows being fitted, with what is remembered of them from pass to pass.
pub struct Session<'a, 's, F: Float, M: Family<F>> {
    samples: &'a Samples<'s, F>,
    passes: Passes<F, M::Scratch>,
}

/// Runs a family to its end and leaves it with its last parameters: [`Session::run`] for those who want no more.
pub fn run<F: Float, M: Family<F>>(
    family: &mut M,
    samples: &Samples<F>,
    max_iterations: usize,
    threads: Threads,
    observer: &mut dyn Observer,
) -> Run {
    Session::new(family, samples, threads).run(family, max_iterations, observer)
}

/// The statistics of the rows under the family's current parameters: one E-step.
///
/// Statistics of several sets of rows under the same parameters [merge](Statistics::merge) to those of all rows.
pub fn summarize<F: Float, M: Family<F>>(family: &M, samples: &Samples<F>, threads: Threads) -> Statistics {
    Session::new(family, samples, threads).statistics(family)
}

impl<'a, 's, F: Float, M: Family<F>> Session<'a, 's, F, M> {
    /// Nothing is known of the rows yet.
    pub fn new(family: &M, samples: &'a Samples<'s, F>, threads: Threads) -> Self {
        Self { samples, passes: Passes::new(family, samples, threads) }
    }

    /// Runs a family to its end and leaves it with its last parameters.
    ///
    /// Each iteration is one pass over the rows. For families that know their objective only from the next E-step, a fit
    /// that the limit or unchanged labels end leaves the last entry of the trace to the caller ([`Run::complete`]).
    pub fn run(&mut self, family: &mut M, max_iterations: usize, observer: &mut dyn Observer) -> Run {
        let mut run = Run::default();
        self.extend(family, &mut run, max_iterations, observer);
        run
    }

    /// Goes on with a run, from the family's parameters, until it has this many iterations in all or ends before.
    pub fn extend(&mut self, family: &mut M, run: &mut Run, max_iterations: usize, observer: &mut dyn Observer) {
        let Ok(()) = extend(self, family, run, max_iterations, observer);
    }

    /// One E-step. Where rows go to the nearest centroid it costs what has changed since the last.
    pub fn statistics(&mut self, family: &M) -> Statistics {
        self.passes.e_step(family, self.samples)
    }

    /// The labels as of the last E-step, in the order of the table, and what the rows of a [joint](Family::is_joint) family
    /// count with, where that is not their own weight.
    pub fn labels(&mut self) -> (&[u32], Option<&[f64]>) {
        self.passes.labels_and_weights()
    }

    /// A session for a family that has other components of the same kind, which goes on from what this one knows of the
    /// rows: `from` says which component each of its own was, and is `None` for a new one. Where rows go to the nearest
    /// centroid, only those are searched that lost theirs or may be nearer to a new one.
    pub fn regrouped(&self, family: &M, from: &[Option<u32>]) -> Self {
        Self { samples: self.samples, passes: self.passes.regrouped(family, from, self.samples) }
    }

    /// Distances of a row to a centroid that were computed so far.
    pub fn distances(&self) -> u64 {
        self.passes.distances()
    }

    /// The rows and their labels as of the last E-step, in the same order.
    pub(crate) fn labelled(&self) -> (Samples<'_, F>, &[u32]) {
        let (labels, order) = self.passes.labels();
        (self.samples.in_order(order), labels)
    }

    /// What is known of the distances of the rows, in that order, and the scores that it took to find it out.
    pub(crate) fn bounds(&self) -> Option<(Cow<'_, [Bounds]>, u64)> {
        self.passes.bounds(self.samples)
    }

    /// Rows of positive weight by label, as of the last E-step.
    pub fn sizes(&self, family: &M) -> Vec<usize> {
        const PARTS: usize = 8;
        let (samples, labels) = self.labelled();
        let (k, together) = (family.n_labels(), labels.len().div_ceil(PARTS));
        let parts = self.passes.threads().map(PARTS, |part| {
            let mut sizes = vec![0; k];
            let labels = labels.iter().enumerate().skip(part * together).take(together);
            let counting = labels.filter(|(i, _)| samples.weight(*i) > 0.0);
            counting.for_each(|(_, label)| sizes[*label as usize] += 1);
            sizes
        });
        let add = |mut sum: Vec<usize>, part: Vec<usize>| {
            sum.iter_mut().zip(part).for_each(|(sum, size)| *sum += size);
            sum
        };
        parts.into_iter().fold(vec![0; k], add)
    }

    /// Evaluates a family after its [`run`](Self::run).
    ///
    /// A hard fit that stopped before its labels settled may have just emptied a component. Then the worst explained rows
    /// take its place as in any iteration, without counting as one, and the end of the trace is the objective after that.
    pub fn conclude<T>(
        &mut self,
        family: &mut M,
        run: &mut Run,
        evaluate: impl Fn(&M, &mut Self) -> T,
        has_empty: impl Fn(&T) -> bool,
    ) -> T {
        let Ok(fit) = conclude(self, family, run, |family, session| Ok(evaluate(family, session)), has_empty);
        fit
    }
}

impl<F: Float, M: Family<F>> Rows<F, M> for Session<'_, '_, F, M> {
    type Error = Infallible;

    fn e_step(&mut self, family: &M) -> Result<Statistics, Infallible> {
        Ok(self.statistics(family))
    }

    fn refill(
        &mut self,
        family: &M,
        statistics: &mut Statistics,
        repairs: &mut Notes,
    ) -> Result<Vec<usize>, Infallible> {
        let Self { samples, passes } = self;
        let counting = passes.weights().map(<[f64]>::to_vec);
        let samples = &counting.as_ref().map_or(samples.in_order(None), |weights| samples.reweighted(weights));
        let (threads, labels) = (passes.threads(), passes.labels_mut());
        let moves = relocate(family, samples, labels, statistics.sums(), threads, repairs);
        Ok(passes.take_over(family, samples, moves, statistics))
    }

    fn m_step(&mut self, family: &mut M, statistics: Statistics, relocated: &[usize]) -> Result<MStep, Infallible> {
        let Self { samples, passes } = self;
        let samples = &passes.weights().map_or(samples.in_order(None), |weights| samples.reweighted(weights));
        let (labels, order) = passes.labels();
        let samples = &samples.in_order(order);
        Ok(family.m_step(statistics, &Assigned { samples, labels, relocated, threads: passes.threads() }))
    }

    fn threads(&self) -> Threads {
        self.passes.threads()
    }
}

/// What the loop asks of the rows, which may be in memory, in files or on other machines.
pub(crate) trait Rows<F: Float, M: Family<F>> {
    /// Why the rows cannot be had.
    type Error;

    /// The statistics of all rows under the family's parameters.
    fn e_step(&mut self, family: &M) -> Result<Statistics, Self::Error>;

    /// Gives rows to the components of a hard family that have none, as its policy says. Returns which.
    fn refill(
        &mut self,
        family: &M,
        statistics: &mut Statistics,
        repairs: &mut Notes,
    ) -> Result<Vec<usize>, Self::Error>;

    /// The family's M-step, with the rows for families that need them.
    fn m_step(&mut self, family: &mut M, statistics: Statistics, relocated: &[usize]) -> Result<MStep, Self::Error>;

    /// Whether notes are taken of where a run stands.
    fn keeps(&self) -> bool {
        false
    }

    /// Takes note of where the run stands after an iteration, so that it can be gone on with; `last` if it stops here because
    /// it was asked to.
    fn kept(&mut self, _family: &M, _state: &State, _run: &Run, _last: bool) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Who works.
    fn threads(&self) -> Threads;
}

/// What the loop carries from one iteration to the next, beside the parameters and the [`Run`].
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub(crate) struct State {
    history: History,
    /// How far the means moved in the last M-step, squared and summed.
    shift2: f64,
    /// What parameters that were taken in the place of others needed.
    notes: Notes,
    repairs: Repairs,
    /// The iterations at which this run of the loop began.
    began: usize,
}

/// Goes on with a run, from the family's parameters, until it has this many iterations in all or ends before.
pub(crate) fn extend<F: Float, M: Family<F>, R: Rows<F, M>>(
    rows: &mut R,
    family: &mut M,
    run: &mut Run,
    max_iterations: usize,
    observer: &mut dyn Observer,
) -> Result<(), R::Error> {
    resume(rows, family, State { began: run.iterations, ..State::default() }, run, max_iterations, observer)
}

/// The same where the loop was [left](Rows::kept).
pub(crate) fn resume<F: Float, M: Family<F>, R: Rows<F, M>>(
    rows: &mut R,
    family: &mut M,
    mut state: State,
    run: &mut Run,
    max_iterations: usize,
    observer: &mut dyn Observer,
) -> Result<(), R::Error> {
    let termination = iterate(rows, family, &mut state, run, max_iterations, observer)?;
    run.termination = termination.unwrap_or_default();
    run.repairs.extend(state.repairs.into_list());
    Ok(())
}

/// The iterations; why they ended, unless by the limit.
fn iterate<F: Float, M: Family<F>, R: Rows<F, M>>(
    rows: &mut R,
    family: &mut M,
    state: &mut State,
    run: &mut Run,
    max_iterations: usize,
    observer: &mut dyn Observer,
) -> Result<Option<Termination>, R::Error> {
    while run.iterations < max_iterations {
        let mut statistics = rows.e_step(family)?;
        if let Some(repairs) = family.objective(&statistics).and_then(|now| family.give_up(now, rows.threads())) {
            state.notes.extend(repairs);
            run.given_up += 1;
            statistics = rows.e_step(family)?;
        }
        // Where tails weigh rows, parameters still move when no label does.
        let unchanged = family.is_hard() && !family.has_tails() && statistics.sums().changed == 0;
        if let Some(objective) = family.objective(&statistics) {
            // The E-step that tells the objective is taken again where the run is gone on with. Hard families compare its labels
            // with those before, which are gone.
            let before = (rows.keeps() && !family.is_hard()).then(|| (state.clone(), run.clone()));
            let change = state.history.note(family, objective, state.shift2);
            let stop =
                (run.iterations > state.began).then(|| run.note(family, &change, max_iterations, observer)).flatten();
            if let Some((state, run)) = before.filter(|_| stop.is_some_and(Termination::is_asked_for)) {
                rows.kept(family, &state, &run, true)?;
            }
            // Labels that stay are one more M-step away from the parameters that belong to them.
            if stop.is_some() && !unchanged {
                return Ok(stop);
            }
        }
        let mut relocated = Vec::new();
        if family.is_hard() && family.can_relocate() && statistics.sums().weight.contains(&0.0) {
            relocated = rows.refill(family, &mut statistics, &mut state.notes)?;
        }
        let step = rows.m_step(family, statistics, &relocated)?;
        run.iterations += 1;
        for (component, action, detail) in state.notes.drain(..).chain(step.repairs) {
            state.repairs.note(Repair { iteration: run.iterations, component, action, detail });
        }
        state.shift2 = step.shift2;
        let stop = step.objective.and_then(|objective| {
            let change = state.history.note(family, objective, step.shift2);
            run.note(family, &change, max_iterations, observer)
        });
        let unchanged = (unchanged && relocated.is_empty()).then_some(Termination::LabelsUnchanged);
        let termination = unchanged.or(stop);
        if termination.is_none_or(Termination::is_asked_for) && run.iterations < max_iterations {
            rows.kept(family, state, run, termination.is_some())?;
        }
        if termination.is_some() {
            return Ok(termination);
        }
    }
    Ok(None)
}

/// Evaluates a family after its run, and gives rows to components that the limit left empty: [`Session::conclude`].
pub(crate) fn conclude<F: Float, M: Family<F>, R: Rows<F, M>, T>(
    rows: &mut R,
    family: &mut M,
    run: &mut Run,
    mut evaluate: impl FnMut(&M, &mut R) -> Result<T, R::Error>,
    has_empty: impl Fn(&T) -> bool,
) -> Result<T, R::Error> {
    let mut fit = evaluate(family, rows)?;
    let relocates = family.is_hard() && family.can_relocate() && family.empty().relocates() && run.iterations > 0;
    let mut left = if relocates { family.n_components() } else { 0 };
    while left > 0 && has_empty(&fit) {
        let mut more = Run::default();
        extend(rows, family, &mut more, 1, &mut ())?;
        let kept = more.repairs.iter().any(|repair| repair.action == RepairAction::KeptEmpty);
        left = if kept { 0 } else { left - 1 };
        let iteration = run.iterations;
        run.repairs.extend(more.repairs.into_iter().map(|repair| Repair { iteration, ..repair }));
        run.trace.truncate(iteration - 1);
        run.trace.extend(more.trace);
        fit = evaluate(family, rows)?;
    }
    Ok(fit)
}

impl Run {
    /// Records the objective after an iteration, tells the observer, and asks whether to stop.
    fn note<F: Float, M: Family<F>>(
        &mut self,
        family: &M,
        change: &Change,
        max_iterations: usize,
        observer: &mut dyn Observer,
    ) -> Option<Termination> {
        let cancelled = self.record(change.now, max_iterations, observer).then(|| observer.reason());
        family.settled(change).or(cancelled)
    }

    /// Ends a trace that is one short with the objective at the last parameters, and tells the observer.
    pub fn complete(&mut self, objective: f64, max_iterations: usize, observer: &mut dyn Observer) {
        if self.trace.len() < self.iterations {
            self.record(objective, max_iterations, observer);
        }
    }

    /// Adds to the trace and tells the observer; whether it asks to stop.
    pub(crate) fn record(&mut self, objective: f64, max_iterations: usize, observer: &mut dyn Observer) -> bool {
        let change = self.trace.last().map_or(f64::NAN, |before| objective - before);
        self.trace.push(objective);
        let iteration = self.iterations;
        observer.iteration(&Progress { iteration, max_iterations, objective, change }).is_break()
    }
}
