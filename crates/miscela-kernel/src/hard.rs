//! Moments of rows that each belong to one cluster: the k-means update.
//!
//! ```text
//! for each row x with label c:  weight[c] += w,  first[c] += w z,  second[c] += w z zᵀ     with z = x − μ[c]
//! ```
//!
//! All in `f64`, row by row, without fused multiplications, and where a sum runs over columns, in eight parts. So the
//! compiler may use the vectors of any instruction set and the bits stay the same.

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
    /// If the label of a row that has weight is not below k, or the sizes disagree.
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
        let mut z = Vec::new();
        // Wide sums go to and from a farther cache: once for all rows of a cluster, not for each.
        const WIDE: usize = 256;
        let mut order = Vec::new();
        if block.width() >= WIDE {
            order.extend(0..labels.len());
            order.sort_by_key(|i| labels[*i]);
        }
        for place in 0..labels.len() {
            let i = if order.is_empty() { place } else { order[place] };
            moments.add_row(simd, block.row(i), labels[i] as usize, block.weight(i), means, &mut z);
        }
    }
}

impl<F: Float> AddHard<'_, '_, F> {
    #[inline(always)]
    fn narrow<const D: usize>(self) {
        let Self { moments, block, labels, means } = self;
        let means = means.as_chunks::<D>().0;
        for (i, (row, label)) in block.all().as_chunks::<D>().0.iter().zip(labels).enumerate() {
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
        // Rows that may come from far are copied together, so that it is waited for all at once.
        const TOGETHER: usize = 32;
        let d = samples.n_columns();
        let (mut z, mut rows) = (Vec::new(), vec![F::zero(); TOGETHER.min(moved.len()) * d]);
        for moved in moved.chunks(TOGETHER) {
            rows.chunks_exact_mut(d).zip(moved).for_each(|(row, moved)| samples.copy_row(moved.row, row));
            for (row, Moved { row: i, from, to }) in rows.chunks_exact(d).zip(moved) {
                let w = samples.weight(*i);
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

/// The number of columns, if rows have so few that all is done in registers, and zero otherwise.
fn moments_of_few(moments: &HardMoments, width: usize) -> usize {
    if moments.scatter == Scatter::Spherical && width <= 4 { width } else { 0 }
}

impl HardMoments<'_> {
    /// Adds one row of D columns to cluster `c` by the weight `w`, about that cluster's mean.
    #[inline(always)]
    fn add_narrow<F: Float, const D: usize>(&mut self, row: &[F; D], c: usize, w: f64, means: &[[F; D]]) {
        if w == 0.0 {
            return;
        }
        let (mean, first) = (&means[c], &mut self.first.as_chunks_mut::<D>().0[c]);
        let mut sum = 0.0;
        for j in 0..D {
            let z = row[j].widen() - mean[j].widen();
            first[j] += w * z;
            sum += z * z;
        }
        self.weight[c] += w;
        self.second[c] += w * sum;
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
            Scatter::Spherical => second[0] += w * add_first(simd, row, mean, w, first),
            Scatter::Diagonal => {
                for (((x, m), s), q) in row.iter().zip(mean).zip(first).zip(second) {
                    let z = x.widen() - m.widen();
                    *s += w * z;
                    *q += w * z * z;
                }
            }
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

/// Adds w z to `first` and returns Σ z².
#[inline(always)]
fn add_first<S: Simd, F: Float>(simd: S, row: &[F], mean: &[F], w: f64, first: &mut [f64]) -> f64 {
    let ((rows, row), (means, mean)) = (row.as_chunks::<PARTS>(), mean.as_chunks::<PARTS>());
    let (firsts, first) = first.as_chunks_mut::<PARTS>();
    let (mut parts, mut z, weight) = ([0.0; PARTS], [0.0; PARTS], f64::splat(simd, w));
    for ((x, m), first) in rows.iter().zip(means).zip(firsts) {
        for p in 0..PARTS {
            z[p] = x[p].widen() - m[p].widen();
        }
        let sums = f64::vectors_mut::<S>(first).iter_mut().zip(f64::vectors_mut::<S>(&mut parts));
        for (z, (first, part)) in f64::vectors::<S>(&z).iter().zip(sums) {
            *first = f64::vadd(simd, *first, f64::vmul(simd, weight, *z));
            *part = f64::vadd(simd, *part, f64::vmul(simd, *z, *z));
        }
    }
    let mut sum = parts.iter().sum();
    for ((x, m), first) in row.iter().zip(mean).zip(first) {
        let z = x.widen() - m.widen();
        *first += w * z;
        sum += z * z;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_row_is_added_to_its_cluster(
            (d, rows, labels, means) in (1usize..20, 1usize..40).prop_flat_map(|(d, n)| {
                let numbers = |count| prop::collection::vec(-2.0..2.0f64, count);
                (Just(d), numbers(n * d), prop::collection::vec(0u32..3, n), numbers(3 * d))
            }),
        ) {
            for scatter in [Scatter::Spherical, Scatter::Diagonal, Scatter::Full] {
                let size = scatter.len(d);
                let (mut weight, mut first, mut second) = (vec![0.0; 3], vec![0.0; 3 * d], vec![0.0; 3 * size]);
                let mut moments = HardMoments { weight: &mut weight, first: &mut first, second: &mut second, scatter };
                let block = Block::new(&rows, d);
                moments.add(&block, &labels, &means);
                for c in 0..3 {
                    let (mut n, mut s1, mut s2) = (0.0, vec![0.0; d], vec![0.0; size]);
                    for (row, _) in block.rows().zip(&labels).filter(|(_, label)| **label == c as u32) {
                        let z: Vec<f64> = row.iter().zip(&means[c * d..]).map(|(x, m)| x - m).collect();
                        n += 1.0;
                        s1.iter_mut().zip(&z).for_each(|(s, z)| *s += z);
                        scatter.add_row(1.0, &z, &mut s2);
                    }
                    prop_assert_eq!(n, moments.weight[c]);
                    for (expected, got) in s1.iter().zip(&moments.first[c * d..]).chain(s2.iter().zip(&moments.second[c * size..])) {
                        prop_assert!((expected - got).abs() < 1e-11);
                    }
                }
            }
        }
    }
}
