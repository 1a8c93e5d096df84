//! The pass of hard assignment to the nearest centroid, with what is kept from pass to pass.
//!
//! ```text
//! first:  every row is looked at; its label and the sums are made
//! then:   rows of which it is known that their label stays are passed over; of the others, those with a new label are taken
//!         from the sums of the old one and added to those of the new
//! ```
//!
//! It is known from two bounds of each row (`miscela-kernel`'s `search.rs`) or from boxes around rows that lie near each other
//! (`sweep.rs` there). So an iteration costs what has changed. The labels are those that a full search would give; the sums
//! are about centroids of an earlier pass, the *reference*, and are made anew from the rows before that, or the rounding of
//! many changes, could cost digits. So are those of a lane at once where rows that left had made up nearly all of a cluster:
//! what they leave behind has few digits of its own. `plan.rs` decides from counts what is done.

use crate::passes::Idle;
use crate::places::Places;
use crate::plan::{Algorithm, Look, Plan, spatial_rank};
use crate::statistics::{Statistics, Sums};
use miscela_kernel::{
    BLOCK_ROWS, Bounds, Candidates, CentroidColumns, Centroids, Effort, Float, Lanes, Moved, NearestScratch, Prefix,
    Rounded, Samples, Search, SearchScratch, Step, Sweep, SweepScratch, TILE_ROWS, Threads, squared_distance,
};
use std::borrow::Cow;
use std::sync::Arc;

/// Rows are searched in runs of at most this many: enough that the few of them that are open fill tiles.
pub(crate) const RUN: usize = 2048;

/// The numbers of a run whose rows are all searched and then all summed, so that they are still at hand.
const NEAR_AT_HAND: usize = 1 << 16;

/// What a run of hard assignment by nearness remembers of the rows, in an order of its own.
pub(crate) struct Nearest<F> {
    plan: Plan,
    /// None where rows are looked at tile by tile.
    bounds: Vec<Bounds>,
    /// Which row is the i-th; `None`: the i-th.
    order: Option<Arc<Vec<u32>>>,
    /// Where the rows lie, if they are looked at by that.
    places: Option<Arc<Places<F>>>,
    /// The rows in whole numbers, if they are looked at tile by tile and these are kept.
    rounded: Option<Rounded<F>>,
    /// The directions along which the rows vary most, where centroids are sifted by them.
    directions: Option<Vec<F>>,
    /// The centroids of the last pass, which the bounds are about.
    latest: Option<Centroids<F>>,
    /// What the sums are about; `None` if they must be made anew.
    reference: Option<Vec<F>>,
    /// For each lane, how many rows its sums hold of each cluster.
    counts: Vec<Vec<u32>>,
    /// Scores of a row and a centroid so far.
    scores: u64,
    /// Whether rows lost their centroid, and so their label, since the last pass.
    regrouped: bool,
    /// For each lane and cluster, the most that its sums held of weight and of second moment since they were made anew.
    peaks: Vec<Vec<[f64; 2]>>,
    idle: Idle<Space<F>>,
}

/// Working space of one lane.
struct Space<F> {
    search: SearchScratch<F>,
    sweep: SweepScratch<F>,
    moved: Vec<Moved>,
    rows: Vec<F>,
}

/// How rows are looked at.
enum Way<'a, F> {
    /// One by one, as their bounds say.
    Search(Search<'a, F>),
    /// Tile by tile.
    Sweep(Sweep<'a, F>),
}

/// What a lane works on.
struct Lane<'a> {
    sums: &'a mut Sums,
    labels: &'a mut [u32],
    bounds: &'a mut [Bounds],
    counts: &'a mut [u32],
    peaks: &'a mut [[f64; 2]],
    effort: Effort,
}

impl<F: Float> Nearest<F> {
    pub(crate) fn new(algorithm: Algorithm, (n, k, width): (usize, usize, usize), lanes: usize) -> Self {
        Self {
            plan: Plan::new::<F>(algorithm, n, k, width),
            bounds: Vec::new(),
            order: None,
            places: None,
            rounded: None,
            directions: None,
            latest: None,
            reference: None,
            scores: 0,
            regrouped: false,
            counts: vec![vec![0; k]; lanes],
            peaks: vec![vec![[0.0; 2]; k]; lanes],
            idle: Idle::new(),
        }
    }

