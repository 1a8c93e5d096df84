//! A picture as a list of shapes, which the writers of each format know how to draw. Units are pixels of an SVG; x grows
//! to the right and y downwards.

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

pub(crate) const WHITE: Colour = Colour(255, 255, 255);
pub(crate) const INK: Colour = Colour(0x22, 0x22, 0x22);
/// Of words that are read last.
pub(crate) const FAINT: Colour = Colour(0x59, 0x59, 0x59);
pub(crate) const GREY: Colour = Colour(0x99, 0x99, 0x99);
pub(crate) const PALE: Colour = Colour(0xe8, 0xe8, 0xe8);

impl Colour {
    /// This colour mixed with `other`: 0 is this one, 1 the other.
    pub(crate) fn mix(self, other: Colour, share: f64) -> Colour {
        let mix = |a: u8, b: u8| (f64::from(a) * (1.0 - share) + f64::from(b) * share).round() as u8;
        Colour(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

pub(crate) type Point = [f64; 2];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rect {
    pub(crate) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(crate) fn corners(&self) -> Vec<Point> {
        vec![[self.x, self.y], [self.right(), self.y], [self.right(), self.bottom()], [self.x, self.bottom()]]
    }
}

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Discs of one size and colour.
    Discs { centres: Vec<Point>, radius: f64, fill: Colour, opacity: f64 },
    /// A line through points, closed or not.
    Line { points: Vec<Point>, closed: bool, stroke: Colour, width: f64, dashed: bool },
    /// Polygons of one colour.
    Areas { polygons: Vec<Vec<Point>>, fill: Colour, opacity: f64 },
    /// Text on a baseline; upright or turned to be read from below.
    Text { at: Point, text: String, size: f64, colour: Colour, anchor: Anchor, upwards: bool },
    /// Shapes of which only what is inside `area` shows.
    Clipped { area: Rect, shapes: Vec<Shape> },
}

impl Shape {
    pub(crate) fn line(points: Vec<Point>, stroke: Colour, width: f64) -> Self {
        Shape::Line { points, closed: false, stroke, width, dashed: false }
    }

    pub(crate) fn text(at: Point, text: impl Into<String>, size: f64, anchor: Anchor) -> Self {
        Shape::Text { at, text: text.into(), size, colour: INK, anchor, upwards: false }
    }

    /// Text to be read from below, its middle at `at`.
    pub(crate) fn upwards(at: Point, text: impl Into<String>, size: f64) -> Self {
        Shape::Text { at, text: text.into(), size, colour: INK, anchor: Anchor::Middle, upwards: true }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) title: String,
    pub(crate) shapes: Vec<Shape>,
}
