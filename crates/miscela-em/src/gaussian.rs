//! Gaussian mixtures: components with a mean and a covariance, rows shared by density.
//!
//! EM (Dempster, Laird & Rubin 1977). The E-step turns a block of rows into tiles, computes the log-densities of every
//! component, turns them into responsibilities and adds the responsibilities' moments; hard assignment adds each row to
//! its winner alone, with the kernels of k-means. The M-step is closed for most structures, and goes on from the covariances before for the
//! others.

use crate::assignment::{Assignment, Held, Mixing};
use crate::centroids::relabel;
use crate::collapse::{Collapse, RESPAWNS, remove_lightest, respawn};
use crate::covariance::Covariance;
use crate::density::Density;
use crate::engine::{Assigned, Family, MStep};
use crate::history::Change;
use crate::inference::{MixtureFit, evaluate_mixture};
use crate::maximise::{Gathered, Notes, Terms, maximise};
use crate::missing::{IncompleteDensity, Marginal, Missing, Rule};
use crate::noise::Noise;
use crate::parameters::{Mixture, ParameterError};
use crate::plan::Algorithm;
use crate::prior::Prior;
use crate::report::{RepairAction, Termination};
use crate::squarem::{Acceleration, Squarem};
use crate::statistics::{Statistics, Sums};
use crate::stochastic::Best;
use crate::summary::Summary;
use crate::tails::Tails;
use crate::tiles::{GaussianScratch, tile_rows};
use miscela_kernel::{Block, Centroids, Float, Samples, Scatter, Threads, uniform, winners};

/// What a mixture's M-step and stopping rule follow.
#[derive(Clone, Debug, PartialEq)]
pub struct MixtureSettings {
    /// The structure of the covariances.
    pub covariance: Covariance,
    /// How rows are shared.
    pub assignment: Assignment,
    /// Whether weights are estimated.
    pub mixing: Mixing,
    /// What stays as given.
    pub held: Held,
    /// A uniform component beside the k others.
    pub noise: Option<Noise>,
    /// What is done about a component that collapses.
    pub collapse: Collapse,
    /// Gaussian or Student-t components.
    pub tails: Tails,
    /// Added to every variance in each M-step.
    pub reg_covariance: f64,
    /// Whether iterations are made fewer; for soft and tempered assignment.
    pub acceleration: Acceleration,
    /// Stop when the mean objective per unit of weight rises by less; zero: until nothing changes.
    pub tolerance: f64,
    /// What is done about missing values.
    pub missing: Missing,
}

impl Default for MixtureSettings {
    fn default() -> Self {
        Self {
            covariance: Covariance::Full,
            assignment: Assignment::Soft,
            mixing: Mixing::Free,
            held: Held::default(),
            noise: None,
            collapse: Collapse::Floor,
            tails: Tails::Gaussian,
            reg_covariance: 1e-6,
            acceleration: Acceleration::None,
            tolerance: 1e-3,
            missing: Missing::Error,
        }
    }
}

impl MixtureSettings {
    /// The prior on k components, if there is one.
    pub(crate) fn prior(&self, k: usize, summary: &Summary) -> Option<Prior> {
        (self.collapse == Collapse::Prior).then(|| Prior::new(self.covariance, k, summary)).flatten()
    }

    /// Which parameters these are, how rows are shared under them, and what draws are a function of.
    pub(crate) fn fingerprint<F: Float>(&self, mixture: &Mixture<F>, draws: Option<u64>) -> u64 {
        let hard = self.assignment == Assignment::Hard;
        mixture.fingerprint(if hard { 0.0 } else { self.assignment.temperature() }, draws)
    }

    /// Whether what is done about collapses needs the [covariance](Summary::with_covariance) of the rows.
    pub fn needs_covariance(&self) -> bool {
        self.collapse == Collapse::Prior && self.covariance.structure().scatter() == Scatter::Full
    }
}

