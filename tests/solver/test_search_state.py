"""The incumbent and the bound: what is taken, and what not."""

from __future__ import annotations

import math

import numpy as np
from bundlewise.solver.engines.interface import Clock, Progress
from bundlewise.solver.engines.search_state import SearchState
from bundlewise.solver.program_builder import ProgramBuilder


def state(gap: float = 0.1, limit: float = 100.0) -> SearchState:
    builder = ProgramBuilder([3.0, 2.0, -1.0])
    builder.add_row("two", [0, 1, 2], 1.0, upper=2.0)
    return SearchState(builder.build(), gap, Clock(limit))


def test_only_better_assignments_that_keep_the_program_are_taken() -> None:
    now = state()
    assert not now.propose(None)
    assert not now.propose(np.array([1.0, 1.0, 1.0]))
    assert not now.propose(np.array([1.0, np.nan, 0.0]))
    assert now.values is None
    assert now.target() == -math.inf
    assert now.propose(np.array([0.0, 1.0, 0.0]))
    assert not now.propose(np.array([0.0, 1.0, 0.0]))
    assert not now.propose(np.array([0.0, 1.0, 1.0]))
    assert now.propose(np.array([1.0, 1.0 - 1e-9, 0.0]))  # made whole
    assert now.objective == 5.0
    assert now.values is not None
    assert now.values.tolist() == [1.0, 1.0, 0.0]


def test_an_incumbent_is_not_the_callers_array() -> None:
    now = state()
    given = np.array([1.0, 0.0, 0.0])
    now.propose(given)
    given[:] = 1.0
    assert now.values is not None
    assert now.values.tolist() == [1.0, 0.0, 0.0]


def test_bounds_only_fall_and_never_below_the_incumbent() -> None:
    now = state()
    now.lower_bound_to(9.0, "first")
    now.lower_bound_to(10.0, "worse")
    assert (now.bound, now.source) == (9.0, "first")
    now.propose(np.array([1.0, 1.0, 0.0]))
    now.lower_bound_to(4.0, "too good")
    assert (now.bound, now.source) == (5.0, "too good")
    assert now.closed()


def test_done_when_the_gap_is_closed_the_time_up_or_nothing_feasible() -> None:
    now = state(gap=0.1)
    assert not now.done()
    now.propose(np.array([1.0, 1.0, 0.0]))
    now.lower_bound_to(5.6, "wide")
    assert not now.done()
    now.lower_bound_to(5.5, "within a tenth")
    assert now.done()
    assert state(limit=0.0).done()
    hopeless = state()
    hopeless.infeasible = True
    assert hopeless.done()


def test_the_target_is_what_the_gap_leaves_to_gain() -> None:
    now = state(gap=0.1)
    now.propose(np.array([0.0, 0.0, 1.0]))
    assert now.target() == -1.0 + 0.1
    now.propose(np.array([1.0, 1.0, 0.0]))
    assert now.target() == 5.5


def test_progress_has_no_bound_until_there_is_one() -> None:
    seen: list[Progress] = []
    now = state()
    now.progress = seen.append
    now.report("nothing yet")
    now.lower_bound_to(9.0, "first")
    now.propose(np.array([1.0, 0.0, 0.0]))
    now.report("something")
    assert [(p.objective, p.bound) for p in seen] == [(None, None), (3.0, 9.0)]
    now.count("rounds")
    now.count("rounds", 2)
    assert now.statistics == {"rounds": 3}
