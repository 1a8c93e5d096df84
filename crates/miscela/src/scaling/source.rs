//! Rows that are scaled as they are read.

use super::ColumnScaling;
use miscela_kernel::{Chunk, Chunks, Source, SourceError};

/// A [`Source`] whose rows are those of another, scaled. Each chunk is copied.
///
/// ```
/// use miscela::{Chunked, ColumnScaling, ScaledSource, Source};
/// use ndarray::array;
///
/// let rows = array![[1.0], [2.0], [3.0]];
/// let (source, scaling) = (Chunked::new(&rows, None, 2), ColumnScaling::new(vec![2.0], vec![0.5])?);
/// let scaled = ScaledSource::new(&source, &scaling);
/// let first = scaled.chunks()?.next().ok_or("no chunk")??;
/// assert_eq!(first.rows, array![[-2.0], [0.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct ScaledSource<'a, F: miscela_kernel::Float> {
    source: &'a dyn Source<F>,
    scaling: &'a ColumnScaling,
}

impl<'a, F: crate::Float> ScaledSource<'a, F> {
    /// The rows of `source`, scaled.
    ///
    /// # Panics
    /// If the rows have another width than the scaling.
    pub fn new(source: &'a dyn Source<F>, scaling: &'a ColumnScaling) -> Self {
        assert_eq!(source.n_columns(), scaling.n_columns(), "rows must have the columns of the scaling");
        Self { source, scaling }
    }
}

impl<F: crate::Float> Source<F> for ScaledSource<'_, F> {
    fn n_columns(&self) -> usize {
        self.source.n_columns()
    }

    fn chunks(&self) -> Result<Chunks<'_, F>, SourceError> {
        let scaled = |chunk: Chunk<'_, F>| {
            let mut rows = chunk.rows.into_owned();
            self.scaling.scale_in_place(&mut rows);
            Chunk {
                rows: rows.into(),
                weights: chunk.weights.map(|weights| weights.into_owned().into()),
                origin: chunk.origin,
            }
        };
        Ok(Box::new(self.source.chunks()?.map(move |chunk| chunk.map(scaled))))
    }
}
