//! Empty clusters take the rows that their own clusters explain worst, if the policy says so.
//!
//! By default the farthest distinct row of positive weight becomes the lowest empty cluster, with all its copies, then the
//! next farthest the next; or it is the farthest row of the heaviest cluster, which is thereby split. A cluster gives rows
//! away only while another distinct row stays with it. As long as there are k distinct rows, no cluster stays empty.

use crate::engine::Family;
use crate::missing::alike;
use crate::passes::over_lanes;
use crate::report::RepairAction;
use crate::statistics::Sums;
use miscela_kernel::{Block, Float, Samples, Threads, UNKNOWN};
use std::fmt;
use std::str::FromStr;

/// What becomes of a cluster that has lost all its rows. Whatever is done is among the repairs of the report.
///
/// None of it makes a poor number of clusters a good one: where clusters run empty again and again, ask for fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Empty {
    /// It takes the row that is farthest from its own centre, with all copies of that row. Not where a few rows lie far off
    /// from everything: those become clusters.
    #[default]
    Farthest,
    /// It takes the farthest row of the cluster of greatest weight, which the next iterations then share out between the two.
    /// Less drawn to outliers; not where clusters of very unequal weight are meant to stay whole.
    SplitLargest,
    /// It keeps its centre, and may win rows again. Not where k clusters with rows are needed.
    Keep,
    /// It keeps its centre, and is left out of the model if it ends without rows: the model then has fewer clusters.
    Drop,
    /// The fit fails.
    Error,
}

impl Empty {
    /// All of them.
    pub const ALL: [Empty; 5] = [Empty::Farthest, Empty::SplitLargest, Empty::Keep, Empty::Drop, Empty::Error];

    /// `farthest`, `split-largest`, `keep`, `drop` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Empty::Farthest => "farthest",
            Empty::SplitLargest => "split-largest",
            Empty::Keep => "keep",
            Empty::Drop => "drop",
            Empty::Error => "error",
        }
    }

    /// Whether empty clusters are given rows.
    pub fn relocates(self) -> bool {
        matches!(self, Empty::Farthest | Empty::SplitLargest)
    }
}

impl fmt::Display for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no policy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is nothing to do about empty clusters; use farthest, split-largest, keep, drop or error")]
pub struct UnknownEmpty(String);

impl FromStr for Empty {
    type Err = UnknownEmpty;

    fn from_str(name: &str) -> Result<Self, UnknownEmpty> {
        Self::ALL.into_iter().find(|policy| policy.name() == name).ok_or_else(|| UnknownEmpty(name.into()))
    }
}

/// One row, with all its copies, for a component that had none.
pub(crate) struct Move {
    /// The first of the copies.
    pub(crate) row: usize,
    /// The component that it was in.
    pub(crate) from: u32,
    /// The component that it is in now.
    pub(crate) to: usize,
}

/// Gives rows to the components without weight, in the labels, and returns which.
///
/// Needs a pass over the rows and 16 bytes a row; only called where a cluster is empty.
pub(crate) fn relocate<F: Float, M: Family<F>>(
    family: &M,
    samples: &Samples<F>,
    labels: &mut [u32],
    sums: &Sums,
    threads: Threads,
    repairs: &mut Vec<(usize, RepairAction, String)>,
) -> Vec<Move> {
    let k = family.n_components();
    let empty = (0..k).filter(|c| sums.weight[*c] == 0.0);
    if !family.empty().relocates() {
        repairs.extend(empty.map(|c| (c, RepairAction::KeptEmpty, "was empty; kept its centre".into())));
        return Vec::new();
    }
    let mut rows_left = vec![0usize; family.n_labels()];
    let misfits = misfits(family, samples, labels, threads, &mut rows_left);
    let mut weights = sums.weight.clone();
    let mut moves = Vec::new();
    let mut next = 0;
    for to in empty {
        let found = match family.empty() {
            Empty::SplitLargest => of_largest(samples, labels, &misfits, &weights),
            _ => farthest(samples, labels, &misfits, &rows_left, &mut next),
        };
        let Some((copies, donor)) = found else {
            repairs.push((to, RepairAction::KeptEmpty, "no cluster can spare a distinct row".into()));
            continue;
        };
        rows_left[donor] -= copies.len();
        weights[donor] -= copies.iter().map(|row| samples.weight(*row)).sum::<f64>();
        copies.iter().for_each(|row| labels[*row] = to as u32);
        let row = copies[0];
        repairs.push((to, RepairAction::Relocated, format!("was empty; took row {row} from component {donor}")));
        moves.push(Move { row, from: donor as u32, to });
    }
    moves
}

