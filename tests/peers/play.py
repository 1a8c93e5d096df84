"""The page of `miscela play` in a real browser, served and as one file: drawn on, stepped, run, and moved to k-means.

    python3 tests/peers/play.py target/debug/miscela

Needs what pages.py needs. Ends with `N passed, N failed`.
"""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from pages import DESK, PHONE, ROOT, Browser, Checks, pixels, run, too_wide, variable
from playwright.sync_api import sync_playwright

IDLE = "() => waiting === 0 && state.frames.length > 0"


class Unheard(Checks):
    """For a page that is to be refused something."""

    def that(self, what, holds, seen=""):
        pass


@contextlib.contextmanager
def served(checks, miscela, *words):
    """A server, which an interrupt ends."""
    server = subprocess.Popen([miscela, "play", "--json", *map(str, words)], stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(server.stdout.readline())["url"]
    finally:
        server.send_signal(signal.SIGINT)
        checks.that("an interrupt ends the server well", server.wait(timeout=10) == 0)


def idle(page):
    page.wait_for_function(IDLE)


def state(page, expression):
    return page.evaluate(f"() => {expression}")


def press(page, what):
    page.locator(what).click()
    idle(page)


def to_the_end(page, slider):
    """By the keyboard alone."""
    page.locator(slider).focus()
    page.keyboard.press("End")
    idle(page)


def differences(page):
    """How many points have another label than k-means gives them; from the numbers, not from what is said."""
    return state(page, "state.points.filter((_, i) => state.shares[i].label !== state.kMeans.labels[i]).length")


def check_path(checks, page, what):
    """Both sliders to their ends: k-means appears."""
    n = state(page, "state.points.length")
    checks.that(f"{what}: it starts free and soft", state(page, "[state.place.shape, state.place.assigned]") == [0, 0])
    checks.that(f"{what}: nothing is shared yet", state(page, "state.shares") is None)
    checks.that(f"{what}: three conditions are open", page.locator("#conditions .open").count() == 3)
    press(page, "#end")
    free = differences(page)
    checks.that(f"{what}: the ends of free mixture and k-means differ", free > 0, free)
    checks.that(f"{what}: it says so", f"{n - free} of {n} points" in page.locator("#agreement").inner_text(), page.locator("#agreement").inner_text())

    # The circle first: equal spheres, soft.
    page.locator("#shape").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    idle(page)
    checks.that(f"{what}: one shared sphere and equal weights hold", page.locator("#conditions .holds").count() == 2)
    checks.that(f"{what}: it is not called k-means", "This is k-means now" not in page.locator("#words").inner_text())
    to_the_end(page, "#shape")
    checks.that(f"{what}: σ² → 0 is k-means in the limit", page.locator("#words").inner_text().startswith("K-means in the limit"))
    checks.that(f"{what}: and labels all points as k-means", differences(page) == 0, differences(page))
    to_the_end(page, "#assigned")
    checks.that(f"{what}: with both at the end all conditions hold", page.locator("#conditions .holds").count() == 3)
    checks.that(f"{what}: this is k-means now", page.locator("#words").inner_text().startswith("This is k-means now"))
    checks.that(f"{what}: all labels are those of k-means", differences(page) == 0 and f"{n} of {n} points" in page.locator("#agreement").inner_text())

    # Hard, one sphere whose size is estimated, equal weights: k-means by every iteration.
    page.locator("#shape").focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    idle(page)
    ours, theirs = state(page, "state.frames.map(frame => frame.inertia)"), state(page, "state.kMeans.trace")
    same = all(abs(a - b) <= 1e-5 * b for a, b in zip(ours, theirs)) if state(page, "state.frames.every((f, i) => (f.iteration ?? i) === i)") else True
    checks.that(f"{what}: inertia falls as that of k-means, iteration by iteration", same, (ours, theirs))
    page.locator("#assigned").focus()
    page.keyboard.press("Home")
    idle(page)
    page.locator("#shape").focus()
    page.keyboard.press("Home")
    idle(page)
    checks.that(f"{what}: back where it began, the free mixture is back", differences(page) == free, (differences(page), free))


def check_steps(checks, page, what):
    """E and M one by one, to the end, and back."""
    press(page, "#back")
    checks.that(f"{what}: M waits for E", page.locator("#m").is_disabled())
    grey = pixels(page, "#plane", variable(page, "c0"))
    press(page, "#e")
    checks.that(f"{what}: an E-step shares the points", state(page, "state.shares.length === state.points.length"))
    checks.that(f"{what}: and colours them", pixels(page, "#plane", variable(page, "c0")) > grey)
    checks.that(f"{what}: E waits for M", page.locator("#e").is_disabled() and page.locator("#m").is_enabled())
    before = page.locator("#plane").screenshot()
    press(page, "#m")
    checks.that(f"{what}: an M-step moves the components", page.locator("#plane").screenshot() != before)
    checks.that(f"{what}: that is iteration 1", page.locator("#iteration-name").inner_text().startswith("1"))
    objectives = state(page, "state.frames.map(frame => frame.log_likelihood)")
    checks.that(f"{what}: the likelihood rose", objectives[1] > objectives[0], objectives)
    page.locator("#run").click()
    checks.comes(f"{what}: a run goes on", page, "state.frame >= 2")
    page.locator("#run").click()
    idle(page)
    checks.that(f"{what}: until it is paused", not state(page, "state.running"), state(page, "state.frame"))
    press(page, "#end")
    objectives = state(page, "state.frames.map(frame => frame.log_likelihood)")
    checks.that(f"{what}: EM never lowers it", all(b >= a - 1e-4 * abs(a) for a, b in zip(objectives, objectives[1:])), objectives)
    checks.that(f"{what}: it settles", state(page, "state.settled") and "settled" in page.locator("#iteration-name").inner_text())
    checks.that(f"{what}: both objectives are drawn", all(pixels(page, plot, variable(page, "accent")) > 60 for plot in ("#likelihood", "#inertia")))
    page.locator("#iteration").focus()
    page.keyboard.press("Home")
    idle(page)
    checks.that(f"{what}: the iterations can be gone through", state(page, "state.frame") == 0 and state(page, "state.sharedAt") == 0)
    page.keyboard.press("ArrowRight")
    idle(page)
    checks.that(f"{what}: one by one", state(page, "state.frame") == 1)


def check_drawing(checks, browser, miscela):
    with served(checks, miscela) as url, browser.page(url) as page:
        idle(page)
        draw(checks, page)


def draw(checks, page):
    """Points by hand and by keyboard, and what comes of too few and of too many."""
    page.locator("#clear").click()
    page.wait_for_function("() => waiting === 0")
    checks.that("an empty page asks for points", "Draw at least 4" in page.locator("#agreement").inner_text(), page.locator("#agreement").inner_text())
    checks.that("nothing can be stepped", page.locator("#e").is_disabled() and page.locator("#end").is_disabled())
    box = page.locator("#plane").bounding_box()
    for x, y in ((0.3, 0.3), (0.7, 0.35), (0.5, 0.7)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.down()
        for step in range(12):
            page.mouse.move(box["x"] + x * box["width"] + step % 4, box["y"] + y * box["height"] + step % 3)
        page.mouse.up()
    idle(page)
    drawn = state(page, "state.points.length")
    checks.that("spraying draws points", drawn >= 3 * 4 * 10, drawn)
    page.locator("#pen").click()
    page.locator("#plane").focus()
    for key in ("ArrowRight", "ArrowUp", "Space"):
        page.keyboard.press(key)
    idle(page)
    checks.that("the keyboard draws one", state(page, "state.points.length") == drawn + 1)
    page.locator("#pen").click()
    page.locator("#k").fill("3")
    page.locator("#k").press("Enter")
    page.locator("#k").blur()
    idle(page)
    checks.that("there are three components now", state(page, "state.frames[0].parameters.means.length") == 3)
    press(page, "#end")
    sizes = state(page, "[0, 1, 2].map(c => state.shares.filter(s => s.label === c).length)")
    checks.that("three sprayed clusters are found", sum(sizes) == drawn + 1 and min(sizes) > 20, sizes)
    before = state(page, "JSON.stringify(state.centres)")
    page.locator("#init").select_option("random")
    press(page, "#again")
    checks.that("another start is another", state(page, "JSON.stringify(state.centres)") != before)
    page.evaluate("() => { state.points = Array.from({length: 2001}, (_, i) => [i, 0]); return act(startAnew); }")
    said = page.locator("#problem").inner_text()
    checks.that("too many points are refused in words", "2001 points" in said and said.endswith("."), said)


def check_served(checks, browser, miscela):
    with served(checks, miscela) as url, browser.page(url) as page:
        idle(page)
        checks.that("it opens with Old Faithful", state(page, "state.points.length") == 272)
        check_path(checks, page, "served")
        check_steps(checks, page, "served")
        for i in range(page.locator("#set option").count()):
            page.locator("#set").select_option(str(i))
            idle(page)
            press(page, "#end")
            to_the_end(page, "#shape")
            to_the_end(page, "#assigned")
            checks.that(f"set {i}: k-means at the end", differences(page) == 0, differences(page))
            page.locator("#assigned").press("Home")
            page.locator("#shape").press("Home")
            idle(page)
    with served(checks, miscela, ROOT / "data" / "iris.csv", "--columns", "petal_length,petal_width", "-k", "3") as url:
        with browser.page(url) as page:
            idle(page)
            checks.that("a table's columns are the axes", "petal_length" in state(page, "state.axes[0]"))
            press(page, "#end")


def check_exported(checks, browser, miscela, folder):
    run(miscela, folder, "play", "--export", "page.html", "--quiet")
    page_file = folder / "page.html"
    checks.that("the file is small", page_file.stat().st_size < 2_000_000, page_file.stat().st_size)
    with browser.page(page_file.as_uri()) as page:
        idle(page)
        check_path(checks, page, "exported")
        check_steps(checks, page, "exported")
        checks.that("there is nothing to draw with", not page.locator("#pen").is_visible())


def check_looks(checks, browser, miscela, folder, pictures):
    """On a phone and at a desk, in light and dark."""
    run(miscela, folder, "play", "--export", "looks.html", "--quiet")
    with served(checks, miscela) as url:
        for what, address in (("served", url), ("exported", (folder / "looks.html").as_uri())):
            for name, size in (("phone", PHONE), ("desk", DESK)):
                for scheme in ("light", "dark"):
                    with browser.page(address, size=size, scheme=scheme) as page:
                        idle(page)
                        press(page, "#end")
                        wide = too_wide(page)
                        checks.that(f"{what}, {name}, {scheme}: nothing reaches beyond the window", wide[0] <= 0 and not wide[1], wide)
                        inked = [pixels(page, "#plane", variable(page, f"l{c}")) for c in range(4)]
                        checks.that(f"{what}, {name}, {scheme}: all components are drawn", min(inked) > 100, inked)
                        if pictures:
                            page.screenshot(path=pictures / f"{what}-{name}-{scheme}.png", full_page=True)


def main():
    miscela = str(Path(sys.argv[1]).resolve())
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    checks = Checks()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser, folder = Browser(playwright, checks), Path(name)
        # Refusals are errors on the console of Chromium, whatever the page does about them.
        loud = Browser(playwright, Unheard())
        for about, check in (
            ("served", lambda: check_served(checks, browser, miscela)),
            ("drawing", lambda: check_drawing(checks, loud, miscela)),
            ("exported", lambda: check_exported(checks, browser, miscela, folder)),
            ("looks", lambda: check_looks(checks, browser, miscela, folder, pictures)),
        ):
            with checks.about(about):
                check()
        browser.chromium.close()
        loud.chromium.close()
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main()
