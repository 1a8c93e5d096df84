//! K-means and a Gaussian mixture on linfa's iris data: labels, probabilities, BIC, and a model file.
//!
//! ```text
//! cargo run --release -p miscela-examples --bin quickstart
//! ```

use miscela::prelude::*;
use ndarray::Array2;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // 150 flowers, four lengths each, and the species that a botanist gave them.
    let iris = linfa_datasets::iris();
    let species = iris.targets();

    let kmeans = KMeans::params(3).n_runs(4).fit(&iris)?;
    let report = kmeans.report();
    println!("k-means: inertia {:.3} after {} iterations", kmeans.inertia_sum(), report.iterations);
    println!("{}", crossed(species.iter(), kmeans.predict(&iris).iter()));

    // Clusters need not be round: each component here has a covariance of its own, and each row a probability of
    // belonging to each component.
    let mixture = GaussianMixture::params(3).fit(&iris)?;
    println!("mixture: log-likelihood {:.3}, {}", mixture.log_likelihood(), mixture.report().termination);
    println!("{}", crossed(species.iter(), mixture.predict(&iris).iter()));
    let probabilities = mixture.predict_proba(iris.records());
    let doubtful = probabilities.outer_iter().filter(|row| row.iter().all(|p| *p < 0.9)).count();
    println!("{doubtful} rows have no component with a probability of 0.9\n");

    // How many components, and of what shape? The lowest BIC says.
    println!("BIC      {}", Covariance::all().map(|shape| format!("{:>15}", shape.name())).collect::<String>());
    for k in 1..=5 {
        let mut line = format!("k = {k}    ");
        for covariance in Covariance::all() {
            let model = GaussianMixture::params(k).covariance(covariance).max_n_iterations(1000).fit(&iris)?;
            line += &format!("{:>15.1}", model.bic(&iris)?);
        }
        println!("{line}");
    }

    // A model file is read back to the same predictions, bit for bit.
    let folder = tempfile::tempdir()?;
    for name in ["iris.json", "iris.cbor"] {
        let path = folder.path().join(name);
        mixture.save(&path)?;
        let again = GaussianMixture::<f64>::load(&path)?;
        assert_eq!(again.predict_proba(iris.records()), probabilities);
        println!("\n{name}: {} bytes, the same predictions", path.metadata()?.len());
    }
    Ok(())
}

/// How many rows of each class (down) have each label (across).
fn crossed<'a>(classes: impl Iterator<Item = &'a usize>, labels: impl Iterator<Item = &'a usize>) -> Array2<usize> {
    let mut counts = Array2::zeros((3, 3));
    classes.zip(labels).for_each(|(class, label)| counts[[*class, *label]] += 1);
    counts
}
