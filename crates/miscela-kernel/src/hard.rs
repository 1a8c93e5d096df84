//! Moments of rows that each belong to one cluster: the k-means update.
//!
//! ```text
//! for each row x with label c:  weight[c] += w,  first[c] += w z,  second[c] += w z zᵀ     with z = x − μ[c]
//! ```
//!
//! All in `f64`, row by row, without fused multiplications, and where a sum runs over columns, in eight parts. So the
//! compiler may use the vectors of any instruction set and the bits stay the same.

use crate::isa::fetch_all;
use crate::moments::Scatter;
use crate::search::Moved;
use crate::{Block, Float, Isa, Samples};
use pulp::{Simd, WithSimd};

/// The moments of k clusters, to be added to.
#[derive(Debug)]
pub struct HardMoments<'a> {
    /// k
    pub weight: &'a mut [f64],
    /// k × d
    pub first: &'a mut [f64],
    /// k × `scatter.len(d)`
    pub second: &'a mut [f64],
    /// How much of the second moment is kept.
    pub scatter: Scatter,
}

impl HardMoments<'_> {
    /// Adds each row, by its weight, to the cluster of its label, about that cluster's row of `means` (k × d).
    ///
    /// Cost a row: 4d operations, d² for the full scatter.
    ///
    /// # Panics
    /// If the label of a row that has weight is not below k, unless that is one, or the sizes disagree.
    pub fn add<F: Float>(&mut self, block: &Block<F>, labels: &[u32], means: &[F]) {
        assert_eq!((labels.len(), self.first.len()), (block.len(), means.len()));
        Isa::best().run(AddHard { moments: self, block, labels, means });
    }

    /// Takes rows from the clusters they were in to those they are in now.
    ///
    /// # Panics
    /// If a label is not below k or the sizes disagree.
    pub fn relabel<F: Float>(&mut self, samples: &Samples<F>, moved: &[Moved], means: &[F]) {
        assert_eq!((samples.n_columns() * self.weight.len(), self.first.len()), (means.len(), means.len()));
        Isa::best().run(MoveHard { moments: self, samples, moved, means });
    }
}

struct AddHard<'a, 'b, F> {
    moments: &'a mut HardMoments<'b>,
    block: &'a Block<'a, F>,
    labels: &'a [u32],
    means: &'a [F],
}

impl<F: Float> WithSimd for AddHard<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match moments_of_few(self.moments, self.block.width()) {
            1 => return self.narrow::<1>(),
            2 => return self.narrow::<2>(),
            3 => return self.narrow::<3>(),
            4 => return self.narrow::<4>(),
            _ => (),
        }
        let Self { moments, block, labels, means } = self;
        if moments.goes_by_cluster(block.width()) {
            let parts =
                labels.iter().enumerate().map(|(row, label)| Part { label: *label, row, weight: block.weight(row) });
            let mut parts: Vec<_> = parts.filter(|part| part.weight != 0.0).collect();
            return moments.add_by_cluster(simd, |i| block.row(i), &mut parts, means);
        }
        let mut z = Vec::new();
        for (i, label) in labels.iter().enumerate() {
            moments.add_row(simd, block.row(i), *label as usize, block.weight(i), means, &mut z);
        }
    }
}

impl<F: Float> AddHard<'_, '_, F> {
    #[inline(always)]
    fn narrow<const D: usize>(self) {
        let Self { moments, block, labels, means } = self;
        let (rows, means) = (block.all().as_chunks::<D>().0, means.as_chunks::<D>().0);
        if let [weight] = moments.weight {
            // The sums of one cluster stay in registers.
            let (scatter, mut first, mut second) = (moments.scatter, [0.0; D], [0.0; D]);
            let second = &mut second[..moments.second.len()];
            first.copy_from_slice(moments.first);
            second.copy_from_slice(moments.second);
            let mut one = HardMoments { weight: std::slice::from_mut(weight), first: &mut first, second, scatter };
            rows.iter().enumerate().for_each(|(i, row)| one.add_narrow(row, 0, block.weight(i), means));
            moments.second.copy_from_slice(one.second);
            moments.first.copy_from_slice(&first);
            return;
        }
        for (i, (row, label)) in rows.iter().zip(labels).enumerate() {
            moments.add_narrow(row, *label as usize, block.weight(i), means);
        }
    }
}

