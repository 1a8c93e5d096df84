//! The minima of all rows of a totally monotone matrix in linear time (Aggarwal, Klawe, Moran, Shor & Wilber 1987).
//!
//! Totally monotone: where one entry of a row is greater than another on its right, so it is in all rows below. Then columns
//! that are the minimum of no row are found by looking at O(rows + columns) entries (reduce), the minima of every second row
//! by recursion, and each of the others lies between those of its neighbours.

use std::ops::Range;

/// For each row of the range, the column of the range where `entry(row, column)` is least, the first of equals: `best[row]`.
pub(super) fn row_minima(
    rows: Range<usize>,
    columns: Range<usize>,
    entry: &impl Fn(usize, usize) -> f64,
    best: &mut [u32],
) {
    if rows.len() == 1 {
        let row = rows.start;
        let least = |a: usize, b: usize| if entry(row, b) < entry(row, a) { b } else { a };
        best[row] = columns.reduce(least).unwrap_or_default() as u32;
        return;
    }
    let columns: Vec<u32> = columns.map(|column| column as u32).collect();
    every(Rows { first: rows.start, step: 1, count: rows.len() }, &columns, entry, best);
}

/// Rows at equal steps.
#[derive(Clone, Copy)]
struct Rows {
    first: usize,
    step: usize,
    count: usize,
}

impl Rows {
    fn at(&self, i: usize) -> usize {
        self.first + i * self.step
    }

    /// The second, the fourth and so on.
    fn seconds(&self) -> Self {
        Self { first: self.first + self.step, step: 2 * self.step, count: self.count / 2 }
    }
}

fn every(rows: Rows, columns: &[u32], entry: &impl Fn(usize, usize) -> f64, best: &mut [u32]) {
    if rows.count == 0 {
        return;
    }
    let columns = reduce(rows, columns, entry);
    every(rows.seconds(), &columns, entry, best);
    let mut from = 0;
    for i in (0..rows.count).step_by(2) {
        let row = rows.at(i);
        // The minimum of the next row ends the search, where there is one.
        let until = if i + 1 < rows.count { best[rows.at(i + 1)] } else { columns[columns.len() - 1] };
        let mut least = f64::INFINITY;
        best[row] = columns[from];
        loop {
            let value = entry(row, columns[from] as usize);
            if value < least {
                (least, best[row]) = (value, columns[from]);
            }
            if columns[from] == until {
                break;
            }
            from += 1;
        }
    }
}

/// At most as many columns as there are rows, those of all minima among them.
fn reduce(rows: Rows, columns: &[u32], entry: &impl Fn(usize, usize) -> f64) -> Vec<u32> {
    let mut kept: Vec<u32> = Vec::with_capacity(rows.count);
    for &column in columns {
        while let Some(&top) = kept.last() {
            let row = rows.at(kept.len() - 1);
            if entry(row, top as usize) <= entry(row, column as usize) {
                break;
            }
            kept.pop();
        }
        if kept.len() < rows.count {
            kept.push(column);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn minima_are_those_of_looking_everywhere(
            steps in prop::collection::vec((0i32..9, 0i32..9), 2..40),
            shifts in prop::collection::vec(0i32..30, 40),
        ) {
            // (x − y)² + c is totally monotone for sorted x and y, whatever c of the column.
            let sums = |step: fn(&(i32, i32)) -> i32| {
                steps.iter().scan(0, move |sum, pair| { *sum += step(pair); Some(f64::from(*sum)) }).collect::<Vec<_>>()
            };
            let (x, y) = (sums(|pair| pair.0), sums(|pair| pair.1));
            let entry = |i: usize, l: usize| (x[i] - y[l]).powi(2) + f64::from(shifts[l]);
            let mut best = vec![0; x.len()];
            row_minima(1..x.len(), 0..y.len(), &entry, &mut best);
            for i in 1..x.len() {
                let least = (0..y.len()).fold(0, |a, b| if entry(i, b) < entry(i, a) { b } else { a });
                prop_assert_eq!(entry(i, best[i] as usize), entry(i, least));
            }
        }
    }
}
