//! What a graph means, written down naively, for tests: each operator as the standard says, in `f64`.

use super::proto::{self, element};
use ndarray::{ArrayD, Axis, IxDyn, Zip, concatenate};
use std::collections::HashMap;

/// The values of all names in the graph for these rows.
pub(super) fn run(graph: &proto::Graph, rows: ArrayD<f64>) -> HashMap<String, ArrayD<f64>> {
    let mut values: HashMap<String, ArrayD<f64>> = HashMap::from([("X".to_string(), rows)]);
    values.extend(graph.initializer.iter().map(|tensor| (tensor.name.clone().unwrap(), constant(tensor))));
    for node in &graph.node {
        let inputs: Vec<&ArrayD<f64>> = node.input.iter().map(|name| &values[name]).collect();
        let output = apply(node, &inputs);
        assert!(values.insert(node.output[0].clone(), output).is_none(), "{} is made twice", node.output[0]);
    }
    values
}

fn constant(tensor: &proto::Tensor) -> ArrayD<f64> {
    let bytes = tensor.raw_data.as_deref().unwrap();
    let numbers: Vec<f64> = match tensor.data_type.unwrap() {
        element::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect(),
        element::F64 => bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
        element::I64 => bytes.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect(),
        other => panic!("element type {other}"),
    };
    let shape: Vec<usize> = tensor.dims.iter().map(|size| *size as usize).collect();
    ArrayD::from_shape_vec(shape, numbers).unwrap()
}

fn apply(node: &proto::Node, inputs: &[&ArrayD<f64>]) -> ArrayD<f64> {
    let attribute = |name: &str| node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    let int = |name: &str| attribute(name).unwrap().i.unwrap();
    let axis = || Axis(attribute("axes").map_or_else(|| int("axis"), |axes| axes.ints[0]) as usize);
    let reduce = |step: &dyn Fn(f64, f64) -> f64, start: f64, last: &dyn Fn(f64) -> f64| {
        let reduced = inputs[0].fold_axis(axis(), start, |sum, x| step(*sum, *x)).mapv(last);
        if int("keepdims") == 1 { reduced.insert_axis(axis()) } else { reduced }
    };
    let arg = |better: fn(f64, f64) -> bool| {
        assert_eq!((int("keepdims"), int("select_last_index")), (0, 0));
        inputs[0].map_axis(axis(), |lane| {
            let best = (0..lane.len()).reduce(|best, i| if better(lane[i], lane[best]) { i } else { best });
            best.unwrap() as f64
        })
    };
    let truth = |x: bool| f64::from(u8::from(x));
    match node.op_type.as_deref().unwrap() {
        "Sub" => both(inputs, |a, b| a - b),
        "Add" => both(inputs, |a, b| a + b),
        "Mul" => both(inputs, |a, b| a * b),
        "Div" => both(inputs, |a, b| a / b),
        "Max" => both(inputs, f64::max),
        "Min" => both(inputs, f64::min),
        "Less" => both(inputs, |a, b| truth(a < b)),
        "Greater" => both(inputs, |a, b| truth(a > b)),
        "Where" => {
            let kept = both(&[inputs[0], inputs[2]], |c, b| if c == 0.0 { b } else { 0.0 });
            both(&[&kept, &both(&inputs[..2], |c, a| if c == 0.0 { 0.0 } else { a })], |a, b| a + b)
        }
        "Cast" => inputs[0].clone(),
        "Abs" => inputs[0].mapv(f64::abs),
        "Exp" => inputs[0].mapv(f64::exp),
        "Log" => inputs[0].mapv(f64::ln),
        "Sqrt" => inputs[0].mapv(f64::sqrt),
        "ReduceSum" => reduce(&|sum, x| sum + x, 0.0, &|x| x),
        "ReduceSumSquare" => reduce(&|sum, x| sum + x * x, 0.0, &|x| x),
        "ReduceL1" => reduce(&|sum, x| sum + x.abs(), 0.0, &|x| x),
        "ReduceL2" => reduce(&|sum, x| sum + x * x, 0.0, &f64::sqrt),
        "ReduceMax" => reduce(&f64::max, f64::NEG_INFINITY, &|x| x),
        "ReduceMin" => reduce(&f64::min, f64::INFINITY, &|x| x),
        "ArgMin" => arg(|a, b| a < b),
        "ArgMax" => arg(|a, b| a > b),
        "Gather" => {
            let indices: Vec<usize> = inputs[1].iter().map(|i| *i as usize).collect();
            inputs[0].select(axis(), &indices)
        }
        "Transpose" => {
            let order: Vec<usize> = attribute("perm").unwrap().ints.iter().map(|i| *i as usize).collect();
            inputs[0].clone().permuted_axes(order)
        }
        "Squeeze" => inputs[0].clone().index_axis_move(axis(), 0),
        "Pad" => {
            assert_eq!(inputs[1].iter().copied().collect::<Vec<_>>(), [0.0, 0.0, 1.0, 0.0]);
            let row = ArrayD::from_elem(IxDyn(&[1, inputs[0].shape()[1]]), *inputs[2].first().unwrap());
            concatenate(Axis(0), &[inputs[0].view(), row.view()]).unwrap()
        }
        "MatMul" => product(inputs[0], inputs[1]),
        other => panic!("operator {other}"),
    }
}

/// One operation on each pair of numbers, with the shapes brought together as NumPy does.
fn both(inputs: &[&ArrayD<f64>], operation: impl Fn(f64, f64) -> f64) -> ArrayD<f64> {
    let [a, b] = inputs else { panic!("{} inputs", inputs.len()) };
    let rank = a.ndim().max(b.ndim());
    let size = |of: &ArrayD<f64>, i: usize| (i + of.ndim()).checked_sub(rank).map_or(1, |i| of.shape()[i]);
    let shape: Vec<usize> = (0..rank).map(|i| size(a, i).max(size(b, i))).collect();
    let (a, b) = (a.broadcast(IxDyn(&shape)).unwrap(), b.broadcast(IxDyn(&shape)).unwrap());
    Zip::from(a).and(b).map_collect(|a, b| operation(*a, *b))
}

/// Products of matrices, one for each first index where there are three.
fn product(a: &ArrayD<f64>, b: &ArrayD<f64>) -> ArrayD<f64> {
    let matrix = |of: &ArrayD<f64>, layer: usize| {
        let of = if of.ndim() == 3 { of.index_axis(Axis(0), layer).to_owned() } else { of.clone() };
        of.into_dimensionality::<ndarray::Ix2>().unwrap()
    };
    if a.ndim() == 2 {
        return matrix(a, 0).dot(&matrix(b, 0)).into_dyn();
    }
    let layers: Vec<_> = (0..a.shape()[0]).map(|layer| matrix(a, layer).dot(&matrix(b, layer)).into_dyn()).collect();
    ndarray::stack(Axis(0), &layers.iter().map(|layer| layer.view()).collect::<Vec<_>>()).unwrap()
}
