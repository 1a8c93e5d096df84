//! Single steps of the engine: start, E-step, M-step, and all of them to the end.
//!
//! Nothing is remembered from one to the next. An M-step is a fit of one iteration from given parameters, so that it is the
//! engine's own E-step and M-step; and the E-step that is shown is what such a fit shares out.

use crate::error::PlayError;
use crate::points::Points;
use crate::settings::{Settings, Weights};
use crate::shares;
use miscela::prelude::*;
use miscela::{L2, Mixture};
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// The most components that the page has room for.
pub const MAX_K: usize = 8;

/// A run ends after so many iterations, if it has not settled before.
const MOST_ITERATIONS: usize = 500;

/// A run has settled where no parameter moves by more than this, in standard deviations of the points.
const SETTLED: f64 = 1e-5;

/// How to find the centres to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Init {
    /// Distinct points by chance.
    #[serde(rename = "random")]
    Random,
    /// Points far from each other.
    #[serde(rename = "k-means++")]
    KMeansPlusPlus,
}

/// A start: so many centres, found so, by such chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The number of components.
    pub k: usize,
    /// How the centres are found.
    pub init: Init,
    /// What chance is a function of.
    pub seed: u64,
}

/// Parameters of a mixture in the plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// k, summing to one.
    pub weights: Vec<f64>,
    /// k × 2
    pub means: Vec<[f64; 2]>,
    /// k × 2 × 2
    pub covariances: Vec<[[f64; 2]; 2]>,
}

/// Parameters, and how well they explain the points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// The parameters.
    pub parameters: Parameters,
    /// The mean log-likelihood of the mixture, a point.
    pub log_likelihood: f64,
    /// The mean squared distance to the nearest mean: what k-means lowers.
    pub inertia: f64,
    /// What had to be repaired to come here, in words.
    pub repairs: Vec<String>,
}

/// What an M-step gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Maximised {
    /// The new parameters.
    #[serde(flatten)]
    pub frame: Frame,
    /// Whether they are the old ones, but for what no eye can see.
    pub settled: bool,
}

/// What an E-step gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Expected {
    /// n × k as text. A point that belongs to one component but for a two-hundredth is a small letter, `a` for component 0; any
    /// other is the capital of its greatest share, followed by that of each other component in order, as a digit of 64 of the
    /// alphabet `0…9A…Za…z-_`. So the letters are the labels: the densest component of each point.
    pub shares: String,
}

/// What k-means makes of a start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reference {
    /// The label of each point at its end, n.
    pub labels: Vec<usize>,
    /// The mean squared distance to the nearest centre at the start, and after each iteration.
    pub trace: Vec<f64>,
    /// Its centres at the end, k × 2.
    pub centroids: Vec<[f64; 2]>,
}

/// All iterations from some parameters on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Where it began, and what each iteration came to.
    pub frames: Vec<Frame>,
    /// Whether nothing moves any more.
    pub settled: bool,
    /// The E-step at its end.
    #[serde(flatten)]
    pub last: Expected,
}

/// Points to make steps on.
#[derive(Clone, Debug)]
pub struct Steps {
    rows: DatasetBase<Array2<f64>, Array1<()>>,
    /// The mean variance of the two columns.
    variance: f64,
}

impl Steps {
    /// On these points.
    ///
    /// # Errors
    /// If there are more than the page takes.
    pub fn new(points: &[[f64; 2]]) -> Result<Self, PlayError> {
        Points::check(points)?;
        let rows = plane(points);
        let variance = rows.var_axis(Axis(0), 0.0).mean().unwrap_or(0.0);
        Ok(Self { rows: DatasetBase::from(rows), variance })
    }

