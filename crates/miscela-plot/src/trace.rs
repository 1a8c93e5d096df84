//! The objective along the iterations of a fit.

use crate::PlotError;
use crate::axis::{padded, range};
use crate::clusters::finite;
use crate::layout::{BOTH, MARGIN, Page, axes, below_title};
use crate::palette::colour;
use crate::scene::{Rect, Scene, Shape};

/// The objective after each iteration, counted from 1.
pub(crate) fn trace(values: &[f64], name: &str, title: &str, note: &str) -> Result<Scene, PlotError> {
    if values.is_empty() {
        return Err(PlotError::Nothing("values of the trace"));
    }
    finite("values of the trace", values.iter().enumerate())?;
    let outer = Rect { x: MARGIN, y: below_title(title), width: 620.0, height: 340.0 };
    let iterations = (1.0, values.len().max(2) as f64);
    let mut panel =
        axes(outer, (name, padded(range(values.iter().copied()), 0.05)), ("iteration", padded(iterations, 0.02)))?;
    panel.x = panel.x.whole();
    let mut page = Page::new(title, note);
    panel.grid(&mut page.shapes, BOTH);
    let points: Vec<_> = some(values).map(|(i, value)| panel.place(i as f64 + 1.0, value)).collect();
    page.shapes.push(Shape::line(points.clone(), colour(0), 1.8));
    if points.len() <= 100 {
        page.shapes.push(Shape::Discs { centres: points, radius: 2.6, fill: colour(0), opacity: 1.0 });
    }
    panel.frame(&mut page.shapes, BOTH);
    Ok(page.scene(outer.right() + 2.0 * MARGIN, outer.bottom()))
}

/// All values; of more than can be told apart, the least and the greatest of each stretch.
fn some(values: &[f64]) -> Box<dyn Iterator<Item = (usize, f64)> + '_> {
    const MOST: usize = 2000;
    if values.len() <= MOST {
        return Box::new(values.iter().copied().enumerate());
    }
    let stretch = values.len().div_ceil(MOST / 2);
    Box::new(values.chunks(stretch).enumerate().flat_map(move |(i, part)| {
        let at = |(j, value): (usize, &f64)| (i * stretch + j, *value);
        let least = part.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map(at);
        let greatest = part.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(at);
        let mut both: Vec<_> = least.into_iter().chain(greatest).collect();
        both.sort_by_key(|(i, _)| *i);
        both
    }))
}
