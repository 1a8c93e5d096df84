//! scikit-learn: the attributes of a fitted `KMeans` or `GaussianMixture` in an `.npz` file, one array each.
//!
//! **From scikit-learn**, in Python:
//!
//! ```python
//! import numpy as np
//! np.savez("kmeans.npz", cluster_centers_=km.cluster_centers_, labels_=km.labels_, inertia_=km.inertia_, n_iter_=km.n_iter_)
//! np.savez("mixture.npz", covariance_type=gm.covariance_type, weights_=gm.weights_, means_=gm.means_, covariances_=gm.covariances_)
//! ```
//!
//! **To scikit-learn**: all attributes are there, so that an estimator takes them as they are.
//!
//! ```python
//! import numpy as np, sklearn.cluster, sklearn.mixture
//! km, gm = sklearn.cluster.KMeans(), sklearn.mixture.GaussianMixture()
//! vars(km).update({name: array[()] for name, array in np.load("kmeans.npz").items()})
//! vars(gm).update({name: array[()] for name, array in np.load("mixture.npz").items()})
//! ```
//!
//! | array | shape | read | written |
//! |---|---|---|---|
//! | `cluster_centers_` | k × d | yes | yes |
//! | `labels_` | n | for the sizes, if there | no |
//! | `inertia_` | one number | if there | yes |
//! | `n_iter_` | one number | of k-means, if there | yes |
//! | `n_clusters`, `_n_threads` | one number each | no | k, 1 |
//! | `covariance_type` | one text | yes; where shapes tell, it may be missing | yes |
//! | `weights_` | k | yes | yes |
//! | `means_` | k × d | yes | yes |
//! | `covariances_` | `full` k × d × d, `tied` d × d, `diag` k × d, `spherical` k | yes | yes |
//! | `precisions_`, `precisions_cholesky_` | as the covariances | no | yes |
//! | `n_components` | one number | no | k |
//! | `n_features_in_` | one number | no | d |
//! | `feature_names_in_` | d texts | if there: write it `.astype(str)` | where columns have names |
//!
//! Arrays of `float32` become an `f32` model, all others an `f64` one, and the other way round. Other arrays are passed over. A
//! structure that scikit-learn does not know is written as the type that holds it exactly:
//!
//! | miscela | scikit-learn |
//! |---|---|
//! | VVV, and EVE VEE VVE EEV VEV EVV | `full` |
//! | EEE | `tied` |
//! | VVI, and EEI VEI EVI | `diag` |
//! | VII, and EII | `spherical` |
//!
//! **When not to use it.** Not to keep a model: reports and statistics stay behind. k-means by another distance than L2, trimmed
//! k-means, trees, noise, Student-t components and Bayesian mixtures have no place in these two estimators and are refused.
//!
//! Files are not trusted: sizes that they state are not believed, memory is in proportion to the file (at most 16 times it, or 256 MB),
//! and pickled objects are not read.

mod archive;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::decode;
pub(crate) use write::encode;

use crate::{ExchangeError, Format};

fn damaged(what: String) -> ExchangeError {
    ExchangeError::Damaged { format: Format::Npz, what }
}
