//! How near fits come to the best solution known, with and without a search, over many seeds, as tables.
//!
//! ```text
//! cargo run --release -p miscela-benches --bin quality                        # all that follows, seeds 0 to 99
//! cargo run --release -p miscela-benches --bin quality -- kmeans 1000..1100   # k-means, these seeds
//! cargo run --release -p miscela-benches --bin quality -- mixtures            # mixtures
//! cargo run --release -p miscela-benches --bin quality -- kmeans TABLE.csv K BEST   # a table of your own: a line of names, numbers
//! ```
//!
//! What counts as a success, and how cost is counted, is said in `kmeans.rs` and `mixtures.rs` beside this file. Seeds are those
//! of the fits; the sets are always the same.

mod kmeans;
mod mixtures;
mod sets;

use miscela::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use sets::Set;
use std::error::Error;
use std::ops::Range;

/// Seeds of the fits.
type Seeds = Range<u64>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let seeds = args.iter().position(|arg| arg.contains("..")).map(|at| args.remove(at));
    let seeds = seeds.map_or(Ok(0..100), |seeds| range(&seeds))?;
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            of_kmeans(&seeds)?;
            println!();
            of_mixtures(&seeds)
        }
        ["kmeans"] => of_kmeans(&seeds),
        ["mixtures"] => of_mixtures(&seeds),
        ["kmeans", table, k, best] => {
            kmeans::head();
            kmeans::compare(&Set::read(table, k.parse()?, best.parse()?)?, seeds)
        }
        _ => {
            Err("what to measure is kmeans or mixtures, or kmeans TABLE.csv K BEST, and the seeds are FROM..TO".into())
        }
    }
}

fn range(text: &str) -> Result<Seeds, Box<dyn Error>> {
    let (from, to) = text.split_once("..").ok_or("the seeds are FROM..TO")?;
    let range = from.parse()?..to.parse()?;
    if range.is_empty() { Err("there are no seeds from there to there".into()) } else { Ok(range) }
}

fn of_kmeans(seeds: &Seeds) -> Result<(), Box<dyn Error>> {
    kmeans::head();
    for k in [15, 20, 35, 50] {
        kmeans::compare(&Set::blobs(k), seeds.clone())?;
    }
    kmeans::compare(&Set::unequal(), seeds.clone())?;
    kmeans::compare(&Set::grid(), fewer(seeds, 5))
}

fn of_mixtures(seeds: &Seeds) -> Result<(), Box<dyn Error>> {
    mixtures::head();
    mixtures::compare(&Set::blobs(15), Covariance::Spherical, seeds.clone())?;
    mixtures::compare(&Set::unequal(), Covariance::Full, seeds.clone())?;
    mixtures::compare(&Set::ellipsoids(8, 2), Covariance::Full, seeds.clone())?;
    mixtures::compare(&Set::ellipsoids(15, 2), Covariance::Full, seeds.clone())?;
    mixtures::compare(&Set::ellipsoids(10, 5), Covariance::Full, seeds.clone())?;
    mixtures::compare(&Set::ellipsoids(15, 3), Covariance::Diagonal, seeds.clone())?;
    mixtures::compare(&Set::ellipsoids(30, 2), Covariance::Full, fewer(seeds, 2))
}

/// The first of them.
fn fewer(seeds: &Seeds, by: u64) -> Seeds {
    seeds.start..seeds.start + (seeds.end - seeds.start).div_ceil(by)
}

fn rng(seed: u64) -> Xoshiro256Plus {
    Xoshiro256Plus::seed_from_u64(seed)
}
