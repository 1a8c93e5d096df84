//! Labels of any ordered type, as numbers from 0.

use miscela_kernel::UNKNOWN;
use std::collections::BTreeMap;

/// Which cluster each row is in. Clusters are numbered in the order of their labels; rows that do not count have
/// [`UNKNOWN`], and what only they are labelled with is no cluster.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    pub(crate) labels: Vec<u32>,
    pub(crate) n_clusters: usize,
}

impl Partition {
    /// `counts` says of each row whether it counts.
    pub(crate) fn new<T: Ord>(labels: impl IntoIterator<Item = T>, counts: impl Fn(usize) -> bool) -> Self {
        let mut numbers = BTreeMap::new();
        let mut found = Vec::new();
        for (row, label) in labels.into_iter().enumerate() {
            let next = numbers.len() as u32;
            found.push(if counts(row) { *numbers.entry(label).or_insert(next) } else { UNKNOWN });
        }
        // By first appearance so far; by label from here on.
        let mut place = vec![0; numbers.len()];
        numbers.into_values().enumerate().for_each(|(at, number)| place[number as usize] = at as u32);
        found.iter_mut().filter(|label| **label != UNKNOWN).for_each(|label| *label = place[*label as usize]);
        Self { labels: found, n_clusters: place.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_numbered_by_label_and_rows_without_weight_name_none() {
        let partition = Partition::new(["b", "c", "a", "b", "c"], |row| row != 2);
        assert_eq!((partition.labels, partition.n_clusters), (vec![0, 1, UNKNOWN, 0, 1], 2));
        assert_eq!(Partition::new(Vec::<usize>::new(), |_| true).n_clusters, 0);
        let gaps = Partition::new([7usize, 3, 7, 0], |_| true);
        assert_eq!((gaps.labels, gaps.n_clusters), (vec![2, 1, 2, 0], 3));
    }
}
