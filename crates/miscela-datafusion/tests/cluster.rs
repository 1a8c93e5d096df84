//! Workers that are processes of their own, on loopback.

use crate::support::{Tested, assert_close, first, kmeans, parquet, rows, weights};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use linfa::DatasetBase;
use linfa::prelude::*;
use miscela::prelude::*;
use miscela_datafusion::{Cluster, Table, fit_gaussian_mixture, fit_kmeans, fit_kmeans_observed, register};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A worker, which ends with the test.
struct Worker {
    process: Child,
    address: String,
}

impl Worker {
    fn start(cache: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_miscela-worker"))
            .args(["--listen", "127.0.0.1:0", "--threads", "1", "--cache", cache])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").ok_or("it does not say where it listens")?.to_string();
        Ok(Self { process, address })
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn workers(count: usize) -> Result<(Vec<Worker>, Cluster), Box<dyn Error>> {
    workers_that_keep(count, "1G")
}

fn workers_that_keep(count: usize, cache: &str) -> Result<(Vec<Worker>, Cluster), Box<dyn Error>> {
    let workers = (0..count).map(|_| Worker::start(cache)).collect::<Result<Vec<_>, _>>()?;
    let cluster = Cluster::new(workers.iter().map(|worker| &worker.address))?;
    Ok((workers, cluster))
}

async fn with_table(context: SessionContext, folder: &Path) -> Result<SessionContext, Box<dyn Error>> {
    let folder = folder.to_str().ok_or("a path that is no text")?;
    context.register_parquet("measured", folder, ParquetReadOptions::default()).await?;
    Ok(context)
}

/// Fails unless the query runs as two tasks on workers.
async fn is_spread(context: &SessionContext, query: &str) -> Tested {
    let plan = context.sql(query).await?.create_physical_plan().await?;
    let plan = datafusion_distributed::display_plan_ascii(plan.as_ref(), false);
    assert!(plan.contains("tasks=2"), "{plan}");
    Ok(())
}

fn embedded() -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_gives_what_one_process_gives() -> Tested {
    let (rows, weights) = (rows(60_000, 4, 5), weights(60_000));
    let folder = tempfile::tempdir()?;
    parquet(folder.path(), &rows, Some(&weights), 4)?;
    let (_workers, cluster) = workers(2)?;
    let here = with_table(embedded(), folder.path()).await?;
    let there = with_table(cluster.context(1), folder.path()).await?;
    is_spread(&there, "SELECT sum(x0) FROM measured").await?;

    let table = || Table::of("measured").weights("w");
    let near = fit_kmeans(&there, table(), kmeans(&rows, 5)).await?;
    let in_memory = kmeans(&rows, 5).check()?.fit_weighted(&rows, &weights)?;
    assert_close(near.centroids(), in_memory.centroids(), 1e-12);
    assert_eq!(near.report().iterations, in_memory.report().iterations);

    // k-means‖ draws by what rows are, not by who has them.
    let seeded = || KMeans::<f64>::params(5).init_method(KMeansInit::KMeansPara);
    let (a, b) = (fit_kmeans(&here, table(), seeded()).await?, fit_kmeans(&there, table(), seeded()).await?);
    assert_close(a.centroids(), b.centroids(), 1e-12);

    for covariance in [Covariance::Full, Covariance::Diagonal, Covariance::Vee] {
        let params = || {
            GaussianMixture::params(3)
                .covariance(covariance)
                .init_method(GmmInitMethod::means(first(&rows, 3)))
                .max_n_iterations(4)
        };
        let a = fit_gaussian_mixture(&here, table(), params()).await?;
        let b = fit_gaussian_mixture(&there, table(), params()).await?;
        assert_close(a.means(), b.means(), 1e-12);
        assert_close(&a.covariances(), &b.covariances(), 1e-12);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_travel_with_their_models() -> Tested {
    let rows = rows(20_000, 3, 4);
    let folder = tempfile::tempdir()?;
    parquet(folder.path(), &rows, None, 2)?;
    let (_workers, cluster) = workers(2)?;
    let context = with_table(cluster.context(1), folder.path()).await?;
    let model = kmeans(&rows, 4).fit(&DatasetBase::from(rows.clone()))?;
    register(&context).insert("clusters", model.clone())?;
    let query = "SELECT kmeans_predict('clusters', x0, x1, x2) AS label, count(*) FROM measured GROUP BY 1 ORDER BY 1";
    is_spread(&context, query).await?;
    let counted = context.sql(query).await?.collect().await?;
    let counts: Vec<usize> = counted
        .iter()
        .flat_map(|batch| batch.column(1).as_primitive::<Int64Type>().values().iter().map(|n| *n as usize))
        .collect();
    assert_eq!(counts, model.sizes());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_changes_nothing() -> Tested {
    // Fewer points than clusters, so that it takes a while.
    let rows = rows(200_000, 6, 3);
    let folder = tempfile::tempdir()?;
    parquet(folder.path(), &rows, None, 4)?;
    let (mut workers, cluster) = workers(2)?;
    let context = with_table(cluster.context(1), folder.path()).await?;
    let params = || kmeans(&rows, 8).tolerance(0.0).max_n_iterations(12);
    let mut victim = workers.pop();
    let mut killer = None;
    let kill = move |progress: &Progress| {
        if progress.iteration == 3 {
            // A pass later it is in the middle of one.
            let victim = victim.take();
            killer = Some(thread::spawn(move || {
                thread::sleep(Duration::from_millis(10));
                drop(victim);
            }));
        }
        if progress.iteration == 6 {
            // However slow that thread is, the fit is not over.
            killer.take().map(thread::JoinHandle::join);
        }
        ControlFlow::Continue(())
    };
    let there = fit_kmeans_observed(&context, "measured", params(), kill).await?;
    assert_eq!(cluster.workers().len(), 1);
    let here = params().fit(&DatasetBase::from(rows.clone()))?;
    assert!(here.report().iterations > 7);
    assert_close(there.centroids(), here.centroids(), 1e-12);

    workers.clear();
    let error = fit_kmeans(&context, "measured", params()).await.err().ok_or("there is no worker left")?;
    assert_eq!(error.to_string(), "none of the 2 workers answers; start them, or name others");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_once_and_again_when_a_file_changes() -> Tested {
    let rows = rows(40_000, 3, 4);
    let folder = tempfile::tempdir()?;
    parquet(folder.path(), &rows, None, 2)?;
    let (_workers, cluster) = workers(2)?;
    let fit = async |cluster: &Cluster| {
        // A session of its own, which looks at the folder anew.
        let context = with_table(cluster.context(2), folder.path()).await?;
        Ok::<_, Box<dyn Error>>(fit_kmeans(&context, "measured", kmeans(&rows, 4)).await?)
    };
    let before = fit(&cluster).await?;

    // The rows are destroyed; neither the file's size nor its time of change tells.
    let mut file = File::options().write(true).open(folder.path().join("part-1.parquet"))?;
    let (size, time) = (file.metadata()?.len(), file.metadata()?.modified()?);
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&vec![0xff; size as usize / 2])?;
    file.set_modified(time)?;
    let kept = fit(&cluster).await?;
    assert_close(kept.centroids(), before.centroids(), 1e-12);
    let (_workers, forgetful) = workers_that_keep(2, "0")?;
    assert!(fit(&forgetful).await.is_err());

    file.set_modified(time + Duration::from_secs(2))?;
    assert!(fit(&cluster).await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_too_many_to_keep_are_read_again() -> Tested {
    let rows = rows(60_000, 3, 4);
    let folder = tempfile::tempdir()?;
    parquet(folder.path(), &rows, None, 2)?;
    // Less than the half that each worker reads, and part of a partition fits.
    let (_workers, cluster) = workers_that_keep(2, "400K")?;
    let context = with_table(cluster.context(2), folder.path()).await?;
    let there = fit_kmeans(&context, "measured", kmeans(&rows, 4)).await?;
    let here = kmeans(&rows, 4).fit(&DatasetBase::from(rows.clone()))?;
    assert_close(there.centroids(), here.centroids(), 1e-12);
    assert_eq!(there.report().iterations, here.report().iterations);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_worker_works_too() -> Tested {
    let rows = rows(20_000, 3, 4);
    let folder = tempfile::tempdir()?;
    parquet(folder.path(), &rows, None, 4)?;
    let (_workers, cluster) = workers(1)?;
    let context = with_table(cluster.context(1), folder.path()).await?;
    // By itself, not by whoever asks.
    is_spread(&context, "SELECT sum(x0) FROM measured").await?;
    let there = fit_kmeans(&context, "measured", kmeans(&rows, 4)).await?;
    let here = kmeans(&rows, 4).fit(&DatasetBase::from(rows.clone()))?;
    assert_close(there.centroids(), here.centroids(), 1e-12);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_says_what_is_wrong_with_the_rows() -> Tested {
    let mut rows = rows(40_000, 3, 2);
    rows[[30_000, 1]] = f64::NAN;
    let folder = tempfile::tempdir()?;
    parquet(folder.path(), &rows, None, 2)?;
    let (_workers, cluster) = workers(2)?;
    let context = with_table(cluster.context(1), folder.path()).await?;
    let error = fit_kmeans(&context, "measured", KMeans::<f64>::params(2)).await.err().ok_or("there is a NaN")?;
    let error = error.to_string();
    assert!(error.contains("part-1.parquet, row group 0: row 10000, column \"x1\" has no value"), "{error}");
    Ok(())
}
