#!/usr/bin/env python3
"""Models carried to onnxruntime, scikit-learn and PMML4S, and from scikit-learn, beside what the command says of them.

    python tests/peers/exchange.py target/release/miscela

Needs numpy, pandas, onnx, onnxruntime, scikit-learn and pypmml (which needs Java). Ends with a line `N passed, N failed`.
"""

import ast
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas
import pypmml
import sklearn.metrics
import sklearn.pipeline
import sklearn.preprocessing
from sklearn.cluster import BisectingKMeans, KMeans, MiniBatchKMeans
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

MISCELA = Path(sys.argv[1]).resolve()
FOLDER = Path(tempfile.mkdtemp())
STRUCTURES = "EII VII EEI VEI EVI VVI EEE VEE EVE VVE EEV VEV EVV VVV".split()
TOLERANCE = {"f32": 1e-5, "f64": 1e-12}
# Between two programs with numerics of their own.
SKLEARN = {"f32": 2e-3, "f64": 1e-9}
NUMPY = {"f32": np.float32, "f64": np.float64}

passed, failed = 0, []


def case(name, check):
    """One check; what it raises is its failure."""
    global passed
    try:
        check()
        passed += 1
    except Exception as error:  # noqa: BLE001, whatever it is, the next case is to run
        failed.append(name)
        print(f"FAILED {name}: {error}")


def miscela(*words, code=0):
    run = subprocess.run([MISCELA, *map(str, words)], cwd=FOLDER, capture_output=True, text=True)
    assert run.returncode == code, f"{' '.join(map(str, words))}: {run.returncode} {run.stderr}"
    return run.stdout if code == 0 else run.stderr


def lumps(n, d, k, dtype, offset=0.0, seed=0):
    """k lumps with correlated columns, n × d, in `data.npy` too."""
    random = np.random.default_rng(seed)
    centres = random.uniform(-6, 6, (k, d))
    mixing = np.eye(d) + random.normal(0, 0.3 / np.sqrt(d), (d, d))
    rows = centres[np.arange(n) % k] + random.normal(0, 1, (n, d)) @ mixing
    rows = (rows + offset).astype(NUMPY[dtype])
    np.save(FOLDER / "data.npy", rows)
    return rows


def close(got, expected, tolerance, what):
    """Relative, and absolute below one."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape, f"{what}: {got.shape} is not {expected.shape}"
    assert np.isfinite(got).all(), f"{what} is not finite"
    error = np.max(np.abs(got - expected) / np.maximum(1, np.abs(expected)))
    assert error <= tolerance, f"{what} is off by {error:.1e}"


def equal(got, expected, what):
    different = np.flatnonzero(np.asarray(got) != np.asarray(expected))
    assert len(different) == 0, f"{what}: {len(different)} differ, first row {different[0]}"


def table(text):
    return np.array([line.split(",") for line in text.splitlines()[1:]], dtype=np.float64)


def session(path):
    """The graph, checked by onnx, in onnxruntime."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 12)], model.opset_import
    assert {node.domain for node in model.graph.node} == {""}
    rows = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert rows.dim_param == "n", rows
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def fit(rows, dtype, *flags):
    miscela("fit", "data.npy", *flags, "--dtype", dtype, "-o", "model.json", "--max-iter", 30, "--quiet")
    return json.loads((FOLDER / "model.json").read_text())


def labels():
    return table(miscela("predict", "model.json", "data.npy"))[:, 0].astype(np.int64)


# ---------------------------------------------------------------------------------------------------------------- ONNX


def onnx_mixture(rows, dtype, *flags):
    fit(rows, dtype, "-m", "gmm", *flags)
    miscela("convert", "model.json", "-o", "model.onnx")
    expected = table(miscela("predict", "model.json", "data.npy", "--proba", "--log-density"))
    label, log_density, probabilities = session(FOLDER / "model.onnx").run(None, {"X": rows})
    assert log_density.dtype == probabilities.dtype == rows.dtype and label.dtype == np.int64
    equal(label, labels(), "label")
    close(probabilities, expected[:, :-1], TOLERANCE[dtype], "probabilities")
    close(log_density, expected[:, -1], TOLERANCE[dtype], "log_density")
    # One row gives what it gives among others.
    one = session(FOLDER / "model.onnx").run(["label"], {"X": rows[:1]})[0]
    equal(one, label[:1], "label of one row")


