//! What every fit promises, whatever the family.

mod common;

use common::{blobs, cases, first_rows, kmeans, mixture, settings};
use miscela_em::{
    Assignment, Covariance, Density, Family, GaussianFamily, Held, Mixing, MixtureSettings, Progress, RepairAction,
    Run, Summary, Termination, evaluate_centroids, evaluate_mixture, log_densities, responsibilities, run,
};
use miscela_kernel::{Samples, Threads};
use ndarray::{Array2, array};
use proptest::prelude::*;
use std::ops::ControlFlow;

fn fit<M: Family<f64>>(family: &mut M, samples: &Samples<f64>, limit: usize) -> Run {
    run(family, samples, limit, Threads::One, &mut ())
}

/// ln Σ wₖ N(x; μₖ, Σₖ) by the textbook, in one dimension after another.
fn naive_log_density(row: &[f64], density: &miscela_em::Mixture<f64>) -> Vec<f64> {
    let (k, d) = density.means.dim();
    let factors = density.factors().unwrap();
    (0..k)
        .map(|c| {
            let mut y = vec![0.0; d];
            let mut log_det = 0.0;
            for j in 0..d {
                let known: f64 = (0..j).map(|l| factors[[c, j, l]] * y[l]).sum();
                y[j] = (row[j] - density.means[[c, j]] - known) / factors[[c, j, j]];
                log_det += factors[[c, j, j]].ln();
            }
            let quadratic: f64 = y.iter().map(|y| y * y).sum();
            density.weights[c].ln() - 0.5 * (d as f64 * std::f64::consts::TAU.ln() + quadratic) - log_det
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn kmeans_never_raises_its_inertia_and_ends_where_neither_step_helps((rows, weights, k) in cases()) {
        let samples = Samples::weighted(&rows, weights).unwrap();
        let mut family = kmeans(&samples, &first_rows(&rows, k));
        let outcome = fit(&mut family, &samples, 300);
        prop_assert!(outcome.termination.converged());
        prop_assert_eq!(outcome.trace.len(), outcome.iterations);
        prop_assert!(outcome.trace.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-12)), "{:?}", outcome.trace);
        let end = evaluate_centroids(&samples, family.index(), &miscela_distance::L2, Threads::One);
        prop_assert!((end.inertia - outcome.trace[outcome.trace.len() - 1]).abs() <= 1e-9 * (1.0 + end.inertia));
        let again = fit(&mut family, &samples, 2);
        prop_assert!((again.trace[0] - end.inertia).abs() <= 1e-9 * (1.0 + end.inertia));
    }

    #[test]
    fn em_never_lowers_what_it_maximises(
        (rows, weights, k) in cases(),
        assignment in prop_oneof![
            Just(Assignment::Soft), Just(Assignment::Hard), Just(Assignment::Tempered(0.3)), Just(Assignment::Tempered(2.5))
        ],
        mixing in prop_oneof![Just(Mixing::Free), Just(Mixing::Equal), Just(Mixing::Given(Vec::new()))],
        held in any::<(bool, bool, bool)>(),
    ) {
        let samples = Samples::weighted(&rows, weights).unwrap();
        let (weights, means, covariances) = held;
        let held = Held { weights, means, covariances };
        let mixing = match mixing {
            Mixing::Given(_) => Mixing::Given((0..k).map(|c| (c + 1) as f64 * 2.0 / (k * (k + 1)) as f64).collect()),
            other => other,
        };
        for covariance in Covariance::all() {
            let mut family = mixture(&samples, k, MixtureSettings { assignment, mixing: mixing.clone(), held, ..settings(covariance) });
            let outcome = fit(&mut family, &samples, 40);
            // A cluster that ran empty was given other rows: a new start, as it were.
            if outcome.repairs.iter().any(|r| r.action != RepairAction::Floored) {
                continue;
            }
            // A matrix whose smallest eigenvalue is the floor holds that eigenvalue to u/ε: a few millionths.
            let floored = if outcome.repairs.is_empty() { 0.0 } else { 1e-6 * rows.nrows() as f64 };
            let slack = floored + 1e-9 * (1.0 + outcome.trace.iter().fold(0.0f64, |m, l| m.max(l.abs())));
            prop_assert!(outcome.trace.windows(2).all(|pair| pair[1] >= pair[0] - slack), "{covariance} {:?}", outcome);
        }
    }

    #[test]
    fn densities_are_the_textbook_ones((rows, weights, k) in cases()) {
        let samples = Samples::weighted(&rows, weights).unwrap();
        for covariance in Covariance::all() {
            let family = mixture(&samples, k, settings(covariance));
            let density = log_densities(&samples, family.density(), Threads::One);
            let shares = responsibilities(&samples, family.density(), Threads::One);
            let mut total = 0.0;
            for (i, row) in rows.outer_iter().enumerate() {
                let each = naive_log_density(&row.to_vec(), family.mixture());
                let most = each.iter().fold(f64::NEG_INFINITY, |m, l| m.max(*l));
                let sum: f64 = each.iter().map(|l| (l - most).exp()).sum();
                let expected = most + sum.ln();
                prop_assert!((density[i] - expected).abs() <= 1e-8 * (1.0 + expected.abs()));
                prop_assert!((shares.row(i).sum() - 1.0).abs() <= 1e-14);
                for (share, l) in shares.row(i).iter().zip(&each) {
                    prop_assert!((share - (l - expected).exp()).abs() <= 1e-8);
                }
                total += samples.weight(i) * expected;
            }
            let fit = evaluate_mixture(&samples, family.density(), 1.0, Threads::One);
            prop_assert!((fit.log_likelihood - total).abs() <= 1e-8 * (1.0 + total.abs()));
            prop_assert!(fit.classification_log_likelihood <= fit.log_likelihood + 1e-9 * total.abs());
        }
    }

    #[test]
    fn a_shared_sphere_with_equal_weights_and_hard_labels_is_kmeans((rows, weights, k) in cases()) {
        let samples = Samples::weighted(&rows, weights).unwrap();
        let mut by_kmeans = kmeans(&samples, &first_rows(&rows, k));
        let settings = MixtureSettings {
            assignment: Assignment::Hard,
            mixing: Mixing::Equal,
            ..settings(Covariance::TiedSpherical)
        };
        let summary = Summary::of(&samples, Threads::One);
        let mut start = common::start(&samples, k, &settings);
        start.means = first_rows(&rows, k);
        let mut by_mixture = GaussianFamily::new(start, settings, &summary, samples.total_weight()).unwrap();
        for _ in 0..12 {
            fit(&mut by_kmeans, &samples, 1);
            fit(&mut by_mixture, &samples, 1);
            prop_assert_eq!(by_kmeans.centroids(), &by_mixture.mixture().means);
        }
    }

    #[test]
    fn an_empty_cluster_takes_the_farthest_row((rows, weights, k) in cases(), far in 1.0..9.0f64) {
        let samples = Samples::weighted(&rows, weights).unwrap();
        // One start centre too many, where no row is nearest to it.
        let mut centres = first_rows(&rows, k + 1);
        centres.row_mut(k).fill(1e6 * far);
        let mut family = kmeans(&samples, &centres);
        let farthest = (0..rows.nrows()).filter(|i| samples.weight(*i) > 0.0).fold((0, -1.0), |far, i| {
            let row = rows.row(i).to_vec();
            let (_, d) = miscela_kernel::nearest_direct(&row, family.index());
            if d > far.1 { (i, d) } else { far }
        });
        let outcome = fit(&mut family, &samples, 1);
        prop_assert_eq!(outcome.repairs[0].action, RepairAction::Relocated);
        prop_assert_eq!(outcome.repairs[0].component, k);
        prop_assert_eq!(family.centroids().row(k).to_vec(), rows.row(farthest.0).to_vec());
        let end = fit(&mut family, &samples, 300);
        prop_assert!(end.termination.converged());
        let sizes = evaluate_centroids(&samples, family.index(), &miscela_distance::L2, Threads::One).sizes;
        prop_assert!(sizes.iter().all(|size| *size > 0), "{sizes:?}");
    }
}

