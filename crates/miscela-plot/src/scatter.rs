//! Points of two columns, or shades where they are too many, with the centres and ellipses of their clusters.

use crate::Clusters;
use crate::cells::cells;
use crate::detail::{Centres, Detail};
use crate::ellipse::ellipse;
use crate::marks::pointer;
use crate::palette::{colour, colour_of, line_colour};
use crate::panel::Panel;
use crate::scene::{INK, Point, Rect, Shape, WHITE};
use std::collections::{BTreeMap, BTreeSet};

/// Square pixels that a point needs; with less, shades are drawn.
const ROOM: f64 = 50.0;

/// Whether points would be a blot on an area.
pub(crate) fn is_crowded(clusters: &Clusters, area: &Rect) -> bool {
    clusters.points.nrows() as f64 * ROOM > area.width * area.height
}

/// Draws columns `x` and `y`.
pub(crate) fn scatter(
    shapes: &mut Vec<Shape>,
    clusters: &Clusters,
    (x, y): (usize, usize),
    detail: &Detail,
    panel: &Panel,
) {
    let k = clusters.k();
    let present = clusters.present();
    let drawn = || (0..k).filter(|c| present[*c]);
    if is_crowded(clusters, &panel.area) {
        shapes.extend(cells(clusters, (x, y), panel));
    } else {
        points(shapes, clusters, (x, y), panel);
    }
    beyond(shapes, clusters, (x, y), panel);
    if clusters.covariances.is_some() && !detail.radii.is_empty() {
        let shapes_of_all = drawn().flat_map(|c| ellipses(clusters, c, (x, y), detail, panel)).collect();
        shapes.push(Shape::Clipped { area: panel.area, shapes: shapes_of_all });
    }
    let size = centre_radius(k, panel);
    let place = |c: usize| (c, panel.place(clusters.centres[(c, x)], clusters.centres[(c, y)]));
    let places: Vec<(usize, Point)> = drawn().map(place).collect();
    if detail.centres != Centres::Rings {
        let is_drawn = |at: &Point| detail.centres == Centres::Dots && panel.shows(*at);
        let centres = places.into_iter().map(|(_, at)| at).filter(is_drawn).collect();
        shapes.push(Shape::Discs { centres, radius: 1.5, fill: INK, opacity: 1.0 });
        return;
    }
    for (c, at) in places {
        for (radius, fill) in [(size + 1.2, WHITE), (size, INK), (size - 1.3, colour(c))] {
            shapes.push(match panel.shows(at) {
                true => Shape::Discs { centres: vec![at], radius, fill, opacity: 1.0 },
                false => Shape::Areas { polygons: vec![pointer(at, &panel.area, radius)], fill, opacity: 1.0 },
            });
        }
    }
}

fn points(shapes: &mut Vec<Shape>, clusters: &Clusters, (x, y): (usize, usize), panel: &Panel) {
    let (rows, starts) = clusters.by_label();
    let mean = rows.iter().map(|row| clusters.row_weight(*row) / rows.len() as f64).sum::<f64>();
    let (radius, opacity) = marker(rows.len(), panel);
    for c in 0..clusters.n_labels() {
        // By size in fourths of the usual one, whose area is that of a row of mean weight.
        let mut sizes: BTreeMap<u32, Vec<Point>> = BTreeMap::new();
        for &row in &rows[starts[c]..starts[c + 1]] {
            let at = panel.place(clusters.points[(row, x)], clusters.points[(row, y)]);
            let size = (4.0 * (clusters.row_weight(row) / mean).sqrt()).round().clamp(2.0, 12.0);
            if panel.shows(at) {
                sizes.entry(size as u32).or_default().push(at);
            }
        }
        for (size, centres) in sizes {
            let radius = radius * f64::from(size) / 4.0;
            shapes.push(Shape::Discs { centres, radius, fill: colour_of(clusters, c), opacity });
        }
    }
}

