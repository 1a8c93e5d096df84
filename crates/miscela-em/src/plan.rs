//! Which of the exact shortcuts a hard fit takes: chosen from shapes, counts and what instructions a machine has, never by the
//! clock, so that the same fit gives the same bits.

use crate::nearest::RUN;
use miscela_kernel::{Bounds, Centroids, Effort, Float, Rounded, squared_distance};
use std::fmt;
use std::str::FromStr;

/// How k-means finds the nearest centroids. All ways that iterate give the same labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Whatever the counts of the iterations so far speak for; for rows that are single numbers, the
    /// [solution](crate::optimal_centres).
    #[default]
    Auto,
    /// Every row against every centroid, in every iteration (Lloyd 1957, 1982).
    Lloyd,
    /// Rows whose label two bounds still tell are passed over (Hamerly 2010).
    Bounds,
    /// Bounds, and rows sorted by cluster, so that those side by side share few candidates.
    Groups,
    /// Rows sorted by where they lie, with a box around each 64 that tells which centroids may be theirs (Pelleg & Moore 1999,
    /// Kanungo et al. 2002).
    Tree,
    /// Bounds, and centroids sifted by an eighth of the columns of a rotation. Rows of less than 8 columns have none.
    Prefix,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 6] =
        [Algorithm::Auto, Algorithm::Lloyd, Algorithm::Bounds, Algorithm::Groups, Algorithm::Tree, Algorithm::Prefix];

    /// `auto`, `lloyd`, `bounds`, `groups`, `tree` or `prefix`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Auto => "auto",
            Algorithm::Lloyd => "lloyd",
            Algorithm::Bounds => "bounds",
            Algorithm::Groups => "groups",
            Algorithm::Tree => "tree",
            Algorithm::Prefix => "prefix",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no algorithm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("algorithm '{0}' is not available; use auto, lloyd, bounds, groups, tree or prefix")]
pub struct UnknownAlgorithm(String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        found.ok_or_else(|| UnknownAlgorithm(name.into()))
    }
}

/// What was counted so far, and what follows.
pub(crate) struct Plan {
    algorithm: Algorithm,
    n: usize,
    k: usize,
    width: usize,
    /// What the scores of a row cost, in columns of `f32`: of one in its tile, and of one taken out of it.
    scores: [usize; 2],
    /// Whether whole numbers were found to tell rows apart, as far as is known.
    by_whole_numbers: bool,
    /// Passes since the start, or since all was forgotten.
    passes: u32,
    sorted: Option<Sorted>,
    sifting: Sifting,
    tree: Tree,
    /// Whether bounds of the rows were found to pay.
    bounds: bool,
    /// Rows that changed their label since the sums were made from the rows.
    amended: u64,
}

/// Whether centroids are sifted by the leading columns of a rotation.
#[derive(Clone, Copy, PartialEq)]
enum Sifting {
    Untried,
    On,
    Off,
}

/// How rows are looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Look {
    /// One by one, as their bounds say.
    Rows,
    /// All of them, tile by tile.
    Tiles,
    /// Tile by tile, in the order of a tree.
    Tree,
}

/// Whether rows are in the order of a tree.
#[derive(Clone, Copy, PartialEq)]
enum Tree {
    Untried,
    On,
    /// Its boxes were found to rule too few centroids out.
    Useless,
}

/// Since the rows were last sorted:
struct Sorted {
    /// how many changed their label,
    moved: u64,
    /// and whether tiles were found to have few candidates.
    narrows: bool,
}

