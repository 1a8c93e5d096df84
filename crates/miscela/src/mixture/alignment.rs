//! The numbers of the components of a mixture, and how it differs from another.

use super::{GaussianMixture, GmmError};
use crate::Float;
use crate::drift::{Drift, matching};
use crate::order::{CanonicalOrder, aligned};
use miscela_em::{Density, Mixing};
use ndarray::{Array2, ArrayBase, Data, Ix2};

impl<F: Float> GaussianMixture<F> {
    /// The same model with its components in an order that does not depend on the start. Repairs in the report keep the numbers
    /// that components had in the fit; noise stays last.
    ///
    /// ```
    /// use miscela::{CanonicalOrder, prelude::*};
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(3).fit(&iris)?.canonical_order(CanonicalOrder::Centre)?;
    /// assert!(model.means()[[0, 0]] < model.means()[[1, 0]] && model.means()[[1, 0]] < model.means()[[2, 0]]);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// Never for a model that was fitted: its covariances can be factored.
    pub fn canonical_order(self, order: CanonicalOrder) -> Result<Self, GmmError> {
        let order = order.of(self.weights(), self.means());
        self.in_order(&order)
    }

    /// The same model with the numbers of a previous one: components are matched so that their Bhattacharyya distances sum to
    /// the least (Kuhn 1955), by means and covariances alike, and those that are matched come in the previous order. With as
    /// many components as before, each has the number of its match; with more, the others come last; with fewer, those after a
    /// gap move up. Cost: O(k³ + k²d³).
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let before = GaussianMixture::params(3).fit(&iris)?;
    /// let now = GaussianMixture::params(3).init_method(GmmInitMethod::Hierarchical).fit(&iris)?;
    /// let drift = now.align_to(&before)?.drift_on(&before, iris.records())?;
    /// assert!(drift.matches.iter().all(|pair| pair.previous == pair.current));
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If the models have different numbers of columns.
    pub fn align_to(self, previous: &Self) -> Result<Self, GmmError> {
        let order = aligned(&matching(&self.apart(previous)?));
        self.in_order(&order)
    }

    /// What has changed since a previous model: its components, matched as [`align_to`](Self::align_to) does it, how far their
    /// means moved, and their weights. Movements are Mahalanobis distances by the previous covariance, over √d. Neither model
    /// needs to have the other's numbers.
    ///
    /// # Errors
    /// If the models have different numbers of columns.
    pub fn drift(&self, previous: &Self) -> Result<Drift, GmmError> {
        let shares = |model: &Self| model.weights().iter().map(|w| w.widen()).collect::<Vec<f64>>();
        let moved = |current: usize, before: usize| -> Result<f64, GmmError> {
            let movement = self.parameters().mahalanobis(current, previous.parameters(), before)?;
            Ok(movement / (self.n_features() as f64).sqrt())
        };
        Drift::new(&self.apart(previous)?, &shares(previous), &shares(self), moved)
    }

    /// [`drift`](Self::drift) with the rows that the two models label differently. Cost: both models label the rows.
    ///
    /// # Errors
    /// If rows are not finite, or models and rows have different numbers of columns.
    pub fn drift_on<S: Data<Elem = F>>(&self, previous: &Self, records: &ArrayBase<S, Ix2>) -> Result<Drift, GmmError> {
        Ok(self.drift(previous)?.on(&previous.try_predict(records)?, &self.try_predict(records)?))
    }

    /// The Bhattacharyya distances of these components to those of another model, k × k'.
    fn apart(&self, previous: &Self) -> Result<Array2<f64>, GmmError> {
        let (expected, got) = (previous.n_features(), self.n_features());
        if expected != got {
            return Err(GmmError::FeatureCount { expected, got });
        }
        Ok(self.parameters().bhattacharyya(previous.parameters())?)
    }

    /// The same with component `order[i]` as the i-th.
    fn in_order(mut self, order: &[usize]) -> Result<Self, GmmError> {
        self.mixture = self.mixture.in_order(order);
        self.density = Density::new(&self.mixture)?;
        if let Mixing::Given(weights) = &mut self.settings.mixing {
            *weights = order.iter().map(|c| weights[*c]).collect();
        }
        self.stream = self.stream.map(|stream| stream.in_order(order, &self.mixture, &self.settings));
        // The rows of the noise, if there is some, come after all.
        let noise = self.sizes.get(order.len()).copied();
        self.sizes = order.iter().map(|c| self.sizes[*c]).chain(noise).collect();
        Ok(self)
    }
}
