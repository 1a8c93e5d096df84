//! The log-densities of a mixture, ready to be computed for many rows.
//!
//! ```text
//! ln wₖ + ln N(x; μₖ, Σₖ) = ln wₖ − ½ (d ln 2π + ln|Σₖ| + ‖L⁻¹(x − μₖ)‖²),   Σₖ = L Lᵀ
//! ```
//!
//! Covariances are factored once; ln|Σ| is the sum of the logarithms of the factor's diagonal, and no inverse is formed.

use crate::tails::ln_peak;
use crate::{Covariances, Mixture, ParameterError};
use miscela_kernel::{Column, Factor, Float, Forms, Solved, Student, TailWeights, Tile};
use ndarray::ArrayView2;

/// A mixture with its covariances factored.
#[derive(Clone, Debug)]
pub struct Density<F> {
    forms: Forms<F>,
    /// 1/σ² where one sphere serves all components.
    sphere: Option<F>,
    /// ln w₀/V of the noise.
    noise: Option<F>,
    /// What Student-t components make of −½δ, which the forms then are; none of Gaussian ones.
    students: Vec<Student<F>>,
}

impl<F: Float> Density<F> {
    /// Factors the covariances; an error names the component whose covariance is not positive definite.
    pub fn new(mixture: &Mixture<F>) -> Result<Self, ParameterError> {
        Ok(Self::with_log_weights(mixture, |c| mixture.weights[c].widen().ln())?.0)
    }

    /// The same with other numbers in the place of ln wₖ, and ln|Σₖ| of each shape: one a component, or one for all.
    pub(crate) fn with_log_weights(
        mixture: &Mixture<F>,
        log_weight: impl Fn(usize) -> f64,
    ) -> Result<(Self, Vec<f64>), ParameterError> {
        let d = mixture.n_columns();
        let (factored, log_determinants) = factor(&mixture.covariances, d)?;
        let normaliser = d as f64 * (2.0 * std::f64::consts::PI).ln();
        let log_determinant = |c: usize| log_determinants[c.min(log_determinants.len() - 1)];
        let constant = |c| log_weight(c) - 0.5 * (normaliser + log_determinant(c));
        let constants: Vec<F> = (0..mixture.n_components()).map(|c| F::narrow(constant(c))).collect();
        if constants.iter().any(|c| c.is_nan()) {
            return Err(ParameterError::NotFinite { part: "weights" });
        }
        let students = mixture.degrees.iter().flatten().enumerate();
        let peak = |c, degrees| log_weight(c) + ln_peak(degrees, d, log_determinant(c));
        let students: Vec<Student<F>> =
            students.map(|(c, degrees)| Student::new(*degrees, d, peak(c, *degrees))).collect();
        let constants = if students.is_empty() { constants } else { vec![F::zero(); constants.len()] };
        let means = mixture.means.iter().copied().collect();
        let noise = mixture.noise.as_ref().map(|noise| F::narrow(noise.log_density()));
        let sphere = match mixture.covariances {
            Covariances::TiedSpherical(variance) if noise.is_none() && students.is_empty() => Some(F::one() / variance),
            _ => None,
        };
        let forms = match factored {
            Factored::Each(factors) => Forms::triangular(means, factors, constants),
            Factored::One(lower) => Forms::shared(means, &lower, constants),
            Factored::Variances(variances) => {
                let scales: Vec<F> = variances.iter().flatten().map(|v| F::narrow(1.0 / v.sqrt())).collect();
                Forms::scaled(means, &scales, constants)
            }
        };
        Ok((Self { forms, sphere, noise, students }, log_determinants))
    }

    /// k
    pub fn n_components(&self) -> usize {
        self.forms.count()
    }

    /// k, and one more where there is noise.
    pub fn n_labels(&self) -> usize {
        self.n_components() + usize::from(self.noise.is_some())
    }

    /// d
    pub fn n_columns(&self) -> usize {
        self.offset().len()
    }

    /// The means, k × d, row by row.
    pub fn means(&self) -> &[F] {
        self.forms.means()
    }

    /// ln wₖ + ln p(μₖ), the log-density of each component at its centre with what stands for its weight, k.
    pub fn peaks(&self) -> Vec<F> {
        if self.students.is_empty() {
            return self.constants().to_vec();
        }
        self.students.iter().map(Student::peak).collect()
    }

    /// What the log-density of each component has beside its quadratic form, k.
    pub(crate) fn constants(&self) -> &[F] {
        self.forms.constants()
    }

    pub(crate) fn constant(&self, c: usize) -> F {
        self.constants()[c]
    }

