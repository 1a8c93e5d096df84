//! What the header of a Parquet page claims, before the decoder sets memory aside for it.
//!
//! A header begins with three fields of Thrift's compact protocol: the kind of the page, its size once unpacked, and its size as it
//! lies there. Writers put fields in the order of their numbers, so what does not begin so is a header of nobody's, of which the decoder
//! might read the sizes from farther on.

use crate::claims::MOST_UNPACKED;

/// Of a field whose number is one above that before, a signed number of 32 bits.
const NEXT_NUMBER: u8 = 0x15;

/// Whether these are the first bytes of a page that compression can have made of what it says.
pub(crate) fn is_believable(bytes: &[u8]) -> bool {
    let mut bytes = bytes.iter().copied();
    let [kind, unpacked, packed] = [number(&mut bytes), number(&mut bytes), number(&mut bytes)];
    matches!((kind, unpacked, packed), (Some(_), Some(unpacked), Some(packed)) if unpacked / MOST_UNPACKED <= packed)
}

/// A number that is not negative, seven bits a byte.
fn number(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    if bytes.next()? != NEXT_NUMBER {
        return None;
    }
    let mut folded = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = bytes.next()?;
        folded |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            // Even numbers are those that are not negative.
            return (folded % 2 == 0).then_some(folded / 2);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_what_its_bytes_may_come_to() {
        // A data page of 200 bytes that were 204, as pyarrow wrote it.
        let header = [0x15, 0x04, 0x15, 0x90, 0x03, 0x15, 0x98, 0x03, 0x4c];
        assert!(is_believable(&header));
        let claim = |unpacked: &[u8]| [&header[..3], unpacked, &header[5..]].concat();
        assert!(is_believable(&claim(&[0x80, 0x80, 0x80, 0x0c])), "12 MiB");
        assert!(!is_believable(&claim(&[0xfe, 0xff, 0xff, 0xff, 0x0f])), "2 GiB");
        assert!(!is_believable(&claim(&[0xff, 0xff, 0xff, 0xff, 0x0f])), "less than nothing");
        assert!(!is_believable(&claim(&[0x80; 9])), "no number");
        assert!(!is_believable(b"PAR1"));
        assert!(!is_believable(&header[..4]));
        let of_long_numbers = [0x05, 0x02, 0x04, 0x05, 0x04, 0x90, 0x03, 0x05, 0x06, 0x98, 0x03];
        assert!(!is_believable(&of_long_numbers), "fields that are numbered in another way");
    }
}