impl Plan {
    pub(crate) fn new<F: Float>(algorithm: Algorithm, n: usize, k: usize, width: usize) -> Self {
        let scores = k * width * size_of::<F>() / size_of::<f32>();
        Self {
            algorithm,
            n,
            k,
            width,
            scores: [scores; 2],
            by_whole_numbers: true,
            passes: 0,
            sorted: None,
            sifting: Sifting::Untried,
            tree: Tree::Untried,
            bounds: false,
            amended: 0,
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The same for the same rows and another number of centroids.
    pub(crate) fn regrouped(&self, k: usize) -> Self {
        let sorted = self.sorted.as_ref().map(|sorted| Sorted { ..*sorted });
        // What follows is compared with what was before, and most of it is known.
        Self { k, sorted, bounds: true, amended: 0, ..*self }
    }

    pub(crate) fn start_over(&mut self) {
        let sifting = Sifting::Untried;
        *self = Self { passes: 0, sorted: None, sifting, bounds: false, amended: 0, by_whole_numbers: true, ..*self };
    }

    /// Whether half gaps are worth k² distances.
    pub(crate) fn wants_gaps(&self) -> bool {
        self.k <= 16 || self.k * 512 <= self.n
    }

    /// How rows are looked at in the next pass.
    pub(crate) fn look(&mut self) -> Look {
        let sifts = self.sifting == Sifting::On || self.tries_sifting();
        match self.algorithm {
            Algorithm::Tree => Look::Tree,
            Algorithm::Auto if self.wants_tree() => {
                (self.tree, self.sorted) = (Tree::On, None);
                Look::Tree
            }
            // Bounds, and what they serve, pay where scores cost more than they do, or where few rows are open.
            Algorithm::Auto if !self.bounds && !sifts && (!self.may_sort() || self.may_tree()) => Look::Tiles,
            _ => Look::Rows,
        }
    }

    /// Whether rows are few enough to be kept in whole numbers beside them, and centroids so few that rounding counts.
    pub(crate) fn keeps_rounded<F: Float>(&self) -> bool {
        const ROOM: usize = 12 << 20;
        self.by_whole_numbers && self.k <= 256 && Rounded::<F>::bytes(self.n, self.width) <= ROOM
    }

    /// Whether boxes can be small beside clusters, and as much was spent on passes as a tree costs.
    fn wants_tree(&self) -> bool {
        let spent = self.passes as usize * self.k * (self.width + 4);
        self.tree == Tree::On || self.may_tree() && spent >= 500
    }

    /// Whether a tree will be tried.
    fn may_tree(&self) -> bool {
        self.tree == Tree::Untried && self.width <= 4
    }

    /// Whether bounds that tell as many labels as they would have told save more than they cost: to keep them costs about as much
    /// as 200 columns of scores a row, and to take an open row out of its tile 800.
    fn bounds_pay(&self, Effort { asked, told, .. }: Effort) -> bool {
        let (asked, told) = (asked as f64, told as f64);
        let [scores, open] = self.scores.map(|scores| scores as f64);
        scores * asked > 200.0 * asked + (800.0 + open) * (asked - told)
    }

    /// Whether it could pay to sort the rows by cluster.
    fn may_sort(&self) -> bool {
        self.k >= 32 && self.k * (self.width + 6) >= 1500 && self.n >= 64 * self.k
    }

    /// Whether tiles are narrowed to candidates.
    pub(crate) fn narrows(&self) -> bool {
        self.sorted.as_ref().is_some_and(|sorted| sorted.narrows)
    }

    /// Whether the rows should be sorted by cluster now.
    pub(crate) fn wants_order<F: Float>(&self, centroids: &Centroids<F>, labels: &[u32], bounds: &[Bounds]) -> bool {
        match (&self.sorted, self.algorithm) {
            (None, Algorithm::Groups) => true,
            (Some(sorted), _) => sorted.narrows && sorted.moved * 2 > self.n as u64,
            // Where rows are soon scored, or few share a list, a list saves nothing.
            (None, Algorithm::Auto) if self.sifting != Sifting::On => {
                self.may_sort() && self.passes.is_power_of_two() && expected_candidates(centroids, labels, bounds) < 0.5
            }
            _ => false,
        }
    }

    /// Whether sifting should be tried now, on a few rows.
    pub(crate) fn tries_sifting(&self) -> bool {
        let (width, untried) = (self.width, self.sifting == Sifting::Untried && self.passes > 0);
        untried
            && match self.algorithm {
                Algorithm::Prefix => width >= 8,
                // Where a rotation costs little beside the passes.
                Algorithm::Auto => width >= 64 && self.k >= 128 && self.n * self.k >= 2560 * width,
                _ => false,
            }
    }

    /// Notes that sifting left this share of the scores to be completed, and says whether it goes on.
    pub(crate) fn sifts(&mut self, share: f64) -> bool {
        let on = self.algorithm == Algorithm::Prefix || share < 0.05;
        self.sifting = if on { Sifting::On } else { Sifting::Off };
        on
    }

    /// Notes that rows were sorted.
    pub(crate) fn sorted(&mut self) {
        self.sorted = Some(Sorted { moved: 0, narrows: true });
    }

    /// Notes what the scores of a row cost, in columns of `f32`: of one in its tile, and of one taken out of it; and whether whole
    /// numbers tell enough of them for rows to be kept as such.
    pub(crate) fn note_cost(&mut self, by_whole_numbers: bool, scores: [usize; 2]) {
        (self.by_whole_numbers, self.scores) = (by_whole_numbers, scores);
    }

    /// Notes what a pass cost, and says whether the sums should be made from the rows in the next.
    pub(crate) fn note(&mut self, look: Look, effort: Effort, anew: bool) -> bool {
        self.passes += 1;
        match look {
            Look::Tree => {
                let useful = effort.scores * 2 <= (self.n * self.k) as u64;
                self.tree = if useful || self.algorithm == Algorithm::Tree { Tree::On } else { Tree::Useless };
            }
            Look::Tiles => self.bounds = self.bounds_pay(effort),
            Look::Rows => (),
        }
        if let Some(sorted) = &mut self.sorted {
            sorted.moved += effort.changed;
            // Judged where there were rows enough to fill tiles.
            let judged = effort.opened as usize * 8 > self.n;
            sorted.narrows &= !judged || effort.share(self.k) < 0.6;
        }
        self.amended = if anew { 0 } else { self.amended + effort.changed };
        // Taking a row out and adding it is twice the work of adding it, so beyond a third of them it is less to start over. That
        // rows had no label before says nothing of the next pass.
        self.amended > self.n as u64 || self.passes > 1 && effort.changed * 3 > self.n as u64
    }
}

/// The share of the centroids that lie within reach of a row of a cluster, on average over the rows: an estimate of what
/// sorting leaves to be scored.
fn expected_candidates<F: Float>(centroids: &Centroids<F>, labels: &[u32], bounds: &[Bounds]) -> f64 {
    let k = centroids.len();
    let (mut radius, mut size) = (vec![0.0f32; k], vec![0u64; k]);
    // A run of rows in several is enough to know a cluster by.
    for (labels, bounds) in labels.chunks(RUN).zip(bounds.chunks(RUN)).step_by((labels.len() / (64 * RUN)).max(1)) {
        for (label, bounds) in labels.iter().zip(bounds) {
            let c = *label as usize;
            radius[c] = radius[c].max(bounds.upper());
            size[c] += 1;
        }
    }
    let (mut within, mut all) = (0.0, 0.0);
    // And a few clusters are enough to know the others by.
    for a in (0..k).step_by(k.div_ceil(16)).filter(|a| size[*a] > 0) {
        let reach = 4.0 * f64::from(radius[a]).powi(2);
        let near = centroids.rows().filter(|row| squared_distance(row, centroids.row(a)) <= reach).count();
        within += size[a] as f64 * near as f64;
        all += size[a] as f64 * k as f64;
    }
    if all > 0.0 { within / all } else { 1.0 }
}

/// For each centroid its place in an order that keeps near ones together: halved by the widest column, again and again.
pub(crate) fn spatial_rank<F: Float>(centroids: &Centroids<F>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..centroids.len() as u32).collect();
    halve(centroids, &mut order);
    let mut rank = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, c)| rank[*c as usize] = place as u32);
    rank
}

