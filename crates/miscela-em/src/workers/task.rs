//! What can be asked of rows: a sum over them.

use crate::assignment::Assignment;
use crate::centroids::KMeansFamily;
use crate::covariance::Covariance;
use crate::density::Density;
use crate::engine::{Family, Session};
use crate::gaussian::{GaussianFamily, MixtureSettings, weighted};
use crate::inference::{evaluate_centroids, evaluate_mixture, nearest_reduced};
use crate::missing::{
    IncompleteDensity, alike, column_moments, filled, give_all_to, partial_fit, partial_nearest_of, sums_at_means,
};
use crate::parameters::{Mixture, ParameterError};
use crate::passes::over_lanes;
use crate::plan::Algorithm;
use crate::start::moments_by_nearest;
use crate::statistics::{Statistics, Sums};
use crate::summary::{Summary, about};
use crate::tails::Tails;
use crate::workers::partial::{Observed, Partial, RowCount};
use crate::workers::picks::{Picked, Picks};
use miscela_distance::{Distance, L2};
use miscela_kernel::{
    Block, Centroids, Float, Lanes, MAX_CENTROIDS, NearestScratch, Samples, Scatter, Threads, uniform,
};
use ndarray::Array2;
use std::borrow::Cow;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One pass over the rows: which sum of them is asked for.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub enum Task<F> {
    /// Means, variances and counts: [`Partial::Summary`].
    Summary,
    /// The scatter of all rows about a point, as one component: [`Partial::Statistics`].
    Scatter {
        /// d
        about: Vec<F>,
        /// How much of the second moment.
        scatter: Scatter,
    },
    /// An E-step of k-means: [`Partial::Statistics`]. Of rows with gaps only the weights mean anything: what else there is to know of
    /// these is [`Task::Observed`].
    KMeans {
        /// k × d
        centroids: Array2<F>,
        /// About the mean of the rows, d.
        offset: Vec<F>,
    },
    /// An E-step of a mixture: [`Partial::Statistics`].
    Mixture(Box<MixtureTask<F>>),
    /// The moments, about `about`, of the rows nearest to each of some means: [`Partial::Statistics`]. It is what a mixture starts from.
    Moments {
        /// k × d
        means: Array2<F>,
        /// k × d
        about: Array2<F>,
        /// How much of the second moment.
        scatter: Scatter,
        /// About the mean of the rows, d.
        offset: Vec<F>,
    },
    /// What rows with gaps show, about `about`, of the components whose means are nearest: [`Partial::Observed`].
    Observed {
        /// k × d
        means: Array2<F>,
        /// k × d
        about: Array2<f64>,
        /// How much of the second moment.
        scatter: Scatter,
        /// Rows that have other labels, all copies of each.
        labels: Vec<(Vec<F>, u32)>,
    },
    /// How well centroids fit: [`Partial::CentroidFit`].
    CentroidFit {
        /// k × d
        centroids: Array2<F>,
        /// About the mean of the rows, d.
        offset: Vec<F>,
    },
    /// How well a mixture fits: [`Partial::MixtureFit`].
    MixtureFit {
        /// The mixture.
        mixture: Mixture<F>,
        /// That of tempered assignment, else 1.
        temperature: f64,
    },
    /// What k-means or a hard mixture sums up once some rows have other labels than its own: [`Partial::Statistics`].
    Relabelled {
        /// A [`Task::KMeans`], or a [`Task::Mixture`] of hard assignment.
        step: Box<Task<F>>,
        /// Rows, all copies of each, and their labels.
        labels: Vec<(Vec<F>, u32)>,
    },
    /// Σ w‖x − to‖² of rows labelled by `from`, but for some: [`Partial::Number`].
    Moved {
        /// k × d
        from: Array2<F>,
        /// k × d
        to: Array2<F>,
        /// About the mean of the rows, d.
        offset: Vec<F>,
        /// Rows that have other labels, all copies of each.
        labels: Vec<(Vec<F>, u32)>,
    },
    /// Some of the rows: [`Partial::Picks`].
    Pick {
        /// Which.
        pick: Pick<F>,
        /// How many at most.
        count: usize,
        /// What draws are functions of, besides the rows' numbers.
        seed: u64,
    },
}

/// The mixture of an E-step, and what the E-step depends on.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct MixtureTask<F> {
    /// The parameters.
    pub mixture: Mixture<F>,
    /// The structure of the covariances: how much of the second moment is needed.
    pub covariance: Covariance,
    /// How rows are shared.
    pub assignment: Assignment,
    /// Gaussian or Student-t components.
    pub tails: Tails,
    /// Of the rows.
    pub summary: Summary,
}

