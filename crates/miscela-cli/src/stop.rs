//! What ends a command before its time: a signal, or the clock. A fit heeds either after the pass that is under way, and keeps what it
//! has.

use crate::error::Failure;
use crate::output;
use miscela::{Observer, Progress, Termination};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The code of a program that was ended by an interrupt.
const KILLED: i32 = 130;

/// What the first signal does instead of ending the command, if it is to.
static FIRST: OnceLock<fn()> = OnceLock::new();

/// Whether that was done.
static CAME: AtomicBool = AtomicBool::new(false);

/// Heeds the interrupt of a keyboard and the request to end from now on, by a thread of its own, so that no file is left behind: also
/// where whoever started the command had interrupts ignored. That a terminal is closed is left to the system, which may have been
/// told that it does not matter.
pub(crate) fn heed_signals() -> Result<(), Failure> {
    let heeded = Signals::new([SIGINT, SIGTERM])
        .and_then(|mut signals| thread::Builder::new().spawn(move || signals.forever().for_each(answer)));
    heeded.map(drop).map_err(|error| Failure::fault(format!("cannot heed signals: {error}")))
}

/// From now on the first signal does this instead of ending the command, and [`came`] says that it did; the second ends the command
/// there and then, or once a file has the name that it is being given. Two of a kind at the same time are one.
pub(crate) fn at_first(act: fn()) {
    // Whoever came first has it: a command is interrupted in one way.
    let _ = FIRST.set(act);
}

/// Whether a first signal came.
pub(crate) fn came() -> bool {
    CAME.load(Ordering::SeqCst)
}

fn answer(signal: i32) {
    match FIRST.get() {
        // On another thread: whoever does not read what is said must not keep the second signal waiting.
        Some(&act) if !CAME.swap(true, Ordering::SeqCst) => drop(thread::Builder::new().spawn(act)),
        first => end(signal, first.is_some()),
    }
}

/// Ends the process, as one that was told twice or as the signal by itself does.
fn end(signal: i32, twice: bool) {
    let _abandoned = miscela_persist::abandon();
    if !twice {
        let _ = low_level::emulate_default_handler(signal);
    }
    low_level::exit(KILLED);
}

/// Says once what comes of a first signal.
fn tell() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| output::note("interrupted: this pass is the last; once more, and nothing is kept"));
}

/// An observer that passes everything on, and asks to stop.
#[derive(Clone)]
pub(crate) struct Stop<O> {
    inner: O,
    end: Option<Instant>,
    reason: Termination,
}

impl<O> Stop<O> {
    /// Heeds signals from now on, and the limit of seconds counted from `start`.
    pub(crate) fn watch(inner: O, start: Instant, seconds: Option<f64>) -> Self {
        let limit = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let end = limit.and_then(|limit| start.checked_add(limit));
        at_first(tell);
        Self { inner, end, reason: Termination::Cancelled }
    }
}

impl<O: Observer> Observer for Stop<O> {
    fn iteration(&mut self, progress: &Progress) -> ControlFlow<()> {
        let inner = self.inner.iteration(progress);
        self.reason = if came() {
            // Before anything is said of the fit.
            tell();
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
