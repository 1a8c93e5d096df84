//! The data that benchmarks run on: overlapping Gaussian blobs, so that no fit is over before its iterations are; and iris.

use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256Plus;

/// Rows, and the blob that each was drawn from.
#[derive(Clone, Debug)]
pub struct Blobs {
    /// n × d
    pub rows: Array2<f64>,
    /// n numbers below k
    pub labels: Vec<usize>,
}

impl Blobs {
    /// n rows from k spheres of variance 1 in d columns. Centres are about four standard deviations apart, whatever d is.
    pub fn new(n: usize, d: usize, k: usize) -> Self {
        let mut rng = Xoshiro256Plus::seed_from_u64(42);
        let spread = 4.0 / (2.0 * d as f64).sqrt();
        let centres = Array2::from_shape_simple_fn((k, d), || spread * rng.sample::<f64, _>(StandardNormal));
        let labels: Vec<usize> = (0..n).map(|_| rng.gen_range(0..k)).collect();
        let mut rows = centres.select(Axis(0), &labels);
        rows.mapv_inplace(|x| x + rng.sample::<f64, _>(StandardNormal));
        Self { rows, labels }
    }

    /// The first k rows: a poor start, far from the end.
    pub fn first_rows(&self, k: usize) -> Array2<f64> {
        self.rows.select(Axis(0), &(0..k).collect::<Vec<_>>())
    }

    /// The blobs' labels with three in ten replaced at random.
    pub fn blurred_labels(&self, k: usize) -> Vec<usize> {
        let mut rng = Xoshiro256Plus::seed_from_u64(7);
        self.labels.iter().map(|label| if rng.gen_bool(0.3) { rng.gen_range(0..k) } else { *label }).collect()
    }
}

/// The measurements of iris, 150 × 4.
pub fn iris() -> Array2<f64> {
    let lines = include_str!("../../data/iris.csv").lines().skip(1);
    let numbers: Vec<f64> = lines.flat_map(|line| line.split(',').filter_map(|field| field.parse().ok())).collect();
    Array2::from_shape_vec((numbers.len() / 4, 4), numbers).expect("each line has four numbers")
}
