//! VEE: Σₖ = λₖ C, volumes and the shared matrix in turn (Celeux & Govaert 1995).

use super::volumes::alternate;
use super::{Regulariser, Structure, Within, within};
use crate::Covariances;
use miscela_kernel::Scatter;

pub(super) struct Vee;

impl Structure for Vee {
    fn scatter(&self) -> Scatter {
        Scatter::Full
    }

    fn iterates(&self) -> bool {
        true
    }

    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64> {
        let (d, k, floor, shares) = (within.width, within.weight.len(), regulariser.floor, within.shares());
        let matrices: Vec<Vec<f64>> = (0..k).map(|c| within.matrix(c)).collect();
        let mut volumes: Vec<f64> = match &within.previous {
            Some(Covariances::Full(all)) => all
                .outer_iter()
                .map(|one| within::log_volume(&one.iter().copied().collect::<Vec<_>>(), d).exp())
                .collect(),
            _ => matrices.iter().map(|matrix| trace(&regulariser.in_units(matrix, -1, 0.0), d)).collect(),
        };
        volumes.iter_mut().for_each(|volume| *volume = volume.max(floor));
        let shape = |volumes: &[f64]| {
            let least = volumes.iter().fold(f64::INFINITY, |m, x| m.min(*x));
            let mut pooled = vec![0.0; d * d];
            for ((matrix, share), volume) in matrices.iter().zip(&shares).zip(volumes) {
                pooled.iter_mut().zip(matrix).for_each(|(p, s)| *p += share * (s / volume));
            }
            Shape::new(regulariser.clipped(pooled, floor / least).0, regulariser)
        };
        let volume = |shape: &Shape, c: usize| {
            // tr(S C⁻¹), both symmetric.
            let product: f64 = matrices[c].iter().zip(&shape.inverse).map(|(s, p)| s * p).sum();
            (product / d as f64).max(floor / shape.least)
        };
        let shape = alternate(&mut volumes, shape, volume);
        for (c, volume) in volumes.iter().enumerate() {
            let at_floor = shape.values.iter().filter(|value| **value * volume <= floor * (1.0 + 1e-9)).count();
            regulariser.note(Some(c), at_floor);
        }
        within::full(d, volumes.iter().map(|volume| shape.matrix.iter().map(|x| volume * x).collect()))
    }
}

/// The shared matrix, its inverse, and the eigenvalues in the data's own units.
struct Shape {
    matrix: Vec<f64>,
    inverse: Vec<f64>,
    values: Vec<f64>,
    least: f64,
}

impl Shape {
    fn new(matrix: Vec<f64>, regulariser: &Regulariser) -> Self {
        let d = regulariser.scale.len();
        let inverse = miscela_linalg::cholesky(&matrix, d).map(|lower| miscela_linalg::inverse_of_factored(&lower, d));
        let values =
            miscela_linalg::eigen(&regulariser.in_units(&matrix, -1, 0.0), d).map_or(vec![1.0; d], |e| e.values);
        let least = values[0];
        Self { inverse: inverse.unwrap_or_else(|| vec![f64::NAN; d * d]), matrix, values, least }
    }
}

/// The mean of the diagonal.
fn trace(matrix: &[f64], d: usize) -> f64 {
    matrix.iter().step_by(d + 1).sum::<f64>() / d as f64
}

#[cfg(test)]
super::conformance::runner!(super::Vee);
