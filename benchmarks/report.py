"""The report of a plan of 200 bundles: bytes, and how soon the page can be used.

    python -m benchmarks.report [--bundles 200] [--out FILE]

The plan is a real one: a synthetic shop of 500 products is simulated, learned and solved with
room for that many bundles, which takes a minute or two. Chromium then opens the page five times,
each in a fresh profile; times are from the browser's own Navigation Timing, the medians shown.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bundlewise.cli.report_page import report_page
from bundlewise.instances import load_instance, read_scenario
from bundlewise.instances.synthetic import make_shop
from bundlewise.instances.synthetic_files import write_shop
from bundlewise.instances.synthetic_shoppers import simulate_orders
from bundlewise.models import learn
from bundlewise.solver import solve

PRODUCTS, VISITS = 500, 3000
RUNS = 5
TARGET_BYTES, TARGET_SECONDS = 2_000_000, 1.0


def main() -> None:
    """Print bytes and times, then what is aimed for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundles", type=int, default=200)
    parser.add_argument("--out", type=Path, help="keep the page here")
    arguments = parser.parse_args()
    files = _plan(arguments.bundles)
    start = time.perf_counter()
    page = report_page(files)
    seconds = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.out or Path(folder) / "report.html"
        path.write_text(page, encoding="utf-8")
        bundles = files["plan.csv"].count(b"\n") - 1
        print(f"{bundles} bundles: {len(page.encode()):,} bytes, written in {seconds:.2f} s")
        for name, value in _times(path.resolve()).items():
            print(f"{name}: {value:.0f} ms")
    print(f"target: under {TARGET_BYTES:,} bytes, usable within {TARGET_SECONDS:.0f} s")


def _plan(bundles: int) -> dict[str, bytes]:
    """The files of the plan of a shop large enough for so many bundles."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shop = make_shop(1, PRODUCTS, margin=(0.4, 0.6), sensitivity=(2.0, 5.0))
        orders = simulate_orders(shop, shop.n_weeks, VISITS, 2)
        write_shop(shop, folder, orders, visits=VISITS)
        scenario = folder / "scenario.toml"
        text = scenario.read_text(encoding="utf-8")
        scenario.write_text(text.replace("max_bundles = 20\n", f"max_bundles = {bundles}\n"))
        instance = load_instance(read_scenario(scenario))
        return solve(instance, learn(instance)).files()


def _times(path: Path) -> dict[str, float]:
    """Milliseconds from the start of the visit, medians of some visits."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium on the path: install it to measure how soon a page is usable")
    runs = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(RUNS):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            runs.append(_visit(context.new_page(), path))
            context.close()
        browser.close()
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _visit(page: Any, path: Path) -> dict[str, float]:
    """Times of one visit; the page is usable once its script has run and it answers a key."""
    page.goto(path.as_uri())
    entry = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    search = page.get_by_label("Search")
    search.focus()
    answered = page.evaluate(
        """() => new Promise((done) => {
            const start = performance.now();
            const field = document.querySelector("input[type=search]");
            field.value = "a";
            field.dispatchEvent(new Event("input"));
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
        })"""
    )
    sorted_in = page.evaluate(
        """() => new Promise((done) => {
            const start = performance.now();
            document.querySelector(".bundles th button").click();
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
        })"""
    )
    return {
        "interactive (domInteractive)": entry["domInteractive"],
        "script run (domContentLoadedEventEnd)": entry["domContentLoadedEventEnd"],
        "loaded (loadEventEnd)": entry["loadEventEnd"],
        "a search, to the next frame": answered,
        "a sort, to the next frame": sorted_in,
    }


if __name__ == "__main__":
    main()
