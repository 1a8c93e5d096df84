//! A graph in the making: constants, nodes, and what goes in and comes out.

use super::proto::{self, Extent, element};
use miscela::ColumnScaling;

/// What goes in: rows.
pub(super) const INPUT: &str = "X";

/// An attribute of a node.
pub(super) enum Attribute {
    Int(i64),
    Ints(Vec<i64>),
}

/// An extent of what goes in or comes out.
#[derive(Clone, Copy)]
pub(super) enum Size {
    /// n, the rows, of which there may be any number.
    Rows,
    Fixed(usize),
}

/// A graph whose numbers are all of one type.
pub(super) struct Graph {
    narrow: bool,
    rows: &'static str,
    graph: proto::Graph,
}

impl Graph {
    /// An empty one of this name; its numbers are `f32` if `narrow`, else `f64`.
    pub(super) fn new(name: &str, narrow: bool) -> Self {
        Self { narrow, rows: INPUT, graph: proto::Graph { name: Some(name.to_string()), ..proto::Graph::default() } }
    }

    /// The element type of its numbers.
    pub(super) fn element(&self) -> i32 {
        if self.narrow { element::F32 } else { element::F64 }
    }

    /// The rows that the model is of.
    pub(super) fn rows(&self) -> &'static str {
        self.rows
    }

    /// Scales the rows before all else: in `f64`, and rounded once.
    pub(super) fn scale_rows(&mut self, scaling: &ColumnScaling) {
        for (name, numbers) in [("shift", scaling.shift()), ("scale", scaling.scale())] {
            let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.constant(name, &[numbers.len()], element::F64, bytes);
        }
        let to = |element: i32| [("to", Attribute::Int(element.into()))];
        self.node_with("wide_rows", "Cast", &[INPUT], to(element::F64));
        self.node("shifted_rows", "Sub", &["wide_rows", "shift"]);
        self.node("wide_scaled_rows", "Div", &["shifted_rows", "scale"]);
        self.node_with("scaled_rows", "Cast", &["wide_scaled_rows"], to(self.element()));
        self.rows = "scaled_rows";
    }

    /// The least number that is normal, the greatest that is finite.
    pub(super) fn range(&self) -> (f64, f64) {
        if self.narrow { (f32::MIN_POSITIVE.into(), f32::MAX.into()) } else { (f64::MIN_POSITIVE, f64::MAX) }
    }

    /// The spacing of numbers at one.
    pub(super) fn epsilon(&self) -> f64 {
        if self.narrow { f32::EPSILON.into() } else { f64::EPSILON }
    }

    /// A constant array.
    pub(super) fn numbers(&mut self, name: &str, shape: &[usize], numbers: impl IntoIterator<Item = f64>) {
        let numbers = numbers.into_iter();
        let bytes = if self.narrow {
            numbers.flat_map(|x| (x as f32).to_le_bytes()).collect()
        } else {
            numbers.flat_map(f64::to_le_bytes).collect()
        };
        self.constant(name, shape, self.element(), bytes);
    }

    /// One constant number.
    pub(super) fn number(&mut self, name: &str, number: f64) {
        self.numbers(name, &[], [number]);
    }

    /// A constant list of integers.
    pub(super) fn integers(&mut self, name: &str, integers: &[i64]) {
        let bytes = integers.iter().flat_map(|i| i.to_le_bytes()).collect();
        self.constant(name, &[integers.len()], element::I64, bytes);
    }

    fn constant(&mut self, name: &str, shape: &[usize], element: i32, bytes: Vec<u8>) {
        self.graph.initializer.push(proto::Tensor {
            dims: shape.iter().map(|size| *size as i64).collect(),
            data_type: Some(element),
            name: Some(name.to_string()),
            raw_data: Some(bytes),
        });
    }

    /// `output = operator(inputs)`
    pub(super) fn node(&mut self, output: &str, operator: &str, inputs: &[&str]) {
        self.node_with(output, operator, inputs, []);
    }

    /// The same with attributes.
    pub(super) fn node_with<const N: usize>(
        &mut self,
        output: &str,
        operator: &str,
        inputs: &[&str],
        attributes: [(&str, Attribute); N],
    ) {
        let attributes = attributes.into_iter().map(|(name, attribute)| {
            let (i, ints, kind) = match attribute {
                Attribute::Int(i) => (Some(i), Vec::new(), proto::Attribute::INT),
                Attribute::Ints(ints) => (None, ints, proto::Attribute::INTS),
            };
            proto::Attribute { name: Some(name.to_string()), i, ints, kind: Some(kind) }
        });
        self.graph.node.push(proto::Node {
            input: inputs.iter().map(|input| input.to_string()).collect(),
            output: vec![output.to_string()],
            name: Some(output.to_string()),
            op_type: Some(operator.to_string()),
            attribute: attributes.collect(),
        });
    }

    /// An operator that takes an axis together, and leaves it with length one if it is to be `kept`.
    pub(super) fn reduce(&mut self, output: &str, operator: &str, input: &str, axis: i64, kept: bool) {
        let attributes = [("axes", Attribute::Ints(vec![axis])), ("keepdims", Attribute::Int(i64::from(kept)))];
        self.node_with(output, operator, &[input], attributes);
    }

    /// Where along the first axis the least or greatest is: of equals the first.
    pub(super) fn arg(&mut self, output: &str, operator: &str, input: &str) {
        let attributes = [("axis", 0), ("keepdims", 0), ("select_last_index", 0)];
        self.node_with(output, operator, &[input], attributes.map(|(name, i)| (name, Attribute::Int(i))));
    }

    /// What goes in.
    pub(super) fn input(&mut self, name: &str, shape: &[Size], about: &str) {
        let value = value(name, self.element(), shape, about);
        self.graph.input.push(value);
    }

    /// What comes out: numbers.
    pub(super) fn output(&mut self, name: &str, shape: &[Size], about: &str) {
        let value = value(name, self.element(), shape, about);
        self.graph.output.push(value);
    }

    /// What comes out: integers.
    pub(super) fn integer_output(&mut self, name: &str, shape: &[Size], about: &str) {
        self.graph.output.push(value(name, element::I64, shape, about));
    }

    pub(super) fn finish(self) -> proto::Graph {
        self.graph
    }
}

fn value(name: &str, element: i32, shape: &[Size], about: &str) -> proto::Value {
    let dimension = |size: &Size| proto::Dimension {
        extent: Some(match size {
            Size::Rows => Extent::Named("n".to_string()),
            Size::Fixed(size) => Extent::Fixed(*size as i64),
        }),
    };
    let shape = proto::Shape { dim: shape.iter().map(dimension).collect() };
    let tensor = proto::TensorKind { element: Some(element), shape: Some(shape) };
    proto::Value {
        name: Some(name.to_string()),
        kind: Some(proto::Kind { tensor: Some(tensor) }),
        doc_string: Some(about.to_string()),
    }
}
