//! What is drawn, as plain numbers, and what can be wrong with it.

use ndarray::{ArrayView2, ArrayView3};
use std::fmt;

/// A clustering to draw: n points in d columns, a label for each, k centres.
///
/// ```
/// use miscela_plot::{Clusters, Picture};
/// use ndarray::{ArrayView2, array};
///
/// let points = array![[0.0, 1.0], [1.0, 0.0], [8.0, 9.0], [9.0, 8.0]];
/// let centres = array![[0.5, 0.5], [8.5, 8.5]];
/// // What a model would say of any point: here, which centre is nearer.
/// let nearer = |at: ArrayView2<f64>| at.rows().into_iter().map(|p| Some(usize::from(p.sum() > 9.0))).collect();
/// let clusters = Clusters::new(points.view(), &[0, 0, 1, 1], centres.view())
///     .row_weights(&[1.0, 4.0, 1.0, 1.0])
///     .regions(&nearer)
///     .note("the second row counts four times");
/// assert!(Picture::clusters(&clusters)?.to_svg().contains("counts four times"));
/// # Ok::<(), miscela_plot::PlotError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clusters<'a> {
    pub(crate) points: ArrayView2<'a, f64>,
    pub(crate) labels: &'a [usize],
    pub(crate) centres: ArrayView2<'a, f64>,
    pub(crate) covariances: Option<ArrayView3<'a, f64>>,
    pub(crate) degrees: Option<&'a [f64]>,
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) row_weights: Option<&'a [f64]>,
    pub(crate) sizes: Option<&'a [usize]>,
    pub(crate) regions: Option<Regions<'a>>,
    pub(crate) rest: Option<&'a str>,
    pub(crate) names: Option<&'a [String]>,
    pub(crate) title: &'a str,
    pub(crate) note: &'a str,
}

/// What says the label of any point.
#[derive(Clone, Copy)]
pub(crate) struct Regions<'a>(pub(crate) &'a Labeller<'a>);

/// The labels of m points, m × d: below k, k for what belongs to no cluster, `None` where there is no answer, as beyond the
/// domain of a distance.
pub type Labeller<'a> = dyn Fn(ArrayView2<'_, f64>) -> Vec<Option<usize>> + Sync + 'a;

impl fmt::Debug for Regions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Regions")
    }
}

impl<'a> Clusters<'a> {
    /// `points` n × d, `labels` n numbers below k, `centres` k × d. They are checked when a picture is made.
    pub fn new(points: ArrayView2<'a, f64>, labels: &'a [usize], centres: ArrayView2<'a, f64>) -> Self {
        Self {
            points,
            labels,
            centres,
            covariances: None,
            degrees: None,
            weights: None,
            row_weights: None,
            sizes: None,
            regions: None,
            rest: None,
            names: None,
            title: "",
            note: "",
        }
    }

    /// The covariance of each component, k × d × d, drawn as ellipses and densities.
    pub fn covariances(self, covariances: ArrayView3<'a, f64>) -> Self {
        Self { covariances: Some(covariances), ..self }
    }

    /// The degrees of freedom of Student-t components, k numbers; the covariances are then their scale matrices. The ellipses
    /// hold the same shares of a component as those of a Gaussian one, and so are larger.
    pub fn degrees(self, degrees: &'a [f64]) -> Self {
        Self { degrees: Some(degrees), ..self }
    }

