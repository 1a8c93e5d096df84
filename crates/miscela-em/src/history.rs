//! What a run remembers of its iterations: the objectives, to know when to stop, and the repairs.

use crate::engine::Family;
use crate::report::{Repair, RepairAction};
use miscela_kernel::Float;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The latest change, for a family to judge.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The objective one iteration before; NaN at the first.
    pub before: f64,
    /// The lowest objective before; infinite at the first.
    pub lowest: f64,
    /// The highest objective before; minus infinite at the first.
    pub highest: f64,
    /// The objective now.
    pub now: f64,
    /// Σ over components of how far, squared, their means moved in the last M-step.
    pub shift2: f64,
    /// How many iterations in a row, this one included, were [idle](Family::is_idle).
    pub idle: usize,
    /// How many iterations in a row, this one included, left the objective within the range it had been in since it last
    /// broke out.
    pub hovering: usize,
}

/// The objectives so far, for [`Change`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub(crate) struct History {
    #[cfg_attr(feature = "serde", serde(with = "bits"))]
    before: f64,
    #[cfg_attr(feature = "serde", serde(with = "bits"))]
    lowest: f64,
    #[cfg_attr(feature = "serde", serde(with = "bits"))]
    highest: f64,
    idle: usize,
    /// Where the objective has been since it last broke out, and for how long.
    #[cfg_attr(feature = "serde", serde(with = "bits"))]
    from: f64,
    #[cfg_attr(feature = "serde", serde(with = "bits"))]
    to: f64,
    hovering: usize,
}

/// Numbers that may be infinite or none, which documents do not hold.
#[cfg(feature = "serde")]
mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(x.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

impl Default for History {
    fn default() -> Self {
        let (lowest, highest) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { before: f64::NAN, lowest, highest, idle: 0, from: f64::NAN, to: f64::NAN, hovering: 0 }
    }
}

impl History {
    pub(crate) fn note<F: Float, M: Family<F>>(&mut self, family: &M, now: f64, shift2: f64) -> Change {
        let Self { before, lowest, highest, from, to, .. } = *self;
        let within = from <= now && now <= to;
        let hovering = if within { self.hovering + 1 } else { 0 };
        let mut change = Change { before, lowest, highest, now, shift2, idle: 0, hovering };
        change.idle = if family.is_idle(&change) { self.idle + 1 } else { 0 };
        *self = Self {
            before: now,
            lowest: lowest.min(now),
            highest: highest.max(now),
            idle: change.idle,
            from: if within { from } else { now.min(before) },
            to: if within { to } else { now.max(before) },
            hovering,
        };
        change
    }
}

/// The repairs of a run. One that goes on, iteration after iteration, is listed at its first and its last.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
pub(crate) struct Repairs {
    list: Vec<Repair>,
    ongoing: Vec<Ongoing>,
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(deny_unknown_fields))]
struct Ongoing {
    component: usize,
    action: RepairAction,
    latest: usize,
    /// Where in the list the latest is, unless it is the first.
    at: Option<usize>,
}

impl Repairs {
    pub(crate) fn note(&mut self, repair: Repair) {
        let Repair { iteration, component, action, .. } = repair;
        // Each of these is an event of its own; another component may have the number of one that is gone.
        if matches!(action, RepairAction::Reseeded | RepairAction::Respawned | RepairAction::Dropped) {
            self.list.push(repair);
            return;
        }
        self.ongoing.retain(|ongoing| ongoing.latest.saturating_add(1) >= iteration);
        let next = self.list.len();
        match self.ongoing.iter_mut().find(|ongoing| (ongoing.component, ongoing.action) == (component, action)) {
            Some(Ongoing { latest, at: Some(at), .. }) if *at < next => {
                *latest = iteration;
                self.list[*at] = repair;
                return;
            }
            Some(Ongoing { latest, at, .. }) => (*latest, *at) = (iteration, Some(next)),
            None => self.ongoing.push(Ongoing { component, action, latest: iteration, at: None }),
        }
        self.list.push(repair);
    }

    pub(crate) fn into_list(self) -> Vec<Repair> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_listed_at_its_first_and_last() {
        let mut repairs = Repairs::default();
        for (iteration, component) in [(1, 0), (1, 1), (2, 0), (3, 0), (9, 0), (10, 0), (11, 0)] {
            repairs.note(Repair { iteration, component, action: RepairAction::Floored, detail: String::new() });
        }
        let listed: Vec<_> = repairs.into_list().iter().map(|repair| (repair.iteration, repair.component)).collect();
        assert_eq!(listed, [(1, 0), (1, 1), (3, 0), (9, 0), (11, 0)]);
    }
}
