//! What a report says in words, and the figures beside them.

use crate::args::ReportArgs;
use crate::columns::shown;
use crate::error::name_of;
use crate::model::{Model, Number, Score};
use crate::{provenance, summary};
use miscela::{Covariance, SelectionTable};
use miscela_page::report::{Survey, Tally};
use std::borrow::Cow;
use std::path::Path;

/// The most repairs and fits that are listed.
const MOST_REPAIRS: usize = 5;
const MOST_FITS: usize = 300;

/// Of a selection: what is said of it, the names of its columns, its rows and which was chosen.
type Fits = (String, Vec<String>, Vec<(Vec<String>, bool)>);

/// All of it.
pub(super) struct Words {
    pub(super) data: String,
    pub(super) words: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) figures: Vec<(String, String)>,
    /// What is traced.
    pub(super) objective: &'static str,
    pub(super) selection: Option<Fits>,
    pub(super) made: &'static str,
    pub(super) command: Option<String>,
    pub(super) page_command: String,
}

impl Words {
    pub(super) fn of<F: Number>(
        args: &ReportArgs,
        model: &Model<F>,
        score: &Score,
        (survey, tally): (&Survey, &Tally),
    ) -> Self {
        let selection = model.report().provenance.as_ref().and_then(|provenance| provenance.selection.as_ref());
        let command = provenance::shown(model.report());
        Self {
            data: file_name(&args.data),
            words: words(model, tally),
            warnings: warnings(model, survey, tally),
            figures: figures(model, score),
            objective: objective(model),
            selection: selection.map(fits),
            made: match &command {
                Some(_) => {
                    "The same version gives the same bits for the same data, seed and flags, with any number of threads; the seed is \
                     42 unless the command says another. The model was made by:"
                }
                None => {
                    "The model’s file does not say by which command it was made: the library or an older version wrote it."
                }
            },
            command,
            page_command: provenance::quoted(&provenance::of_this_command().command),
        }
    }
}

/// A file or folder without those above it.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| name_of(path), |name| name_of(Path::new(name)))
}

/// The table's own names, where the model was fitted on columns without any.
pub(super) fn column_names<'a>(model: &'a [String], table: &'a [String]) -> &'a [String] {
    let unnamed = model.iter().enumerate().all(|(j, name)| *name == format!("x{j}"));
    if unnamed && table.len() == model.len() { table } else { model }
}

fn objective<F: Number>(model: &Model<F>) -> &'static str {
    match (model.mixture(), model.bayesian()) {
        (None, _) => "inertia",
        (_, Some(_)) => "lower bound",
        (Some(mixture), None) if mixture.assignment() == miscela::Assignment::Soft => "log-likelihood",
        _ => "objective",
    }
}

fn words<F: Number>(model: &Model<F>, tally: &Tally) -> Vec<String> {
    let (k, noun) = (model.centres().nrows(), if model.mixture().is_some() { "component" } else { "cluster" });
    let what = match model.covariance() {
        Some(covariance) => format!(
            "The density of the rows is described as a sum of {}; {}. A row belongs to each with a probability, and its label is the \
             likeliest.",
            summary::count(k, noun),
            shape(covariance),
        ),
        None if model.tree().is_some() => format!(
            "The rows were split in two, again and again, into {}. A row goes down the tree, at each split to the nearer centre.",
            summary::count(k, noun)
        ),
        None => format!("The rows are parted among {}: each goes to the nearest centre.", summary::count(k, noun)),
    };
    let sizes = tally.sizes();
    let total: u64 = sizes.iter().sum();
    let of_all = |c: usize| format!("{noun} {c} with {:.1}\u{a0}%", 100.0 * sizes[c] as f64 / total.max(1) as f64);
    let largest = (0..k).max_by_key(|c| (sizes[*c], k - c));
    let smallest = (0..k).filter(|c| sizes[*c] > 0).min_by_key(|c| (sizes[*c], *c));
    let range = match (largest, smallest) {
        (Some(largest), Some(smallest)) if largest != smallest => {
            format!("The largest is {} of the rows, the smallest {}.", of_all(largest), of_all(smallest))
        }
        _ => String::new(),
    };
    let noise = match sizes.get(k).map(|rows| summary::count(*rows as usize, "row")) {
        Some(rows) if model.trimming().is_some() => format!("{rows} far from all centres are left out, label {k}."),
        Some(rows) => format!("{rows} of no component are noise, label {k}."),
        None => String::new(),
    };
    let scaled = match model.scaling() {
        Some(_) if model.mixture().is_some() => {
            "Each column was standardised before the fit; what is said of shapes is said of standardised columns."
                .to_string()
        }
        Some(_) => {
            "Each column was standardised before the fit, and distances are of standardised columns.".to_string()
        }
        None => String::new(),
    };
    let ended = format!("The fit: {}.", plain(&summary::ending(model)));
    [what, scaled, range, noise, ended].into_iter().filter(|words| !words.is_empty()).collect()
}

/// How free the shapes are, by the letters of mclust's name: volume, shape, orientation.
fn shape(covariance: Covariance) -> String {
    let letters: Vec<char> = covariance.mclust_name().chars().collect();
    let volume = if letters.first() == Some(&'E') { "they have one volume" } else { "each has a volume of its own" };
    let shape = match letters.get(1) {
        Some('I') => "all are round",
        Some('E') => "all have one shape",
        _ => "each has a shape of its own",
    };
    let orientation = match (letters.get(1), letters.get(2)) {
        (Some('I'), _) => "",
        (_, Some('I')) => ", and their axes lie along the columns",
        (_, Some('E')) => ", and all lie in one direction",
        _ => ", and lies in a direction of its own",
    };
    format!("{volume}, {shape}{orientation}")
}

