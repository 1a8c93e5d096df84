//! What can go wrong between a table and a model.

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use miscela::{GmmError, KMeansError, PersistError};
use miscela_em::WorkError;
use miscela_kernel::SourceError;

/// Why a table cannot be read, fitted or predicted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// A column holds something else than numbers.
    #[error("column \"{column}\" is {data_type}, which are no numbers; leave it out, or cast it in the query")]
    NotNumeric {
        /// Its name.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// The table has no column of this name.
    #[error("there is no column \"{column}\"; there are {present}")]
    NoColumn {
        /// The name that was asked for.
        column: String,
        /// The names there are.
        present: String,
    },
    /// There are not as many columns as there should be.
    #[error("{got} columns where {expected} are expected")]
    ColumnCount {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// There is no model of this name.
    #[error("there is no model \"{name}\"; register it first, or name a model file")]
    NoModel {
        /// The name that was asked for.
        name: String,
    },
    /// A function of mixtures was asked of k-means, or the other way round.
    #[error("{function} is for {expected}; the model is another")]
    WrongModel {
        /// The function.
        function: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// Something is wrong with the rows, or with what is asked of them.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A model file cannot be read.
    #[error(transparent)]
    Model(#[from] PersistError),
    /// The fit is not possible.
    #[error(transparent)]
    KMeans(#[from] KMeansError),
    /// The fit is not possible.
    #[error(transparent)]
    Mixture(#[from] GmmError),
    /// No worker of the cluster answers.
    #[error("none of the {0} workers answers; start them, or name others")]
    NoWorkers(usize),
    /// The engine could not run a query.
    #[error("{0}")]
    Query(Box<DataFusionError>),
    /// What is left.
    #[error("{0}")]
    Message(String),
}

impl From<SourceError> for TableError {
    fn from(error: SourceError) -> Self {
        WorkError::from(error).into()
    }
}

impl From<ArrowError> for TableError {
    fn from(error: ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

impl From<DataFusionError> for TableError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<TableError>() {
                Ok(own) => *own,
                Err(other) => Self::Query(Box::new(DataFusionError::External(other))),
            },
            other => Self::Query(Box::new(other)),
        }
    }
}

impl From<TableError> for DataFusionError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Query(error) => *error,
            own => DataFusionError::External(Box::new(own)),
        }
    }
}
