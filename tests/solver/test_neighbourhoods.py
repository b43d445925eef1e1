"""Neighbourhoods: a round betters an incumbent that can be bettered, and breaks nothing."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings
from bundlewise.solver.engines.interface import Clock, Interrupt
from bundlewise.solver.engines.neighbourhoods import Neighbourhoods
from bundlewise.solver.engines.search_state import SearchState
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder

from .cut_programs import cut_program, feasible_points


def rounds_of(program: Program, seed: int = 0, threads: int = 1) -> Neighbourhoods:
    settings = EngineSettings(gap=0.0, time_limit=20.0, threads=threads, seed=seed)
    everything = np.arange(program.n_columns)
    return Neighbourhoods(program, everything, np.zeros(program.n_columns), program.value, settings)


def begin(program: Program, values: list[float], clock: Clock | None = None) -> SearchState:
    state = SearchState(program, 0.0, clock or Clock(20.0))
    assert state.propose(np.array(values))
    return state


def swap() -> Program:
    """One of three a group; the best of each fits beside the other."""
    builder = ProgramBuilder([1.0, 2.0, 3.0, 1.0, 2.0, 3.0], group=[0, 0, 0, 1, 1, 1])
    builder.add_row("stock", np.arange(6), [1.0, 2.0, 3.0] * 2, upper=6.0)
    return builder.build()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_round_that_releases_everything_finds_the_best(threads: int) -> None:
    state = begin(swap(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    assert rounds_of(swap(), threads=threads).round(state)
    assert state.objective == 6.0
    assert state.statistics["neighbourhoods"] == threads
    # and nothing is better than that
    assert not rounds_of(swap()).round(state)
    assert state.objective == 6.0


def test_columns_outside_the_pool_stay_out() -> None:
    program = swap()
    settings = EngineSettings(gap=0.0, time_limit=20.0, threads=1)
    pool = np.array([0, 1, 3, 4])
    state = begin(program, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    assert Neighbourhoods(program, pool, np.zeros(6), program.value, settings).round(state)
    assert state.objective == 4.0


def test_without_an_incumbent_there_is_no_neighbourhood() -> None:
    state = SearchState(swap(), 0.0, Clock(20.0))
    assert not rounds_of(swap()).round(state)


def test_an_incumbent_of_nothing_chosen_is_bettered() -> None:
    program = swap()
    state = begin(program, [0.0] * 6)
    assert rounds_of(program).round(state)
    assert state.objective == 6.0


def test_columns_that_are_not_binary_move_along() -> None:
    # 3x + 2y + s >= 6, s at 2 each: with x alone 3 are missing, with both 1
    builder = ProgramBuilder([1.0, 0.0, -2.0], upper=[1, 1, np.inf], integral=[True, True, False])
    builder.add_row("clearance", [0, 1, 2], [3.0, 2.0, 1.0], lower=6.0)
    state = begin(builder.build(), [1.0, 0.0, 3.0])
    assert rounds_of(builder.build()).round(state)
    assert state.objective == pytest.approx(-1.0)


@pytest.mark.parametrize("seed", range(12))
def test_rounds_only_better_and_break_nothing(seed: int) -> None:
    program = cut_program(seed, within=0.0)
    points = feasible_points(program)
    start = min(
        (point for point in points if program.is_feasible(point)),
        key=lambda point: float(program.value @ point),
        default=None,
    )
    if start is None:
        return
    state = begin(program, start.tolist())
    rounds = rounds_of(program, seed)
    for _ in range(3):
        before = state.objective
        better = rounds.round(state)
        assert state.values is not None
        assert before is not None
        assert state.objective is not None
        assert program.is_feasible(state.values)
        assert (state.objective > before) == better
    assert state.objective <= float((points @ program.value).max()) + 1e-3


def test_time_that_is_up_or_an_interrupt_ends_a_round() -> None:
    interrupt = Interrupt()
    interrupt.request()
    for clock in (Clock(0.0), Clock(20.0, interrupt=interrupt)):
        state = begin(swap(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], clock)
        rounds_of(swap()).round(state)
        assert clock.over()
        assert state.objective is not None
        assert state.objective >= 2.0