/// Which rows are picked: those with the smallest keys.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case", deny_unknown_fields))]
#[non_exhaustive]
pub enum Pick<F> {
    /// By chance, without replacement, likelier the heavier they are: key u/w. One more than was asked for tells what the
    /// others [stand for](Picks::standing_for) (priority sampling, Duffield, Lund & Thorup 2007).
    Sample,
    /// By chance, without replacement, with chances as w·D², D the distance to the nearest centroid: key −ln u/(w·D²)
    /// (Efraimidis & Spirakis 2006).
    Far {
        /// k × d
        centroids: Array2<F>,
        /// About the mean of the rows, d.
        offset: Vec<F>,
    },
    /// The distinct rows that are farthest from their nearest centroids.
    FarthestOfCentroids {
        /// k × d
        centroids: Array2<F>,
        /// About the mean of the rows, d.
        offset: Vec<F>,
    },
    /// The distinct rows that their components explain worst.
    WorstOfMixture(Box<MixtureTask<F>>),
}

/// A task made ready: everything that follows from its parameters alone is computed.
#[derive(Clone, Debug)]
pub struct Work<F: Float>(Prepared<F>);

#[derive(Clone, Debug)]
enum Prepared<F: Float> {
    Summary,
    Scatter(Vec<F>, Scatter),
    KMeans(Box<KMeansFamily<F, L2>>),
    Mixture(Box<GaussianFamily<F>>),
    Moments { means: Centroids<F>, about: Vec<F>, scatter: Scatter },
    Observed { means: Centroids<F>, about: Vec<f64>, scatter: Scatter, labels: Vec<(Vec<F>, u32)> },
    CentroidFit(Centroids<F>),
    MixtureFit(Box<(Mixture<F>, Density<F>)>, f64),
    Relabelled(Box<Prepared<F>>, Vec<(Vec<F>, u32)>),
    Moved(Centroids<F>, Centroids<F>, Vec<(Vec<F>, u32)>),
    Pick(Rule<F>, usize, u64),
}

#[derive(Clone, Debug)]
enum Rule<F: Float> {
    Sample,
    /// The last is what stands for missing values.
    Far(Centroids<F>, Vec<f64>),
    FarthestOfCentroids(Box<KMeansFamily<F, L2>>),
    WorstOfMixture(Box<GaussianFamily<F>>),
}

impl<F: Float> Task<F> {
    /// Checks the parameters and prepares them.
    ///
    /// # Errors
    /// If they cannot be used, or do not fit each other.
    pub fn prepare(&self) -> Result<Work<F>, ParameterError> {
        Ok(Work(match self {
            Task::Summary => Prepared::Summary,
            Task::Scatter { about, scatter } => Prepared::Scatter(about.clone(), *scatter),
            Task::KMeans { centroids, offset } => Prepared::KMeans(Box::new(family_of(centroids, offset)?)),
            Task::Mixture(task) => Prepared::Mixture(Box::new(task.family()?)),
            Task::Moments { means, about, scatter, offset } => {
                same_shape(means, about, "points to sum about")?;
                let about = about.iter().copied().collect();
                Prepared::Moments { means: centroids_of(means, offset)?, about, scatter: *scatter }
            }
            Task::Observed { means, about, scatter, labels } => {
                check_labels(labels, means.dim())?;
                same_shape(means, about, "points to sum about")?;
                if about.iter().any(|x| !x.is_finite()) {
                    return Err(ParameterError::NotFinite { part: "points to sum about" });
                }
                let means = centroids_of(means, &vec![F::zero(); means.ncols()])?;
                let (about, scatter, labels) = (about.iter().copied().collect(), *scatter, labels.clone());
                Prepared::Observed { means, about, scatter, labels }
            }
            Task::CentroidFit { centroids, offset } => Prepared::CentroidFit(centroids_of(centroids, offset)?),
            Task::MixtureFit { mixture, temperature } => {
                mixture.check()?;
                Prepared::MixtureFit(Box::new((mixture.clone(), Density::new(mixture)?)), *temperature)
            }
            Task::Relabelled { step, labels } => {
                let step = match step.as_ref() {
                    Task::KMeans { centroids, offset } => {
                        check_labels(labels, centroids.dim())?;
                        Prepared::KMeans(Box::new(family_of(centroids, offset)?))
                    }
                    Task::Mixture(task) => {
                        check_labels(labels, task.mixture.means.dim())?;
                        Prepared::Mixture(Box::new(task.hard_family()?))
                    }
                    _ => return Err(ParameterError::Assignment("none of a task without an E-step")),
                };
                Prepared::Relabelled(Box::new(step), labels.clone())
            }
            Task::Moved { from, to, offset, labels } => {
                same_shape(from, to, "new centroids")?;
                check_labels(labels, from.dim())?;
                Prepared::Moved(centroids_of(from, offset)?, centroids_of(to, offset)?, labels.clone())
            }
            Task::Pick { pick, count, seed } => {
                let rule = match pick {
                    Pick::Sample => Rule::Sample,
                    Pick::Far { centroids, offset } => {
                        Rule::Far(centroids_of(centroids, offset)?, offset.iter().map(|x| x.widen()).collect())
                    }
                    Pick::FarthestOfCentroids { centroids, offset } => {
                        Rule::FarthestOfCentroids(Box::new(family_of(centroids, offset)?))
                    }
                    Pick::WorstOfMixture(task) => Rule::WorstOfMixture(Box::new(task.hard_family()?)),
                };
                Prepared::Pick(rule, *count, *seed)
            }
        }))
    }
}

