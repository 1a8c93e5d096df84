//! How long passes over tables take, and what for: the figures of benches/record/2026-11-26-datafusion.md.
//!
//!     CARGO_PROFILE_RELEASE_LTO=off cargo run --release -p miscela-datafusion --example measure

use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use linfa::DatasetBase;
use linfa::prelude::*;
use miscela::prelude::*;
use miscela::{Algorithm, Task, Workers};
use miscela_datafusion::{Cluster, Passes, fit_gaussian_mixture, fit_kmeans, serve};
use ndarray::{Array2, ArrayView2, Axis};
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::Xoshiro256Plus;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROWS: usize = 2_000_000;
const WIDTH: usize = 16;
const ITERATIONS: u64 = 10;
/// Each figure is the least of so many.
const REPEATS: usize = 3;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("worker") => work(arguments.next().ok_or("how many bytes?")?.parse()?),
        _ => measure(),
    }
}

/// A worker of one thread on one core, in a process of its own.
struct Worker {
    process: Child,
    address: String,
}

impl Worker {
    /// Two, each on a core of its own, which keep so many bytes.
    fn pair(memory: usize) -> Outcome<[Self; 2]> {
        Ok([Self::start("0", memory)?, Self::start("1", memory)?])
    }

    fn start(core: &str, memory: usize) -> Outcome<Self> {
        // Reading files takes threads too: they share the core.
        let mut process = Command::new("taskset")
            .args(["-c", core])
            .arg(std::env::current_exe()?)
            .args(["worker", &memory.to_string()])
            .env("RAYON_NUM_THREADS", "1")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Self { process, address: address.trim().to_string() })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn work(memory: usize) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        Ok(serve(listener, memory).await?)
    })
}

fn measure() -> Outcome<()> {
    let runtime = Runtime::new()?;
    let rows = rows(ROWS);
    println!("{ROWS} rows of {WIDTH} f64, {ITERATIONS} iterations, the least of {REPEATS}");
    embedded(&runtime, &rows)?;

    let (folder, small) = (tempfile::tempdir()?, tempfile::tempdir()?);
    parquet(folder.path(), rows.view(), 8)?;
    parquet(small.path(), self::rows(2000).view(), 8)?;
    let (reads, keeps) = (Worker::pair(0)?, Worker::pair(1 << 30)?);
    for count in [1, 2] {
        println!("\n{count} workers of one thread, Parquet in 8 files");
        let passes = |workers: &[Worker], folder: &Path| {
            let cluster = Cluster::new(workers[..count].iter().map(|worker| &worker.address))?;
            runtime.block_on(passes(cluster.context(1), folder))
        };
        let (mut files, mut memory) = (passes(&reads, folder.path())?, passes(&keeps, folder.path())?);
        let mut few = passes(&reads, small.path())?;
        for (name, task) in tasks(&rows)? {
            let (from_files, from_memory) = (least(|| files.run(&task))?, least(|| memory.run(&task))?);
            let (fixed, sent) = (least(|| few.run(&Task::<f64>::Summary))?, least(|| few.run(&task))?);
            let shuffle = (sent - fixed).max(0.0);
            println!(
                "{name:28} {:7.1} ms a pass from files, {:7.1} when kept = scheduling {:.1} + task and sums there and back {:.1} + compute {:.1}",
                1e3 * from_files,
                1e3 * from_memory,
                1e3 * fixed,
                1e3 * shuffle,
                1e3 * (from_memory - fixed - shuffle)
            );
        }
    }
    Ok(())
}

/// Fits of arrays, and of tables of the same columns in the same process.
fn embedded(runtime: &Runtime, rows: &Array2<f64>) -> Outcome<()> {
    println!("\nEmbedded, two threads: seconds an iteration");
    let dataset = DatasetBase::from(rows.view());
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    context.register_table("measured", Arc::new(memory(rows)?))?;
    let kmeans = |algorithm| {
        let start = first(rows, 64);
        KMeans::params(64)
            .init_method(KMeansInit::Precomputed(start))
            .algorithm(algorithm)
            .tolerance(0.0)
            .max_n_iterations(ITERATIONS)
    };
    let table = least(|| runtime.block_on(fit_kmeans(&context, "measured", kmeans(Algorithm::Auto))))?;
    for algorithm in [Algorithm::Lloyd, Algorithm::Auto] {
        let array = least(|| kmeans(algorithm).fit(&dataset))?;
        line(&format!("k-means, k = 64, {algorithm:?}"), array, table);
    }
    for (k, covariance) in [(64, Covariance::Diagonal), (16, Covariance::Full)] {
        let mixture = || {
            GaussianMixture::params(k)
                .covariance(covariance)
                .init_method(GmmInitMethod::means(first(rows, k)))
                .tolerance(0.0)
                .max_n_iterations(ITERATIONS)
        };
        let table = least(|| runtime.block_on(fit_gaussian_mixture(&context, "measured", mixture())))?;
        let array = least(|| mixture().fit(&dataset))?;
        line(&format!("mixture, k = {k}, {covariance}"), array, table);
    }
    Ok(())
}

