//! The parts of the page that are there without a script: words and tables.

use super::tally::{BARS, DOUBT};
use super::{Report, Selection};
use crate::escape;
use miscela_plot::N_COLOURS;
use std::fmt::Write;

pub(super) fn body(report: &Report, shown: &[usize]) -> String {
    let sections = [
        section("summary", "Summary", &summary(report)),
        section("scatter", &format!("Rows and {}s", noun(report)), &scatter(report)),
        section("sizes", "Sizes", &sizes(report, shown)),
        section("parameters", "Parameters", &parameters(report, shown)),
        report
            .selection
            .as_ref()
            .map_or_else(String::new, |table| section("selection", "Selection", &selection(table))),
        section("diagnostics", "Diagnostics", &diagnostics(report)),
        section("again", "To do it again", &again(report)),
    ];
    format!(
        "<a class=\"skip\" href=\"#scatter\">Skip to the scatter plot</a>\n<header class=\"top\">\n<h1>{}</h1>\n\
         <p class=\"dim\">{} × {} of {}</p>\n</header>\n<main>\n{}</main>\n\
         <footer class=\"dim small\"><p>This page is one file and loads nothing. Rows and labels count from 0.</p></footer>",
        escape(report.title),
        count(report.survey.n_rows(), "row"),
        count(report.axes.n_columns as u64, "column"),
        escape(report.data),
        sections.concat(),
    )
}

fn section(id: &str, title: &str, content: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{content}</section>\n"
    )
}

/// A table under its caption, which scrolls by itself where it is too large.
fn table(id: &str, caption: &str, head: &str, body: &str) -> String {
    format!(
        "<p class=\"caption\" id=\"{id}-caption\">{caption}</p>\n<div class=\"wide tall\" tabindex=\"0\" role=\"region\" \
         aria-labelledby=\"{id}-caption\">\n<table aria-labelledby=\"{id}-caption\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\
         </tbody>\n</table>\n</div>\n"
    )
}

/// Names of columns, which are markup.
fn head<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect()
}

/// What groups are called.
fn noun(report: &Report) -> &'static str {
    if report.is_mixture { "component" } else { "cluster" }
}

fn summary(report: &Report) -> String {
    let words = report.words.iter().map(|words| format!("<p>{}</p>\n", escape(words)));
    let warnings = report.warnings.iter().map(|words| format!("<p class=\"warn\">{}</p>\n", escape(words)));
    let figures = report
        .figures
        .iter()
        .map(|(name, value)| format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value)));
    words.chain(warnings).collect::<String>() + "<dl class=\"figures\">\n" + &figures.collect::<String>() + "</dl>\n"
}

/// The places that the script fills.
fn scatter(report: &Report) -> String {
    let noun = noun(report);
    let ellipses = match report.groups.covariance {
        Some(_) => {
            "<label><input type=\"checkbox\" id=\"ellipses\"> <span id=\"ellipses-are\">ellipses</span></label>\n"
        }
        None => "",
    };
    let density = match is_sample(report) {
        true => "<label><input type=\"checkbox\" id=\"density\" checked> density of all rows</label>\n",
        false => "",
    };
    format!(
        "<div class=\"row\">\n<label>across <select id=\"x\"></select></label>\n<label>up <select id=\"y\"></select></label>\n\
         {ellipses}{density}</div>\n<p class=\"dim small\" id=\"axes-note\"></p>\n\
         <noscript><p class=\"warn\">The plots of this page need its script to run; words and tables do not.</p></noscript>\n\
         <div class=\"plot\">\n<div class=\"stack\"><canvas id=\"plot\" tabindex=\"0\" role=\"application\" \
         aria-roledescription=\"scatter plot\" aria-describedby=\"plot-help\"></canvas><canvas id=\"over\" aria-hidden=\"true\">\
         </canvas></div>\n<div id=\"readout\" class=\"card\" aria-live=\"polite\"></div>\n</div>\n\
         <p class=\"dim small\" id=\"plot-help\">Point at a row, touch it, or focus the plot and walk with the arrow keys \
         (<kbd>Home</kbd>: first row, <kbd>PgDn</kbd>, <kbd>PgUp</kbd>: next and last in the table, <kbd>Esc</kbd>: none). {shown}</p>\n\
         <fieldset class=\"legend\">\n<legend>{noun}s that are shown</legend>\n<div class=\"row\"><button type=\"button\" \
         id=\"all\">all</button><button type=\"button\" id=\"none\">none</button></div>\n<div id=\"legend\"></div>\n</fieldset>\n",
        shown = escape(&what_is_shown(report)),
    )
}

fn is_sample(report: &Report) -> bool {
    (report.drawn.numbers.len() as u64) < report.tally.n_rows()
}

