//! Centres that are given.

use crate::{Seeding, SeedingError, Seeds, check};
use miscela_distance::Distance;
use miscela_kernel::{Block, Float, Samples, Threads};
use ndarray::ArrayView2;
use rand::RngCore;

/// The centres given, k × d, checked and used as they are.
///
/// Cost: O(k·d).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precomputed<'a, F>(pub ArrayView2<'a, F>);

impl<F: Float, D: Distance<F>> Seeding<F, D> for Precomputed<'_, F> {
    fn seed(
        &self,
        samples: &Samples<F>,
        k: usize,
        distance: &D,
        threads: Threads,
        _: &mut dyn RngCore,
    ) -> Result<Seeds<F>, SeedingError> {
        check(samples, k, distance, threads)?;
        let centres = self.0;
        let expected = (k, samples.n_columns());
        if centres.dim() != expected {
            return Err(SeedingError::Shape { expected, got: centres.dim() });
        }
        if let Some(((centre, column), value)) = centres.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(SeedingError::NotFinite { centre, column, value: value.widen() });
        }
        let flat: Vec<F> = centres.iter().copied().collect();
        distance.check(&Block::new(&flat, centres.ncols())).map_err(SeedingError::CentreDomain)?;
        Ok(Seeds { centres: centres.as_standard_layout().into_owned(), rows: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miscela_distance::{DomainError, L2};
    use ndarray::{Array2, array};
    use rand_xoshiro::Xoshiro256Plus;
    use rand_xoshiro::rand_core::SeedableRng;

    fn seed(centres: &Array2<f64>, k: usize) -> Result<Seeds<f64>, SeedingError> {
        let rows = array![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
        let samples = Samples::new(&rows).unwrap();
        let mut rng = Xoshiro256Plus::seed_from_u64(0);
        Precomputed(centres.view()).seed(&samples, k, &L2, Threads::One, &mut rng)
    }

    #[test]
    fn centres_are_used_as_they_are() {
        let centres = array![[0.5, 7.0], [-3.0, 0.5]];
        assert_eq!(seed(&centres, 2).unwrap(), Seeds { centres: centres.clone(), rows: None });
        let reversed = centres.clone().reversed_axes();
        assert_eq!(seed(&reversed.clone(), 2).unwrap().centres, reversed);
    }

    #[test]
    fn centres_of_another_shape_are_refused_by_name_of_both() {
        let error = seed(&array![[0.0, 0.0, 0.0]], 2).unwrap_err();
        assert_eq!(error, SeedingError::Shape { expected: (2, 2), got: (1, 3) });
        let message = error.to_string();
        assert!(message.contains("1 × 3") && message.contains("2 × 2"), "{message}");
    }

    #[test]
    fn centres_must_be_finite_and_k_must_fit() {
        let error = seed(&array![[0.0, f64::NEG_INFINITY]], 1).unwrap_err();
        assert_eq!(error, SeedingError::NotFinite { centre: 0, column: 1, value: f64::NEG_INFINITY });
        assert_eq!(seed(&Array2::zeros((0, 2)), 0).unwrap_err(), SeedingError::NoCentres);
        assert_eq!(seed(&Array2::zeros((4, 2)), 4).unwrap_err(), SeedingError::TooFewRows { n_rows: 3, k: 4 });
    }

    /// Defined for numbers that are not negative.
    #[derive(Clone, Debug)]
    struct OfCounts;

    impl Distance<f64> for OfCounts {
        fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
            (a[0].sqrt() - b[0].sqrt()).abs()
        }

        fn check(&self, rows: &Block<f64>) -> Result<(), DomainError> {
            match rows.rows().position(|row| row[0] < 0.0) {
                Some(i) => Err(DomainError::Negative { row: rows.first() + i, column: 0, value: rows.row(i)[0] }),
                None => Ok(()),
            }
        }
    }

    #[test]
    fn rows_and_centres_outside_the_distance_are_told_apart() {
        let seed = |rows: &Array2<f64>, centres: &Array2<f64>| {
            let samples = Samples::new(rows).unwrap();
            let mut rng = Xoshiro256Plus::seed_from_u64(0);
            Precomputed(centres.view()).seed(&samples, 1, &OfCounts, Threads::One, &mut rng).unwrap_err()
        };
        let (good, mut bad) = (Array2::ones((1, 1)), Array2::ones((5000, 1)));
        bad[[4000, 0]] = -2.0;
        let error = DomainError::Negative { row: 4000, column: 0, value: -2.0 };
        assert_eq!(seed(&bad, &good), SeedingError::Domain(error));
        let error = DomainError::Negative { row: 0, column: 0, value: -1.0 };
        assert_eq!(seed(&good, &array![[-1.0]]), SeedingError::CentreDomain(error));
    }
}
