//! Single rows go where they do the inertia most good, each with the means at once (Hartigan 1975).
//!
//! ```text
//! row x of weight w goes from a to b if   N_b/(N_b + w)·‖x − μ_b‖²  <  N_a/(N_a − w)·‖x − μ_a‖²
//! ```
//!
//! Unlike the step of k-means this takes into account that the means follow. Every partition that no exchange improves is one
//! that k-means would leave as it is, and not the other way round: on data of many columns exchanges find a way on from
//! most of the shallow optima in which k-means ends (Telgarsky & Vattani 2010).
//!
//! Rows are looked at one after the other, and only those whose bounds leave room for it.

use crate::centroids::KMeansFamily;
use crate::engine::Session;
use crate::statistics::Statistics;
use miscela_distance::Centred;
use miscela_kernel::{Bounds, Float};

/// Sweeps over the rows, at most: nearly all that is gained is gained in the first few.
const SWEEPS: usize = 10;

/// The means of the clusters after exchanges, k × d, or none if there was nothing to gain; and the distances computed.
pub(super) fn exchange<F: Float, D: Centred<F>>(
    session: &Session<F, KMeansFamily<F, D>>,
    statistics: &Statistics,
) -> (Option<Vec<F>>, u64) {
    let (samples, labels, bounds) = session.labelled();
    let (d, mut weight) = (samples.n_columns(), statistics.sums().weight.clone());
    let (mut means, mut labels) = (statistics.means().into_raw_vec_and_offset().0, labels.to_vec());
    let least = weight.iter().fold(f64::INFINITY, |least, w| least.min(*w));
    // By the inequality above with the bounds in place of the distances, and the smallest cluster in place of b.
    let may_go = |i: &usize| {
        let (w, own) = (samples.weight(*i), weight[labels[*i] as usize]);
        let told = |bounds: &Bounds| {
            let (upper, lower) = (f64::from(bounds.upper()), f64::from(bounds.lower()));
            own * upper * upper * (least + w) < least * lower * lower * (own - w)
        };
        w > 0.0 && own > w && !bounds.is_some_and(|bounds| told(&bounds[*i]))
    };
    let rows: Vec<usize> = (0..samples.n_rows()).filter(may_go).collect();
    let (mut row, mut moves, mut distances) = (vec![F::zero(); d], 0, 0);
    for _ in 0..SWEEPS {
        let before = moves;
        for i in &rows {
            let (w, from) = (samples.weight(*i), labels[*i] as usize);
            if weight[from] <= w * (1.0 + 1e-9) {
                continue;
            }
            samples.copy_row(*i, &mut row);
            let squared = |c: usize| -> f64 {
                row.iter().zip(&means[c * d..(c + 1) * d]).map(|(x, m)| (x.widen() - m) * (x.widen() - m)).sum()
            };
            let mut best = (from, weight[from] / (weight[from] - w) * squared(from) * (1.0 - 1e-9));
            for c in (0..weight.len()).filter(|c| *c != from) {
                let cost = weight[c] / (weight[c] + w) * squared(c);
                if cost < best.1 {
                    best = (c, cost);
                }
            }
            distances += weight.len() as u64;
            let to = best.0;
            if to != from {
                (weight[from], weight[to]) = (weight[from] - w, weight[to] + w);
                for j in 0..d {
                    let x = row[j].widen();
                    means[from * d + j] -= w / weight[from] * (x - means[from * d + j]);
                    means[to * d + j] += w / weight[to] * (x - means[to * d + j]);
                }
                labels[*i] = to as u32;
                moves += 1;
            }
        }
        if moves == before {
            break;
        }
    }
    ((moves > 0).then(|| means.into_iter().map(F::narrow).collect()), distances)
}
