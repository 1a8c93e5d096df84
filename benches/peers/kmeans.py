"""One fit of k-means by each program: the same rows, start and number of iterations."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits

from . import data
from .environment import run
from .report import Fit


def inertia(rows, centres):
    """Σ‖x − nearest centre‖² in double precision, the ruler for all programs."""
    centres = np.asarray(centres, dtype=rows.dtype)
    total = 0.0
    for first in range(0, len(rows), 16384):
        part = rows[first : first + 16384]
        nearest = centres[pairwise_distances_argmin(part, centres)]
        total += float(((part.astype(np.float64) - nearest) ** 2).sum())
    return total


@dataclass
class Job:
    """What is asked of every program. `judge` gives the objective of some centres."""

    rows: np.ndarray
    k: int
    iterations: int
    threads: int
    start: np.ndarray = None
    known: dict = field(default_factory=dict)
    judge: Callable = inertia

    def __post_init__(self):
        if self.start is None:
            self.start = data.start(self.rows, self.k)

    @cached_property
    def files(self):
        return [data.save("rows", self.rows), data.save("start", self.start)]

    def measured(self, name, seconds, iterations, centres):
        """The fit; its objective is found out once for each program, as repeats are alike."""
        if name not in self.known:
            self.known[name] = self.judge(self.rows, centres)
        return Fit(seconds, iterations, self.known[name])

    def miscela(self, algorithm="auto"):
        flags = ["-m", "kmeans", "-k", self.k, "--init-centers", self.files[1], "--algorithm", algorithm]
        flags += ["--max-iter", self.iterations, "--tol", 0, "--threads", self.threads, "--json"]
        fit = json.loads(run("miscela", "fit", self.files[0], *flags))
        return self.measured(algorithm, fit["seconds"]["fit"], fit["iterations"], fit["means"])

    def library(self):
        """By the library in a process that has fitted before, as the peers have in theirs."""
        centres = data.FILES / "centres.npy"
        seconds, iterations = run("fit", *self.files, self.iterations, self.threads, 2, centres).split()
        return self.measured("library", float(seconds), int(iterations), np.load(centres))

    def sklearn(self, algorithm="lloyd"):
        with threadpool_limits(self.threads):
            return self.by(KMeans, f"sklearn {algorithm}", algorithm=algorithm)

    def sklearnex(self):
        from sklearnex.cluster import KMeans as Intel

        return self.by(Intel, "sklearnex", algorithm="lloyd", n_jobs=self.threads)

    def by(self, kind, name, **options):
        model = kind(self.k, init=self.start, n_init=1, max_iter=self.iterations, tol=0, **options)
        begun = time.perf_counter()
        model.fit(self.rows)
        seconds = time.perf_counter() - begun
        return self.measured(name, seconds, model.n_iter_, model.cluster_centers_)

    def faiss(self):
        """All rows; and no last assignment, so one pass less than the others, which is left to its advantage."""
        import faiss

        faiss.omp_set_num_threads(self.threads)
        with threadpool_limits(self.threads):
            model = faiss.Kmeans(
                self.rows.shape[1],
                self.k,
                niter=self.iterations,
                nredo=1,
                max_points_per_centroid=len(self.rows),
                min_points_per_centroid=1,
            )
            begun = time.perf_counter()
            model.train(self.rows, init_centroids=self.start)
            seconds = time.perf_counter() - begun
        return self.measured("faiss", seconds, len(model.iteration_stats), model.centroids)

    def programs(self, peers):
        """miscela and all peers that are there and take rows of this type."""
        all_ = {"miscela": self.miscela, "sklearn": self.sklearn, "sklearnex": self.sklearnex, "faiss": self.faiss}
        absent = {"sklearnex": "scikit-learn-intelex" not in peers}
        absent["faiss"] = "faiss" not in peers or self.rows.dtype != np.float32
        return {name: program for name, program in all_.items() if not absent.get(name)}
