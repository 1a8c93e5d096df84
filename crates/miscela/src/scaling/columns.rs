//! A shift and a scale for each column.

use crate::Float;
use crate::input::{samples, samples_of};
use linfa::{DatasetBase, traits::Transformer};
use miscela_em::{Missing, Summary, Task, WorkError, Workers};
use miscela_kernel::{Samples, SamplesError, Threads};
use ndarray::{Array2, ArrayBase, Data, Ix2};
use serde::{Deserialize, Serialize};

/// What is taken off each column, and what it is then divided by: (x − shift) / scale.
///
/// Computed in `f64` and rounded once, whatever the rows' type, so that columns far from the origin keep their digits. Missing
/// values stay missing.
///
/// [`standardizing`](Self::standardizing) gives every column mean 0 and variance 1, as scikit-learn's `StandardScaler`; a scaling
/// that was found elsewhere, as linfa-preprocessing's `LinearScaler`, is taken by [`new`](Self::new).
///
/// **When not to use it.** Where columns have one unit, their spreads say something: coordinates, pixels and
/// counts of one kind are better left as they are, since dividing lifts columns that hold nothing but noise to the level of those that
/// tell clusters apart. A spread that comes from the clusters themselves is divided out too. And mixtures of
/// unrestricted, tied or diagonal covariances adapt to any units by themselves: there it changes no more than the start and what
/// regularisation means.
///
/// ```
/// use miscela::{ColumnScaling, prelude::*};
/// use ndarray::array;
///
/// let rows = array![[1.0, 500.0], [3.0, 500.0]];
/// let scaling = ColumnScaling::standardizing(&rows, None)?;
/// assert_eq!((scaling.shift(), scaling.scale()), (&[2.0, 500.0][..], &[1.0, 1.0][..]));
/// assert_eq!(scaling.scaled(&rows), array![[-1.0, 0.0], [1.0, 0.0]]);
/// assert_eq!(scaling.unscaled(&scaling.scaled(&rows)), rows);
/// # Ok::<(), miscela::SamplesError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnScaling {
    /// d
    shift: Vec<f64>,
    /// d, above zero
    scale: Vec<f64>,
    /// Σ w of each column over the values that were there, d; nothing where all were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observed: Option<Vec<f64>>,
}

/// Why a scaling is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScalingError {
    /// Not one shift and one scale a column.
    #[error("a scaling of {expected} columns has {got} numbers in {of}; give one a column")]
    Length {
        /// `shift`, `scale` or `observed`.
        of: &'static str,
        /// d
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A number that cannot be.
    #[error("the {of} of column {column} is {value}; shifts must be finite, scales and weights finite and above zero")]
    Value {
        /// `shift`, `scale` or `observed`.
        of: &'static str,
        /// 0-based.
        column: usize,
        /// What it is.
        value: f64,
    },
}

impl ColumnScaling {
    /// A scaling of these shifts and scales, d each.
    ///
    /// ```
    /// use miscela::ColumnScaling;
    ///
    /// let celsius = ColumnScaling::new(vec![32.0], vec![1.8])?;
    /// assert_eq!(celsius.scaled(&ndarray::array![[212.0]]), ndarray::array![[100.0]]);
    /// assert!(ColumnScaling::new(vec![0.0], vec![0.0]).is_err());
    /// # Ok::<(), miscela::ScalingError>(())
    /// ```
    ///
    /// # Errors
    /// If there are not as many of both, a number is not finite, or a scale not above zero.
    pub fn new(shift: Vec<f64>, scale: Vec<f64>) -> Result<Self, ScalingError> {
        let d = shift.len();
        Self { shift, scale, observed: None }.checked(d)
    }

    /// The scaling that gives each column of these rows mean 0 and variance 1, by their weights (one a row) if there are some.
    ///
    /// The variance is about the mean and divided by Σ w. A constant column is only shifted. Of missing values (NaN) the others
    /// decide. Cost: one pass over the rows, two where values are missing.
    ///
    /// # Errors
    /// If rows are infinite, weights are no weights, or a column has no value.
    pub fn standardizing<F: Float, S: Data<Elem = F>>(
        records: &ArrayBase<S, Ix2>,
        weights: Option<&[f64]>,
    ) -> Result<Self, SamplesError> {
        Self::of_samples(&samples(records, weights, Missing::Marginal)?)
    }

