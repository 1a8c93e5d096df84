//! K-means by partial distances: over the columns that a row shows, and no others.
//!
//! ```text
//! label   argminₖ Σ_{j ∈ O} (xⱼ − cₖⱼ)²        O the row's observed columns
//! centre  cₖⱼ = Σ w xⱼ / Σ w                   over the rows of cluster k that show column j
//! ```
//!
//! Both steps lower Σ w minₖ Σ_{j ∈ O} (xⱼ − cₖⱼ)² or leave it, because the sums are not scaled up by d/|O| as Dixon (1979) does
//! to compare rows: within one row the scale changes nothing. This is the k-POD of Chi, Chi & Baraniuk (2016), whose
//! objective is the same, with the centres found at once. Entries of a centre whose column none of its rows shows stay.

use super::columns::{ColumnMoments, column_moments};
use crate::engine::Assigned;
use crate::gaussian::weighted;
use crate::inference::CentroidFit;
use crate::passes::over_lanes;
use crate::report::RepairAction;
use miscela_kernel::{Block, Centroids, Float, Samples, Threads};
use ndarray::{Array1, Array2, ArrayView2};

/// Σ (xⱼ − cⱼ)² over the columns that the row shows.
pub(crate) fn squared_partial_distance<F: Float>(row: &[F], centre: &[F]) -> f64 {
    let squares = row.iter().zip(centre).map(|(x, c)| {
        let z = x.widen() - c.widen();
        // Centres are finite: NaN comes from the row.
        if z.is_nan() { 0.0 } else { z * z }
    });
    squares.sum()
}

/// The nearest centre and the reduced distance to it; the lowest index of equals.
pub fn partial_nearest_of<F: Float>(row: &[F], centroids: &Centroids<F>) -> (u32, f64) {
    let reduced = centroids.rows().map(|centre| squared_partial_distance(row, centre));
    let nearer = |best: (u32, f64), (c, reduced)| if reduced < best.1 { (c as u32, reduced) } else { best };
    reduced.enumerate().fold((0, f64::INFINITY), nearer)
}

/// Whether two rows are the same; missing values are as good as equal.
pub(crate) fn alike<'a, F: Float>(a: impl IntoIterator<Item = &'a F>, b: impl IntoIterator<Item = &'a F>) -> bool {
    a.into_iter().zip(b).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
}

/// The means of the values that are there, cluster by cluster and column by column, k × d; entries without a value stay, and
/// are listed.
pub(crate) fn observed_centres<F: Float>(
    rows: &Assigned<F>,
    centroids: &Centroids<F>,
) -> (Vec<F>, Vec<(usize, RepairAction, String)>) {
    let shift: Vec<f64> = centroids.all().iter().map(|x| x.widen()).collect();
    let share = |i: usize, _: &[F], shares: &mut [f64]| {
        shares.fill(0.0);
        shares[rows.labels[i] as usize] = 1.0;
    };
    moved_centres(centroids, &column_moments(rows.samples, &shift, share, rows.threads))
}

/// The same by the moments of the values about the centres.
pub(crate) fn moved_centres<F: Float>(
    centroids: &Centroids<F>,
    moments: &ColumnMoments,
) -> (Vec<F>, Vec<(usize, RepairAction, String)>) {
    let d = centroids.width();
    let moved = |(at, x): (usize, &F)| moments.movement(at).map_or(*x, |moved| F::narrow(x.widen() + moved));
    let mut repairs = Vec::new();
    for c in (0..centroids.len()).filter(|c| moments.total[*c] > 0.0) {
        let blank: Vec<String> = (0..d).filter(|j| moments.weight[c * d + j] == 0.0).map(|j| j.to_string()).collect();
        if !blank.is_empty() {
            let detail = format!("none of its rows has a value in column {}; kept the centre's", blank.join(", "));
            repairs.push((c, RepairAction::Unobserved, detail));
        }
    }
    (centroids.all().iter().enumerate().map(moved).collect(), repairs)
}

/// How well centres fit rows with gaps, by partial distances.
pub fn partial_fit<F: Float>(samples: &Samples<F>, centroids: &Centroids<F>, threads: Threads) -> CentroidFit {
    let k = centroids.len();
    let empty = || CentroidFit { inertia: 0.0, sizes: vec![0; k], weights: vec![0.0; k] };
    let work = |block: &Block<F>, fit: &mut CentroidFit, (): &mut ()| {
        for (i, row) in block.rows().enumerate() {
            let ((label, reduced), w) = (partial_nearest_of(row, centroids), block.weight(i));
            fit.inertia += weighted(w, reduced);
            fit.sizes[label as usize] += usize::from(w > 0.0);
            fit.weights[label as usize] += w;
        }
    };
    let threads = threads.for_work(samples.n_rows() as f64 * (k * samples.n_columns()) as f64);
    let mut total = empty();
    for part in over_lanes(samples, 16 * k, threads, empty, work) {
        total.add(&part);
    }
    total
}

/// The nearest centre of each row and the squared partial distance to it, n each; a row without any value is at distance
/// zero of all and goes to the first.
pub fn partial_nearest<F: Float>(
    rows: ArrayView2<F>,
    centroids: &Centroids<F>,
    threads: Threads,
) -> (Array1<usize>, Array1<f64>) {
    let found = each_row(rows, centroids, threads, |row, out| out.push(partial_nearest_of(row, centroids)));
    let labels = found.iter().map(|(label, _)| *label as usize).collect();
    (labels, found.iter().map(|(_, reduced)| *reduced).collect())
}

/// The partial distances of all rows to all centres, n × k.
pub fn partial_distances<F: Float>(rows: ArrayView2<F>, centroids: &Centroids<F>, threads: Threads) -> Array2<F> {
    let found = each_row(rows, centroids, threads, |row, out| {
        out.extend(centroids.rows().map(|centre| F::narrow(squared_partial_distance(row, centre).sqrt())));
    });
    // There are k numbers for each of the n rows.
    Array2::from_shape_vec((rows.nrows(), centroids.len()), found).unwrap_or_default()
}

/// The rows with each missing value taken from the nearest centre, n × d.
pub fn partial_impute<F: Float>(rows: ArrayView2<F>, centroids: &Centroids<F>, threads: Threads) -> Array2<F> {
    let (labels, _) = partial_nearest(rows, centroids, threads);
    let mut out = rows.to_owned();
    for (mut row, label) in out.outer_iter_mut().zip(labels) {
        let gaps = row.iter_mut().zip(centroids.row(label)).filter(|(x, _)| x.is_nan());
        gaps.for_each(|(x, centre)| *x = *centre);
    }
    out
}

/// What `work` adds for each row, in order.
fn each_row<F: Float, T: Clone + Send>(
    rows: ArrayView2<F>,
    centroids: &Centroids<F>,
    threads: Threads,
    work: impl Fn(&[F], &mut Vec<T>) + Sync + Send,
) -> Vec<T> {
    let threads = threads.for_work((rows.len() * centroids.len()) as f64);
    let each = |block: &Block<F>, out: &mut Vec<T>, (): &mut ()| block.rows().for_each(|row| work(row, out));
    over_lanes(&Samples::unchecked(&rows), 0, threads, Vec::new, each).concat()
}
