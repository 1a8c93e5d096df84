//! The log-densities of many Gaussians for the rows of a tile, by the way that suits the shape of their covariances.
//!
//! ```text
//! constant_c − ½ (x − μ_c)ᵀ Σ_c⁻¹ (x − μ_c)
//!
//! diagonal, spherical:     `Scaled`, many centres at a time                                         4kd operations a row
//! a matrix for each:       `Factor`, one solve a centre                                             kd²
//! one matrix for all:      y = L⁻¹(x − offset) once, and then distances ‖y − L⁻¹(μ_c − offset)‖²    d² + 4kd
//! ```
//!
//! **When rows may be whitened once.** The solve for x − offset is off by what belongs to ‖L⁻¹(x − offset)‖ where the one
//! for x − μ_c is off by what belongs to ‖L⁻¹(x − μ_c)‖ = √q: to first order u κ (√q + √M) with κ = ‖|L⁻¹||L|‖∞ and √M the
//! distance of the centre from the offset (Higham 2002, §8.2, less a factor of d that errors of random sign do not reach).
//! So q is off by about 2uκ√q√M ≤ uκ√M(1 + q) more than it is anyway, and where uκ√M is above 10⁻¹⁰ (`f32`: 10⁻⁴) each
//! centre has its own solve.

use crate::scaled::{Scaled, tolerance};
use crate::tile::{Column, Tile};
use crate::triangular::{Factor, Solved};
use crate::{Float, Isa};

/// Gaussians, prepared for [`Forms::log_densities`].
#[derive(Clone, Debug)]
pub struct Forms<F> {
    means: Vec<F>,
    constants: Vec<F>,
    /// What must be taken off the rows of a tile.
    offset: Vec<F>,
    shape: Shape<F>,
}

#[derive(Clone, Debug)]
enum Shape<F> {
    Scaled(Scaled<F>),
    /// One a centre, or one for all.
    Triangular(Vec<Factor<F>>),
    Whitened(Factor<F>, Scaled<F>),
}

impl<F: Float> Forms<F> {
    /// With scales 1/σ, k × d or d for all, row by row. Cost: O(k·d).
    ///
    /// # Panics
    /// If the sizes disagree.
    pub fn scaled(means: Vec<F>, scales: &[F], constants: Vec<F>) -> Self {
        let scaled = Scaled::new(&means, scales, &constants, &middle(&means, constants.len()));
        Self { means, constants, offset: scaled.offset().to_vec(), shape: Shape::Scaled(scaled) }
    }

    /// With a factor each.
    ///
    /// # Panics
    /// If the sizes disagree.
    pub fn triangular(means: Vec<F>, factors: Vec<Factor<F>>, constants: Vec<F>) -> Self {
        let width = factors[0].width();
        assert!(factors.len() == constants.len() && means.len() == factors.len() * width);
        Self { means, constants, offset: vec![F::zero(); width], shape: Shape::Triangular(factors) }
    }

    /// With one lower Cholesky factor for all, d × d row-major. Cost: O(d³ + k·d²).
    ///
    /// # Panics
    /// If the sizes disagree.
    pub fn shared(means: Vec<F>, lower: &[f64], constants: Vec<F>) -> Self {
        let offset = middle(&means, constants.len());
        let width = offset.len();
        let factor = Factor::new(lower, width);
        let centred = |mean: &[F]| mean.iter().zip(&offset).map(|(m, o)| m.widen() - o.widen()).collect::<Vec<f64>>();
        let whitened: Vec<f64> = means.chunks(width).flat_map(|mean| solve(lower, centred(mean))).collect();
        let reach2 = whitened.chunks(width).map(|y| y.iter().map(|y| y * y).sum::<f64>()).fold(0.0, f64::max);
        // Written so that a NaN, from what overflowed, is refused.
        if F::UNIT_ROUNDOFF * condition(lower, width) * reach2.sqrt() <= tolerance::<F>() {
            let whitened: Vec<F> = whitened.into_iter().map(F::narrow).collect();
            let scaled = Scaled::new(&whitened, &vec![F::one(); width], &constants, &vec![F::zero(); width]);
            return Self { means, constants, offset, shape: Shape::Whitened(factor, scaled) };
        }
        Self { means, constants, offset: vec![F::zero(); width], shape: Shape::Triangular(vec![factor]) }
    }

    /// k
    pub fn count(&self) -> usize {
        self.constants.len()
    }

    /// The means, k × d, row by row.
    pub fn means(&self) -> &[F] {
        &self.means
    }

    /// The constants, one a centre.
    pub fn constants(&self) -> &[F] {
        &self.constants
    }

    /// What must be taken off the rows of a tile before it comes here, d numbers.
    pub fn offset(&self) -> &[F] {
        &self.offset
    }

    /// Writes the log-densities of each row of the tile, one column a centre.
    ///
    /// # Panics
    /// If there are not k columns to write or the tile is of another width.
    pub fn log_densities(&self, tile: &Tile<F>, solved: &mut Solved<F>, out: &mut [Column<F>]) {
        self.log_densities_with(Isa::best(), tile, solved, out);
    }

