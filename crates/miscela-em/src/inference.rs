//! What fitted parameters say of rows: labels, responsibilities, densities, and the figures of a fit.

use crate::assignment::Assignment;
use crate::centroids::KMeansScratch;
use crate::density::Density;
use crate::gaussian::weighted;
use crate::missing::{partial_nearest_of, squared_partial_distance};
use crate::passes::over_lanes;
use crate::statistics::{MergeError, Sums};
use crate::tiles::{GaussianScratch, tile_rows};
use miscela_distance::Distance;
use miscela_kernel::{
    Block, Centroids, Column, Float, Lanes, NearestScratch, Samples, Scatter, TILE_ROWS, Threads, soften, winners,
};
use ndarray::{Array1, Array2};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How well centres fit rows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct CentroidFit {
    /// Σ w · reduced distance to the nearest centre, from direct differences.
    pub inertia: f64,
    /// Rows of positive weight by label.
    pub sizes: Vec<usize>,
    /// Σ w by label.
    pub weights: Vec<f64>,
}

impl CentroidFit {
    /// Fails unless it is of k clusters.
    pub(crate) fn check(&self, k: usize) -> Result<(), MergeError> {
        if (self.sizes.len(), self.weights.len()) == (k, k) {
            return Ok(());
        }
        Err(MergeError::Shape(self.sizes.len(), k, self.weights.len(), k))
    }

    /// Adds the figures of other rows.
    pub(crate) fn add(&mut self, other: &CentroidFit) {
        self.inertia += other.inertia;
        self.sizes.iter_mut().zip(&other.sizes).for_each(|(t, p)| *t += p);
        self.weights.iter_mut().zip(&other.weights).for_each(|(t, p)| *t += p);
    }
}

/// How well a mixture fits rows.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct MixtureFit {
    /// Σ w ln p(x)
    pub log_likelihood: f64,
    /// Σ w maxₖ ln(wₖ Nₖ(x)): what hard assignment maximises.
    pub classification_log_likelihood: f64,
    /// Σ w T ln Σ exp(ln(wₖ Nₖ(x))/T) at the temperature asked for.
    pub tempered_log_likelihood: f64,
    /// Σ w
    pub total_weight: f64,
    /// Rows of positive weight by label; those of the noise, if there is some, come last.
    pub sizes: Vec<usize>,
}

impl MixtureFit {
    /// Fails unless it is of so many labels.
    pub(crate) fn check(&self, n_labels: usize) -> Result<(), MergeError> {
        if self.sizes.len() == n_labels { Ok(()) } else { Err(MergeError::Shape(self.sizes.len(), n_labels, 0, 0)) }
    }

    /// Adds the figures of other rows.
    pub(crate) fn add(&mut self, other: &MixtureFit) {
        self.log_likelihood += other.log_likelihood;
        self.classification_log_likelihood += other.classification_log_likelihood;
        self.tempered_log_likelihood += other.tempered_log_likelihood;
        self.total_weight += other.total_weight;
        self.sizes.iter_mut().zip(&other.sizes).for_each(|(t, p)| *t += p);
    }

    /// What a rule of assignment maximises; for the tempered one at the temperature that was asked for.
    pub(crate) fn objective(&self, assignment: Assignment) -> f64 {
        match assignment.at_end() {
            Assignment::Hard => self.classification_log_likelihood,
            Assignment::Tempered(_) => self.tempered_log_likelihood,
            _ => self.log_likelihood,
        }
    }
}

/// One pass over the rows: inertia, sizes and weights of the clusters.
pub fn evaluate_centroids<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    threads: Threads,
) -> CentroidFit {
    let k = centroids.len();
    let empty = || CentroidFit { inertia: 0.0, sizes: vec![0; k], weights: vec![0.0; k] };
    let work = |block: &Block<F>, fit: &mut CentroidFit, scratch: &mut (NearestScratch<F>, Vec<u32>, Vec<f64>)| {
        let (nearest, labels, reduced) = scratch;
        labels.resize(block.len(), 0);
        reduced.resize(block.len(), 0.0);
        distance.nearest(block, centroids, labels, reduced, nearest);
        block.impose(labels, |i, label| reduced[i] = distance.reduced(block.row(i), centroids.row(label as usize)));
        for (i, (label, reduced)) in labels.iter().zip(reduced).enumerate() {
            let w = block.weight(i);
            fit.inertia += weighted(w, *reduced);
            fit.sizes[*label as usize] += usize::from(w > 0.0);
            fit.weights[*label as usize] += w;
        }
    };
    let mut total = empty();
    let threads = threads.for_work(samples.n_rows() as f64 * (k * samples.n_columns()) as f64);
    for part in over_lanes(samples, Sums::bytes(k, 1, Scatter::Spherical), threads, empty, work) {
        total.add(&part);
    }
    total
}

