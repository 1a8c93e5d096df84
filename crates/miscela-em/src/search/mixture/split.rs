//! Where a component would be better as two, and which two.
//!
//! ```text
//! gain = Σ w r (ln s(x) − ln N(x))      r: the component's share of row x, N its density, s that of the two
//! ```
//!
//! The two are fitted to the rows of the one, each weighing what its share is, which costs next to nothing: together the
//! components have few more rows than there are. As ln is concave, the log-likelihood of the whole mixture rises by the
//! gain at least when the two take the place of the one; for hard assignment so does what that maximises. Where structures tie
//! the shapes together, and with a prior, the gain is a guess.
//!
//! Ueda, Nakano, Ghahramani & Hinton (2000), *SMEM algorithm for mixture models*, split where rows are least like the density
//! and fit the parts in the same way.

use super::MixtureSearch;
use super::component::{Component, apart, together};
use crate::assignment::{Assignment, Held, Mixing};
use crate::collapse::Collapse;
use crate::course::{Course, Outcome};
use crate::density::Density;
use crate::gaussian::MixtureSettings;
use crate::parameters::Mixture;
use crate::passes::over_lanes;
use crate::squarem::Acceleration;
use crate::start::{Shares, from_shares};
use crate::tiles::{GaussianScratch, tile_rows};
use miscela_kernel::{Block, Float, Samples, Threads, soften, uniform, winners};
use ndarray::Array2;

/// Pairs of rows that a component is cut in two by, besides its principal axis.
const DRAWN: usize = 4;

/// Iterations that two halves may take.
const STEPS: usize = 15;

/// Rows of a component that are looked at, at most: every other one, every third, … of more.
const ROWS: usize = 4000;

/// A smaller share of a row is none.
const LEAST_SHARE: f64 = 0.01;

/// A component as two.
#[derive(Clone, Debug)]
pub(super) struct Split {
    pub(super) gain: f64,
    pub(super) halves: [Component; 2],
}

/// The best split found of each component; none where nothing is gained.
///
/// Halves that had to be repaired, or that gather less weight than `support`, are none.
pub(super) fn splits<F: Float>(
    search: &MixtureSearch<F>,
    mixture: &Mixture<F>,
    support: f64,
    seed: u64,
) -> Vec<Option<Split>> {
    let (course, scatter) = (&search.course, search.scatter());
    let Some(members) = members(course, mixture) else { return vec![None; mixture.n_components()] };
    let components = apart(mixture, scatter);
    course.threads.map(components.len(), |c| {
        let (rows, weights) = gathered(course.samples, &members[c]);
        let samples = Samples::weighted(&rows, weights).ok()?;
        let cut = Cut { search, mixture, whole: &components[c], samples: &samples, support };
        cut.best(uniform::of_row(seed, c))
    })
}

/// The rows of each component, and their weights times their shares. Memory: 16 bytes a row and component that has a share in
/// it.
fn members<F: Float>(course: &Course<F>, mixture: &Mixture<F>) -> Option<Vec<Vec<(usize, f64)>>> {
    let (density, k) = (Density::new(mixture).ok()?, mixture.n_components());
    let (hard, temperature) =
        (course.settings.assignment == Assignment::Hard, course.settings.assignment.temperature());
    let empty = || vec![Vec::new(); k];
    let work = |block: &Block<F>, members: &mut Vec<Vec<(usize, f64)>>, scratch: &mut GaussianScratch<F>| {
        for t in 0..scratch.fill(block, density.offset(), density.n_labels()) {
            let columns = scratch.log_densities(&density, t);
            let (winner, _) = winners(columns);
            soften(columns, temperature);
            for (at, i) in tile_rows(block.len(), t).enumerate().filter(|(_, i)| block.weight(*i) > 0.0) {
                for (c, members) in members.iter_mut().enumerate() {
                    let share =
                        if hard { f64::from(u8::from(winner.0[at] as usize == c)) } else { columns[c].0[at].widen() };
                    if share >= LEAST_SHARE {
                        members.push((block.first() + i, block.weight(i) * share));
                    }
                }
            }
        }
    };
    let mut all = empty();
    for part in over_lanes(course.samples, 8 * k, course.threads, empty, work) {
        all.iter_mut().zip(part).for_each(|(all, part)| all.extend(part));
    }
    Some(all)
}

/// Copies rows, evenly left out where there are too many, with the weight of all.
fn gathered<F: Float>(samples: &Samples<F>, members: &[(usize, f64)]) -> (Array2<F>, Vec<f64>) {
    let total = |members: &mut dyn Iterator<Item = f64>| members.sum::<f64>();
    let taken: Vec<_> = members.iter().step_by(members.len().div_ceil(ROWS).max(1)).collect();
    let scale = total(&mut members.iter().map(|m| m.1)) / total(&mut taken.iter().map(|m| m.1));
    let mut rows = Array2::zeros((taken.len(), samples.n_columns()));
    for (member, mut row) in taken.iter().zip(rows.outer_iter_mut()) {
        row.as_slice_mut().into_iter().for_each(|row| samples.copy_row(member.0, row));
    }
    (rows, taken.iter().map(|member| member.1 * scale).collect())
}

/// One component about to be cut, with its rows.
struct Cut<'c, 'a, 's, 'r, F: Float> {
    search: &'c MixtureSearch<'a, 's, F>,
    mixture: &'c Mixture<F>,
    whole: &'c Component,
    samples: &'c Samples<'r, F>,
    support: f64,
}

