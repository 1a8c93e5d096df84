//! The two leading principal components: the plane in which points of many columns differ most (Pearson 1901).

use crate::extent::fence;
use crate::{Clusters, PlotError};
use ndarray::{Array1, Array2, Array3, ArrayView1};

/// A clustering as it is seen in its principal plane.
pub(crate) struct Projected {
    /// n × 2
    pub(crate) points: Array2<f64>,
    /// k × 2
    pub(crate) centres: Array2<f64>,
    /// k × 2 × 2
    pub(crate) covariances: Option<Array3<f64>>,
    /// `PC1 (73 % of the variance)` and `PC2 (…)`.
    pub(crate) names: [String; 2],
}

impl Projected {
    /// Columns are taken as they are, not scaled. The plane is that of some rows, evenly chosen, where all would take more than
    /// some seconds, without those that are far off; rows of weight 0 have no say in it, others have by their weight.
    pub(crate) fn new(clusters: &Clusters) -> Result<Self, PlotError> {
        let Plane { means, axes, shares } = plane(clusters)?;
        let project = |row: ArrayView1<f64>, axis: usize| -> f64 {
            row.iter().zip(&means).zip(axes.column(axis)).map(|((x, mean), v)| (x - mean) * v).sum()
        };
        let all = |rows: &ndarray::ArrayView2<f64>| {
            Array2::from_shape_fn((rows.nrows(), 2), |(i, axis)| project(rows.row(i), axis))
        };
        let points = all(&clusters.points);
        let covariances = clusters.covariances.map(|covariances| {
            // V Σ Vᵀ of each component.
            let images: Vec<_> =
                covariances.outer_iter().map(|covariance| axes.t().dot(&covariance).dot(&axes)).collect();
            Array3::from_shape_fn((clusters.k(), 2, 2), |(c, i, j)| images[c][(i, j)])
        });
        let name = |axis: usize| match shares[axis].is_finite() {
            true => format!("PC{} ({:.0} % of the variance)", axis + 1, 100.0 * shares[axis]),
            false => format!("PC{}", axis + 1),
        };
        let (names, centres) = ([name(0), name(1)], all(&clusters.centres));
        let finite = points.iter().chain(&centres).chain(covariances.iter().flatten()).all(|x| x.is_finite());
        if finite { Ok(Self { points, centres, covariances, names }) } else { Err(too_far()) }
    }
}

fn too_far() -> PlotError {
    PlotError::Span { name: "the principal components".to_string() }
}

/// The rows but for those far off in some column, which would decide alone where the plane lies.
fn near(clusters: &Clusters, rows: &[usize]) -> Vec<usize> {
    let column = |j: usize| rows.iter().map(|row| clusters.points[(*row, j)]).collect();
    let fences: Vec<(f64, f64)> = (0..clusters.n_columns()).map(|j| fence(column(j))).collect();
    let inside =
        |row: &&usize| clusters.points.row(**row).iter().zip(&fences).all(|(x, fence)| (fence.0..=fence.1).contains(x));
    let near: Vec<usize> = rows.iter().filter(inside).copied().collect();
    if near.is_empty() { rows.to_vec() } else { near }
}

/// A plane through points.
struct Plane {
    /// d
    means: Array1<f64>,
    /// d × 2, each with its largest entry positive.
    axes: Array2<f64>,
    /// The shares of the variance.
    shares: [f64; 2],
}

