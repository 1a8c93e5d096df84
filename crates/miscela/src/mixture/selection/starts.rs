//! The starts that all structures share.

use super::{SelectionParams, SelectionStart};
use crate::input::on_whole_rows;
use crate::kmeans::{KMeansError, KMeansParams};
use crate::mixture::hierarchy::{Cut, Hierarchy};
use crate::{Float, GmmError, GmmInitMethod};
use miscela_distance::L2;
use miscela_em::{Covariance, Summary, nearest_labels};
use miscela_kernel::{Centroids, Samples, Threads};
use rand::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

/// The starts for one number of components: a partition each, or why there is none.
pub(super) type Starts = Vec<Result<Cut, String>>;

impl<F: Float> SelectionParams<F> {
    /// The starts for each k. Where values are missing, they see the means of the columns in their place.
    pub(super) fn starts(&self, samples: &Samples<F>, threads: Threads) -> Result<Vec<Starts>, GmmError> {
        samples.check_columns()?;
        on_whole_rows(samples, &Summary::of(samples, threads), |whole| Ok(self.starts_of(whole, threads)))
    }

    fn starts_of(&self, samples: &Samples<F>, threads: Threads) -> Vec<Starts> {
        let mut rng = Xoshiro256Plus::seed_from_u64(self.seed);
        let seed = rng.next_u64();
        let hierarchy = match self.start {
            SelectionStart::Hierarchical => Some(Hierarchy::new(samples, seed, threads)),
            SelectionStart::KMeans => None,
        };
        let n_random = self.n_starts - usize::from(hierarchy.is_some());
        let seeds: Vec<u64> = (0..n_random).map(|_| rng.next_u64()).collect();
        let of_k = |at: usize| -> Starts {
            let k = self.ks[at];
            let cut = hierarchy.as_ref().map(|hierarchy| match hierarchy {
                Ok(hierarchy) => hierarchy.cut(samples, k).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            });
            let by_kmeans = |seed: &u64| by_kmeans(samples, k, *seed, threads).map_err(|error| error.to_string());
            cut.into_iter().chain(seeds.iter().map(by_kmeans)).collect()
        };
        threads.map(self.ks.len(), of_k)
    }

    /// Where a fit of this structure starts for a partition.
    pub(super) fn start_of(
        &self,
        samples: &Samples<F>,
        cut: &Cut,
        k: usize,
        covariance: Covariance,
        threads: Threads,
    ) -> Result<GmmInitMethod<F>, GmmError> {
        let by_labels = GmmInitMethod::Labels(cut.labels.clone());
        let Some(drawn) = &cut.drawn else {
            return Ok(by_labels);
        };
        // Only a sample of the rows has labels: the parameters that are estimated from it are the start.
        let rows = samples.rows();
        self.estimated(&Samples::with_missing(&rows, Some(drawn.into()))?, by_labels, k, covariance, threads)
    }

    /// The parameters that are estimated from a partition of these rows.
    fn estimated(
        &self,
        samples: &Samples<F>,
        by_labels: GmmInitMethod<F>,
        k: usize,
        covariance: Covariance,
        threads: Threads,
    ) -> Result<GmmInitMethod<F>, GmmError> {
        // An M-step, and no iteration.
        let params = self.each.clone().max_n_iterations(0);
        let params = Self { each: params, ..self.clone() }.of(k, covariance, threads)?.with_init(by_labels);
        Ok(params.fit_samples(samples, &mut ())?.parameters().into())
    }

    /// Where a fit starts to rows of which these are a sample.
    pub(super) fn start_by_sample(
        &self,
        samples: &Samples<F>,
        cut: &Cut,
        k: usize,
        covariance: Covariance,
        threads: Threads,
    ) -> Result<GmmInitMethod<F>, GmmError> {
        match self.start_of(samples, cut, k, covariance, threads)? {
            by_labels @ GmmInitMethod::Labels(_) => self.estimated(samples, by_labels, k, covariance, threads),
            estimated => Ok(estimated),
        }
    }
}

/// The partition that k-means finds.
fn by_kmeans<F: Float>(samples: &Samples<F>, k: usize, seed: u64, threads: Threads) -> Result<Cut, KMeansError> {
    let means = KMeansParams::new(k, (), L2).run_from(samples, seed, threads)?;
    let first = means.row(0).to_vec();
    let means = Centroids::new(&means.into_iter().collect::<Vec<F>>(), &first);
    Ok(Cut { labels: nearest_labels(samples, &means, &L2, threads).to_vec(), drawn: None })
}
