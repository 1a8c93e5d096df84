#!/usr/bin/env python3
"""Mutants of the code that computes: a seeded sample of them, and which the tests do not notice.

    python3 tests/mutants/mutants.py [--seed 2026] [--own] kernel=40 distance=30 init=40 em=40

What there is to change is listed by cargo-mutants (`cargo install --locked cargo-mutants`), less what `.cargo/mutants.toml` leaves
out; `cargo mutants -p miscela-kernel` alone tries all, with a build for each. Here one build serves the whole sample: a function is
written out once more for each of its mutants, and MISCELA_MUTANT says which of them runs. What cannot be written so (closures in
the place of a type, constants) is built by itself.

Each mutant meets the tests of its own crate; one that lives, those across crates, unless `--own` is given. A run that takes far
longer than without a mutant hangs. The last commit is what is tested, in a clone below target/mutants. Ends with a line `N caught, N missed`.
"""

import argparse
import json
import os
import random
import re
import subprocess
import threading
from collections import defaultdict
from pathlib import Path

TREE = Path("target/mutants/tree").resolve()
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target/mutants/build")).resolve()
# Incremental, and little optimised: the tests take a few seconds even so.
BUILD = os.environ | {
    "CARGO_TARGET_DIR": str(TARGET), "CARGO_INCREMENTAL": "1", "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_PROFILE_DEV_OPT_LEVEL": "1"
}
TESTS = {"PROPTEST_RNG_SEED": "1", "PROPTEST_MAX_SHRINK_ITERS": "0", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1"}
SWITCH = """
/// Whether this mutant runs.
#[inline(always)]
pub fn is_mutant(number: usize) -> bool {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static RUNNING: AtomicUsize = AtomicUsize::new(usize::MAX);
    if RUNNING.load(Relaxed) == usize::MAX {
        let running = std::env::var("MISCELA_MUTANT").ok().and_then(|number| number.parse().ok());
        RUNNING.store(running.unwrap_or(0), Relaxed);
    }
    RUNNING.load(Relaxed) == number
}
"""


def sample(counts, seed):
    draw, mutants = random.Random(seed), []
    for crate, count in counts.items():
        command = ["cargo", "mutants", "--list", "--json", "--package", f"miscela-{crate}"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        found.sort(key=lambda mutant: mutant["name"])
        mutants += [mutant | {"crate": crate} for mutant in draw.sample(found, min(count, len(found)))]
        print(f"{crate}: {count} of {len(found)}", flush=True)
    return dict(enumerate(mutants, 1))


def between(text, span):
    """Where a span begins and ends."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [starts[span[end]["line"] - 1] + span[end]["column"] - 1 for end in ("start", "end")]


def body(function):
    """Where the block begins that ends a function."""
    opened, last = [], 0
    for token in re.finditer(r"//[^\n]*|/\*.*?\*/|r#*\".*?\"#*|\"(?:\\.|[^\"\\])*\"|'(?:\\.[^']*|[^\\'])'|[{}]", function, re.S):
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            last = opened.pop()
    return last


def write(mutants, alone):
    """Writes all mutants that are not `alone` behind switches; adds those that cannot be."""
    git("checkout", "-q", ".")
    functions = defaultdict(list)
    for number, mutant in mutants.items():
        if mutant["function"] is None:
            alone.add(number)
        elif number not in alone:
            functions[mutant["file"], json.dumps(mutant["function"]["span"])].append(number)
    by_file = defaultdict(list)
    for (file, span), numbers in functions.items():
        by_file[file].append((between((TREE / file).read_text(), json.loads(span)), numbers))
    for file, found in by_file.items():
        text = new = (TREE / file).read_text()
        switch, first = "crate" if file.startswith("crates/miscela-kernel/") else "miscela_kernel", len(text)
        for (start, end), numbers in sorted(found, reverse=True):
            function = text[start:end]
            at = body(function)
            if end > first or re.search(r"\bconst fn\b", function[:at]):
                alone.update(numbers)
                continue
            first, arms = start, ""
            for number in numbers:
                a, b = (place - start for place in between(text, mutants[number]["span"]))
                mutated = function[at:a] + mutants[number]["replacement"] + function[b:]
                arms += f"if {switch}::is_mutant({number}) {mutated} else "
            new = new[: start + at] + "{ " + arms + function[at:] + " }" + new[end:]
        (TREE / file).write_text(new)
    with open(TREE / "crates/miscela-kernel/src/lib.rs", "a") as lib:
        lib.write(SWITCH)


def git(*arguments):
    subprocess.run(["git", *arguments], cwd=TREE, check=True)


def build(crates, own):
    # With the tests across crates, so that features are theirs.
    chosen = [argument for crate in [*crates, "tests"] for argument in ("-p", f"miscela-{crate}")]
    across = [] if own else ["--test", "all"]
    command = ["cargo", "test", "-q", "--locked", "--no-run", "--color", "never", "--lib", *across, *chosen]
    return subprocess.run(command, cwd=TREE, env=BUILD, capture_output=True, text=True)


def build_together(mutants, crates, own):
    """Builds all that can be built together, and returns the numbers of the others."""
    alone = set()
    while True:
        write(mutants, alone)
        result = build(crates, own)
        if result.returncode == 0:
            return alone
        wrong = set()
        for file, line in re.findall(r"^error.*\n *--> (\S+?):(\d+):", result.stderr, re.M):
            before = "\n".join((TREE / file).read_text().split("\n")[: int(line)])
            wrong.update(int(number) for number in re.findall(r"::is_mutant\((\d+)\)", before)[-1:])
        if not wrong - alone:
            raise SystemExit(result.stderr)
        alone |= wrong


def fails(program, folder, number, seconds):
    """What ends the tests of a program under a mutant, if anything does: the first that fails, or the time."""
    program = max((file for file in TARGET.glob(f"debug/deps/{program}-*") if not file.suffix), key=os.path.getmtime)
    environment = os.environ | TESTS | {"MISCELA_MUTANT": str(number)}
    run = subprocess.Popen([program], cwd=TREE / folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    late = threading.Event()
    timer = threading.Timer(seconds, lambda: (late.set(), run.kill()))
    timer.start()
    failed = next((line.split()[1] for line in run.stdout if line.startswith("test ") and "FAILED" in line), None)
    if failed:
        run.kill()
    status = run.wait()
    timer.cancel()
    return failed or (late.is_set() and "hangs") or (status and f"status {status}") or None


def verdict(crate, number, own):
    found = fails(f"miscela_{crate}", f"crates/miscela-{crate}", number, 120)
    if found is None and not own:
        found = fails("all", "tests", number, 1200)
    return f"caught ({found})" if found else "missed"


def verdict_alone(mutant, own):
    git("checkout", "-q", ".")
    text = (TREE / mutant["file"]).read_text()
    start, end = between(text, mutant["span"])
    (TREE / mutant["file"]).write_text(text[:start] + mutant["replacement"] + text[end:])
    result = build([mutant["crate"]], own)
    return "does not compile" if result.returncode else verdict(mutant["crate"], 0, own)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="+", metavar="CRATE=COUNT")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--own", action="store_true", help="only the tests of the mutant's crate")
    options = parser.parse_args()
    counts = {crate: int(count) for crate, count in (chosen.split("=") for chosen in options.counts)}
    subprocess.run(["rm", "-rf", TREE], check=True)
    subprocess.run(["git", "clone", "-q", ".", TREE], check=True)
    mutants = sample(counts, options.seed)
    alone = build_together(mutants, counts, options.own)
    for crate in counts:
        if verdict(crate, 0, options.own) != "missed":
            raise SystemExit(f"the tests of {crate} fail without a mutant")
    verdicts = {}
    for number in sorted(mutants, key=lambda number: (number in alone, number)):
        mutant = mutants[number]
        together = number not in alone
        verdicts[number] = verdict(mutant["crate"], number, options.own) if together else verdict_alone(mutant, options.own)
        print(f"{verdicts[number]}: {mutant['name']}", flush=True)
    count = lambda word: sum(found.startswith(word) for found in verdicts.values())
    print(f"{count('caught')} caught, {count('missed')} missed")


if __name__ == "__main__":
    main()