struct MoveHard<'a, 'b, 's, F: Float> {
    moments: &'a mut HardMoments<'b>,
    samples: &'a Samples<'s, F>,
    moved: &'a [Moved],
    means: &'a [F],
}

impl<F: Float> WithSimd for MoveHard<'_, '_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if let Some(all) = self.samples.contiguous() {
            match moments_of_few(self.moments, self.samples.n_columns()) {
                1 => return self.narrow::<1>(all),
                2 => return self.narrow::<2>(all),
                3 => return self.narrow::<3>(all),
                4 => return self.narrow::<4>(all),
                _ => (),
            }
        }
        let Self { moments, samples, moved, means } = self;
        let d = samples.n_columns();
        let wide = moments.goes_by_cluster(d);
        let direct = samples.contiguous();
        // Rows may come from far: they are asked for, or copied, together, so that it is waited for all at once.
        const AT_ONCE: usize = 32;
        let (mut z, mut parts, mut copied) = (Vec::new(), Vec::new(), Vec::new());
        let ask = |moved: Option<&[Moved]>| {
            let (Some(all), Some(moved)) = (direct, moved) else { return };
            moved.iter().for_each(|moved| fetch_all(simd, &all[samples.place(moved.row) * d..][..d]));
        };
        let mut ahead = moved.chunks(AT_ONCE);
        ask(ahead.next());
        for moved in moved.chunks(AT_ONCE) {
            ask(ahead.next());
            if direct.is_none() {
                copied.resize(moved.len() * d, F::zero());
                copied.chunks_exact_mut(d).zip(moved).for_each(|(row, moved)| samples.copy_row(moved.row, row));
            }
            let rows = direct.unwrap_or(&copied);
            let place = |i: usize| if direct.is_some() { samples.place(moved[i].row) } else { i };
            if wide {
                parts.clear();
                for (i, Moved { row, from, to }) in moved.iter().enumerate() {
                    let (row, weight) = (place(i), samples.weight(*row));
                    if weight != 0.0 {
                        parts.extend([Part { label: *from, row, weight: -weight }, Part { label: *to, row, weight }]);
                    }
                }
                moments.add_by_cluster(simd, |i| &rows[i * d..(i + 1) * d], &mut parts, means);
                continue;
            }
            for (i, Moved { row, from, to }) in moved.iter().enumerate() {
                let (w, row) = (samples.weight(*row), &rows[place(i) * d..][..d]);
                moments.add_row(simd, row, *from as usize, -w, means, &mut z);
                moments.add_row(simd, row, *to as usize, w, means, &mut z);
            }
        }
    }
}

impl<F: Float> MoveHard<'_, '_, '_, F> {
    #[inline(always)]
    fn narrow<const D: usize>(self, all: &[F]) {
        let Self { moments, samples, moved, means } = self;
        let (rows, means) = (all.as_chunks::<D>().0, means.as_chunks::<D>().0);
        for Moved { row, from, to } in moved {
            let (w, row) = (samples.weight(*row), &rows[samples.place(*row)]);
            moments.add_narrow(row, *from as usize, -w, means);
            moments.add_narrow(row, *to as usize, w, means);
        }
    }
}

/// The rows of a cluster that are added together.
const TOGETHER: usize = 4;

/// A row that is added to a cluster, or taken from it by a weight below zero.
#[derive(Clone, Copy)]
struct Part {
    label: u32,
    row: usize,
    weight: f64,
}

/// The number of columns, if rows have so few that all is done in registers, and zero otherwise.
fn moments_of_few(moments: &HardMoments, width: usize) -> usize {
    if moments.scatter != Scatter::Full && width <= 4 { width } else { 0 }
}

