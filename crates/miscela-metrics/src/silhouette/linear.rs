//! Sums of distances in O(n) a cluster and column.
//!
//! Squared Euclidean, from the mean m and the scatter of cluster c:
//!
//! ```text
//! Σⱼ wⱼ ‖x − xⱼ‖²  =  W ‖x − m‖² + Σⱼ wⱼ ‖xⱼ − m‖²
//! ```
//!
//! L1, column by column, in the order of the values, with y = x − m, and W< and T< what the rows of cluster c so far weigh
//! and sum to:
//!
//! ```text
//! Σⱼ wⱼ |y − yⱼ|  =  y W< − T<  +  (T − T<) − y (W − W<)
//! ```
//!
//! Taking the mean of each cluster off first keeps the digits of tight clusters that are far apart.

use super::Means;
use crate::Clustering;
use miscela_kernel::Float;

/// Clusters that are worked on for each time that the columns are sorted. A constant, so that memory is O(n); and not less
/// than log₂ n, so that sorting is O(n·k) as well.
const CLUSTERS: usize = 16;

/// The silhouettes by the squared Euclidean distance, in the order of places.
pub(super) fn squared<F: Float>(clustering: &Clustering<F>) -> Vec<f64> {
    let centres = &clustering.dispersion().means;
    let (n, mut means) = (clustering.order.len(), Means::new(clustering.order.len()));
    let mut sums = vec![0.0; n];
    let mut row = vec![F::zero(); clustering.width()];
    for (c, weight) in clustering.weights.iter().enumerate() {
        let centre = &centres[c * clustering.width()..][..clustering.width()];
        for (sum, at) in sums.iter_mut().zip(&clustering.order) {
            clustering.samples.copy_row(*at as usize, &mut row);
            *sum = row.iter().zip(centre).map(|(x, m)| (x.widen() - m).powi(2)).sum();
        }
        let rows = clustering.places(c).zip(clustering.rows_of(c));
        let scatter: f64 = rows.map(|(place, row)| clustering.samples.weight(*row as usize) * sums[place]).sum();
        sums.iter_mut().for_each(|sum| *sum = weight * *sum + scatter);
        means.take(clustering, &clustering.order, c, &sums);
    }
    means.silhouettes(clustering, &clustering.order)
}

/// The silhouettes by L1, in the order of places.
pub(super) fn manhattan<F: Float>(clustering: &Clustering<F>) -> Vec<f64> {
    let (n, d, k) = (clustering.order.len(), clustering.width(), clustering.n_clusters());
    let centres = &clustering.dispersion().means;
    let mut means = Means::new(n);
    let mut sums: Vec<Vec<f64>> = (0..CLUSTERS.min(k)).map(|_| vec![0.0; n]).collect();
    let mut sorted: Vec<(f64, u32)> = Vec::with_capacity(n);
    let table = clustering.samples.rows();
    let threads = clustering.threads.for_work((n * k * d) as f64);
    threads.install(|threads| {
        for first in (0..k).step_by(CLUSTERS) {
            let sums = &mut sums[..CLUSTERS.min(k - first)];
            sums.iter_mut().for_each(|sums| sums.fill(0.0));
            for j in 0..d {
                let value = |row: &u32| table[[clustering.samples.place(*row as usize), j]].widen();
                sorted.clear();
                sorted.extend(clustering.order.iter().zip(0..).map(|(row, place)| (value(row), place)));
                sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                threads.each(sums, |c, sums| sweep(clustering, &sorted, first + c, centres[(first + c) * d + j], sums));
            }
            for (c, sums) in sums.iter().enumerate() {
                means.take(clustering, &clustering.order, first + c, sums);
            }
        }
    });
    means.silhouettes(clustering, &clustering.order)
}

/// Adds the differences of all values of a column to those of cluster `c`, whose mean is `centre`.
fn sweep<F: Float>(clustering: &Clustering<F>, sorted: &[(f64, u32)], c: usize, centre: f64, sums: &mut [f64]) {
    let (places, weight) = (clustering.places(c), clustering.weights[c]);
    let weight_at = |place: u32| clustering.samples.weight(clustering.order[place as usize] as usize);
    let of_cluster = |place: u32| places.contains(&(place as usize));
    let members = || sorted.iter().filter(|(_, place)| of_cluster(*place));
    let total: f64 = members().map(|(x, place)| weight_at(*place) * (x - centre)).sum();
    let (mut weight_below, mut total_below) = (0.0, 0.0);
    for (x, place) in sorted {
        let y = x - centre;
        let (below, above) = (y * weight_below - total_below, (total - total_below) - y * (weight - weight_below));
        sums[*place as usize] += below + above;
        if of_cluster(*place) {
            let w = weight_at(*place);
            weight_below += w;
            total_below += w * y;
        }
    }
}
