//! How long it takes a model to give the rows of a table their labels, without reading and writing.
//!
//! ```text
//! predict MODEL ROWS.npy THREADS REPEATS LABELS.npy       seconds, the best of the repeats
//! ```
//!
//! The array is of the model's type. The labels are written for comparison.

use miscela::{AnyModel, Threads};
use ndarray::{Array1, Array2};
use ndarray_npy::{read_npy, write_npy};
use std::error::Error;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, rows, threads, repeats, labels] = &args[..] else {
        return Err("usage: predict MODEL ROWS.npy THREADS REPEATS LABELS.npy".into());
    };
    let (threads, repeats) = (Threads::Count(threads.parse()?), repeats.parse()?);
    let (seconds, found) = match AnyModel::load(model)? {
        AnyModel::KMeansF32(model) => {
            let rows: Array2<f32> = read_npy(rows)?;
            best(threads, repeats, || Ok(model.try_predict(&rows)?))
        }
        AnyModel::KMeansF64(model) => {
            let rows: Array2<f64> = read_npy(rows)?;
            best(threads, repeats, || Ok(model.try_predict(&rows)?))
        }
        AnyModel::GmmF32(model) => {
            let rows: Array2<f32> = read_npy(rows)?;
            best(threads, repeats, || Ok(model.try_predict(&rows)?))
        }
        AnyModel::GmmF64(model) => {
            let rows: Array2<f64> = read_npy(rows)?;
            best(threads, repeats, || Ok(model.try_predict(&rows)?))
        }
        other => return Err(format!("a model of kind {} is not known here", other.kind()).into()),
    }
    .map_err(|error| error.to_string())?;
    write_npy(labels, &found.mapv(|label| label as u32))?;
    println!("{seconds:.9}");
    Ok(())
}

type Labels = Array1<usize>;

fn best(
    threads: Threads,
    repeats: usize,
    predict: impl Fn() -> Result<Labels, Box<dyn Error + Send + Sync>> + Send + Sync,
) -> Result<(f64, Labels), Box<dyn Error + Send + Sync>> {
    threads.install(|_| {
        let (mut least, mut labels) = (Duration::MAX, Labels::default(0));
        for _ in 0..repeats {
            let start = Instant::now();
            labels = predict()?;
            least = least.min(start.elapsed());
        }
        Ok((least.as_secs_f64(), labels))
    })
}
