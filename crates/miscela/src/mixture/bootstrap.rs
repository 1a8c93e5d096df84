//! Standard errors of the parameters by the weighted likelihood bootstrap (Newton & Raftery 1994; O'Hagan, Murphy, Scrucca &
//! Gormley 2019).
//!
//! Each replicate gives every row a random weight, exponential of mean one, and takes EM on from the fitted parameters: these
//! are near already, so components keep their labels, and no row, and so no small component, is ever left out. A row that
//! weighs w counts as w rows: its weight is the sum of w exponentials, Gamma of shape w. The spread of the parameters over the
//! replicates is their standard error.

use super::{GaussianMixture, GmmError, GmmParamsError};
use crate::Float;
use crate::input::samples_of;
use linfa::DatasetBase;
use miscela_em::{Assignment, Collapse, Mixture};
use miscela_kernel::Threads;
use ndarray::{Array1, Array2, Array3, ArrayBase, Data, Ix2};
use rand::{RngCore, SeedableRng};
use rand_distr::{Distribution, Gamma};
use rand_xoshiro::Xoshiro256Plus;

/// How a bootstrap refits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Refits, at least two.
    pub n_replicates: usize,
    /// What all random weights follow from.
    pub seed: u64,
    /// Of each refit: it stops when the mean log-likelihood rises by less.
    pub tolerance: f64,
    /// The most iterations of a refit.
    pub max_n_iterations: u64,
    /// Who does the work; replicates are shared out, and the result is the same, bit for bit.
    pub threads: Threads,
}

impl Default for Bootstrap {
    /// 999 replicates, seed 42, a tolerance of 1e-7, at most 1000 iterations each.
    fn default() -> Self {
        Self { n_replicates: 999, seed: 42, tolerance: 1e-7, max_n_iterations: 1000, threads: Threads::Ambient }
    }
}

/// The parameters of all refits.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicates<F> {
    mixtures: Vec<Mixture<F>>,
}

/// A standard error for each parameter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StandardErrors {
    /// k
    pub weights: Array1<f64>,
    /// k × d
    pub means: Array2<f64>,
    /// k × d × d
    pub covariances: Array3<f64>,
}

impl<F: Float> GaussianMixture<F> {
    /// Refits the model to the rows it was fitted to, under random weights, as mclust's `MclustBootstrap(type = "wlbs")`.
    ///
    /// Structure, mixing, what is held and the assignment are those of the model, or of the end of an annealed one; after a
    /// stochastic fit it is soft, and components that might go or start again are kept by the floor. Cost: as many fits as
    /// replicates, most of them short.
    ///
    /// ```
    /// use miscela::{Bootstrap, prelude::*};
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(2).tolerance(1e-7).fit(&iris)?;
    /// let errors = model.bootstrap(&iris, Bootstrap { n_replicates: 50, ..Bootstrap::default() })?.standard_errors();
    /// // A share of a third has a standard error of about √(⅓·⅔/150).
    /// assert!((errors.weights[0] - 0.038).abs() < 0.02, "{}", errors.weights);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If there are fewer than two replicates, rows or weights are at fault, or the width is another.
    pub fn bootstrap<S: Data<Elem = F>, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
        plan: Bootstrap,
    ) -> Result<Replicates<F>, GmmError> {
        if plan.n_replicates < 2 {
            return Err(GmmParamsError::NReplicates(plan.n_replicates).into());
        }
        self.check_width(&dataset.records)?;
        let samples = samples_of(dataset, self.missing())?;
        // A refit goes on from where the fit ended: it neither draws, nor do components go or start again, or they would lose
        // their labels.
        let mut params = self.promote();
        if self.assignment() == Assignment::Stochastic {
            params = params.assignment(Assignment::Soft);
        }
        if self.collapse().replaces() {
            params = params.collapse(Collapse::Floor);
        }
        let params =
            params.tolerance(F::narrow(plan.tolerance)).max_n_iterations(plan.max_n_iterations).threads(Threads::One);
        let mut seeds = Xoshiro256Plus::seed_from_u64(plan.seed);
        let seeds: Vec<u64> = (0..plan.n_replicates).map(|_| seeds.next_u64()).collect();
        let refit = |replicate: usize| {
            let mut rng = Xoshiro256Plus::seed_from_u64(seeds[replicate]);
            let weights: Vec<f64> = (0..samples.n_rows()).map(|i| random_weight(samples.weight(i), &mut rng)).collect();
            params.fit_weighted(&samples.rows(), &weights).map(|model| model.mixture)
        };
        let mixtures = plan.threads.install(|threads| threads.map(plan.n_replicates, refit));
        Ok(Replicates { mixtures: mixtures.into_iter().collect::<Result<_, _>>()? })
    }
}

/// Gamma of this shape and scale one; zero stays zero.
fn random_weight(weight: f64, rng: &mut Xoshiro256Plus) -> f64 {
    Gamma::new(weight, 1.0).map_or(0.0, |gamma| gamma.sample(rng))
}

impl<F: Float> Replicates<F> {
    /// The parameters of each refit; component c of each is component c of the model.
    pub fn mixtures(&self) -> &[Mixture<F>] {
        &self.mixtures
    }

    /// The standard deviation of each parameter over the replicates, with their number less one.
    pub fn standard_errors(&self) -> StandardErrors {
        let (k, d) = self.mixtures[0].means.dim();
        let n = self.mixtures.len() as f64;
        let mean: Vec<f64> = self.sum(|sum, x, _| *sum += x, &[]).iter().map(|sum| sum / n).collect();
        let squares = self.sum(|sum, x, mean| *sum += (x - mean).powi(2) / (n - 1.0), &mean);
        let errors: Vec<f64> = squares.iter().map(|s| s.sqrt()).collect();
        let (weights, rest) = errors.split_at(k);
        let (means, covariances) = rest.split_at(k * d);
        StandardErrors {
            weights: weights.iter().copied().collect(),
            means: Array2::from_shape_fn((k, d), |(c, j)| means[c * d + j]),
            covariances: Array3::from_shape_fn((k, d, d), |(c, i, j)| covariances[(c * d + i) * d + j]),
        }
    }

    /// One number a parameter, weights, means and dense covariances in this order, to which `add` adds each replicate's, told
    /// the entry of `about` too (zero where that is shorter).
    fn sum(&self, add: impl Fn(&mut f64, f64, f64), about: &[f64]) -> Vec<f64> {
        let (k, d) = self.mixtures[0].means.dim();
        let mut sums = vec![0.0; k + k * d + k * d * d];
        for mixture in &self.mixtures {
            let covariances = mixture.covariances.dense(k, d);
            let parameters = mixture.weights.iter().chain(&mixture.means).chain(&covariances);
            let about = about.iter().copied().chain(std::iter::repeat(0.0));
            sums.iter_mut().zip(parameters).zip(about).for_each(|((sum, x), about)| add(sum, x.widen(), about));
        }
        sums
    }
}