    /// What is still known where these centroids take the place of the latest: `from` says which each of them was, and is
    /// `None` for a new one. Rows whose centroid is gone are to be searched; the others get to know the new centroids, at the
    /// cost of a distance to each. Labels are kept in step.
    pub(crate) fn regrouped(
        &self,
        centroids: &Centroids<F>,
        from: &[Option<u32>],
        samples: &Samples<F>,
        (lanes, labels): (&Lanes, &mut [u32]),
        threads: Threads,
    ) -> Self {
        let (n, k) = (labels.len(), from.len());
        let mut next = Self::new(self.plan.algorithm(), (n, k, centroids.width()), lanes.count());
        let Some(latest) = &self.latest else { return next };
        (next.plan, next.order) = (self.plan.regrouped(k), self.order.clone());
        (next.directions, next.regrouped) = (self.directions.clone(), true);
        let mut becomes = vec![None; latest.len()];
        let mut at = Vec::with_capacity(centroids.all().len());
        let mut new = Vec::new();
        for (c, from) in from.iter().enumerate() {
            if let Some(old) = from {
                becomes[*old as usize] = Some(c as u32);
                at.extend_from_slice(latest.row(*old as usize));
            } else {
                at.extend_from_slice(centroids.row(c));
                new.extend_from_slice(centroids.row(c));
            }
        }
        next.latest = Some(Centroids::new(&at, centroids.offset()));
        if self.bounds.is_empty() {
            labels.iter_mut().for_each(|label| *label = becomes[*label as usize].unwrap_or(0));
            next.places = self.places.clone();
            return next;
        }
        next.bounds = vec![Bounds::UNKNOWN; n];
        let new = (!new.is_empty()).then(|| Centroids::new(&new, centroids.offset()));
        let samples = &samples.in_order(self.order.as_deref().map(Vec::as_slice));
        let per_lane = lanes.rows_per_lane();
        let mut work: Vec<_> = labels.chunks_mut(per_lane).zip(next.bounds.chunks_mut(per_lane)).collect();
        threads.each(&mut work, |lane, (labels, bounds)| {
            let first = lanes.rows(lane).start;
            for (i, (label, bounds)) in labels.iter_mut().zip(bounds.iter_mut()).enumerate() {
                if let Some(c) = becomes[*label as usize] {
                    (*label, *bounds) = (c, self.bounds[first + i]);
                } else {
                    *label = 0;
                }
            }
            let Some(new) = &new else { return };
            let (mut rows, mut scratch) = (Vec::new(), NearestScratch::default());
            let mut nearest = [0; BLOCK_ROWS];
            for range in lanes.blocks(lane) {
                let bounds = &mut bounds[range.start - first..range.end - first];
                let block = samples.block(range, &mut rows);
                new.assign(&block, &mut nearest[..block.len()], &mut scratch);
                for ((row, c), bounds) in block.rows().zip(nearest).zip(bounds) {
                    *bounds = bounds.beside(squared_distance(row, new.row(c as usize)).sqrt());
                }
            }
        });
        next.scores = new.map_or(0, |new| (n * new.len()) as u64);
        next
    }

    /// Scores of a row and a centroid so far.
    pub(crate) fn scores(&self) -> u64 {
        self.scores
    }

    /// The bounds of the rows about the latest centroids, in the order that the labels are in, and the scores that they took:
    /// where none are kept, those of a full search. Nothing before the first pass.
    pub(crate) fn bounds(
        &self,
        samples: &Samples<F>,
        labels: &[u32],
        threads: Threads,
    ) -> Option<(Cow<'_, [Bounds]>, u64)> {
        let centroids = self.latest.as_ref()?;
        if !self.bounds.is_empty() {
            return Some((Cow::Borrowed(&self.bounds), 0));
        }
        let samples = &samples.in_order(self.order());
        let search = Search { centroids, steps: None, columns: None, prefix: None };
        let (mut bounds, mut labels) = (vec![Bounds::UNKNOWN; labels.len()], labels.to_vec());
        let mut runs: Vec<_> = labels.chunks_mut(RUN).zip(bounds.chunks_mut(RUN)).collect();
        threads.each(&mut runs, |run, (labels, bounds)| {
            self.idle.lend(|Space { search: scratch, moved, .. }| {
                scratch.start_over();
                let rows = run * RUN..run * RUN + labels.len();
                search.renew(samples, rows, labels, bounds, scratch, moved);
                moved.clear();
            });
        });
        let scores = bounds.len() * centroids.len();
        Some((Cow::Owned(bounds), scores as u64))
    }

