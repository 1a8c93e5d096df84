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

use crate::relocate;
use crate::report::{Observer, Progress, Repair, RepairAction, Run, Termination};
use crate::statistics::{Statistics, Sums};
use miscela_kernel::{Block, Float, Lanes, Samples, Scatter, Threads};
use std::sync::Mutex;

/// A row that has no label yet.
pub(crate) const UNLABELLED: u32 = u32::MAX;

/// A kind of mixture component with its parameters: the two steps of EM.
pub trait Family<F: Float>: Sync {
    /// Space that an E-step works in, one a lane, kept for the whole fit.
    type Scratch: Default + Send;

    /// k
    fn n_components(&self) -> usize;
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

    /// The objective at the current parameters, if the sums of their E-step tell it.
    fn objective(&self, sums: &Sums) -> Option<f64>;

    /// How badly a row is explained by its own component: empty clusters take the worst explained rows.
    fn misfit(&self, row: &[F], label: u32, scratch: &mut Self::Scratch) -> f64;

    /// Moves to the best parameters for the statistics.
    fn m_step(&mut self, statistics: Statistics, rows: &Assigned<F>) -> MStep;

    /// Whether the objective is no better, beyond rounding, than it was.
    fn is_idle(&self, change: &Change) -> bool;

    /// Whether to stop, given the parameters' last change.
    fn settled(&self, change: &Change) -> Option<Termination>;
}

/// The rows behind the statistics, for M-steps that need more than sums.
#[derive(Clone, Copy, Debug)]
pub struct Assigned<'a, 's, F: Float> {
    /// All rows.
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

/// The latest change, for a family to judge.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The objective one iteration before; NaN at the first.
    pub before: f64,
    /// The lowest objective before; infinite at the first.
    pub lowest: f64,
    /// The objective now.
    pub now: f64,
    /// Σ over components of how far, squared, their means moved in the last M-step.
    pub shift2: f64,
    /// Rows that changed their label; the number of rows where labels are not kept.
    pub changed: u64,
    /// How many iterations in a row, this one included, were [idle](Family::is_idle).
    pub idle: usize,
}

/// Runs a family to its end and leaves it with its last parameters.
///
/// Each iteration is one pass over the rows. For families that know their objective only from the next E-step, a fit that
/// reaches the limit leaves the last entry of the trace to the caller: `trace` is then one shorter than `iterations`.
pub fn run<F: Float, M: Family<F>>(
    family: &mut M,
    samples: &Samples<F>,
    max_iterations: usize,
    threads: Threads,
    observer: &mut dyn Observer,
) -> Run {
    let mut passes = Passes::new(family, samples, threads);
    let mut run =
        Run { iterations: 0, termination: Termination::MaxIterations, trace: Vec::new(), repairs: Vec::new() };
    let mut history = History { before: f64::NAN, lowest: f64::INFINITY, idle: 0 };
    let mut step = MStep::default();
    while run.iterations < max_iterations {
        let mut statistics = passes.e_step(family, samples);
        let changed = statistics.sums().changed;
        if let Some(objective) = family.objective(statistics.sums()) {
            let change = history.note(family, objective, step.shift2, changed);
            if run.iterations > 0
                && let Some(termination) = run.note(family, &change, max_iterations, observer)
            {
                run.termination = termination;
                return run;
            }
        }
        let relocated = if family.is_hard() && statistics.sums().weight.contains(&0.0) {
            relocate::relocate(family, samples, &mut passes.labels, &mut statistics, &mut step.repairs)
        } else {
            Vec::new()
        };
        let rows = Assigned { samples, labels: &passes.labels, relocated: &relocated, threads: passes.threads };
        let mut next = family.m_step(statistics, &rows);
        run.iterations += 1;
        for (component, action, detail) in step.repairs.drain(..).chain(next.repairs.drain(..)) {
            run.repair(Repair { iteration: run.iterations, component, action, detail });
        }
        step = next;
        if let Some(objective) = step.objective {
            let change = history.note(family, objective, step.shift2, changed);
            if let Some(termination) = run.note(family, &change, max_iterations, observer) {
                run.termination = termination;
                return run;
            }
        }
    }
    run
}

