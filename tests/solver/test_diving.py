"""Dives: what they give is feasible, and what is whole already stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.solver.engines.diving import dive, what_fits
from bundlewise.solver.engines.interface import Clock, Interrupt
from bundlewise.solver.engines.linear import linear_answer
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray

from .choice_programs import choice_program
from .cut_programs import cut_program, feasible_points
from .enumeration import random_program


def relaxed(program: Program) -> NDArray[np.float64] | None:
    answer = linear_answer(program, 10.0)
    return None if answer is None else answer.values


def dived(program: Program, sure: float = 0.7) -> NDArray[np.float64] | None:
    values = relaxed(program)
    return None if values is None else dive(program, values, sure, Clock(10.0))


def test_a_whole_relaxation_is_given_back() -> None:
    builder = ProgramBuilder([5.0, 4.0, 3.0, 2.0], group=[0, 0, 1, 1], group_exact=[True, False])
    builder.add_row("count", range(4), 1.0, lower=1.0, upper=2.0)
    program = builder.build()
    values = dive(program, np.array([1.0, 0.0, 1.0 - 1e-9, 0.0]), 0.7, Clock(10.0))
    assert values is not None
    assert values.tolist() == [1.0, 0.0, 1.0, 0.0]


def test_a_dive_by_hand() -> None:
    # 3x + 3y + 2z <= 5, worth 6, 5, 3: the relaxation is x = 1, y = 2/3; with x, y no longer
    # fits, and z does
    builder = ProgramBuilder([6.0, 5.0, 3.0])
    builder.add_row("knapsack", range(3), [3.0, 3.0, 2.0], upper=5.0)
    program = builder.build()
    values = relaxed(program)
    assert values is not None
    assert values.tolist() == pytest.approx([1.0, 2 / 3, 0.0])
    result = dive(program, values, 0.7, Clock(10.0))
    assert result is not None
    assert result.tolist() == [1.0, 0.0, 1.0]


def test_what_fits_knows_groups_and_what_is_used() -> None:
    builder = ProgramBuilder(
        np.ones(6), group=[0, 0, 1, 1, -1, -1], group_exact=[True, True], upper=np.ones(6)
    )
    builder.add_row("row", range(6), [2.0, 2.0, 3.0, 4.0, 3.0, 5.0], lower=1.0, upper=5.0)
    part, columns = what_fits(builder.build(), np.array([0]))
    assert columns.tolist() == [2, 4]  # 1 is of a group that has one; 3 and 5 take too much
    assert part.group_exact.tolist() == [False, True]
    assert part.row_upper.tolist() == [3.0]
    assert part.row_lower.tolist() == [-np.inf]  # kept already


@pytest.mark.parametrize("sure", [0.5, 0.7, 0.9, 1.1])
def test_dives_are_feasible(sure: float) -> None:
    """Groups, knapsacks, lower sides, ranges, equalities; whole and continuous extra columns."""
    tried, found = 0, 0
    for seed in range(150):
        program = cut_program(seed) if seed % 2 else random_program(seed)
        values = relaxed(program)
        if values is None:
            continue
        tried += bool(np.any(np.abs(values - np.round(values)) > 1e-6))
        result = dive(program, values, sure, Clock(10.0))
        if result is None:
            continue
        assert program.is_feasible(result), seed
        assert program.objective(result) <= program.objective(values) + 1e-4, seed
        found += 1
    assert tried > 60
    assert found > 40


def test_dives_know_when_nothing_is_feasible() -> None:
    for seed in range(100):
        program = random_program(seed)
        result = dived(program)
        if result is not None:
            assert len(feasible_points(program)), seed


def test_exact_groups_have_one_each() -> None:
    found = 0
    for seed in range(60):
        program = choice_program(seed, groups=12, rows=1 + seed % 2, room=0.6, places=seed % 3)
        result = dived(program, (0.7, 0.9)[seed % 2])
        if result is None:
            continue
        found += 1
        assert program.is_feasible(result), seed
        assert np.bincount(program.group, weights=result).tolist() == [1.0] * 12
    assert found > 20


def shortfalls() -> Program:
    """Five offers on two stocks, and what is missing of a clearance target, at 2 a unit."""
    builder = ProgramBuilder(
        [9.0, 8.0, 7.0, 6.0, 5.0, -2.0],
        group=[0, 0, 1, 1, -1, -1],
        group_exact=[True, False],
        upper=[1.0] * 5 + [np.inf],
        integral=[True] * 5 + [False],
    )
    builder.add_row("stock a", range(5), [3.0, 2.0, 3.0, 1.0, 2.0], upper=5.5)
    builder.add_row("stock b", range(5), [1.0, 2.0, 2.0, 2.0, 3.0], upper=4.5)
    builder.add_row("clearance", range(6), [1.0, 3.0, 1.5, 2.0, 2.5, 1.0], lower=6.25)
    return builder.build()


def test_continuous_columns_make_up_for_what_is_missing() -> None:
    program = shortfalls()
    result = dived(program)
    assert result is not None
    assert program.is_feasible(result)
    missing = 6.25 - program.activity(np.where(program.integral, result, 0.0))[2]
    assert result[5] == pytest.approx(max(missing, 0.0), abs=1e-6)


def test_whole_columns_of_more_than_one_are_made_whole_or_nothing_comes() -> None:
    # 2n <= 5 at 1 each: the relaxation has n = 2.5, which is no assignment
    builder = ProgramBuilder([1.0, 3.0], upper=[4.0, 1.0])
    builder.add_row("row", [0, 1], [2.0, 1.0], upper=6.0)
    program = builder.build()
    values = relaxed(program)
    assert values is not None
    assert values.tolist() == [2.5, 1.0]
    result = dive(program, values, 0.7, Clock(10.0))
    assert result is None or program.is_feasible(result)


def test_a_clock_that_is_over_ends_it() -> None:
    builder = ProgramBuilder([6.0, 5.0, 3.0])
    builder.add_row("knapsack", range(3), [3.0, 3.0, 2.0], upper=5.0)
    program = builder.build()
    interrupt = Interrupt()
    interrupt.request()
    for clock in (Clock(0.0), Clock(10.0, interrupt=interrupt)):
        assert dive(program, np.array([1.0, 2 / 3, 0.0]), 0.7, clock) is None


def test_work_is_charged() -> None:
    clock = Clock(10.0, deterministic=True)
    program = replace(shortfalls(), value=np.array([9.0, 8.5, 7.0, 6.5, 5.0, -2.0]))
    values = relaxed(program)
    assert values is not None
    assert dive(program, values, 0.7, clock) is not None
    assert 0.0 < clock.spent() < 1.0
