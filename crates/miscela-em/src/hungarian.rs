//! The cheapest matching of rows to columns of a table of costs: the Hungarian method.
//!
//! Kuhn (1955), by shortest augmenting paths (Jonker & Volgenant 1987): rows are matched one after the other; each new one
//! takes the path of alternating edges that costs least, where prices of rows and columns keep every edge's reduced cost from
//! being negative and that of matched ones at zero. Cost: O(r² c) for r ≤ c.

use ndarray::ArrayView2;

/// For each row its column, so that the costs of all matched pairs sum to the least; each column has at most one row, and
/// as many pairs are made as there can be: where there are more rows than columns, the rows that are left have none.
///
/// Costs must be finite.
///
/// ```
/// use miscela_em::cheapest_matching;
/// use ndarray::array;
///
/// assert_eq!(cheapest_matching(array![[1.0, 2.0], [1.0, 9.0]].view()), [Some(1), Some(0)]);
/// assert_eq!(cheapest_matching(array![[5.0], [4.0]].view()), [None, Some(0)]);
/// ```
pub fn cheapest_matching(costs: ArrayView2<f64>) -> Vec<Option<usize>> {
    let (rows, columns) = costs.dim();
    if rows > columns {
        let mut matched = vec![None; rows];
        let turned = cheapest_matching(costs.reversed_axes());
        turned.iter().enumerate().for_each(|(column, row)| row.iter().for_each(|row| matched[*row] = Some(column)));
        return matched;
    }
    let mut matching =
        Matching { costs, row_prices: vec![0.0; rows], column_prices: vec![0.0; columns], row_of: vec![None; columns] };
    (0..rows).for_each(|row| matching.add(row));
    let mut matched = vec![None; rows];
    let pairs = matching.row_of.iter().enumerate().filter_map(|(column, row)| Some((column, (*row)?)));
    pairs.for_each(|(column, row)| matched[row] = Some(column));
    matched
}

struct Matching<'a> {
    costs: ArrayView2<'a, f64>,
    row_prices: Vec<f64>,
    column_prices: Vec<f64>,
    /// The row of each column.
    row_of: Vec<Option<usize>>,
}

impl Matching<'_> {
    /// Matches one more row, along the cheapest path to a column that is free.
    fn add(&mut self, row: usize) {
        let columns = self.row_of.len();
        let mut reach = vec![f64::INFINITY; columns];
        // The column before each on its path; none: the path begins there, at the new row.
        let mut before: Vec<Option<usize>> = vec![None; columns];
        let mut settled: Vec<usize> = Vec::new();
        let mut open: Vec<usize> = (0..columns).collect();
        let (mut at, mut from, mut length) = (row, None, 0.0);
        let free = loop {
            for column in &open {
                let reduced = self.costs[[at, *column]] - self.row_prices[at] - self.column_prices[*column];
                if length + reduced < reach[*column] {
                    (reach[*column], before[*column]) = (length + reduced, from);
                }
            }
            let nearest = (0..open.len()).min_by(|a, b| reach[open[*a]].total_cmp(&reach[open[*b]]));
            // There are no fewer columns than rows, so that one is free.
            let Some(nearest) = nearest.map(|place| open.remove(place)) else { return };
            length = reach[nearest];
            match self.row_of[nearest] {
                None => break nearest,
                Some(next) => {
                    settled.push(nearest);
                    (at, from) = (next, Some(nearest));
                }
            }
        };
        self.row_prices[row] += length;
        for column in settled {
            let slack = length - reach[column];
            self.column_prices[column] -= slack;
            self.row_of[column].iter().for_each(|row| self.row_prices[*row] += slack);
        }
        let mut column = free;
        while let Some(previous) = before[column] {
            self.row_of[column] = self.row_of[previous];
            column = previous;
        }
        self.row_of[column] = Some(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    /// The least total of matching rows from `row` on to columns that are not taken, `pairs` of them.
    fn least(costs: &Array2<f64>, row: usize, taken: u32, pairs: usize) -> f64 {
        if pairs == 0 {
            return 0.0;
        }
        if costs.nrows() - row < pairs {
            return f64::INFINITY;
        }
        let free = (0..costs.ncols()).filter(|c| taken & (1 << c) == 0);
        let with = free.map(|c| costs[[row, c]] + least(costs, row + 1, taken | 1 << c, pairs - 1));
        with.fold(least(costs, row + 1, taken, pairs), f64::min)
    }

    proptest! {
        #[test]
        fn no_matching_is_cheaper(rows in 1usize..6, columns in 1usize..6, numbers in prop::collection::vec(-9..9i8, 25)) {
            let costs = Array2::from_shape_fn((rows, columns), |(i, j)| f64::from(numbers[5 * i + j]));
            let matched = cheapest_matching(costs.view());
            let pairs: Vec<(usize, usize)> = matched.iter().enumerate().filter_map(|(i, j)| Some((i, (*j)?))).collect();
            let mut used: Vec<usize> = pairs.iter().map(|(_, j)| *j).collect();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), rows.min(columns));
            prop_assert_eq!(pairs.len(), rows.min(columns));
            let total: f64 = pairs.iter().map(|(i, j)| costs[[*i, *j]]).sum();
            prop_assert!((total - least(&costs, 0, 0, rows.min(columns))).abs() < 1e-9);
        }
    }
}
