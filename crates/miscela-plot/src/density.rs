//! One column: a histogram whose bars are divided among the clusters, and the densities of the components over it.

use crate::axis::range;
use crate::palette::{colour_of, line_colour};
use crate::panel::Panel;
use crate::scene::{INK, Point, Rect, Shape, WHITE};
use crate::{Clusters, PlotError};
use std::f64::consts::{PI, TAU};

/// A histogram, scaled so that its area is one.
pub(crate) struct Histogram {
    low: f64,
    bin: f64,
    /// The height of each cluster's part of each bar.
    heights: Vec<Vec<f64>>,
}

impl Histogram {
    /// Half as many bins again as the Rice rule's 2·n^⅓, as there is more than one hump. Rows beyond `low..high` are in none.
    pub(crate) fn new(clusters: &Clusters, column: usize, (low, high): (f64, f64)) -> Self {
        let points = clusters.points.column(column);
        let counts = |(row, x): &(usize, &f64)| (low..=high).contains(*x) && clusters.row_weight(*row) > 0.0;
        let shown = || points.iter().enumerate().filter(counts);
        // A bar of many clusters has many parts.
        let most = if clusters.n_labels() > 20 { 24.0 } else { 60.0 };
        let bins = (3.0 * (shown().count() as f64).cbrt()).ceil().clamp(6.0, most);
        let (low, high) = range(shown().map(|(_, x)| *x));
        let (low, bin) = if high > low { (low, (high - low) / bins) } else { (low - 0.5, 1.0) };
        let mut heights = vec![vec![0.0; bins as usize]; clusters.n_labels()];
        // Of all rows, so that what is shown has the scale of the components.
        let total: f64 = (0..points.len()).map(|row| clusters.row_weight(row)).sum();
        for (row, x) in shown() {
            let bar = (((x - low) / bin) as usize).min(bins as usize - 1);
            heights[clusters.labels[row]][bar] += clusters.row_weight(row) / total / bin;
        }
        Self { low, bin, heights }
    }

    fn peak(&self) -> f64 {
        let bars = self.heights.first().map_or(0, Vec::len);
        (0..bars).map(|bar| self.heights.iter().map(|part| part[bar]).sum()).fold(0.0, f64::max)
    }

    /// Bars, one cluster's parts upon the other's.
    fn bars(&self, clusters: &Clusters, panel: &Panel) -> Vec<Shape> {
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
                shapes.push(Shape::Areas { polygons, fill: colour_of(clusters, c).mix(WHITE, 0.35), opacity: 1.0 });
            }
        }
        shapes
    }
}

/// The weighted density of component `c` in one column: normal, or Student's t.
fn component(clusters: &Clusters, c: usize, column: usize, share: f64) -> Option<impl Fn(f64) -> f64> {
    let scale = clusters.covariances?[(c, column, column)].sqrt();
    let (mean, degrees) = (clusters.centres[(c, column)], clusters.degrees.map(|degrees| degrees[c]));
    // (Γ((ν+1)/2) / Γ(ν/2)) / √(πν), or 1/√(2π)
    let peak = degrees.map_or(TAU.sqrt().recip(), |v| gamma_ratio(v) / (PI * v).sqrt());
    (scale > 0.0).then_some(move |x: f64| {
        let z = (x - mean) / scale;
        let fall = match degrees {
            None => (-z * z / 2.0).exp(),
            Some(v) => (-(v + 1.0) / 2.0 * (z * z / v).ln_1p()).exp(),
        };
        share * fall * peak / scale
    })
}

/// Γ((ν+1)/2) / Γ(ν/2): steps up to where its asymptotic series is exact to 10⁻¹², and back down.
fn gamma_ratio(degrees: f64) -> f64 {
    let mut v = degrees;
    let mut factor = 1.0;
    while v < 40.0 {
        factor *= v / (v + 1.0);
        v += 2.0;
    }
    let x = v / 2.0;
    let terms = [1.0, -1.0 / 8.0, 1.0 / 128.0, 5.0 / 1024.0, -21.0 / 32_768.0, -399.0 / 262_144.0];
    let series = terms.iter().rev().fold(0.0, |sum, term| sum / x + term);
    factor * x.sqrt() * series
}

/// The weights of the components; where none are given, the shares of the rows.
fn shares(clusters: &Clusters) -> Vec<f64> {
    if let Some(weights) = clusters.weights {
        return weights.to_vec();
    }
    let mut shares = vec![0.0; clusters.n_labels()];
    for (row, &label) in clusters.labels.iter().enumerate() {
        shares[label] += clusters.row_weight(row);
    }
    let total: f64 = shares.iter().sum();
    shares.truncate(clusters.k());
    shares.into_iter().map(|share| share / total).collect()
}

