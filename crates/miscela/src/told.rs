//! Somebody who is told how far something is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Told how many fits are done, and how many there are in all; by default nobody is.
#[derive(Clone, Default)]
pub(crate) struct Told(Option<Arc<dyn Fn(usize, usize) + Send + Sync>>);

/// Counts fits, on whatever threads.
pub(crate) struct Steps<'a> {
    told: &'a Told,
    done: AtomicUsize,
    all: usize,
}

impl Told {
    pub(crate) fn new(told: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    /// So many fits are to be done.
    pub(crate) fn of(&self, all: usize) -> Steps<'_> {
        Steps { told: self, done: AtomicUsize::new(0), all }
    }
}

impl Steps<'_> {
    /// One more is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(told) = &self.told.0 {
            told(done.min(self.all), self.all);
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Told" } else { "Nobody" })
    }
}

/// The same listener, or none.
impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }
}
