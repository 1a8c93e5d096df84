//! Where a block of rows is turned into tiles and shared among components: the working space of an E-step.

use crate::density::Density;
use crate::missing::Gaps;
use crate::statistics::Sums;
use crate::stochastic::Drawing;
use miscela_kernel::{
    BLOCK_ROWS, Block, Column, Float, MomentScratch, Shared, Sharing, Solved, TILE_ROWS, TailWeights, Tile, UNKNOWN,
    is_settled, share,
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
    /// The rows of the block, less an offset.
    tiles: Vec<Tile<F>>,
    offset: Vec<F>,
    /// Their weights; zero where a tile has no row.
    row_weights: Vec<Column<F>>,
    /// Labels of rows that stay where they are; empty where there are none.
    known: Vec<u32>,
    /// For each tile a column a component: log-densities, then shares by weights.
    shares: Vec<Column<F>>,
    /// For each component the rows that have a share in it, and whether what is negligible may be dropped.
    counts: Vec<u32>,
    droppable: Vec<bool>,
    /// What the tiles of the block have shared out so far to components that had little before.
    shared: Vec<f64>,
    solved: Solved<F>,
    /// For each tile and Student-t component, how the rows count in it.
    tails: Vec<TailWeights<F>>,
    moments: MomentScratch<F>,
    drawing: Drawing,
    /// Where the rows of the block have gaps.
    pub(crate) gaps: Gaps<F>,
    /// By what weight rows count in the component of their label.
    pub(crate) kept: Vec<f64>,
    /// The hard labels of the block.
    pub(crate) labels: Vec<u32>,
}

impl<F: Float> Default for GaussianScratch<F> {
    fn default() -> Self {
        Self {
            tiles: vec![Tile::new(); TILES],
            offset: Vec::new(),
            row_weights: vec![Column::splat(F::zero()); TILES],
            known: Vec::new(),
            shares: Vec::new(),
            counts: Vec::new(),
            droppable: Vec::new(),
            shared: Vec::new(),
            solved: Vec::new(),
            tails: Vec::new(),
            moments: MomentScratch::default(),
            drawing: Drawing::default(),
            gaps: Gaps::default(),
            kept: Vec::new(),
            labels: vec![0; BLOCK_ROWS],
        }
    }
}

impl<F: Float> GaussianScratch<F> {
    /// Turns the rows of a block, less `offset`, into tiles with room for k components, and returns how many there are.
    pub(crate) fn fill(&mut self, block: &Block<F>, offset: &[F], k: usize) -> usize {
        let tiles = block.len().div_ceil(TILE_ROWS);
        self.known.clear();
        self.known.extend_from_slice(block.known().unwrap_or_default());
        self.offset.clear();
        self.offset.extend_from_slice(offset);
        self.shares.resize(TILES * k, Column::splat(F::zero()));
        self.counts.resize(k, 0);
        self.counts.fill(0);
        self.shared.clear();
        self.shared.resize(k, 0.0);
        for (t, (tile, weights)) in self.tiles[..tiles].iter_mut().zip(&mut self.row_weights).enumerate() {
            let rows = block.slice(tile_rows(block.len(), t));
            tile.fill(&rows, offset);
            *weights = Column::splat(F::zero());
            let own = &mut weights.0[..rows.len()];
            match rows.weights() {
                Some(all) => own.iter_mut().zip(all).for_each(|(to, w)| *to = F::narrow(*w)),
                None => own.fill(F::one()),
            }
        }
        tiles
    }

    /// Writes the log-densities of tile `t` to its shares. A row that stays where it is has no density elsewhere, and so
    /// all its share there, whatever the rule.
    pub(crate) fn log_densities(&mut self, density: &Density<F>, t: usize) -> &mut [Column<F>] {
        let k = density.n_labels();
        let shares = &mut self.shares[t * k..(t + 1) * k];
        let s = density.n_students();
        self.tails.resize(TILES * s, TailWeights::one());
        density.log_densities_and_tails(&self.tiles[t], &mut self.solved, &mut self.tails[t * s..(t + 1) * s], shares);
        for (i, known) in self.known.iter().skip(t * TILE_ROWS).take(TILE_ROWS).enumerate() {
            if *known != UNKNOWN {
                let elsewhere = shares.iter_mut().enumerate().filter(|(c, _)| *c != *known as usize);
                elsewhere.for_each(|(_, column)| column.0[i] = F::neg_infinity());
            }
        }
        shares
    }

