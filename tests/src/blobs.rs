//! Generated data: Gaussian blobs of different shapes, the same for the same seed.

use ndarray::{Array1, Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256Plus;

/// Rows drawn from k Gaussians.
#[derive(Clone, Debug)]
pub struct Blobs {
    /// n × d
    pub rows: Array2<f64>,
    /// Which Gaussian each row was drawn from; each has at least n/k of them, rounded down.
    pub labels: Vec<usize>,
    /// The means drawn from, k × d.
    pub centres: Array2<f64>,
    /// A weight a row, from 0.2 to 2.
    pub weights: Array1<f64>,
}

impl Blobs {
    /// n rows of k blobs in d columns. Centres lie in a cube of side `spread`; each blob has a standard deviation of about one,
    /// and its own shape.
    pub fn new(seed: u64, n: usize, d: usize, k: usize, spread: f64) -> Self {
        let mut rng = Xoshiro256Plus::seed_from_u64(seed);
        let centres = Array2::from_shape_simple_fn((k, d), || spread * (rng.r#gen::<f64>() - 0.5));
        let shapes: Vec<Array2<f64>> = (0..k)
            .map(|_| Array2::from_shape_fn((d, d), |(i, j)| f64::from(i == j) + 0.5 * (rng.r#gen::<f64>() - 0.5)))
            .collect();
        let mut labels: Vec<usize> = (0..n).map(|i| i % k).collect();
        shuffle(&mut labels, &mut rng);
        let mut rows = Array2::zeros((n, d));
        for (mut row, label) in rows.outer_iter_mut().zip(&labels) {
            let noise = Array1::from_shape_simple_fn(d, || rng.sample::<f64, _>(StandardNormal));
            row.assign(&(shapes[*label].dot(&noise) + centres.row(*label)));
        }
        let weights = Array1::from_shape_simple_fn(n, || 0.2 + 1.8 * rng.r#gen::<f64>());
        Self { rows, labels, centres, weights }
    }

    /// Start centres for k-means: the first `k` rows, which are in random order.
    pub fn first_rows(&self, k: usize) -> Array2<f64> {
        self.rows.select(Axis(0), &(0..k).collect::<Vec<_>>())
    }

    /// A start partition for a mixture: the blobs, with every fifth row given to the next one.
    pub fn rough_labels(&self) -> Vec<usize> {
        let k = self.centres.nrows();
        self.labels.iter().enumerate().map(|(i, label)| if i % 5 == 0 { (label + 1) % k } else { *label }).collect()
    }

    /// A permutation of the rows, from the seed.
    pub fn permutation(&self, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.nrows()).collect();
        shuffle(&mut order, &mut Xoshiro256Plus::seed_from_u64(seed));
        order
    }
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], rng: &mut Xoshiro256Plus) {
    for i in (1..items.len()).rev() {
        items.swap(i, rng.gen_range(0..=i));
    }
}

/// A random orthogonal matrix, d × d: Gram and Schmidt on random columns.
pub fn rotation(seed: u64, d: usize) -> Array2<f64> {
    let mut rng = Xoshiro256Plus::seed_from_u64(seed);
    let mut q = Array2::from_shape_simple_fn((d, d), || rng.sample::<f64, _>(StandardNormal));
    for i in 0..d {
        // Twice is enough (Kahan).
        for _ in 0..2 {
            for j in 0..i {
                let along = q.row(i).dot(&q.row(j));
                let other = q.row(j).to_owned();
                q.index_axis_mut(Axis(0), i).scaled_add(-along, &other);
            }
        }
        let norm = q.row(i).dot(&q.row(i)).sqrt();
        q.row_mut(i).mapv_inplace(|x| x / norm);
    }
    q
}
