//! Where a mixture starts.

use super::hierarchy::Hierarchy;
use super::{GmmError, GmmValidParams};
use crate::Float;
use crate::input::on_whole_rows;
use crate::kmeans::KMeansParams;
use crate::known::{self, KnownLabelsError};
use miscela_distance::L2;
use miscela_em::{
    Covariances, Mixture, MixtureSettings, ParameterError, Repair, Shares, StartError, Summary, Tails, Uniform,
    far_rows, from_shares,
};
use miscela_init::{KMeansInit, Seeding};
use miscela_kernel::{Samples, Threads};
use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// Where a mixture starts.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum GmmInitMethod<F> {
    /// The partition that k-means finds.
    #[default]
    KMeans,
    /// The partition by the nearest of k distinct random rows.
    Random,
    /// The partition by the nearest of k rows that greedy k-means++ picks.
    KMeansPlusPlus,
    /// The partition by the nearest of k centres that k-means‖ finds.
    KMeansPara,
    /// The partition that model-based agglomeration ends with at k clusters, as mclust's `Mclust` does: of rows made
    /// spherical, unless there are no more of them than columns; of 2,000 distinct rows, drawn by weight, where there are
    /// more, from which the first parameters are then estimated; and for one column its quantiles. See
    /// [`Agglomerate`](crate::Agglomerate) for the cost.
    Hierarchical,
    /// A partition: one 0-based label a row. With noise, k is its label.
    Labels(Vec<usize>),
    /// Responsibilities, n × k, each row summing to one. With noise, k + 1 columns.
    Responsibilities(Array2<F>),
    /// All parameters of a mixture, used as they are, with its noise and its degrees of freedom where the fit has such.
    Mixture(Mixture<F>),
    /// Parameters, used as they are. What is not given follows from the partition by the nearest mean.
    Parameters {
        /// k. With noise, its weight is what they leave of one; if they leave nothing, 10 %, and they are scaled to that.
        weights: Option<Array1<F>>,
        /// k × d
        means: Array2<F>,
        /// In any shape: one that is not the structure's own is brought to it, pooled by weight where shapes are tied.
        covariances: Option<Covariances<F>>,
    },
}

impl<F> GmmInitMethod<F> {
    /// Starts at these means, k × d.
    pub fn means(means: Array2<F>) -> Self {
        GmmInitMethod::Parameters { weights: None, means, covariances: None }
    }

    /// Whether it is for one number of components only, that of what was given.
    pub(crate) fn is_given(&self) -> bool {
        use GmmInitMethod::{Labels, Mixture, Parameters, Responsibilities};
        matches!(self, Labels(_) | Responsibilities(_) | Parameters { .. } | Mixture(_))
    }

    /// Whether weights or covariances are given.
    pub(crate) fn is_more_than_means(&self) -> bool {
        match self {
            GmmInitMethod::Parameters { weights, covariances, .. } => weights.is_some() || covariances.is_some(),
            GmmInitMethod::Mixture(_) => true,
            _ => false,
        }
    }

    /// Whether chance has a part in it.
    pub(super) fn is_random<G: Float>(&self, samples: &Samples<G>) -> bool {
        match self {
            GmmInitMethod::KMeans | GmmInitMethod::Random => true,
            GmmInitMethod::KMeansPlusPlus | GmmInitMethod::KMeansPara => true,
            GmmInitMethod::Hierarchical => Hierarchy::is_random(samples),
            _ => false,
        }
    }
}

impl<F: Float> From<&Mixture<F>> for GmmInitMethod<F> {
    /// Starts at all of these parameters.
    fn from(mixture: &Mixture<F>) -> Self {
        GmmInitMethod::Mixture(mixture.clone())
    }
}

