//! What a pass over a table sums up, in either number type, and how its bytes travel.

use crate::error::TableError;
use crate::rows::Columns;
use cbor4ii::serde::{from_slice, to_vec};
use datafusion::arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType, Float32Type, Float64Type};
use miscela::Float;
use miscela_em::Task;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::hash::{Hash, Hasher};

/// `f32` or `f64`, as models and tables know them.
pub trait Scalar: Float + ArrowNativeType + Serialize + DeserializeOwned {
    /// Arrow's name for it.
    #[doc(hidden)]
    type Arrow: ArrowPrimitiveType<Native = Self>;

    #[doc(hidden)]
    fn wrap(task: Task<Self>) -> AnyTask;

    #[doc(hidden)]
    fn unwrap(task: &AnyTask) -> Option<&Task<Self>>;
}

/// A task in one of the number types.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(hidden)]
pub enum AnyTask {
    /// `f32`
    F32(Task<f32>),
    /// `f64`
    F64(Task<f64>),
}

/// Says for a number type which variant is its own.
macro_rules! scalar {
    ($number:ty, $arrow:ty, $variant:ident) => {
        impl Scalar for $number {
            type Arrow = $arrow;

            fn wrap(task: Task<Self>) -> AnyTask {
                AnyTask::$variant(task)
            }

            fn unwrap(task: &AnyTask) -> Option<&Task<Self>> {
                match task {
                    AnyTask::$variant(task) => Some(task),
                    _ => None,
                }
            }
        }
    };
}

scalar!(f32, Float32Type, F32);
scalar!(f64, Float64Type, F64);

/// A task and the columns it reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) task: AnyTask,
    pub(crate) columns: Columns,
}

/// What is sent to the workers within a function, with its bytes.
#[derive(Debug)]
pub(crate) struct Parcel<T> {
    pub(crate) content: T,
    pub(crate) bytes: Vec<u8>,
}

impl<T: Serialize + DeserializeOwned> Parcel<T> {
    pub(crate) fn pack(content: T) -> Result<Self, TableError> {
        let bytes = encode(&content)?;
        Ok(Self { content, bytes })
    }

    pub(crate) fn unpack(bytes: &[u8]) -> Result<Self, TableError> {
        Ok(Self { content: decode(bytes)?, bytes: bytes.to_vec() })
    }
}

// DataFusion compares functions, and hashes them: they are the same if they would send the same.
impl<T> PartialEq for Parcel<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.bytes == other.bytes
    }
}

impl<T> Eq for Parcel<T> {}

impl<T> Hash for Parcel<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

pub(crate) fn encode<T: Serialize>(content: &T) -> Result<Vec<u8>, TableError> {
    to_vec(Vec::new(), content).map_err(|error| TableError::Message(error.to_string()))
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, TableError> {
    from_slice(bytes).map_err(|error| TableError::Message(error.to_string()))
}
