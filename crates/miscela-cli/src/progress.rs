//! A progress bar on standard error, for what takes over a second, and only on a terminal.
//!
//! ```text
//! reading         bytes of the file, time left
//! each pass       of rows that are read in chunks: how much of it is done
//! iterations      run, iteration, objective and its change; time left at most, since nobody knows how many it takes
//! a selection     fits that are done, time left if the others take as long
//! ```

use crate::model::Number;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use miscela::{Chunk, Chunks, Source, SourceError};
use miscela_table::Meter;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a command may take before a bar appears.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn.
const TICK: Duration = Duration::from_millis(120);

/// The bar; gone when dropped.
pub(crate) struct Progress {
    /// None where nobody looks.
    bar: Option<ProgressBar>,
    /// What is read now, as the thread that draws sees it.
    reading: Arc<Mutex<Option<Meter>>>,
    /// Dropped with the last copy, it tells that thread that it is over.
    _watch: Option<Sender<()>>,
}

/// How long a fit may go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Runs from different starts, of which each may take all iterations.
    pub(crate) runs: usize,
    /// By when it has to end.
    pub(crate) end: Option<Instant>,
}

impl Progress {
    /// Starts the clock.
    pub(crate) fn start(quiet: bool) -> Self {
        let reading = Arc::default();
        if quiet || !std::io::stderr().is_terminal() {
            return Self { bar: None, reading, _watch: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style("{spinner} {msg} {elapsed}"));
        let watch = watch(bar.clone(), Arc::clone(&reading));
        Self { bar: Some(bar), reading, _watch: Some(watch) }
    }

    /// Says what is being done now.
    pub(crate) fn stage(&self, what: &'static str) {
        self.now_reading(None);
        if let Some(bar) = &self.bar {
            bar.unset_length();
            bar.set_style(style("{spinner} {wide_msg} {elapsed}{prefix}"));
            bar.set_prefix("");
            bar.set_message(what);
        }
    }

    /// Says that a table is read, and how much of it was.
    pub(crate) fn reading(&self, path: &Path) -> Meter {
        let meter = Meter::default();
        self.stage("reading");
        if let Some((bar, bytes)) = self.bar.as_ref().zip(size_of(path)) {
            bar.reset_elapsed();
            bar.reset_eta();
            bar.set_length(bytes);
            bar.set_style(style("{spinner} {msg} {wide_bar} {bytes} of {total_bytes}, {eta} left"));
            self.now_reading(Some(meter.clone()));
        }
        meter
    }

    fn now_reading(&self, meter: Option<Meter>) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = meter;
    }

    /// Takes the bar away, before an answer is written.
    pub(crate) fn clear(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }

    /// What a fit is to tell of each iteration.
    pub(crate) fn observer(
        &self,
        bounds: Bounds,
    ) -> impl FnMut(&miscela::Progress) -> ControlFlow<()> + Clone + Send + Sync + use<> {
        let (bar, mut course) = (self.bar.clone(), None);
        move |progress| {
            if let Some(bar) = &bar {
                let course = course.get_or_insert_with(|| {
                    bar.set_style(style("{spinner} {msg} {wide_bar} {elapsed}{prefix}"));
                    Course::new(bounds)
                });
                course.note(progress);
                if course.is_due() {
                    bar.set_length(course.most(progress));
                    bar.set_position(course.done(progress));
                    bar.set_message(course.said(progress));
                }
            }
            ControlFlow::Continue(())
        }
    }

    /// What a selection is to tell of each fit.
    pub(crate) fn fits(&self) -> impl Fn(usize, usize) + Send + Sync + use<> {
        let bar = self.bar.clone();
        if let Some(bar) = &bar {
            bar.reset_eta();
        }
        move |done, all| {
            if let Some(bar) = &bar {
                if bar.length() != Some(all as u64) {
                    bar.set_length(all as u64);
                    bar.set_style(style(
                        "{spinner} {msg} {wide_bar} {pos} of {len} fits {elapsed}, about {eta} left{prefix}",
                    ));
                }
                bar.set_position(done as u64);
            }
        }
    }

    /// Rows that are read in chunks, each pass of which is shown.
    pub(crate) fn passes<'a, F: Number>(&self, source: &'a dyn Source<F>, n_rows: Option<u64>) -> Passes<'a, F> {
        Passes {
            source,
            bar: self.bar.clone(),
            n_rows: AtomicU64::new(n_rows.unwrap_or(0)),
            n_passes: AtomicU64::new(0),
        }
    }
}

/// How far a fit is: run after run, each from iteration 1 on.
#[derive(Clone, Debug)]
struct Course {
    bounds: Bounds,
    start: Instant,
    run: usize,
    iteration: usize,
    /// Over all runs.
    iterations: usize,
    /// When something was said last. Iterations can be shorter than it takes to say how far they are.
    said: Option<Instant>,
}