impl<'c, 'r, F: Float> Cut<'c, '_, '_, 'r, F> {
    fn best(&self, seed: u64) -> Option<Split> {
        let whole = [Component { weight: 1.0, ..self.whole.clone() }];
        let settings = &self.search.course.settings;
        let mut before = together(&whole, settings.covariance, self.mixture);
        (before.noise, before.weights[0]) = (None, F::one());
        let before = self.course(0).run(before, &mut ()).ok()?.objective;
        let drawn = (0..DRAWN).map(|i| self.between(uniform::of_row(seed, i)));
        let planes = std::iter::once(self.principal()).chain(drawn).flatten();
        let halves = planes.filter_map(|(point, normal)| self.settle(&self.sides(&point, &normal)));
        let best = halves.reduce(|best, one| if one.objective > best.objective { one } else { best })?;
        let gain = best.objective - before;
        let [mut a, mut b] = <[Component; 2]>::try_from(apart(&best.mixture, self.search.scatter())).ok()?;
        (a.weight, b.weight) = (a.weight * self.whole.weight, b.weight * self.whole.weight);
        (gain > 0.0).then_some(Split { gain, halves: [a, b] })
    }

    /// The fit of one or two components to the rows.
    fn course(&self, max_iterations: usize) -> Course<'c, 'r, F> {
        let Course { summary, ref settings, seed, .. } = self.search.course;
        let settings = MixtureSettings {
            mixing: if settings.mixing == Mixing::Equal { Mixing::Equal } else { Mixing::Free },
            // A shape that all share is not for two of them to change.
            held: Held { covariances: settings.covariance.is_tied(), ..Held::default() },
            noise: None,
            collapse: Collapse::Floor,
            acceleration: Acceleration::None,
            ..settings.clone()
        };
        Course { samples: self.samples, summary, settings, seed, max_iterations, threads: Threads::One }
    }

    /// Two components from these sides.
    fn settle(&self, sides: &[usize]) -> Option<Outcome<F>> {
        let course = self.course(STEPS);
        let (mut start, repairs) =
            from_shares(self.samples, Shares::Labels(sides), 2, &course.settings, course.summary, Threads::One).ok()?;
        if course.settings.held.covariances {
            start.covariances.clone_from(&self.mixture.covariances);
        }
        let outcome = course.run(start, &mut ()).ok().filter(|outcome| outcome.run.repairs.is_empty())?;
        let total = self.samples.total_weight();
        let supported = outcome.mixture.weights.iter().all(|weight| weight.widen() * total >= self.support);
        (repairs.is_empty() && supported && outcome.mixture.n_components() == 2).then_some(outcome)
    }

    /// On which side of a plane, a point of it and its normal, each row lies.
    fn sides(&self, point: &[f64], normal: &[f64]) -> Vec<usize> {
        self.map_rows(|row| {
            let along: f64 = row.iter().zip(point).zip(normal).map(|((x, p), n)| (x.widen() - p) * n).sum();
            usize::from(along > 0.0)
        })
    }

    /// The plane through the mean across the principal axis of the rows, in units of the columns; by power iteration.
    fn principal(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        const ROUNDS: usize = 20;
        let scale = self.search.course.summary.positive_variance::<F>();
        let mean = &self.whole.mean;
        let from_mean = |row: &[F]| -> Vec<f64> {
            row.iter().zip(mean).zip(&scale).map(|((x, m), v)| (x.widen() - m) / v.sqrt()).collect()
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let far = self.map_rows(|row| from_mean(row));
        let mut axis = far.iter().max_by(|a, b| dot(a, a).total_cmp(&dot(b, b)))?.clone();
        for _ in 0..ROUNDS {
            let mut next = vec![0.0; axis.len()];
            for (i, z) in far.iter().enumerate() {
                let along = self.samples.weight(i) * dot(z, &axis);
                next.iter_mut().zip(z).for_each(|(next, z)| *next += along * z);
            }
            let length = dot(&next, &next).sqrt();
            axis = next.into_iter().map(|x| x / length).collect();
        }
        let normal: Vec<f64> = axis.iter().zip(&scale).map(|(a, v)| a / v.sqrt()).collect();
        normal.iter().all(|x| x.is_finite()).then(|| (mean.clone(), normal))
    }

    /// The plane that parts the rows which are nearer to one of two drawn rows from those nearer to the other, as the component
    /// measures.
    fn between(&self, seed: u64) -> Option<(Vec<f64>, Vec<f64>)> {
        let drawn = |i: usize| {
            let mut left = uniform::unit(uniform::of_row(seed, i)) * self.samples.total_weight();
            let passed = |i: &usize| {
                left -= self.samples.weight(*i);
                left < 0.0
            };
            let row = (0..self.samples.n_rows()).find(passed)?;
            Some(self.samples.rows().row(row).iter().map(|x| x.widen()).collect::<Vec<f64>>())
        };
        let (a, b) = (drawn(0)?, drawn(1)?);
        let point = a.iter().zip(&b).map(|(a, b)| (a + b) / 2.0).collect();
        let delta: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        Some((point, self.whole.solved(&delta, self.search.scatter())?))
    }

    fn map_rows<T>(&self, mut of: impl FnMut(&[F]) -> T) -> Vec<T> {
        let rows = self.samples.rows();
        rows.outer_iter().map(|row| of(row.as_slice().unwrap_or_default())).collect()
    }
}
