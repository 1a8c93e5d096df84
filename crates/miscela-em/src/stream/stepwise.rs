//! Mixtures from batches: stepwise EM (Cappé & Moulines 2009; Liang & Klein 2009).
//!
//! ```text
//! s ← (1 − γ) s + γ ŝ,   γ = (t + t₀)^(−α),  ½ < α ≤ 1
//! parameters ← the M-step of s
//! ```
//!
//! s are statistics a unit of weight, at first those that the start leads to; ŝ are those of batch t, from 0, under the
//! parameters before it. What was seen under poor parameters
//! is forgotten, faster for smaller α; α = 1 with t₀ = 1 is the mean over all batches, which is how k-means counts. The sums
//! follow the means as these move ([`Statistics::reshift`]), which needs no row. The M-step is that of any mixture: every
//! structure, the ridge, floors and priors, what is held.

use crate::engine::{Assigned, Family, MStep, Session};
use crate::gaussian::{GaussianFamily, MixtureSettings};
use crate::inference::MixtureFit;
use crate::parameters::{Mixture, ParameterError};
use crate::report::RepairAction;
use crate::statistics::{Statistics, Sums};
use crate::summary::Summary;
use crate::tails::expected_excess;
use miscela_kernel::{Float, Samples, Scatter, Threads};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How much a batch counts: γ = (t + offset)^(−exponent) for batch t, from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepSize {
    /// α, above ½ and at most 1: above ½ so that the noise of batches averages out, at most 1 so that any distance can be
    /// covered.
    pub exponent: f64,
    /// t₀, 1 or more. With 1 the first batch counts wholly, and the start is forgotten with it; the greater, the less do the
    /// early batches count.
    pub offset: f64,
}

impl Default for StepSize {
    fn default() -> Self {
        Self { exponent: 0.7, offset: 1.0 }
    }
}

impl StepSize {
    /// γ of batch `t`.
    pub fn rate(self, t: usize) -> f64 {
        (t as f64 + self.offset).powf(-self.exponent)
    }

    /// Whether steps of this size lead anywhere.
    pub fn is_usable(self) -> bool {
        self.exponent > 0.5 && self.exponent <= 1.0 && self.offset.is_finite() && self.offset >= 1.0
    }
}

/// What a stream of batches has come to, beside the mixture.
///
/// It can be serialised, and goes with the parameters that it was left with and no others.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Stream {
    /// Batches so far.
    batches: usize,
    /// The columns of all rows so far.
    summary: Summary,
    /// The running statistics, a unit of weight, about the means of the mixture.
    statistics: Statistics,
}

impl Stream {
    /// What a mixture that was fitted to rows of this weight would have come to in so many batches. From its parameters follow
    /// the statistics of a fit that has converged; where components share parts of their shapes, nearly so.
    ///
    /// With no weight and no batches: the mixture is a start and nothing more.
    pub fn of_mixture<F: Float>(mixture: &Mixture<F>, settings: &MixtureSettings, weight: f64, batches: usize) -> Self {
        let (k, d) = (mixture.n_components(), mixture.n_columns());
        let scatter = settings.covariance.structure().scatter();
        let mut sums = Sums::zero(k, d, scatter);
        sums.weight = mixture.weights.iter().map(|w| w.widen()).collect();
        let dense = mixture.covariances.dense(k, d);
        let entry = |c: usize, i: usize, j: usize| {
            let ridge = if i == j { settings.reg_covariance } else { 0.0 };
            sums.weight[c] * (dense[[c, i, j]].widen() - ridge)
        };
        let triangle = || (0..d).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let second = (0..k).flat_map(|c| -> Vec<f64> {
            match scatter {
                Scatter::Spherical => vec![(0..d).map(|j| entry(c, j, j)).sum()],
                Scatter::Diagonal => (0..d).map(|j| entry(c, j, j)).collect(),
                Scatter::Full => triangle().map(|(i, j)| entry(c, i, j)).collect(),
            }
        });
        sums.second = second.collect();
        if let Some(degrees) = &mixture.degrees {
            sums.shares.clone_from(&sums.weight);
            sums.excess = degrees.iter().zip(&sums.weight).map(|(v, w)| w * expected_excess(*v, d)).collect();
        }
        let mean: Vec<f64> =
            (0..d).map(|j| (0..k).map(|c| sums.weight[c] * mixture.means[[c, j]].widen()).sum()).collect();
        let spread = |j: usize, c: usize| dense[[c, j, j]].widen() + (mixture.means[[c, j]].widen() - mean[j]).powi(2);
        let variance = (0..d).map(|j| (0..k).map(|c| sums.weight[c] * spread(j, c)).sum()).collect();
        Self {
            batches,
            summary: Summary { mean, variance, total_weight: weight, covariance: None, observed: None },
            statistics: Statistics::new(settings.fingerprint(mixture, None), shift(mixture), sums),
        }
    }

    /// Whether it is the stream of this mixture.
    pub fn belongs_to<F: Float>(&self, mixture: &Mixture<F>, settings: &MixtureSettings) -> bool {
        let (k, d, sums) = (mixture.n_components(), mixture.n_columns(), self.statistics.sums());
        let shape = (sums.k(), sums.width, sums.scatter, sums.has_tails());
        let summary = &self.summary;
        let widths = [summary.mean.len(), summary.variance.len()];
        let covariance = summary.covariance.as_ref().is_none_or(|all| all.len() == Scatter::Full.len(d));
        shape == (k, d, settings.covariance.structure().scatter(), mixture.degrees.is_some())
            && self.statistics.fingerprint() == settings.fingerprint(mixture, None)
            && (0..k).flat_map(|c| self.statistics.shift(c)).eq(&shift(mixture))
            && widths == [d; 2]
            && covariance
            && summary.total_weight > 0.0
            && sums.counts().iter().all(|n| *n >= 0.0)
            && sums.total() > 0.0
    }

