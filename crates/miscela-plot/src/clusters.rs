//! What is drawn, as plain numbers, and what can be wrong with it.

use ndarray::{ArrayView2, ArrayView3};

/// A clustering to draw: n points in d columns, a label for each, k centres.
#[derive(Clone, Copy, Debug)]
pub struct Clusters<'a> {
    pub(crate) points: ArrayView2<'a, f64>,
    pub(crate) labels: &'a [usize],
    pub(crate) centres: ArrayView2<'a, f64>,
    pub(crate) covariances: Option<ArrayView3<'a, f64>>,
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) noise: bool,
    pub(crate) names: Option<&'a [String]>,
    pub(crate) title: &'a str,
}

impl<'a> Clusters<'a> {
    /// `points` n × d, `labels` n numbers below k, `centres` k × d. They are checked when a picture is made.
    pub fn new(points: ArrayView2<'a, f64>, labels: &'a [usize], centres: ArrayView2<'a, f64>) -> Self {
        Self { points, labels, centres, covariances: None, weights: None, noise: false, names: None, title: "" }
    }

    /// The covariance of each component, k × d × d, drawn as ellipses and densities.
    pub fn covariances(self, covariances: ArrayView3<'a, f64>) -> Self {
        Self { covariances: Some(covariances), ..self }
    }

    /// The weight of each component, k numbers; without them, the share of rows with its label.
    pub fn weights(self, weights: &'a [f64]) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// Rows of no cluster have the label k.
    pub fn noise(self) -> Self {
        Self { noise: true, ..self }
    }

    /// The names of the d columns; without them, `x0, x1, …`.
    pub fn names(self, names: &'a [String]) -> Self {
        Self { names: Some(names), ..self }
    }

    /// A line above the picture.
    pub fn title(self, title: &'a str) -> Self {
        Self { title, ..self }
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.points.ncols()
    }

    pub(crate) fn k(&self) -> usize {
        self.centres.nrows()
    }

    /// k, and one more with noise.
    pub(crate) fn n_labels(&self) -> usize {
        self.k() + usize::from(self.noise)
    }

    pub(crate) fn name(&self, column: usize) -> String {
        self.names.map_or_else(|| format!("x{column}"), |names| names[column].clone())
    }

    /// The number of rows with each label.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.n_labels()];
        self.labels.iter().for_each(|&label| sizes[label] += 1);
        sizes
    }

    /// At most `wanted` rows, one from each of so many equal stretches of the table. Where in its stretch follows the
    /// golden ratio, as the same place in all would miss what repeats with their length.
    pub(crate) fn some_rows(&self, wanted: usize) -> Vec<usize> {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let n = self.points.nrows();
        if n <= wanted {
            return (0..n).collect();
        }
        let stretch = n as f64 / wanted as f64;
        (0..wanted).map(|i| ((i as f64 + (i as f64 * GOLDEN).fract()) * stretch) as usize).collect()
    }

    pub(crate) fn check(&self) -> Result<(), PlotError> {
        let (n, d) = self.points.dim();
        if n == 0 || d == 0 {
            return Err(PlotError::NoPoints);
        }
        let k = self.k();
        expect("labels", n, self.labels.len())?;
        expect("columns of the centres", d, self.centres.ncols())?;
        if let Some(names) = self.names {
            expect("names", d, names.len())?;
        }
        if let Some(weights) = self.weights {
            expect("weights", k, weights.len())?;
            finite("weights", weights.iter().map(|w| (0, w)))?;
        }
        if let Some((row, &label)) = self.labels.iter().enumerate().find(|(_, label)| **label >= self.n_labels()) {
            return Err(PlotError::LabelBeyond { row, label, k });
        }
        finite("points", self.points.indexed_iter().map(|((row, _), x)| (row, x)))?;
        finite("centres", self.centres.indexed_iter().map(|((row, _), x)| (row, x)))?;
        if let Some(covariances) = self.covariances {
            expect("covariances", k, covariances.dim().0)?;
            expect("rows of a covariance", d, covariances.dim().1)?;
            expect("columns of a covariance", d, covariances.dim().2)?;
            finite("covariances", covariances.indexed_iter().map(|((component, _, _), x)| (component, x)))?;
        }
        Ok(())
    }
}

fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), PlotError> {
    if expected == got { Ok(()) } else { Err(PlotError::Count { what, expected, got }) }
}

pub(crate) fn finite<'a>(
    what: &'static str,
    mut values: impl Iterator<Item = (usize, &'a f64)>,
) -> Result<(), PlotError> {
    match values.find(|(_, value)| !value.is_finite()) {
        Some((row, &value)) => Err(PlotError::NotFinite { what, row, value }),
        None => Ok(()),
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The ending is not that of a picture.
    #[error("{file}: pictures are drawn as .svg or .png; use one of these endings")]
    UnknownEnding {
        /// The file.
        file: String,
    },
    /// There are no rows or no columns.
    #[error("there are no points to draw; give at least one row and one column")]
    NoPoints,
    /// There is no panel in the grid or no value in the trace.
    #[error("there are no {0} to draw; give at least one")]
    Nothing(&'static str),
    /// Two parts of the clustering disagree in size.
    #[error("there are {got} {what} where {expected} are expected; give one for each")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A label has no centre.
    #[error("the label of row {row} is {label}, and there are {k} centres; labels count from 0")]
    LabelBeyond {
        /// 0-based row.
        row: usize,
        /// The label.
        label: usize,
        /// The number of centres.
        k: usize,
    },
    /// A number is NaN or infinite.
    #[error("the {what} hold {value} at {row} (counted from 0); only finite numbers can be drawn")]
    NotFinite {
        /// Of what.
        what: &'static str,
        /// 0-based row, component or iteration.
        row: usize,
        /// The number.
        value: f64,
    },
    /// The numbers are too far apart.
    #[error("the numbers of {name:?} span more than a 64-bit number holds; scale the column down")]
    Span {
        /// The column.
        name: String,
    },
    /// More is asked for than a picture can hold.
    #[error("a picture of {width} × {height} pixels is too large; draw fewer panels or use .svg")]
    TooLarge {
        /// Pixels across.
        width: u64,
        /// Pixels down.
        height: u64,
    },
    /// The file cannot be written. Nothing half-written is left.
    #[error(transparent)]
    Write(#[from] miscela_table::TableError),
}
