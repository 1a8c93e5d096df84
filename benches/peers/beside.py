"""miscela beside its peers: one function a table. The first line of each is its title, the rest stands below it."""

import json
import time
from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from . import data, environment
from . import kmeans as lloyd
from . import mixture as em
from .report import Fit, Table, milliseconds, ratio
from .setting import KMEANS, MIXTURES, SIZE, each, objectives, per_iteration, size_of


def kmeans(setting, peers):
    """K-means, a fixed number of iterations, f32: milliseconds an iteration

    miscela is the library in a process that has fitted before, as the peers are, the better of two fits a turn; `command` is a new process,
    whose memory and code are touched for the first time. The share of the peak counts 2·n·k·d operations for each pass over the
    rows, of which there is one more than iterations.
    """
    names = ["miscela", "command", "sklearn", "sklearnex", "faiss"]
    columns = [SIZE, "iterations", *names, "ratio to the best peer", "target", "share of FMA peak"]
    table = Table(setting.out, *columns, "inertia of each", "difference")
    for n, d, k, target in KMEANS:
        if not setting.wants(n, d):
            continue
        job = setting.job(n, d, k)
        programs = job.programs(peers) | {"miscela": job.library, "command": job.miscela}
        fits = setting.turns({name: programs[name] for name in names if name in programs})
        ours = fits["miscela"]
        rate = 2 * job.rows.size * k * (ours.iterations + 1) / ours.seconds
        share = rate / environment.peak_flops("f32", setting.threads)
        table.add(
            size_of(job.rows, k),
            ours.iterations,
            *each(fits, names, per_iteration),
            ratio(fits, 1e-4, rivals=names[2:]),
            target,
            f"{share:.0%}",
            *objectives(fits),
        )


def mixture(setting, peers):
    """Mixtures, a fixed number of iterations, f64: milliseconds an iteration

    `distance` is that of the blobs' centres in standard deviations: at 12 they are well separated, at 4 they overlap.
    """
    columns = ["covariance", SIZE, "distance", "iterations", "miscela", "sklearn", "ratio", "target"]
    table = Table(setting.out, *columns, "log-likelihood of each", "difference")
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
            *objectives(fits),
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
    fit = json.loads(environment.run("miscela", "fit", job.files[0], *flags))
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