    /// The order that the labels are in.
    pub(crate) fn order(&self) -> Option<&[u32]> {
        self.order.as_deref().map(Vec::as_slice)
    }

    /// Forgets what is known, and puts the labels back into the order of the table.
    pub(crate) fn forget(&mut self, labels: &mut [u32]) {
        self.leave(labels);
        (self.latest, self.reference, self.directions) = (None, None, None);
        self.plan.start_over();
    }

    /// Puts the labels back into the order of the table.
    fn leave(&mut self, labels: &mut [u32]) {
        if let Some(order) = self.order.take() {
            self.rounded = None;
            let ordered = labels.to_vec();
            order.iter().zip(ordered).for_each(|(row, label)| labels[*row as usize] = label);
        }
    }

    /// Looks at rows as the plan says: finds their places, or makes room for their bounds.
    fn look(&mut self, centroids: &Centroids<F>, samples: &Samples<F>, labels: &mut [u32], threads: Threads) -> Look {
        let look = self.plan.look();
        if look == Look::Tree {
            self.settle(centroids, samples, labels, threads);
        } else if self.places.take().is_some() {
            self.leave(labels);
            self.reference = None;
        }
        if look != Look::Tiles || !self.plan.keeps_rounded::<F>() {
            self.rounded = None;
        } else if self.rounded.is_none() {
            self.rounded = Rounded::new(&samples.in_order(self.order()), centroids, threads);
        }
        match look {
            Look::Rows if self.bounds.is_empty() => self.bounds = vec![Bounds::UNKNOWN; labels.len()],
            Look::Rows => (),
            _ => self.bounds = Vec::new(),
        }
        look
    }

    /// Puts the labels into the order in which rows that lie near each other are side by side.
    fn settle(&mut self, centroids: &Centroids<F>, samples: &Samples<F>, labels: &mut [u32], threads: Threads) {
        // First what takes as much memory goes.
        self.bounds = Vec::new();
        let places =
            self.places.get_or_insert_with(|| Arc::new(Places::new(samples, centroids.offset(), threads))).clone();
        if !self.order.as_ref().is_some_and(|order| Arc::ptr_eq(order, &places.order)) {
            self.leave(labels);
            let ordered = labels.to_vec();
            let mut runs: Vec<_> = labels.chunks_mut(RUN).zip(places.order.chunks(RUN)).collect();
            threads.each(&mut runs, |_, (labels, order)| {
                labels.iter_mut().zip(*order).for_each(|(label, row)| *label = ordered[*row as usize]);
            });
            (self.order, self.reference, self.directions) = (Some(places.order.clone()), None, None);
        }
    }

