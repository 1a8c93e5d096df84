//! A mixture given some of its columns: what the others are then like.
//!
//! With A the columns that are observed and B the rest, given x_A (Mardia, Kent & Bibby 1979, §3.2):
//!
//! ```text
//! wₖ(x_A) ∝ wₖ N(x_A; μ_A, Σ_AA)          μ_B|A = μ_B + G (x_A − μ_A)          Σ_B|A = Σ_BB − G Σ_AB,   G = Σ_BA Σ_AA⁻¹
//! ```
//!
//! Nothing is inverted: of the Cholesky factor of Σ with A before B, [L_AA 0; L_BA L_BB], G is L_BA L_AA⁻¹, one triangular
//! solve, and Σ_B|A is L_BB L_BBᵀ, which is positive definite whatever rounding does. The mean of that mixture, with its
//! variance, is Gaussian mixture regression (Ghahramani & Jordan 1994; Sung 2004).

use crate::density::Density;
use crate::inference::{fill_rows, probabilities_of};
use crate::marginal::{ColumnsError, check_columns};
use crate::parameters::{Covariances, Mixture, ParameterError};
use crate::tiles::GaussianScratch;
use miscela_kernel::{Float, Samples, TILE_ROWS, Threads, soften};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};

/// What is wrong with a mixture or with the columns that it is to be conditioned on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionalError {
    /// The columns.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// Components are Student's t.
    #[error("the components are Student's t, and are not conditioned on columns; fit Gaussian ones")]
    Student,
    /// The covariances.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
}

/// A mixture, prepared to be conditioned on the same columns of many rows.
///
/// Preparing costs a Cholesky factor a component, d³/3; a row then k·m·p multiplications, for p columns observed and m left,
/// and its densities.
#[derive(Clone, Debug)]
pub struct Conditional<F> {
    /// wₖ N(x_A; μ_A, Σ_AA)
    density: Density<F>,
    /// k × m: μ_B
    means: Array2<f64>,
    /// m × p: G; one for each component, one for all, or none where columns are not correlated.
    gains: Vec<Array2<f64>>,
    /// Σ_B|A, which does not depend on x_A.
    covariances: Covariances<F>,
    /// k × m: the diagonals of those.
    variances: Array2<f64>,
}

impl<F: Float> Conditional<F> {
    /// Given these columns, 0-based; the rest are told from them, in their order.
    ///
    /// # Errors
    /// If columns are not there, come twice or leave none, the mixture has noise or Student-t components, or a covariance is not positive definite.
    pub fn new(mixture: &Mixture<F>, observed: &[usize]) -> Result<Self, ConditionalError> {
        let (k, d) = (mixture.n_components(), mixture.n_columns());
        check_columns(observed, d)?;
        if mixture.degrees.is_some() {
            return Err(ConditionalError::Student);
        }
        let rest: Vec<usize> = (0..d).filter(|column| !observed.contains(column)).collect();
        if rest.is_empty() {
            return Err(ColumnsError::All { d }.into());
        }
        let order: Vec<usize> = observed.iter().chain(&rest).copied().collect();
        let split = |component, matrix: ArrayView2<F>| -> Result<_, ConditionalError> {
            let ordered = order.iter().flat_map(|i| order.iter().map(move |j| (*i, *j)));
            let numbers: Vec<f64> = ordered.map(|at| matrix[at].widen()).collect();
            let lower =
                miscela_linalg::cholesky(&numbers, d).ok_or(ParameterError::NotPositiveDefinite { component })?;
            Ok((gain(&lower, d, observed.len()), remainder(&lower, d, observed.len())))
        };
        let m = rest.len();
        let (gains, covariances) = match &mixture.covariances {
            Covariances::Full(all) => {
                let parts = all.outer_iter().enumerate().map(|(c, matrix)| split(c, matrix));
                let (gains, matrices): (Vec<_>, Vec<_>) = parts.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
                let mut stacked = Array3::zeros((k, m, m));
                stacked.outer_iter_mut().zip(&matrices).for_each(|(mut to, from)| to.assign(from));
                (gains, Covariances::Full(stacked))
            }
            Covariances::Tied(one) => {
                let (gain, matrix) = split(0, one.view())?;
                (vec![gain], Covariances::Tied(matrix))
            }
            // Columns that are not correlated tell nothing of each other but the component.
            uncorrelated => (Vec::new(), uncorrelated.marginal(&rest)),
        };
        let covariances: Covariances<F> = covariances;
        let diagonals = covariances.dense(k, m);
        let variances = Array2::from_shape_fn((k, m), |(c, j)| diagonals[[c, j, j]].widen());
        Ok(Self {
            density: Density::new(&mixture.marginal(observed)?)?,
            means: mixture.means.select(Axis(1), &rest).mapv(|x| x.widen()),
            gains,
            covariances,
            variances,
        })
    }

