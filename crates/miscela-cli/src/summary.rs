//! Results in words, for people.

use crate::args::FitArgs;
use crate::columns::{Column, aligned, decimals_for, shown};
use crate::error::name_of;
use crate::model::{Model, Number, Score};
use crate::output::{HINT, TITLE, WARNING};
use crate::provenance;
use miscela::{
    AnyCentred, Assignment, BisectingKMeans, Covariance, Mixing, Report, Search, SearchReport, Termination, Trimming,
};
use std::fmt::Write;
use std::path::Path;

/// The most clusters, characters of a line, and repairs that are listed.
const MOST_CLUSTERS: usize = 20;
const MOST_WIDTH: usize = 100;
const MOST_REPAIRS: usize = 5;

/// What a model is: `Gaussian mixture, 2 components, full covariances`.
pub(crate) fn title<F: Number>(model: &Model<F>) -> String {
    let k = model.centres().nrows();
    let Some(mixture) = model.mixture() else {
        let kind = if model.tree().is_some() { "bisecting k-means" } else { "k-means" };
        return format!("{kind}, {}", count(k, "cluster"));
    };
    if let Some(bayesian) = model.bayesian() {
        let (used, prior) = (bayesian.n_effective(), bayesian.weight_prior());
        return format!(
            "Bayesian mixture, {}, of which {used} in use, {} covariances, {} with concentration {}",
            count(k, "component"),
            covariance(model),
            prior.name(),
            shown(prior.concentration()),
        );
    }
    let how = match mixture.assignment() {
        Assignment::Soft => String::new(),
        other => format!(", {other} assignment"),
    };
    let weights = match mixture.mixing() {
        Mixing::Free => "",
        Mixing::Equal => ", equal weights",
        _ => ", given weights",
    };
    let noise = if mixture.noise().is_some() { " and noise" } else { "" };
    let kind = if mixture.degrees().is_some() { "Student-t mixture" } else { "Gaussian mixture" };
    format!("{kind}, {}{noise}, {} covariances{how}{weights}", count(k, "component"), covariance(model))
}

/// The name of the structure of the covariances: of scaled columns, where they were.
fn covariance<F: Number>(model: &Model<F>) -> &'static str {
    model.covariance().map_or("", Covariance::name)
}

/// The summary of `fit`; `uneven` is what is to be said of the columns.
pub(crate) fn fit<F: Number>(model: &Model<F>, n_samples: usize, args: &FitArgs, uneven: Option<&str>) -> String {
    let mut text = format!(
        "{TITLE}{}{TITLE:#}: {} × {} of {}\n\n",
        title(model),
        count(n_samples, "row"),
        count(model.centres().ncols(), "column"),
        name_of(&args.data),
    );
    text += &clusters(model);
    text += "\n";
    let ended = vec![("ended", ending(model))];
    let searched = searched(model.report());
    let lines = [
        missing(model.report()),
        scaled(model),
        trimmed(model),
        depth(model),
        objective(model),
        criteria(model),
        degrees(model),
        ended,
        searched,
    ];
    text += &figures(&lines.concat());
    text += &repairs(model.report());
    if let Some(sentence) = uneven {
        let _ = writeln!(text, "  {WARNING}units{WARNING:#}           {sentence}");
    }
    text += &next(args);
    text
}

/// What a search did.
fn searched(report: &Report) -> Vec<(&'static str, String)> {
    let line = |search: &SearchReport| {
        let what = if search.method == Search::Swap { "swap" } else { "breath" };
        let (tried, iterations) = (count(search.tried, what), count(search.iterations, "iteration"));
        format!("{tried}, {} kept, in {iterations}; {} before", search.kept, shown(search.before))
    };
    report.search.iter().map(|search| ("searched", line(search))).collect()
}

/// The summary of `info`.
pub(crate) fn info<F: Number>(model: &Model<F>, path: &Path) -> String {
    let mut text = format!(
        "{TITLE}{}{TITLE:#}: {} in {}, of {}\n\n",
        title(model),
        count(model.centres().ncols(), "column"),
        F::DTYPE,
        name_of(path),
    );
    text += &clusters(model);
    text += "\n";
    let runs = vec![("runs", model.report().n_runs.to_string())];
    text += &figures(
        &[
            scaled(model),
            trimmed(model),
            depth(model),
            objective(model),
            criteria(model),
            degrees(model),
            runs,
            vec![("ended", ending(model))],
            provenance::shown(model.report()).into_iter().map(|command| ("made by", command)).collect(),
        ]
        .concat(),
    );
    text += &repairs(model.report());
    text
}

