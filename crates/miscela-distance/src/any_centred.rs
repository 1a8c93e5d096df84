//! A distance for k-means, for programs that learn only at run time which one is wanted.
//!
//! The type system keeps distances without a centre rule out of k-means. Where a name decides, the same is decided once,
//! when the value is made.

use crate::any::stands_for_another;
use crate::{
    AnyDistance, CentreRule, Centred, Cosine, Distance, DomainError, ItakuraSaito, Kl, L1, L2, Mahalanobis, SquaredL2,
    Sums,
};
use miscela_kernel::{Block, Centroids, Float, NearestScratch};

/// Any of the distances of this crate that is [`Centred`].
///
/// ```
/// use miscela_distance::{AnyCentred, AnyDistance, CentreRule, Centred};
///
/// let l1 = AnyCentred::try_from(AnyDistance::L1)?;
/// assert_eq!(Centred::<f64>::centre_rule(&l1), CentreRule::Median);
/// let refused = AnyCentred::try_from(AnyDistance::LInf).unwrap_err();
/// assert!(refused.to_string().starts_with("k-means has no centre rule for linf"));
/// # Ok::<(), miscela_distance::NoCentre>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "AnyDistance", into = "AnyDistance")
)]
pub struct AnyCentred {
    distance: AnyDistance,
    centre: CentreRule,
}

/// It is not known which centre of a cluster this distance asks for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "k-means has no centre rule for {}; use l2, l1, cosine, mahalanobis, kl or itakura-saito", .0.name()
)]
pub struct NoCentre(pub AnyDistance);

impl TryFrom<AnyDistance> for AnyCentred {
    type Error = NoCentre;

    fn try_from(distance: AnyDistance) -> Result<Self, NoCentre> {
        match distance.centre() {
            Some(centre) => Ok(Self { distance, centre }),
            None => Err(NoCentre(distance)),
        }
    }
}

impl Default for AnyCentred {
    /// [`L2`]
    fn default() -> Self {
        L2.into()
    }
}

impl From<AnyCentred> for AnyDistance {
    fn from(distance: AnyCentred) -> Self {
        distance.distance
    }
}

/// A centred distance of its own type is one of any, and the other way round where it is that one.
macro_rules! converts {
    ($($name:ident),*) => {
        $(impl From<$name> for AnyCentred {
            fn from(distance: $name) -> Self {
                Self { centre: Centred::<f64>::centre_rule(&distance), distance: distance.into() }
            }
        }

        impl TryFrom<AnyCentred> for $name {
            type Error = AnyDistance;

            fn try_from(any: AnyCentred) -> Result<Self, AnyDistance> {
                any.distance.try_into()
            }
        })*
    };
}

converts!(L2, SquaredL2, L1, Cosine, Kl, ItakuraSaito, Mahalanobis);

impl AnyCentred {
    /// The names of all.
    pub const NAMES: [&'static str; 7] = ["l2", "sqeuclidean", "l1", "cosine", "mahalanobis", "kl", "itakura-saito"];

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.distance.name()
    }
}

macro_rules! inner {
    ($any:expr, $distance:ident => $body:expr) => {{
        let $distance = &$any.distance;
        $body
    }};
}

stands_for_another!(AnyCentred, inner);

impl<F: Float> Centred<F> for AnyCentred {
    fn centre_rule(&self) -> CentreRule {
        self.centre
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn l2() -> AnyCentred {
        AnyCentred::default()
    }

    crate::conformance::conforms!(|_| l2(), Reals: kernels, reduced, zero, symmetric, degree(1), centre);

    #[test]
    fn a_name_decides_whether_there_is_a_centre() {
        for name in AnyDistance::NAMES {
            let Some(distance) = AnyDistance::from_name(name) else { continue };
            let centre = distance.centre();
            match AnyCentred::try_from(distance) {
                Ok(centred) => {
                    assert_eq!((centre, centred.name()), (Some(Centred::<f64>::centre_rule(&centred)), name));
                    assert!(AnyCentred::NAMES.contains(&name));
                }
                Err(NoCentre(distance)) => {
                    assert_eq!((centre, distance), (None, AnyDistance::LInf));
                    assert!(!AnyCentred::NAMES.contains(&name));
                }
            }
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn documents_give_the_same_distance_back_and_refuse_those_without_a_centre() {
        let cosine = AnyCentred::try_from(AnyDistance::Cosine).unwrap();
        let document = serde_json::to_string(&cosine).unwrap();
        assert_eq!(document, r#""cosine""#);
        assert_eq!(serde_json::from_str::<AnyCentred>(&document).unwrap(), cosine);
        let error = serde_json::from_str::<AnyCentred>(r#""linf""#).unwrap_err();
        assert!(error.to_string().contains("no centre rule for linf"), "{error}");
    }
}
