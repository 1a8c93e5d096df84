//! Where panels, titles and the legend go.

use crate::axis::{Axis, padded, range};
use crate::clusters::finite;
use crate::density::{Histogram, density, height};
use crate::font;
use crate::palette::colour;
use crate::panel::{BELOW, LARGE, Labelled, Panel, SMALL, beside};
use crate::scatter::{extent, scatter};
use crate::scene::{Anchor, Rect, Scene, Shape};
use crate::{Clusters, PlotError};

/// Points drawn in one picture; more are thinned out.
const MOST_POINTS: usize = 20_000;
/// Points that each of many panels may draw nevertheless.
const LEAST_POINTS: usize = 1_000;
/// Columns in a matrix of pairs.
const MOST_COLUMNS: usize = 6;
const MARGIN: f64 = 12.0;
/// Height of a title and the gap below it.
const TITLE: f64 = 2.0 * LARGE;
const BOTH: Labelled = Labelled { x: true, y: true };

/// The picture of one clustering.
pub(crate) fn clusters(clusters: &Clusters) -> Result<Scene, PlotError> {
    clusters.check()?;
    if clusters.n_columns() > 2 {
        return pairs(clusters);
    }
    let area = Rect { x: MARGIN, y: below_title(clusters.title), width: 620.0, height: 460.0 };
    let mut shapes = vec![];
    panel(&mut shapes, clusters, area, MOST_POINTS)?;
    let legend = Legend::new(clusters, area.height);
    legend.draw(&mut shapes, area.right() + MARGIN, area.y);
    let width = area.right() + MARGIN + legend.width() + MARGIN;
    Ok(titled(shapes, clusters.title, width, area.bottom() + MARGIN))
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
        panel(&mut shapes, clusters, area, (MOST_POINTS / all.len()).max(LEAST_POINTS))?;
        let title = font::fit(clusters.title, SMALL + 2.0, CELL.0);
        shapes.push(Shape::text([x + CELL.0 / 2.0, area.y - 8.0], title, SMALL + 2.0, Anchor::Middle));
    }
    let width = MARGIN + columns as f64 * (CELL.0 + MARGIN);
    let height = all.len().div_ceil(columns) as f64 * (CELL.1 + TITLE);
    let title = all.iter().map(|clusters| clusters.title).collect::<Vec<_>>().join(" · ");
    Ok(Scene { width, height, title, shapes })
}

/// The objective after each iteration, counted from 1.
pub(crate) fn trace(values: &[f64], name: &str, title: &str) -> Result<Scene, PlotError> {
    if values.is_empty() {
        return Err(PlotError::Nothing("values of the trace"));
    }
    finite("values of the trace", values.iter().enumerate())?;
    let outer = Rect { x: MARGIN, y: below_title(title), width: 620.0, height: 340.0 };
    let iterations = (1.0, values.len().max(2) as f64);
    let mut panel =
        axes(outer, (name, padded(range(values.iter().copied()), 0.05)), ("iteration", padded(iterations, 0.02)))?;
    panel.x = panel.x.whole();
    let mut shapes = vec![];
    panel.grid(&mut shapes, BOTH);
    let points: Vec<_> = values.iter().enumerate().map(|(i, &value)| panel.place(i as f64 + 1.0, value)).collect();
    shapes.push(Shape::line(points.clone(), colour(0), 1.8));
    if points.len() <= 100 {
        shapes.push(Shape::Discs { centres: points, radius: 2.6, fill: colour(0), opacity: 1.0 });
    }
    panel.frame(&mut shapes, BOTH);
    Ok(titled(shapes, title, outer.right() + 2.0 * MARGIN, outer.bottom() + MARGIN))
}

fn below_title(title: &str) -> f64 {
    if title.is_empty() { MARGIN } else { MARGIN + TITLE }
}

fn titled(mut shapes: Vec<Shape>, title: &str, width: f64, height: f64) -> Scene {
    let shown = font::fit(title, LARGE, width - 2.0 * MARGIN);
    if !shown.is_empty() {
        shapes.push(Shape::text([MARGIN, MARGIN + LARGE], shown, LARGE, Anchor::Start));
    }
    Scene { width: width.ceil(), height: height.ceil(), title: title.to_string(), shapes }
}

