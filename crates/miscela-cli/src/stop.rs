//! What ends a fit before its time: a signal, or the clock. Either is heeded after the pass that is under way, and the fit keeps
//! what it has.

use crate::error::Failure;
use crate::output;
use miscela::{Observer, Progress, Termination};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether somebody has interrupted the command.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The code of a program that was ended by an interrupt.
const KILLED: i32 = 130;

/// An observer that passes everything on, and asks to stop.
#[derive(Clone)]
pub(crate) struct Stop<O> {
    inner: O,
    end: Option<Instant>,
    reason: Termination,
}

impl<O> Stop<O> {
    /// Heeds signals from now on, and the limit of seconds counted from `start`.
    pub(crate) fn watch(inner: O, start: Instant, seconds: Option<f64>) -> Result<Self, Failure> {
        let limit = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let handler = ctrlc::set_handler(|| {
            if INTERRUPTED.load(Ordering::SeqCst) {
                std::process::exit(KILLED);
            }
            // Said before it is heeded: the fit may end at once, and the process with it.
            output::note("interrupted: this pass is the last; once more, and nothing is kept");
            INTERRUPTED.store(true, Ordering::SeqCst);
        });
        handler.map_err(|error| Failure::fault(format!("cannot heed signals: {error}")))?;
        let end = limit.and_then(|limit| start.checked_add(limit));
        Ok(Self { inner, end, reason: Termination::Cancelled })
    }
}

impl<O: Observer> Observer for Stop<O> {
    fn iteration(&mut self, progress: &Progress) -> ControlFlow<()> {
        let inner = self.inner.iteration(progress);
        self.reason = if INTERRUPTED.load(Ordering::SeqCst) {
            Termination::Interrupted
        } else if self.end.is_some_and(|end| Instant::now() >= end) {
            Termination::TimeLimit
        } else {
            return inner;
        };
        ControlFlow::Break(())
    }

    fn reason(&self) -> Termination {
        self.reason
    }
}
