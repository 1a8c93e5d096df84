//! The list of methods.

use crate::{KMeansParallel, KMeansPlusPlus, Precomputed, Random, Seeding, SeedingError, Seeds};
use miscela_distance::Distance;
use miscela_kernel::{Float, Samples, Threads};
use ndarray::Array2;
use rand::RngCore;
use std::str::FromStr;

/// How k-means finds the centres it starts from.
///
/// The names of the variants are those of `linfa_clustering::KMeansInit`; [`FromStr`] reads those of the command line,
/// [`KMeansInit::NAMES`].
///
/// ```
/// use miscela_init::KMeansInit;
///
/// let init: KMeansInit<f64> = "k-means++".parse()?;
/// assert_eq!(init, KMeansInit::KMeansPlusPlus);
/// # Ok::<(), miscela_init::UnknownInit>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum KMeansInit<F> {
    /// k distinct rows, by weight: [`Random`].
    Random,
    /// The centres given, k × d: [`Precomputed`].
    Precomputed(Array2<F>),
    /// Greedy k-means++ with 2 + ⌊ln k⌋ trials: [`KMeansPlusPlus`].
    #[default]
    KMeansPlusPlus,
    /// Greedy k-means++ with a given number of trials; 1 is the classic method.
    GreedyKMeansPlusPlus {
        /// The number of rows tried for each centre.
        trials: usize,
    },
    /// k-means‖: [`KMeansParallel`].
    KMeansPara,
}

impl<F> KMeansInit<F> {
    /// The names of the methods that need nothing but the data.
    pub const NAMES: [&'static str; 3] = ["random", "k-means++", "k-means-parallel"];

    /// The name of the method.
    pub fn name(&self) -> &'static str {
        match self {
            KMeansInit::Random => "random",
            KMeansInit::Precomputed(_) => "precomputed",
            KMeansInit::KMeansPlusPlus | KMeansInit::GreedyKMeansPlusPlus { .. } => "k-means++",
            KMeansInit::KMeansPara => "k-means-parallel",
        }
    }
}

/// A name that no method has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no initialisation {name:?}; choose one of {}", KMeansInit::<f64>::NAMES.join(", "))]
pub struct UnknownInit {
    /// The name.
    pub name: String,
}

impl<F> FromStr for KMeansInit<F> {
    type Err = UnknownInit;

    fn from_str(name: &str) -> Result<Self, UnknownInit> {
        let methods = [KMeansInit::Random, KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPara];
        methods.into_iter().find(|method| method.name() == name).ok_or_else(|| UnknownInit { name: name.into() })
    }
}

impl<F: Float, D: Distance<F>> Seeding<F, D> for KMeansInit<F> {
    fn seed(
        &self,
        samples: &Samples<F>,
        k: usize,
        distance: &D,
        threads: Threads,
        rng: &mut dyn RngCore,
    ) -> Result<Seeds<F>, SeedingError> {
        let method: &dyn Seeding<F, D> = match self {
            KMeansInit::Random => &Random,
            KMeansInit::Precomputed(centres) => &Precomputed(centres.view()),
            KMeansInit::KMeansPlusPlus => &KMeansPlusPlus::default(),
            KMeansInit::GreedyKMeansPlusPlus { trials } => &KMeansPlusPlus { trials: Some(*trials) },
            KMeansInit::KMeansPara => &KMeansParallel::default(),
        };
        method.seed(samples, k, distance, threads, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miscela_distance::L2;
    use rand_xoshiro::Xoshiro256Plus;
    use rand_xoshiro::rand_core::SeedableRng;

    #[test]
    fn every_name_is_read_and_given_back() {
        for name in KMeansInit::<f32>::NAMES {
            assert_eq!(name.parse::<KMeansInit<f32>>().unwrap().name(), name);
        }
        let message = "kmeans#".parse::<KMeansInit<f32>>().unwrap_err().to_string();
        assert!(message.contains("kmeans#") && message.contains("k-means-parallel"), "{message}");
    }

    #[test]
    fn dispatch_is_to_the_method_named() {
        let rows = crate::conformance::blobs(500, 3);
        let samples = Samples::new(&rows).unwrap();
        let seed = |method: &dyn Seeding<f64, L2>| {
            method.seed(&samples, 5, &L2, Threads::One, &mut Xoshiro256Plus::seed_from_u64(2)).unwrap()
        };
        let centres = seed(&Random).centres;
        assert_eq!(seed(&KMeansInit::Random), seed(&Random));
        assert_eq!(seed(&KMeansInit::KMeansPlusPlus), seed(&KMeansPlusPlus::default()));
        assert_eq!(seed(&KMeansInit::GreedyKMeansPlusPlus { trials: 1 }), seed(&KMeansPlusPlus::classic()));
        assert_eq!(seed(&KMeansInit::KMeansPara), seed(&KMeansParallel::default()));
        assert_eq!(seed(&KMeansInit::Precomputed(centres.clone())).centres, centres);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn methods_are_written_and_read() {
        let methods = [
            KMeansInit::Random,
            KMeansInit::Precomputed(ndarray::array![[0.1f32, -2.0]]),
            KMeansInit::KMeansPlusPlus,
            KMeansInit::GreedyKMeansPlusPlus { trials: 3 },
            KMeansInit::KMeansPara,
        ];
        for method in methods {
            let text = serde_json::to_string(&method).unwrap();
            assert_eq!(serde_json::from_str::<KMeansInit<f32>>(&text).unwrap(), method, "{text}");
        }
    }

    #[test]
    fn what_is_public_can_cross_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<(KMeansInit<f64>, Seeds<f32>, SeedingError, UnknownInit)>();
        crosses::<(Random, KMeansPlusPlus, KMeansParallel, Precomputed<'static, f64>)>();
    }
}
