//! What a scatter can be drawn along: columns, and leading principal components where there are more than two.

use super::survey::{Drawn, Survey};
use crate::PageError;
use miscela_linalg::eigen;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis as Along};

/// The most columns and principal components that are offered.
const MOST_COLUMNS: usize = 10;
const MOST_COMPONENTS: usize = 3;
/// The most rows or columns whose products are decomposed.
const MOST_PRODUCTS: usize = 500;
/// The most columns that the weightiest parts of a principal component are named of.
const MOST_NAMED: usize = 3;

/// B Σₖ Bᵀ of group k's covariance for a basis B, a × d.
pub type Projected<'a> = dyn Fn(usize, ArrayView2<f64>) -> Array2<f64> + 'a;

/// The clusters or components of a model, as plain numbers.
#[derive(Clone, Copy)]
pub struct Groups<'a> {
    /// The names of the d columns.
    pub columns: &'a [String],
    /// k × d
    pub centres: ArrayView2<'a, f64>,
    /// The share of each, k, and that of the noise, if there is some.
    pub shares: &'a [f64],
    /// Rows of no group have the label k.
    pub noise: bool,
    /// Covariances as they look in a basis, where groups have such.
    pub covariance: Option<&'a Projected<'a>>,
    /// The degrees of freedom of Student-t components, k.
    pub degrees: Option<&'a [f64]>,
}

impl Groups<'_> {
    /// k
    pub(super) fn k(&self) -> usize {
        self.centres.nrows()
    }

    /// k, and one more with noise.
    pub(super) fn n_labels(&self) -> usize {
        self.k() + usize::from(self.noise)
    }

    /// Whether all parts are of the sizes that they should be.
    pub(super) fn check(&self) -> Result<(), PageError> {
        let (k, d) = self.centres.dim();
        expect("names of columns", d, self.columns.len())?;
        expect("shares", self.n_labels(), self.shares.len())?;
        self.degrees.map_or(Ok(()), |degrees| expect("degrees of freedom", k, degrees.len()))
    }

    /// The variance of the centres in each column, d.
    fn between(&self) -> Vec<f64> {
        let shares = &self.shares[..self.k()];
        let total: f64 = shares.iter().sum();
        let mean = |column: &ArrayView1<f64>, f: &dyn Fn(f64) -> f64| {
            column.iter().zip(shares).map(|(x, share)| share * f(*x)).sum::<f64>() / total
        };
        let variance = |column: ArrayView1<f64>| {
            let centre = mean(&column, &|x| x);
            mean(&column, &|x| (x - centre).powi(2))
        };
        self.centres.axis_iter(Along(1)).map(variance).collect()
    }
}

pub(super) fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), PageError> {
    if expected == got { Ok(()) } else { Err(PageError::Count { what, expected, got }) }
}

/// One of the axes that can be chosen.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    /// The column that it is.
    pub(super) column: Option<usize>,
    /// What a principal component is made of.
    pub(super) note: String,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// All axes that are offered.
#[derive(Clone, Debug)]
pub struct Axes {
    pub(super) all: Vec<Axis>,
    /// a × d
    basis: Array2<f64>,
    /// What is taken off the products of a principal component, a; 0 for columns.
    offsets: Vec<f64>,
    /// The pair that is shown first; the second is none for a density.
    pub(super) first: (usize, Option<usize>),
    /// How many columns there are to choose from.
    pub(super) n_columns: usize,
    /// The centres of the groups, k × a, and their covariances, a × a each, if they have some.
    pub(super) centres: Array2<f64>,
    pub(super) covariances: Option<Vec<Array2<f64>>>,
}

