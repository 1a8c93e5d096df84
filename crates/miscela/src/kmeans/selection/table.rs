//! The table of a selection, and the best of it.

use super::KMeansCriterion;
use crate::aligned::write_aligned;
use crate::{Float, KMeans, KMeansError};
use std::fmt;

/// One number of clusters.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KMeansSelectionRow {
    /// The number of clusters.
    pub k: usize,
    /// Σ wᵢ ‖xᵢ − c‖²; `None` if there is no fit.
    pub inertia: Option<f64>,
    /// The gap statistic; `None` without reference sets, or where the inertia is zero.
    pub gap: Option<f64>,
    /// Its standard error.
    pub gap_se: Option<f64>,
    /// The mean silhouette; `None` for one cluster, and for as many as rows.
    pub silhouette: Option<f64>,
    /// Its standard error, where it is that of a sample.
    pub silhouette_se: Option<f64>,
    /// The ratio of variances between and within clusters.
    pub calinski_harabasz: Option<f64>,
    /// The mean overlap with the most similar cluster.
    pub davies_bouldin: Option<f64>,
    /// How far the inertia lies below the straight line from the first to the last of the table, both axes scaled to 0 … 1.
    pub elbow: Option<f64>,
    /// Whether the fit ended because there was no more to gain.
    pub converged: bool,
    /// Why there is no fit.
    pub error: Option<String>,
}

impl KMeansSelectionRow {
    pub(super) fn failed(k: usize, error: String) -> Self {
        let nothing = None;
        Self {
            k,
            inertia: nothing,
            gap: nothing,
            gap_se: nothing,
            silhouette: nothing,
            silhouette_se: nothing,
            calinski_harabasz: nothing,
            davies_bouldin: nothing,
            elbow: nothing,
            converged: false,
            error: Some(error),
        }
    }
}

/// All numbers of clusters of a selection, and the best of them. Printed, it is a table of the criteria.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeansSelection<F> {
    criterion: KMeansCriterion,
    table: Vec<KMeansSelectionRow>,
    best: usize,
    margin: Option<f64>,
    model: KMeans<F>,
}

impl<F: Float> KMeansSelection<F> {
    pub(super) fn new(
        criterion: KMeansCriterion,
        table: Vec<KMeansSelectionRow>,
        models: Vec<Option<KMeans<F>>>,
    ) -> Result<Self, KMeansError> {
        let chosen = criterion.choose(&table);
        let model = chosen.and_then(|(best, _)| models.into_iter().nth(best)?);
        match (chosen, model) {
            (Some((best, margin)), Some(model)) => Ok(Self { criterion, table, best, margin, model }),
            _ => {
                let failed = table.into_iter().find_map(|row| row.error);
                Err(KMeansError::NothingSelected { criterion, why: failed.unwrap_or_else(|| criterion.needs().into()) })
            }
        }
    }
}

impl<F> KMeansSelection<F> {
    /// By what the best was chosen.
    pub fn criterion(&self) -> KMeansCriterion {
        self.criterion
    }

    /// One row a number of clusters, in order.
    pub fn table(&self) -> &[KMeansSelectionRow] {
        &self.table
    }

    /// The best model; of those that are tied, the one with the fewest clusters.
    pub fn best(&self) -> &KMeans<F> {
        &self.model
    }

    /// The best model, to keep.
    pub fn into_best(self) -> KMeans<F> {
        self.model
    }

    /// The row of the best model.
    pub fn best_row(&self) -> &KMeansSelectionRow {
        &self.table[self.best]
    }

    /// By how much the best is ahead, in units of the criterion: of the runner-up; for the gap, of what the next number would
    /// have to beat. `None` where there is nothing to be ahead of, and where the gap still rises at the last number.
    pub fn margin(&self) -> Option<f64> {
        self.margin
    }
}

impl<F> fmt::Display for KMeansSelection<F> {
    /// All criteria of each number of clusters, the best marked; then by how much it leads, and what could not be fitted.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names = ["k", "inertia", "gap", "± se", "silhouette", "calinski-harabasz", "davies-bouldin", "elbow"];
        let mut columns: Vec<Vec<String>> = names.iter().map(|name| vec![name.to_string()]).collect();
        for (at, row) in self.table.iter().enumerate() {
            let number =
                |value: Option<f64>, decimals: usize| value.map_or("–".to_string(), |x| format!("{x:.decimals$}"));
            let inertia = row.inertia.map_or("–".to_string(), |inertia| format!("{inertia:.5e}"));
            let mark = match () {
                () if at == self.best => "*",
                () if row.error.is_some() => "!",
                () if !row.converged => "?",
                () => "",
            };
            let cells = [
                format!("{}{mark}", row.k),
                inertia,
                number(row.gap, 4),
                number(row.gap_se, 4),
                number(row.silhouette, 4),
                number(row.calinski_harabasz, 2),
                number(row.davies_bouldin, 4),
                number(row.elbow, 4),
            ];
            columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
        }
        write_aligned(f, &columns)?;
        writeln!(f)?;
        let (best, criterion) = (self.best_row(), self.criterion);
        let s = if best.k == 1 { "" } else { "s" };
        write!(f, "* {} cluster{s} by {criterion}: {:.4}", best.k, criterion.of(best).unwrap_or(f64::NAN))?;
        match (self.margin, criterion) {
            (Some(margin), KMeansCriterion::Gap) => {
                writeln!(f, ", {margin:.4} more than the next, less its standard error")?;
            }
            (Some(margin), _) => writeln!(f, ", {margin:.4} ahead of the runner-up")?,
            (None, KMeansCriterion::Gap) => writeln!(f, ", and it still rises: try more clusters")?,
            (None, _) => writeln!(f)?,
        }
        for row in self.table.iter().filter(|row| row.error.is_some()) {
            writeln!(f, "! {} clusters: {}", row.k, row.error.as_deref().unwrap_or_default())?;
        }
        let unfinished = self.table.iter().filter(|row| row.inertia.is_some() && !row.converged).count();
        if unfinished > 0 {
            writeln!(f, "? {unfinished} not converged within the limit of iterations")?;
        }
        Ok(())
    }
}
