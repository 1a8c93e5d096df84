//! Decoders that may panic over a file that is damaged.

use crate::TableError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is within a decoder whose panic becomes a [`TableError`], so that a panic hook need not speak of it.
///
/// ```
/// let tell = std::panic::take_hook();
/// std::panic::set_hook(Box::new(move |panic| {
///     if !miscela_table::is_guarded() {
///         tell(panic);
///     }
/// }));
/// ```
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// What `read` comes to. If it panics, that is an error.
pub(crate) fn guarded<T>(file: &str, read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    let outside = GUARDED.replace(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(outside);
    read.unwrap_or_else(|_| {
        let (file, source) = (file.to_string(), "the file is damaged".into());
        Err(TableError::Damaged { file, place: String::new(), source })
    })
}
