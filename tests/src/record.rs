//! Recorded results of other programs: JSON files of `tests/reference/`.

use crate::data::repository;
use ndarray::{Array1, Array2, ArrayD, IxDyn};
use serde_json::Value;

/// A recorded result, or a part of one. What is asked for and not there is a panic that names it.
#[derive(Clone, Debug)]
pub struct Record {
    name: String,
    value: Value,
}

impl Record {
    /// A file of `tests/reference/`.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn read(file: &str) -> Self {
        let path = repository("tests/reference").join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: file.into(), value }
    }

    /// Where this comes from, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is a part of this name.
    pub fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some()
    }

    /// A part.
    ///
    /// # Panics
    /// If it is not there.
    pub fn at(&self, key: &str) -> Record {
        let value = self.value.get(key).unwrap_or_else(|| panic!("{} has no {key}", self.name));
        Record { name: format!("{}/{key}", self.name), value: value.clone() }
    }

    /// All parts with their names.
    pub fn parts(&self) -> Vec<(String, Record)> {
        let object = self.value.as_object().unwrap_or_else(|| panic!("{} has no parts", self.name));
        object.keys().map(|key| (key.clone(), self.at(key))).collect()
    }

    /// A number; `None` for null.
    ///
    /// # Panics
    /// If it is not there.
    pub fn number_or_null(&self, key: &str) -> Option<f64> {
        self.at(key).value.as_f64()
    }

    /// A number.
    ///
    /// # Panics
    /// If it is not there.
    pub fn number(&self, key: &str) -> f64 {
        let part = self.at(key);
        part.value.as_f64().unwrap_or_else(|| panic!("{} is not a number", part.name))
    }

    /// A whole number.
    ///
    /// # Panics
    /// If it is not there.
    pub fn count(&self, key: &str) -> usize {
        self.number(key) as usize
    }

    /// A text.
    ///
    /// # Panics
    /// If it is not there.
    pub fn text(&self, key: &str) -> String {
        let part = self.at(key);
        part.value.as_str().unwrap_or_else(|| panic!("{} is not a text", part.name)).into()
    }

    /// A list of texts.
    ///
    /// # Panics
    /// If it is none.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let part = self.at(key);
        let texts = part.value.as_array().map(|list| list.iter().filter_map(|x| Some(x.as_str()?.into())).collect());
        texts.unwrap_or_else(|| panic!("{} is not a list of texts", part.name))
    }

    /// A list of whole numbers.
    pub fn counts(&self, key: &str) -> Vec<usize> {
        self.array(key).iter().map(|x| *x as usize).collect()
    }

    /// A list of numbers.
    pub fn vector(&self, key: &str) -> Array1<f64> {
        self.array(key).flatten().to_owned()
    }

    /// A list of rows.
    ///
    /// # Panics
    /// If it is none.
    pub fn matrix(&self, key: &str) -> Array2<f64> {
        self.array(key).into_dimensionality().unwrap_or_else(|_| panic!("{}/{key} is no matrix", self.name))
    }

    /// Nested lists of numbers of any depth.
    ///
    /// # Panics
    /// If they are ragged or hold something else.
    pub fn array(&self, key: &str) -> ArrayD<f64> {
        let part = self.at(key);
        let (mut shape, mut numbers) = (Vec::new(), Vec::new());
        let mut inner = &part.value;
        while let Value::Array(list) = inner {
            shape.push(list.len());
            inner = list.first().unwrap_or(&Value::Null);
        }
        flatten(&part.value, &mut numbers);
        ArrayD::from_shape_vec(IxDyn(&shape), numbers).unwrap_or_else(|error| panic!("{}: {error}", part.name))
    }
}

fn flatten(value: &Value, numbers: &mut Vec<f64>) {
    match value {
        Value::Array(list) => list.iter().for_each(|inner| flatten(inner, numbers)),
        other => numbers.extend(other.as_f64()),
    }
}
