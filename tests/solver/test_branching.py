"""Branching over all columns: every bound holds, and the tree ends at the optimum."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings, branching, sifting, solve_program
from bundlewise.solver.engines.branching import Branching
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.pricing import price
from bundlewise.solver.engines.search_state import SearchState
from bundlewise.solver.engines.sifting import sift
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder

from .enumeration import optimum, random_program

EXACT = EngineSettings(engine="scip", gap=0.0, time_limit=20)


@pytest.fixture(autouse=True)
def tiny_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restricted relaxations of a few columns, so that others must be priced in at nodes."""
    for name, value in [("_FIRST", 4), ("_ADDED", 3), ("_MOST", 6)]:
        monkeypatch.setattr(sifting, name, value)


def begun(program: Program) -> SearchState:
    """A search whose incumbent is the worst plan of all."""
    state = SearchState(program, 0.0, Clock(60))
    state.propose(solve_program(replace(program, value=-program.value), EXACT).values)
    return state


def tree(state: SearchState) -> Branching:
    return Branching(state.program, sift(state.program, state.clock), state)


@pytest.mark.parametrize("seed", range(30))
def test_the_tree_ends_at_the_optimum_and_no_bound_lies_below_it(seed: int) -> None:
    program = random_program(seed)
    best = optimum(program)
    if best is None:
        return
    state = begun(program)
    search = tree(state)
    while not search.exhausted and not state.closed():
        assert search.bound >= best - 1e-6
        search.run(state, math.inf)
    assert state.objective == pytest.approx(best, abs=1e-6)
    assert state.bound == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_the_integer_program_of_a_node_closes_it(seed: int) -> None:
    program = random_program(seed)
    best = optimum(program)
    if best is None:
        return
    state = begun(program)
    search = tree(state)
    while not search.exhausted and not state.closed():
        search.integer_program(state, EXACT, 20.0, engine="scip")
        assert search.bound >= best - 1e-6
    assert state.objective == pytest.approx(best, abs=1e-6)
    assert state.bound == pytest.approx(best, abs=1e-5)


def test_a_column_that_all_hangs_on_is_fixed_by_one_split() -> None:
    # budget 10: the first offer (100 for 7) and a small one (8 for 3) earn 108. The relaxation
    # takes a third of the second (50 for 9); with it, the others add at most 1/7 of 100.
    builder = ProgramBuilder([100.0, 50.0, 8.0, 8.0, 8.0])
    builder.add_row("discount-budget", np.arange(5), [7.0, 9.0, 3.0, 3.0, 3.0], upper=10.0)
    program = builder.build()
    state = begun(program)
    state.propose(np.array([1.0, 0, 1, 0, 0]))
    search = tree(state)
    assert search.bound == pytest.approx(100 + 50 / 3)
    search.run(state, math.inf)
    assert search.splits == 1
    assert state.bound == pytest.approx(108)


def test_a_hopeless_tree_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # all offers alike, 10.5 of which fit: no split moves the bound
    monkeypatch.setattr(sifting, "_FIRST", 100)
    builder = ProgramBuilder(np.ones(40))
    builder.add_row("discount-budget", np.arange(40), 2.0, upper=21.0)
    state = SearchState(builder.build(), 0.0, Clock(60))
    state.propose(np.zeros(40))
    search = tree(state)
    search.run(state, math.inf)
    assert search.splits == branching._STALLS
    assert state.bound == pytest.approx(10.5)


def test_the_bound_knows_of_levels_that_must_be_and_levels_that_must_not() -> None:
    # two bundles with two levels each, no row binds: 5 or 3, 4 or 2
    builder = ProgramBuilder([5.0, 3.0, 4.0, 2.0], group=[0, 0, 1, 1], group_exact=[False, False])
    builder.add_row("bundle-count", np.arange(4), 1.0, upper=9)
    program = builder.build()
    dual = np.zeros(1)
    assert price(program, dual).bound == pytest.approx(9)
    without = replace(program, upper=np.array([0.0, 1, 1, 1]))
    assert price(without, dual).bound == pytest.approx(3 + 4)
    held = replace(program, lower=np.array([0.0, 0, 0, 1]))
    assert price(held, dual).bound == pytest.approx(5 + 2)
    nothing = replace(program, upper=np.array([0.0, 0, 1, 1]))
    assert price(nothing, dual).bound == pytest.approx(4)
