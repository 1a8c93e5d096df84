//! K-means: components that are points, each row wholly the nearest one's.
//!
//! Lloyd's algorithm (1957, 1982): assign each row to the nearest centre, move each centre to where its rows' summed
//! distance is least, repeat. In the terms of the engine: hard assignment, equal fixed weights and one shared sphere.

use crate::engine::{Assigned, Family, MStep, Session};
use crate::gaussian::weighted;
use crate::history::Change;
use crate::inference::{CentroidFit, evaluate_centroids, nearest_of_all, reduced_to_all};
use crate::joint::Joint;
use crate::median::medians;
use crate::missing::{
    ColumnMoments, moved_centres, observed_centres, partial_fit, partial_nearest_of, squared_partial_distance,
};
use crate::passes::over_lanes;
use crate::plan::Algorithm;
use crate::relocate::Empty;
use crate::report::Termination;
use crate::sizes::Sizes;
use crate::statistics::{Statistics, Sums, fingerprint};
use crate::summary::at_least_zero;
use crate::trim::trimmed_weights;
use miscela_distance::{CentreRule, Centred};
use miscela_kernel::{BLOCK_ROWS, Block, Centroids, Float, NearestScratch, Samples, Scatter, Threads};
use ndarray::Array2;

/// The family of k-means, for a distance that knows its centres.
#[derive(Clone, Debug)]
pub struct KMeansFamily<F, D> {
    centroids: Centroids<F>,
    distance: D,
    /// Stop when the centres moved less than this, squared and summed.
    tolerance: f64,
    offset: Vec<F>,
    algorithm: Algorithm,
    /// Whether values are missing, and distances partial.
    partial: bool,
    empty: Empty,
    /// The share of all weight that is left out.
    trim: f64,
    /// How many rows clusters may have, if that is bounded.
    sizes: Option<Sizes>,
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
        let centroids = Centroids::new(&rows, &offset);
        let (algorithm, empty) = (Algorithm::Auto, Empty::Farthest);
        Self { centroids, distance, tolerance, offset, algorithm, partial: false, empty, trim: 0.0, sizes: None }
    }

    /// Gets ready for the values that are missing in these samples: by partial distances, which only L2 has, over the columns
    /// that a row shows. Changes nothing where none is missing.
    pub fn with_missing(self, samples: &Samples<F>) -> Self {
        Self { partial: samples.n_missing() > 0, ..self }
    }

    /// The same for rows that are not here.
    pub(crate) fn with_gaps(self, partial: bool) -> Self {
        Self { partial, ..self }
    }

    /// Whether distances are over the columns that a row shows.
    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }

    /// The M-step by what rows with gaps show of its clusters, about its centres.
    pub(crate) fn m_step_by_columns(&mut self, columns: &ColumnMoments) -> MStep {
        let (centres, repairs) = moved_centres(&self.centroids, columns);
        let objective = (0..centres.len()).map(|at| columns.scatter(at)).sum();
        MStep { objective: Some(objective), shift2: self.move_to(centres), repairs }
    }

    /// Finds the nearest centres by this algorithm, where the distance is L2; others search all of them.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Does this about empty clusters.
    pub fn with_empty(self, empty: Empty) -> Self {
        Self { empty, ..self }
    }

    /// Leaves this share of all weight out, that of the farthest rows; zero leaves none out. Every row is then looked at in
    /// every iteration, and what belongs to which is said by [`joint_fit`](Self::joint_fit).
    pub fn with_trim(self, alpha: f64) -> Self {
        Self { trim: alpha, ..self }
    }

    /// Keeps clusters to these sizes; every row counts for one. There must be a way to do so: [`Sizes::check`]. Empty clusters,
    /// where sizes allow any, keep their centres.
    pub fn with_sizes(self, sizes: Option<Sizes>) -> Self {
        Self { sizes, ..self }
    }

    /// The centres, k × d.
    pub fn centroids(&self) -> Array2<F> {
        let (k, d) = (self.centroids.len(), self.centroids.width());
        let mut out = Array2::zeros((k, d));
        out.iter_mut().zip(self.centroids.all()).for_each(|(to, from)| *to = *from);
        out
    }

    /// The centres, prepared for search.
    pub fn index(&self) -> &Centroids<F> {
        &self.centroids
    }

    /// The same family at other centres, given row by row.
    pub(crate) fn at(&self, centres: &[F]) -> Self {
        Self { centroids: Centroids::new(centres, &self.offset), ..self.clone() }
    }

    /// Stop when centres moved less than this, squared and summed.
    pub(crate) fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The distance.
    pub(crate) fn distance(&self) -> &D {
        &self.distance
    }

    /// How well the centres fit the rows of a session: their labels renewed, and everything from the sums, where these
    /// keep enough digits, or by a pass over the rows.
    pub fn evaluate(&self, session: &mut Session<F, Self>, samples: &Samples<F>, threads: Threads) -> CentroidFit {
        if self.is_joint() {
            return self.evaluate_joint(session, samples, threads);
        }
        if self.partial {
            return partial_fit(samples, &self.centroids, threads);
        }
        if Family::centroids(self).is_some() {
            let statistics = session.statistics(self);
            if !statistics.has_drifted() {
                let centre = |c| self.centroids.row(c).iter().map(|x| x.widen());
                let spread = (0..self.centroids.len()).map(|c| at_least_zero(statistics.spread_about(c, centre(c))));
                let weights = statistics.sums().weight.clone();
                return CentroidFit { inertia: spread.sum(), sizes: session.sizes(self), weights };
            }
        }
        evaluate_centroids(samples, &self.centroids, &self.distance, threads)
    }

    /// Takes new centres and returns how far they moved, squared and summed.
    pub(crate) fn move_to(&mut self, centres: Vec<F>) -> f64 {
        let pairs = centres.iter().zip(self.centroids.all());
        let shift2 = pairs.map(|(new, old)| (new.widen() - old.widen()).powi(2)).sum();
        self.centroids = Centroids::new(&centres, &self.offset);
        shift2
    }

    /// Adds rows, or their directions where the centre of those is asked for, to the clusters of their labels.
    fn add_rows(&self, block: &Block<F>, labels: &[u32], sums: &mut Sums, directions: &mut Vec<F>) {
        if self.partial {
            // The M-step goes back to the rows: each column has a weight of its own.
            return labels.iter().enumerate().for_each(|(i, c)| sums.weight[*c as usize] += block.weight(i));
        }
        if !self.is_spherical() {
            return sums.hard().add(block, labels, self.centroids.all());
        }
        directions.clear();
        block.rows().for_each(|row| directions.extend(direction(row)));
        sums.hard().add(&block.with_rows(directions), labels, self.centroids.all());
    }

    /// Σ w‖x − μ'‖² = Σ w‖x − shift‖² − N‖δ‖² of the statistics' labels about their means, where that is what k-means
    /// adds up and the difference keeps enough digits: after centres came from far away it does not.
    fn inertia_of_sums(&self, statistics: &Statistics) -> Option<f64> {
        let about_shift: f64 = statistics.sums().second.iter().sum();
        let about_means: f64 =
            (0..self.centroids.len()).map(|c| at_least_zero(statistics.scatter_about_mean(c)[0])).sum();
        (self.distance.is_squared_euclidean() && about_means >= 1e-3 * about_shift).then_some(about_means)
    }

    /// The same by one more pass over the rows, about the current centres, for any distance.
    pub(crate) fn inertia_of_rows(&self, rows: &Assigned<F>) -> f64 {
        self.inertia_of_labels(rows.samples, rows.labels, rows.threads)
    }

    /// The same of rows in the order of their labels.
    pub(crate) fn inertia_of_labels(&self, samples: &Samples<F>, labels: &[u32], threads: Threads) -> f64 {
        let add = |block: &Block<F>, total: &mut f64, (): &mut ()| {
            let labels = &labels[block.first()..][..block.len()];
            for (i, (row, label)) in block.rows().zip(labels).enumerate() {
                *total += weighted(block.weight(i), self.reduced(row, *label));
            }
        };
        over_lanes(samples, 0, threads, || 0.0, add).iter().sum()
    }

    /// The nearest centre of a row and the reduced distance to it; the lowest index on ties.
    pub(crate) fn nearest_to(&self, row: &[F]) -> (u32, f64) {
        let all = (0..self.centroids.len() as u32).map(|c| (c, self.reduced(row, c)));
        all.fold((0, f64::INFINITY), |best, next| if next.1 < best.1 { next } else { best })
    }

    /// The reduced distance of a row to a centre, over the columns that it shows.
    pub(crate) fn reduced(&self, row: &[F], label: u32) -> f64 {
        let centre = self.centroids.row(label as usize);
        if self.partial { squared_partial_distance(row, centre) } else { self.distance.reduced(row, centre) }
    }

    fn is_spherical(&self) -> bool {
        self.distance.centre_rule() == CentreRule::NormalisedMean
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
        let distance = format!("{:?}", self.distance);
        let distance = distance.bytes().map(f64::from);
        fingerprint(self.centroids.all().iter().map(|x| x.widen()).chain(distance))
    }

    fn shift(&self) -> Vec<f64> {
        self.centroids.all().iter().map(|x| x.widen()).collect()
    }

    fn is_hard(&self) -> bool {
        true
    }

    fn e_step(&self, block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut Self::Scratch) {
        let new = &mut scratch.labels[..block.len()];
        if self.partial {
            new.iter_mut()
                .zip(block.rows())
                .for_each(|(label, row)| *label = partial_nearest_of(row, &self.centroids).0);
        } else {
            self.distance.assign(block, &self.centroids, new, &mut scratch.nearest);
        }
        block.impose(new, |_, _| ());
        sums.changed += relabel(block, labels, new);
        let KMeansScratch { labels, directions, .. } = scratch;
        self.add_rows(block, &labels[..block.len()], sums, directions);
    }

    fn add(&self, block: &Block<F>, labels: &[u32], sums: &mut Sums, scratch: &mut Self::Scratch) {
        self.add_rows(block, labels, sums, &mut scratch.directions);
    }

    fn centroids(&self) -> Option<(&Centroids<F>, Algorithm)> {
        let plain = self.distance.is_squared_euclidean() && !self.partial && !self.is_joint();
        let plain = plain && self.algorithm != Algorithm::Lloyd;
        plain.then_some((&self.centroids, self.algorithm))
    }

    fn objective(&self, _: &Statistics) -> Option<f64> {
        // The M-step knows the inertia of its labels about its centres.
        None
    }

    fn misfit(&self, row: &[F], label: u32, _: &mut Self::Scratch) -> f64 {
        self.reduced(row, label)
    }

    fn empty(&self) -> Empty {
        // A row that is moved could break a bound.
        if self.sizes.is_some() && self.empty.relocates() { Empty::Keep } else { self.empty }
    }

    fn is_joint(&self) -> bool {
        self.trim > 0.0 || self.sizes.is_some()
    }

    fn assign_jointly(&self, samples: &Samples<F>, labels: &mut [u32], joint: &mut Joint, threads: Threads) -> u64 {
        if let Some(sizes) = &self.sizes {
            let costs = reduced_to_all(samples, &self.centroids, &self.distance, self.partial, threads);
            return sizes.assign(&costs, self.centroids.len(), labels, joint);
        }
        let found = nearest_of_all(samples, &self.centroids, &self.distance, self.partial, threads);
        let (new, reduced): (Vec<u32>, Vec<f64>) = found.into_iter().unzip();
        let weights = trimmed_weights(samples, &reduced, self.trim);
        let before = joint.weights.replace(weights);
        let (before, now) = (before.as_deref(), joint.weights.as_deref().unwrap_or_default());
        let has_changed = |i: &usize| labels[*i] != new[*i] || before.is_none_or(|before| before[*i] != now[*i]);
        let changed = (0..new.len()).filter(|i| samples.weight(*i) > 0.0).filter(has_changed).count();
        labels.copy_from_slice(&new);
        changed as u64
    }

    fn m_step(&mut self, statistics: Statistics, rows: &Assigned<F>) -> MStep {
        if self.partial {
            let (centres, repairs) = observed_centres(rows, &self.centroids);
            let shift2 = self.move_to(centres);
            return MStep { objective: Some(self.inertia_of_rows(rows)), shift2, repairs };
        }
        let means = statistics.means();
        let centres: Vec<F> = match self.distance.centre_rule() {
            CentreRule::NormalisedMean => means
                .outer_iter()
                .flat_map(|mean| direction(&mean.to_vec()).map(F::narrow).collect::<Vec<_>>())
                .collect(),
            CentreRule::Median => medians(rows, self.centroids.all()),
            _ => means.iter().map(|m| F::narrow(*m)).collect(),
        };
        let of_sums = self.inertia_of_sums(&statistics);
        // They may be as large as the rows, and new centres take as much.
        drop((means, statistics));
        let shift2 = self.move_to(centres);
        // Where the rows are elsewhere, the loop asks there.
        let of_rows = || (rows.samples.n_rows() > 0).then(|| self.inertia_of_rows(rows));
        MStep { objective: of_sums.or_else(of_rows), shift2, repairs: Vec::new() }
    }

    fn is_idle(&self, change: &Change) -> bool {
        // In f32, or between ties, labels can go round in circles; the lowest objective is then reached at once.
        change.now >= change.lowest * (1.0 - 4.0 * f64::EPSILON)
    }

    fn settled(&self, change: &Change) -> Option<Termination> {
        let still = self.tolerance > 0.0 && change.shift2 <= self.tolerance;
        (still || change.idle >= 2).then_some(Termination::Tolerance)
    }
}

