//! Pictures, and the files they go into.

use crate::scene::Scene;
use crate::{Clusters, Curves, PlotError, Silhouettes, curves, layout, png, silhouettes, svg, trace};
use std::path::Path;

/// A picture that is laid out and can be written in either format.
#[derive(Clone, Debug)]
pub struct Picture {
    scene: Scene,
}

impl Picture {
    /// A clustering:
    ///
    /// * one column as a histogram whose bars are divided among the clusters, under the densities of the components;
    /// * two as a scatter with centres, ellipses of one, two and three standard deviations, and
    ///   [regions](Clusters::regions);
    /// * up to six as a matrix of pairs, with histograms on its diagonal;
    /// * more in the plane of the two leading principal components, where ellipses are those of the projected covariances.
    ///
    /// Where points would be a blot, with less than 50 square pixels for each, shades of small squares are drawn instead, from all
    /// rows. Rows so far off that nothing would be seen of the others are pointed to by arrows at the edges, and counted
    /// below. The size is bounded for any n: an SVG of less than 2 MB for k up to 50, as many components have fewer ellipses. Cost: O(n d), and for more than six columns up to
    /// some seconds for the principal plane.
    ///
    /// # Errors
    ///
    /// Parts of the clustering disagree in size, a label has no centre, or a number is not finite.
    pub fn clusters(clusters: &Clusters) -> Result<Self, PlotError> {
        Ok(Self { scene: layout::clusters(clusters)? })
    }

    /// Several clusterings side by side, each under its title, with ellipses of one and two standard deviations; of more than two
    /// columns the first two are drawn.
    ///
    /// # Errors
    ///
    /// As [`Picture::clusters`]; no clustering at all.
    pub fn grid(all: &[Clusters]) -> Result<Self, PlotError> {
        Ok(Self { scene: layout::grid(all)? })
    }

    /// Criteria over the number of clusters, such as BIC for every covariance structure.
    ///
    /// # Errors
    ///
    /// No value, or one that is not finite.
    pub fn curves(all: &Curves) -> Result<Self, PlotError> {
        Ok(Self { scene: curves::curves(all)? })
    }

    /// The silhouette of every row, sorted within its cluster, and their mean.
    ///
    /// # Errors
    ///
    /// No value, one that is not finite, or another number of labels.
    pub fn silhouettes(all: &Silhouettes) -> Result<Self, PlotError> {
        Ok(Self { scene: silhouettes::silhouettes(all)? })
    }

    /// The objective, called `name`, after each iteration.
    ///
    /// # Errors
    ///
    /// No value, or one that is not finite.
    pub fn trace(values: &[f64], name: &str, title: &str) -> Result<Self, PlotError> {
        Ok(Self { scene: trace::trace(values, name, title, "")? })
    }

    /// The same, with what else is to be known below the picture.
    ///
    /// # Errors
    ///
    /// As [`Picture::trace`].
    pub fn trace_with(values: &[f64], name: &str, title: &str, note: &str) -> Result<Self, PlotError> {
        Ok(Self { scene: trace::trace(values, name, title, note)? })
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
