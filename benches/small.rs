//! Small problems: iris with three clusters, one run, through linfa's interface with all its defaults.
//!
//! ```text
//! cargo bench -p miscela-benches --bench small
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use miscela::prelude::*;
use miscela_benches::iris;
use std::hint::black_box;

const K: usize = 3;

fn small(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("iris");
    let dataset = DatasetBase::from(iris());
    let kmeans = KMeans::<f64>::params(K).n_runs(1);
    group.bench_function("k-means", |bencher| bencher.iter(|| kmeans.fit(black_box(&dataset))));
    for covariance in [Covariance::Full, Covariance::Diagonal] {
        let mixture = GaussianMixture::<f64>::params(K).covariance(covariance).n_runs(1);
        let name = format!("mixture, {}", covariance.name());
        group.bench_function(name, |bencher| bencher.iter(|| mixture.fit(black_box(&dataset))));
    }
    group.finish();
}

criterion_group!(benches, small);
criterion_main!(benches);
