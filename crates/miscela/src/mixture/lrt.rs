//! How many components are there? A bootstrap likelihood-ratio test for one more (McLachlan 1987).
//!
//! ```text
//! λ = 2 (ln L(k + 1) − ln L(k)),        p = (1 + #{λ* ≥ λ}) / (B + 1)
//! ```
//!
//! λ does not follow a χ², as k components lie on the edge of k + 1. So B tables are drawn from the fit with k, both are
//! fitted to each, and λ is compared with what comes out where k is the truth. From k on, until a test is not significant
//! (mclust's `mclustBootstrapLRT`).

use super::{GaussianMixture, GmmError, GmmParams, GmmParamsError, GmmValidParams};
use crate::Float;
use crate::input::samples_of;
use linfa::{DatasetBase, ParamGuard};
use miscela_em::Missing;
use miscela_kernel::Threads;
use ndarray::{ArrayBase, ArrayView2, Data, Ix2};
use rand::{Rng, RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

/// The test of k components against k + 1.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LikelihoodRatioTest {
    /// k
    pub n_components: usize,
    /// λ on the dataset.
    pub statistic: f64,
    /// (1 + #{λ* ≥ λ}) / (B + 1)
    pub p_value: f64,
    /// λ* on the tables drawn from k components, B.
    pub replicates: Vec<f64>,
}

/// Tests one after the other.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LikelihoodRatioTests {
    /// In order of k; all but the last, at most, are significant.
    pub tests: Vec<LikelihoodRatioTest>,
    /// The first k that need not be raised, or the greatest that was fitted.
    pub n_components: usize,
}

/// What each replicate needs.
struct Test<'a, F> {
    params: &'a GmmValidParams<F, ()>,
    null: GaussianMixture<F>,
    alternative: GaussianMixture<F>,
    n_rows: usize,
}

impl<F: Float, R: Rng + Clone> GmmValidParams<F, R> {
    /// Tests k against k + 1 components, from the parameters' own number on, until a test is not significant at `level` or
    /// `max_k` components were the alternative.
    ///
    /// All fits follow the parameters, threads apart; a tolerance of 1e-5 or less keeps early stops out of the statistic. On
    /// drawn tables the better of two fits counts: from the usual start, and from the fit to the dataset. A table has as many
    /// rows as the dataset's weights sum to. Cost: 4 · `n_replicates` fits a test, shared out over threads; the result is the
    /// same, bit for bit.
    ///
    /// ```
    /// use miscela::prelude::*;
    /// use rand::SeedableRng;
    ///
    /// let iris = linfa_datasets::iris();
    /// let params = GaussianMixture::params(1).covariance(Covariance::Tied).tolerance(1e-5);
    /// let found = params.bootstrap_lrt(&iris, 2, 19, 0.05)?;
    /// assert_eq!((found.tests.len(), found.n_components), (1, 2));
    /// println!("λ = {}, p = {}", found.tests[0].statistic, found.tests[0].p_value);
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If there are no replicates, the level is not between 0 and 1, the start is given for one number of components, or a fit
    /// fails: see [`fit`](linfa::traits::Fit::fit).
    pub fn bootstrap_lrt<S: Data<Elem = F>, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
        max_k: usize,
        n_replicates: usize,
        level: f64,
    ) -> Result<LikelihoodRatioTests, GmmError> {
        if n_replicates == 0 {
            return Err(GmmParamsError::NReplicates(0).into());
        }
        if !(level > 0.0 && level < 1.0) {
            return Err(GmmParamsError::Level(level).into());
        }
        if self.init_method().is_given() {
            return Err(GmmParamsError::GivenStart.into());
        }
        // What is drawn has all its values, and is not to be compared with rows that have gaps.
        let samples = samples_of(dataset, Missing::Error)?;
        let weights: Vec<f64> = (0..samples.n_rows()).map(|i| samples.weight(i)).collect();
        let n_rows = samples.total_weight().round() as usize;
        let mut rng = self.rng().clone();
        let mut seeds = Xoshiro256Plus::seed_from_u64(rng.next_u64());
        let params = self.clone().with_rng(());
        let fit = |k: usize, seed| {
            params.clone().with_n_clusters(k).with_rng(seeded(seed)).fit_weighted(&samples.rows(), &weights)
        };

        let mut found = LikelihoodRatioTests { tests: Vec::new(), n_components: self.n_clusters() };
        let mut null = fit(found.n_components, seeds.next_u64())?;
        while found.n_components < max_k {
            let alternative = fit(found.n_components + 1, seeds.next_u64())?;
            let test = Test { params: &params, null, alternative, n_rows };
            let drawn: Vec<u64> = (0..n_replicates).map(|_| seeds.next_u64()).collect();
            let result = self.threads().install(|threads| test.run(&drawn, threads))?;
            let significant = result.p_value <= level;
            found.tests.push(result);
            if !significant {
                break;
            }
            found.n_components += 1;
            null = test.alternative;
        }
        Ok(found)
    }
}

fn seeded(seed: u64) -> Xoshiro256Plus {
    Xoshiro256Plus::seed_from_u64(seed)
}

impl<F: Float> Test<'_, F> {
    fn run(&self, seeds: &[u64], threads: Threads) -> Result<LikelihoodRatioTest, GmmError> {
        let statistic = 2.0 * (self.alternative.log_likelihood() - self.null.log_likelihood());
        let replicates = threads.map(seeds.len(), |replicate| self.replicate(seeds[replicate]));
        let replicates = replicates.into_iter().collect::<Result<Vec<f64>, _>>()?;
        let as_extreme = replicates.iter().filter(|drawn| **drawn >= statistic).count();
        let p_value = (1 + as_extreme) as f64 / (1 + replicates.len()) as f64;
        Ok(LikelihoodRatioTest { n_components: self.null.n_clusters(), statistic, p_value, replicates })
    }

    /// λ* on one table drawn from the null.
    fn replicate(&self, seed: u64) -> Result<f64, GmmError> {
        let mut rng = seeded(seed);
        let (rows, _) = self.null.sample(self.n_rows, &mut rng);
        let null = self.refit(&self.null, rows.view(), rng.next_u64())?;
        Ok(2.0 * (self.refit(&self.alternative, rows.view(), rng.next_u64())? - null))
    }

    /// The log-likelihood of the better of two fits with as many components as the model: from it, and from the usual start.
    fn refit(&self, model: &GaussianMixture<F>, rows: ArrayView2<F>, seed: u64) -> Result<f64, GmmError> {
        let params = self.params.clone().with_n_clusters(model.n_clusters()).on_one_thread().with_rng(seeded(seed));
        let dataset = DatasetBase::from(rows);
        let usual = linfa::traits::Fit::fit(&params, &dataset)?;
        let warm = linfa::traits::Fit::fit(&params.with_init(model.parameters().into()), &dataset)?;
        Ok(usual.log_likelihood().max(warm.log_likelihood()))
    }
}

impl<F: Float, R: Rng + Clone> GmmParams<F, R> {
    /// [`GmmValidParams::bootstrap_lrt`] after checking the parameters.
    pub fn bootstrap_lrt<S: Data<Elem = F>, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
        max_k: usize,
        n_replicates: usize,
        level: f64,
    ) -> Result<LikelihoodRatioTests, GmmError> {
        self.check_ref()?.bootstrap_lrt(dataset, max_k, n_replicates, level)
    }
}
