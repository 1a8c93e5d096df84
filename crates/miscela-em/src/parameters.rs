//! The parameters of a Gaussian mixture.

use crate::noise::Uniform;
use miscela_kernel::Float;
use ndarray::{Array1, Array2, Array3, Axis};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Covariance matrices in the shape that their structure needs.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Covariances<F> {
    /// One matrix a component, k × d × d.
    Full(Array3<F>),
    /// One matrix for all, d × d.
    Tied(Array2<F>),
    /// One variance a component and column, k × d.
    Diagonal(Array2<F>),
    /// One variance a column, d.
    TiedDiagonal(Array1<F>),
    /// One variance a component, k.
    Spherical(Array1<F>),
    /// One variance.
    TiedSpherical(F),
}

impl<F: Float> Covariances<F> {
    /// All of them as matrices, k × d × d.
    pub fn dense(&self, k: usize, d: usize) -> Array3<F> {
        let mut dense = Array3::zeros((k, d, d));
        for (c, mut matrix) in dense.outer_iter_mut().enumerate() {
            match self {
                Covariances::Full(all) => matrix.assign(&all.index_axis(Axis(0), c)),
                Covariances::Tied(one) => matrix.assign(one),
                Covariances::Diagonal(all) => matrix.diag_mut().assign(&all.row(c)),
                Covariances::TiedDiagonal(one) => matrix.diag_mut().assign(one),
                Covariances::Spherical(all) => matrix.diag_mut().fill(all[c]),
                Covariances::TiedSpherical(one) => matrix.diag_mut().fill(*one),
            }
        }
        dense
    }

    /// The same in another number type, rounded where that is narrower.
    pub fn cast<G: Float>(self) -> Covariances<G> {
        let to = |x: F| G::narrow(x.widen());
        match self {
            Covariances::Full(all) => Covariances::Full(all.mapv_into_any(to)),
            Covariances::Tied(one) => Covariances::Tied(one.mapv_into_any(to)),
            Covariances::Diagonal(all) => Covariances::Diagonal(all.mapv_into_any(to)),
            Covariances::TiedDiagonal(one) => Covariances::TiedDiagonal(one.mapv_into_any(to)),
            Covariances::Spherical(all) => Covariances::Spherical(all.mapv_into_any(to)),
            Covariances::TiedSpherical(one) => Covariances::TiedSpherical(to(one)),
        }
    }

    /// The numbers stored, in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = &F> + '_> {
        match self {
            Covariances::Full(all) => Box::new(all.iter()),
            Covariances::Tied(all) | Covariances::Diagonal(all) => Box::new(all.iter()),
            Covariances::TiedDiagonal(all) | Covariances::Spherical(all) => Box::new(all.iter()),
            Covariances::TiedSpherical(one) => Box::new(std::iter::once(one)),
        }
    }

    /// Whether the shape is one for k components and d columns.
    pub fn fits(&self, k: usize, d: usize) -> bool {
        match self {
            Covariances::Full(all) => all.dim() == (k, d, d),
            Covariances::Tied(one) => one.dim() == (d, d),
            Covariances::Diagonal(all) => all.dim() == (k, d),
            Covariances::TiedDiagonal(one) => one.len() == d,
            Covariances::Spherical(all) => all.len() == k,
            Covariances::TiedSpherical(_) => true,
        }
    }
}

/// Mixing weights, means and covariances, and what makes a mixture bear outliers.
///
/// ```
/// use miscela_em::{Covariances, Mixture};
/// use ndarray::array;
///
/// let mixture = Mixture::new(array![0.5, 0.5], array![[0.0], [9.0]], Covariances::TiedSpherical(1.0));
/// assert_eq!((mixture.n_components(), mixture.n_labels()), (2, 2));
/// assert!(mixture.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Mixture<F> {
    /// k, not negative, summing to one, or to what the noise leaves of it.
    pub weights: Array1<F>,
    /// k × d
    pub means: Array2<F>,
    /// In the shape of their structure.
    pub covariances: Covariances<F>,
    /// A uniform component beside the k others.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub noise: Option<Uniform>,
    /// ν of each component, k, where they are Student's t; the covariances are then their scale matrices.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub degrees: Option<Vec<f64>>,
}

