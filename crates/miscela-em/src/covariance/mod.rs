//! Covariance structures: how much freedom the components' shapes have. Each is one file; [`STRUCTURES`] lists them.
//!
//! Every covariance is Σₖ = λₖ Dₖ Aₖ Dₖᵀ (Banfield & Raftery 1993; Celeux & Govaert 1995): a volume λₖ = |Σₖ|^(1/d), axes Dₖ,
//! and a shape Aₖ along them with |Aₖ| = 1. mclust's names say of volume, shape and axes whether they are Equal for all,
//! Vary, or are the Identity. From that follow the number of parameters and which structure is a case of which.

mod axes;
#[cfg(test)]
mod conformance;
mod diagonal;
mod eev;
mod eve;
mod evi;
mod evv;
mod floor;
mod full;
mod spherical;
mod tied;
mod tied_diagonal;
mod tied_spherical;
mod vee;
mod vei;
mod vev;
mod volumes;
mod vve;
mod within;

pub use floor::FLOOR_F32;
pub use floor::FLOOR_F64;
pub(crate) use floor::Regulariser;
pub(crate) use within::{Within, add_to_variances, kept, whole};

use crate::Covariances;
use miscela_kernel::{Float, Scatter};
use ndarray::Array1;
use std::fmt;
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A covariance structure.
///
/// ```
/// use miscela_em::Covariance;
///
/// assert_eq!("EEE".parse(), Ok(Covariance::Tied));
/// assert_eq!(Covariance::Tied.name(), "tied");
/// assert_eq!(Covariance::Full.n_parameters(3, 2), 9);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Covariance {
    /// Each component its own ellipsoid (mclust's VVV).
    #[default]
    Full,
    /// Each component its own ellipsoid, all of one volume (EVV).
    Evv,
    /// Ellipsoids of one shape, each with its own volume and axes (VEV).
    Vev,
    /// Ellipsoids of one shape and volume, each with its own axes (EEV).
    Eev,
    /// Ellipsoids along the same axes, which are estimated too (VVE).
    Vve,
    /// Ellipsoids along the same axes, all of one volume (EVE).
    Eve,
    /// One ellipsoid shape for all, each component with its own volume (VEE).
    Vee,
    /// One ellipsoid for all (EEE).
    Tied,
    /// Each component its own ellipsoid along the coordinates (VVI).
    Diagonal,
    /// Ellipsoids along the coordinates, all of one volume (EVI).
    Evi,
    /// Ellipsoids along the coordinates of one shape, each component with its own volume (VEI).
    Vei,
    /// One ellipsoid along the coordinates for all (EEI).
    TiedDiagonal,
    /// Each component its own sphere (VII).
    Spherical,
    /// One sphere for all (EII): with equal weights and hard assignment, k-means.
    TiedSpherical,
}

/// One line a structure: itself, its name, mclust's name, its file.
const STRUCTURES: [(Covariance, &str, &str, &dyn Structure); 14] = [
    (Covariance::Full, "full", "VVV", &full::Full),
    (Covariance::Evv, "EVV", "EVV", &evv::Evv),
    (Covariance::Vev, "VEV", "VEV", &vev::Vev),
    (Covariance::Eev, "EEV", "EEV", &eev::Eev),
    (Covariance::Vve, "VVE", "VVE", &vve::Vve),
    (Covariance::Eve, "EVE", "EVE", &eve::Eve),
    (Covariance::Vee, "VEE", "VEE", &vee::Vee),
    (Covariance::Tied, "tied", "EEE", &tied::Tied),
    (Covariance::Diagonal, "diag", "VVI", &diagonal::Diagonal),
    (Covariance::Evi, "EVI", "EVI", &evi::Evi),
    (Covariance::Vei, "VEI", "VEI", &vei::Vei),
    (Covariance::TiedDiagonal, "tied-diag", "EEI", &tied_diagonal::TiedDiagonal),
    (Covariance::Spherical, "spherical", "VII", &spherical::Spherical),
    (Covariance::TiedSpherical, "tied-spherical", "EII", &tied_spherical::TiedSpherical),
];

/// How the covariances follow from the scatter of the components.
pub(crate) trait Structure: Sync {
    /// How much of the second moment it needs.
    fn scatter(&self) -> Scatter;

    /// The covariances of greatest likelihood, kept from zero by the regulariser.
    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64>;

    /// Whether the estimate is iterated, so that it goes on from the covariances before and is never less likely than they.
    fn iterates(&self) -> bool {
        false
    }

    /// Whether there can be more than one maximum, of which the estimate is the one that it comes to.
    #[cfg(test)]
    fn has_other_optima(&self) -> bool {
        false
    }
}

impl Covariance {
    /// All structures, the freest first.
    pub fn all() -> impl Iterator<Item = Covariance> {
        STRUCTURES.into_iter().map(|(covariance, ..)| covariance)
    }

    fn entry(self) -> (&'static str, &'static str, &'static dyn Structure) {
        let found = STRUCTURES.iter().find(|(covariance, ..)| *covariance == self);
        found.map_or(("full", "VVV", &full::Full), |(_, name, mclust, structure)| (*name, *mclust, *structure))
    }

