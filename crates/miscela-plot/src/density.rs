//! One column: a histogram whose bars are divided among the clusters, and the densities of the components over it.

use crate::axis::range;
use crate::palette::{colour, line_colour};
use crate::panel::Panel;
use crate::scene::{INK, Point, Rect, Shape, WHITE};
use crate::{Clusters, PlotError};
use std::f64::consts::TAU;

/// A histogram, scaled so that its area is one.
pub(crate) struct Histogram {
    low: f64,
    bin: f64,
    /// The height of each cluster's part of each bar.
    heights: Vec<Vec<f64>>,
}

impl Histogram {
    /// Half as many bins again as the Rice rule's 2·n^⅓, as there is more than one hump.
    pub(crate) fn new(clusters: &Clusters, column: usize) -> Self {
        let points = clusters.points.column(column);
        let bins = (3.0 * (points.len() as f64).cbrt()).ceil().clamp(6.0, 60.0);
        let (low, high) = range(points.iter().copied());
        let (low, bin) = if high > low { (low, (high - low) / bins) } else { (low - 0.5, 1.0) };
        let mut heights = vec![vec![0.0; bins as usize]; clusters.n_labels()];
        let one = 1.0 / (points.len() as f64 * bin);
        for (x, &label) in points.iter().zip(clusters.labels) {
            let bar = (((x - low) / bin) as usize).min(bins as usize - 1);
            heights[label][bar] += one;
        }
        Self { low, bin, heights }
    }

    fn peak(&self) -> f64 {
        let bars = self.heights.first().map_or(0, Vec::len);
        (0..bars).map(|bar| self.heights.iter().map(|part| part[bar]).sum()).fold(0.0, f64::max)
    }

    /// Bars, one cluster's parts upon the other's.
    fn bars(&self, panel: &Panel) -> Vec<Shape> {
        let mut base = vec![0.0; self.heights.first().map_or(0, Vec::len)];
        let mut shapes = vec![];
        for (c, parts) in self.heights.iter().enumerate() {
            let mut polygons = vec![];
            for (bar, (&part, base)) in parts.iter().zip(&mut base).enumerate().filter(|(_, (part, _))| **part > 0.0) {
                let left = self.low + bar as f64 * self.bin;
                let [x, y] = panel.place(left, *base + part);
                let [right, bottom] = panel.place(left + self.bin, *base);
                polygons.push(Rect { x, y, width: (right - x - 0.6).max(0.4), height: bottom - y }.corners());
                *base += part;
            }
            if !polygons.is_empty() {
                shapes.push(Shape::Areas { polygons, fill: colour(c).mix(WHITE, 0.35), opacity: 1.0 });
            }
        }
        shapes
    }
}

/// The weighted normal density of component `c` in one column.
fn component(clusters: &Clusters, c: usize, column: usize, share: f64) -> Option<impl Fn(f64) -> f64> {
    let variance = clusters.covariances?[(c, column, column)];
    let (mean, deviation) = (clusters.centres[(c, column)], variance.sqrt());
    (deviation > 0.0).then_some(move |x: f64| {
        let z = (x - mean) / deviation;
        share * (-z * z / 2.0).exp() / (deviation * TAU.sqrt())
    })
}

/// The weights of the components; where none are given, the shares of the rows.
fn shares(clusters: &Clusters) -> Vec<f64> {
    match clusters.weights {
        Some(weights) => weights.to_vec(),
        None => {
            clusters.sizes()[..clusters.k()].iter().map(|&size| size as f64 / clusters.labels.len() as f64).collect()
        }
    }
}

/// How high the vertical axis must reach; narrow components may reach beyond it and are cut.
pub(crate) fn height(clusters: &Clusters, column: usize, histogram: &Histogram) -> Result<f64, PlotError> {
    let bars = histogram.peak();
    let top = shares(clusters)
        .into_iter()
        .enumerate()
        .filter_map(|(c, share)| Some(component(clusters, c, column, share)?(clusters.centres[(c, column)])))
        .fold(bars, f64::max);
    let height = 1.06 * top.min(1.6 * bars);
    if height.is_finite() { Ok(height) } else { Err(PlotError::Span { name: clusters.name(column) }) }
}

/// Draws one column.
pub(crate) fn density(
    shapes: &mut Vec<Shape>,
    clusters: &Clusters,
    column: usize,
    histogram: &Histogram,
    (low, high): (f64, f64),
    panel: &Panel,
) {
    const STEPS: usize = 240;
    shapes.extend(histogram.bars(panel));
    let xs: Vec<f64> = (0..=STEPS).map(|i| low + (high - low) * i as f64 / STEPS as f64).collect();
    let mut total = vec![0.0; xs.len()];
    let mut curves = vec![];
    for (c, share) in shares(clusters).into_iter().enumerate() {
        if let Some(component) = component(clusters, c, column, share) {
            let heights: Vec<f64> = xs.iter().map(|&x| component(x)).collect();
            total.iter_mut().zip(&heights).for_each(|(total, height)| *total += height);
            curves.push(Shape::line(curve(&xs, &heights, panel), line_colour(c), 1.8));
        }
    }
    if curves.len() > 1 {
        let points = curve(&xs, &total, panel);
        curves.push(Shape::Line { points, closed: false, stroke: INK, width: 1.0, dashed: true });
    }
    for c in 0..clusters.k() {
        let [x, _] = panel.place(clusters.centres[(c, column)], 0.0);
        let ends = vec![[x, panel.area.bottom() + 1.0], [x, panel.area.bottom() - 0.09 * panel.area.height]];
        curves.push(Shape::line(ends.clone(), WHITE, 4.4));
        curves.push(Shape::line(ends, line_colour(c), 2.6));
    }
    shapes.push(Shape::Clipped { area: panel.area, shapes: curves });
}

fn curve(xs: &[f64], heights: &[f64], panel: &Panel) -> Vec<Point> {
    xs.iter().zip(heights).map(|(&x, &y)| panel.place(x, y)).collect()
}
