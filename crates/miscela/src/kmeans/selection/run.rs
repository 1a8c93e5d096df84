//! The fits of a selection, and what is measured of each.

use super::{KMeansSelection, KMeansSelectionParams, KMeansSelectionRow};
use crate::told::Steps;
use crate::{Float, KMeans, KMeansError};
use linfa::traits::Predict;
use miscela_distance::L2;
use miscela_kernel::{Samples, Threads};
use miscela_metrics::{Clustering, MetricsError};

/// A model with its measures, or in one sentence why there is none.
pub(super) type Measured<F> = Result<(KMeans<F>, KMeansSelectionRow), String>;

impl<F: Float> KMeansSelectionParams<F> {
    pub(super) fn run(&self, samples: &Samples<F>, threads: Threads) -> Result<KMeansSelection<F>, KMeansError> {
        let steps = self.steps();
        let measure = |at: usize| {
            let model = self.fit_one(samples, self.ks[at], self.seed, threads);
            steps.step();
            model.and_then(|model| self.measure(samples, model, threads)).map_err(|error| error.to_string())
        };
        let measured: Vec<Measured<F>> = threads.map(self.ks.len(), measure);
        let inertias: Vec<_> =
            measured.iter().map(|measured| measured.as_ref().ok().and_then(|(_, row)| row.inertia)).collect();
        self.selected(samples, (measured, &inertias), threads, &steps)
    }

    /// The table, with what the gap says of the inertias of these rows.
    pub(super) fn selected(
        &self,
        samples: &Samples<F>,
        (measured, inertias): (Vec<Measured<F>>, &[Option<f64>]),
        threads: Threads,
        steps: &Steps,
    ) -> Result<KMeansSelection<F>, KMeansError> {
        let expected = self.expected(samples, threads, steps);
        let (mut table, mut models) = (Vec::new(), Vec::new());
        for (((k, measured), inertia), expected) in self.ks.iter().zip(measured).zip(inertias).zip(expected) {
            let (model, mut row) = match measured {
                Ok((model, row)) => (Some(model), row),
                Err(error) => (None, KMeansSelectionRow::failed(*k, error)),
            };
            if let (Some(inertia), Some(expected)) = (inertia.filter(|inertia| *inertia > 0.0), expected) {
                row.gap = Some(expected.mean - inertia.ln());
                row.gap_se = Some(expected.error);
            }
            table.push(row);
            models.push(model);
        }
        bend(&mut table);
        KMeansSelection::new(self.criterion, table, models)
    }

    /// A model with its measures on these rows.
    pub(super) fn measure(
        &self,
        samples: &Samples<F>,
        model: KMeans<F>,
        threads: Threads,
    ) -> Result<(KMeans<F>, KMeansSelectionRow), KMeansError> {
        let k = model.centroids().nrows();
        let clustering = Clustering::of(samples.clone(), model.predict(&samples.rows()))?.threads(threads);
        let (silhouette, silhouette_se) = match samples.n_positive() > self.silhouette_rows {
            true => {
                let sample = allowed(clustering.silhouette_sample(&L2, self.silhouette_rows, self.seed))?;
                (sample.map(|sample| sample.value), sample.map(|sample| sample.standard_error))
            }
            false => (allowed(clustering.silhouette(&L2))?.map(|silhouette| silhouette.mean()), None),
        };
        let row = KMeansSelectionRow {
            k,
            inertia: Some(model.inertia_sum()),
            silhouette,
            silhouette_se,
            calinski_harabasz: allowed(clustering.calinski_harabasz())?,
            davies_bouldin: allowed(clustering.davies_bouldin())?,
            converged: model.report().converged(),
            ..KMeansSelectionRow::failed(k, String::new())
        };
        Ok((model, KMeansSelectionRow { error: None, ..row }))
    }
}

/// A measure, or none where there are too few or too many clusters for it.
fn allowed<T>(measured: Result<T, MetricsError>) -> Result<Option<T>, MetricsError> {
    match measured {
        Err(MetricsError::ClusterCount { .. }) => Ok(None),
        measured => measured.map(Some),
    }
}

/// How far the inertia of each row lies below the line from the first to the last, both axes scaled to 0 … 1.
fn bend(table: &mut [KMeansSelectionRow]) {
    let curve: Vec<(f64, f64)> = table.iter().filter_map(|row| Some((row.k as f64, row.inertia?))).collect();
    let [first, .., last] = curve.as_slice() else { return };
    if curve.len() < 3 || last.1 >= first.1 {
        return;
    }
    let (first, last) = (*first, *last);
    for row in table {
        let scaled = |inertia: f64| {
            let (x, y) = ((row.k as f64 - first.0) / (last.0 - first.0), (inertia - last.1) / (first.1 - last.1));
            1.0 - x - y
        };
        row.elbow = row.inertia.map(scaled);
    }
}