def onnx_centres(rows, dtype, metric, *flags):
    model = fit(rows, dtype, *flags, "--metric", metric)
    miscela("convert", "model.json", "-o", "model.onnx")
    label, distances = session(FOLDER / "model.onnx").run(None, {"X": rows})
    assert distances.dtype == rows.dtype and label.dtype == np.int64
    equal(label, labels(), "label")
    if "centroids" in model:
        centres, rows = np.array(model["centroids"], rows.dtype).astype(np.float64), rows.astype(np.float64)
        if "scaling" in model:
            rows = (rows - model["scaling"]["shift"]) / model["scaling"]["scale"]
        if metric == "cosine":
            unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)  # noqa: E731
            expected = 0.5 * ((unit(rows)[:, None] - unit(centres)[None]) ** 2).sum(2)
        else:
            expected = np.linalg.norm(rows[:, None] - centres[None], ord={"l1": 1, "l2": 2}[metric], axis=2)
        close(distances, expected, TOLERANCE[dtype], "distances")


def onnx_cases():
    for dtype in TOLERANCE:
        for structure in STRUCTURES:
            for d, k in [(1, 3), (3, 3), (4, 1)]:
                rows = lumps(600, d, k, dtype, seed=d)
                case(f"onnx {dtype} {structure} d={d} k={k}",
                     lambda: onnx_mixture(rows, dtype, "-k", k, "--covariance", structure))
        for flags in ["--noise", "--tails student", "--tails student --degrees 4", "--bayesian dirichlet",
                      "--bayesian dirichlet-process --covariance diag", "--assignment hard --equal-weights"]:
            rows = lumps(600, 3, 3, dtype)
            case(f"onnx {dtype} {flags}", lambda: onnx_mixture(rows, dtype, "-k", 3, *flags.split()))
        for metric in ["l2", "l1", "cosine"]:
            for d, k in [(1, 3), (5, 8), (3, 1)]:
                rows = lumps(1000, d, k, dtype, seed=d)
                case(f"onnx {dtype} kmeans {metric} d={d} k={k}",
                     lambda: onnx_centres(rows, dtype, metric, "-m", "kmeans", "-k", k))
        rows = lumps(1000, 3, 5, dtype)
        case(f"onnx {dtype} bisecting", lambda: onnx_centres(rows, dtype, "l2", "-m", "bisecting", "-k", 7))
        case(f"onnx {dtype} trimmed", lambda: onnx_centres(rows, dtype, "l2", "-m", "kmeans", "-k", 5, "--trim", 0.05))
        rows = lumps(500, 300, 4, dtype)
        case(f"onnx {dtype} many columns", lambda: onnx_mixture(rows, dtype, "-k", 4, "--covariance", "VVI"))
        case(f"onnx {dtype} kmeans, many columns", lambda: onnx_centres(rows, dtype, "l2", "-m", "kmeans", "-k", 4))
        rows = lumps(500, 40, 2, dtype)
        case(f"onnx {dtype} many columns, full", lambda: onnx_mixture(rows, dtype, "-k", 2, "--covariance", "VVV"))
        # Columns in units of their own.
        rows = lumps(600, 3, 3, dtype) * NUMPY[dtype]([1e-3, 1, 1e3])
        np.save(FOLDER / "data.npy", rows)
        case(f"onnx {dtype} standardized kmeans",
             lambda: onnx_centres(rows, dtype, "l2", "-m", "kmeans", "-k", 3, "--standardize"))
        for structure in STRUCTURES:
            case(f"onnx {dtype} standardized {structure}",
                 lambda: onnx_mixture(rows, dtype, "-k", 3, "--standardize", "--covariance", structure))
    for structure in STRUCTURES:
        rows = lumps(600, 3, 3, "f64", offset=1e7)
        case(f"onnx offset {structure}", lambda: onnx_mixture(rows, "f64", "-k", 3, "--covariance", structure))
    rows = lumps(1000, 3, 5, "f64", offset=1e7)
    case("onnx offset kmeans", lambda: onnx_centres(rows, "f64", "l2", "-m", "kmeans", "-k", 5))
    rows = lumps(1000, 3, 5, "f32", offset=1e4)
    case("onnx offset kmeans f32", lambda: onnx_centres(rows, "f32", "l2", "-m", "kmeans", "-k", 5))
    case("onnx offset gmm f32", lambda: onnx_mixture(rows, "f32", "-k", 3))


