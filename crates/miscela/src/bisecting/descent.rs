//! Rows go down the tree, from the root to the leaf that they belong to: at each node to the nearer of two centres.
//!
//! Of many rows, those of a lane go together. At a node they are measured in blocks, by the kernel of a search among two
//! centroids, and parted in two runs that go on below; few rows are measured one by one. Both give the label of direct
//! differences, ties to the first child, so a row goes the same way in whatever company.

use super::tree::Tree;
use crate::Float;
use miscela_distance::Distance;
use miscela_kernel::{BLOCK_ROWS, Block, Centroids, Lanes, NearestScratch, Samples, Threads};
use std::ops::Range;

/// So few rows are measured one by one.
const FEW: usize = 8;

/// The way down a tree.
#[derive(Clone, Copy)]
pub(super) struct Descent<'a, F, D> {
    pub(super) tree: &'a Tree<F>,
    pub(super) distance: &'a D,
}

impl<F: Float, D: Distance<F>> Descent<'_, F, D> {
    /// The leaf of one row of the right width. Nothing is allocated.
    pub(super) fn leaf_of(&self, row: &[F]) -> usize {
        let mut node = 0;
        while let Some(children) = self.tree.nodes[node].children {
            node = children[self.nearer(row, children)];
        }
        node
    }

    /// The leaf of each row, n.
    pub(super) fn leaves(&self, samples: &Samples<F>, threads: Threads) -> Vec<usize> {
        let n = samples.n_rows();
        let lanes = Lanes::new(n, 1);
        let mut leaves = vec![0; n];
        let mut chunks: Vec<&mut [usize]> = leaves.chunks_mut(lanes.rows_per_lane()).collect();
        let operations = n as f64 * (2 * samples.n_columns() * self.tree.depth()) as f64;
        threads.for_work(operations).each(&mut chunks, |lane, leaves| self.of_lane(samples, lanes.rows(lane), leaves));
        leaves
    }

    fn of_lane(&self, samples: &Samples<F>, lane: Range<usize>, leaves: &mut [usize]) {
        let first = lane.start;
        let mut rows: Vec<usize> = lane.collect();
        let (mut waiting, mut scratch) = (vec![(0, 0..rows.len())], Scratch::default());
        while let Some((node, run)) = waiting.pop() {
            let Some(children) = self.tree.nodes[node].children else {
                rows[run].iter().for_each(|i| leaves[*i - first] = node);
                continue;
            };
            self.measure(samples, &rows[run.clone()], children, &mut scratch);
            let second = run.start + scratch.part(&mut rows[run.clone()]);
            let runs = [run.start..second, second..run.end];
            waiting.extend(children.into_iter().zip(runs).filter(|(_, run)| !run.is_empty()));
        }
    }

    /// Labels rows: 0 where the first child is nearer, or as near, 1 elsewhere.
    fn measure(&self, samples: &Samples<F>, rows: &[usize], children: [usize; 2], scratch: &mut Scratch<F>) {
        let d = samples.n_columns();
        let pair = (rows.len() > FEW).then(|| {
            let centres = self.tree.pair(children);
            Centroids::new(centres, &centres[..d])
        });
        scratch.labels.resize(rows.len(), 0);
        for (rows, labels) in rows.chunks(BLOCK_ROWS).zip(scratch.labels.chunks_mut(BLOCK_ROWS)) {
            scratch.rows.resize(rows.len() * d, F::zero());
            rows.iter().zip(scratch.rows.chunks_exact_mut(d)).for_each(|(i, row)| samples.copy_row(*i, row));
            match &pair {
                Some(pair) => self.distance.assign(&Block::new(&scratch.rows, d), pair, labels, &mut scratch.nearest),
                None => {
                    let found = scratch.rows.chunks_exact(d).map(|row| self.nearer(row, children) as u32);
                    labels.iter_mut().zip(found).for_each(|(label, found)| *label = found);
                }
            }
        }
    }

    /// Which of the two children has the nearer centre.
    fn nearer(&self, row: &[F], children: [usize; 2]) -> usize {
        let [first, second] = children.map(|child| self.distance.reduced(row, self.tree.centre(child)));
        usize::from(second < first)
    }
}

/// Space to measure and part rows in.
struct Scratch<F> {
    rows: Vec<F>,
    labels: Vec<u32>,
    second: Vec<usize>,
    nearest: NearestScratch<F>,
}

impl<F: Float> Default for Scratch<F> {
    fn default() -> Self {
        Self { rows: Vec::new(), labels: Vec::new(), second: Vec::new(), nearest: NearestScratch::default() }
    }
}

impl<F> Scratch<F> {
    /// Puts the rows of label 0 before those of label 1, each in their order, and says how many the first are.
    fn part(&mut self, rows: &mut [usize]) -> usize {
        self.second.clear();
        let mut kept = 0;
        for (i, label) in self.labels.iter().enumerate() {
            if *label == 0 {
                rows[kept] = rows[i];
                kept += 1;
            } else {
                self.second.push(rows[i]);
            }
        }
        rows[kept..].copy_from_slice(&self.second);
        kept
    }
}