impl Axes {
    /// The axes of a survey: all columns, or of many those whose centres differ most; and principal components of the rows
    /// that are drawn.
    ///
    /// # Errors
    /// [`PageError::Count`] if the groups disagree with each other or the survey, [`PageError::NoRows`] without rows.
    pub fn new(survey: &Survey, drawn: &Drawn, groups: &Groups) -> Result<Self, PageError> {
        groups.check()?;
        let d = groups.columns.len();
        expect("columns of the rows", d, drawn.rows.ncols())?;
        if drawn.numbers.is_empty() || d == 0 {
            return Err(PageError::NoRows);
        }
        let separation = separation(survey, groups);
        let mut best: Vec<usize> = (0..d).collect();
        best.sort_by(|a, b| separation[*b].total_cmp(&separation[*a]));
        let first_two = (best[0].min(best[d.min(2) - 1]), best[0].max(best[d.min(2) - 1]));
        best.truncate(MOST_COLUMNS);
        best.sort_unstable();
        let components = if d > 2 { principal(drawn, groups.columns) } else { Vec::new() };
        let (n_columns, a) = (best.len(), best.len() + components.len());
        let (mut all, mut basis, mut offsets) = (Vec::new(), Array2::zeros((a, d)), vec![0.0; a]);
        for (at, column) in best.iter().enumerate() {
            basis[[at, *column]] = 1.0;
            let name = groups.columns[*column].clone();
            all.push(Axis { name, column: Some(*column), note: String::new(), low: 0.0, high: 0.0 });
        }
        for (at, Component { direction, offset, name, note }) in (n_columns..).zip(components) {
            basis.row_mut(at).assign(&direction);
            offsets[at] = offset;
            all.push(Axis { name, column: None, note, low: 0.0, high: 0.0 });
        }
        let of_column = |column: usize| best.iter().position(|other| *other == column).unwrap_or(0);
        let first = match d {
            1 => (0, None),
            _ if d > MOST_COLUMNS && a > n_columns + 1 => (n_columns, Some(n_columns + 1)),
            _ => (of_column(first_two.0), Some(of_column(first_two.1))),
        };
        let covariances = groups.covariance.map(|of| (0..groups.k()).map(|c| of(c, basis.view())).collect());
        let mut axes = Self { all, basis, offsets, first, n_columns: d, centres: Array2::zeros((0, a)), covariances };
        axes.centres = axes.places(groups.centres);
        axes.frame(&axes.places(drawn.rows.view()));
        Ok(axes)
    }

    /// a
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Where a row of d numbers is on axis `at`; NaN where a value that it needs is missing.
    pub(super) fn place(&self, at: usize, row: ArrayView1<f64>) -> f64 {
        match self.all[at].column {
            Some(column) => row[column],
            None => self.basis.row(at).dot(&row) - self.offsets[at],
        }
    }

    /// Where rows are, m × a.
    pub(super) fn places(&self, rows: ArrayView2<f64>) -> Array2<f64> {
        Array2::from_shape_fn((rows.nrows(), self.len()), |(i, at)| self.place(at, rows.row(i)))
    }

    /// Has each axis show all that is drawn and all centres, and of three standard deviations what lies near.
    fn frame(&mut self, points: &Array2<f64>) {
        for (at, axis) in self.all.iter_mut().enumerate() {
            let (low, high) = range(points.column(at).iter().copied());
            let reach = 0.25 * (high - low);
            let deviation = |c: usize| self.covariances.as_ref().map_or(0.0, |all| all[c][[at, at]].max(0.0).sqrt());
            let near = (0..self.centres.nrows()).flat_map(|c| {
                [-3.0, 0.0, 3.0].map(|r| (self.centres[[c, at]] + r * deviation(c)).clamp(low - reach, high + reach))
            });
            let (low, high) = range(near.chain([low, high]));
            (axis.low, axis.high) = padded(low, high);
        }
    }
}

/// The range and a little more, never nothing.
fn padded(low: f64, high: f64) -> (f64, f64) {
    let margin = 0.04 * (high - low);
    let least = 1e-9 * low.abs().max(high.abs());
    if margin > least {
        return (low - margin, high + margin);
    }
    let half = if least > 0.0 { 0.1 * low.abs().max(high.abs()) } else { 1.0 };
    (low - half, high + half)
}

/// The smallest and greatest of what is a number.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low <= high { (low, high) } else { (0.0, 0.0) }
}

/// The share of each column's variance that lies between the centres, d.
fn separation(survey: &Survey, groups: &Groups) -> Vec<f64> {
    let share = |(between, total): (f64, f64)| if total > 0.0 && between.is_finite() { between / total } else { 0.0 };
    groups.between().into_iter().zip(survey.variances()).map(share).collect()
}

/// A principal component.
struct Component {
    direction: Array1<f64>,
    offset: f64,
    name: String,
    note: String,
}

