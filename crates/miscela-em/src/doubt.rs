//! How sure a mixture is of its labels, row by row, and how dense each of its components is.
//!
//! With rₖ the probability of component k, a row's uncertainty is 1 − maxₖ rₖ (mclust's; Fraley & Raftery 2002), the chance
//! that its label is wrong if the model is right, and its entropy −Σ rₖ ln rₖ.

use crate::density::Density;
use crate::inference::{fill_rows, probabilities_of};
use crate::parameters::{Mixture, ParameterError};
use crate::tiles::GaussianScratch;
use miscela_kernel::{Float, Samples, TILE_ROWS, Threads, soften};
use ndarray::{Array1, Array2};

/// 1 − maxₖ rₖ of each row, n; summed from the others, so that small ones keep their digits.
pub fn uncertainties<F: Float>(samples: &Samples<F>, density: &Density<F>, threads: Threads) -> Array1<f64> {
    of_probabilities(samples, density, threads, uncertainty_of)
}

pub(crate) fn uncertainty_of<F: Float>(shares: &[F]) -> f64 {
    let most = (1..shares.len()).fold(0, |most, c| if shares[c] > shares[most] { c } else { most });
    let others = shares.iter().enumerate().filter(|(c, _)| *c != most);
    others.map(|(_, share)| share.widen()).sum()
}

/// −Σ rₖ ln rₖ of each row, n, from 0 to ln k.
pub fn entropies<F: Float>(samples: &Samples<F>, density: &Density<F>, threads: Threads) -> Array1<f64> {
    of_probabilities(samples, density, threads, entropy_of)
}

pub(crate) fn entropy_of<F: Float>(shares: &[F]) -> f64 {
    shares.iter().fold(0.0, |sum, r| sum - x_ln_x(r.widen()))
}

/// x ln x, which is zero at zero.
pub(crate) fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

/// ln N(x; μₖ, Σₖ) of each row and component, without the weights: n × k.
///
/// # Errors
/// If a covariance is not positive definite.
pub fn component_log_densities<F: Float>(
    samples: &Samples<F>,
    mixture: &Mixture<F>,
    threads: Threads,
) -> Result<Array2<F>, ParameterError> {
    let k = mixture.n_components();
    // As if each weighed one: the logarithm of a weight that is zero could not be taken off again.
    let unweighted = Mixture { weights: Array1::ones(k), noise: None, ..mixture.clone() };
    let density = Density::new(&unweighted)?;
    let mut out = vec![F::zero(); samples.n_rows() * k];
    fill_rows(samples, k, k, threads, &mut out, |block, out, scratch: &mut GaussianScratch<F>| {
        for (t, out) in (0..scratch.fill(block, density.offset(), k)).zip(out.chunks_mut(TILE_ROWS * k)) {
            let columns = scratch.log_densities(&density, t);
            for (i, row) in out.chunks_exact_mut(k).enumerate() {
                row.iter_mut().zip(&*columns).for_each(|(l, column)| *l = column.0[i]);
            }
        }
    });
    Ok(Array2::from_shape_fn((samples.n_rows(), k), |(i, c)| out[i * k + c]))
}

/// A number for each row, from its probabilities.
fn of_probabilities<F: Float>(
    samples: &Samples<F>,
    density: &Density<F>,
    threads: Threads,
    figure: impl Fn(&[F]) -> f64 + Sync + Send,
) -> Array1<f64> {
    let k = density.n_labels();
    let mut out = vec![0.0; samples.n_rows()];
    fill_rows(samples, 1, k, threads, &mut out, |block, out, scratch: &mut (GaussianScratch<F>, Vec<F>)| {
        let (tiles, shares) = scratch;
        shares.resize(k, F::zero());
        for (t, out) in (0..tiles.fill(block, density.offset(), k)).zip(out.chunks_mut(TILE_ROWS)) {
            let columns = tiles.log_densities(density, t);
            soften(columns, F::one());
            for (i, out) in out.iter_mut().enumerate() {
                probabilities_of(columns, i, shares);
                *out = figure(shares);
            }
        }
    });
    out.into()
}
