//! Points of the plane: built-in sets, and two columns of a table.
//!
//! One unit is the same length in both directions, so that spheres are round: columns of a table are taken in standard
//! deviations from their means, which the names of the axes say.

use crate::error::PlayError;
use rand_distr::{Distribution, StandardNormal, Uniform};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;
use serde::Serialize;
use std::f64::consts::TAU;

/// The most points that the page takes.
pub const MAX_POINTS: usize = 2000;

const OLD_FAITHFUL: &str = include_str!("../data/faithful.csv");

/// Named points of the plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Points {
    name: String,
    axes: [String; 2],
    rows: Vec<[f64; 2]>,
    /// How many there were before a part was taken.
    of: usize,
}

impl Points {
    /// Two columns of a table, in standard deviations from their means. Of more than [`MAX_POINTS`] rows as many are taken,
    /// evenly spaced in the order of the table. Values must be finite.
    pub fn of_columns(name: &str, columns: [&str; 2], rows: &[[f64; 2]]) -> Self {
        let [x, y] = [0, 1].map(|j| Scale::of(rows, j));
        let scaled = rows.iter().map(|[a, b]| [x.apply(*a), y.apply(*b)]).collect();
        let points = Self { name: name.into(), axes: columns.map(in_deviations), rows: scaled, of: rows.len() };
        points.thinned(MAX_POINTS)
    }

    /// 272 eruptions of the Old Faithful geyser and the waits after them, in standard deviations from their means.
    pub fn old_faithful() -> Self {
        let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok()).unwrap_or(0.0);
        let row = |line: &str| {
            let mut fields = line.split(',');
            [number(fields.next()), number(fields.next())]
        };
        let rows: Vec<[f64; 2]> = OLD_FAITHFUL.lines().skip(1).map(row).collect();
        Self::of_columns("Old Faithful", ["eruption", "wait"], &rows)
    }

    /// Every set that is built in.
    pub fn built_in() -> Vec<Self> {
        vec![Self::old_faithful(), Self::blobs(), Self::stretched(), Self::rings()]
    }

    /// Four round clusters, of different sizes and numbers.
    fn blobs() -> Self {
        let clusters =
            [([-1.6, -1.0], 0.25, 60), ([0.2, 1.5], 0.5, 110), ([1.7, -0.9], 0.35, 80), ([-0.1, -1.2], 0.18, 30)];
        let mut draw = Draw::new(1);
        let mut rows = Vec::new();
        for ([x, y], deviation, n) in clusters {
            rows.extend((0..n).map(|_| [x + deviation * draw.normal(), y + deviation * draw.normal()]));
        }
        Self::made("Blobs", rows)
    }

    /// Three long clusters side by side, which spheres cut across.
    fn stretched() -> Self {
        let mut draw = Draw::new(2);
        let rows = (0..270).map(|i| {
            let (along, across) = (1.1 * draw.normal(), 0.16 * draw.normal());
            let (x, y) = (along, 1.1 * (f64::from(i % 3) - 1.0) + across);
            [0.9 * x - 0.45 * y, 0.45 * x + 0.9 * y]
        });
        Self::made("Stretched", rows.collect())
    }

    /// A ring around a blob: no mixture of few Gaussians has their shape, and one sees what it makes of them.
    fn rings() -> Self {
        let mut draw = Draw::new(3);
        let rows = (0..300).map(|i| match i % 3 {
            0 => [0.3 * draw.normal(), 0.3 * draw.normal()],
            _ => {
                let (angle, radius) = (draw.angle(), 1.8 + 0.13 * draw.normal());
                [radius * angle.cos(), radius * angle.sin()]
            }
        });
        Self::made("Ring and blob", rows.collect())
    }

    fn made(name: &str, rows: Vec<[f64; 2]>) -> Self {
        // As many decimals as a page shows.
        let rounded = |x: f64| (x * 1e4).round() / 1e4;
        let rows: Vec<_> = rows.into_iter().map(|row| row.map(rounded)).collect();
        Self { name: name.into(), axes: ["x".into(), "y".into()], of: rows.len(), rows }
    }

    /// The name of the set.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// n × 2
    pub fn rows(&self) -> &[[f64; 2]] {
        &self.rows
    }

    /// How many rows there were before a part of them was taken.
    pub fn of(&self) -> usize {
        self.of
    }

    /// At most so many, evenly spaced in their order.
    pub(crate) fn thinned(mut self, most: usize) -> Self {
        let n = self.rows.len();
        if n > most {
            self.rows = (0..most).map(|i| self.rows[i * n / most]).collect();
        }
        self
    }

    /// Fails where there are more points than the page takes.
    pub(crate) fn check(rows: &[[f64; 2]]) -> Result<(), PlayError> {
        if rows.len() > MAX_POINTS { Err(PlayError::TooManyPoints(rows.len())) } else { Ok(()) }
    }
}

fn in_deviations(column: &str) -> String {
    format!("{column} (standard deviations)")
}

/// Mean and standard deviation of a column.
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(rows: &[[f64; 2]], column: usize) -> Self {
        let n = rows.len().max(1) as f64;
        // Halved and scaled by the greatest, so that no finite values overflow.
        let size = rows.iter().fold(0.0, |size: f64, row| size.max(row[column].abs()));
        let unit = if size > 0.0 { size } else { 1.0 };
        let mean = rows.iter().map(|row| row[column] / unit).sum::<f64>() / n;
        let variance = rows.iter().map(|row| (row[column] / unit - mean).powi(2)).sum::<f64>() / n;
        let deviation = if variance > 0.0 { variance.sqrt() * unit } else { 1.0 };
        Self { mean: mean * unit, deviation }
    }

    fn apply(&self, x: f64) -> f64 {
        x / self.deviation - self.mean / self.deviation
    }
}

/// Numbers of chance for the built-in sets, the same every time.
struct Draw(Xoshiro256Plus);

impl Draw {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256Plus::seed_from_u64(seed))
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    fn angle(&mut self) -> f64 {
        Uniform::new(0.0, TAU).sample(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_faithful_is_whole_and_standardised() {
        let points = Points::old_faithful();
        assert_eq!((points.rows().len(), points.of()), (272, 272));
        for j in 0..2 {
            let mean = points.rows().iter().map(|row| row[j]).sum::<f64>() / 272.0;
            let variance = points.rows().iter().map(|row| row[j] * row[j]).sum::<f64>() / 272.0;
            assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12, "{mean} {variance}");
        }
    }

    #[test]
    fn large_tables_are_thinned_evenly_and_odd_columns_bear_it() {
        let rows: Vec<[f64; 2]> = (0..10_000).map(|i| [f64::from(i), 7.0]).collect();
        let points = Points::of_columns("t", ["a", "b"], &rows);
        assert_eq!((points.rows().len(), points.of()), (MAX_POINTS, 10_000));
        assert!(points.rows().iter().all(|[x, y]| x.abs() < 2.0 && *y == 0.0));
        let huge = Points::of_columns("t", ["a", "b"], &[[1e308, 0.0], [-1e308, 1.0]]);
        assert_eq!(huge.rows(), [[1.0, -1.0], [-1.0, 1.0]]);
        assert_eq!(Points::of_columns("t", ["a", "b"], &[]).rows().len(), 0);
    }

    #[test]
    fn built_in_sets_fit_the_page() {
        for points in Points::built_in() {
            assert!(points.rows().len() <= 300, "{}", points.name());
            assert!(points.rows().iter().flatten().all(|x| x.abs() < 4.0), "{}", points.name());
        }
    }
}