    pub(crate) fn structure(self) -> &'static dyn Structure {
        self.entry().2
    }

    /// `full`, `tied`, `diag`, `spherical`, `tied-diag`, `tied-spherical`, or mclust's name.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// mclust's name: three letters for volume, shape and axes.
    pub fn mclust_name(self) -> &'static str {
        self.entry().1
    }

    /// The number of free numbers in the covariances of k components of d columns, as mclust counts them.
    pub fn n_parameters(self, k: usize, d: usize) -> usize {
        let times = |freedom| match freedom {
            Freedom::Identity => 0,
            Freedom::Equal => 1,
            Freedom::Varying => k,
        };
        let [volume, shape, axes] = self.freedoms().map(times);
        volume + shape * (d - 1) + axes * (d * (d - 1) / 2)
    }

    /// Volume, shape and axes.
    fn freedoms(self) -> [Freedom; 3] {
        let name = self.mclust_name().as_bytes();
        [0, 1, 2].map(|at| match name[at] {
            b'I' => Freedom::Identity,
            b'E' => Freedom::Equal,
            _ => Freedom::Varying,
        })
    }

    /// Whether every mixture of structure `other` is one of this structure too: volume, shape and axes are each at least as
    /// free. The likelihood of the best fit is then at least as high.
    ///
    /// ```
    /// use miscela_em::Covariance;
    ///
    /// assert!(Covariance::Full.generalises(Covariance::Tied));
    /// assert!(!Covariance::Eve.generalises(Covariance::Eev) && !Covariance::Eev.generalises(Covariance::Eve));
    /// ```
    pub fn generalises(self, other: Covariance) -> bool {
        self.freedoms().into_iter().zip(other.freedoms()).all(|(own, others)| own >= others)
    }

    /// Whether all components share one covariance matrix, so that more components add no parameters.
    pub fn is_tied(self) -> bool {
        !self.freedoms().contains(&Freedom::Varying)
    }

    /// Whether all components have one volume |Σ|.
    pub(crate) fn shares_volume(self) -> bool {
        self.freedoms()[0] == Freedom::Equal
    }

    /// Whether mclust has a conjugate prior for this structure: for all but VEE, EVE, VVE and EVV.
    pub fn has_prior(self) -> bool {
        !matches!(self, Covariance::Vee | Covariance::Eve | Covariance::Vve | Covariance::Evv)
    }

    /// Whether the M-step is closed, rather than iterated: VEI, VEE, EVE, VVE and VEV are not.
    pub fn has_closed_form(self) -> bool {
        !self.structure().iterates()
    }

    /// Whether covariances are stored in this structure's shape: those with axes of their own as [`Covariances::Full`],
    /// those along the coordinates as [`Covariances::Diagonal`], the shared and spherical ones as what bears their name.
    pub fn has_shape<F>(self, covariances: &Covariances<F>) -> bool {
        matches!(
            (self, covariances),
            (
                Covariance::Full
                    | Covariance::Evv
                    | Covariance::Vev
                    | Covariance::Eev
                    | Covariance::Vve
                    | Covariance::Eve
                    | Covariance::Vee,
                Covariances::Full(_)
            ) | (Covariance::Tied, Covariances::Tied(_))
                | (Covariance::Diagonal | Covariance::Evi | Covariance::Vei, Covariances::Diagonal(_))
                | (Covariance::Spherical, Covariances::Spherical(_))
                | (Covariance::TiedDiagonal, Covariances::TiedDiagonal(_))
                | (Covariance::TiedSpherical, Covariances::TiedSpherical(_))
        )
    }

    /// Covariances of any shape, for k = `weights.len()` components of `d` columns, brought to this structure's: the most
    /// likely ones if these were the components' scatter. Pooled by weight where the structure ties them, cut to the
    /// diagonal or to its mean where it has no more. Those that are of the structure already, to a millionth, stay as they are.
    pub fn shape<F: Float>(self, covariances: &Covariances<F>, weights: &Array1<F>, d: usize) -> Covariances<F> {
        let free = matches!(self, Covariance::Full | Covariance::Diagonal) || self.is_tied() || d == 1;
        if self.has_shape(covariances) && (free || self == Covariance::Spherical) {
            return covariances.clone();
        }
        let dense = covariances.dense(weights.len(), d).mapv(|x| x.widen());
        let within = Within {
            width: d,
            weight: weights.iter().map(|w| w.widen()).collect(),
            covariance: dense.outer_iter().map(|matrix| within::kept(matrix, self.structure().scatter())).collect(),
            previous: None,
        };
        let brought = self.structure().estimate(&within, &mut Regulariser::as_given(&vec![1.0; d])).cast();
        if self.has_shape(covariances) && close(covariances, &brought, 1e-6 + 64.0 * F::UNIT_ROUNDOFF) {
            return covariances.clone();
        }
        brought
    }
}