    /// The mixture of the rest given one row of the observed columns, p numbers.
    pub fn given(&self, row: ArrayView1<F>) -> Mixture<F> {
        let one = row.insert_axis(Axis(0));
        let mut weights: Array1<f64> =
            crate::responsibilities(&Samples::unchecked(&one), &self.density, Threads::One).row(0).mapv(|r| r.widen());
        weights /= weights.sum();
        let mut means = Array2::zeros(self.means.dim());
        for (c, mut mean) in means.outer_iter_mut().enumerate() {
            mean.iter_mut().enumerate().for_each(|(j, mean)| *mean = F::narrow(self.mean(c, j, row.iter().copied())));
        }
        Mixture::new(weights.mapv(F::narrow), means, self.covariances.clone())
    }

    /// The mean and the variance of each column of the rest for each row of the observed ones (n × p): two tables n × m.
    pub fn regress(&self, samples: &Samples<F>, threads: Threads) -> (Array2<F>, Array2<F>) {
        let (k, m) = self.means.dim();
        // Mean and variance side by side, so that one pass writes both.
        let mut pairs = vec![[F::zero(); 2]; samples.n_rows() * m];
        type Scratch<F> = (GaussianScratch<F>, Vec<F>, Vec<f64>);
        fill_rows(samples, m, k, threads, &mut pairs, |block, out, scratch: &mut Scratch<F>| {
            let (tiles, shares, means) = scratch;
            shares.resize(k, F::zero());
            means.resize(k, 0.0);
            for (t, out) in (0..tiles.fill(block, self.density.offset(), k)).zip(out.chunks_mut(TILE_ROWS * m)) {
                let columns = tiles.log_densities(&self.density, t);
                soften(columns, F::one());
                for (i, out) in out.chunks_exact_mut(m).enumerate() {
                    probabilities_of(columns, i, shares);
                    let row = block.row(t * TILE_ROWS + i);
                    out.iter_mut().enumerate().for_each(|(j, out)| *out = self.moments(j, row, shares, means));
                }
            }
        });
        let table = |part: usize| Array2::from_shape_fn((samples.n_rows(), m), |(i, j)| pairs[i * m + j][part]);
        (table(0), table(1))
    }

    /// Mean and variance of column j of the rest for a row that the components share like this.
    fn moments(&self, j: usize, row: &[F], shares: &[F], means: &mut [f64]) -> [F; 2] {
        let shares = shares.iter().map(|share| share.widen());
        means.iter_mut().enumerate().for_each(|(c, mean)| *mean = self.mean(c, j, row.iter().copied()));
        let total: f64 = shares.clone().sum();
        let mean = shares.clone().zip(&*means).map(|(share, mean)| share / total * mean).sum::<f64>();
        // Within the components, and between them.
        let spread = |(c, share): (usize, f64)| share / total * (self.variances[[c, j]] + (means[c] - mean).powi(2));
        [F::narrow(mean), F::narrow(shares.enumerate().map(spread).sum())]
    }

    /// μ_B|A of component c, column j.
    fn mean(&self, c: usize, j: usize, row: impl Iterator<Item = F>) -> f64 {
        let Some(gain) = self.gains.get(c).or(self.gains.first()) else { return self.means[[c, j]] };
        let p = self.density.n_columns();
        let centre = &self.density.means()[c * p..];
        let terms = row.zip(centre).zip(gain.row(j));
        self.means[[c, j]] + terms.map(|((x, mean), gain)| gain * (x.widen() - mean.widen())).sum::<f64>()
    }
}

/// G = L_BA L_AA⁻¹, m × p: each row by substitution from the last column on.
fn gain(lower: &[f64], d: usize, p: usize) -> Array2<f64> {
    let mut gain = Array2::zeros((d - p, p));
    for (i, mut row) in gain.outer_iter_mut().enumerate() {
        for j in (0..p).rev() {
            let known: f64 = (j + 1..p).map(|l| row[l] * lower[l * d + j]).sum();
            row[j] = (lower[(p + i) * d + j] - known) / lower[j * d + j];
        }
    }
    gain
}

/// Σ_B|A = L_BB L_BBᵀ, m × m.
fn remainder<F: Float>(lower: &[f64], d: usize, p: usize) -> Array2<F> {
    let entry = |i: usize, j: usize| (p..=p + i.min(j)).map(|l| lower[(p + i) * d + l] * lower[(p + j) * d + l]).sum();
    Array2::from_shape_fn((d - p, d - p), |(i, j)| F::narrow(entry(i, j)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn two_columns_by_hand() {
        let covariances = Covariances::Full(array![[[4.0, 3.0], [3.0, 9.0]]]);
        let mixture = Mixture::new(array![1.0], array![[1.0f64, 2.0]], covariances);
        let given = Conditional::new(&mixture, &[1]).unwrap().given(array![5.0].view());
        assert!((given.means[[0, 0]] - 2.0).abs() < 1e-14);
        let Covariances::Full(covariance) = given.covariances else { panic!("the shape changed") };
        assert!((covariance[[0, 0, 0]] - 3.0f64).abs() < 1e-14);
        assert_eq!(
            Conditional::new(&mixture, &[1, 0]).unwrap_err(),
            ConditionalError::Columns(ColumnsError::All { d: 2 })
        );
    }
}
