//! Rows whose cluster is known: semi-supervised clustering.
//!
//! A known row stays where it is known to be, in every E-step: its likelihood is ln(wₖ Nₖ(x)) of its own component k, where
//! that of other rows is the mixture's (for k-means: Basu, Banerjee & Mooney 2002). With all rows known a mixture is Gaussian
//! discriminant analysis, in one M-step.
//!
//! Where no start is given, each component with known rows starts at their mean; the others are seeded among rows of unknown
//! label, which count the more the farther they are from those means.

use crate::Float;
use miscela_distance::Distance;
use miscela_init::{KMeansInit, Seeding, SeedingError};
use miscela_kernel::{Centroids, NearestScratch, Samples, SamplesError, Threads, UNKNOWN};
use ndarray::Array2;
use rand::RngCore;

/// What is wrong with known labels.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KnownLabelsError {
    /// Not one entry a row.
    #[error(
        "there are known labels for {got} rows and the data has {expected}; give one entry a row, none where unknown"
    )]
    RowCount {
        /// Rows of the data.
        expected: usize,
        /// Entries.
        got: usize,
    },
    /// A label is too large.
    #[error("the known label of row {row} is {label}; with {k} clusters labels run from 0 to {last}", last = k - 1)]
    Label {
        /// 0-based row.
        row: usize,
        /// Its label.
        label: usize,
        /// Clusters.
        k: usize,
    },
    /// A cluster has neither known rows nor others to start from.
    #[error("no row is known to be of cluster {0}, and no other row is left to start it from; ask for fewer clusters")]
    NoRows(usize),
    /// No start could be found for the clusters without known rows.
    #[error(transparent)]
    Seeding(#[from] SeedingError),
    /// Values are missing.
    #[error("known labels need rows without missing values; fill those first")]
    Missing,
    /// A start that knows nothing of the labels.
    #[error("a hierarchical start numbers its clusters as it likes, and cannot follow known labels; use another start")]
    Hierarchical,
}

/// The labels as the engine has them.
pub(crate) fn labels<F: Float>(
    known: &[Option<usize>],
    samples: &Samples<F>,
    k: usize,
) -> Result<Vec<u32>, KnownLabelsError> {
    let n_rows = samples.n_rows();
    if samples.n_missing() > 0 {
        return Err(KnownLabelsError::Missing);
    }
    if known.len() != n_rows {
        return Err(KnownLabelsError::RowCount { expected: n_rows, got: known.len() });
    }
    let label = |(row, known): (usize, &Option<usize>)| match *known {
        None => Ok(UNKNOWN),
        Some(label) if label < k => Ok(label as u32),
        Some(label) => Err(KnownLabelsError::Label { row, label, k }),
    };
    known.iter().enumerate().map(label).collect()
}

/// Start centres, k × d, for rows of which some are known.
pub(crate) fn centres<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    known: &[u32],
    k: usize,
    init: &KMeansInit<F>,
    distance: &D,
    threads: Threads,
    rng: &mut dyn RngCore,
) -> Result<Array2<F>, KnownLabelsError> {
    let (sums, totals) = sums_of(samples, known, k);
    let missing: Vec<usize> = (0..k).filter(|c| totals[*c] <= 0.0).collect();
    let mut centres = Array2::from_shape_fn((k, samples.n_columns()), |(c, j)| F::narrow(sums[[c, j]] / totals[c]));
    if let Some(first) = missing.first() {
        let found: Vec<usize> = (0..k).filter(|c| totals[*c] > 0.0).collect();
        let known_centres = centres.select(ndarray::Axis(0), &found);
        let weights = far_from(samples, known, &known_centres, distance);
        let rows = samples.rows();
        let rest = Samples::weighted(&rows, weights).map_err(|error| match error {
            SamplesError::NoWeight => KnownLabelsError::NoRows(*first),
            other => KnownLabelsError::Seeding(other.into()),
        })?;
        let seeds = init.seed(&rest, missing.len(), distance, threads, rng)?.centres;
        missing.iter().zip(seeds.outer_iter()).for_each(|(c, seed)| centres.row_mut(*c).assign(&seed));
    }
    Ok(centres)
}

/// Σ w x and Σ w of the known rows of each cluster.
fn sums_of<F: Float>(samples: &Samples<F>, known: &[u32], k: usize) -> (Array2<f64>, Vec<f64>) {
    let (mut sums, mut totals) = (Array2::zeros((k, samples.n_columns())), vec![0.0; k]);
    for (i, (row, label)) in samples.rows().outer_iter().zip(known).enumerate() {
        let w = samples.weight(i);
        if *label != UNKNOWN && w > 0.0 {
            sums.row_mut(*label as usize).iter_mut().zip(row).for_each(|(s, x)| *s += w * x.widen());
            totals[*label as usize] += w;
        }
    }
    (sums, totals)
}

/// How much rows count for seeds: w·D of their distance D to the nearest centre, or w where there is none to tell; rows that
/// are known do not.
fn far_from<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    known: &[u32],
    centres: &Array2<F>,
    distance: &D,
) -> Vec<f64> {
    let plain = |i: usize| if known[i] == UNKNOWN { samples.weight(i) } else { 0.0 };
    let n = samples.n_rows();
    let mut reach = vec![1.0; n];
    if centres.nrows() > 0 {
        let numbers: Vec<F> = centres.iter().copied().collect();
        let index = Centroids::new(&numbers, &numbers[..samples.n_columns()]);
        let (mut scratch, mut copied, mut nearest) = (NearestScratch::default(), Vec::new(), Vec::new());
        for first in (0..n).step_by(miscela_kernel::BLOCK_ROWS) {
            let rows = first..(first + miscela_kernel::BLOCK_ROWS).min(n);
            nearest.resize(rows.len(), 0);
            distance.nearest(
                &samples.block(rows.clone(), &mut copied),
                &index,
                &mut nearest,
                &mut reach[rows],
                &mut scratch,
            );
        }
    }
    let most = (0..n).filter(|i| plain(*i) > 0.0).fold(0.0f64, |most, i| most.max(reach[i]));
    let share = |i: usize| if most > 0.0 { reach[i] / most } else { 1.0 };
    // As shares of the greatest, none too small to be a weight.
    (0..n).map(|i| plain(i) * share(i)).map(|w| if w < 1e-30 { 0.0 } else { w }).collect()
}
