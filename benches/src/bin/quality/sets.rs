//! Tables whose clusters are known, drawn from seeds.

use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256Plus;
use std::error::Error;

/// Rows, and where they came from.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) rows: Array2<f64>,
    pub(crate) k: usize,
    /// The cluster that each row was drawn from; none where that is not known.
    pub(crate) labels: Vec<usize>,
    /// The least inertia known, infinite where none is.
    pub(crate) best: f64,
}

impl Set {
    /// A table: a line of names, then numbers.
    pub(crate) fn read(path: &str, k: usize, best: f64) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path)?;
        let numbers = |line: &str| line.split(',').map(str::parse).collect();
        let lines: Vec<Vec<f64>> = text.lines().skip(1).map(numbers).collect::<Result<_, _>>()?;
        let width = lines.first().map_or(0, Vec::len);
        let rows = Array2::from_shape_vec((lines.len(), width), lines.concat())?;
        Ok(Self { name: path.into(), rows, k, labels: Vec::new(), best })
    }

    /// Rows about these centres, so many of each, each a standard normal vector that its centre's matrix is applied to.
    fn around(name: &str, centres: &Array2<f64>, sizes: &[usize], matrix: impl Fn(usize) -> Array2<f64>) -> Self {
        let mut rng = Xoshiro256Plus::seed_from_u64(1);
        let labels: Vec<usize> = sizes.iter().enumerate().flat_map(|(c, size)| vec![c; *size]).collect();
        let matrices: Vec<_> = (0..sizes.len()).map(matrix).collect();
        let mut rows = centres.select(Axis(0), &labels);
        for (mut row, label) in rows.outer_iter_mut().zip(&labels) {
            let normal = ndarray::Array1::from_shape_simple_fn(row.len(), || rng.sample::<f64, _>(StandardNormal));
            row += &matrices[*label].dot(&normal);
        }
        Self { name: name.into(), rows, k: sizes.len(), labels, best: f64::INFINITY }
    }

    fn spheres(name: &str, centres: &Array2<f64>, deviation: f64, sizes: &[usize]) -> Self {
        Self::around(name, centres, sizes, |_| deviation * Array2::<f64>::eye(centres.ncols()))
    }

    /// Places in a square or cube, 5 apart or so.
    fn places(k: usize, d: usize) -> Array2<f64> {
        let mut rng = Xoshiro256Plus::seed_from_u64(k as u64);
        let side = 5.0 * (k as f64).powf(1.0 / d as f64);
        Array2::from_shape_simple_fn((k, d), || side * rng.gen_range(0.0..1.0))
    }

    /// Overlapping blobs in the plane.
    pub(crate) fn blobs(k: usize) -> Self {
        Self::spheres("overlapping blobs", &Self::places(k, 2), 1.0, &vec![200; k])
    }

    /// Three clusters of 2000 rows and five of 100.
    pub(crate) fn unequal() -> Self {
        let centres =
            [[0.0, 0.0], [9.0, 12.0], [18.0, 0.0], [40.0, 0.0], [40.0, 12.0], [48.0, 6.0], [56.0, 0.0], [56.0, 12.0]];
        let sizes = [2000, 2000, 2000, 100, 100, 100, 100, 100];
        Self::spheres("unequal sizes", &Array2::from(centres.to_vec()), 2.0, &sizes)
    }

    /// A 10 × 10 grid of 100,000 rows.
    pub(crate) fn grid() -> Self {
        let centres = Array2::from_shape_fn((100, 2), |(c, j)| 4.0 * if j == 0 { c % 10 } else { c / 10 } as f64);
        Self::spheres("10 × 10 grid", &centres, 1.0, &[1000; 100])
    }

    /// Overlapping ellipsoids, each of another shape, from 100 to 300 rows.
    pub(crate) fn ellipsoids(k: usize, d: usize) -> Self {
        let sizes: Vec<usize> = (0..k).map(|c| 100 + 200 * (c % 5) / 4).collect();
        let shape = |c: usize| {
            let mut rng = Xoshiro256Plus::seed_from_u64((k * d + c) as u64);
            let mut matrix = Array2::from_shape_simple_fn((d, d), || 0.5 * rng.sample::<f64, _>(StandardNormal));
            matrix.diag_mut().mapv_inplace(|x| x + 0.7);
            matrix
        };
        Self::around("ellipsoids", &Self::places(k, d), &sizes, shape)
    }
}