# -------------------------------------------------------------------------------------------------------- scikit-learn


def documented():
    """The Python of the README: what writes the arrays of estimators, and what makes estimators of arrays."""
    text = (Path(__file__).parents[2] / "crates/miscela-exchange/README.md").read_text()
    blocks = [block.split("```")[0] for block in text.split("```python\n")[1:]]
    write, read = (next(block for block in blocks if word in block) for word in ("np.savez", "np.load"))
    return write, read


def in_folder(code, **names):
    """Runs documented code among the files."""
    here = os.getcwd()
    os.chdir(FOLDER)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(code, names)
    finally:
        os.chdir(here)
    return names


def estimators(rows, k, covariance_type):
    """Fitted by scikit-learn, and written as documented."""
    km = KMeans(k, n_init=1, random_state=0, max_iter=10).fit(rows)
    gm = GaussianMixture(k, covariance_type=covariance_type, random_state=0, max_iter=20).fit(rows)
    in_folder(documented()[0], km=km, gm=gm)
    return km, gm


def from_sklearn(rows, k, covariance_type, dtype):
    km, gm = estimators(rows, k, covariance_type)
    miscela("convert", "kmeans.npz", "-o", "model.json")
    model = json.loads((FOLDER / "model.json").read_text())
    assert model["dtype"] == dtype, model["dtype"]
    assert model["sizes"] == np.bincount(km.labels_, minlength=k).tolist() and model["inertia"] == float(km.inertia_)
    equal(labels(), km.predict(rows), "label of k-means")
    miscela("convert", "mixture.npz", "-o", "model.json")
    got = table(miscela("predict", "model.json", "data.npy", "--proba", "--log-density"))
    equal(labels(), gm.predict(rows), "label of the mixture")
    close(got[:, :-1], gm.predict_proba(rows), SKLEARN[dtype], "probabilities")
    close(got[:, -1], gm.score_samples(rows), SKLEARN[dtype], "log-density")
    # And on to onnxruntime.
    miscela("convert", "mixture.npz", "-o", "model.onnx")
    equal(session(FOLDER / "model.onnx").run(["label"], {"X": rows})[0], gm.predict(rows), "label of the graph")


def to_sklearn(rows, dtype, *flags):
    fit(rows, dtype, *flags)
    kind = "kmeans" if "kmeans" in flags else "mixture"
    other = {"kmeans": "mixture", "mixture": "kmeans"}[kind]
    estimators(rows, 2, "diag")
    miscela("convert", "model.json", "-o", f"{kind}.npz")
    assert (FOLDER / f"{other}.npz").exists()
    names = in_folder(documented()[1])
    estimator = names["km" if kind == "kmeans" else "gm"]
    equal(estimator.predict(rows), labels(), "label")
    if kind == "mixture":
        expected = table(miscela("predict", "model.json", "data.npy", "--proba", "--log-density"))
        close(estimator.predict_proba(rows), expected[:, :-1], SKLEARN[dtype], "probabilities")
        close(estimator.score_samples(rows), expected[:, -1], SKLEARN[dtype], "log-density")
        assert estimator.sample(5)[0].shape == (5, rows.shape[1])
    assert estimator.get_params()[{"kmeans": "n_clusters", "mixture": "n_components"}[kind]] >= 1


