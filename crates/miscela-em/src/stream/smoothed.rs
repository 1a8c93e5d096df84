//! Whether the objective of batches still improves: an exponentially weighted mean of it, as in scikit-learn's
//! `MiniBatchKMeans`.
//!
//! ```text
//! m ← (1 − α) m + α x,   α = min(1, 2b/(n + 1))
//! ```
//!
//! So m remembers about as many batches as make up the table, and a batch that is easier than others ends nothing.

/// A smoothed cost: lower is better.
pub(crate) struct Smoothed {
    alpha: f64,
    mean: Option<f64>,
    least: f64,
    idle: usize,
}

impl Smoothed {
    /// For batches of `batch` of `n` rows.
    pub(crate) fn new(batch: usize, n: usize) -> Self {
        let alpha = (2.0 * batch as f64 / (n as f64 + 1.0)).min(1.0);
        Self { alpha, mean: None, least: f64::INFINITY, idle: 0 }
    }

    /// Takes the cost of the next batch; the smoothed one.
    pub(crate) fn note(&mut self, cost: f64) -> f64 {
        let mean = self.mean.map_or(cost, |mean| mean + self.alpha * (cost - mean));
        self.idle = if mean < self.least { 0 } else { self.idle + 1 };
        self.least = self.least.min(mean);
        self.mean = Some(mean);
        mean
    }

    /// Whether it has been no lower than before for so many batches in a row; zero is no limit.
    pub(crate) fn is_idle(&self, patience: usize) -> bool {
        patience > 0 && self.idle >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_easy_batch_ends_nothing() {
        let mut smoothed = Smoothed::new(10, 199);
        let costs = [9.0, 8.0, 1.0, 7.0, 7.0, 7.0];
        let seen: Vec<f64> = costs.into_iter().map(|cost| smoothed.note(cost)).collect();
        assert!((seen[1] - 8.9).abs() < 1e-12 && (seen[2] - 8.11).abs() < 1e-12);
        assert!(seen.is_sorted_by(|a, b| a > b) && !smoothed.is_idle(1));
        smoothed.note(70.0);
        assert!(smoothed.is_idle(1) && !smoothed.is_idle(2) && !smoothed.is_idle(0));
    }
}
