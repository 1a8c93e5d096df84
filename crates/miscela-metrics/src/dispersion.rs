//! Measures by centroids: how far rows are from their own, and how far those are from one another.
//!
//! ```text
//! inertia             Σ_c Σ_{i ∈ c} wᵢ ‖xᵢ − m_c‖²  =  within
//! Calinski-Harabasz   (between / (k − 1)) / (within / (n − k)),     between = Σ_c W_c ‖m_c − m‖²
//! Davies-Bouldin      mean over c of  max over e ≠ c of  (s_c + s_e) / ‖m_c − m_e‖,     s_c = mean of ‖x − m_c‖
//! ```
//!
//! Caliński & Harabasz 1974; Davies & Bouldin 1979.

use crate::{Clustering, MetricsError};
use miscela_kernel::{Float, squared_distance};
use ndarray::Array2;

/// Distances this small beside the spread of the data are those of rows that are the same.
const NOTHING: f64 = 1e-8;

/// How the rows of each cluster lie about their mean.
#[derive(Clone, Debug)]
pub(crate) struct Dispersion {
    /// The means, k × d, row by row.
    pub(crate) means: Vec<f64>,
    spreads: Vec<Spread>,
    /// Σ wᵢ ‖xᵢ − m‖², m that of the row's own cluster.
    within: f64,
    /// Σ W_c ‖m_c − m‖², m that of all rows.
    between: f64,
}

/// Sums over the rows of a cluster.
#[derive(Clone, Copy, Debug)]
struct Spread {
    squares: f64,
    distances: f64,
}

