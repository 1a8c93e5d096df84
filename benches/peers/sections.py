"""What is measured: one function a table. The first line of each is its title, the rest stands below it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from . import data, environment, kmeans as lloyd, memory as resident, mixture as em
from .report import Fit, Table, milliseconds, ratio, spread, turns

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
        return lloyd.Job(rows, k, iterations or self.iterations, threads or self.threads)

    def mixture(self, covariance, n, d, k, distance=4, dtype="f64", threads=None, iterations=None):
        rows, labels = data.blobs(self.size(n), d, k, dtype, distance)
        labels = data.blur(labels, k)
        return em.Job(rows, labels, k, covariance, iterations or self.iterations, threads or self.threads)

    def turns(self, programs):
        return turns(programs, self.repeats)


def size_of(rows, k):
    return f"{len(rows):,} | {rows.shape[1]} | {k}"


SIZE = "n | d | k"


def each(fits, names, shown):
    return [shown(fits[name]) if name in fits else "" for name in names]


def per_iteration(fit):
    return milliseconds(fit.seconds / max(1, fit.iterations))


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


def kmeans(setting, peers):
    """K-means, a fixed number of iterations, f32: milliseconds an iteration

    The share of the peak counts 2·n·k·d operations for each pass over the rows, of which there is one more than iterations.
    """
    names = ["miscela", "sklearn", "sklearnex", "faiss"]
    columns = [SIZE, "iterations", *names, "ratio to the best peer", "target", "share of FMA peak"]
    table = Table(setting.out, *columns, "inertia", "greatest difference")
    for n, d, k, target in KMEANS:
        if not setting.wants(n, d):
            continue
        job = setting.job(n, d, k)
        fits = setting.turns(job.programs(peers))
        ours = fits["miscela"]
        rate = 2 * job.rows.size * k * (ours.iterations + 1) / ours.seconds
        share = rate / environment.peak_flops("f32", setting.threads)
        table.add(
            size_of(job.rows, k),
            ours.iterations,
            *each(fits, names, per_iteration),
            ratio(fits, 1e-4),
            target,
            f"{share:.0%}",
            f"{ours.objective:.9g}",
            f"{spread(fits):.0e}",
        )


def mixture(setting, peers):
    """Mixtures, a fixed number of iterations, f64: milliseconds an iteration

    `distance` is that of the blobs' centres in standard deviations: at 12 they are well separated, at 4 they overlap.
    """
    columns = ["covariance", SIZE, "distance", "iterations", "miscela", "sklearn", "ratio", "target"]
    table = Table(setting.out, *columns, "log-likelihood", "difference")
    for covariance, n, d, k, distance, target in MIXTURES:
        if not setting.wants(n, d):
            continue
        job = setting.mixture(covariance, n, d, k, distance)
        fits = setting.turns(job.programs(peers))
        table.add(
            covariance,
            size_of(job.rows, k),
            distance,
            fits["miscela"].iterations,
            *each(fits, ["miscela", "sklearn"], per_iteration),
            ratio(fits, 1e-6),
            target,
            f"{fits['miscela'].objective:.9g}",
            f"{spread(fits):.0e}",
        )


def convergence(setting, peers):
    """K-means to full convergence (tolerance 0): seconds

    Blobs in f32, pictures and digits in f64. Equal distances, and in f32 rounding, take programs along other paths: pixels
    have many ties, which `dithered` colours (less than half a step of their 255 is added at random) do not. Times are
    compared where the inertias agree to 10⁻³ and the numbers of iterations to a tenth; milliseconds an iteration always.
    """

    def blobs(n, d, k):
        return "blobs", partial(first, data.blobs, setting.size(n), d, k, "f32"), k

    def colours(dither, k):
        return f"colours{', dithered' if dither else ''}", partial(data.picture, "f64", dither), k

    cases = [
        (*blobs(100_000, 2, 100), "≥ 12×"),
        (*blobs(270_000, 3, 64), "≥ 12×"),
        (*blobs(200_000, 16, 64), "≥ 5×"),
        (*blobs(50_000, 128, 256), "≥ 2.5×"),
        (*colours(False, 64), "≥ 5×"),
        (*colours(True, 64), "≥ 5×"),
        (*colours(True, 256), "≥ 5×"),
        ("digits", partial(data.digits, "f64"), 10, "≥ 5×"),
        ("grid of blobs", partial(data.grid, setting.size(100_000), "f32"), 100, "≥ 5×"),
    ]
    names = ["miscela auto", "miscela lloyd", "sklearn lloyd", "sklearn elkan"]
    columns = ["data", SIZE, *names, "iterations of each", "ratio to the faster sklearn", "target"]
    table = Table(setting.out, *columns, "an iteration", "lloyd ÷ auto", "inertia of each")
    for name, rows, k, target in cases:
        rows = rows()
        if not setting.wants(*rows.shape):
            continue
        job = lloyd.Job(rows[: setting.size(len(rows))], k, 30 if setting.quick else 2000, setting.threads)
        programs = {f"miscela {algorithm}": partial(job.miscela, algorithm) for algorithm in ("auto", "lloyd")}
        programs |= {f"sklearn {algorithm}": partial(job.sklearn, algorithm) for algorithm in ("lloyd", "elkan")}
        fits = setting.turns(programs)
        fits["miscela"] = fits["miscela auto"]
        each_iteration = {name: fit.seconds / fit.iterations for name, fit in fits.items()}
        table.add(
            name,
            size_of(job.rows, k),
            *(f"{fits[each].seconds:.3f}" for each in names),
            ", ".join(str(fits[each].iterations) for each in names),
            ratio(fits, 1e-3, slack=0.1, rivals=names[2:]),
            target,
            f"{min(each_iteration[each] for each in names[2:]) / each_iteration['miscela']:.1f}×",
            f"{fits['miscela lloyd'].seconds / fits['miscela'].seconds:.2f}",
            ", ".join(f"{fits[each].objective:.6g}" for each in names[1:]),
        )


def first(make, *arguments):
    return make(*arguments)[0]


def init(setting, peers):
    """Initialisation: greedy k-means++ with 2 + ln k trials, f32: milliseconds

    The inertia is that of the start, which is drawn: it may differ by a quarter.
    """
    columns = [SIZE, "threads", "miscela", "sklearn", "ratio", "target", "inertia", "sklearn's"]
    table = Table(setting.out, *columns)
    sizes = [(100_000, 2, 100), (100_000, 2, 1000), (100_000, 16, 64), (50_000, 16, 512), (50_000, 32, 64)]
    for n, d, k in [*sizes, (20_000, 128, 64), (20_000, 128, 256)]:
        if not setting.wants(n, d):
            continue
        for threads in sorted({1, setting.threads}):
            job = setting.job(n, d, k, threads=threads)
            fits = setting.turns({"miscela": partial(seed, job), "sklearn": partial(seed_by_sklearn, job)})
            ours, theirs = fits["miscela"], fits["sklearn"]
            table.add(
                size_of(job.rows, k),
                threads,
                *(milliseconds(fit.seconds) for fit in (ours, theirs)),
                ratio(fits, 0.25),
                "≥ 5×" if d <= 32 else "≥ 2×",
                *(f"{fit.objective:.6g}" for fit in (ours, theirs)),
            )


def seed(job):
    flags = ["-m", "kmeans", "-k", job.k, "--init", "k-means++", "--max-iter", 0, "--threads", job.threads, "--json"]
    fit = lloyd.json.loads(environment.run("miscela", "fit", job.files[0], *flags))
    return job.measured("miscela", fit["seconds"]["init"], 0, fit["means"])


def seed_by_sklearn(job):
    with threadpool_limits(job.threads):
        begun = time.perf_counter()
        centres, _ = kmeans_plusplus(job.rows, job.k, random_state=0)
        seconds = time.perf_counter() - begun
    return job.measured("sklearn", seconds, 0, centres)


def predict(setting, peers):
    """Prediction: milliseconds for the labels of all rows

    miscela's is `try_predict` of the library, as `predict` times it in its own process; scikit-learn's is `predict`, faiss's
    the search of an index of the centres. `iteration` is what an iteration of a fit of miscela takes, without its beginning
    and end. The programs agree if 99.9 % of the labels are the same.
    """
    names = ["miscela", "sklearn", "sklearnex", "faiss"]
    table = Table(setting.out, "model", SIZE, *names, "ratio to the best peer", "iteration", "same labels")
    for n, d, k, _ in KMEANS:
        if setting.wants(n, d):
            job = setting.job(n, d, k)
            short, long = (replace(job, iterations=i).miscela().seconds for i in (0, 10))
            predictors = kmeans_predictors(job, peers)
            model = partial(job_model, job, ["-m", "kmeans", "--init-centers", job.files[1]])
            predict_row(setting, table, "k-means", job, model, predictors, (long - short) / 10)
    for covariance, n, d, k, distance, _ in MIXTURES[:4]:
        if setting.wants(n, d):
            job = setting.mixture(covariance, n, d, k, distance)
            short, long = (replace(job, iterations=i).miscela().seconds for i in (1, 5))
            theirs = GaussianMixture(k, covariance_type=covariance, max_iter=1, tol=0, reg_covar=em.RIDGE, **job.start)
            predictors = {"sklearn": theirs.fit(job.rows).predict}
            flags = ["-m", "gmm", "--covariance", covariance, "--init-labels", job.files[1], "--reg-covar", em.RIDGE]
            model = partial(job_model, job, flags)
            predict_row(setting, table, f"mixture, {covariance}", job, model, predictors, (long - short) / 4)


def job_model(job, flags):
    """A model file of miscela after one iteration, as the peers' models are."""
    path = data.FILES / "model.cbor"
    environment.run("miscela", "fit", job.files[0], *flags, "-k", job.k, "--max-iter", 1, "--quiet", "-o", path)
    return path