    /// Shares tile `t` out at a temperature; returns its rows' log-sums-exp. Components that have enough, in `gathered` and of the
    /// tiles before in the block, of rows that weigh `total` in all, leave out what is negligible.
    pub(crate) fn share(
        &mut self,
        density: &Density<F>,
        t: usize,
        temperature: F,
        gathered: (&Sums, f64),
    ) -> Column<F> {
        self.log_densities(density, t);
        self.divide(t, temperature, gathered)
    }

    /// The second half of [`share`](Self::share): tile `t` has its log-densities.
    fn divide(&mut self, t: usize, temperature: F, (gathered, total): (&Sums, f64)) -> Column<F> {
        let k = self.counts.len();
        self.droppable.clear();
        let weights = gathered.counts().iter().zip(&self.shared);
        self.droppable.extend(weights.map(|(before, here)| is_settled(*before + *here, total)));
        self.droppable.resize(k, false);
        let columns = &mut self.shares[t * k..(t + 1) * k];
        let sharing = Sharing { temperature, weights: &self.row_weights[t], droppable: &self.droppable };
        let totals = share(columns, &sharing, &mut self.counts);
        for ((column, here), droppable) in columns.iter().zip(&mut self.shared).zip(&self.droppable) {
            if !droppable {
                *here += column.0.iter().map(|r| r.widen()).sum::<f64>();
            }
        }
        totals
    }

    /// Replaces the shares of a block's rows by draws that are functions of the seed and the rows' numbers.
    pub(crate) fn draw(&mut self, block: &Block<F>, seed: u64) {
        let k = self.counts.len();
        self.counts.fill(0);
        for t in 0..block.len().div_ceil(TILE_ROWS) {
            let (columns, rows) = (&mut self.shares[t * k..(t + 1) * k], tile_rows(block.len(), t));
            let weights = &self.row_weights[t].0[..rows.len()];
            self.drawing.draw(columns, weights, (seed, block.first() + rows.start), &mut self.counts);
        }
    }

    /// Takes the noise's shares of tile `t` away to `sums`, so that those of the components are side by side. All tiles
    /// before it must have been through here.
    pub(crate) fn set_noise_aside(&mut self, t: usize, sums: &mut Sums) {
        let k = sums.k();
        if self.counts.len() > k {
            let start = t * (k + 1);
            sums.noise += self.shares[start + k].0.iter().map(|r| r.widen()).sum::<f64>();
            self.shares.copy_within(start..start + k, t * k);
        }
    }

    /// [`share`](Self::share) at temperature one; returns w Σ −r ln r of its rows instead. `logs` is room for a column a
    /// component.
    pub(crate) fn share_entropy(
        &mut self,
        density: &Density<F>,
        t: usize,
        logs: &mut Vec<Column<F>>,
        gathered: (&Sums, f64),
    ) -> Column<F> {
        logs.clear();
        logs.extend_from_slice(self.log_densities(density, t));
        let total = self.divide(t, F::one(), gathered);
        let mut entropy = Column::splat(F::zero());
        for (share, log) in self.shares[t * logs.len()..].iter().zip(&*logs) {
            for (i, sum) in entropy.0.iter_mut().enumerate() {
                // What has no share may be infinitely far away.
                let term = share.0[i] * (total.0[i] - log.0[i]);
                *sum += if share.0[i] > F::zero() { term } else { F::zero() };
            }
        }
        entropy
    }

