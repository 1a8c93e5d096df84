//! Shares of rows as text, short enough for thousands of steps in one file.
//!
//! The code is that of [`Expected`](crate::steps::Expected).

use ndarray::{ArrayView1, ArrayView2};

/// The digits from 0 to 63.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// What the greatest share must be for the rest to be left out.
const WHOLE: f64 = 0.995;

/// Shares, n × k for k ≤ 26, each row summing to one, as text.
pub(crate) fn write(shares: ArrayView2<f64>) -> String {
    let mut text = Vec::with_capacity(2 * shares.nrows());
    shares.outer_iter().for_each(|row| write_row(row, &mut text));
    // Letters, digits and two signs.
    String::from_utf8(text).unwrap_or_default()
}

fn write_row(row: ArrayView1<f64>, text: &mut Vec<u8>) {
    let greatest = (0..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best });
    let letter = greatest.min(25) as u8;
    if row[greatest] >= WHOLE {
        text.push(b'a' + letter);
        return;
    }
    text.push(b'A' + letter);
    let others = row.iter().enumerate().filter(|(c, _)| *c != greatest);
    text.extend(others.map(|(_, share)| DIGITS[((share * 63.0).round() as usize).min(63)]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn shares_are_short() {
        let shares = array![[1.0, 0.0, 0.0], [0.001, 0.0, 0.999], [0.25, 0.5, 0.25], [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]];
        assert_eq!(write(shares.view()), "acBGGALL");
        assert_eq!(write(ndarray::Array2::zeros((0, 2)).view()), "");
    }
}
