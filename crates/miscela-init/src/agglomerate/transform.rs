//! What is done to the columns before rows are agglomerated.

use super::groups::Groups;
use crate::SeedingError;
use miscela_linalg::svd;

/// What is done to the columns before rows are agglomerated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transform {
    /// Columns are centred and divided by their standard deviation, turned to their principal axes, and divided by the
    /// square roots of the singular values: Z = X V S^(−1/2), which goes half of the way to a sphere (Scrucca & Raftery
    /// 2015, mclust's `use = "SVD"`). Units and rotations of the data after scaling do not matter. Constant columns, and
    /// axes along which the data do not extend, are left out.
    #[default]
    Svd,
    /// Nothing.
    None,
}

impl Transform {
    /// The groups' values after it, m × d′, and d′.
    pub(super) fn apply(self, groups: &Groups) -> Result<(Vec<f64>, usize), SeedingError> {
        let m = groups.weight.len();
        let d = groups.values.len() / m;
        let (points, d) = match self {
            Transform::Svd => half_sphered(&standardised(groups, d), &groups.weight)?,
            Transform::None => (groups.values.clone(), d),
        };
        // Twice what any difference of two of them squares to.
        let reach: f64 = points.iter().map(|x| 4.0 * x * x).sum();
        if reach.is_finite() { Ok((points, d)) } else { Err(SeedingError::TooLarge) }
    }
}

/// The columns that vary, of mean 0 and variance 1 (by n − 1), one after the other.
fn standardised(groups: &Groups, d: usize) -> Vec<Vec<f64>> {
    let total: f64 = groups.weight.iter().sum();
    let column = |j: usize| {
        // Halves, as the difference of two numbers may be too large where they are not.
        let mut x: Vec<f64> = groups.values.iter().skip(j).step_by(d).map(|x| 0.5 * x).collect();
        let (low, high) = x.iter().fold((x[0], x[0]), |(low, high), x| (low.min(*x), high.max(*x)));
        let range = high - low;
        if range < f64::MIN_POSITIVE {
            return None;
        }
        x.iter_mut().for_each(|x| *x = (*x - low) / range);
        let mean = x.iter().zip(&groups.weight).map(|(x, w)| w * x).sum::<f64>() / total;
        x.iter_mut().for_each(|x| *x -= mean);
        let variance = x.iter().zip(&groups.weight).map(|(x, w)| w * x * x).sum::<f64>() / (total - 1.0);
        x.iter_mut().for_each(|x| *x /= variance.sqrt());
        Some(x)
    };
    (0..d).filter_map(column).collect()
}

/// X V S^(−1/2) of columns X, m × r row by row, and the rank r.
fn half_sphered(columns: &[Vec<f64>], weight: &[f64]) -> Result<(Vec<f64>, usize), SeedingError> {
    let (m, d) = (weight.len(), columns.len());
    // As if each row stood there as often as it weighs.
    let copies: Vec<f64> = (0..m * d).map(|at| weight[at / d].sqrt() * columns[at % d][at / d]).collect();
    let svd = svd(&copies, m, d).ok_or(SeedingError::TooLarge)?;
    let least = svd.values.first().map_or(0.0, |s| s * f64::EPSILON * m.max(d) as f64);
    let rank = svd.values.iter().filter(|s| **s > least).count();
    let (r, mut points) = (svd.values.len(), Vec::with_capacity(m * rank));
    for i in 0..m {
        for e in 0..rank {
            let along: f64 = columns.iter().enumerate().map(|(j, x)| x[i] * svd.v[j * r + e]).sum();
            points.push(along / svd.values[e].sqrt());
        }
    }
    Ok((points, rank))
}

#[cfg(test)]
mod tests {
    use super::*;
    use miscela_kernel::Samples;

    #[test]
    fn columns_are_centred_and_scaled_as_their_rows_weigh() {
        let rows = ndarray::array![[1.0, 5.0, 7.0], [2.0, 5.0, -1.0], [4.0, 5.0, 0.5]];
        let groups = Groups::of_all(&Samples::weighted(&rows, vec![2.0, 1.0, 3.0]).unwrap());
        let columns = standardised(&groups, 3);
        assert_eq!(columns.len(), 2, "one is constant");
        for column in columns {
            let moment = |power: i32| column.iter().zip([2.0, 1.0, 3.0]).map(|(x, w)| w * x.powi(power)).sum::<f64>();
            assert!(moment(1).abs() < 1e-14 && (moment(2) - 5.0).abs() < 1e-14, "{column:?}");
        }
    }
}
