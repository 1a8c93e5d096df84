//! Pictures, and the files they go into.

use crate::scene::Scene;
use crate::{Clusters, PlotError, layout, png, svg};
use std::path::Path;

/// A picture that is laid out and can be written in either format.
#[derive(Clone, Debug)]
pub struct Picture {
    scene: Scene,
}

impl Picture {
    /// A clustering: one column as a histogram with the densities of the components, two as a scatter with centres and
    /// ellipses of one and two standard deviations, more as a matrix of the first six columns in pairs. Of many rows
    /// about 20 000 points are drawn, evenly chosen.
    ///
    /// # Errors
    ///
    /// Parts of the clustering disagree in size, a label has no centre, or a number is not finite.
    pub fn clusters(clusters: &Clusters) -> Result<Self, PlotError> {
        Ok(Self { scene: layout::clusters(clusters)? })
    }

    /// Several clusterings side by side, each under its title; of more than two columns the first two are drawn.
    ///
    /// # Errors
    ///
    /// As [`Picture::clusters`]; no clustering at all.
    pub fn grid(all: &[Clusters]) -> Result<Self, PlotError> {
        Ok(Self { scene: layout::grid(all)? })
    }

    /// The objective, called `name`, after each iteration.
    ///
    /// # Errors
    ///
    /// No value, or one that is not finite.
    pub fn trace(values: &[f64], name: &str, title: &str) -> Result<Self, PlotError> {
        Ok(Self { scene: layout::trace(values, name, title)? })
    }

    /// The picture as SVG, also fit to stand in an HTML page.
    pub fn to_svg(&self) -> String {
        svg::render(&self.scene)
    }

    /// The picture as PNG, two pixels for each of the SVG.
    ///
    /// # Errors
    ///
    /// [`PlotError::TooLarge`].
    pub fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        png::render(&self.scene)
    }

    /// Writes the picture as the ending says, `.svg` or `.png`; the file appears whole or not at all.
    ///
    /// # Errors
    ///
    /// Another ending, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        let path = path.as_ref();
        let bytes = match ImageFormat::of(path)? {
            ImageFormat::Svg => self.to_svg().into_bytes(),
            ImageFormat::Png => self.to_png()?,
        };
        Ok(miscela_table::write_file(path, |out| out.write_all(&bytes))?)
    }
}

/// The formats of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageFormat {
    /// Lines and text that stay sharp.
    Svg,
    /// Pixels.
    Png,
}

impl ImageFormat {
    /// The format of a path by its ending, `.svg` or `.png`, in any case of letters. No file is touched.
    ///
    /// # Errors
    ///
    /// [`PlotError::UnknownEnding`].
    pub fn of(path: impl AsRef<Path>) -> Result<Self, PlotError> {
        let path = path.as_ref();
        match path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(PlotError::UnknownEnding { file: path.display().to_string() }),
        }
    }
}

/// Draws a clustering into a file: [`Picture::clusters`], saved.
///
/// # Errors
///
/// As [`Picture::clusters`] and [`Picture::save`].
pub fn draw(clusters: &Clusters, path: impl AsRef<Path>) -> Result<(), PlotError> {
    Picture::clusters(clusters)?.save(path)
}

/// Draws several clusterings side by side into a file: [`Picture::grid`], saved.
///
/// # Errors
///
/// As [`Picture::grid`] and [`Picture::save`].
pub fn draw_grid(all: &[Clusters], path: impl AsRef<Path>) -> Result<(), PlotError> {
    Picture::grid(all)?.save(path)
}

/// Draws an objective along the iterations into a file: [`Picture::trace`], saved.
///
/// # Errors
///
/// As [`Picture::trace`] and [`Picture::save`].
pub fn draw_trace(values: &[f64], name: &str, title: &str, path: impl AsRef<Path>) -> Result<(), PlotError> {
    Picture::trace(values, name, title)?.save(path)
}
