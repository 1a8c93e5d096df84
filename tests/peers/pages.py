"""Pages in a real browser: opened, clicked, keyed, and looked at.

    python3 tests/peers/pages.py target/debug/miscela

Needs playwright (from PyPI) and Chromium at /usr/bin/chromium, or where $CHROMIUM says. Ends with `N passed, N failed`.
"""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


class Checks:
    """Counts what holds, and says what does not."""

    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, holds, seen=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what} {seen}")

    def comes(self, what, page, expression):
        """What a page does in its own time, as the browser queues the event that it waits for."""
        try:
            page.wait_for_function(f"() => {expression}", timeout=10_000)
            self.that(what, True)
        except TooLate as error:
            self.that(what, False, error)

    @contextlib.contextmanager
    def about(self, what):
        """What raises is a failure, not the end."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            self.that(what, False, repr(error))


class Browser:
    """A headless Chromium whose pages are held to be quiet and to ask nobody for anything."""

    def __init__(self, playwright, checks):
        self.chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        self.checks = checks

    @contextlib.contextmanager
    def page(self, url, size=DESK, scheme="light", home=None):
        context = self.chromium.new_context(viewport=size, color_scheme=scheme)
        page = context.new_page()
        errors, asked = [], []
        page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        drawn(page)
        try:
            yield page
            self.checks.that(f"{url}: no errors on the console", not errors, errors)
            elsewhere = [other for other in asked if not other.startswith((url, "data:", home or url))]
            self.checks.that(f"{url}: asks for nothing", not elsewhere, elsewhere)
        finally:
            context.close()


def drawn(page):
    """Two frames later: observers of sizes and of the scheme are told in the first."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def too_wide(page):
    """What reaches beyond the window, which then would scroll to the side."""
    return page.evaluate(
        """() => [document.documentElement.scrollWidth - innerWidth,
           [...document.querySelectorAll('main *')].filter(e => {
             if (e.closest('.wide') && !e.matches('.wide') || e.closest('.unseen, .skip, #legend')) return false;
             return e.getBoundingClientRect().right > innerWidth + 1;
           }).map(e => e.tagName + '#' + e.id + '.' + e.className)]"""
    )


def pixels(page, selector, colour):
    """How many pixels of a canvas are, by and large, of a colour #rrggbb."""
    return page.evaluate(
        """([selector, colour]) => {
          const canvas = document.querySelector(selector);
          // Of a copy, as reading changes how a canvas is kept.
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
          const wanted = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
          let count = 0;
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] > 40 && wanted.every((x, at) => Math.abs(data[i + at] - x) < 24)) count += 1;
          }
          return count;
        }""",
        [selector, colour],
    )


def variable(page, name):
    return page.evaluate("name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()", "--" + name)


def run(miscela, folder, *words):
    done = subprocess.run([miscela, *map(str, words)], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr}")
    return done.stdout


# ---- reports


def report(miscela, folder, data, flags, name, *more):
    """Fits, writes the page, and gives its address."""
    run(miscela, folder, "fit", data, *flags, "-o", f"{name}.json", "--quiet")
    run(miscela, folder, "report", f"{name}.json", data, "-o", f"{name}.html", "--quiet", *more)
    return (folder / f"{name}.html").as_uri()


def blobs(path, n, d, k, seed=1):
    """Rows about k places, as CSV."""
    draw = random.Random(seed)
    places = [[draw.uniform(-9, 9) for _ in range(d)] for _ in range(k)]
    with path.open("w") as out:
        print(*(f"c{j}" for j in range(d)), sep=",", file=out)
        for i in range(n):
            print(*(f"{x + draw.gauss(0, 1):.4f}" for x in places[i % k]), sep=",", file=out)


