//! Columns that spread so differently that plain distances see but one of them.

use crate::model::Number;
use ndarray::Array2;

/// From how many times as wide on one column outweighs another.
const MANY: f64 = 10.0;
/// Rows that tell.
const ROWS: usize = 10_000;

/// A sentence about the widest column and the narrowest, if the one outweighs the other. Constant columns do not count.
pub(crate) fn uneven<F: Number>(rows: &Array2<F>, names: &[String]) -> Option<String> {
    let step = rows.nrows().div_ceil(ROWS).max(1);
    let spreads = names.iter().zip(rows.columns()).map(|(name, column)| {
        let values = column.into_iter().step_by(step).map(|x| x.widen());
        (name, deviation(values.filter(|x| x.is_finite())))
    });
    let spreads: Vec<_> = spreads.filter(|(_, spread)| *spread > 0.0).collect();
    let by_spread = |a: &&(&String, f64), b: &&(&String, f64)| a.1.total_cmp(&b.1);
    let (narrow, wide) = (spreads.iter().min_by(by_spread)?, spreads.iter().max_by(by_spread)?);
    let times = wide.1 / narrow.1;
    (times >= MANY).then(|| {
        format!(
            "{} spreads {times:.0} times as widely as {} and outweighs it; --standardize gives all columns the same say",
            wide.0, narrow.0
        )
    })
}

/// The standard deviation (Welford 1962).
fn deviation(values: impl Iterator<Item = f64>) -> f64 {
    let (mut n, mut mean, mut sum) = (0.0, 0.0, 0.0);
    for x in values {
        n += 1.0;
        let difference = x - mean;
        mean += difference / n;
        sum += difference * (x - mean);
    }
    (sum / f64::max(n, 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn said(rows: &Array2<f64>) -> Option<String> {
        let names: Vec<String> = (0..rows.ncols()).map(|j| format!("x{j}")).collect();
        uneven(rows, &names)
    }

    #[test]
    fn the_widest_column_is_named_with_the_narrowest() {
        let rows = array![[0.0, 1000.0, 5.0], [1.0, 3000.0, 5.0], [f64::NAN, 2000.0, 5.0]];
        let expected =
            "x1 spreads 1633 times as widely as x0 and outweighs it; --standardize gives all columns the same say";
        assert_eq!(said(&rows).as_deref(), Some(expected));
        assert_eq!(said(&array![[0.0, 1.0], [1.0, 5.0]]), None);
        assert_eq!(said(&array![[1.0, 1.0], [1.0, 500.0]]), None, "a constant column");
        assert_eq!(said(&Array2::zeros((0, 2))), None);
    }
}
