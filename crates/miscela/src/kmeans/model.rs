//! A fitted k-means model and what can be asked of it.

use super::{KMeansError, KMeansParams, KMeansParamsError, KMeansSelectionParams, Trimming};
use crate::Float;
use crate::input::{has_gaps, samples_by};
use crate::provenance::Provenance;
use crate::report::Report;
use linfa::traits::{PredictInplace, Transformer};
use miscela_distance::{AnyCentred, Distance, L2};
use miscela_em::{
    CentroidFit, JointFit, Missing, Tally, distances, evaluate_centroids, nearest_centres, nearest_labels,
    nearest_reduced, partial_distances, partial_fit, partial_impute, partial_nearest,
};
use miscela_kernel::{Centroids, Samples, Threads};
use ndarray::{Array1, Array2, ArrayBase, Data, Ix1, Ix2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// K-means clusters: k centres, and each row belongs to the nearest.
///
/// Lloyd's algorithm from greedy k-means++ starts. It stops in finitely many steps at a partition that neither step
/// improves, which need not be the best there is: use several runs or a [search](KMeansParams::search) where that matters.
/// Rows of one column are clustered in the [best way](KMeansParams::algorithm) that there is. In the terms of mixtures this is
/// hard assignment with equal fixed weights and one shared sphere, and it runs on the same engine.
///
/// `D` is the distance: [`L2`] unless [`params_with`](KMeans::params_with) is given another that knows its centres.
///
/// ```
/// use miscela::prelude::*;
///
/// let iris = linfa_datasets::iris();
/// let model = KMeans::params(3).n_runs(4).fit(&iris)?;
/// assert_eq!(model.centroids().dim(), (3, 4));
/// assert!((model.inertia_sum() - 78.941).abs() < 0.001);
/// let labels = model.predict(&iris);
/// assert_eq!(labels.len(), 150);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct KMeans<F, D = L2> {
    pub(crate) centroids: Array2<F>,
    pub(super) cluster_count: Array1<F>,
    pub(super) sizes: Vec<usize>,
    pub(super) inertia_sum: f64,
    pub(super) total_weight: f64,
    pub(crate) distance: D,
    pub(super) report: Report,
    pub(crate) feature_names: Vec<String>,
    pub(super) missing: Missing,
    pub(super) trimming: Option<Trimming>,
    /// What batches have given each centre, if they were learnt from any: the counts in full.
    pub(super) tally: Option<Tally>,
    /// The labels of the rows of the fit, where they were labelled together: no part of the model.
    pub(super) joint_labels: Option<Vec<u32>>,
    /// The centres, prepared for search.
    index: Centroids<F>,
}

impl<F: PartialEq, D: PartialEq> PartialEq for KMeans<F, D> {
    fn eq(&self, other: &Self) -> bool {
        let mine = (&self.centroids, &self.cluster_count, &self.sizes, self.inertia_sum, self.total_weight);
        let theirs = (&other.centroids, &other.cluster_count, &other.sizes, other.inertia_sum, other.total_weight);
        mine == theirs
            && (&self.distance, &self.report, &self.feature_names, self.missing, self.trimming)
                == (&other.distance, &other.report, &other.feature_names, other.missing, other.trimming)
            && self.tally == other.tally
    }
}

/// What a fit found.
pub(crate) struct Fitted<F> {
    pub(crate) centroids: Array2<F>,
    pub(crate) fit: CentroidFit,
    pub(crate) total_weight: f64,
    pub(crate) report: Report,
    pub(crate) joint: Option<JointFit>,
}

impl<F: Float> KMeans<F, L2> {
    /// Parameters for this number of clusters, with the seed 42.
    pub fn params(n_clusters: usize) -> KMeansParams<F, Xoshiro256Plus, L2> {
        Self::params_with_rng(n_clusters, Xoshiro256Plus::seed_from_u64(42))
    }

    /// Parameters that draw random numbers from `rng`.
    pub fn params_with_rng<R>(n_clusters: usize, rng: R) -> KMeansParams<F, R, L2> {
        KMeansParams::new(n_clusters, rng, L2)
    }

