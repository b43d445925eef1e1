"""Seconds to explain a conflict on the program of `big_program`: `python -m benchmarks.conflict`.

Two ordinary conflicts are made of its rules: a plan margin that so many bundles cannot have, and
a category that two rules want otherwise. For each it prints the seconds until the rules are
known, and until it is known as well what would be enough of each, beside the seconds that the
program takes to be solved without the conflict, in the same run.
"""

from __future__ import annotations

import time
from dataclasses import replace

from bundlewise.instances.instance import Instance
from bundlewise.instances.rules import CategoryLimit
from bundlewise.models.beliefs import Beliefs
from bundlewise.solver.build import build_program
from bundlewise.solver.conflicts import explain_conflict
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.offers import Offers
from bundlewise.solver.smallest_conflict import smallest_conflict
from bundlewise.solver.solution import Status

from .big_program import A_CATEGORY, BUNDLES, GAP, SEED, make_case

TARGET = 10.0  # seconds
PLAN_MARGIN = 0.36  # the assumed gross margin is 0.3618, before any discount


def main() -> None:
    """Print a line for the program as it is, and some for each conflict."""
    instance, beliefs, offers = make_case()
    program = build_program(instance, beliefs, offers)
    settings = EngineSettings(gap=GAP, seed=SEED)
    solve_program(program, settings)  # loads the compiled kernels
    start = time.perf_counter()
    solution = solve_program(program, settings)
    solved = time.perf_counter() - start
    print(
        f"{program.n_columns:,} offers, {program.n_rows:,} rows: "
        f"{solution.status} in {solved:.2f} s"
    )
    for name, changed in _conflicts(instance).items():
        _explain(name, changed, beliefs, offers, solved)


def _conflicts(instance: Instance) -> dict[str, Instance]:
    scenario = instance.scenario
    limits = {"min_bundles": BUNDLES, "min_plan_margin": PLAN_MARGIN}
    demanding = {"limits": scenario.limits.model_copy(update=limits)}
    limited = next(rule for rule in scenario.rules if isinstance(rule, CategoryLimit))
    wanted = CategoryLimit(
        kind="category-limit", name="wanted", category=limited.category, min=A_CATEGORY + 8
    )
    return {
        name: replace(instance, scenario=scenario.model_copy(update=update))
        for name, update in {
            "plan margin": demanding,
            "category": {"rules": (*scenario.rules, wanted)},
        }.items()
    }


def _explain(
    name: str, instance: Instance, beliefs: Beliefs, offers: Offers, solved: float
) -> None:
    program = build_program(instance, beliefs, offers)
    start = time.perf_counter()
    proven = solve_program(program, EngineSettings(gap=GAP, seed=SEED)).status
    refused = time.perf_counter() - start
    if proven is not Status.INFEASIBLE:
        raise SystemExit(f"{name}: {proven}, expected no plan")
    start = time.perf_counter()
    conflict = smallest_conflict(program, Clock(TARGET))
    found = time.perf_counter() - start
    start = time.perf_counter()
    error = explain_conflict(instance, beliefs, offers, program)
    explained = time.perf_counter() - start
    kind = "smallest" if conflict.smallest else "irreducible" if conflict.irreducible else "valid"
    print(
        f"{name}: no plan, proven in {refused:.2f} s; {len(conflict.rules)} rules ({kind}) in "
        f"{found:.2f} s, {found / solved:.1f} times the solve; with what would be enough "
        f"{explained:.2f} s, {explained / solved:.1f} times; target {TARGET:g} s"
    )
    print(f"  {error}")


if __name__ == "__main__":
    main()
