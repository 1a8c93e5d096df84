"""Rows to cluster, and where to start."""

import gzip

import numpy as np

from .environment import HOME, ROOT

FILES = HOME / "data"
DTYPES = {"f32": np.float32, "f64": np.float64}


def save(name, array):
    """Where the array is kept for the programs that read files; overwritten by the next of the name."""
    FILES.mkdir(parents=True, exist_ok=True)
    np.save(FILES / f"{name}.npy", array)
    return FILES / f"{name}.npy"


def blobs(n, d, k, dtype, distance=4.0):
    """Rows from k spherical Gaussians whose centres are about `distance` standard deviations apart, and their labels.

    At 4 they overlap, so that no fit is over early.
    """
    rng = np.random.default_rng(42)
    kind = DTYPES[dtype]
    centres = rng.normal(scale=distance / np.sqrt(2 * d), size=(k, d)).astype(kind)
    labels = rng.integers(k, size=n)
    rows = rng.standard_normal(size=(n, d), dtype=kind)
    for first in range(0, n, 65536):
        rows[first : first + 65536] += centres[labels[first : first + 65536]]
    return rows, labels


def blur(labels, k):
    """The labels with three in ten replaced at random: a partition that is far from the end."""
    rng = np.random.default_rng(7)
    return np.where(rng.random(len(labels)) < 0.3, rng.integers(k, size=len(labels)), labels)


def grid(n, dtype):
    """Blobs on a square grid of 10 × 10, four standard deviations apart."""
    rng = np.random.default_rng(42)
    corners = rng.integers(10, size=(n, 2))
    return np.ascontiguousarray(corners + rng.normal(scale=0.25, size=(n, 2)), dtype=DTYPES[dtype])


def picture(dtype, dither=False):
    """The colours of a photograph, 273,280 × 3, from 0 to 1, with or without less than half a step added at random."""
    with gzip.open(ROOT / "data" / "china_pixels.u8.npy.gz") as file:
        steps = np.load(file).astype(np.float64)
    if dither:
        steps += np.random.default_rng(42).uniform(-0.5, 0.5, size=steps.shape)
    return np.ascontiguousarray(steps / 255, dtype=DTYPES[dtype])


def digits(dtype):
    """Handwritten digits, 1797 × 64."""
    with gzip.open(ROOT / "data" / "digits.csv.gz", "rt") as file:
        return np.loadtxt(file, delimiter=",", skiprows=1, dtype=DTYPES[dtype])


def start(rows, k):
    """k distinct rows, drawn at random."""
    order = np.random.default_rng(3).permutation(len(rows))
    chosen, seen = [], set()
    for i in order:
        if rows[i].tobytes() not in seen:
            seen.add(rows[i].tobytes())
            chosen.append(i)
        if len(chosen) == k:
            return np.ascontiguousarray(rows[chosen])
    raise ValueError(f"there are not {k} distinct rows")
