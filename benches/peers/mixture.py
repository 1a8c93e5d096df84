"""One fit of a Gaussian mixture by miscela and by scikit-learn, from the same partition of the rows.

miscela is given the labels, whose M-step it does not count as part of the fit; scikit-learn is given the parameters that
follow from them.
"""

import json
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from . import data
from .environment import run
from .report import Fit

RIDGE = 1e-6


def parameters(rows, labels, k, covariance):
    """What an M-step makes of a partition, as scikit-learn wants it."""
    weights = np.bincount(labels, minlength=k) / len(rows)
    means, precisions = [], []
    for c in range(k):
        own = rows[labels == c]
        means.append(own.mean(axis=0))
        difference = own - means[c]
        if covariance == "full":
            scatter = difference.T @ difference / len(difference)
            precisions.append(np.linalg.inv(scatter + RIDGE * np.eye(rows.shape[1])))
        else:
            precisions.append(1 / ((difference**2).mean(axis=0) + RIDGE))
    return {"weights_init": weights, "means_init": np.array(means), "precisions_init": np.array(precisions)}


@dataclass
class Job:
    """What is asked of both; where not `judged`, without scikit-learn's likelihood."""

    rows: np.ndarray
    labels: np.ndarray
    k: int
    covariance: str
    iterations: int
    threads: int
    judged: bool = True

    @cached_property
    def start(self):
        return parameters(self.rows, self.labels, self.k, self.covariance)

    @cached_property
    def files(self):
        return [data.save("rows", self.rows), data.save("labels", self.labels.astype(np.float64)[:, None])]

    def miscela(self):
        flags = ["-m", "gmm", "-k", self.k, "--covariance", self.covariance, "--reg-covar", RIDGE]
        flags += ["--init-labels", self.files[1], "--max-iter", self.iterations, "--tol", 0]
        fit = json.loads(run("miscela", "fit", self.files[0], *flags, "--threads", self.threads, "--json"))
        return Fit(fit["seconds"]["fit"], fit["iterations"], fit["log_likelihood"])

    def sklearn(self):
        start = self.start
        model = GaussianMixture(
            self.k, covariance_type=self.covariance, tol=0, max_iter=self.iterations, reg_covar=RIDGE, **start
        )
        with threadpool_limits(self.threads):
            begun = time.perf_counter()
            model.fit(self.rows)
            seconds = time.perf_counter() - begun
            likelihood = model.score(self.rows) * len(self.rows) if self.judged else 0.0
        return Fit(seconds, model.n_iter_, likelihood)

    def programs(self, _):
        return {"miscela": self.miscela, "sklearn": self.sklearn}
