"""Eight scenarios compared beside one solved alone: `python -m benchmarks.compare`.

The demo's scenario, learned from its orders, and eight that differ from it in limits only. One
whole run (tables read, beliefs learned, offers scored, plan searched, accounted for and verified)
is timed first, then the eight with what they have in common done once, then each of their plans
judged under each scenario; all in one process, after a run on a small shop that loads every kernel.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bundlewise.cli.compare import solved
from bundlewise.cli.console import Progress
from bundlewise.cli.pipeline import Shared
from bundlewise.cli.solve_many import solve_many
from bundlewise.instances import read_scenario, write_complete_journey, write_seed_case
from bundlewise.solver.comparison import compare

LIMITS = (
    "max_bundles = 40",
    "max_bundles = 10",
    "max_bundles = 20",
    "max_bundles = 80",
    "max_bundles_per_product = 2",
    "min_plan_margin = 0.32",
    "min_bundle_margin = 0.25",
    "discount_budget = 1.0",
)


def main() -> None:
    """Print seconds of one run and of the comparison, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_seed_case(folder / "seed100")
        small = _variants(folder / "seed100" / "scenario.toml")
        _compared(small[:2])
        scenario = Path(sys.argv[1]) if len(sys.argv) > 1 else folder / "journey" / "scenario.toml"
        if len(sys.argv) == 1:
            write_complete_journey(folder / "journey")
        one, _ = _compared([scenario])
        many, seconds = _compared(_variants(scenario, folder))
    print(f"one scenario, whole run       {one:7.1f} s")
    print(f"{len(LIMITS)} scenarios, compared       {many:7.1f} s  {many / one:.2f} times")
    for stage, spent in seconds.items():
        print(f"  {stage:27} {spent:7.1f} s")


def _compared(scenarios: Sequence[Path]) -> tuple[float, dict[str, float]]:
    """Seconds to solve and compare the scenarios, all and by part."""
    progress, start = Progress(quiet=True), time.perf_counter()
    stated = [read_scenario(path) for path in scenarios]
    answers = solve_many(stated, progress, Shared())
    searched = time.perf_counter()
    if len(scenarios) > 1:
        compare([solved(*parts) for parts in zip(stated, answers, scenarios, strict=True)])
    end = time.perf_counter()
    common = sum(progress.seconds.values())
    parts = {"solve": searched - start - common, "judge": end - searched}
    return end - start, {**progress.seconds, **parts}


def _variants(scenario: Path, folder: Path | None = None) -> list[Path]:
    """Scenarios that extend one by a limit each."""
    paths = []
    for number, limit in enumerate(LIMITS):
        path = (folder or scenario.parent) / f"variant-{number}.toml"
        head = f'[scenario]\nname = "variant-{number}"\nextends = "{scenario.resolve()}"\n'
        path.write_text(f"{head}[limits]\n{limit}\n", encoding="utf-8")
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
