"""What scikit-learn says of labellings that are degenerate, under other distances, and of repeated rows.

From the root of the repository, with scikit-learn 1.9:

    python3 tests/reference/metrics.py > tests/reference/metrics/degenerate.json

`null` stands for a ValueError. Silhouettes are made from distances by differences: scikit-learn's own are differences of
squared norms, which make copies of a row lie 1e-7 apart.
"""

import json
import warnings

import numpy as np
import sklearn
from scipy.spatial.distance import cdist
from sklearn import metrics

warnings.simplefilter("ignore")


def value(measure, *arguments, **options):
    try:
        return float(measure(*arguments, **options))
    except ValueError:
        return None


def external(truth, labels):
    homogeneity, completeness, v_measure = metrics.homogeneity_completeness_v_measure(truth, labels)
    return {
        "truth": truth,
        "labels": labels,
        "ari": value(metrics.adjusted_rand_score, truth, labels),
        "rand": value(metrics.rand_score, truth, labels),
        "ami": value(metrics.adjusted_mutual_info_score, truth, labels),
        "nmi": value(metrics.normalized_mutual_info_score, truth, labels),
        "homogeneity": homogeneity,
        "completeness": completeness,
        "v_measure": v_measure,
        "fowlkes_mallows": value(metrics.fowlkes_mallows_score, truth, labels),
        "pair_confusion": metrics.pair_confusion_matrix(truth, labels).tolist(),
    }


def internal(rows, labels):
    rows = np.array(rows, dtype=float)
    return {
        "rows": rows.tolist(),
        "labels": labels,
        "silhouette": value(metrics.silhouette_score, cdist(rows, rows), labels, metric="precomputed"),
        "calinski_harabasz": value(metrics.calinski_harabasz_score, rows, labels),
        "davies_bouldin": value(metrics.davies_bouldin_score, rows, labels),
    }


six = list(range(6))
draws = np.random.default_rng(5)
wide = [[0, 0], [1, 0], [0, 2], [8, 8], [9, 8], [8, 6]]
iris = np.loadtxt("data/iris.csv", delimiter=",", skiprows=1)
species = np.loadtxt("data/iris.labels.csv", skiprows=1, dtype=int)
copies = 1 + np.arange(150) % 3
distances = {"l1": "manhattan", "l2": "euclidean", "sqeuclidean": "sqeuclidean", "linf": "chebyshev", "cosine": "cosine"}
silhouettes = {name: value(metrics.silhouette_score, iris, species, metric=known) for name, known in distances.items()}
repeated, names = np.repeat(iris, copies, axis=0), np.repeat(species, copies)
thirds = np.repeat(np.arange(150) % 3, copies)

answer = {
    "tool": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}",
    "external": {
        "no_rows": external([], []),
        "one_row": external([0], [0]),
        "two_rows_together_and_apart": external([0, 0], [0, 1]),
        "one_cluster_both": external([0] * 6, [3] * 6),
        "one_cluster_and_two": external([0] * 6, [0, 0, 0, 1, 1, 1]),
        "two_and_one_cluster": external([0, 0, 0, 1, 1, 1], [0] * 6),
        "one_cluster_and_all_apart": external([0] * 6, six),
        "all_apart_and_one_cluster": external(six, [0] * 6),
        "all_apart_both": external(six, six[::-1]),
        "all_apart_and_two": external(six, [0, 0, 0, 1, 1, 1]),
        "two_and_all_apart": external([0, 0, 0, 1, 1, 1], six),
        "independent": external([0, 0, 1, 1], [0, 1, 0, 1]),
        "renamed": external([0, 0, 1, 1, 2, 2], [5, 5, 9, 9, 1, 1]),
        "random": external(draws.integers(0, 40, 2000).tolist(), draws.integers(0, 25, 2000).tolist()),
        "related": external((r := draws.integers(0, 7, 500)).tolist(), ((r + (draws.random(500) < 0.2)) % 5).tolist()),
    },
    "internal": {
        "one_cluster": internal(wide, [0] * 6),
        "all_apart": internal(wide, six),
        "one_pair": internal(wide, [0, 0, 1, 2, 3, 4]),
        "two": internal(wide, [0, 0, 0, 1, 1, 1]),
        "gaps_in_the_labels": internal(wide, [7, 7, 7, 3, 3, 3]),
        "with_a_single_row": internal(wide, [0, 0, 0, 0, 0, 1]),
        "points": internal([[0, 0]] * 3 + [[1, 2]] * 3, [0, 0, 0, 1, 1, 1]),
        "all_rows_the_same": internal([[0.5, 2]] * 6, [0, 0, 0, 1, 1, 1]),
        "same_centroids": internal([[0, 0], [2, 2], [0, 2], [2, 0]], [0, 0, 1, 1]),
        "two_of_three_centroids_the_same": internal(
            [[0, 0], [2, 2], [0, 2], [2, 0], [9, 9], [9, 8]], [0, 0, 1, 1, 2, 2]
        ),
        "two_rows": internal([[0, 0], [1, 1]], [0, 1]),
    },
    "distances": {"data": "iris", "labels": "data/iris.labels.csv", "silhouette": silhouettes},
    "weights": {
        "note": "row i of iris, 1 + i mod 3 times; compared with labels i mod 3",
        "internal": {key: x for key, x in internal(repeated, names).items() if key not in ("rows", "labels")},
        "external": {key: x for key, x in external(names, thirds).items() if key not in ("truth", "labels")},
    },
}
print(json.dumps(answer))
