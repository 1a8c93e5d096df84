//! What ends a fit before its time: a signal, or the clock. Either is heeded after the pass that is under way, and the fit keeps
//! what it has.

use crate::error::Failure;
use crate::output;
use miscela::{Observer, Progress, Termination};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};

/// The code of a program that was ended by an interrupt.
const KILLED: i32 = 130;

/// How soon an interrupt is answered, while the pass goes on.
const ANSWER: Duration = Duration::from_millis(50);

/// An observer that passes everything on, and asks to stop.
#[derive(Clone)]
pub(crate) struct Stop<O> {
    inner: O,
    end: Option<Instant>,
    interrupt: Arc<Interrupt>,
    reason: Termination,
}

/// Whether somebody has interrupted the command, and was told what comes of it.
struct Interrupt {
    came: Arc<AtomicBool>,
    told: Once,
}

/// A flag that the interrupt of a keyboard and the request to end set from now on; the second ends the process there and then.
/// That a terminal is closed is left to the system, which may have been told that it does not matter.
pub(crate) fn interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let came = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order, so that the first only sets the flag.
        flag::register_conditional_shutdown(signal, KILLED, Arc::clone(&came))
            .and_then(|_| flag::register(signal, Arc::clone(&came)))
            .map_err(|error| Failure::fault(format!("cannot heed signals: {error}")))?;
    }
    Ok(came)
}

impl Interrupt {
    /// Heeds an [`interrupt`] from now on.
    fn watch() -> Result<Arc<Self>, Failure> {
        let interrupt = Arc::new(Self { came: interrupt()?, told: Once::new() });
        let watched = Arc::downgrade(&interrupt);
        thread::spawn(move || {
            while watched.upgrade().is_some_and(|interrupt| !interrupt.heard()) {
                thread::sleep(ANSWER);
            }
        });
        Ok(interrupt)
    }

    /// Whether it came; says so once.
    fn heard(&self) -> bool {
        let came = self.came.load(Ordering::SeqCst);
        if came {
            self.told.call_once(|| output::note("interrupted: this pass is the last; once more, and nothing is kept"));
        }
        came
    }
}

impl<O> Stop<O> {
    /// Heeds signals from now on, and the limit of seconds counted from `start`.
    pub(crate) fn watch(inner: O, start: Instant, seconds: Option<f64>) -> Result<Self, Failure> {
        let limit = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let end = limit.and_then(|limit| start.checked_add(limit));
        Ok(Self { inner, end, interrupt: Interrupt::watch()?, reason: Termination::Cancelled })
    }
}

impl<O: Observer> Observer for Stop<O> {
    fn iteration(&mut self, progress: &Progress) -> ControlFlow<()> {
        let inner = self.inner.iteration(progress);
        self.reason = if self.interrupt.heard() {
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