def sklearn_names():
    """Columns with names are known to scikit-learn by them."""
    frame = pandas.DataFrame(lumps(200, 2, 2, "f64"), columns=["length", "größe"])
    frame.to_csv(FOLDER / "named.csv", index=False)
    miscela("fit", "named.csv", "-m", "kmeans", "-k", 2, "-o", "model.json", "--quiet")
    miscela("convert", "model.json", "-o", "kmeans.npz")
    km = KMeans()
    vars(km).update({name: array[()] for name, array in np.load(FOLDER / "kmeans.npz").items()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = table(miscela("predict", "model.json", "named.csv"))[:, 0]
        equal(km.predict(frame), expected, "label")
    assert list(km.feature_names_in_) == ["length", "größe"]


def sklearn_cases():
    for dtype in SKLEARN:
        for covariance_type in ["full", "tied", "diag", "spherical"]:
            for d, k, offset in [(1, 2, 0), (3, 3, 0), (3, 1, 0), (20, 4, 0)]:
                rows = lumps(400, d, k, dtype, offset, seed=d)
                case(f"from sklearn {dtype} {covariance_type} d={d} k={k}",
                     lambda: from_sklearn(rows, k, covariance_type, dtype))
        for structure in STRUCTURES:
            rows = lumps(400, 3, 3, dtype)
            case(f"to sklearn {dtype} {structure}",
                 lambda: to_sklearn(rows, dtype, "-m", "gmm", "-k", 3, "--covariance", structure))
        for d, k in [(1, 1), (5, 8)]:
            rows = lumps(400, d, k, dtype)
            case(f"to sklearn {dtype} kmeans d={d} k={k}", lambda: to_sklearn(rows, dtype, "-m", "kmeans", "-k", k))
    case("to sklearn, named columns", sklearn_names)
    case("names and defaults in the book", sklearn_table)


def migrating():
    """What the book says that things are called in scikit-learn, and their defaults."""
    text = (Path(__file__).parents[2] / "book/src/migrating.md").read_text()
    lines = text.split("## From scikit-learn")[1].split("## From mclust")[0].splitlines()
    return [span for line in lines if line.startswith("| ") for span in re.findall("`([^`]+)`", line.split("|")[1])]


def sklearn_table():
    classes = [KMeans, MiniBatchKMeans, BisectingKMeans, GaussianMixture, BayesianGaussianMixture]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = [each().fit(lumps(50, 2, 2, "f64")) for each in classes]
    functions = [*classes, *(each.fit for each in classes)]
    defaults = [{name: each.default for name, each in inspect.signature(one).parameters.items()} for one in functions]
    spans = migrating()
    assert len(spans) > 40, spans
    for span in spans:
        if span[0].isupper() or span.startswith("make_pipeline"):
            eval(span, {**vars(sklearn.cluster), **vars(sklearn.mixture), **vars(sklearn.pipeline),
                        "StandardScaler": sklearn.preprocessing.StandardScaler})
        for name, value in re.findall(r'(\w+)=("[^"]*"|[-\w.]+)', span):
            value = ast.literal_eval(value)
            assert any(known.get(name, known) == value for known in defaults), f"{name} is not {value}"
        plain = re.fullmatch(r"([a-z]\w*)(\(X\))?", span)
        if plain:
            places = [*fitted, sklearn.metrics]
            known = any(hasattr(place, plain[1]) for place in places) or any(plain[1] in known for known in defaults)
            assert known, f"there is no {plain[1]}"


# ---------------------------------------------------------------------------------------------------------------- PMML


def pmml(rows, dtype, *flags):
    fit(rows, dtype, "-m", "kmeans", *flags)
    miscela("convert", "model.json", "-o", "model.pmml")
    model = pypmml.Model.load(str(FOLDER / "model.pmml"))
    frame = pandas.DataFrame(rows.astype(np.float64), columns=[f"x{j}" for j in range(rows.shape[1])])
    answer = pypmml.Model.load(str(FOLDER / "model.pmml")).predict(frame)
    equal(answer["cluster"].astype(int), labels(), "label")


def pmml_cases():
    for dtype in TOLERANCE:
        for metric in ["l2", "l1"]:
            for d, k in [(1, 2), (4, 6)]:
                rows = lumps(200, d, k, dtype)
                case(f"pmml {dtype} {metric} d={d} k={k}", lambda: pmml(rows, dtype, "-k", k, "--metric", metric))


onnx_cases()
sklearn_cases()
pmml_cases()
shutil.rmtree(FOLDER)
print(f"{passed} passed, {len(failed)} failed")
sys.stdout.flush()
os._exit(bool(failed))  # a virtual machine of Java that was started would stay
