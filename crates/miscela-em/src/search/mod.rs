//! Out of local optima: what k-means may do after it has settled.
//!
//! ```text
//! repeat
//!     take centres away where they are of least use, and put others where they are of most
//!     settle from there: k-means, then the exchange of single rows
//!     keep what is better than the best, else go back to the best
//! ```
//!
//! [`swap`] moves one centre at a time, after Fränti (2018); [`breathing`] takes in several centres and gives as many up again,
//! after Fritzke (2020). Both end with what `exchange` does for single rows (Hartigan 1975), and both are the existing engine
//! run again: a [`Session`] is [regrouped](Session::regrouped), so that only rows which lost their centre or may be nearer to a
//! new one are searched, and settles at the cost of what changes. What is kept is never worse than what was there before.
//!
//! Chance is a function of a seed and of counts, so that the same seed gives the same bits.

mod breathing;
mod exchange;
mod survey;
mod swap;

use crate::centroids::KMeansFamily;
use crate::engine::{Family, Session};
use crate::inference::CentroidFit;
use crate::report::{Observer, Progress, Termination};
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Threads, uniform};
use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What is done about local optima, after a fit has settled in one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Search {
    /// Nothing: the optimum that the start led to.
    #[default]
    None,
    /// One component is taken away and another is put elsewhere, again and again (Fränti 2018).
    Swap,
    /// A few more components are taken in, and the same number is given up (Fritzke 2020).
    Breathing,
}

impl Search {
    /// All of them.
    pub const ALL: [Search; 3] = [Search::None, Search::Swap, Search::Breathing];

    /// `none`, `swap` or `breathing`.
    pub fn name(self) -> &'static str {
        match self {
            Search::None => "none",
            Search::Swap => "swap",
            Search::Breathing => "breathing",
        }
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no search's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("search '{0}' is not available; use none, swap or breathing")]
pub struct UnknownSearch(String);

impl FromStr for Search {
    type Err = UnknownSearch;

    fn from_str(name: &str) -> Result<Self, UnknownSearch> {
        Self::ALL.into_iter().find(|search| search.name() == name).ok_or_else(|| UnknownSearch(name.into()))
    }
}

/// What a search did.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct SearchReport {
    /// Which one it was.
    pub method: Search,
    /// Swaps or breaths that were tried.
    pub tried: usize,
    /// Those of them that were kept.
    pub kept: usize,
    /// Iterations that all of them took.
    pub iterations: usize,
    /// Distances of a row to a centre that all of them took; none are counted for mixtures.
    pub distances: u64,
    /// The objective before.
    pub before: f64,
    /// The objective after each that was kept.
    pub trace: Vec<f64>,
}

/// How much better is better: less could be rounding, or the tolerance of the runs.
const BETTER: f64 = 1e-6;

/// A search of k-means.
#[derive(Clone, Copy, Debug)]
pub struct KMeansSearch<'a, 's, F: Float> {
    /// The rows. None is known by its label, and no value is missing.
    pub samples: &'a Samples<'s, F>,
    /// What is done.
    pub method: Search,
    /// What chance is a function of.
    pub seed: u64,
    /// The limit of iterations of a trial.
    pub max_iterations: usize,
    /// The iterations that all trials may take, which are then used up; `None`: until trials stop to gain.
    pub budget: Option<usize>,
    /// Who works.
    pub threads: Threads,
}

impl<F: Float> KMeansSearch<'_, '_, F> {
    /// Searches from a family that has settled and leaves it with the best centres found. The observer is told of each
    /// iteration, and may stop the search.
    pub fn run<D: Centred<F>>(
        &self,
        family: &mut KMeansFamily<F, D>,
        observer: &mut dyn Observer,
    ) -> (CentroidFit, SearchReport) {
        let mut session = Session::new(family, self.samples, self.threads);
        let fit = family.evaluate(&mut session, self.samples, self.threads);
        let report = SearchReport { method: self.method, before: fit.inertia, ..SearchReport::default() };
        let mut trials = Trials { of: *self, observer, report, draws: 0, over: false };
        trials.report.distances = session.distances() + trials.evaluation(family);
        let mut best = Settled { family: family.clone(), session, fit };
        match self.method {
            Search::None => {}
            Search::Swap => swap::run(&mut trials, &mut best),
            Search::Breathing => breathing::run(&mut trials, &mut best),
        }
        *family = best.family;
        (best.fit, trials.report)
    }
}

/// Centres that k-means has settled at, with what the session knows of the rows.
struct Settled<'a, 's, F: Float, D: Centred<F>> {
    family: KMeansFamily<F, D>,
    session: Session<'a, 's, F, KMeansFamily<F, D>>,
    fit: CentroidFit,
}

/// What all trials share.
struct Trials<'a, 's, 'o, F: Float> {
    of: KMeansSearch<'a, 's, F>,
    observer: &'o mut dyn Observer,
    report: SearchReport,
    draws: usize,
    /// Whether the budget is used up, or the observer has asked to stop.
    over: bool,
}

