//! The m nearest centres of rows, and what the clusters of rows look like.

use crate::gaussian::weighted;
use crate::inference::{fill_rows, nearest_of_all};
use crate::missing::squared_partial_distance;
use miscela_distance::Distance;
use miscela_kernel::{Centroids, Float, Samples, Threads};
use ndarray::{Array1, Array2};

/// The m nearest centres of each row, the nearest first, and the distances (not reduced) to them, n × m each; the lowest index
/// first among equals. Over the columns that rows show, where `partial`. Cost: O(nkd + nk log k), and no n × k matrix.
pub fn nearest_m<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    m: usize,
    partial: bool,
    threads: Threads,
) -> (Array2<usize>, Array2<F>) {
    let (n, k) = (samples.n_rows(), centroids.len());
    let m = m.min(k);
    let mut found = vec![(0, F::zero()); n * m];
    type Scratch = (Vec<f64>, Vec<usize>);
    let work = |block: &miscela_kernel::Block<F>, out: &mut [(usize, F)], (reduced, order): &mut Scratch| {
        reduced.resize(block.len() * k, 0.0);
        if partial {
            for (row, reduced) in block.rows().zip(reduced.chunks_exact_mut(k)) {
                let all = reduced.iter_mut().zip(centroids.rows());
                all.for_each(|(r, centre)| *r = squared_partial_distance(row, centre));
            }
        } else {
            distance.pairwise(block, centroids, reduced);
        }
        for (reduced, out) in reduced.chunks_exact(k).zip(out.chunks_exact_mut(m)) {
            order.clear();
            order.extend(0..k);
            let nearer = |a: &usize, b: &usize| reduced[*a].total_cmp(&reduced[*b]).then(a.cmp(b));
            if m < k {
                order.select_nth_unstable_by(m, nearer);
            }
            order[..m].sort_unstable_by(nearer);
            let found = order.iter().map(|c| (*c, F::narrow(distance.from_reduced(reduced[*c]))));
            out.iter_mut().zip(found).for_each(|(out, found)| *out = found);
        }
    };
    if m > 0 {
        fill_rows(samples, m, k, threads, &mut found, work);
    }
    let at = |(i, j): (usize, usize)| found[i * m + j];
    (Array2::from_shape_fn((n, m), |at_| at(at_).0), Array2::from_shape_fn((n, m), |at_| at(at_).1))
}

/// The rows of one cluster, each in that of the nearest centre.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClusterSummary {
    /// Rows of positive weight.
    pub size: usize,
    /// Σ w
    pub weight: f64,
    /// Σ w · reduced distance (squared for L2) to the centre: the cluster's part of the inertia.
    pub inertia: f64,
    /// Σ w x / Σ w, d numbers; those of the centre in columns without a value. At the end of a fit by L2 it is the centre.
    pub mean: Array1<f64>,
    /// Σ w · distance / Σ w; zero where there are no rows.
    pub mean_distance: f64,
    /// The greatest distance of a row to the centre; zero where there are none.
    pub radius: f64,
    /// The row that is so far away, 0-based; the first of equals.
    pub farthest: Option<usize>,
}

/// A summary of each cluster, k. Distances are over the columns that rows show, where `partial`.
pub fn cluster_summaries<F: Float, D: Distance<F>>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    distance: &D,
    partial: bool,
    threads: Threads,
) -> Vec<ClusterSummary> {
    let (k, d) = (centroids.len(), centroids.width());
    let mut summaries: Vec<ClusterSummary> = (0..k)
        .map(|_| ClusterSummary {
            size: 0,
            weight: 0.0,
            inertia: 0.0,
            mean: Array1::zeros(d),
            mean_distance: 0.0,
            radius: 0.0,
            farthest: None,
        })
        .collect();
    // Of each cluster and column, as some values can be missing.
    let mut weights = Array2::<f64>::zeros((k, d));
    let mut row = vec![F::zero(); d];
    for (i, (label, reduced)) in nearest_of_all(samples, centroids, distance, partial, threads).into_iter().enumerate()
    {
        let (w, own) = (samples.weight(i), label as usize);
        if w == 0.0 {
            continue;
        }
        let (summary, far) = (&mut summaries[own], distance.from_reduced(reduced));
        summary.size += 1;
        summary.weight += w;
        summary.inertia += weighted(w, reduced);
        summary.mean_distance += w * far;
        if summary.farthest.is_none() || far > summary.radius {
            (summary.radius, summary.farthest) = (far, Some(i));
        }
        samples.copy_row(i, &mut row);
        // About the centre, so that no digits are lost far from the origin.
        for (j, (x, centre)) in row.iter().zip(centroids.row(own)).enumerate().filter(|(_, (x, _))| !x.is_nan()) {
            summary.mean[j] += w * (x.widen() - centre.widen());
            weights[[own, j]] += w;
        }
    }
    for (c, summary) in summaries.iter_mut().enumerate() {
        let share = |sum: f64, weight: f64| if weight > 0.0 { sum / weight } else { 0.0 };
        summary.mean_distance = share(summary.mean_distance, summary.weight);
        for (j, mean) in summary.mean.iter_mut().enumerate() {
            *mean = centroids.row(c)[j].widen() + share(*mean, weights[[c, j]]);
        }
    }
    summaries
}