/// The family of Gaussian mixtures.
///
/// ```
/// use miscela_em::{GaussianFamily, MixtureSettings, Shares, Summary, from_shares, run};
/// use miscela_kernel::{Samples, Threads};
/// use ndarray::array;
///
/// let rows = array![[0.0], [1.0], [2.0], [7.0], [8.0], [9.5]];
/// let samples = Samples::new(&rows)?;
/// let (settings, summary) = (MixtureSettings::default(), Summary::of(&samples, Threads::One));
/// let partition = Shares::Labels(&[0, 0, 0, 1, 1, 1]);
/// let (start, _) = from_shares(&samples, partition, 2, &settings, &summary, Threads::One)?;
/// let mut family = GaussianFamily::new(start, settings, &summary, samples.total_weight())?;
/// let report = run(&mut family, &samples, 100, Threads::One, &mut ());
/// assert!(report.termination.converged());
/// let weight: f64 = family.mixture().weights[0];
/// assert!((weight - 0.5).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct GaussianFamily<F> {
    mixture: Mixture<F>,
    density: Density<F>,
    /// The means, where the densest component is the nearest mean and assignment is hard.
    nearest: Option<Centroids<F>>,
    settings: MixtureSettings,
    /// A variance for each column: what small is measured against.
    scale: Vec<f64>,
    offset: Vec<F>,
    total_weight: f64,
    /// What the draws of stochastic assignment are functions of, besides the rows: a seed, and how many M-steps there were.
    seed: u64,
    m_steps: usize,
    best: Best<F>,
    squarem: Option<Squarem<F>>,
    /// Where values are missing, the mixture as rows with gaps see it.
    marginal: Option<Marginal>,
    prior: Option<Prior>,
    /// How often each component started again.
    respawned: Vec<usize>,
    /// Whether the last M-step replaced or removed components, so that the objective may have fallen.
    rescued: bool,
}

impl<F: Float> GaussianFamily<F> {
    /// From start parameters, which are used as they are; an error names what is wrong with them.
    ///
    /// An annealed assignment is what it ends with: the temperatures before are [`Course::run`](crate::Course::run)'s.
    pub fn new(
        start: Mixture<F>,
        settings: MixtureSettings,
        summary: &Summary,
        total_weight: f64,
    ) -> Result<Self, ParameterError> {
        start.check()?;
        settings.mixing.check(start.n_components())?;
        let settings = MixtureSettings { assignment: settings.assignment.at_end(), ..settings };
        let mut start = start;
        start.degrees = settings.tails.start(start.degrees.take(), start.n_components());
        if let Some(weights) = settings.mixing.fixed(start.n_components(), start.not_noise()) {
            start.weights = weights;
        }
        let density = Density::new(&start)?;
        let prior = settings.prior(start.n_components(), summary);
        let offset = summary.offset();
        let shares = matches!(settings.assignment, Assignment::Soft | Assignment::Tempered(_));
        let squarem = (shares && settings.acceleration == Acceleration::Squarem).then(Squarem::new);
        let mut family = Self {
            prior,
            respawned: vec![0; start.n_components()],
            rescued: false,
            mixture: start,
            density,
            nearest: None,
            settings,
            scale: summary.positive_variance::<F>(),
            offset,
            total_weight,
            seed: 0,
            m_steps: 0,
            best: Best::new(),
            squarem,
            marginal: None,
        };
        family.prepare_nearest();
        Ok(family)
    }

    /// The seed of stochastic assignment's draws; zero unless set.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// After stochastic assignment: goes back to the parameters of greatest likelihood, the current ones, whose
    /// log-likelihood this is, included. Whether that changed anything.
    pub(crate) fn return_to_best(&mut self, log_likelihood: f64) -> bool {
        if !self.is_stochastic() {
            return false;
        }
        self.best.offer(log_likelihood, &self.mixture);
        let best = std::mem::replace(&mut self.best, Best::new()).into_kept();
        let other = best.filter(|best| *best != self.mixture);
        // What was current once has been factored before.
        other.is_some_and(|mut mixture| self.take(&mut mixture, Threads::One).is_ok())
    }

    /// The best parameters for the statistics, but for what is held, after these.
    fn maximise(
        &self,
        statistics: Statistics,
        before: &Mixture<F>,
        relocated: &[usize],
        repairs: &mut Notes,
        rescue: impl FnOnce(&mut Gathered, &[usize], &mut Notes) -> bool,
    ) -> Mixture<F> {
        let noise = before.noise.as_ref().map(|noise| noise.with_share_of(statistics.sums()));
        let degrees = before.degrees.as_ref().map(|old| self.settings.tails.next(old, statistics.sums()));
        let terms = Terms {
            settings: &self.settings,
            scale: &self.scale,
            prior: self.prior.as_ref(),
            previous: Some(before),
            relocated,
        };
        let mut next = maximise(statistics, &terms, repairs, rescue);
        (next.noise, next.degrees) = (noise, degrees);
        if self.settings.held.weights {
            next.weights.clone_from(&before.weights);
            next.noise.clone_from(&before.noise);
        }
        if self.settings.held.covariances {
            next.covariances.clone_from(&before.covariances);
            repairs.retain(|(_, action, _)| *action != RepairAction::Floored);
        }
        next
    }

