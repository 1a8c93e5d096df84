//! The list of all distances, for programs that learn only at run time which one is wanted.

use crate::{
    CentreRule, Centred, Cosine, Distance, DomainError, ItakuraSaito, Kl, L1, L2, LInf, Lp, Mahalanobis, SquaredL2,
    Sums,
};
use miscela_kernel::{Block, Centroids, Float, NearestScratch};

/// Any of the distances of this crate. It asks which one once a call, so use the block kernels.
///
/// ```
/// use miscela_distance::{AnyDistance, Distance, Lp};
///
/// assert_eq!(AnyDistance::from_name("l1"), Some(AnyDistance::L1));
/// assert_eq!(AnyDistance::LInf.distance(&[1.0, 2.0], &[4.0, 9.0]), 7.0);
/// assert_eq!(AnyDistance::Lp(Lp::new(3.0)?).name(), "lp");
/// # Ok::<(), miscela_distance::LpError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum AnyDistance {
    /// √Σ(a − b)²
    L2,
    /// Σ(a − b)²
    #[cfg_attr(feature = "serde", serde(rename = "sqeuclidean"))]
    SquaredL2,
    /// Σ|a − b|
    L1,
    /// max |a − b|
    LInf,
    /// (Σ|a − b|ᵖ)^(1/p)
    Lp(Lp),
    /// 1 − cos ∠(a, b)
    Cosine,
    /// √((a − b)ᵀ Σ⁻¹ (a − b))
    Mahalanobis(Mahalanobis),
    /// Σ a ln(a/b) − a + b
    Kl,
    /// Σ a/b − ln(a/b) − 1
    #[cfg_attr(feature = "serde", serde(rename = "itakura-saito"))]
    ItakuraSaito,
}

/// `$body` with `$distance` bound to the distance that `$any` is.
macro_rules! with {
    ($any:expr, $distance:ident => $body:expr) => {
        match $any {
            AnyDistance::L2 => with!(@ L2, $distance => $body),
            AnyDistance::SquaredL2 => with!(@ SquaredL2, $distance => $body),
            AnyDistance::L1 => with!(@ L1, $distance => $body),
            AnyDistance::LInf => with!(@ LInf, $distance => $body),
            AnyDistance::Lp($distance) => $body,
            AnyDistance::Cosine => with!(@ Cosine, $distance => $body),
            AnyDistance::Mahalanobis($distance) => $body,
            AnyDistance::Kl => with!(@ Kl, $distance => $body),
            AnyDistance::ItakuraSaito => with!(@ ItakuraSaito, $distance => $body),
        }
    };
    (@ $one:expr, $distance:ident => $body:expr) => {{
        let $distance = &$one;
        $body
    }};
}

impl AnyDistance {
    /// The names of all distances.
    pub const NAMES: [&'static str; 9] =
        ["l2", "sqeuclidean", "l1", "linf", "lp", "cosine", "mahalanobis", "kl", "itakura-saito"];

    /// The distance of that name; none for `lp` and `mahalanobis`, which need to know more, and for unknown names.
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = [Self::L2, Self::SquaredL2, Self::L1, Self::LInf, Self::Cosine, Self::Kl, Self::ItakuraSaito];
        plain.into_iter().find(|distance| distance.name() == name)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::L2 => "l2",
            Self::SquaredL2 => "sqeuclidean",
            Self::L1 => "l1",
            Self::LInf => "linf",
            Self::Lp(_) => "lp",
            Self::Cosine => "cosine",
            Self::Mahalanobis(_) => "mahalanobis",
            Self::Kl => "kl",
            Self::ItakuraSaito => "itakura-saito",
        }
    }

    /// How the best centre of a cluster follows from its rows, where that is known.
    pub fn centre(&self) -> Option<CentreRule> {
        fn rule<D: Centred<f64>>(distance: &D) -> CentreRule {
            distance.centre_rule()
        }
        match self {
            Self::L2 => Some(rule(&L2)),
            Self::SquaredL2 => Some(rule(&SquaredL2)),
            Self::L1 => Some(rule(&L1)),
            Self::Cosine => Some(rule(&Cosine)),
            Self::Mahalanobis(distance) => Some(rule(distance)),
            Self::Kl => Some(rule(&Kl)),
            Self::ItakuraSaito => Some(rule(&ItakuraSaito)),
            Self::LInf | Self::Lp(_) => None,
        }
    }
}

