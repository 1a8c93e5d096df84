//! Fits over tables.

use crate::error::TableError;
use crate::pass::Scalar;
use crate::table::{Passes, Table};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use linfa::ParamGuard;
use miscela::{
    Elsewhere, GaussianMixture, GmmError, GmmParams, KMeans, KMeansError, KMeansParams, L2, Observer, Threads,
    WorkError,
};
use rand::Rng;

/// Fits k-means to the rows of a table, view or query: each pass is a query, unless all rows are held here.
///
/// From given centres these are the clusters of a fit in memory, but for rounding; other starts are found in a sample, or by
/// k-means‖ in seven passes. The columns' names are those of the table.
///
/// Rows that fit in the table's [memory](Table::memory), by default 1 GiB, are held there until the fit has ended: iterations
/// are then those of an array. The start is found in the same way wherever rows are; one column is iterated like any others.
///
/// Cost: the search of all centres for each row, and reading, an iteration; the sums, k·(d + 1) numbers, for each part of the
/// table. In memory most of the search is saved.
///
/// ```
/// use datafusion::prelude::SessionContext;
/// use miscela::prelude::*;
/// use miscela_datafusion::fit_kmeans;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = SessionContext::new();
/// context.sql("CREATE TABLE t AS VALUES (0.0), (1.0), (7.0), (8.0)").await?.collect().await?;
/// let model = fit_kmeans(&context, "t", KMeans::<f64>::params(2)).await?;
/// assert_eq!(model.inertia_sum(), 1.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// On parameters that are none or need all rows at once, a table or column that is not there or holds no numbers, values that
/// are not finite, or NULL where [missing ones](KMeansParams::missing) are not taken, fewer rows than clusters, and whatever the
/// engine meets with.
pub async fn fit_kmeans<F: Scalar, R: Rng + Clone + Send + 'static>(
    context: &SessionContext,
    table: impl Into<Table>,
    params: KMeansParams<F, R, L2>,
) -> Result<KMeans<F>, TableError> {
    fit_kmeans_observed(context, table, params, ()).await
}

/// [`fit_kmeans`] that tells an observer of each iteration; it may stop the fit, which then keeps what it has.
///
/// # Errors
/// As [`fit_kmeans`].
pub async fn fit_kmeans_observed<F: Scalar, R: Rng + Clone + Send + 'static>(
    context: &SessionContext,
    table: impl Into<Table>,
    params: KMeansParams<F, R, L2>,
    mut observer: impl Observer + 'static,
) -> Result<KMeans<F>, TableError> {
    let params = params.check().map_err(KMeansError::from)?;
    let passes = Passes::new(context, table).await?.with_missing(params.missing());
    blocking(passes, move |passes| match params.fit_over(elsewhere(passes, &mut observer)) {
        Ok(model) => Ok(model.with_feature_names(passes.names().to_vec())),
        Err(KMeansError::Work(error)) => Err(own(error)),
        Err(error) => Err(error.into()),
    })
    .await
}

/// Fits a Gaussian mixture to the rows of a table, view or query, of which each pass is a query.
///
/// All covariance structures, soft, hard and tempered assignment, and Student-t components; what [needs all
/// rows](WorkError::NeedsRows) is refused. No rows are held here. The rest is as [`fit_kmeans`] says.
///
/// Cost: an E-step in memory, and reading, an iteration; for each part of the table the sums, k·(1 + d + d(d + 1)/2) numbers
/// where covariances are full, k·(2d + 1) where they are diagonal.
///
/// # Errors
/// As [`fit_kmeans`].
pub async fn fit_gaussian_mixture<F: Scalar, R: Rng + Clone + Send + 'static>(
    context: &SessionContext,
    table: impl Into<Table>,
    params: GmmParams<F, R>,
) -> Result<GaussianMixture<F>, TableError> {
    fit_gaussian_mixture_observed(context, table, params, ()).await
}

/// [`fit_gaussian_mixture`] that tells an observer of each iteration; it may stop the fit, which then keeps what it has.
///
/// # Errors
/// As [`fit_kmeans`].
pub async fn fit_gaussian_mixture_observed<F: Scalar, R: Rng + Clone + Send + 'static>(
    context: &SessionContext,
    table: impl Into<Table>,
    params: GmmParams<F, R>,
    mut observer: impl Observer + 'static,
) -> Result<GaussianMixture<F>, TableError> {
    let params = params.check().map_err(GmmError::from)?;
    let passes = Passes::new(context, table).await?.with_missing(params.missing());
    blocking(passes, move |passes| match params.fit_over(elsewhere(passes, &mut observer)) {
        Ok(model) => Ok(model.with_feature_names(passes.names().to_vec())),
        Err(GmmError::Work(error)) => Err(own(error)),
        Err(error) => Err(error.into()),
    })
    .await
}

fn elsewhere<'a, F: Scalar>(passes: &'a mut Passes, observer: &'a mut dyn Observer) -> Elsewhere<'a, F> {
    Elsewhere { workers: passes, checkpoints: None, observer, threads: Threads::Ambient }
}

/// Runs a fit on a thread that may wait for its queries.
async fn blocking<T: Send + 'static>(
    mut passes: Passes,
    fit: impl FnOnce(&mut Passes) -> Result<T, TableError> + Send + 'static,
) -> Result<T, TableError> {
    let fitted = tokio::task::spawn_blocking(move || fit(&mut passes)).await;
    fitted.unwrap_or_else(|stopped| Err(TableError::from(DataFusionError::External(Box::new(stopped)))))
}

/// An error of this crate that came back through the fit.
fn own(error: WorkError) -> TableError {
    match error {
        WorkError::Other(inner) => match inner.downcast::<TableError>() {
            Ok(own) => *own,
            Err(other) => WorkError::Other(other).into(),
        },
        other => other.into(),
    }
}