/// The leading principal components of the complete rows among those drawn: by the eigenvectors of XᵀX, or, where there are
/// more columns than rows to take, of XXᵀ.
fn principal(drawn: &Drawn, columns: &[String]) -> Vec<Component> {
    let d = columns.len();
    let complete: Vec<usize> =
        (0..drawn.rows.nrows()).filter(|i| drawn.rows.row(*i).iter().all(|x| x.is_finite())).collect();
    let by_columns = d <= MOST_PRODUCTS;
    let step = if by_columns { 1 } else { complete.len().div_ceil(MOST_PRODUCTS).max(1) };
    let taken: Vec<usize> = complete.into_iter().step_by(step).collect();
    let mut x = drawn.rows.select(Along(0), &taken);
    let Some(mean) = x.mean_axis(Along(0)) else { return Vec::new() };
    x -= &mean;
    let products = if by_columns { x.t().dot(&x) } else { x.dot(&x.t()) };
    let (m, total) = (products.nrows(), products.diag().sum());
    let Some(found) = eigen(products.as_standard_layout().as_slice().unwrap_or_default(), m) else { return Vec::new() };
    let component = |rank: usize| {
        let at = m.checked_sub(rank + 1)?;
        let value = found.values[at];
        // What is nothing but rounding has no direction.
        if value.is_nan() || value <= 1e-12 * total {
            return None;
        }
        let vector = Array1::from_shape_fn(m, |i| found.vectors[i * m + at]);
        let mut direction = if by_columns { vector } else { x.t().dot(&vector) / value.sqrt() };
        // Of either sign: the weightiest part is positive.
        if direction.iter().fold(0.0, |most: f64, x| if x.abs() > most.abs() { *x } else { most }) < 0.0 {
            direction *= -1.0;
        }
        let name = format!("PC {} ({:.1} % of the variance)", rank + 1, 100.0 * value / total);
        let (offset, note) = (direction.dot(&mean), made_of(&direction, columns));
        Some(Component { direction, offset, name, note })
    };
    (0..MOST_COMPONENTS.min(d)).map_while(component).collect()
}

/// The weightiest parts of a direction, in words.
fn made_of(direction: &Array1<f64>, columns: &[String]) -> String {
    let mut parts: Vec<usize> = (0..columns.len()).collect();
    parts.sort_by(|a, b| direction[*b].abs().total_cmp(&direction[*a].abs()));
    let part = |j: &usize| format!("{:.2} × {}", direction[*j], columns[*j]).replace('-', "−");
    let named: Vec<String> = parts.iter().take(MOST_NAMED).map(part).collect();
    let rest = if columns.len() > MOST_NAMED { " + …" } else { "" };
    (named.join(" + ") + rest).replace("+ −", "− ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows along one direction of many columns, with a little of a second.
    fn survey(n: usize, d: usize) -> (Survey, Vec<String>) {
        let row = |i: usize| (i as f64 / n as f64 - 0.5, ((i * 7) % n) as f64 / n as f64);
        let rows = Array2::from_shape_fn((n, d), |(i, j)| match j {
            0 => 3.0 * row(i).0,
            1 => 4.0 * row(i).0,
            2 => 0.1 * row(i).1,
            _ => 5.0,
        });
        let mut survey = Survey::new(d, 0);
        survey.add(rows.view(), None);
        (survey, (0..d).map(|j| format!("c{j}")).collect())
    }

    #[test]
    fn principal_components_are_found_by_columns_and_by_rows() {
        for d in [4, 700] {
            let (survey, columns) = survey(300, d);
            let found = principal(&survey.drawn(), &columns);
            assert_eq!(found.len(), 2, "the rest is nothing");
            let direction = &found[0].direction;
            assert!((direction[0] - 0.6).abs() < 1e-4 && (direction[1] - 0.8).abs() < 1e-4, "{direction}");
            assert!(found[0].name.starts_with("PC 1 (100.0 %"), "{}", found[0].name);
            assert!(found[0].note.starts_with("0.80 × c1 + 0.60 × c0"), "{}", found[0].note);
        }
    }

    #[test]
    fn of_many_columns_those_that_separate_are_offered() {
        let d = 40;
        let (survey, columns) = survey(300, d);
        let centres = Array2::from_shape_fn((2, d), |(c, j)| if j == 1 { c as f64 * 3.0 } else { 0.0 });
        let groups = Groups {
            columns: &columns,
            centres: centres.view(),
            shares: &[0.5, 0.5],
            noise: false,
            covariance: None,
            degrees: None,
        };
        let axes = Axes::new(&survey, &survey.drawn(), &groups).unwrap();
        assert_eq!(axes.len(), MOST_COLUMNS + 2);
        assert!(axes.all.iter().any(|axis| axis.column == Some(1)));
        assert_eq!(axes.first, (MOST_COLUMNS, Some(MOST_COLUMNS + 1)));
        for axis in &axes.all {
            assert!(axis.low < axis.high, "{axis:?}");
        }
        let short = Groups { shares: &[1.0], ..groups };
        assert!(matches!(Axes::new(&survey, &survey.drawn(), &short), Err(PageError::Count { .. })));
    }
}
