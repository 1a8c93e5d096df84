//! What each centre does for the rows: how badly it explains its own, and how much they would miss it.

use super::Trials;
use crate::centroids::KMeansFamily;
use crate::gaussian::weighted;
use crate::passes::over_lanes;
use miscela_distance::Centred;
use miscela_kernel::{BLOCK_ROWS, Block, Float, uniform};

/// What is known of one centre.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// Σ w · the reduced distance of its rows.
    pub(super) error: f64,
    /// By how much that would grow if its rows went to their next centre.
    pub(super) missed: f64,
    /// One of its rows, drawn by its part of the error; none if all are where the centre is.
    pub(super) drawn: Option<usize>,
    /// What was drawn for that row: the least of its cluster.
    key: f64,
}

impl Cluster {
    const EMPTY: Self = Self { error: 0.0, missed: 0.0, drawn: None, key: f64::INFINITY };

    /// The row wins whose −ln(u)/p is least: each by chances of p (Efraimidis & Spirakis 2006).
    fn offer(&mut self, row: Option<usize>, key: f64) {
        if key < self.key {
            (self.drawn, self.key) = (row, key);
        }
    }

    /// Adds a row of this error.
    fn explain(&mut self, row: usize, error: f64, seed: u64) {
        self.error += error;
        if error > 0.0 {
            self.offer(Some(row), -uniform::unit(uniform::of_row(seed, row)).ln() / error);
        }
    }

    fn add(&mut self, other: &Self) {
        self.error += other.error;
        self.missed += other.missed;
        self.offer(other.drawn, other.key);
    }
}

/// One pass over the rows, each against all centres.
pub(super) fn survey<F: Float, D: Centred<F>>(trials: &mut Trials<F>, family: &KMeansFamily<F, D>) -> Vec<Cluster> {
    let (seed, centres, samples) = (trials.draw(), family.index(), trials.of.samples);
    let work = |block: &Block<F>, clusters: &mut Vec<Cluster>, (): &mut ()| {
        let mut two = [[(0, 0.0); 2]; BLOCK_ROWS];
        family.distance().nearest_two(block, centres, &mut two[..block.len()]);
        for (i, [(c, own), (_, next)]) in two[..block.len()].iter().enumerate() {
            let (w, cluster) = (block.weight(i), &mut clusters[*c as usize]);
            cluster.explain(block.first() + i, weighted(w, *own), seed);
            cluster.missed += weighted(w, next - own);
        }
    };
    trials.report.distances += (samples.n_rows() * centres.len()) as u64;
    over_clusters(trials, centres.len(), work)
}

/// What a pass over the rows finds out of k clusters.
fn over_clusters<F: Float>(
    trials: &Trials<F>,
    k: usize,
    work: impl Fn(&Block<F>, &mut Vec<Cluster>, &mut ()) + Sync + Send,
) -> Vec<Cluster> {
    let empty = || vec![Cluster::EMPTY; k];
    let parts = over_lanes(trials.of.samples, 40 * k, trials.of.threads, empty, work);
    let mut all = empty();
    parts.iter().for_each(|part| all.iter_mut().zip(part).for_each(|(all, part)| all.add(part)));
    all
}

/// The same without how much each is missed: a distance a row, where labels are known.
pub(super) fn errors<F: Float, D: Centred<F>>(
    trials: &mut Trials<F>,
    family: &KMeansFamily<F, D>,
    labelled: impl Fn(usize) -> u32 + Sync + Send,
) -> Vec<Cluster> {
    let (seed, centres, samples) = (trials.draw(), family.index(), trials.of.samples);
    let work = |block: &Block<F>, clusters: &mut Vec<Cluster>, (): &mut ()| {
        for (i, row) in block.rows().enumerate() {
            let at = block.first() + i;
            let c = labelled(at) as usize;
            clusters[c].explain(at, weighted(block.weight(i), family.distance().reduced(row, centres.row(c))), seed);
        }
    };
    trials.report.distances += samples.n_rows() as u64;
    over_clusters(trials, centres.len(), work)
}

/// By how much the error of each cluster's rows would shrink if the row that was drawn of it were a centre too.
pub(super) fn gains<F: Float, D: Centred<F>>(
    trials: &mut Trials<F>,
    family: &KMeansFamily<F, D>,
    clusters: &[Cluster],
    labelled: impl Fn(usize) -> u32 + Sync + Send,
) -> Vec<f64> {
    let (centres, samples, distance) = (family.index(), trials.of.samples, family.distance());
    let mut drawn = Vec::new();
    let width = samples.n_columns();
    for cluster in clusters {
        super::breathing::push(samples, cluster.drawn.unwrap_or(0), &mut drawn);
    }
    let work = |block: &Block<F>, gains: &mut Vec<f64>, (): &mut ()| {
        for (i, row) in block.rows().enumerate() {
            let c = labelled(block.first() + i) as usize;
            let own = distance.reduced(row, centres.row(c));
            let other = distance.reduced(row, &drawn[c * width..(c + 1) * width]);
            gains[c] += weighted(block.weight(i), (own - other).max(0.0));
        }
    };
    trials.report.distances += 2 * samples.n_rows() as u64;
    let parts = over_lanes(samples, 8 * clusters.len(), trials.of.threads, || vec![0.0; clusters.len()], work);
    let mut all = vec![0.0; clusters.len()];
    parts.iter().for_each(|part| all.iter_mut().zip(part).for_each(|(all, part)| *all += part));
    all.iter_mut().zip(clusters).filter(|(_, cluster)| cluster.drawn.is_none()).for_each(|(gain, _)| *gain = 0.0);
    all
}