    /// How far from likely a row is in the component of its label: less its log-density.
    pub(crate) fn misfit(&mut self, density: &Density<F>, row: &[F], label: u32) -> f64 {
        self.fill(&Block::new(row, row.len()), density.offset(), density.n_labels());
        -self.log_densities(density, 0)[label as usize].0[0].widen()
    }

    /// Makes the shares r of tile `t`, whose noise was set aside, r·u where components are Student's t.
    pub(crate) fn weigh_tails(&mut self, t: usize, sums: &mut Sums) {
        let (k, s) = (sums.k(), self.tails.len() / TILES);
        for (c, tail) in self.tails[t * s..(t + 1) * s].iter().enumerate() {
            let (mut count, mut excess) = (F::zero(), F::zero());
            let factors = tail.weight.0.iter().zip(&tail.excess.0);
            for (r, (u, e)) in self.shares[t * k + c].0.iter_mut().zip(factors) {
                count += *r;
                excess += *r * *e;
                *r *= *u;
            }
            sums.shares[c] += count.widen();
            sums.excess[c] += excess.widen();
        }
    }

    /// Fills `kept` with the weight by which each row of the block, whose log-densities were computed, counts in the component
    /// of its label: none in the noise, w·u in a Student-t component. Sums what these need.
    pub(crate) fn weigh_labelled(&mut self, block: &Block<F>, labels: &[u32], sums: &mut Sums) {
        let s = self.tails.len() / TILES;
        self.kept.clear();
        for (i, label) in labels.iter().enumerate() {
            let (w, c) = (block.weight(i), *label as usize);
            if c >= sums.k() {
                sums.noise += w;
                self.kept.push(0.0);
            } else if s > 0 {
                let (tail, at) = (&self.tails[i / TILE_ROWS * s + c], i % TILE_ROWS);
                sums.shares[c] += w;
                sums.excess[c] += w * tail.excess.0[at].widen();
                self.kept.push(w * tail.weight.0[at].widen());
            } else {
                self.kept.push(w);
            }
        }
    }

    /// Takes shares that are given: `share` of a row of the block and a component.
    pub(crate) fn take_shares(&mut self, tiles: usize, block_rows: usize, share: impl Fn(usize, usize) -> F) {
        let k = self.counts.len();
        for t in 0..tiles {
            let columns = &mut self.shares[t * k..(t + 1) * k];
            for (c, (column, count)) in columns.iter_mut().zip(&mut self.counts).enumerate() {
                *column = Column::splat(F::zero());
                for (i, (r, w)) in tile_rows(block_rows, t).zip(column.0.iter_mut().zip(&self.row_weights[t].0)) {
                    *r = share(i, c) * *w;
                    *count += u32::from(*r > F::zero());
                }
            }
        }
    }

