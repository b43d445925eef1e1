"""What the rows of a same-level line are worth: a whole synthetic shop at one discount level.

Run ``python -m benchmarks.long_line``; it takes about two minutes. The same program is built with
the rows that ``build_program`` gives a long line, and with one row a level alone, and solved by
engine ``auto`` with the same gap and limit.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from bundlewise.instances.rules import SameLevel
from bundlewise.solver import build, same_level
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, solve_program

from .programs import scale_offers

OFFERS = 400_000
SECONDS = 60.0


def main() -> None:
    """Print a line a way of cutting, and one without the rule."""
    instance, beliefs, offers = scale_offers(OFFERS)
    everything = np.full(len(instance.catalogue), "all", dtype=object)
    instance = replace(instance, catalogue=replace(instance.catalogue, category=everything))
    line = SameLevel(kind="same-level", name="one level", category="all")
    print(f"{len(offers):,} offers of {offers.n_candidates:,} candidates in one line")
    for name, rules, rows in (
        ("no rule", (), 0),
        (f"{same_level.MOST_ROWS:,} rows", (line,), same_level.MOST_ROWS),
        ("a row a level", (line,), 0),
    ):
        scenario = instance.scenario.model_copy(update={"rules": rules})
        _limit_rows(rows)
        program = build_program(replace(instance, scenario=scenario), beliefs, offers)
        start = time.perf_counter()
        solution = solve_program(program, EngineSettings(gap=0.001, time_limit=SECONDS))
        seconds = time.perf_counter() - start
        gap = "no plan" if solution.gap is None else f"gap {100 * solution.gap:.3f} %"
        print(f"{name:>16}: {program.n_rows:,} rows, {solution.status} in {seconds:.1f} s, {gap}")


def _limit_rows(most: int) -> None:
    """Have ``build_program`` cut lines into at most so many rows."""

    def cut(*args: object, **keys: object) -> same_level.Cells:
        return same_level.line_cells(*args, **keys, most_rows=most)  # pyright: ignore[reportArgumentType]

    build.line_cells = cut


if __name__ == "__main__":
    main()
