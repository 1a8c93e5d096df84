"""Records what scikit-learn's StandardScaler, before KMeans and before GaussianMixture, makes of the data in data/.

    pip install scikit-learn==1.9.1
    python standardized.py > standardized.json        # in this folder

K-means starts from rows by number, mixtures from the labels beside the data by one M-step. Centres and means are
put back into the units of the rows, and log-likelihoods are those of a density of the rows.
"""
import json
import pathlib

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky, _estimate_gaussian_parameters
from sklearn.preprocessing import StandardScaler

DATA = pathlib.Path(__file__).resolve().parents[3] / "data"


def kmeans(rows, init_rows, weights):
    scaler = StandardScaler().fit(rows, sample_weight=weights)
    scaled = scaler.transform(rows)
    model = KMeans(len(init_rows), init=scaled[init_rows], n_init=1, tol=0, max_iter=1000)
    model.fit(scaled, sample_weight=weights)
    return {
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "inertia": model.inertia_,
        "centroids": scaler.inverse_transform(model.cluster_centers_).tolist(),
        "labels": "".join(map(str, model.labels_)),
    }


def mixture(rows, start_labels, covariance_type):
    scaler = StandardScaler().fit(rows)
    scaled, k = scaler.transform(rows), start_labels.max() + 1
    shares = np.eye(k)[start_labels]
    nk, means, covariances = _estimate_gaussian_parameters(scaled, shares, 0.0, covariance_type)
    factors = _compute_precision_cholesky(covariances, covariance_type)
    precisions = factors @ np.swapaxes(factors, -1, -2) if covariance_type in ("full", "tied") else factors**2
    model = GaussianMixture(k, covariance_type=covariance_type, tol=1e-13, max_iter=20_000, reg_covar=0.0,
                            weights_init=nk / nk.sum(), means_init=means, precisions_init=precisions).fit(scaled)
    per_row = model.score(scaled) - np.log(scaler.scale_).sum()
    return {
        "weights": model.weights_.tolist(),
        "means": scaler.inverse_transform(model.means_).tolist(),
        "log_likelihood": per_row * len(rows),
        "bic": model.bic(scaled) + 2 * len(rows) * np.log(scaler.scale_).sum(),
        "log_density_first": (model.score_samples(scaled[:5]) - np.log(scaler.scale_).sum()).tolist(),
        "labels": "".join(map(str, model.predict(scaled))),
    }


cases = {}
for name, init_rows in [("penguins", [0, 160, 300]), ("iris", [0, 60, 120])]:
    rows = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1, ndmin=2)
    labels = np.loadtxt(DATA / f"{name}.labels.csv", skiprows=1, dtype=int)
    step = (1 + np.arange(len(rows)) % 5) / 5
    cases[name] = {
        "init_rows": init_rows,
        "kmeans": kmeans(rows, init_rows, None),
        "kmeans_weighted": kmeans(rows, init_rows, step),
        "mixtures": {kind: mixture(rows, labels, kind) for kind in ["full", "tied", "diag", "spherical"]},
    }
print(json.dumps({"tool": f"scikit-learn {sklearn.__version__}", "source": "StandardScaler, KMeans, GaussianMixture", "cases": cases}, indent=1))