/// Whether no number differs by more than the tolerance times the largest.
fn close<F: Float>(a: &Covariances<F>, b: &Covariances<F>, tolerance: f64) -> bool {
    let largest = a.iter().fold(0.0f64, |m, x| m.max(x.widen().abs()));
    a.iter().zip(b.iter()).all(|(a, b)| (a.widen() - b.widen()).abs() <= tolerance * largest)
}

impl fmt::Display for Covariance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How free a part of the covariances is, mclust's letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Freedom {
    /// I: the unit sphere, or the coordinates.
    Identity,
    /// E: one for all.
    Equal,
    /// V: each component its own.
    Varying,
}

/// A name that is no covariance structure's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownCovariance {
    /// No structure's name.
    #[error("'{0}' is no covariance structure; use full, tied, diag, spherical, tied-diag, tied-spherical or a name of mclust's: {names}", names = mclust_names())]
    Unknown(String),
}

/// mclust's names, the simplest first.
fn mclust_names() -> String {
    STRUCTURES.iter().rev().map(|(_, _, mclust, _)| *mclust).collect::<Vec<_>>().join(" ")
}

impl FromStr for Covariance {
    type Err = UnknownCovariance;

    /// By miscela's name or mclust's, in lower or upper case; for one column also mclust's `E` and `V`.
    fn from_str(text: &str) -> Result<Self, UnknownCovariance> {
        let mclust_name = match text.to_ascii_uppercase().as_str() {
            "E" => "EII".into(),
            "V" => "VII".into(),
            other => String::from(other),
        };
        let found = STRUCTURES.iter().find(|(_, name, mclust, _)| text == *name || mclust_name == *mclust);
        found.map(|(covariance, ..)| *covariance).ok_or_else(|| UnknownCovariance::Unknown(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_structure_is_listed_under_its_names() {
        for covariance in Covariance::all() {
            assert_eq!(covariance.name().parse(), Ok(covariance));
            assert_eq!(covariance.mclust_name().parse(), Ok(covariance));
        }
        assert_eq!("E".parse(), Ok(Covariance::TiedSpherical));
        assert_eq!("v".parse(), Ok(Covariance::Spherical));
        assert_eq!("vev".parse(), Ok(Covariance::Vev));
        assert_eq!("round".parse::<Covariance>(), Err(UnknownCovariance::Unknown("round".into())));
    }

    #[test]
    fn parameters_are_counted_as_mclust_does() {
        // mclust::nMclustParams less the means and weights, d = 4, G = 3:
        // VVV EVV VEV EEV VVE EVE VEE EEE VVI EVI VEI EEI VII EII.
        let expected = [30, 28, 24, 22, 18, 16, 12, 10, 12, 10, 6, 4, 3, 1];
        let counted: Vec<usize> = Covariance::all().map(|covariance| covariance.n_parameters(3, 4)).collect();
        assert_eq!(counted, expected);
        // d = 1: E has one, V one a component.
        assert_eq!(
            Covariance::all().map(|covariance| covariance.n_parameters(3, 1)).filter(|count| *count == 3).count(),
            7
        );
    }

    #[test]
    fn more_general_structures_have_more_parameters_and_hold_the_others() {
        use Covariance::*;
        for general in Covariance::all() {
            assert!(Full.generalises(general) && general.generalises(TiedSpherical) && general.generalises(general));
            for special in Covariance::all().filter(|special| general.generalises(*special)) {
                assert!(general.n_parameters(3, 4) >= special.n_parameters(3, 4), "{general} {special}");
                assert!(general == special || !special.generalises(general), "{general} {special}");
            }
        }
        for (general, special) in [(Eve, Evi), (Eve, Tied), (Vev, Vee), (Vve, Eve), (Vee, Vei), (Evi, TiedDiagonal)] {
            assert!(general.generalises(special), "{general} {special}");
        }
        for (one, other) in [(Eev, Eve), (Eev, Evi), (Vei, Evi), (Vei, Tied), (Spherical, TiedDiagonal), (Vve, Eev)] {
            assert!(!one.generalises(other) && !other.generalises(one), "{one} {other}");
        }
    }

    /// What a structure makes of matrices is of the structure, and of every more general one.
    #[test]
    fn matrices_of_a_structure_stay_as_they_are_in_more_general_ones() {
        let weights = ndarray::array![0.3, 0.7];
        let any = ndarray::array![
            [[2.0, 0.7, 0.1], [0.7, 1.0, 0.2], [0.1, 0.2, 3.0]],
            [[5.0, -1.0, 0.4], [-1.0, 2.0, 0.3], [0.4, 0.3, 0.5]]
        ];
        for special in Covariance::all() {
            let made = special.shape(&Covariances::Full(any.clone()), &weights, 3);
            assert_eq!(special.shape(&made, &weights, 3), made, "{special}");
            for general in Covariance::all().filter(|general| general.generalises(special)) {
                let again = general.shape(&made, &weights, 3).dense(2, 3);
                let most = (&again - &made.dense(2, 3)).iter().fold(0.0, |m: f64, x: &f64| m.max(x.abs()));
                assert!(most < 1e-6, "{special} as {general}: off by {most:e}");
            }
        }
    }
}
