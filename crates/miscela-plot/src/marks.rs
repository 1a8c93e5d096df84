//! Small signs: the marks of lines, so that they can be told apart without colour, and arrows for what lies beyond an axis.

use crate::scene::{Colour, Point, Rect, Shape};
use std::f64::consts::TAU;

/// Mark number `number` of seven, about as large as a disc of this radius.
pub(crate) fn glyph(number: usize, at: Point, radius: f64, fill: Colour) -> Shape {
    let regular = |sides: usize, turn: f64, radius: f64| {
        let corner = |i: usize| {
            let (sin, cos) = (TAU * (i as f64 / sides as f64 + turn)).sin_cos();
            [at[0] + radius * cos, at[1] + radius * sin]
        };
        (0..sides).map(corner).collect::<Vec<Point>>()
    };
    let bar =
        |width: f64, height: f64| Rect { x: at[0] - width / 2.0, y: at[1] - height / 2.0, width, height }.corners();
    let polygons = match number % 7 {
        0 => vec![regular(20, 0.0, radius)],
        1 => vec![regular(4, 0.125, 1.25 * radius)],
        2 => vec![regular(3, -0.25, 1.35 * radius)],
        3 => vec![regular(4, 0.0, 1.3 * radius)],
        4 => vec![regular(3, 0.25, 1.35 * radius)],
        5 => vec![bar(2.5 * radius, 0.9 * radius), bar(0.9 * radius, 2.5 * radius)],
        _ => vec![bar(2.6 * radius, 0.9 * radius)],
    };
    Shape::Areas { polygons, fill, opacity: 1.0 }
}

/// A triangle at the edge of an area that points to where a place lies beyond it.
pub(crate) fn pointer(place: Point, area: &Rect, size: f64) -> Vec<Point> {
    let at = [place[0].clamp(area.x, area.right()), place[1].clamp(area.y, area.bottom())];
    let away = |beyond: f64| if beyond == 0.0 { 0.0 } else { beyond.signum() };
    let (x, y) = (away(place[0] - at[0]), away(place[1] - at[1]));
    let length = f64::hypot(x, y).max(1.0);
    let (x, y) = (x / length, y / length);
    // The tip on the edge, the base inwards.
    let base = [at[0] - 1.7 * size * x, at[1] - 1.7 * size * y];
    vec![at, [base[0] - size * y, base[1] + size * x], [base[0] + size * y, base[1] - size * x]]
}
