"""Cuts: their coefficients for every column, and what may be left of them."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.solver.engines import cuts as cuts_module
from bundlewise.solver.engines.cuts import Cut, in_use, rounded, with_cuts
from bundlewise.solver.engines.cutting import renumbered
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from hypothesis import given
from hypothesis import strategies as st

from .cut_programs import cut_program, excess, feasible_points, some_columns

alphas = st.floats(-50, 50)


def cut_of(
    row: list[int],
    multiplier: list[float],
    side: float,
    *,
    fraction: float = 0.5,
    group: list[bool] | None = None,
    slack: list[float] | None = None,
) -> Cut:
    return Cut(
        row=np.array(row),
        group=np.array(group or [False] * len(row)),
        multiplier=np.array(multiplier),
        slack=np.array(slack or [0.0] * len(row)),
        fraction=fraction,
        side=side,
    )


def two_rows() -> Program:
    builder = ProgramBuilder(
        np.ones(5), group=[0, 0, -1, -1, -1], integral=[True] * 4 + [False], lower=[0.0] * 5
    )
    builder.add_row("first", [0, 1, 2, 4], [3.0, 1.0, 2.0, -4.0], upper=5.0)
    builder.add_row("second", [1, 2, 3], [1.0, 1.0, 5.0], upper=3.0)
    return builder.build()


def test_a_rounding_cut_by_hand() -> None:
    # ½·first + ½·second + ½·group = (2, 3/2, 3/2, 5/2, -2); with f = ½ halves are rounded down,
    # the continuous one is -2/(1 - ½)
    program = two_rows()
    cut = cut_of([0, 1, 0], [0.5] * 3, 4.0, group=[False, False, True])
    tighter = with_cuts(program, [cut])
    assert tighter.matrix().toarray()[2].tolist() == [2.0, 1.0, 1.0, 2.0, -4.0]
    assert tighter.row_upper.tolist() == [5.0, 3.0, 4.0]
    assert tighter.row_lower.tolist() == [-np.inf] * 3
    assert tighter.row_name[2] not in program.row_name
    np.testing.assert_array_equal(tighter.matrix().toarray()[:2], program.matrix().toarray())
    # a slack of the second row put in again: less ¼ of it
    lessened = with_cuts(program, [cut_of([0, 1], [0.5, 0.5], 4.0, slack=[0.0, 0.25])])
    assert lessened.matrix().toarray()[2].tolist() == [1.0, 0.75, 0.75, 0.75, -4.0]


def test_a_step_cut_by_hand() -> None:
    # shares of 3: 1/3, 1/3, 5/3
    program = two_rows()
    step = Cut(
        row=np.array([1]),
        group=np.zeros(1, dtype=bool),
        multiplier=np.array([1 / 3]),
        slack=np.zeros(1),
        fraction=0.0,
        side=1.0,
        breakpoint=np.array([0.3, 0.5]),
        weight=np.array([0.25, 1.0]),
    )
    assert with_cuts(program, [step]).matrix().toarray()[2].tolist() == [0, 0.25, 0.25, 1.0, 0]


def test_a_cut_made_of_a_cut() -> None:
    program = two_rows()
    first = cut_of([0, 1], [0.5, 0.5], 4.0)  # (1, 1, 1, 2, -4)
    second = cut_of([2, 1], [0.5, 0.5], 2.0)  # of ½ (1, 2, 2, 7, -4): (0, 1, 1, 3, -4)
    at_once = with_cuts(program, [first, second])
    in_turn = with_cuts(with_cuts(program, [first]), [second])
    for tighter in (at_once, in_turn):
        assert tighter.matrix().toarray()[2:].tolist() == [[1, 1, 1, 2, -4], [0, 1, 1, 3, -4]]


def test_complemented_columns_keep_their_numbers_in_a_part() -> None:
    program = two_rows()
    cut = Cut(
        row=np.array([0]),
        group=np.zeros(1, dtype=bool),
        multiplier=np.array([0.25]),
        slack=np.zeros(1),
        fraction=0.5,
        side=1.0,
        complemented=np.array([0]),
    )
    # α = (3/4, 1/4, 1/2, 0, -1); F(3/4) = ½, but -F(-3/4) = -(-1 + 0) = 1
    whole = with_cuts(program, [cut])
    assert whole.matrix().toarray()[2].tolist() == [1.0, 0.0, 0.0, 0.0, -2.0]
    columns = np.array([0, 2, 4])
    part = with_cuts(program.take(columns), [cut], columns)
    assert part.matrix().toarray()[2].tolist() == [1.0, 0.0, -2.0]
    without = np.array([1, 2, 4])
    part = with_cuts(program.take(without), [cut], without)
    assert part.matrix().toarray()[2].tolist() == [0.0, 0.0, -2.0]


@given(alphas, alphas, st.floats(0.01, 0.99))
def test_the_rounding_function_is_superadditive_and_monotone(a: float, b: float, f: float) -> None:
    # what makes Σ F(α)x <= F(β) follow from Σ αx <= β (Nemhauser & Wolsey 1988, II.1.4)
    together = rounded(a + b, f, True)
    assert rounded(a, f, True) + rounded(b, f, True) <= together + 1e-9 / (1 - f)
    low, high = min(a, b), max(a, b)
    assert rounded(low, f, True) <= rounded(high, f, True) + 1e-12
    # a whole column and a continuous one
    assert rounded(a, f, True) + rounded(b, f, False) <= together + 1e-9 / (1 - f)


@given(st.integers(-50, 50), st.floats(0, 1e-9), st.floats(0.01, 0.99))
def test_the_rounding_function_is_continuous(k: int, error: float, f: float) -> None:
    for alpha in (k - error, k + error, k + f - error, k + f + error):
        expected = k + max(0.0, alpha - k - f) / (1 - f)
        assert rounded(alpha, f, True) == pytest.approx(expected, abs=2e-9 / (1 - f))
    assert rounded(k - error, f, True) <= k


@pytest.mark.parametrize("seed", range(40))
def test_rounding_any_sum_of_rows_is_valid(seed: int) -> None:
    """Multipliers of no meaning, on upper sides: the side is ⌊λ·b⌋, with room for tolerances."""
    program = cut_program(seed)
    points = feasible_points(program)
    random = np.random.default_rng(seed)
    upper = np.flatnonzero(np.isfinite(program.row_upper))
    if np.any(program.lower != 0) or len(upper) == 0:
        return
    cuts = []
    for _ in range(20):
        scale = np.maximum(1.0, np.abs(program.row_upper[upper]))
        multiplier = random.exponential(1.5, len(upper)) * (random.random(len(upper)) < 0.6) / scale
        groups = np.arange(program.n_groups)
        of_groups = random.exponential(1, len(groups))
        right = multiplier @ program.row_upper[upper] + of_groups.sum()
        fraction = right - np.floor(right)
        if not 0.02 < fraction < 0.98:
            continue
        error = 1.1e-6 * float(multiplier @ scale) / (1 - fraction)
        cuts.append(
            cut_of(
                [*upper.tolist(), *groups.tolist()],
                [*multiplier.tolist(), *of_groups.tolist()],
                float(np.floor(right)) + error + 1e-9,
                fraction=float(fraction),
                group=[False] * len(upper) + [True] * len(groups),
            )
        )
    assert np.all(excess(with_cuts(program, cuts), points)[program.n_rows :] <= 1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_a_part_has_the_coefficients_of_the_whole(seed: int) -> None:
    program = cut_program(seed)
    random = np.random.default_rng(seed)
    cuts: list[Cut] = []
    for _ in range(8):
        rows = random.permutation(program.n_rows + len(cuts))[:3]
        cut = cut_of(rows.tolist(), random.normal(0, 1, len(rows)).tolist(), 1.0, fraction=0.3)
        cuts.append(cut)
    columns = some_columns(program, random)
    whole = with_cuts(program, cuts).take(columns)
    part = with_cuts(program.take(columns), cuts, columns)
    np.testing.assert_array_equal(part.start, whole.start)
    np.testing.assert_array_equal(part.row, whole.row)
    np.testing.assert_array_equal(part.coefficient, whole.coefficient)


def test_noise_is_left_out_where_it_cannot_come_to_anything() -> None:
    # coefficients of columns up to 1, 100, 1e9 and of two without end
    upper = [1.0, 100.0, 1e9, np.inf, np.inf]
    builder = ProgramBuilder(np.ones(5), upper=upper, integral=[False] * 5)
    builder.add_row("up", np.arange(5), [-1e-12, -1e-12, -1e-12, -1e-12, -1.0], upper=0.0)
    builder.add_row("down", np.arange(5), [0.0, 0.0, 0.0, 0.0, 1.0 - 1e-12], upper=0.0)
    cuts = [cut_of([0], [0.5], 0.0), cut_of([1], [0.0], 0.0, slack=[-1e-12])]
    program = with_cuts(builder.build(), cuts)
    first, second = program.matrix().toarray()[2:].tolist()
    # the unbounded one with -1e-12 makes the row weaker with -1e-8; with 1e-12 it is dropped
    assert first == pytest.approx([0.0, 0.0, -1e-12, -1e-8, -1.0], rel=1e-9, abs=0)
    assert second == [0.0] * 5
    assert np.count_nonzero(program.row == 3) == 0


def test_what_kept_cuts_are_made_of_is_kept_and_renumbered() -> None:
    # rows 0 and 1, cuts 2 .. 6; a group's number is no row's
    cuts = [
        cut_of([0], [0.5], 1.0),
        cut_of([2, 1], [0.5, 0.5], 1.0),
        cut_of([1], [0.25], 1.0),
        cut_of([3, 4], [0.5, 0.5], 1.0, group=[False, True]),
        cut_of([4, 5], [0.5, 0.5], 1.0),
    ]
    wanted = np.array([False, False, False, True, False])
    kept = in_use(2, cuts, wanted)
    assert kept.tolist() == [True, True, False, True, False]
    assert wanted.tolist() == [False, False, False, True, False]
    rest = renumbered(2, cuts, kept)
    assert [cut.row.tolist() for cut in rest] == [[0], [2, 1], [3, 4]]
    assert cuts[3].row.tolist() == [3, 4]


@pytest.mark.parametrize("seed", range(10))
def test_renumbering_changes_no_coefficient(seed: int) -> None:
    program = cut_program(seed)
    random = np.random.default_rng(seed)
    cuts: list[Cut] = []
    for _ in range(12):
        rows = random.permutation(program.n_rows + len(cuts))[:2]
        cuts.append(cut_of(rows.tolist(), random.normal(0, 1, len(rows)).tolist(), 1.0))
    kept = in_use(program.n_rows, cuts, random.random(12) < 0.4)
    before = with_cuts(program, cuts).matrix().toarray()[program.n_rows :][kept]
    after = with_cuts(program, renumbered(program.n_rows, cuts, kept))
    np.testing.assert_array_equal(after.matrix().toarray()[program.n_rows :], before)


def test_threads_give_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    program = cut_program(5, columns=150)
    random = np.random.default_rng(5)
    cuts = [
        cut_of(
            [k, program.n_rows + k - 1] if k else [k],
            random.normal(0, 1, 1 + (k > 0)).tolist(),
            1.0,
        )
        for k in range(program.n_rows)
    ]
    alone = with_cuts(program, cuts)
    monkeypatch.setattr(cuts_module, "_MANY", 0)
    together = with_cuts(program, cuts)
    np.testing.assert_array_equal(together.start, alone.start)
    np.testing.assert_array_equal(together.row, alone.row)
    np.testing.assert_array_equal(together.coefficient, alone.coefficient)
    assert alone.start[-1] > program.start[-1]
