//! What a fit must stand: numbers at their limits, other instructions, many fits at once, hours of them. A program of its own,
//! as it measures its memory and starts itself again with other instructions.

mod bits;
mod load;
mod numbers;
mod paths;

/// Counts what is allocated and not given back.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