impl<F: Float> MixtureTask<F> {
    /// The same where each row belongs to one component.
    fn hard_family(&self) -> Result<GaussianFamily<F>, ParameterError> {
        match self.assignment {
            Assignment::Hard => self.family(),
            _ => Err(ParameterError::Assignment("hard")),
        }
    }

    /// The family whose E-step this is.
    fn family(&self) -> Result<GaussianFamily<F>, ParameterError> {
        let usable = match self.assignment {
            Assignment::Soft | Assignment::Hard => true,
            Assignment::Tempered(temperature) => temperature > 0.0 && F::narrow(temperature).is_finite(),
            _ => false,
        };
        if !usable {
            return Err(ParameterError::Assignment("soft, hard, or of a positive temperature"));
        }
        let settings = MixtureSettings {
            covariance: self.covariance,
            assignment: self.assignment,
            tails: self.tails,
            ..MixtureSettings::default()
        };
        let (k, d) = (self.mixture.n_components(), self.mixture.means.ncols());
        if self.summary.mean.len() != d || self.summary.variance.len() != d {
            return Err(ParameterError::Shape { part: "means and variances of the columns", k, d });
        }
        let family = GaussianFamily::new(self.mixture.clone(), settings, &self.summary, self.summary.total_weight)?;
        if self.summary.has_gaps() {
            check_gaps(&self.mixture)?;
            return Ok(family.with_gaps());
        }
        Ok(family)
    }
}

/// Centroids made ready for search.
fn centroids_of<F: Float>(centroids: &Array2<F>, offset: &[F]) -> Result<Centroids<F>, ParameterError> {
    let (k, d) = centroids.dim();
    if k == 0 || d == 0 {
        return Err(ParameterError::Empty { k, d });
    }
    if k >= MAX_CENTROIDS {
        return Err(ParameterError::TooMany(k));
    }
    if offset.len() != d {
        return Err(ParameterError::Shape { part: "offset", k, d });
    }
    if centroids.iter().chain(offset).any(|x| !x.is_finite()) {
        return Err(ParameterError::NotFinite { part: "centroids" });
    }
    Ok(Centroids::new(&centroids.iter().copied().collect::<Vec<_>>(), offset))
}

fn family_of<F: Float>(centroids: &Array2<F>, offset: &[F]) -> Result<KMeansFamily<F, L2>, ParameterError> {
    centroids_of(centroids, offset)?;
    // What Lloyd's algorithm does is all that can be done in a single pass.
    Ok(KMeansFamily::new(centroids, L2, 0.0, offset.to_vec()).with_algorithm(Algorithm::Lloyd))
}

fn same_shape<F, G>(a: &Array2<F>, b: &Array2<G>, part: &'static str) -> Result<(), ParameterError> {
    let (k, d) = a.dim();
    if b.dim() == (k, d) { Ok(()) } else { Err(ParameterError::Shape { part, k, d }) }
}

fn check_labels<F>(labels: &[(Vec<F>, u32)], (k, d): (usize, usize)) -> Result<(), ParameterError> {
    let fit = labels.iter().all(|(row, label)| row.len() == d && (*label as usize) < k);
    if fit { Ok(()) } else { Err(ParameterError::Shape { part: "rows of other labels", k, d }) }
}

