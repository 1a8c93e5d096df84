//! The report of a model on a table: summary, scatter to touch, sizes, parameters, diagnostics, how to do it again.
//!
//! Rows are passed over twice, in whatever pieces they come:
//!
//! ```text
//! Survey (columns, a sample) ─► Axes (what can be drawn along) ─► Tally (density, sizes, doubt) ─► Report ─► one page
//! ```
//!
//! So the page is as small for a million rows as for a thousand: at most 4,000 rows are points, all are in the density behind
//! them. What the model says of rows is the caller's to compute.

mod axes;
mod html;
mod near;
mod pack;
mod survey;
mod tally;

pub use axes::{Axes, Groups, Projected};
pub use near::Near;
pub use survey::{Drawn, Survey};
pub use tally::{Labelled, Tally};

use crate::{Page, PageError};
use axes::expect;
use ndarray::Array2;
use pack::Packed;
use serde::Serialize;
use tally::BINS;

const SCRIPT: &str = include_str!("../../assets/report.js");
const STYLE: &str = include_str!("../../assets/report.css");

/// The most groups that are shown one by one; the rows of others are drawn alike.
const MOST_GROUPS: usize = 256;
/// The most values of a trace.
const MOST_TRACED: usize = 1000;

/// A report, as it is to be shown.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// What the model is, such as `Gaussian mixture, 2 components, full covariances`.
    pub title: &'a str,
    /// What the rows are of, such as a file's name.
    pub data: &'a str,
    /// Whether groups are components of a mixture, not clusters.
    pub is_mixture: bool,
    /// Paragraphs in plain words.
    pub words: &'a [String],
    /// What the reader should beware of.
    pub warnings: &'a [String],
    /// Names and values.
    pub figures: &'a [(String, String)],
    /// The groups.
    pub groups: Groups<'a>,
    /// The first pass.
    pub survey: &'a Survey,
    /// Its rows to draw.
    pub drawn: &'a Drawn,
    /// What they are drawn along.
    pub axes: &'a Axes,
    /// The second pass.
    pub tally: &'a Tally,
    /// What the rows that are drawn are called, where they have names.
    pub names: Option<&'a [String]>,
    /// The labels of the rows that are drawn.
    pub labels: &'a [usize],
    /// How near these rows are to groups.
    pub near: &'a Near,
    /// What is traced, and its values after each iteration.
    pub trace: (&'a str, &'a [f64]),
    /// The mean silhouette, of how many rows.
    pub silhouette: Option<(f64, usize)>,
    /// What the model was chosen from.
    pub selection: Option<Selection<'a>>,
    /// How the model came about, in words, and the command, if that is known.
    pub command: (&'a str, Option<&'a str>),
    /// The command of this page.
    pub page_command: &'a str,
}

/// A table of fits.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// What decided, in words.
    pub caption: &'a str,
    /// Names of the columns.
    pub head: &'a [String],
    /// Cells, and whether it is the row that was chosen.
    pub rows: &'a [(Vec<String>, bool)],
}

