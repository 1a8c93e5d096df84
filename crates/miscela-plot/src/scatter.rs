//! Points of two columns, with the centres and ellipses of their clusters.

use crate::Clusters;
use crate::axis::{padded, range};
use crate::ellipse::ellipse;
use crate::palette::{colour, line_colour};
use crate::panel::Panel;
use crate::scene::{INK, Point, Shape, WHITE};

/// What is to be shown of a column: all points and centres, and of the ellipses what lies near.
pub(crate) fn extent(clusters: &Clusters, column: usize) -> (f64, f64) {
    let centres = clusters.centres.column(column);
    let all = range(clusters.points.column(column).into_iter().chain(centres).copied());
    let near = padded(all, 0.25);
    let reach = clusters.covariances.into_iter().flat_map(|covariances| {
        (0..clusters.k()).flat_map(move |c| {
            let reach = 2.0 * covariances[(c, column, column)].max(0.0).sqrt();
            [centres[c] - reach, centres[c] + reach]
        })
    });
    padded(range([all.0, all.1].into_iter().chain(reach.map(|x| x.clamp(near.0, near.1)))), 0.04)
}

/// Draws the given rows in columns `x` and `y`.
pub(crate) fn scatter(
    shapes: &mut Vec<Shape>,
    clusters: &Clusters,
    rows: &[usize],
    (x, y): (usize, usize),
    panel: &Panel,
) {
    let k = clusters.k();
    let mut points: Vec<Vec<Point>> = vec![vec![]; clusters.n_labels()];
    for &row in rows {
        points[clusters.labels[row]].push(panel.place(clusters.points[(row, x)], clusters.points[(row, y)]));
    }
    let (radius, opacity) = marker(rows.len(), panel);
    for (c, centres) in points.into_iter().enumerate().filter(|(_, centres)| !centres.is_empty()) {
        shapes.push(Shape::Discs { centres, radius, fill: colour(c), opacity });
    }
    if clusters.covariances.is_some() {
        let shapes_of_all = (0..k).flat_map(|c| ellipses(clusters, c, (x, y), panel)).collect();
        shapes.push(Shape::Clipped { area: panel.area, shapes: shapes_of_all });
    }
    let size = centre_radius(k, panel);
    for c in 0..k {
        let centres = vec![panel.place(clusters.centres[(c, x)], clusters.centres[(c, y)])];
        for (radius, fill) in [(size + 1.2, WHITE), (size, INK), (size - 1.3, colour(c))] {
            shapes.push(Shape::Discs { centres: centres.clone(), radius, fill, opacity: 1.0 });
        }
    }
}

/// The ellipses of two standard deviations, dashed, and of one, on a white ground.
fn ellipses(clusters: &Clusters, c: usize, (x, y): (usize, usize), panel: &Panel) -> Vec<Shape> {
    let Some(covariances) = clusters.covariances else { return vec![] };
    let covariance = [covariances[(c, x, x)], covariances[(c, x, y)], covariances[(c, y, y)]];
    let centre = [clusters.centres[(c, x)], clusters.centres[(c, y)]];
    let line = |r, stroke, width, dashed| {
        let points = ellipse(centre, covariance, r).into_iter().map(|[x, y]| panel.place(x, y)).collect();
        Shape::Line { points, closed: true, stroke, width, dashed }
    };
    let dark = line_colour(c);
    vec![line(2.0, dark, 1.5, true), line(1.0, WHITE, 3.0, false), line(1.0, dark, 1.8, false)]
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