/// Takes over the new labels and counts the changes; rows of no weight are as good as absent.
pub(crate) fn relabel<F: Float>(block: &Block<F>, labels: &mut [u32], new: &[u32]) -> u64 {
    // Without a branch that depends on the labels, which no processor could predict.
    let pairs = labels.iter().zip(new).enumerate();
    let changed = pairs.map(|(i, (old, new))| u64::from((old != new) & (block.weight(i) > 0.0))).sum();
    labels.copy_from_slice(new);
    changed
}

/// x/‖x‖, safe from overflow.
fn direction<T: Float>(row: &[T]) -> impl Iterator<Item = T> {
    let largest = row.iter().fold(0.0f64, |m, x| m.max(x.widen().abs()));
    let norm = row.iter().map(|x| (x.widen() / largest).powi(2)).sum::<f64>().sqrt();
    row.iter().map(move |x| if largest > 0.0 { T::narrow(x.widen() / largest / norm) } else { *x })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_length_one_whatever_the_size_of_the_row() {
        for size in [1e-300, 1.0, 1e300] {
            let found: Vec<f64> = direction(&[3.0 * size, 0.0, -4.0 * size]).collect();
            assert!(found.iter().zip([0.6, 0.0, -0.8]).all(|(x, y)| f64::abs(x - y) < 1e-15), "{found:?}");
        }
        assert_eq!(direction(&[0.0f32; 2]).collect::<Vec<_>>(), [0.0; 2]);
    }
}
