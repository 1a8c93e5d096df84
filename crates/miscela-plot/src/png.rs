//! A scene painted as PNG, two pixels for each unit. Text is painted as the outlines of the embedded font.

use crate::PlotError;
use crate::font;
use crate::scene::{Anchor, Colour, Point, Scene, Shape};
use tiny_skia::{
    Color, FillRule, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

const SCALE: f32 = 2.0;

pub(crate) fn render(scene: &Scene) -> Result<Vec<u8>, PlotError> {
    let (width, height) = (scene.width * f64::from(SCALE), scene.height * f64::from(SCALE));
    let too_large = || PlotError::TooLarge { width: width as u64, height: height as u64 };
    // Beyond this, one row of pixels is more than the painter addresses.
    if width.max(height) > 32_000.0 {
        return Err(too_large());
    }
    let mut pixels = Pixmap::new(width as u32, height as u32).ok_or_else(too_large)?;
    pixels.fill(Color::WHITE);
    scene.shapes.iter().for_each(|shape| paint(&mut pixels, shape, None));
    pixels.encode_png().map_err(|_| too_large())
}

fn scaled() -> Transform {
    Transform::from_scale(SCALE, SCALE)
}

fn paint_of(Colour(red, green, blue): Colour, opacity: f64) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, (opacity * 255.0).round() as u8);
    paint
}

fn paint(pixels: &mut Pixmap, shape: &Shape, clip: Option<&Mask>) {
    match shape {
        Shape::Discs { centres, radius, fill, opacity } => {
            let Some(disc) = PathBuilder::from_circle(0.0, 0.0, *radius as f32) else { return };
            let paint = paint_of(*fill, *opacity);
            for &[x, y] in centres {
                let place = scaled().pre_translate(x as f32, y as f32);
                pixels.fill_path(&disc, &paint, FillRule::Winding, place, clip);
            }
        }
        Shape::Line { points, closed, stroke, width, dashed } => {
            let Some(path) = polygons(&[points], *closed) else { return };
            let dash = if *dashed { StrokeDash::new(vec![5.0, 4.0], 0.0) } else { None };
            let line = Stroke { width: *width as f32, line_join: LineJoin::Round, dash, ..Stroke::default() };
            pixels.stroke_path(&path, &paint_of(*stroke, 1.0), &line, scaled(), clip);
        }
        Shape::Areas { polygons: areas, fill, opacity } => {
            let Some(path) = polygons(areas, true) else { return };
            pixels.fill_path(&path, &paint_of(*fill, *opacity), FillRule::Winding, scaled(), clip);
        }
        Shape::Text { at, text, size, colour, anchor, upwards } => {
            let Some(outlines) = outlines(text, *size, *anchor) else { return };
            let turn = if *upwards { Transform::from_rotate(-90.0) } else { Transform::identity() };
            let place = scaled().pre_translate(at[0] as f32, at[1] as f32).pre_concat(turn);
            pixels.fill_path(&outlines, &paint_of(*colour, 1.0), FillRule::Winding, place, clip);
        }
        Shape::Clipped { area, shapes } => {
            let rect = Rect::from_xywh(area.x as f32, area.y as f32, area.width as f32, area.height as f32);
            let (Some(rect), Some(mut mask)) = (rect, Mask::new(pixels.width(), pixels.height())) else { return };
            mask.fill_path(&PathBuilder::from_rect(rect), FillRule::Winding, true, scaled());
            shapes.iter().for_each(|shape| paint(pixels, shape, Some(&mask)));
        }
    }
}

fn polygons(all: &[impl AsRef<[Point]>], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for points in all {
        for (i, &[x, y]) in points.as_ref().iter().enumerate() {
            match i {
                0 => path.move_to(x as f32, y as f32),
                _ => path.line_to(x as f32, y as f32),
            }
        }
        if closed {
            path.close();
        }
    }
    path.finish()
}

/// The outlines of a text whose baseline runs through the origin.
fn outlines(text: &str, size: f64, anchor: Anchor) -> Option<Path> {
    let width = font::width(text, size);
    let x = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let scale = size as f32 / f32::from(font::face().units_per_em());
    let mut pen = Pen { path: PathBuilder::new(), x: x as f32, scale };
    for character in text.chars() {
        let glyph = font::face().glyph_index(character).unwrap_or_default();
        font::face().outline_glyph(glyph, &mut pen);
        pen.x += font::advance(character, size) as f32;
    }
    pen.path.finish()
}

/// Draws glyphs, whose y grows upwards, one after the other.
struct Pen {
    path: PathBuilder,
    x: f32,
    scale: f32,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
