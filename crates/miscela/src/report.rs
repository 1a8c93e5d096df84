//! What a fit reports, beside its parameters.

use crate::provenance::Provenance;
use miscela_em::{Repair, RepairAction, Run, SearchReport, Termination};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Runs from different starts, of which the best is the model.
    pub n_runs: usize,
    /// E-steps with an M-step after them, in the best run.
    pub iterations: usize,
    /// Why the best run stopped.
    pub termination: Termination,
    /// The objective after each iteration of the best run: inertia for k-means; for mixtures the total log-likelihood, or
    /// what another assignment rule maximises.
    pub trace: Vec<f64>,
    /// The objective at the end of each run.
    pub run_objectives: Vec<f64>,
    /// What had to be repaired in the best run.
    pub repairs: Vec<Repair>,
    /// Values that were missing in the table.
    #[serde(default)]
    pub n_missing: usize,
    /// E-steps of the best run whose parameters acceleration had led to, and that were given up: more than its iterations.
    #[serde(default)]
    pub given_up: usize,
    /// What a search for a better optimum did after the runs; the fields above are of the runs alone.
    #[serde(default)]
    pub search: Option<SearchReport>,
    /// Passes over the rows, where they were [elsewhere](crate::Workers); 0 for rows in memory.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passes: usize,
    /// How the model came about, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Where the time went, over all runs.
    pub seconds: Seconds,
}

fn is_zero(passes: &usize) -> bool {
    *passes == 0
}

/// Wall-clock time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seconds {
    /// Finding start parameters.
    pub init: f64,
    /// Everything after they were known.
    pub fit: f64,
}

impl Report {
    /// One run that took no iteration.
    pub(crate) fn without_iterations(termination: Termination) -> Self {
        Report {
            n_runs: 1,
            iterations: 0,
            termination,
            trace: Vec::new(),
            run_objectives: Vec::new(),
            repairs: Vec::new(),
            n_missing: 0,
            given_up: 0,
            search: None,
            passes: 0,
            provenance: None,
            seconds: Seconds::default(),
        }
    }

    /// Takes note of one more batch: its objective, what had to be repaired, whether the model has settled.
    pub(crate) fn note_batch(&mut self, objective: f64, repairs: Vec<(usize, RepairAction, String)>, settled: bool) {
        self.iterations += 1;
        self.trace.push(objective);
        self.run_objectives = vec![objective];
        self.termination = if settled { Termination::Tolerance } else { Termination::MaxIterations };
        let iteration = self.iterations;
        let repairs = repairs.into_iter();
        self.repairs.extend(repairs.map(|(component, action, detail)| Repair { iteration, component, action, detail }));
    }

    /// Whether the best run ended because there was no more to gain.
    pub fn converged(&self) -> bool {
        self.termination.converged()
    }
}

/// A stopwatch that adds to a sum.
pub(crate) fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *seconds += start.elapsed().as_secs_f64();
    result
}

/// The best of several runs so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Best<T> {
    kept: Option<(T, Run, f64)>,
    objectives: Vec<f64>,
}

impl<T> Best<T> {
    pub(crate) fn new() -> Self {
        Self { kept: None, objectives: Vec::new() }
    }

    /// Keeps this run if its objective is better than the best before, as `better(new, old)` says.
    pub(crate) fn offer(&mut self, result: T, run: Run, objective: f64, better: impl Fn(f64, f64) -> bool) {
        if self.kept.as_ref().is_none_or(|(_, _, best)| better(objective, *best) || best.is_nan()) {
            self.kept = Some((result, run, objective));
        }
        self.objectives.push(objective);
    }

    /// The best result and its report; `None` if there was no run.
    pub(crate) fn finish(self, seconds: Seconds) -> Option<(T, Report)> {
        let (result, run, _) = self.kept?;
        let report = Report {
            n_runs: self.objectives.len(),
            iterations: run.iterations,
            termination: run.termination,
            trace: run.trace,
            run_objectives: self.objectives,
            repairs: run.repairs,
            given_up: run.given_up,
            n_missing: 0,
            search: None,
            passes: 0,
            provenance: None,
            seconds,
        };
        Some((result, report))
    }
}
