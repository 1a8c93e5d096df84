//! Colours of components as variables of the style, on light ground and on dark.

use miscela_plot::{N_COLOURS, cluster_colour};
use std::fmt::Write;

type Rgb = [u8; 3];

const WHITE: Rgb = [255; 3];
const INK: Rgb = [0x22; 3];

/// What is added to a colour for lines, and on dark ground for areas, to stand out.
const LINE: f64 = 0.35;

/// `--c0, --c1, …` for areas and `--l0, --l1, …` for lines, in both schemes, and `--colours`, how many there are.
pub(crate) fn variables() -> String {
    let light = block(cluster_colour, INK);
    let dark = block(|c| lifted(cluster_colour(c)), WHITE);
    format!(":root{{--colours:{N_COLOURS};{light}}}\n@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
}

fn block(colour: impl Fn(usize) -> Rgb, towards: Rgb) -> String {
    (0..N_COLOURS).fold(String::new(), |mut text, c| {
        let (area, line) = (hex(colour(c)), hex(mix(colour(c), towards, LINE)));
        // Writing to a string does not fail.
        let _ = write!(text, "--c{c}:{area};--l{c}:{line};");
        text
    })
}

/// Lighter by as much as the colour is dark.
fn lifted(colour: Rgb) -> Rgb {
    let [r, g, b] = colour.map(f64::from);
    let lightness = (0.299 * r + 0.587 * g + 0.114 * b) / 255.0;
    mix(colour, WHITE, (0.62 - lightness).clamp(0.0, 0.5))
}

fn mix(a: Rgb, b: Rgb, share: f64) -> Rgb {
    std::array::from_fn(|i| (f64::from(a[i]) * (1.0 - share) + f64::from(b[i]) * share).round() as u8)
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_its_variables_in_both_schemes() {
        let style = variables();
        for c in 0..N_COLOURS {
            assert_eq!(style.matches(&format!("--c{c}:#")).count(), 2);
            assert_eq!(style.matches(&format!("--l{c}:#")).count(), 2);
        }
        assert!(style.contains("--c0:#0072b2;"), "{style}");
    }
}
