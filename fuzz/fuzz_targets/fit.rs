//! Fits of small matrices of any numbers by any parameters: a model of finite numbers, or an error.
#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use miscela::prelude::*;
use miscela::{Acceleration, Algorithm, Empty, Float};
use ndarray::Array2;

/// What a fit is of; rows are cut to what there are numbers for.
struct Case {
    single: bool,
    mixture: bool,
    columns: u8,
    rows: u8,
    k: u8,
    choice: [u8; 6],
    tolerance: f64,
    reg: f64,
    weighted: bool,
}

fuzz_target!(|bytes: &[u8]| {
    let mut source = Unstructured::new(bytes);
    let _ = run(&mut source);
});

fn run(source: &mut Unstructured) -> Result<()> {
    let case = Case {
        single: source.arbitrary()?,
        mixture: source.arbitrary()?,
        columns: source.arbitrary()?,
        rows: source.arbitrary()?,
        k: source.arbitrary()?,
        choice: source.arbitrary()?,
        tolerance: source.arbitrary()?,
        reg: source.arbitrary()?,
        weighted: source.arbitrary()?,
    };
    let (n, d) = (usize::from(case.rows % 24), usize::from(case.columns % 9));
    let numbers = (0..n * d).map(|_| number(source)).collect::<Result<Vec<f64>>>()?;
    let weights = (0..n).map(|_| number(source)).collect::<Result<Vec<f64>>>()?;
    if case.single {
        fits::<f32>(&case, n, d, &numbers, &weights)
    } else {
        fits::<f64>(&case, n, d, &numbers, &weights)
    }
    Ok(())
}

/// Small whole numbers mostly, so that rows are equal now and then; any number else.
fn number(source: &mut Unstructured) -> Result<f64> {
    let byte = source.arbitrary::<u8>()?;
    Ok(if byte < 240 { f64::from(byte % 16) - 3.0 } else { source.arbitrary()? })
}

fn fits<F: Float>(case: &Case, n: usize, d: usize, numbers: &[f64], weights: &[f64]) {
    let rows = Array2::from_shape_fn((n, d), |(i, j)| narrow::<F>(numbers[i * d + j]));
    let mut data = DatasetBase::from(rows);
    if case.weighted {
        data = data.with_weights(weights.iter().map(|w| *w as f32).collect::<Vec<_>>().into());
    }
    let pick = |i: usize, of: usize| usize::from(case.choice[i]) % of;
    let k = usize::from(case.k % 28);
    if case.mixture {
        let structures = [
            Covariance::Full,
            Covariance::Tied,
            Covariance::Diagonal,
            Covariance::TiedDiagonal,
            Covariance::Spherical,
            Covariance::TiedSpherical,
        ];
        let rules = [Assignment::Soft, Assignment::Hard, Assignment::Stochastic, Assignment::Tempered(case.tolerance)];
        let starts = [GmmInitMethod::KMeans, GmmInitMethod::Random];
        let model = GaussianMixture::params(k)
            .covariance(structures[pick(0, structures.len())])
            .assignment(rules[pick(1, rules.len())])
            .init_method(starts[pick(2, starts.len())].clone())
            .missing([Missing::Error, Missing::Marginal][pick(3, 2)])
            .acceleration([Acceleration::None, Acceleration::Squarem][pick(4, 2)])
            .tolerance(narrow::<F>(case.tolerance))
            .reg_covariance(narrow::<F>(case.reg))
            .max_n_iterations(6)
            .threads(Threads::One)
            .fit(&data);
        if let Ok(model) = model {
            assert!(model.means().iter().all(|x| x.is_finite()), "means are not finite");
            assert!(model.weights().iter().all(|x| x.is_finite()), "weights are not finite");
            assert!(!model.log_likelihood().is_nan());
        }
    } else {
        let starts = [KMeansInit::Random, KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPara];
        let model = KMeans::params(k)
            .init_method(starts[pick(0, starts.len())].clone())
            .algorithm(Algorithm::ALL[pick(1, Algorithm::ALL.len())])
            .empty(Empty::ALL[pick(2, Empty::ALL.len())])
            .missing([Missing::Error, Missing::Marginal][pick(3, 2)])
            .tolerance(narrow::<F>(case.tolerance))
            .max_n_iterations(6)
            .threads(Threads::One)
            .fit(&data);
        if let Ok(model) = model {
            assert!(model.centroids().iter().all(|x| x.is_finite()), "centroids are not finite");
            assert!(!model.inertia_sum().is_nan() && model.inertia_sum() >= 0.0);
        }
    }
}

fn narrow<F: Float>(x: f64) -> F {
    F::from(x).unwrap_or_else(F::nan)
}
