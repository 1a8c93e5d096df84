//! Fits from batches of rows: one after the other as they come, or drawn from a table.
//!
//! ```text
//! k-means    N ← N + Σ w,  c ← c + Σ w (x − c)/N             each centre is the mean of all it was given (Sculley 2010)
//! mixtures   s ← (1 − γ) s + γ ŝ,  then the M-step of s       statistics that forget (Cappé & Moulines 2009)
//! ```
//!
//! Both are the E-step of the engine over a batch, and an M-step that knows more than the batch. What it knows is small and
//! can be kept in a file: [`Tally`] for k-means, [`Stream`] for mixtures. `draw` cuts batches out of a table, `smoothed` tells
//! when their objective has ceased to improve.

mod draw;
mod mini_batch;
mod smoothed;
mod starving;
mod stepwise;
mod table;
mod tally;

pub use draw::drawn_rows;
pub use mini_batch::MiniBatch;
pub use stepwise::{StepSize, Stepped, Stepwise, Stream};
pub use table::{KMeansBatches, StepwiseBatches};
pub use tally::{BatchStep, Learning, Tally};