    /// Moves to other parameters, and leaves the old ones in their place; on an error all stays.
    fn take(&mut self, next: &mut Mixture<F>, threads: Threads) -> Result<(), ParameterError> {
        let density = Density::new(next)?;
        if let Some(marginal) = &mut self.marginal {
            marginal.renew(next, threads)?;
        }
        std::mem::swap(&mut self.mixture, next);
        self.density = density;
        self.prepare_nearest();
        Ok(())
    }

    fn is_stochastic(&self) -> bool {
        self.settings.assignment == Assignment::Stochastic
    }

    /// What this iteration's draws are functions of, besides the rows.
    fn draws(&self) -> Option<u64> {
        self.is_stochastic().then(|| uniform::of_row(self.seed, self.m_steps))
    }

    /// Gets ready for the values that are missing in these samples; changes nothing where none is.
    pub fn with_missing(mut self, samples: &Samples<F>) -> Result<Self, ParameterError> {
        if samples.n_missing() > 0 {
            self.marginal = Some(Marginal::new(&self.mixture, samples)?);
            self.prepare_nearest();
        }
        Ok(self)
    }

    /// Gets ready for values that are missing in rows that are not here.
    pub(crate) fn with_gaps(mut self) -> Self {
        self.marginal = Some(Marginal::of(&self.mixture));
        self.prepare_nearest();
        self
    }

    /// Likelihoods and sizes at the current parameters, at a temperature for the tempered one.
    pub fn evaluate(&self, samples: &Samples<F>, temperature: f64, threads: Threads) -> MixtureFit {
        if self.marginal.is_some() {
            return IncompleteDensity::new(&self.mixture, &self.density).evaluate(samples, temperature, threads);
        }
        evaluate_mixture(samples, &self.density, temperature, threads)
    }

    /// The current parameters.
    pub fn mixture(&self) -> &Mixture<F> {
        &self.mixture
    }

    /// What its M-step and stopping rule follow.
    pub(crate) fn settings(&self) -> &MixtureSettings {
        &self.settings
    }

    /// The current parameters, factored.
    pub fn density(&self) -> &Density<F> {
        &self.density
    }

    /// Takes the parameters out.
    pub fn into_mixture(self) -> Mixture<F> {
        self.mixture
    }

    /// The logarithm of the prior density of the current parameters, to a constant; zero if there is no prior.
    pub fn log_prior(&self) -> f64 {
        self.prior.as_ref().map_or(0.0, |prior| prior.log_density(&self.mixture))
    }

    fn prepare_nearest(&mut self) {
        let shared = self.is_hard() && self.density.shared_sphere().is_some() && self.marginal.is_none();
        self.nearest = shared.then(|| Centroids::new(self.density.means(), &self.offset));
    }

    /// The E-step of rows that all have all their values.
    fn complete_e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut GaussianScratch<F>) {
        if self.is_hard() {
            return self.hard_e_step(block, labels, sums, scratch);
        }
        let temperature = self.settings.assignment.temperature();
        let tiles = scratch.fill(block, self.density.offset(), self.n_labels());
        for t in 0..tiles {
            let total = scratch.share(&self.density, t, temperature, (sums, self.total_weight));
            for (at, i) in tile_rows(block.len(), t).enumerate() {
                sums.objective += weighted(block.weight(i), total.0[at].widen());
            }
        }
        if let Some(seed) = self.draws() {
            scratch.draw(block, seed);
        }
        for t in 0..tiles {
            scratch.set_noise_aside(t, sums);
            scratch.weigh_tails(t, sums);
        }
        scratch.add_moments(block, self.density.means(), sums);
    }

    /// Whether there is more to a row than its label and weight.
    fn bears_outliers(&self) -> bool {
        self.mixture.noise.is_some() || self.mixture.degrees.is_some()
    }

    fn hard_e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut GaussianScratch<F>) {
        let tiles = scratch.fill(block, self.density.offset(), self.n_labels());
        for t in 0..tiles {
            let (winner, log_density) = winners(scratch.log_densities(&self.density, t));
            for (at, i) in tile_rows(block.len(), t).enumerate() {
                scratch.labels[i] = winner.0[at];
                sums.objective += weighted(block.weight(i), log_density.0[at].widen());
            }
        }
        let new = std::mem::take(&mut scratch.labels);
        sums.changed += relabel(block, labels, &new[..block.len()]);
        self.add_labelled(block, &new[..block.len()], sums, scratch);
        scratch.labels = new;
    }

    /// Adds rows, whose log-densities were computed, to the components of their labels.
    fn add_labelled(&self, block: &Block<F>, labels: &[u32], sums: &mut Sums, scratch: &mut GaussianScratch<F>) {
        let means = self.density.means();
        if !self.bears_outliers() {
            return sums.hard().add(block, labels, means);
        }
        scratch.weigh_labelled(block, labels, sums);
        sums.hard().add(&block.with_weights(&scratch.kept), labels, means);
    }
}

