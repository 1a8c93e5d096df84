//! Measures of how much one labelling tells of the other, in nats.
//!
//! ```text
//! H(U) = −Σ pᵢ ln pᵢ        I(U, V) = Σ pᵢⱼ ln (pᵢⱼ / (pᵢ qⱼ))
//! homogeneity = I / H(truth)     completeness = I / H(labels)     V = NMI = 2 I / (H(truth) + H(labels))
//! AMI = (I − E[I]) / (½ (H(truth) + H(labels)) − E[I])            VI = H(U|V) + H(V|U)
//! ```
//!
//! Rosenberg & Hirschberg 2007 (V); Vinh, Epps & Bailey 2010 (AMI); Meilă 2007 (VI). What is said where a term is zero is
//! what scikit-learn 1.9 says.

use super::Agreement;
use super::expected::expected_information;
use crate::MetricsError;

impl Agreement {
    /// How much of the truth the labels tell, in nats: 0 … min(H(truth), H(labels)).
    pub fn mutual_information(&self) -> f64 {
        if self.first.len() <= 1 || self.second.len() <= 1 {
            return 0.0;
        }
        let of = |(i, j, w): &(usize, usize, f64)| {
            let share = w / self.total;
            let term = share * ((w / self.first[*i]).ln() - (self.second[*j] / self.total).ln());
            if term.abs() < f64::EPSILON { 0.0 } else { term }
        };
        self.cells.iter().map(of).sum::<f64>().max(0.0)
    }

    /// Mutual information beside the mean of both entropies.
    ///
    /// **Not** to compare different numbers of clusters: by chance alone it grows with them; [`ami`](Self::ami) does not.
    pub fn nmi(&self) -> f64 {
        if self.says_the_same_of_all() {
            return 1.0;
        }
        let information = self.mutual_information();
        if information == 0.0 { 0.0 } else { information / self.mean_entropy() }
    }

    /// Mutual information beyond what labels dealt at random share, scaled to 1 for equal labellings.
    ///
    /// **Not** where [`ari`](Self::ari) serves and time matters: the expectation costs a sum for each pair of different
    /// cluster sizes. It prefers unbalanced truths, ARI balanced ones (Romano et al. 2016).
    ///
    /// # Errors
    /// If a cluster's weights do not sum to a whole number: what is expected by chance is known for counts only.
    pub fn ami(&self) -> Result<f64, MetricsError> {
        // The same clusters by other names; both terms may be zero then, which leaves rounding to decide.
        if self.first.len() == self.second.len() && self.cells.len() == self.first.len() {
            return Ok(1.0);
        } else if self.first.len() == 1 || self.second.len() == 1 {
            return Ok(0.0);
        }
        let expected = expected_information(&self.first, &self.second)?;
        // As in scikit-learn: away from zero, whichever side it is on.
        let apart = |x: f64| if x < 0.0 { x.min(-f64::EPSILON) } else { x.max(f64::EPSILON) };
        Ok(apart(self.mutual_information() - expected) / apart(self.mean_entropy() - expected))
    }

    /// Whether each cluster has rows of one truth only: 1 − H(truth | labels) / H(truth).
    ///
    /// **Not** alone: a cluster for each row is homogeneous.
    pub fn homogeneity(&self) -> f64 {
        share(self.mutual_information(), entropy(&self.first, self.total))
    }

    /// Whether the rows of each truth are in one cluster: 1 − H(labels | truth) / H(labels).
    ///
    /// **Not** alone: one cluster for all rows is complete.
    pub fn completeness(&self) -> f64 {
        share(self.mutual_information(), entropy(&self.second, self.total))
    }

    /// The harmonic mean of homogeneity and completeness; equal to [`nmi`](Self::nmi).
    ///
    /// **Not** to compare different numbers of clusters, as there.
    pub fn v_measure(&self) -> f64 {
        let (h, c) = (self.homogeneity(), self.completeness());
        if h + c == 0.0 { 0.0 } else { 2.0 * h * c / (h + c) }
    }

    /// What the labellings do not tell of each other, in nats: a metric on labellings, 0 for equal ones.
    ///
    /// **Not** to compare data sets: its greatest value depends on n and k.
    pub fn variation_of_information(&self) -> f64 {
        // Each term is positive, and exactly zero where labellings are equal.
        let of =
            |(i, j, w): &(usize, usize, f64)| w / self.total * ((self.first[*i] / w).ln() + (self.second[*j] / w).ln());
        self.cells.iter().map(of).sum()
    }

    /// Both labellings have one cluster, or none.
    fn says_the_same_of_all(&self) -> bool {
        self.first.len() == self.second.len() && self.first.len() <= 1
    }

    fn mean_entropy(&self) -> f64 {
        (entropy(&self.first, self.total) + entropy(&self.second, self.total)) / 2.0
    }
}

fn share(information: f64, entropy: f64) -> f64 {
    if entropy == 0.0 { 1.0 } else { information / entropy }
}

fn entropy(weights: &[f64], total: f64) -> f64 {
    let of = |w: &f64| w / total * (total / w).ln();
    if weights.len() <= 1 { 0.0 } else { weights.iter().map(of).sum() }
}
