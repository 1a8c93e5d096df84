//! Searches of k-means.
//!
//! [`swap`] moves one centre at a time, after Fränti (2018); [`breathing`] takes in several centres and gives as many up again,
//! after Fritzke (2020). Both end with what `exchange` does for single rows (Hartigan 1975), and both are the existing engine
//! run again: a [`Session`] is [regrouped](Session::regrouped), so that only rows which lost their centre or may be nearer to a
//! new one are searched, and settles at the cost of what changes.

mod breathing;
mod exchange;
mod survey;
mod swap;

use super::{Search, SearchReport};
use crate::centroids::KMeansFamily;
use crate::engine::{Family, Session};
use crate::inference::CentroidFit;
use crate::report::{Observer, Progress};
use miscela_distance::Centred;
use miscela_kernel::{Float, Samples, Threads, uniform};
use std::ops::ControlFlow;

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

impl<F: Float, D: Centred<F>> Settled<'_, '_, F, D> {
    /// The label of each row, in the order of the table.
    fn labels_by_row(&mut self) -> Vec<u32> {
        // So that there are labels, and of these centres.
        self.session.statistics(&self.family);
        let (samples, labels) = self.session.labelled();
        let mut by_row = vec![0; labels.len()];
        labels.iter().enumerate().for_each(|(i, label)| by_row[samples.place(i)] = *label);
        by_row
    }
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
        if run.termination.is_asked_for() && !stopped {
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