    /// Parameters of a selection: each of these numbers of clusters, and one table of what speaks for each.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let selection = KMeans::select(1..=6).fit(&iris)?;
    /// println!("{selection}");
    /// assert_eq!(selection.best().n_clusters(), 2); // two of the three species are one lump
    /// assert!(selection.margin() > Some(0.1));
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn select(n_clusters: impl IntoIterator<Item = usize>) -> KMeansSelectionParams<F> {
        KMeansSelectionParams::new(n_clusters)
    }

    /// Takes missing values in rows to predict, whatever the fit did, or refuses them.
    pub fn with_missing(self, missing: Missing) -> Self {
        self.set_missing(missing)
    }
}

impl<F: Float> KMeans<F, AnyCentred> {
    /// The model as one by Euclidean distance, if it is.
    pub fn to_l2(&self) -> Option<KMeans<F, L2>> {
        L2::try_from(self.distance.clone()).is_ok().then(|| self.clone().by(L2))
    }
}

impl<F: Float, D: Distance<F>> KMeans<F, D> {
    /// Parameters with another distance: one of miscela's that is [`Centred`](crate::Centred), or, with the feature
    /// `linfa-nn`, linfa's `L2Dist` or `L1Dist`.
    ///
    /// ```
    /// use miscela::{Cosine, prelude::*};
    /// use ndarray::array;
    /// # use rand::SeedableRng;
    ///
    /// let rng = rand_xoshiro::Xoshiro256Plus::seed_from_u64(42);
    /// let rows = DatasetBase::from(array![[1.0, 0.1], [9.0, 1.0], [0.2, 2.0], [0.1, 7.0]]);
    /// let labels = KMeans::params_with(2, rng, Cosine).fit(&rows)?.predict(&rows);
    /// assert!(labels[0] == labels[1] && labels[2] == labels[3] && labels[0] != labels[2]);
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// A distance that does not know its centres has no fit:
    ///
    /// ```compile_fail
    /// use miscela::{LInf, prelude::*};
    /// # use rand::SeedableRng;
    ///
    /// let rng = rand_xoshiro::Xoshiro256Plus::seed_from_u64(42);
    /// KMeans::params_with(2, rng, LInf).fit(&linfa_datasets::iris())?;
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn params_with<R>(n_clusters: usize, rng: R, distance: D) -> KMeansParams<F, R, D> {
        KMeansParams::new(n_clusters, rng, distance)
    }

    /// The rows with each missing value, NaN, replaced by that of the nearest centre, n × d; nearest over the columns that the
    /// row shows. Any model by Euclidean distance can do it.
    ///
    /// # Errors
    /// If a value is infinite, or the rows are of another width than the model, or the distance is another.
    pub fn impute<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array2<F>, KMeansError> {
        if !self.distance.is_squared_euclidean() {
            return Err(KMeansParamsError::Missing.into());
        }
        self.check_width(records)?;
        samples_by(records, None, Missing::Marginal, Threads::Ambient)?;
        Ok(partial_impute(records.view(), &self.index, Threads::Ambient))
    }

    /// The same model by another type of distance, which must measure as this one does.
    fn by<D2: Distance<F>>(self, distance: D2) -> KMeans<F, D2> {
        let Self {
            centroids,
            cluster_count,
            sizes,
            inertia_sum,
            total_weight,
            report,
            feature_names,
            missing,
            trimming,
            tally,
            joint_labels,
            index,
            distance: _,
        } = self;
        KMeans {
            centroids,
            cluster_count,
            sizes,
            inertia_sum,
            total_weight,
            distance,
            report,
            feature_names,
            missing,
            trimming,
            tally,
            joint_labels,
            index,
        }
    }

    /// The model with its distance as one of any: what [`AnyModel`](crate::AnyModel) holds.
    pub fn into_any(self) -> KMeans<F, AnyCentred>
    where
        D: Into<AnyCentred>,
    {
        let distance = self.distance.clone().into();
        self.by(distance)
    }

