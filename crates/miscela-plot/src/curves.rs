//! Values over the number of clusters: a panel for each criterion, a line for each kind of model.

use crate::PlotError;
use crate::axis::{padded, range};
use crate::clip::clipped;
use crate::clusters::finite;
use crate::layout::{BESIDE, BOTH, MARGIN, Page, axes, below_title};
use crate::legend::{Legend, Mark};
use crate::marks::glyph;
use crate::palette::line_colour;
use crate::scene::{INK, Rect, Scene, Shape};

/// Values over the number of clusters, as of a selection: a criterion for each covariance structure, or several criteria. Where some are so far from
/// the [best](Self::best) that the others could not be told apart, their lines leave the panel.
///
/// ```
/// use miscela_plot::{Curve, Curves, Picture};
///
/// let full = Curve::new("full", [(1, 2607.6), (2, 2322.2), (3, 2344.9)]);
/// let tied = Curve::new("tied", [(1, 2607.6), (2, 2325.2)]);
/// let curves = Curves::new().panel("BIC (lower is better)", [full, tied]).best(2, 0).title("Old Faithful");
/// assert!(Picture::curves(&curves)?.to_svg().contains("BIC"));
/// # Ok::<(), miscela_plot::PlotError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Curves {
    panels: Vec<(String, Vec<Curve>)>,
    best: Option<(usize, usize)>,
    title: String,
    note: String,
}

/// One line of [`Curves`].
#[derive(Clone, Debug, Default)]
pub struct Curve {
    name: String,
    values: Vec<(usize, f64)>,
    errors: Vec<(usize, f64)>,
}

impl Curve {
    /// Values by the number of clusters, in ascending order; numbers that have none are left out.
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = (usize, f64)>) -> Self {
        Self { name: name.into(), values: values.into_iter().collect(), errors: vec![] }
    }

    /// Standard errors of the values, drawn as bars.
    pub fn errors(self, errors: impl IntoIterator<Item = (usize, f64)>) -> Self {
        Self { errors: errors.into_iter().collect(), ..self }
    }

    fn at(&self, k: usize) -> Option<f64> {
        self.values.iter().find(|(at, _)| *at == k).map(|(_, value)| *value)
    }

    fn error(&self, k: usize) -> f64 {
        self.errors.iter().find(|(at, _)| *at == k).map_or(0.0, |(_, error)| *error)
    }
}

impl Curves {
    /// No panel yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more panel, below the others: what is measured, and its lines. Lines of one number have one colour and mark in all
    /// panels.
    pub fn panel(mut self, name: impl Into<String>, curves: impl IntoIterator<Item = Curve>) -> Self {
        self.panels.push((name.into(), curves.into_iter().collect()));
        self
    }

    /// The choice: a number of clusters, and which line it is on. It is marked in all panels.
    pub fn best(self, k: usize, curve: usize) -> Self {
        Self { best: Some((k, curve)), ..self }
    }

