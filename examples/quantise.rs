//! Colour quantisation: a photograph in k colours, found by k-means over all its pixels in `f32`.
//!
//! ```text
//! cargo run --release -p miscela-examples --bin quantise -- [OUTPUT.png] [K]
//! ```
//!
//! Without arguments it writes `target/china-16.png`.

use image::{ImageReader, RgbImage};
use miscela::prelude::*;
use miscela_examples::{data, output};
use ndarray::{Array2, ArrayView2};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let k = std::env::args().nth(2).map_or(Ok(16), |k| k.parse())?;
    let path = output("china-16.png")?;
    let picture = ImageReader::open(data("china.jpg"))?.decode()?.into_rgb8();
    let (width, height) = picture.dimensions();

    // One row a pixel: red, green, blue.
    let pixels = ArrayView2::from_shape(((width * height) as usize, 3), picture.as_raw())?.mapv(f32::from);
    let colours_before = distinct(&picture);
    let dataset = DatasetBase::from(pixels);

    let start = Instant::now();
    let model = KMeans::params(k).fit(&dataset)?;
    let seconds = start.elapsed().as_secs_f64();
    let report = model.report();

    let labels: ndarray::Array1<usize> = model.predict(&dataset);
    let palette: Array2<u8> = model.centroids().mapv(|c| c.round().clamp(0.0, 255.0) as u8);
    let painted = labels.iter().flat_map(|label| palette.row(*label).to_vec()).collect();
    let painted = RgbImage::from_raw(width, height, painted).ok_or("three bytes a pixel")?;
    painted.save(&path)?;

    println!("{width} × {height} pixels, {colours_before} colours → {}", distinct(&painted));
    println!("{seconds:.3} s for {} iterations ({})", report.iterations, report.termination);
    println!("inertia {:.6e}: {:.2} off a pixel, root mean square", model.inertia_sum(), model.inertia().sqrt());
    println!("{} bytes in {}", path.metadata()?.len(), path.display());
    Ok(())
}

/// The number of different colours.
fn distinct(picture: &RgbImage) -> usize {
    let mut colours: Vec<_> = picture.pixels().map(|pixel| pixel.0).collect();
    colours.sort_unstable();
    colours.dedup();
    colours.len()
}
