"""Integer programs over the columns with the highest ceilings: what they rule out, and prove."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.linear import linear_answer
from bundlewise.solver.engines.pricing import price
from bundlewise.solver.engines.restricted import RestrictedPrograms
from bundlewise.solver.engines.search_state import SearchState
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray

from .cut_programs import cut_program, feasible_points

SETTINGS = EngineSettings(gap=0.0, time_limit=20.0, threads=1)
NOTHING = np.zeros(0, dtype=np.int64)


def five() -> Program:
    """Two of five, worth 9, 8, 3, 2, 1."""
    builder = ProgramBuilder([9.0, 8.0, 3.0, 2.0, 1.0])
    builder.add_row("two", np.arange(5), 1.0, upper=2.0)
    return builder.build()


def ceilings(program: Program) -> NDArray[np.float64]:
    answer = linear_answer(program, 10)
    assert answer is not None
    return price(program, answer.row_dual).ceiling(program)


def test_ceilings_by_hand() -> None:
    # a place is worth 3 to 8; a column outside takes one: 17 - 8 + 3 with the third at the dual 8
    program = five()
    dual = np.array([8.0])
    assert price(program, dual).ceiling(program).tolist() == pytest.approx(
        [17.0, 17.0, 12.0, 11.0, 10.0]
    )


def test_what_is_below_the_incumbent_is_not_needed() -> None:
    program = five()
    programs = RestrictedPrograms(program, np.array([17.0, 17.0, 12.0, 11.0, 10.0]), NOTHING)
    state = SearchState(program, 0.0, Clock(20.0))
    assert programs.size_needed(state) == 5
    state.propose(np.array([1.0, 0.0, 1.0, 0.0, 0.0]))  # 12
    assert programs.size_needed(state) == 2
    columns, outside = programs.best(2)
    assert columns.tolist() == [0, 1]
    assert outside == 12.0
    assert programs.solve(state, SETTINGS, 2, 0.0, 10.0) is None
    assert state.objective == 17.0
    assert state.bound == 17.0
    assert "of 5 columns" in state.source


def test_what_is_left_out_bounds_the_rest() -> None:
    # one column of five: worth 9, but the second has a ceiling of 17
    program = five()
    programs = RestrictedPrograms(program, np.array([18.0, 17.0, 12.0, 11.0, 10.0]), NOTHING)
    state = SearchState(program, 0.0, Clock(20.0))
    programs.solve(state, SETTINGS, 1, 0.0, 10.0)
    assert state.objective == 9.0
    assert state.bound == 17.0


def test_support_and_incumbent_are_always_in() -> None:
    program = five()
    programs = RestrictedPrograms(program, np.arange(5.0, 0.0, -1.0), np.array([4]))
    state = SearchState(program, 0.0, Clock(20.0))
    state.propose(np.array([0.0, 0.0, 0.0, 1.0, 0.0]))
    programs.solve(state, SETTINGS, 1, 0.0, 10.0)
    assert state.statistics["integer_columns"] == 3
    assert state.objective == 11.0  # the first and the fourth


def test_columns_that_are_not_binary_are_never_ruled_out() -> None:
    # 3x + s >= 6 with s at 2 each
    builder = ProgramBuilder([1.0, -2.0], upper=[1.0, np.inf], integral=[True, False])
    builder.add_row("clearance", [0, 1], [3.0, 1.0], lower=6.0)
    program = builder.build()
    ceiling = ceilings(program)
    assert ceiling[1] == math.inf
    programs = RestrictedPrograms(program, ceiling, NOTHING)
    columns, outside = programs.best(0)
    assert columns.tolist() == [1]
    assert outside == ceiling[0]


def test_nothing_feasible_is_proven_over_all_columns_only() -> None:
    # 0.6 each, and between 1 and 1.1 of them in all
    builder = ProgramBuilder([1.0, 1.0, 1.0])
    builder.add_row("range", [0, 1, 2], 0.6, lower=1.0, upper=1.1)
    program = builder.build()
    programs = RestrictedPrograms(program, np.array([3.0, 2.0, 1.0]), NOTHING)
    state = SearchState(program, 0.0, Clock(20.0))
    programs.solve(state, SETTINGS, 2, 0.0, 10.0)
    assert not state.infeasible
    assert state.bound == 1.0
    programs.solve(state, SETTINGS, 3, 0.0, 10.0)
    assert state.infeasible


@pytest.mark.parametrize("seed", range(20))
def test_any_size_gives_a_bound_of_all_columns(seed: int) -> None:
    program = cut_program(seed, within=0.0)
    points = feasible_points(program, tolerance=0.0)
    answer = linear_answer(program, 10)
    if answer is None or len(points) == 0:
        return
    best = float((points @ program.value).max())
    programs = RestrictedPrograms(program, ceilings(program), np.flatnonzero(answer.values > 0))
    for size in (1, 4, program.n_columns):
        state = SearchState(program, 0.0, Clock(20.0))
        programs.solve(state, SETTINGS, size, 0.0, 10.0)
        assert state.bound >= best - 1e-6
        if size == program.n_columns:
            assert state.objective == pytest.approx(best, abs=1e-4)