    /// Renews the labels and returns the statistics of the rows under them.
    pub(crate) fn pass(
        &mut self,
        centroids: &Centroids<F>,
        fingerprint: u64,
        samples: &Samples<F>,
        labels: &mut [u32],
        (lanes, sums): (&Lanes, &mut [Sums]),
        threads: Threads,
    ) -> Statistics {
        let known = !self.bounds.is_empty();
        let look = self.look(centroids, samples, labels, threads);
        let known = known && look == Look::Rows && self.latest.is_some();
        if look == Look::Rows && self.plan.tries_sifting() {
            self.try_sifting(centroids, samples, labels);
        }
        if known && self.plan.wants_order(centroids, labels, &self.bounds) {
            self.sort(centroids, labels);
        }
        let candidates = (look == Look::Tree).then(|| Candidates::all(centroids));
        let prefix = self.directions.as_ref().map(|directions| Prefix::new(directions, centroids));
        // What was rounded is soon scored: too soon, perhaps, to be shared.
        let rounded = self.rounded.is_some();
        let work = || (samples.n_rows() * centroids.scores_cost(true, true)) as f64;
        let threads = if rounded { threads.for_work(work()) } else { threads };
        let drift = self.latest.as_ref().filter(|_| look == Look::Tiles).map(|old| greatest_step(old, centroids));
        let steps = self.latest.as_ref().filter(|_| known).map(|old| Step::all(old, centroids, self.plan.wants_gaps()));
        let columns = (self.order.is_some() && self.plan.narrows()).then(|| CentroidColumns::new(centroids));
        let anew = self.reference.is_none();
        let reference = self.reference.get_or_insert_with(|| centroids.all().to_vec());
        let search = Search { centroids, steps: steps.as_deref(), columns: columns.as_ref(), prefix: prefix.as_ref() };
        let boxes = candidates.as_ref().zip(self.places.as_deref()).map(|(all, places)| (all, &places.boxes));
        let way = match look {
            Look::Rows => Way::Search(search),
            _ => Way::Sweep(Sweep { centroids, boxes, rounded: self.rounded.as_ref(), drift }),
        };
        let order = self.order.as_deref().map(Vec::as_slice);
        let (samples, idle) = (&samples.in_order(order), &self.idle);
        let mut bounds = self.bounds.chunks_mut(lanes.rows_per_lane());
        let mut work: Vec<Lane> = (sums.iter_mut().zip(self.counts.iter_mut().zip(&mut self.peaks)))
            .zip(labels.chunks_mut(lanes.rows_per_lane()))
            .map(|((sums, (counts, peaks)), labels)| Lane {
                sums,
                labels,
                bounds: bounds.next().unwrap_or_default(),
                counts,
                peaks,
                effort: Effort::default(),
            })
            .collect();
        threads.each(&mut work, |i, lane| {
            idle.lend(|space| lane.pass(&way, samples, lanes.rows(i).start, anew, reference, space));
        });
        let mut effort = Effort::default();
        work.iter().for_each(|lane| effort.add(lane.effort));
        let shift = reference.iter().map(|x| x.widen()).collect();
        let mut total = sums[0].clone();
        sums[1..].iter().for_each(|sums| total.add(sums));
        total.changed += u64::from(std::mem::take(&mut self.regrouped));
        self.scores += effort.scores;
        let statistics = Statistics::new(fingerprint, shift, total);
        self.latest = Some(centroids.clone());
        if self.directions.is_some() && effort.opened > 0 && !self.plan.sifts(effort.share(centroids.len())) {
            self.directions = None;
        }
        if look == Look::Tiles {
            let tell = effort.whole * 2 >= effort.opened;
            self.plan.note_cost(tell, [rounded, false].map(|kept| centroids.scores_cost(tell, kept)));
        }
        if self.plan.note(look, effort, anew) || statistics.has_drifted() {
            self.reference = None;
        }
        statistics
    }

    /// Finds the directions along which a few rows vary most, and tries on a few others whether they tell centroids apart.
    fn try_sifting(&mut self, centroids: &Centroids<F>, samples: &Samples<F>, labels: &[u32]) {
        const SAMPLE: usize = 256;
        const TRIED: usize = 4;
        let (n, width) = (samples.n_rows(), samples.n_columns());
        let sample = SAMPLE.min(n);
        let mut rows = vec![F::zero(); sample * width];
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            samples.copy_row(i * n / sample, row);
        }
        let directions = Prefix::directions(&rows, &mean_of(&rows, width));
        let prefix = Prefix::new(&directions, centroids);
        let search = Search { centroids, steps: None, columns: None, prefix: Some(&prefix) };
        let (mut effort, mut space) = (Effort::default(), Space::default());
        for tile in 0..TRIED {
            let range = tile * n / TRIED..(tile * n / TRIED + TILE_ROWS).min(n);
            let (mut labels, mut bounds) = (labels[range.clone()].to_vec(), vec![Bounds::UNKNOWN; range.len()]);
            effort.add(search.renew(samples, range, &mut labels, &mut bounds, &mut space.search, &mut space.moved));
        }
        self.scores += effort.scores;
        self.directions = self.plan.sifts(effort.share(centroids.len())).then_some(directions);
    }

    /// Puts rows of a cluster side by side, and clusters next to near ones.
    fn sort(&mut self, centroids: &Centroids<F>, labels: &mut [u32]) {
        let rank = spatial_rank(centroids);
        let mut next = vec![0usize; centroids.len() + 1];
        labels.iter().for_each(|label| next[rank[*label as usize] as usize + 1] += 1);
        (1..next.len()).for_each(|r| next[r] += next[r - 1]);
        let (mut order, mut sorted) = (vec![0; labels.len()], vec![0; labels.len()]);
        for (i, label) in labels.iter().enumerate() {
            let place = &mut next[rank[*label as usize] as usize];
            order[*place] = self.order.as_ref().map_or(i as u32, |order| order[i]);
            sorted[*place] = *label;
            *place += 1;
        }
        labels.copy_from_slice(&sorted);
        (self.order, self.reference) = (Some(Arc::new(order)), None);
        // To take them along would need as much memory again, for one pass.
        self.bounds.fill(Bounds::UNKNOWN);
        self.plan.sorted();
    }
}

