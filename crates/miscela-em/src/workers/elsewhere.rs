//! The engine's loop over rows that workers have.

use crate::engine::{Assigned, Family, MStep, Rows, State};
use crate::maximise::Notes;
use crate::missing::ColumnMoments;
use crate::report::{RepairAction, Run};
use crate::statistics::Statistics;
use crate::summary::Summary;
use crate::workers::checkpoint::{Checkpoint, Keeper, Parameters};
use crate::workers::{Pick, Task, WorkError, Workers};
use miscela_kernel::{Float, Samples, Threads};
use ndarray::Array2;

/// A family whose steps can be sent away.
pub(super) trait Remote<F: Float>: Family<F> {
    /// Its E-step.
    fn step(&self, summary: &Summary) -> Task<F>;
    /// The rows that it explains worst.
    fn worst(&self, summary: &Summary) -> Pick<F>;
    /// Its parameters.
    fn parameters(&self) -> Parameters<F>;
    /// What an M-step needs of rows with gaps beside the sums, if it needs such; the labels are those of rows that were given to
    /// empty components.
    fn observed(&self, _labels: &[(Vec<F>, u32)]) -> Option<Task<F>> {
        None
    }
    /// The M-step by that.
    fn m_step_by_columns(&mut self, _columns: &ColumnMoments) -> MStep {
        MStep::default()
    }
    /// What tells the objective after an M-step whose sums did not, if there is such a thing; the shift is that of these sums,
    /// and the labels are those of rows that were given to empty components.
    fn lost_objective(&self, _shift: &[f64], _labels: Vec<(Vec<F>, u32)>, _summary: &Summary) -> Option<Task<F>> {
        None
    }
}

/// The rows of a fit, as the loop sees them.
pub(super) struct Elsewhere<'a, F: Float> {
    pub(super) workers: &'a mut dyn Workers<F>,
    pub(super) keeper: &'a mut dyn Keeper<F>,
    pub(super) summary: &'a Summary,
    /// The fingerprint of the labels in the latest pass.
    pub(super) labels: Option<u64>,
    /// Rows that were given to empty components after it.
    pub(super) moved: Vec<(Vec<F>, u32)>,
    /// Who does what is to be done here.
    pub(super) threads: Threads,
}

impl<F: Float, M: Remote<F>> Rows<F, M> for Elsewhere<'_, F> {
    type Error = WorkError;

    fn e_step(&mut self, family: &M) -> Result<Statistics, WorkError> {
        let (mut statistics, labels) = self.workers.run(&family.step(self.summary))?.statistics()?;
        statistics.check_origin(family)?;
        self.moved.clear();
        let before = self.labels.replace(labels);
        statistics.set_changed(u64::from(before != Some(labels)));
        Ok(statistics)
    }

    fn refill(
        &mut self,
        family: &M,
        statistics: &mut Statistics,
        repairs: &mut Notes,
    ) -> Result<Vec<usize>, WorkError> {
        let k = family.n_components();
        let empty: Vec<usize> = (0..k).filter(|c| statistics.sums().weight[*c] == 0.0).collect();
        if !family.empty().relocates() {
            let kept = |c: &usize| (*c, RepairAction::KeptEmpty, "was empty; kept its centre".into());
            repairs.extend(empty.iter().map(kept));
            return Ok(Vec::new());
        }
        // Each cluster may refuse once: when what was picked is all that it has left.
        let task = Task::Pick { pick: family.worst(self.summary), count: empty.len() + k, seed: 0 };
        let mut worst = self.workers.run(&task)?.picks()?.into_rows().into_iter();
        let mut left = statistics.sums().counts().to_vec();
        let mut donors = Vec::new();
        for to in empty {
            let spares = |left: &[f64], label: u32, weight: f64| {
                left.get(label as usize).is_some_and(|all| *all > weight * (1.0 + 1e-9))
            };
            match worst.find(|picked| spares(&left, picked.label, picked.weight)) {
                Some(picked) => {
                    left[picked.label as usize] -= picked.weight;
                    let detail = format!("was empty; took row {} from component {}", picked.number, picked.label);
                    repairs.push((to, RepairAction::Relocated, detail));
                    self.moved.push((picked.row, to as u32));
                    donors.push(picked.label);
                }
                None => repairs.push((to, RepairAction::KeptEmpty, "no cluster can spare a distinct row".into())),
            }
        }
        if !self.moved.is_empty() {
            let task = Task::Relabelled { step: Box::new(family.step(self.summary)), labels: self.moved.clone() };
            let (summed, labels) = self.workers.run(&task)?.statistics()?;
            summed.check_origin(family)?;
            statistics.replace(summed.sums().clone(), family.shift());
            self.labels = Some(labels);
        }
        for ((row, to), from) in self.moved.iter().zip(donors) {
            let mut row = row.clone();
            family.complete(&mut row, from);
            statistics.place(*to as usize, row.iter().map(|x| x.widen()));
        }
        Ok(self.moved.iter().map(|(_, to)| *to as usize).collect())
    }

    fn m_step(&mut self, family: &mut M, statistics: Statistics, relocated: &[usize]) -> Result<MStep, WorkError> {
        if let Some(task) = family.observed(&self.moved) {
            let (k, d) = (family.n_components(), self.summary.mean.len());
            return Ok(family.m_step_by_columns(&self.workers.run(&task)?.observed(k, d)?.columns));
        }
        let (shift, none) = (family.shift(), Array2::zeros((0, self.summary.mean.len())));
        let rows = Assigned { samples: &Samples::unchecked(&none), labels: &[], relocated, threads: self.threads };
        let mut step = family.m_step(statistics, &rows);
        if let (None, Some(task)) = (step.objective, family.lost_objective(&shift, self.moved.clone(), self.summary)) {
            step.objective = Some(self.workers.run(&task)?.number()?);
        }
        Ok(step)
    }

    fn keeps(&self) -> bool {
        true
    }

    fn kept(&mut self, family: &M, state: &State, run: &Run, last: bool) -> Result<(), WorkError> {
        if last || self.keeper.is_due() {
            let (parameters, state, run) = (family.parameters(), state.clone(), run.clone());
            let checkpoint = Checkpoint { parameters, state, run, labels: self.labels };
            self.keeper.keep(checkpoint).map_err(WorkError::Other)?;
        }
        Ok(())
    }

    fn threads(&self) -> Threads {
        self.threads
    }
}
