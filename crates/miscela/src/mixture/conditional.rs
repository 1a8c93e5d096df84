//! A model given some of its columns, and regression by it.

use super::{GaussianMixture, GmmError};
use crate::Float;
use crate::input::samples_by;
use linfa::traits::PredictInplace;
use miscela_em::{Missing, MixtureSettings};
use miscela_kernel::{Samples, Threads};
use ndarray::{Array2, ArrayBase, Data, Ix1, Ix2};

/// What a mixture says of some columns, the rest, once others are observed. Made by [`GaussianMixture::conditional`], and
/// applied to as many rows as there are; [`miscela_em::Conditional`] has the formulas.
///
/// linfa's `predict` gives the conditional means, n × m: Gaussian mixture regression (Ghahramani & Jordan 1994).
#[derive(Clone, Debug)]
pub struct Conditional<F> {
    conditional: miscela_em::Conditional<F>,
    observed: Vec<usize>,
    rest: Vec<usize>,
    feature_names: Vec<String>,
}

/// The rest told from observed columns, row by row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Regression<F> {
    /// E(x_B | x_A), n × m.
    pub means: Array2<F>,
    /// Var(x_B | x_A), n × m: within the components, and between them.
    pub variances: Array2<F>,
}

impl<F: Float> GaussianMixture<F> {
    /// Prepares the model to tell the rest of the columns from those observed, 0-based.
    ///
    /// Cost: a Cholesky factor of each covariance.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::{array, s};
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(3).fit(&iris)?;
    ///
    /// // Petal width (column 3) told from petal length (column 2), and sepals from both.
    /// let lengths = iris.records().slice(s![.., 2..3]);
    /// let conditional = model.marginal(&[2, 3])?.conditional(&[0])?;
    /// let widths = conditional.regress(&lengths)?;
    /// assert_eq!((widths.means.dim(), widths.variances.dim()), ((150, 1), (150, 1)));
    ///
    /// let sepals = model.conditional(&[2, 3])?.given(&array![4.7, 1.4])?;
    /// assert_eq!((sepals.n_features(), sepals.n_clusters()), (2, 3));
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If a column is not there or chosen twice, or if none or all are chosen.
    pub fn conditional(&self, observed: &[usize]) -> Result<Conditional<F>, GmmError> {
        let conditional = miscela_em::Conditional::new(&self.mixture, observed)?;
        let rest: Vec<usize> = (0..self.n_features()).filter(|column| !observed.contains(column)).collect();
        let feature_names = rest.iter().map(|column| self.feature_names[*column].clone()).collect();
        Ok(Conditional { conditional, observed: observed.to_vec(), rest, feature_names })
    }
}

impl<F: Float> Conditional<F> {
    /// The columns of the model that are observed, p, in the order in which rows have them.
    pub fn observed(&self) -> &[usize] {
        &self.observed
    }

    /// The columns of the model that are told from them, m, ascending.
    pub fn rest(&self) -> &[usize] {
        &self.rest
    }

    /// The names of the [`rest`](Self::rest), m.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The mixture of the rest given one row of the observed columns, p.
    ///
    /// Its weights are the components' probabilities by that row. Like a model
    /// [from parameters](GaussianMixture::from_parameters), it has seen no rows.
    ///
    /// # Errors
    /// If the row is not finite or of another width.
    pub fn given<S: Data<Elem = F>>(&self, row: &ArrayBase<S, Ix1>) -> Result<GaussianMixture<F>, GmmError> {
        self.samples(&row.view().insert_axis(ndarray::Axis(0)))?;
        let mixture = self.conditional.given(row.view());
        let covariance = mixture.covariances.freest_structure();
        let settings = MixtureSettings { covariance, ..MixtureSettings::default() };
        let mut given = GaussianMixture::without_rows(mixture, settings)?;
        given.feature_names.clone_from(&self.feature_names);
        Ok(given)
    }

    /// Mean and variance of the rest for each row of the observed columns, n × p. Cost: k·m·p multiplications a row.
    ///
    /// # Errors
    /// If rows are not finite or of another width.
    pub fn regress<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Result<Regression<F>, GmmError> {
        let (means, variances) = self.conditional.regress(&self.samples(records)?, Threads::Ambient);
        Ok(Regression { means, variances })
    }

    fn samples<'a, S: Data<Elem = F>>(&self, records: &'a ArrayBase<S, Ix2>) -> Result<Samples<'a, F>, GmmError> {
        let (expected, got) = (self.observed.len(), records.ncols());
        if expected == got {
            Ok(samples_by(records, None, Missing::Error, Threads::Ambient)?)
        } else {
            Err(GmmError::FeatureCount { expected, got })
        }
    }
}

impl<F: Float, S: Data<Elem = F>> PredictInplace<ArrayBase<S, Ix2>, Array2<F>> for Conditional<F> {
    /// # Panics
    /// If the rows are of another width than the observed columns, or `means` of another shape.
    /// [`regress`](Conditional::regress) returns an error instead.
    fn predict_inplace(&self, records: &ArrayBase<S, Ix2>, means: &mut Array2<F>) {
        assert_eq!(records.ncols(), self.observed.len(), "rows must have the observed columns");
        assert_eq!(means.dim(), (records.nrows(), self.rest.len()), "one mean a row and column of the rest");
        means.assign(&self.conditional.regress(&Samples::unchecked(records), Threads::Ambient).0);
    }

    fn default_target(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        Array2::zeros((records.nrows(), self.rest.len()))
    }
}
