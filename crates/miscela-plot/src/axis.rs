//! An axis: the range it shows, ticks at round numbers, and their labels.
//!
//! Labels stay short: where all numbers share a large part, or are very large or small, the part or the power of ten is
//! moved into the name of the axis.

use crate::{PlotError, font};

#[derive(Clone, Debug)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    name: String,
    pub(crate) ticks: Vec<f64>,
    labels: Labels,
}

/// How ticks are written: (tick − offset) / 10^exponent with so many decimals.
#[derive(Clone, Copy, Debug)]
struct Labels {
    offset: f64,
    exponent: i32,
    decimals: usize,
}

impl Axis {
    /// An axis that shows `low..high` on `length` pixels, upright ones with labels of `size` pixels one above the other.
    pub(crate) fn new(
        name: &str,
        (low, high): (f64, f64),
        length: f64,
        size: f64,
        upright: bool,
    ) -> Result<Self, PlotError> {
        let (low, high) = widened(low, high);
        if !(high - low).is_finite() {
            return Err(PlotError::Span { name: name.to_string() });
        }
        let most = ((length / (3.0 * size)) as usize).clamp(2, 8);
        // More than their width, as labels at the ends are moved inwards.
        let legible =
            |axis: &Self| upright || axis.ticks.len() < 2 || axis.spacing(length) >= 1.6 * axis.widest_label(size);
        let mut axes = (1..=most).rev().map(|most| Self::with_ticks(name, low, high, most));
        Ok(axes.find(legible).unwrap_or_else(|| Self::with_ticks(name, low, high, 1)))
    }

    /// Pixels between two ticks.
    fn spacing(&self, length: f64) -> f64 {
        (self.fraction(self.ticks[1]) - self.fraction(self.ticks[0])) * length
    }

    fn with_ticks(name: &str, low: f64, high: f64, most: usize) -> Self {
        let step = round_step((high - low) / most as f64);
        let first = (low / step).ceil();
        let ticks: Vec<f64> =
            (0..=most).map(|i| (first + i as f64) * step).filter(|tick| (low..=high).contains(tick)).collect();
        let labels = Labels::of(low, high, step);
        Self { low, high, name: name.to_string(), ticks, labels }
    }

    /// Ticks at whole numbers only.
    pub(crate) fn whole(mut self) -> Self {
        self.ticks.retain(|tick| tick.fract() == 0.0);
        self.labels.decimals = 0;
        self
    }

    /// Where `value` is on the axis: 0 at its low end, 1 at its high end.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// What is there on the axis.
    pub(crate) fn value(&self, fraction: f64) -> f64 {
        self.low + fraction * (self.high - self.low)
    }

    /// The name, cut so that with what the labels leave out it is no wider than `limit`.
    pub(crate) fn title(&self, size: f64, limit: f64) -> String {
        let left_out = self.labels.left_out();
        font::fit(&self.name, size, limit - font::width(&left_out, size)) + &left_out
    }

    pub(crate) fn label(&self, tick: f64) -> String {
        let Labels { offset, exponent, decimals } = self.labels;
        let text = format!("{:.decimals$}", (tick - offset) / 10f64.powi(exponent));
        // −0.0
        if text.trim_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text.replace('-', "−") }
    }

    pub(crate) fn widest_label(&self, size: f64) -> f64 {
        self.ticks.iter().map(|&tick| font::width(&self.label(tick), size)).fold(0.0, f64::max)
    }
}