    /// [`Forms::log_densities`] by a given instruction set.
    ///
    /// # Panics
    /// As [`Forms::log_densities`].
    pub fn log_densities_with(&self, isa: Isa, tile: &Tile<F>, solved: &mut Solved<F>, out: &mut [Column<F>]) {
        assert_eq!(out.len(), self.count());
        match &self.shape {
            Shape::Scaled(scaled) => scaled.log_densities_with(isa, tile.columns(), tile.rows(), out),
            Shape::Triangular(factors) => {
                let means = self.means.chunks(self.offset.len());
                for (c, ((mean, constant), out)) in means.zip(&self.constants).zip(out).enumerate() {
                    let factor = &factors[c.min(factors.len() - 1)];
                    factor.log_density_with(isa, tile, mean, *constant, solved, out);
                }
            }
            Shape::Whitened(factor, scaled) => {
                // The offset here is zero: whitened rows are about it already. Their norms are not needed.
                factor.log_density_with(isa, tile, scaled.offset(), F::zero(), solved, &mut out[0]);
                scaled.log_densities_with(isa, solved, tile.rows(), out);
            }
        }
    }
}

/// The mean of `count` rows.
fn middle<F: Float>(rows: &[F], count: usize) -> Vec<F> {
    let width = rows.len() / count;
    let mean = |j: usize| rows.iter().skip(j).step_by(width).map(|x| x.widen() / count as f64).sum();
    (0..width).map(|j| F::narrow(mean(j))).collect()
}

/// y of L y = z.
fn solve(lower: &[f64], mut z: Vec<f64>) -> Vec<f64> {
    let width = z.len();
    for j in 0..width {
        let known: f64 = (0..j).map(|l| lower[j * width + l] * z[l]).sum();
        z[j] = (z[j] - known) / lower[j * (width + 1)];
    }
    z
}

/// ‖|L⁻¹||L|‖∞: how much a solve with L can enlarge rounding errors.
fn condition(lower: &[f64], width: usize) -> f64 {
    // Column l of L⁻¹, for all l; then the row sums of |L⁻¹|·(|L|·1).
    let of_lower: Vec<f64> =
        lower.chunks(width).enumerate().map(|(j, row)| row[..=j].iter().map(|x| x.abs()).sum()).collect();
    let mut sums = vec![0.0; width];
    for (l, of_lower) in of_lower.iter().enumerate() {
        let mut unit = vec![0.0; width];
        unit[l] = 1.0;
        sums.iter_mut().zip(solve(lower, unit)).for_each(|(s, x)| *s += x.abs() * of_lower);
    }
    sums.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Block;
    use proptest::prelude::*;

    /// Well conditioned, so that the tolerance can be tight.
    fn lower(numbers: &[f64], d: usize) -> Vec<f64> {
        let entry = |i: usize| match (i / d).cmp(&(i % d)) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => 1.0 + numbers[i].abs(),
            std::cmp::Ordering::Greater => 0.2 * numbers[i],
        };
        (0..d * d).map(entry).collect()
    }

    proptest! {
        #[test]
        fn one_solve_for_all_is_a_solve_for_each(
            (d, rows, means, factor) in (1usize..9, 1usize..65, 1usize..9).prop_flat_map(|(d, n, k)| {
                let numbers = |count| prop::collection::vec(-2.0..2.0f64, count);
                (Just(d), numbers(n * d), numbers(k * d), numbers(d * d))
            }),
            // Close together, and so far apart that whitening once would leave few digits.
            spread in prop_oneof![Just(1.0), Just(1e7)],
        ) {
            let means: Vec<f64> = means.iter().map(|m| m * spread).collect();
            // Rows near one of the means, where the form is small.
            let rows: Vec<f64> = rows.iter().enumerate().map(|(i, x)| x + means[i % d]).collect();
            let (k, lower) = (means.len() / d, lower(&factor, d));
            let constants: Vec<f64> = (0..k).map(|c| c as f64).collect();
            let shared = Forms::shared(means.clone(), &lower, constants.clone());
            let each = Forms::triangular(means, vec![Factor::new(&lower, d); k], constants);
            for isa in Isa::available() {
                let [a, b] = [&shared, &each].map(|forms| {
                    let (mut tile, mut out) = (Tile::new(), vec![Column::splat(f64::NAN); k]);
                    tile.fill(&Block::new(&rows, d), forms.offset());
                    forms.log_densities_with(isa, &tile, &mut Vec::new(), &mut out);
                    out
                });
                for (a, b) in a.iter().zip(&b) {
                    for (a, b) in a.0.iter().zip(&b.0).take(rows.len() / d) {
                        prop_assert!((a - b).abs() <= 1e-10 * (1.0 + b.abs()), "{}: {a} {b}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    fn the_way_follows_from_the_condition() {
        let shared = |place: f64, lower: [f64; 4]| Forms::shared(vec![0.0, 0.0, place, 1.0], &lower, vec![0.0; 2]);
        let whitened = |forms: Forms<f64>| matches!(forms.shape, Shape::Whitened(..));
        assert!(whitened(shared(10.0, [1.0, 0.0, 0.5, 1.0])));
        assert!(!whitened(shared(1e7, [1.0, 0.0, 0.5, 1.0])), "the centres are far apart");
        assert!(!whitened(shared(10.0, [1.0, 0.0, 1e3, 1e-3])), "the columns all but agree");
        assert_eq!(condition(&[2.0, 0.0, 0.0, 1e-9], 2), 1.0, "units do not matter");
    }
}
