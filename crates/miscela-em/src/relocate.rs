//! Empty clusters take the rows that their own clusters explain worst.
//!
//! The farthest distinct row of positive weight becomes the lowest empty cluster, with all its copies, then the next
//! farthest the next. A cluster gives rows away only while another distinct row stays with it. As long as there are k
//! distinct rows, no cluster stays empty.

use crate::engine::Family;
use crate::passes::over_lanes;
use crate::report::RepairAction;
use crate::statistics::Sums;
use miscela_kernel::{Block, Float, Samples, Threads, UNKNOWN};

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
    let mut rows_left = vec![0usize; family.n_labels()];
    let misfits = misfits(family, samples, labels, threads, &mut rows_left);
    let mut moves = Vec::new();
    let mut next = 0;
    for to in (0..k).filter(|c| sums.weight[*c] == 0.0) {
        let mut found = None;
        while let Some(copies) = copies_from(samples, labels, &misfits, next) {
            next += 1;
            // None of them: these copies were dealt with at the first of them.
            let Some(donor) = copies.first().map(|row| labels[*row] as usize) else { continue };
            if rows_left[donor] > copies.len() {
                found = Some((copies, donor));
                break;
            }
        }
        let Some((copies, donor)) = found else {
            repairs.push((to, RepairAction::KeptEmpty, "no cluster can spare a distinct row".into()));
            continue;
        };
        rows_left[donor] -= copies.len();
        copies.iter().for_each(|row| labels[*row] = to as u32);
        let row = copies[0];
        repairs.push((to, RepairAction::Relocated, format!("was empty; took row {row} from component {donor}")));
        moves.push(Move { row, from: donor as u32, to });
    }
    moves
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
    // Missing values, NaN, are as good as equal.
    let alike = |i: usize| table.row(i).iter().zip(table.row(first)).all(|(a, b)| a == b || a.is_nan() && b.is_nan());
    if earlier.clone().any(|(_, i)| alike(*i as usize)) {
        return Some(Vec::new());
    }
    let copies = same_misfit.map(|(_, i)| *i as usize);
    Some(copies.filter(|i| labels[*i] == labels[first] && alike(*i)).collect())
}