impl<'a, 's, F: Float> Trials<'a, 's, '_, F> {
    /// The next seed.
    fn draw(&mut self) -> u64 {
        self.draws += 1;
        uniform::of_row(self.of.seed, self.draws)
    }

    /// The distances that an evaluation takes beside those of the session: none where that remembers the rows.
    fn evaluation<D: Centred<F>>(&self, family: &KMeansFamily<F, D>) -> u64 {
        let remembers = Family::centroids(family).is_some();
        if remembers { 0 } else { (self.of.samples.n_rows() * family.n_components()) as u64 }
    }

    /// Whether the search goes on although nothing was gained for long.
    fn is_patient(&self) -> bool {
        self.of.budget.is_some()
    }

    /// Other centres in place of some of those that were settled at, of which `from` says which they were.
    fn regroup<D: Centred<F>>(
        &mut self,
        settled: &Settled<'a, 's, F, D>,
        centres: &[F],
        from: &[Option<u32>],
    ) -> (KMeansFamily<F, D>, Session<'a, 's, F, KMeansFamily<F, D>>) {
        let family = settled.family.at(centres);
        let session = settled.session.regrouped(&family, from);
        (family, session)
    }

    /// Settles, unless it is seen on the way that `target` is out of reach: that takes more than a few times the last gain.
    fn settle<D: Centred<F>>(
        &mut self,
        (mut family, mut session): (KMeansFamily<F, D>, Session<'a, 's, F, KMeansFamily<F, D>>),
        target: Option<f64>,
    ) -> Option<Settled<'a, 's, F, D>> {
        const WITHIN: f64 = 5.0;
        if self.over {
            return None;
        }
        let KMeansSearch { samples, threads, max_iterations, budget, .. } = self.of;
        let left = budget.map_or(usize::MAX, |budget| budget.saturating_sub(self.report.iterations));
        let before = session.distances();
        let (mut stopped, observer) = (false, &mut *self.observer);
        let mut watch = |progress: &Progress| {
            if observer.iteration(progress).is_break() {
                stopped = true;
                return ControlFlow::Break(());
            }
            let Progress { objective, change, .. } = *progress;
            let hopeless = target.is_some_and(|target| objective - target > -WITHIN * change);
            if hopeless { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut run = session.run(&mut family, max_iterations.min(left), &mut watch);
        self.over |= stopped || run.iterations >= left;
        self.report.iterations += run.iterations;
        if run.termination == Termination::Cancelled && !stopped {
            self.report.distances += session.distances() - before;
            return None;
        }
        let evaluate = |family: &KMeansFamily<F, D>, session: &mut _| family.evaluate(session, samples, threads);
        let has_empty = |fit: &CentroidFit| fit.weights.contains(&0.0);
        let fit = session.conclude(&mut family, &mut run, evaluate, has_empty);
        self.report.distances += session.distances() - before + self.evaluation(&family);
        Some(Settled { family, session, fit })
    }

    /// Settles and, if that comes near the best, exchanges single rows and settles again.
    fn settle_and_exchange<D: Centred<F>>(
        &mut self,
        trial: (KMeansFamily<F, D>, Session<'a, 's, F, KMeansFamily<F, D>>),
        best: &Settled<'a, 's, F, D>,
        target: Option<f64>,
    ) -> Option<Settled<'a, 's, F, D>> {
        const NEAR: f64 = 5e-4;
        let settled = self.settle(trial, target)?;
        let near = settled.fit.inertia < best.fit.inertia * (1.0 + NEAR);
        if near && !self.over { self.exchange(settled) } else { Some(settled) }
    }

    /// Exchanges single rows and settles again, where the centres are means.
    fn exchange<D: Centred<F>>(&mut self, mut settled: Settled<'a, 's, F, D>) -> Option<Settled<'a, 's, F, D>> {
        if !settled.family.distance().is_squared_euclidean() {
            return Some(settled);
        }
        let statistics = settled.session.statistics(&settled.family);
        let (centres, distances) = exchange::exchange(&settled.session, &statistics);
        self.report.distances += distances;
        let Some(centres) = centres else { return Some(settled) };
        let (from, centres): (Vec<_>, Vec<F>) = ((0..settled.fit.sizes.len() as u32).map(Some).collect(), centres);
        let trial = self.regroup(&settled, &centres, &from);
        let exchanged = self.settle(trial, None)?;
        Some(if exchanged.fit.inertia < settled.fit.inertia { exchanged } else { settled })
    }

    /// Takes a trial for the best if it is better, and says whether it is better by more than `by` of it.
    fn keep<D: Centred<F>>(
        &mut self,
        best: &mut Settled<'a, 's, F, D>,
        trial: Option<Settled<'a, 's, F, D>>,
        by: f64,
    ) -> bool {
        self.report.tried += 1;
        let before = best.fit.inertia;
        let Some(trial) = trial.filter(|trial| trial.fit.inertia < before * (1.0 - BETTER)) else { return false };
        *best = trial;
        self.report.kept += 1;
        self.report.trace.push(best.fit.inertia);
        best.fit.inertia < before * (1.0 - by)
    }
}
