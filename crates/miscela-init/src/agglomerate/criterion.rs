//! What a union costs under a Gaussian model: the rise of the criterion that the classification likelihood comes to when
//! means and covariances are estimated (Banfield & Raftery 1993, Table 1).

use miscela_linalg::ln_det;

/// Clusters of points, and what uniting two of them costs.
pub(super) trait Criterion {
    /// The number of clusters at the start, 0, 1, ….
    fn n_clusters(&self) -> usize;
    /// What uniting i and j would cost.
    fn cost(&mut self, i: usize, j: usize) -> f64;
    /// Unites them, as i.
    fn merge(&mut self, i: usize, j: usize);
}

/// The sizes and means of clusters.
#[derive(Debug)]
struct Centres {
    d: usize,
    size: Vec<f64>,
    /// m × d
    mean: Vec<f64>,
}

impl Centres {
    fn new(points: &[f64], size: &[f64], d: usize) -> Self {
        Self { d, size: size.to_vec(), mean: points.to_vec() }
    }

    fn mean(&self, i: usize) -> &[f64] {
        &self.mean[i * self.d..][..self.d]
    }

    /// nᵢ nⱼ / (nᵢ + nⱼ): what the square of the distance of the means counts in the scatter of the union.
    fn share(&self, i: usize, j: usize) -> f64 {
        self.size[i] * (self.size[j] / (self.size[i] + self.size[j]))
    }

    /// The trace of that part of the scatter.
    fn between(&self, i: usize, j: usize) -> f64 {
        let squares: f64 = self.mean(i).iter().zip(self.mean(j)).map(|(a, b)| (a - b) * (a - b)).sum();
        self.share(i, j) * squares
    }

    fn merge(&mut self, i: usize, j: usize) {
        let weight = self.size[j] / (self.size[i] + self.size[j]);
        for c in 0..self.d {
            self.mean[i * self.d + c] += weight * (self.mean[j * self.d + c] - self.mean[i * self.d + c]);
        }
        self.size[i] += self.size[j];
    }
}

/// Σ tr Wₖ.
#[derive(Debug)]
pub(super) struct Eii(Centres);

impl Eii {
    /// `points` is m × d and `size` says how many rows each stands for.
    pub(super) fn new(points: &[f64], size: &[f64], d: usize) -> Self {
        Self(Centres::new(points, size, d))
    }
}

impl Criterion for Eii {
    fn n_clusters(&self) -> usize {
        self.0.size.len()
    }

    fn cost(&mut self, i: usize, j: usize) -> f64 {
        self.0.between(i, j)
    }

    fn merge(&mut self, i: usize, j: usize) {
        self.0.merge(i, j);
    }
}

/// Σ nₖ ln(|Wₖ/nₖ| + (tr Wₖ + α)/nₖ).
#[derive(Debug)]
pub(super) struct Vvv {
    points: Vec<f64>,
    weight: Vec<f64>,
    centres: Centres,
    /// The points of each cluster.
    members: Vec<Vec<u32>>,
    /// d × d, the lower triangle; empty for clusters of up to d points, whose points take less space.
    scatter: Vec<Vec<f64>>,
    trace: Vec<f64>,
    term: Vec<f64>,
    alpha: f64,
    matrix: Vec<f64>,
}

impl Vvv {
    /// `points` is m × d and `weight` says how many rows each stands for.
    pub(super) fn new(points: &[f64], weight: &[f64], d: usize) -> Self {
        let m = weight.len();
        let total: f64 = weight.iter().sum();
        let mean = |c: usize| points.iter().skip(c).step_by(d).zip(weight).map(|(x, w)| w * x).sum::<f64>() / total;
        let spread = |c: usize| {
            let mean = mean(c);
            points.iter().skip(c).step_by(d).zip(weight).map(|(x, w)| w * (x - mean) * (x - mean)).sum::<f64>()
        };
        let alpha = (0..d).map(spread).sum::<f64>() / (total * d as f64);
        let mut vvv = Self {
            points: points.to_vec(),
            weight: weight.to_vec(),
            centres: Centres::new(points, weight, d),
            members: (0..m).map(|i| vec![i as u32]).collect(),
            scatter: vec![Vec::new(); m],
            trace: vec![0.0; m],
            term: Vec::new(),
            alpha: alpha.max(f64::EPSILON),
            matrix: vec![0.0; d * d],
        };
        vvv.term = weight.iter().map(|w| vvv.flat(*w, 0.0)).collect();
        vvv
    }

    /// The term of a cluster of no volume.
    fn flat(&self, size: f64, trace: f64) -> f64 {
        size * ((trace + self.alpha) / size).ln()
    }