impl HardMoments<'_> {
    /// Adds one row of D columns to cluster `c` by the weight `w`, about that cluster's mean.
    #[inline(always)]
    fn add_narrow<F: Float, const D: usize>(&mut self, row: &[F; D], c: usize, w: f64, means: &[[F; D]]) {
        if w == 0.0 {
            return;
        }
        let (mean, first) = (&means[c], &mut self.first.as_chunks_mut::<D>().0[c]);
        let mut z = [0.0; D];
        for j in 0..D {
            z[j] = row[j].widen() - mean[j].widen();
            first[j] += w * z[j];
        }
        self.weight[c] += w;
        if self.scatter == Scatter::Diagonal {
            let second = &mut self.second.as_chunks_mut::<D>().0[c];
            for j in 0..D {
                second[j] += w * z[j] * z[j];
            }
            return;
        }
        let mut sum = 0.0;
        for z in z {
            sum += z * z;
        }
        self.second[c] += w * sum;
    }

    /// Whether sums are so wide that they are sooner read and written once for several rows of a cluster, not for each.
    fn goes_by_cluster(&self, width: usize) -> bool {
        const WIDE: usize = 128;
        self.scatter != Scatter::Full && (width >= WIDE || width >= PARTS && self.weight.len() == 1)
    }

    /// Adds rows to clusters by weights, cluster by cluster and several at a time; in each cluster the sums are those of row after
    /// row in the order given.
    #[inline(always)]
    fn add_by_cluster<'r, S: Simd, F: Float>(
        &mut self,
        simd: S,
        rows: impl Fn(usize) -> &'r [F],
        parts: &mut [Part],
        means: &[F],
    ) {
        parts.sort_by_key(|part| part.label);
        for parts in parts.chunk_by(|a, b| a.label == b.label) {
            let c = parts[0].label as usize;
            let (all, rest) = parts.as_chunks::<TOGETHER>();
            for parts in all {
                self.add_rows(simd, parts.map(|part| rows(part.row)), c, parts.map(|part| part.weight), means);
            }
            for part in rest {
                self.add_rows(simd, [rows(part.row)], c, [part.weight], means);
            }
        }
    }

    /// Adds some rows to cluster `c` by their weights, about that cluster's row of `means`.
    #[inline(always)]
    fn add_rows<S: Simd, F: Float, const N: usize>(
        &mut self,
        simd: S,
        rows: [&[F]; N],
        c: usize,
        weights: [f64; N],
        means: &[F],
    ) {
        let own = c * rows[0].len()..(c + 1) * rows[0].len();
        let (mean, first) = (&means[own.clone()], &mut self.first[own.clone()]);
        weights.iter().for_each(|w| self.weight[c] += w);
        if self.scatter == Scatter::Diagonal {
            return add_columns(simd, rows, mean, weights, first, &mut self.second[own]);
        }
        let sums = add_first(simd, rows, mean, weights, first);
        weights.iter().zip(sums).for_each(|(w, sum)| self.second[c] += w * sum);
    }

    /// Adds one row to cluster `c` by the weight `w`, about that cluster's row of `means`.
    #[inline(always)]
    fn add_row<S: Simd, F: Float>(&mut self, simd: S, row: &[F], c: usize, w: f64, means: &[F], z: &mut Vec<f64>) {
        // Not merely added as zero: a row that does not count may be so far away that its square is infinite.
        if w == 0.0 {
            return;
        }
        let (d, size) = (row.len(), self.scatter.len(row.len()));
        let (mean, first) = (&means[c * d..(c + 1) * d], &mut self.first[c * d..(c + 1) * d]);
        let second = &mut self.second[c * size..(c + 1) * size];
        self.weight[c] += w;
        match self.scatter {
            Scatter::Spherical if d < PARTS => {
                let mut sum = 0.0;
                for ((x, m), s) in row.iter().zip(mean).zip(first) {
                    let z = x.widen() - m.widen();
                    *s += w * z;
                    sum += z * z;
                }
                second[0] += w * sum;
            }
            Scatter::Spherical => {
                let [sum] = add_first(simd, [row], mean, [w], first);
                second[0] += w * sum;
            }
            Scatter::Diagonal => add_columns(simd, [row], mean, [w], first, second),
            Scatter::Full => {
                z.clear();
                z.extend(row.iter().zip(mean).map(|(x, m)| x.widen() - m.widen()));
                first.iter_mut().zip(&*z).for_each(|(s, z)| *s += w * z);
                self.scatter.add_row(w, z, second);
            }
        }
    }
}

