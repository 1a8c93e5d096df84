"""Records what k-means-constrained (PyPI, 0.9.1; its flows are those of OR-tools) makes of the data in data/.

    pip install k-means-constrained==0.9.1
    python record.py > sizes.json        # in this folder

As it is, it assigns rows by distances that are not squared, and rounds them to a thousandth: its assignments are not those
that lower the inertia most, and `inertia_as_it_is` is what it then ends with. `inertia` is from the same program given
squared distances, at as many digits as its 32-bit costs hold. Both are computed anew, about the means of its labels.
"""
import json
import pathlib

import k_means_constrained.k_means_constrained_ as module
import numpy as np
from k_means_constrained import KMeansConstrained

DATA = pathlib.Path(__file__).resolve().parents[3] / "data"
CASES = [  # data, rows of the start, least and greatest size
    ("iris", [0, 60, 120], 45, 55),
    ("iris", [0, 1, 2], 50, 50),
    ("iris", [7, 30, 77, 101, 140], 10, 35),
    ("faithful", [0, 1], 120, 152),
    ("faithful", [3, 50, 90, 200], 60, 75),
    ("galaxies", [0, 20, 40, 80], 15, 30),
    ("galaxies", [5, 6, 7], 0, 40),
]
distances = module.euclidean_distances


def squared(X, C, squared=False):
    costs = distances(X, C, squared=True)
    return costs * (1e6 / costs.max())


def inertia(rows, labels, k):
    return sum(((rows[labels == c] - rows[labels == c].mean(axis=0)) ** 2).sum() for c in range(k))


def fit(rows, start, low, high):
    model = KMeansConstrained(len(start), size_min=low, size_max=high, init=rows[start], n_init=1, max_iter=500, tol=0)
    return model.fit(rows).labels_


records = []
for name, start, low, high in CASES:
    rows = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1, ndmin=2)
    module.euclidean_distances = distances
    plain = fit(rows, start, low, high)
    module.euclidean_distances = squared
    labels = fit(rows, start, low, high)
    k = len(start)
    records.append({
        "data": name, "init_rows": start, "min": low, "max": high,
        "sizes": np.bincount(labels, minlength=k).tolist(),
        "inertia": inertia(rows, labels, k), "inertia_as_it_is": inertia(rows, plain, k),
        "labels": "".join(map(str, labels)),
    })
print(json.dumps({"tool": "k-means-constrained 0.9.1", "source": "KMeansConstrained", "cases": {
    f"{i}": record for i, record in enumerate(records)}}, indent=1))
