//! The fourteen covariance structures: what each makes of the same three scatters.
//!
//! Three components have covariances of their own, in nothing alike. A structure that is less free brings them to the most
//! likely ones that it has: [`Covariance::shape`], which is its M-step. Ellipses are drawn at two standard deviations.
//!
//! ```text
//! cargo run --release -p miscela-examples --bin covariance_structures -- [OUTPUT.svg]
//! ```
//!
//! Without an argument it writes `target/covariance_structures.svg`.

use miscela::prelude::*;
use miscela_examples::output;
use miscela_plot::cluster_colour;
use ndarray::{ArrayView2, array};
use std::error::Error;
use std::f64::consts::PI;
use std::fmt::Write;

const ACROSS: usize = 4;
const WIDTH: usize = 180;
const HEIGHT: usize = 150;
/// Pixels of one unit.
const UNIT: f64 = 16.0;
const CENTRES: [(f64, f64); 3] = [(46.0, 60.0), (134.0, 56.0), (92.0, 108.0)];

fn main() -> Result<(), Box<dyn Error>> {
    let weights = array![0.35, 0.4, 0.25];
    let scatters = array![[[1.3, 0.55], [0.55, 0.4]], [[0.35, -0.25], [-0.25, 1.1]], [[0.7, -0.28], [-0.28, 0.22]]];
    let mut structures: Vec<Covariance> = Covariance::all().collect();
    structures.reverse();

    let (width, height) = (ACROSS * WIDTH, structures.len().div_ceil(ACROSS) * HEIGHT);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img" aria-label="Fourteen panels, one a covariance structure, with three ellipses each">
<rect width="{width}" height="{height}" fill="white"/>
"#
    );
    for (at, structure) in structures.into_iter().enumerate() {
        let shaped = structure.shape(&Covariances::Full(scatters.clone()), &weights, 2).dense(3, 2);
        writeln!(svg, r#"<g transform="translate({} {})">"#, at % ACROSS * WIDTH, at / ACROSS * HEIGHT)?;
        writeln!(svg, r#"<text x="8" y="18">{}</text>"#, names(structure))?;
        for (component, matrix) in shaped.outer_iter().enumerate() {
            svg += &ellipse(component, matrix);
        }
        svg += "</g>\n";
    }
    svg += "</svg>\n";

    let path = output("covariance_structures.svg")?;
    std::fs::write(&path, svg)?;
    println!("{} shows what 14 structures make of three scatters", path.display());
    Ok(())
}

/// mclust's name, and ours where that is another.
fn names(structure: Covariance) -> String {
    let (ours, theirs) = (structure.name(), structure.mclust_name());
    if ours == theirs { theirs.into() } else { format!("{theirs} · {ours}") }
}

/// Two standard deviations of a component about its place. y goes downwards on paper, and so does the angle.
fn ellipse(component: usize, matrix: ArrayView2<f64>) -> String {
    let (a, b, c) = (matrix[[0, 0]], matrix[[0, 1]], matrix[[1, 1]]);
    let (middle, apart) = ((a + c) / 2.0, ((a - c) / 2.0).hypot(b));
    // A circle has no axes but those that rounding gives it.
    let angle = if apart < 1e-9 * middle { 0.0 } else { -(2.0 * b).atan2(a - c) / 2.0 * 180.0 / PI };
    let radius = |variance: f64| 2.0 * UNIT * variance.sqrt();
    let (x, y) = CENTRES[component];
    let [red, green, blue] = cluster_colour(component);
    format!(
        "<ellipse rx=\"{:.1}\" ry=\"{:.1}\" transform=\"translate({x} {y}) rotate({angle:.1})\" fill=\"rgb({red} {green} {blue})\" fill-opacity=\"0.25\" stroke=\"rgb({red} {green} {blue})\" stroke-width=\"2\"/>\n",
        radius(middle + apart),
        radius(middle - apart),
    )
}