impl Course {
    fn new(bounds: Bounds) -> Self {
        Self { bounds, start: Instant::now(), run: 0, iteration: 0, iterations: 0, said: None }
    }

    fn note(&mut self, progress: &miscela::Progress) {
        if self.run == 0 || progress.iteration <= self.iteration {
            self.run += 1;
        }
        self.iteration = progress.iteration;
        self.iterations += 1;
    }

    /// Whether what is shown is older than what is drawn.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = self.said.is_none_or(|said| now.duration_since(said) >= TICK);
        if is_due {
            self.said = Some(now);
        }
        is_due
    }

    /// Iterations of all runs, if each took all it may. What comes after the runs is a search.
    fn most(&self, progress: &miscela::Progress) -> u64 {
        (self.bounds.runs.max(self.run) * progress.max_iterations) as u64
    }

    /// Those that are done or will not be needed.
    fn done(&self, progress: &miscela::Progress) -> u64 {
        ((self.run - 1) * progress.max_iterations + progress.iteration) as u64
    }

    /// The time left, if all iterations are needed. The first has no time before it to judge by.
    fn left(&self, progress: &miscela::Progress) -> Option<Duration> {
        let by_clock = self.bounds.end.map(|end| end.saturating_duration_since(Instant::now()));
        let timed = self.iterations.checked_sub(1).filter(|timed| *timed > 0);
        let each = timed.map(|timed| self.start.elapsed().as_secs_f64() / timed as f64);
        let more = self.most(progress).saturating_sub(self.done(progress)) as f64;
        let by_iterations = each.and_then(|each| Duration::try_from_secs_f64(each * more).ok());
        by_clock.into_iter().chain(by_iterations).min()
    }

    fn said(&self, progress: &miscela::Progress) -> String {
        let (iteration, most) = (progress.iteration, progress.max_iterations);
        let run = match self.bounds.runs {
            runs if self.run > runs => "search, ".to_string(),
            1 => String::new(),
            runs => format!("run {} of {runs}, ", self.run),
        };
        let change = if progress.change.is_finite() { format!(" ({:+.3e})", progress.change) } else { String::new() };
        let left = self.left(progress).map(|left| format!(", at most {} left", HumanDuration(left)));
        let left = left.unwrap_or_default();
        // What a narrow terminal has no room for comes last.
        format!("{run}iteration {iteration} of at most {most}{left}, objective {:.6e}{change}", progress.objective)
    }
}

/// A source of rows whose passes are shown.
pub(crate) struct Passes<'a, F: Number> {
    source: &'a dyn Source<F>,
    bar: Option<ProgressBar>,
    /// 0 until a pass has counted them.
    n_rows: AtomicU64,
    n_passes: AtomicU64,
}

impl<F: Number> Source<F> for Passes<'_, F> {
    fn n_columns(&self) -> usize {
        self.source.n_columns()
    }

    fn chunks(&self) -> Result<Chunks<'_, F>, SourceError> {
        let chunks = self.source.chunks()?;
        let Some(bar) = &self.bar else { return Ok(chunks) };
        let (pass, all) = (self.n_passes.fetch_add(1, Ordering::Relaxed) + 1, self.n_rows.load(Ordering::Relaxed));
        let mut done = 0;
        Ok(Box::new(chunks.inspect(move |chunk: &Result<Chunk<'_, F>, SourceError>| {
            done += chunk.as_ref().map_or(0, |chunk| chunk.rows.nrows() as u64);
            self.n_rows.fetch_max(done, Ordering::Relaxed);
            bar.set_prefix(match all {
                0 => format!(", pass {pass}: {done} rows"),
                all => format!(", pass {pass}: {:.0} %", 100.0 * done as f64 / all as f64),
            });
        })))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The bytes of a file, or of the files of a folder; `None` of what has no size, as a pipe.
fn size_of(path: &Path) -> Option<u64> {
    let bytes = if path.is_dir() {
        // Hidden files are no part of a table.
        let files = path.read_dir().ok()?.filter_map(Result::ok);
        let files = files.filter(|file| !file.file_name().to_string_lossy().starts_with(['.', '_']));
        files.filter_map(|file| file.metadata().ok()).filter(|file| file.is_file()).map(|file| file.len()).sum()
    } else {
        path.metadata().ok().filter(|file| file.is_file())?.len()
    };
    (bytes > 0).then_some(bytes)
}

/// Shows the bar once a second has passed, and what was read since.
fn watch(bar: ProgressBar, reading: Arc<Mutex<Option<Meter>>>) -> Sender<()> {
    let (sender, receiver) = mpsc::channel();
    let read = move |bar: &ProgressBar| {
        if let Some(meter) = &*reading.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_position(meter.bytes().min(bar.length().unwrap_or(0)));
        }
    };
    thread::spawn(move || {
        if receiver.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        bar.set_draw_target(ProgressDrawTarget::stderr());
        while receiver.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            read(&bar);
            bar.tick();
        }
    });
    sender
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; the default bar would do too.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