impl<F: Float> GmmInitMethod<F> {
    /// Shares the rows, or a sample of them, among k components and starts by that; of given parameters only the means have
    /// a say in it.
    pub(crate) fn share<T>(
        &self,
        samples: &Samples<F>,
        k: usize,
        summary: &Summary,
        seed: u64,
        threads: Threads,
        by_shares: impl FnOnce(&Samples<F>, Shares<F>) -> Result<T, StartError>,
    ) -> Result<T, GmmError> {
        let seeded = |init: KMeansInit<F>| -> Result<Array2<F>, GmmError> {
            let mut rng = Xoshiro256Plus::seed_from_u64(seed);
            match samples.known() {
                Some(known) => Ok(known::centres(samples, known, k, &init, &L2, threads, &mut rng)?),
                None => {
                    on_whole_rows(samples, summary, |whole| Ok(init.seed(whole, k, &L2, threads, &mut rng)?.centres))
                }
            }
        };
        let means;
        let shares = match self {
            GmmInitMethod::Hierarchical if samples.known().is_some() => {
                return Err(KnownLabelsError::Hierarchical.into());
            }
            GmmInitMethod::Hierarchical => {
                let tree =
                    on_whole_rows(samples, summary, |whole| Ok::<_, GmmError>(Hierarchy::new(whole, seed, threads)?))?;
                return tree.start(samples, k, summary, by_shares);
            }
            GmmInitMethod::Labels(labels) => Shares::Labels(labels),
            GmmInitMethod::Responsibilities(given) => Shares::Responsibilities(given.view()),
            GmmInitMethod::Parameters { means, .. } | GmmInitMethod::Mixture(Mixture { means, .. }) => {
                Shares::NearestMean(means.view())
            }
            GmmInitMethod::KMeans => {
                means = KMeansParams::new(k, (), L2).run_from(samples, seed, threads)?;
                Shares::NearestMean(means.view())
            }
            GmmInitMethod::Random => {
                means = seeded(KMeansInit::Random)?;
                Shares::NearestMean(means.view())
            }
            GmmInitMethod::KMeansPlusPlus => {
                means = seeded(KMeansInit::KMeansPlusPlus)?;
                Shares::NearestMean(means.view())
            }
            GmmInitMethod::KMeansPara => {
                means = seeded(KMeansInit::KMeansPara)?;
                Shares::NearestMean(means.view())
            }
        };
        Ok(by_shares(samples, shares)?)
    }
}

impl<F: Float, R> GmmValidParams<F, R> {
    /// The start parameters of one run, and what had to be repaired for them.
    pub(crate) fn start(
        &self,
        samples: &Samples<F>,
        summary: &Summary,
        seed: u64,
        threads: Threads,
    ) -> Result<(Mixture<F>, Vec<Repair>), GmmError> {
        let (k, settings) = (self.n_clusters(), self.settings());
        let by_shares =
            |samples: &Samples<F>, shares: Shares<F>| from_shares(samples, shares, k, &settings, summary, threads);
        match self.init_method() {
            given @ (GmmInitMethod::Labels(_) | GmmInitMethod::Responsibilities(_)) => {
                given.share(samples, k, summary, seed, threads, by_shares)
            }
            GmmInitMethod::Parameters { .. } | GmmInitMethod::Mixture(_) => {
                let noise = settings.noise.map(|noise| Uniform::over(samples, noise, summary, threads)).transpose()?;
                let by_nearest_mean = |means: &Array2<F>| Ok(by_shares(samples, Shares::NearestMean(means.view()))?);
                self.given_start(samples.n_columns(), noise, by_nearest_mean)
            }
            _ if settings.noise.is_none() && settings.tails == Tails::Gaussian => {
                self.found(samples, &settings, summary, seed, threads)
            }
            _ => self.found_without_far_rows(samples, summary, seed, threads),
        }
    }

    /// The start of given parameters, completed by what follows from the partition by the nearest mean.
    pub(crate) fn given_start(
        &self,
        d: usize,
        noise: Option<Uniform>,
        by_nearest_mean: impl FnOnce(&Array2<F>) -> Result<(Mixture<F>, Vec<Repair>), GmmError>,
    ) -> Result<(Mixture<F>, Vec<Repair>), GmmError> {
        let (given, degrees) = match self.init_method() {
            GmmInitMethod::Parameters { weights, means, covariances } => {
                (Given { weights: weights.as_ref(), means, covariances: covariances.as_ref() }, None)
            }
            GmmInitMethod::Mixture(Mixture { weights, means, covariances, degrees, .. }) => {
                (Given { weights: Some(weights), means, covariances: Some(covariances) }, degrees.clone())
            }
            _ => return Err(StartError::ComponentCount { expected: self.n_clusters(), got: 0 }.into()),
        };
        let (mixture, repairs) = given.start(&self.settings(), self.n_clusters(), d, noise, by_nearest_mean)?;
        Ok((Mixture { degrees, ..mixture }, repairs))
    }

