//! The fits of a selection.

use super::starts::Starts;
use super::{Criterion, Selection, SelectionParams, SelectionRow};
use crate::{Float, GaussianMixture, GmmError, GmmInitMethod, RepairAction};
use miscela_em::Covariance;
use miscela_kernel::{Samples, Threads};

/// A model, or in one sentence why there is none.
pub(super) type Fitted<F> = Result<GaussianMixture<F>, String>;

impl<F: Float> SelectionParams<F> {
    pub(super) fn run(&self, samples: &Samples<F>, threads: Threads) -> Result<Selection<F>, GmmError> {
        let covariances = self.covariances_for(samples.n_columns());
        let models = self.fits(samples, &covariances, threads)?;
        let mut table: Vec<SelectionRow> = (0..models.len())
            .map(|cell| {
                let (k, covariance) = (self.ks[cell / covariances.len()], covariances[cell % covariances.len()]);
                SelectionRow::new(k, covariance, &models[cell])
            })
            .collect();
        if self.criterion == Criterion::HeldOut {
            self.hold_out(samples, &covariances, &mut table, threads)?;
        }
        Selection::new(self.criterion, table, models)
    }

    /// The structures that differ for rows of d columns: for one column only the last of those with equal variances, and
    /// the last of those with varying ones.
    fn covariances_for(&self, d: usize) -> Vec<Covariance> {
        let all = &self.covariances;
        let again = |at: usize| {
            let same = |other: &Covariance| other.n_parameters(2, 1) == all[at].n_parameters(2, 1);
            d == 1 && all[at + 1..].iter().any(same)
        };
        (0..all.len()).filter(|at| !again(*at)).map(|at| all[at]).collect()
    }

    /// All fits to these rows: all structures of the first k, then those of the next.
    pub(super) fn fits(
        &self,
        samples: &Samples<F>,
        covariances: &[Covariance],
        threads: Threads,
    ) -> Result<Vec<Fitted<F>>, GmmError> {
        let starts = self.starts(samples, threads)?;
        let depths = if self.warm { depths(covariances) } else { vec![0; covariances.len()] };
        let mut models: Vec<Option<Fitted<F>>> = (0..self.ks.len() * covariances.len()).map(|_| None).collect();
        for depth in 0..=depths.iter().copied().max().unwrap_or(0) {
            // Those of one depth wait for no other of it.
            let cells: Vec<usize> =
                (0..models.len()).filter(|cell| depths[cell % covariances.len()] == depth).collect();
            let fit = |at: usize| {
                let (row, column) = (cells[at] / covariances.len(), cells[at] % covariances.len());
                let of_k = &models[row * covariances.len()..][..covariances.len()];
                let is_special = |other: Covariance| self.warm && covariances[column].generalises(other);
                let special = of_k.iter().zip(covariances).filter(|(_, other)| is_special(**other));
                let special: Vec<_> = special.filter_map(|(model, _)| model.as_ref()?.as_ref().ok()).collect();
                self.best_of(samples, &starts[row], &special, self.ks[row], covariances[column], threads)
            };
            let fitted = threads.map(cells.len(), fit);
            cells.iter().zip(fitted).for_each(|(cell, model)| models[*cell] = Some(model));
        }
        Ok(models.into_iter().flatten().collect())
    }

    /// The best fit of one structure from all starts.
    fn best_of(
        &self,
        samples: &Samples<F>,
        starts: &Starts,
        special: &[&GaussianMixture<F>],
        k: usize,
        covariance: Covariance,
        threads: Threads,
    ) -> Fitted<F> {
        let from = |init: GmmInitMethod<F>| -> Result<GaussianMixture<F>, GmmError> {
            self.of(k, covariance, threads)?.with_init(init).fit_samples(samples, &mut ())
        };
        let by_partition = starts.iter().map(|cut| {
            let cut = cut.as_ref().map_err(String::clone)?;
            let init = self.start_of(samples, cut, k, covariance, threads);
            init.and_then(from).map_err(|error| error.to_string())
        });
        let warm = special.iter().map(|model| from(model.parameters().into()).map_err(|error| error.to_string()));
        let (mut best, mut failed, mut objectives) = (None, None, Vec::new());
        for fitted in by_partition.chain(warm) {
            match fitted {
                Ok(model) => {
                    let objective = model.report.run_objectives.last().copied().unwrap_or(f64::NEG_INFINITY);
                    objectives.push(objective);
                    // A collapse is no merit, however likely.
                    let merit = (collapse(&model).is_none(), objective);
                    if best.as_ref().is_none_or(|(_, before)| merit > *before) {
                        best = Some((model, merit));
                    }
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match best {
            Some((mut model, _)) => {
                model.report.n_runs = objectives.len();
                model.report.run_objectives = objectives;
                Ok(model)
            }
            None => Err(failed.unwrap_or_else(|| "there is no start".into())),
        }
    }
}

/// How many steps each structure is from those that no other is a special case of.
fn depths(covariances: &[Covariance]) -> Vec<usize> {
    let below = |c: &Covariance| covariances.iter().filter(|other| *other != c && c.generalises(**other)).count();
    let mut order: Vec<usize> = (0..covariances.len()).collect();
    order.sort_by_key(|at| below(&covariances[*at]));
    let mut depths = vec![0; covariances.len()];
    for (done, &at) in order.iter().enumerate() {
        let special = order[..done].iter().filter(|other| covariances[at].generalises(covariances[**other]));
        depths[at] = special.map(|other| depths[*other] + 1).max().unwrap_or(0);
    }
    depths
}

/// What is wrong with a fit that ended with variances on their floor.
pub(super) fn collapse<F: Float>(model: &GaussianMixture<F>) -> Option<String> {
    let report = &model.report;
    let floored = |action| action == RepairAction::Floored;
    let last = report.repairs.iter().find(|repair| repair.iteration == report.iterations && floored(repair.action))?;
    let component = last.component;
    Some(format!("component {component} has collapsed to the floor of the variances, and its likelihood tells nothing"))
}