/// The rows of a run that stays at hand: whole tiles.
fn near_at_hand(width: usize) -> usize {
    (NEAR_AT_HAND / width / TILE_ROWS * TILE_ROWS).clamp(2 * TILE_ROWS, RUN)
}

/// How far any centroid moved at most.
fn greatest_step<F: Float>(old: &Centroids<F>, new: &Centroids<F>) -> F {
    let steps = old.rows().zip(new.rows()).map(|(a, b)| squared_distance(a, b));
    F::narrow(steps.fold(0.0, f64::max).sqrt())
}

/// The mean of row-major rows.
fn mean_of<F: Float>(rows: &[F], width: usize) -> Vec<F> {
    let mut mean = vec![0.0; width];
    rows.chunks_exact(width).for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += x.widen()));
    mean.into_iter().map(|m| F::narrow(m * width as f64 / rows.len() as f64)).collect()
}

impl<F: Float> Default for Space<F> {
    fn default() -> Self {
        Self { search: SearchScratch::default(), sweep: SweepScratch::default(), moved: Vec::new(), rows: Vec::new() }
    }
}

impl Lane<'_> {
    fn pass<F: Float>(
        &mut self,
        way: &Way<F>,
        samples: &Samples<F>,
        first: usize,
        anew: bool,
        reference: &[F],
        space: &mut Space<F>,
    ) {
        let Self { sums, labels, bounds, counts, peaks, effort } = self;
        if anew {
            sums.clear();
            counts.fill(0);
            peaks.fill([0.0; 2]);
        }
        sums.changed = 0;
        let Space { search: scratch, sweep, moved, rows } = space;
        scratch.start_over();
        sweep.start_over();
        let near_at_hand = near_at_hand(samples.n_columns());
        let length = match way {
            Way::Sweep(Sweep { boxes: None, .. }) => near_at_hand,
            Way::Search(_) if anew => near_at_hand,
            _ => RUN,
        };
        let mut bounds = bounds.chunks_mut(length);
        for (run, labels) in labels.chunks_mut(length).enumerate() {
            let range = first + run * length..first + run * length + labels.len();
            moved.clear();
            let renewed = match way {
                Way::Search(search) => {
                    let bounds = bounds.next().unwrap_or_default();
                    search.renew(samples, range.clone(), labels, bounds, scratch, moved)
                }
                Way::Sweep(way) => way.renew(samples, range.clone(), labels, sweep, moved),
            };
            effort.add(renewed);
            // Those that had no label may not be listed.
            let unlisted = renewed.changed - moved.len() as u64;
            moved.retain(|moved| samples.weight(moved.row) > 0.0);
            sums.changed += moved.len() as u64 + unlisted;
            if anew {
                let block = samples.block(range, rows);
                let counting = labels.iter().enumerate().filter(|(i, _)| block.weight(*i) > 0.0);
                counting.for_each(|(_, label)| counts[*label as usize] += 1);
                sums.hard().add(&block, labels, reference);
            } else {
                for Moved { from, to, .. } in &*moved {
                    counts[*from as usize] -= 1;
                    counts[*to as usize] += 1;
                }
                sums.hard().relabel(samples, moved, reference);
            }
        }
        // What is left of a cluster without rows is rounding.
        for (c, _) in counts.iter().enumerate().filter(|(_, count)| **count == 0) {
            sums.clear_component(c);
            peaks[c] = [0.0; 2];
        }
        if has_lost_digits(sums, peaks) {
            let changed = sums.changed;
            sums.clear();
            sums.changed = changed;
            peaks.fill([0.0; 2]);
            for (run, labels) in labels.chunks(near_at_hand).enumerate() {
                let start = first + run * near_at_hand;
                sums.hard().add(&samples.block(start..start + labels.len(), rows), labels, reference);
            }
        }
        for (c, peak) in peaks.iter_mut().enumerate() {
            *peak = [peak[0].max(sums.weight[c]), peak[1].max(sums.second(c)[0])];
        }
    }
}

/// Whether what is left of any cluster is so little beside what it was that rounding is a good part of it.
fn has_lost_digits(sums: &Sums, peaks: &[[f64; 2]]) -> bool {
    const KEPT: f64 = 1e-5;
    let lost = |c: usize| sums.weight[c] < KEPT * peaks[c][0] || sums.second(c)[0] < KEPT * peaks[c][1];
    (0..peaks.len()).any(lost)
}
