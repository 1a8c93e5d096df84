//! The silhouette of every row, sorted within its cluster (Rousseeuw 1987): a blade for each cluster, as thick as it has rows.

use crate::axis::Axis;
use crate::clusters::{expect, finite};
use crate::layout::{BESIDE, MARGIN, Page, below_title};
use crate::legend::{Legend, Mark};
use crate::palette::colour;
use crate::panel::{BELOW, Labelled, Panel, SMALL};
use crate::scene::{Anchor, INK, Point, Rect, Scene, Shape};
use crate::{PlotError, font};
use std::collections::BTreeMap;

/// Points of the outline of one blade; more rows are drawn by their quantiles.
const MOST_STEPS: usize = 300;

/// The silhouettes of n rows, and the labels of these.
///
/// ```
/// use miscela_plot::{Picture, Silhouettes};
///
/// let silhouettes = Silhouettes::new(&[0.8, 0.7, 0.9, -0.1], &[0, 0, 1, 1]).title("Four rows");
/// assert!(Picture::silhouettes(&silhouettes)?.to_svg().contains("0.575"));
/// # Ok::<(), miscela_plot::PlotError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Silhouettes<'a> {
    values: &'a [f64],
    labels: &'a [usize],
    mean: Option<f64>,
    title: &'a str,
    note: &'a str,
}

impl<'a> Silhouettes<'a> {
    /// From −1 to 1, one for each row, and as many labels. They are checked when a picture is made.
    pub fn new(values: &'a [f64], labels: &'a [usize]) -> Self {
        Self { values, labels, mean: None, title: "", note: "" }
    }

    /// The mean over all rows, where they have weights; without it, the plain mean of the values.
    pub fn mean(self, mean: f64) -> Self {
        Self { mean: Some(mean), ..self }
    }

    /// A line above the picture.
    pub fn title(self, title: &'a str) -> Self {
        Self { title, ..self }
    }

    /// What else is to be known, below the picture.
    pub fn note(self, note: &'a str) -> Self {
        Self { note, ..self }
    }
}

/// The picture of them.
pub(crate) fn silhouettes(all: &Silhouettes) -> Result<Scene, PlotError> {
    let Silhouettes { values, labels, title, note, .. } = *all;
    const WIDTH: f64 = 620.0;
    const HEIGHT: f64 = 460.0;
    const GAP: f64 = 6.0;
    if values.is_empty() {
        return Err(PlotError::Nothing("silhouettes"));
    }
    expect("labels", values.len(), labels.len())?;
    finite("silhouettes", values.iter().enumerate())?;
    let mean = all.mean.unwrap_or_else(|| values.iter().map(|value| value / values.len() as f64).sum());
    finite("mean silhouettes", std::iter::once((0, &mean)))?;
    let mut clusters: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (value, label) in values.iter().zip(labels) {
        clusters.entry(*label).or_default().push(*value);
    }
    clusters.values_mut().for_each(|values| values.sort_by(|a, b| b.total_cmp(a)));

    let top = below_title(title);
    let left = MARGIN + 3.0 * SMALL;
    let area = Rect { x: left, y: top, width: WIDTH - 3.0 * SMALL, height: HEIGHT - BELOW };
    let low = values.iter().copied().fold(0.0, f64::min).max(-1.0);
    let x = Axis::new(
        "silhouette (1: well inside its cluster, below 0: nearer to another)",
        (low, 1.0),
        area.width,
        SMALL,
        false,
    )?;
    let y = Axis::new("", (0.0, 1.0), area.height, SMALL, true)?;
    let panel = Panel { area, x, y };
    let labelled = Labelled { x: true, y: false };
    let mut page = Page::new(title, note);
    panel.grid(&mut page.shapes, labelled);

    // Blades share what the gaps leave, which are no more than a fourth.
    let gap = GAP.min(0.25 * area.height / clusters.len() as f64);
    let thickness = (area.height - gap * clusters.len() as f64) / values.len() as f64;
    let mut edge = area.y + gap / 2.0;
    let mut labelled_down_to = f64::NEG_INFINITY;
    let mut entries = vec![];
    for (&label, sorted) in &clusters {
        let height = thickness * sorted.len() as f64;
        let blade = blade(&panel, sorted, edge, height);
        page.shapes.push(Shape::Areas { polygons: vec![blade], fill: colour(label), opacity: 1.0 });
        let middle = edge + height / 2.0;
        if middle - 0.6 * SMALL >= labelled_down_to {
            let at = [left - 0.5 * SMALL, middle + 0.36 * SMALL];
            let text = font::fit(&label.to_string(), SMALL, 2.4 * SMALL);
            page.shapes.push(Shape::text(at, text, SMALL, Anchor::End));
            labelled_down_to = middle + 0.6 * SMALL;
        }
        edge += height + gap;
        let own = sorted.iter().map(|value| value / sorted.len() as f64).sum::<f64>();
        let mean = format!("{own:.2}").replace('-', "−");
        entries.push((Mark::Disc(colour(label)), format!("{label}: {mean} ({})", sorted.len())));
    }
    let [at, _] = panel.place(mean.clamp(low, 1.0), 0.0);
    let points = vec![[at, area.y], [at, area.bottom()]];
    page.shapes.push(Shape::Line { points, closed: false, stroke: INK, width: 1.4, dashed: true });
    panel.frame(&mut page.shapes, labelled);
    let legend = Legend::new("cluster: mean (rows)", entries, 0, (BESIDE, area.height));
    legend.draw(&mut page.shapes, area.right() + MARGIN, top);
    let mean = format!("{mean:.3}").replace('-', "−");
    page.say(&format!("Dashed: the mean of all rows, {mean}."));
    Ok(page.scene(area.right() + MARGIN + legend.width() + MARGIN, top + HEIGHT))
}

/// The outline of sorted values from `top` on.
fn blade(panel: &Panel, sorted: &[f64], top: f64, height: f64) -> Vec<Point> {
    let across = |value: f64| panel.place(value.clamp(-1.0, 1.0), 0.0)[0];
    let steps = sorted.len().min(MOST_STEPS);
    let mut outline = vec![[across(0.0), top]];
    for step in 0..steps {
        // Each step shows the value in its middle, and is level, so that few rows are seen as bars.
        let x = across(sorted[(2 * step + 1) * sorted.len() / (2 * steps)]);
        let down = |step: usize| top + height * step as f64 / steps as f64;
        outline.extend([[x, down(step)], [x, down(step + 1)]]);
    }
    outline.push([across(0.0), top + height]);
    outline
}
