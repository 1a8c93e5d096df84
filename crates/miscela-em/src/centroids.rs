//! K-means: components that are points, each row wholly the nearest one's.
//!
//! Lloyd's algorithm (1957, 1982): assign each row to the nearest centre, move each centre to where its rows' summed
//! distance is least, repeat. In the terms of the engine: hard assignment, equal fixed weights and one shared sphere.

use crate::engine::{Assigned, Change, Family, MStep};
use crate::median::medians;
use crate::report::Termination;
use crate::statistics::{Statistics, Sums, fingerprint};
use miscela_distance::{CentreRule, Centred};
use miscela_kernel::{BLOCK_ROWS, Block, Centroids, Float, NearestScratch, Scatter};
use ndarray::Array2;

/// The family of k-means, for a distance that knows its centres.
#[derive(Clone, Debug)]
pub struct KMeansFamily<F, D> {
    centroids: Centroids<F>,
    distance: D,
    /// Stop when the centres moved less than this, squared and summed.
    tolerance: f64,
    offset: Vec<F>,
}

/// Space for an E-step.
#[derive(Debug)]
pub struct KMeansScratch<F> {
    pub(crate) nearest: NearestScratch<F>,
    pub(crate) labels: Vec<u32>,
    directions: Vec<F>,
}

impl<F: Float> Default for KMeansScratch<F> {
    fn default() -> Self {
        Self { nearest: NearestScratch::default(), labels: vec![0; BLOCK_ROWS], directions: Vec::new() }
    }
}

impl<F: Float, D: Centred<F>> KMeansFamily<F, D> {
    /// From start centres, k × d. `offset` is about the mean of the rows; `tolerance` is in squared units of the data.
    ///
    /// # Panics
    /// If there are no centres.
    pub fn new(centroids: &Array2<F>, distance: D, tolerance: f64, offset: Vec<F>) -> Self {
        let rows: Vec<F> = centroids.iter().copied().collect();
        Self { centroids: Centroids::new(&rows, &offset), distance, tolerance, offset }
    }

    /// The centres, k × d.
    pub fn centroids(&self) -> Array2<F> {
        let (k, d) = (self.centroids.len(), self.centroids.width());
        let mut out = Array2::zeros((k, d));
        out.iter_mut().zip(self.centroids.rows().flatten()).for_each(|(to, from)| *to = *from);
        out
    }

    /// The centres, prepared for search.
    pub fn index(&self) -> &Centroids<F> {
        &self.centroids
    }

    /// Moves each centre to the mean of all rows it was ever given: `counts` holds the weight of those before, and the
    /// statistics those of a new batch (Sculley 2010). Returns how far the centres moved, squared and summed.
    ///
    /// Only for distances whose centre is a mean, plain or normalised: sums do not tell a median.
    pub fn absorb(&mut self, statistics: &Statistics, counts: &mut [f64]) -> f64 {
        let d = self.centroids.width();
        let mut centres = Vec::with_capacity(counts.len() * d);
        for (c, count) in counts.iter_mut().enumerate() {
            *count += statistics.sums().weight[c];
            let share = if *count > 0.0 { 1.0 / *count } else { 0.0 };
            let first = statistics.sums().first(c);
            let moved: Vec<f64> = statistics.shift(c).iter().zip(first).map(|(c, s)| c + share * s).collect();
            if self.is_spherical() { centres.extend(direction(&moved)) } else { centres.extend(moved) }
        }
        self.move_to(centres.into_iter().map(F::narrow).collect())
    }

    /// Takes new centres and returns how far they moved, squared and summed.
    fn move_to(&mut self, centres: Vec<F>) -> f64 {
        let pairs = centres.iter().zip(self.centroids.all());
        let shift2 = pairs.map(|(new, old)| (new.widen() - old.widen()).powi(2)).sum();
        self.centroids = Centroids::new(&centres, &self.offset);
        shift2
    }

    fn is_spherical(&self) -> bool {
        D::CENTRE == CentreRule::NormalisedMean
    }
}