    /// The start that a method finds by itself in the rows that are not far from all others, and noise if there is to be.
    fn found_without_far_rows(
        &self,
        samples: &Samples<F>,
        summary: &Summary,
        seed: u64,
        threads: Threads,
    ) -> Result<(Mixture<F>, Vec<Repair>), GmmError> {
        let mut settings = self.settings();
        let noise = settings.noise.take().map(|noise| Uniform::over(samples, noise, summary, threads)).transpose()?;
        let far = far_rows(samples, self.n_clusters(), summary, threads);
        let weights: Vec<f64> = (0..far.len()).map(|i| if far[i] { 0.0 } else { samples.weight(i) }).collect();
        let rows = samples.rows();
        // Known rows are not far, wherever they are, and start components.
        let apart = far.contains(&true) && samples.known().is_none();
        let near = apart.then(|| Samples::weighted(&rows, weights)).and_then(Result::ok);
        // Without those rows there may be too few.
        let found = near.and_then(|near| self.found(&near, &settings, summary, seed, threads).ok());
        let (mixture, repairs) = found.map_or_else(|| self.found(samples, &settings, summary, seed, threads), Ok)?;
        Ok((if let Some(noise) = noise { mixture.with_noise(noise) } else { mixture }, repairs))
    }

    /// The start that a method finds by itself, without noise.
    fn found(
        &self,
        samples: &Samples<F>,
        settings: &MixtureSettings,
        summary: &Summary,
        seed: u64,
        threads: Threads,
    ) -> Result<(Mixture<F>, Vec<Repair>), GmmError> {
        let by_shares = |samples: &Samples<F>, shares: Shares<F>| {
            from_shares(samples, shares, self.n_clusters(), settings, summary, threads)
        };
        self.init_method().share(samples, self.n_clusters(), summary, seed, threads, by_shares)
    }
}

/// Parameters as the caller gave them.
struct Given<'a, F> {
    weights: Option<&'a Array1<F>>,
    means: &'a Array2<F>,
    covariances: Option<&'a Covariances<F>>,
}

impl<F: Float> Given<'_, F> {
    fn start(
        &self,
        settings: &MixtureSettings,
        k: usize,
        d: usize,
        noise: Option<Uniform>,
        by_nearest_mean: impl FnOnce(&Array2<F>) -> Result<(Mixture<F>, Vec<Repair>), GmmError>,
    ) -> Result<(Mixture<F>, Vec<Repair>), GmmError> {
        let (rows, columns) = self.means.dim();
        if rows != k {
            return Err(StartError::ComponentCount { expected: k, got: rows }.into());
        }
        if columns != d {
            return Err(StartError::ColumnCount { expected: d, got: columns }.into());
        }
        let (weights, covariances, repairs) = match (self.weights, self.covariances) {
            (Some(weights), Some(covariances)) => (weights.clone(), covariances.clone(), Vec::new()),
            (weights, covariances) => {
                let (found, repairs) = by_nearest_mean(self.means)?;
                let weights = weights.cloned().unwrap_or(found.weights);
                (weights, covariances.cloned().unwrap_or(found.covariances), repairs)
            }
        };
        if weights.len() != k {
            return Err(ParameterError::Shape { part: "weights", k, d }.into());
        }
        if !covariances.fits(k, d) {
            return Err(ParameterError::Shape { part: "covariances", k, d }.into());
        }
        let covariances = settings.covariance.shape(&covariances, &weights, d);
        let mixture = Mixture::new(weights, self.means.clone(), covariances);
        let left = 1.0 - mixture.weights.iter().map(|w| w.widen()).sum::<f64>();
        let mixture = match noise {
            // What rounding leaves is nothing.
            Some(noise) if left > 1e-5 => Mixture { noise: Some(Uniform { weight: left, ..noise }), ..mixture },
            Some(noise) => mixture.with_noise(noise),
            None => mixture,
        };
        Ok((mixture, repairs))
    }
}