    /// Adds the moments of all components about `means` (k × d) over the block that was filled in, each row by its shares.
    pub(crate) fn add_moments(&mut self, block: &Block<F>, means: &[F], sums: &mut Sums) {
        let tiles = block.len().div_ceil(TILE_ROWS);
        for (tile, weights) in self.tiles[..tiles].iter_mut().zip(&self.row_weights) {
            // Rows that do not count may be so far away that their squares are infinite, and zero times that is no number. As a rule
            // there are none.
            let counts_not = |w: &F| *w == F::zero();
            if weights.0[..tile.rows()].iter().fold(false, |any, w| any | counts_not(w)) {
                (0..tile.rows()).filter(|i| counts_not(&weights.0[*i])).for_each(|i| tile.clear_row(i));
            }
        }
        let shared = Shared {
            block,
            tiles: &self.tiles[..tiles],
            offset: &self.offset,
            shares: &self.shares[..tiles * sums.k()],
            counts: &self.counts[..sums.k()],
        };
        sums.soft().add(&shared, means, &mut self.moments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Covariances, Mixture};
    use miscela_kernel::Scatter;
    use ndarray::{Array3, array};

    /// The sums over blocks of rows with all shares kept, or with what is negligible left out.
    fn sums(mixture: &Mixture<f64>, rows: &[f64], scatter: Scatter, total: f64) -> Sums {
        let (density, d) = (Density::new(mixture).unwrap(), mixture.n_columns());
        let (mut sums, mut scratch) = (Sums::zero(mixture.n_components(), d, scatter), GaussianScratch::default());
        for rows in rows.chunks(BLOCK_ROWS * d) {
            let block = Block::new(rows, d);
            for t in 0..scratch.fill(&block, density.offset(), density.n_components()) {
                scratch.share(&density, t, 1.0, (&sums, total));
            }
            scratch.add_moments(&block, density.means(), &mut sums);
        }
        sums
    }

    #[test]
    fn what_is_left_out_changes_nothing() {
        // Three groups of rows, on a line and on a jittered grid, and a fourth component that no row likes: it gets what is
        // negligible, all of it.
        let d = 6;
        let row = |i: usize| {
            let place = [0.0, 9.0, 30.0][i % 3];
            (0..d).map(move |j| place + ((i * 7919 + j * 104_729) % 1000) as f64 / 250.0 - 2.0)
        };
        let (n, k) = (1000, 4);
        let rows: Vec<f64> = (0..n).flat_map(row).collect();
        let means = ndarray::Array2::from_shape_fn((k, d), |(c, _)| [0.0, 9.0, 30.0, 13.5][c]);
        let mixture = |covariances| Mixture::new(array![0.4, 0.3, 0.2, 0.1], means.clone(), covariances);
        let full = Array3::from_shape_fn((k, d, d), |(_, i, j)| if i == j { 1.5 } else { 0.2 });
        let cases = [
            (Covariances::Full(full), Scatter::Full),
            (Covariances::Spherical(array![1.5, 1.5, 1.5, 1.5]), Scatter::Spherical),
            (Covariances::TiedDiagonal(ndarray::Array1::from_elem(d, 1.5)), Scatter::Diagonal),
        ];
        for (covariances, scatter) in cases {
            let mixture = mixture(covariances);
            let sparse = sums(&mixture, &rows, scatter, n as f64);
            // As if the rows were so many that no component is ever settled.
            let dense = sums(&mixture, &rows, scatter, f64::INFINITY);
            assert!(sparse.weight[3] > 0.0 && sparse.weight[3] < 1e-6, "{:?} is starved", sparse.weight);
            let pairs = [(&sparse.weight, &dense.weight), (&sparse.second, &dense.second)];
            for (a, b) in pairs.into_iter().flat_map(|(a, b)| a.iter().zip(b)) {
                assert!((a - b).abs() <= 1e-11 * b.abs(), "{scatter:?}: {a} {b}");
            }
            for (i, (a, b)) in sparse.first.iter().zip(&dense.first).enumerate() {
                let size = (dense.weight[i / d] * dense.second.iter().sum::<f64>()).sqrt();
                assert!((a - b).abs() <= 1e-12 * size, "{scatter:?}: {a} {b}");
            }
        }
    }

    #[test]
    fn what_the_first_tile_settles_the_next_leaves_out() {
        let rows: Vec<f64> = (0..2 * TILE_ROWS).map(|i| (i % 2) as f64 * 10.0).collect();
        let covariances = Covariances::Spherical(array![1.0, 1.0]);
        let mixture = Mixture::new(array![0.5, 0.5], array![[0.0], [10.0]], covariances);
        let density = Density::new(&mixture).unwrap();
        let (sums, mut scratch) = (Sums::zero(2, 1, Scatter::Spherical), GaussianScratch::default());
        let tiles = scratch.fill(&Block::new(&rows, 1), density.offset(), 2);
        assert_eq!(tiles, 2);
        let (all, half) = (TILE_ROWS as u32, TILE_ROWS as u32 / 2);
        for (t, counts) in [all, all + half].into_iter().enumerate() {
            scratch.share(&density, t, 1.0, (&sums, rows.len() as f64));
            assert_eq!(scratch.counts, [counts; 2], "after tile {t}");
        }
    }
}
