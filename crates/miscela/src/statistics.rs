//! Statistics on their own: taken of rows here and there, merged, and made a model of.
//!
//! ```text
//! summarize ──► merge ──► from_statistics
//! ```
//!
//! One round is an iteration of EM. Whoever has rows gives nothing away but sums over them; `merge` refuses statistics that
//! were taken under another model. A whole fit over several parties is a [`Workers`](crate::Workers) of yours, handed to
//! `fit_over`; `examples/federated.rs` is one. What it is asked for besides sums are some rows, where the start is to be found
//! or a component of a hard fit is empty: begin with given parameters where rows must stay where they are, and refuse
//! [`Task::Pick`](crate::Task).
//!
//! ```
//! use miscela::prelude::*;
//! use ndarray::{Axis, array};
//!
//! let model = KMeans::from_centroids(array![[5.0, 3.5, 1.5, 0.2], [6.5, 3.0, 5.0, 1.8]], miscela::L2)?;
//! let iris = linfa_datasets::iris();
//! let (here, there) = iris.records().view().split_at(Axis(0), 75);
//!
//! let mut statistics = model.summarize(&here, None)?;
//! statistics.merge(&model.summarize(&there, None)?)?;
//! let next = model.from_statistics(&statistics)?;
//! assert!(next.inertia_sum() < 170.0);
//!
//! // Those of another model are refused.
//! let late = next.summarize(&here, None)?;
//! assert!(statistics.merge(&late).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::Float;
use crate::input::samples;
use crate::kmeans::{Fitted, KMeans, KMeansError};
use crate::mixture::{GaussianMixture, GmmError};
use crate::report::Report;
use miscela_distance::Centred;
use miscela_em::{
    Algorithm, CentroidFit, GaussianFamily, KMeansFamily, MixtureFit, Outcome, Run, Statistics, Summary, Termination,
    maximised, maximised_centroids, summarize,
};
use miscela_kernel::Threads;
use miscela_persist::{Codec, PersistError, load_bytes, save_as};
use ndarray::{ArrayBase, Data, Ix2};
use serde::{Deserialize, Serialize};
use std::path::Path;

const FORMAT: &str = "miscela-statistics";
const VERSION: u32 = 1;

/// Statistics as a file holds them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatisticsDocument {
    format: String,
    version: u32,
    statistics: Statistics,
}

/// Writes statistics to a file, atomically, in the codec of its ending: `.json` or `.cbor`.
///
/// # Errors
/// If the ending is another or the file cannot be written.
pub fn save_statistics(path: impl AsRef<Path>, statistics: &Statistics) -> Result<(), PersistError> {
    let document = StatisticsDocument { format: FORMAT.into(), version: VERSION, statistics: statistics.clone() };
    save_as(path.as_ref(), Codec::from_path(path.as_ref())?, &document)
}

/// Reads what [`save_statistics`] wrote, bit for bit.
///
/// ```
/// use miscela::prelude::*;
/// use miscela::{load_statistics, save_statistics};
/// use ndarray::array;
///
/// let rows = array![[0.0], [1.0], [9.0]];
/// let model = KMeans::from_centroids(array![[0.0], [9.0]], miscela::L2)?;
/// let statistics = model.summarize(&rows, None)?;
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("site-1.json");
/// save_statistics(&file, &statistics)?;
/// assert_eq!(load_statistics(&file)?, statistics);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be read, is no file of statistics, or was written by a newer version.
pub fn load_statistics(path: impl AsRef<Path>) -> Result<Statistics, PersistError> {
    let codec = Codec::from_path(path.as_ref())?;
    let document: StatisticsDocument = codec.decode(&load_bytes(path)?)?;
    if document.format != FORMAT {
        return Err(PersistError::NotAModel { reason: format!("its field `format` is not `{FORMAT}`") });
    }
    if document.version > VERSION {
        return Err(PersistError::NewerVersion { found: document.version.into(), supported: VERSION });
    }
    Ok(document.statistics)
}