impl<F: Float, D: Centred<F>> Family<F> for KMeansFamily<F, D> {
    type Scratch = KMeansScratch<F>;

    fn n_components(&self) -> usize {
        self.centroids.len()
    }

    fn scatter(&self) -> Scatter {
        Scatter::Spherical
    }

    fn fingerprint(&self) -> u64 {
        fingerprint(self.centroids.rows().flatten().map(|x| x.widen()))
    }

    fn shift(&self) -> Vec<f64> {
        self.centroids.rows().flatten().map(|x| x.widen()).collect()
    }

    fn is_hard(&self) -> bool {
        true
    }

    fn e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut Self::Scratch) {
        let new = &mut scratch.labels[..block.len()];
        self.distance.assign(block, &self.centroids, new, &mut scratch.nearest);
        sums.changed += relabel(labels, new);
        if self.is_spherical() {
            // The centre of directions is asked for, so directions are what is added up.
            scratch.directions.clear();
            block.rows().for_each(|row| scratch.directions.extend(direction(row)));
            let directions = block.with_rows(&scratch.directions);
            sums.hard().add(&directions, new, self.centroids.all(), 1.0);
        } else {
            sums.hard().add(block, new, self.centroids.all(), 1.0);
        }
        if !D::EUCLIDEAN {
            for (i, (row, label)) in block.rows().zip(&*new).enumerate() {
                sums.objective += block.weight(i) * self.distance.reduced(row, self.centroids.row(*label as usize));
            }
        }
    }

    fn objective(&self, sums: &Sums) -> Option<f64> {
        (!D::EUCLIDEAN).then_some(sums.objective)
    }

    fn misfit(&self, row: &[F], label: u32, _: &mut Self::Scratch) -> f64 {
        self.distance.reduced(row, self.centroids.row(label as usize))
    }

    fn m_step(&mut self, statistics: Statistics, rows: &Assigned<F>) -> MStep {
        let means = statistics.means();
        let sums = statistics.sums();
        // Σ w‖x − μ'‖² = Σ w‖x − shift‖² − N‖δ‖², before the new centre is rounded to F.
        let inertia = (0..sums.k()).map(|c| statistics.scatter_about_mean(c)[0].max(0.0)).sum();
        let centres: Vec<F> = match D::CENTRE {
            CentreRule::NormalisedMean => means
                .outer_iter()
                .flat_map(|mean| direction(&mean.to_vec()).map(F::narrow).collect::<Vec<_>>())
                .collect(),
            CentreRule::Median => medians(rows, self.centroids.all()),
            _ => means.iter().map(|m| F::narrow(*m)).collect(),
        };
        let shift2 = self.move_to(centres);
        MStep { objective: D::EUCLIDEAN.then_some(inertia), shift2, repairs: Vec::new() }
    }

    fn is_idle(&self, change: &Change) -> bool {
        // In f32, or between ties, labels can go round in circles; the lowest objective is then reached at once.
        change.now >= change.lowest * (1.0 - 4.0 * f64::EPSILON)
    }

    fn settled(&self, change: &Change) -> Option<Termination> {
        if change.changed == 0 {
            return Some(Termination::LabelsUnchanged);
        }
        let still = self.tolerance > 0.0 && change.shift2 <= self.tolerance;
        (still || change.idle >= 2).then_some(Termination::Tolerance)
    }
}

/// Takes over the new labels and counts the changes.
pub(crate) fn relabel(labels: &mut [u32], new: &[u32]) -> u64 {
    let changed = labels.iter().zip(new).filter(|(old, new)| old != new).count();
    labels.copy_from_slice(new);
    changed as u64
}

/// x/‖x‖, safe from overflow.
fn direction<T: Float>(row: &[T]) -> impl Iterator<Item = T> {
    let largest = row.iter().fold(0.0f64, |m, x| m.max(x.widen().abs()));
    let norm = row.iter().map(|x| (x.widen() / largest).powi(2)).sum::<f64>().sqrt();
    row.iter().map(move |x| if largest > 0.0 { T::narrow(x.widen() / largest / norm) } else { *x })
}
