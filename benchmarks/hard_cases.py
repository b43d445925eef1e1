"""Programs whose rules pull against each other: each engine's gap when its time is up.

    python -m benchmarks.hard_cases [--engines auto,highs,scip,cp-sat,pulp:CBC] [--limit 60]
        [--cases 1,2,3,4,5,6]

About 500,000 offers each (``programs.HARD_CASES``). The gap asked for is 0, so that engines use
the time they have. The programs are made first, which takes a minute or two.
"""

from __future__ import annotations

import argparse
import math
import os

from bundlewise.solver.engines import EngineSettings
from bundlewise.solver.solution import Solution

from .programs import HARD_CASES, SEED, hard_cases
from .runs import line, load_kernels, timed

TARGET = 0.01  # of the objective; and no engine's gap smaller than auto's


def main() -> None:
    """Print a line an engine and case, then which had the smallest gap."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", default="auto", help="comma-separated")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds an engine and case")
    numbers = ",".join(str(number) for number in range(1, len(HARD_CASES) + 1))
    parser.add_argument("--cases", default=numbers, help="numbers, comma-separated")
    arguments = parser.parse_args()
    engines = arguments.engines.split(",")
    wanted = [int(number) for number in arguments.cases.split(",")]
    print(f"{arguments.limit:g} s an engine, {os.cpu_count()} cores")
    load_kernels()
    for number, (name, program) in zip(range(1, max(wanted) + 1), hard_cases(), strict=False):
        if number not in wanted:
            continue
        print(f"\n{number}: {name}; {program.n_columns:,} offers, {program.n_rows:,} rows")
        gaps: dict[str, float] = {}
        for engine in engines:
            settings = EngineSettings(engine=engine, gap=0.0, time_limit=arguments.limit, seed=SEED)
            seconds, solution = timed(program, settings)
            gaps[engine] = _gap(solution)
            print(line(engine, seconds, solution), flush=True)
        best = min(gaps, key=gaps.__getitem__)
        print(f"smallest gap: {best}, {gaps[best]:.4%}; auto's target {TARGET:.0%}", flush=True)


def _gap(solution: Solution) -> float:
    """The gap; infinite without a plan or without a bound."""
    return math.inf if solution.gap is None else solution.gap


if __name__ == "__main__":
    main()
