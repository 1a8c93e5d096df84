//! Start parameters from a partition of rows with gaps.
//!
//! ```text
//! mₖⱼ  the mean of the values of column j that component k's rows show
//! vⱼ   their variance about these means, pooled over the components
//! ```
//!
//! The start is then one M-step of incomplete rows (Ghahramani & Jordan 1994) under independent columns with these means and
//! variances: a missing value is at the mean, with v left of it. It needs no complete row.

use super::columns::{ColumnMoments, column_moments};
use super::partial::partial_nearest_of;
use crate::gaussian::MixtureSettings;
use crate::maximise::maximise_start;
use crate::parameters::Mixture;
use crate::passes::over_lanes;
use crate::report::RepairAction;
use crate::start::{Shares, StartError};
use crate::statistics::{Statistics, Sums};
use crate::summary::Summary;
use miscela_kernel::{Block, Centroids, Float, Samples, Scatter, Threads};

/// The parameters that an M-step makes of shares that have been checked, and the repairs.
pub(crate) fn from_shares<F: Float>(
    samples: &Samples<F>,
    shares: &Shares<F>,
    k: usize,
    settings: &MixtureSettings,
    summary: &Summary,
    threads: Threads,
    repairs: &mut Vec<(usize, RepairAction, String)>,
) -> Result<Mixture<F>, StartError> {
    let centroids = match shares {
        Shares::NearestMean(means) => {
            let means: Vec<F> = means.iter().copied().collect();
            Some(Centroids::new(&means, &vec![F::zero(); samples.n_columns()]))
        }
        _ => None,
    };
    let share = |i: usize, row: &[F], out: &mut [f64]| match (shares, &centroids) {
        (Shares::Responsibilities(given), _) => out.iter_mut().zip(given.row(i)).for_each(|(r, g)| *r = g.widen()),
        (Shares::Labels(labels), _) => give_all_to(labels[i], out),
        (_, Some(centroids)) => give_all_to(partial_nearest_of(row, centroids).0 as usize, out),
        _ => {}
    };
    let scatter = settings.covariance.structure().scatter();
    let centre = summary.mean.repeat(k);
    let means = observed_means(&centre, &column_moments(samples, &centre, share, threads))?;
    let columns = column_moments(samples, &means, share, threads);
    let sums = sums_at_means(samples, &means, scatter, share, threads);
    Ok(maximise_start(completed(means, sums, &columns, summary), settings, summary, repairs))
}

/// All of a row to one component.
pub(crate) fn give_all_to(label: usize, shares: &mut [f64]) {
    shares.fill(0.0);
    shares[label] = 1.0;
}

/// The means of the values that are there, k × d, by their moments about `centre`; the centre where there is none.
pub(crate) fn observed_means(centre: &[f64], moments: &ColumnMoments) -> Result<Vec<f64>, StartError> {
    if let Some(component) = moments.total.iter().position(|n| *n <= 0.0) {
        return Err(StartError::Empty { component });
    }
    Ok(centre.iter().enumerate().map(|(at, x)| x + moments.movement(at).unwrap_or(0.0)).collect())
}

/// The sums, about `means` (k × d), of the rows with each missing value at the mean. One pass.
pub(crate) fn sums_at_means<F: Float>(
    samples: &Samples<F>,
    means: &[f64],
    scatter: Scatter,
    share: impl Fn(usize, &[F], &mut [f64]) + Sync + Send,
    threads: Threads,
) -> Sums {
    let d = samples.n_columns();
    let (k, size) = (means.len() / d, scatter.len(d));
    let add = |block: &Block<F>, sums: &mut Sums, (shares, z): &mut (Vec<f64>, Vec<f64>)| {
        shares.resize(k, 0.0);
        for (i, row) in block.rows().enumerate().filter(|(i, _)| block.weight(*i) > 0.0) {
            share(block.first() + i, row, shares);
            for (c, r) in shares.iter().map(|r| r * block.weight(i)).enumerate().filter(|(_, r)| *r > 0.0) {
                let mean = &means[c * d..(c + 1) * d];
                z.clear();
                z.extend(row.iter().zip(mean).map(|(x, m)| if x.is_nan() { 0.0 } else { x.widen() - m }));
                sums.weight[c] += r;
                sums.first[c * d..(c + 1) * d].iter_mut().zip(&*z).for_each(|(s, z)| *s += r * z);
                scatter.add_row(r, z, &mut sums.second[c * size..(c + 1) * size]);
            }
        }
    };
    let empty = || Sums::zero(k, d, scatter);
    let mut sums = empty();
    over_lanes(samples, Sums::bytes(k, d, scatter), threads, empty, add).iter().for_each(|part| sums.add(part));
    sums
}

/// The statistics of rows completed under independent columns, with what is left of a column's variance where it is missing; all
/// moments are about `means`. Columns that no row shows have the variance of `summary`.
pub(crate) fn completed(means: Vec<f64>, mut sums: Sums, columns: &ColumnMoments, summary: &Summary) -> Statistics {
    let (k, d, scatter) = (sums.k(), sums.width, sums.scatter);
    let pooled = |j: usize, of: &dyn Fn(usize) -> f64| (0..k).map(|c| of(c * d + j)).sum::<f64>();
    let variance = |j| match pooled(j, &|at| columns.weight[at]) {
        0.0 => summary.variance[j],
        seen => pooled(j, &|at| columns.scatter(at)) / seen,
    };
    let variances: Vec<f64> = (0..d).map(variance).collect();
    let size = scatter.len(d);
    for (at, weight) in columns.weight.iter().enumerate() {
        let (c, j) = (at / d, at % d);
        let left = (sums.weight[c] - weight).max(0.0) * variances[j];
        let entry = match scatter {
            Scatter::Spherical => 0,
            Scatter::Diagonal => j,
            Scatter::Full => j * (j + 1) / 2 + j,
        };
        sums.second[c * size + entry] += left;
    }
    Statistics::new(0, means, sums)
}