/// `Distance` for a type, by that of which `$with!(value, it => …)` makes an `it`.
macro_rules! stands_for_another {
    ($name:ty, $with:ident) => {
        impl<F: Float> Distance<F> for $name {
            fn distance(&self, a: &[F], b: &[F]) -> f64 {
                $with!(self, it => it.distance(a, b))
            }

            fn reduced(&self, a: &[F], b: &[F]) -> f64 {
                $with!(self, it => it.reduced(a, b))
            }

            fn from_reduced(&self, reduced: f64) -> f64 {
                $with!(self, it => Distance::<F>::from_reduced(it, reduced))
            }

            fn to_reduced(&self, distance: f64) -> f64 {
                $with!(self, it => Distance::<F>::to_reduced(it, distance))
            }

            fn is_squared_euclidean(&self) -> bool {
                $with!(self, it => Distance::<F>::is_squared_euclidean(it))
            }

            fn sums(&self) -> Sums {
                $with!(self, it => Distance::<F>::sums(it))
            }

            fn check(&self, rows: &Block<F>) -> Result<(), DomainError> {
                $with!(self, it => it.check(rows))
            }

            fn assign(&self, rows: &Block<F>, centroids: &Centroids<F>, labels: &mut [u32], scratch: &mut NearestScratch<F>) {
                $with!(self, it => it.assign(rows, centroids, labels, scratch));
            }

            fn nearest(
                &self,
                rows: &Block<F>,
                centroids: &Centroids<F>,
                labels: &mut [u32],
                reduced: &mut [f64],
                scratch: &mut NearestScratch<F>,
            ) {
                $with!(self, it => it.nearest(rows, centroids, labels, reduced, scratch));
            }

            fn nearest_two(&self, rows: &Block<F>, centroids: &Centroids<F>, two: &mut [[(u32, f64); 2]]) {
                $with!(self, it => it.nearest_two(rows, centroids, two));
            }

            fn pairwise(&self, rows: &Block<F>, centroids: &Centroids<F>, reduced: &mut [f64]) {
                $with!(self, it => it.pairwise(rows, centroids, reduced));
            }
        }
    };
}
pub(crate) use stands_for_another;

stands_for_another!(AnyDistance, with);

/// A distance of its own type is one of any, and the other way round where it is that one.
macro_rules! converts {
    ($($name:ident),*) => {
        $(impl From<$name> for AnyDistance {
            fn from(_: $name) -> Self {
                Self::$name
            }
        }

        impl TryFrom<AnyDistance> for $name {
            type Error = AnyDistance;

            fn try_from(any: AnyDistance) -> Result<Self, AnyDistance> {
                if any == AnyDistance::$name { Ok($name) } else { Err(any) }
            }
        })*
    };
}

converts!(L2, SquaredL2, L1, LInf, Cosine, Kl, ItakuraSaito);

impl From<Mahalanobis> for AnyDistance {
    fn from(distance: Mahalanobis) -> Self {
        Self::Mahalanobis(distance)
    }
}

impl TryFrom<AnyDistance> for Mahalanobis {
    type Error = AnyDistance;

    fn try_from(any: AnyDistance) -> Result<Self, AnyDistance> {
        match any {
            AnyDistance::Mahalanobis(distance) => Ok(distance),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mahalanobis::example;

    fn all(width: usize) -> Vec<AnyDistance> {
        let lp = Lp::new(2.5).expect("a metric");
        let parametric = [AnyDistance::Lp(lp), AnyDistance::Mahalanobis(example(width))];
        AnyDistance::NAMES.iter().filter_map(|name| AnyDistance::from_name(name)).chain(parametric).collect()
    }

    #[test]
    fn every_name_is_one_distance() {
        let mut names: Vec<_> = all(2).iter().map(AnyDistance::name).collect();
        let mut listed = AnyDistance::NAMES.to_vec();
        names.sort_unstable();
        listed.sort_unstable();
        assert_eq!(names, listed);
        assert_eq!(AnyDistance::from_name("manhattan"), None);
    }

    crate::conformance::conforms!(|_| AnyDistance::L2, Reals: kernels, reduced, zero, symmetric, degree(1));

    mod parametric {
        use super::*;
        crate::conformance::conforms!(|width| AnyDistance::Mahalanobis(example(width)), Reals: kernels, reduced, zero);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn documents_give_the_same_distance_back() {
        for distance in all(3) {
            let document = serde_json::to_string(&distance).unwrap();
            assert!(document.contains(distance.name()), "{document}");
            assert_eq!(serde_json::from_str::<AnyDistance>(&document).unwrap(), distance);
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn damaged_documents_are_refused() {
        for document in [
            r#""l3""#,
            r#"{"lp": 0.5}"#,
            r#"{"mahalanobis": {"width": 2, "whitening": [1.0, 0.0]}}"#,
            r#"{"mahalanobis": {"width": 18446744073709551615, "whitening": [1.0]}}"#,
            r#"{"mahalanobis": {"width": 1, "whitening": [-1.0]}}"#,
            r#"{"mahalanobis": {"width": 0, "whitening": []}}"#,
        ] {
            assert!(serde_json::from_str::<AnyDistance>(document).is_err(), "{document}");
        }
    }
}