    pub(crate) fn from_fitted(fitted: Fitted<F>, distance: D) -> Self {
        let Fitted { centroids, fit, total_weight, report, joint } = fitted;
        Self {
            index: index(&centroids),
            cluster_count: fit.weights.iter().map(|w| F::narrow(*w)).collect(),
            sizes: fit.sizes,
            inertia_sum: fit.inertia,
            feature_names: crate::names::default_names(centroids.ncols()),
            centroids,
            total_weight,
            distance,
            report,
            missing: Missing::Error,
            trimming: None,
            tally: None,
            joint_labels: joint.map(|joint| joint.labels),
        }
    }

    /// Takes missing values from now on, or no longer.
    pub(crate) fn set_missing(self, missing: Missing) -> Self {
        Self { missing, ..self }
    }

    /// The centres, k × d.
    pub fn centroids(&self) -> &Array2<F> {
        &self.centroids
    }

    /// The weight of the rows in each cluster; their number where rows have no weights.
    pub fn cluster_count(&self) -> &Array1<F> {
        &self.cluster_count
    }

    /// The number of rows of positive weight in each cluster.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The weighted mean of the rows' (squared, for L2) distances to their centres.
    pub fn inertia(&self) -> f64 {
        self.inertia_sum / self.total_weight
    }

    /// Their weighted sum, which k-means minimises.
    pub fn inertia_sum(&self) -> f64 {
        self.inertia_sum
    }

    /// How the fit went.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What is done about missing values in rows to predict: what was in the fit.
    pub fn missing(&self) -> Missing {
        self.missing
    }

    /// The distance.
    pub fn distance(&self) -> &D {
        &self.distance
    }

    /// k
    pub fn n_clusters(&self) -> usize {
        self.centroids.nrows()
    }

    /// d
    pub fn n_features(&self) -> usize {
        self.centroids.ncols()
    }

    /// The columns' names: `x0`, `x1`, … unless [given](Self::with_feature_names).
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Names the columns.
    ///
    /// # Panics
    /// If there are not as many names as columns.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Self {
        assert_eq!(names.len(), self.n_features(), "one name a column");
        self.feature_names = names;
        self
    }

    /// Says how the model came about, for its report and its file.
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.report.provenance = Some(provenance);
        self
    }

    /// The cluster of each row, n; the lowest index on ties.
    ///
    /// # Errors
    /// If rows are not finite, or of another width than the model.
    pub fn try_predict<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array1<usize>, KMeansError> {
        let samples = self.checked(records, None)?;
        if samples.n_missing() > 0 {
            return Ok(partial_nearest(records.view(), &self.index, Threads::Ambient).0);
        }
        Ok(nearest_labels(&samples, &self.index, &self.distance, Threads::Ambient))
    }

    /// The nearest centre of each row and the reduced distance to it, n each.
    pub(super) fn nearest<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
    ) -> Result<(Array1<usize>, Array1<f64>), KMeansError> {
        let samples = self.checked(records, None)?;
        if samples.n_missing() > 0 {
            return Ok(partial_nearest(records.view(), &self.index, Threads::Ambient));
        }
        Ok(nearest_centres(&samples, &self.index, &self.distance, Threads::Ambient))
    }

    /// The distances of all rows to all centres, n × k: distances proper, not squares. Where values are missing and the model
    /// takes that, over the columns that a row shows.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn distances<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        if has_gaps(records, self.missing) {
            self.unchecked(records);
            return partial_distances(records.view(), &self.index, Threads::Ambient);
        }
        distances(&self.unchecked(records), &self.index, &self.distance, Threads::Ambient)
    }

    /// The inertia (sum) of the rows about the model's centres.
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn inertia_of<S: Data<Elem = F>>(
        &self,
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<f64, KMeansError> {
        let samples = self.checked(records, weights)?;
        if samples.n_missing() > 0 {
            return Ok(partial_fit(&samples, &self.index, Threads::Ambient).inertia);
        }
        Ok(evaluate_centroids(&samples, &self.index, &self.distance, Threads::Ambient).inertia)
    }

    pub(super) fn search(&self) -> &Centroids<F> {
        &self.index
    }

    /// Takes other centres.
    pub(super) fn set_centroids(&mut self, centroids: Array2<F>) {
        self.index = index(&centroids);
        self.centroids = centroids;
    }

    pub(super) fn checked<'a, S: Data<Elem = F>>(
        &self,
        records: &'a ArrayBase<S, Ix2>,
        weights: Option<&'a [f64]>,
    ) -> Result<Samples<'a, F>, KMeansError> {
        self.check_width(records)?;
        Ok(samples_by(records, weights, self.missing, Threads::Ambient)?)
    }

    pub(crate) fn check_width<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<(), KMeansError> {
        let (expected, got) = (self.n_features(), records.ncols());
        if expected == got { Ok(()) } else { Err(KMeansError::FeatureCount { expected, got }) }
    }

    fn unchecked<'a, S: Data<Elem = F>>(&self, records: &'a ArrayBase<S, Ix2>) -> Samples<'a, F> {
        assert_eq!(records.ncols(), self.n_features(), "rows must have the columns the model was fitted on");
        Samples::unchecked(records)
    }
}

