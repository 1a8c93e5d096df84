//! Empty clusters take the rows that their own clusters explain worst.
//!
//! The farthest distinct row of positive weight becomes the lowest empty cluster, with all its copies, then the next
//! farthest the next. A cluster gives rows away only while another distinct row stays with it. As long as there are k
//! distinct rows, no cluster stays empty.

use crate::engine::Family;
use crate::report::RepairAction;
use crate::statistics::{Statistics, Sums};
use miscela_kernel::{BLOCK_ROWS, Block, Float, Samples};

/// Fills the components without weight, in the statistics and the labels, and returns which.
///
/// Needs a pass over the rows and 16 bytes a row; only called where a cluster is empty.
pub(crate) fn relocate<F: Float, M: Family<F>>(
    family: &M,
    samples: &Samples<F>,
    labels: &mut [u32],
    statistics: &mut Statistics,
    repairs: &mut Vec<(usize, RepairAction, String)>,
) -> Vec<usize> {
    let k = family.n_components();
    let mut rows_left = vec![0usize; k];
    let misfits = misfits(family, samples, labels, &mut rows_left);
    let mut relocated = Vec::new();
    let mut start = 0;
    let empty: Vec<usize> = (0..k).filter(|c| statistics.sums().weight[*c] == 0.0).collect();
    for cluster in empty {
        let copies = loop {
            let Some(copies) = copies_from(samples, labels, &misfits, start) else { break Vec::new() };
            if copies.is_empty() {
                start += 1;
                continue;
            }
            let donor = labels[copies[0]] as usize;
            if rows_left[donor] > copies.len() {
                rows_left[donor] -= copies.len();
                break copies;
            }
            start += 1;
        };
        let Some(&first) = copies.first() else {
            repairs.push((cluster, RepairAction::KeptEmpty, "no cluster can spare a distinct row".into()));
            continue;
        };
        start += 1;
        let donor = labels[first];
        move_rows(family, samples, labels, statistics, &copies, cluster);
        let detail = format!("was empty; took row {first} from component {donor}");
        repairs.push((cluster, RepairAction::Relocated, detail));
        relocated.push(cluster);
    }
    relocated
}

/// Each row of positive weight with its misfit, the worst first and the lowest index first among equals; counts them by
/// cluster.
fn misfits<F: Float, M: Family<F>>(
    family: &M,
    samples: &Samples<F>,
    labels: &[u32],
    rows: &mut [usize],
) -> Vec<(f64, u32)> {
    let (mut buffer, mut scratch) = (Vec::new(), M::Scratch::default());
    let mut misfits = Vec::new();
    for first in (0..samples.n_rows()).step_by(BLOCK_ROWS) {
        let block = samples.block(first..(first + BLOCK_ROWS).min(samples.n_rows()), &mut buffer);
        for (i, row) in block.rows().enumerate().filter(|(i, _)| block.weight(*i) > 0.0) {
            let label = labels[first + i];
            rows[label as usize] += 1;
            misfits.push((family.misfit(row, label, &mut scratch), (first + i) as u32));
        }
    }
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
    if earlier.clone().any(|(_, i)| table.row(*i as usize) == table.row(first)) {
        return Some(Vec::new());
    }
    let copies = same_misfit.map(|(_, i)| *i as usize);
    Some(copies.filter(|i| labels[*i] == labels[first] && table.row(*i) == table.row(first)).collect())
}

/// Takes the copies of one row out of their cluster and makes them another's.
fn move_rows<F: Float, M: Family<F>>(
    family: &M,
    samples: &Samples<F>,
    labels: &mut [u32],
    statistics: &mut Statistics,
    copies: &[usize],
    cluster: usize,
) {
    let d = samples.n_columns();
    let mut row = vec![F::zero(); d];
    samples.copy_row(copies[0], &mut row);
    let weight: f64 = copies.iter().map(|i| samples.weight(*i)).sum();
    let sums = statistics.sums();
    let mut moved = Sums::zero(sums.k(), d, sums.scatter);
    let shift: Vec<F> = family.shift().into_iter().map(F::narrow).collect();
    moved.hard().add(&Block::new(&row, d), &labels[copies[0]..=copies[0]], &shift, weight);
    statistics.sums_mut().subtract(&moved);
    statistics.place(cluster, &row.iter().map(|x| x.widen()).collect::<Vec<_>>(), weight);
    copies.iter().for_each(|i| labels[*i] = cluster as u32);
}
