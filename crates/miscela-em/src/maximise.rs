//! The M-step of Gaussian mixtures: from statistics to the most likely parameters.

use crate::collapse::{Collapse, shrink};
use crate::covariance::{Regulariser, Within};
use crate::gaussian::MixtureSettings;
use crate::parameters::{Covariances, Mixture};
use crate::prior::Prior;
use crate::report::RepairAction;
use crate::statistics::Statistics;
use crate::summary::Summary;
use miscela_kernel::Float;
use ndarray::{Array2, Axis};

/// Component, action, detail.
pub(crate) type Notes = Vec<(usize, RepairAction, String)>;

/// What an M-step goes by, besides the statistics.
pub(crate) struct Terms<'a, F> {
    pub(crate) settings: &'a MixtureSettings,
    /// A variance for each column: what small is measured against.
    pub(crate) scale: &'a [f64],
    pub(crate) prior: Option<&'a Prior>,
    /// Structures whose estimate is iterated go on from the parameters before; and means that are held are theirs, and what the
    /// scatter is about.
    pub(crate) previous: Option<&'a Mixture<F>>,
    /// Components that were just given new rows.
    pub(crate) relocated: &'a [usize],
}

/// What the components have gathered, on its way to parameters.
pub(crate) struct Gathered {
    pub(crate) within: Within,
    /// k × d
    pub(crate) means: Array2<f64>,
    /// Nₖ, for the mixing weights.
    pub(crate) weight: Vec<f64>,
    /// The weight of rows that are noise.
    noise: f64,
}

/// The most likely mixture for the statistics, under the terms' structure, ridge, prior and floor.
///
/// Noise takes its share of the weights; it is for the caller to put it into the mixture.
///
/// `rescue` may do something about components that collapsed, of those given; whether it did.
pub(crate) fn maximise<F: Float>(
    statistics: Statistics,
    terms: &Terms<F>,
    repairs: &mut Notes,
    rescue: impl FnOnce(&mut Gathered, &[usize], &mut Notes) -> bool,
) -> Mixture<F> {
    let settings = terms.settings;
    let mut gathered = Gathered::new(statistics, terms, repairs);
    let (mut covariances, mut raised) = gathered.estimate::<F>(settings, terms.scale);
    if settings.collapse.replaces() {
        let collapsed = gathered.collapsed::<F>(settings, terms.scale, &raised, repairs);
        if !collapsed.is_empty() && rescue(&mut gathered, &collapsed, repairs) {
            gathered.within.previous = None;
            (covariances, raised) = gathered.estimate::<F>(settings, terms.scale);
        }
    }
    let floor = Regulariser::new::<F>(terms.scale).floor;
    for (component, count) in raised {
        let whose = if component.is_some() { "its" } else { "the shared" };
        let detail = format!("{count} of {whose} variances raised to {floor:e} of the data's");
        repairs.push((component.unwrap_or(0), RepairAction::Floored, detail));
    }
    let total = gathered.weight.iter().sum::<f64>() + gathered.noise;
    let k = gathered.weight.len();
    let estimated = || gathered.weight.iter().map(|n| F::narrow(n / total)).collect();
    let weights = settings.mixing.fixed(k, 1.0 - gathered.noise / total).unwrap_or_else(estimated);
    Mixture::new(weights, gathered.means.mapv(F::narrow), covariances.cast())
}

/// The mixture of a start. What collapses already is kept by the floor, until the rows had their say.
pub(crate) fn maximise_start<F: Float>(
    statistics: Statistics,
    settings: &MixtureSettings,
    summary: &Summary,
    repairs: &mut Notes,
) -> Mixture<F> {
    let (prior, scale) = (settings.prior(statistics.sums().k(), summary), summary.positive_variance::<F>());
    let terms = Terms { settings, scale: &scale, prior: prior.as_ref(), previous: None, relocated: &[] };
    maximise(statistics, &terms, repairs, |_, _, _| false)
}

/// Component (none: the shape that all share) and how many of its variances were raised.
type Raised = Vec<(Option<usize>, usize)>;

