"""Exchanges: never worse, never infeasible, the optimum of what can be enumerated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from bundlewise.solver.engines.exchange import ExchangeProblem, exchange, exchange_problem
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.pricing import Pricing, price
from bundlewise.solver.engines.sifting import sift
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray

from .choice_programs import choice_program, choices, feasible_choices


def priced(program: Program) -> Pricing:
    pricing = sift(program, Clock(60.0)).pricing
    assert pricing is not None
    return pricing


def problem_of(program: Program, pricing: Pricing | None = None) -> ExchangeProblem:
    problem = exchange_problem(program, pricing or priced(program))
    assert problem is not None
    return problem


def built(
    group: list[int],
    *,
    exact: bool = True,
    coefficient: float = 2.0,
    rows: int = 1,
    sides: tuple[float, float] = (-np.inf, 9.0),
) -> Program:
    """Four columns, and rows over all of them."""
    builder = ProgramBuilder(
        [4.0, 3.0, 2.0, 1.0], group=group, group_exact=[exact] * (max(group) + 1)
    )
    for i in range(rows):
        builder.add_row(f"row {i}", range(4), coefficient, lower=sides[0], upper=sides[1])
    return builder.build()


def test_a_choice_in_each_group_under_upper_sides_has_the_form() -> None:
    assert exchange_problem(built([0, 0, 1, 1]), price(built([0, 0, 1, 1]), np.zeros(1)))


@pytest.mark.parametrize(
    "other",
    [
        built([0, 0, 1, 1], sides=(1.0, 9.0)),
        built([0, 0, 1, 1], sides=(1.0, np.inf)),
        built([0, 0, 1, 1], exact=False),
        built([0, 0, 1, 1], coefficient=-1.0),
        built([0, 0, 1, -1]),
        built([0, 0, 1, 1], rows=65),
        replace(built([0, 0, 1, 1]), lower=np.array([1.0, 0.0, 0.0, 0.0])),
        replace(built([0, 0, 1, 1]), upper=np.array([1.0, 0.0, 1.0, 1.0])),
    ],
    ids=[
        "range",
        "lower side",
        "at most one",
        "negative",
        "ungrouped",
        "65 rows",
        "column held at 1",
        "column shut out",
    ],
)
def test_another_form_is_not_taken(other: Program) -> None:
    assert exchange_problem(other, price(other, np.zeros(other.n_rows))) is None


@pytest.mark.parametrize("seed", range(40))
def test_what_is_lost_and_left_over_is_what_the_bound_exceeds_a_choice_by(seed: int) -> None:
    program = choice_program(seed, groups=4, rows=1 + seed % 4, places=seed % 3)
    if seed % 4 == 0:  # a row that cannot bind
        upper = program.row_upper.copy()
        upper[0] = np.inf
        program = program.with_sides(program.row_lower, upper)
    random = np.random.default_rng(seed)
    # dual values of any origin: those of the relaxation, and others
    pricing = price(program, random.exponential(1.0, program.n_rows) * random.integers(0, 2))
    problem = problem_of(program, pricing)
    assert np.all(problem.loss >= 0)
    assert all(
        np.all(np.diff(problem.loss[a:b]) >= 0)
        for a, b in zip(problem.first[:-1], problem.first[1:], strict=True)
    )
    for values in choices(program)[:: 1 + seed % 5]:
        chosen = values[problem.column]
        room = problem.capacity - chosen @ problem.weight
        left = chosen @ problem.loss + problem.dual @ room
        assert problem.bound - values @ program.value == pytest.approx(left, abs=1e-7)


def poorest(program: Program) -> NDArray[np.float64] | None:
    points = feasible_choices(program)
    return points[np.argmin(points @ program.value)] if len(points) else None


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_the_optimum_from_the_poorest_choice(first: int) -> None:
    found = 0
    for seed in range(first, first + 20):
        program = choice_program(
            seed, groups=3 + seed % 4, rows=1 + seed % 4, room=0.6, places=seed % 3
        )
        start = poorest(program)
        if start is None:
            continue
        values, work = exchange(problem_of(program), start, 20_000, 0.1, seed)
        best = float((feasible_choices(program) @ program.value).max())
        assert program.is_feasible(values), seed
        assert program.objective(values) == pytest.approx(best, abs=1e-7), seed
        assert work >= 0
        found += program.objective(start) < best
    assert found >= 10


def large(seed: int) -> tuple[Program, NDArray[np.float64]]:
    """Forty groups, and a choice that keeps the rows: what takes least."""
    program = choice_program(seed, groups=40, rows=4, room=0.7, places=seed % 3)
    taken = np.asarray(program.matrix().sum(axis=0)).ravel()
    start = np.zeros(program.n_columns)
    for g in range(program.n_groups):
        members = np.flatnonzero(program.group == g)
        start[members[np.argmin(taken[members])]] = 1.0
    assert program.is_feasible(start)
    return program, start


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("deviation", [0.0, 0.02, 0.5])
def test_never_worse_and_never_infeasible(seed: int, deviation: float) -> None:
    program, start = large(seed)
    problem = problem_of(program)
    before, sums = start, [program.objective(start)]
    for nodes in (0, 1, 100, 10_000, 200_000):
        values, _ = exchange(problem, before, nodes, deviation, seed + nodes)
        assert program.is_feasible(values)
        sums.append(program.objective(values))
        assert sums[-1] >= sums[-2] - 1e-9
        before = values
    assert sums[1] == sums[0]
    assert sums[-1] > sums[0]
    assert sums[-1] <= problem.bound


def test_a_start_that_keeps_a_row_by_its_tolerance_only() -> None:
    program = built([0, 0, 1, 1], coefficient=2.0, sides=(-np.inf, 4.0 - 5e-7))
    start = np.array([0.0, 1.0, 0.0, 1.0])
    assert program.is_feasible(start)
    values, _ = exchange(problem_of(program, price(program, np.ones(1))), start, 1000, 0.1, 1)
    assert program.is_feasible(values)


def in_turn(problem: ExchangeProblem, start: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [exchange(problem, start, 300_000, 0.05, seed)[0] for seed in (1, 2, 3, 4)]


def at_once(problem: ExchangeProblem, start: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    with ThreadPoolExecutor(4) as threads:
        walks = [
            threads.submit(exchange, problem, start, 300_000, 0.05, seed) for seed in (1, 2, 3, 4)
        ]
        return [walk.result()[0] for walk in walks]


@pytest.mark.parametrize("how", [in_turn, at_once])
def test_the_same_seed_walks_the_same_way_alone_and_beside_others(
    how: Callable[[ExchangeProblem, NDArray[np.float64]], list[NDArray[np.float64]]],
) -> None:
    program, start = large(1)
    problem = problem_of(program)
    first, again = in_turn(problem, start), how(problem, start)
    for one, other in zip(first, again, strict=True):
        assert one.tolist() == other.tolist()
    assert start.sum() == program.n_groups  # and leaves alone what it was given
    assert len({tuple(values) for values in first}) > 1  # other seeds, other ways


def test_a_walk_that_reaches_the_bound_ends() -> None:
    """No assignment is left below a budget of 0, so that no node would ever be counted."""
    program = built([0, 0, 1, 1], sides=(-np.inf, 9.0))
    start = np.array([0.0, 1.0, 0.0, 1.0])
    values, work = exchange(problem_of(program), start, 10**15, 0.1, 1)
    assert values.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert work < 1e-3


@pytest.mark.parametrize("groups", [1, 2])
def test_few_groups_are_searched_as_long_as_asked(groups: int) -> None:
    """Neighbourhoods grow to all groups, and no further."""
    builder = ProgramBuilder(
        [5.0, 4.0, 1.0] * groups, group=np.repeat(np.arange(groups), 3), group_exact=[True] * groups
    )
    builder.add_row("row", range(3 * groups), [4.0, 3.0, 0.0] * groups, upper=3.75 * groups)
    program = builder.build()
    start = np.tile([0.0, 0.0, 1.0], groups)
    values, work = exchange(problem_of(program), start, 2_000_000, 0.1, 1)
    assert program.objective(values) == (4.0 if groups == 1 else 9.0)
    assert work >= 2_000_000 * 2e-9
