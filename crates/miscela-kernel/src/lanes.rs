//! Fixed lanes and an ordered merge: the same bits for any number of threads.
//!
//! Rows are cut into lanes whose number depends on the problem and never on the machine. Each lane is worked through by
//! one thread, in row order; what the lanes hold is then merged in lane order.

use std::ops::Range;
#[cfg(feature = "rayon")]
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who works on the lanes. The results are the same bits whatever is chosen.
///
/// ```
/// use miscela_kernel::Threads;
///
/// let squares = Threads::Count(2).install(|threads| threads.map(4, |i| i * i));
/// assert_eq!(squares, [0, 1, 4, 9]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// Only the calling thread.
    One,
    /// The rayon pool that the caller runs in (the global one unless `install`ed in another).
    #[default]
    Ambient,
    /// A pool of this many threads, which no other call works in meanwhile. Its threads stay, and sleep, until another call wants as
    /// many; of four such pools and more the oldest goes. A process that is forked off has none of them, as of any pool: it must use
    /// [`Threads::One`].
    Count(usize),
}

impl Threads {
    /// Runs `work` where this says, and hands it what its inner calls should use.
    ///
    /// Only [`Threads::Count`] has anything to set up; do it once around a whole fit.
    pub fn install<R: Send>(self, work: impl FnOnce(Threads) -> R + Send) -> R {
        match self {
            Threads::Count(1) => work(Threads::One),
            #[cfg(feature = "rayon")]
            Threads::Count(n) => match pools::take(n) {
                Some(pool) => {
                    let (mut work, mut result) = (Some(work), None);
                    run_in(&pool.pool, &mut || result = work.take().map(|work| work(Threads::Ambient)));
                    pools::leave(pool);
                    result.expect("a pool runs what it is given, or goes on with its panic")
                }
                // The system gives no more threads: slower, and the same answer.
                None => work(Threads::One),
            },
            #[cfg(not(feature = "rayon"))]
            Threads::Count(_) => work(Threads::One),
            other => work(other),
        }
    }

    /// One thread for work too small to share, `self` otherwise. `operations` is about the number of multiplications.
    pub fn for_work(self, operations: f64) -> Self {
        const WORTH_SHARING: f64 = 1e6;
        if operations < WORTH_SHARING { Threads::One } else { self }
    }

    /// One thread for a fit of so few rows that they are all of one lane, so that no pass is shared out, if passes are short, too: what
    /// could be shared beside them does not repay waking a pool. `operations` is about the number of multiplications that a row takes
    /// in a pass.
    pub fn for_fit(self, n_rows: usize, operations: f64) -> Self {
        const LONG: f64 = 4e6;
        let is_short = n_rows < 2 * LEAST_ROWS && n_rows as f64 * operations < LONG;
        if is_short { Threads::One } else { self }
    }

    /// Calls `work` on each item with its index, in any order.
    pub fn each<T: Send>(self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync + Send) {
        #[cfg(feature = "rayon")]
        if self != Threads::One && items.len() > 1 {
            let items: Vec<_> = items.iter_mut().map(Mutex::new).collect();
            return share_out(items.len(), &|i| work(i, &mut own(&items[i])));
        }
        items.iter_mut().enumerate().for_each(|(i, item)| work(i, item));
    }

    /// Calls `work` on each index below `n` and returns the results in order.
    pub fn map<T: Send>(self, n: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        #[cfg(feature = "rayon")]
        if self != Threads::One && n > 1 {
            let results: Vec<_> = (0..n).map(|_| Mutex::new(None)).collect();
            share_out(n, &|i| {
                let result = work(i);
                *own(&results[i]) = Some(result);
            });
            return results.iter().filter_map(|result| own(result).take()).collect();
        }
        (0..n).map(work).collect()
    }
}

/// Calls `work` on each number below `n`, shared by the threads of the pool. All that is shared is compiled here, once: a closure of
/// its own type would bring all of rayon's machinery along, at each place it is called from.
#[cfg(feature = "rayon")]
fn share_out(n: usize, work: &(dyn Fn(usize) + Sync)) {
    use rayon::prelude::*;
    (0..n).into_par_iter().with_max_len(1).for_each(work);
}

