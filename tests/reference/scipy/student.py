"""Mixtures of Student's t by plain loops over scipy's densities, for the tests.

    python3 tests/reference/scipy/student.py        from the repository's root

EM of Peel & McLachlan (2000) from a start partition: moments of the partition first, then iterations. Densities are
scipy.stats.multivariate_t's; the degrees of freedom are the root that scipy.optimize.brentq finds. `mle`: one component,
whose likelihood scipy.optimize.minimize maximises without EM. `optimum`: the same of mixtures with one ν.
"""

import json

import numpy as np
import scipy
from scipy.optimize import brentq, minimize
from scipy.special import digamma
from scipy.stats import multivariate_t

LEAST, MOST, START = 0.1, 1e4, 10.0


def shape(structure, scatter, weights):
    """Scatter of each component about its mean, a unit of weight each, to the scale matrices of a structure."""
    pooled = np.tensordot(weights / weights.sum(), scatter, 1)
    d = scatter.shape[1]
    tie = lambda m: np.stack([m] * len(weights))
    return {
        "VVV": lambda: scatter,
        "EEE": lambda: tie(pooled),
        "VVI": lambda: np.stack([np.diag(np.diag(s)) for s in scatter]),
        "VII": lambda: np.stack([np.eye(d) * np.trace(s) / d for s in scatter]),
        "EEI": lambda: tie(np.diag(np.diag(pooled))),
        "EII": lambda: tie(np.eye(d) * np.trace(pooled) / d),
    }[structure]()


def moments(rows, counts, weights):
    """Means, and scatter a unit of count, for counts r·u and r."""
    means = counts.T @ rows / counts.sum(0)[:, None]
    scatter = [
        np.einsum("i,ij,il->jl", counts[:, c], rows - means[c], rows - means[c]) / weights[c] for c in range(len(weights))
    ]
    return means, np.stack(scatter)


def log_densities(rows, model):
    pro, means, scales, degrees = model
    parts = [
        np.log(pro[c]) + multivariate_t.logpdf(rows, means[c], scales[c], degrees[c]) for c in range(len(pro))
    ]
    return np.stack(parts, 1)


def total(log_densities):
    top = log_densities.max(1, keepdims=True)
    return top[:, 0] + np.log(np.exp(log_densities - top).sum(1))


def next_degrees(old, d, rows, excess):
    left = lambda v: np.log(v / 2) - digamma(v / 2) + 1 + excess / rows + digamma((old + d) / 2) - np.log((old + d) / 2)
    if left(MOST) >= 0:
        return MOST
    return LEAST if left(LEAST) <= 0 else brentq(left, LEAST, MOST, xtol=1e-13, rtol=1e-15)


def iterate(rows, structure, rule, model):
    pro, means, scales, degrees = model
    n, d = rows.shape
    l = log_densities(rows, model)
    r = np.exp(l - total(l)[:, None])
    squares = np.stack(
        [np.einsum("ij,ij->i", (rows - m) @ np.linalg.inv(s), rows - m) for m, s in zip(means, scales)], 1
    )
    u = (degrees + d) / (degrees + squares)
    weights = r.sum(0)
    means, scatter = moments(rows, r * u, weights)
    excess = (r * (np.log(u) - u)).sum(0)
    if rule == "each":
        degrees = np.array([next_degrees(*args) for args in zip(degrees, [d] * len(pro), weights, excess)])
    elif rule == "shared":
        degrees = np.full(len(pro), next_degrees(degrees[0], d, weights.sum(), excess.sum()))
    return weights / n, means, shape(structure, scatter, weights), degrees


def fit(rows, labels, structure, rule, iterations, tight=False):
    k = labels.max() + 1
    r = np.eye(k)[labels]
    weights = r.sum(0)
    means, scatter = moments(rows, r, weights)
    degrees = np.full(k, START if isinstance(rule, str) else rule, float)
    model = weights / len(rows), means, shape(structure, scatter, weights), degrees
    before = -np.inf
    for done in range(1, iterations + 1):
        model = iterate(rows, structure, rule, model)
        now = total(log_densities(rows, model)).sum()
        assert now >= before - 1e-9 * abs(now), "EM never lowers the likelihood"
        if tight and now - before <= 1e-12 * abs(now):
            break
        before = now
    pro, means, scales, degrees = model
    return {
        "iterations": done,
        "loglik": now,
        "weights": pro.tolist(),
        "means": means.tolist(),
        "cov": scales.tolist(),
        "degrees": degrees.tolist(),
    }


