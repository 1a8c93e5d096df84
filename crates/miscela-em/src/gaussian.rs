//! Gaussian mixtures: components with a mean and a covariance, rows shared by density.
//!
//! EM (Dempster, Laird & Rubin 1977). The E-step turns a block of rows into tiles, computes the log-densities of every
//! component, turns them into responsibilities and adds the responsibilities' moments; hard assignment adds each row to
//! its winner alone, with the kernels of k-means. The M-step is closed for every structure here.

use crate::assignment::{Assignment, Held, Mixing};
use crate::centroids::relabel;
use crate::covariance::{Covariance, FLOOR_F32, FLOOR_F64, Regulariser, Within};
use crate::density::Density;
use crate::engine::{Assigned, Change, Family, MStep};
use crate::parameters::{Mixture, ParameterError};
use crate::report::{RepairAction, Termination};
use crate::statistics::{Statistics, Sums};
use crate::summary::Summary;
use miscela_kernel::{
    BLOCK_ROWS, Block, Centroids, Column, Float, MomentScratch, Moments, NearestScratch, Scatter, Solved, TILE_ROWS,
    Tile, soften, winners,
};
use ndarray::{Array1, Array2};

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
    /// Added to every variance in each M-step.
    pub reg_covariance: f64,
    /// Stop when the mean objective per unit of weight rises by less; zero: until nothing changes.
    pub tolerance: f64,
}

impl Default for MixtureSettings {
    fn default() -> Self {
        Self {
            covariance: Covariance::Full,
            assignment: Assignment::Soft,
            mixing: Mixing::Free,
            held: Held::default(),
            reg_covariance: 1e-6,
            tolerance: 1e-3,
        }
    }
}

/// The family of Gaussian mixtures.
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
}

/// Space for an E-step.
#[derive(Debug)]
pub struct GaussianScratch<F> {
    tiles: Vec<Tile<F>>,
    zero: Vec<F>,
    /// For each tile, a column a component.
    shares: Vec<Column<F>>,
    weights: Vec<Column<F>>,
    solved: Solved<F>,
    moments: MomentScratch<F>,
    nearest: NearestScratch<F>,
    labels: Vec<u32>,
}

impl<F: Float> Default for GaussianScratch<F> {
    fn default() -> Self {
        Self {
            tiles: vec![Tile::new(); BLOCK_ROWS / TILE_ROWS],
            zero: Vec::new(),
            shares: Vec::new(),
            weights: vec![Column::splat(F::zero()); BLOCK_ROWS / TILE_ROWS],
            solved: Vec::new(),
            moments: MomentScratch::default(),
            nearest: NearestScratch::default(),
            labels: vec![0; BLOCK_ROWS],
        }
    }
}

impl<F: Float> GaussianScratch<F> {
    /// Turns the rows of a block into tiles and returns how many there are.
    pub(crate) fn fill(&mut self, block: &Block<F>, k: usize) -> usize {
        let tiles = block.len().div_ceil(TILE_ROWS);
        self.zero.resize(block.width(), F::zero());
        self.shares.resize(BLOCK_ROWS / TILE_ROWS * k, Column::splat(F::zero()));
        for (t, tile) in self.tiles[..tiles].iter_mut().enumerate() {
            let first = t * TILE_ROWS;
            tile.fill(&block.slice(first..(first + TILE_ROWS).min(block.len())), &self.zero);
        }
        tiles
    }

    /// The shares of tile `t`, one column a component.
    pub(crate) fn shares(&mut self, t: usize, k: usize) -> &mut [Column<F>] {
        &mut self.shares[t * k..(t + 1) * k]
    }

    /// Writes the log-densities of tile `t` to its shares.
    pub(crate) fn log_densities(&mut self, density: &Density<F>, t: usize) -> &mut [Column<F>] {
        let k = density.n_components();
        density.log_densities(&self.tiles[t], &mut self.solved, &mut self.shares[t * k..(t + 1) * k]);
        &mut self.shares[t * k..(t + 1) * k]
    }

