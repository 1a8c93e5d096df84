//! What the header of a Parquet page claims, before the decoder sets memory aside for it.
//!
//! A header begins with three fields of Thrift's compact protocol: the kind of the page, its size once unpacked, and its size as it
//! lies there. That of a dictionary goes on with its number of entries, after a checksum if there is one. Writers put fields in the
//! order of their numbers, so what does not begin so is a header of nobody's, of which the decoder might read the sizes from farther on.

use crate::claims::MOST_UNPACKED;

/// Of a field whose number is one above that before, a signed number of 32 bits.
const NEXT_NUMBER: u8 = 0x15;
/// Of a field that is a structure, and four, or after a checksum three, above that before.
const DICTIONARY: [u8; 2] = [0x4c, 0x3c];
/// The kind of page that is a dictionary.
const IS_DICTIONARY: u64 = 2;

/// Whether these are the first bytes of a page that compression can have made of what it says.
pub(crate) fn is_believable(header: &[u8]) -> bool {
    claims(header).is_some_and(|[unpacked, packed, entries]| unpacked / MOST_UNPACKED <= packed && entries <= unpacked)
}

/// The size once unpacked, the size as it lies there, and the number of entries, each of which takes a byte at least.
fn claims(header: &[u8]) -> Option<[u64; 3]> {
    let (kind, rest) = number(header)?;
    let (unpacked, rest) = number(rest)?;
    let (packed, rest) = number(rest)?;
    if kind != IS_DICTIONARY {
        return Some([unpacked, packed, 0]);
    }
    let (mark, rest) = match rest.split_first()? {
        (&NEXT_NUMBER, checksum) => {
            let length = checksum.iter().take(5).position(|byte| *byte < 0x80)? + 1;
            let (mark, rest) = checksum.get(length..)?.split_first()?;
            (*mark == DICTIONARY[1], rest)
        }
        (mark, rest) => (*mark == DICTIONARY[0], rest),
    };
    let (entries, _) = number(rest).filter(|_| mark)?;
    Some([unpacked, packed, entries])
}

/// A field that is a number and not negative, seven bits a byte, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&NEXT_NUMBER, bytes) = bytes.split_first()? else { return None };
    let length = bytes.iter().take(5).position(|byte| *byte < 0x80)? + 1;
    let (number, rest) = bytes.split_at(length);
    let folded = number.iter().rev().fold(0, |all, byte| all << 7 | u64::from(byte & 0x7f));
    // Even numbers are those that are not negative.
    (folded % 2 == 0).then_some((folded / 2, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_what_its_bytes_may_come_to() {
        // A dictionary of 50 entries in 200 bytes, packed into 204, as pyarrow wrote it.
        let header = [0x15, 0x04, 0x15, 0x90, 0x03, 0x15, 0x98, 0x03, 0x4c, 0x15, 0x64, 0x15, 0x00];
        assert!(is_believable(&header));
        let claim = |unpacked: &[u8]| [&header[..3], unpacked, &header[5..]].concat();
        assert!(is_believable(&claim(&[0x80, 0x80, 0x80, 0x0c])), "12 MiB");
        assert!(!is_believable(&claim(&[0xfe, 0xff, 0xff, 0xff, 0x0f])), "2 GiB");
        assert!(!is_believable(&claim(&[0xff, 0xff, 0xff, 0xff, 0x0f])), "less than nothing");
        assert!(!is_believable(&claim(&[0x80; 9])), "no number");
        assert!(!is_believable(b"PAR1"));
        assert!(!is_believable(&header[..4]));
        let with_checksum = [&header[..8], &[0x15, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x3c], &header[9..]].concat();
        assert!(is_believable(&with_checksum));
        let entries = |entries: &[u8]| [&header[..10], entries, &header[11..]].concat();
        assert!(is_believable(&entries(&[0x90, 0x03])), "200");
        assert!(!is_believable(&entries(&[0x92, 0x03])), "201");
        assert!(!is_believable(&entries(&[0xfe, 0xff, 0xff, 0xff, 0x0f])));
        let of_data = [&[0x15, 0x00], &header[2..8], &[0x2c, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f]].concat();
        assert!(is_believable(&of_data), "pages of data are decoded as far as they are asked for");
        let of_long_numbers = [0x05, 0x02, 0x04, 0x05, 0x04, 0x90, 0x03, 0x05, 0x06, 0x98, 0x03];
        assert!(!is_believable(&of_long_numbers), "fields that are numbered in another way");
    }
}