    /// The same with component `order[i]` as the i-th, of a mixture in that order.
    ///
    /// # Panics
    /// If `order` names a component that there is not.
    #[must_use]
    pub fn in_order<F: Float>(&self, order: &[usize], mixture: &Mixture<F>, settings: &MixtureSettings) -> Self {
        Self { statistics: self.statistics.in_order(order, settings.fingerprint(mixture, None)), ..self.clone() }
    }

    /// Batches so far.
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// The weight of all rows so far.
    pub fn total_weight(&self) -> f64 {
        self.summary.total_weight
    }

    /// The running statistics, a unit of weight.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }
}

/// Stepwise EM.
#[derive(Clone, Copy, Debug)]
pub struct Stepwise<'a> {
    /// What the M-step follows. Rules of assignment are soft, hard or tempered, and nothing is asked for that needs all rows.
    pub settings: &'a MixtureSettings,
    /// How much a batch counts.
    pub step_size: StepSize,
    /// The weight of all rows, if it is known: what a prior is weighed against. Otherwise that of the rows so far.
    pub total_weight: Option<f64>,
    /// Who works.
    pub threads: Threads,
}

/// What one batch did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stepped<F> {
    /// The new parameters.
    pub mixture: Mixture<F>,
    /// What goes with them.
    pub stream: Stream,
    /// How well they fit the batch.
    pub fit: MixtureFit,
    /// What the assignment rule maximises, over the batch, at the parameters before, a unit of weight.
    pub before: f64,
    /// By how much it rose.
    pub rise: f64,
    /// γ
    pub rate: f64,
    /// Component, action, detail.
    pub repairs: Vec<(usize, RepairAction, String)>,
}

impl Stepwise<'_> {
    /// One step from a mixture and what its stream has come to; `None` if no row was seen yet, so that the mixture is a start
    /// and nothing more.
    ///
    /// ```
    /// use miscela_em::{Covariances, Mixture, MixtureSettings, StepSize, Stepwise};
    /// use miscela_kernel::{Samples, Threads};
    /// use ndarray::array;
    ///
    /// let settings = MixtureSettings::default();
    /// let stepwise =
    ///     Stepwise { settings: &settings, step_size: StepSize::default(), total_weight: None, threads: Threads::One };
    /// let covariances = Covariances::Full(ndarray::Array3::ones((2, 1, 1)));
    /// let (mut mixture, mut stream) = (Mixture::new(array![0.5, 0.5], array![[0.0], [9.0]], covariances), None);
    /// for batch in [array![[0.5], [1.5], [8.0], [9.0]], array![[0.0], [2.0], [8.5], [9.5]]] {
    ///     let stepped = stepwise.step(mixture, stream, &Samples::new(&batch)?)?;
    ///     (mixture, stream) = (stepped.mixture, Some(stepped.stream));
    /// }
    /// let mean: f64 = mixture.means[[0, 0]];
    /// assert!((mean - 1.0).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the mixture cannot be used, or its stream is that of another.
    pub fn step<F: Float>(
        &self,
        mixture: Mixture<F>,
        stream: Option<Stream>,
        batch: &Samples<F>,
    ) -> Result<Stepped<F>, ParameterError> {
        let (settings, threads, weight) = (self.settings, self.threads, batch.total_weight());
        let summary = Summary::of(batch, threads);
        let summary = if settings.needs_covariance() { summary.with_covariance(batch, threads) } else { summary };
        let summary = stream.as_ref().map_or(summary.clone(), |stream| stream.summary.merged(&summary));
        let mut family = GaussianFamily::new(mixture, settings.clone(), &summary, weight)?;
        let stream = stream.unwrap_or_else(|| Stream::of_mixture(family.mixture(), settings, 0.0, 0));
        let mut session = Session::new(&family, batch, threads);
        let mut statistics = session.statistics(&family);
        let before = (family.objective(&statistics).unwrap_or(f64::NAN) - family.log_prior()) / weight;
        let rate = self.step_size.rate(stream.batches);
        statistics.scale(1.0 / weight);
        let mut statistics = stream.statistics.towards(&statistics, rate).map_err(|_| ParameterError::OtherStream)?;
        let mut whole = statistics.clone();
        whole.scale(self.total_weight.unwrap_or(summary.total_weight));
        let (labels, relocated) = (session.labelled().1, &[][..]);
        let MStep { repairs, .. } = family.m_step(whole, &Assigned { samples: batch, labels, relocated, threads });
        statistics.carry_to(family.fingerprint(), family.shift());
        let fit = family.evaluate(batch, settings.assignment.temperature(), threads);
        Ok(Stepped {
            rise: fit.objective(settings.assignment) / weight - before,
            stream: Stream { batches: stream.batches + 1, summary, statistics },
            mixture: family.into_mixture(),
            fit,
            before,
            rate,
            repairs,
        })
    }
}

/// The means, k × d.
fn shift<F: Float>(mixture: &Mixture<F>) -> Vec<f64> {
    mixture.means.iter().map(|m| m.widen()).collect()
}
