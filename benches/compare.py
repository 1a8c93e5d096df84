#!/usr/bin/env python3
"""miscela and its Python peers side by side: one table a section, and a record of them all.

    python3 benches/compare.py [--only kmeans,init] [--rows 100000x16] [--threads 2] [--repeats 3] [--quick]

Installs scikit-learn, scikit-learn-intelex and faiss-cpu into target/peers the first time (this needs PyPI), builds the
release command, and writes benches/record/DATE-PROCESSOR.md if everything was asked for. Takes about ten minutes on two
cores.

What is the same for all: rows, type, start, number of iterations (tolerance off) unless a section says otherwise, one run,
all rows, number of threads. Programs take turns, and the fastest of each counts. Times are those of the fit with the rows
already in memory: `seconds.fit` of the command, the call of `fit` or `train` in Python. All include the last assignment,
but for faiss, which makes none. Objectives stand beside the times: inertia is computed from each program's centres by one
function in double precision. Programs that did not do the same work are not compared, and the table says why.
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys

from peers import environment


def arguments(names):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=f"Sections: {', '.join(names)}.")
    parser.add_argument("--only", metavar="SECTION,…", help="only these sections")
    parser.add_argument("--rows", default="", help="only cases whose n x d starts so, e.g. 100000x16")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    parser.add_argument("--repeats", type=int, default=3, help="turns of each program, if they take under 10 seconds")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="few rows and iterations, to try it out")
    options = parser.parse_args()
    options.only = options.only.split(",") if options.only else names
    if unknown := set(options.only) - set(names):
        parser.error(f"there is no section {', '.join(unknown)}; there are {', '.join(names)}")
    return options


NAMES = ["kmeans", "mixture", "convergence", "init", "predict", "memory", "threads", "types", "growth"]


def heading(options, present, missing):
    """The machine, the versions and the command."""
    import numpy

    git = ["git", "-C", environment.ROOT, "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True)
    versions = [environment.run("miscela", "--version").strip(), *(f"{name} {v}" for name, v in present.items())]
    versions += [f"NumPy {numpy.__version__}", f"Python {platform.python_version()}"]
    lines = [
        f"# {datetime.date.today()}, {environment.processor()}, {os.cpu_count()} cores",
        f"`{' '.join(['python3', 'benches/compare.py', *sys.argv[1:]])}` at {commit.stdout.strip()}. {options.threads} "
        f"threads; {platform.system()} {platform.machine()}.",
        f"{'; '.join(versions)}.",
        *(f"{name} is left out: {reason}." for name, reason in missing.items()),
    ]
    return "\n\n".join(lines)


def main(options):
    present, missing = environment.install()
    environment.build()
    from peers import beside, scaling
    from peers.setting import Setting, machine

    said = []

    def out(text):
        said.append(text)
        print(text, flush=True)

    out(heading(options, present, missing))
    setting = Setting(options.rows, options.quick, options.repeats, options.threads, options.iterations, out)
    out(machine(setting))
    for name in options.only:
        section = getattr(beside, name, None) or getattr(scaling, name)
        title, *more = section.__doc__.split("\n")
        out("\n".join([f"\n## {title}", *(line.strip() for line in more)]).rstrip() + "\n")
        section(setting, present)
    if options.only == NAMES and not options.rows and not options.quick:
        slug = re.sub(r"\W+", "-", environment.processor().lower()).strip("-")
        record = environment.ROOT / "benches" / "record" / f"{datetime.date.today()}-{slug}.md"
        record.write_text("\n".join(said) + "\n")
        print(f"\nWritten to {record.relative_to(environment.ROOT)}.")


if __name__ == "__main__":
    asked = arguments(NAMES)
    environment.enter(max(asked.threads, 2))
    main(asked)
