//! How many E-steps soft fits take with and without acceleration, from the same start to the same end, as a table.
//!
//! ```text
//! cargo run -p miscela-benches --bin acceleration
//! ```
//!
//! Fits start from k-means, without a ridge, and end where the mean log-likelihood a row rises by less than 1e-10. An E-step
//! whose parameters acceleration gave up counts as one.

use miscela::prelude::*;
use miscela_tests::{Blobs, data};
use ndarray::Array2;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "| data | k | covariance | plain | accelerated | given up | ratio | log-likelihood, plain | accelerated |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|---:|---:|");
    for name in ["faithful", "iris", "galaxies"] {
        for k in [2, 3] {
            compare(name, &data(name), k)?;
        }
    }
    for spread in [3.0, 4.0, 6.0] {
        let blobs = Blobs::new(11, 4000, 3, 4, spread);
        compare(&format!("blobs in a cube of {spread} deviations"), &blobs.rows, 4)?;
    }
    Ok(())
}

fn compare(name: &str, rows: &Array2<f64>, k: usize) -> Result<(), GmmError> {
    let dataset = DatasetBase::from(rows.view());
    for covariance in [Covariance::Full, Covariance::Tied, Covariance::Diagonal, Covariance::Spherical, Covariance::Vev]
    {
        let params = GaussianMixture::params(k).covariance(covariance).reg_covariance(0.0);
        let params = params.tolerance(1e-10).max_n_iterations(20_000);
        let plain = params.clone().fit(&dataset)?;
        let fast = params.acceleration(Acceleration::Squarem).fit(&dataset)?;
        let steps = |model: &GaussianMixture<f64>| model.report().iterations + model.report().given_up;
        println!(
            "| {name} | {k} | {} | {} | {} | {} | {:.1} | {:.6} | {:.6} |",
            covariance.mclust_name(),
            steps(&plain),
            steps(&fast),
            fast.report().given_up,
            steps(&plain) as f64 / steps(&fast) as f64,
            plain.log_likelihood(),
            fast.log_likelihood(),
        );
    }
    Ok(())
}
