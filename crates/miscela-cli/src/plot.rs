//! Pictures of what the commands found.

use crate::answer::is_small_dense;
use crate::error::{Failure, name_of};
use crate::model::{Model, Number};
use crate::summary;
use miscela::{Criterion, KMeansCriterion, KMeansSelection, KMeansSelectionRow, Selection, SelectionRow};
use miscela_plot::{Clusters, Curve, Curves, ImageFormat, Picture, Silhouettes};
use ndarray::{Array2, ArrayView2, Axis};
use std::path::Path;

/// The ending is that of a picture.
pub(crate) fn check(path: Option<&Path>) -> Result<(), Failure> {
    path.map_or(Ok(()), |path| ImageFormat::of(path).map(drop).map_err(Failure::call))
}

pub(crate) fn save(picture: &Picture, path: &Path) -> Result<(), Failure> {
    picture.save(path).map_err(|error| Failure::in_file(path, error))
}

/// Rows with the labels of a model.
pub(crate) struct Labelled<'a, F> {
    pub(crate) rows: &'a Array2<F>,
    pub(crate) labels: &'a [usize],
    pub(crate) weights: Option<&'a [f64]>,
    /// How many rows there are, where these are a sample.
    pub(crate) sample_of: Option<usize>,
    /// How many rows each label has in all, where that is known.
    pub(crate) sizes: Option<&'a [usize]>,
}

/// The clusters: without ellipses where all matrices together would be too much.
pub(crate) fn clusters<F: Number>(model: &Model<F>, drawn: &Labelled<'_, F>) -> Result<Picture, Failure> {
    let (rows, centres) = (drawn.rows.mapv(F::widen), model.centres().mapv(F::widen));
    let (title, note) = (summary::title(model), note(model, drawn));
    // Regions are drawn of two columns alone.
    let label = |at: ArrayView2<'_, f64>| labels_where_defined(model, at.mapv(F::narrow).view());
    let mut clusters = Clusters::new(rows.view(), drawn.labels, centres.view())
        .names(model.feature_names())
        .title(&title)
        .note(&note)
        .regions(&label);
    if let Some(weights) = drawn.weights {
        clusters = clusters.row_weights(weights);
    }
    if let Some(sizes) = drawn.sizes {
        clusters = clusters.sizes(sizes);
    }
    if model.trimming().is_some() {
        clusters = clusters.rest("left out");
    }
    let Some(mixture) = model.mixture() else { return Picture::clusters(&clusters).map_err(Failure::fault) };
    let weights: Vec<f64> = mixture.weights().iter().map(|w| w.widen()).collect();
    clusters = clusters.weights(&weights);
    if mixture.noise().is_some() {
        clusters = clusters.noise();
    }
    if let Some(degrees) = mixture.degrees() {
        clusters = clusters.degrees(degrees);
    }
    let covariances = is_small_dense(mixture).then(|| mixture.covariances().mapv(F::widen));
    if let Some(covariances) = &covariances {
        clusters = clusters.covariances(covariances.view());
    }
    Picture::clusters(&clusters).map_err(Failure::fault)
}

/// What the picture cannot show by itself.
fn note<F: Number>(model: &Model<F>, drawn: &Labelled<'_, F>) -> String {
    let sample = drawn.sample_of.map(|all| format!("A sample of {} of {all} rows.", drawn.rows.nrows()));
    let metric = model.metric().filter(|metric| *metric != "l2").map(|metric| format!("Distances: {metric}."));
    let missing =
        (model.report().n_missing > 0).then(|| "Missing values are drawn where the model expects them.".to_string());
    let scaled = model.scaling().map(|_| "Fitted to standardised columns.".to_string());
    sample.into_iter().chain(metric).chain(scaled).chain(missing).collect::<Vec<_>>().join(" ")
}

/// The label of each row, m, but for rows beyond the domain of the model's distance.
fn labels_where_defined<F: Number>(model: &Model<F>, rows: ArrayView2<'_, F>) -> Vec<Option<usize>> {
    match model.labels(&rows.to_owned(), Path::new("")) {
        Ok(labels) => labels.into_iter().map(Some).collect(),
        Err(_) if rows.nrows() < 2 => vec![None; rows.nrows()],
        Err(_) => {
            let (first, second) = rows.split_at(Axis(0), rows.nrows() / 2);
            let first = labels_where_defined(model, first);
            first.into_iter().chain(labels_where_defined(model, second)).collect()
        }
    }
}