    /// Adds the moments of all components about `means` (k × d), each row weighted by its share and its own weight.
    pub(crate) fn add_moments(&mut self, block: &Block<F>, means: &[F], sums: &mut Sums) {
        let (k, d, tiles) = (sums.k(), sums.width, block.len().div_ceil(TILE_ROWS));
        let size = sums.scatter.len(d);
        // What a row that is not there, or does not count, weighs.
        let row_weights: Vec<Column<F>> = (0..tiles)
            .map(|t| {
                let at = |i| t * TILE_ROWS + i;
                let weight = |i| if at(i) < block.len() { F::narrow(block.weight(at(i))) } else { F::zero() };
                Column(std::array::from_fn(weight))
            })
            .collect();
        for c in 0..k {
            let mut any = false;
            for (t, (column, w)) in self.weights.iter_mut().zip(&row_weights).enumerate() {
                let share = &self.shares[t * k + c];
                *column = Column(std::array::from_fn(|i| share.0[i] * w.0[i]));
                any |= column.0.iter().any(|r| *r != F::zero());
            }
            if !any {
                continue;
            }
            let mut moments = Moments {
                weight: &mut sums.weight[c],
                first: &mut sums.first[c * d..(c + 1) * d],
                second: &mut sums.second[c * size..(c + 1) * size],
                scatter: sums.scatter,
            };
            let mean = &means[c * d..(c + 1) * d];
            moments.add(&self.tiles[..tiles], mean, &self.weights[..tiles], &mut self.moments);
        }
    }
}

impl<F: Float> GaussianFamily<F> {
    /// From start parameters, which are used as they are; an error names what is wrong with them.
    pub fn new(
        start: Mixture<F>,
        settings: MixtureSettings,
        summary: &Summary,
        total_weight: f64,
    ) -> Result<Self, ParameterError> {
        start.check()?;
        let mut start = start;
        if settings.mixing == Mixing::Equal {
            start.weights.fill(F::narrow(1.0 / start.n_components() as f64));
        }
        let density = Density::new(&start)?;
        let offset = summary.mean.iter().map(|m| F::narrow(*m)).collect();
        let mut family = Self {
            mixture: start,
            density,
            nearest: None,
            settings,
            scale: summary.positive_variance(),
            offset,
            total_weight,
        };
        family.prepare_nearest();
        Ok(family)
    }

    /// The current parameters.
    pub fn mixture(&self) -> &Mixture<F> {
        &self.mixture
    }

    /// The current parameters, factored.
    pub fn density(&self) -> &Density<F> {
        &self.density
    }

    /// Takes the parameters out.
    pub fn into_mixture(self) -> Mixture<F> {
        self.mixture
    }

    fn prepare_nearest(&mut self) {
        let shared = self.is_hard() && self.density.shared_sphere().is_some();
        self.nearest = shared.then(|| Centroids::new(self.density.means(), &self.offset));
    }

    fn hard_e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut GaussianScratch<F>) {
        if let Some(nearest) = &self.nearest {
            nearest.assign(block, &mut scratch.labels[..block.len()], &mut scratch.nearest);
        } else {
            let tiles = scratch.fill(block, self.n_components());
            for t in 0..tiles {
                let (winner, log_density) = winners(scratch.log_densities(&self.density, t));
                let first = t * TILE_ROWS;
                for i in first..(first + TILE_ROWS).min(block.len()) {
                    scratch.labels[i] = winner.0[i - first];
                    sums.objective += weighted(block.weight(i), log_density.0[i - first].widen());
                }
            }
        }
        let new = &scratch.labels[..block.len()];
        sums.changed += relabel(labels, new);
        sums.hard().add(block, new, self.density.means(), 1.0);
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

    fn scatter(&self) -> Scatter {
        self.settings.covariance.structure().scatter()
    }

    fn fingerprint(&self) -> u64 {
        self.mixture.fingerprint()
    }

    fn shift(&self) -> Vec<f64> {
        self.mixture.means.iter().map(|m| m.widen()).collect()
    }

    fn is_hard(&self) -> bool {
        self.settings.assignment == Assignment::Hard
    }

    fn e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut Self::Scratch) {
        if self.is_hard() {
            return self.hard_e_step(block, labels, sums, scratch);
        }
        let temperature = self.settings.assignment.temperature();
        let tiles = scratch.fill(block, self.n_components());
        for t in 0..tiles {
            let total = soften(scratch.log_densities(&self.density, t), temperature);
            let first = t * TILE_ROWS;
            for i in first..(first + TILE_ROWS).min(block.len()) {
                sums.objective += weighted(block.weight(i), total.0[i - first].widen());
            }
        }
        scratch.add_moments(block, self.density.means(), sums);
    }

    fn objective(&self, sums: &Sums) -> Option<f64> {
        // The nearest-mean kernel gives labels without densities; their sum follows from the scatter.
        Some(match (&self.nearest, self.density.shared_sphere()) {
            (Some(_), Some(precision)) => {
                let constant = self.density.constant(0).widen();
                self.total_weight * constant - 0.5 * precision.widen() * sums.second.iter().sum::<f64>()
            }
            _ => sums.objective,
        })
    }

    fn misfit(&self, row: &[F], label: u32, scratch: &mut Self::Scratch) -> f64 {
        if let Some(nearest) = &self.nearest {
            return miscela_kernel::squared_distance(row, nearest.row(label as usize));
        }
        scratch.fill(&Block::new(row, row.len()), self.n_components());
        -scratch.log_densities(&self.density, 0)[label as usize].0[0].widen()
    }

    fn m_step(&mut self, statistics: Statistics, rows: &Assigned<F>) -> MStep {
        let old = &self.mixture.means;
        let mut repairs = Vec::new();
        let mut next = maximise(&statistics, &self.settings, &self.scale, rows.relocated, &mut repairs);
        if self.settings.held.weights {
            next.weights.clone_from(&self.mixture.weights);
        }
        if self.settings.held.means {
            next.means.clone_from(old);
        }
        if self.settings.held.covariances {
            next.covariances.clone_from(&self.mixture.covariances);
            repairs.retain(|(_, action, _)| *action != RepairAction::Floored);
        }
        let shift2 = next.means.iter().zip(old).map(|(new, old)| (new.widen() - old.widen()).powi(2)).sum();
        // The floor keeps every covariance positive definite; should rounding to F have undone that, the old one stays.
        if let Ok(density) = Density::new(&next) {
            (self.mixture, self.density) = (next, density);
        }
        self.prepare_nearest();
        MStep { objective: None, shift2, repairs }
    }

    fn is_idle(&self, change: &Change) -> bool {
        if self.is_hard() {
            return change.now <= change.before;
        }
        let epsilon = 2.0 * F::UNIT_ROUNDOFF;
        (change.now - change.before).abs() <= 4.0 * epsilon * (1.0 + change.now.abs())
    }

    fn settled(&self, change: &Change) -> Option<Termination> {
        if change.changed == 0 {
            return Some(Termination::LabelsUnchanged);
        }
        let rise = (change.now - change.before) / self.total_weight;
        let still = self.settings.tolerance > 0.0 && rise < self.settings.tolerance;
        (still || change.idle >= 2).then_some(Termination::Tolerance)
    }
}

