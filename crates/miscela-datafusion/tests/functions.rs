//! The functions of SQL.

use crate::support::{Tested, assert_close, first, kmeans, rows, table, weights};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::prelude::SessionContext;
use linfa::DatasetBase;
use linfa::prelude::*;
use miscela::prelude::*;
use miscela_datafusion::{register, statistics};
use std::error::Error;

async fn all(context: &SessionContext, query: &str) -> Result<RecordBatch, Box<dyn Error>> {
    let batches = context.sql(query).await?.collect().await?;
    Ok(datafusion::arrow::compute::concat_batches(&batches[0].schema(), &batches)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_say_what_models_say() -> Tested {
    let rows = rows(1000, 3, 4);
    let context = SessionContext::new();
    table(&context, "measured", &rows, None)?;
    let dataset = DatasetBase::from(rows.clone());
    let clusters = kmeans(&rows, 4).fit(&dataset)?;
    let mixture = GaussianMixture::params(4).fit(&dataset)?;
    let models = register(&context);
    models.insert("clusters", clusters.clone())?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mixture.json");
    mixture.save(&file)?;

    let file = file.display();
    let query = format!(
        "SELECT x0, x1, x2, kmeans_predict('clusters', x0, x1, x2) AS near, gmm_predict('{file}', x0, x1, x2) AS dense,
         gmm_log_density('{file}', x0, x1, x2) AS density, gmm_proba('{file}', x0, x1, x2) AS p FROM measured"
    );
    let said = all(&context, &query).await?;
    let column = |j: usize| said.column(j).as_primitive::<Float64Type>().values().to_vec();
    // Rows come in the order of partitions.
    let table = ndarray::Array2::from_shape_fn((1000, 3), |(i, j)| column(j)[i]);
    let labels =
        |j: usize| said.column(j).as_primitive::<Int64Type>().values().iter().map(|l| *l as usize).collect::<Vec<_>>();
    assert_eq!(labels(3), clusters.predict(&table).to_vec());
    assert_eq!(labels(4), mixture.predict(&table).to_vec());
    assert_close(&column(5), &mixture.score_samples(&table), 1e-12);
    let p = said.column(6).as_list::<i32>().values().as_primitive::<Float64Type>().values().to_vec();
    assert_close(&p, &mixture.predict_proba(&table), 1e-12);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_one_iteration() -> Tested {
    let (rows, weights) = (rows(1000, 3, 4), weights(1000));
    let context = SessionContext::new();
    table(&context, "measured", &rows, Some(&weights))?;
    let models = register(&context);
    let params = |n| kmeans(&rows, 4).max_n_iterations(n).check();
    models.insert("start", params(0)?.fit_weighted(&rows, &weights)?)?;
    let step = all(&context, "SELECT kmeans_step('start', x0, x1, x2, w) FROM measured").await?;
    let after = statistics(step.column(0).as_binary::<i32>().value(0))?;
    assert_close(&after.means(), params(1)?.fit_weighted(&rows, &weights)?.centroids(), 1e-12);

    // By groups, which together are the table.
    let groups = all(&context, "SELECT kmeans_step('start', x0, x1, x2, w) FROM measured GROUP BY x0 > 0").await?;
    let mut parts = groups.column(0).as_binary::<i32>().iter().flatten().map(statistics);
    let mut together = parts.next().ok_or("no group")??;
    for part in parts {
        together.merge(&part?)?;
    }
    assert_close(&together.means(), &after.means(), 1e-12);

    let means = first(&rows, 4);
    let mixture = GaussianMixture::params(4).init_method(GmmInitMethod::means(means)).max_n_iterations(0);
    let mixture = mixture.fit(&DatasetBase::from(rows.clone()))?;
    models.insert("mixture", mixture.clone())?;
    let step = all(&context, "SELECT gmm_step('mixture', x0, x1, x2) FROM measured").await?;
    let after = statistics(step.column(0).as_binary::<i32>().value(0))?;
    let shares = mixture.predict_proba(&rows);
    let after = after.means();
    for (c, mean) in after.outer_iter().enumerate() {
        let shares = shares.column(c);
        let expected = rows.t().dot(&shares) / shares.sum();
        assert_close(&mean.to_vec(), &expected, 1e-12);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_make_no_sense_are_refused() -> Tested {
    let rows = rows(100, 3, 2);
    let context = SessionContext::new();
    table(&context, "measured", &rows, None)?;
    register(&context).insert("clusters", kmeans(&rows, 2).fit(&DatasetBase::from(rows))?)?;
    let cases = [
        ("kmeans_predict('other', x0, x1, x2)", "there is no model \"other\""),
        ("kmeans_predict('clusters', x0, x1)", "2 columns where 3 are expected"),
        ("kmeans_predict(x0, x1, x2)", "must be the name of a model"),
        ("gmm_predict('clusters', x0, x1, x2)", "does not take the model 'clusters'"),
        ("kmeans_predict('clusters', x0, x1, 'a')", "are no numbers"),
        ("kmeans_predict('clusters', x0, x1, CASE WHEN x2 > 0 THEN x2 END)", "has no value"),
    ];
    for (call, sentence) in cases {
        let error = all(&context, &format!("SELECT {call} FROM measured")).await.err().ok_or(call)?.to_string();
        assert!(error.contains(sentence), "{call}: {error}");
    }
    Ok(())
}