impl<F: Float, D: Centred<F>> KMeans<F, D> {
    /// The statistics of rows under these centres: one E-step. Rows n × d, with a weight a row if there are weights.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn summarize<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<Statistics, KMeansError> {
        self.check_width(records)?;
        self.needs_only_means()?;
        let samples = samples(records, weights, Default::default())?;
        Ok(summarize(&self.single_step(), &samples, Threads::Ambient))
    }

    /// The model that an M-step makes of statistics which were taken under this one: centres that are the means of the rows, and the
    /// inertia of these rows about them. Sums know weights and not how many rows there were: `sizes` are zero.
    ///
    /// # Errors
    /// If they were taken under another model, or of no rows.
    pub fn from_statistics(&self, statistics: &Statistics) -> Result<Self, KMeansError> {
        self.needs_only_means()?;
        let (centroids, inertia) = maximised_centroids(self.single_step(), statistics)?;
        let weights = statistics.sums().weight.clone();
        let total_weight = weights.iter().sum();
        let fit = CentroidFit { inertia, sizes: vec![0; weights.len()], weights };
        let report = one_step(inertia, Vec::new());
        let fitted = Fitted { centroids, fit, total_weight, report, joint: None };
        let mut model = Self::from_fitted(fitted, self.distance.clone());
        model.feature_names.clone_from(&self.feature_names);
        Ok(model)
    }

    /// The family of a single pass.
    fn single_step(&self) -> KMeansFamily<F, D> {
        let offset = vec![F::zero(); self.centroids.ncols()];
        KMeansFamily::new(&self.centroids, self.distance.clone(), 0.0, offset).with_algorithm(Algorithm::Lloyd)
    }

    fn needs_only_means(&self) -> Result<(), KMeansError> {
        if self.distance.is_squared_euclidean() { Ok(()) } else { Err(KMeansError::NeedsRows) }
    }
}

impl<F: Float> GaussianMixture<F> {
    /// The statistics of rows under these parameters: one E-step. Rows n × d, with a weight a row if there are weights.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn summarize<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<Statistics, GmmError> {
        self.check_width(records)?;
        let samples = samples(records, weights, Default::default())?;
        let summary = Summary::of(&samples, Threads::Ambient);
        let family =
            GaussianFamily::new(self.mixture.clone(), self.settings.clone(), &summary, samples.total_weight())?;
        Ok(summarize(&family, &samples, Threads::Ambient))
    }

    /// The model that an M-step makes of statistics which were taken under this one, by the settings of this one.
    ///
    /// All that the statistics tell of likelihoods is what the assignment rule maximised under *this* model: for soft assignment the
    /// log-likelihood, which that of the next does not fall below. It stands for all of them; ask [`evaluate`](Self::evaluate)
    /// for criteria. Sums know weights and not how many rows there were: `sizes` are zero.
    ///
    /// # Errors
    /// If they were taken under another model or of no rows, or the fit was one that needs all rows.
    pub fn from_statistics(&self, statistics: &Statistics) -> Result<Self, GmmError> {
        let (mixture, objective, repairs) = maximised(&self.mixture, &self.settings, statistics.clone())?;
        let total_weight = statistics.total_weight();
        let fit = MixtureFit {
            log_likelihood: objective,
            classification_log_likelihood: objective,
            tempered_log_likelihood: objective,
            total_weight,
            sizes: vec![0; mixture.n_labels()],
        };
        let outcome = Outcome { mixture, fit, run: Run::default(), objective };
        let report = one_step(objective, repairs);
        let mut model = Self::of_outcome(outcome, self.settings.clone(), total_weight, report)?;
        model.feature_names.clone_from(&self.feature_names);
        Ok(model)
    }
}

/// The report of one M-step.
fn one_step(objective: f64, repairs: Vec<(usize, miscela_em::RepairAction, String)>) -> Report {
    let mut report = Report::without_iterations(Termination::MaxIterations);
    report.note_batch(objective, repairs, false);
    report
}