/// Pools between two calls. To start threads takes as long as a small fit, and for a while after that they are on the same core.
#[cfg(feature = "rayon")]
mod pools {
    use rayon::{ThreadPool, ThreadPoolBuilder};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// How many wait for calls to come.
    const KEPT: usize = 4;

    /// A pool, and how many threads were asked for.
    pub(super) struct Pool {
        pub(super) pool: ThreadPool,
        threads: usize,
    }

    static IDLE: Mutex<Vec<Pool>> = Mutex::new(Vec::new());

    fn idle() -> MutexGuard<'static, Vec<Pool>> {
        IDLE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pool of so many threads that is nobody else's, if the system gives one.
    pub(super) fn take(threads: usize) -> Option<Pool> {
        let mut idle = idle();
        if let Some(at) = idle.iter().rposition(|pool| pool.threads == threads) {
            return Some(idle.remove(at));
        }
        drop(idle);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().ok()?;
        Some(Pool { pool, threads })
    }

    /// Keeps a pool for the next call, in place of the one that has waited longest.
    pub(super) fn leave(pool: Pool) {
        let mut idle = idle();
        let oldest = (idle.len() == KEPT).then(|| idle.remove(0));
        idle.push(pool);
        drop(idle);
        drop(oldest);
    }
}

/// Runs `work` on a thread of the pool.
#[cfg(feature = "rayon")]
fn run_in(pool: &rayon::ThreadPool, work: &mut (dyn FnMut() + Send)) {
    pool.install(work);
}

/// What one thread alone asks for.
#[cfg(feature = "rayon")]
fn own<T>(item: &Mutex<T>) -> MutexGuard<'_, T> {
    item.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How n rows are cut into lanes of whole blocks.
///
/// ```
/// use miscela_kernel::Lanes;
///
/// let lanes = Lanes::new(10_000, 1_000);
/// assert_eq!(lanes.rows(0).start, 0);
/// assert_eq!(lanes.rows(lanes.count() - 1).end, 10_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    n_rows: usize,
    rows_per_lane: usize,
}

/// Rows are read and worked on in blocks of this many.
pub const BLOCK_ROWS: usize = 256;

/// The least rows that it pays to make a lane of.
const LEAST_ROWS: usize = 4 * BLOCK_ROWS;

impl Lanes {
    /// Lanes for `n_rows` rows where each lane keeps `bytes_per_lane` of statistics.
    ///
    /// At most 64; each so long that clearing and merging its statistics is little beside the work on its rows; and fewer
    /// where the statistics are large: beyond two, the lanes together hold at most 8 MB and 4 bytes a row.
    pub fn new(n_rows: usize, bytes_per_lane: usize) -> Self {
        Self::of(n_rows, bytes_per_lane, LEAST_ROWS)
    }

    /// The same where a row takes about as many multiplications as `operations`, in passes so short that sharing them out
    /// counts: lanes are longer where rows are soon done.
    pub fn for_work(n_rows: usize, bytes_per_lane: usize, operations: usize) -> Self {
        const WORTH_A_LANE: usize = 1 << 20;
        Self::of(n_rows, bytes_per_lane, (WORTH_A_LANE / operations.max(1)).clamp(LEAST_ROWS, 32 * BLOCK_ROWS))
    }

    fn of(n_rows: usize, bytes_per_lane: usize, least: usize) -> Self {
        const MOST: usize = 64;
        let budget = (8 << 20) + 4 * n_rows;
        let affordable = (2 + budget / bytes_per_lane.max(1)).min(MOST);
        let useful = (n_rows / (bytes_per_lane / 64).clamp(least, 32 * BLOCK_ROWS)).max(1);
        // A power of two, so that any usual number of threads shares the lanes evenly.
        let count = 1 << affordable.min(useful).ilog2();
        let rows_per_lane = n_rows.div_ceil(count).next_multiple_of(BLOCK_ROWS).max(BLOCK_ROWS);
        Self { n_rows, rows_per_lane }
    }

