//! The laws that every covariance structure must obey, invoked at the bottom of each one's file.
//!
//! Given scatter matrices Sₖ, the estimate must maximise Σₖ −½ (Nₖ ln|Σₖ| + tr(Σₖ⁻¹ Sₖ)) among the matrices of its
//! structure: no other matrices of the structure, near or far, may do better. Others of a structure are what it makes of
//! other scatter matrices. Where there can be more than one maximum, only near ones are asked. Going
//! on from given matrices it must never end below them, and going on from its own end it must stay. And what is raised to the
//! floor must be reported.

use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use ndarray::{Array2, Array3};
use proptest::prelude::*;

/// Invokes the laws for one structure.
macro_rules! runner {
    ($structure:expr) => {
        #[cfg(test)]
        mod tests {
            proptest::proptest! {
                #[test]
                fn no_other_of_the_structure_is_more_likely(case in crate::covariance::conformance::case()) {
                    crate::covariance::conformance::maximises(&$structure, &case);
                }
            }

            proptest::proptest! {
                #[test]
                fn going_on_never_ends_below_and_stays_at_the_end(case in crate::covariance::conformance::case()) {
                    crate::covariance::conformance::goes_on(&$structure, &case);
                }
            }

            #[test]
            fn a_collapse_is_raised_to_the_floor_and_reported() {
                crate::covariance::conformance::floors(&$structure);
            }
        }
    };
}
pub(super) use runner;

/// Weights, dense covariances and the entries of another candidate.
#[derive(Debug)]
pub(super) struct Case {
    d: usize,
    weight: Vec<f64>,
    dense: Vec<Vec<f64>>,
    other: Vec<f64>,
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    (1usize..4, 1usize..4).prop_flat_map(|(k, d)| {
        let numbers = |count| prop::collection::vec(-1.0..1.0f64, count);
        (prop::collection::vec(0.5..5.0f64, k), numbers(k * d * d), numbers(k * d * d)).prop_map(
            move |(weight, roots, other)| {
                let dense = roots.chunks(d * d).map(|root| gram(root, d)).collect();
                Case { d, weight, dense, other }
            },
        )
    })
}

/// A Aᵀ + 0.1, so that it is well inside the positive definite matrices.
fn gram(root: &[f64], d: usize) -> Vec<f64> {
    let entry = |i: usize, j: usize| (0..d).map(|l| root[i * d + l] * root[j * d + l]).sum::<f64>();
    (0..d * d).map(|i| entry(i / d, i % d) + if i % (d + 1) == 0 { 0.1 } else { 0.0 }).collect()
}

/// Σₖ −½ Nₖ (ln|Σₖ| + tr(Σₖ⁻¹ Sₖ/Nₖ)), by Cholesky factors.
fn likelihood(case: &Case, covariances: &Array3<f64>) -> f64 {
    let d = case.d;
    let mut total = 0.0;
    for ((matrix, n), scatter) in covariances.outer_iter().zip(&case.weight).zip(&case.dense) {
        let lower = miscela_linalg::cholesky(&matrix.iter().copied().collect::<Vec<_>>(), d).unwrap();
        let log_det: f64 = (0..d).map(|j| 2.0 * lower[j * d + j].ln()).sum();
        // tr(Σ⁻¹S) = ‖L⁻¹ S^½‖² = tr(L⁻¹ S L⁻ᵀ), column by column.
        let solve = |column: Vec<f64>| {
            let mut y: Vec<f64> = vec![0.0; d];
            for j in 0..d {
                let known: f64 = (0..j).map(|l| lower[j * d + l] * y[l]).sum();
                y[j] = (column[j] - known) / lower[j * d + j];
            }
            y
        };
        let half: Vec<Vec<f64>> = (0..d).map(|j| solve((0..d).map(|i| scatter[i * d + j]).collect())).collect();
        let trace: f64 = (0..d).map(|i| solve((0..d).map(|j| half[j][i]).collect())[i]).sum();
        total -= 0.5 * n * (log_det + trace);
    }
    total
}

fn estimate(
    structure: &dyn Structure,
    case: &Case,
    matrices: &[Vec<f64>],
    previous: Option<Covariances<f64>>,
) -> Covariances<f64> {
    let kept = |matrix: &Vec<f64>| {
        let matrix = Array2::from_shape_vec((case.d, case.d), matrix.clone()).unwrap();
        within::kept(matrix.view(), structure.scatter())
    };
    let covariance = matrices.iter().map(kept).collect();
    let within = Within { width: case.d, weight: case.weight.clone(), covariance, previous };
    structure.estimate(&within, &mut Regulariser::new::<f64>(&vec![1.0; case.d]))
}

/// Others of the structure, near and far: what it makes of other scatter matrices, the further the less they are the case's.
fn others(structure: &dyn Structure, case: &Case) -> Vec<Covariances<f64>> {
    let far: Vec<Vec<f64>> = case.other.chunks(case.d * case.d).map(|root| gram(root, case.d)).collect();
    let between = |step: f64| {
        let mix = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a * (1.0 - step) + b * step).collect();
        let matrices: Vec<Vec<f64>> = case.dense.iter().zip(&far).map(|(a, b)| mix(a, b)).collect();
        estimate(structure, case, &matrices, None)
    };
    [1e-3, 0.1, 1.0].map(between).into()
}

#[track_caller]
fn at_most(less: f64, most: f64) {
    assert!(less <= most + 1e-9 * most.abs().max(1.0), "{less} > {most}");
}

pub(super) fn maximises(structure: &dyn Structure, case: &Case) {
    let k = case.weight.len();
    let most = likelihood(case, &estimate(structure, case, &case.dense, None).dense(k, case.d));
    let near = if structure.has_other_optima() { 1 } else { usize::MAX };
    for other in others(structure, case).into_iter().take(near) {
        at_most(likelihood(case, &other.dense(k, case.d)), most);
    }
}

pub(super) fn goes_on(structure: &dyn Structure, case: &Case) {
    let k = case.weight.len();
    for other in others(structure, case) {
        let before = likelihood(case, &other.dense(k, case.d));
        let next = estimate(structure, case, &case.dense, Some(other));
        let reached = likelihood(case, &next.dense(k, case.d));
        at_most(before, reached);
        let again = estimate(structure, case, &case.dense, Some(next.clone())).dense(k, case.d);
        at_most(reached, likelihood(case, &again));
        // Of several maxima it may come to a better one, and near a round shape axes that are far apart are as likely.
        if !structure.has_other_optima() {
            let most = (&again - &next.dense(k, case.d)).fold(0.0f64, |m, x| m.max(x.abs()));
            assert!(most <= 1e-6, "moved by {most:e} from where it had ended");
        }
    }
}

pub(super) fn floors(structure: &dyn Structure) {
    let scale = [4.0, 9.0];
    let zeros = vec![0.0; structure.scatter().len(2)];
    let within = Within { width: 2, weight: vec![1.0, 2.0], covariance: vec![zeros.clone(), zeros], previous: None };
    let mut regulariser = Regulariser::new::<f64>(&scale);
    let dense = structure.estimate(&within, &mut regulariser).dense(2, 2);
    assert!(!regulariser.raised.is_empty());
    for matrix in dense.outer_iter() {
        assert!(miscela_linalg::cholesky(&matrix.iter().copied().collect::<Vec<_>>(), 2).is_some());
        assert!((3.9e-10..9.1e-10).contains(&matrix[[0, 0]]), "{matrix}");
    }
}
