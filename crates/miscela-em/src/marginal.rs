//! A mixture over some of its columns.
//!
//! The marginal of N(μ, Σ) over columns A is N(μ_A, Σ_AA), and a mixture's is that of each component with the weights as
//! they are (Mardia, Kent & Bibby 1979, §3.1): entries are picked out, and nothing is computed.

use crate::{Covariance, Covariances, Mixture};
use miscela_kernel::Float;
use ndarray::Axis;

/// What is wrong with a choice of columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnsError {
    /// No column was chosen.
    #[error("no columns were chosen; name at least one")]
    Empty,
    /// All were chosen where some must be left.
    #[error("all {d} columns were chosen and none is left to be told from them; leave at least one out")]
    All {
        /// Columns of the mixture.
        d: usize,
    },
    /// There is no such column.
    #[error("column {column} was chosen and the mixture has {d}; they are counted from 0")]
    Missing {
        /// The column chosen, 0-based.
        column: usize,
        /// Columns of the mixture.
        d: usize,
    },
    /// The mixture has noise, whose volume is that of all columns.
    #[error("the mixture has noise, which has no density over some of the columns; fit one without it")]
    Noise,
    /// A column was chosen twice.
    #[error("column {column} was chosen twice; name each once")]
    Repeated {
        /// The column, 0-based.
        column: usize,
    },
}

/// Whether these are distinct columns of `d`, and at least one.
pub(crate) fn check_columns(columns: &[usize], d: usize) -> Result<(), ColumnsError> {
    let mut chosen = vec![false; d];
    for column in columns.iter().copied() {
        match chosen.get_mut(column) {
            None => return Err(ColumnsError::Missing { column, d }),
            Some(true) => return Err(ColumnsError::Repeated { column }),
            Some(chosen) => *chosen = true,
        }
    }
    if columns.is_empty() { Err(ColumnsError::Empty) } else { Ok(()) }
}

impl<F: Float> Mixture<F> {
    /// The mixture over these columns, 0-based, in this order. The covariances keep their shape.
    ///
    /// ```
    /// use miscela_em::{Covariances, Mixture};
    /// use ndarray::array;
    ///
    /// let means = array![[1.0, 2.0, 3.0]];
    /// let mixture = Mixture::new(array![1.0], means, Covariances::Diagonal(array![[4.0, 5.0, 6.0]]));
    /// let marginal = mixture.marginal(&[2, 0])?;
    /// assert_eq!(marginal.means, array![[3.0, 1.0]]);
    /// assert_eq!(marginal.covariances, Covariances::Diagonal(array![[6.0, 4.0]]));
    /// # Ok::<(), miscela_em::ColumnsError>(())
    /// ```
    ///
    /// # Errors
    /// If no column is chosen, one twice, or one that is not there, or the mixture has noise.
    pub fn marginal(&self, columns: &[usize]) -> Result<Self, ColumnsError> {
        check_columns(columns, self.n_columns())?;
        if self.noise.is_some() {
            return Err(ColumnsError::Noise);
        }
        let (means, covariances) = (self.means.select(Axis(1), columns), self.covariances.marginal(columns));
        let degrees = self.degrees.clone();
        Ok(Self { degrees, ..Self::new(self.weights.clone(), means, covariances) })
    }
}

impl<F: Float> Covariances<F> {
    /// The same over these columns, which are there.
    pub(crate) fn marginal(&self, columns: &[usize]) -> Self {
        match self {
            Covariances::Full(all) => Covariances::Full(all.select(Axis(1), columns).select(Axis(2), columns)),
            Covariances::Tied(one) => Covariances::Tied(one.select(Axis(0), columns).select(Axis(1), columns)),
            Covariances::Diagonal(all) => Covariances::Diagonal(all.select(Axis(1), columns)),
            Covariances::TiedDiagonal(one) => Covariances::TiedDiagonal(one.select(Axis(0), columns)),
            Covariances::Spherical(_) | Covariances::TiedSpherical(_) => self.clone(),
        }
    }

    /// The freest structure with this shape: what a part of a mixture, or one made by hand, is sure to have.
    pub fn freest_structure(&self) -> Covariance {
        match self {
            Covariances::Full(_) => Covariance::Full,
            Covariances::Tied(_) => Covariance::Tied,
            Covariances::Diagonal(_) => Covariance::Diagonal,
            Covariances::TiedDiagonal(_) => Covariance::TiedDiagonal,
            Covariances::Spherical(_) => Covariance::Spherical,
            Covariances::TiedSpherical(_) => Covariance::TiedSpherical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_checked() {
        assert_eq!(check_columns(&[], 2), Err(ColumnsError::Empty));
        assert_eq!(check_columns(&[0, 2], 2), Err(ColumnsError::Missing { column: 2, d: 2 }));
        assert_eq!(check_columns(&[1, 0, 1], 2), Err(ColumnsError::Repeated { column: 1 }));
        assert_eq!(check_columns(&[1, 0], 2), Ok(()));
    }
}
