//! Passes over the rows: lane by lane, each by one thread, merged in lane order.

use crate::engine::Family;
use crate::joint::Joint;
use crate::nearest::Nearest;
use crate::relocate::Move;
use crate::statistics::{Statistics, Sums};
use miscela_kernel::{Block, Bounds, Float, Lanes, Samples, Threads};
use std::borrow::Cow;
use std::sync::Mutex;

/// Working space that no lane is using: as many as there are threads, not lanes.
pub(crate) struct Idle<T>(Mutex<Vec<T>>);

impl<T: Default> Idle<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Lends one to `work`.
    pub(crate) fn lend(&self, work: impl FnOnce(&mut T)) {
        let taken = self.0.lock().ok().and_then(|mut idle| idle.pop());
        let mut space = taken.unwrap_or_default();
        work(&mut space);
        if let Ok(mut idle) = self.0.lock() {
            idle.push(space);
        }
    }
}

/// A row that has no label yet.
pub(crate) const UNLABELLED: u32 = u32::MAX;

/// Everything that the passes of one run share: lanes with their sums, and the labels of hard families.
pub(crate) struct Passes<F, S> {
    lanes: Lanes,
    sums: Vec<Sums>,
    labels: Vec<u32>,
    threads: Threads,
    /// What is remembered of the rows where each goes to the nearest centroid.
    nearest: Option<Nearest<F>>,
    /// What is remembered of them where labels depend on other rows.
    joint: Joint,
    /// Distances of a row to a centroid in passes that look at all of them.
    distances: u64,
    /// Scratch space of the family, and rows that had to be made contiguous.
    idle: Idle<(S, Vec<F>)>,
}

impl<F: Float, S: Default + Send> Passes<F, S> {
    pub(crate) fn new<M: Family<F, Scratch = S>>(family: &M, samples: &Samples<F>, threads: Threads) -> Self {
        let (n, d, k, scatter) = (samples.n_rows(), samples.n_columns(), family.n_components(), family.scatter());
        let (bytes, sums) = (Sums::bytes(k, d, scatter), Sums::zero(k, d, scatter));
        // Rows that stay where they are, wherever is nearest, are looked at one by one.
        let centroids = family.centroids().filter(|_| samples.known().is_none());
        let lanes = if centroids.is_some() { Lanes::for_work(n, bytes, k * d) } else { Lanes::new(n, bytes) };
        let nearest = centroids.map(|(_, algorithm)| Nearest::new(algorithm, (n, k, d), lanes.count()));
        Self {
            nearest,
            sums: vec![if family.has_tails() { sums.with_tails() } else { sums }; lanes.count()],
            labels: if family.is_hard() { vec![UNLABELLED; n] } else { Vec::new() },
            threads: threads.for_work(n as f64 * k as f64 * (d + scatter.len(d)) as f64),
            lanes,
            joint: Joint::default(),
            distances: 0,
            idle: Idle::new(),
        }
    }

    /// Passes for a family that has other components of the same kind, with what is still known of the rows: `from` says
    /// which component each of its own was, and is `None` for a new one.
    pub(crate) fn regrouped<M: Family<F, Scratch = S>>(
        &self,
        family: &M,
        from: &[Option<u32>],
        samples: &Samples<F>,
    ) -> Self {
        let mut next = Self::new(family, samples, self.threads);
        if let (Some((centroids, _)), Some(nearest), Some(_)) = (family.centroids(), &self.nearest, &next.nearest) {
            next.labels.copy_from_slice(&self.labels);
            let lanes = (&next.lanes, &mut next.labels[..]);
            next.nearest = Some(nearest.regrouped(centroids, from, samples, lanes, next.threads));
        }
        next
    }

    /// Distances of a row to a centroid that were computed so far.
    pub(crate) fn distances(&self) -> u64 {
        self.distances + self.nearest.as_ref().map_or(0, Nearest::scores)
    }

    /// What is known of the rows' distances, in the order of the labels, and the scores that it took to find it out; nothing
    /// where no distances are looked at, or none were yet.
    pub(crate) fn bounds(&self, samples: &Samples<F>) -> Option<(Cow<'_, [Bounds]>, u64)> {
        self.nearest.as_ref().and_then(|nearest| nearest.bounds(samples, &self.labels, self.threads))
    }

    /// The rows' labels, in this order of the rows; none for soft families.
    pub(crate) fn labels(&self) -> (&[u32], Option<&[u32]>) {
        (&self.labels, self.nearest.as_ref().and_then(Nearest::order))
    }

    /// The rows' labels in the order of the table, to be changed.
    pub(crate) fn labels_mut(&mut self) -> &mut [u32] {
        if let Some(nearest) = &mut self.nearest {
            nearest.forget(&mut self.labels);
        }
        &mut self.labels
    }

    /// What rows count with, where that is not their own weight.
    pub(crate) fn weights(&self) -> Option<&[f64]> {
        self.joint.weights.as_deref()
    }

    /// The labels in the order of the table, and the weights.
    pub(crate) fn labels_and_weights(&mut self) -> (&[u32], Option<&[f64]>) {
        self.labels_mut();
        (&self.labels, self.joint.weights.as_deref())
    }

    /// Who works.
    pub(crate) fn threads(&self) -> Threads {
        self.threads
    }