/// w·l, and zero where w is, whatever l is.
pub(crate) fn weighted(weight: f64, log_density: f64) -> f64 {
    if weight > 0.0 { weight * log_density } else { 0.0 }
}

impl<F: Float> Family<F> for GaussianFamily<F> {
    type Scratch = GaussianScratch<F>;

    fn n_components(&self) -> usize {
        self.mixture.n_components()
    }

    fn n_labels(&self) -> usize {
        self.mixture.n_labels()
    }

    fn has_tails(&self) -> bool {
        self.mixture.degrees.is_some()
    }

    fn scatter(&self) -> Scatter {
        self.settings.covariance.structure().scatter()
    }

    fn fingerprint(&self) -> u64 {
        self.settings.fingerprint(&self.mixture, self.draws())
    }

    fn shift(&self) -> Vec<f64> {
        self.mixture.means.iter().map(|m| m.widen()).collect()
    }

    fn is_hard(&self) -> bool {
        self.settings.assignment == Assignment::Hard
    }

    fn e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut Self::Scratch) {
        let Some(marginal) = &self.marginal else {
            return self.complete_e_step(block, labels, sums, scratch);
        };
        let mut gaps = std::mem::take(&mut scratch.gaps);
        if gaps.find(block) {
            gaps.labels.clear();
            gaps.labels.extend_from_slice(labels);
            self.complete_e_step(&gaps.masked(block, self.density.offset()), labels, sums, scratch);
            let rule = match self.draws() {
                Some(seed) => Rule::Drawn(seed),
                None if self.is_hard() => Rule::Hard,
                None => Rule::Soft(self.settings.assignment.temperature()),
            };
            marginal.e_step(rule, block, labels, sums, &gaps);
        } else {
            self.complete_e_step(block, labels, sums, scratch);
        }
        scratch.gaps = gaps;
    }

    fn give_up(&mut self, objective: f64, threads: Threads) -> Option<Vec<(usize, RepairAction, String)>> {
        let slack = 8.0 * F::UNIT_ROUNDOFF * (1.0 + objective.abs());
        let (statistics, mut before) = self.squarem.as_mut()?.judge(objective, slack)?;
        let mut repairs = Vec::new();
        let mut next = self.maximise(statistics, &before, &[], &mut repairs, |_, _, _| false);
        // Where even those cannot be used, the ones before can: they were.
        self.take(&mut next, threads).or_else(|_| self.take(&mut before, threads)).ok()?;
        Some(repairs)
    }

    fn can_relocate(&self) -> bool {
        !self.settings.held.means
    }

    fn add(&self, block: &Block<F>, labels: &[u32], sums: &mut Sums, scratch: &mut Self::Scratch) {
        let Some(marginal) = self.marginal.as_ref().filter(|_| scratch.gaps.find(block)) else {
            if self.mixture.degrees.is_some() {
                let tiles = scratch.fill(block, self.density.offset(), self.n_labels());
                (0..tiles).for_each(|t| _ = scratch.log_densities(&self.density, t));
            }
            return self.add_labelled(block, labels, sums, scratch);
        };
        sums.hard().add(&scratch.gaps.masked(block, self.density.offset()), labels, self.density.means());
        // Only the sums of moments are asked for here.
        let objective = sums.objective;
        marginal.e_step(Rule::Given, block, &mut labels.to_vec(), sums, &scratch.gaps);
        sums.objective = objective;
    }

    fn centroids(&self) -> Option<(&Centroids<F>, Algorithm)> {
        self.nearest.as_ref().map(|nearest| (nearest, Algorithm::Auto))
    }

    fn objective(&self, statistics: &Statistics) -> Option<f64> {
        // The nearest-mean kernel gives labels without densities; their sum follows from the scatter.
        let objective = match (&self.nearest, self.density.shared_sphere()) {
            (Some(_), Some(precision)) => {
                let constant = self.density.constant(0).widen();
                let mean = |c| self.mixture.means.row(c).into_iter().map(|m| m.widen());
                let spread: f64 = (0..self.n_components()).map(|c| statistics.spread_about(c, mean(c))).sum();
                self.total_weight * constant - 0.5 * precision.widen() * spread
            }
            _ => statistics.sums().objective,
        };
        Some(objective + self.log_prior())
    }

    fn misfit(&self, row: &[F], label: u32, scratch: &mut Self::Scratch) -> f64 {
        if let Some(nearest) = &self.nearest {
            return miscela_kernel::squared_distance(row, nearest.row(label as usize));
        }
        if let Some(marginal) = self.marginal.as_ref().filter(|_| row.iter().any(|x| x.is_nan())) {
            return -marginal.complete_row(&mut row.to_vec(), label as usize);
        }
        if label as usize == self.n_components() {
            // Noise explains its rows as well as any.
            return f64::NEG_INFINITY;
        }
        scratch.misfit(&self.density, row, label)
    }

    fn complete(&self, row: &mut [F], from: u32) {
        if let Some(marginal) = &self.marginal {
            marginal.complete_row(row, from as usize);
        }
    }

    fn m_step(&mut self, statistics: Statistics, rows: &Assigned<F>) -> MStep {
        if self.is_stochastic() {
            self.best.offer(statistics.sums().objective, &self.mixture);
        }
        self.m_steps += 1;
        let objective = self.squarem.as_ref().and_then(|_| self.objective(&statistics));
        let statistics = match (&mut self.squarem, objective) {
            (Some(squarem), Some(objective)) => squarem.advance(statistics, objective, &self.scale, &self.mixture),
            _ => statistics,
        };
        let old = &self.mixture.means;
        let mut repairs = Vec::new();
        let (mut respawned, mut rescued) = (std::mem::take(&mut self.respawned), false);
        let (density, samples, threads) = (&self.density, rows.samples, rows.threads);
        let mut next =
            self.maximise(statistics, &self.mixture, rows.relocated, &mut repairs, |gathered, collapsed, repairs| {
                rescued = match self.settings.collapse {
                    Collapse::Drop => remove_lightest(gathered, &mut respawned, collapsed, repairs),
                    _ => respawn(gathered, &mut respawned, collapsed, repairs, (samples, density, threads)),
                };
                rescued
            });
        self.best.sound = repairs.is_empty();
        let shift2 = next.means.iter().zip(old).map(|(new, old)| (new.widen() - old.widen()).powi(2)).sum();
        (self.respawned, self.rescued) = (respawned, rescued);
        // No row has any density, or rounding to F undid the floor: the parameters stay, and it is said.
        if let Err(error) = self.take(&mut next, rows.threads) {
            (self.rescued, self.respawned) = (false, vec![RESPAWNS; self.n_components()]);
            let detail = format!("the new parameters cannot be used ({error}); kept the old ones");
            return MStep { objective: None, shift2: 0.0, repairs: vec![(0, RepairAction::Starved, detail)] };
        }
        MStep { objective: None, shift2, repairs }
    }

    fn is_idle(&self, change: &Change) -> bool {
        // By rounding, an objective that stays goes up and down by a digit: a component that no row likes is given one, and
        // is empty again.
        let rounding = 8.0 * F::UNIT_ROUNDOFF * (1.0 + change.now.abs());
        if self.is_hard() {
            change.now <= change.highest + rounding
        } else {
            (change.now - change.before).abs() <= rounding
        }
    }

    fn settled(&self, change: &Change) -> Option<Termination> {
        // Draws go on for ever.
        if self.rescued || self.is_stochastic() {
            return None;
        }
        let rise = (change.now - change.before) / self.total_weight;
        let still = self.settings.tolerance > 0.0 && rise < self.settings.tolerance;
        // Ill-conditioned covariances can make the last digits go up and down for ever.
        let hovers = !self.is_hard() && change.hovering >= 10;
        (still || hovers || change.idle >= 2).then_some(Termination::Tolerance)
    }
}
