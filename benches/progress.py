#!/usr/bin/env python3
"""What the progress bar costs: processor time of fits before a terminal, and without one.

    python3 benches/progress.py target/release/miscela [pairs]

Least and median of alternating runs, in seconds of one thread. Only on Unix.
"""

import os
import pty
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

IRIS = Path(__file__).resolve().parents[1] / "data" / "iris.csv"
CASES = {
    "long iterations, k-means": "rows.csv -m kmeans -k 64 --tol 0 --max-iter 60 --algorithm lloyd",
    "long iterations, mixture": "rows.csv -m gmm -k 8 --tol 0 --max-iter 40 --covariance diag",
    "reading": "rows.csv -m kmeans -k 2 --max-iter 3",
    "short iterations": f"{IRIS} -m gmm -k 3 --tol 0 --max-iter 100000 --n-runs 300",
}


def before_a_terminal(command):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:  # how a terminal ends on Linux
        pass
    _, status, used = os.wait4(child, 0)
    os.close(terminal)
    return status, used


def without_one(command):
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    return status, used


def seconds(run, command):
    status, used = run(command)
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: {status}")
    return used.ru_utime + used.ru_stime


def main():
    miscela = str(Path(sys.argv[1]).resolve())
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    print("| case | without | with a bar | least | median |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        draw = random.Random(1)
        with open("rows.csv", "w") as rows:
            print(*"abcdefgh", sep=",", file=rows)
            for i in range(300_000):
                print(*(f"{draw.gauss(i % 6 * 2, 1):.5f}" for _ in range(8)), sep=",", file=rows)
        for name, words in CASES.items():
            command = [miscela, "fit", *words.split(), "--threads", "1"]
            runs = [(seconds(without_one, command), seconds(before_a_terminal, command)) for _ in range(pairs)]
            (least, median) = ([measure(side) for side in zip(*runs)] for measure in (min, statistics.median))
            off = lambda pair: f"{100 * (pair[1] / pair[0] - 1):+.1f} %"  # noqa: E731
            print(f"| {name} | {least[0]:.3f} | {least[1]:.3f} | {off(least)} | {off(median)} |", flush=True)


if __name__ == "__main__":
    main()
