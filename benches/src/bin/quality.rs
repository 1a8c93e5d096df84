//! How near k-means comes to the best solution known, with and without a search, over many seeds, as a table.
//!
//! ```text
//! cargo run --release -p miscela-benches --bin quality
//! cargo run --release -p miscela-benches --bin quality -- TABLE.csv K BEST   # a table of your own: a line of names, numbers
//! ```
//!
//! A fit succeeds if its inertia is within 0.01 % of the best known: the least that any fit here found, or the one from the
//! true centres, or the number given. Cost is in distances of a row to a centre, those of all iterations and of the search, by
//! those of the median plain run: of its iterations alone, and of its seeding too, where greedy k-means++ counts
//! n(1 + (k − 1)t) for t trials whatever is passed over.

use miscela::prelude::*;
use miscela_em::{KMeansFamily, Session, Summary};
use miscela_init::Seeding;
use miscela_kernel::Samples;
use ndarray::{Array2, Axis};
use rand::{Rng, RngCore, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256Plus;
use std::error::Error;
use std::time::Instant;

const SEEDS: u64 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    println!(
        "| data | n | d | k | search | mean excess | success | iterations | tried | kept | cost, of runs | of runs with seeding | ms |"
    );
    println!("|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    if let [table, k, best] = &args[..] {
        let text = std::fs::read_to_string(table)?;
        let lines: Vec<Vec<f64>> = text.lines().skip(1).map(numbers).collect::<Result<_, _>>()?;
        let rows = Array2::from_shape_vec((lines.len(), lines[0].len()), lines.concat())?;
        return compare(&Set { name: table.clone(), rows, k: k.parse()?, best: best.parse()? }, SEEDS);
    }
    for k in [15, 20, 35, 50] {
        compare(&Set::blobs(k)?, SEEDS)?;
    }
    compare(&Set::unequal()?, SEEDS)?;
    compare(&Set::grid()?, SEEDS / 5)
}

fn numbers(line: &str) -> Result<Vec<f64>, std::num::ParseFloatError> {
    line.split(',').map(str::parse).collect()
}

/// Rows, and the least inertia known.
struct Set {
    name: String,
    rows: Array2<f64>,
    k: usize,
    best: f64,
}

impl Set {
    /// Spheres of these sizes about these centres.
    fn around(name: &str, centres: Array2<f64>, deviation: f64, sizes: &[usize]) -> Result<Self, KMeansError> {
        let mut rng = Xoshiro256Plus::seed_from_u64(1);
        let labels: Vec<usize> = sizes.iter().enumerate().flat_map(|(c, size)| vec![c; *size]).collect();
        let mut rows = centres.select(Axis(0), &labels);
        rows.mapv_inplace(|x| x + deviation * rng.sample::<f64, _>(StandardNormal));
        let params = KMeans::params(sizes.len()).init_method(KMeansInit::Precomputed(centres)).tolerance(0.0);
        let best = params.fit(&DatasetBase::from(rows.view()))?.inertia_sum();
        Ok(Self { name: name.into(), rows, k: sizes.len(), best })
    }

    /// Overlapping blobs in the plane.
    fn blobs(k: usize) -> Result<Self, KMeansError> {
        let mut rng = Xoshiro256Plus::seed_from_u64(k as u64);
        let side = 5.0 * (k as f64).sqrt();
        let centres = Array2::from_shape_simple_fn((k, 2), || side * rng.gen_range(0.0..1.0));
        Self::around("overlapping blobs", centres, 1.0, &vec![200; k])
    }

    /// Three clusters of 2000 rows and five of 100.
    fn unequal() -> Result<Self, KMeansError> {
        let centres =
            [[0.0, 0.0], [9.0, 12.0], [18.0, 0.0], [40.0, 0.0], [40.0, 12.0], [48.0, 6.0], [56.0, 0.0], [56.0, 12.0]];
        Self::around("unequal sizes", Array2::from(centres.to_vec()), 2.0, &[2000, 2000, 2000, 100, 100, 100, 100, 100])
    }

    /// A 10 × 10 grid of 100,000 rows.
    fn grid() -> Result<Self, KMeansError> {
        let centres = Array2::from_shape_fn((100, 2), |(c, j)| 4.0 * if j == 0 { c % 10 } else { c / 10 } as f64);
        Self::around("10 × 10 grid", centres, 1.0, &[1000; 100])
    }
}

fn compare(set: &Set, seeds: u64) -> Result<(), Box<dyn Error>> {
    let (n, d) = set.rows.dim();
    let plain = plain_distances(set, seeds)?;
    let trials = 2 + (set.k as f64).ln() as u64;
    let seeding = n as u64 * (1 + (set.k as u64 - 1) * trials);
    let dataset = DatasetBase::from(set.rows.view());
    let mut found = Vec::new();
    for search in Search::ALL {
        let clock = Instant::now();
        let fit = |seed| KMeans::params_with_rng(set.k, rng(seed)).search(search).fit(&dataset);
        let models = (0..seeds).map(fit).collect::<Result<Vec<_>, _>>()?;
        found.push((search, models, clock.elapsed().as_secs_f64() * 1e3 / seeds as f64));
    }
    let all = found.iter().flat_map(|(_, models, _)| models).map(KMeans::inertia_sum);
    let best = all.fold(set.best, f64::min);
    for (search, models, ms) in found {
        let mean = |of: &dyn Fn(&KMeans<f64>) -> f64| models.iter().map(of).sum::<f64>() / seeds as f64;
        let excess = mean(&|model| model.inertia_sum() / best - 1.0);
        let success = models.iter().filter(|model| model.inertia_sum() <= best * 1.0001).count();
        let searched =
            |of: &dyn Fn(&miscela::SearchReport) -> f64| mean(&|model| model.report().search.as_ref().map_or(0.0, of));
        let distances = searched(&|search| search.distances as f64);
        println!(
            "| {} | {n} | {d} | {} | {search} | {:.3} % | {success} of {seeds} | {:.1} | {:.1} | {:.2} | {:.1} | {:.1} | {ms:.2} |",
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

fn rng(seed: u64) -> Xoshiro256Plus {
    Xoshiro256Plus::seed_from_u64(seed)
}

/// The distances that the iterations of a plain run compute, the median over seeds.
fn plain_distances(set: &Set, seeds: u64) -> Result<u64, Box<dyn Error>> {
    let samples = Samples::new(&set.rows)?;
    let summary = Summary::of(&samples, Threads::Ambient);
    let tolerance = 1e-4 * summary.mean_variance();
    let mut all = Vec::new();
    for seed in 0..seeds {
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
