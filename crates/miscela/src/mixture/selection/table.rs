//! The table of a selection, and the best of it.

use super::Criterion;
use super::run::{Fitted, collapse};
use crate::aligned::write_aligned;
use crate::{Float, GaussianMixture, GmmError, MixtureScore};
use miscela_em::Covariance;
use std::fmt;

/// Criteria that differ by less than this, relative, are tied.
const TIE: f64 = 1e-10;
/// The most columns of numbers beside each other.
const MOST_COLUMNS: usize = 9;
/// The most errors that are written out.
const MOST_ERRORS: usize = 5;

/// One model of a selection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SelectionRow {
    /// The number of components.
    pub k: usize,
    /// The structure of the covariances.
    pub covariance: Covariance,
    /// Likelihood and criteria on the rows of the fit; `None` if there is no fit.
    pub score: Option<MixtureScore>,
    /// The mean log-likelihood of rows that a fit did not see, if that was asked for.
    pub held_out: Option<f64>,
    /// Whether the fit ended because there was no more to gain.
    pub converged: bool,
    /// Why the model cannot be the best: there is no fit, or it has collapsed.
    pub error: Option<String>,
}

impl SelectionRow {
    pub(super) fn new<F: Float>(k: usize, covariance: Covariance, fitted: &Fitted<F>) -> Self {
        let (score, converged, error) = match fitted {
            Ok(model) => (Some(model.training_score()), model.report.converged(), collapse(model)),
            Err(error) => (None, false, Some(error.clone())),
        };
        Self { k, covariance, score, held_out: None, converged, error }
    }

    fn n_parameters(&self) -> usize {
        self.score.as_ref().map_or(usize::MAX, |score| score.n_parameters)
    }
}

/// All models of a selection, and the best of them. Printed, it is a table of the criterion.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection<F> {
    criterion: Criterion,
    table: Vec<SelectionRow>,
    best: usize,
    model: GaussianMixture<F>,
}

impl<F: Float> Selection<F> {
    pub(super) fn new(
        criterion: Criterion,
        table: Vec<SelectionRow>,
        models: Vec<Fitted<F>>,
    ) -> Result<Self, GmmError> {
        let cost = |row: &SelectionRow| criterion.cost(row).filter(|_| row.error.is_none());
        let lowest = table.iter().filter_map(cost).fold(f64::INFINITY, f64::min);
        let tied = (0..table.len()).filter(|at| cost(&table[*at]).is_some_and(|cost| is_tied(cost, lowest)));
        let best = tied.min_by_key(|at| table[*at].n_parameters());
        match best.and_then(|at| Some((at, models.into_iter().nth(at)?.ok()?))) {
            Some((best, model)) => Ok(Self { criterion, table, best, model }),
            None => {
                let first = table.iter().find_map(|row| row.error.clone()).unwrap_or_else(|| "it is no number".into());
                Err(GmmError::NothingFitted { n_models: table.len(), first })
            }
        }
    }
}

impl<F> Selection<F> {
    /// By what the best was chosen.
    pub fn criterion(&self) -> Criterion {
        self.criterion
    }

    /// One row a model, by the number of components, then in the order in which structures were given.
    pub fn table(&self) -> &[SelectionRow] {
        &self.table
    }

    /// The best model. Of models that are tied, the one with the fewest parameters; then the first.
    pub fn best(&self) -> &GaussianMixture<F> {
        &self.model
    }

    /// The best model, to keep.
    pub fn into_best(self) -> GaussianMixture<F> {
        self.model
    }

    /// The table with log-likelihoods that are lower by this; by so much a unit of weight of rows that were held out.
    pub(crate) fn less(mut self, log_scale: f64, of_one: f64) -> Self {
        for row in &mut self.table {
            row.score = row.score.take().map(|score| score.less(log_scale));
            row.held_out = row.held_out.map(|held_out| held_out - of_one);
        }
        self
    }

    /// The row of the best model.
    pub fn best_row(&self) -> &SelectionRow {
        &self.table[self.best]
    }

    /// The models that are as good as the best one, to rounding, it aside: with one component most structures are the same.
    pub fn ties(&self) -> impl Iterator<Item = &SelectionRow> {
        let best = self.criterion.cost(self.best_row());
        let tied = move |row: &SelectionRow| self.criterion.cost(row).zip(best).is_some_and(|(a, b)| is_tied(a, b));
        let others = self.table.iter().enumerate().filter(|(at, _)| *at != self.best);
        others.map(|(_, row)| row).filter(move |row| row.error.is_none() && tied(row))
    }
}

fn is_tied(cost: f64, lowest: f64) -> bool {
    cost - lowest <= TIE * lowest.abs()
}

impl<F> fmt::Display for Selection<F> {
    /// The criterion of each structure (a line) and number of components (a column), the best marked; then what is tied with
    /// it, and what could not be fitted.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut ks: Vec<usize> = self.table.iter().map(|row| row.k).collect();
        ks.dedup();
        for (at, ks) in ks.chunks(MOST_COLUMNS).enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            self.write_columns(f, ks)?;
        }
        writeln!(f)?;
        let best = self.best_row();
        let value = self.criterion.of(best).unwrap_or(f64::NAN);
        let better = if self.criterion == Criterion::HeldOut { "highest" } else { "lowest" };
        writeln!(f, "* the {better} {}: {value:.3}, {}", self.criterion, name(best))?;
        let ties: Vec<String> = self.ties().map(name).collect();
        if !ties.is_empty() {
            writeln!(f, "  tied with it, with no fewer parameters: {}", ties.join("; "))?;
        }
        let failed: Vec<&SelectionRow> = self.table.iter().filter(|row| row.error.is_some()).collect();
        for row in failed.iter().take(MOST_ERRORS) {
            writeln!(f, "! {}: {}", name(row), row.error.as_deref().unwrap_or_default())?;
        }
        if failed.len() > MOST_ERRORS {
            writeln!(f, "! and {} more that cannot be chosen", failed.len() - MOST_ERRORS)?;
        }
        let unfinished = self.table.iter().filter(|row| row.score.is_some() && !row.converged).count();
        if unfinished > 0 {
            writeln!(f, "? {unfinished} not converged within the limit of iterations")?;
        }
        Ok(())
    }
}

impl<F> Selection<F> {
    fn write_columns(&self, f: &mut fmt::Formatter, ks: &[usize]) -> fmt::Result {
        let decimals = if self.criterion == Criterion::HeldOut { 4 } else { 1 };
        let cell = |row: &SelectionRow| {
            let mark = match () {
                () if std::ptr::eq(row, self.best_row()) => "*",
                () if row.error.is_some() => "!",
                () if !row.converged => "?",
                () => " ",
            };
            let value = self.criterion.of(row).map_or("–".to_string(), |value| format!("{value:.decimals$}"));
            value + mark
        };
        let of_k = |k: usize| self.table.iter().filter(move |row| row.k == k);
        let mut columns = vec![vec![format!("{} by k", self.criterion)]];
        let first = self.table.first().map_or(0, |row| row.k);
        columns[0].extend(of_k(first).map(|row| row.covariance.name().to_string()));
        columns.extend(ks.iter().map(|k| [format!("{k} ")].into_iter().chain(of_k(*k).map(cell)).collect()));
        write_aligned(f, &columns)
    }
}

/// `3 components, tied covariances`.
fn name(row: &SelectionRow) -> String {
    let s = if row.k == 1 { "" } else { "s" };
    format!("{} component{s}, {} covariances", row.k, row.covariance)
}
