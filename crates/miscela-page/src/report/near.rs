//! How near the rows that are drawn are to groups: of each the few nearest.

use ndarray::{ArrayView1, ArrayView2};

/// The most groups that are kept of a row.
const MOST: usize = 4;

/// The nearest groups of rows.
#[derive(Clone, Debug)]
pub struct Near {
    n_labels: usize,
    pub(super) are_distances: bool,
    /// m × kept, the nearest first.
    pub(super) groups: Vec<u32>,
    pub(super) values: Vec<f32>,
}

impl Near {
    /// Probabilities of `n_labels` groups, noise counted if there is some; nothing yet.
    pub fn probabilities(n_labels: usize) -> Self {
        Self { n_labels, are_distances: false, groups: Vec::new(), values: Vec::new() }
    }

    /// Distances to the centres of `n_labels` groups; nothing yet.
    pub fn distances(n_labels: usize) -> Self {
        Self { are_distances: true, ..Self::probabilities(n_labels) }
    }

    /// Groups that are kept of a row.
    pub fn kept(&self) -> usize {
        MOST.min(self.n_labels)
    }

    /// Adds the rows that come next, m × `n_labels`: a probability or a distance of each group.
    pub fn add(&mut self, values: ArrayView2<f64>) {
        let sign = if self.are_distances { 1.0 } else { -1.0 };
        let mut order: Vec<usize> = Vec::new();
        for row in values.outer_iter() {
            order.clear();
            order.extend(0..row.len());
            order.sort_by(|a, b| (sign * row[*a]).total_cmp(&(sign * row[*b])));
            self.keep(order.iter().map(|group| (*group, row[*group])));
        }
    }

    /// Adds one row: its nearest groups and their values, the nearest first.
    pub fn add_nearest(&mut self, groups: ArrayView1<usize>, values: ArrayView1<f64>) {
        self.keep(groups.iter().copied().zip(values.iter().copied()));
    }

    fn keep(&mut self, nearest: impl Iterator<Item = (usize, f64)>) {
        for (group, value) in nearest.take(self.kept()) {
            self.groups.push(group as u32);
            self.values.push(value as f32);
        }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.groups.len() / self.kept().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_nearest_come_first() {
        let values = array![[0.1, 0.6, 0.0, 0.3, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]];
        let mut near = Near::probabilities(5);
        near.add(values.view());
        assert_eq!((near.n_rows(), &near.groups[..4], near.values[0]), (2, &[1, 3, 0, 2][..], 0.6));
        let mut near = Near::distances(5);
        near.add(values.view());
        assert_eq!(near.groups[..4], [2, 4, 0, 3]);
    }
}
