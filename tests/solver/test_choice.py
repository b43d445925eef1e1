"""The search for one column in each group: the optimum, proven, or that there is none."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings, choice, solve_program
from bundlewise.solver.engines.choice import ChoiceSearch
from bundlewise.solver.engines.exchange import exchange_problem
from bundlewise.solver.engines.ingredients import Ingredients
from bundlewise.solver.engines.interface import Clock, Interrupt
from bundlewise.solver.engines.search_state import SearchState
from bundlewise.solver.engines.sifting import sift
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Status

from .choice_programs import best_choice, choice_program, feasible_choices

SETTINGS = EngineSettings(gap=0.0, time_limit=20.0, threads=1)


def searching(
    program: Program, clock: Clock | None = None, settings: EngineSettings = SETTINGS
) -> tuple[SearchState, ChoiceSearch] | None:
    """The search of a program before it runs; None where the relaxation has no solution."""
    state = SearchState(program, 0.0, clock or Clock(20.0))
    relaxation = sift(program, state.clock)
    if relaxation.pricing is None:
        return None
    state.lower_bound_to(relaxation.pricing.bound, "relaxation")
    problem = exchange_problem(program, relaxation.pricing)
    assert problem is not None
    return state, ChoiceSearch(state, settings, relaxation, problem)


def built(value: list[float], group: list[int], rows: list[tuple[list[float], float]]) -> Program:
    builder = ProgramBuilder(value, group=group, group_exact=[True] * (max(group) + 1))
    for i, (coefficient, upper) in enumerate(rows):
        builder.add_row(f"row {i}", range(len(value)), coefficient, upper=upper)
    return builder.build()


@pytest.mark.parametrize("small", [0, 300])
@pytest.mark.parametrize("places", [0, 1, 2])
def test_the_optimum_is_proven_or_that_there_is_none(
    places: int, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the whole integer program at once, and by turns of exchanges and growing programs."""
    monkeypatch.setattr(choice, "_SMALL", small)
    monkeypatch.setattr(choice, "_NODES", 5000)
    optimal = 0
    for seed in range(30):
        program = choice_program(
            seed, groups=6, rows=1 + seed % 4, room=(0.4, 0.55, 0.7)[seed % 3], places=places
        )
        begun = searching(program)
        best = best_choice(program)
        if begun is None:
            assert best is None, seed
            continue
        state, search = begun
        search.run()
        if best is None:
            assert state.infeasible, seed
            assert state.values is None, seed
            continue
        assert state.closed(), seed
        assert state.objective == pytest.approx(best, abs=1e-7), seed
        assert state.bound >= best - 1e-9, seed
        optimal += 1
    assert optimal >= 12


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_solve_program_agrees_with_enumeration(first: int) -> None:
    for seed in range(first, first + 50):
        program = choice_program(
            seed,
            groups=3 + seed % 4,
            rows=1 + seed % 4,
            room=(0.4, 0.55, 0.7)[seed % 3],
            places=seed // 3 % 3,
        )
        best, points = best_choice(program), feasible_choices(program)
        start = points[seed % len(points)] if seed % 2 and len(points) else None
        solution = solve_program(program, SETTINGS, start=start)
        if best is None:
            assert solution.status is Status.INFEASIBLE, seed
            assert solution.values is None, seed
            continue
        assert solution.status is Status.OPTIMAL, seed
        assert solution.values is not None, seed
        assert program.is_feasible(solution.values), seed
        assert solution.objective == pytest.approx(best, abs=1e-7), seed
        assert solution.bound == pytest.approx(best, abs=1e-5), seed


