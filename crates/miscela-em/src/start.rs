//! Start parameters of a mixture from a partition, from responsibilities, or from means.
//!
//! An M-step comes first, of two passes: one for the means, one for the scatter about them, so that it is as exact as the
//! data allow. It is not counted as an iteration.

use crate::gaussian::MixtureSettings;
use crate::maximise::maximise_start;
use crate::missing;
use crate::noise::{START_WEIGHT, Uniform, without_noise};
use crate::parameters::{Mixture, ParameterError};
use crate::report::{Repair, RepairAction};
use crate::statistics::{Statistics, Sums};
use crate::summary::Summary;
use crate::tiles::GaussianScratch;
use miscela_kernel::{Centroids, Float, Lanes, NearestScratch, Samples, Scatter, Threads, UNKNOWN};
use ndarray::ArrayView2;

/// What is wrong with a start partition or start responsibilities.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Not one label, or not one row of responsibilities, a row.
    #[error("the start has {got} rows and the data {expected}")]
    RowCount {
        /// Rows of the data.
        expected: usize,
        /// Rows of the start.
        got: usize,
    },
    /// The start is for another number of components.
    #[error("the start is for {got} components, and {expected} are asked for")]
    ComponentCount {
        /// Components asked for.
        expected: usize,
        /// Components of the start.
        got: usize,
    },
    /// The start is for other columns.
    #[error("the start has {got} columns and the data {expected}")]
    ColumnCount {
        /// Columns of the data.
        expected: usize,
        /// Columns of the start.
        got: usize,
    },
    /// A label is too large.
    #[error("the start label of row {row} is {label}; with {k} of them labels run from 0 to {last}", last = k - 1)]
    Label {
        /// 0-based row.
        row: usize,
        /// Its label.
        label: usize,
        /// Components, with the noise.
        k: usize,
    },
    /// Noise has no density in rows that fill no volume.
    #[error(
        "column {column} (counted from 0) is constant, so that the rows fill no volume; leave it out, or give the volume of the noise"
    )]
    NoVolume {
        /// 0-based column.
        column: usize,
    },
    /// A responsibility is negative or not finite, or a row's do not sum to one.
    #[error("the start responsibilities of row {row} are not probabilities that sum to one")]
    Responsibilities {
        /// 0-based row.
        row: usize,
    },
    /// A start mean is not finite.
    #[error("start mean {component} holds a number that is not finite")]
    NotFinite {
        /// 0-based component.
        component: usize,
    },
    /// A component has no rows to be estimated from.
    #[error(
        "component {component} has no row of positive weight in the start; start it elsewhere, or ask for fewer components"
    )]
    Empty {
        /// 0-based component.
        component: usize,
    },
    /// The start parameters, or those that follow from the shares, cannot be used.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
}

