"""How miscela scales: with threads, types, sizes and in memory. One function a table, as in `beside`."""

from dataclasses import replace
from functools import partial

import numpy as np

from . import environment
from . import memory as resident
from .report import Table, ratio, turns
from .setting import KMEANS, MIXTURES, SIZE, per_iteration, size_of


def memory(setting, peers):
    """Peak resident memory beyond the rows, MB

    The limit is a quarter of the rows, 16 bytes a row, 32 MB, and four times the statistics.
    """
    names = [name for name, package in MEMORY_PEERS.items() if package in peers]
    table = Table(setting.out, "fit", "rows", "limit", "miscela", "", *names)
    over = 0
    for case in resident.CASES:
        if not setting.wants(case.n, case.d):
            continue
        case = replace(case, n=max(case.n // 10, 2 * case.k)) if setting.quick else case
        rows = case.write()
        ours = resident.beyond(case, rows)
        over += ours > case.limit
        theirs = [resident.beyond_by(peer, case, setting.threads) if can_fit(peer, case) else "" for peer in names]
        verdict = "over" if ours > case.limit else ""
        table.add(case, *map(megabytes, (case.input, case.limit, ours)), verdict, *map(megabytes, theirs))
    setting.out(f"\n{over} over the limit.")
    return over


MEMORY_PEERS = {"sklearn": "scikit-learn", "sklearnex": "scikit-learn-intelex", "faiss": "faiss"}


def can_fit(peer, case):
    """Whether the peer does this kind of fit from a given start."""
    takes = {"sklearn": True, "sklearnex": not case.covariance, "faiss": not case.covariance and case.dtype == "f32"}
    return takes[peer] and case.init == "given"


def megabytes(size):
    return f"{size / resident.MB:.0f}" if isinstance(size, int) else size or ""


def threads(setting, peers):
    """One thread and two: milliseconds an iteration

    Rows are bound by arithmetic where that takes longer, at the measured peak, than reading the rows at the measured
    bandwidth; then two threads should be ≥ 1.85 times as fast as one, if the fit takes one more than 50 ms. The others
    should read ≥ 85 % of what plain reading of as many bytes reaches with two threads.
    """
    columns = ["fit", SIZE, "type", "1 thread", "2 threads", "speedup", "bound by", "GB/s", "of reading", ""]
    table = Table(setting.out, *columns)
    wide = [(400_000, 64, 4, ""), (2_000_000, 16, 8, "")]
    cases = [("k-means", dtype, row, setting.job) for dtype in ("f32", "f64") for row in [*KMEANS, *wide]]
    cases += [(f"mixture, {row[0]}", "f64", row[1:], partial(setting.mixture, row[0])) for row in MIXTURES]
    for name, dtype, (n, d, k, *more), make in cases:
        if not setting.wants(n, d):
            continue
        job = make(n, d, k, *more[:-1], dtype=dtype)
        one, two = (replace(job, threads=count) for count in (1, 2))
        fits = setting.turns({1: one.miscela, 2: two.miscela})
        passes = fits[2].iterations + 1
        flops = {"mixture, full": 2 * d * d, "mixture, diag": 8 * d}.get(name, 2 * d) * len(job.rows) * k
        bandwidth = environment.read_bandwidth(job.rows.nbytes, 2)
        arithmetic = flops / environment.peak_flops(dtype, 2) > job.rows.nbytes / bandwidth
        speedup = fits[1].seconds / fits[2].seconds
        rate = job.rows.nbytes * passes / fits[2].seconds
        good = speedup >= 1.85 if arithmetic else rate >= 0.85 * bandwidth
        if arithmetic and fits[1].seconds < 0.05:
            verdict = "short"
        else:
            verdict = "" if good else "below"
        table.add(
            name,
            size_of(job.rows, k),
            dtype,
            *(per_iteration(fits[count]) for count in (1, 2)),
            f"{speedup:.2f}×",
            "arithmetic" if arithmetic else "reading",
            f"{rate / 1e9:.1f}",
            f"{rate / bandwidth:.0%}",
            verdict,
        )


def types(setting, peers):
    """f32 and f64: milliseconds an iteration of miscela"""
    table = Table(setting.out, "fit", SIZE, "f32", "f64", "f64 ÷ f32", "target", "objective", "difference")
    cases = [("k-means", row, "", setting.job) for row in KMEANS]
    cases += [(f"mixture, {row[0]}", row[1:], "≥ 1.6×", partial(setting.mixture, row[0])) for row in MIXTURES]
    for name, (n, d, k, *more), target, make in cases:
        if not setting.wants(n, d):
            continue
        # The same numbers in both types.
        single = make(n, d, k, *more[:-1], dtype="f32")
        double = replace(single, rows=single.rows.astype(np.float64))
        if name == "k-means":
            double.start, double.known = single.start.astype(np.float64), {}
        fits = setting.turns({dtype: partial(fresh, job) for dtype, job in (("f32", single), ("f64", double))})
        f32, f64 = fits["f32"], fits["f64"]
        same = f32.iterations == f64.iterations
        difference = abs(f32.objective - f64.objective) / abs(f64.objective)
        table.add(
            name,
            size_of(single.rows, k),
            *(per_iteration(fit) for fit in (f32, f64)),
            f"{f64.seconds / f32.seconds:.2f}×" if same else f"{f32.iterations} and {f64.iterations} iterations",
            target,
            f"{f64.objective:.9g}",
            f"{difference:.0e}",
        )


def fresh(job):
    """A fit by miscela of rows that are written anew, as other rows were written to the same file since."""
    job.__dict__.pop("files", None)
    return job.miscela()


def growth(setting, peers):
    """Growth with n, d and k: milliseconds an iteration, and nanoseconds for each row, component and column

    Five iterations; k-means in f32, mixtures (full covariance) in f64.
    """
    columns = ["fit", "what grows", SIZE, "miscela", "sklearn", "ratio", "ns / (n·k·d)"]
    table = Table(setting.out, *columns)
    sweeps = [
        ("k-means", setting.job, (100_000, 16, 64), "n", (1_000, 10_000, 100_000, 1_000_000)),
        ("k-means", setting.job, (20_000, 16, 64), "d", (2, 8, 32, 128, 512)),
        ("k-means", setting.job, (50_000, 16, 64), "k", (4, 16, 64, 256, 1024)),
        ("mixture", partial(setting.mixture, "full"), (20_000, 8, 8), "n", (2_000, 20_000, 200_000)),
        ("mixture", partial(setting.mixture, "full"), (10_000, 8, 8), "d", (2, 8, 32, 128, 200)),
        ("mixture", partial(setting.mixture, "full"), (20_000, 8, 8), "k", (2, 8, 32, 128, 200)),
    ]
    for name, make, base, what, values in sweeps:
        for value in values:
            n, d, k = (value if what == each else size for each, size in zip("ndk", base))
            if not setting.wants(n, d):
                continue
            job = make(n, d, k, iterations=min(5, setting.iterations))
            programs = {"miscela": job.miscela, "sklearn": job.sklearn}
            fits = turns(programs, setting.repeats, budget=4)
            ours = fits["miscela"]
            each_ = 1e9 * ours.seconds / max(1, ours.iterations) / job.rows.size / k
            table.add(
                name,
                what,
                size_of(job.rows, k),
                *(per_iteration(fits[each]) for each in programs),
                ratio(fits, 1e-4),
                f"{each_:.3g}",
            )
