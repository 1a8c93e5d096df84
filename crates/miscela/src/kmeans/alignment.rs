//! The numbers of the clusters of a k-means model, and how it differs from another.

use super::{KMeans, KMeansError};
use crate::Float;
use crate::drift::{Drift, matching};
use crate::order::{CanonicalOrder, aligned};
use miscela_distance::Distance;
use miscela_kernel::UNKNOWN;
use ndarray::{Array2, ArrayBase, Axis, Data, Ix2};

impl<F: Float, D: Distance<F>> KMeans<F, D> {
    /// The same model with its clusters in an order that does not depend on the start. Repairs in the report keep the numbers that
    /// clusters had in the fit.
    ///
    /// ```
    /// use miscela::{CanonicalOrder, prelude::*};
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = KMeans::params(3).fit(&iris)?.canonical_order(CanonicalOrder::Weight);
    /// assert!(model.sizes().is_sorted_by(|a, b| a >= b));
    /// # Ok::<(), KMeansError>(())
    /// ```
    pub fn canonical_order(self, order: CanonicalOrder) -> Self {
        let order = order.of(&self.cluster_count, &self.centroids);
        self.in_order(&order)
    }

    /// The same model with the numbers of a previous one: clusters are matched so that the distances of their centres (squared
    /// for L2) sum to the least (Kuhn 1955), and those that are matched come in the previous order. With as many clusters as
    /// before, each has the number of its match; with more, the others come last; with fewer, those after a gap move up.
    /// Cost: O(k³ + k²d). Not where clusters have merged or split, for which no match is right: ask for the
    /// [`drift`](Self::drift).
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let before = KMeans::params(3).fit(&iris)?;
    /// // The same clusters, found in another order.
    /// let start = before.centroids().select(ndarray::Axis(0), &[2, 0, 1]);
    /// let now = KMeans::params(3).init_method(KMeansInit::Precomputed(start)).fit(&iris)?;
    /// assert_ne!(now.predict(&iris), before.predict(&iris));
    /// assert_eq!(now.align_to(&before)?.predict(&iris), before.predict(&iris));
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// If the models have different numbers of columns.
    pub fn align_to(self, previous: &Self) -> Result<Self, KMeansError> {
        let order = aligned(&matching(&self.apart(previous)?));
        Ok(self.in_order(&order))
    }

    /// What has changed since a previous model: its clusters, matched as [`align_to`](Self::align_to) does it, how far their
    /// centres moved, and their shares of the weight. Neither model needs to have the other's numbers.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use ndarray::s;
    ///
    /// let iris = linfa_datasets::iris();
    /// let rows = iris.records();
    /// let before = KMeans::params(3).fit(&iris)?;
    /// let now = KMeans::params(3).fit(&DatasetBase::from(rows.slice(s![.. 120, ..]).to_owned()))?;
    /// let drift = now.drift_on(&before, rows)?;
    /// println!("{drift}");
    /// assert!(drift.greatest_movement() < 1.5 && drift.vanished.is_empty());
    /// # Ok::<(), KMeansError>(())
    /// ```
    ///
    /// # Errors
    /// If the models have different numbers of columns.
    pub fn drift(&self, previous: &Self) -> Result<Drift, KMeansError> {
        let shares = |model: &Self| {
            let total: f64 = model.cluster_count.iter().map(|w| w.widen()).sum();
            model.cluster_count.iter().map(|w| if total > 0.0 { w.widen() / total } else { 0.0 }).collect::<Vec<f64>>()
        };
        let spread = self.distance.from_reduced(previous.inertia());
        let moved = |current: usize, before: usize| {
            let (now, before) = (self.search().row(current), previous.search().row(before));
            let movement = self.distance.distance(now, before);
            Ok(if movement > 0.0 { movement / spread } else { 0.0 })
        };
        Drift::new(&self.apart(previous)?, &shares(previous), &shares(self), moved)
    }

    /// [`drift`](Self::drift) with the rows that the two models label differently. Cost: both models label the rows.
    ///
    /// # Errors
    /// If rows are not finite, or models and rows have different numbers of columns.
    pub fn drift_on<S: Data<Elem = F>>(
        &self,
        previous: &Self,
        records: &ArrayBase<S, Ix2>,
    ) -> Result<Drift, KMeansError> {
        Ok(self.drift(previous)?.on(&previous.try_predict(records)?, &self.try_predict(records)?))
    }

    /// The reduced distances of these centres to those of another model, k × k'.
    fn apart(&self, previous: &Self) -> Result<Array2<f64>, KMeansError> {
        let (expected, got) = (previous.n_features(), self.n_features());
        if expected != got {
            return Err(KMeansError::FeatureCount { expected, got });
        }
        let between = |(c, b)| self.distance.reduced(self.search().row(c), previous.search().row(b));
        Ok(Array2::from_shape_fn((self.n_clusters(), previous.n_clusters()), between))
    }

    /// The same with cluster `order[i]` as the i-th.
    fn in_order(mut self, order: &[usize]) -> Self {
        let mut numbers = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| numbers[*old] = new as u32);
        self.set_centroids(self.centroids.select(Axis(0), order));
        self.cluster_count = self.cluster_count.select(Axis(0), order);
        self.sizes = order.iter().map(|c| self.sizes[*c]).collect();
        self.tally = self.tally.map(|tally| tally.in_order(order));
        let labels = self.joint_labels.iter_mut().flatten().filter(|label| **label != UNKNOWN);
        labels.for_each(|label| *label = numbers[*label as usize]);
        self
    }
}
