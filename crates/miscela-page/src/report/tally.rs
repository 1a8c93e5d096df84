//! The second pass: how many rows are where, of which group, and in how much doubt.

use super::axes::{Axes, Groups};
use ndarray::{Array2, ArrayView2};

/// Bins along an axis.
pub(super) const BINS: usize = 48;
/// Bars of the histogram of doubt.
pub(super) const BARS: usize = 25;
/// The most rows in doubt that are listed.
const MOST_LISTED: usize = 10;
/// Rows beyond this uncertainty are counted as in doubt.
pub(super) const DOUBT: f64 = 0.1;

/// What all rows come to.
#[derive(Clone, Debug)]
pub struct Tally {
    centres: Array2<f64>,
    /// Rows so far, those of no weight among them.
    seen: u64,
    pub(super) weight: f64,
    /// Rows of positive weight, and their weight, by label.
    pub(super) rows: Vec<u64>,
    pub(super) weights: Vec<f64>,
    /// Rows beyond the frame of each axis.
    pub(super) beyond: Vec<u64>,
    /// Weight by pair of axes and bin, `BINS` × `BINS` each, y upwards.
    pairs: Vec<Vec<f64>>,
    /// Σ w, Σ w z and Σ w z² of each group and axis, z about the centre.
    spreads: Vec<[f64; 3]>,
    /// Rows by uncertainty, `BARS` equal parts of 0 … 1.
    pub(super) doubts: Option<Vec<u64>>,
    pub(super) in_doubt: u64,
    /// The most doubtful rows: doubt, number, label.
    pub(super) listed: Vec<(f64, u64, usize)>,
}

/// What a model says of some rows.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    /// A label a row; the number of groups is that of noise.
    pub labels: &'a [usize],
    /// How uncertain each label is, from 0 to 1, where the model says it.
    pub doubts: Option<&'a [f64]>,
}

impl Tally {
    /// Nothing yet.
    pub fn new(axes: &Axes, groups: &Groups) -> Self {
        let (a, n_labels) = (axes.len(), groups.n_labels());
        Self {
            centres: axes.centres.clone(),
            seen: 0,
            weight: 0.0,
            rows: vec![0; n_labels],
            weights: vec![0.0; n_labels],
            beyond: vec![0; a],
            pairs: vec![vec![0.0; BINS * BINS]; a * (a - 1) / 2],
            spreads: vec![[0.0; 3]; groups.k() * a],
            doubts: None,
            in_doubt: 0,
            listed: Vec::new(),
        }
    }

    /// Rows of positive weight.
    pub(super) fn n_rows(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// The same by label.
    pub fn sizes(&self) -> &[u64] {
        &self.rows
    }

    /// Counts the rows that come next. Labels beyond those of the groups, and rows without one, are left out.
    pub fn add(&mut self, axes: &Axes, rows: ArrayView2<f64>, weights: Option<&[f64]>, said: Labelled) {
        let a = axes.len();
        let (mut places, mut bins) = (vec![0.0; a], vec![None; a]);
        for ((i, row), &label) in rows.outer_iter().enumerate().zip(said.labels) {
            let weight = weights.and_then(|weights| weights.get(i)).copied().unwrap_or(1.0);
            let number = self.seen;
            self.seen += 1;
            if weight.is_nan() || weight <= 0.0 || label >= self.rows.len() {
                continue;
            }
            self.weight += weight;
            self.rows[label] += 1;
            self.weights[label] += weight;
            for at in 0..a {
                places[at] = axes.place(at, row);
                bins[at] = bin(places[at], axes.all[at].low, axes.all[at].high);
                self.beyond[at] += u64::from(bins[at].is_none() && !places[at].is_nan());
            }
            self.bin(&bins, weight);
            self.spread(label, &places, weight);
            if let Some(doubt) = said.doubts.and_then(|doubts| doubts.get(i)) {
                self.doubt(*doubt, number, label);
            }
        }
    }

    fn bin(&mut self, bins: &[Option<usize>], weight: f64) {
        let mut pair = 0;
        for (at, x) in bins.iter().enumerate() {
            for y in &bins[at + 1..] {
                if let (Some(x), Some(y)) = (x, y) {
                    self.pairs[pair][y * BINS + x] += weight;
                }
                pair += 1;
            }
        }
    }

    fn spread(&mut self, label: usize, places: &[f64], weight: f64) {
        if label >= self.centres.nrows() {
            return;
        }
        for (at, place) in places.iter().enumerate().filter(|(_, place)| !place.is_nan()) {
            let z = place - self.centres[[label, at]];
            let sums = &mut self.spreads[label * places.len() + at];
            *sums = [sums[0] + weight, sums[1] + weight * z, sums[2] + weight * z * z];
        }
    }

    fn doubt(&mut self, doubt: f64, number: u64, label: usize) {
        let bars = self.doubts.get_or_insert_with(|| vec![0; BARS]);
        bars[((doubt * BARS as f64) as usize).min(BARS - 1)] += 1;
        if doubt <= DOUBT {
            return;
        }
        self.in_doubt += 1;
        if self.listed.len() == MOST_LISTED && self.listed.last().is_some_and(|last| doubt <= last.0) {
            return;
        }
        let place = self.listed.partition_point(|other| other.0 >= doubt);
        self.listed.insert(place, (doubt, number, label));
        self.listed.truncate(MOST_LISTED);
    }

    /// The standard deviation of a group's rows along an axis; none of no rows.
    pub(super) fn deviation(&self, group: usize, at: usize) -> Option<f64> {
        let [weight, sum, squares] = self.spreads[group * self.beyond.len() + at];
        (weight > 0.0).then(|| (squares / weight - (sum / weight).powi(2)).max(0.0).sqrt())
    }

    /// How dense each bin of a pair of axes is, 0 … 255: a power of the weight, as what is thin should be seen too.
    pub(super) fn density(&self, pair: usize) -> Vec<u8> {
        let bins = &self.pairs[pair];
        let most = bins.iter().copied().fold(0.0, f64::max);
        bins.iter()
            .map(|weight| if *weight > 0.0 { (255.0 * (weight / most).powf(0.4)).ceil() as u8 } else { 0 })
            .collect()
    }

    /// The number of pairs of axes.
    pub(super) fn n_pairs(&self) -> usize {
        self.pairs.len()
    }
}

/// The bin of a place, if it is in the frame.
fn bin(place: f64, low: f64, high: f64) -> Option<usize> {
    (low..=high).contains(&place).then(|| (((place - low) / (high - low) * BINS as f64) as usize).min(BINS - 1))
}