#[test]
fn copies_move_together_and_the_last_distinct_row_stays() {
    let rows = array![[0.0], [0.0], [0.0], [5.0], [5.0]];
    let samples = Samples::new(&rows).unwrap();
    let mut family = kmeans(&samples, &array![[0.0], [100.0]]);
    let outcome = fit(&mut family, &samples, 10);
    assert_eq!(family.centroids(), array![[0.0], [5.0]]);
    assert_eq!(outcome.repairs.len(), 1);
    // Three centres for two distinct rows: one stays where it is, and is reported.
    let mut family = kmeans(&samples, &array![[0.0], [100.0], [200.0]]);
    let outcome = fit(&mut family, &samples, 10);
    let actions: Vec<RepairAction> = outcome.repairs.iter().map(|r| r.action).collect();
    assert_eq!(actions[..2], [RepairAction::Relocated, RepairAction::KeptEmpty]);
    assert!(family.centroids().iter().all(|c| c.is_finite()));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let rows = blobs(9000, 3, 4, 7);
    let samples = Samples::new(&rows).unwrap();
    let of = |threads: Threads| {
        threads.install(|inner| {
            let mut centres = kmeans(&samples, &first_rows(&rows, 4));
            let kmeans = run(&mut centres, &samples, 20, inner, &mut ());
            let mut gaussians = mixture(&samples, 4, settings(Covariance::Full));
            let gmm = run(&mut gaussians, &samples, 5, inner, &mut ());
            (centres.centroids(), kmeans, gaussians.into_mixture(), gmm)
        })
    };
    let one = of(Threads::One);
    for threads in [2, 3, 7] {
        assert!(of(Threads::Count(threads)) == one, "{threads} threads");
    }
}