    /// The weight of each component, k numbers; without them, the share of rows with its label.
    pub fn weights(self, weights: &'a [f64]) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// The weight of each row, n numbers, none negative: the area of its point, and what it counts in histograms and densities. A
    /// row of weight 0 is not drawn.
    pub fn row_weights(self, row_weights: &'a [f64]) -> Self {
        Self { row_weights: Some(row_weights), ..self }
    }

    /// How many rows each label has in all, where the points are a sample: k numbers, and one more with
    /// [noise](Self::noise) or a [rest](Self::rest). The legend says them.
    pub fn sizes(self, sizes: &'a [usize]) -> Self {
        Self { sizes: Some(sizes), ..self }
    }

    /// Draws behind the points of two columns where each label rules. `label` is asked for some 10 000 points of a fine grid,
    /// and near the borders for more: some 50 000 in all.
    pub fn regions(self, label: &'a Labeller<'a>) -> Self {
        Self { regions: Some(Regions(label)), ..self }
    }

    /// Rows of no cluster have the label k.
    pub fn noise(self) -> Self {
        self.rest("noise")
    }

    /// Rows of no cluster have the label k, and the legend calls them by this name.
    pub fn rest(self, name: &'a str) -> Self {
        Self { rest: Some(name), ..self }
    }

    /// The names of the d columns; without them, `x0, x1, …`.
    pub fn names(self, names: &'a [String]) -> Self {
        Self { names: Some(names), ..self }
    }

    /// A line above the picture.
    pub fn title(self, title: &'a str) -> Self {
        Self { title, ..self }
    }

    /// What else is to be known, below the picture.
    pub fn note(self, note: &'a str) -> Self {
        Self { note, ..self }
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.points.ncols()
    }

    pub(crate) fn k(&self) -> usize {
        self.centres.nrows()
    }

    /// k, and one more with noise.
    pub(crate) fn n_labels(&self) -> usize {
        self.k() + usize::from(self.rest.is_some())
    }

    pub(crate) fn name(&self, column: usize) -> String {
        self.names.map_or_else(|| format!("x{column}"), |names| names[column].clone())
    }

    pub(crate) fn row_weight(&self, row: usize) -> f64 {
        self.row_weights.map_or(1.0, |weights| weights[row])
    }

    /// The rows that count, in the order of their labels, and where each label's begin; a last entry for the end.
    pub(crate) fn by_label(&self) -> (Vec<usize>, Vec<usize>) {
        let counts = self.counts();
        let starts: Vec<usize> = std::iter::once(0)
            .chain(counts.iter().scan(0, |end, count| {
                *end += count;
                Some(*end)
            }))
            .collect();
        let mut next = starts.clone();
        let mut rows = vec![0; starts[counts.len()]];
        for (row, &label) in self.labels.iter().enumerate().filter(|(row, _)| self.row_weight(*row) > 0.0) {
            rows[next[label]] = row;
            next[label] += 1;
        }
        (rows, starts)
    }

    /// The values of a column in rows that count.
    pub(crate) fn column(&self, column: usize) -> Vec<f64> {
        let values = self.points.column(column);
        values.iter().enumerate().filter(|(row, _)| self.row_weight(*row) > 0.0).map(|(_, x)| *x).collect()
    }

    /// The number of drawn rows with each label, but for those of weight 0.
    fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.n_labels()];
        let labels = self.labels.iter().enumerate().filter(|(row, _)| self.row_weight(*row) > 0.0);
        labels.for_each(|(_, &label)| counts[label] += 1);
        counts
    }

    /// Which components have rows. Bayesian mixtures have some that lost theirs: with no label, and what the
    /// prior leaves them of the weight, they say nothing of the data.
    pub(crate) fn present(&self) -> Vec<bool> {
        /// Rows.
        const PRIOR: f64 = 2.0;
        let sizes = self.all_sizes();
        let total = sizes.iter().sum::<usize>() as f64;
        let is_present = |(c, size): (usize, &usize)| *size > 0 || self.weights.is_none_or(|w| w[c] * total >= PRIOR);
        sizes.iter().take(self.k()).enumerate().map(is_present).collect()
    }

    /// The number of rows with each label, in all.
    pub(crate) fn all_sizes(&self) -> Vec<usize> {
        self.sizes.map_or_else(|| self.counts(), <[usize]>::to_vec)
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
            finite("weights", weights.iter().enumerate())?;
        }
        if let Some(degrees) = self.degrees {
            expect("degrees of freedom", k, degrees.len())?;
            finite("degrees of freedom", degrees.iter().enumerate())?;
            if let Some((component, &degrees)) = degrees.iter().enumerate().find(|(_, degrees)| **degrees <= 0.0) {
                return Err(PlotError::Degrees { component, degrees });
            }
        }
        if let Some(sizes) = self.sizes {
            expect("sizes", self.n_labels(), sizes.len())?;
        }
        if let Some(weights) = self.row_weights {
            expect("weights of rows", n, weights.len())?;
            finite("weights of rows", weights.iter().enumerate())?;
            if let Some((row, &weight)) = weights.iter().enumerate().find(|(_, weight)| **weight < 0.0) {
                return Err(PlotError::Negative { row, weight });
            }
            if weights.iter().all(|weight| *weight == 0.0) {
                return Err(PlotError::NoPoints);
            }
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

pub(crate) fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), PlotError> {
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
    /// There are no rows that count, or no columns.
    #[error("there are no points to draw; give at least one row of positive weight and one column")]
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
    /// A row weighs less than nothing.
    #[error("the weight of row {row} is {weight}; weights are not negative")]
    Negative {
        /// 0-based row.
        row: usize,
        /// The weight.
        weight: f64,
    },
    /// No distribution has so many degrees of freedom.
    #[error("component {component} has {degrees:?} degrees of freedom; they are greater than 0")]
    Degrees {
        /// The component.
        component: usize,
        /// Its degrees of freedom.
        degrees: f64,
    },
    /// What says the labels of points gave one that is none.
    #[error(
        "{got} is no label of {k} clusters; regions are labelled by numbers below k, and k for noise where there is some"
    )]
    Region {
        /// What was given.
        got: usize,
        /// The number of clusters.
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