impl Report<'_> {
    /// The page.
    ///
    /// # Errors
    /// [`PageError::Count`] if parts disagree in size.
    pub fn to_html(&self) -> Result<String, PageError> {
        self.check()?;
        let shown = self.shown();
        let page = Page::new(&format!("{} — {}", self.title, self.data)).style(STYLE).body(&html::body(self, &shown));
        Ok(page.data("report", &self.content(&shown))?.script(SCRIPT).to_html())
    }

    fn check(&self) -> Result<(), PageError> {
        self.groups.check()?;
        let m = self.drawn.numbers.len();
        expect("names of rows that are drawn", m, self.names.map_or(m, <[String]>::len))?;
        expect("labels of rows that are drawn", m, self.labels.len())?;
        expect("rows with their nearest groups", m, self.near.n_rows())
    }

    /// The groups that are shown one by one: all, or the largest of many, in the order of their labels.
    fn shown(&self) -> Vec<usize> {
        let mut groups: Vec<usize> = (0..self.groups.k()).collect();
        groups.sort_by(|a, b| self.tally.weights[*b].total_cmp(&self.tally.weights[*a]));
        groups.truncate(MOST_GROUPS);
        groups.sort_unstable();
        groups
    }

    fn content(&self, shown: &[usize]) -> Content {
        let (k, axes) = (self.groups.k(), self.axes);
        // Where each label is in the legend: groups, then noise, then all others together.
        let place = |label: usize| match shown.binary_search(&label) {
            Ok(place) => place,
            Err(_) if label == k && self.groups.noise => shown.len(),
            Err(_) => shown.len() + usize::from(self.groups.noise),
        };
        let a = axes.len();
        let triangle = |matrix: &Array2<f64>| {
            (0..a).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|at| matrix[at]).collect::<Vec<f64>>()
        };
        let all_are_drawn = self.drawn.numbers.len() as u64 >= self.tally.n_rows();
        let pairs = if all_are_drawn { 0 } else { self.tally.n_pairs() };
        let places = axes.places(self.drawn.rows.view());
        let fraction = |((_, at), x): ((usize, usize), &f64)| {
            let axis = &axes.all[at];
            ((x - axis.low) / (axis.high - axis.low)) as f32
        };
        Content {
            mixture: self.is_mixture,
            k,
            ids: shown.to_vec(),
            noise: self.groups.noise,
            others: shown.len() < k,
            rows: shown.iter().map(|c| self.tally.rows[*c]).collect(),
            shares: shown.iter().map(|c| self.groups.shares[*c]).collect(),
            degrees: self.groups.degrees.map(|degrees| shown.iter().map(|c| degrees[*c]).collect()),
            axes: axes
                .all
                .iter()
                .zip(&self.tally.beyond)
                .map(|(axis, beyond)| AxisContent {
                    name: axis.name.clone(),
                    note: axis.note.clone(),
                    column: axis.column.is_some(),
                    low: axis.low,
                    high: axis.high,
                    beyond: *beyond,
                })
                .collect(),
            first: axes.first,
            n: self.tally.n_rows(),
            drawn: DrawnContent {
                numbers: Packed::f64s(self.drawn.numbers.iter().map(|number| *number as f64)),
                names: self.names.map(<[String]>::to_vec),
                labels: Packed::u16s(self.labels.iter().map(|label| place(*label) as u16)),
                true_labels: Packed::u32s(self.labels.iter().map(|label| *label as u32)),
                places: Packed::f32s(places.indexed_iter().map(fraction)),
                kept: self.near.kept(),
                who: Packed::u32s(self.near.groups.iter().copied()),
                share: Packed::f32s(self.near.values.iter().copied()),
                distances: self.near.are_distances,
            },
            bins: BINS,
            density: (0..pairs).map(|pair| Packed::u8s(self.tally.density(pair))).collect(),
            centres: Packed::f64s(shown.iter().flat_map(|c| axes.centres.row(*c).to_vec())),
            covariances: axes
                .covariances
                .as_ref()
                .map(|all| Packed::f64s(shown.iter().flat_map(|c| triangle(&all[*c])))),
            trace: Trace::new(self.trace),
            doubts: self.tally.doubts.clone(),
        }
    }
}

/// What the script is told.
#[derive(Debug, Serialize)]
struct Content {
    mixture: bool,
    k: usize,
    ids: Vec<usize>,
    noise: bool,
    others: bool,
    rows: Vec<u64>,
    shares: Vec<f64>,
    degrees: Option<Vec<f64>>,
    axes: Vec<AxisContent>,
    first: (usize, Option<usize>),
    n: u64,
    drawn: DrawnContent,
    bins: usize,
    density: Vec<Packed>,
    centres: Packed,
    covariances: Option<Packed>,
    trace: Trace,
    doubts: Option<Vec<u64>>,
}

#[derive(Debug, Serialize)]
struct AxisContent {
    name: String,
    note: String,
    column: bool,
    low: f64,
    high: f64,
    beyond: u64,
}

#[derive(Debug, Serialize)]
struct DrawnContent {
    numbers: Packed,
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    /// Places in the legend.
    labels: Packed,
    true_labels: Packed,
    /// m × a, from 0 at the low end of an axis to 1.
    places: Packed,
    /// Groups that are kept of each row.
    kept: usize,
    who: Packed,
    share: Packed,
    distances: bool,
}

/// The objective, of long fits every so many iterations.
#[derive(Debug, Serialize)]
struct Trace {
    name: String,
    at: Vec<usize>,
    values: Vec<f64>,
}

impl Trace {
    fn new((name, all): (&str, &[f64])) -> Self {
        let step = all.len().div_ceil(MOST_TRACED).max(1);
        let last = all.len().saturating_sub(1);
        let kept = (0..all.len()).filter(|i| (i % step == 0 || *i == last) && all[*i].is_finite());
        let (at, values) = kept.map(|i| (i + 1, all[i])).unzip();
        Self { name: name.to_string(), at, values }
    }
}

#[cfg(test)]
mod tests;
