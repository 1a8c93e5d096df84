"""Taking turns, refusing to compare what is not the same, and tables in Markdown."""

import time
from dataclasses import dataclass


@dataclass
class Fit:
    """One run of one program."""

    seconds: float
    iterations: int
    objective: float


def turns(programs, repeats, budget=10.0):
    """Lets the programs take turns and keeps the fastest fit of each.

    Stops after `repeats` rounds, or once they took `budget` seconds; each has at least one turn.
    """
    best, started = {}, time.perf_counter()
    for round_ in range(repeats):
        for name, program in programs.items():
            if round_ > 0 and time.perf_counter() - started > budget:
                return best
            fit = program()
            if name not in best or fit.seconds < best[name].seconds:
                best[name] = fit
    return best


def ratio(fits, tolerance, slack=0.0, rivals=None):
    """How many times longer than miscela the best peer took, as text with its name.

    A peer whose objective is another by more than `tolerance`, or whose number of iterations is by more than `slack`, both
    relative, did not do the same work: it is named with the reason and not compared.
    """
    ours = fits["miscela"]
    reasons, rest = [], {}
    for name, fit in fits.items():
        if name == "miscela" or (rivals and name not in rivals):
            continue
        off = (fit.objective - ours.objective) / abs(ours.objective)
        if abs(fit.iterations - ours.iterations) > slack * ours.iterations:
            reasons.append(f"{name} not compared: {fit.iterations} iterations")
        elif abs(off) > tolerance:
            reasons.append(f"{name} not compared: its objective is {off:+.1e}")
        else:
            rest[name] = fit.seconds
    if rest:
        name = min(rest, key=rest.get)
        reasons.insert(0, f"{rest[name] / ours.seconds:.1f}× {name}")
    return "; ".join(reasons)


def milliseconds(seconds):
    return f"{1000 * seconds:.3g}" if seconds < 1 else f"{1000 * seconds:,.0f}"


class Table:
    """A table in Markdown, each line of which is printed as soon as it is known."""

    def __init__(self, out, *columns):
        self.out = out
        self.columns = columns
        self.started = False

    def add(self, *cells):
        if not self.started:
            self.out(f"| {' | '.join(self.columns)} |\n|{'--:|' * sum(name.count('|') + 1 for name in self.columns)}")
            self.started = True
        self.out(f"| {' | '.join(map(str, cells))} |")