impl<F: Float> Clustering<'_, F> {
    /// The weighted mean of each cluster, k × d, in the order of labels.
    pub fn centroids(&self) -> Array2<f64> {
        let means = &self.dispersion().means;
        Array2::from_shape_fn((self.n_clusters(), self.width()), |(c, j)| means[c * self.width() + j])
    }

    /// Σ wᵢ ‖xᵢ − m‖² about the mean m of each row's own cluster.
    ///
    /// **Not** to compare different numbers of clusters: it falls with each more.
    pub fn inertia(&self) -> f64 {
        self.dispersion().within
    }

    /// The ratio of the variance between clusters to that within them; higher is better. 1 where the rows of each cluster
    /// are all the same, as scikit-learn has it.
    ///
    /// **Not** for clusters that are elongated or of unequal spread, where it splits the large ones, and not where there
    /// are outliers: it is a ratio of sums of squares. Compare it on the same rows only.
    ///
    /// # Errors
    /// If there is one cluster only, or as many as rows.
    ///
    /// ```
    /// use miscela_metrics::Clustering;
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0], [2.0], [10.0], [12.0]];
    /// assert_eq!(Clustering::new(&rows, &[0, 0, 1, 1])?.calinski_harabasz()?, 100.0 / (4.0 / 2.0));
    /// # Ok::<(), miscela_metrics::MetricsError>(())
    /// ```
    pub fn calinski_harabasz(&self) -> Result<f64, MetricsError> {
        self.check_count()?;
        let Dispersion { within, between, .. } = *self.dispersion();
        let (n, k) = (self.samples.total_weight(), self.n_clusters() as f64);
        Ok(if within == 0.0 { 1.0 } else { between * (n - k) / (within * (k - 1.0)) })
    }

    /// How much the most similar cluster overlaps, on average over clusters; lower is better. 0 where all clusters are single
    /// points or all centroids are the same, as scikit-learn has it.
    ///
    /// Clusters at the same point are not compared with each other. What scikit-learn calls zero is 1e-8, whatever the units;
    /// here it is 1e-8 of the spread of the rows, so that units change nothing.
    ///
    /// **Not** for clusters that are long or nested, which centroids do not describe, and not where sizes are very unequal:
    /// each cluster has the same say.
    ///
    /// # Errors
    /// If there is one cluster only, or as many as rows.
    ///
    /// ```
    /// use miscela_metrics::Clustering;
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0], [2.0], [10.0], [12.0]];
    /// assert_eq!(Clustering::new(&rows, &[0, 0, 1, 1])?.davies_bouldin()?, (1.0 + 1.0) / 10.0);
    /// # Ok::<(), miscela_metrics::MetricsError>(())
    /// ```
    pub fn davies_bouldin(&self) -> Result<f64, MetricsError> {
        self.check_count()?;
        let Dispersion { means, spreads, within, between } = self.dispersion();
        let (k, d) = (self.n_clusters(), self.width());
        let nothing = NOTHING * ((within + between) / self.samples.total_weight()).sqrt();
        let radii: Vec<f64> = spreads.iter().zip(&self.weights).map(|(spread, w)| spread.distances / w).collect();
        let mean = |c: usize| &means[c * d..(c + 1) * d];
        // The greatest overlap with another cluster, and the distance of the farthest.
        let worst = |c: usize| {
            (0..k).filter(|other| *other != c).fold((0.0, 0.0), |(overlap, farthest): (f64, f64), other| {
                let distance = squared_distance(mean(c), mean(other)).sqrt();
                let own = if distance == 0.0 { 0.0 } else { (radii[c] + radii[other]) / distance };
                (overlap.max(own), farthest.max(distance))
            })
        };
        let threads = self.threads.for_work((k * k * d) as f64);
        let worst = threads.install(|threads| threads.map(k, worst));
        let is_nothing = |distance: f64| distance <= nothing;
        if radii.iter().copied().all(is_nothing) || worst.iter().all(|(_, farthest)| is_nothing(*farthest)) {
            return Ok(0.0);
        }
        Ok(worst.iter().map(|(overlap, _)| overlap).sum::<f64>() / k as f64)
    }

    /// Two passes, the first time.
    pub(crate) fn dispersion(&self) -> &Dispersion {
        self.dispersion.get_or_init(|| {
            let means = self.means();
            let spreads = self.spreads(&means);
            let within = spreads.iter().map(|spread| spread.squares).sum();
            Dispersion { between: self.between(&means), means, spreads, within }
        })
    }

    /// Sums are of differences to a row of the cluster, so that equal rows have exactly that mean.
    fn means(&self) -> Vec<f64> {
        let d = self.width();
        self.each_cluster(|c| {
            let (mut first, mut row) = (vec![F::zero(); d], vec![F::zero(); d]);
            self.samples.copy_row(self.rows_of(c)[0] as usize, &mut first);
            let mut sums = vec![0.0; d];
            for at in self.rows_of(c) {
                self.samples.copy_row(*at as usize, &mut row);
                let w = self.samples.weight(*at as usize);
                for ((sum, x), o) in sums.iter_mut().zip(&row).zip(&first) {
                    *sum += w * (x.widen() - o.widen());
                }
            }
            let mean = |(o, sum): (F, f64)| o.widen() + sum / self.weights[c];
            first.into_iter().zip(sums).map(mean).collect::<Vec<_>>()
        })
        .concat()
    }

    fn spreads(&self, means: &[f64]) -> Vec<Spread> {
        let d = self.width();
        self.each_cluster(|c| {
            let (mean, mut row) = (&means[c * d..(c + 1) * d], vec![F::zero(); d]);
            let mut spread = Spread { squares: 0.0, distances: 0.0 };
            for at in self.rows_of(c) {
                self.samples.copy_row(*at as usize, &mut row);
                let squared: f64 = row.iter().zip(mean).map(|(x, m)| (x.widen() - m).powi(2)).sum();
                let w = self.samples.weight(*at as usize);
                spread.squares += w * squared;
                spread.distances += w * squared.sqrt();
            }
            spread
        })
    }

    /// Σ W_c ‖m_c − m‖²
    fn between(&self, means: &[f64]) -> f64 {
        let (d, total) = (self.width(), self.samples.total_weight());
        let of_column = |j: usize| {
            let offset = |c: usize| means[c * d + j] - means[j];
            let mean = (0..self.n_clusters()).map(|c| self.weights[c] * offset(c)).sum::<f64>() / total;
            (0..self.n_clusters()).map(|c| self.weights[c] * (offset(c) - mean).powi(2)).sum::<f64>()
        };
        (0..d).map(of_column).sum()
    }

    fn each_cluster<T: Send>(&self, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        let threads = self.threads.for_work((self.order.len() * self.width()) as f64);
        threads.install(|threads| threads.map(self.n_clusters(), work))
    }
}