/// How rows are shared among k components at the start, or among k and the noise, which has the label k and the last of
/// k + 1 columns.
#[derive(Clone, Copy, Debug)]
pub enum Shares<'a, F> {
    /// Wholly to the component of each label, 0-based, one a row.
    Labels(&'a [usize]),
    /// As given, n × k, each row summing to one.
    Responsibilities(ArrayView2<'a, F>),
    /// Wholly to the nearest of these means, k × d.
    NearestMean(ArrayView2<'a, F>),
}

impl<F: Float> Shares<'_, F> {
    /// Whether these are shares of the rows among k components, and noise.
    pub fn check(&self, samples: &Samples<F>, k: usize, noise: bool) -> Result<(), StartError> {
        let (n, d, n_labels) = (samples.n_rows(), samples.n_columns(), k + usize::from(noise));
        let expect = |expected, got, error: fn(usize, usize) -> StartError| {
            if expected == got { Ok(()) } else { Err(error(expected, got)) }
        };
        let rows = |expected, got| StartError::RowCount { expected, got };
        let components = |expected, got| StartError::ComponentCount { expected, got };
        match self {
            Shares::Labels(labels) => {
                expect(n, labels.len(), rows)?;
                match labels.iter().position(|label| *label >= n_labels) {
                    Some(row) => Err(StartError::Label { row, label: labels[row], k: n_labels }),
                    None => Ok(()),
                }
            }
            Shares::Responsibilities(given) => {
                expect(n, given.nrows(), rows)?;
                expect(n_labels, given.ncols(), components)?;
                let good = |row: ndarray::ArrayView1<F>| {
                    let sum: f64 = row.iter().map(|r| r.widen()).sum();
                    row.iter().all(|r| *r >= F::zero()) && (sum - 1.0).abs() <= 1e-5
                };
                match given.outer_iter().position(|row| !good(row)) {
                    Some(row) => Err(StartError::Responsibilities { row }),
                    None => Ok(()),
                }
            }
            Shares::NearestMean(means) => {
                expect(k, means.nrows(), components)?;
                expect(d, means.ncols(), |expected, got| StartError::ColumnCount { expected, got })?;
                match means.outer_iter().position(|mean| mean.iter().any(|m| !m.is_finite())) {
                    Some(component) => Err(StartError::NotFinite { component }),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The parameters that an M-step makes of the shares, and what it had to repair (at iteration 0).
///
/// Noise that is given no rows starts with a weight of [`START_WEIGHT`].
pub fn from_shares<F: Float>(
    samples: &Samples<F>,
    shares: Shares<F>,
    k: usize,
    settings: &MixtureSettings,
    summary: &Summary,
    threads: Threads,
) -> Result<(Mixture<F>, Vec<Repair>), StartError> {
    shares.check(samples, k, settings.noise.is_some())?;
    let mut repairs = Vec::new();
    let mixture = if samples.n_missing() > 0 {
        missing::from_shares(samples, &shares, k, settings, summary, threads, &mut repairs)?
    } else {
        of_complete_rows(samples, &shares, k, settings, summary, threads, &mut repairs)?
    };
    let repairs =
        repairs.into_iter().map(|(component, action, detail)| Repair { iteration: 0, component, action, detail });
    Ok((mixture, repairs.collect()))
}

fn of_complete_rows<F: Float>(
    samples: &Samples<F>,
    shares: &Shares<F>,
    k: usize,
    settings: &MixtureSettings,
    summary: &Summary,
    threads: Threads,
    repairs: &mut Vec<(usize, RepairAction, String)>,
) -> Result<Mixture<F>, StartError> {
    let noise = settings.noise.map(|noise| Uniform::over(samples, noise, summary, threads)).transpose()?;
    let scatter = settings.covariance.structure().scatter();
    let statistics = shared_statistics(samples, shares, k, noise.is_some(), scatter, summary, threads);
    if let Some(component) = statistics.sums().weight.iter().position(|n| *n <= 0.0) {
        return Err(StartError::Empty { component });
    }
    let noise = noise.map(|noise| noise.with_share_of(statistics.sums()));
    let mixture = maximise_start(statistics, settings, summary, repairs);
    Ok(match noise {
        Some(noise) if noise.weight > 0.0 => Mixture { noise: Some(noise), ..mixture },
        Some(noise) => mixture.with_noise(Uniform { weight: START_WEIGHT, ..noise }),
        None => mixture,
    })
}

/// The statistics of the shares about their own means, in two passes. The objective is the shares' entropy, Σ w Σ −r ln r.
pub(crate) fn shared_statistics<F: Float>(
    samples: &Samples<F>,
    shares: &Shares<F>,
    k: usize,
    noise: bool,
    scatter: Scatter,
    summary: &Summary,
    threads: Threads,
) -> Statistics {
    let centre: Vec<F> = summary.offset();
    let pass = Pass { samples, shares: &Prepared::new(shares, &centre), k, noise, threads };
    // The first pass only needs the means; the spherical scatter is the cheapest to carry along.
    let first = pass.moments(&centre.repeat(k), Scatter::Spherical);
    let means: Vec<F> = first.means().iter().map(|m| F::narrow(*m)).collect();
    pass.moments(&means, scatter)
}

/// The moments, about `about` (k × d), of the rows nearest to each of these means. One pass.
pub(crate) fn moments_by_nearest<F: Float>(
    samples: &Samples<F>,
    means: &Centroids<F>,
    about: &[F],
    scatter: Scatter,
    threads: Threads,
) -> Statistics {
    let (k, shares) = (means.len(), &Prepared::NearestMean(means.clone()));
    Pass { samples, shares, k, noise: false, threads }.moments(about, scatter)
}

/// Shares in the form a pass needs.
enum Prepared<'a, F> {
    Labels(&'a [usize]),
    Responsibilities(ArrayView2<'a, F>),
    NearestMean(Centroids<F>),
}

impl<'a, F: Float> Prepared<'a, F> {
    fn new(shares: &Shares<'a, F>, offset: &[F]) -> Self {
        match shares {
            Shares::Labels(labels) => Prepared::Labels(labels),
            Shares::Responsibilities(given) => Prepared::Responsibilities(*given),
            Shares::NearestMean(means) => {
                Prepared::NearestMean(Centroids::new(&means.iter().copied().collect::<Vec<_>>(), offset))
            }
        }
    }
}

/// What the passes over the rows have in common.
struct Pass<'a, 's, 'p, F: Float> {
    samples: &'a Samples<'s, F>,
    shares: &'a Prepared<'p, F>,
    k: usize,
    noise: bool,
    threads: Threads,
}

impl<F: Float> Pass<'_, '_, '_, F> {
    /// One pass: the moments of k components about `shift` (k × d).
    fn moments(&self, shift: &[F], scatter: Scatter) -> Statistics {
        let (k, d) = (self.k, self.samples.n_columns());
        let lanes = Lanes::new(self.samples.n_rows(), Sums::bytes(k, d, scatter));
        let work = self.samples.n_rows() as f64 * k as f64 * scatter.len(d) as f64;
        let parts = self.threads.for_work(work).map(lanes.count(), |lane| {
            let (mut sums, mut rows) = (Sums::zero(k, d, scatter), Vec::new());
            let (mut scratch, mut nearest) = (GaussianScratch::default(), NearestScratch::default());
            for range in lanes.blocks(lane) {
                let block = self.samples.block(range.clone(), &mut rows);
                let mut labels: Vec<u32> = match self.shares {
                    Prepared::Responsibilities(given) => {
                        let tiles = scratch.fill(&block, &vec![F::zero(); d], given.ncols());
                        scratch.take_shares(tiles, block.len(), |i, c| {
                            match block.known().map_or(UNKNOWN, |known| known[i]) {
                                UNKNOWN => given[[range.start + i, c]],
                                label => F::narrow(f64::from(u8::from(label as usize == c))),
                            }
                        });
                        (0..tiles).for_each(|t| scratch.set_noise_aside(t, &mut sums));
                        scratch.add_moments(&block, shift, &mut sums);
                        for (i, row) in range.enumerate() {
                            let shares = given.row(row).into_iter().map(|r| r.widen()).filter(|r| *r > 0.0);
                            sums.objective -= block.weight(i) * shares.map(|r| r * r.ln()).sum::<f64>();
                        }
                        continue;
                    }
                    Prepared::Labels(labels) => labels[range].iter().map(|label| *label as u32).collect(),
                    Prepared::NearestMean(means) => {
                        let mut labels = vec![0; block.len()];
                        means.assign(&block, &mut labels, &mut nearest);
                        labels
                    }
                };
                block.impose(&mut labels, |_, _| ());
                if self.noise {
                    let block = without_noise(&block, &labels, &mut sums, &mut scratch.kept);
                    sums.hard().add(&block, &labels, shift);
                } else {
                    sums.hard().add(&block, &labels, shift);
                }
            }
            sums
        });
        let mut total = Sums::zero(k, d, scatter);
        parts.iter().for_each(|sums| total.add(sums));
        Statistics::new(0, shift.iter().map(|x| x.widen()).collect(), total)
    }
}
