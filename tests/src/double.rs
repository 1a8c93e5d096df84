//! Numbers of twice the digits: what computed ones are held against.
//!
//! A number is the unevaluated sum of two (Dekker 1971; Knuth's sum, and products by a fused multiply-add), good to about
//! 2⁻¹⁰⁴.

use std::iter::Sum;
use std::ops::{Add, Div, Mul, Sub};

/// high + low, where low is less than half a digit of high.
#[derive(Clone, Copy, Debug)]
pub struct Double(pub(crate) f64, pub(crate) f64);

impl Double {
    /// Nothing.
    pub const ZERO: Self = Self(0.0, 0.0);

    /// The nearest number.
    pub fn rounded(self) -> f64 {
        self.0 + self.1
    }

    /// a + b, and what rounding took.
    pub(crate) fn two_sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        let of_b = sum - a;
        Self(sum, (a - (sum - of_b)) + (b - of_b))
    }
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (high, low) = (Self::two_sum(self.0, other.0), Self::two_sum(self.1, other.1));
        let high = Self::two_sum(high.0, high.1 + low.0);
        Self::two_sum(high.0, high.1 + low.1)
    }
}

impl Sub for Double {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self(-other.0, -other.1)
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let high = self.0 * other.0;
        let low = self.0.mul_add(other.0, -high);
        Self::two_sum(high, low + (self.0 * other.1 + self.1 * other.0))
    }
}

impl Div for Double {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        // Long division, a digit of 53 bits at a time.
        let mut quotient = Self(0.0, 0.0);
        let mut rest = self;
        for _ in 0..3 {
            let digit = Self(rest.0 / other.0, 0.0);
            quotient = quotient + digit;
            rest = rest - digit * other;
        }
        quotient
    }
}

impl From<f64> for Double {
    fn from(x: f64) -> Self {
        Self(x, 0.0)
    }
}

impl Sum for Double {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, |sum, term| sum + term)
    }
}