impl Labels {
    fn of(low: f64, high: f64, step: f64) -> Self {
        let unit = 10f64.powf((high - low).log10().floor() + 1.0);
        let far = low.abs().max(high.abs()) > 1000.0 * (high - low);
        let offset = if far { offset(low, high, unit) } else { 0.0 };
        let size = (low - offset).abs().max((high - offset).abs());
        let exponent = if (1e-3..1e5).contains(&size) { 0 } else { size.log10().floor() as i32 };
        let decimals = (f64::from(exponent) - step.log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
        Self { offset, exponent, decimals }
    }

    /// What the labels leave out.
    fn left_out(&self) -> String {
        let offset = match self.offset {
            0.0 => String::new(),
            offset if offset.abs() < 1e9 => format!(" − {offset}"),
            offset => format!(" − {offset:e}"),
        };
        let exponent = match self.exponent {
            0 => String::new(),
            exponent => format!(" / 10{}", superscript(exponent)),
        };
        format!("{}{exponent}", offset.replace("− -", "+ "))
    }
}

/// The roundest number less than a unit from both ends; otherwise a multiple of the unit below them.
fn offset(low: f64, high: f64, unit: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    let powers = (0..).map(|i| 10f64.powf(middle.abs().log10().floor()) / 10f64.powi(i));
    let mut rounded = powers.take_while(|power| *power > unit).map(|power| (middle / power).round() * power);
    let is_near = |offset: &f64| (low - offset).abs().max((high - offset).abs()) < unit;
    rounded.find(is_near).unwrap_or_else(|| (low / unit).floor() * unit)
}

fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number.to_string().chars().map(|c| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize])).collect()
}

/// A little more than the range, and never nothing.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    // A span that is nothing but rounding cannot be told from none.
    if high - low > size * 1e-12 {
        return (low, high);
    }
    let half = if size > 0.0 { size * 0.1 } else { 1.0 };
    (low - half, high + half)
}

/// The next of 1, 2, 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0 * power)
}

/// The smallest and the largest of the values, if there are any.
pub(crate) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low <= high { (low, high) } else { (0.0, 0.0) }
}

/// The range and a margin of `share` of it on both sides.
pub(crate) fn padded((low, high): (f64, f64), share: f64) -> (f64, f64) {
    let margin = (high - low) * share;
    (low - margin, high + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> (String, Vec<String>) {
        let axis = Axis::new("x", (low, high), 200.0, 11.0, false).unwrap();
        let labels = axis.ticks.iter().map(|&tick| axis.label(tick)).collect();
        (axis.title(11.0, 200.0), labels)
    }

    #[test]
    fn round_numbers() {
        assert_eq!(labels(1.4, 5.2), ("x".into(), ["2", "3", "4", "5"].map(String::from).to_vec()));
        assert_eq!(labels(-0.3, 0.5).1, ["−0.2", "0.0", "0.2", "0.4"]);
    }

    #[test]
    fn shared_parts_go_into_the_name() {
        let (name, labels_of_far) = labels(1e8 + 1.0, 1e8 + 5.0);
        assert_eq!(name, "x − 100000000");
        assert_eq!(labels_of_far, ["1", "2", "3", "4", "5"]);
        let (name, labels_about_a_round_number) = labels(1e12 - 0.5, 1e12 + 3.5);
        assert_eq!(name, "x − 1e12");
        assert_eq!(labels_about_a_round_number, ["0", "1", "2", "3"]);
        assert_eq!(labels(-1e12 - 3.5, -1e12 + 0.5).0, "x + 1e12");
        assert_eq!(labels(1234.51, 1234.59).0, "x − 1234.5");
        let (name, labels_of_large) = labels(0.0, 4e20);
        assert_eq!(name, "x / 10²⁰");
        assert_eq!(labels_of_large, ["0", "1", "2", "3", "4"]);
        assert_eq!(labels(0.0, 4e-150).0, "x / 10⁻¹⁵⁰");
    }

    #[test]
    fn any_range_has_an_axis() {
        for (low, high) in [(0.0, 0.0), (7.0, 7.0), (-1e150, 1e150), (1e-320, 2e-320), (1e300, 1e300)] {
            let axis = Axis::new("x", (low, high), 300.0, 11.0, true).unwrap();
            assert!((0.0..=1.0).contains(&axis.fraction(low)));
            assert!(axis.ticks.len() <= 9);
        }
        assert!(matches!(Axis::new("x", (-1.7e308, 1.7e308), 300.0, 11.0, true), Err(PlotError::Span { .. })));
    }
}
