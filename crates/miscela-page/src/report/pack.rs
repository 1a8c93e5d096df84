//! Numbers as the script unpacks them: little-endian bytes in base64.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

/// Packed numbers.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Packed(String);

macro_rules! packs {
    ($($name:ident of $number:ty),*) => {
        impl Packed {
            $(pub(super) fn $name(numbers: impl IntoIterator<Item = $number>) -> Self {
                Self(BASE64_STANDARD.encode(numbers.into_iter().flat_map(<$number>::to_le_bytes).collect::<Vec<u8>>()))
            })*
        }
    };
}

packs!(u8s of u8, u16s of u16, u32s of u32, f32s of f32, f64s of f64);
