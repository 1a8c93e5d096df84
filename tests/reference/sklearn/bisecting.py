"""Records what scikit-learn's BisectingKMeans makes of the data in data/.

    pip install scikit-learn==1.9.1
    python bisecting.py > bisecting.json        # in this folder

Each split is the best of 50 starts, so that the trees hardly depend on chance; recorded is as far as three seeds agree. The
inertia is computed anew, about the means of the labels.
"""
import json
import pathlib

import numpy as np
import sklearn
from sklearn.cluster import BisectingKMeans

DATA = pathlib.Path(__file__).resolve().parents[3] / "data"
CASES = [("iris", 8), ("faithful", 8), ("penguins", 8)]


def cut(rows, k, strategy, seed):
    model = BisectingKMeans(k, init="random", n_init=50, max_iter=1000, tol=0, bisecting_strategy=strategy,
                            random_state=seed)
    labels = model.fit(rows).labels_
    own = [rows[labels == c] for c in range(k)]
    inertia = sum(((cluster - cluster.mean(axis=0)) ** 2).sum() for cluster in own)
    return {"inertia": inertia, "sizes": sorted(len(cluster) for cluster in own)}


cases = {}
for name, most in CASES:
    rows = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1, ndmin=2)
    for strategy in ["biggest_inertia", "largest_cluster"]:
        cuts = {}
        for k in range(1, most + 1):
            cuts[k] = cut(rows, k, strategy, 0)
            others = [cut(rows, k, strategy, seed) for seed in range(1, 3)]
            if any(abs(other["inertia"] - cuts[k]["inertia"]) > 1e-9 * cuts[k]["inertia"] for other in others):
                del cuts[k]
                break
        cases[f"{name}, {strategy}"] = {"data": name, "bisecting_strategy": strategy, "cuts": cuts}
print(json.dumps({"tool": f"scikit-learn {sklearn.__version__}", "source": "BisectingKMeans", "cases": cases}, indent=1))