/// Which rows and columns the scatter has.
fn what_is_shown(report: &Report) -> String {
    let (m, n) = (report.drawn.numbers.len() as u64, report.tally.n_rows());
    let weighted = if report.survey.is_weighted() { ", in proportion to their weights" } else { "" };
    let rows = match is_sample(report) {
        true => format!(
            "Points are {m} of {n} rows, drawn at random{weighted}, the same for the same table and seed; the grey density \
             behind them is of all rows."
        ),
        false => format!("Points are all {}.", count(n, "row")),
    };
    let (offered, d) = (report.axes.all.iter().filter(|axis| axis.column.is_some()).count(), report.axes.n_columns);
    let columns = match offered < d {
        true => format!(
            " Of {d} columns the {offered} are offered in which the centres lie farthest apart, beside the spread of all rows, \
             and principal components of the rows that are drawn."
        ),
        false if report.axes.len() > d => " Principal components are those of the rows that are drawn.".to_string(),
        false => String::new(),
    };
    rows + &columns
}

fn sizes(report: &Report, shown: &[usize]) -> String {
    let tally = report.tally;
    let total: f64 = tally.weights.iter().sum();
    let most = tally.weights.iter().copied().fold(0.0, f64::max);
    let weights = report.survey.is_weighted().then_some("weight of rows");
    let of_model = if report.is_mixture { "weight in the model" } else { "share in the fit" };
    let bar = "<span class=\"unseen\">bar</span>";
    let names = [noun(report), "rows"].into_iter().chain(weights).chain(["share", bar, of_model]);
    let noise = report.groups.noise.then_some(report.groups.k());
    let mut body = String::new();
    for &label in shown.iter().chain(&noise) {
        let (share, bar) = (100.0 * ratio(tally.weights[label], total), 100.0 * ratio(tally.weights[label], most));
        let colour = match noise == Some(label) {
            true => "var(--dim)".to_string(),
            false => format!("var(--c{})", label % N_COLOURS),
        };
        let weight = weights.map_or_else(String::new, |_| format!("<td>{}</td>", figure(tally.weights[label])));
        let _ = writeln!(
            body,
            "<tr><th scope=\"row\"><span class=\"swatch\" style=\"background:{colour}\"></span> {}</th><td>{}</td>{weight}\
             <td>{share:.1} %</td><td class=\"bar\"><span style=\"width:{bar:.1}%;background:{colour}\"></span></td><td>{:.1} %</td></tr>",
            name(report, label),
            tally.rows[label],
            100.0 * report.groups.shares[label],
        );
    }
    table("sizes", &format!("Rows by label on these data{}", more_groups(report, shown)), &head(names), &body)
}

fn more_groups(report: &Report, shown: &[usize]) -> String {
    match report.groups.k() - shown.len() {
        0 => String::new(),
        more => format!("; the {} largest, {more} more are drawn in one colour", shown.len()),
    }
}

fn name(report: &Report, label: usize) -> String {
    if label == report.groups.k() { "noise".to_string() } else { label.to_string() }
}

/// Centres with standard deviations, of the columns that are offered, and a place for matrices.
fn parameters(report: &Report, shown: &[usize]) -> String {
    let axes = report.axes;
    let columns: Vec<usize> = (0..axes.len()).filter(|at| axes.all[*at].column.is_some()).collect();
    let names: Vec<String> = columns.iter().map(|at| escape(&axes.all[*at].name)).collect();
    let mut body = String::new();
    for &c in shown {
        let _ = write!(body, "<tr><th scope=\"row\">{c}</th>");
        for &at in &columns {
            let deviation = match &axes.covariances {
                Some(all) => Some(all[c][[at, at]].max(0.0).sqrt()),
                None => report.tally.deviation(c, at),
            };
            // What is nothing but rounding is nothing.
            let (centre, span) = (axes.centres[[c, at]], axes.all[at].high - axes.all[at].low);
            let centre = if centre.abs() < 1e-12 * span { 0.0 } else { centre };
            let deviation = deviation
                .map_or_else(String::new, |deviation| format!("<span class=\"dim\"> ± {}</span>", figure(deviation)));
            let _ = write!(body, "<td>{}{deviation}</td>", figure(centre));
        }
        body += "</tr>\n";
    }
    let what = match report.is_mixture {
        true if report.groups.degrees.is_some() => "Mean ± scale of each component",
        true => "Mean ± standard deviation of each component",
        false => "Centre ± standard deviation of each cluster’s rows",
    };
    let left_out = match axes.n_columns - columns.len() {
        0 => String::new(),
        more => format!(", for the columns that are offered above; the model’s file has {more} more"),
    };
    let head = head([noun(report)].into_iter().chain(names.iter().map(String::as_str)));
    let matrices = "<details id=\"matrices\">\n<summary>Covariances and correlations</summary>\n<div class=\"row\">\n\
                    <label>component <select id=\"matrix-of\"></select></label>\n\
                    <label><input type=\"radio\" name=\"matrix\" value=\"correlation\" checked> correlation</label>\n\
                    <label><input type=\"radio\" name=\"matrix\" value=\"covariance\"> covariance</label>\n</div>\n\
                    <div class=\"wide\" id=\"matrix\" tabindex=\"0\" role=\"region\" aria-label=\"matrix\"></div>\n</details>\n";
    let matrices = if axes.covariances.is_some() { matrices } else { "" };
    table("centres", &format!("{what}{left_out}"), &head, &body) + matrices
}

