//! Searches of mixtures.
//!
//! A fit succeeds if its mean log-likelihood a row is within 0.001 of the best known: the greatest that any fit here found, or
//! the one that the true clusters lead to. A fit that had to repair a component does not count: the likelihood has no bound
//! there. Cost is in iterations, those of the search beside those of the runs.

use crate::sets::Set;
use crate::{Seeds, rng};
use miscela::prelude::*;
use std::error::Error;
use std::time::Instant;

pub(crate) fn head() {
    println!("| data | n | d | k | shapes | fit | mean shortfall a row | success | iterations | tried | kept | ms |");
    println!("|---|---:|---:|---:|---|---|---:|---:|---:|---:|---:|---:|");
}

pub(crate) fn compare(set: &Set, covariance: Covariance, seeds: Seeds) -> Result<(), Box<dyn Error>> {
    let (n, d) = set.rows.dim();
    let (dataset, count) = (DatasetBase::from(set.rows.view()), seeds.clone().count() as f64);
    // Tight, so that where EM stops is no matter.
    let params = |seed| {
        GaussianMixture::params_with_rng(set.k, rng(seed)).covariance(covariance).tolerance(1e-5).max_n_iterations(1000)
    };
    let mut found = Vec::new();
    for (name, search, runs) in [
        ("one run", Search::None, 1),
        ("10 runs", Search::None, 10),
        ("swap", Search::Swap, 1),
        ("breathing", Search::Breathing, 1),
    ] {
        let clock = Instant::now();
        let fit = |seed| params(seed).search(search).n_runs(runs).fit(&dataset);
        let models = seeds.clone().map(fit).collect::<Result<Vec<_>, _>>()?;
        found.push((name, models, clock.elapsed().as_secs_f64() * 1e3 / count));
    }
    let planted = params(0).init_method(GmmInitMethod::Labels(set.labels.clone())).fit(&dataset)?;
    let sound = |model: &&GaussianMixture<f64>| model.report().repairs.is_empty();
    let all = found.iter().flat_map(|(_, models, _)| models).filter(sound).map(GaussianMixture::log_likelihood);
    let best = all.fold(planted.log_likelihood(), f64::max);
    for (name, models, ms) in found {
        let mean = |of: &dyn Fn(&GaussianMixture<f64>) -> f64| models.iter().map(of).sum::<f64>() / count;
        let short = |model: &GaussianMixture<f64>| (best - model.log_likelihood()) / n as f64;
        let success = models.iter().filter(sound).filter(|model| short(model) < 1e-3).count();
        let searched =
            |of: &dyn Fn(&miscela::SearchReport) -> f64| mean(&|model| model.report().search.as_ref().map_or(0.0, of));
        let runs = models[0].report().n_runs as f64;
        println!(
            "| {} | {n} | {d} | {} | {covariance} | {name} | {:.4} | {success} of {count} | {:.0} | {:.1} | {:.2} | {ms:.1} |",
            set.name,
            set.k,
            mean(&short),
            // Of several runs the best is told of.
            runs * mean(&|model| model.report().iterations as f64) + searched(&|search| search.iterations as f64),
            searched(&|search| search.tried as f64),
            searched(&|search| search.kept as f64),
        );
    }
    Ok(())
}
