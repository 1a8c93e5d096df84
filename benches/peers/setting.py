"""What was asked for, the sizes that are measured, and the machine's limits."""

from collections.abc import Callable
from dataclasses import dataclass

from . import data, environment, kmeans, mixture
from .report import milliseconds, turns

# n, d, k and what the ratio should be.
KMEANS = [
    (100_000, 2, 100, "≥ 7×"),
    (270_000, 3, 64, "≥ 6×"),
    (200_000, 16, 64, "≥ 4×"),
    (100_000, 128, 256, "≥ 1.8×"),
    (50_000, 64, 1024, "≥ 1.9×"),
    (20_000, 784, 10, "≥ 2.5×"),
]
# Covariance, n, d, k, distance of the blobs in standard deviations, and what the ratio should be.
MIXTURES = [
    ("full", 200_000, 2, 10, 4, "≥ 20×"),
    ("full", 100_000, 16, 16, 4, "≥ 20×"),
    ("full", 20_000, 64, 8, 4, "≥ 8×"),
    ("diag", 100_000, 16, 16, 4, "≥ 10×"),
    ("diag", 100_000, 64, 64, 12, "≥ 9×"),
    ("diag", 100_000, 64, 64, 4, "≥ 7×"),
]


@dataclass
class Setting:
    """What was asked for."""

    rows: str = ""
    quick: bool = False
    repeats: int = 3
    threads: int = 2
    iterations: int = 10
    out: Callable = print

    def __post_init__(self):
        if self.quick:
            self.repeats, self.iterations = 1, min(self.iterations, 3)

    def size(self, n):
        return min(n, 10_000) if self.quick else n

    def wants(self, n, d):
        return f"{n}x{d}".startswith(self.rows)

    def job(self, n, d, k, dtype="f32", threads=None, iterations=None):
        rows, _ = data.blobs(self.size(n), d, k, dtype)
        return kmeans.Job(rows, k, iterations or self.iterations, threads or self.threads)

    def mixture(self, covariance, n, d, k, distance=4, dtype="f64", threads=None, iterations=None):
        rows, labels = data.blobs(self.size(n), d, k, dtype, distance)
        # Where blobs are well apart, a fit is soon over.
        limit = iterations or (min(3, self.iterations) if distance > 4 else self.iterations)
        return mixture.Job(rows, data.blur(labels, k), k, covariance, limit, threads or self.threads)

    def turns(self, programs):
        return turns(programs, self.repeats)


def size_of(rows, k):
    return f"{len(rows):,} | {rows.shape[1]} | {k}"


SIZE = "n | d | k"


def each(fits, names, shown):
    return [shown(fits[name]) if name in fits else "" for name in names]


def per_iteration(fit):
    return milliseconds(fit.seconds / max(1, fit.iterations))


def objectives(fits):
    """The objective of each program, and the greatest relative difference from miscela's."""
    ours = fits["miscela"].objective
    spread = max(abs(fit.objective - ours) / abs(ours) for fit in fits.values())
    return [", ".join(f"{fit.objective:.9g}" for fit in fits.values()), f"{spread:.0e}"]


def machine(setting):
    """The limits of the machine, as `machine` measures them."""
    sizes = (63_000_000,) if setting.quick else (63_000_000, 1_000_000_000)
    flops = [
        f"{dtype} {environment.peak_flops(dtype, threads) / 1e9:.0f}" for dtype in data.DTYPES for threads in (1, 2)
    ]
    read = [
        f"{size // 1_000_000} MB {environment.read_bandwidth(size, threads) / 1e9:.1f}"
        for size in sizes
        for threads in (1, 2)
    ]
    return (
        "\nMeasured limits, with one and two threads: fused multiply-adds "
        f"{', '.join(flops)} GFLOP/s; reading {', '.join(read)} GB/s."
    )
