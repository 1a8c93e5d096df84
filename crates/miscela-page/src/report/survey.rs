//! The first pass over the rows: what each column is like, and a sample to draw.
//!
//! The sample is one without replacement in proportion to the rows' weights: each row of weight w has a key −ln u / w, u a
//! function of the seed and its number, and those of the smallest keys are it (Efraimidis & Spirakis 2006). So it depends on
//! the rows alone and not on how they come.

use miscela_kernel::uniform;
use ndarray::{Array2, ArrayView1, ArrayView2};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The most rows that are drawn, and the most numbers that they may be.
const MOST_ROWS: usize = 4000;
const MOST_NUMBERS: usize = 1 << 23;
/// However wide rows are, so many are drawn.
const LEAST_ROWS: usize = 200;

/// What is known of a table after one pass.
#[derive(Clone, Debug)]
pub struct Survey {
    seed: u64,
    n_rows: u64,
    most: usize,
    columns: Vec<Moments>,
    kept: BinaryHeap<Keyed>,
    all_weigh_one: bool,
    n_missing: u64,
}

/// Weight, mean and sum of squared deviations of what was observed.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    weight: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Together with others (Chan, Golub & LeVeque 1983).
    fn merged(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        if weight == 0.0 {
            return self;
        }
        let (shift, share) = (other.mean - self.mean, other.weight / weight);
        let squares = self.squares + other.squares + shift * shift * self.weight * share;
        Self { weight, mean: self.mean + shift * share, squares }
    }
}

/// A row and what decides whether it stays; the greatest key goes first.
#[derive(Clone, Debug)]
struct Keyed {
    key: f64,
    number: u64,
    weight: f64,
    row: Vec<f64>,
}

impl PartialEq for Keyed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Keyed {}

impl PartialOrd for Keyed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keyed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then(self.number.cmp(&other.number))
    }
}

/// Rows that are drawn as points.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Their places in the table, counted from 0, ascending.
    pub numbers: Vec<u64>,
    /// m × d; missing values are NaN.
    pub rows: Array2<f64>,
    /// Their weights, where the sample is all rows; rows of a sample in proportion to weights count alike.
    pub weights: Option<Vec<f64>>,
}

impl Survey {
    /// Nothing yet, of rows of `d` columns.
    pub fn new(d: usize, seed: u64) -> Self {
        let most = (MOST_NUMBERS / d.max(1)).clamp(LEAST_ROWS, MOST_ROWS);
        let (columns, kept) = (vec![Moments::default(); d], BinaryHeap::new());
        Self { seed, n_rows: 0, most, columns, kept, all_weigh_one: true, n_missing: 0 }
    }

    /// Takes note of the rows that come next, m × d, and of their weights, if rows have some. Missing values are NaN; rows of
    /// no weight are not drawn.
    pub fn add(&mut self, rows: ArrayView2<f64>, weights: Option<&[f64]>) {
        let weight = |i: usize| weights.and_then(|weights| weights.get(i)).copied().unwrap_or(1.0);
        let mut chunk = vec![Moments::default(); self.columns.len()];
        for (i, row) in rows.outer_iter().enumerate() {
            each_observed(row, |j, x| {
                chunk[j].weight += weight(i);
                chunk[j].mean += weight(i) * x;
            });
        }
        chunk.iter_mut().filter(|column| column.weight > 0.0).for_each(|column| column.mean /= column.weight);
        for (i, row) in rows.outer_iter().enumerate() {
            let mut observed = 0;
            each_observed(row, |j, x| {
                observed += 1;
                chunk[j].squares += weight(i) * (x - chunk[j].mean).powi(2);
            });
            self.n_missing += (self.columns.len() - observed) as u64;
            self.offer(row, weight(i));
        }
        self.columns.iter_mut().zip(chunk).for_each(|(all, chunk)| *all = all.merged(chunk));
    }

    fn offer(&mut self, row: ArrayView1<f64>, weight: f64) {
        let number = self.n_rows;
        self.n_rows += 1;
        self.all_weigh_one &= weight == 1.0;
        if weight.is_nan() || weight <= 0.0 {
            return;
        }
        let key = -uniform::unit(uniform::of_row(self.seed, number as usize)).ln() / weight;
        let is_full = self.kept.len() == self.most;
        if is_full && self.kept.peek().is_some_and(|last| key >= last.key) {
            return;
        }
        self.kept.push(Keyed { key, number, weight, row: row.to_vec() });
        if is_full {
            self.kept.pop();
        }
    }

