//! No document holds NaN or an infinity.
//!
//! JSON has no such numbers (serde_json would write `null` without a word) and no model works with them. The check is a
//! serialiser that writes nothing: it sees every number of every document, and `serde_path_to_error` says where it is.

use crate::PersistError;
use ndarray::{ArrayBase, Data, Dimension, IntoDimension};
use num_traits::Float;
use serde::ser::{self, Serialize, Serializer};
use std::fmt::{self, Display};

/// Fails with the place of the first number that is not finite.
pub(crate) fn check_document<T: Serialize + ?Sized>(document: &T) -> Result<(), PersistError> {
    serde_path_to_error::serialize(document, Finite).map_err(|error| match error.inner() {
        Refusal::NotFinite(value) => PersistError::NotFinite { field: error.path().to_string(), value: *value },
        Refusal::Custom(message) => PersistError::malformed(error.path(), message.clone()),
    })
}

/// Fails with [`PersistError::NotFinite`], which names the first number of the array that is NaN or infinite.
///
/// ```
/// use miscela_persist::finite;
/// use ndarray::array;
///
/// assert!(finite("means", &array![[0.0, 1.0], [2.0, 3.0]]).is_ok());
/// let error = finite("means", &array![[0.0, 1.0], [f64::NAN, 3.0]]).unwrap_err();
/// assert_eq!(error.to_string(), "`means[1][0]` is NaN: a model holds finite numbers only");
/// ```
pub fn finite<F, S, D>(field: &str, array: &ArrayBase<S, D>) -> Result<(), PersistError>
where
    F: Float,
    S: Data<Elem = F>,
    D: Dimension,
{
    match array.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((index, value)) => {
            let place: String = index.into_dimension().slice().iter().map(|i| format!("[{i}]")).collect();
            let value = value.to_f64().unwrap_or(f64::NAN);
            Err(PersistError::NotFinite { field: format!("{field}{place}"), value })
        }
    }
}

#[derive(Debug)]
enum Refusal {
    NotFinite(f64),
    Custom(String),
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotFinite(value) => value.fmt(f),
            Refusal::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Refusal {}

impl ser::Error for Refusal {
    fn custom<T: Display>(message: T) -> Self {
        Refusal::Custom(message.to_string())
    }
}

#[derive(Clone, Copy)]
struct Finite;

/// Methods that have nothing to check.
macro_rules! pass {
    ($($serialize:ident($($T:ty),*);)*) => {
        $(fn $serialize(self, $(_: $T),*) -> Result<(), Refusal> { Ok(()) })*
    };
}

/// Methods that open something whose parts are checked one by one.
macro_rules! enter {
    ($($serialize:ident($($T:ty),*);)*) => {
        $(fn $serialize(self, $(_: $T),*) -> Result<Self, Refusal> { Ok(self) })*
    };
}

/// The parts of lists, maps and structs.
macro_rules! parts {
    ($($Trait:ident { $($part:ident($($key:ident)?)),* })*) => {
        $(impl ser::$Trait for Finite {
            type Ok = ();
            type Error = Refusal;
            $(fn $part<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Result<(), Refusal> {
                $(let _ = $key;)?
                value.serialize(*self)
            })*
            fn end(self) -> Result<(), Refusal> {
                Ok(())
            }
        })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_f32(self, value: f32) -> Result<(), Refusal> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Refusal> {
        if value.is_finite() { Ok(()) } else { Err(Refusal::NotFinite(value)) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        value.serialize(self)
    }

    pass! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    enter! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }
}

parts! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key(), serialize_value() }
    SerializeStruct { serialize_field(key) }
    SerializeStructVariant { serialize_field(key) }
}