def check_a_row(checks, page, probabilities):
    """Hovers the spot of a row and reads what is said of it."""
    row, x, y = page.evaluate(
        "() => { const row = spots.findIndex(Boolean), box = document.getElementById('plot').getBoundingClientRect();"
        "return [row, box.left + spots[row][0], box.top + spots[row][1]]; }"
    )
    page.mouse.move(x, y)
    said = page.locator("#readout").inner_text()
    number = int(re.search(r"Row (\d+), label (\d+)", said.replace("\u2009", "")).group(1))
    near = page.evaluate("() => state.row")
    checks.that("the row that is hovered is the one, or one upon it", near >= 0 and page.evaluate(
        "([a, b]) => Math.hypot(spots[a][0] - spots[b][0], spots[a][1] - spots[b][1]) < 14", [row, near]))
    label = int(re.search(r"label (\d+)", said).group(1))
    expected = probabilities[number]
    checks.that("its label is that of predict", expected.index(max(expected)) == label, (number, said))
    shown = [float(p) for p in re.findall(r"(?<!< )(\d+\.\d) %", said)]
    checks.that("its probabilities are those of predict", abs(shown[0] - 100 * max(expected)) < 0.051, (expected, said))


def check_report(checks, browser, miscela, folder):
    data = ROOT / "data" / "faithful.csv"
    url = report(miscela, folder, data, "-m gmm -k 2".split(), "faithful")
    answer = json.loads(run(miscela, folder, "predict", "faithful.json", data, "--proba", "--json"))
    with browser.page(url) as page:
        checks.that("the title says what it is", "Gaussian mixture, 2 components" in page.title(), page.title())
        check_a_row(checks, page, answer["probabilities"])

        # Axes are chosen by keyboard alone.
        before = page.locator("#plot").screenshot()
        page.locator("#x").focus()
        page.keyboard.press("ArrowDown")
        checks.that("x is the other column now", page.locator("#x").input_value() == "1")
        page.locator("#y").select_option("0")
        checks.that("other axes are another picture", page.locator("#plot").screenshot() != before)
        checks.that("the label of the plot says its axes", "waiting across and eruptions up" in page.locator("#plot").get_attribute("aria-label"))
        page.locator("#y").select_option("-1")
        checks.that("a density has curves of both components", all(pixels(page, "#plot", variable(page, f"l{c}")) > 100 for c in (0, 1)))
        page.locator("#x").select_option("0")
        page.locator("#y").select_option("1")

        # A component goes and comes back by the space bar.
        colours = [variable(page, "l0"), variable(page, "l1")]
        there = [pixels(page, "#plot", colour) for colour in colours]
        page.locator("#legend input").first.focus()
        page.keyboard.press("Space")
        gone = [pixels(page, "#plot", colour) for colour in colours]
        checks.that("the lines of component 0 are gone", there[0] > 200 and gone[0] < there[0] / 10, (there, gone))
        checks.that("those of component 1 are not", gone[1] >= there[1], (there, gone))
        page.keyboard.press("Space")
        checks.that("and are there again", pixels(page, "#plot", colours[0]) == there[0])

        # Rows are walked through.
        page.mouse.move(0, 0)
        page.locator("#plot").focus()
        page.keyboard.press("Home")
        checks.that("Home is the first row", page.locator("#readout h3").inner_text().startswith("Row 0,"))
        page.keyboard.press("PageDown")
        checks.that("PgDn the second", page.locator("#readout h3").inner_text().startswith("Row 1,"))
        at = page.evaluate("() => spots[state.row][0]")
        page.keyboard.press("ArrowRight")
        checks.that("the right arrow goes to the right", page.evaluate("() => spots[state.row][0]") > at)
        checks.that("the mark is drawn", pixels(page, "#over", variable(page, "ink")) > 20)
        page.keyboard.press("Escape")
        checks.that("Esc chooses none", "No row is chosen" in page.locator("#readout").inner_text())

        page.locator("#matrices summary").click()
        checks.comes("correlations are shown on demand", page, "document.querySelectorAll('#matrix td').length === 5")
        checks.that("the objective is drawn", pixels(page, "#trace", variable(page, "accent")) > 50)
        checks.that("the command is there", "fit" in page.locator("#again pre").first.inner_text() and "-k 2" in page.locator("#again pre").first.inner_text())
        unnamed = page.evaluate("() => [...document.querySelectorAll('input, select, button, canvas[tabindex]')].filter(e => !e.labels?.length && !e.textContent && !e.ariaLabel).map(e => e.outerHTML)")
        checks.that("every control has a name", not unnamed, unnamed)
        reached = set()
        page.evaluate("() => document.activeElement.blur()")
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("() => document.activeElement.id || document.activeElement.tagName"))
        checks.that("the tab key reaches all", {"x", "y", "plot", "ellipses", "all", "none"} <= reached, reached)

    light = dark = None
    with browser.page(url) as page:
        light = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    with browser.page(url, scheme="dark") as page:
        dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        checks.that("points are drawn in the dark", pixels(page, "#plot", variable(page, "l0")) > 200)
        page.emulate_media(color_scheme="light")
        drawn(page)
        checks.that("a change of the scheme draws anew", pixels(page, "#plot", variable(page, "l0")) > 200)
    checks.that("light and dark differ", light == "rgb(255, 255, 255)" and dark != light, (light, dark))


