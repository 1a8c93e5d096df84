//! The noise component: rows that belong to no cluster are spread evenly over the region of the data.
//!
//! ```text
//! p(x) = w₀/V + Σₖ wₖ N(x; μₖ, Σₖ),    w₀ + Σₖ wₖ = 1
//! ```
//!
//! Of the noise only the weight w₀ is estimated; it takes rows from the tails of all components, and so the outliers do not
//! stretch them (Banfield & Raftery 1993; Fraley & Raftery 1998). V is, as in mclust's `hypvol`, the smaller volume of two
//! boxes that hold the data: one along the columns, one along the principal axes.
//!
//! **Which rows start as noise**, where the start does not say it: those far from all others. A row is as far as its
//! nearest neighbours reach that weigh a tenth of an average cluster; the farthest are set aside, up to 10 % of the weight
//! (after Byers & Raftery 1998, who measure by the k-th neighbour). EM takes back what is wrong with that.

use crate::covariance::whole;
use crate::passes::over_lanes;
use crate::start::StartError;
use crate::statistics::{Statistics, Sums};
use crate::summary::Summary;
use miscela_kernel::{BLOCK_ROWS, Block, Float, Samples, Scatter, Threads};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The weight of the noise at a start that gives it no rows, and the most that [`far_rows`] sets aside.
pub const START_WEIGHT: f64 = 0.1;

/// The most rows whose distances from all others are taken.
const NEIGHBOURS: usize = 512;

/// The density of the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Noise {
    /// 1/V with the V of the data: the smaller volume of their boxes along the columns and along the principal axes.
    Hypervolume,
    /// 1/V with this V, above zero.
    Volume(f64),
}

/// A uniform component.
///
/// Densities follow from the volume alone, wherever a row lies. The box is where rows are drawn from.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub struct Uniform {
    /// Its mixing weight.
    pub weight: f64,
    /// ln V, which says the volumes of many columns too.
    pub log_volume: f64,
    /// The least value of each column, d.
    pub lower: Vec<f64>,
    /// The greatest value of each column, d.
    pub upper: Vec<f64>,
}

impl Uniform {
    /// Over these rows, with the weight 10 %. An error names a column without extent, if a volume is asked for.
    ///
    /// Cost: a pass over the rows; for the volume of the data two more of d² operations a row, and 9 d³.
    ///
    /// ```
    /// use miscela_em::{Noise, Summary, Uniform};
    /// use miscela_kernel::{Samples, Threads};
    /// use ndarray::array;
    ///
    /// // A square, standing on a corner.
    /// let rows = array![[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]];
    /// let samples = Samples::new(&rows)?;
    /// let summary = Summary::of(&samples, Threads::One);
    /// let noise = Uniform::over(&samples, Noise::Hypervolume, &summary, Threads::One)?;
    /// assert_eq!((noise.lower, noise.upper), (vec![-1.0, -1.0], vec![1.0, 1.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn over<F: Float>(
        samples: &Samples<F>,
        noise: Noise,
        summary: &Summary,
        threads: Threads,
    ) -> Result<Self, StartError> {
        let d = samples.n_columns();
        let axes = (0..d).map(|j| (0..d).map(|i| f64::from(u8::from(i == j))).collect()).collect();
        let (lower, upper) = Axes { origin: vec![0.0; d], axes }.range(samples, threads);
        let log_volume = match noise {
            Noise::Volume(volume) => volume.ln(),
            Noise::Hypervolume => {
                let extents: Vec<f64> = lower.iter().zip(&upper).map(|(low, high)| high - low).collect();
                if let Some(column) = extents.iter().position(|extent| *extent <= 0.0) {
                    return Err(StartError::NoVolume { column });
                }
                let along_columns: f64 = extents.iter().map(|extent| extent.ln()).sum();
                let principal =
                    Axes::principal(samples, summary, threads).and_then(|axes| axes.volume(samples, threads));
                principal.map_or(along_columns, |principal| principal.min(along_columns))
            }
        };
        Ok(Self { weight: START_WEIGHT, log_volume, lower, upper })
    }

    /// ln w₀/V
    pub fn log_density(&self) -> f64 {
        self.weight.ln() - self.log_volume
    }

    /// Whether it is one for d columns: a weight from 0 to 1, a volume, and a box.
    pub(crate) fn fits(&self, d: usize) -> bool {
        let bounds = self.lower.iter().zip(&self.upper);
        (0.0..=1.0).contains(&self.weight)
            && self.log_volume.is_finite()
            && (self.lower.len(), self.upper.len()) == (d, d)
            && bounds.into_iter().all(|(low, high)| low.is_finite() && high.is_finite() && low <= high)
    }

    /// The same with the weight that the sums give it.
    pub(crate) fn with_share_of(&self, sums: &Sums) -> Self {
        Self { weight: sums.noise / sums.total(), ..self.clone() }
    }
}

