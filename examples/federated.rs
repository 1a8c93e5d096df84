//! Three processes that share statistics, and no rows: a mixture fitted to data that nobody has as a whole.
//!
//! ```text
//! cargo run --release -p miscela-examples --bin federated
//! ```
//!
//! The first process starts three others, each of which reads its own part of the data. It sends them tasks, a line of JSON
//! each, and they answer with sums over their rows. That is all there is to `Workers`; seeding, iterations and the rules of stopping are
//! those of any fit. This one starts from given means and so only asks for sums; a start that is to be found asks for some rows
//! as well. What a sum over few rows tells of them is for you to judge.

use miscela::prelude::*;
use miscela::{Elsewhere, Partial, Samples, Task, WorkError, Workers};
use ndarray::{Array2, Axis, array};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

const SITES: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(site) = std::env::args().nth(1) {
        return serve(site.parse()?);
    }
    let start = GmmInitMethod::means(array![[2.0, 55.0], [4.5, 80.0]]);
    let params = GaussianMixture::params(2).init_method(start).tolerance(1e-9).check()?;

    let mut sites = Sites::start()?;
    let elsewhere = Elsewhere { workers: &mut sites, checkpoints: None, observer: &mut (), threads: Threads::One };
    let together = params.fit_over(elsewhere)?;
    println!("{} rounds of {SITES} sites", together.report().passes);
    println!("log-likelihood {:.6} of {} rows", together.log_likelihood(), together.sizes().iter().sum::<usize>());

    // Only to compare: somebody who has all rows.
    let pooled = params.fit(&DatasetBase::from(rows()?))?;
    let apart = (together.means() - pooled.means()).mapv(f64::abs).fold(0.0f64, |most, x| most.max(*x));
    println!(
        "means differ by {} from those of the pooled data",
        if apart < 1e-9 { "less than 1e-9".into() } else { apart.to_string() }
    );
    Ok(())
}

/// Old Faithful: the length of an eruption and the wait before the next.
fn rows() -> Result<Array2<f64>, Box<dyn Error>> {
    Ok(miscela_table::read(miscela_examples::data("faithful.csv"))?.into_f64())
}

/// One site: answers each task about its own rows.
fn serve(site: usize) -> Result<(), Box<dyn Error>> {
    let all = rows()?;
    let own: Vec<usize> = (site..all.nrows()).step_by(SITES).collect();
    let own = all.select(Axis(0), &own);
    let samples = Samples::new(&own)?;
    for line in std::io::stdin().lines() {
        let task: Task<f64> = serde_json::from_str(&line?)?;
        let partial = task.prepare()?.run(&samples, (site as u64) << 32, Threads::One)?;
        println!("{}", serde_json::to_string(&partial)?);
    }
    Ok(())
}

/// The sites, as whoever fits sees them.
struct Sites {
    sites: Vec<Child>,
    rounds: usize,
}

impl Sites {
    fn start() -> Result<Self, Box<dyn Error>> {
        let program = std::env::current_exe()?;
        let site = |number: usize| {
            Command::new(&program).arg(number.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
        };
        Ok(Self { sites: (0..SITES).map(site).collect::<Result<_, _>>()?, rounds: 0 })
    }
}

impl Workers<f64> for Sites {
    fn run(&mut self, task: &Task<f64>) -> Result<Partial<f64>, WorkError> {
        self.rounds += 1;
        let task = serde_json::to_string(task).map_err(other)?;
        for site in &mut self.sites {
            writeln!(site.stdin.as_mut().ok_or_else(gone)?, "{task}").map_err(other)?;
        }
        let mut all: Option<Partial<f64>> = None;
        for site in &mut self.sites {
            let mut answer = String::new();
            BufReader::new(site.stdout.as_mut().ok_or_else(gone)?).read_line(&mut answer).map_err(other)?;
            let partial = serde_json::from_str(&answer).map_err(other)?;
            match &mut all {
                Some(all) => all.merge(partial)?,
                None => all = Some(partial),
            }
        }
        all.ok_or_else(gone)
    }

    fn passes(&self) -> usize {
        self.rounds
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        // A site ends when nobody can ask it any more.
        for mut site in self.sites.drain(..) {
            drop(site.stdin.take());
            let _ = site.wait();
        }
    }
}

fn other(error: impl Error + Send + Sync + 'static) -> WorkError {
    WorkError::Other(Box::new(error))
}

fn gone() -> WorkError {
    WorkError::Other("a site is gone".into())
}