#[test]
fn an_observer_sees_every_iteration_and_can_stop() {
    let rows = blobs(200, 2, 3, 3);
    let samples = Samples::new(&rows).unwrap();
    let mut seen = Vec::new();
    let mut watch = |progress: &Progress| {
        seen.push((progress.iteration, progress.objective));
        if progress.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut family = mixture(&samples, 4, settings(Covariance::Full));
    let outcome = run(&mut family, &samples, 50, Threads::One, &mut watch);
    assert_eq!(outcome.termination, Termination::Cancelled);
    assert_eq!(outcome.iterations, 3);
    assert_eq!(seen.iter().map(|(_, objective)| *objective).collect::<Vec<_>>(), outcome.trace);
    assert_eq!(seen.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_collapse_is_repaired_reported_and_stays_finite() {
    // One component on copies of a row, another on a line.
    let rows =
        Array2::from_shape_fn((40, 2), |(i, j)| if i % 4 == 0 { 3.0 } else { (i as f64) * (1.0 + j as f64) - 90.0 });
    let samples = Samples::new(&rows).unwrap();
    for covariance in Covariance::all() {
        let mut family = mixture(&samples, 2, settings(covariance));
        let outcome = fit(&mut family, &samples, 100);
        assert!(outcome.trace.iter().all(|l| l.is_finite()), "{covariance}");
        assert!(Density::new(family.mixture()).is_ok());
        if covariance == Covariance::Full {
            assert!(outcome.repairs.iter().any(|r| r.action == RepairAction::Floored));
        }
    }
}

#[test]
fn no_iterations_evaluate_the_start() {
    let rows = blobs(50, 2, 2, 1);
    let samples = Samples::new(&rows).unwrap();
    let mut family = kmeans(&samples, &first_rows(&rows, 2));
    let outcome = fit(&mut family, &samples, 0);
    assert_eq!((outcome.iterations, outcome.trace.len()), (0, 0));
    assert_eq!(outcome.termination, Termination::MaxIterations);
    assert_eq!(family.centroids(), first_rows(&rows, 2));
}
