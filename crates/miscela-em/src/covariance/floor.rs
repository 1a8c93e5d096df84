//! Keeping covariances away from zero, where the likelihood is unbounded.
//!
//! Two things are done, in this order. An absolute ridge (`reg_covariance`) is added to the diagonal, as scikit-learn and
//! linfa do. Then variances are kept above a floor of ε times the data's own variance: with D the columns' variances, the
//! eigenvalues of D^-½ Σ D^-½ are raised to ε where they are below. Raising them so is the maximum-likelihood estimate
//! under that bound (Ingrassia & Rocci 2007), so that the likelihood still never falls; measuring against D makes
//! the bound independent of the columns' units. (To rounding: a matrix in floating point holds an eigenvalue ε times its
//! largest only to u/ε, so at the floor the likelihood is sure to about a millionth a row in `f64`.)

/// ε for `f64` data.
pub const FLOOR_F64: f64 = 1e-10;
/// ε for `f32` data.
pub const FLOOR_F32: f64 = 1e-6;

/// Ridge and floor, and which components needed the floor.
pub(crate) struct Regulariser<'a> {
    /// Added to every variance.
    pub(crate) ridge: f64,
    /// ε
    pub(crate) floor: f64,
    /// D, all positive.
    pub(crate) scale: &'a [f64],
    /// Component (none: the shape that all share) and how many of its variances were raised.
    pub(crate) raised: Vec<(Option<usize>, usize)>,
}

impl Regulariser<'_> {
    /// One variance for all columns.
    pub(crate) fn spherical(&mut self, component: Option<usize>, variance: f64) -> f64 {
        let lowest = self.floor * self.scale.iter().sum::<f64>() / self.scale.len() as f64;
        self.raise(component, &mut [variance], |_| lowest)[0]
    }

    /// One variance a column.
    pub(crate) fn diagonal(&mut self, component: Option<usize>, mut variances: Vec<f64>) -> Vec<f64> {
        let (floor, scale) = (self.floor, self.scale);
        self.raise(component, &mut variances, |j| floor * scale[j]);
        variances
    }

    fn raise<'v>(
        &mut self,
        component: Option<usize>,
        variances: &'v mut [f64],
        lowest: impl Fn(usize) -> f64,
    ) -> &'v [f64] {
        let mut raised = 0;
        for (j, variance) in variances.iter_mut().enumerate() {
            *variance += self.ridge;
            if variance.is_nan() || *variance < lowest(j) {
                (*variance, raised) = (lowest(j), raised + 1);
            }
        }
        if raised > 0 {
            self.raised.push((component, raised));
        }
        variances
    }

    /// A matrix given as its lower triangle, returned whole.
    pub(crate) fn matrix(&mut self, component: Option<usize>, lower: &[f64]) -> Vec<f64> {
        let d = self.scale.len();
        let unit: Vec<f64> = self.scale.iter().map(|v| v.sqrt()).collect();
        let mut matrix = vec![0.0; d * d];
        let mut packed = lower.iter();
        for i in 0..d {
            for (j, value) in (0..=i).zip(packed.by_ref()) {
                let value = value + if i == j { self.ridge } else { 0.0 };
                (matrix[i * d + j], matrix[j * d + i]) = (value, value);
            }
        }
        // D^-½ Σ D^-½ − ε has a Cholesky factor exactly where no eigenvalue is below ε.
        let scaled = |matrix: &[f64], unit: &[f64], shift: f64| -> Vec<f64> {
            let entry = |(i, j)| matrix[i * d + j] / unit[i] / unit[j] - if i == j { shift } else { 0.0 };
            (0..d * d).map(|at| entry((at / d, at % d))).collect()
        };
        if miscela_linalg::cholesky(&scaled(&matrix, &unit, self.floor), d).is_some() {
            return matrix;
        }
        let clipped = miscela_linalg::clip_eigenvalues(&scaled(&matrix, &unit, 0.0), d, self.floor);
        match clipped {
            Some((clipped, raised)) => {
                self.raised.push((component, raised.max(1)));
                let inverse: Vec<f64> = unit.iter().map(|u| 1.0 / u).collect();
                scaled(&clipped, &inverse, 0.0)
            }
            // Not even eigenvalues: an overflow. The data's own variances are a shape that always works.
            None => {
                self.raised.push((component, d));
                (0..d * d).map(|at| if at / d == at % d { self.scale[at / d] } else { 0.0 }).collect()
            }
        }
    }
}
