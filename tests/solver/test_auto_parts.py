"""Where engine auto dives and branches, and that it does neither where it is told not to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings, auto, sifting
from bundlewise.solver.engines.auto import solve_auto
from bundlewise.solver.engines.ingredients import Ingredients
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.restricted import RestrictedPrograms
from bundlewise.solver.program import Program
from bundlewise.solver.solution import Solution, Status

from .enumeration import optimum, random_program
from .test_auto import shop

EVERYTHING = Ingredients()


@pytest.fixture(autouse=True)
def nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first integer program is left out, so that the later steps have work to do."""
    monkeypatch.setattr(auto._Improvement, "first_try", lambda self: None)
    for module, name, value in [(sifting, "_FIRST", 5), (sifting, "_ADDED", 4)]:
        monkeypatch.setattr(module, name, value)


def solved(program: Program, parts: Ingredients = EVERYTHING) -> Solution:
    settings = EngineSettings(gap=0.0, time_limit=20.0, threads=1)
    return solve_auto(program, settings, Clock(20.0), None, None, parts)


@pytest.mark.parametrize("kind", ["plain", "lower side", "exact groups"])
def test_dives_and_splits_are_counted(kind: str) -> None:
    least, exact = (8 if kind == "lower side" else 0), kind == "exact groups"
    counts = {"dives": 0.0, "splits": 0.0}
    for seed in range(3):
        solution = solved(shop(seed, columns=250, least=least, exact=exact))
        assert solution.status in (Status.OPTIMAL, Status.INFEASIBLE), seed
        for name in counts:
            counts[name] += solution.statistics.get(name, 0.0)
    assert counts["dives"] > 0
    assert counts["splits"] > 0


@pytest.mark.parametrize(("off", "name"), [("diving", "dives"), ("branching", "splits")])
def test_what_is_left_out_is_not_done(off: str, name: str) -> None:
    parts = replace(EVERYTHING, **{off: False})
    for seed in range(2):
        program = shop(seed, columns=200)
        without, whole = solved(program, parts), solved(program)
        assert name not in without.statistics
        assert without.status is Status.OPTIMAL
        assert without.objective == pytest.approx(whole.objective, abs=1e-6)


@pytest.mark.parametrize("off", [None, "diving", "branching"])
def test_the_optimum_by_enumeration(off: str | None) -> None:
    parts = EVERYTHING if off is None else replace(EVERYTHING, **{off: False})
    dives = 0.0
    for seed in range(60):
        program = random_program(seed)
        best, solution = optimum(program), solved(program, parts)
        dives += solution.statistics.get("dives", 0.0)
        if best is None:
            assert solution.status is Status.INFEASIBLE, seed
            continue
        assert solution.status is Status.OPTIMAL, seed
        assert solution.objective == pytest.approx(best, abs=1e-5), seed
        assert solution.bound is not None, seed
        assert solution.bound >= best - 1e-6, seed
    assert (dives > 0) == (off != "diving")


def test_a_set_of_no_columns_has_the_best_one() -> None:
    """As many columns as the relaxation has: none, where it is all 0."""
    program = shop(1, columns=20)
    programs = RestrictedPrograms(program, np.arange(20.0), np.zeros(0, dtype=np.int64))
    columns, outside = programs.best(0)
    assert columns.tolist() == [19]
    assert outside == 18.0
