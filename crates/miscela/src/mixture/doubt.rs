//! How dense each component is at a row, and how sure the row's label.

use super::GaussianMixture;
use crate::Float;
use crate::input::has_gaps;
use linfa::traits::Predict;
use miscela_em::{Assignment, component_log_densities, entropies, shares, uncertainties};
use miscela_kernel::Threads;
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

impl<F: Float> GaussianMixture<F> {
    /// ln N(x; μₖ, Σₖ) of each row and component, n × k: densities as they are, without the mixing weights. With ln wₖ added,
    /// their log-sum-exp is [`score_samples`](Self::score_samples).
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(3).fit(&iris)?;
    /// let l = model.component_log_densities(iris.records());
    /// let joint = l + model.weights().mapv(f64::ln);
    /// let total = joint.row(0).fold(0.0, |sum, l| sum + l.exp()).ln();
    /// assert!((total - model.score_samples(iris.records())[0]).abs() < 1e-10);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn component_log_densities<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        let samples = self.unchecked(records);
        let found = if has_gaps(records, self.settings.missing) {
            self.incomplete().component_log_densities(&self.mixture, records.view(), Threads::Ambient)
        } else {
            component_log_densities(&samples, &self.mixture, Threads::Ambient)
        };
        // The covariances of a model have been factored before, so this does not fail.
        found.unwrap_or_else(|_| Array2::from_elem((records.nrows(), self.n_clusters()), F::nan()))
    }

    /// What the E-step of its assignment rule shares out: r ∝ exp(l/T) at the temperature T of a tempered rule, ones and zeros by a
    /// hard one, and [`predict_proba`](Self::predict_proba) by all others; n × k, and one column more with noise. Rows sum to one.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let cold = GaussianMixture::params(3).assignment(Assignment::Tempered(0.5)).fit(&iris)?;
    /// let (shares, p) = (cold.shares(iris.records()), cold.predict_proba(iris.records()));
    /// let squares = p.row(100).mapv(|p| p * p);
    /// assert!((&squares / squares.sum() - shares.row(100)).iter().all(|difference| difference.abs() < 1e-9));
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn shares<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array2<F> {
        match self.assignment().at_end() {
            Assignment::Tempered(temperature) if has_gaps(records, self.settings.missing) => {
                self.unchecked(records);
                self.incomplete().shares(records.view(), temperature, Threads::Ambient)
            }
            Assignment::Tempered(temperature) => {
                shares(&self.unchecked(records), &self.density, temperature, Threads::Ambient)
            }
            Assignment::Hard => {
                let mut ones = Array2::zeros((records.nrows(), self.mixture.n_labels()));
                let labels: Array1<usize> = self.predict(records);
                labels.iter().enumerate().for_each(|(i, label)| ones[[i, *label]] = F::one());
                ones
            }
            _ => self.predict_proba(records),
        }
    }

    /// The uncertainty of each row's label, n: 1 − its greatest probability, as mclust's; from 0 to 1 − 1/k.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(3).fit(&iris)?;
    /// let doubtful = model.uncertainty(iris.records()).iter().filter(|u| **u > 0.1).count();
    /// assert!(doubtful < 15);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn uncertainty<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array1<f64> {
        let samples = self.unchecked(records);
        if has_gaps(records, self.settings.missing) {
            return self.incomplete().uncertainties(records.view(), Threads::Ambient);
        }
        uncertainties(&samples, &self.density, Threads::Ambient)
    }

    /// The entropy −Σ rₖ ln rₖ of each row's probabilities, n, from 0 (no doubt) to ln k.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(3).fit(&iris)?;
    /// let entropy = model.entropy(iris.records());
    /// assert!(entropy.iter().all(|e| (0.0..=3f64.ln()).contains(e)));
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Panics
    /// If the rows are of another width than the model.
    pub fn entropy<S: Data<Elem = F>>(&self, records: &ArrayBase<S, Ix2>) -> Array1<f64> {
        let samples = self.unchecked(records);
        if has_gaps(records, self.settings.missing) {
            return self.incomplete().entropies(records.view(), Threads::Ambient);
        }
        entropies(&samples, &self.density, Threads::Ambient)
    }
}