/// What is wrong with given parameters.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// There are no components or no columns.
    #[error("a mixture needs at least one component and one column; the means are {k} × {d}")]
    Empty {
        /// Rows of the means.
        k: usize,
        /// Columns of the means.
        d: usize,
    },
    /// The parts do not belong together.
    #[error("the {part} do not fit {k} components and {d} columns")]
    Shape {
        /// `weights`, `means` or `covariances`.
        part: &'static str,
        /// Components expected.
        k: usize,
        /// Columns expected.
        d: usize,
    },
    /// There are more components than kernels can number.
    #[error("{0} components are more than the {most} that can be numbered; ask for fewer", most = miscela_kernel::MAX_CENTROIDS - 1)]
    TooMany(usize),
    /// Rows cannot be shared in this way.
    #[error("rows can only be shared by an assignment that is {0}")]
    Assignment(&'static str),
    /// The rows have another number of columns.
    #[error("the parameters are of {expected} columns and the rows have {got}")]
    ColumnCount {
        /// Columns of the parameters.
        expected: usize,
        /// Columns of the rows.
        got: usize,
    },
    /// Some rows have gaps.
    #[error("noise and Student-t components do not take missing values; impute the rows before, or leave them out")]
    Gaps,
    /// A number is NaN or infinite.
    #[error("the {part} hold a number that is not finite")]
    NotFinite {
        /// `weights`, `means` or `covariances`.
        part: &'static str,
    },
    /// Not one given weight a component.
    #[error("{got} weights were given for {k} components; give one a component")]
    WeightCount {
        /// Weights given.
        got: usize,
        /// Components.
        k: usize,
    },
    /// The weights, with that of the noise, are negative or do not sum to one.
    #[error("the weights must not be negative and must sum to one; they sum to {sum}")]
    Weights {
        /// Their sum.
        sum: f64,
    },
    /// The noise has no volume, or a box of another width.
    #[error("the noise must have a volume and a box of {d} columns")]
    Noise {
        /// Columns expected.
        d: usize,
    },
    /// Degrees of freedom that are not one a component, above zero.
    #[error("there must be {k} degrees of freedom, finite and above zero")]
    Degrees {
        /// Components.
        k: usize,
    },
    /// Running statistics are of another number of components or columns, or another kind.
    #[error("the running statistics are those of another mixture; start the stream anew")]
    OtherStream,
    /// A covariance is not symmetric.
    #[error("the covariance of component {component} is not symmetric")]
    NotSymmetric {
        /// The 0-based component.
        component: usize,
    },
    /// A covariance is not positive definite.
    #[error(
        "the covariance of component {component} is not positive definite; raise its variances or the regularisation"
    )]
    NotPositiveDefinite {
        /// The 0-based component.
        component: usize,
    },
}

impl<F: Float> Mixture<F> {
    /// A mixture of Gaussians, without noise.
    pub fn new(weights: Array1<F>, means: Array2<F>, covariances: Covariances<F>) -> Self {
        Self { weights, means, covariances, noise: None, degrees: None }
    }

    /// The same with noise, for whose weight the others make room.
    pub fn with_noise(self, noise: Uniform) -> Self {
        let left = 1.0 - noise.weight;
        Self { weights: self.weights.mapv_into(|w| F::narrow(w.widen() * left)), noise: Some(noise), ..self }
    }

    /// k, and one more where there is noise, whose label is k.
    pub fn n_labels(&self) -> usize {
        self.n_components() + usize::from(self.noise.is_some())
    }

    /// What the noise leaves of one for the weights of the components.
    pub(crate) fn not_noise(&self) -> f64 {
        1.0 - self.noise.as_ref().map_or(0.0, |noise| noise.weight)
    }

    /// k
    pub fn n_components(&self) -> usize {
        self.means.nrows()
    }

    /// d
    pub fn n_columns(&self) -> usize {
        self.means.ncols()
    }

    /// The same with component `order[i]` as the i-th; noise stays.
    ///
    /// # Panics
    /// If `order` names a component that there is not.
    pub fn in_order(&self, order: &[usize]) -> Self {
        let covariances = match &self.covariances {
            Covariances::Full(all) => Covariances::Full(all.select(Axis(0), order)),
            Covariances::Diagonal(all) => Covariances::Diagonal(all.select(Axis(0), order)),
            Covariances::Spherical(all) => Covariances::Spherical(all.select(Axis(0), order)),
            shared => shared.clone(),
        };
        let (weights, means) = (self.weights.select(Axis(0), order), self.means.select(Axis(0), order));
        let degrees = self.degrees.as_ref().map(|all| order.iter().map(|c| all[*c]).collect());
        Self { weights, means, covariances, noise: self.noise.clone(), degrees }
    }