/// The centres prepared for search about their mean, which is near that of the rows.
pub(crate) fn index<F: Float>(centroids: &Array2<F>) -> Centroids<F> {
    let k = centroids.nrows() as f64;
    let mean = |column: ndarray::ArrayView1<F>| F::narrow(column.iter().map(|c| c.widen() / k).sum::<f64>());
    let offset: Vec<F> = centroids.columns().into_iter().map(mean).collect();
    Centroids::new(&centroids.iter().copied().collect::<Vec<_>>(), &offset)
}

impl<F: Float, D: Distance<F>, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix2>, Array1<usize>> for KMeans<F, D> {
    /// # Panics
    /// If the rows are of another width than the model, or `labels` of another length.
    /// [`try_predict`](KMeans::try_predict) returns an error instead.
    fn predict_inplace(&self, records: &ArrayBase<S, Ix2>, labels: &mut Array1<usize>) {
        assert_eq!(records.nrows(), labels.len(), "one label a row");
        let samples = self.unchecked(records);
        *labels = if has_gaps(records, self.missing) {
            partial_nearest(records.view(), &self.index, Threads::Ambient).0
        } else {
            nearest_labels(&samples, &self.index, &self.distance, Threads::Ambient)
        };
    }

    fn default_target(&self, records: &ArrayBase<S, Ix2>) -> Array1<usize> {
        Array1::zeros(records.nrows())
    }
}

impl<F: Float, D: Distance<F>, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix1>, usize> for KMeans<F, D> {
    /// Allocates nothing if the row is contiguous. Cost: O(kd).
    ///
    /// # Panics
    /// If the row is of another width than the model.
    fn predict_inplace(&self, row: &ArrayBase<S, Ix1>, label: &mut usize) {
        assert_eq!(row.len(), self.n_features(), "a row must have the columns the model was fitted on");
        *label = match row.as_slice() {
            Some(row) => self.nearest_to_row(row),
            None => self.nearest_to_row(&row.to_vec()),
        };
    }

    fn default_target(&self, _: &ArrayBase<S, Ix1>) -> usize {
        0
    }
}

impl<F: Float, D: Distance<F>, S: Data<Elem = F>> Transformer<&ArrayBase<S, Ix2>, Array1<F>> for KMeans<F, D> {
    /// The distance of each row to its own centre, squared for L2.
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    fn transform(&self, records: &ArrayBase<S, Ix2>) -> Array1<F> {
        let samples = self.unchecked(records);
        let reduced = if has_gaps(records, self.missing) {
            partial_nearest(records.view(), &self.index, Threads::Ambient).1
        } else {
            nearest_reduced(&samples, &self.index, &self.distance, Threads::Ambient)
        };
        reduced.mapv(F::narrow)
    }
}
