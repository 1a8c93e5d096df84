//! The seconds that the silhouette of rows in an NPY file takes; `benches/silhouette.py` runs it beside scikit-learn.
//!
//! ```sh
//! cargo run --release -p miscela-metrics --example silhouette -- ROWS.npy LABELS.npy [l2|l1] [THREADS]
//! ```

use miscela_metrics::{AnyDistance, Clustering, Threads};
use ndarray::{Array1, Array2};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, labels, more @ ..] = arguments.as_slice() else {
        return Err("give the file of the rows and that of the labels".into());
    };
    let name = more.first().map_or("l2", String::as_str);
    let distance = AnyDistance::from_name(name).ok_or_else(|| format!("there is no distance {name}"))?;
    let threads = more.get(1).map(|count| count.parse()).transpose()?.map_or(Threads::Ambient, Threads::Count);
    let rows: Array2<f64> = ndarray_npy::read_npy(rows)?;
    let labels: Array1<i64> = ndarray_npy::read_npy(labels)?;
    let clock = Instant::now();
    let silhouette = Clustering::new(&rows, &labels)?.threads(threads).silhouette(&distance)?;
    println!("{} {}", clock.elapsed().as_secs_f64(), silhouette.mean());
    Ok(())
}