/// A panel that fills `outer` with its labels: the upright axis first, as its labels take width from the other.
fn axes(
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
fn panel(shapes: &mut Vec<Shape>, clusters: &Clusters, outer: Rect, most: usize) -> Result<(), PlotError> {
    let (x_name, x_range) = (clusters.name(0), extent(clusters, 0));
    if clusters.n_columns() == 1 {
        let histogram = Histogram::new(clusters, 0);
        let top = height(clusters, 0, &histogram)?;
        let panel = axes(outer, ("density", (0.0, top)), (&x_name, x_range))?;
        panel.grid(shapes, BOTH);
        density(shapes, clusters, 0, &histogram, x_range, &panel);
        panel.frame(shapes, BOTH);
    } else {
        let panel = axes(outer, (&clusters.name(1), extent(clusters, 1)), (&x_name, x_range))?;
        panel.grid(shapes, BOTH);
        scatter(shapes, clusters, &clusters.some_rows(most), (0, 1), &panel);
        panel.frame(shapes, BOTH);
    }
    Ok(())
}

/// Densities on the diagonal, scatters below it, the legend above it.
fn pairs(clusters: &Clusters) -> Result<Scene, PlotError> {
    const GAP: f64 = 14.0;
    let d = clusters.n_columns().min(MOST_COLUMNS);
    let side = (860.0 / d as f64).clamp(140.0, 220.0);
    let panels = d * (d - 1) / 2;
    let rows = clusters.some_rows((MOST_POINTS / panels).max(LEAST_POINTS));

    let mut axes = Vec::with_capacity(d);
    for column in 0..d {
        let (name, range) = (clusters.name(column), extent(clusters, column));
        let x = Axis::new(&name, range, side, SMALL, false)?;
        axes.push((range, x, Axis::new(&name, range, side, SMALL, true)?));
    }
    let left = MARGIN + axes.iter().map(|(_, _, y)| beside(y)).fold(0.0, f64::max);
    let all = clusters.n_columns();
    let title = match clusters.title {
        title if all == d => title.to_string(),
        "" => format!("first {d} of {all} columns"),
        title => format!("{title} (first {d} of {all} columns)"),
    };
    let top = below_title(&title);
    let corner = |row: usize, column: usize| [left + column as f64 * (side + GAP), top + row as f64 * (side + GAP)];

    let mut shapes = vec![];
    for row in 0..d {
        for column in 0..=row {
            let [x, y] = corner(row, column);
            let area = Rect { x, y, width: side, height: side };
            let (range, x_axis, _) = &axes[column];
            let labelled = Labelled { x: row == d - 1, y: column == 0 && row > 0 };
            let (x, y) = (x_axis.clone(), axes[row].2.clone());
            if row > column {
                let panel = Panel { area, x, y };
                panel.grid(&mut shapes, Labelled { y: true, ..labelled });
                scatter(&mut shapes, clusters, &rows, (column, row), &panel);
                panel.frame(&mut shapes, labelled);
            } else {
                let histogram = Histogram::new(clusters, column);
                let y = Axis::new("", (0.0, height(clusters, column, &histogram)?), side, SMALL, true)?;
                let panel = Panel { area, x, y };
                panel.grid(&mut shapes, labelled);
                density(&mut shapes, clusters, column, &histogram, *range, &panel);
                panel.frame(&mut shapes, labelled);
            }
        }
    }
    let [legend_left, legend_top] = corner(0, d / 2);
    let free = (d / 2) as f64 * (side + GAP);
    Legend::new(clusters, free).draw(&mut shapes, legend_left + GAP, legend_top);
    let [right, bottom] = corner(d, d);
    Ok(titled(shapes, &title, right + MARGIN, bottom + BELOW))
}

/// A disc, a number and the number of rows for each cluster, in columns.
struct Legend {
    texts: Vec<String>,
    per_column: usize,
}

impl Legend {
    const LINE: f64 = 1.55 * SMALL;
    const COLUMNS: usize = 3;
    const HEADING: &str = "cluster (rows)";

    /// The clusters that have room in `height`, and how many have not.
    fn new(clusters: &Clusters, height: f64) -> Self {
        let per_column = ((height / Self::LINE) as usize).saturating_sub(2).max(1);
        let sizes = clusters.sizes();
        let shown = sizes.len().min(per_column * Self::COLUMNS);
        let name = |c: usize| if c < clusters.k() { c.to_string() } else { "noise".to_string() };
        let mut texts: Vec<_> = (0..shown).map(|c| format!("{} ({})", name(c), sizes[c])).collect();
        if shown < sizes.len() {
            texts[shown - 1] = format!("… {} more", sizes.len() - shown + 1);
        }
        Self { texts, per_column }
    }

    fn column_width(&self) -> f64 {
        self.texts.iter().map(|text| font::width(text, SMALL)).fold(0.0, f64::max) + 2.6 * SMALL
    }

    fn width(&self) -> f64 {
        let columns = self.texts.len().div_ceil(self.per_column) as f64;
        (columns * self.column_width()).max(font::width(Self::HEADING, SMALL))
    }

    fn draw(&self, shapes: &mut Vec<Shape>, x: f64, y: f64) {
        shapes.push(Shape::text([x, y + SMALL], Self::HEADING, SMALL, Anchor::Start));
        for (c, text) in self.texts.iter().enumerate() {
            let x = x + (c / self.per_column) as f64 * self.column_width();
            let y = y + SMALL + (c % self.per_column + 1) as f64 * Self::LINE;
            if !text.starts_with('…') {
                let centres = vec![[x + 5.0, y - 0.36 * SMALL]];
                shapes.push(Shape::Discs { centres, radius: 4.5, fill: colour(c), opacity: 1.0 });
            }
            shapes.push(Shape::text([x + 1.4 * SMALL, y], text.as_str(), SMALL, Anchor::Start));
        }
    }
}

#[cfg(test)]
mod tests;
