//! The tree of splits.
//!
//! ```text
//! node 0: all rows;   split s divides one node into nodes 2s + 1 and 2s + 2
//! ```
//!
//! Nodes are numbered as they come to be. So the first k − 1 splits are the first 2k − 1 nodes, which is what a cut at k is, and
//! a list of the nodes that are divided cannot be anything but a tree, if each of them is there before and is divided once.

use super::BisectingSplit;
use serde::Serialize;

/// A node in the tree of a [`BisectingKMeans`](crate::BisectingKMeans).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BisectingNode {
    /// The node that it is a part of; none for the root.
    pub parent: Option<usize>,
    /// The two nodes that it was divided into, the heavier first; none for a leaf.
    pub children: Option<[usize; 2]>,
    /// The label of its rows at the cuts where it is a leaf.
    pub label: usize,
    /// Its rows of positive weight.
    pub size: usize,
    /// Their weight.
    pub weight: f64,
    /// Their summed (squared, for L2) distances to its centre.
    pub inertia: f64,
}

/// What is known of a node before it has a place in a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) size: usize,
    pub(super) weight: f64,
    pub(super) inertia: f64,
}

/// Nodes, their centres, and how the splits went.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree<F> {
    /// 2k − 1
    pub(super) nodes: Vec<BisectingNode>,
    /// The centre of each, d numbers, one after the other.
    pub(super) centres: Vec<F>,
    /// k − 1
    pub(super) splits: Vec<BisectingSplit>,
}

impl<F: Clone> Tree<F> {
    /// All rows in one.
    pub(super) fn of_root(centre: Vec<F>, figures: Figures) -> Self {
        Self { nodes: vec![node(None, 0, figures)], centres: centre, splits: Vec::new() }
    }

    /// Divides a leaf in two, whose centres, one after the other, are 2d numbers.
    pub(super) fn divide(
        &mut self,
        split: BisectingSplit,
        centres: impl IntoIterator<Item = F>,
        figures: [Figures; 2],
    ) {
        let (parent, first) = (split.node, self.nodes.len());
        let labels = [self.nodes[parent].label, self.splits.len() + 1];
        self.nodes[parent].children = Some([first, first + 1]);
        self.nodes.extend(labels.into_iter().zip(figures).map(|(label, it)| node(Some(parent), label, it)));
        self.centres.extend(centres);
        self.splits.push(split);
    }

    /// The tree of the first k − 1 splits.
    pub(super) fn cut(&self, k: usize) -> Self {
        let n_nodes = 2 * k - 1;
        let mut nodes = self.nodes[..n_nodes].to_vec();
        for node in &mut nodes {
            node.children = node.children.filter(|[_, last]| *last < n_nodes);
        }
        let centres = self.centres[..n_nodes * self.width()].to_vec();
        Self { nodes, centres, splits: self.splits[..k - 1].to_vec() }
    }

    /// k
    pub(super) fn n_leaves(&self) -> usize {
        self.splits.len() + 1
    }

    /// The leaves in the order of their labels, k.
    pub(super) fn leaves(&self) -> Vec<usize> {
        let mut leaves = vec![0; self.n_leaves()];
        let undivided = self.nodes.iter().enumerate().filter(|(_, node)| node.children.is_none());
        undivided.for_each(|(i, node)| leaves[node.label] = i);
        leaves
    }

    /// The number of splits from the root to the deepest leaf.
    pub(super) fn depth(&self) -> usize {
        let mut depths: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            // Parents come before their children.
            depths.push(node.parent.map_or(0, |parent| depths[parent] + 1));
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// d
    pub(super) fn width(&self) -> usize {
        self.centres.len() / self.nodes.len()
    }

    /// The centres of two children, one after the other: 2d.
    pub(super) fn pair(&self, [first, _]: [usize; 2]) -> &[F] {
        let d = self.width();
        &self.centres[first * d..(first + 2) * d]
    }

    /// The centre of a node, d.
    pub(super) fn centre(&self, node: usize) -> &[F] {
        let d = self.width();
        &self.centres[node * d..(node + 1) * d]
    }
}

fn node(parent: Option<usize>, label: usize, Figures { size, weight, inertia }: Figures) -> BisectingNode {
    BisectingNode { parent, children: None, label, size, weight, inertia }
}
