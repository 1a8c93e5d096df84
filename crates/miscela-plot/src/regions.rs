//! Decision regions: where each label rules, by asking for the labels of points.
//!
//! The corners of a grid are labelled. On each edge of it between two labels the border is found by halving, and within a square
//! the border points are joined through their middle. Lines between two labels are then walked with the one label on the left and
//! back with the other, and make closed outlines. A region that is thinner than a square of the grid may be missed.

use crate::clusters::Labeller;
use crate::palette::colour_of;
use crate::panel::Panel;
use crate::scene::{Point, Rect, Shape, WHITE};
use crate::{Clusters, PlotError};
use ndarray::Array2;
use std::collections::{BTreeMap, HashMap};

/// Side of a square, in pixels.
const SIDE: f64 = 5.0;
/// How often an edge is halved: to a twelfth of a pixel.
const HALVINGS: usize = 6;
/// Corners closer than this to the line past them are left out, in pixels.
const STRAIGHT: f64 = 0.05;

type Label = Option<usize>;
/// A corner of the grid, the border on the edge to its right or below it, or the middle of the square there.
type Node = (u8, usize, usize);
const CORNER: u8 = 0;
const RIGHT: u8 = 1;
const BELOW: u8 = 2;
const MIDDLE: u8 = 3;

/// The regions in the panel, under their outlines; nothing where one label has it all.
pub(crate) fn regions(clusters: &Clusters, panel: &Panel) -> Result<Vec<Shape>, PlotError> {
    let Some(regions) = clusters.regions else { return Ok(vec![]) };
    let grid = Grid::new(panel, regions.0, clusters)?;
    if grid.labels.iter().all(|label| *label == grid.labels[0]) {
        return Ok(vec![]);
    }
    let (mut fills, mut lines) = (vec![], vec![]);
    for (label, polygons) in grid.outlines() {
        for points in &polygons {
            let stroke = colour_of(clusters, label).mix(WHITE, 0.35);
            lines.push(Shape::Line { points: points.clone(), closed: true, stroke, width: 0.8, dashed: false });
        }
        fills.push(Shape::Areas { polygons, fill: colour_of(clusters, label).mix(WHITE, 0.84), opacity: 1.0 });
    }
    fills.push(Shape::Clipped { area: panel.area, shapes: lines });
    Ok(fills)
}

struct Grid {
    area: Rect,
    /// Corners across and down.
    size: (usize, usize),
    /// Of the corners, line by line.
    labels: Vec<Label>,
    /// The places of the borders on edges.
    borders: HashMap<Node, Point>,
}

impl Grid {
    fn new(panel: &Panel, labeller: &Labeller, clusters: &Clusters) -> Result<Self, PlotError> {
        let area = panel.area;
        let corners = |length: f64| (length / SIDE).round().max(1.0) as usize + 1;
        let size = (corners(area.width), corners(area.height));
        let ask = |places: &[Point]| {
            let points = Array2::from_shape_fn((places.len(), 2), |(i, j)| panel.value(places[i])[j]);
            let labels = labeller(points.view());
            crate::clusters::expect("labels of regions", places.len(), labels.len())?;
            match labels.iter().flatten().find(|label| **label >= clusters.n_labels()) {
                Some(&got) => Err(PlotError::Region { got, k: clusters.k() }),
                None => Ok(labels),
            }
        };
        let mut grid = Self { area, size, labels: vec![], borders: HashMap::new() };
        let places: Vec<Point> =
            (0..size.1).flat_map(|j| (0..size.0).map(move |i| (i, j))).map(|(i, j)| grid.corner(i, j)).collect();
        grid.labels = ask(&places)?;

        let mut edges: Vec<(Node, Point, Point, Label)> = grid
            .edges()
            .filter(|(_, a, b)| grid.label(*a) != grid.label(*b))
            .map(|(node, a, b)| (node, grid.corner(a.0, a.1), grid.corner(b.0, b.1), grid.label(a)))
            .collect();
        for _ in 0..HALVINGS {
            let middles: Vec<Point> = edges.iter().map(|(_, a, b, _)| middle(&[*a, *b])).collect();
            for ((edge, middle), label) in edges.iter_mut().zip(&middles).zip(ask(&middles)?) {
                *(if label == edge.3 { &mut edge.1 } else { &mut edge.2 }) = *middle;
            }
        }
        grid.borders = edges.into_iter().map(|(node, a, b, _)| (node, middle(&[a, b]))).collect();
        Ok(grid)
    }