def kmeans_predictors(job, peers):
    """How each peer gives labels after one iteration."""
    once = {"init": job.start, "n_init": 1, "max_iter": 1}
    fitted = KMeans(job.k, **once).fit(job.rows)
    predictors = {"sklearn": fitted.predict}
    if "scikit-learn-intelex" in peers:
        from sklearnex.cluster import KMeans as Intel

        predictors["sklearnex"] = Intel(job.k, **once, n_jobs=job.threads).fit(job.rows).predict
    if "faiss" in peers:
        import faiss

        faiss.omp_set_num_threads(job.threads)
        index = faiss.IndexFlatL2(job.rows.shape[1])
        index.add(fitted.cluster_centers_)
        predictors["faiss"] = lambda rows: index.search(rows, 1)[1][:, 0]
    return predictors


def predict_row(setting, table, name, job, model, predictors, iteration):
    labels = {}
    path = data.FILES / "predicted.npy"

    def ours():
        arguments = (model(), job.files[0], setting.threads, setting.repeats, path)
        seconds = float(environment.run("predict", *arguments))
        labels["miscela"] = np.load(path)
        return Fit(seconds, 0, 1.0)

    def theirs(peer):
        with threadpool_limits(setting.threads):
            begun = time.perf_counter()
            labels[peer] = predictors[peer](job.rows)
            seconds = time.perf_counter() - begun
        return Fit(seconds, 0, float(np.mean(labels[peer] == labels["miscela"])))

    fits = setting.turns({"miscela": ours} | {peer: partial(theirs, peer) for peer in predictors})
    table.add(
        name,
        size_of(job.rows, job.k),
        *each(fits, ["miscela", "sklearn", "sklearnex", "faiss"], lambda fit: milliseconds(fit.seconds)),
        ratio(fits, 1e-3),
        milliseconds(iteration),
        f"{min(fit.objective for fit in fits.values()):.3%}",
    )


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
    return f"{size / resident.MB:.0f}" if isinstance(size, int) else size


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