impl Gathered {
    /// A component without weight, or one that was just moved, has no scatter to speak of and takes the pooled shape.
    fn new<F: Float>(statistics: Statistics, terms: &Terms<F>, repairs: &mut Notes) -> Self {
        let (settings, sums) = (terms.settings, statistics.sums());
        let structure = settings.covariance.structure();
        let (k, total, noise, weight) = (sums.k(), sums.total(), sums.noise, sums.counts().to_vec());
        let held_means = terms.previous.filter(|_| settings.held.means).map(|before| &before.means);
        let within = Within {
            width: sums.width,
            weight: weight.clone(),
            covariance: (0..k).map(|c| covariance_of(&statistics, c, held_means)).collect(),
            previous: terms.previous.filter(|_| structure.iterates()).map(|before| before.covariances.clone().cast()),
        };
        let means = held_means.map_or_else(|| statistics.means(), |means| means.mapv(|m| m.widen()));
        let mut gathered = Self { within, means, weight, noise };
        // The sums can be as large as the rows: what is done with goes before more is made.
        drop(statistics);
        let within = &mut gathered.within;
        let starved: Vec<usize> = (0..k).filter(|c| within.weight[*c] <= f64::EPSILON * total).collect();
        // A shape that all share is pooled anyway, and the more it counts of them the better it is estimated.
        if !settings.covariance.is_tied() {
            let pooled = within.pooled();
            for c in starved.iter().chain(terms.relocated) {
                within.covariance[*c].clone_from(&pooled);
            }
        }
        for c in starved {
            let detail = "had no weight left; kept its mean, with the pooled covariance".into();
            repairs.push((c, RepairAction::Starved, detail));
        }
        if settings.collapse == Collapse::Shrink && !settings.covariance.is_tied() {
            for (c, alpha) in shrink(within, structure.scatter(), terms.scale) {
                let detail = format!("its scatter went {alpha:.1e} of the way to the pooled");
                repairs.push((c, RepairAction::Shrunk, detail));
            }
        }
        if let Some(prior) = terms.prior {
            for (c, mut mean) in gathered.means.outer_iter_mut().enumerate() {
                let mean = mean.as_slice_mut().unwrap_or_default();
                prior.add(within, c, mean, held_means.is_some(), structure.scatter());
            }
        }
        within.add_to_variances(settings.reg_covariance, structure.scatter());
        gathered
    }

    fn estimate<F: Float>(&self, settings: &MixtureSettings, scale: &[f64]) -> (Covariances<f64>, Raised) {
        let mut regulariser = Regulariser::new::<F>(scale);
        let covariances = settings.covariance.structure().estimate(&self.within, &mut regulariser);
        (covariances, regulariser.raised)
    }

    /// The components that starved, or that the floor holds in more directions than it holds the pooled covariance in.
    fn collapsed<F: Float>(
        &self,
        settings: &MixtureSettings,
        scale: &[f64],
        raised: &Raised,
        repairs: &Notes,
    ) -> Vec<usize> {
        let mut collapsed: Vec<usize> =
            repairs.iter().filter(|(_, action, _)| *action == RepairAction::Starved).map(|(c, ..)| *c).collect();
        if raised.iter().any(|(component, _)| component.is_some()) {
            let pooled = vec![self.within.pooled(); self.weight.len()];
            let within = Within { covariance: pooled, previous: None, weight: self.weight.clone(), ..self.within };
            let mut regulariser = Regulariser::new::<F>(scale);
            settings.covariance.structure().estimate(&within, &mut regulariser);
            let of_pooled = regulariser.raised.iter().map(|(_, count)| *count).max().unwrap_or(0);
            collapsed
                .extend(raised.iter().filter(|(_, count)| *count > of_pooled).filter_map(|(component, _)| *component));
        }
        collapsed
    }

    /// Starts component `c` again at a row, with an equal share and the pooled covariance.
    pub(crate) fn respawn<F: Float>(&mut self, c: usize, row: &[F]) {
        let pooled = self.within.pooled();
        let share = self.weight.iter().sum::<f64>() / self.weight.len() as f64;
        self.within.covariance[c] = pooled;
        (self.within.weight[c], self.weight[c]) = (share, share);
        self.means.row_mut(c).iter_mut().zip(row).for_each(|(to, x)| *to = x.widen());
    }

    /// Removes component `c`.
    pub(crate) fn remove(&mut self, c: usize) {
        self.within.covariance.remove(c);
        self.within.weight.remove(c);
        self.weight.remove(c);
        self.means.remove_index(Axis(0), c);
    }
}

fn covariance_of<F: Float>(statistics: &Statistics, c: usize, held_means: Option<&Array2<F>>) -> Vec<f64> {
    let n = statistics.sums().counts()[c];
    let mut scatter = match held_means {
        Some(means) => statistics.scatter_about(c, means.row(c).iter().map(|m| m.widen())),
        None => statistics.scatter_about_mean(c),
    };
    scatter.iter_mut().for_each(|s| *s = if n > 0.0 { *s / n } else { 0.0 });
    scatter
}
