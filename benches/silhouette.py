#!/usr/bin/env python3
"""The exact silhouette beside scikit-learn's: seconds, and the value of each.

    python3 benches/silhouette.py [--threads 2] [--repeats 2] [--cases 50000x16x10,…]

Needs NumPy and scikit-learn, and builds the example `silhouette` of miscela-metrics. Rows are Gaussian blobs, in f64; both
have them in memory before the clock starts, and take turns; the fastest of each counts.
"""

import argparse
import os
import platform
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
parser.add_argument("--repeats", type=int, default=2)
parser.add_argument("--cases", default="50000x16x10,20000x2x5,10000x128x10", help="n x d x k, …")
options = parser.parse_args()
for library in ("OMP", "OPENBLAS", "MKL"):  # before they are loaded
    os.environ[f"{library}_NUM_THREADS"] = str(options.threads)

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.metrics import silhouette_score  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
COMMAND = ["cargo", "build", "--release", "--quiet", "-p", "miscela-metrics", "--example", "silhouette"]
EXAMPLE = os.path.join(ROOT, "target", "release", "examples", "silhouette")
METRICS = {"l2": "euclidean", "l1": "manhattan"}


def blobs(n, d, k):
    random = np.random.default_rng(7)
    labels = random.integers(0, k, n)
    return random.normal(size=(n, d)) + 4 * random.normal(size=(k, d))[labels], labels


def own(folder, metric):
    rows, labels = os.path.join(folder, "rows.npy"), os.path.join(folder, "labels.npy")
    said = subprocess.run(
        [EXAMPLE, rows, labels, metric, str(options.threads)], check=True, capture_output=True, text=True
    )
    return [float(number) for number in said.stdout.split()]


def scikit_learn(rows, labels, metric):
    start = time.perf_counter()
    value = silhouette_score(rows, labels, metric=METRICS[metric])
    return [time.perf_counter() - start, value]


subprocess.run(COMMAND, check=True, cwd=ROOT)
print(f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}, Python {platform.python_version()}; {options.threads} threads\n")
print("| distance | n | d | k | miscela, s | scikit-learn, s | ratio | silhouette | difference |")
print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
for case in options.cases.split(","):
    n, d, k = map(int, case.split("x"))
    rows, labels = blobs(n, d, k)
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "rows.npy"), rows)
        np.save(os.path.join(folder, "labels.npy"), labels.astype(np.int64))
        for metric in METRICS if n <= 20000 else ["l2"]:
            turns = [(own(folder, metric), scikit_learn(rows, labels, metric)) for _ in range(options.repeats)]
            (ours, value), (theirs, expected) = (min(turn) for turn in zip(*turns))
            print(
                f"| {metric} | {n:,} | {d} | {k} | {ours:.3f} | {theirs:.2f} | {theirs / ours:.1f}× | {value:.6f} "
                f"| {abs(value - expected):.0e} |",
                flush=True,
            )