def mle(rows):
    """One component, by a search over its parameters: the mean, the Cholesky factor of the scale, ln ν."""
    n, d = rows.shape
    centre, unit = rows.mean(0), rows.std(0)
    z = (rows - centre) / unit
    lower = np.tril_indices(d)

    def unpack(p):
        factor = np.zeros((d, d))
        factor[lower] = p[d:-1]
        factor[np.diag_indices(d)] = np.exp(np.diag(factor))
        return p[:d], factor @ factor.T, np.exp(p[-1])

    def loss(p):
        mean, scale, degrees = unpack(p)
        return -multivariate_t.logpdf(z, mean, scale, degrees).mean()

    start = np.concatenate([np.zeros(d), np.zeros(len(lower[0])), [np.log(START)]])
    for _ in range(4):
        start = minimize(loss, start, method="BFGS", options={"gtol": 1e-9}).x
        start = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-15, "maxiter": 4000}).x
    mean, scale, degrees = unpack(start)
    return {
        "loglik": -n * (loss(start) + np.log(unit).sum()),
        "means": [(centre + unit * mean).tolist()],
        "cov": [(scale * np.outer(unit, unit)).tolist()],
        "degrees": [degrees],
    }


def optimum(rows, labels, tied):
    """The greatest log-likelihood near a partition, and ν, by a search over all parameters at once."""
    (n, d), k = rows.shape, labels.max() + 1
    unit = rows.std(0)
    z = (rows - rows.mean(0)) / unit
    lower = np.tril_indices(d)
    cuts = np.cumsum([k - 1, k * d] + [len(lower[0])] * (1 if tied else k))

    def unpack(p):
        logits, means, *factors = np.split(p[:-1], cuts[:-1])
        scales = []
        for entries in factors:
            factor = np.zeros((d, d))
            factor[lower] = entries
            factor[np.diag_indices(d)] = np.exp(np.diag(factor))
            scales.append(factor @ factor.T)
        pro = np.exp(np.concatenate([[0], logits]))
        return pro / pro.sum(), means.reshape(k, d), scales * (k if tied else 1), np.full(k, np.exp(p[-1]))

    def loss(p):
        return -total(log_densities(z, unpack(p))).mean()

    groups = [z[labels == c] for c in range(k)]
    scatter = np.stack([np.cov(group.T) for group in groups])
    factors = np.linalg.cholesky(scatter.mean(0, keepdims=True) if tied else scatter)
    for factor in factors:
        factor[np.diag_indices(d)] = np.log(np.diag(factor))
    means = np.concatenate([group.mean(0) for group in groups])
    p = np.concatenate([np.zeros(k - 1), means, *(factor[lower] for factor in factors), [np.log(START)]])
    for _ in range(3):
        p = minimize(loss, p, method="BFGS", options={"gtol": 1e-8, "maxiter": 2000}).x
    return {"loglik": -n * (loss(p) + np.log(unit).sum()), "degrees": np.exp(p[-1])}


def read(name):
    return np.loadtxt(f"data/{name}.csv", delimiter=",", skiprows=1, ndmin=2)


def main():
    out = {"tool": f"numpy {np.__version__} scipy {scipy.__version__}", "source": __doc__.splitlines()[0], "fits": {}}
    for name, k in [("faithful", 2), ("iris", 3)]:
        rows = read(name)
        # By the first column's quantiles: rough, but the same everywhere.
        order = np.argsort(rows[:, 0], kind="stable")
        labels = np.empty(len(rows), int)
        labels[order] = np.arange(len(rows)) * k // len(rows)
        fits = {}
        for structure, rule in [("VVV", "each"), ("EEE", "shared"), ("VVI", 4.0), ("EII", "shared"), ("VVV", 6.0)]:
            key = f"{structure}_{rule}"
            fits[key] = {"after_5": fit(rows, labels, structure, rule, 5)}
            # Where ν is large the likelihood is so flat that no stopping rule finds the same one twice.
            if rule != "each" and (name, structure) != ("faithful", "EEE"):
                fits[key]["tight"] = fit(rows, labels, structure, rule, 20000, tight=True)
        best = {"VVV": optimum(rows, labels, tied=False), "EEE": optimum(rows, labels, tied=True)}
        out["fits"][name] = {"k": k, "start_labels": labels.tolist(), "fits": fits, "optimum": best}
    out["mle"] = {name: mle(rows) for name, rows in [("galaxies", read("galaxies")), ("setosa", read("iris")[:50])]}
    with open("tests/reference/scipy/student.json", "w") as file:
        json.dump(out, file)
        file.write("\n")


if __name__ == "__main__":
    main()
