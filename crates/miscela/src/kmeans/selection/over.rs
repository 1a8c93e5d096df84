//! Selections of rows that are elsewhere.

use super::run::Measured;
use super::{KMeansSelection, KMeansSelectionParams};
use crate::workers::{Elsewhere, sample_of};
use crate::{Float, KMeansError};
use linfa::ParamGuard;
use miscela_em::{Streamed, WorkError, Workers};
use miscela_kernel::{Samples, Source, Threads};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use serde::{Serialize, de::DeserializeOwned};

impl<F: Float + Serialize + DeserializeOwned> KMeansSelectionParams<F> {
    /// Fits all numbers of clusters to the rows of a source, which are read once an iteration of each and never kept.
    ///
    /// Models and inertias are those of all rows. Silhouettes, gaps, Calinski-Harabasz and Davies-Bouldin are measured on a sample of
    /// them (65,536, or fewer where rows are wide), the gap by fits of its own to the sample. One model is fitted after the
    /// other. Not for rows that fit in memory.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use miscela::Chunked;
    ///
    /// let iris = linfa_datasets::iris();
    /// let params = KMeans::select(2..=5).n_references(0);
    /// let streamed = params.fit_source(&Chunked::new(iris.records(), None, 50))?;
    /// assert_eq!(streamed.best_row().k, params.fit(&iris)?.best_row().k);
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit); if the rows cannot be read; if what is asked for needs all rows at once.
    pub fn fit_source(&self, source: &dyn Source<F>) -> Result<KMeansSelection<F>, KMeansError> {
        self.each.check_ref()?.threads().install(|threads| self.fit_over(&mut Streamed::new(source, threads), threads))
    }

    /// Fits all numbers of clusters to the rows that some workers have; `threads` do what is to be done here.
    ///
    /// # Errors
    /// As [`fit_source`](Self::fit_source).
    pub fn fit_over(&self, workers: &mut dyn Workers<F>, threads: Threads) -> Result<KMeansSelection<F>, KMeansError> {
        self.check()?;
        let most = self.ks.iter().copied().max().unwrap_or(1);
        let (rows, weights) = sample_of(workers, most, self.seed)?;
        let sample = Samples::weighted(&rows, weights)?;
        let (mut measured, mut inertias) = (Vec::<Measured<F>>::new(), Vec::new());
        let steps = self.steps();
        for k in &self.ks {
            let params =
                self.each.clone().threads(threads).with_rng(Xoshiro256Plus::seed_from_u64(self.seed)).check()?;
            let elsewhere = Elsewhere { workers: &mut *workers, checkpoints: None, observer: &mut (), threads };
            let fitted = match params.with_n_clusters(*k).fit_over(elsewhere) {
                // What is wrong with the rows is no matter of a row of the table.
                Err(error @ KMeansError::Work(WorkError::Source(_) | WorkError::Other(_))) => return Err(error),
                fitted => fitted,
            };
            measured.push(fitted.and_then(|model| self.measure(&sample, model, threads)).map_err(|e| e.to_string()));
            steps.step();
            let of_sample = || Some(self.fit_one(&sample, *k, self.seed, threads).ok()?.inertia_sum());
            inertias.push((self.n_references > 0).then(of_sample).flatten());
        }
        self.selected(&sample, (measured, &inertias), threads, &steps)
    }
}
