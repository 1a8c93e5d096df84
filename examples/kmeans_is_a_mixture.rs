//! K-means is a Gaussian mixture: seen three times on the Old Faithful data, always from the same start.
//!
//! 1. Shrink the spheres. Components are spheres of one fixed variance σ² and of equal weight; rows are shared softly.
//!    Where σ² is large all centres meet in the middle; as it falls they part, and what is left at σ² → 0 is k-means.
//! 2. Cool down. σ² is estimated; responsibilities go as (density)^(1/T). T = 1 is EM, T → 0 is k-means.
//! 3. Assign hard. Same spheres, each row wholly its densest component's: k-means at every single iteration.
//!
//! Each line says how many rows have the label that `KMeans` gives them. The picture shows some of the steps.
//!
//! ```text
//! cargo run --release -p miscela-examples --bin kmeans_is_a_mixture -- [OUTPUT.svg|.png]
//! ```
//!
//! Without an argument it writes `target/kmeans_is_a_mixture.svg`.

use linfa_preprocessing::linear_scaling::LinearScaler;
use miscela::prelude::*;
use miscela_examples::{data, output};
use miscela_plot::{Clusters, draw_grid};
use ndarray::{Array1, Array2, Array3, Axis};
use std::error::Error;

const K: usize = 4;
type Rows = DatasetBase<Array2<f64>, Array1<()>>;

fn main() -> Result<(), Box<dyn Error>> {
    let table = miscela_table::read(data("faithful.csv"))?;
    let names = table.names().to_vec();
    let raw = DatasetBase::from(table.into_f64());
    // Minutes of eruption and minutes of waiting, each in its own standard deviations.
    let rows: Rows = LinearScaler::standard().fit(&raw)?.transform(raw);
    let start = rows.records().select(Axis(0), &[0, 1, 2, 3]);
    let n = rows.records().nrows();

    let kmeans = KMeans::params(K).init_method(KMeansInit::Precomputed(start.clone())).tolerance(0.0).fit(&rows)?;
    let truth: Array1<usize> = kmeans.predict(&rows);
    let same = |labels: &Array1<usize>| labels.iter().zip(&truth).filter(|(a, b)| a == b).count();
    println!("k-means: {} iterations, inertia {:.4}", kmeans.report().iterations, kmeans.inertia_sum());

    let mut panels = Vec::new();

    println!("\n1. spheres of a fixed variance σ², soft");
    for variance in [1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5] {
        let spheres = Some(Covariances::TiedSpherical(variance));
        let model = mixture(&start, spheres).held(Held { covariances: true, ..Held::default() }).fit(&rows)?;
        let labels = model.predict(&rows);
        println!("   σ² = {variance:<8} {:>3} of {n} rows as k-means", same(&labels));
        if [0.3, 0.1, 0.01, 1e-5].contains(&variance) {
            panels.push(Panel::new(format!("σ² = {variance}: {} of {n}", same(&labels)), labels, &model));
        }
    }

    println!("\n2. spheres of an estimated variance, from soft to hard by temperature");
    for temperature in [1.0, 0.5, 0.2, 0.1, 0.05, 0.01, 1e-3, 1e-4] {
        let model = mixture(&start, None).assignment(Assignment::Tempered(temperature)).fit(&rows)?;
        let labels = model.predict(&rows);
        println!("   T = {temperature:<8} {:>3} of {n} rows as k-means", same(&labels));
        if [1.0, 0.2, 0.05].contains(&temperature) {
            panels.push(Panel::new(format!("T = {temperature}: {} of {n}", same(&labels)), labels, &model));
        }
    }

    println!("\n3. the same spheres, hard, beside k-means iteration by iteration");
    for limit in 1..=kmeans.report().iterations as u64 {
        let ours = mixture(&start, None).assignment(Assignment::Hard).max_n_iterations(limit).fit(&rows)?;
        let theirs = KMeans::params(K)
            .init_method(KMeansInit::Precomputed(start.clone()))
            .tolerance(0.0)
            .max_n_iterations(limit)
            .fit(&rows)?;
        let (ours, theirs): (Array1<usize>, Array1<usize>) = (ours.predict(&rows), theirs.predict(&rows));
        let equal = ours.iter().zip(&theirs).filter(|(a, b)| a == b).count();
        println!("   iteration {limit:<3} {equal} of {n} rows as k-means");
        assert_eq!(equal, n, "hard, equal and spherical is k-means");
    }
    let hard = mixture(&start, None).assignment(Assignment::Hard).fit(&rows)?;
    panels.push(Panel::new(format!("hard: {} of {n}", same(&hard.predict(&rows))), hard.predict(&rows), &hard));

    let path = output("kmeans_is_a_mixture.svg")?;
    let drawn: Vec<_> = panels.iter().map(|panel| panel.clusters(&rows, &names)).collect();
    draw_grid(&drawn, &path)?;
    println!("\n{} shows {} of these", path.display(), panels.len());
    Ok(())
}

/// A mixture of spheres of one size and of equal weight, from these means.
fn mixture(means: &Array2<f64>, covariances: Option<Covariances<f64>>) -> GmmParams<f64, impl rand::Rng + Clone> {
    GaussianMixture::params(K)
        .covariance(Covariance::TiedSpherical)
        .mixing(Mixing::Equal)
        .init_method(GmmInitMethod::Parameters { weights: None, means: means.clone(), covariances })
        .reg_covariance(0.0)
        .tolerance(0.0)
        .max_n_iterations(2000)
}

/// One picture of the row of pictures.
struct Panel {
    title: String,
    labels: Vec<usize>,
    means: Array2<f64>,
    covariances: Array3<f64>,
}

impl Panel {
    fn new(title: String, labels: Array1<usize>, model: &GaussianMixture<f64>) -> Self {
        Self { title, labels: labels.to_vec(), means: model.means().clone(), covariances: model.covariances() }
    }

    fn clusters<'a>(&'a self, rows: &'a Rows, names: &'a [String]) -> Clusters<'a> {
        Clusters::new(rows.records().view(), &self.labels, self.means.view())
            .covariances(self.covariances.view())
            .names(names)
            .title(&self.title)
    }
}
