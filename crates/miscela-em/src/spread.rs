//! From standard normal numbers to differences from a component's mean: z = L e, Σ = L Lᵀ.

use crate::parameters::Covariances;
use miscela_kernel::Float;
use miscela_linalg::cholesky;

/// The square roots of a mixture's covariances, in the shape of their structure.
#[derive(Clone, Debug)]
pub struct Spread {
    roots: Vec<Root>,
}

#[derive(Clone, Debug)]
enum Root {
    /// A lower Cholesky factor, row-major.
    Full(Vec<f64>),
    Diagonal(Vec<f64>),
    Spherical(f64),
}

impl Spread {
    /// Of covariances with `d` columns. A matrix that has no Cholesky factor spreads nothing; a fitted model has none such.
    pub fn new<F: Float>(covariances: &Covariances<F>, d: usize) -> Self {
        let full = |matrix: ndarray::ArrayView2<F>| {
            let numbers: Vec<f64> = matrix.iter().map(|x| x.widen()).collect();
            Root::Full(cholesky(&numbers, d).unwrap_or_else(|| vec![0.0; d * d]))
        };
        let diagonal = |variances: ndarray::ArrayView1<F>| {
            Root::Diagonal(variances.iter().map(|v| v.widen().max(0.0).sqrt()).collect())
        };
        let spherical = |variance: &F| Root::Spherical(variance.widen().max(0.0).sqrt());
        let roots = match covariances {
            Covariances::Full(all) => all.outer_iter().map(full).collect(),
            Covariances::Tied(one) => vec![full(one.view())],
            Covariances::Diagonal(all) => all.outer_iter().map(diagonal).collect(),
            Covariances::TiedDiagonal(one) => vec![diagonal(one.view())],
            Covariances::Spherical(all) => all.iter().map(spherical).collect(),
            Covariances::TiedSpherical(one) => vec![spherical(one)],
        };
        Self { roots }
    }

    /// L e for component `c`, one number a column.
    pub fn apply<'a, F: Float>(&'a self, c: usize, normal: &'a [f64]) -> impl Iterator<Item = F> + 'a {
        // One root may serve all components.
        let root = &self.roots[c.min(self.roots.len() - 1)];
        (0..normal.len()).map(move |j| {
            F::narrow(match root {
                Root::Full(lower) => lower[j * normal.len()..].iter().zip(&normal[..=j]).map(|(l, e)| l * e).sum(),
                Root::Diagonal(sds) => sds[j] * normal[j],
                Root::Spherical(sd) => sd * normal[j],
            })
        })
    }
}
