#!/usr/bin/env python3
"""miscela and scikit-learn side by side: milliseconds an iteration from the same start.

    cargo build --release -p miscela-cli
    python3 benches/peers.py [--rows 200000x16] [--repeats 5] [--threads 2] [--iterations 10]

Prints a table in Markdown, with the machine and all versions. Makes itself a virtual environment with scikit-learn in
target/peers the first time (this needs PyPI), and keeps its data there.

What is the same for both: the rows, their type, the start, the number of iterations (tolerance off), one run, all rows, the
number of threads. The two take turns, and the best of the repeats counts. For k-means the start are the first k rows. For
mixtures it is a partition: miscela is given its labels, whose M-step it does not count as part of the fit; scikit-learn is
given the parameters that follow from them. scikit-learn's time is that of `fit`, miscela's is `seconds.fit`: both leave
reading out, and both include the last assignment (k-means) or E-step (mixtures). The objectives at the end stand beside
the times, as a check that both did the same work.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "target" / "peers"
BINARY = ROOT / "target" / "release" / "miscela"

# Method or covariance, type, n, d, k.
CASES = [
    ("kmeans", "f32", 100_000, 2, 100),
    ("kmeans", "f32", 270_000, 3, 64),
    ("kmeans", "f32", 100_000, 128, 256),
    ("full", "f64", 200_000, 2, 10),
    ("full", "f64", 100_000, 16, 16),
    ("full", "f64", 20_000, 64, 8),
    ("diag", "f64", 100_000, 16, 16),
    ("diag", "f64", 100_000, 64, 64),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="only cases whose n x d starts so, e.g. 100000x16")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=10)
    return parser.parse_args()


def enter_environment(threads):
    """Runs this program again inside its own environment, with thread pools of the size asked for."""
    python = HOME / "venv" / "bin" / "python"
    if Path(sys.prefix).resolve() == (HOME / "venv").resolve():
        return
    if not python.exists():
        venv.create(HOME / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "scikit-learn==1.9.*"], check=True)
    for pool in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{pool}_NUM_THREADS"] = str(threads)
    os.execv(python, [str(python), *sys.argv])


def blobs(n, d, k, dtype):
    """Overlapping Gaussian blobs, centres about four standard deviations apart, so that no fit is over early."""
    rng = np.random.default_rng(42)
    centres = rng.normal(scale=4 / np.sqrt(2 * d), size=(k, d))
    labels = rng.integers(k, size=n)
    rows = centres[labels] + rng.normal(size=(n, d))
    blurred = np.where(rng.random(n) < 0.3, rng.integers(k, size=n), labels)
    return np.ascontiguousarray(rows, dtype=dtype), blurred


def parameters(rows, labels, k, covariance, ridge=1e-6):
    """What an M-step makes of a partition, as scikit-learn wants it."""
    weights = np.bincount(labels, minlength=k) / len(rows)
    means = np.array([rows[labels == c].mean(axis=0) for c in range(k)])
    precisions = []
    for c in range(k):
        difference = rows[labels == c] - means[c]
        if covariance == "full":
            scatter = difference.T @ difference / len(difference)
            precisions.append(np.linalg.inv(scatter + ridge * np.eye(rows.shape[1])))
        else:
            precisions.append(1 / ((difference**2).mean(axis=0) + ridge))
    return {"weights_init": weights, "means_init": means, "precisions_init": np.array(precisions)}


def miscela(flags, threads):
    """One fit by the command: seconds, iterations, objective."""
    command = [BINARY, "fit", *map(str, flags), "--tol", "0", "--threads", str(threads), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    fit = json.loads(done.stdout)
    objective = fit["inertia"] if fit["method"] == "kmeans" else fit["log_likelihood"]
    return fit["seconds"]["fit"], fit["iterations"], objective


def timed_fit(model, rows):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge, which is meant
        model.fit(rows)
    return time.perf_counter() - start


def kmeans_case(rows, k, files, limit, threads):
    start = rows[:k]
    np.save(files / "start.npy", start)
    flags = [files / "rows.npy", "-m", "kmeans", "-k", k, "--init-centers", files / "start.npy", "--max-iter", limit]

    def ours():
        return miscela(flags, threads)

    def theirs():
        model = KMeans(k, init=start, n_init=1, max_iter=limit, tol=0, algorithm="lloyd")
        return timed_fit(model, rows), model.n_iter_, model.inertia_

    return ours, theirs


def mixture_case(rows, labels, k, covariance, files, limit, threads):
    np.savetxt(files / "labels.csv", labels, fmt="%d", header="label", comments="")
    start = parameters(rows, labels, k, covariance)
    flags = [files / "rows.npy", "-m", "gmm", "-k", k, "--covariance", covariance, "--reg-covar", "1e-6"]
    flags += ["--init-labels", files / "labels.csv", "--max-iter", limit]

    def ours():
        return miscela(flags, threads)

    def theirs():
        model = GaussianMixture(k, covariance_type=covariance, tol=0, max_iter=limit, **start)
        seconds = timed_fit(model, rows)
        return seconds, model.n_iter_, model.score(rows) * len(rows)

    return ours, theirs


def compare(case, options):
    """A line of the table."""
    method, dtype, n, d, k = case
    files = HOME / "data"
    files.mkdir(parents=True, exist_ok=True)
    rows, labels = blobs(n, d, k, {"f32": np.float32, "f64": np.float64}[dtype])
    np.save(files / "rows.npy", rows)
    common = (files, options.iterations, options.threads)
    if method == "kmeans":
        ours, theirs = kmeans_case(rows, k, *common)
    else:
        ours, theirs = mixture_case(rows, labels, k, method, *common)
    pairs = [(ours(), theirs()) for _ in range(options.repeats)]
    seconds = [min(run[side][0] for run in pairs) for side in (0, 1)]
    (_, our_count, our_objective), (_, their_count, their_objective) = pairs[0]
    if our_count != their_count:
        sys.exit(f"{case}: {our_count} and {their_count} iterations cannot be compared")
    our_time, their_time = (1000 * each / our_count for each in seconds)
    name = "k-means" if method == "kmeans" else f"mixture, {method}"
    return (
        f"| {name} | {dtype} | {n:,} | {d} | {k} | {our_count} | {our_time:.2f} | {their_time:.2f} "
        f"| {their_time / our_time:.1f}× | {our_objective:.9g} | {their_objective:.9g} |"
    )


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main(options):
    if not BINARY.exists():
        sys.exit(f"{BINARY} is not there; run: cargo build --release -p miscela-cli")
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}; scikit-learn {sklearn.__version__}, NumPy {np.__version__}, Python {platform.python_version()}.")
    print(f"{processor()}, {options.threads} threads of {os.cpu_count()}; {platform.system()} {platform.machine()}.")
    print(f"Milliseconds an iteration, the best of {options.repeats} fits that took turns.\n")
    print("| fit | type | n | d | k | iterations | miscela | scikit-learn | ratio | its objective | scikit-learn's |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for case in CASES:
        if f"{case[2]}x{case[3]}".startswith(options.rows):
            print(compare(case, options), flush=True)


if __name__ == "__main__":
    asked = arguments()
    enter_environment(asked.threads)
    import time
    import warnings

    import numpy as np
    import sklearn
    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture

    main(asked)