    /// A line above the picture.
    pub fn title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// What else is to be known, below the picture.
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// So many times the median distance from the best is shown.
const FAR: f64 = 2.0;
/// Fewer values are all shown.
const MANY: usize = 12;

/// The picture of them.
pub(crate) fn curves(curves: &Curves) -> Result<Scene, PlotError> {
    const WIDTH: f64 = 620.0;
    const GAP: f64 = 10.0;
    let values = || curves.panels.iter().flat_map(|(_, lines)| lines).flat_map(|line| &line.values);
    if values().next().is_none() {
        return Err(PlotError::Nothing("values of curves"));
    }
    for (_, lines) in &curves.panels {
        for line in lines {
            finite("values of curves", line.values.iter().map(|(k, value)| (*k, value)))?;
            finite("errors of curves", line.errors.iter().map(|(k, error)| (*k, error)))?;
        }
    }
    let shown: Vec<_> =
        curves.panels.iter().filter(|(_, lines)| lines.iter().any(|line| !line.values.is_empty())).collect();
    let height = if shown.len() == 1 { 420.0 } else { 210.0 };
    let (first, last) = range(values().map(|(k, _)| *k as f64));
    let ks = padded((first, last.max(first + 1.0)), 0.04);
    let mut page = Page::new(&curves.title, &curves.note);
    let (top, mut n_beyond) = (below_title(&curves.title), 0);
    for (i, (name, lines)) in shown.iter().enumerate() {
        let outer = Rect { x: MARGIN, y: top + i as f64 * (height + GAP), width: WIDTH, height };
        let best = curves.best.and_then(|(k, number)| lines.get(number)?.at(k));
        let mut panel = axes(outer, (name, padded(reach(lines, best), 0.06)), ("number of clusters", ks))?;
        panel.x = panel.x.whole();
        panel.grid(&mut page.shapes, BOTH);
        let across = |k: usize| panel.place(k as f64, 0.0)[0];
        if let Some((k, _)) = curves.best {
            let points = vec![[across(k), panel.area.y], [across(k), panel.area.bottom()]];
            page.shapes.push(Shape::Line { points, closed: false, stroke: INK, width: 1.0, dashed: true });
        }
        for (number, line) in lines.iter().enumerate() {
            let colour = line_colour(number);
            let at = |(k, value): &(usize, f64)| panel.place(*k as f64, *value);
            for (k, error) in &line.errors {
                let bar = line.at(*k).map(|value| vec![at(&(*k, value - error)), at(&(*k, value + error))]);
                let bars = bar.iter().flat_map(|bar| clipped(bar, false, &panel.area));
                page.shapes.extend(bars.map(|bar| Shape::line(bar, colour, 1.0)));
            }
            let points: Vec<_> = line.values.iter().map(at).collect();
            let inside: Vec<_> = points.iter().filter(|at| panel.shows(**at)).collect();
            n_beyond += points.len() - inside.len();
            page.shapes.extend(inside.into_iter().map(|at| glyph(number, *at, 3.4, colour)));
            // What lies beyond is where the line leaves the panel.
            page.shapes
                .extend(clipped(&points, false, &panel.area).into_iter().map(|part| Shape::line(part, colour, 1.4)));
        }
        if let Some((value, (k, _))) = best.zip(curves.best) {
            page.shapes.push(ring(panel.place(k as f64, value), 8.0));
        }
        panel.frame(&mut page.shapes, BOTH);
    }
    match n_beyond {
        0 => {}
        1 => page.say("One value lies far beyond the axis."),
        n => page.say(&format!("{n} values lie far beyond the axes.")),
    }
    let bottom = top + shown.len() as f64 * (height + GAP) - GAP;
    let mut right = MARGIN + WIDTH;
    let most = curves.panels.iter().map(|(_, lines)| lines).max_by_key(|lines| lines.len());
    if let Some(lines) = most.filter(|lines| lines.len() > 1) {
        let best = |number: usize| match curves.best {
            Some((k, best)) if best == number => format!(" (best: {k})"),
            _ => String::new(),
        };
        let entry = |(number, line): (usize, &Curve)| {
            (Mark::Line(line_colour(number), number), line.name.clone() + &best(number))
        };
        let legend = Legend::new("model", lines.iter().enumerate().map(entry).collect(), 0, (BESIDE, bottom - top));
        legend.draw(&mut page.shapes, right + MARGIN, top);
        right += MARGIN + legend.width();
    }
    Ok(page.scene(right + MARGIN, bottom))
}

/// The range of values that is shown: all of them, with their errors, unless one lies more than twice [`FAR`] times as far
/// from the best as the median does. Then it is what lies within [`FAR`] times that.
fn reach(lines: &[Curve], best: Option<f64>) -> (f64, f64) {
    let ends = |line: &Curve| {
        let ends = line.values.iter().map(|(k, value)| [value - line.error(*k), value + line.error(*k)]);
        ends.flatten().collect::<Vec<_>>()
    };
    let all = range(lines.iter().flat_map(ends));
    let Some(best) = best else { return all };
    let mut distances: Vec<f64> =
        lines.iter().flat_map(|line| line.values.iter().map(|(_, value)| (value - best).abs())).collect();
    distances.sort_by(f64::total_cmp);
    let far = FAR * distances[distances.len() / 2];
    match distances.last() {
        Some(last) if distances.len() >= MANY && *last > 2.0 * far && far > 0.0 => {
            (all.0.max(best - far), all.1.min(best + far))
        }
        _ => all,
    }
}

fn ring([x, y]: [f64; 2], radius: f64) -> Shape {
    let circle = crate::ellipse::ellipse([x, y], [1.0, 0.0, 1.0], radius, 40);
    Shape::Line { points: circle, closed: true, stroke: INK, width: 1.8, dashed: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_from_the_best_does_not_hide_the_rest() {
        let near = Curve::new("full", (1..=10).map(|k| (k, 600.0 + k as f64)));
        let far = Curve::new("spherical", [(1, 1800.0), (2, 900.0), (3, 640.0)]);
        assert_eq!(reach(&[near.clone(), far.clone()], Some(601.0)), (601.0, 613.0));
        assert_eq!(reach(&[near.clone(), far.clone()], None), (601.0, 1800.0));
        assert_eq!(reach(std::slice::from_ref(&far), Some(640.0)), (640.0, 1800.0), "few values");
        assert_eq!(reach(&[near], Some(601.0)), (601.0, 610.0));
        let picture = |best: usize| {
            let near = Curve::new("full", (1..=10).map(|k| (k, 600.0 + k as f64)));
            let curves = Curves::new().panel("BIC", [near, far.clone()]);
            crate::Picture::curves(&if best > 0 { curves.best(best, 0) } else { curves }).unwrap().to_svg()
        };
        assert!(picture(1).contains("3 values lie far beyond the axes."));
        assert!(!picture(0).contains("beyond"));
    }
}
