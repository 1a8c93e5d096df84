//! The legend: a mark and some words for each of what is drawn, in columns.

use crate::Clusters;
use crate::font;
use crate::marks::glyph;
use crate::palette::colour_of;
use crate::panel::SMALL;
use crate::scene::{Anchor, Colour, Shape};

/// What stands before a line of the legend.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Disc(Colour),
    /// A line with the mark of this number.
    Line(Colour, usize),
    Nothing,
}

pub(crate) struct Legend {
    heading: String,
    entries: Vec<(Mark, String)>,
    per_column: usize,
    column_width: f64,
}

impl Legend {
    const LINE: f64 = 1.55 * SMALL;
    const COLUMNS: usize = 3;
    /// From the mark to its words.
    const INDENT: f64 = 1.4 * SMALL;
    const WIDEST: f64 = 190.0;
    /// How much longer than a disc a line is.
    const LONGER: f64 = 14.0;

    /// What has room in so much width and height, and how many have not; the `last` entries are never left out.
    pub(crate) fn new(heading: &str, entries: Vec<(Mark, String)>, last: usize, (width, height): (f64, f64)) -> Self {
        let lines = entries.iter().any(|(mark, _)| matches!(mark, Mark::Line(..)));
        let beside = Self::INDENT + 1.2 * SMALL + if lines { Self::LONGER } else { 0.0 };
        let widest = Self::WIDEST.min(width - beside);
        let entries: Vec<_> = entries.into_iter().map(|(mark, text)| (mark, font::fit(&text, SMALL, widest))).collect();
        let more = font::width("… 1000000 more", SMALL).min(widest);
        let column_width = beside + entries.iter().map(|(_, text)| font::width(text, SMALL)).fold(more, f64::max);
        let columns = ((width / column_width) as usize).clamp(1, Self::COLUMNS);
        let per_column = ((height / Self::LINE) as usize).saturating_sub(2).max(last + 1);
        let (room, n) = (per_column * columns, entries.len());
        let kept = if n <= room { n } else { room - 1 };
        let more = (n > kept).then(|| (Mark::Nothing, format!("… {} more", n - kept)));
        let (first, pinned) = entries.split_at(n - last.min(n));
        let shown = first.iter().take(kept - pinned.len()).cloned().chain(more).chain(pinned.iter().cloned());
        let entries = shown.map(|(mark, text)| (mark, font::fit(&text, SMALL, widest))).collect();
        Self { heading: font::fit(heading, SMALL, Self::WIDEST.min(width)), entries, per_column, column_width }
    }

    /// The clusters and how many rows each has.
    pub(crate) fn of_clusters(clusters: &Clusters, room: (f64, f64)) -> Self {
        let name =
            |c: usize| if c < clusters.k() { c.to_string() } else { clusters.rest.unwrap_or_default().to_string() };
        let sizes = clusters.all_sizes().into_iter().enumerate();
        let entries = sizes.map(|(c, size)| (Mark::Disc(colour_of(clusters, c)), format!("{} ({size})", name(c))));
        Self::new("cluster (rows)", entries.collect(), usize::from(clusters.rest.is_some()), room)
    }

    pub(crate) fn width(&self) -> f64 {
        let columns = self.entries.len().div_ceil(self.per_column) as f64;
        (columns * self.column_width).max(font::width(&self.heading, SMALL))
    }

    pub(crate) fn draw(&self, shapes: &mut Vec<Shape>, x: f64, y: f64) {
        shapes.push(Shape::text([x, y + SMALL], self.heading.as_str(), SMALL, Anchor::Start));
        for (c, (mark, text)) in self.entries.iter().enumerate() {
            let x = x + (c / self.per_column) as f64 * self.column_width;
            let y = y + SMALL + (c % self.per_column + 1) as f64 * Self::LINE;
            let middle = y - 0.36 * SMALL;
            match *mark {
                Mark::Disc(fill) => {
                    shapes.push(Shape::Discs { centres: vec![[x + 5.0, middle]], radius: 4.5, fill, opacity: 1.0 });
                }
                Mark::Line(colour, number) => {
                    shapes.push(Shape::line(vec![[x, middle], [x + 24.0, middle]], colour, 1.8));
                    shapes.push(glyph(number, [x + 12.0, middle], 4.0, colour));
                }
                Mark::Nothing => {}
            }
            let indent = Self::INDENT + if matches!(mark, Mark::Line(..)) { Self::LONGER } else { 0.0 };
            let at = [x + indent, y];
            shapes.push(Shape::text(at, text.as_str(), SMALL, Anchor::Start));
        }
    }
}
