//! A document with everything that documents hold.

use miscela_persist::{Dtype, Format, Version};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sample<F> {
    pub(crate) format: Format,
    pub(crate) version: Version,
    pub(crate) kind: String,
    pub(crate) dtype: Dtype,
    pub(crate) n_features: NonZeroUsize,
    pub(crate) feature_names: Option<Vec<String>>,
    pub(crate) weights: Vec<f64>,
    pub(crate) means: Vec<Vec<F>>,
    pub(crate) covariances: Vec<Vec<Vec<F>>>,
    pub(crate) report: Report,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    pub(crate) iterations: u64,
    pub(crate) converged: bool,
    pub(crate) termination: Termination,
    pub(crate) trace: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Termination {
    Tolerance,
    MaxIterations,
}

pub(crate) fn sample<F: From<f32>>(dtype: Dtype) -> Sample<F> {
    let numbers = |list: [f32; 2]| list.map(F::from).into();
    Sample {
        format: Format,
        version: Version::default(),
        kind: "gmm".to_string(),
        dtype,
        n_features: NonZeroUsize::MIN.saturating_add(1),
        feature_names: Some(vec!["eruptions".to_string(), "Wartezeit \u{2013} \"Minuten\"".to_string()]),
        weights: vec![0.25, 0.75],
        means: vec![numbers([0.1, -0.0]), numbers([1e-40, 3.0e38])],
        covariances: vec![
            vec![numbers([1.0, 0.5]), numbers([0.5, 2.0])],
            vec![numbers([3.0, 0.0]), numbers([0.0, 0.25])],
        ],
        report: Report {
            iterations: 300,
            converged: false,
            termination: Termination::MaxIterations,
            trace: vec![-1130.2639601841474, -1.0 / 3.0],
        },
    }
}