    /// What must be taken off the rows of a tile before [`log_densities`](Self::log_densities), d numbers.
    pub fn offset(&self) -> &[F] {
        self.forms.offset()
    }

    /// 1/σ² where one sphere and one constant serve all components, so that the densest component is the nearest one.
    pub(crate) fn shared_sphere(&self) -> Option<F> {
        self.sphere.filter(|_| self.forms.constants().iter().all(|c| *c == self.constant(0)))
    }

    /// Writes ln wₖ + ln N(x; μₖ, Σₖ), or ln wₖ + ln t(x; νₖ, μₖ, Σₖ), for each row of the tile, one column a component, and the same of the noise, if
    /// there is some, to a last one. The tile must have been filled with this density's [`offset`](Self::offset).
    pub fn log_densities(&self, tile: &Tile<F>, solved: &mut Solved<F>, out: &mut [Column<F>]) {
        self.log_densities_and_tails(tile, solved, &mut vec![TailWeights::one(); self.n_students()], out);
    }

    /// How many components are Student's t: all or none.
    pub(crate) fn n_students(&self) -> usize {
        self.students.len()
    }

    /// [`log_densities`](Self::log_densities); for Student-t components also how the rows count in them.
    pub(crate) fn log_densities_and_tails(
        &self,
        tile: &Tile<F>,
        solved: &mut Solved<F>,
        tails: &mut [TailWeights<F>],
        out: &mut [Column<F>],
    ) {
        let (components, noise) = out.split_at_mut(self.n_components());
        self.forms.log_densities(tile, solved, components);
        let students = self.students.iter().zip(components).zip(tails);
        students.for_each(|((student, form), tail)| student.log_density(form, tail));
        noise.iter_mut().zip(self.noise).for_each(|(column, l)| *column = Column::splat(l));
    }
}

/// Covariances factored; shapes that all components share come once.
enum Factored<F> {
    /// A Cholesky factor each.
    Each(Vec<Factor<F>>),
    /// The Cholesky factor of all, d × d.
    One(Vec<f64>),
    /// The d variances of each, or of all.
    Variances(Vec<Vec<f64>>),
}

/// The factors of each shape and its ln|Σ|.
fn factor<F: Float>(covariances: &Covariances<F>, d: usize) -> Result<(Factored<F>, Vec<f64>), ParameterError> {
    let lower = |component, matrix: ArrayView2<F>| {
        let numbers: Vec<f64> = matrix.iter().map(|x| x.widen()).collect();
        let lower = miscela_linalg::cholesky(&numbers, d).ok_or(ParameterError::NotPositiveDefinite { component })?;
        let log_determinant: f64 = lower.iter().step_by(d + 1).map(|x| 2.0 * x.ln()).sum();
        Ok((lower, log_determinant))
    };
    let positive = |component, variance: F| match variance.widen() {
        v if v > 0.0 && v.is_finite() && (F::one() / variance).is_finite() => Ok(v),
        _ => Err(ParameterError::NotPositiveDefinite { component }),
    };
    let row = |component, variances: &mut dyn Iterator<Item = F>| {
        variances.map(|v| positive(component, v)).collect::<Result<Vec<f64>, _>>()
    };
    let variances = match covariances {
        Covariances::Full(all) => {
            // One after the other, so that there is only one as a whole matrix.
            let factors = all.outer_iter().enumerate().map(|(c, one)| {
                let (lower, log_determinant) = lower(c, one)?;
                Ok((Factor::new(&lower, d), log_determinant))
            });
            let (factors, log_determinants) = factors.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            return Ok((Factored::Each(factors), log_determinants));
        }
        Covariances::Tied(one) => {
            let (lower, log_determinant) = lower(0, one.view())?;
            return Ok((Factored::One(lower), vec![log_determinant]));
        }
        Covariances::Diagonal(all) => {
            let rows = all.outer_iter().enumerate().map(|(c, one)| row(c, &mut one.iter().copied()));
            rows.collect::<Result<_, _>>()?
        }
        Covariances::TiedDiagonal(one) => vec![row(0, &mut one.iter().copied())?],
        Covariances::Spherical(all) => {
            let rows = all.iter().enumerate().map(|(c, one)| Ok(vec![positive(c, *one)?; d]));
            rows.collect::<Result<_, _>>()?
        }
        Covariances::TiedSpherical(one) => vec![vec![positive(0, *one)?; d]],
    };
    let log_determinants =
        variances.iter().map(|variances: &Vec<f64>| variances.iter().map(|v| v.ln()).sum()).collect();
    Ok((Factored::Variances(variances), log_determinants))
}