/// The block without the rows whose label is not that of a component, whose weight is added to the noise. `kept` is space
/// for the weights.
pub(crate) fn without_noise<'b, F: Float>(
    block: &Block<'b, F>,
    labels: &[u32],
    sums: &mut Sums,
    kept: &'b mut Vec<f64>,
) -> Block<'b, F> {
    let k = sums.k();
    kept.clear();
    kept.extend(labels.iter().enumerate().map(|(i, label)| {
        let noise = *label as usize >= k;
        sums.noise += if noise { block.weight(i) } else { 0.0 };
        if noise { 0.0 } else { block.weight(i) }
    }));
    block.with_weights(kept)
}

/// Directions through a point.
struct Axes {
    origin: Vec<f64>,
    /// Unit vectors of d numbers.
    axes: Vec<Vec<f64>>,
}

impl Axes {
    /// The principal axes of the rows about their mean; none where they cannot be computed.
    fn principal<F: Float>(samples: &Samples<F>, summary: &Summary, threads: Threads) -> Option<Self> {
        let d = samples.n_columns();
        let shift: Vec<F> = summary.offset();
        let empty = || Sums::zero(1, d, Scatter::Full);
        let add = |block: &Block<F>, sums: &mut Sums, (): &mut ()| {
            sums.hard().add(block, &[0; BLOCK_ROWS][..block.len()], &shift);
        };
        let mut total = empty();
        let parts = over_lanes(samples, Sums::bytes(1, d, Scatter::Full), threads, empty, add);
        parts.iter().for_each(|sums| total.add(sums));
        let statistics = Statistics::new(0, shift.iter().map(|x| x.widen()).collect(), total);
        let eigen = miscela_linalg::eigen(&whole(&statistics.scatter_about_mean(0), d), d)?;
        let axes = (0..d).map(|e| (0..d).map(|i| eigen.vectors[i * d + e]).collect()).collect();
        Some(Self { origin: summary.mean.clone(), axes })
    }

    /// How far the rows of positive weight reach along each axis.
    fn range<F: Float>(&self, samples: &Samples<F>, threads: Threads) -> (Vec<f64>, Vec<f64>) {
        let d = self.axes.len();
        let empty = || (vec![f64::INFINITY; d], vec![f64::NEG_INFINITY; d]);
        let widen = |range: &mut (Vec<f64>, Vec<f64>), e: usize, low: f64, high: f64| {
            (range.0[e], range.1[e]) = (range.0[e].min(low), range.1[e].max(high));
        };
        let work = |block: &Block<F>, range: &mut (Vec<f64>, Vec<f64>), z: &mut Vec<f64>| {
            for (_, row) in block.rows().enumerate().filter(|(i, _)| block.weight(*i) > 0.0) {
                z.clear();
                z.extend(row.iter().zip(&self.origin).map(|(x, o)| x.widen() - o));
                for (e, axis) in self.axes.iter().enumerate() {
                    let along: f64 = axis.iter().zip(&*z).map(|(a, z)| a * z).sum();
                    widen(range, e, along, along);
                }
            }
        };
        let mut range = empty();
        for (lower, upper) in over_lanes(samples, 16 * d, threads, empty, work) {
            (0..d).for_each(|e| widen(&mut range, e, lower[e], upper[e]));
        }
        range
    }

    /// The logarithm of the volume of the box along the axes; none where the rows lie, but for rounding, in a subspace.
    fn volume<F: Float>(&self, samples: &Samples<F>, threads: Threads) -> Option<f64> {
        let (lower, upper) = self.range(samples, threads);
        let extents: Vec<f64> = lower.iter().zip(&upper).map(|(low, high)| high - low).collect();
        let greatest = extents.iter().fold(0.0f64, |m, x| m.max(*x));
        let rounding = 16.0 * extents.len() as f64 * F::UNIT_ROUNDOFF * greatest;
        extents.iter().all(|extent| *extent > rounding).then(|| extents.iter().map(|extent| extent.ln()).sum())
    }
}

