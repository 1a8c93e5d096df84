//! What an Arrow file claims of itself, held against its length before the decoder sets memory aside for it.
//!
//! What cannot be parsed passes: the decoder says better what is wrong with it.

use arrow_ipc::{Message, root_as_footer, root_as_message};
use std::io::{self, Read, Seek, SeekFrom};

/// The most that compression makes of a byte: zstd needs four bytes for 128 KiB of the same.
pub(crate) const MOST_UNPACKED: u64 = 1 << 16;

/// The length of the footer, and the mark.
const END_OF_FILE: u64 = 10;

/// A file or stream of so many bytes, from its start on.
pub(crate) struct Claims<'a, R> {
    input: &'a mut R,
    length: u64,
}

impl<'a, R: Read + Seek> Claims<'a, R> {
    pub(crate) fn new(input: &'a mut R) -> io::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        Ok(Self { input, length })
    }

    /// Whether a file that ends in a list of its batches has room for them.
    pub(crate) fn of_file(mut self) -> io::Result<bool> {
        let Some(end) = self.length.checked_sub(END_OF_FILE) else { return Ok(true) };
        let last = self.bytes(end, END_OF_FILE)?;
        if !last.ends_with(b"ARROW1") {
            return Ok(true);
        }
        let Some(start) = u64::try_from(i32_at(&last, 0)).ok().and_then(|footer| end.checked_sub(footer)) else {
            return Ok(false);
        };
        let footer = self.bytes(start, end - start)?;
        let Ok(footer) = root_as_footer(&footer) else { return Ok(true) };
        for block in footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten()) {
            let lengths = [block.offset(), block.metaDataLength().into(), block.bodyLength()].map(u64::try_from);
            let [Ok(offset), Ok(metadata), Ok(body)] = lengths else { return Ok(false) };
            if !self.has(offset, metadata) || !self.has(offset + metadata, body) {
                return Ok(false);
            }
            let message = self.bytes(offset, metadata)?;
            // Newer files have a mark before the length of the message.
            let skipped = if message.starts_with(&[0xff; 4]) { 8 } else { 4 };
            let Some(Ok(message)) = message.get(skipped..).map(root_as_message) else { continue };
            if !self.unpacks(&message, offset + metadata)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a stream has room for each of its messages.
    pub(crate) fn of_stream(mut self) -> io::Result<bool> {
        let mut at = 0;
        while self.has(at, 8) {
            let start = self.bytes(at, 8)?;
            let (prefix, length) =
                if start.starts_with(&[0xff; 4]) { (8, i32_at(&start, 4)) } else { (4, i32_at(&start, 0)) };
            at += prefix;
            match u64::try_from(length) {
                Ok(0) => return Ok(true),
                Ok(length) if self.has(at, length) => {
                    let message = self.bytes(at, length)?;
                    at += length;
                    let Ok(message) = root_as_message(&message) else { return Ok(true) };
                    match u64::try_from(message.bodyLength()) {
                        Ok(body) if self.has(at, body) && self.unpacks(&message, at)? => at += body,
                        _ => return Ok(false),
                    }
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether what is compressed in a message, whose body begins there, can have been as large as it says.
    fn unpacks(&mut self, message: &Message<'_>, body: u64) -> io::Result<bool> {
        let dictionary = || message.header_as_dictionary_batch().and_then(|batch| batch.data());
        let Some(batch) = message.header_as_record_batch().or_else(dictionary) else { return Ok(true) };
        if batch.compression().is_none() {
            return Ok(true);
        }
        for buffer in batch.buffers().into_iter().flatten() {
            let [Ok(offset), Ok(length)] = [buffer.offset(), buffer.length()].map(u64::try_from) else {
                return Ok(false);
            };
            let Some(start) = body.checked_add(offset).filter(|start| self.has(*start, length)) else {
                return Ok(false);
            };
            if length < 8 {
                continue;
            }
            let unpacked = self.bytes(start, 8)?.try_into().map_or(0, i64::from_le_bytes);
            // Minus one is for a buffer that is not compressed after all.
            if unpacked > 0 && unpacked as u64 / MOST_UNPACKED > length {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn has(&self, start: u64, length: u64) -> bool {
        start.checked_add(length).is_some_and(|end| end <= self.length)
    }

    /// Some bytes that the file has; an error if it has just been cut.
    fn bytes(&mut self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        self.input.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; length as usize];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    bytes[at..at + 4].try_into().map_or(0, i32::from_le_bytes)
}
