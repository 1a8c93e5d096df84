//! Batches drawn from a table by weight.
//!
//! Laid end to end, the rows' weights make a line of length W. It is cut into b equal pieces, and each gives the row at one
//! point drawn evenly from it: row i is drawn b wᵢ/W times on average, and at most one more or one less than that. Every
//! batch thus goes through the whole table, also where that is sorted. A drawn row counts once, whatever its weight; an
//! integer weight is so many copies of the row, zero is none. The points are functions of a seed, the number of the batch and
//! that of the piece.

use miscela_kernel::{Float, Samples, uniform};
use ndarray::Axis;

/// The batches of one table.
pub(crate) struct Draw<'a, 's, F: Float> {
    samples: &'a Samples<'s, F>,
    /// Where on the line each row ends; none where all weights are one.
    ends: Option<Vec<f64>>,
    size: usize,
    seed: u64,
}

impl<'a, 's, F: Float> Draw<'a, 's, F> {
    pub(crate) fn new(samples: &'a Samples<'s, F>, size: usize, seed: u64) -> Self {
        let add = |end: &mut f64, w: &f64| {
            *end += w;
            Some(*end)
        };
        let ends = samples.weights().map(|weights| weights.iter().scan(0.0, add).collect());
        Self { samples, ends, size, seed }
    }

    /// Hands batch `t` over: drawn rows, or all rows with their weights where a batch would be as large.
    pub(crate) fn lend<T>(&self, t: usize, work: impl FnOnce(&Samples<F>) -> T) -> T {
        if self.size >= self.samples.n_positive() {
            return work(self.samples);
        }
        let rows = self.samples.rows().select(Axis(0), &self.rows(t));
        work(&Samples::unchecked(&rows))
    }

    /// The rows of batch `t`, in the order of the table.
    fn rows(&self, t: usize) -> Vec<usize> {
        let (n, seed) = (self.samples.n_rows(), uniform::of_row(self.seed, t));
        let length = self.ends.as_ref().and_then(|ends| ends.last().copied()).unwrap_or(n as f64);
        let piece = length / self.size as f64;
        let point = |i: usize| (i as f64 + uniform::unit(uniform::of_row(seed, i))) * piece;
        let at = |point: f64| match &self.ends {
            // Rounding may put the last point on the end of the line.
            Some(ends) => ends.partition_point(|end| *end <= point.min(length * (1.0 - f64::EPSILON))),
            None => (point as usize).min(n - 1),
        };
        (0..self.size).map(point).map(at).collect()
    }
}

/// So many rows of the table drawn by weight, or all rows of positive weight if there are no more than that.
///
/// A row of great weight can be among them more than once.
pub fn drawn_rows<F: Float>(samples: &Samples<F>, count: usize, seed: u64) -> Vec<usize> {
    if count >= samples.n_positive() {
        return (0..samples.n_rows()).filter(|i| samples.weight(*i) > 0.0).collect();
    }
    Draw::new(samples, count, seed).rows(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn rows_are_drawn_as_often_as_they_weigh() {
        let rows = Array2::<f64>::from_shape_fn((50, 1), |(i, _)| i as f64);
        let weights: Vec<f64> = (0..50).map(|i| (i % 4) as f64 / 3.0).collect();
        let (total, size) = (weights.iter().sum::<f64>(), 20);
        let samples = Samples::weighted(&rows, weights.clone()).unwrap();
        let draw = Draw::new(&samples, size, 7);
        let mut counts = [0usize; 50];
        for t in 0..2000 {
            let drawn = draw.rows(t);
            assert!(drawn.is_sorted() && drawn.len() == size);
            for i in 0..50 {
                let (count, expected) = (drawn.iter().filter(|j| **j == i).count(), weights[i] / total * size as f64);
                assert!((count as f64 - expected).abs() < 2.0);
                counts[i] += count;
            }
        }
        for (count, w) in counts.iter().zip(&weights) {
            let expected = w / total * size as f64 * 2000.0;
            assert!((*count as f64 - expected).abs() <= 5.0 * expected.sqrt(), "{count} {expected}");
        }
    }

    #[test]
    fn a_weight_is_so_many_copies() {
        let rows = Array2::<f64>::from_shape_fn((9, 2), |(i, j)| (3 * i + j) as f64);
        let weights = [3.0, 0.0, 1.0, 2.0, 5.0, 0.0, 1.0, 4.0, 0.0];
        let copies: Vec<usize> = (0..9).flat_map(|i| vec![i; weights[i] as usize]).collect();
        let repeated = rows.select(Axis(0), &copies);
        let (samples, repeated) = (Samples::weighted(&rows, &weights[..]).unwrap(), Samples::new(&repeated).unwrap());
        let (drawn, of_copies) = (Draw::new(&samples, 5, 3), Draw::new(&repeated, 5, 3));
        for t in 0..100 {
            assert_eq!(drawn.rows(t), of_copies.rows(t).iter().map(|i| copies[*i]).collect::<Vec<_>>());
        }
        assert_eq!(drawn_rows(&samples, 6, 1), [0, 2, 3, 4, 6, 7]);
        // As large as the table: the table.
        Draw::new(&samples, 6, 3).lend(0, |batch| assert_eq!(batch.weights(), Some(&weights[..])));
    }
}