/// The M-step: the most likely mixture for the statistics, under the settings' structure, ridge and floor.
///
/// A component without weight, or one that was just moved, has no scatter to speak of and takes the pooled shape.
pub(crate) fn maximise<F: Float>(
    statistics: &Statistics,
    settings: &MixtureSettings,
    scale: &[f64],
    relocated: &[usize],
    repairs: &mut Vec<(usize, RepairAction, String)>,
) -> Mixture<F> {
    let sums = statistics.sums();
    let total: f64 = sums.weight.iter().sum();
    let k = sums.k();
    let mut within = Within {
        width: sums.width,
        weight: sums.weight.clone(),
        covariance: (0..k).map(|c| covariance_of(statistics, c)).collect(),
    };
    let starved: Vec<usize> = (0..k).filter(|c| sums.weight[*c] <= f64::EPSILON * total).collect();
    let pooled = within.pooled();
    for c in starved.iter().chain(relocated) {
        within.covariance[*c].clone_from(&pooled);
    }
    for c in starved {
        repairs.push((
            c,
            RepairAction::Starved,
            "had no weight left; kept its mean, with the pooled covariance".into(),
        ));
    }
    let floor = if F::NAME == "f32" { FLOOR_F32 } else { FLOOR_F64 };
    let mut regulariser = Regulariser { ridge: settings.reg_covariance, floor, scale, raised: Vec::new() };
    let covariances = settings.covariance.structure().estimate(&within, &mut regulariser);
    for (component, count) in regulariser.raised {
        let whose = if component.is_some() { "its" } else { "the shared" };
        let detail = format!("{count} of {whose} variances raised to {floor:e} of the data's");
        repairs.push((component.unwrap_or(0), RepairAction::Floored, detail));
    }
    let weights = match settings.mixing {
        Mixing::Free => sums.weight.iter().map(|n| F::narrow(n / total)).collect(),
        Mixing::Equal => Array1::from_elem(k, F::narrow(1.0 / k as f64)),
    };
    Mixture { weights, means: statistics.means().mapv(F::narrow), covariances: covariances.narrow() }
}

fn covariance_of(statistics: &Statistics, c: usize) -> Vec<f64> {
    let n = statistics.sums().weight[c];
    let mut scatter = statistics.scatter_about_mean(c);
    scatter.iter_mut().for_each(|s| *s = if n > 0.0 { *s / n } else { 0.0 });
    scatter
}

/// Means as rows, for callers that hold them as a matrix.
pub(crate) fn flat<F: Float>(means: &Array2<F>) -> Vec<F> {
    means.iter().copied().collect()
}