/// For each row whether it lies so far from the others that it should start as noise, n. For k clusters.
///
/// Columns count in units of their standard deviations. Rows that are equally far are all in or all out, and of the weight
/// 10 % are in at most. Cost a row: the distances to 512 others.
///
/// ```
/// use miscela_em::{Summary, far_rows};
/// use miscela_kernel::{Samples, Threads};
/// use ndarray::Array2;
///
/// let mut rows = Array2::from_shape_fn((60, 2), |(i, j)| ((i * (j + 3)) % 11) as f64);
/// rows[[7, 1]] = 400.0;
/// let samples = Samples::new(&rows)?;
/// let far = far_rows(&samples, 2, &Summary::of(&samples, Threads::One), Threads::One);
/// assert!(far[7] && far.iter().filter(|far| **far).count() <= 6);
/// # Ok::<(), miscela_kernel::SamplesError>(())
/// ```
pub fn far_rows<F: Float>(samples: &Samples<F>, k: usize, summary: &Summary, threads: Threads) -> Vec<bool> {
    let unit: Vec<f64> = summary.positive_variance::<F>().iter().map(|v| 1.0 / v.sqrt()).collect();
    let scaled = |row: &[F], to: &mut Vec<f64>| {
        let columns = row.iter().zip(summary.mean.iter().zip(&unit));
        to.extend(columns.map(|(x, (mean, unit))| (x.widen() - mean) * unit));
    };
    let neighbours = some_rows(samples, &scaled);
    let mass = neighbours.iter().map(|(weight, _)| weight).sum::<f64>() / (10 * k) as f64;
    let work = |block: &Block<F>, reaches: &mut Vec<f64>, scratch: &mut (Vec<f64>, Vec<(f64, f64)>)| {
        let (place, distances) = scratch;
        for (i, row) in block.rows().enumerate() {
            if block.weight(i) == 0.0 {
                reaches.push(0.0);
                continue;
            }
            place.clear();
            scaled(row, place);
            distances.clear();
            distances.extend(neighbours.iter().map(|(weight, other)| {
                (place.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f64>(), *weight)
            }));
            reaches.push(reach(distances, mass));
        }
    };
    let threads = threads.for_work((samples.n_rows() * neighbours.len() * samples.n_columns()) as f64);
    farthest(samples, &over_lanes(samples, 0, threads, Vec::new, work).concat())
}

/// At most 512 rows of positive weight, evenly from the whole table: their weights, and where they lie.
fn some_rows<F: Float>(samples: &Samples<F>, scaled: &impl Fn(&[F], &mut Vec<f64>)) -> Vec<(f64, Vec<f64>)> {
    let (n, mut row) = (samples.n_positive(), vec![F::zero(); samples.n_columns()]);
    let wanted = n.min(NEIGHBOURS);
    let positive = (0..samples.n_rows()).filter(|i| samples.weight(*i) > 0.0).enumerate();
    let taken = positive.filter(|(at, _)| (at + 1) * wanted / n > at * wanted / n);
    taken
        .map(|(_, i)| {
            samples.copy_row(i, &mut row);
            let mut place = Vec::new();
            scaled(&row, &mut place);
            (samples.weight(i), place)
        })
        .collect()
}

/// The least distance within which there is this weight, of pairs of distance and weight.
fn reach(mut pairs: &mut [(f64, f64)], mut mass: f64) -> f64 {
    while pairs.len() > 1 {
        let half = pairs.len() / 2;
        pairs.select_nth_unstable_by(half, |a, b| a.0.total_cmp(&b.0));
        let (near, far) = pairs.split_at_mut(half);
        let weight: f64 = near.iter().map(|(_, weight)| weight).sum();
        if weight >= mass {
            pairs = near;
        } else {
            mass -= weight;
            pairs = far;
        }
    }
    pairs[0].0
}

/// The rows that reach farthest, up to 10 % of the weight; those that reach equally far together.
fn farthest<F: Float>(samples: &Samples<F>, reaches: &[f64]) -> Vec<bool> {
    let mut order: Vec<u32> = (0..reaches.len() as u32).filter(|i| samples.weight(*i as usize) > 0.0).collect();
    order.sort_unstable_by(|a, b| reaches[*b as usize].total_cmp(&reaches[*a as usize]));
    let (mut far, mut left) = (vec![false; reaches.len()], START_WEIGHT * samples.total_weight());
    for group in order.chunk_by(|a, b| reaches[*a as usize] == reaches[*b as usize]) {
        left -= group.iter().map(|i| samples.weight(*i as usize)).sum::<f64>();
        if left < 0.0 {
            break;
        }
        group.iter().for_each(|i| far[*i as usize] = true);
    }
    far
}
