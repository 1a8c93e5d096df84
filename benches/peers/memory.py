"""How much memory a fit takes beyond its rows: the peak of what is resident.

miscela: the peak of the whole process less its rows, so the program itself counts. It is started from a small Python, whose
own 9 MB are the least that Linux tells of its children.

Peers: in a process that has its program loaded and warm and has read the rows, the peak during the fit less what was
resident before.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import data
from .environment import RELEASE

MB = 1_000_000

LAUNCH = """
import os, resource, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, 1, 0)])
_, status = os.waitpid(child, 0)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak(*command):
    """The peak resident memory of a command, in bytes."""
    launch = [sys.executable, "-I", "-S", "-c", LAUNCH, *map(str, command)]
    done = subprocess.run(launch, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return int(done.stdout)


@dataclass(frozen=True)
class Case:
    """A fit whose memory is measured. `covariance` is None for k-means; `init` is `given` or a method's name."""

    n: int
    d: int
    k: int
    dtype: str
    covariance: str = None
    init: str = "given"
    iterations: int = 3

    def __str__(self):
        kind = f"mixture, {self.covariance}" if self.covariance else "k-means"
        return f"{kind}, {self.init}, {self.dtype}, {self.n:,} × {self.d}, k = {self.k}"

    @property
    def input(self):
        return self.n * self.d * np.dtype(data.DTYPES[self.dtype]).itemsize

    @property
    def statistics(self):
        second = {"full": self.d * (self.d + 1) // 2, "diag": self.d}.get(self.covariance, 1)
        return 8 * self.k * (1 + self.d + second)

    @property
    def limit(self):
        return self.input // 4 + 16 * self.n + 32 * MB + 4 * self.statistics

    def write(self):
        """Writes the rows and the start that all programs read; a start of a mixture is a partition."""
        rows, labels = data.blobs(self.n, self.d, self.k, self.dtype)
        data.save("start", rows[: self.k])
        data.save("labels", data.blur(labels, self.k).astype(np.float64)[:, None])
        return data.save("rows", rows)

    def command(self, rows):
        flags = [RELEASE / "miscela", "fit", rows, "-k", self.k, "--max-iter", self.iterations, "--tol", 0, "--quiet"]
        if self.covariance:
            flags += ["-m", "gmm", "--covariance", self.covariance]
        start = ["--init-labels", "labels"] if self.covariance else ["--init-centers", "start"]
        given = [start[0], data.FILES / f"{start[1]}.npy"]
        return flags + (given if self.init == "given" else ["--init", self.init])


# Both types; few, some and many columns; much and little memory beside the rows; all kinds of fit.
CASES = [
    Case(2_000_000, 2, 16, "f32"),
    Case(2_000_000, 2, 16, "f64"),
    Case(2_000_000, 2, 64, "f32", init="k-means++", iterations=2),
    Case(2_000_000, 16, 16, "f32"),
    Case(100_000, 16, 64, "f64", init="k-means++"),
    Case(50_000, 128, 256, "f32"),
    Case(50_000, 128, 256, "f64", init="k-means++", iterations=2),
    Case(20_000, 784, 10, "f32"),
    Case(20_000, 64, 4096, "f32", iterations=2),
    Case(20_000, 128, 2000, "f64", init="k-means++", iterations=2),
    Case(2_000_000, 16, 256, "f32", init="k-means++", iterations=2),
    Case(2_000_000, 2, 4, "f32", "full"),
    Case(2_000_000, 4, 4, "f64", "full", iterations=2),
    Case(2_000_000, 2, 4, "f64", "full", "kmeans", iterations=2),
    Case(200_000, 16, 16, "f64", "diag"),
    Case(100_000, 16, 16, "f64", "full"),
    Case(5_000, 128, 32, "f64", "full", iterations=2),
    Case(20_000, 128, 8, "f64", "full", iterations=2),
    Case(20_000, 200, 32, "f64", "full", iterations=2),
    Case(2_000_000, 16, 16, "f64", "diag", iterations=2),
    Case(20_000, 64, 32, "f32", "diag"),
]


def beyond(case, rows):
    """What miscela takes beyond its rows, in bytes."""
    return peak(*case.command(rows)) - case.input


def beyond_by(peer, case, threads):
    """The same of a peer."""
    asked = json.dumps([peer, case.k, case.covariance, case.iterations, threads])
    child = [sys.executable, "-m", "peers.memory", asked]
    done = subprocess.run(child, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 else "failed"


def resident(name):
    """VmRSS or VmHWM of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def child(peer, k, covariance, iterations, threads):
    """Fits what `write` left and prints the peak beyond what was resident before."""
    from . import kmeans, mixture

    def job(rows, k, start, iterations):
        if covariance:
            return mixture.Job(rows, start, k, covariance, iterations, threads, judged=False)
        return kmeans.Job(rows, k, iterations, threads, start, judge=lambda *_: 0.0)

    few = data.blobs(1000, 3, 2, "f32")
    getattr(job(few[0], 2, few[1] if covariance else few[0][:2], 1), peer)()
    rows = np.load(data.FILES / "rows.npy")
    labels = np.load(data.FILES / "labels.npy")[:, 0].astype(int) if covariance else None
    asked = job(rows, k, labels if covariance else np.load(data.FILES / "start.npy"), iterations)
    if covariance:
        _ = asked.start  # made before it counts
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    getattr(asked, peer)()
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    child(*json.loads(sys.argv[1]))
