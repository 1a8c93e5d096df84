//! The fits of a selection.

use super::starts::Starts;
use super::{Criterion, Selection, SelectionParams, SelectionRow};
use crate::mixture::hierarchy::Cut;
use crate::told::Steps;
use crate::{Float, GaussianMixture, GmmError, GmmInitMethod, RepairAction};
use miscela_em::Covariance;
use miscela_kernel::{Samples, Threads};

/// A model, or in one sentence why there is none.
pub(super) type Fitted<F> = Result<GaussianMixture<F>, String>;

/// A model to be fitted, and those fitted before that are special cases of it.
pub(super) struct Cell<'a, F> {
    /// Which of the numbers of components.
    pub(super) row: usize,
    pub(super) k: usize,
    pub(super) covariance: Covariance,
    special: Vec<&'a GaussianMixture<F>>,
}

impl<F: Float> SelectionParams<F> {
    pub(super) fn run(&self, samples: &Samples<F>, threads: Threads) -> Result<Selection<F>, GmmError> {
        let covariances = self.covariances_for(samples.n_columns());
        let sets = if self.criterion == Criterion::HeldOut { 1 + self.n_folds } else { 1 };
        let steps = self.told.of(sets * self.ks.len() * covariances.len());
        let models = self.fits(samples, &covariances, threads, &steps)?;
        let mut table = self.table(&covariances, &models);
        if self.criterion == Criterion::HeldOut {
            self.hold_out(samples, (&covariances, &mut table), threads, &steps)?;
        }
        Selection::new(self.criterion, table, models)
    }

    pub(super) fn table(&self, covariances: &[Covariance], models: &[Fitted<F>]) -> Vec<SelectionRow> {
        let row = |(cell, model): (usize, &Fitted<F>)| {
            SelectionRow::new(self.ks[cell / covariances.len()], covariances[cell % covariances.len()], model)
        };
        models.iter().enumerate().map(row).collect()
    }

    /// The structures that differ for rows of d columns: for one column only the last of those with equal variances, and
    /// the last of those with varying ones.
    pub(super) fn covariances_for(&self, d: usize) -> Vec<Covariance> {
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
        steps: &Steps,
    ) -> Result<Vec<Fitted<F>>, GmmError> {
        let starts = self.starts(samples, threads)?;
        let fit = |cell: &Cell<F>| {
            let start = |cut: &Cut| self.start_of(samples, cut, cell.k, cell.covariance, threads);
            let fitted = best_of(&starts[cell.row], cell, start, |init| {
                self.of(cell.k, cell.covariance, threads)?.with_init(init).fit_samples(samples, &mut ())
            });
            steps.step();
            fitted
        };
        Ok(self.in_turn(covariances, |cells| threads.map(cells.len(), |at| fit(&cells[at]))))
    }

    /// Has all models fitted, those that start from others after these.
    pub(super) fn in_turn(
        &self,
        covariances: &[Covariance],
        mut fit: impl FnMut(&[Cell<F>]) -> Vec<Fitted<F>>,
    ) -> Vec<Fitted<F>> {
        let depths = if self.warm { depths(covariances) } else { vec![0; covariances.len()] };
        let mut models: Vec<Option<Fitted<F>>> = (0..self.ks.len() * covariances.len()).map(|_| None).collect();
        for depth in 0..=depths.iter().copied().max().unwrap_or(0) {
            // Those of one depth wait for no other of it.
            let places: Vec<usize> =
                (0..models.len()).filter(|place| depths[place % covariances.len()] == depth).collect();
            let cell = |place: &usize| {
                let (row, covariance) = (place / covariances.len(), covariances[place % covariances.len()]);
                let of_k = &models[row * covariances.len()..][..covariances.len()];
                let is_special = |other: Covariance| self.warm && covariance.generalises(other);
                let special = of_k.iter().zip(covariances).filter(|(_, other)| is_special(**other));
                let special = special.filter_map(|(model, _)| model.as_ref()?.as_ref().ok()).collect();
                Cell { row, k: self.ks[row], covariance, special }
            };
            let fitted = fit(&places.iter().map(cell).collect::<Vec<_>>());
            places.iter().zip(fitted).for_each(|(place, model)| models[*place] = Some(model));
        }
        models.into_iter().flatten().collect()
    }
}

/// The best fit of one structure from all starts, each of which `start` makes of a partition and `fit` goes on from.
pub(super) fn best_of<F: Float>(
    starts: &Starts,
    cell: &Cell<F>,
    start: impl Fn(&Cut) -> Result<GmmInitMethod<F>, GmmError>,
    mut fit: impl FnMut(GmmInitMethod<F>) -> Result<GaussianMixture<F>, GmmError>,
) -> Fitted<F> {
    let by_partition = starts.iter().map(|cut| {
        let cut = cut.as_ref().map_err(String::clone)?;
        start(cut).map_err(|error| error.to_string())
    });
    let warm = cell.special.iter().map(|model| Ok(model.parameters().into()));
    let (mut best, mut failed, mut objectives) = (None, None, Vec::new());
    for init in by_partition.chain(warm) {
        match init.and_then(|init| fit(init).map_err(|error| error.to_string())) {
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
