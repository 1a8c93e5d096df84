//! The log-densities of a mixture, ready to be computed for many rows.
//!
//! ```text
//! ln wₖ + ln N(x; μₖ, Σₖ) = ln wₖ − ½ (d ln 2π + ln|Σₖ| + ‖L⁻¹(x − μₖ)‖²),   Σₖ = L Lᵀ
//! ```
//!
//! Covariances are factored once; ln|Σ| is the sum of the logarithms of the factor's diagonal, and no inverse is formed.

use crate::{Covariances, Mixture, ParameterError, linalg};
use miscela_kernel::{Column, Factor, Float, Precision, Solved, Tile};

/// A mixture with its covariances factored.
#[derive(Clone, Debug)]
pub struct Density<F> {
    width: usize,
    /// k × d
    means: Vec<F>,
    /// One a component, or one for all.
    precisions: Vec<Precision<F>>,
    /// ln wₖ − ½ (d ln 2π + ln|Σₖ|)
    constants: Vec<F>,
}

impl<F: Float> Density<F> {
    /// Factors the covariances; an error names the component whose covariance is not positive definite.
    pub fn new(mixture: &Mixture<F>) -> Result<Self, ParameterError> {
        let d = mixture.n_columns();
        let shapes = factor(&mixture.covariances, d)?;
        let normaliser = d as f64 * (2.0 * std::f64::consts::PI).ln();
        let constants = mixture.weights.iter().enumerate().map(|(c, weight)| {
            let log_determinant = shapes[c.min(shapes.len() - 1)].1;
            F::narrow(weight.widen().ln() - 0.5 * (normaliser + log_determinant))
        });
        let constants: Vec<F> = constants.collect();
        if constants.iter().any(|c| c.is_nan()) {
            return Err(ParameterError::NotFinite { part: "weights" });
        }
        Ok(Self {
            width: d,
            means: mixture.means.iter().copied().collect(),
            constants,
            precisions: shapes.into_iter().map(|(precision, _)| precision).collect(),
        })
    }

    /// k
    pub fn n_components(&self) -> usize {
        self.constants.len()
    }

    /// d
    pub fn n_columns(&self) -> usize {
        self.width
    }

    /// The means, k × d, row by row.
    pub fn means(&self) -> &[F] {
        &self.means
    }

    pub(crate) fn mean(&self, c: usize) -> &[F] {
        &self.means[c * self.width..(c + 1) * self.width]
    }

    pub(crate) fn constant(&self, c: usize) -> F {
        self.constants[c]
    }

    /// 1/σ² where one sphere and one constant serve all components, so that the densest component is the nearest one.
    pub(crate) fn shared_sphere(&self) -> Option<F> {
        match &self.precisions[..] {
            [Precision::Spherical(precision)] if self.constants.iter().all(|c| *c == self.constants[0]) => {
                Some(*precision)
            }
            _ => None,
        }
    }

    /// Writes ln wₖ + ln N(x; μₖ, Σₖ) for each row of the tile, one column a component. The tile must have been filled
    /// with an offset of zero.
    pub fn log_densities(&self, tile: &Tile<F>, solved: &mut Solved<F>, out: &mut [Column<F>]) {
        let half = F::narrow(-0.5);
        for (c, (column, constant)) in out.iter_mut().zip(&self.constants).enumerate() {
            let precision = &self.precisions[c.min(self.precisions.len() - 1)];
            precision.quadratic(tile, self.mean(c), solved, column);
            column.0.iter_mut().for_each(|q| *q = half * *q + *constant);
        }
    }
}

/// Each shape factored, with ln|Σ|; shapes that all components share come once.
fn factor<F: Float>(covariances: &Covariances<F>, d: usize) -> Result<Vec<(Precision<F>, f64)>, ParameterError> {
    let matrix = |component, numbers: Vec<f64>| {
        let lower = linalg::cholesky(&numbers, d).ok_or(ParameterError::NotPositiveDefinite { component })?;
        let log_determinant = (0..d).map(|j| 2.0 * lower[j * (d + 1)].ln()).sum();
        Ok((Precision::Full(Factor::new(&lower, d)), log_determinant))
    };
    let positive = |component, variance: F| match variance.widen() {
        v if v > 0.0 && v.is_finite() && (F::one() / variance).is_finite() => Ok(v),
        _ => Err(ParameterError::NotPositiveDefinite { component }),
    };
    let diagonal = |component, variances: &mut dyn Iterator<Item = F>| {
        let variances = variances.map(|v| positive(component, v)).collect::<Result<Vec<f64>, _>>()?;
        let precisions = variances.iter().map(|v| F::narrow(1.0 / v)).collect();
        Ok((Precision::Diagonal(precisions), variances.iter().map(|v| v.ln()).sum()))
    };
    let spherical = |component, variance: F| {
        let v = positive(component, variance)?;
        Ok((Precision::Spherical(F::narrow(1.0 / v)), d as f64 * v.ln()))
    };
    match covariances {
        Covariances::Full(all) => {
            (all.outer_iter().enumerate()).map(|(c, one)| matrix(c, one.iter().map(|x| x.widen()).collect())).collect()
        }
        Covariances::Tied(one) => matrix(0, one.iter().map(|x| x.widen()).collect()).map(|one| vec![one]),
        Covariances::Diagonal(all) => {
            all.outer_iter().enumerate().map(|(c, one)| diagonal(c, &mut one.iter().copied())).collect()
        }
        Covariances::TiedDiagonal(one) => diagonal(0, &mut one.iter().copied()).map(|one| vec![one]),
        Covariances::Spherical(all) => all.iter().enumerate().map(|(c, one)| spherical(c, *one)).collect(),
        Covariances::TiedSpherical(one) => spherical(0, *one).map(|one| vec![one]),
    }
}