/// The objective along the iterations of the best run.
pub(crate) fn trace<F: Number>(model: &Model<F>) -> Result<Picture, Failure> {
    let report = model.report();
    let name = match (model.inertia(), model.bayesian()) {
        (Some(_), _) => "inertia",
        (None, Some(_)) => "lower bound",
        (None, None) => "log-likelihood",
    };
    // A fit without iterations has an objective nevertheless.
    let end = report.run_objectives.last().copied().or(model.inertia()).unwrap_or(0.0);
    let (trace, none) = (&report.trace, [end]);
    let ending = summary::plain_ending(model);
    let note = match report.n_runs {
        0 | 1 => format!("Ended: {ending}."),
        runs => format!("The best of {runs} runs: {ending}."),
    };
    let values = if trace.is_empty() { none.as_slice() } else { trace };
    Picture::trace_with(values, name, &summary::title(model), &note).map_err(Failure::fault)
}

/// A criterion over the number of components, a line for each covariance structure, without fits that failed or collapsed: those
/// are never the best, and the likelihood of the latter tells nothing.
pub(crate) fn mixtures<F: Number>(selection: &Selection<F>, data: &Path) -> Curves {
    let (criterion, table, best) = (selection.criterion(), selection.table(), selection.best_row());
    let mut structures: Vec<_> = vec![];
    for row in table {
        if !structures.contains(&row.covariance) {
            structures.push(row.covariance);
        }
    }
    let value = move |row: &SelectionRow| match row.error {
        None => criterion.of(row).filter(|value| value.is_finite()),
        Some(_) => None,
    };
    let values = |structure| {
        let rows = table.iter().filter(move |row| row.covariance == structure);
        rows.filter_map(move |row| Some((row.k, value(row)?)))
    };
    let name = match criterion {
        Criterion::HeldOut => "mean log-likelihood of held-out rows (higher is better)".to_string(),
        other => format!("{} (lower is better)", other.name().to_uppercase()),
    };
    let curves = structures.iter().map(|structure| Curve::new(structure.name(), values(*structure)));
    let at = structures.iter().position(|structure| *structure == best.covariance).unwrap_or(0);
    let missing = table.iter().filter(|row| value(row).is_none()).count();
    let mut note = format!("Best: {}, {}.", best.covariance, summary::count(best.k, "component"));
    if missing > 0 {
        note += &format!(" Not drawn: {} that failed or collapsed.", summary::count(missing, "fit"));
    }
    Curves::new().panel(name, curves).best(best.k, at).title(format!("Mixtures of {}", name_of(data))).note(note)
}

/// The criteria over the number of clusters: inertia, silhouette and gap, and the one that the best was chosen by.
pub(crate) fn clusterings<F: Number>(selection: &KMeansSelection<F>, data: &Path) -> Curves {
    type Value = fn(&KMeansSelectionRow) -> Option<f64>;
    let (criterion, table) = (selection.criterion(), selection.table());
    let curve = |value: Value, error: Value| {
        let values = |of: Value| table.iter().filter_map(move |row| Some((row.k, of(row).filter(|x| x.is_finite())?)));
        [Curve::new("", values(value)).errors(values(error))]
    };
    let none: Value = |_| None;
    let mut curves = Curves::new()
        .panel("inertia", curve(|row| row.inertia, none))
        .panel("silhouette", curve(|row| row.silhouette, |row| row.silhouette_se))
        .panel("gap", curve(|row| row.gap, |row| row.gap_se));
    match criterion {
        KMeansCriterion::CalinskiHarabasz => {
            curves = curves.panel("Calinski-Harabasz", curve(|row| row.calinski_harabasz, none));
        }
        KMeansCriterion::DaviesBouldin => {
            curves = curves.panel("Davies-Bouldin", curve(|row| row.davies_bouldin, none));
        }
        _ => {}
    }
    let k = selection.best_row().k;
    let note = format!("Best by {}: {}. Bars: standard errors.", criterion.name(), summary::count(k, "cluster"));
    curves.best(k, 0).title(format!("K-means of {}", name_of(data))).note(note)
}

/// The silhouettes of rows of positive weight.
pub(crate) fn silhouettes(
    values: &[f64],
    labels: &[usize],
    weights: Option<&[f64]>,
    mean: f64,
    title: &str,
) -> Result<Picture, Failure> {
    let counts = |row: usize| weights.is_none_or(|weights| weights[row] > 0.0);
    let (values, labels): (Vec<f64>, Vec<usize>) =
        (0..values.len().min(labels.len())).filter(|row| counts(*row)).map(|row| (values[row], labels[row])).unzip();
    let note = if weights.is_some() { "The mean is weighted." } else { "" };
    Picture::silhouettes(&Silhouettes::new(&values, &labels).mean(mean).title(title).note(note)).map_err(Failure::fault)
}
