//! Random numbers that belong to a row.
//!
//! Number i of SplitMix64 (Steele, Lea & Flood 2014) started at a seed can be computed without those before it. So each
//! row has a number of its own, whatever thread asks for it and in whatever order.

/// Number `i` of SplitMix64 started at `seed`.
///
/// ```
/// use miscela_kernel::uniform::{of_row, unit};
///
/// let coin = unit(of_row(42, 7));
/// assert!(coin > 0.0 && coin < 1.0 && coin == unit(of_row(42, 7)));
/// ```
#[inline]
pub fn of_row(seed: u64, i: usize) -> u64 {
    let mut z = seed.wrapping_add((i as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in (0, 1), never an end of it, from the upper 52 of 64 random bits.
#[inline]
pub fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * f64::EPSILON
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_published() {
        // The first outputs of SplitMix64 started at 1234567, as listed by Rosetta Code.
        let expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
        for (i, number) in expected.into_iter().enumerate() {
            assert_eq!(of_row(1234567, i), number);
        }
    }

    #[test]
    fn unit_is_inside_and_even() {
        assert!(unit(0) > 0.0 && unit(u64::MAX) < 1.0);
        let mean = (0..100_000).map(|i| unit(of_row(7, i))).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 5e-3, "{mean}");
    }
}