fn halve<F: Float>(centroids: &Centroids<F>, members: &mut [u32]) {
    if members.len() <= 2 {
        return;
    }
    let value = |c: &u32, j: usize| centroids.row(*c as usize)[j];
    let width = |j: usize| {
        let values = members.iter().map(|c| value(c, j).widen());
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        high - low
    };
    let widest = (1..centroids.width()).fold((0, width(0)), |most, j| {
        let width = width(j);
        if width > most.1 { (j, width) } else { most }
    });
    let half = members.len() / 2;
    let by_value = |a: &u32, b: &u32| value(a, widest.0).widen().total_cmp(&value(b, widest.0).widen()).then(a.cmp(b));
    members.select_nth_unstable_by(half, by_value);
    let (low, high) = members.split_at_mut(half);
    halve(centroids, low);
    halve(centroids, high);
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u64 = 10_000;

    /// The next look, after a pass that was looked at as planned and counted this.
    fn next(plan: &mut Plan, effort: Effort) -> Look {
        let look = plan.look();
        plan.note(look, effort, false);
        plan.look()
    }

    fn scores(scores: u64) -> Effort {
        Effort { opened: N, scores, ..Effort::default() }
    }

    fn told(told: u64) -> Effort {
        Effort { opened: N, asked: 1000, told, ..Effort::default() }
    }

    #[test]
    fn rows_of_few_columns_go_into_a_tree_and_leave_it_if_it_is_of_no_use() {
        let (k, all) = (100, N * 100);
        let mut plan = Plan::new::<f32>(Algorithm::Auto, N as usize, k, 2);
        assert_eq!(plan.look(), Look::Tiles);
        assert_eq!(next(&mut plan, scores(all)), Look::Tree);
        assert_eq!(next(&mut plan, scores(all / 10)), Look::Tree);
        // Relocated rows do not cost the tree.
        plan.start_over();
        assert_eq!(plan.look(), Look::Tree);
        assert_eq!(next(&mut plan, scores(all)), Look::Tiles, "more than half of the centroids are left");
        assert_eq!(next(&mut plan, scores(all)), Look::Tiles, "it is not tried again");
        let mut forced = Plan::new::<f32>(Algorithm::Tree, N as usize, k, 2);
        assert_eq!(next(&mut forced, scores(all)), Look::Tree);
    }

    #[test]
    fn bounds_are_made_when_they_would_tell_enough_and_stay() {
        // 64 × 16 columns of scores: bounds must tell 55 % of the rows.
        let mut plan = Plan::new::<f32>(Algorithm::Auto, N as usize, 64, 16);
        assert_eq!(next(&mut plan, told(0)), Look::Tiles);
        assert_eq!(next(&mut plan, told(500)), Look::Tiles);
        assert_eq!(next(&mut plan, told(600)), Look::Rows);
        assert_eq!(next(&mut plan, told(0)), Look::Rows);
        // Where scores cost next to nothing they never are.
        let mut cheap = Plan::new::<f32>(Algorithm::Auto, N as usize, 2, 16);
        assert_eq!(next(&mut cheap, told(1000)), Look::Tiles);
        // What is regrouped knows its rows.
        assert_eq!(cheap.regrouped(3).look(), Look::Rows);
    }

    #[test]
    fn where_sorting_or_sifting_may_pay_bounds_are_made_for_it() {
        let mut sorts = Plan::new::<f32>(Algorithm::Auto, N as usize, 150, 6);
        assert_eq!(sorts.look(), Look::Rows);
        let mut sifts = Plan::new::<f32>(Algorithm::Auto, N as usize, 160, 64);
        assert_eq!(sifts.look(), Look::Tiles);
        assert_eq!(next(&mut sifts, told(0)), Look::Rows);
        assert!(sifts.tries_sifting() && !sifts.sifts(0.5));
        assert_eq!(next(&mut sifts, told(0)), Look::Tiles, "it was of no use");
    }
}
