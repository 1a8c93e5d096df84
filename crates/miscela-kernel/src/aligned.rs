//! Numbers that start at a cache line, so that no register is loaded from two.

use crate::Float;

/// A growing buffer whose contents start at a multiple of 64 bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aligned<F> {
    numbers: Vec<F>,
}

impl<F: Float> Aligned<F> {
    /// The first `len` numbers, whatever they hold.
    pub(crate) fn take(&mut self, len: usize) -> &mut [F] {
        const LINE: usize = 64;
        let spare = LINE / size_of::<F>();
        if self.numbers.len() < len + spare {
            self.numbers.resize(len + spare, F::zero());
        }
        // Where the start cannot be moved to a line, only speed is lost.
        let start = self.numbers.as_ptr().align_offset(LINE).min(spare);
        &mut self.numbers[start..start + len]
    }
}
