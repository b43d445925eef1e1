"""Mixed-integer rounding cuts: by hand, and valid for columns outside the relaxation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bundlewise.solver.engines import mixed_integer_cuts as module
from bundlewise.solver.engines.cuts import Cut, with_cuts
from bundlewise.solver.engines.cutting import most_ones, row_tolerance, whole_rows
from bundlewise.solver.engines.linear import linear_answer
from bundlewise.solver.engines.mixed_integer_cuts import mixed_integer_cuts
from bundlewise.solver.engines.row_shapes import row_shapes
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray

from .cut_programs import cut_program, excess, feasible_points, some_columns, with_value

# what a cut's side is moved by, for tolerances of rows, in the examples worked by hand
MOVED = 1e-4


def cuts_of(program: Program, part: NDArray[np.int64] | None = None) -> list[Cut]:
    """The cuts of the relaxation over some columns, for all of them."""
    columns = np.arange(program.n_columns) if part is None else part
    few = program.take(columns)
    answer = linear_answer(few, 10)
    if answer is None:
        return []
    ones = most_ones(program)
    tolerance = row_tolerance(program, ones)
    whole = whole_rows(program, row_shapes(program))
    cuts = mixed_integer_cuts(few, whole, tolerance, answer.values, answer.basis, ones, 50)
    return [replace(cut, complemented=columns[cut.complemented]) for cut in cuts]


def rows_of(program: Program) -> list[tuple[list[float], float]]:
    """Coefficients and side of each cut, the largest coefficient made 1."""
    cuts = cuts_of(program)
    tighter = with_cuts(program, cuts)
    matrix = tighter.matrix().toarray()[program.n_rows :]
    return [
        (row.tolist(), float(side))
        for row, side in zip(matrix, tighter.row_upper[program.n_rows :], strict=True)
    ]


def test_gomory_by_hand() -> None:
    # y under 3x + 2y <= 6 and -3x + 2y <= 0 is 3/2 at x = 1. A quarter of each row: y <= 3/2; the
    # slacks are whole and F(1/4) = 0, so y <= 1
    builder = ProgramBuilder([0.0, 1.0], upper=[5.0, 5.0])
    builder.add_row("first", [0, 1], [3.0, 2.0], upper=6.0)
    builder.add_row("second", [0, 1], [-3.0, 2.0], upper=0.0)
    ((row, side),) = rows_of(builder.build())
    assert row == pytest.approx([0.0, 1.0])
    assert 1.0 <= side < 1.0 + MOVED


def test_a_continuous_column_by_hand() -> None:
    # x - s <= 3/2, x whole: x - 2s <= 1 (Nemhauser & Wolsey 1988, II.1.7), halved
    builder = ProgramBuilder([1.0, -1.5], upper=[3.0, np.inf], integral=[True, False])
    builder.add_row("units", [0, 1], [1.0, -1.0], upper=1.5)
    ((row, side),) = rows_of(builder.build())
    assert row == pytest.approx([0.5, -1.0])
    assert 0.5 <= side < 0.5 + MOVED


def test_a_column_at_its_upper_bound_by_hand() -> None:
    # 3x + 2y <= 4: y = 1, x = 2/3. With 1 - y for y: x - 2/3·(1 - y) <= 2/3, f = 2/3,
    # F(-2/3) = -1, so x - (1 - y) <= 0: x + y <= 1
    builder = ProgramBuilder([5.0, 4.0])
    builder.add_row("stock", [0, 1], [3.0, 2.0], upper=4.0)
    assert (([1.0, 1.0], pytest.approx(1.0, abs=MOVED))) in rows_of(builder.build())


def test_a_lower_side_by_hand() -> None:
    # 2x >= 3: half of it, x - s/2 = 3/2 with a whole s, f = ½ and F(-½) = -1: x - s <= 1, and with
    # s = 2x - 3, -x <= -2
    builder = ProgramBuilder([-1.0], upper=[5.0])
    builder.add_row("demand", [0], [2.0], lower=3.0)
    ((row, side),) = rows_of(builder.build())
    assert row == pytest.approx([-1.0])
    assert -2.0 <= side < -2.0 + MOVED


def test_bounds_other_than_zero_and_one_by_hand() -> None:
    # 2x + 2y <= 5, -3 <= x <= 4 worth more than 1 <= y <= 6: y = 1, x = 3/2; x + y <= 2
    builder = ProgramBuilder([2.0, 1.0], lower=[-3.0, 1.0], upper=[4.0, 6.0])
    builder.add_row("sum", [0, 1], 2.0, upper=5.0)
    found = rows_of(builder.build())
    assert found[0][0] == pytest.approx([1.0, 1.0])
    assert 2.0 <= found[0][1] < 2.0 + MOVED


def test_a_whole_solution_gives_no_cut() -> None:
    builder = ProgramBuilder([5.0, 4.0])
    builder.add_row("stock", [0, 1], [3.0, 2.0], upper=5.0)
    assert cuts_of(builder.build()) == []


def test_a_fractional_continuous_column_gives_no_cut() -> None:
    builder = ProgramBuilder([1.0], integral=[False])
    builder.add_row("half", [0], [1.0], upper=0.5)
    assert cuts_of(builder.build()) == []


def test_which_slacks_are_whole() -> None:
    builder = ProgramBuilder([1.0, 1.0, 1.0], integral=[True, True, False])
    builder.add_row("whole", [0, 1], [2.0, -3.0], lower=-4.0, upper=2.0)
    builder.add_row("coefficient", [0, 1], [2.5, 3.0], upper=2.0)
    builder.add_row("side", [0, 1], [2.0, 3.0], lower=0.5, upper=2.0)
    builder.add_row("continuous", [0, 2], [2.0, 3.0], upper=2.0)
    program = builder.build()
    assert whole_rows(program, row_shapes(program)).tolist() == [True, False, False, False]


def test_how_many_columns_can_be_one() -> None:
    builder = ProgramBuilder(np.ones(7), group=[0, 0, 1, 1, 1, -1, -1])
    builder.add_row("some", np.arange(6), 1.0, upper=2.0)
    assert most_ones(builder.build()) == 4  # two groups, two without
    builder.add_row("all", np.arange(7), 1.0, upper=2.9999999)
    assert most_ones(builder.build()) == 3
    other = ProgramBuilder(np.ones(3), lower=[0.0, 0.0, -5.0])
    other.add_row("all", np.arange(3), 1.0, upper=1.0)
    assert most_ones(other.build()) == 3  # the third makes room


def test_tolerances_are_those_of_the_program() -> None:
    builder = ProgramBuilder(np.ones(2))
    builder.add_row("large", [0, 1], [5.0, -4000.0], lower=-3000.0, upper=2.0)
    builder.add_row("small", [0, 1], [0.5, 0.25], upper=0.5)
    expected = [3e-3 + 2 * 4e-6, 1e-6 + 2 * 0.5e-9]
    assert row_tolerance(builder.build(), 2).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(100))
def test_cuts_over_some_columns_keep_every_assignment(seed: int) -> None:
    program = cut_program(seed)
    points = feasible_points(program)
    random = np.random.default_rng(seed)
    tighter = program
    for _ in range(3):
        paid = with_value(tighter, random.normal(1, 1, program.n_columns))
        n_before = tighter.n_rows
        tighter = with_cuts(tighter, cuts_of(paid, some_columns(program, random)))
        assert np.all(excess(tighter, points)[n_before:] <= 0)


@pytest.mark.parametrize("seed", range(30))
def test_coefficients_are_those_of_all_columns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[NDArray[np.float64], Cut]] = []
    original = module._rounded_row  # pyright: ignore[reportPrivateUsage]

    def noted(*given: Any) -> Any:
        answer = original(*given)
        if answer is not None:
            found.append(answer[1:])
        return answer

    monkeypatch.setattr(module, "_rounded_row", noted)
    program = cut_program(seed, columns=14)
    columns = some_columns(program, np.random.default_rng(seed))
    program = with_cuts(program, cuts_of(program, columns))
    cuts_of(program, columns)
    for coefficient, cut in found:
        lifted = with_cuts(program, [replace(cut, complemented=columns[cut.complemented])])
        row = lifted.take(columns).matrix().toarray()[-1]
        np.testing.assert_allclose(row, coefficient, rtol=0, atol=2e-9)
