//! The rows of a block that have gaps, and the block as the fast path may have it.
//!
//! A pattern is the set of columns that are missing, one bit a column. Rows are sorted by it, so that what only depends on
//! the pattern is worked out once.

use miscela_kernel::{Block, Float};
use std::ops::Range;

/// Where the rows of a block have gaps; kept from block to block, so that nothing is allocated a row.
#[derive(Debug, Default)]
pub(crate) struct Gaps<F> {
    /// The block's rows with those that have gaps put to a place where they harm nothing, and their weights zero.
    rows: Vec<F>,
    weights: Vec<f64>,
    /// The patterns of all rows, `words` numbers each.
    patterns: Vec<u64>,
    words: usize,
    /// The rows with gaps, sorted by pattern.
    order: Vec<u32>,
    /// The labels that the rows of the block had before.
    pub(crate) labels: Vec<u32>,
}

impl<F: Float> Gaps<F> {
    /// Finds the gaps of a block; whether there are any.
    pub(crate) fn find(&mut self, block: &Block<F>) -> bool {
        self.order.clear();
        self.words = block.width().div_ceil(64);
        self.patterns.clear();
        self.patterns.resize(self.words * block.len(), 0);
        for (i, (row, pattern)) in block.rows().zip(self.patterns.chunks_exact_mut(self.words)).enumerate() {
            for (j, _) in row.iter().enumerate().filter(|(_, x)| x.is_nan()) {
                pattern[j / 64] |= 1 << (j % 64);
            }
            if pattern.iter().any(|word| *word != 0) {
                self.order.push(i as u32);
            }
        }
        let (patterns, words) = (&self.patterns, self.words);
        let pattern = |i: &u32| &patterns[*i as usize * words..(*i as usize + 1) * words];
        self.order.sort_by(|a, b| pattern(a).cmp(pattern(b)));
        !self.order.is_empty()
    }

    /// The pattern of row `i`.
    pub(crate) fn pattern(&self, i: u32) -> &[u64] {
        &self.patterns[i as usize * self.words..(i as usize + 1) * self.words]
    }

    /// Runs of rows that share a pattern, as ranges of [`row`](Self::row).
    pub(crate) fn groups(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut next = 0;
        std::iter::from_fn(move || {
            let first = self.order.get(next)?;
            let alike = self.order[next..].iter().take_while(|i| self.pattern(**i) == self.pattern(*first));
            let group = next..next + alike.count();
            next = group.end;
            Some(group)
        })
    }

    /// The `at`-th row with gaps, in the order of patterns.
    pub(crate) fn row(&self, at: usize) -> u32 {
        self.order[at]
    }

    /// The block with all rows that have gaps at `place`, of no weight.
    pub(crate) fn masked<'b>(&'b mut self, block: &Block<F>, place: &[F]) -> Block<'b, F> {
        let d = block.width();
        self.rows.clear();
        block.rows().for_each(|row| self.rows.extend_from_slice(row));
        self.weights.clear();
        self.weights.extend((0..block.len()).map(|i| block.weight(i)));
        for i in self.order.iter().map(|i| *i as usize) {
            self.rows[i * d..(i + 1) * d].copy_from_slice(place);
            self.weights[i] = 0.0;
        }
        block.with_rows_and_weights(&self.rows, &self.weights)
    }
}
