//! Which columns of a file go where.

use crate::TableError;
use crate::read::Wanted;

/// The places, among the columns of a file, of those that are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The names of all columns of the file.
    pub(crate) there: Vec<String>,
    /// Columns of numbers.
    pub(crate) chosen: Vec<usize>,
    /// The column of weights.
    pub(crate) weights: Option<usize>,
    /// Columns that are kept as text.
    pub(crate) carry: Vec<usize>,
}

impl Layout {
    pub(crate) fn of(file: &str, there: &[String], wanted: &Wanted) -> Result<Self, TableError> {
        let (chosen, weights) = wanted.numbers(file, there)?;
        let carry = wanted.carry.map_or(Ok(vec![]), |carry| carry.resolve(file, there))?;
        Ok(Self { there: there.to_vec(), chosen, weights, carry })
    }

    /// The names of the columns of numbers.
    pub(crate) fn names(&self) -> Vec<String> {
        named(&self.there, &self.chosen)
    }

    /// The names of the columns that are kept as text.
    pub(crate) fn carried(&self) -> Vec<String> {
        named(&self.there, &self.carry)
    }

    /// The name of a column of numbers.
    pub(crate) fn name(&self, j: usize) -> &str {
        &self.there[self.chosen[j]]
    }
}

fn named(there: &[String], places: &[usize]) -> Vec<String> {
    places.iter().map(|&j| there[j].clone()).collect()
}
