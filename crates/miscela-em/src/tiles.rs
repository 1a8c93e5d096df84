//! Where a block of rows is turned into tiles and shared among components: the working space of an E-step.

use crate::density::Density;
use crate::statistics::Sums;
use miscela_kernel::{
    BLOCK_ROWS, Block, Column, Float, MomentScratch, Moments, NearestScratch, Solved, TILE_ROWS, Tile,
};
use std::ops::Range;

/// The most tiles a block makes.
const TILES: usize = BLOCK_ROWS / TILE_ROWS;

/// The rows of a block that tile `t` holds.
pub(crate) fn tile_rows(block_rows: usize, t: usize) -> Range<usize> {
    t * TILE_ROWS..((t + 1) * TILE_ROWS).min(block_rows)
}

/// The working space of an E-step over blocks of rows, kept from block to block.
#[derive(Debug)]
pub struct GaussianScratch<F> {
    /// The rows of the block.
    tiles: Vec<Tile<F>>,
    /// Their weights; zero where a tile has no row.
    row_weights: Vec<Column<F>>,
    /// For each tile a column a component: log-densities, then shares.
    shares: Vec<Column<F>>,
    /// The rows' weights by their shares of one component.
    weights: Vec<Column<F>>,
    offset: Vec<F>,
    solved: Solved<F>,
    moments: MomentScratch<F>,
    pub(crate) nearest: NearestScratch<F>,
    /// The hard labels of the block.
    pub(crate) labels: Vec<u32>,
}

impl<F: Float> Default for GaussianScratch<F> {
    fn default() -> Self {
        let zeros = vec![Column::splat(F::zero()); TILES];
        Self {
            tiles: vec![Tile::new(); TILES],
            row_weights: zeros.clone(),
            shares: Vec::new(),
            weights: zeros,
            offset: Vec::new(),
            solved: Vec::new(),
            moments: MomentScratch::default(),
            nearest: NearestScratch::default(),
            labels: vec![0; BLOCK_ROWS],
        }
    }
}

impl<F: Float> GaussianScratch<F> {
    /// Turns the rows of a block into tiles and returns how many there are.
    pub(crate) fn fill(&mut self, block: &Block<F>, k: usize) -> usize {
        let tiles = block.len().div_ceil(TILE_ROWS);
        // Differences from the means are taken directly, so the tiles hold the rows as they are.
        self.offset.resize(block.width(), F::zero());
        self.shares.resize(TILES * k, Column::splat(F::zero()));
        for (t, (tile, weights)) in self.tiles[..tiles].iter_mut().zip(&mut self.row_weights).enumerate() {
            let rows = block.slice(tile_rows(block.len(), t));
            tile.fill(&rows, &self.offset);
            *weights = Column::splat(F::zero());
            weights.0.iter_mut().take(rows.len()).enumerate().for_each(|(i, w)| *w = F::narrow(rows.weight(i)));
        }
        tiles
    }

    /// The shares of tile `t`, one column a component.
    pub(crate) fn shares(&mut self, t: usize, k: usize) -> &mut [Column<F>] {
        &mut self.shares[t * k..(t + 1) * k]
    }

    /// Writes the log-densities of tile `t` to its shares.
    pub(crate) fn log_densities(&mut self, density: &Density<F>, t: usize) -> &mut [Column<F>] {
        let k = density.n_components();
        let shares = &mut self.shares[t * k..(t + 1) * k];
        density.log_densities(&self.tiles[t], &mut self.solved, shares);
        shares
    }

    /// Makes the rows that do not count zero, with no shares: they may be so far away that their squares are infinite, and
    /// zero times that is no number.
    fn clear_absent(&mut self, tiles: usize) {
        let k = self.shares.len() / TILES;
        for (t, tile) in self.tiles[..tiles].iter_mut().enumerate() {
            let absent = self.row_weights[t].0.iter().enumerate().filter(|(i, w)| **w == F::zero() && *i < tile.rows());
            for i in absent.map(|(i, _)| i).collect::<Vec<_>>() {
                tile.clear_row(i);
                self.shares[t * k..(t + 1) * k].iter_mut().for_each(|share| share.0[i] = F::zero());
            }
        }
    }

    /// Adds the moments of all components about `means` (k × d) over the first `tiles` tiles, each row weighted by its
    /// share and its own weight.
    pub(crate) fn add_moments(&mut self, tiles: usize, means: &[F], sums: &mut Sums) {
        let (k, d) = (sums.k(), sums.width);
        let size = sums.scatter.len(d);
        self.clear_absent(tiles);
        for c in 0..k {
            let mut any = false;
            for (t, column) in self.weights[..tiles].iter_mut().enumerate() {
                let (share, weight) = (&self.shares[t * k + c], &self.row_weights[t]);
                *column = Column(std::array::from_fn(|i| share.0[i] * weight.0[i]));
                any |= column.0.iter().any(|r| *r != F::zero());
            }
            if !any {
                continue;
            }
            let mut moments = Moments {
                weight: &mut sums.weight[c],
                first: &mut sums.first[c * d..(c + 1) * d],
                second: &mut sums.second[c * size..(c + 1) * size],
                scatter: sums.scatter,
            };
            let mean = &means[c * d..(c + 1) * d];
            moments.add(&self.tiles[..tiles], mean, &self.weights[..tiles], &mut self.moments);
        }
    }
}
