//! Labels and distances of k-means.
//!
//! ```text
//! differences   k × n × d    X − c
//! reduced       k × n        their squares summed (L2, Mahalanobis, cosine), or their amounts (L1)
//! label         n            the least; in a tree the leaf at which all turns on the way were taken
//! ```
//!
//! Cosine: rows and centres of length one, ½ of the squared chord. Mahalanobis: differences times L⁻ᵀ, Σ = LLᵀ.

use super::graph::{Attribute, Graph, Size};
use crate::plain::{Centres, Tree};
use crate::{ExchangeError, Format};
use miscela::AnyDistance;
use ndarray::{Array1, Array2};

pub(super) fn write(model: &Centres, graph: &mut Graph) -> Result<(), ExchangeError> {
    let k = model.centroids.nrows();
    match &model.tree {
        None => {
            measure(graph, &model.centroids, &model.distance, "reduced")?;
            nearest(graph, k, model.cutoff);
        }
        Some(tree) => {
            measure(graph, &tree.centres, &model.distance, "of_nodes")?;
            descend(graph, tree);
        }
    }
    let squared = matches!(model.distance, AnyDistance::L2 | AnyDistance::Mahalanobis(_));
    if squared {
        graph.node("proper", "Sqrt", &["reduced"]);
    }
    let proper = if squared { "proper" } else { "reduced" };
    graph.node_with("distances", "Transpose", &[proper], [("perm", Attribute::Ints(vec![1, 0]))]);
    let about = match (&model.tree, model.cutoff) {
        (Some(_), _) => "the leaf that each row comes to, from 0",
        (None, Some(_)) => {
            "the nearest centre of each row, from 0; k where it is farther away than any row that counted"
        }
        (None, None) => "the nearest centre of each row, from 0",
    };
    graph.integer_output("label", &[Size::Rows], about);
    let about = format!("the {} distance of each row to each centre", model.distance.name());
    let about = if squared { about + ", not its square" } else { about };
    graph.output("distances", &[Size::Rows, Size::Fixed(k)], &about);
    Ok(())
}

/// The reduced distances of all rows to these centres, m × n.
fn measure(
    graph: &mut Graph,
    centres: &Array2<f64>,
    distance: &AnyDistance,
    output: &str,
) -> Result<(), ExchangeError> {
    let (m, d) = centres.dim();
    let directions = matches!(distance, AnyDistance::Cosine);
    let rows = if directions { unit_rows(graph) } else { graph.rows() };
    let centres = if directions { unit(centres) } else { centres.clone() };
    graph.numbers("centres", &[m, 1, d], centres.iter().copied());
    graph.node("differences", "Sub", &[rows, "centres"]);
    match distance {
        AnyDistance::L2 | AnyDistance::SquaredL2 => graph.reduce(output, "ReduceSumSquare", "differences", 2, false),
        AnyDistance::L1 => graph.reduce(output, "ReduceL1", "differences", 2, false),
        AnyDistance::Cosine => {
            graph.reduce("chords", "ReduceSumSquare", "differences", 2, false);
            graph.number("half", 0.5);
            graph.node(output, "Mul", &["chords", "half"]);
        }
        AnyDistance::Mahalanobis(distance) => {
            graph.numbers("whitening", &[d, d], distance.whitening().t().iter().copied());
            graph.node("whitened", "MatMul", &["differences", "whitening"]);
            graph.reduce(output, "ReduceSumSquare", "whitened", 2, false);
        }
        other => {
            return Err(ExchangeError::Inexpressible {
                format: Format::Onnx,
                what: format!("k-means by {}", other.name()),
                why: "its standard operators lose the digits of this divergence near the centres; \
                      use a model by l2, l1, cosine or mahalanobis",
            });
        }
    }
    Ok(())
}

