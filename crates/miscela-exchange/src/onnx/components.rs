//! Labels, densities and probabilities of mixtures.
//!
//! ```text
//! differences     k × n × d    X − μ
//! whitened        k × n × d    L⁻¹(X − μ), Σ = LLᵀ
//! squares         k × n        δ, their squares summed
//! log_joint       k × n        peak − ½ δ, or of Student's t: peak − ½ (ν + d) ln(1 + δ/ν); the noise is one more row
//! ```
//!
//! Then log-sum-exp with the greatest term taken out. A row to which every component gives density zero has probabilities of
//! zero and the lowest finite number as its log-density: nothing is NaN.

use super::graph::{Attribute, Graph, Size};
use crate::ExchangeError;
use crate::plain::{Components, whitening};
use miscela::{Covariances, Mixture};
use ndarray::Array1;

/// With the sum of the logarithms of the columns' scales, if rows are scaled.
pub(super) fn write(model: &Components, log_scale: Option<f64>, graph: &mut Graph) -> Result<(), ExchangeError> {
    let mixture = &model.mixture;
    let (k, d) = mixture.means.dim();
    graph.numbers("means", &[k, 1, d], mixture.means.iter().copied());
    graph.node("differences", "Sub", &[graph.rows(), "means"]);
    whiten(graph, mixture)?;
    graph.reduce("squares", "ReduceSumSquare", "whitened", 2, false);
    match &mixture.degrees {
        None => {
            graph.number("minus_half", -0.5);
            graph.node("exponents", "Mul", &["squares", "minus_half"]);
        }
        Some(degrees) => student(graph, degrees, d),
    }
    graph.numbers("peaks", &[k, 1], model.peaks.iter().copied());
    let components = if mixture.noise.is_some() { "components" } else { "log_joint" };
    graph.node(components, "Add", &["exponents", "peaks"]);
    if let Some(noise) = &mixture.noise {
        graph.number("noise", noise.log_density());
        graph.integers("one_row_after", &[0, 0, 1, 0]);
        graph.node("log_joint", "Pad", &["components", "one_row_after", "noise"]);
    }
    graph.number("lowest", -graph.range().1);
    graph.number("least_sum", 1.0);
    add_up(graph, "log_joint");
    let shares = match &model.believed {
        None => "log_joint",
        Some(believed) => {
            graph.numbers("believed_peaks", &[k, 1], believed.iter().copied());
            graph.node("believed", "Add", &["exponents", "believed_peaks"]);
            add_up(graph, "believed");
            "believed"
        }
    };
    graph.node("log_sum", "Log", &["log_joint_sum"]);
    graph.node("log_density_row", "Add", &["log_joint_reference", "log_sum"]);
    let of_rows = if log_scale.is_some() { "log_density_of_scaled" } else { "log_density" };
    graph.node_with(of_rows, "Squeeze", &["log_density_row"], [("axes", Attribute::Ints(vec![0]))]);
    if let Some(log_scale) = log_scale {
        graph.number("log_scale", log_scale);
        graph.node("log_density", "Sub", &[of_rows, "log_scale"]);
    }
    graph.arg("label", "ArgMax", shares);
    graph.node("shares", "Div", &[&format!("{shares}_parts"), &format!("{shares}_sum")]);
    graph.node_with("probabilities", "Transpose", &["shares"], [("perm", Attribute::Ints(vec![1, 0]))]);
    let labels = mixture.n_labels();
    let about = if mixture.noise.is_some() { "; k for the noise" } else { "" };
    graph.integer_output("label", &[Size::Rows], &format!("the densest component of each row, from 0{about}"));
    graph.output("log_density", &[Size::Rows], "ln p(x) of each row");
    let about = if mixture.noise.is_some() { ", the noise last" } else { "" };
    let about = format!("the probability of each component for each row{about}");
    graph.output("probabilities", &[Size::Rows, Size::Fixed(labels)], &about);
    Ok(())
}

/// Differences in the units of their components.
fn whiten(graph: &mut Graph, mixture: &Mixture<f64>) -> Result<(), ExchangeError> {
    let (k, d) = mixture.means.dim();
    let scales = |shape: &[usize]| {
        let scales = mixture.covariances.iter().map(|variance| 1.0 / variance.sqrt());
        ("Mul", shape.to_vec(), scales.collect::<Vec<_>>())
    };
    let (operator, shape, numbers) = match &mixture.covariances {
        Covariances::Tied(one) => ("MatMul", vec![d, d], whitening(one.view())?.iter().copied().collect()),
        Covariances::Diagonal(_) => scales(&[k, 1, d]),
        Covariances::TiedDiagonal(_) => scales(&[d]),
        Covariances::Spherical(_) => scales(&[k, 1, 1]),
        Covariances::TiedSpherical(_) => scales(&[1]),
        full => {
            let factors = full.dense(k, d);
            let factors = factors.outer_iter().map(whitening).collect::<Result<Vec<_>, _>>()?;
            ("MatMul", vec![k, d, d], factors.iter().flatten().copied().collect())
        }
    };
    graph.numbers("whitening", &shape, numbers);
    graph.node("whitened", operator, &["differences", "whitening"]);
    Ok(())
}

/// −½ (ν + d) ln(1 + δ/ν). The logarithm keeps its digits where δ/ν is small: ln y + (x − (y − 1))/y with y = 1 + x rounded
/// (Kahan).
fn student(graph: &mut Graph, degrees: &[f64], d: usize) {
    let (k, degrees) = (degrees.len(), Array1::from_vec(degrees.to_vec()));
    graph.numbers("inverse_degrees", &[k, 1], degrees.mapv(f64::recip));
    graph.numbers("minus_power", &[k, 1], degrees.mapv(|degrees| -0.5 * (degrees + d as f64)));
    graph.number("one", 1.0);
    graph.number("most", graph.range().1 / 4.0);
    graph.node("ratios", "Mul", &["squares", "inverse_degrees"]);
    graph.node("ratios_in_range", "Min", &["ratios", "most"]);
    graph.node("raised", "Add", &["ratios_in_range", "one"]);
    graph.node("rounded", "Sub", &["raised", "one"]);
    graph.node("lost", "Sub", &["ratios_in_range", "rounded"]);
    graph.node("correction", "Div", &["lost", "raised"]);
    graph.node("log_raised", "Log", &["raised"]);
    graph.node("logs", "Add", &["log_raised", "correction"]);
    graph.node("exponents", "Mul", &["logs", "minus_power"]);
}

/// Of logarithms the greatest (`…_reference`), the exponentials of what they are beside it (`…_parts`), and their `…_sum`.
fn add_up(graph: &mut Graph, logarithms: &str) {
    let name = |what: &str| format!("{logarithms}_{what}");
    graph.reduce(&name("greatest"), "ReduceMax", logarithms, 0, true);
    graph.node(&name("reference"), "Max", &[&name("greatest"), "lowest"]);
    graph.node(&name("less_reference"), "Sub", &[logarithms, &name("reference")]);
    graph.node(&name("parts"), "Exp", &[&name("less_reference")]);
    graph.reduce(&name("sum_of_parts"), "ReduceSum", &name("parts"), 0, true);
    // The greatest part is one, unless all are zero.
    graph.node(&name("sum"), "Max", &[&name("sum_of_parts"), "least_sum"]);
}
