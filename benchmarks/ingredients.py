"""What each ingredient of auto is worth: switched off one at a time, on the same programs.

    python -m benchmarks.ingredients [--limit 60] [--programs big,1,2,3,4,5,6,scale-5]

``big`` is the program of ``big_program``, the numbers are those of ``hard_cases``, ``scale-N`` has
10^N offers. A line an ingredient: seconds until the gap of 0.1 % or the limit, and the gap left.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import fields, replace

from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.ingredients import Ingredients
from bundlewise.solver.program import Program

from .big_program import make_program
from .programs import HARD_CASES, SEED, hard_cases, scale
from .runs import line, load_kernels

GAP = 0.001


def main() -> None:
    """Print a line for the whole engine and one for each ingredient it does without."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=60.0, help="seconds a run")
    parser.add_argument("--programs", default="big,1,2,3,4,5,6,scale-5", help="comma-separated")
    arguments = parser.parse_args()
    print(f"gap {GAP:.1%}, {arguments.limit:g} s a run, {os.cpu_count()} cores")
    load_kernels()
    settings = EngineSettings(engine="auto", gap=GAP, time_limit=arguments.limit, seed=SEED)
    for name, program in _programs(arguments.programs.split(",")):
        print(f"\n{name}; {program.n_columns:,} offers, {program.n_rows:,} rows")
        for label, ingredients in _one_off_at_a_time():
            start = time.perf_counter()
            solution = solve_program(program, settings, ingredients=ingredients)
            print(line(f"{label:24}", time.perf_counter() - start, solution), flush=True)


def _one_off_at_a_time() -> Iterator[tuple[str, Ingredients]]:
    """The whole, then without each in turn, in the order in which they are declared."""
    whole = Ingredients()
    yield "everything", whole
    for ingredient in fields(Ingredients):
        yield f"no {ingredient.name.replace('_', ' ')}", replace(whole, **{ingredient.name: False})


def _programs(names: list[str]) -> Iterator[tuple[str, Program]]:
    if "big" in names:
        yield "big program", make_program()
    for name in names:
        if name.startswith("scale-"):
            yield name, scale(10 ** int(name.removeprefix("scale-")))
    cases = [int(name) for name in names if name.isdecimal()]
    if not set(cases) <= set(range(1, len(HARD_CASES) + 1)):
        raise SystemExit(f"hard cases have the numbers 1 to {len(HARD_CASES)}")
    made = zip(range(1, max(cases, default=0) + 1), hard_cases(), strict=False)
    yield from ((f"{k}: {name}", program) for k, (name, program) in made if k in cases)


if __name__ == "__main__":
    main()
