//! How a model came about: kept in its report, so that whoever finds the file can do it again.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// By what a model was made, where that was said: the library fits whatever it is given and does not know.
///
/// Words of commands name files, and are in the model's file for whoever reads it.
///
/// ```
/// use miscela::{Provenance, prelude::*};
///
/// let model = KMeans::params(3).fit(&linfa_datasets::iris())?;
/// let command = ["my-program", "iris.csv"].map(String::from).to_vec();
/// let model = model.with_provenance(Provenance::new("my-program 1.0", command));
/// assert_eq!(model.report().provenance.as_ref().unwrap().command[1], "iris.csv");
/// # Ok::<(), KMeansError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// A program and its version.
    pub program: String,
    /// The words of its command, the name of the program first.
    pub command: Vec<String>,
    /// Between what it was chosen, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<SelectionTable>,
}

impl Provenance {
    /// Made by a program of this name and version, by this command.
    pub fn new(program: &str, command: Vec<String>) -> Self {
        Self { program: program.to_string(), command, selection: None }
    }

    /// And chosen from these.
    pub fn selected(self, selection: SelectionTable) -> Self {
        Self { selection: Some(selection), ..self }
    }
}

/// What a model was chosen from, as names and numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectionTable {
    /// The name of what decided, one of the figures.
    pub criterion: String,
    /// One a fit.
    pub rows: Vec<SelectionLine>,
}

/// A fit that was compared with others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectionLine {
    /// The number of components or clusters.
    pub k: usize,
    /// The structure of the covariances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariance: Option<String>,
    /// Criteria by name, those that there are.
    pub figures: BTreeMap<String, f64>,
    /// Whether it is the one that was chosen.
    pub chosen: bool,
    /// Why it cannot be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
