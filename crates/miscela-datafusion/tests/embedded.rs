//! One process.

use crate::support::{Tested, assert_close, first, kmeans, rows, start, table, table_f32, weights};
use datafusion::arrow::array::AsArray;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use linfa::DatasetBase;
use linfa::prelude::*;
use miscela::prelude::*;
use miscela_datafusion::{Table, TableError, fit_gaussian_mixture, fit_kmeans, register, statistics};
use ndarray::Axis;

fn context() -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(3))
}

#[tokio::test(flavor = "multi_thread")]
async fn kmeans_of_a_table_is_that_of_its_rows() -> Tested {
    let rows = rows(3000, 4, 5);
    let context = context();
    table(&context, "measured", &rows, None)?;
    let here = kmeans(&rows, 5).fit(&DatasetBase::from(rows.clone()))?;
    for memory in [0, 1 << 30] {
        let there = fit_kmeans(&context, Table::of("measured").memory(memory), kmeans(&rows, 5)).await?;
        assert_close(there.centroids(), here.centroids(), 1e-12);
        assert_close(&[there.inertia_sum()], &[here.inertia_sum()], 1e-12);
        assert_eq!(there.report().iterations, here.report().iterations);
        assert_eq!(there.report().termination, here.report().termination);
        assert_eq!(there.feature_names(), ["x0", "x1", "x2", "x3"]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_held_in_memory_if_there_is_room() -> Tested {
    let (rows, weights) = (rows(20_000, 4, 5), weights(20_000));
    let bytes = 20_000 * 5 * 8;
    let small = RuntimeEnvBuilder::new().with_memory_limit(bytes - 1, 1.0).build_arc()?;
    let small = SessionContext::new_with_config_rt(SessionConfig::new().with_target_partitions(3), small);
    let large = context();
    for context in [&small, &large] {
        table(context, "measured", &rows, Some(&weights))?;
    }
    // Of several runs that end in the same optimum rounding would choose.
    let params = || KMeans::<f64>::params(5);
    let table = |memory| Table::of("measured").weights("w").memory(memory);
    let held = fit_kmeans(&large, table(bytes), params()).await?;
    // To count the rows, to read them, and a sample for the start.
    assert_eq!(held.report().passes, 3);
    for (context, memory) in [(&large, bytes - 1), (&small, bytes)] {
        let queried = fit_kmeans(context, table(memory), params()).await?;
        assert!(queried.report().passes > held.report().iterations);
        assert_eq!(queried.report().iterations, held.report().iterations);
        assert_close(queried.centroids(), held.centroids(), 1e-12);
        assert_close(queried.cluster_count(), held.cluster_count(), 1e-12);
        assert_close(&[queried.inertia_sum()], &[held.inertia_sum()], 1e-12);
    }
    // The room is given back, and the order in which partitions are read is that of the rows.
    assert_eq!(large.runtime_env().memory_pool.reserved(), 0);
    for _ in 0..3 {
        assert_eq!(fit_kmeans(&large, table(bytes), params()).await?.centroids(), held.centroids());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_views_and_filters_are_those_of_sql() -> Tested {
    let (rows, weights) = (rows(3000, 3, 4), weights(3000));
    let context = context();
    table(&context, "measured", &rows, Some(&weights))?;
    context
        .sql("CREATE VIEW near AS SELECT x2, x0 * 2 AS twice, w FROM measured WHERE x1 > 0")
        .await?
        .collect()
        .await?;

    let chosen: Vec<usize> = (0..3000).filter(|i| rows[[*i, 1]] > 0.0).collect();
    let mut near = rows.select(Axis(0), &chosen).select(Axis(1), &[2, 0]);
    near.column_mut(1).mapv_inplace(|x| 2.0 * x);
    let weights = weights.select(Axis(0), &chosen);
    let here = kmeans(&near, 4).check()?.fit_weighted(&near, &weights)?;
    for source in ["near", "SELECT x2, x0 * 2 AS twice, w FROM measured WHERE x1 > 0"] {
        for memory in [0, 1 << 30] {
            let there = fit_kmeans(&context, Table::of(source).weights("w").memory(memory), kmeans(&near, 4)).await?;
            assert_close(there.centroids(), here.centroids(), 1e-12);
            assert_close(there.cluster_count(), here.cluster_count(), 1e-12);
        }
    }
    let there = Table::of("near").columns(["x2", "twice"]).weights("w");
    let there = fit_kmeans(&context, there, kmeans(&near, 4)).await?;
    assert_close(there.centroids(), here.centroids(), 1e-12);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mixtures_of_every_structure_are_those_of_their_rows() -> Tested {
    let rows = rows(2000, 3, 3);
    let context = context();
    table(&context, "measured", &rows, None)?;
    let dataset = DatasetBase::from(rows.clone());
    for covariance in Covariance::all() {
        let params = || {
            GaussianMixture::params(3)
                .covariance(covariance)
                .init_method(GmmInitMethod::means(first(&rows, 3)))
                .max_n_iterations(8)
        };
        let there = fit_gaussian_mixture(&context, "measured", params()).await?;
        let here = params().fit(&dataset)?;
        // Some M-steps are iterations themselves, which end at a tolerance.
        let iterates = ["VEI", "VEE", "EVE", "VVE", "VEV"].contains(&covariance.to_string().as_str());
        let tolerance = if iterates { 1e-7 } else { 1e-12 };
        assert_close(there.means(), here.means(), tolerance);
        assert_close(&there.covariances(), &here.covariances(), tolerance);
        assert_close(&[there.log_likelihood()], &[here.log_likelihood()], tolerance);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn single_precision_stays_single() -> Tested {
    let rows = rows(2000, 3, 3).mapv(|x| x as f32);
    let context = context();
    table_f32(&context, "measured", &rows)?;
    let init = || KMeansInit::Precomputed(first(&rows, 3));
    let here = KMeans::<f32>::params(3).init_method(init()).fit(&DatasetBase::from(rows.clone()))?;
    for memory in [0, 1 << 30] {
        let table = Table::of("measured").memory(memory);
        let there = fit_kmeans(&context, table, KMeans::<f32>::params(3).init_method(init())).await?;
        assert_close(&there.centroids().mapv(f64::from), &here.centroids().mapv(f64::from), 1e-6);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_are_found_in_the_table() -> Tested {
    let rows = rows(3000, 4, 5);
    let context = context();
    table(&context, "measured", &rows, None)?;
    let best = KMeans::params(5).n_runs(5).fit(&DatasetBase::from(rows))?.inertia_sum();
    for init in [KMeansInit::KMeansPlusPlus, KMeansInit::KMeansPara] {
        for memory in [0, 1 << 30] {
            let params = KMeans::<f64>::params(5).n_runs(3).init_method(init.clone());
            let found = fit_kmeans(&context, Table::of("measured").memory(memory), params).await?;
            assert!(found.inertia_sum() < 1.2 * best, "{} and {best}", found.inertia_sum());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_said_in_a_sentence() -> Tested {
    let context = context();
    let create = "CREATE TABLE mixed AS SELECT * FROM (VALUES (1.0, 'a', 1), (CAST(NULL AS DOUBLE), 'b', 2), (3.0, 'c', 3)) AS t(x, name, n)";
    context.sql(create).await?.collect().await?;
    let said = |error: TableError| error.to_string();
    let fit = |table: Table| fit_kmeans(&context, table, KMeans::<f64>::params(2));
    let cases = [
        (Table::of("mixed"), "column \"name\" is"),
        (Table::of("mixed").columns(["x", "y"]), "there is no column \"y\"; there are \"x\", \"name\", \"n\""),
        (Table::of("mixed").columns(["x"]), "row 1, column \"x\" has no value"),
        (Table::of("mixed").columns(["n"]).weights("x"), "the weight of row 1 is NaN"),
        (Table::of("SELECT n FROM mixed WHERE n > 5"), "there are no rows of positive weight"),
        (Table::of("SELECT n FROM mixed WHERE n > 2"), "1 rows cannot make 2 clusters"),
        (Table::of("nowhere"), "nowhere"),
    ];
    for (table, sentence) in cases {
        let error = fit(table).await.map_err(said).err().unwrap_or_default();
        assert!(error.contains(sentence), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let start = KMeans::params(2).init_method(start(&rows(2, 3, 2), 2));
    assert!(fit_kmeans(&context, Table::of("mixed").columns(["n"]), start).await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn null_is_a_missing_value_on_request() -> Tested {
    let mut rows = rows(6000, 3, 3);
    let start = first(&rows, 3);
    // None in the second half, so that some batches are whole.
    rows.indexed_iter_mut()
        .filter(|((i, j), _)| *i < 3000 && (i * 5 + j).is_multiple_of(7))
        .for_each(|(_, x)| *x = f64::NAN);
    let context = context();
    let functions = register(&context);
    table(&context, "with_nan", &rows, None)?;
    let columns = (0..3).map(|j| format!("CASE WHEN isnan(x{j}) THEN NULL ELSE x{j} END AS x{j}"));
    let query = format!("SELECT {} FROM with_nan", columns.collect::<Vec<_>>().join(", "));
    context.sql(&format!("CREATE TABLE measured AS {query}")).await?.collect().await?;
    let here = DatasetBase::from(rows.clone());

    let kmeans = || KMeans::params(3).init_method(KMeansInit::Precomputed(start.clone())).missing(Missing::Marginal);
    let memory = kmeans().fit(&here)?;
    for bytes in [0, 1 << 30] {
        let there = fit_kmeans(&context, Table::of("measured").memory(bytes), kmeans()).await?;
        assert_close(there.centroids(), memory.centroids(), 1e-12);
        assert_eq!(there.report().n_missing, memory.report().n_missing);
    }
    for covariance in [Covariance::Full, Covariance::Diagonal, Covariance::TiedSpherical] {
        let params = || {
            let params = GaussianMixture::params(3).init_method(GmmInitMethod::means(start.clone()));
            params.covariance(covariance).missing(Missing::Marginal).max_n_iterations(8)
        };
        let (there, memory) = (fit_gaussian_mixture(&context, "measured", params()).await?, params().fit(&here)?);
        assert_close(there.means(), memory.means(), 1e-12);
        assert_eq!(there.report().n_missing, memory.report().n_missing);
        // What the model was fitted with it takes in queries too.
        functions.insert("mixture", memory.clone())?;
        let sums = context.sql("SELECT gmm_step('mixture', x0, x1, x2) FROM measured").await?.collect().await?;
        let statistics = statistics(sums[0].column(0).as_binary::<i32>().value(0))?;
        assert!((statistics.total_weight() - 6000.0).abs() < 1e-6);
    }
    // Without being asked it is an error.
    let error = fit_kmeans(&context, "measured", KMeans::<f64>::params(3)).await.err().ok_or("there is a NULL")?;
    assert!(error.to_string().contains("has no value"), "{error}");
    Ok(())
}
