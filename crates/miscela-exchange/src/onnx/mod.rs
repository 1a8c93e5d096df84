//! ONNX: a model as a graph of standard operators, for onnxruntime and whatever else runs such graphs.
//!
//! ```text
//! k-means, bisecting    X (n × d) ──► label (n), distances (n × k)
//! mixtures, Bayesian    X (n × d) ──► label (n), log_density (n), probabilities (n × k)
//! ```
//!
//! | name | type | what |
//! |---|---|---|
//! | `X` | that of the model | rows; n is free |
//! | `label` | int64 | as `predict` says: ties go to the lowest index; k is the label of noise, and of rows that a trimmed k-means leaves out |
//! | `distances` | that of the model | as [`KMeans::distances`](miscela::KMeans::distances) has them: for `l2` and `mahalanobis` distances proper, not their squares |
//! | `log_density` | that of the model | ln p(x), as `score_samples`; of a Bayesian mixture that of the expected parameters |
//! | `probabilities` | that of the model | as `predict_proba`; with noise n × (k + 1), the noise last |
//!
//! Opset 12 (ONNX 1.7, 2020), the lowest that says which of two equals `ArgMin` takes; IR version 7; nothing but the domain
//! `ai.onnx`. Names of the columns, kind and structure of the model are in the metadata.
//!
//! **Numerics** are those of the library: means are taken off the rows before anything is squared, covariances come as the
//! inverses of Cholesky factors, sums of exponentials have their greatest term taken out. So data far from the origin keep their digits.
//! All arithmetic is in the type of the model. For `f32` that means that two centres whose distances agree to some
//! 10⁻⁶ of themselves may be taken for each other, which the library tells apart; fit in `f64` where that matters.
//!
//! **Scaling.** A model of [scaled](miscela::Scaled) rows takes rows as they are: they are scaled in `f64` before all else, and
//! log-densities are those of the rows.
//!
//! **Memory.** A run holds the differences of all rows to all centres, n × k × d numbers: feed rows in batches. A file has at most
//! 2 GB, as protobuf demands.
//!
//! **When not to use it.** Not for rows with missing values: there are no operators here for them, and what comes of NaN is NaN.
//! Not to keep a model: reports, statistics and priors stay behind, and nothing is read back.

mod centres;
mod components;
mod graph;
#[cfg(test)]
mod interpreter;
mod proto;
#[cfg(test)]
mod tests;

use crate::plain::{Parameters, Plain};
use crate::{ExchangeError, Format};
use graph::{Graph, INPUT, Size};
use miscela::ColumnScaling;
use prost::Message;

/// The operator set: the lowest in which `ArgMin` and `ArgMax` say which of two equals they take.
pub const OPSET: i64 = 12;

/// The version of the file format that goes with [`OPSET`].
const IR_VERSION: i64 = 7;

/// The most bytes of a protobuf message.
const MOST: usize = i32::MAX as usize;

pub(crate) fn encode(plain: &Plain) -> Result<Vec<u8>, ExchangeError> {
    let model = model(plain)?;
    let bytes = model.encoded_len();
    if bytes > MOST {
        return Err(ExchangeError::TooLarge { format: Format::Onnx, bytes, most: MOST });
    }
    Ok(model.encode_to_vec())
}

fn model(plain: &Plain) -> Result<proto::Model, ExchangeError> {
    let mut graph = Graph::new(plain.kind, plain.narrow);
    let names = plain.feature_names.join(", ");
    graph.input(INPUT, &[Size::Rows, Size::Fixed(plain.n_features())], &format!("rows of the columns {names}"));
    if let Some(scaling) = &plain.scaling {
        graph.scale_rows(scaling);
    }
    let detail = match &plain.parameters {
        Parameters::Centres(centres) => {
            centres::write(centres, &mut graph)?;
            ("metric", centres.distance.name())
        }
        Parameters::Components(components) => {
            let log_scale = plain.scaling.as_ref().map(ColumnScaling::log_scale);
            components::write(components, log_scale, &mut graph)?;
            ("covariance", components.covariance.name())
        }
    };
    let names = serde_json::Value::from(plain.feature_names.clone()).to_string();
    let metadata = [("kind", plain.kind), detail, ("feature_names", &names)];
    Ok(proto::Model {
        ir_version: Some(IR_VERSION),
        producer_name: Some("miscela".to_string()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
        doc_string: Some(format!("{} ({} {}) fitted by miscela", plain.kind, detail.0, detail.1)),
        graph: Some(graph.finish()),
        // The empty name is that of the standard operators.
        opset_import: vec![proto::OperatorSet { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: metadata.map(|(key, value)| entry(key, value)).to_vec(),
    })
}

fn entry(key: &str, value: &str) -> proto::Entry {
    proto::Entry { key: Some(key.to_string()), value: Some(value.to_string()) }
}