    /// The size, trace and term of the union of i and j.
    fn union(&mut self, i: usize, j: usize) -> (f64, f64) {
        let size = self.centres.size[i] + self.centres.size[j];
        let trace = self.trace[i] + self.trace[j] + self.centres.between(i, j);
        if size <= self.centres.d as f64 {
            return (trace, self.flat(size, trace));
        }
        self.sum_scatter(i, j);
        self.matrix.iter_mut().for_each(|x| *x /= size);
        let flat = ((trace + self.alpha) / size).ln();
        // ln(eˡ + eᶠ), with the greater one taken out.
        let log = match ln_det(&mut self.matrix, self.centres.d) {
            Some(volume) => volume.max(flat) + (-(volume - flat).abs()).exp().ln_1p(),
            None => flat,
        };
        (trace, size * log)
    }

    /// The scatter of the union of i and j, into `matrix`.
    fn sum_scatter(&mut self, i: usize, j: usize) {
        self.matrix.fill(0.0);
        self.add_scatter(i);
        self.add_scatter(j);
        let share = self.centres.share(i, j);
        add_outer(&mut self.matrix, share, self.centres.mean(i), self.centres.mean(j));
    }

    fn add_scatter(&mut self, i: usize) {
        let d = self.centres.d;
        match &self.members[i][..] {
            [_] => {}
            members if self.scatter[i].is_empty() => {
                for &p in members {
                    let (p, mean) = (p as usize, self.centres.mean(i));
                    add_outer(&mut self.matrix, self.weight[p], &self.points[p * d..][..d], mean);
                }
            }
            _ => self.matrix.iter_mut().zip(&self.scatter[i]).for_each(|(to, from)| *to += from),
        }
    }
}

/// Adds w (a − b)(a − b)ᵀ to the lower triangle.
fn add_outer(matrix: &mut [f64], w: f64, a: &[f64], b: &[f64]) {
    let d = a.len();
    for r in 0..d {
        let scaled = w * (a[r] - b[r]);
        for c in 0..=r {
            matrix[r * d + c] += scaled * (a[c] - b[c]);
        }
    }
}

impl Criterion for Vvv {
    fn n_clusters(&self) -> usize {
        self.weight.len()
    }

    fn cost(&mut self, i: usize, j: usize) -> f64 {
        self.union(i, j).1 - self.term[i] - self.term[j]
    }

    fn merge(&mut self, i: usize, j: usize) {
        (self.trace[i], self.term[i]) = self.union(i, j);
        if self.members[i].len() + self.members[j].len() > self.centres.d {
            self.sum_scatter(i, j);
            self.scatter[i].clone_from(&self.matrix);
        }
        self.scatter[j] = Vec::new();
        let joined = std::mem::take(&mut self.members[j]);
        self.members[i].extend(joined);
        self.centres.merge(i, j);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: [f64; 7] = [1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0];

    fn points() -> Vec<f64> {
        let rows = crate::conformance::blobs(WEIGHTS.len(), 2);
        rows.iter().copied().collect()
    }

    /// The size of some rows and the scatter about their mean, by definition.
    fn scatter(points: &[f64], members: &[usize]) -> (f64, [f64; 3]) {
        let weighted = |of: &dyn Fn(&[f64]) -> f64| -> f64 {
            members.iter().map(|i| WEIGHTS[*i] * of(&points[2 * i..][..2])).sum()
        };
        let size = weighted(&|_| 1.0);
        let mean = [0, 1].map(|c| weighted(&|row| row[c]) / size);
        (size, [(0, 0), (0, 1), (1, 1)].map(|(a, b)| weighted(&|row| (row[a] - mean[a]) * (row[b] - mean[b]))))
    }

    /// Costs of unions, one of large clusters among them, are by how much the sum of the terms rises.
    fn costs_are_rises(mut criterion: impl Criterion, term: impl Fn(&[usize]) -> f64) {
        let mut clusters: Vec<Vec<usize>> = (0..WEIGHTS.len()).map(|i| vec![i]).collect();
        for (i, j) in [(0, 1), (2, 4), (0, 5), (2, 6), (0, 2), (0, 3)] {
            let union = [&clusters[i][..], &clusters[j]].concat();
            let rise = term(&union) - term(&clusters[i]) - term(&clusters[j]);
            let cost = criterion.cost(i, j);
            assert!((cost - rise).abs() <= 1e-10 * (1.0 + rise.abs()), "{union:?}: {cost} and not {rise}");
            criterion.merge(i, j);
            clusters[i] = union;
        }
    }

    #[test]
    fn a_union_costs_what_the_traces_rise() {
        let points = points();
        costs_are_rises(Eii::new(&points, &WEIGHTS, 2), |members| {
            let (_, [a, _, b]) = scatter(&points, members);
            a + b
        });
    }

    #[test]
    fn a_union_costs_what_the_likelihood_falls() {
        let points = points();
        let (size, [a, _, b]) = scatter(&points, &[0, 1, 2, 3, 4, 5, 6]);
        let alpha = (a + b) / (2.0 * size);
        costs_are_rises(Vvv::new(&points, &WEIGHTS, 2), |members| {
            let (n, [a, off, b]) = scatter(&points, members);
            n * ((a * b - off * off) / (n * n) + (a + b + alpha) / n).ln()
        });
    }
}