/// One pass over the rows: likelihoods and sizes.
pub fn evaluate_mixture<F: Float>(
    samples: &Samples<F>,
    density: &Density<F>,
    temperature: f64,
    threads: Threads,
) -> MixtureFit {
    let k = density.n_labels();
    let empty = || MixtureFit {
        log_likelihood: 0.0,
        classification_log_likelihood: 0.0,
        tempered_log_likelihood: 0.0,
        total_weight: 0.0,
        sizes: vec![0; k],
    };
    let work = |block: &Block<F>, fit: &mut MixtureFit, scratch: &mut GaussianScratch<F>| {
        for t in 0..scratch.fill(block, density.offset(), k) {
            let columns = scratch.log_densities(density, t);
            let (winner, greatest) = winners(columns);
            let tempered = (temperature != 1.0).then(|| soften(&mut columns.to_vec(), F::narrow(temperature)));
            let total = soften(columns, F::one());
            let tempered = tempered.unwrap_or(total);
            for (i, row) in tile_rows(block.len(), t).enumerate() {
                let w = block.weight(row);
                fit.log_likelihood += weighted(w, total.0[i].widen());
                fit.classification_log_likelihood += weighted(w, greatest.0[i].widen());
                fit.tempered_log_likelihood += weighted(w, tempered.0[i].widen());
                fit.sizes[winner.0[i] as usize] += usize::from(w > 0.0);
                fit.total_weight += w;
            }
        }
    };
    let mut total = empty();
    let threads = threads.for_work(samples.n_rows() as f64 * (k * samples.n_columns()) as f64);
    for part in over_lanes(samples, 8 * k, threads, empty, work) {
        total.add(&part);
    }
    total
}

/// Fills `out`, `width` entries a row, block by block.
pub(crate) fn fill_rows<F: Float, T: Send, S: Default>(
    samples: &Samples<F>,
    width: usize,
    k: usize,
    threads: Threads,
    out: &mut [T],
    work: impl Fn(&Block<F>, &mut [T], &mut S) + Sync + Send,
) {
    let lanes = Lanes::new(samples.n_rows(), 1);
    let operations = samples.n_rows() as f64 * (k * samples.n_columns()) as f64;
    let mut chunks: Vec<&mut [T]> = out.chunks_mut(lanes.rows_per_lane() * width).collect();
    threads.for_work(operations).each(&mut chunks, |lane, chunk| {
        let (mut scratch, mut rows) = (S::default(), Vec::new());
        let mut rest = &mut chunk[..];
        for range in lanes.blocks(lane) {
            let (out, tail) = std::mem::take(&mut rest).split_at_mut(range.len() * width);
            work(&samples.block(range, &mut rows), out, &mut scratch);
            rest = tail;
        }
    });
}

/// The label of the nearest centre of each row, n.
pub fn nearest_labels<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    threads: Threads,
) -> Array1<usize> {
    let mut labels = vec![0; samples.n_rows()];
    fill_rows(samples, 1, centroids.len(), threads, &mut labels, |block, out, scratch: &mut KMeansScratch<F>| {
        let labels = &mut scratch.labels[..block.len()];
        distance.assign(block, centroids, labels, &mut scratch.nearest);
        out.iter_mut().zip(labels).for_each(|(out, label)| *out = *label as usize);
    });
    labels.into()
}

/// The nearest centre of each row and the reduced distance to it, n; over the columns that rows show, where distances are
/// partial.
pub(crate) fn nearest_of_all<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    partial: bool,
    threads: Threads,
) -> Vec<(u32, f64)> {
    let mut found = vec![(0, 0.0); samples.n_rows()];
    type Scratch<F> = (KMeansScratch<F>, Vec<f64>);
    fill_rows(samples, 1, centroids.len(), threads, &mut found, |block, out, (scratch, reduced): &mut Scratch<F>| {
        if partial {
            return out.iter_mut().zip(block.rows()).for_each(|(out, row)| *out = partial_nearest_of(row, centroids));
        }
        reduced.resize(block.len(), 0.0);
        let labels = &mut scratch.labels[..block.len()];
        distance.nearest(block, centroids, labels, reduced, &mut scratch.nearest);
        out.iter_mut().zip(labels.iter().zip(reduced)).for_each(|(out, (label, r))| *out = (*label, *r));
    });
    found
}

/// The nearest centre of each row and the reduced distance to it, n each.
pub fn nearest_centres<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    threads: Threads,
) -> (Array1<usize>, Array1<f64>) {
    let found = nearest_of_all(samples, centroids, distance, false, threads);
    let labels = found.iter().map(|(label, _)| *label as usize).collect();
    (labels, found.iter().map(|(_, reduced)| *reduced).collect())
}