fn line(name: &str, array: f64, table: f64) {
    let each = ITERATIONS as f64;
    println!("{name:28} array {:.4}, table {:.4}: × {:.2}", array / each, table / each, table / array);
}

fn least<T, E: Into<Box<dyn Error>>>(mut work: impl FnMut() -> Result<T, E>) -> Outcome<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..REPEATS {
        let start = Instant::now();
        work().map_err(Into::into)?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

async fn passes(context: SessionContext, folder: &Path) -> Outcome<Passes> {
    let folder = folder.to_str().ok_or("a path that is no text")?;
    context.register_parquet("measured", folder, ParquetReadOptions::default()).await?;
    Ok(Passes::new(&context, "measured").await?)
}

/// Steps of fits at start parameters.
fn tasks(rows: &Array2<f64>) -> Outcome<Vec<(String, Task<f64>)>> {
    let offset = rows.mean_axis(Axis(0)).ok_or("no rows")?.to_vec();
    let mut tasks = vec![("k-means, k = 64".into(), Task::KMeans { centroids: first(rows, 64), offset })];
    for (k, covariance) in [(64, Covariance::Diagonal), (16, Covariance::Full), (64, Covariance::Full)] {
        let part = DatasetBase::from(first(rows, 20_000));
        let params = GaussianMixture::params(k)
            .covariance(covariance)
            .init_method(GmmInitMethod::means(first(rows, k)))
            .max_n_iterations(1);
        let mixture = params.fit(&part)?.parameters().clone();
        tasks.push((format!("mixture, k = {k}, {covariance}"), Task::MixtureFit { mixture, temperature: 1.0 }));
    }
    Ok(tasks)
}

fn first(rows: &Array2<f64>, k: usize) -> Array2<f64> {
    rows.select(Axis(0), &(0..k).collect::<Vec<_>>())
}

/// Rows about 100 points.
fn rows(n: usize) -> Array2<f64> {
    let mut rng = Xoshiro256Plus::seed_from_u64(1);
    let points = Array2::from_shape_fn((100, WIDTH), |_| rng.gen_range(-3.0..3.0));
    Array2::from_shape_fn((n, WIDTH), |(i, j)| points[[i * 7 % 100, j]] + rng.sample::<f64, _>(StandardNormal))
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new((0..WIDTH).map(|j| Field::new(format!("x{j}"), DataType::Float64, false)).collect::<Vec<_>>()))
}

fn batch(rows: ArrayView2<f64>) -> Outcome<RecordBatch> {
    let arrays = rows.columns().into_iter().map(|column| Arc::new(Float64Array::from(column.to_vec())) as ArrayRef);
    Ok(RecordBatch::try_new(schema(), arrays.collect())?)
}

fn memory(rows: &Array2<f64>) -> Outcome<MemTable> {
    let batches: Vec<RecordBatch> = rows.axis_chunks_iter(Axis(0), 8192).map(batch).collect::<Outcome<_>>()?;
    let halves = batches.chunks(batches.len().div_ceil(2)).map(<[RecordBatch]>::to_vec).collect();
    Ok(MemTable::try_new(schema(), halves)?)
}

fn parquet(folder: &Path, rows: ArrayView2<f64>, files: usize) -> Outcome<()> {
    for (number, part) in rows.axis_chunks_iter(Axis(0), rows.nrows().div_ceil(files)).enumerate() {
        let settings = WriterProperties::builder().set_max_row_group_row_count(Some(65_536)).build();
        let file = File::create(folder.join(format!("part-{number}.parquet")))?;
        let mut writer = ArrowWriter::try_new(file, schema(), Some(settings))?;
        writer.write(&batch(part)?)?;
        writer.close()?;
    }
    Ok(())
}
