//! Starts from one hierarchy of partitions, for any number of components.
//!
//! The tree that agglomeration builds does not depend on k, so that a whole selection cuts one tree. Where only a sample of
//! the rows is in it, the parameters that are estimated from the sample are the start, as in mclust.

use super::GmmError;
use crate::Float;
use crate::input::on_whole_rows;
use miscela_em::{Shares, StartError, Summary};
use miscela_init::{Agglomerate, Agglomeration, SeedingError, quantile_labels};
use miscela_kernel::{Samples, Threads};

/// Partitions of some rows for every k.
#[derive(Debug)]
pub(super) enum Hierarchy {
    /// One column is cut at its quantiles.
    Quantiles,
    /// Several columns have a tree.
    Tree(Agglomeration),
}

/// A partition of rows into k clusters.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// n
    pub(super) labels: Vec<usize>,
    /// The weights of the rows that have labels, where those are a sample.
    pub(super) drawn: Option<Vec<f64>>,
}

impl Hierarchy {
    /// Builds the tree. Cost: see [`Agglomerate`].
    pub(super) fn new<F: Float>(samples: &Samples<F>, seed: u64, threads: Threads) -> Result<Self, SeedingError> {
        match samples.n_columns() {
            1 => Ok(Hierarchy::Quantiles),
            _ => Ok(Hierarchy::Tree(Agglomerate::default().tree(samples, seed, threads)?)),
        }
    }

    /// Whether the seed matters.
    pub(super) fn is_random<F: Float>(samples: &Samples<F>) -> bool {
        samples.n_columns() > 1 && Agglomerate::default().samples_rows(samples)
    }

    /// Starts by the partition into k, which is one of all rows, or of a sample that is handed over instead of them.
    pub(super) fn start<F: Float, T>(
        &self,
        samples: &Samples<F>,
        k: usize,
        summary: &Summary,
        by_shares: impl FnOnce(&Samples<F>, Shares<F>) -> Result<T, StartError>,
    ) -> Result<T, GmmError> {
        let cut = on_whole_rows(samples, summary, |whole| Ok::<_, GmmError>(self.cut(whole, k)?))?;
        let shares = Shares::Labels(&cut.labels);
        match cut.drawn {
            None => Ok(by_shares(samples, shares)?),
            Some(drawn) => Ok(by_shares(&Samples::with_missing(&samples.rows(), Some(drawn.into()))?, shares)?),
        }
    }

    /// The partition into k clusters of rows without gaps.
    pub(super) fn cut<F: Float>(&self, samples: &Samples<F>, k: usize) -> Result<Cut, SeedingError> {
        let tree = match self {
            Hierarchy::Quantiles => return Ok(Cut { labels: quantile_labels(samples, k)?, drawn: None }),
            Hierarchy::Tree(tree) => tree,
        };
        let found = tree.labels(k)?;
        // Rows without a label have no weight, or none in the sample.
        let labels = found.iter().map(|label| label.unwrap_or(0)).collect();
        let drawn = tree.is_sample().then(|| found.iter().map(|label| f64::from(u8::from(label.is_some()))).collect());
        Ok(Cut { labels, drawn })
    }
}