    /// The number of lanes.
    pub fn count(&self) -> usize {
        self.n_rows.div_ceil(self.rows_per_lane)
    }

    /// The number of rows in every lane but the last, which may be shorter.
    pub fn rows_per_lane(&self) -> usize {
        self.rows_per_lane
    }

    /// The rows of lane `i`.
    pub fn rows(&self, i: usize) -> Range<usize> {
        let start = i * self.rows_per_lane;
        start..(start + self.rows_per_lane).min(self.n_rows)
    }

    /// The blocks of lane `i`, in order.
    pub fn blocks(&self, i: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let Range { start, end } = self.rows(i);
        (start..end).step_by(BLOCK_ROWS).map(move |first| first..(first + BLOCK_ROWS).min(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fits_of_one_lane_and_short_passes_take_one_thread() {
        let (most, two) = (2 * LEAST_ROWS - 1, Threads::Count(2));
        for bytes in [0, 1 << 10, 1 << 24] {
            let lanes =
                [Lanes::new(most, bytes), Lanes::for_work(most, bytes, 1), Lanes::for_work(most, bytes, 1 << 20)];
            assert_eq!(lanes.map(|lanes| lanes.count()), [1; 3]);
        }
        assert_eq!((two.for_fit(most, 1000.0), two.for_fit(most, 2000.0)), (Threads::One, two));
        assert_eq!((two.for_fit(most + 1, 1.0), Threads::Ambient.for_fit(1, 1.0)), (two, Threads::One));
    }

    proptest! {
        #[test]
        fn lanes_cover_every_row_once_in_order(
            n in 1usize..200_000,
            bytes in 0usize..1 << 24,
            operations in prop::option::of(0usize..10_000),
        ) {
            let lanes = operations.map_or(Lanes::new(n, bytes), |each| Lanes::for_work(n, bytes, each));
            if let Some(each) = operations.filter(|each| *each > 128) {
                prop_assert!(lanes.count() == 1 || lanes.rows_per_lane() * each > (1 << 19), "{lanes:?} {each}");
            }
            let rows: Vec<_> = (0..lanes.count()).flat_map(|i| lanes.blocks(i)).collect();
            prop_assert_eq!(rows[0].start, 0);
            prop_assert_eq!(rows[rows.len() - 1].end, n);
            prop_assert!(rows.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(rows.iter().all(|block| !block.is_empty() && block.len() <= BLOCK_ROWS));
            prop_assert!(lanes.count() <= 64);
        }
    }

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [Threads::One, Threads::Ambient] {
            let mut items = vec![0usize; 100];
            threads.each(&mut items, |i, item| *item += i);
            assert_eq!(items, (0..100).collect::<Vec<_>>());
            assert_eq!(threads.map(100, |i| i), items);
        }
        let pool = if cfg!(feature = "rayon") { Threads::Ambient } else { Threads::One };
        assert_eq!(Threads::Count(3).install(|inner| inner), pool);
        assert_eq!(Threads::Count(1).install(|inner| inner), Threads::One);
    }

    #[cfg(feature = "rayon")]
    #[test]
    fn a_pool_is_kept_for_the_next_call_and_works_for_one_at_a_time() {
        // A number of threads that no other test asks for.
        let here = || rayon::broadcast(|_| std::thread::current().id());
        let (outer, inner) = Threads::Count(5).install(|_| (here(), Threads::Count(5).install(|_| here())));
        assert_eq!((outer.len(), inner.len()), (5, 5));
        assert!(outer.iter().all(|thread| !inner.contains(thread)));
        let next = Threads::Count(5).install(|_| here());
        assert!(next == inner || next == outer);
        let panic = std::panic::catch_unwind(|| Threads::Count(5).install(|_| panic!("on purpose")));
        assert!(panic.is_err() && Threads::Count(5).install(|_| here()).len() == 5);
    }
}