/// Arrows at the edges towards rows that are not on the panel, one for all that lie the same way.
fn beyond(shapes: &mut Vec<Shape>, clusters: &Clusters, (x, y): (usize, usize), panel: &Panel) {
    const SIZE: f64 = 4.0;
    let mut ways: BTreeMap<usize, BTreeSet<[i64; 6]>> = BTreeMap::new();
    let rows = (0..clusters.points.nrows()).filter(|row| clusters.row_weight(*row) > 0.0);
    for row in rows {
        let at = panel.place(clusters.points[(row, x)], clusters.points[(row, y)]);
        if !panel.shows(at) {
            let whole = |corner: Point| corner.map(|x| (x / SIDE).round() as i64);
            let [a, b, c] = [0, 1, 2].map(|i| whole(pointer(at, &panel.area, SIZE)[i]));
            ways.entry(clusters.labels[row]).or_default().insert([a[0], a[1], b[0], b[1], c[0], c[1]]);
        }
    }
    const SIDE: f64 = 2.0;
    for (label, ways) in ways {
        let corners = |way: [i64; 6]| way.chunks(2).map(|at| [at[0] as f64 * SIDE, at[1] as f64 * SIDE]).collect();
        let polygons = ways.into_iter().map(corners).collect();
        shapes.push(Shape::Areas { polygons, fill: colour_of(clusters, label), opacity: 1.0 });
    }
}

/// The ellipse of one standard deviation on a white ground, above those of more, dashed.
fn ellipses(clusters: &Clusters, c: usize, (x, y): (usize, usize), detail: &Detail, panel: &Panel) -> Vec<Shape> {
    let Some(covariances) = clusters.covariances else { return vec![] };
    let covariance = [covariances[(c, x, x)], covariances[(c, x, y)], covariances[(c, y, y)]];
    let centre = [clusters.centres[(c, x)], clusters.centres[(c, y)]];
    let line = |r: f64, stroke, width, dashed| {
        let r = clusters.degrees.map_or(r, |degrees| student_radius(r, degrees[c]));
        let points: Vec<Point> =
            ellipse(centre, covariance, r, detail.sides).into_iter().map(|[x, y]| panel.place(x, y)).collect();
        let all_there = points.iter().all(|at| panel.shows(*at));
        let parts = if all_there { vec![points] } else { panel.visible(&points, true) };
        parts.into_iter().map(move |points| Shape::Line { points, closed: all_there, stroke, width, dashed })
    };
    let dark = line_colour(c);
    let on_shades = is_crowded(clusters, &panel.area);
    let mut shapes: Vec<Shape> = vec![];
    for &r in detail.radii.iter().rev() {
        match r > 1.0 {
            true => {
                if on_shades {
                    shapes.extend(line(r, WHITE, 2.4, false));
                }
                shapes.extend(line(r, dark, if r > 2.0 { 1.0 } else { 1.5 }, true));
            }
            false => {
                shapes.extend(line(r, WHITE, 3.0, false));
                shapes.extend(line(r, dark, 1.8, false));
            }
        }
    }
    shapes
}

/// How far out, in units of its scale matrix, the ellipse lies that holds as much of a Student-t component in two columns as that
/// of r standard deviations does of a Gaussian one: 1 − exp(−r²/2) = 1 − (1 + q²/ν)^(−ν/2), so q² = ν (exp(r²/ν) − 1).
fn student_radius(r: f64, degrees: f64) -> f64 {
    (degrees * (r * r / degrees).exp_m1()).sqrt()
}

/// Radius and opacity of a point: the more there are, the smaller and the more transparent.
fn marker(n: usize, panel: &Panel) -> (f64, f64) {
    let crowd = 300.0 / n as f64 * (panel.area.width / 500.0).min(1.0);
    ((3.0 * crowd.powf(0.25)).clamp(0.9, 3.2), (0.75 * crowd.powf(0.3)).clamp(0.2, 0.75))
}

fn centre_radius(k: usize, panel: &Panel) -> f64 {
    let size = if panel.area.width < 250.0 { 4.0 } else { 5.5 };
    if k > 40 { 0.6 * size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_students_ellipses_hold_what_a_gaussians_do() {
        for r in [1.0, 2.0, 3.0f64] {
            for degrees in [1.0, 4.0, 30.0f64] {
                let square = student_radius(r, degrees).powi(2);
                let share = 1.0 - (1.0 + square / degrees).powf(-degrees / 2.0);
                assert!((share - (1.0 - (-r * r / 2.0).exp())).abs() < 1e-12, "{r} {degrees}: {share}");
            }
        }
        assert!((student_radius(2.0, 1e9) - 2.0).abs() < 1e-6);
    }
}
