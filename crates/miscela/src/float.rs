//! The number types that models come in.

/// `f32` or `f64`: linfa's floats that miscela's kernels compute in.
pub trait Float: linfa::Float + miscela_kernel::Float {}

impl Float for f32 {}
impl Float for f64 {}
