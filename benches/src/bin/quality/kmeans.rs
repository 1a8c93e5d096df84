//! Searches of k-means.
//!
//! A fit succeeds if its inertia is within 0.01 % of the best known: the least that any fit here found, or the one from the
//! true centres, or the number given. Cost is in distances of a row to a centre, those of all iterations and of the search, by
//! those of the median plain run: of its iterations alone, and of its seeding too, where greedy k-means++ counts
//! n(1 + (k − 1)t) for t trials whatever is passed over.

use crate::sets::Set;
use crate::{Seeds, rng};
use miscela::prelude::*;
use miscela::{GmmInitMethod, SearchReport};
use miscela_em::{KMeansFamily, Session, Summary};
use miscela_init::Seeding;
use miscela_kernel::Samples;
use rand::RngCore;
use std::error::Error;
use std::time::Instant;

pub(crate) fn head() {
    println!(
        "| data | n | d | k | search | mean excess | success | iterations | tried | kept | cost, of runs | of runs with seeding | ms |"
    );
    println!("|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|");
}

pub(crate) fn compare(set: &Set, seeds: Seeds) -> Result<(), Box<dyn Error>> {
    let (n, d) = set.rows.dim();
    let plain = plain_distances(set, seeds.clone())?;
    let trials = 2 + (set.k as f64).ln() as u64;
    let seeding = n as u64 * (1 + (set.k as u64 - 1) * trials);
    let (dataset, count) = (DatasetBase::from(set.rows.view()), seeds.clone().count() as f64);
    let mut found = Vec::new();
    for search in Search::ALL {
        let clock = Instant::now();
        let fit = |seed| KMeans::params_with_rng(set.k, rng(seed)).search(search).fit(&dataset);
        let models = seeds.clone().map(fit).collect::<Result<Vec<_>, _>>()?;
        found.push((search, models, clock.elapsed().as_secs_f64() * 1e3 / count));
    }
    let all = found.iter().flat_map(|(_, models, _)| models).map(KMeans::inertia_sum);
    let best = all.fold(set.best.min(planted(set)?), f64::min);
    for (search, models, ms) in found {
        let mean = |of: &dyn Fn(&KMeans<f64>) -> f64| models.iter().map(of).sum::<f64>() / count;
        let excess = mean(&|model| model.inertia_sum() / best - 1.0);
        let success = models.iter().filter(|model| model.inertia_sum() <= best * 1.0001).count();
        let searched =
            |of: &dyn Fn(&SearchReport) -> f64| mean(&|model| model.report().search.as_ref().map_or(0.0, of));
        let distances = searched(&|search| search.distances as f64);
        println!(
            "| {} | {n} | {d} | {} | {search} | {:.3} % | {success} of {count} | {:.1} | {:.1} | {:.2} | {:.1} | {:.1} | {ms:.2} |",
            set.name,
            set.k,
            100.0 * excess,
            mean(&|model| model.report().iterations as f64) + searched(&|search| search.iterations as f64),
            searched(&|search| search.tried as f64),
            searched(&|search| search.kept as f64),
            1.0 + distances / plain as f64,
            1.0 + distances / (plain + seeding) as f64,
        );
    }
    Ok(())
}

/// The inertia that the true clusters lead to, if they are known.
fn planted(set: &Set) -> Result<f64, Box<dyn Error>> {
    if set.labels.is_empty() {
        return Ok(f64::INFINITY);
    }
    let start = GaussianMixture::params(set.k)
        .covariance(Covariance::TiedSpherical)
        .init_method(GmmInitMethod::Labels(set.labels.clone()))
        .max_n_iterations(0);
    let dataset = DatasetBase::from(set.rows.view());
    let centres = start.fit(&dataset)?.means().clone();
    let params = KMeans::params(set.k).init_method(KMeansInit::Precomputed(centres)).tolerance(0.0);
    Ok(params.fit(&dataset)?.inertia_sum())
}

/// The distances that the iterations of a plain run compute, the median over seeds.
fn plain_distances(set: &Set, seeds: Seeds) -> Result<u64, Box<dyn Error>> {
    let samples = Samples::new(&set.rows)?;
    let summary = Summary::of(&samples, Threads::Ambient);
    let tolerance = 1e-4 * summary.mean_variance();
    let mut all = Vec::new();
    for seed in seeds {
        let mut rng = rng(rng(seed).next_u64());
        let start = KMeansInit::KMeansPlusPlus.seed(&samples, set.k, &miscela::L2, Threads::Ambient, &mut rng)?;
        let mut family = KMeansFamily::new(&start.centres, miscela::L2, tolerance, summary.mean.clone());
        let mut session = Session::new(&family, &samples, Threads::Ambient);
        session.run(&mut family, 300, &mut ());
        family.evaluate(&mut session, &samples, Threads::Ambient);
        all.push(session.distances());
    }
    all.sort_unstable();
    Ok(all[all.len() / 2])
}
