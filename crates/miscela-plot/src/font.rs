//! The embedded font: a subset of DejaVu Sans (Latin, Greek, some signs), for measuring and for painting text.

use std::sync::LazyLock;
use ttf_parser::Face;

static FACE: LazyLock<Face<'static>> = LazyLock::new(|| {
    let bytes = include_bytes!("../font/DejaVuSans-subset.ttf");
    Face::parse(bytes, 0).expect("the embedded file is a font")
});

pub(crate) fn face() -> &'static Face<'static> {
    &FACE
}

/// The advance of one character, in pixels. One that the font has not is taken to be as wide as it is high, as those of other
/// fonts may be that an SVG is shown in.
pub(crate) fn advance(character: char, size: f64) -> f64 {
    let Some(glyph) = FACE.glyph_index(character) else { return size };
    f64::from(FACE.glyph_hor_advance(glyph).unwrap_or(0)) * size / f64::from(FACE.units_per_em())
}

/// The width of a text, in pixels.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|character| advance(character, size)).sum()
}

/// The text, cut so that it is no wider than `limit`.
pub(crate) fn fit(text: &str, size: f64, limit: f64) -> String {
    if width(text, size) <= limit {
        return text.to_string();
    }
    let mut room = limit - advance('…', size);
    let kept = text.chars().take_while(|&character| {
        room -= advance(character, size);
        room >= 0.0
    });
    kept.chain(['…']).collect()
}

/// The text in lines no wider than `limit`, cut between words; a word that is too wide is shortened.
pub(crate) fn wrapped(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        let word = fit(word, size, limit);
        match lines.last_mut().filter(|line| width(&format!("{line} {word}"), size) <= limit) {
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(word),
        }
    }
    lines
}
