//! Every instruction set tells the same: this program starts itself once for each that the machine has, and compares.

use miscela::prelude::*;
use miscela_kernel::Isa;
use miscela_tests::{Blobs, assert_close, data};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use std::process::Command;

/// Where a started program writes what it found.
const TELL: &str = "MISCELA_TORTURE_TELL";

/// A fit by some instruction set.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Told {
    what: String,
    labels: Vec<usize>,
    /// By how much the best component of each row leads the second, relative to the second.
    leads: Vec<f64>,
    objective: f64,
}

/// How far the smallest is below the second smallest, as a share of the latter.
fn lead(distances: impl Iterator<Item = f64>) -> f64 {
    let (mut best, mut second) = (f64::INFINITY, f64::INFINITY);
    for distance in distances {
        (best, second) = if distance < best { (distance, best) } else { (best, second.min(distance)) };
    }
    (second - best) / second
}

/// Means of rows that far away, in the last digit that they have, are known to 10⁻¹⁰ of the spread of the rows. The likelihood follows
/// them to that as long as a fit is under way, and not where it has come to its end, since it is flat there.
const FAR: &str = "far from the origin";

fn tables() -> Vec<(String, Array2<f64>, usize)> {
    let shapes = [(3_000, 2, 5), (3_000, 8, 40), (1_500, 40, 7), (500, 3, 3), (777, 1, 4), (900, 129, 17)];
    let blobs = shapes.map(|(n, d, k)| (format!("{n} rows of {d} columns, {k}"), Blobs::new(9, n, d, k, 8.0).rows, k));
    let far = (FAR.to_owned(), Blobs::new(9, 800, 5, 6, 8.0).rows + 1e6, 6);
    blobs.into_iter().chain([far, ("iris".to_owned(), data("iris"), 3)]).collect()
}

fn tell() -> Vec<Told> {
    let mut all = Vec::new();
    for (what, rows, k) in tables() {
        let start = rows.select(Axis(0), &(0..k).map(|c| c * (rows.nrows() / k)).collect::<Vec<_>>());
        for algorithm in Algorithm::ALL {
            let params = KMeans::params(k).init_method(KMeansInit::Precomputed(start.clone())).algorithm(algorithm);
            let Ok(model) = params.tolerance(0.0).fit(&DatasetBase::from(rows.clone())) else { continue };
            let distances = |row| model.centroids().outer_iter().map(move |c| (&c - &row).mapv(|z| z * z).sum());
            all.push(Told {
                what: format!("{what} {algorithm}"),
                labels: model.predict(&rows).to_vec(),
                leads: rows.outer_iter().map(|row| lead(distances(row))).collect(),
                objective: model.inertia_sum(),
            });
        }
        for covariance in Covariance::all().filter(|_| rows.ncols() <= 8) {
            let iterations = if what == FAR { 5_000 } else { 10 };
            let params = GaussianMixture::params(k).covariance(covariance).max_n_iterations(iterations).tolerance(0.0);
            let params = params.init_method(GmmInitMethod::means(start.clone()));
            let model = params.fit(&DatasetBase::from(rows.clone())).unwrap();
            let doubts = model.predict_proba(&rows).mapv(|p| 1.0 - p);
            all.push(Told {
                what: format!("{what} {covariance}"),
                labels: model.predict(&rows).to_vec(),
                leads: doubts.outer_iter().map(|doubts| lead(doubts.iter().copied())).collect(),
                objective: model.log_likelihood(),
            });
        }
    }
    all
}

#[test]
#[ignore = "what the other test starts once for each instruction set"]
fn one_path() {
    if let Ok(path) = std::env::var(TELL) {
        std::fs::write(path, serde_json::to_vec(&(Isa::best().name(), tell())).unwrap()).unwrap();
    }
}

#[test]
fn instruction_sets_agree() {
    let folder = tempfile::tempdir().unwrap();
    let run = |isa: &str| {
        let path = folder.path().join(isa);
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "paths::one_path", "--ignored"]).env("MISCELA_ISA", isa).env(TELL, &path);
        assert!(again.output().unwrap().status.success(), "{isa}");
        let (taken, told): (String, Vec<Told>) = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(taken, isa);
        told
    };
    let plain = run("portable");
    for isa in Isa::available() {
        let fast = run(isa.name());
        assert_eq!(fast.len(), plain.len());
        for (fast, plain) in fast.iter().zip(&plain) {
            assert_eq!(fast.what, plain.what);
            let what = format!("{} by {}", plain.what, isa.name());
            assert_close(&what, fast.objective, plain.objective, 1e-12);
            let clear = (0..plain.labels.len()).filter(|i| plain.leads[*i] > 1e-9);
            clear.for_each(|i| assert_eq!(fast.labels[i], plain.labels[i], "{what}: row {i}"));
        }
    }
}