    /// The same for the rows of a dataset, by its weights.
    ///
    /// # Errors
    /// As [`standardizing`](Self::standardizing).
    pub fn standardizing_dataset<F: Float, S: Data<Elem = F>, T>(
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<Self, SamplesError> {
        Self::of_samples(&samples_of(dataset, Missing::Marginal)?)
    }

    /// The same for rows that are elsewhere, in one pass.
    ///
    /// # Errors
    /// If the rows cannot be had, or something is wrong with them.
    pub fn standardizing_over<F: Float>(workers: &mut dyn Workers<F>) -> Result<Self, WorkError> {
        let (summary, _) = workers.run(&Task::Summary)?.summary()?;
        Ok(Self::of_summary(&summary))
    }

    /// The same, where means and variances are known.
    pub fn of_summary(summary: &Summary) -> Self {
        // What rounding leaves of a constant column is no spread.
        let spread = |(mean, variance): (&f64, &f64)| match variance.sqrt() {
            spread if spread.is_normal() && spread > f64::EPSILON * mean.abs() => spread,
            _ => 1.0,
        };
        Self {
            shift: summary.mean.clone(),
            scale: summary.mean.iter().zip(&summary.variance).map(spread).collect(),
            observed: summary.observed.clone(),
        }
    }

    fn of_samples<F: Float>(samples: &Samples<F>) -> Result<Self, SamplesError> {
        let summary = Summary::of(samples, Threads::Ambient);
        summary.check_columns()?;
        Ok(Self::of_summary(&summary))
    }

    /// What was read from a file, if it is a scaling of d columns.
    pub(crate) fn checked(self, d: usize) -> Result<Self, ScalingError> {
        let lists = [("shift", Some(&self.shift)), ("scale", Some(&self.scale)), ("observed", self.observed.as_ref())];
        for (of, list) in lists.into_iter().filter_map(|(of, list)| Some((of, list?))) {
            if list.len() != d {
                return Err(ScalingError::Length { of, expected: d, got: list.len() });
            }
            let is_sound = |value: f64| value.is_finite() && (of == "shift" || value > 0.0);
            if let Some(column) = list.iter().position(|value| !is_sound(*value)) {
                return Err(ScalingError::Value { of, column, value: list[column] });
            }
        }
        Ok(self)
    }

    /// What is taken off each column, d.
    pub fn shift(&self) -> &[f64] {
        &self.shift
    }

    /// What each column is divided by, d.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// d
    pub fn n_columns(&self) -> usize {
        self.shift.len()
    }

    /// (x − shift) / scale of each value, n × d.
    ///
    /// # Panics
    /// If the rows have another width.
    pub fn scaled<F: Float, S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        let mut rows = records.to_owned();
        self.scale_in_place(&mut rows);
        rows
    }

    /// The same in place.
    ///
    /// # Panics
    /// If the rows have another width.
    pub fn scale_in_place<F: Float>(&self, rows: &mut Array2<F>) {
        self.each(rows, |x, shift, scale| (x - shift) / scale);
    }

    /// x · scale + shift of each value, n × d: back in the units of the rows.
    ///
    /// # Panics
    /// If the rows have another width.
    pub fn unscaled<F: Float, S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        let mut rows = records.to_owned();
        self.unscale_in_place(&mut rows);
        rows
    }

    /// The same in place.
    ///
    /// # Panics
    /// If the rows have another width.
    pub fn unscale_in_place<F: Float>(&self, rows: &mut Array2<F>) {
        self.each(rows, |x, shift, scale| x * scale + shift);
    }

    fn each<F: Float>(&self, rows: &mut Array2<F>, change: impl Fn(f64, f64, f64) -> f64) {
        assert_eq!(rows.ncols(), self.n_columns(), "rows must have the columns of the scaling");
        let columns = self.shift.iter().zip(&self.scale);
        for mut row in rows.outer_iter_mut() {
            row.iter_mut().zip(columns.clone()).for_each(|(x, (m, s))| *x = F::narrow(change(x.widen(), *m, *s)));
        }
    }

    /// Σ ln scale: a log-density of scaled rows less this is one of the rows.
    pub fn log_scale(&self) -> f64 {
        self.scale.iter().map(|scale| scale.ln()).sum()
    }

    /// The same over all rows that it was made from, of this weight: only values that were there count.
    pub fn log_scale_of_all(&self, total_weight: f64) -> f64 {
        match &self.observed {
            Some(observed) => observed.iter().zip(&self.scale).map(|(weight, scale)| weight * scale.ln()).sum(),
            None => total_weight * self.log_scale(),
        }
    }
}

impl<F: Float> Transformer<Array2<F>, Array2<F>> for ColumnScaling {
    /// # Panics
    /// If the rows have another width.
    fn transform(&self, mut rows: Array2<F>) -> Array2<F> {
        self.scale_in_place(&mut rows);
        rows
    }
}

impl<F: Float, T> Transformer<DatasetBase<Array2<F>, T>, DatasetBase<Array2<F>, T>> for ColumnScaling
where
    DatasetBase<Array2<F>, T>: linfa::dataset::Records,
{
    /// # Panics
    /// If the rows have another width.
    fn transform(&self, mut dataset: DatasetBase<Array2<F>, T>) -> DatasetBase<Array2<F>, T> {
        self.scale_in_place(&mut dataset.records);
        dataset
    }
}
