//! A progress bar on standard error, for what takes over a second, and only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// How long a command may take before a bar appears.
const PATIENCE: Duration = Duration::from_secs(1);

/// The bar; gone when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Dropped, it tells the thread that waits for the second to pass that there is no need.
    _patience: Option<Sender<()>>,
}

impl Progress {
    /// Starts the clock.
    pub(crate) fn start(quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style("{spinner} {msg} {elapsed}"));
        let wanted = !quiet && std::io::stderr().is_terminal();
        let patience = wanted.then(|| show_later(bar.clone()));
        Self { bar, _patience: patience }
    }

    /// Says what is being done now.
    pub(crate) fn stage(&self, what: &'static str) {
        self.bar.set_message(what);
    }

    /// Takes the bar away, before an answer is written.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// What a fit is to tell of each iteration.
    pub(crate) fn observer(&self) -> impl FnMut(&miscela::Progress) -> ControlFlow<()> + Clone + Send + use<> {
        let bar = self.bar.clone();
        move |progress| {
            if bar.length() != Some(progress.max_iterations as u64) {
                bar.set_style(style("{spinner} {msg} {wide_bar} iteration {pos} of at most {len} {elapsed}"));
                bar.set_length(progress.max_iterations as u64);
            }
            bar.set_position(progress.iteration as u64);
            ControlFlow::Continue(())
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn show_later(bar: ProgressBar) -> Sender<()> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(120));
        }
    });
    sender
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; the default bar would do too.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