/// The summary of `score`.
pub(crate) fn score<F: Number>(score: &Score, model: &Model<F>, data: &Path) -> String {
    let rows = count(score.n_samples, "row");
    let likelihood = score.likelihood;
    let lines = [
        ("inertia", score.inertia.map(shown)),
        ("log-likelihood", likelihood.log_likelihood.map(shown)),
        ("a row", likelihood.mean_log_likelihood.map(shown)),
        ("parameters", likelihood.n_parameters.map(|n| n.to_string())),
        ("BIC", likelihood.bic.map(lower_is_better)),
        ("AIC", likelihood.aic.map(shown)),
        ("ICL", likelihood.icl.map(shown)),
    ];
    let lines: Vec<_> = lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    format!("{TITLE}{}{TITLE:#} on {rows} of {}\n\n{}", title(model), name_of(data), figures(&lines))
}

/// `1 row`, `2 rows`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// The table of clusters: sizes, weights, centres.
fn clusters<F: Number>(model: &Model<F>) -> String {
    let (k, d) = model.centres().dim();
    let listed = k.min(MOST_CLUSTERS);
    let (cluster, weight) = if model.mixture().is_some() { ("component", "weight") } else { ("cluster", "share") };
    // Noise, if there is some, comes after all clusters and has no centre.
    let (noise, shares) = (model.sizes().get(k), model.shares());
    let rows: Vec<usize> = model.sizes()[..listed].iter().chain(noise).copied().collect();
    let shares = shares[..listed].iter().chain(shares.get(k));
    let mut table = vec![
        Column::new(cluster, (0..listed).map(|c| c.to_string()).chain(noise.map(|_| "noise".to_string()))),
        Column::new("rows", rows.iter().map(usize::to_string)),
        Column::new(weight, shares.map(|share| format!("{:.1}%", 100.0 * share))),
    ];
    let mut width: usize = table.iter().map(Column::width).sum();
    let mut columns = 0;
    for j in 0..d {
        let centres: Vec<f64> = model.centres().column(j).iter().map(|x| x.widen()).collect();
        let deviations = model.deviations(j);
        let decimals = decimals_for(&centres, &deviations);
        let cell = |c: usize| match deviations.get(c) {
            Some(deviation) => format!("{} ± {}", decimals.write(centres[c]), decimals.write(*deviation)),
            None => decimals.write(centres[c]),
        };
        let column = Column::new(&model.feature_names()[j], (0..listed).map(cell).chain(noise.map(|_| String::new())));
        width += column.width();
        if width > MOST_WIDTH && j > 0 {
            break;
        }
        table.push(column);
        columns += 1;
    }
    let mut text = aligned(&table);
    for (more, noun) in [(k - listed, cluster), (d - columns, "column")] {
        text += &and_more(more, noun);
    }
    text
}

/// The line that says that not all is listed.
fn and_more(more: usize, noun: &str) -> String {
    if more == 0 {
        String::new()
    } else {
        format!("  … and {}; --json shows all\n", count(more, &format!("more {noun}")))
    }
}

/// How many values were missing, if any were.
fn missing(report: &Report) -> Vec<(&'static str, String)> {
    let n = report.n_missing;
    if n == 0 { Vec::new() } else { vec![("missing", format!("{}, fitted by the others", count(n, "value")))] }
}

/// That columns were scaled, and what remains in units of that.
fn scaled<F: Number>(model: &Model<F>) -> Vec<(&'static str, String)> {
    let what = if model.mixture().is_some() { "their structure is" } else { "distances are" };
    let line = |_| ("columns", format!("standardised; {what} in standard deviations of each column"));
    model.scaling().map(line).into_iter().collect()
}

/// How deep a tree is, and that it has other cuts.
fn depth<F: Number>(model: &Model<F>) -> Vec<(&'static str, String)> {
    let line = |tree: &BisectingKMeans<F, AnyCentred>| {
        let (splits, k) = (count(tree.depth(), "split"), tree.n_clusters());
        ("tree", format!("at most {splits} from the root to a cluster; --cut 1 to {k} of predict and score"))
    };
    model.tree().map(line).into_iter().collect()
}

/// How many rows were left out, if that was asked for.
fn trimmed<F: Number>(model: &Model<F>) -> Vec<(&'static str, String)> {
    let line = |trimming: Trimming| {
        let (rows, label) = (count(trimming.n_rows, "row"), model.centres().nrows());
        ("left out", format!("{rows} far from all centres, label {label}"))
    };
    model.trimming().map(line).into_iter().collect()
}