/// The components that have rows and a density, and these.
fn components(clusters: &Clusters, column: usize) -> Vec<(usize, impl Fn(f64) -> f64)> {
    let present = clusters.present();
    let shares = shares(clusters).into_iter().enumerate().filter(|(c, _)| present[*c]);
    shares.filter_map(|(c, share)| Some((c, component(clusters, c, column, share)?))).collect()
}

/// How high the vertical axis must reach; narrow components may reach beyond it and are cut.
pub(crate) fn height(clusters: &Clusters, column: usize, histogram: &Histogram) -> Result<f64, PlotError> {
    let bars = histogram.peak();
    let components = components(clusters, column);
    let sum = |x: f64| components.iter().map(|(_, density)| density(x)).sum::<f64>();
    let top = components.iter().map(|(c, _)| sum(clusters.centres[(*c, column)])).fold(bars, f64::max);
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
    shapes.extend(histogram.bars(clusters, panel));
    let grid = |steps: usize| (0..=steps).map(move |i| low + (high - low) * i as f64 / steps as f64);
    let on_the_axis = |x: &f64| (low..=high).contains(x);
    // A component may be narrower than a step.
    let places = |steps: usize, components: std::ops::Range<usize>| -> Vec<f64> {
        let bends = components.flat_map(|c| around(clusters, c, column));
        let mut xs: Vec<f64> = grid(steps).chain(bends).filter(on_the_axis).collect();
        xs.sort_by(f64::total_cmp);
        xs
    };
    let components = components(clusters, column);
    let mut curves = vec![];
    // Many curves have fewer points each.
    let steps = (5 * STEPS / clusters.k().max(1)).clamp(20, STEPS);
    for (c, density) in &components {
        let xs = places(steps, *c..*c + 1);
        let heights: Vec<f64> = xs.iter().map(|x| density(*x)).collect();
        for points in panel.visible(&curve(&xs, &heights, panel), false) {
            curves.push(Shape::line(points, line_colour(*c), 1.8));
        }
    }
    if components.len() > 1 {
        let xs = places(STEPS, 0..clusters.k().min(20));
        let heights: Vec<f64> =
            xs.iter().map(|x| components.iter().map(|(_, density)| density(*x)).sum::<f64>()).collect();
        for points in panel.visible(&curve(&xs, &heights, panel), false) {
            curves.push(Shape::Line { points, closed: false, stroke: INK, width: 1.0, dashed: true });
        }
    }
    let present = clusters.present();
    let is_drawn = |c: &usize| present[*c] && (low..=high).contains(&clusters.centres[(*c, column)]);
    for c in (0..clusters.k()).filter(is_drawn) {
        let [x, _] = panel.place(clusters.centres[(c, column)], 0.0);
        let ends = vec![[x, panel.area.bottom() + 1.0], [x, panel.area.bottom() - 0.09 * panel.area.height]];
        curves.push(Shape::line(ends.clone(), WHITE, 4.4));
        curves.push(Shape::line(ends, line_colour(c), 2.6));
    }
    shapes.push(Shape::Clipped { area: panel.area, shapes: curves });
}

/// Places where the density of a component bends.
fn around(clusters: &Clusters, c: usize, column: usize) -> Vec<f64> {
    const STEPS: i32 = 6;
    let scale = clusters.covariances.map_or(0.0, |covariances| covariances[(c, column, column)].max(0.0).sqrt());
    (-STEPS..=STEPS).map(|i| clusters.centres[(c, column)] + f64::from(i) * 0.5 * scale).collect()
}

fn curve(xs: &[f64], heights: &[f64], panel: &Panel) -> Vec<Point> {
    xs.iter().zip(heights).map(|(&x, &y)| panel.place(x, y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_density_is_known() {
        // 1/√π · Γ(1)/Γ(½) = 1/π for the Cauchy distribution, and R's dt(0, c(4, 100)) = 0.375, 0.3979462.
        for (degrees, density) in [(1.0, PI.recip()), (4.0, 0.375), (100.0, 0.397_946_2)] {
            let peak = gamma_ratio(degrees) / (PI * degrees).sqrt();
            assert!((peak - density).abs() < 1e-7, "{degrees}: {peak}");
        }
        assert!((gamma_ratio(1.0) - PI.sqrt().recip()).abs() < 1e-11);
    }
}
