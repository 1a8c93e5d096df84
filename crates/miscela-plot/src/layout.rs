//! Where panels, titles, the legend and notes go.

use crate::axis::Axis;
use crate::density::{Histogram, density, height};
use crate::detail::Detail;
use crate::extent::extent;
use crate::font;
use crate::legend::Legend;
use crate::pairs::pairs;
use crate::panel::{BELOW, LARGE, Labelled, Panel, SMALL, beside};
use crate::principal::Projected;
use crate::regions::regions;
use crate::scatter::{is_crowded, scatter};
use crate::scene::{Anchor, FAINT, Rect, Scene, Shape};
use crate::{Clusters, PlotError};

/// Columns in a matrix of pairs; of more, the principal components are drawn.
pub(crate) const MOST_COLUMNS: usize = 6;
pub(crate) const MARGIN: f64 = 12.0;
/// Width that a legend may take beside a panel.
pub(crate) const BESIDE: f64 = 640.0;
/// Height of a title and the gap below it.
const TITLE: f64 = 2.0 * LARGE;
pub(crate) const BOTH: Labelled = Labelled { x: true, y: true };

/// A picture that grows: shapes, and the words above and below them.
pub(crate) struct Page {
    pub(crate) shapes: Vec<Shape>,
    title: String,
    notes: Vec<String>,
}

impl Page {
    pub(crate) fn new(title: &str, note: &str) -> Self {
        let notes = if note.is_empty() { vec![] } else { vec![sentence(note)] };
        Self { shapes: vec![], title: title.to_string(), notes }
    }

    /// One more sentence below the picture.
    pub(crate) fn say(&mut self, note: &str) {
        self.notes.push(sentence(note));
    }

    /// The whole, whose shapes reach to `width` and `bottom`.
    pub(crate) fn scene(mut self, width: f64, bottom: f64) -> Scene {
        const LINE: f64 = 1.45 * SMALL;
        let room = width - 2.0 * MARGIN;
        // Long titles are smaller, and cut only where that does not do.
        let size = (LARGE * room / font::width(&self.title, LARGE).max(1.0)).clamp(SMALL, LARGE);
        let shown = font::fit(&self.title, size, room * (1.0 + 1e-9));
        if !shown.is_empty() {
            self.shapes.push(Shape::text([MARGIN, MARGIN + LARGE], shown, size, Anchor::Start));
        }
        let mut height = bottom + MARGIN;
        for line in font::wrapped(&self.notes.join(" "), SMALL, room) {
            let at = [MARGIN, height + SMALL];
            let upwards = false;
            self.shapes.push(Shape::Text {
                at,
                text: line,
                size: SMALL,
                colour: FAINT,
                anchor: Anchor::Start,
                upwards,
            });
            height += LINE;
        }
        if !self.notes.is_empty() {
            height += MARGIN - (LINE - SMALL);
        }
        Scene { width: width.ceil(), height: height.ceil(), title: self.title, shapes: self.shapes }
    }
}

fn sentence(note: &str) -> String {
    if note.ends_with(['.', '!', '?', '…']) { note.to_string() } else { format!("{note}.") }
}

/// The picture of one clustering.
pub(crate) fn clusters(clusters: &Clusters) -> Result<Scene, PlotError> {
    clusters.check()?;
    match clusters.n_columns() {
        1 | 2 => single(clusters, clusters.note),
        d if d <= MOST_COLUMNS => pairs(clusters),
        d => {
            let seen = Projected::new(clusters)?;
            let flat = Clusters {
                points: seen.points.view(),
                centres: seen.centres.view(),
                covariances: seen.covariances.as_ref().map(|covariances| covariances.view()),
                names: Some(&seen.names),
                regions: None,
                ..*clusters
            };
            let note = format!("The plane of the two leading principal components of {d} columns.");
            let own = if clusters.note.is_empty() { String::new() } else { sentence(clusters.note) + " " };
            single(&flat, &format!("{own}{note}"))
        }
    }
}

/// One panel and its legend.
fn single(clusters: &Clusters, note: &str) -> Result<Scene, PlotError> {
    let mut page = Page::new(clusters.title, note);
    let area = Rect { x: MARGIN, y: below_title(clusters.title), width: 620.0, height: 460.0 };
    let drawn = panel(&mut page.shapes, clusters, area, &Detail::of(clusters, 1))?;
    let legend = Legend::of_clusters(clusters, (BESIDE, area.height));
    legend.draw(&mut page.shapes, area.right() + MARGIN, area.y);
    explain(&mut page, clusters, &drawn);
    Ok(page.scene(area.right() + MARGIN + legend.width() + MARGIN, area.bottom()))
}

/// Says what cannot be seen: how far ellipses go, what shades are, what lies beyond the axes.
fn explain(page: &mut Page, clusters: &Clusters, panel: &Panel) {
    let flat = clusters.n_columns() > 1;
    if clusters.covariances.is_some() {
        match (flat, clusters.k()) {
            (true, _) => say_ellipses(page, clusters, &Detail::of(clusters, 1)),
            (false, 1) => page.say("Line: the density."),
            (false, _) => page.say("Lines: the components by their weights; dashed: their sum."),
        }
    }
    if flat && is_crowded(clusters, &panel.area) {
        page.say(SHADES);
    }
    let inside = |row: usize| {
        let inside = |axis: &Axis, column: usize| (0.0..=1.0).contains(&axis.fraction(clusters.points[(row, column)]));
        inside(&panel.x, 0) && (!flat || inside(&panel.y, 1))
    };
    beyond(page, clusters, inside);
}