/// The parts in which squares are summed, whatever the width of a register.
const PARTS: usize = 8;

/// The sum of the parts, half and half, so that few additions wait for others.
#[inline(always)]
fn sum_of(mut parts: [f64; PARTS]) -> f64 {
    for half in [PARTS / 2, PARTS / 4, PARTS / 8] {
        for i in 0..half {
            parts[i] += parts[i + half];
        }
    }
    parts[0]
}

/// Adds w z of some rows, one after the other, to `first`, and returns Σ z² of each.
#[inline(always)]
fn add_first<S: Simd, F: Float, const N: usize>(
    simd: S,
    rows: [&[F]; N],
    mean: &[F],
    w: [f64; N],
    first: &mut [f64],
) -> [f64; N] {
    let (means, mean) = mean.as_chunks::<PARTS>();
    let (firsts, first) = first.as_chunks_mut::<PARTS>();
    let mut parts = [[0.0; PARTS]; N];
    let chunks = in_parts(rows, means.len());
    for (i, (m, first)) in means.iter().zip(firsts).enumerate() {
        let z = differences(&chunks, i, m);
        for (v, first) in f64::vectors_mut::<S>(first).iter_mut().enumerate() {
            let mut sum = *first;
            for r in 0..N {
                let z = f64::vectors::<S>(&z[r])[v];
                sum = f64::vadd(simd, sum, f64::vmul(simd, f64::splat(simd, w[r]), z));
                let part = &mut f64::vectors_mut::<S>(&mut parts[r])[v];
                *part = f64::vadd(simd, *part, f64::vmul(simd, z, z));
            }
            *first = sum;
        }
    }
    let mut sums = [0.0; N];
    for r in 0..N {
        sums[r] = sum_of(parts[r]);
        let rest = &rows[r][means.len() * PARTS..];
        for ((x, m), first) in rest.iter().zip(mean).zip(&mut *first) {
            let z = x.widen() - m.widen();
            *first += w[r] * z;
            sums[r] += z * z;
        }
    }
    sums
}

/// Adds w z and w z² of some rows, one after the other, to `first` and `second`.
#[inline(always)]
fn add_columns<S: Simd, F: Float, const N: usize>(
    simd: S,
    rows: [&[F]; N],
    mean: &[F],
    w: [f64; N],
    first: &mut [f64],
    second: &mut [f64],
) {
    let (means, mean) = mean.as_chunks::<PARTS>();
    let ((firsts, first), (seconds, second)) = (first.as_chunks_mut::<PARTS>(), second.as_chunks_mut::<PARTS>());
    let chunks = in_parts(rows, means.len());
    for (i, ((m, first), second)) in means.iter().zip(firsts).zip(seconds).enumerate() {
        let z = differences(&chunks, i, m);
        let sums = f64::vectors_mut::<S>(first).iter_mut().zip(f64::vectors_mut::<S>(second));
        for (v, (first, second)) in sums.enumerate() {
            let (mut sum, mut square) = (*first, *second);
            for r in 0..N {
                let z = f64::vectors::<S>(&z[r])[v];
                let part = f64::vmul(simd, f64::splat(simd, w[r]), z);
                sum = f64::vadd(simd, sum, part);
                square = f64::vadd(simd, square, f64::vmul(simd, part, z));
            }
            (*first, *second) = (sum, square);
        }
    }
    for r in 0..N {
        let rest = &rows[r][means.len() * PARTS..];
        for (((x, m), first), second) in rest.iter().zip(mean).zip(&mut *first).zip(&mut *second) {
            let z = x.widen() - m.widen();
            *first += w[r] * z;
            *second += w[r] * z * z;
        }
    }
}

