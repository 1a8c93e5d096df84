//! The inertia of any interval of sorted values, from sums over the values before each.

use std::cmp::Ordering;

/// Sums over the first values: Σ w, Σ w z and Σ w z², where z are the values about their median and by their range.
///
/// They are added up in double-double arithmetic (Dekker 1971) and kept as a leading part, which nearly all can be told
/// from, and what is left of it.
pub(super) struct Sums {
    leading: Vec<Triple>,
    rest: Vec<Triple>,
    /// A value is `origin + z · scale`; the scale is a power of two.
    origin: f64,
    scale: f64,
}

#[derive(Clone, Copy, Default)]
struct Triple {
    mass: f64,
    first: f64,
    second: f64,
}

impl Sums {
    /// Sorts values with their positive weights, and takes equal values together.
    pub(super) fn of(mut values: Vec<(f64, f64)>) -> Self {
        values.sort_unstable_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal));
        let origin = values.get(values.len() / 2).map_or(0.0, |(x, _)| *x);
        let ends = values.first().map_or(0.0, |(x, _)| x.abs()).max(values.last().map_or(0.0, |(x, _)| x.abs()));
        let scale = power_of_two_above(ends);
        let heaviest = power_of_two_above(values.iter().map(|(_, w)| *w).fold(0.0, f64::max));
        let mut sums = Self { leading: vec![Triple::default()], rest: vec![Triple::default()], origin, scale };
        let (mut mass, mut first, mut second) = (Double::default(), Double::default(), Double::default());
        for equal in values.chunk_by(|a, b| a.0 == b.0) {
            let z = Double::difference(equal[0].0 / scale, origin / scale);
            let weight = equal.iter().fold(Double::default(), |sum, (_, w)| sum.plus(Double::from(w / heaviest)));
            let moment = weight.times(z);
            mass = mass.plus(weight);
            first = first.plus(moment);
            second = second.plus(moment.times(z));
            sums.leading.push(Triple { mass: mass.high, first: first.high, second: second.high });
            sums.rest.push(Triple { mass: mass.low, first: first.low, second: second.low });
        }
        sums
    }

    /// The number of distinct values.
    pub(super) fn len(&self) -> usize {
        self.leading.len() - 1
    }

    /// Σ w z² over all, which is what errors of [`inertia`](Self::inertia) are relative to.
    pub(super) fn greatest(&self) -> f64 {
        self.leading[self.len()].second
    }

    /// Σ w (z − mean)² over the values l..i, l < i: to rounding of [`greatest`](Self::greatest).
    #[inline]
    pub(super) fn inertia(&self, l: usize, i: usize) -> f64 {
        let (from, to) = (self.leading[l], self.leading[i]);
        let first = to.first - from.first;
        (to.second - from.second) - first * first / (to.mass - from.mass)
    }

    /// The same to the square of that rounding: with m near the mean, Σ w (z − m)² = Σ w z² − m (2 Σ w z − m Σ w).
    pub(super) fn precise_inertia(&self, l: usize, i: usize) -> f64 {
        let (mass, first, second) = self.between(l, i);
        let m = Double::from(first.high / mass.high);
        second.minus(m.times(first.plus(first).minus(m.times(mass)))).high.max(0.0)
    }

    /// The mean of the values l..i, l < i.
    pub(super) fn mean(&self, l: usize, i: usize) -> f64 {
        let (mass, first, _) = self.between(l, i);
        (Double::from(self.origin / self.scale)).plus(first.over(mass)).high * self.scale
    }

    fn between(&self, l: usize, i: usize) -> (Double, Double, Double) {
        let part = |of: fn(&Triple) -> f64| {
            let [from, to] = [l, i].map(|at| Double { high: of(&self.leading[at]), low: of(&self.rest[at]) });
            to.minus(from)
        };
        (part(|sums| sums.mass), part(|sums| sums.first), part(|sums| sums.second))
    }

    /// The values and weights, sorted.
    #[cfg(test)]
    pub(super) fn values(&self) -> Vec<(f64, f64)> {
        (0..self.len()).map(|i| (self.mean(i, i + 1), self.between(i, i + 1).0.high)).collect()
    }
}

/// Division by it is exact and leaves at most 1: no square overflows.
fn power_of_two_above(x: f64) -> f64 {
    if x > 0.0 { x.log2().floor().min(1022.0).exp2() * 2.0 } else { 1.0 }
}

/// An unevaluated sum of two numbers, the second at most half a unit in the last place of the first.
#[derive(Clone, Copy, Default)]
struct Double {
    high: f64,
    low: f64,
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Double {
    /// a − b, exactly.
    fn difference(a: f64, b: f64) -> Self {
        Self::sum(a, -b)
    }

    /// a + b, exactly (Knuth 1969).
    fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let of_b = high - a;
        Self { high, low: (a - (high - of_b)) + (b - of_b) }
    }

    fn plus(self, other: Self) -> Self {
        let (high, low) = (Self::sum(self.high, other.high), Self::sum(self.low, other.low));
        let near = Self::sum(high.high, high.low + low.high);
        Self::sum(near.high, near.low + low.low)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self { high: -other.high, low: -other.low })
    }

    fn times(self, other: Self) -> Self {
        let high = self.high * other.high;
        let low = self.high.mul_add(other.high, -high) + (self.high * other.low + self.low * other.high);
        Self::sum(high, low)
    }

    fn over(self, other: Self) -> Self {
        let near = Self::from(self.high / other.high);
        near.plus(Self::from(self.minus(near.times(other)).high / other.high))
    }
}