fn plane(clusters: &Clusters) -> Result<Plane, PlotError> {
    const MOST_WORK: f64 = 1e9;
    let (n, d) = clusters.points.dim();
    // Of m rows the decomposition takes m·d·min(m, d).
    let affordable = (MOST_WORK / (d * d) as f64).max((MOST_WORK / d as f64).sqrt().min(d as f64)) as usize;
    let rows: Vec<usize> = clusters.some_rows(affordable.clamp(2, n.max(2)));
    let counted: Vec<usize> = rows.into_iter().filter(|row| clusters.row_weight(*row) > 0.0).collect();
    let rows = near(clusters, &counted);
    // By the greatest weight and distance, so that no square is too large.
    let heaviest = rows.iter().map(|row| clusters.row_weight(*row)).fold(0.0, f64::max);
    let weights: Vec<f64> = rows.iter().map(|row| clusters.row_weight(*row) / heaviest).collect();
    let total: f64 = weights.iter().sum();
    let mut means = Array1::zeros(d);
    for (row, weight) in rows.iter().zip(&weights) {
        means.scaled_add(weight / total, &clusters.points.row(*row));
    }
    let reach = rows
        .iter()
        .flat_map(|row| clusters.points.row(*row).into_iter().zip(&means))
        .map(|(x, mean)| (x - mean).abs())
        .fold(0.0, f64::max);
    if !reach.is_finite() {
        return Err(too_far());
    }
    let unit = if reach > 0.0 { reach } else { 1.0 };
    let matrix: Vec<f64> = rows
        .iter()
        .zip(&weights)
        .flat_map(|(row, weight)| {
            let scale = weight.sqrt() / unit;
            clusters.points.row(*row).into_iter().zip(&means).map(move |(x, mean)| (x - mean) * scale)
        })
        .collect();
    let svd = miscela_linalg::svd(&matrix, rows.len(), d).ok_or_else(too_far)?;
    let rank = rows.len().min(d);
    let mut axes = Array2::from_shape_fn((d, 2), |(j, axis)| if axis < rank { svd.v[j * rank + axis] } else { 0.0 });
    for mut axis in axes.columns_mut() {
        let largest = axis.iter().copied().fold(0.0f64, |best, x| if x.abs() > best.abs() + 1e-12 { x } else { best });
        if largest < 0.0 {
            axis.mapv_inplace(|x| -x);
        }
    }
    let squares: Vec<f64> = svd.values.iter().map(|value| value * value).collect();
    let whole: f64 = squares.iter().sum();
    let shares = [0usize, 1].map(|axis| squares.get(axis).copied().unwrap_or(0.0) / whole);
    Ok(Plane { means, axes, shares })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Axis;

    /// Points along (1, 1, …)/√d with a little in the first column only.
    #[test]
    fn the_longest_way_comes_first() {
        let points = Array2::from_shape_fn((40, 8), |(i, j)| i as f64 + if j == 0 { (i % 2) as f64 } else { 0.0 });
        let labels = vec![0; 40];
        let centres = points.slice_axis(Axis(0), (0..1).into()).to_owned();
        let clusters = Clusters::new(points.view(), &labels, centres.view());
        let projected = Projected::new(&clusters).unwrap();
        assert!(projected.names[0].starts_with("PC1 (100 %"), "{:?}", projected.names);
        let spread = projected.points.column(0);
        assert!((spread[39] - spread[0] - 39.0 * 8f64.sqrt()).abs() < 0.5, "{spread}");
        assert_eq!(projected.centres.row(0), projected.points.row(0));
    }

    #[test]
    fn covariances_are_seen_from_the_plane() {
        let points = Array2::from_shape_fn((50, 7), |(i, j)| ((i * (j + 3)) as f64).sin() * 10f64.powi(-(j as i32)));
        let labels = vec![0; 50];
        let centred = &points - &points.mean_axis(Axis(0)).unwrap();
        let covariance = centred.t().dot(&centred) / 50.0;
        let covariances = covariance.insert_axis(Axis(0));
        let centres = Array2::zeros((1, 7));
        let clusters = Clusters::new(points.view(), &labels, centres.view()).covariances(covariances.view());
        let projected = Projected::new(&clusters).unwrap();
        // The variances of the principal components themselves, which do not vary together.
        let seen = projected.covariances.unwrap();
        for axis in 0..2 {
            let own = projected.points.column(axis).mapv(|x| x * x).mean().unwrap();
            assert!((seen[(0, axis, axis)] - own).abs() < 1e-12, "{own} {seen}");
        }
        assert!(seen[(0, 0, 1)].abs() < 1e-12);
    }
}
