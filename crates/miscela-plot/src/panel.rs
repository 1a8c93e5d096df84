//! One panel: an area with two axes, its frame, grid lines, labels.

use crate::axis::Axis;
use crate::clip::clipped;
use crate::font;
use crate::scene::{Anchor, GREY, PALE, Point, Rect, Shape};

/// Height of tick labels and axis names.
pub(crate) const SMALL: f64 = 11.0;
/// Height of titles.
pub(crate) const LARGE: f64 = 15.0;

/// Height that tick labels and the name take below an area.
pub(crate) const BELOW: f64 = 3.5 * SMALL;

/// Width that the labels and the name of an upright axis take.
pub(crate) fn beside(axis: &Axis) -> f64 {
    axis.widest_label(SMALL) + 2.6 * SMALL
}

pub(crate) struct Panel {
    pub(crate) area: Rect,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

/// Which axes have labels and names.
#[derive(Clone, Copy)]
pub(crate) struct Labelled {
    pub(crate) x: bool,
    pub(crate) y: bool,
}

impl Panel {
    /// The place of a pair of numbers.
    pub(crate) fn place(&self, x: f64, y: f64) -> Point {
        let (x, y) = (self.x.fraction(x), self.y.fraction(y));
        [self.area.x + x * self.area.width, self.area.bottom() - y * self.area.height]
    }

    /// The pair of numbers at a place.
    pub(crate) fn value(&self, [x, y]: Point) -> [f64; 2] {
        let (x, y) = ((x - self.area.x) / self.area.width, (self.area.bottom() - y) / self.area.height);
        [self.x.value(x), self.y.value(y)]
    }

    /// Whether a place is on the panel.
    pub(crate) fn shows(&self, [x, y]: Point) -> bool {
        // Half a pixel for rounding.
        let (x, y) = (x - self.area.x, y - self.area.y);
        (-0.5..=self.area.width + 0.5).contains(&x) && (-0.5..=self.area.height + 0.5).contains(&y)
    }

    /// A line, as far as it is on the panel or near it.
    pub(crate) fn visible(&self, points: &[Point], closed: bool) -> Vec<Vec<Point>> {
        const BESIDE: f64 = 6.0;
        let Rect { x, y, width, height } = self.area;
        let near = Rect { x: x - BESIDE, y: y - BESIDE, width: width + 2.0 * BESIDE, height: height + 2.0 * BESIDE };
        clipped(points, closed, &near)
    }

    /// Grid lines, which lie under all that is measured.
    pub(crate) fn grid(&self, shapes: &mut Vec<Shape>, labelled: Labelled) {
        let Rect { x: left, y: top, .. } = self.area;
        for tick in &self.x.ticks {
            let x = left + self.x.fraction(*tick) * self.area.width;
            shapes.push(Shape::line(vec![[x, top], [x, self.area.bottom()]], PALE, 1.0));
        }
        for tick in self.y.ticks.iter().filter(|_| labelled.y) {
            let y = self.area.bottom() - self.y.fraction(*tick) * self.area.height;
            shapes.push(Shape::line(vec![[left, y], [self.area.right(), y]], PALE, 1.0));
        }
    }

    /// The frame, tick labels and names.
    pub(crate) fn frame(&self, shapes: &mut Vec<Shape>, labelled: Labelled) {
        let Rect { x: left, y: top, width, height } = self.area;
        shapes.push(Shape::Line { points: self.area.corners(), closed: true, stroke: GREY, width: 1.0, dashed: false });
        if labelled.x {
            for tick in &self.x.ticks {
                let label = self.x.label(*tick);
                // Labels at the ends stay within the panel, lest they meet those of the next.
                let half = font::width(&label, SMALL) / 2.0 - 4.0;
                let x = (left + self.x.fraction(*tick) * width).min(self.area.right() - half).max(left + half);
                shapes.push(Shape::text([x, self.area.bottom() + 1.4 * SMALL], label, SMALL, Anchor::Middle));
            }
            let at = [left + width / 2.0, self.area.bottom() + 3.0 * SMALL];
            shapes.push(Shape::text(at, self.x.title(SMALL, width), SMALL, Anchor::Middle));
        }
        if labelled.y {
            for tick in &self.y.ticks {
                let y = self.area.bottom() - self.y.fraction(*tick) * height;
                let at = [left - 0.5 * SMALL, y + 0.36 * SMALL];
                shapes.push(Shape::text(at, self.y.label(*tick), SMALL, Anchor::End));
            }
            let x = left - self.y.widest_label(SMALL) - 1.3 * SMALL;
            let text = self.y.title(SMALL, height);
            shapes.push(Shape::upwards([x, top + height / 2.0], text, SMALL));
        }
    }
}