impl<F: Float> Prepared<F> {
    fn n_columns(&self) -> Option<usize> {
        match self {
            Prepared::Summary | Prepared::Pick(Rule::Sample, ..) => None,
            Prepared::Scatter(about, _) => Some(about.len()),
            Prepared::KMeans(family) | Prepared::Pick(Rule::FarthestOfCentroids(family), ..) => {
                Some(family.index().width())
            }
            Prepared::Mixture(family) | Prepared::Pick(Rule::WorstOfMixture(family), ..) => {
                Some(family.mixture().means.ncols())
            }
            Prepared::MixtureFit(fit, _) => Some(fit.0.n_columns()),
            Prepared::Relabelled(step, _) => step.n_columns(),
            Prepared::Moments { means: centroids, .. }
            | Prepared::Observed { means: centroids, .. }
            | Prepared::CentroidFit(centroids)
            | Prepared::Moved(centroids, ..)
            | Prepared::Pick(Rule::Far(centroids, _), ..) => Some(centroids.width()),
        }
    }
}

impl<F: Float> Work<F> {
    /// The columns that rows must have; `None` where any number of them will do.
    pub fn n_columns(&self) -> Option<usize> {
        self.0.n_columns()
    }

    /// The sum over these rows. Draws are functions of the rows' numbers, which are counted from `first`: rows of one
    /// table should have different ones, and the same in each pass.
    ///
    /// # Errors
    /// If the rows have another number of columns.
    pub fn run(&self, samples: &Samples<F>, first: u64, threads: Threads) -> Result<Partial<F>, ParameterError> {
        let got = samples.n_columns();
        if let Some(expected) = self.n_columns().filter(|expected| *expected != got) {
            return Err(ParameterError::ColumnCount { expected, got });
        }
        let has_gaps = samples.n_missing() > 0;
        Ok(match &self.0 {
            Prepared::Summary => Partial::Summary(Summary::of(samples, threads), RowCount::of(samples)),
            Prepared::Scatter(point, scatter) => {
                Partial::Statistics { statistics: about(samples, point, *scatter, threads), labels: 0 }
            }
            Prepared::KMeans(_) | Prepared::Mixture(_) => self.0.e_step(samples, first, &[], threads)?,
            Prepared::Relabelled(step, labels) => step.e_step(samples, first, labels, threads)?,
            Prepared::Moments { means, about, scatter } => Partial::Statistics {
                statistics: moments_by_nearest(samples, means, about, *scatter, threads),
                labels: 0,
            },
            Prepared::Observed { means, about, scatter, labels } => {
                let nearest = |row: &[F]| partial_nearest_of(row, means).0;
                let label = |row: &[F]| {
                    let other = labels.iter().find(|(other, _)| alike(other, row));
                    other.map_or_else(|| nearest(row), |(_, label)| *label)
                };
                let share = |_: usize, row: &[F], shares: &mut [f64]| give_all_to(label(row) as usize, shares);
                let sums = sums_at_means(samples, about, *scatter, share, threads);
                let columns = column_moments(samples, about, share, threads);
                Partial::Observed(Box::new(Observed { statistics: Statistics::new(0, about.clone(), sums), columns }))
            }
            Prepared::CentroidFit(centroids) if has_gaps => {
                Partial::CentroidFit(partial_fit(samples, centroids, threads))
            }
            Prepared::CentroidFit(centroids) => {
                Partial::CentroidFit(evaluate_centroids(samples, centroids, &L2, threads))
            }
            Prepared::MixtureFit(fit, temperature) if has_gaps => {
                let (mixture, density) = fit.as_ref();
                check_gaps(mixture)?;
                let incomplete = IncompleteDensity::new(mixture, density);
                Partial::MixtureFit(incomplete.evaluate(samples, *temperature, threads))
            }
            Prepared::MixtureFit(fit, temperature) => {
                Partial::MixtureFit(evaluate_mixture(samples, &fit.1, *temperature, threads))
            }
            Prepared::Moved(from, to, labels) => Partial::Number(moved(samples, from, to, labels, threads)),
            Prepared::Pick(rule, count, seed) => {
                Partial::Picks(rule.picks(samples, *count, (*seed, first), threads)?)
            }
        })
    }
}