    fn points(&self) -> ArrayView2<'_, f64> {
        self.rows.records.view()
    }

    /// The centres to start from, k × 2.
    ///
    /// # Errors
    /// If there are fewer distinct points than centres.
    pub fn centres(&self, start: Start) -> Result<Vec<[f64; 2]>, PlayError> {
        let Start { k, init, seed } = start;
        if !(1..=MAX_K).contains(&k) {
            return Err(PlayError::Components(k));
        }
        let init = match init {
            Init::Random => KMeansInit::Random,
            Init::KMeansPlusPlus => KMeansInit::KMeansPlusPlus,
        };
        let params = KMeans::params_with_rng(k, Xoshiro256Plus::seed_from_u64(seed)).init_method(init);
        Ok(listed(params.n_runs(1).max_n_iterations(0).fit(&self.rows)?.centroids()))
    }

    /// What k-means makes of these centres.
    pub fn k_means(&self, centres: &[[f64; 2]]) -> Result<Reference, PlayError> {
        let from = |centres: Array2<f64>, iterations| {
            let params = KMeans::params(centres.nrows()).init_method(KMeansInit::Precomputed(centres)).n_runs(1);
            params.tolerance(0.0).max_n_iterations(iterations).fit(&self.rows)
        };
        let end = from(plane(centres), MOST_ITERATIONS as u64)?;
        let n = self.points().nrows() as f64;
        let mut model = from(plane(centres), 0)?;
        let mut trace = vec![model.inertia_sum() / n];
        for _ in 0..end.report().iterations {
            model = from(model.centroids().clone(), 1)?;
            trace.push(model.inertia_sum() / n);
        }
        let labels = end.try_predict(&self.points())?.to_vec();
        Ok(Reference { labels, trace, centroids: listed(end.centroids()) })
    }

    /// The parameters that a mixture starts from at these centres: the rest follows from the partition by the nearest.
    pub fn start(&self, centres: &[[f64; 2]], settings: &Settings) -> Result<Frame, PlayError> {
        let k = centres.len();
        let init = GmmInitMethod::Parameters {
            weights: equal(settings, k),
            means: plane(centres),
            covariances: self.fixed(settings),
        };
        self.frame(&self.fit(settings, k, init, 0)?)
    }

    /// The E-step: how the points are shared among the components.
    pub fn expect(&self, parameters: &Parameters, settings: &Settings) -> Result<Expected, PlayError> {
        Ok(self.expected(&self.from(parameters, settings, 0)?))
    }

    /// The M-step after the E-step at these parameters.
    pub fn maximise(&self, parameters: &Parameters, settings: &Settings) -> Result<Maximised, PlayError> {
        let frame = self.frame(&self.from(parameters, settings, 1)?)?;
        Ok(Maximised { settled: self.is_settled(parameters, &frame.parameters), frame })
    }

    /// One iteration after the other from these centres on, until nothing moves.
    pub fn run(&self, centres: &[[f64; 2]], settings: &Settings) -> Result<Run, PlayError> {
        let mut frames = vec![self.start(centres, settings)?];
        let mut settled = false;
        while let Some(last) = frames.last().filter(|_| !settled && frames.len() <= MOST_ITERATIONS) {
            let next = self.maximise(&last.parameters, settings)?;
            settled = next.settled;
            frames.push(next.frame);
        }
        let end = frames.last().map(|frame| self.expect(&frame.parameters, settings)).transpose()?;
        Ok(Run { frames, settled, last: end.unwrap_or_default() })
    }

    fn is_settled(&self, before: &Parameters, after: &Parameters) -> bool {
        let near = |a: &f64, b: &f64, unit: f64| (a - b).abs() <= SETTLED * unit;
        let all = |a: &[f64], b: &[f64], unit| a.iter().zip(b).all(|(a, b)| near(a, b, unit));
        all(&before.weights, &after.weights, 1.0)
            && all(before.means.as_flattened(), after.means.as_flattened(), self.variance.sqrt())
            && all(
                before.covariances.as_flattened().as_flattened(),
                after.covariances.as_flattened().as_flattened(),
                self.variance,
            )
    }

    /// A fit from given parameters, brought to what the rules fix.
    fn from(
        &self,
        parameters: &Parameters,
        settings: &Settings,
        iterations: u64,
    ) -> Result<GaussianMixture<f64>, PlayError> {
        let Parameters { weights, means, covariances } = parameters;
        let k = means.len();
        if (weights.len(), covariances.len()) != (k, k) {
            let (weights, covariances) = (weights.len(), covariances.len());
            return Err(PlayError::Parts { weights, means: k, covariances });
        }
        let dense = || Covariances::Full(Array3::from_shape_fn((k, 2, 2), |(c, i, j)| covariances[c][i][j]));
        let init = GmmInitMethod::Parameters {
            weights: Some(equal(settings, k).unwrap_or_else(|| weights.clone().into())),
            means: plane(means),
            covariances: Some(self.fixed(settings).unwrap_or_else(dense)),
        };
        self.fit(settings, k, init, iterations)
    }

    fn fit(
        &self,
        settings: &Settings,
        k: usize,
        init: GmmInitMethod<f64>,
        iterations: u64,
    ) -> Result<GaussianMixture<f64>, PlayError> {
        if !(1..=MAX_K).contains(&k) {
            return Err(PlayError::Components(k));
        }
        Ok(settings.params(k)?.init_method(init).max_n_iterations(iterations).fit(&self.rows)?)
    }

    /// The covariances, where the rules fix them.
    fn fixed(&self, settings: &Settings) -> Option<Covariances<f64>> {
        settings.variance.map(|part| Covariances::TiedSpherical(part * self.variance))
    }

    fn expected(&self, model: &GaussianMixture<f64>) -> Expected {
        Expected { shares: shares::write(model.shares(&self.points()).view()) }
    }

    fn frame(&self, model: &GaussianMixture<f64>) -> Result<Frame, PlayError> {
        let n = self.points().nrows() as f64;
        let Mixture { weights, means, .. } = model.parameters();
        let inertia = KMeans::from_centroids(means.clone(), L2)?.inertia_of(&self.points(), None)?;
        let covariances = model.covariances();
        let matrix = |c: usize| [0, 1].map(|i| [0, 1].map(|j| covariances[[c, i, j]]));
        Ok(Frame {
            parameters: Parameters {
                weights: weights.to_vec(),
                means: listed(means),
                covariances: (0..means.nrows()).map(matrix).collect(),
            },
            log_likelihood: model.log_likelihood() / n,
            inertia: inertia / n,
            repairs: model
                .report()
                .repairs
                .iter()
                .map(|r| format!("component {}: {}", r.component, r.detail))
                .collect(),
        })
    }
}

/// Weights that are equal, where the rules say so.
fn equal(settings: &Settings, k: usize) -> Option<Array1<f64>> {
    (settings.weights == Weights::Equal).then(|| Array1::from_elem(k, 1.0 / k as f64))
}

fn plane(rows: &[[f64; 2]]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), 2), |(i, j)| rows[i][j])
}

fn listed(rows: &Array2<f64>) -> Vec<[f64; 2]> {
    rows.outer_iter().map(|row| [row[0], row[1]]).collect()
}

#[cfg(test)]
mod tests;
