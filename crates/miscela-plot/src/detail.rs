//! How much is drawn of each component, so that many of them in many panels are still a small file.

use crate::Clusters;

#[derive(Clone, Copy)]
pub(crate) struct Detail {
    /// Standard deviations at which ellipses are drawn, ascending.
    pub(crate) radii: &'static [f64],
    /// Corners of an ellipse.
    pub(crate) sides: usize,
    pub(crate) centres: Centres,
}

/// How centres are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Centres {
    Rings,
    Dots,
    None,
}

impl Detail {
    /// For the clusters in each of so many panels. A whole ellipse takes about 1 KB of an SVG, one of few sides a third.
    pub(crate) fn of(clusters: &Clusters, panels: usize) -> Self {
        const ALL: &[f64] = &[1.0, 2.0, 3.0];
        let (radii, sides) = match clusters.k().saturating_mul(panels) {
            0..=60 => (ALL, 72),
            61..=300 => (&ALL[..2], 32),
            301..=1000 => (&ALL[..1], 20),
            _ => (&ALL[..0], 0),
        };
        let centres = match clusters.k().saturating_mul(panels) {
            0..=2000 => Centres::Rings,
            2001..=20_000 => Centres::Dots,
            _ => Centres::None,
        };
        Self { radii, sides, centres }
    }

    /// Where there is little room: without the widest ellipses.
    pub(crate) fn small(self) -> Self {
        Self { radii: &self.radii[..self.radii.len().min(2)], ..self }
    }

    /// How far out the ellipses go.
    pub(crate) fn reach(&self) -> f64 {
        self.radii.last().copied().unwrap_or(0.0)
    }
}
