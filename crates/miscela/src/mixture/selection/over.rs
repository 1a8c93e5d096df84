//! Selections of rows that are elsewhere.

use super::run::{Cell, best_of};
use super::{Criterion, Selection, SelectionParams};
use crate::mixture::hierarchy::Cut;
use crate::workers::{Elsewhere, sample_of};
use crate::{Float, GmmError};
use linfa::ParamGuard;
use miscela_em::{Streamed, WorkError, Workers};
use miscela_kernel::{Samples, Source, Threads};
use serde::{Serialize, de::DeserializeOwned};

impl<F: Float + Serialize + DeserializeOwned> SelectionParams<F> {
    /// Fits all models to the rows of a source, which are read once an iteration of each and never kept.
    ///
    /// The starts are found in a sample of the rows (65,536 of them, or fewer where rows are wide), from which the parameters are
    /// then estimated: where the sample is all rows, these are the fits in memory. One model is fitted after the other. Not
    /// for [held-out](Criterion::HeldOut) rows, nor for rows that fit in memory.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use miscela::Chunked;
    ///
    /// let iris = linfa_datasets::iris();
    /// let params = GaussianMixture::select(1..=3, [Covariance::Tied, Covariance::Full]);
    /// let streamed = params.fit_source(&Chunked::new(iris.records(), None, 50))?;
    /// assert_eq!(streamed.best_row().k, params.fit(&iris)?.best_row().k);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit); if the rows cannot be read; if what is asked for needs all rows at once.
    pub fn fit_source(&self, source: &dyn Source<F>) -> Result<Selection<F>, GmmError> {
        let each = self.each.check_ref()?;
        let missing = each.missing();
        each.threads()
            .install(|threads| self.fit_over(&mut Streamed::new(source, threads).with_missing(missing), threads))
    }

    /// Fits all models to the rows that some workers have; `threads` do what is to be done here.
    ///
    /// # Errors
    /// As [`fit_source`](Self::fit_source).
    pub fn fit_over(&self, workers: &mut dyn Workers<F>, threads: Threads) -> Result<Selection<F>, GmmError> {
        self.check()?;
        if self.criterion == Criterion::HeldOut {
            return Err(WorkError::NeedsRows("the likelihood of rows that are held out").into());
        }
        let most = self.ks.iter().copied().max().unwrap_or(1);
        let (rows, weights) = sample_of(workers, most, self.seed)?;
        let sample = Samples::with_missing(&rows, Some(weights.into()))?;
        let covariances = self.covariances_for(rows.ncols());
        let starts = self.starts(&sample, threads)?;
        let mut failed = None;
        let steps = self.told.of(self.ks.len() * covariances.len());
        let models = self.in_turn(&covariances, |cells| {
            let fit = |cell: &Cell<F>| {
                let start = |cut: &Cut| self.start_by_sample(&sample, cut, cell.k, cell.covariance, threads);
                let fitted = best_of(&starts[cell.row], cell, start, |init| {
                    let params = self.of(cell.k, cell.covariance, threads)?.with_init(init);
                    let elsewhere = Elsewhere { workers: &mut *workers, checkpoints: None, observer: &mut (), threads };
                    params.fit_over(elsewhere).inspect_err(|error| {
                        // What is wrong with the rows is no matter of a row of the table.
                        if let GmmError::Work(WorkError::Source(_) | WorkError::Other(_)) = error {
                            failed = failed.take().or_else(|| Some(error.to_string()));
                        }
                    })
                });
                steps.step();
                fitted
            };
            cells.iter().map(fit).collect()
        });
        if let Some(failed) = failed {
            return Err(WorkError::Other(failed.into()).into());
        }
        Selection::new(self.criterion, self.table(&covariances, &models), models)
    }
}
