"""Cuts from knapsack rows: found where they must be, valid for every multiset of columns."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.solver.engines.cuts import Cut, with_cuts
from bundlewise.solver.engines.knapsack_cuts import KnapsackRows, knapsack_cuts, knapsack_rows
from bundlewise.solver.engines.linear import linear_answer
from bundlewise.solver.engines.row_shapes import row_shapes
from bundlewise.solver.program import ROW_TOLERANCE, Program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray

from .cut_programs import cut_program, excess, feasible_points, some_columns, with_value


def knapsacks_of(program: Program) -> KnapsackRows:
    return knapsack_rows(program, row_shapes(program))


def knapsack(
    coefficients: list[float],
    side: float = 1.0,
    most: float | None = None,
    count: int | None = None,
) -> Program:
    """One row, and Σ x <= most over the same columns or the first ``count`` of them."""
    builder = ProgramBuilder(np.ones(len(coefficients)))
    everything = np.arange(len(coefficients))
    builder.add_row("stock", everything, coefficients, upper=side)
    if most is not None:
        builder.add_row("exposure", everything[:count], 1.0, upper=most)
    return builder.build()


def cuts_of(program: Program, values: list[float] | NDArray[np.float64]) -> list[Cut]:
    return knapsack_cuts(program, knapsacks_of(program), np.array(values), 10)


@pytest.mark.parametrize("side", [0.03, 1.0, 3000.0])
def test_two_that_exclude_each_other(side: float) -> None:
    # 0.6 and 0.6 of the side: x + y <= 1; the third column, 0.41, fits beside neither
    program = knapsack([0.6 * side, 0.6 * side, 0.5 * side, 0.41 * side], side)
    (cut,) = cuts_of(program, [0.8, 0.8, 0.0, 0.0])
    row = with_cuts(program, [cut])
    assert row.row_upper[-1] == 1.0
    coefficients = row.matrix().toarray()[-1]
    assert coefficients[:2].tolist() == pytest.approx([1.0, 1.0])
    # a step lowered to just above ½ of the side: two halves fit
    assert coefficients[2:].tolist() == [0.0, 0.0]
    assert 0.5 < cut.breakpoint[-1] < 0.5 + 1e-4


def test_halves_and_thirds() -> None:
    # at most two that take more than a third each; 0.9 at most with more than 0.8 left out
    program = knapsack([0.4, 0.4, 0.4, 0.35])
    (cut,) = cuts_of(program, [0.75, 0.75, 0.75, 0.25])
    assert cut.weight.tolist() == pytest.approx([0.5])
    tighter = with_cuts(program, [cut])
    assert tighter.matrix().toarray()[-1].tolist() == pytest.approx([0.5] * 4)


def test_a_count_makes_a_step_of_small_columns() -> None:
    # 0.6, 0.45 and 0.45, or any two of {0.6, 0.3, 0.3}, but two in all: 0.6 + 0.3 fits. Without
    # the count 0.9 + 0.05 + ... could be many; with it 0.95 + 0.06 > 1 excludes both
    alone = knapsack([0.95, 0.06, 0.06])
    counted = knapsack([0.95, 0.06, 0.06], most=2)
    assert cuts_of(alone, [0.9, 0.5, 0.5]) == []
    (cut,) = cuts_of(counted, [0.9, 0.5, 0.0])
    coefficients = with_cuts(counted, [cut]).matrix().toarray()[-1]
    # x_1 + ½·(x_2 + x_3) <= 1 would cut off nothing else: two small ones fit together
    assert coefficients @ [0.9, 0.5, 0.0] > 1 + 1e-3
    assert coefficients @ [1.0, 0.0, 0.0] <= 1 + 1e-9
    assert coefficients @ [0.0, 1.0, 1.0] <= 1 + 1e-9


def test_a_count_of_some_columns_is_no_count_of_the_row() -> None:
    program = knapsack([0.95, 0.06, 0.06], most=2, count=2)
    assert knapsacks_of(program).most[0] > 1000
    assert cuts_of(program, [0.9, 0.5, 0.0]) == []


def test_which_rows_are_knapsacks() -> None:
    builder = ProgramBuilder(np.ones(4), upper=[1, 1, 1, 2])
    builder.add_row("knapsack", [0, 1, 2], [1.0, 2.0, 3.0], upper=3.0)
    builder.add_row("negative", [0, 1, 2], [1.0, -2.0, 3.0], upper=3.0)
    builder.add_row("not binary", [0, 1, 3], [1.0, 2.0, 3.0], upper=3.0)
    builder.add_row("lower side", [0, 1, 2], [1.0, 2.0, 3.0], lower=3.0)
    builder.add_row("count", [0, 1, 2], 1.0, upper=2.0)
    builder.add_row("nothing left", [0, 1, 2], [1.0, 2.0, 3.0], upper=0.0)
    builder.add_row("next to nothing left", [0, 1, 2], [1.0, 2.0, 3.0], upper=1e-5)
    rows = knapsacks_of(builder.build())
    assert np.flatnonzero(rows.which).tolist() == [0]
    assert rows.most[0] == 2


@pytest.mark.parametrize(("side", "most"), [(2.0, 2), (2.9999999, 3), (2.5, 2), (1.0, 1)])
def test_a_count_is_what_its_tolerance_lets_through(side: float, most: int) -> None:
    assert knapsacks_of(knapsack([0.5, 0.6, 0.7], most=side)).most[0] == most


def test_the_tightest_of_several_counts() -> None:
    builder = ProgramBuilder(np.ones(3))
    builder.add_row("four", [0, 1, 2], 1.0, upper=4.0)
    builder.add_row("stock", [0, 1, 2], [1.0, 2.0, 3.0], upper=3.0)
    builder.add_row("one of two", [0, 1], 1.0, upper=1.0)
    builder.add_row("two", [0, 1, 2], 1.0, upper=2.0)
    assert knapsacks_of(builder.build()).most[1] == 2


def test_whole_assignments_get_no_cut() -> None:
    assert cuts_of(knapsack([0.6, 0.6, 0.3]), [1.0, 0.0, 1.0]) == []


def heaviest(cut: Cut, room: float, most: int) -> float:
    """The greatest weight of columns that fit, whatever their shares: all at breakpoints."""

    def rest(first: int, left: float, members: int) -> float:
        best = 0.0
        for k in range(first, len(cut.weight)):
            if members and cut.breakpoint[k] <= left:
                more = rest(k, left - float(cut.breakpoint[k]), members - 1)
                best = max(best, float(cut.weight[k]) + more)
        return best

    return rest(0, room, most)


@pytest.mark.parametrize("side", [0.03, 1.0, 3000.0])
@pytest.mark.parametrize("most", [None, 2.0, 5.0])
def test_no_multiset_that_fits_outweighs_the_side(side: float, most: float | None) -> None:
    random = np.random.default_rng(int(side))
    room = 1 + 1.05 * ROW_TOLERANCE * max(1.0, 1 / side)
    found = 0
    for _ in range(60):
        n = int(random.integers(2, 12))
        share = random.uniform(0.02 if most else 0.143, 1, n)
        if random.random() < 0.5:
            share = np.ceil(share * 20) / 20
        values = random.uniform(0, 1, n) * (random.random(n) < 0.8)
        values /= max(1.0, share @ values, values.sum() / (most or np.inf))
        program = knapsack((share * side).tolist(), side, most)
        for cut in cuts_of(program, values):
            found += 1
            assert np.all(np.diff(cut.breakpoint) >= 0)
            assert np.all(np.diff(cut.weight) > 0)
            assert heaviest(cut, room, int(most or 50)) <= 1 + 1e-7
            assert with_cuts(program, [cut]).activity(values)[-1] > 1 + 1e-4
    assert found > 10


@pytest.mark.parametrize("seed", range(100))
def test_cuts_over_some_columns_keep_every_assignment(seed: int) -> None:
    program = cut_program(seed)
    points = feasible_points(program)
    assert len(points)
    rows = knapsacks_of(program)
    random = np.random.default_rng(seed)
    for trial in range(4):
        columns = some_columns(program, random)
        few = program.take(columns)
        values = random.uniform(0, 0.7, len(columns))
        answer = linear_answer(with_value(few, random.normal(1, 1, len(columns))), 10)
        if answer is not None and trial:
            values = answer.values
        cuts = knapsack_cuts(few, rows, values, 10)
        tighter = with_cuts(program, cuts)
        assert np.all(excess(tighter, points)[program.n_rows :] <= 1e-7)
        if cuts:
            assert np.all(tighter.take(columns).activity(values)[program.n_rows :] > 1 + 1e-4)