/// Rows of length one: divided by their largest number first, so that squares neither overflow nor vanish. Zero stays.
fn unit_rows(graph: &mut Graph) -> &'static str {
    graph.number("tiny", graph.range().0);
    graph.node("amounts", "Abs", &[graph.rows()]);
    graph.reduce("largest", "ReduceMax", "amounts", 1, true);
    graph.node("largest_or_tiny", "Max", &["largest", "tiny"]);
    graph.node("scaled", "Div", &[graph.rows(), "largest_or_tiny"]);
    graph.reduce("length", "ReduceL2", "scaled", 1, true);
    graph.node("length_or_tiny", "Max", &["length", "tiny"]);
    graph.node("directions", "Div", &["scaled", "length_or_tiny"]);
    "directions"
}

fn unit(centres: &Array2<f64>) -> Array2<f64> {
    let mut unit = centres.clone();
    for mut row in unit.outer_iter_mut() {
        let largest = row.fold(0.0, |largest: f64, x| largest.max(x.abs()));
        if largest > 0.0 {
            row /= largest;
            let length = row.dot(&row).sqrt();
            row /= length;
        }
    }
    unit
}

/// The nearest centre of each row, and k beyond the cutoff.
fn nearest(graph: &mut Graph, k: usize, cutoff: Option<f64>) {
    let Some(cutoff) = cutoff else {
        return graph.arg("label", "ArgMin", "reduced");
    };
    graph.arg("nearest", "ArgMin", "reduced");
    graph.reduce("least", "ReduceMin", "reduced", 0, false);
    // A row at just this distance counts, in whatever order its columns are summed.
    graph.number("cutoff", cutoff * (1.0 + 64.0 * graph.epsilon()));
    graph.integers("outside", &[k as i64]);
    graph.node("beyond", "Greater", &["least", "cutoff"]);
    graph.node("label", "Where", &["beyond", "outside", "nearest"]);
}

/// The leaf of each row. With a turn being 1 where the second of two centres is nearer, and 0 elsewhere, the sum over the
/// turns on the way to a leaf, those to the second centre by +1 and those to the first by −1, is the number of the former if
/// all are taken, and less else.
fn descend(graph: &mut Graph, tree: &Tree) {
    let splits: Vec<[usize; 2]> = tree.nodes.iter().filter_map(|node| node.children).collect();
    let k = splits.len() + 1;
    let mut leaves = vec![0; k];
    let mut signs = Array2::zeros((k, splits.len()));
    let mut seconds = Array1::zeros(k);
    for (leaf, node) in tree.nodes.iter().enumerate().filter(|(_, node)| node.children.is_none()) {
        leaves[node.label] = leaf as i64;
        let mut below = leaf;
        while let Some(parent) = tree.nodes[below].parent {
            let second = splits.iter().position(|[_, second]| *second == below);
            let split = second.or_else(|| splits.iter().position(|[first, _]| *first == below));
            if let Some(split) = split {
                signs[[node.label, split]] = if second.is_some() { 1.0 } else { -1.0 };
                seconds[node.label] += f64::from(u8::from(second.is_some()));
            }
            below = parent;
        }
    }
    graph.integers("leaves", &leaves);
    graph.node_with("reduced", "Gather", &["of_nodes", "leaves"], [("axis", Attribute::Int(0))]);
    if k == 1 {
        return graph.arg("label", "ArgMin", "reduced");
    }
    for (name, which) in [("first", 0), ("second", 1)] {
        let nodes: Vec<i64> = splits.iter().map(|split| split[which] as i64).collect();
        let list = format!("{name}_nodes");
        graph.integers(&list, &nodes);
        graph.node_with(name, "Gather", &["of_nodes", &list], [("axis", Attribute::Int(0))]);
    }
    graph.node("second_is_nearer", "Less", &["second", "first"]);
    let element = i64::from(graph.element());
    graph.node_with("turns", "Cast", &["second_is_nearer"], [("to", Attribute::Int(element))]);
    graph.numbers("ways", &[k, k - 1], signs.iter().copied());
    graph.numbers("turns_to_second", &[k, 1], seconds.iter().copied());
    graph.node("taken", "MatMul", &["ways", "turns"]);
    graph.node("missed", "Sub", &["taken", "turns_to_second"]);
    graph.arg("label", "ArgMax", "missed");
}
