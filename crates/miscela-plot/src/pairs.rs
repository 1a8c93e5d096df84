//! A matrix of pairs of columns: densities on the diagonal, scatters below it, the legend above it.

use crate::axis::Axis;
use crate::density::{Histogram, density, height};
use crate::detail::Detail;
use crate::extent::extent;
use crate::layout::{MARGIN, MOST_COLUMNS, Page, SHADES, below_title, beyond, say_ellipses};
use crate::legend::Legend;
use crate::panel::{BELOW, Labelled, Panel, SMALL, beside};
use crate::scatter::{is_crowded, scatter};
use crate::scene::{Rect, Scene};
use crate::{Clusters, PlotError};

pub(crate) fn pairs(clusters: &Clusters) -> Result<Scene, PlotError> {
    const GAP: f64 = 14.0;
    let d = clusters.n_columns().min(MOST_COLUMNS);
    let side = (860.0 / d as f64).clamp(140.0, 220.0);
    let detail = Detail::of(clusters, d * (d - 1) / 2);

    let mut axes = Vec::with_capacity(d);
    for column in 0..d {
        let (name, range) = (clusters.name(column), extent(clusters, column, detail.reach()));
        let x = Axis::new(&name, range, side, SMALL, false)?;
        axes.push((range, x, Axis::new(&name, range, side, SMALL, true)?));
    }
    let left = MARGIN + axes.iter().map(|(_, _, y)| beside(y)).fold(0.0, f64::max);
    let top = below_title(clusters.title);
    let corner = |row: usize, column: usize| [left + column as f64 * (side + GAP), top + row as f64 * (side + GAP)];

    let mut page = Page::new(clusters.title, clusters.note);
    let shapes = &mut page.shapes;
    for row in 0..d {
        for column in 0..=row {
            let [x, y] = corner(row, column);
            let area = Rect { x, y, width: side, height: side };
            let (range, x_axis, _) = &axes[column];
            let labelled = Labelled { x: row == d - 1, y: column == 0 && row > 0 };
            let (x, y) = (x_axis.clone(), axes[row].2.clone());
            if row > column {
                let panel = Panel { area, x, y };
                panel.grid(shapes, Labelled { y: true, ..labelled });
                scatter(shapes, clusters, (column, row), &detail, &panel);
                panel.frame(shapes, labelled);
            } else {
                let histogram = Histogram::new(clusters, column, *range);
                let y = Axis::new("", (0.0, height(clusters, column, &histogram)?), side, SMALL, true)?;
                let panel = Panel { area, x, y };
                panel.grid(shapes, labelled);
                density(shapes, clusters, column, &histogram, *range, &panel);
                panel.frame(shapes, labelled);
            }
        }
    }
    let [legend_left, legend_top] = corner(0, d / 2);
    let free = ((d - d / 2) as f64 * (side + GAP) - GAP, (d / 2) as f64 * (side + GAP));
    Legend::of_clusters(clusters, free).draw(shapes, legend_left + GAP, legend_top);
    if clusters.covariances.is_some() {
        say_ellipses(&mut page, clusters, &detail);
    }
    let [x, y] = corner(0, 0);
    if is_crowded(clusters, &Rect { x, y, width: side, height: side }) {
        page.say(SHADES);
    }
    beyond(&mut page, clusters, |row| {
        let inside = |(column, (range, ..)): (usize, &((f64, f64), Axis, Axis))| {
            (range.0..=range.1).contains(&clusters.points[(row, column)])
        };
        axes.iter().enumerate().all(inside)
    });
    let [right, bottom] = corner(d, d);
    Ok(page.scene(right + MARGIN, bottom + BELOW - GAP))
}
