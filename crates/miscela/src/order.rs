//! The order in which clusters are numbered.

use crate::Float;
use ndarray::{Array1, Array2};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An order of clusters that does not depend on where the fit started.
///
/// The same clusters then have the same numbers, whatever the seed. Not to follow clusters from one fit to the next: weights
/// that are nearly equal, or centres that are so in their first coordinate, change places at the slightest change of the data;
/// `align_to` is for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanonicalOrder {
    /// The heaviest first; equals by their centres.
    Weight,
    /// The least first coordinate of the centre first; equals by the next coordinate, and so on.
    Centre,
}

impl CanonicalOrder {
    /// All of them.
    pub const ALL: [CanonicalOrder; 2] = [CanonicalOrder::Weight, CanonicalOrder::Centre];

    /// `weight` or `centre`.
    pub fn name(self) -> &'static str {
        match self {
            CanonicalOrder::Weight => "weight",
            CanonicalOrder::Centre => "centre",
        }
    }

    /// The clusters, k, in this order.
    pub(crate) fn of<W: Float, F: Float>(self, weights: &Array1<W>, centres: &Array2<F>) -> Vec<usize> {
        let by_centre = |a: &usize, b: &usize| {
            let pairs = centres.row(*a).into_iter().zip(centres.row(*b));
            let differing = pairs.map(|(x, y)| x.widen().total_cmp(&y.widen()));
            differing.fold(Ordering::Equal, Ordering::then)
        };
        let mut order: Vec<usize> = (0..centres.nrows()).collect();
        match self {
            CanonicalOrder::Centre => order.sort_by(by_centre),
            CanonicalOrder::Weight => {
                order.sort_by(|a, b| weights[*b].widen().total_cmp(&weights[*a].widen()).then_with(|| by_centre(a, b)))
            }
        }
        order
    }
}

impl fmt::Display for CanonicalOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no order's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no order of clusters; use weight or centre")]
pub struct UnknownOrder(String);

impl FromStr for CanonicalOrder {
    type Err = UnknownOrder;

    fn from_str(name: &str) -> Result<Self, UnknownOrder> {
        Self::ALL.into_iter().find(|order| order.name() == name).ok_or_else(|| UnknownOrder(name.into()))
    }
}

/// The clusters of a model in the order of those of another that each is matched with; others come after, as they were.
pub(crate) fn aligned(matched: &[Option<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..matched.len()).collect();
    order.sort_by_key(|c| matched[*c].unwrap_or(usize::MAX));
    order
}
