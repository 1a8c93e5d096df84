//! One Gaussian seen through some of its columns.
//!
//! With the observed columns O before the missing ones M, one Cholesky factor has all of it:
//!
//! ```text
//! Σ = L Lᵀ,  L = ⎡L_OO   0  ⎤    y = L_OO⁻¹ (x_O − μ_O)
//!               ⎣L_MO  L_MM⎦
//! density     ln N(x_O; μ_O, Σ_OO) = −½ (|O| ln 2π + Σ ln L_OO[i, i]² + ‖y‖²)
//! mean        x̂_M = μ_M + Σ_MO Σ_OO⁻¹ (x_O − μ_O) = μ_M + L_MO y
//! covariance  Σ_MM − Σ_MO Σ_OO⁻¹ Σ_OM = L_MM L_MMᵀ
//! ```
//!
//! Little & Rubin (2002), §11.2, do the same by sweeps. All in `f64`, whatever the rows are.

use crate::parameters::{Covariances, Mixture};
use miscela_kernel::{Float, Scatter};

/// The parameters of a mixture in `f64`, ready to be seen through any columns.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    /// ln wₖ
    pub(crate) log_weights: Vec<f64>,
    /// k × d
    pub(crate) means: Vec<f64>,
    shapes: Shapes,
    width: usize,
}

/// Covariances; one that all components share comes once.
#[derive(Clone, Debug)]
enum Shapes {
    /// d × d each.
    Matrices(Vec<Vec<f64>>),
    /// d each.
    Variances(Vec<Vec<f64>>),
}

/// The columns of one pattern.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    observed: Vec<usize>,
    pub(crate) missing: Vec<usize>,
}

/// All components of a mixture, seen through the observed columns of one pattern.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) columns: Columns,
    shapes: Vec<Shape>,
}

#[derive(Clone, Debug)]
struct Shape {
    /// −½ (|O| ln 2π + ln|Σ_OO|)
    log_norm: f64,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Joint {
        /// The rows of L, each up to its diagonal, observed columns first.
        lower: Vec<f64>,
        /// The lower triangle of the conditional covariance, in the order of the missing columns.
        covariance: Vec<f64>,
    },
    /// Independent columns: the variances of all.
    Axes(Vec<f64>),
}

impl Columns {
    /// Of d columns those whose bits are set are missing.
    pub(crate) fn of(pattern: &[u64], d: usize) -> Self {
        let (missing, observed) = (0..d).partition(|j| pattern[j / 64] >> (j % 64) & 1 == 1);
        Self { observed, missing }
    }
}

impl Whole {
    pub(crate) fn new<F: Float>(mixture: &Mixture<F>) -> Self {
        let (k, d) = mixture.means.dim();
        let wide = |numbers: &mut dyn Iterator<Item = &F>| numbers.map(|x| x.widen()).collect::<Vec<f64>>();
        let shapes = match &mixture.covariances {
            Covariances::Tied(one) => Shapes::Matrices(vec![wide(&mut one.iter())]),
            Covariances::Diagonal(all) => {
                Shapes::Variances(all.outer_iter().map(|row| wide(&mut row.iter())).collect())
            }
            Covariances::TiedDiagonal(one) => Shapes::Variances(vec![wide(&mut one.iter())]),
            Covariances::Spherical(all) => Shapes::Variances(all.iter().map(|v| vec![v.widen(); d]).collect()),
            Covariances::TiedSpherical(one) => Shapes::Variances(vec![vec![one.widen(); d]]),
            full => Shapes::Matrices(full.dense(k, d).outer_iter().map(|one| wide(&mut one.iter())).collect()),
        };
        Self {
            log_weights: mixture.weights.iter().map(|w| w.widen().ln()).collect(),
            means: wide(&mut mixture.means.iter()),
            shapes,
            width: d,
        }
    }

    /// k
    pub(crate) fn n_components(&self) -> usize {
        self.log_weights.len()
    }

    /// d
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn mean(&self, c: usize) -> &[f64] {
        &self.means[c * self.width..(c + 1) * self.width]
    }

    /// The bytes that one pattern can need at most.
    pub(crate) fn bytes_a_pattern(&self) -> usize {
        let (count, size) = match &self.shapes {
            Shapes::Matrices(all) => (all.len(), self.width * (self.width + 1)),
            Shapes::Variances(all) => (all.len(), self.width),
        };
        8 * count * size
    }

    /// The mixture seen through a pattern's columns; `None` if a covariance is not positive definite. Cost a shape: d³/3, and
    /// d where columns are independent.
    pub(crate) fn seen(&self, pattern: &[u64]) -> Option<Seen> {
        let columns = Columns::of(pattern, self.width);
        let shapes = match &self.shapes {
            Shapes::Matrices(all) => all.iter().map(|one| Shape::joint(one, &columns)).collect::<Option<_>>()?,
            Shapes::Variances(all) => all.iter().map(|one| Shape::axes(one, &columns)).collect(),
        };
        Some(Seen { columns, shapes })
    }
}