    fn corner(&self, i: usize, j: usize) -> Point {
        let (across, down) = ((self.size.0 - 1) as f64, (self.size.1 - 1) as f64);
        [self.area.x + self.area.width * i as f64 / across, self.area.y + self.area.height * j as f64 / down]
    }

    fn label(&self, (i, j): (usize, usize)) -> Label {
        self.labels[j * self.size.0 + i]
    }

    /// All edges, with the corners at their ends.
    fn edges(&self) -> impl Iterator<Item = (Node, (usize, usize), (usize, usize))> + use<'_> {
        let (across, down) = self.size;
        (0..down).flat_map(move |j| {
            (0..across).flat_map(move |i| {
                let right = (i + 1 < across).then_some(((RIGHT, i, j), (i, j), (i + 1, j)));
                let below = (j + 1 < down).then_some(((BELOW, i, j), (i, j), (i, j + 1)));
                [right, below].into_iter().flatten()
            })
        })
    }

    /// Where a node is; `None` for an edge without a border.
    fn place(&self, node: Node) -> Option<Point> {
        match node {
            (CORNER, i, j) => Some(self.corner(i, j)),
            (MIDDLE, i, j) => {
                let edges = [(RIGHT, i, j), (BELOW, i, j), (RIGHT, i, j + 1), (BELOW, i + 1, j)];
                let borders: Vec<Point> = edges.iter().filter_map(|edge| self.borders.get(edge).copied()).collect();
                Some(middle(&borders))
            }
            edge => self.borders.get(&edge).copied(),
        }
    }

    /// Closed outlines of each label.
    fn outlines(&self) -> BTreeMap<usize, Vec<Vec<Point>>> {
        let mut walks: BTreeMap<usize, BTreeMap<Node, Vec<Node>>> = BTreeMap::new();
        let mut walk = |label: Label, from: Node, to: Node| {
            if let Some(label) = label {
                walks.entry(label).or_default().entry(from).or_default().push(to);
            }
        };
        let (across, down) = (self.size.0 - 1, self.size.1 - 1);
        for (i, j) in (0..down).flat_map(|j| (0..across).map(move |i| (i, j))) {
            // Clockwise as it is seen; each edge with the corner before it and the one after, and whether it lies at the rim.
            let around = [
                ((i, j), (RIGHT, i, j), (i + 1, j), j == 0),
                ((i + 1, j), (BELOW, i + 1, j), (i + 1, j + 1), i + 1 == across),
                ((i + 1, j + 1), (RIGHT, i, j + 1), (i, j + 1), j + 1 == down),
                ((i, j + 1), (BELOW, i, j), (i, j), i == 0),
            ];
            for (before, edge, after, rim) in around {
                let (a, b) = (self.label(before), self.label(after));
                let ends = ((CORNER, before.0, before.1), (CORNER, after.0, after.1));
                match (a == b, rim) {
                    (true, true) => walk(a, ends.0, ends.1),
                    (true, false) => {}
                    (false, rim) => {
                        walk(a, edge, (MIDDLE, i, j));
                        walk(b, (MIDDLE, i, j), edge);
                        if rim {
                            walk(a, ends.0, edge);
                            walk(b, edge, ends.1);
                        }
                    }
                }
            }
        }
        walks.into_iter().map(|(label, walks)| (label, self.chained(walks))).collect()
    }

    /// Steps one after the other, until they come back.
    fn chained(&self, mut steps: BTreeMap<Node, Vec<Node>>) -> Vec<Vec<Point>> {
        let mut outlines = vec![];
        while let Some((&start, _)) = steps.first_key_value() {
            let mut outline = vec![];
            let mut at = start;
            while let Some(next) = steps.get_mut(&at).and_then(Vec::pop) {
                if steps[&at].is_empty() {
                    steps.remove(&at);
                }
                outline.extend(self.place(at));
                at = next;
                if at == start {
                    break;
                }
            }
            outlines.push(straightened(&outline));
        }
        outlines
    }
}

fn middle(points: &[Point]) -> Point {
    let n = points.len() as f64;
    [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / n)
}

/// The outline without the points that lie on the line from the last that is kept to the next.
fn straightened(outline: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = vec![];
    for (i, &point) in outline.iter().enumerate() {
        let next = outline[(i + 1) % outline.len()];
        let straight = kept.last().is_some_and(|&[x, y]| {
            let (along, aside) = ([next[0] - x, next[1] - y], [point[0] - x, point[1] - y]);
            let length = along[0].hypot(along[1]);
            length > 0.0 && (along[0] * aside[1] - along[1] * aside[0]).abs() <= STRAIGHT * length
        });
        if !straight {
            kept.push(point);
        }
    }
    kept
}
