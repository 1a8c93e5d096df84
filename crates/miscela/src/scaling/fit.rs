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
/// // Income in euro would drown age in years.
/// let people = array![[20.0, 30_000.0], [21.0, 42_000.0], [60.0, 31_000.0], [61.0, 41_000.0]];
/// let people = DatasetBase::from(people);
/// let model = Standardized(KMeans::params(2)).fit(&people)?;
/// let labels = model.predict(&people);
/// assert_eq!((labels[0], labels[2]), (labels[1], labels[3]));
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