pub(crate) const SHADES: &str =
    "Shades: rows in a square, by the logarithm, in the colour of the cluster with most of them.";

/// Says what ellipses are.
pub(crate) fn say_ellipses(page: &mut Page, clusters: &Clusters, detail: &Detail) {
    let list = |words: &[&str]| match words[..detail.radii.len().min(3)] {
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two] => format!("{one} and {two}"),
        [one] => one.to_string(),
        _ => String::new(),
    };
    match (detail.radii.is_empty(), clusters.degrees) {
        (true, _) => page.say("Too many components for ellipses."),
        (false, None) => page.say(&format!("Ellipses: {} standard deviations.", list(&["1", "2", "3"]))),
        (false, Some(_)) => page.say(&format!("Ellipses hold {} % of a component.", list(&["39", "86", "99"]))),
    }
}

/// Says how many rows are not inside.
pub(crate) fn beyond(page: &mut Page, clusters: &Clusters, inside: impl Fn(usize) -> bool) {
    let rows = (0..clusters.points.nrows()).filter(|row| clusters.row_weight(*row) > 0.0);
    match rows.filter(|row| !inside(*row)).count() {
        0 => {}
        1 => page.say("One row lies far beyond the axes."),
        n => page.say(&format!("{n} rows lie far beyond the axes.")),
    }
}

/// Several clusterings side by side, at most four in a row, each under its title.
pub(crate) fn grid(all: &[Clusters]) -> Result<Scene, PlotError> {
    const CELL: (f64, f64) = (330.0, 300.0);
    if all.is_empty() {
        return Err(PlotError::Nothing("panels"));
    }
    all.iter().try_for_each(Clusters::check)?;
    // Rows of equal length, as far as the number allows.
    let columns = all.len().div_ceil(all.len().div_ceil(4));
    let mut shapes = vec![];
    for (i, clusters) in all.iter().enumerate() {
        let (x, y) = (MARGIN + (i % columns) as f64 * (CELL.0 + MARGIN), (i / columns) as f64 * (CELL.1 + TITLE));
        let area = Rect { x, y: y + TITLE, width: CELL.0, height: CELL.1 - MARGIN };
        panel(&mut shapes, clusters, area, &Detail::of(clusters, all.len()).small())?;
        let title = font::fit(clusters.title, SMALL + 2.0, CELL.0);
        shapes.push(Shape::text([x + CELL.0 / 2.0, area.y - 8.0], title, SMALL + 2.0, Anchor::Middle));
    }
    let width = MARGIN + columns as f64 * (CELL.0 + MARGIN);
    let height = all.len().div_ceil(columns) as f64 * (CELL.1 + TITLE);
    let title = all.iter().map(|clusters| clusters.title).collect::<Vec<_>>().join(" · ");
    Ok(Scene { width, height, title, shapes })
}

pub(crate) fn below_title(title: &str) -> f64 {
    if title.is_empty() { MARGIN } else { MARGIN + TITLE }
}

/// A panel that fills `outer` with its labels: the upright axis first, as its labels take width from the other.
pub(crate) fn axes(
    outer: Rect,
    (y_name, y_range): (&str, (f64, f64)),
    (x_name, x_range): (&str, (f64, f64)),
) -> Result<Panel, PlotError> {
    let tall = outer.height - BELOW;
    let y = Axis::new(y_name, y_range, tall, SMALL, true)?;
    let left = beside(&y);
    let area = Rect { x: outer.x + left, y: outer.y, width: outer.width - left, height: tall };
    let x = Axis::new(x_name, x_range, area.width, SMALL, false)?;
    Ok(Panel { area, x, y })
}

/// One column as a density; of more, the first two as a scatter.
fn panel(shapes: &mut Vec<Shape>, clusters: &Clusters, outer: Rect, detail: &Detail) -> Result<Panel, PlotError> {
    let reach = detail.reach();
    let (x_name, x_range) = (clusters.name(0), extent(clusters, 0, reach));
    if clusters.n_columns() == 1 {
        let histogram = Histogram::new(clusters, 0, x_range);
        let top = height(clusters, 0, &histogram)?;
        let panel = axes(outer, ("density", (0.0, top)), (&x_name, x_range))?;
        panel.grid(shapes, BOTH);
        density(shapes, clusters, 0, &histogram, x_range, &panel);
        panel.frame(shapes, BOTH);
        Ok(panel)
    } else {
        let panel = axes(outer, (&clusters.name(1), extent(clusters, 1, reach)), (&x_name, x_range))?;
        if clusters.n_columns() == 2 {
            shapes.extend(regions(clusters, &panel)?);
        }
        panel.grid(shapes, BOTH);
        scatter(shapes, clusters, (0, 1), detail, &panel);
        panel.frame(shapes, BOTH);
        Ok(panel)
    }
}

#[cfg(test)]
mod tests;