fn objective<F: Number>(model: &Model<F>) -> Vec<(&'static str, String)> {
    let likelihood = model.likelihood();
    let per_row = likelihood.mean_log_likelihood.map(|mean| format!(" ({} a row)", shown(mean))).unwrap_or_default();
    let by =
        model.metric().filter(|metric| *metric != "l2").map(|metric| format!(" (by {metric})")).unwrap_or_default();
    let inertia = model.inertia().map(|inertia| ("inertia", shown(inertia) + &by));
    let total = likelihood.log_likelihood.map(|total| ("log-likelihood", shown(total) + &per_row));
    let bound = model.bounds().map(|(bound, _)| ("lower bound", shown(bound)));
    inertia.into_iter().chain(bound).chain(total).collect()
}

fn criteria<F: Number>(model: &Model<F>) -> Vec<(&'static str, String)> {
    let likelihood = model.likelihood();
    match (likelihood.bic, likelihood.n_parameters) {
        (Some(bic), Some(n)) => vec![("BIC", lower_is_better(bic)), ("parameters", n.to_string())],
        _ => Vec::new(),
    }
}

/// The degrees of freedom of Student-t components.
fn degrees<F: Number>(model: &Model<F>) -> Vec<(&'static str, String)> {
    let Some(degrees) = model.mixture().and_then(|mixture| mixture.degrees()) else { return Vec::new() };
    let same = degrees.iter().all(|v| *v == degrees[0]);
    let listed = if same { 1 } else { degrees.len().min(MOST_CLUSTERS) };
    let text: Vec<String> = degrees[..listed].iter().map(|v| format!("{v:.2}")).collect();
    vec![("degrees", text.join(", "))]
}

fn lower_is_better(criterion: f64) -> String {
    format!("{} (lower is better)", shown(criterion))
}

/// Why the fit ended.
pub(crate) fn ending<F: Number>(model: &Model<F>) -> String {
    let report = model.report();
    let after = count(report.iterations, "iteration");
    match report.termination {
        Termination::MaxIterations if model.assignment() == Assignment::Stochastic && report.iterations > 0 => {
            format!("the best of {after}")
        }
        _ if model.centres().nrows() == 1 && model.tree().is_some() => "one cluster, not split".to_string(),
        Termination::Tolerance => format!("converged after {after}: the change fell below the tolerance"),
        Termination::LabelsUnchanged => format!("converged after {after}: no row changed its cluster"),
        Termination::Optimal => "solved: no clustering of these values is better".to_string(),
        Termination::MaxIterations if model.tree().is_some() && report.iterations > 0 => {
            format!(
                "{WARNING}not converged{WARNING:#}: a split came to the limit of its iterations; raise it with --max-iter"
            )
        }
        Termination::MaxIterations if report.iterations == 0 => "the start as it is, with no iteration".to_string(),
        Termination::MaxIterations => {
            format!("{WARNING}not converged{WARNING:#} within the limit of {after}; raise it with --max-iter")
        }
        Termination::TimeLimit => format!("{WARNING}not converged{WARNING:#}: the time was up after {after}"),
        Termination::Interrupted => format!("{WARNING}not converged{WARNING:#}: interrupted after {after}"),
        other => format!("{other} after {after}"),
    }
}

/// The same in plain characters, as the caption of a picture.
pub(crate) fn plain_ending<F: Number>(model: &Model<F>) -> String {
    ending(model).replace(&WARNING.to_string(), "").replace(&format!("{WARNING:#}"), "")
}

/// Names and values, one a line.
pub(crate) fn figures(lines: &[(&str, String)]) -> String {
    lines.iter().map(|(name, value)| format!("  {name:<15} {value}\n")).collect()
}

/// What had to be repaired.
fn repairs(report: &Report) -> String {
    let mut text = String::new();
    for repair in report.repairs.iter().take(MOST_REPAIRS) {
        let (component, iteration) = (repair.component, repair.iteration);
        let when = if iteration == 0 { "at the start".to_string() } else { format!("in iteration {iteration}") };
        let _ = writeln!(text, "  {WARNING}repaired{WARNING:#}        cluster {component} {when}: {}", repair.detail);
    }
    text + &and_more(report.repairs.len().saturating_sub(MOST_REPAIRS), "repair")
}

/// What was written, and what to do next.
fn next(args: &FitArgs) -> String {
    let mut text = String::new();
    let written =
        [("model", &args.output), ("labels", &args.labels), ("plot", &args.plot), ("trace", &args.plot_trace)];
    for (what, path) in written {
        if let Some(path) = path {
            let _ = writeln!(text, "  {what:<15} written to {}", path.display());
        }
    }
    let hint = match &args.output {
        Some(model) => format!("label other rows with: miscela predict {} DATA", model.display()),
        None => "keep the model with -o model.json, label the rows with --labels labels.csv".to_string(),
    };
    let _ = writeln!(text, "\n{HINT}Next: {hint}{HINT:#}");
    text
}