@pytest.mark.parametrize("small", [0, 300])
def test_the_search_itself_proves_that_no_choice_is_feasible(
    small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relaxation has a solution: halves of all."""
    monkeypatch.setattr(choice, "_SMALL", small)
    begun = searching(NOTHING["halves only"])
    assert begun is not None
    state, search = begun
    search.run()
    assert state.infeasible
    assert state.values is None


# no relaxation has a solution; one has, and no choice; all columns of a group are ruled out
NOTHING = {
    "capacity below the least": built([1, 2, 3, 4], [0, 0, 1, 1], [([1, 2, 2, 3], 2.5)]),
    "halves only": built(
        [1, 2, 3, 4],
        [0, 0, 1, 1],
        [([3, 0, 3, 0], 3.5), ([0, 3, 0, 3], 3.5), ([3, 0, 0, 3], 3.5), ([0, 3, 3, 0], 3.5)],
    ),
    "no capacity": built([1, 2, 3], [0, 0, 1], [([1, 2, 0], 0.0)]),
    "capacity below 0": built([1, 2, 3], [0, 0, 1], [([1, 2, 1], -1.0)]),
    "an empty row below 0": built([1, 2, 3], [0, 0, 1], [([0, 0, 0], -1.0)]),
    "one group": built([1, 2, 3], [0, 0, 0], [([2, 3, 4], 1.0)]),
}

SOMETHING = {
    "one group": (built([1, 2, 3], [0, 0, 0], [([1, 2, 3], 2.0)]), 2.0),
    "one column": (built([-5], [0], [([3], 3.0)]), -5.0),
    "no rows": (built([1, 2, 3], [0, 0, 1], []), 5.0),
    "an empty row": (built([1, 2, 3], [0, 0, 1], [([0, 0, 0], 0), ([1, 2, 3], 4.5)]), 4.0),
    "no capacity": (built([1, 2, 3, 1], [0, 0, 1, 1], [([1, 0, 1, 0], 0.0)]), 3.0),
    "all worth nothing": (built([0, 0, 0], [0, 0, 1], [([1, 2, 3], 4.0)]), 0.0),
    "all at a loss": (built([-3, -1, -2], [0, 0, 1], [([1, 3, 2], 4.0)]), -5.0),
    "the same columns": (built([2, 2, 2, 2], [0, 0, 1, 1], [([3, 3, 3, 3], 6.0)]), 4.0),
}


@pytest.mark.parametrize("program", NOTHING.values(), ids=NOTHING.keys())
@pytest.mark.parametrize("deterministic", [False, True])
def test_nothing_feasible_is_said(program: Program, deterministic: bool) -> None:
    settings = EngineSettings(gap=0.0, time_limit=10, threads=1, deterministic=deterministic)
    solution = solve_program(program, settings)
    assert solution.status is Status.INFEASIBLE
    assert solution.limit is None


@pytest.mark.parametrize(("program", "best"), SOMETHING.values(), ids=SOMETHING.keys())
@pytest.mark.parametrize("deterministic", [False, True])
def test_odd_programs_by_hand(program: Program, best: float, deterministic: bool) -> None:
    settings = EngineSettings(gap=0.0, time_limit=10, threads=1, deterministic=deterministic)
    solution = solve_program(program, settings)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == best


def hard(groups: int = 60, rows: int = 20, room: float = 1.12) -> Program:
    """Too much to prove in seconds; a choice is easily found."""
    random = np.random.default_rng(4)
    n = 10 * groups
    weight = random.integers(1, 1000, (rows, n)).astype(np.float64)
    value = (weight.sum(axis=0) * random.uniform(0.5, 1.5, n)).round()
    builder = ProgramBuilder(
        value, group=np.repeat(np.arange(groups), 10), group_exact=np.ones(groups, dtype=bool)
    )
    for i in range(rows):
        builder.add_row(f"row {i}", np.arange(n), weight[i], upper=round(500.0 * room * groups))
    return builder.build()


def test_an_interrupt_ends_it_with_the_incumbent() -> None:
    program, interrupt = hard(), Interrupt()
    asked: list[float] = []

    def ask() -> None:
        asked.append(time.perf_counter())
        interrupt.request()

    timer = threading.Timer(1.5, ask)
    timer.start()
    settings = EngineSettings(gap=0.0, time_limit=60.0, threads=1)
    solution = solve_program(program, settings, interrupt=interrupt)
    took = time.perf_counter() - asked[0]
    timer.join()
    assert took < 5.0  # a walk and a moment, on a machine that others use
    assert solution.limit == "interrupt"
    assert solution.status is Status.FEASIBLE
    assert solution.bound is not None


def test_counted_work_gives_the_same_plan_twice() -> None:
    settings = EngineSettings(gap=0.0, time_limit=1.0, threads=2, seed=5, deterministic=True)
    first, second = (solve_program(hard(groups=20, rows=5), settings) for _ in range(2))
    assert first.statistics.get("walks", 0) > 0
    assert first.limit == "time"
    assert first.values is not None
    assert second.values is not None
    assert second.values.tolist() == first.values.tolist()
    assert second.bound == first.bound
    assert second.statistics == first.statistics


def test_walks_end_with_the_time() -> None:
    """A walk of sixty rows takes seconds, unless little time is left."""
    program = hard(groups=30, rows=60, room=1.3)
    clock = Clock(60.0, deterministic=True)
    begun = searching(program, clock)
    assert begun is not None
    state, search = begun
    taken = program.matrix().sum(axis=0).reshape(30, 10)
    start = np.zeros((30, 10))
    start[np.arange(30), taken.argmin(axis=1)] = 1.0
    assert state.propose(start.ravel())
    clock.limit = clock.spent() + 0.01
    search._exchanges()  # pyright: ignore[reportPrivateUsage]
    assert state.statistics["walks"] == 1
    assert clock.over()
    assert clock.spent() < clock.limit + 0.01


@pytest.mark.parametrize(
    ("values", "weights", "engine"),
    [
        ([4.0, 3.0], [2.0, 1.0], "cp-sat"),
        ([4.5, 3.25], [2.0, 1.1], "cp-sat"),
        ([4.123, 3.0], [2.0, 1.0], "cp-sat"),
        ([4.0001, 3.0], [2.0, 1.0], "highs"),
        ([np.pi, 3.0], [2.0, 1.0], "highs"),
        ([4.0, 3.0], [2.0, 1 / 3], "highs"),
        ([4e6 + 0.125, 3.0], [2.0, 1.0], "highs"),  # 4e9 thousandths are too much for its sums
    ],
)
def test_cp_sat_is_given_decimals(values: list[float], weights: list[float], engine: str) -> None:
    program = built([*values, 0.0], [0, 0, 0], [([*weights, 0.0], 1.5)])
    begun = searching(program)
    assert begun is not None
    assert begun[1].engine == engine


def test_decimals_are_proven_as_soon_as_whole_numbers() -> None:
    """HiGHS does not end this one within ten seconds; CP-SAT does within one or two."""
    random = np.random.default_rng(2)
    weight = random.integers(0, 1000, (3, 150)) / 100
    value = (weight.sum(axis=0) * (0.5 + random.random(150))).round(2)
    builder = ProgramBuilder(
        value, group=np.repeat(np.arange(15), 10), group_exact=np.ones(15, dtype=bool)
    )
    for i in range(3):
        upper = round(weight[i].reshape(15, 10).mean(axis=1).sum())
        builder.add_row(f"row {i}", np.arange(150), weight[i], upper=upper)
    program = builder.build()
    solution = solve_program(program, EngineSettings(gap=0.0, time_limit=30, threads=2))
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(304.65)


@pytest.mark.parametrize("off", ["exchange", "fixing", "branching", "diving", "neighbourhoods"])
def test_other_parts_find_the_same_without_any_one(off: str) -> None:
    """Without exchanges, these programs go the way of all others."""
    parts = replace(Ingredients(), **{off: False})
    for seed in range(12):
        program = choice_program(seed, groups=6, rows=1 + seed % 4, room=0.5, places=seed % 3)
        solution = solve_program(program, SETTINGS, ingredients=parts)
        best = best_choice(program)
        if best is None:
            assert solution.status is Status.INFEASIBLE, seed
            continue
        assert solution.status is Status.OPTIMAL, seed
        assert solution.objective == pytest.approx(best, abs=1e-7), seed
