//! How large the batches are that a table is cut into, and for how long none of them helps.

/// Batches that are drawn from a table.
///
/// ```
/// use miscela_em::MiniBatch;
///
/// assert_eq!(MiniBatch::from(256), MiniBatch { batch_size: 256, ..MiniBatch::default() });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MiniBatch {
    /// Rows in each batch; with as many as the table has rows of positive weight, or more, each batch is the table.
    pub batch_size: usize,
    /// Stop when the smoothed objective has been no better than before for this many batches in a row. Zero: go on until
    /// something else ends the fit.
    pub patience: usize,
}

impl Default for MiniBatch {
    fn default() -> Self {
        Self { batch_size: 1024, patience: 50 }
    }
}

impl From<usize> for MiniBatch {
    /// Batches of so many rows.
    fn from(batch_size: usize) -> Self {
        Self { batch_size, ..Self::default() }
    }
}
