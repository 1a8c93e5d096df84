//! A fitted mixture and rows with missing values.

use super::{GaussianMixture, GmmError, GmmParamsError};
use crate::Float;
use crate::input::samples_by;
use miscela_em::{IncompleteDensity, Missing};
use miscela_kernel::Threads;
use ndarray::{Array2, ArrayBase, Data, Ix2};

impl<F: Float> GaussianMixture<F> {
    /// What is done about missing values, in the fit and in rows to predict.
    ///
    /// With [`Missing::Marginal`], labels, probabilities and densities are those of the columns that a row shows. A row without
    /// any value has the components' weights as its probabilities and a density of one; it counts for nothing in scores.
    pub fn missing(&self) -> Missing {
        self.settings.missing
    }

    /// Takes missing values in rows to predict, whatever the fit did, or refuses them. A mixture with noise
    /// or Student-t components always refuses them.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::array;
    ///
    /// let model = GaussianMixture::params(3).fit(&linfa_datasets::iris())?;
    /// let row = array![[5.1, 3.5, f64::NAN, 0.2]];
    /// assert!(model.try_predict(&row).is_err());
    /// let model = model.with_missing(Missing::Marginal);
    /// assert!(model.predict_proba(&row).iter().any(|p| *p > 0.99));
    /// # Ok::<(), GmmError>(())
    /// ```
    pub fn with_missing(mut self, missing: Missing) -> Self {
        self.settings.missing = if self.bears_outliers() { Missing::Error } else { missing };
        self
    }

    /// The rows with each missing value, NaN, replaced by its conditional mean given the values that the row shows, n × d. What
    /// is there stays as it is. Any mixture of Gaussians can do it.
    ///
    /// Cost: d²/2 for each component and row with a gap, d³/3 for each component and pattern of gaps.
    ///
    /// # Errors
    /// If a value is infinite, the rows are of another width than the model, or it has noise or Student-t components.
    pub fn impute<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Array2<F>, GmmError> {
        self.check_width(records)?;
        if self.bears_outliers() {
            return Err(GmmParamsError::Missing("noise or Student-t components").into());
        }
        samples_by(records, None, Missing::Marginal, Threads::Ambient)?;
        Ok(self.incomplete().impute(records.view(), Threads::Ambient))
    }

    pub(super) fn incomplete(&self) -> IncompleteDensity<'_, F> {
        IncompleteDensity::new(&self.mixture, &self.density)
    }
}