/// Only Gaussian components know what to make of rows with gaps.
fn check_gaps<F: Float>(mixture: &Mixture<F>) -> Result<(), ParameterError> {
    let bears_outliers = mixture.noise.is_some() || mixture.degrees.is_some();
    if bears_outliers { Err(ParameterError::Gaps) } else { Ok(()) }
}

/// The family, ready for the gaps that there are in these samples.
fn mixture_for<'a, F: Float>(
    family: &'a GaussianFamily<F>,
    samples: &Samples<F>,
) -> Result<Cow<'a, GaussianFamily<F>>, ParameterError> {
    if samples.n_missing() == 0 {
        return Ok(Cow::Borrowed(family));
    }
    check_gaps(family.mixture())?;
    Ok(Cow::Owned(family.clone().with_missing(samples)?))
}

/// The family, ready for the gaps that there are in these samples.
fn centroids_for<'a, F: Float>(family: &'a KMeansFamily<F, L2>, samples: &Samples<F>) -> Cow<'a, KMeansFamily<F, L2>> {
    let gaps = samples.n_missing() > 0;
    if gaps { Cow::Owned(family.clone().with_missing(samples)) } else { Cow::Borrowed(family) }
}

impl<F: Float> Prepared<F> {
    /// The E-step of what has one, with the labels of some rows given.
    fn e_step(
        &self,
        samples: &Samples<F>,
        first: u64,
        others: &[(Vec<F>, u32)],
        threads: Threads,
    ) -> Result<Partial<F>, ParameterError> {
        match self {
            Prepared::KMeans(family) => {
                Ok(e_step(centroids_for(family, samples).as_ref(), samples, first, others, threads))
            }
            Prepared::Mixture(family) => {
                Ok(e_step(mixture_for(family, samples)?.as_ref(), samples, first, others, threads))
            }
            _ => Err(ParameterError::Assignment("none of a task without an E-step")),
        }
    }
}

/// One E-step, with a fingerprint of the labels where rows have such; summed by other labels than the family's own for some
/// rows.
fn e_step<F: Float, M: Family<F>>(
    family: &M,
    samples: &Samples<F>,
    first: u64,
    others: &[(Vec<F>, u32)],
    threads: Threads,
) -> Partial<F> {
    let mut session = Session::new(family, samples, threads);
    let statistics = session.statistics(family);
    if others.is_empty() {
        return Partial::Statistics { statistics, labels: fingerprint(samples, session.labels().0, first, threads) };
    }
    let mut labels = session.labels().0.to_vec();
    relabel(samples, others, &mut labels);
    let empty = || statistics.sums().emptied();
    let (k, d, scatter) = (family.n_components(), samples.n_columns(), family.scatter());
    let add = |block: &Block<F>, sums: &mut Sums, scratch: &mut M::Scratch| {
        family.add(block, &labels[block.first()..][..block.len()], sums, scratch);
    };
    let mut total = empty();
    over_lanes(samples, Sums::bytes(k, d, scatter), threads, empty, add).iter().for_each(|sums| total.add(sums));
    total.objective = statistics.sums().objective;
    let statistics = Statistics::new(family.fingerprint(), family.shift(), total);
    Partial::Statistics { statistics, labels: fingerprint(samples, &labels, first, threads) }
}

/// Gives rows that are among some others the labels of these.
fn relabel<F: Float>(samples: &Samples<F>, others: &[(Vec<F>, u32)], labels: &mut [u32]) {
    let mut row = vec![F::zero(); samples.n_columns()];
    for (i, label) in labels.iter_mut().enumerate() {
        samples.copy_row(i, &mut row);
        if let Some((_, other)) = others.iter().find(|(other, _)| alike(other, &row)) {
            *label = *other;
        }
    }
}

/// Σ label · a over the rows that count, a an odd number that belongs to the row: another sum whenever one label is another, and by
/// all odds whenever several are.
fn fingerprint<F: Float>(samples: &Samples<F>, labels: &[u32], first: u64, threads: Threads) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let term = |i: usize| {
        let number = first.wrapping_add(i as u64).wrapping_mul(ODD);
        let own = (number ^ (number >> 31)).wrapping_mul(ODD) | 1;
        own.wrapping_mul(u64::from(labels[i]) * u64::from(samples.weight(i) > 0.0))
    };
    let lanes = Lanes::new(labels.len(), 0);
    let threads = threads.for_work(labels.len() as f64);
    let parts = threads.map(lanes.count(), |lane| lanes.rows(lane).map(term).fold(0, u64::wrapping_add));
    parts.into_iter().fold(0, u64::wrapping_add)
}