def check_kinds(checks, browser, miscela, folder):
    """Every kind of model makes a page that works, on a phone too."""
    blobs(folder / "wide.csv", 900, 10, 4)
    blobs(folder / "line.csv", 300, 1, 3)
    blobs(folder / "many.csv", 9000, 14, 40)
    (folder / "holes.csv").write_text(
        "a,b,</script><b>c\n" + "".join(f"{i % 7},{'' if i % 5 == 0 else i % 11},{i % 3 * 10 + i % 2}\n" for i in range(200)))
    kinds = [
        ("wide.csv", "-m kmeans -k 4", ()),
        ("wide.csv", "-m gmm -k 4 --covariance tied --dtype f32", ()),
        ("wide.csv", "-m bisecting -k 6", ("--cut", "4")),
        ("wide.csv", "-m gmm -k 3 --noise", ()),
        ("wide.csv", "-m gmm -k 8 --bayesian dirichlet-process", ()),
        ("wide.csv", "-m gmm -k 3 --tails student", ()),
        ("wide.csv", "-m kmeans -k 4 --trim 0.05", ("--memory", "10K")),
        ("line.csv", "-m gmm -k 3", ()),
        ("line.csv", "-m kmeans -k 3", ()),
        ("many.csv", "-m gmm -k 40 --covariance diag", ()),
        ("holes.csv", "-m gmm -k 2 --missing marginal", ()),
    ]
    for i, (data, flags, more) in enumerate(kinds):
        with checks.about(f"{data} {flags}"):
            url = report(miscela, folder, data, flags.split(), f"kind{i}", *more)
            with browser.page(url, size=PHONE, scheme=["light", "dark"][i % 2]) as page:
                beyond, which = too_wide(page)
                checks.that(f"{data} {flags}: no scrolling to the side", beyond <= 0 and not which, (beyond, which))
                drawn = page.evaluate("() => spots.filter(Boolean).length")
                checks.that(f"{data} {flags}: rows are drawn", drawn >= 100, drawn)
                page.locator("#plot").focus()
                page.keyboard.press("Home")
                checks.that(f"{data} {flags}: a row is read", "Row" in page.locator("#readout h3").inner_text())
                for x in range(page.locator("#x option").count()):
                    page.locator("#x").select_option(str(x))
                small = page.evaluate("() => Math.min(...[...document.querySelectorAll('main *')].filter(e => e.childNodes.length && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => parseFloat(getComputedStyle(e).fontSize)))")
                checks.that(f"{data} {flags}: text is large enough", small >= 12, small)


def check_names(checks, browser, miscela, folder):
    """Rows are called by a column of the table."""
    lines = (ROOT / "data" / "faithful.csv").read_text().splitlines()
    named = ["eruption <b>,eruptions,waiting", *(f"no. {i}</script>,{line}" for i, line in enumerate(lines[1:]))]
    (folder / "named.csv").write_text("\n".join(named) + "\n")
    flags = ["-m", "gmm", "-k", "2", "--exclude", "eruption <b>"]
    with browser.page(report(miscela, folder, "named.csv", flags, "named", "--id", "eruption <b>")) as page:
        page.locator("#plot").focus()
        for key, row in (("Home", 0), ("PageDown", 1)):
            page.keyboard.press(key)
            said = page.locator("#readout h3").inner_text()
            checks.that("a row is called by its name", said.startswith(f"no. {row}</script> (row {row}), label"), said)


def main():
    miscela = str(Path(sys.argv[1]).resolve())
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = Browser(playwright, checks)
        for check in (check_report, check_names, check_kinds):
            with checks.about(check.__name__):
                check(checks, browser, miscela, Path(folder))
        browser.chromium.close()
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main()
