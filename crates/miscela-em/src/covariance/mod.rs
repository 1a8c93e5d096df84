//! Covariance structures: how much freedom the components' shapes have. Each is one file; [`STRUCTURES`] lists them.

#[cfg(test)]
mod conformance;
mod diagonal;
mod floor;
mod full;
mod spherical;
mod tied;
mod tied_diagonal;
mod tied_spherical;

pub use floor::FLOOR_F32;
pub use floor::FLOOR_F64;
pub(crate) use floor::Regulariser;

use crate::Covariances;
use miscela_kernel::{Float, Scatter};
use ndarray::{Array1, ArrayView2};
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
    /// One ellipsoid shape for all (EEE).
    Tied,
    /// Each component its own ellipsoid along the axes (VVI).
    Diagonal,
    /// Each component its own sphere (VII).
    Spherical,
    /// One ellipsoid along the axes for all (EEI).
    TiedDiagonal,
    /// One sphere for all (EII): with equal weights and hard assignment, k-means.
    TiedSpherical,
}

/// One line a structure: itself, its name, mclust's name, its file.
const STRUCTURES: [(Covariance, &str, &str, &dyn Structure); 6] = [
    (Covariance::Full, "full", "VVV", &full::Full),
    (Covariance::Tied, "tied", "EEE", &tied::Tied),
    (Covariance::Diagonal, "diag", "VVI", &diagonal::Diagonal),
    (Covariance::Spherical, "spherical", "VII", &spherical::Spherical),
    (Covariance::TiedDiagonal, "tied-diag", "EEI", &tied_diagonal::TiedDiagonal),
    (Covariance::TiedSpherical, "tied-spherical", "EII", &tied_spherical::TiedSpherical),
];

/// mclust's structures that are known by name only.
const NOT_AVAILABLE: [&str; 8] = ["VEI", "EVI", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV"];

/// How the covariances follow from the scatter of the components.
pub(crate) trait Structure: Sync {
    /// How much of the second moment it needs.
    fn scatter(&self) -> Scatter;
    /// Free parameters for k components and d columns.
    fn n_parameters(&self, k: usize, d: usize) -> usize;
    /// The covariances of greatest likelihood, regularised.
    fn estimate(&self, within: &Within, regulariser: &mut Regulariser) -> Covariances<f64>;
}

/// The covariance of each component about its mean, as much of it as the structure's scatter keeps: the trace, the
/// diagonal, or the lower triangle.
pub(crate) struct Within {
    pub(crate) width: usize,
    /// Nₖ
    pub(crate) weight: Vec<f64>,
    /// Sₖ/Nₖ
    pub(crate) covariance: Vec<Vec<f64>>,
}

impl Within {
    /// Σ Nₖ (Sₖ/Nₖ) / Σ Nₖ
    pub(crate) fn pooled(&self) -> Vec<f64> {
        let total: f64 = self.weight.iter().sum();
        let mut pooled = vec![0.0; self.covariance[0].len()];
        for (weight, covariance) in self.weight.iter().zip(&self.covariance) {
            pooled.iter_mut().zip(covariance).for_each(|(p, c)| *p += weight / total * c);
        }
        pooled
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

    /// `full`, `tied`, `diag`, `spherical`, `tied-diag` or `tied-spherical`.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// `VVV`, `EEE`, `VVI`, `VII`, `EEI` or `EII`.
    pub fn mclust_name(self) -> &'static str {
        self.entry().1
    }

    /// The number of free numbers in the covariances of k components of d columns, as mclust counts them.
    pub fn n_parameters(self, k: usize, d: usize) -> usize {
        self.structure().n_parameters(k, d)
    }
}

impl Covariance {
    /// Whether all components share one shape, so that more components add no parameters.
    pub fn is_tied(self) -> bool {
        self.n_parameters(1, 1) == self.n_parameters(2, 1)
    }

    /// Whether covariances are in this structure's shape.
    pub fn has_shape<F>(self, covariances: &Covariances<F>) -> bool {
        matches!(
            (self, covariances),
            (Covariance::Full, Covariances::Full(_))
                | (Covariance::Tied, Covariances::Tied(_))
                | (Covariance::Diagonal, Covariances::Diagonal(_))
                | (Covariance::Spherical, Covariances::Spherical(_))
                | (Covariance::TiedDiagonal, Covariances::TiedDiagonal(_))
                | (Covariance::TiedSpherical, Covariances::TiedSpherical(_))
        )
    }

    /// Covariances of any shape, for k = `weights.len()` components of `d` columns, brought to this structure's: pooled by
    /// weight where the structure ties them, cut to the diagonal or to its mean where it has no more.
    pub fn shape<F: Float>(self, covariances: &Covariances<F>, weights: &Array1<F>, d: usize) -> Covariances<F> {
        if self.has_shape(covariances) {
            return covariances.clone();
        }
        let dense = covariances.dense(weights.len(), d).mapv(|x| x.widen());
        let keep = |matrix: ArrayView2<f64>| -> Vec<f64> {
            match self.structure().scatter() {
                Scatter::Spherical => vec![matrix.diag().sum()],
                Scatter::Diagonal => matrix.diag().to_vec(),
                Scatter::Full => (0..d).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|at| matrix[at]).collect(),
            }
        };
        let within = Within {
            width: d,
            weight: weights.iter().map(|w| w.widen()).collect(),
            covariance: dense.outer_iter().map(keep).collect(),
        };
        let scale = vec![1.0; d];
        let mut as_given = Regulariser { ridge: 0.0, floor: 0.0, scale: &scale, raised: Vec::new() };
        self.structure().estimate(&within, &mut as_given).cast()
    }
}

impl fmt::Display for Covariance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no covariance structure's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownCovariance {
    /// A structure of mclust's that is not there.
    #[error("covariance structure {0} is not available")]
    NotAvailable(String),
    /// No structure's name.
    #[error("'{0}' is no covariance structure; use full, tied, diag, spherical, tied-diag or tied-spherical")]
    Unknown(String),
}

impl FromStr for Covariance {
    type Err = UnknownCovariance;

    /// By miscela's name or mclust's; for one column also mclust's `E` and `V`.
    fn from_str(text: &str) -> Result<Self, UnknownCovariance> {
        let text = match text {
            "E" => "EII",
            "V" => "VII",
            other => other,
        };
        match STRUCTURES.iter().find(|(_, name, mclust, _)| text == *name || text == *mclust) {
            Some((covariance, ..)) => Ok(*covariance),
            None if NOT_AVAILABLE.contains(&text) => Err(UnknownCovariance::NotAvailable(text.into())),
            None => Err(UnknownCovariance::Unknown(text.into())),
        }
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
        assert_eq!("VEV".parse::<Covariance>(), Err(UnknownCovariance::NotAvailable("VEV".into())));
        assert_eq!("round".parse::<Covariance>(), Err(UnknownCovariance::Unknown("round".into())));
    }

    #[test]
    fn parameters_are_counted_as_mclust_does() {
        // mclust::nMclustParams less the means and weights, d = 4, G = 3.
        let expected = [30, 10, 12, 3, 4, 1];
        let counted: Vec<usize> = Covariance::all().map(|covariance| covariance.n_parameters(3, 4)).collect();
        assert_eq!(counted, expected);
    }
}
