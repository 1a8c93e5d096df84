//! What a fit has to say besides its parameters: why it stopped, how the objective went, what had to be repaired.

use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Why a fit stopped. Reaching the limit is no error: the model is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Termination {
    /// The change fell below the tolerance.
    Tolerance,
    /// No row changed its cluster.
    LabelsUnchanged,
    /// The limit of iterations was reached first.
    #[default]
    MaxIterations,
    /// An observer asked to stop, and gave no reason.
    Cancelled,
    /// An observer asked to stop because the time was up.
    TimeLimit,
    /// An observer asked to stop because somebody interrupted the program.
    Interrupted,
    /// Solved, without iterations: there is nothing better.
    Optimal,
}

impl Termination {
    /// Whether the fit ended because there was no more to gain.
    pub fn converged(self) -> bool {
        matches!(self, Termination::Tolerance | Termination::LabelsUnchanged | Termination::Optimal)
    }

    /// Whether an observer asked for it.
    pub fn is_asked_for(self) -> bool {
        matches!(self, Termination::Cancelled | Termination::TimeLimit | Termination::Interrupted)
    }

    /// `tolerance`, `labels-unchanged`, `max-iterations`, `cancelled`, `time-limit`, `interrupted` or `optimal`.
    pub fn name(self) -> &'static str {
        match self {
            Termination::Tolerance => "tolerance",
            Termination::LabelsUnchanged => "labels-unchanged",
            Termination::MaxIterations => "max-iterations",
            Termination::Cancelled => "cancelled",
            Termination::TimeLimit => "time-limit",
            Termination::Interrupted => "interrupted",
            Termination::Optimal => "optimal",
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What was done about a component in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum RepairAction {
    /// An empty cluster took the farthest row.
    Relocated,
    /// A centre that won too few of the rows of a stream was put on a row of the batch.
    Reseeded,
    /// A cluster stayed empty and where it was, because no row could be spared or the policy is to keep it.
    KeptEmpty,
    /// Variances fell below the floor and were raised to it.
    Floored,
    /// None of a cluster's rows shows a value in some columns: its centre kept those entries.
    Unobserved,
    /// A component had no weight left: it kept its mean and took the pooled covariance; or no component had any, and all
    /// kept what they had.
    Starved,
    /// Its scatter went some of the way to the pooled scatter.
    Shrunk,
    /// It had collapsed and started again at the row that was explained worst, with the pooled covariance.
    Respawned,
    /// It had collapsed, or a cluster had ended empty, and was removed; components after it have moved up by one.
    Dropped,
}

impl RepairAction {
    /// `relocated`, `reseeded`, `kept-empty`, `floored`, `unobserved`, `starved`, `shrunk`, `respawned` or `dropped`.
    pub fn name(self) -> &'static str {
        match self {
            RepairAction::Relocated => "relocated",
            RepairAction::Reseeded => "reseeded",
            RepairAction::KeptEmpty => "kept-empty",
            RepairAction::Floored => "floored",
            RepairAction::Unobserved => "unobserved",
            RepairAction::Starved => "starved",
            RepairAction::Shrunk => "shrunk",
            RepairAction::Respawned => "respawned",
            RepairAction::Dropped => "dropped",
        }
    }
}

/// One repair of one component.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Repair {
    /// The iteration, from 1; 0 is the start.
    pub iteration: usize,
    /// The 0-based component.
    pub component: usize,
    /// What was done.
    pub action: RepairAction,
    /// In words, with numbers.
    pub detail: String,
}

/// What one run of the engine reports.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Run {
    /// E-steps with an M-step after them.
    pub iterations: usize,
    /// Why it stopped.
    pub termination: Termination,
    /// The objective after each iteration: inertia for k-means; for mixtures what the assignment rule maximises.
    pub trace: Vec<f64>,
    /// Repairs in order. A component in trouble for many iterations is listed at its first and last.
    pub repairs: Vec<Repair>,
    /// E-steps that told parameters which acceleration had led to, and which were given up for others.
    #[cfg_attr(feature = "serde", serde(default))]
    pub given_up: usize,
}

/// Where a fit stands after an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The iteration just done, from 1.
    pub iteration: usize,
    /// The limit of iterations.
    pub max_iterations: usize,
    /// The objective at the current parameters.
    pub objective: f64,
    /// Its change by this iteration; NaN at the first of a k-means run.
    pub change: f64,
}

/// Told of each iteration; may ask to stop, which ends the fit with what it has ([`Termination::is_asked_for`]).
///
/// Any `FnMut(&Progress) -> ControlFlow<()>` is one, and `()` is the one that does nothing.
pub trait Observer: Send {
    /// Called after each iteration, by one thread at a time.
    fn iteration(&mut self, progress: &Progress) -> std::ops::ControlFlow<()>;

    /// Why it asks to stop, once it does: [`Termination::Cancelled`] unless it says otherwise.
    fn reason(&self) -> Termination {
        Termination::Cancelled
    }
}

impl Observer for () {
    fn iteration(&mut self, _: &Progress) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }
}

impl<T: FnMut(&Progress) -> std::ops::ControlFlow<()> + Send> Observer for T {
    fn iteration(&mut self, progress: &Progress) -> std::ops::ControlFlow<()> {
        self(progress)
    }
}