impl Shape {
    fn joint(matrix: &[f64], columns: &Columns) -> Option<Self> {
        let Columns { observed, missing } = columns;
        let (o, d) = (observed.len(), observed.len() + missing.len());
        let order: Vec<usize> = observed.iter().chain(missing).copied().collect();
        let permuted: Vec<f64> = (0..d * d).map(|at| matrix[order[at / d] * d + order[at % d]]).collect();
        let factor = miscela_linalg::cholesky(&permuted, d)?;
        let row = |i: usize| &factor[i * d..i * d + i + 1];
        let mut covariance = Vec::new();
        for a in o..d {
            // L_MM starts at column o.
            covariance.extend((o..=a).map(|b| row(a)[o..].iter().zip(&row(b)[o..]).map(|(x, y)| x * y).sum::<f64>()));
        }
        let log_determinant: f64 = (0..o).map(|i| 2.0 * row(i)[i].ln()).sum();
        let lower = (0..d).flat_map(|i| row(i).iter().copied()).collect();
        Some(Self { log_norm: log_norm(o, log_determinant), form: Form::Joint { lower, covariance } })
    }

    fn axes(variances: &[f64], columns: &Columns) -> Self {
        let log_determinant = columns.observed.iter().map(|j| variances[*j].ln()).sum();
        Self { log_norm: log_norm(columns.observed.len(), log_determinant), form: Form::Axes(variances.to_vec()) }
    }
}

fn log_norm(observed: usize, log_determinant: f64) -> f64 {
    -0.5 * (observed as f64 * std::f64::consts::TAU.ln() + log_determinant)
}

impl Seen {
    fn shape(&self, c: usize) -> &Shape {
        &self.shapes[c.min(self.shapes.len() - 1)]
    }

    /// ln N(x_O; μ_O, Σ_OO) for component `c`; writes x̂ − μ to `z`, the conditional mean where x is missing. `solved` has room
    /// for d numbers. Cost: d²/2.
    pub(crate) fn complete<F: Float>(
        &self,
        c: usize,
        mean: &[f64],
        row: &[F],
        z: &mut [f64],
        solved: &mut [f64],
    ) -> f64 {
        let Columns { observed, missing } = &self.columns;
        let Shape { log_norm, form } = self.shape(c);
        let mut square = 0.0;
        match form {
            Form::Axes(variances) => {
                missing.iter().for_each(|j| z[*j] = 0.0);
                for j in observed.iter().copied() {
                    z[j] = row[j].widen() - mean[j];
                    square += z[j] * z[j] / variances[j];
                }
            }
            Form::Joint { lower, .. } => {
                let mut rest = &lower[..];
                for (i, j) in observed.iter().copied().enumerate() {
                    let (l, tail) = rest.split_at(i + 1);
                    rest = tail;
                    z[j] = row[j].widen() - mean[j];
                    let known: f64 = l[..i].iter().zip(&*solved).map(|(l, y)| l * y).sum();
                    solved[i] = (z[j] - known) / l[i];
                    square += solved[i] * solved[i];
                }
                let o = observed.len();
                for (i, j) in missing.iter().copied().enumerate() {
                    let (l, tail) = rest.split_at(o + i + 1);
                    rest = tail;
                    z[j] = l[..o].iter().zip(&*solved).map(|(l, y)| l * y).sum();
                }
            }
        }
        log_norm - 0.5 * square
    }

    /// Adds `weight` times the conditional covariance of the missing columns under component `c` to a second moment.
    pub(crate) fn add_covariance(&self, c: usize, weight: f64, scatter: Scatter, second: &mut [f64]) {
        let missing = &self.columns.missing;
        let mut add = |i: usize, j: usize, value: f64| match scatter {
            Scatter::Full => second[i * (i + 1) / 2 + j] += weight * value,
            Scatter::Diagonal if i == j => second[i] += weight * value,
            Scatter::Spherical if i == j => second[0] += weight * value,
            _ => {}
        };
        match &self.shape(c).form {
            Form::Axes(variances) => missing.iter().for_each(|j| add(*j, *j, variances[*j])),
            Form::Joint { covariance, .. } => {
                // Missing columns ascend, so that the lower triangle stays one.
                let mut entries = covariance.iter();
                for (a, i) in missing.iter().enumerate() {
                    missing[..=a].iter().zip(entries.by_ref()).for_each(|(j, value)| add(*i, *j, *value));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn two_columns_are_a_regression() {
        // Σ = [4 2; 2 3], the second column missing: x̂₂ = μ₂ + 2/4 (x₁ − μ₁), with 3 − 2·2/4 left.
        let covariances = Covariances::Full(array![[[4.0, 2.0], [2.0, 3.0]]]);
        let mixture = Mixture::new(array![1.0], array![[1.0, 10.0]], covariances);
        let seen = Whole::new(&mixture).seen(&[0b10]).unwrap();
        let (mut z, mut solved) = ([0.0; 2], [0.0; 2]);
        let log_density = seen.complete(0, &[1.0, 10.0], &[4.0, f64::NAN], &mut z, &mut solved);
        let expected = -0.5 * ((std::f64::consts::TAU * 4.0).ln() + 9.0 / 4.0);
        assert!((log_density - expected).abs() < 1e-15 && z == [3.0, 1.5], "{log_density} {z:?}");
        let mut second = [0.0; 3];
        seen.add_covariance(0, 2.0, Scatter::Full, &mut second);
        assert!(second[0] == 0.0 && second[1] == 0.0 && (second[2] - 4.0).abs() < 1e-15, "{second:?}");
    }
}