    /// The statistics of the rows under the family's parameters.
    pub(crate) fn e_step<M: Family<F, Scratch = S>>(&mut self, family: &M, samples: &Samples<F>) -> Statistics {
        self.make_ready(family);
        if let (Some((centroids, _)), Some(nearest)) = (family.centroids(), &mut self.nearest) {
            let lanes = (&self.lanes, &mut self.sums[..]);
            return nearest.pass(centroids, family.fingerprint(), samples, &mut self.labels, lanes, self.threads);
        }
        // Rows that went to the nearest centroid before were perhaps in an order of their own.
        self.labels_mut();
        if family.is_joint() {
            return self.joint_step(family, samples);
        }
        let k = family.n_components();
        self.distances += (samples.n_rows() * k) as u64;
        let e_step = |block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut S| {
            family.e_step(block, labels, sums, scratch)
        };
        let sums = self.sweep(family, samples, e_step);
        Statistics::new(family.fingerprint(), family.shift(), sums)
    }

    /// The same where all rows are labelled at once: then the sums by these labels.
    fn joint_step<M: Family<F, Scratch = S>>(&mut self, family: &M, samples: &Samples<F>) -> Statistics {
        let changed = family.assign_jointly(samples, &mut self.labels, &mut self.joint, self.threads);
        let weights = self.joint.weights.take();
        let counting = weights.as_ref().map_or(samples.in_order(None), |weights| samples.reweighted(weights));
        let add = |block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut S| {
            family.add(block, labels, sums, scratch)
        };
        let mut sums = self.sweep(family, &counting, add);
        drop(counting);
        self.joint.weights = weights;
        sums.changed = changed;
        Statistics::new(family.fingerprint(), family.shift(), sums)
    }

    /// Takes over rows that were given to empty components: sums all rows again by their labels, and makes each of those
    /// components its row. Returns the components.
    pub(crate) fn take_over<M: Family<F, Scratch = S>>(
        &mut self,
        family: &M,
        samples: &Samples<F>,
        moves: Vec<Move>,
        statistics: &mut Statistics,
    ) -> Vec<usize> {
        if !moves.is_empty() {
            let add = |block: &Block<F>, labels: &mut [u32], sums: &mut Sums, scratch: &mut S| {
                family.add(block, labels, sums, scratch)
            };
            let sums = self.sweep(family, samples, add);
            statistics.replace(sums, family.shift());
        }
        let mut row = vec![F::zero(); samples.n_columns()];
        for moved in &moves {
            samples.copy_row(moved.row, &mut row);
            family.complete(&mut row, moved.from);
            statistics.place(moved.to, row.iter().map(|x| x.widen()));
        }
        moves.into_iter().map(|moved| moved.to).collect()
    }

    /// Makes sums again that the last sweep gave away, or whose components are not the family's any more.
    fn make_ready<M: Family<F, Scratch = S>>(&mut self, family: &M) {
        let k = family.n_components();
        for lane in self.sums.iter_mut().filter(|lane| lane.k() != k) {
            let sums = Sums::zero(k, lane.width, lane.scatter);
            *lane = if family.has_tails() { sums.with_tails() } else { sums };
        }
    }

    /// One pass: `step` is called on each block with the block's labels.
    fn sweep<M: Family<F, Scratch = S>>(
        &mut self,
        family: &M,
        samples: &Samples<F>,
        step: impl Fn(&Block<F>, &mut [u32], &mut Sums, &mut S) + Sync + Send,
    ) -> Sums {
        self.make_ready(family);
        let (lanes, idle) = (&self.lanes, &self.idle);
        let mut labels = self.labels.chunks_mut(lanes.rows_per_lane());
        let mut work: Vec<_> = self.sums.iter_mut().map(|sums| (sums, labels.next().unwrap_or_default())).collect();
        self.threads.each(&mut work, |lane, (sums, labels)| {
            sums.clear();
            let mut rest = &mut labels[..];
            idle.lend(|(scratch, copied)| {
                for rows in lanes.blocks(lane) {
                    let block = samples.block(rows, copied);
                    let (labels, tail) =
                        std::mem::take(&mut rest).split_at_mut_checked(block.len()).unwrap_or_default();
                    rest = tail;
                    step(&block, labels, sums, scratch);
                }
            });
        });
        // Neither a copy nor others in their place: sums can be as large as the rows, and the M-step takes memory too.
        let Sums { width, scatter, .. } = self.sums[0];
        let mut total = std::mem::replace(&mut self.sums[0], Sums::zero(0, width, scatter));
        self.sums[1..].iter().for_each(|sums| total.add(sums));
        total
    }
}

/// Works through the blocks of each lane, lanes cut for `bytes` gathered in each, and returns what each gathered, in order.
pub(crate) fn over_lanes<F: Float, T: Send, S: Default>(
    samples: &Samples<F>,
    bytes: usize,
    threads: Threads,
    empty: impl Fn() -> T + Sync + Send,
    work: impl Fn(&Block<F>, &mut T, &mut S) + Sync + Send,
) -> Vec<T> {
    let lanes = Lanes::new(samples.n_rows(), bytes);
    threads.map(lanes.count(), |lane| {
        let (mut gathered, mut scratch, mut rows) = (empty(), S::default(), Vec::new());
        for range in lanes.blocks(lane) {
            work(&samples.block(range, &mut rows), &mut gathered, &mut scratch);
        }
        gathered
    })
}
