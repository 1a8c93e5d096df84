//! By what models are compared.

use super::SelectionRow;
use std::fmt;
use std::str::FromStr;

/// By what models are compared; see [`MixtureScore`](crate::MixtureScore) for the formulas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Criterion {
    /// The Bayesian information criterion; the lowest is best.
    #[default]
    Bic,
    /// Akaike's information criterion; the lowest is best.
    Aic,
    /// The integrated completed likelihood, which asks for clusters that do not overlap; the lowest is best.
    Icl,
    /// The mean log-likelihood of rows that the fit did not see, by cross-validation (Smyth 2000); the highest is best. It
    /// costs a selection for each fold beside that on all rows.
    HeldOut,
}

/// A name that no criterion has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no criterion {name:?}; choose one of {}", Criterion::ALL.map(Criterion::name).join(", "))]
pub struct UnknownCriterion {
    /// The name.
    pub name: String,
}

impl Criterion {
    /// All criteria.
    pub const ALL: [Criterion; 4] = [Criterion::Bic, Criterion::Aic, Criterion::Icl, Criterion::HeldOut];

    /// `bic`, `aic`, `icl` or `held-out`.
    pub fn name(self) -> &'static str {
        match self {
            Criterion::Bic => "bic",
            Criterion::Aic => "aic",
            Criterion::Icl => "icl",
            Criterion::HeldOut => "held-out",
        }
    }

    /// The value of a row of the table, where it has one.
    pub fn of(self, row: &SelectionRow) -> Option<f64> {
        match self {
            Criterion::Bic => row.score.as_ref().map(|score| score.bic),
            Criterion::Aic => row.score.as_ref().map(|score| score.aic),
            Criterion::Icl => row.score.as_ref().map(|score| score.icl),
            Criterion::HeldOut => row.held_out,
        }
    }

    /// The value, turned so that lower is better.
    pub(super) fn cost(self, row: &SelectionRow) -> Option<f64> {
        let sign = if self == Criterion::HeldOut { -1.0 } else { 1.0 };
        self.of(row).map(|value| sign * value).filter(|cost| cost.is_finite())
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Criterion {
    type Err = UnknownCriterion;

    fn from_str(name: &str) -> Result<Self, UnknownCriterion> {
        let found = Criterion::ALL.into_iter().find(|criterion| criterion.name() == name);
        found.ok_or_else(|| UnknownCriterion { name: name.into() })
    }
}