/// The reduced distance of each row to its nearest centre, n.
pub fn nearest_reduced<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    threads: Threads,
) -> Array1<f64> {
    let mut reduced = vec![0.0; samples.n_rows()];
    fill_rows(samples, 1, centroids.len(), threads, &mut reduced, |block, out, scratch: &mut KMeansScratch<F>| {
        let labels = &mut scratch.labels[..block.len()];
        distance.nearest(block, centroids, labels, out, &mut scratch.nearest);
    });
    reduced.into()
}

/// The reduced distances of all rows to all centres, row by row, n × k; over the columns that rows show, where distances are
/// partial.
pub(crate) fn reduced_to_all<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    partial: bool,
    threads: Threads,
) -> Vec<f64> {
    let k = centroids.len();
    let mut reduced = vec![0.0; samples.n_rows() * k];
    fill_rows(samples, k, k, threads, &mut reduced, |block, out, (): &mut ()| {
        if !partial {
            return distance.pairwise(block, centroids, out);
        }
        for (row, out) in block.rows().zip(out.chunks_exact_mut(k)) {
            out.iter_mut().zip(centroids.rows()).for_each(|(r, centre)| *r = squared_partial_distance(row, centre));
        }
    });
    reduced
}

/// The distances of all rows to all centres, n × k.
pub fn distances<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    threads: Threads,
) -> Array2<F> {
    let k = centroids.len();
    let mut out = Array2::zeros((samples.n_rows(), k));
    if let Some(out) = out.as_slice_mut() {
        fill_rows(samples, k, k, threads, out, |block, out, scratch: &mut Vec<f64>| {
            scratch.resize(out.len(), 0.0);
            distance.pairwise(block, centroids, scratch);
            out.iter_mut().zip(scratch).for_each(|(out, r)| *out = F::narrow(distance.from_reduced(*r)));
        });
    }
    out
}

/// The densest component of each row, n; the lowest index on ties, and k for the noise.
pub fn densest_labels<F: Float>(samples: &Samples<F>, density: &Density<F>, threads: Threads) -> Array1<usize> {
    let k = density.n_labels();
    let mut labels = vec![0; samples.n_rows()];
    fill_rows(samples, 1, k, threads, &mut labels, |block, out, scratch: &mut GaussianScratch<F>| {
        for (t, out) in (0..scratch.fill(block, density.offset(), k)).zip(out.chunks_mut(TILE_ROWS)) {
            let (winner, _) = winners(scratch.log_densities(density, t));
            out.iter_mut().zip(winner.0).for_each(|(out, winner)| *out = winner as usize);
        }
    });
    labels.into()
}

/// The probability of each component for each row, n × k, and k + 1 columns with noise, the last; each row sums to one.
pub fn responsibilities<F: Float>(samples: &Samples<F>, density: &Density<F>, threads: Threads) -> Array2<F> {
    shares(samples, density, 1.0, threads)
}

/// What an E-step at a temperature shares out: r ∝ exp(l/T), n × k, and k + 1 columns with noise, the last; each row sums to
/// one. At T = 1 these are the [`responsibilities`].
pub fn shares<F: Float>(samples: &Samples<F>, density: &Density<F>, temperature: f64, threads: Threads) -> Array2<F> {
    let k = density.n_labels();
    let mut out = Array2::zeros((samples.n_rows(), k));
    if let Some(out) = out.as_slice_mut() {
        fill_rows(samples, k, k, threads, out, |block, out, scratch: &mut GaussianScratch<F>| {
            for (t, out) in (0..scratch.fill(block, density.offset(), k)).zip(out.chunks_mut(TILE_ROWS * k)) {
                let columns = scratch.log_densities(density, t);
                soften(columns, F::narrow(temperature));
                out.chunks_exact_mut(k).enumerate().for_each(|(i, row)| probabilities_of(columns, i, row));
            }
        });
    }
    out
}

/// Copies the probabilities of row `i` of a tile whose log-densities were softened.
pub(crate) fn probabilities_of<F: Float>(columns: &[Column<F>], i: usize, row: &mut [F]) {
    row.iter_mut().zip(columns).for_each(|(r, column)| *r = column.0[i]);
    // A row so far out that no density is above zero goes where its label goes, to the first.
    if row.iter().all(|r| *r == F::zero()) {
        row[0] = F::one();
    }
}

/// ln p(x) of each row, n.
pub fn log_densities<F: Float>(samples: &Samples<F>, density: &Density<F>, threads: Threads) -> Array1<f64> {
    let k = density.n_labels();
    let mut out = vec![0.0; samples.n_rows()];
    fill_rows(samples, 1, k, threads, &mut out, |block, out, scratch: &mut GaussianScratch<F>| {
        for (t, out) in (0..scratch.fill(block, density.offset(), k)).zip(out.chunks_mut(TILE_ROWS)) {
            let total = soften(scratch.log_densities(density, t), F::one());
            out.iter_mut().zip(total.0).for_each(|(out, l)| *out = l.widen());
        }
    });
    out.into()
}