    /// The number of rows so far, those of no weight among them.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// The number of values that were missing.
    pub fn n_missing(&self) -> u64 {
        self.n_missing
    }

    /// Whether rows have weights other than one.
    pub fn is_weighted(&self) -> bool {
        !self.all_weigh_one
    }

    /// The variance of each column, d.
    pub(super) fn variances(&self) -> Vec<f64> {
        self.columns
            .iter()
            .map(|column| if column.weight > 0.0 { column.squares / column.weight } else { 0.0 })
            .collect()
    }

    /// The rows to draw.
    pub fn drawn(&self) -> Drawn {
        let mut kept: Vec<&Keyed> = self.kept.iter().collect();
        kept.sort_by_key(|keyed| keyed.number);
        let mut rows = Array2::zeros((kept.len(), self.columns.len()));
        for (mut row, keyed) in rows.outer_iter_mut().zip(&kept) {
            row.assign(&ArrayView1::from(&keyed.row));
        }
        let are_all = self.is_weighted() && kept.len() < self.most;
        Drawn {
            numbers: kept.iter().map(|keyed| keyed.number).collect(),
            rows,
            weights: are_all.then(|| kept.iter().map(|keyed| keyed.weight).collect()),
        }
    }
}

fn each_observed(row: ArrayView1<f64>, mut note: impl FnMut(usize, f64)) {
    row.iter().enumerate().filter(|(_, x)| !x.is_nan()).for_each(|(j, x)| note(j, *x));
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Axis;
    use proptest::prelude::*;

    fn table(n: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, 2), |(i, j)| ((i * (3 + 4 * j)) % 17) as f64 + 1e6)
    }

    #[test]
    fn few_rows_are_all_drawn_and_many_are_a_sample() {
        let mut survey = Survey::new(2, 1);
        survey.add(table(100).view(), None);
        assert_eq!(survey.drawn().numbers, (0..100).collect::<Vec<u64>>());
        assert_eq!(survey.drawn().rows, table(100));
        survey.add(table(50_000).view(), None);
        let drawn = survey.drawn();
        assert_eq!(drawn.numbers.len(), MOST_ROWS);
        // As many from each half, give or take four standard deviations.
        let first_half = drawn.numbers.iter().filter(|number| **number < 25_050).count() as f64;
        assert!((first_half - 2000.0).abs() < 4.0 * 32.0, "{first_half}");
    }

    #[test]
    fn heavy_rows_are_drawn_more_often_and_those_of_no_weight_never() {
        let mut survey = Survey::new(2, 7);
        let weights: Vec<f64> = (0..60_000).map(|i| (i % 3) as f64).collect();
        survey.add(table(60_000).view(), Some(&weights));
        let drawn = survey.drawn();
        let count = |rest: u64| drawn.numbers.iter().filter(|number| **number % 3 == rest).count() as f64;
        assert_eq!(count(0), 0.0);
        let ratio = count(2) / count(1);
        assert!((1.7..2.2).contains(&ratio), "{ratio}");
        assert!(survey.is_weighted() && drawn.weights.is_none());
    }

    proptest! {
        #[test]
        fn how_the_rows_come_changes_nothing(cuts in prop::collection::vec(1..5000usize, 0..5), seed: u64) {
            let rows = table(9000);
            let whole = { let mut survey = Survey::new(2, seed); survey.add(rows.view(), None); survey };
            let mut parts = Survey::new(2, seed);
            let mut start = 0;
            for end in cuts.into_iter().scan(0, |at, step| { *at += step; Some((*at).min(9000)) }).chain([9000]) {
                parts.add(rows.slice_axis(Axis(0), (start..end).into()), None);
                start = end;
            }
            prop_assert_eq!(parts.drawn().numbers, whole.drawn().numbers);
            for (a, b) in parts.variances().iter().zip(whole.variances()) {
                prop_assert!((a - b).abs() < 1e-9 * b, "{} {}", a, b);
            }
        }
    }
}