/// The statistics of the rows under the family's current parameters: one E-step.
///
/// Statistics of several sets of rows under the same parameters [merge](Statistics::merge) to those of all rows.
pub fn summarize<F: Float, M: Family<F>>(family: &M, samples: &Samples<F>, threads: Threads) -> Statistics {
    Passes::new(family, samples, threads).e_step(family, samples)
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
        self.trace.push(change.now);
        let progress = Progress {
            iteration: self.iterations,
            max_iterations,
            objective: change.now,
            change: change.now - change.before,
        };
        let cancelled = observer.iteration(&progress).is_break().then_some(Termination::Cancelled);
        family.settled(change).or(cancelled)
    }

    /// Lists a repair; one that goes on, iteration after iteration, keeps its first and its last entry.
    pub(crate) fn repair(&mut self, repair: Repair) {
        let same = |r: &Repair| r.component == repair.component && r.action == repair.action;
        let mut earlier = self.repairs.iter().rposition(same).into_iter();
        let ongoing = earlier.next().filter(|i| {
            let before = self.repairs[..*i].iter().rfind(|r| same(r));
            before.is_some() && self.repairs[*i].iteration + 1 == repair.iteration
        });
        match ongoing {
            Some(i) => self.repairs[i] = repair,
            None => self.repairs.push(repair),
        }
    }
}

/// The objectives so far, for [`Change`].
struct History {
    before: f64,
    lowest: f64,
    idle: usize,
}

impl History {
    fn note<F: Float, M: Family<F>>(&mut self, family: &M, now: f64, shift2: f64, changed: u64) -> Change {
        let mut change = Change { before: self.before, lowest: self.lowest, now, shift2, changed, idle: 0 };
        change.idle = if family.is_idle(&change) { self.idle + 1 } else { 0 };
        *self = Self { before: now, lowest: self.lowest.min(now), idle: change.idle };
        change
    }
}

/// Everything that E-steps over the same rows share: lanes with their sums, and the labels.
struct Passes<F, S> {
    lanes: Lanes,
    sums: Vec<Sums>,
    labels: Vec<u32>,
    threads: Threads,
    /// Working space that no lane is using: as many as there are threads, not lanes.
    idle: Mutex<Vec<Workspace<F, S>>>,
}

struct Workspace<F, S> {
    scratch: S,
    rows: Vec<F>,
}

impl<F: Float, S: Default + Send> Passes<F, S> {
    fn new<M: Family<F, Scratch = S>>(family: &M, samples: &Samples<F>, threads: Threads) -> Self {
        let (n, d, k, scatter) = (samples.n_rows(), samples.n_columns(), family.n_components(), family.scatter());
        let lanes = Lanes::new(n, Sums::bytes(k, d, scatter));
        Self {
            sums: vec![Sums::zero(k, d, scatter); lanes.count()],
            labels: if family.is_hard() { vec![UNLABELLED; n] } else { Vec::new() },
            threads: threads.for_work(n as f64 * k as f64 * (d + scatter.len(d)) as f64),
            lanes,
            idle: Mutex::new(Vec::new()),
        }
    }

    fn e_step<M: Family<F, Scratch = S>>(&mut self, family: &M, samples: &Samples<F>) -> Statistics {
        let (lanes, idle) = (&self.lanes, &self.idle);
        let mut labels = self.labels.chunks_mut(lanes.rows_per_lane());
        let mut work: Vec<_> = self.sums.iter_mut().map(|sums| (sums, labels.next().unwrap_or_default())).collect();
        self.threads.each(&mut work, |lane, (sums, labels)| {
            let taken = idle.lock().ok().and_then(|mut idle| idle.pop());
            let mut space = taken.unwrap_or_else(|| Workspace { scratch: S::default(), rows: Vec::new() });
            sums.clear();
            let mut rest = &mut labels[..];
            for rows in lanes.blocks(lane) {
                let block = samples.block(rows, &mut space.rows);
                let (labels, tail) = std::mem::take(&mut rest).split_at_mut_checked(block.len()).unwrap_or_default();
                rest = tail;
                family.e_step(&block, labels, sums, &mut space.scratch);
            }
            if let Ok(mut idle) = idle.lock() {
                idle.push(space);
            }
        });
        let mut total = self.sums[0].clone();
        self.sums[1..].iter().for_each(|sums| total.add(sums));
        if !family.is_hard() {
            total.changed = samples.n_rows() as u64;
        }
        Statistics::new(family.fingerprint(), family.shift(), total)
    }
}
