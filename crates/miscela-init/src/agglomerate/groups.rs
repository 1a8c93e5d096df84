//! Equal rows are one cluster from the start.

use crate::distinct::key;
use miscela_kernel::{Float, Samples};
use std::collections::HashMap;

/// The distinct rows that count, numbered in order of first appearance.
#[derive(Debug)]
pub(super) struct Groups {
    /// The group of each row of the table; `None` for those that are left out.
    pub(super) of_row: Vec<Option<u32>>,
    /// How many rows each stands for; at least one on average.
    pub(super) weight: Vec<f64>,
    /// m × d
    pub(super) values: Vec<f64>,
}

impl Groups {
    /// All rows of positive weight.
    pub(super) fn of_all<F: Float>(samples: &Samples<F>) -> Self {
        let mut found = HashMap::new();
        let mut groups = Self::empty(samples);
        for i in (0..samples.n_rows()).filter(|i| samples.weight(*i) > 0.0) {
            let next = groups.weight.len();
            let group = *found.entry(key(samples, i)).or_insert(next);
            if group == next {
                groups.push(samples, i);
            }
            groups.weight[group] += samples.weight(i);
            groups.of_row[i] = Some(group as u32);
        }
        // The criterion knows the size of a row, as it adds a share of the data's variance to each cluster.
        let few = groups.weight.len() as f64 / samples.total_weight();
        if few > 1.0 {
            groups.weight.iter_mut().for_each(|w| *w *= few);
        }
        groups
    }

    /// These rows, which are distinct, one each.
    pub(super) fn of_rows<F: Float>(samples: &Samples<F>, rows: &[usize]) -> Self {
        let mut groups = Self::empty(samples);
        for (group, i) in rows.iter().enumerate() {
            groups.push(samples, *i);
            groups.weight[group] = 1.0;
            groups.of_row[*i] = Some(group as u32);
        }
        groups
    }

    fn empty<F: Float>(samples: &Samples<F>) -> Self {
        Self { of_row: vec![None; samples.n_rows()], weight: Vec::new(), values: Vec::new() }
    }

    fn push<F: Float>(&mut self, samples: &Samples<F>, i: usize) {
        self.weight.push(0.0);
        self.values.extend(samples.rows().row(i).iter().map(|x| x.widen()));
    }
}
