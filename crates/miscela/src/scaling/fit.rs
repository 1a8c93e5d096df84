//! Fits of standardised rows.

use super::{ColumnScaling, Scaled};
use crate::Float;
use linfa::{DatasetBase, traits::Fit};
use miscela_kernel::SamplesError;
use ndarray::{Array2, ArrayBase, Data, Ix2};
use std::error::Error;

/// Parameters of a fit whose columns are [standardised](ColumnScaling::standardizing) before: (x − mean) / standard deviation.
///
/// Start parameters among them are those of standardised rows ([`ColumnScaling::scaled`]), and so is what is added to variances.
/// Cost: a copy of the rows.
///
/// ```
/// use miscela::prelude::*;
/// use ndarray::array;
///
/// // Incomes in euro would drown ages in years.
/// let people = array![[20., 3e4], [21., 36e3], [22., 42e3], [60., 3e4], [61., 36e3], [62., 42e3]];
/// let people = DatasetBase::from(people);
/// let labels = Standardized(KMeans::params(2).n_runs(10)).fit(&people)?.predict(&people);
/// assert!((1..3).all(|i| labels[i] == labels[0] && labels[3 + i] == labels[3]));
/// # Ok::<(), KMeansError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standardized<P>(pub P);

impl<F, S, T, E, P> Fit<ArrayBase<S, Ix2>, T, E> for Standardized<P>
where
    F: Float,
    S: Data<Elem = F>,
    E: Error + From<linfa::Error> + From<SamplesError>,
    P: Fit<Array2<F>, (), E>,
{
    type Object = Scaled<P::Object>;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<S, Ix2>, T>) -> Result<Self::Object, E> {
        let scaling = ColumnScaling::standardizing_dataset(dataset)?;
        let rows = DatasetBase::new(scaling.scaled(&dataset.records), ()).with_weights(dataset.weights.clone());
        let model = self.0.fit(&rows)?;
        Ok(Scaled::new(scaling, model))
    }
}
