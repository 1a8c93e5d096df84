//! Many points as shades: small squares, each in the colour of the cluster with most of its rows, the darker the more rows lie in
//! it. Shades go by the logarithm, so that one row is seen beside thousands.

use crate::Clusters;
use crate::palette::{colour_of, deep_colour};
use crate::panel::Panel;
use crate::scene::{Rect, Shape, WHITE};

/// Side of a square, in pixels, and where many panels are small.
const SIDE: f64 = 4.0;
const SIDE_OF_MANY: f64 = 5.0;
/// Shades of a label, and where there are more than twenty labels.
const SHADES: usize = 7;
const FEW_SHADES: usize = 4;

/// What lies in a square: its weight, and the label that weighs most.
#[derive(Clone, Copy, Default)]
struct Cell {
    weight: f64,
    best: f64,
    label: usize,
}

/// The squares of the rows that are in the panel. Cost: O(n) for each pair of columns, whatever k.
pub(crate) fn cells(clusters: &Clusters, (x, y): (usize, usize), panel: &Panel) -> Vec<Shape> {
    let side = if panel.area.width < 250.0 { SIDE_OF_MANY } else { SIDE };
    let across = (panel.area.width / side).round().max(1.0) as usize;
    let down = (panel.area.height / side).round().max(1.0) as usize;
    let (rows, starts) = clusters.by_label();
    let mut cells = vec![Cell::default(); across * down];
    let mut own = vec![0.0; across * down];
    let mut touched = vec![];
    for label in 0..clusters.n_labels() {
        for &row in &rows[starts[label]..starts[label + 1]] {
            let fraction = [panel.x.fraction(clusters.points[(row, x)]), panel.y.fraction(clusters.points[(row, y)])];
            if !fraction.iter().all(|at| (0.0..=1.0).contains(at)) {
                continue;
            }
            let column = ((fraction[0] * across as f64) as usize).min(across - 1);
            let line = (((1.0 - fraction[1]) * down as f64) as usize).min(down - 1);
            let at = line * across + column;
            if own[at] == 0.0 {
                touched.push(at);
            }
            own[at] += clusters.row_weight(row);
        }
        for at in touched.drain(..) {
            let cell = &mut cells[at];
            cell.weight += own[at];
            if own[at] > cell.best {
                (cell.best, cell.label) = (own[at], label);
            }
            own[at] = 0.0;
        }
    }
    shapes(clusters, &cells, (across, down), panel)
}

/// Neighbours of one shade in a line are one rectangle.
fn shapes(clusters: &Clusters, cells: &[Cell], (across, down): (usize, usize), panel: &Panel) -> Vec<Shape> {
    let shades = if clusters.n_labels() > 20 { FEW_SHADES } else { SHADES };
    let most = cells.iter().map(|cell| cell.weight).fold(0.0, f64::max);
    let filled = cells.iter().filter(|cell| cell.weight > 0.0);
    let least = filled.map(|cell| cell.weight).fold(most, f64::min);
    let shade = |cell: &Cell| {
        let share = if most > least { (cell.weight / least).ln() / (most / least).ln() } else { 0.5 };
        (cell.weight > 0.0).then(|| (cell.label, (share * shades as f64).clamp(0.0, shades as f64 - 1.0) as usize))
    };
    let (width, height) = (panel.area.width / across as f64, panel.area.height / down as f64);
    let mut polygons = vec![vec![]; clusters.n_labels() * shades];
    for line in 0..down {
        let mut column = 0;
        while column < across {
            let shade_of = |column: usize| shade(&cells[line * across + column]);
            let Some((label, depth)) = shade_of(column) else {
                column += 1;
                continue;
            };
            let end = (column..across).find(|column| shade_of(*column) != Some((label, depth))).unwrap_or(across);
            let (x, y) = (panel.area.x + column as f64 * width, panel.area.y + line as f64 * height);
            let run = Rect { x, y, width: (end - column) as f64 * width, height };
            polygons[label * shades + depth].push(run.corners());
            column = end;
        }
    }
    let shade = |at: usize| {
        let (label, depth) = (at / shades, (at % shades) as f64 / (shades - 1) as f64);
        // From pale to the colour itself, and on to a deep one.
        match depth {
            depth if depth < 0.6 => colour_of(clusters, label).mix(WHITE, 0.6 - depth),
            depth => colour_of(clusters, label).mix(deep_colour(clusters, label), (depth - 0.6) / 0.4),
        }
    };
    let filled = polygons.into_iter().enumerate().filter(|(_, polygons)| !polygons.is_empty());
    filled.map(|(at, polygons)| Shape::Areas { polygons, fill: shade(at), opacity: 1.0 }).collect()
}