fn selection(fits: &Selection) -> String {
    let names: Vec<String> = fits.head.iter().map(|name| escape(name)).collect();
    let row = |(cells, chosen): &(Vec<String>, bool)| {
        let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
        if *chosen { format!("<tr class=\"chosen\">{cells}</tr>\n") } else { format!("<tr>{cells}</tr>\n") }
    };
    let body: String = fits.rows.iter().map(row).collect();
    table("fits", &escape(fits.caption), &head(names.iter().map(String::as_str)), &body)
}

fn diagnostics(report: &Report) -> String {
    let (name, values) = report.trace;
    let trace = match values.len() {
        0 => "<p>The fit took no iteration, or its objective was not kept.</p>\n".to_string(),
        1 => format!("<p>One iteration, after which the {} was {}.</p>\n", escape(name), figure(values[0])),
        n => format!(
            "<canvas id=\"trace\" role=\"img\" aria-label=\"{0} after each of {n} iterations, from {1} to {2}\"></canvas>\n",
            escape(name),
            figure(values[0]),
            figure(values[n - 1]),
        ),
    };
    let silhouette = report.silhouette.map_or_else(String::new, |(mean, n)| {
        format!(
            "<p>Mean silhouette {mean:.3}, of {} by Euclidean distance: 1 is compact and apart, 0 is on the border, below 0 nearer to \
             another cluster. It knows compact clusters only, and says little of long or nested ones.</p>\n",
            count(n as u64, "row")
        )
    });
    format!(
        "<div class=\"columns\">\n<div>\n<h3>Objective</h3>\n{trace}</div>\n<div>\n<h3>Doubt</h3>\n{}{silhouette}</div>\n</div>\n",
        doubt(report)
    )
}

fn doubt(report: &Report) -> String {
    let tally = report.tally;
    let Some(doubts) = &tally.doubts else {
        return "<p>Each row belongs to the cluster of its centre; how near the next centres are is shown with each row above.</p>\n"
            .to_string();
    };
    let n = tally.n_rows();
    let sure: u64 = doubts[..BARS / 10].iter().sum();
    let mut text = format!(
        "<canvas id=\"doubts\" role=\"img\" aria-label=\"rows by uncertainty: {sure} of {n} below {}\"></canvas>\n\
         <p>The uncertainty of a row is 1 less its greatest probability. {} of {} more than {DOUBT} in doubt.</p>\n",
        (BARS / 10) as f64 / BARS as f64,
        tally.in_doubt,
        if n == 1 { "1 row is".to_string() } else { format!("{n} rows are") },
    );
    if !tally.listed.is_empty() {
        let row = |(doubt, number, label): &(f64, u64, usize)| {
            let name = name(report, *label);
            format!("<tr><th scope=\"row\">{number}</th><td>{name}</td><td>{doubt:.4}</td></tr>\n")
        };
        let body: String = tally.listed.iter().map(row).collect();
        text += &table("doubtful", "Most in doubt", &head(["row", "label", "uncertainty"]), &body);
    }
    text
}

fn again(report: &Report) -> String {
    let (words, command) = report.command;
    let command = command.map_or_else(String::new, |command| format!("<pre><code>{}</code></pre>\n", escape(command)));
    format!(
        "<p>{}</p>\n{command}<p>This page:</p>\n<pre><code>{}</code></pre>\n",
        escape(words),
        escape(report.page_command)
    )
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A number with five digits.
fn figure(number: f64) -> String {
    let size = number.abs();
    let text = if size != 0.0 && !(1e-4..1e9).contains(&size) {
        format!("{number:.3e}")
    } else {
        let digits = if size == 0.0 { 0.0 } else { 4.0 - size.log10().floor() };
        let text = format!("{number:.0$}", digits.clamp(0.0, 8.0) as usize);
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    };
    text.replace('-', "−")
}