/// The farthest row, from `next` on, that its cluster can spare: its copies and that cluster.
fn farthest<F: Float>(
    samples: &Samples<F>,
    labels: &[u32],
    misfits: &[(f64, u32)],
    rows_left: &[usize],
    next: &mut usize,
) -> Option<(Vec<usize>, usize)> {
    while let Some(copies) = copies_from(samples, labels, misfits, *next) {
        *next += 1;
        // None of them: these copies were dealt with at the first of them.
        let Some(donor) = copies.first().map(|row| labels[*row] as usize) else { continue };
        if rows_left[donor] > copies.len() {
            return Some((copies, donor));
        }
    }
    None
}

/// The farthest row of the heaviest cluster that has another: its copies and that cluster. The lowest index of equals.
fn of_largest<F: Float>(
    samples: &Samples<F>,
    labels: &[u32],
    misfits: &[(f64, u32)],
    weights: &[f64],
) -> Option<(Vec<usize>, usize)> {
    let mut donors: Vec<usize> = (0..weights.len()).filter(|c| weights[*c] > 0.0).collect();
    donors.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    donors.into_iter().find_map(|donor| {
        let own = misfits.iter().filter(|(_, i)| labels[*i as usize] as usize == donor);
        let own: Vec<(f64, u32)> = own.copied().collect();
        let copies = copies_from(samples, labels, &own, 0)?;
        (own.len() > copies.len()).then_some((copies, donor))
    })
}

/// Each row of positive weight that may move with its misfit, the worst first and the lowest index first among equals;
/// counts rows of positive weight by cluster.
fn misfits<F: Float, M: Family<F>>(
    family: &M,
    samples: &Samples<F>,
    labels: &[u32],
    threads: Threads,
    rows: &mut [usize],
) -> Vec<(f64, u32)> {
    let work = |block: &Block<F>, misfits: &mut Vec<(f64, u32)>, scratch: &mut M::Scratch| {
        for (i, row) in block.rows().enumerate().filter(|(i, _)| block.weight(*i) > 0.0) {
            let stays = block.known().is_some_and(|known| known[i] != UNKNOWN);
            let i = block.first() + i;
            if stays {
                continue;
            }
            misfits.push((family.misfit(row, labels[i], scratch), i as u32));
        }
    };
    let mut misfits = over_lanes(samples, 0, threads, Vec::new, work).concat();
    let counting = labels.iter().enumerate().filter(|(i, _)| samples.weight(*i) > 0.0);
    counting.for_each(|(_, label)| rows[*label as usize] += 1);
    misfits.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    misfits
}

/// The row at `start` and its copies, which have the same misfit and so stand after it; none if its first copy was
/// already moved (it then has another label than its neighbours had); `None` at the end.
fn copies_from<F: Float>(
    samples: &Samples<F>,
    labels: &[u32],
    misfits: &[(f64, u32)],
    start: usize,
) -> Option<Vec<usize>> {
    let (misfit, first) = *misfits.get(start)?;
    let (first, table) = (first as usize, samples.rows());
    let same_misfit = misfits[start..].iter().take_while(|(other, _)| other.total_cmp(&misfit).is_eq());
    let earlier = misfits[..start].iter().rev().take_while(|(other, _)| other.total_cmp(&misfit).is_eq());
    let alike = |i: usize| alike(table.row(i), table.row(first));
    if earlier.clone().any(|(_, i)| alike(*i as usize)) {
        return Some(Vec::new());
    }
    let copies = same_misfit.map(|(_, i)| *i as usize);
    Some(copies.filter(|i| labels[*i] == labels[first] && alike(*i)).collect())
}