/// Σ w‖x − to‖² of rows labelled by `from`, but for some others.
fn moved<F: Float>(
    samples: &Samples<F>,
    from: &Centroids<F>,
    to: &Centroids<F>,
    others: &[(Vec<F>, u32)],
    threads: Threads,
) -> f64 {
    let add = |block: &Block<F>, total: &mut f64, (nearest, labels): &mut (NearestScratch<F>, Vec<u32>)| {
        labels.resize(block.len(), 0);
        from.assign(block, labels, nearest);
        for (i, (row, label)) in block.rows().zip(labels).enumerate() {
            let label = others.iter().find(|(other, _)| alike(other, row)).map_or(*label, |(_, other)| *other);
            *total += weighted(block.weight(i), Distance::reduced(&L2, row, to.row(label as usize)));
        }
    };
    over_lanes(samples, 0, threads, || 0.0, add).iter().sum()
}

impl<F: Float> Rule<F> {
    fn picks(
        &self,
        samples: &Samples<F>,
        count: usize,
        (seed, first): (u64, u64),
        threads: Threads,
    ) -> Result<Picks<F>, ParameterError> {
        Ok(match self {
            Rule::Sample => {
                let mut picks = Picks::new(count.saturating_add(1));
                (0..samples.n_rows()).for_each(|i| {
                    let u = uniform::unit(uniform::of_row(seed, (first as usize).wrapping_add(i)));
                    picks.offer(samples, i, first, u / samples.weight(i), 0);
                });
                picks.tidied()
            }
            Rule::Far(centroids, fill) if samples.n_missing() > 0 => {
                // As in memory, starts are found among rows whose gaps are filled.
                let filled = filled(samples.rows(), fill);
                let weights: Vec<f64> = (0..filled.nrows()).map(|i| samples.weight(i)).collect();
                match Samples::weighted(&filled, weights) {
                    Ok(whole) => far(&whole, centroids, count, (seed, first), threads),
                    Err(_) => Picks::new(count),
                }
            }
            Rule::Far(centroids, _) => far(samples, centroids, count, (seed, first), threads),
            Rule::FarthestOfCentroids(family) => {
                worst(centroids_for(family, samples).as_ref(), samples, count, first, threads)
            }
            Rule::WorstOfMixture(family) => {
                worst(mixture_for(family, samples)?.as_ref(), samples, count, first, threads)
            }
        })
    }
}

/// Rows drawn by w·D².
fn far<F: Float>(
    samples: &Samples<F>,
    centroids: &Centroids<F>,
    count: usize,
    (seed, first): (u64, u64),
    threads: Threads,
) -> Picks<F> {
    let mut picks = Picks::new(count);
    for (i, d2) in nearest_reduced(samples, centroids, &L2, threads).into_iter().enumerate() {
        let mass = weighted(samples.weight(i), d2);
        let u = uniform::unit(uniform::of_row(seed, (first as usize).wrapping_add(i)));
        // −ln u ≥ 1 − u spares most rows the logarithm.
        if mass > 0.0 && 1.0 - u <= picks.limit() * mass {
            picks.offer(samples, i, first, -u.ln() / mass, 0);
        }
    }
    picks.tidied()
}

/// The distinct rows that are explained worst, with the weight of all copies and their label.
fn worst<F: Float, M: Family<F>>(
    family: &M,
    samples: &Samples<F>,
    count: usize,
    first: u64,
    threads: Threads,
) -> Picks<F> {
    let mut session = Session::new(family, samples, threads);
    session.statistics(family);
    let labels = session.labels().0;
    let work = |block: &Block<F>, misfits: &mut Vec<f64>, scratch: &mut M::Scratch| {
        misfits.extend(block.rows().enumerate().map(|(i, row)| family.misfit(row, labels[block.first() + i], scratch)));
    };
    let misfits = over_lanes(samples, 0, threads, Vec::new, work).concat();
    let mut picks = Picks::distinct(count);
    for (i, misfit) in misfits.into_iter().enumerate() {
        picks.offer(samples, i, first, -misfit, labels[i]);
    }
    picks.tidied()
}

impl<F: Float> Picked<F> {
    pub(super) fn of(samples: &Samples<F>, i: usize, first: u64, key: f64, label: u32) -> Self {
        let mut row = vec![F::zero(); samples.n_columns()];
        samples.copy_row(i, &mut row);
        Self { key, row, weight: samples.weight(i), label, number: first.wrapping_add(i as u64) }
    }
}