/// The first parts of some rows, so many of each.
#[inline(always)]
fn in_parts<F: Float, const N: usize>(rows: [&[F]; N], count: usize) -> [&[[F; PARTS]]; N] {
    let mut chunks = [&rows[0].as_chunks().0[..0]; N];
    for r in 0..N {
        chunks[r] = &rows[r].as_chunks().0[..count];
    }
    chunks
}

/// The differences of chunk `i` of some rows from a mean.
#[inline(always)]
fn differences<F: Float, const N: usize>(
    chunks: &[&[[F; PARTS]]; N],
    i: usize,
    mean: &[F; PARTS],
) -> [[f64; PARTS]; N] {
    let (mut z, mut wide) = ([[0.0; PARTS]; N], [0.0; PARTS]);
    for p in 0..PARTS {
        wide[p] = mean[p].widen();
    }
    for r in 0..N {
        let x = &chunks[r][i];
        for p in 0..PARTS {
            z[r][p] = x[p].widen() - wide[p];
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_row_is_added_to_its_cluster(
            (d, k, rows, labels, means, weights) in (prop_oneof![1usize..20, 128usize..140], 1usize..40, prop_oneof![Just(1), Just(3)])
                .prop_flat_map(|(d, n, k)| {
                    let numbers = |count| prop::collection::vec(-2.0..2.0f64, count);
                    let weights = prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.5..2.0f64], n);
                    let labels = prop::collection::vec((0..k as u32, 0..k as u32), n);
                    (Just(d), Just(k), numbers(n * d), labels, numbers(k * d), weights)
                }),
        ) {
            let n = labels.len();
            let table = Array2::from_shape_vec((n, d), rows).unwrap();
            // One row at least counts.
            let weights: Vec<f64> = weights.into_iter().enumerate().map(|(i, w)| if i == 0 { 1.0 } else { w }).collect();
            let samples = Samples::weighted(&table, &weights[..]).unwrap();
            let (from, to): (Vec<u32>, Vec<u32>) = labels.into_iter().unzip();
            for scatter in [Scatter::Spherical, Scatter::Diagonal, Scatter::Full] {
                let size = scatter.len(d);
                let (mut weight, mut first, mut second) = (vec![0.0; k], vec![0.0; k * d], vec![0.0; k * size]);
                let mut moments = HardMoments { weight: &mut weight, first: &mut first, second: &mut second, scatter };
                moments.add(&samples.block(0..n, &mut Vec::new()), &from, &means);
                let moved = (0..n).filter(|i| from[*i] != to[*i] && weights[*i] > 0.0);
                let moved: Vec<Moved> = moved.map(|row| Moved { row, from: from[row], to: to[row] }).collect();
                moments.relabel(&samples, &moved, &means);
                for c in 0..k {
                    let (mut total, mut s1, mut s2) = (0.0, vec![0.0; d], vec![0.0; size]);
                    for i in (0..n).filter(|i| to[*i] == c as u32) {
                        let z: Vec<f64> = table.row(i).iter().zip(&means[c * d..]).map(|(x, m)| x - m).collect();
                        total += weights[i];
                        s1.iter_mut().zip(&z).for_each(|(s, z)| *s += weights[i] * z);
                        scatter.add_row(weights[i], &z, &mut s2);
                    }
                    prop_assert!((total - moments.weight[c]).abs() < 1e-12);
                    for (expected, got) in s1.iter().zip(&moments.first[c * d..]).chain(s2.iter().zip(&moments.second[c * size..])) {
                        prop_assert!((expected - got).abs() < 1e-11 * (1.0 + d as f64));
                    }
                }
            }
        }
    }
}
