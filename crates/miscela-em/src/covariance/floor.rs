//! Keeping covariances away from zero, where the likelihood is unbounded.
//!
//! Variances are kept above a floor of ε times the data's own variance: with D the columns' variances, the eigenvalues of
//! D^-½ Σ D^-½ are raised to ε where they are below. Raising them so is the maximum-likelihood estimate under that bound
//! (Ingrassia & Rocci 2007), so that the likelihood still never falls; measuring against D makes the bound independent of the
//! columns' units. (To rounding: a matrix in floating point holds an eigenvalue ε times its largest only to u/ε, so at the
//! floor the likelihood is sure to about a millionth a row in `f64`.)
//!
//! Structures that say something of the axes (EEV, VEV, EVE, VVE) are no longer themselves after a change of units. Their
//! variances along the axes are kept above ε times the smallest of D, and above what rounding leaves of the largest.

use miscela_kernel::Float;
use miscela_linalg::Eigen;

/// ε for `f64` data.
pub const FLOOR_F64: f64 = 1e-10;
/// ε for `f32` data.
pub const FLOOR_F32: f64 = 1e-6;

/// The floor, and which components needed it.
pub(crate) struct Regulariser<'a> {
    /// ε
    pub(crate) floor: f64,
    /// Of the largest variance, what rounding leaves of a matrix' smallest.
    rounding: f64,
    /// D, all positive.
    pub(crate) scale: &'a [f64],
    /// Component (none: the shape that all share) and how many of its variances were raised.
    pub(crate) raised: Vec<(Option<usize>, usize)>,
}

impl<'a> Regulariser<'a> {
    /// The floor for parameters of type `F`.
    pub(crate) fn new<F: Float>(scale: &'a [f64]) -> Self {
        let floor = if F::UNIT_ROUNDOFF > f64::EPSILON { FLOOR_F32 } else { FLOOR_F64 };
        Self { floor, rounding: 8.0 * scale.len() as f64 * F::UNIT_ROUNDOFF, scale, raised: Vec::new() }
    }

    /// No floor: matrices that are singular stay so.
    pub(crate) fn as_given(scale: &'a [f64]) -> Self {
        Self { floor: 0.0, rounding: 0.0, scale, raised: Vec::new() }
    }

    /// The lowest variance along axes that are free.
    pub(crate) fn along_axes(&self) -> f64 {
        let least = self.scale.iter().fold(f64::INFINITY, |m, x| m.min(*x));
        let most = self.scale.iter().fold(0.0f64, |m, x| m.max(*x));
        (self.floor * least).max(self.rounding * most)
    }

    /// The eigenvalues and vectors of a component's matrix.
    pub(crate) fn eigen(&mut self, component: usize, matrix: &[f64]) -> Eigen {
        let d = self.scale.len();
        miscela_linalg::eigen(matrix, d).unwrap_or_else(|| {
            // An overflow. The data's own variances are a shape that always works.
            self.note(Some(component), d);
            let unit = (0..d * d).map(|at| if at % (d + 1) == 0 { 1.0 } else { 0.0 }).collect();
            Eigen { values: self.scale.to_vec(), vectors: unit }
        })
    }

    /// Raises values to the lowest that each may have.
    pub(crate) fn raise(&mut self, component: Option<usize>, values: &mut [f64], lowest: impl Fn(usize) -> f64) {
        let mut raised = 0;
        for (j, value) in values.iter_mut().enumerate() {
            if value.is_nan() || *value < lowest(j) {
                (*value, raised) = (lowest(j), raised + 1);
            }
        }
        self.note(component, raised);
    }

    /// Remembers that so many variances were raised; once a component, however often.
    pub(crate) fn note(&mut self, component: Option<usize>, raised: usize) {
        match self.raised.iter_mut().find(|(other, _)| *other == component) {
            Some((_, most)) => *most = raised.max(*most),
            None if raised > 0 => self.raised.push((component, raised)),
            None => {}
        }
    }

    /// One variance for all columns.
    pub(crate) fn spherical(&mut self, component: Option<usize>, mut variance: f64) -> f64 {
        let lowest = self.floor * self.scale.iter().sum::<f64>() / self.scale.len() as f64;
        self.raise(component, std::slice::from_mut(&mut variance), |_| lowest);
        variance
    }

    /// One variance a column.
    pub(crate) fn diagonal(&mut self, component: Option<usize>, mut variances: Vec<f64>) -> Vec<f64> {
        let (floor, scale) = (self.floor, self.scale);
        self.raise(component, &mut variances, |j| floor * scale[j]);
        variances
    }

    /// A whole matrix.
    pub(crate) fn matrix(&mut self, component: Option<usize>, matrix: Vec<f64>) -> Vec<f64> {
        let (matrix, raised) = self.clipped(matrix, self.floor);
        self.note(component, raised);
        matrix
    }

    /// A matrix with the eigenvalues of D^-½ Σ D^-½ at least `floor`, and how many were raised.
    pub(crate) fn clipped(&self, matrix: Vec<f64>, floor: f64) -> (Vec<f64>, usize) {
        let d = self.scale.len();
        // D^-½ Σ D^-½ − ε has a Cholesky factor exactly where no eigenvalue is below ε.
        if miscela_linalg::cholesky(&self.in_units(&matrix, -1, floor), d).is_some() {
            return (matrix, 0);
        }
        match miscela_linalg::clip_eigenvalues(&self.in_units(&matrix, -1, 0.0), d, floor) {
            Some((clipped, raised)) => (self.in_units(&clipped, 1, 0.0), raised.max(1)),
            // Not even eigenvalues: an overflow. The data's own variances are a shape that always works.
            None => ((0..d * d).map(|at| if at % (d + 1) == 0 { self.scale[at / d] } else { 0.0 }).collect(), d),
        }
    }

    /// D^(p/2) Σ D^(p/2) − shift
    pub(crate) fn in_units(&self, matrix: &[f64], power: i32, shift: f64) -> Vec<f64> {
        let (d, unit) = (self.scale.len(), |j: usize| self.scale[j].sqrt().powi(power));
        let entry = |(i, j)| matrix[i * d + j] * unit(i) * unit(j) - if i == j { shift } else { 0.0 };
        (0..d * d).map(|at| entry((at / d, at % d))).collect()
    }
}
