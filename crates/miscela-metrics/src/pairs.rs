//! Distances of some rows to all rows of a cluster, summed or only the extremes, a block of pairs at a time.

use crate::Clustering;
use miscela_distance::{Distance, Sums};
use miscela_kernel::{Block, Centroids, Column, Float, TILE_ROWS, Tile, add_distances, extreme_distances};
use std::ops::Range;

/// Rows that are measured at once.
pub(crate) const HELD_ROWS: usize = 4 * TILE_ROWS;

/// Numbers of other rows that are met at once: they stay in the cache.
const MET_NUMBERS: usize = 8192;

/// Some rows, at most [`HELD_ROWS`], held against the rows of the clusters.
pub(crate) struct Held<'a, 'c, F: Float, D> {
    clustering: &'c Clustering<'a, F>,
    distance: &'c D,
    count: usize,
    /// The rows, turned on their side, if a kernel takes them so.
    tiles: Vec<Tile<f64>>,
    /// The rows, if not.
    rows: Vec<F>,
    /// Those they meet.
    met: Vec<F>,
    wide: Vec<f64>,
    weights: Vec<f64>,
    reduced: Vec<f64>,
}

impl<'a, 'c, F: Float, D: Distance<F>> Held<'a, 'c, F, D> {
    pub(crate) fn new(clustering: &'c Clustering<'a, F>, distance: &'c D, held: &[u32]) -> Self {
        let width = clustering.width();
        let mut rows = vec![F::zero(); held.len() * width];
        clustering.gather(held, &mut rows);
        let mut tiles = Vec::new();
        if distance.sums() == Sums::Euclidean {
            let wide: Vec<f64> = rows.iter().map(|x| x.widen()).collect();
            let turned = wide.chunks(TILE_ROWS * width).map(|rows| {
                let mut tile = Tile::new();
                tile.fill(&Block::new(rows, width), &vec![0.0; width]);
                tile
            });
            tiles = turned.collect();
        }
        let (met, wide, weights, reduced) = Default::default();
        Self { clustering, distance, count: held.len(), tiles, rows, met, wide, weights, reduced }
    }

    /// Sets each of `sums` to the weighted sum of the distances of one row to the rows of cluster `c`.
    pub(crate) fn sums(&mut self, c: usize, sums: &mut [f64]) {
        sums.fill(0.0);
        let mut columns = [Column::splat(0.0); HELD_ROWS / TILE_ROWS];
        for places in self.blocks(c) {
            self.meet(places);
            if self.tiles.is_empty() {
                self.measure();
                for (sum, reduced) in sums.iter_mut().zip(self.reduced.chunks_exact(self.weights.len())) {
                    let distances = reduced.iter().map(|reduced| self.distance.from_reduced(*reduced));
                    *sum += distances.zip(&self.weights).map(|(distance, weight)| distance * weight).sum::<f64>();
                }
            } else {
                for (tile, column) in self.tiles.iter().zip(&mut columns) {
                    add_distances(tile.columns(), tile.rows(), &self.wide, &self.weights, column);
                }
            }
        }
        if !self.tiles.is_empty() {
            sums.iter_mut().zip(columns.iter().flat_map(|column| column.0)).for_each(|(to, sum)| *to = sum);
        }
    }

    /// The least and the greatest distance of any of the rows to any of cluster `c`.
    pub(crate) fn extremes(&mut self, c: usize) -> (f64, f64) {
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for places in self.blocks(c) {
            self.meet(places);
            if self.tiles.is_empty() {
                self.measure();
                least = self.reduced.iter().copied().fold(least, f64::min);
                greatest = self.reduced.iter().copied().fold(greatest, f64::max);
            }
            for tile in &self.tiles {
                let (mut nearest, mut farthest) = (Column::splat(f64::INFINITY), Column::splat(f64::NEG_INFINITY));
                extreme_distances(tile.columns(), tile.rows(), &self.wide, &mut nearest, &mut farthest);
                least = nearest.0[..tile.rows()].iter().copied().fold(least, f64::min);
                greatest = farthest.0[..tile.rows()].iter().copied().fold(greatest, f64::max);
            }
        }
        (self.distance.from_reduced(least), self.distance.from_reduced(greatest))
    }

    /// The rows of cluster `c` in blocks.
    fn blocks(&self, c: usize) -> impl Iterator<Item = Range<usize>> + use<F, D> {
        let Range { start, end } = self.clustering.places(c);
        let step = (MET_NUMBERS / self.clustering.width()).clamp(8, 4 * TILE_ROWS);
        (start..end).step_by(step).map(move |first| first..(first + step).min(end))
    }

    /// Copies the rows at these places, and their weights.
    fn meet(&mut self, places: Range<usize>) {
        let rows = &self.clustering.order[places];
        self.met.resize(rows.len() * self.clustering.width(), F::zero());
        self.clustering.gather(rows, &mut self.met);
        self.weights.clear();
        self.weights.extend(rows.iter().map(|row| self.clustering.samples.weight(*row as usize)));
        if !self.tiles.is_empty() {
            self.wide.clear();
            self.wide.extend(self.met.iter().map(|x| x.widen()));
        }
    }

    /// The reduced distances of all rows to those met.
    fn measure(&mut self) {
        let width = self.clustering.width();
        self.reduced.resize(self.count * self.weights.len(), 0.0);
        // No offset: pairs are measured by their differences.
        let met = Centroids::new(&self.met, &vec![F::zero(); width]);
        self.distance.pairwise(&Block::new(&self.rows, width), &met, &mut self.reduced);
    }
}
