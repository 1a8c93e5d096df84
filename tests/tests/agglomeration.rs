//! Model-based agglomeration merges what mclust's `hc` merges, in the same order, and starts where its `Mclust` starts.

use miscela::prelude::*;
use miscela::{Agglomerate, AgglomerationModel, Transform, quantile_labels};
use miscela_kernel::Samples;
use miscela_tests::{Record, data};
use ndarray::{Array2, Axis};

/// What `tests/reference/hc.R` computes too.
fn noise(n: usize, d: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, d), |(i, j)| {
        let x = (12.9898 * (i + 1) as f64 + 78.233 * (j + 1) as f64).sin() * 437.58;
        x - x.floor()
    })
}

fn rows(name: &str) -> Array2<f64> {
    if let Some(d) = name.strip_prefix("blobs") {
        let d: usize = d.parse().unwrap();
        let centre = |(i, j): (usize, usize)| 0.8 * ((i + 1) % 4 * (j + 1) % 3) as f64;
        return noise(60, d) + Array2::from_shape_fn((60, d), centre);
    }
    match name.strip_suffix("_jittered") {
        Some(name) => {
            let rows = data(name);
            let (n, d) = rows.dim();
            rows + if d == 1 { 0.0001 } else { 0.02 } * noise(n, d)
        }
        None => data(name),
    }
}

#[test]
fn merges_are_those_of_mclust() {
    let mut compared = 0;
    for (name, cases) in Record::read("mclust/hc.json").at("merges").parts() {
        let rows = rows(&name);
        for (case, _) in cases.parts() {
            let (model, transform) = case.split_once('_').unwrap();
            let model = if model == "VVV" { AgglomerationModel::Vvv } else { AgglomerationModel::Eii };
            let transform = if transform == "SVD" { Transform::Svd } else { Transform::None };
            let agglomerate = Agglomerate { model, transform, ..Agglomerate::default() };
            let tree = agglomerate.tree(&Samples::new(&rows).unwrap(), 0, Threads::One).unwrap();
            let expected = cases.matrix(&case);
            for (at, (merge, pair)) in tree.merges().iter().zip(expected.outer_iter()).enumerate() {
                assert_eq!(
                    [merge.kept, merge.joined].map(|c| c as f64),
                    [pair[0], pair[1]],
                    "{name} {case}, merge {at}"
                );
            }
            assert_eq!(tree.merges().len(), expected.nrows());
            compared += 1;
        }
    }
    assert_eq!(compared, 40);
}

/// Whole partitions as texts of digits, as they are recorded.
fn digits(labels: impl IntoIterator<Item = usize>) -> String {
    labels.into_iter().map(|label| label.to_string()).collect()
}

/// Not faithful: so many of its pairs are equally far apart that mclust's tree hangs on the last bits of its singular vectors.
/// With the rows in reverse, mclust's two clusters are others.
#[test]
fn partitions_are_those_that_mclust_starts_from() {
    let record = Record::read("mclust/hc.json").at("starts");
    for name in ["iris", "penguins"] {
        let rows = data(name);
        let tree = Agglomerate::default().tree(&Samples::new(&rows).unwrap(), 0, Threads::One).unwrap();
        for k in 2..=9 {
            let labels = tree.labels(k).unwrap().into_iter().flatten();
            assert_eq!(digits(labels), record.at(name).text(&k.to_string()), "{name}, {k} clusters");
        }
    }
    let waiting = data("faithful").select(Axis(1), &[1]);
    for (name, column) in [("galaxies", data("galaxies")), ("faithful_waiting", waiting)] {
        for k in 2..=9 {
            let labels = quantile_labels(&Samples::new(&column).unwrap(), k).unwrap();
            assert_eq!(digits(labels), record.at(name).text(&k.to_string()), "{name}, {k} clusters");
        }
    }
}

#[test]
fn a_mixture_starts_from_the_tree() {
    let rows = data("penguins");
    let tree = Agglomerate::default().tree(&Samples::new(&rows).unwrap(), 0, Threads::One).unwrap();
    let dataset = DatasetBase::from(rows);
    let fit = |init| GaussianMixture::params(4).init_method(init).n_runs(3).fit(&dataset).unwrap();
    let by_labels = fit(GmmInitMethod::Labels(tree.labels(4).unwrap().into_iter().flatten().collect()));
    let hierarchical = fit(GmmInitMethod::Hierarchical);
    assert_eq!(hierarchical.parameters(), by_labels.parameters());
    assert_eq!(hierarchical.report().n_runs, 1, "nothing is random about it");
}

/// Above 2,000 rows a sample is clustered, and its parameters are the start.
#[test]
fn a_sample_of_many_rows_starts_a_mixture() {
    let (n, k) = (2500, 4);
    let rows = noise(n, 2) + Array2::from_shape_fn((n, 2), |(i, j)| 3.0 * ((i % k) >> j & 1) as f64);
    let weights: Vec<f64> = (0..n).map(|i| if i % 10 == 0 { 0.0 } else { 1.0 }).collect();
    let fit = |threads, runs| {
        let params = GaussianMixture::params(k).init_method(GmmInitMethod::Hierarchical).n_runs(runs).threads(threads);
        params.fit_weighted(&rows, &weights).unwrap()
    };
    let model = fit(Threads::One, 2);
    assert_eq!(model.report().n_runs, 2, "a sample is random");
    assert_eq!(model.parameters(), fit(Threads::Count(3), 2).parameters());
    let labels = model.predict(&rows);
    let apart = (0..n).all(|i| labels[i] == labels[i % k]) && (0..k).all(|a| (0..a).all(|b| labels[a] != labels[b]));
    assert!(apart, "the four squares are the four components");
    let few: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i < 1500))).collect();
    let params = GaussianMixture::params(k).init_method(GmmInitMethod::Hierarchical).n_runs(2);
    assert_eq!(params.fit_weighted(&rows, &few).unwrap().report().n_runs, 1, "rows of no weight do not count");
}

#[test]
fn quantiles_start_a_mixture_of_one_column() {
    let rows = data("galaxies");
    let labels = quantile_labels(&Samples::new(&rows).unwrap(), 4).unwrap();
    let dataset = DatasetBase::from(rows);
    let fit = |init| GaussianMixture::params(4).init_method(init).fit(&dataset).unwrap();
    assert_eq!(fit(GmmInitMethod::Hierarchical).parameters(), fit(GmmInitMethod::Labels(labels)).parameters());
}