    /// Shapes that agree, finite numbers, weights that sum to one, symmetric covariances. (That they are positive definite
    /// is found when they are factored: [`Density::new`](crate::Density::new).)
    pub fn check(&self) -> Result<(), ParameterError> {
        let (k, d) = self.means.dim();
        if k == 0 || d == 0 {
            return Err(ParameterError::Empty { k, d });
        }
        if self.weights.len() != k {
            return Err(ParameterError::Shape { part: "weights", k, d });
        }
        if !self.covariances.fits(k, d) {
            return Err(ParameterError::Shape { part: "covariances", k, d });
        }
        let finite: [(&'static str, bool); 3] = [
            ("weights", self.weights.iter().all(|x| x.is_finite())),
            ("means", self.means.iter().all(|x| x.is_finite())),
            ("covariances", self.covariances.iter().all(|x| x.is_finite())),
        ];
        if let Some((part, _)) = finite.into_iter().find(|(_, finite)| !finite) {
            return Err(ParameterError::NotFinite { part });
        }
        if self.noise.as_ref().is_some_and(|noise| !noise.fits(d)) {
            return Err(ParameterError::Noise { d });
        }
        let usable = |degrees: &Vec<f64>| degrees.len() == k && degrees.iter().all(|v| v.is_finite() && *v > 0.0);
        if !self.degrees.as_ref().is_none_or(usable) {
            return Err(ParameterError::Degrees { k });
        }
        let noise = self.noise.as_ref().map_or(0.0, |noise| noise.weight);
        let sum: f64 = self.weights.iter().map(|w| w.widen()).sum::<f64>() + noise;
        let slack = 1e-6f64.max(k as f64 * 4.0 * F::UNIT_ROUNDOFF);
        if self.weights.iter().any(|w| *w < F::zero()) || (sum - 1.0).abs() > slack {
            return Err(ParameterError::Weights { sum });
        }
        let matrices: Vec<_> = match &self.covariances {
            Covariances::Full(all) => all.outer_iter().collect(),
            Covariances::Tied(one) => vec![one.view()],
            _ => Vec::new(),
        };
        for (component, matrix) in matrices.into_iter().enumerate() {
            let close = |a: F, b: F| (a - b).abs().widen() <= 1e-5 * (a.abs().widen() + b.abs().widen());
            if matrix.indexed_iter().any(|((i, j), x)| i > j && !close(*x, matrix[[j, i]])) {
                return Err(ParameterError::NotSymmetric { component });
            }
        }
        Ok(())
    }

    /// The lower Cholesky factors of the covariances, k × d × d; an error names the component that has none.
    pub fn factors(&self) -> Result<Array3<f64>, ParameterError> {
        let (k, d) = self.means.dim();
        let dense = self.covariances.dense(k, d);
        let mut factors = Array3::zeros((k, d, d));
        for (component, (matrix, mut factor)) in dense.outer_iter().zip(factors.outer_iter_mut()).enumerate() {
            let numbers: Vec<f64> = matrix.iter().map(|x| x.widen()).collect();
            let lower =
                miscela_linalg::cholesky(&numbers, d).ok_or(ParameterError::NotPositiveDefinite { component })?;
            factor.iter_mut().zip(lower).for_each(|(to, from)| *to = from);
        }
        Ok(factors)
    }

    /// The inverses of the covariances, k × d × d; an error names the component that has none.
    pub fn precisions(&self) -> Result<Array3<F>, ParameterError> {
        let (k, d) = self.means.dim();
        let factors = self.factors()?;
        let mut precisions = Array3::zeros((k, d, d));
        for (factor, mut precision) in factors.outer_iter().zip(precisions.outer_iter_mut()) {
            let inverse = miscela_linalg::inverse_of_factored(&factor.iter().copied().collect::<Vec<_>>(), d);
            precision.iter_mut().zip(inverse).for_each(|(to, from)| *to = F::narrow(from));
        }
        Ok(precisions)
    }

    /// A fingerprint of these parameters and of how rows are shared: the temperature, zero for hard, and what draws are a
    /// function of.
    pub(crate) fn fingerprint(&self, temperature: f64, draws: Option<u64>) -> u64 {
        let numbers = self.weights.iter().chain(&self.means).chain(self.covariances.iter());
        let draws = draws.into_iter().flat_map(|seed| [(seed >> 32) as f64, f64::from(seed as u32)]);
        let degrees = self.degrees.iter().flatten().copied();
        let noise = self.noise.iter().flat_map(|noise| [noise.weight, noise.log_volume]);
        crate::statistics::fingerprint(
            numbers.map(|x| x.widen()).chain([temperature]).chain(draws).chain(noise).chain(degrees),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn symmetry_is_judged_by_the_size_of_the_numbers() {
        for scale in [1e-8, 1.0, 1e8] {
            let check = |by: f64| {
                let covariance = array![[[2.0, 1.0], [1.0 + by, 2.0]]] * scale;
                Mixture::new(array![1.0], array![[0.0, 0.0]], Covariances::Full(covariance)).check()
            };
            assert_eq!(check(1e-6), Ok(()), "{scale}");
            assert_eq!(check(1e-3), Err(ParameterError::NotSymmetric { component: 0 }), "{scale}");
        }
    }
}