fn warnings<F: Number>(model: &Model<F>, survey: &Survey, tally: &Tally) -> Vec<String> {
    let (report, k) = (model.report(), model.centres().nrows());
    let mut all = Vec::new();
    if !report.converged() && report.iterations > 0 {
        all.push(
            "The fit was ended before it had converged: what is shown may still change with more iterations."
                .to_string(),
        );
    }
    for repair in report.repairs.iter().take(MOST_REPAIRS) {
        all.push(format!(
            "Repaired in iteration {}: cluster {}, {}.",
            repair.iteration, repair.component, repair.detail
        ));
    }
    if report.repairs.len() > MOST_REPAIRS {
        let more = summary::count(report.repairs.len() - MOST_REPAIRS, "more repair");
        all.push(format!("And {more}, which the model’s file lists."));
    }
    if survey.n_missing() > 0 {
        let missing = summary::count(survey.n_missing() as usize, "value");
        all.push(format!(
            "{missing} are missing: rows are judged by what they show, and drawn where both axes are known."
        ));
    }
    let sizes: Vec<usize> = tally.sizes().iter().map(|rows| *rows as usize).collect();
    let of_fit = model.sizes();
    if of_fit.iter().any(|size| *size > 0) && sizes[..of_fit.len()] != *of_fit {
        all.push(
            "The sizes are not those of the fit. So these are other rows or weights, or the fit shared rows by more than what a \
             single row shows; figures of the fit and of these rows stand apart."
                .to_string(),
        );
    }
    let empty = sizes[..k].iter().filter(|rows| **rows == 0).count();
    if empty > 0 {
        let (have, noun) =
            (if empty == 1 { "has" } else { "have" }, if model.mixture().is_some() { "component" } else { "cluster" });
        all.push(format!("{} {have} no row of these data.", summary::count(empty, noun)));
    }
    all
}

fn figures<F: Number>(model: &Model<F>, score: &Score) -> Vec<(String, String)> {
    let (of_fit, here) = (model.likelihood(), score.likelihood);
    let report = model.report();
    let line = |name: &str, value: Option<String>| value.map(|value| (name.to_string(), value));
    // What the fit said, where it is not what these rows say.
    let both = |here: Option<f64>, fit: Option<f64>| {
        here.map(|here| match fit.filter(|fit| (fit - here).abs() > 1e-6 * here.abs()) {
            Some(fit) => format!("{} (in the fit {})", shown(here), shown(fit)),
            None => shown(here),
        })
    };
    let metric = model.metric().filter(|metric| *metric != "l2");
    let inertia = metric.map_or(Cow::Borrowed("inertia"), |metric| Cow::Owned(format!("inertia by {metric}")));
    [
        line(&inertia, both(score.inertia, model.inertia())),
        line("log-likelihood", both(here.log_likelihood, of_fit.log_likelihood)),
        line("log-likelihood a row", here.mean_log_likelihood.map(shown)),
        line("BIC (lower is better)", here.bic.map(shown)),
        line("ICL", here.icl.map(shown)),
        line("AIC", here.aic.map(shown)),
        line("free parameters", here.n_parameters.map(|n| n.to_string())),
        line("lower bound in the fit", model.bounds().map(|(bound, _)| shown(bound))),
        line("iterations", Some(report.iterations.to_string())),
        line("starts tried", Some(report.n_runs).filter(|runs| *runs > 1).map(|runs| runs.to_string())),
        line("computed in", Some(F::DTYPE.to_string())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The table of a selection, as text.
fn fits(table: &SelectionTable) -> Fits {
    let names: Vec<&String> = {
        let mut names: Vec<&String> = table.rows.iter().flat_map(|row| row.figures.keys()).collect();
        names.sort();
        names.dedup();
        // What decided comes first.
        names.sort_by_key(|name| **name != table.criterion);
        names
    };
    let has_covariance = table.rows.iter().any(|row| row.covariance.is_some());
    let has_error = table.rows.iter().any(|row| row.error.is_some());
    let covariance = has_covariance.then(|| "covariance".to_string());
    let note = has_error.then(|| "not chosen because".to_string());
    let criteria = names.iter().map(|name| name.replace('_', "-"));
    let head = ["k".to_string()].into_iter().chain(covariance).chain(criteria).chain(note).collect();
    let row = |row: &miscela::SelectionLine| {
        let covariance = has_covariance.then(|| row.covariance.clone().unwrap_or_default());
        let figures =
            names.iter().map(|name| row.figures.get(*name).map_or("–".to_string(), |figure| shown(*figure)));
        let error = has_error.then(|| row.error.clone().unwrap_or_default());
        ([row.k.to_string()].into_iter().chain(covariance).chain(figures).chain(error).collect(), row.chosen)
    };
    let (n, criterion) = (table.rows.len(), table.criterion.replace('_', "-"));
    let left_out = if n > MOST_FITS { format!("; the first {MOST_FITS} of them") } else { String::new() };
    let caption = format!("Chosen by {criterion} among {}{left_out}; ★ is this model", summary::count(n, "fit"));
    (caption, head, table.rows.iter().take(MOST_FITS).map(row).collect())
}

/// Without colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_structure_has_words() {
        assert_eq!(shape(Covariance::TiedSpherical), "they have one volume, all are round");
        assert_eq!(
            shape(Covariance::Full),
            "each has a volume of its own, each has a shape of its own, and lies in a direction of its own"
        );
        for covariance in Covariance::all() {
            assert!(!shape(covariance).ends_with([',', ' ']), "{covariance}");
        }
    }
}
