//! A scene as SVG 1.1. Text stays text; the widths were measured with DejaVu Sans, which heads the list of fonts.

use crate::scene::{Anchor, Colour, Point, Scene, Shape};
use std::fmt::{self, Write};

pub(crate) fn render(scene: &Scene) -> String {
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut svg, scene);
    svg
}

fn write(out: &mut String, scene: &Scene) -> fmt::Result {
    let (width, height) = (Number(scene.width), Number(scene.height));
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="DejaVu Sans, Verdana, sans-serif">"#
    )?;
    if !scene.title.is_empty() {
        writeln!(out, "<title>{}</title>", Escaped(&scene.title))?;
    }
    writeln!(out, r##"<rect width="{width}" height="{height}" fill="#ffffff"/>"##)?;
    scene.shapes.iter().try_for_each(|shape| write_shape(out, shape))?;
    writeln!(out, "</svg>")
}

fn write_shape(out: &mut String, shape: &Shape) -> fmt::Result {
    match shape {
        Shape::Discs { centres, radius, fill, opacity } => {
            writeln!(out, r#"<g fill="{}" fill-opacity="{}">"#, Hex(*fill), Number(*opacity))?;
            for &[x, y] in centres {
                writeln!(out, r#"<circle cx="{}" cy="{}" r="{}"/>"#, Number(x), Number(y), Number(*radius))?;
            }
            writeln!(out, "</g>")
        }
        Shape::Line { points, closed, stroke, width, dashed } => {
            let dashes = if *dashed { r#" stroke-dasharray="5 4""# } else { "" };
            let (stroke, width) = (Hex(*stroke), Number(*width));
            write!(out, r#"<path fill="none" stroke="{stroke}" stroke-width="{width}"{dashes} d=""#)?;
            write_path(out, points, *closed)?;
            writeln!(out, r#""/>"#)
        }
        Shape::Areas { polygons, fill, opacity } => {
            write!(out, r#"<path fill="{}" fill-opacity="{}" d=""#, Hex(*fill), Number(*opacity))?;
            polygons.iter().try_for_each(|polygon| write_area(out, polygon))?;
            writeln!(out, r#""/>"#)
        }
        Shape::Text { at: [x, y], text, size, colour, anchor, upwards } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let (x, y, size, fill) = (Number(*x), Number(*y), Number(*size), Hex(*colour));
            let turn = if *upwards { format!(r#" transform="rotate(-90 {x} {y})""#) } else { String::new() };
            writeln!(
                out,
                r#"<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"{turn}>{}</text>"#,
                Escaped(text)
            )
        }
        Shape::Clipped { area, shapes } => {
            // A viewport clips without an id, which would have to be unique in a page of several pictures.
            let (x, y, width, height) = (Number(area.x), Number(area.y), Number(area.width), Number(area.height));
            writeln!(
                out,
                r#"<svg x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{x} {y} {width} {height}">"#
            )?;
            shapes.iter().try_for_each(|shape| write_shape(out, shape))?;
            writeln!(out, "</svg>")
        }
    }
}

fn write_path(out: &mut String, points: &[Point], closed: bool) -> fmt::Result {
    for (i, &[x, y]) in points.iter().enumerate() {
        write!(out, "{}{} {}", if i == 0 { "M" } else { "L" }, Number(x), Number(y))?;
    }
    if closed { write!(out, "Z") } else { Ok(()) }
}

/// A closed path, whose upright and level steps are written shortly.
fn write_area(out: &mut String, points: &[Point]) -> fmt::Result {
    let mut before: Option<Point> = None;
    for &[x, y] in points {
        match before {
            None => write!(out, "M{} {}", Number(x), Number(y))?,
            Some([_, at]) if at == y => write!(out, "H{}", Number(x))?,
            Some([at, _]) if at == x => write!(out, "V{}", Number(y))?,
            Some(_) => write!(out, "L{} {}", Number(x), Number(y))?,
        }
        before = Some([x, y]);
    }
    write!(out, "Z")
}

/// Two decimals at most: a hundredth of a pixel.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding 0 turns −0 into 0.
        write!(f, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

struct Hex(Colour);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Colour(red, green, blue) = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// Text between tags; characters that XML does not allow are replaced.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '\t' | '\n' | '\r' => f.write_char(' '),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}'),
            other => f.write_char(other),
        })
    }
}
