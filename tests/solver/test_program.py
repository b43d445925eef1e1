"""What a program says of an assignment, and parts of it."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder


def program() -> Program:
    """Two groups, the second exact; a whole column from 1 to 3 and one from -1.5 to 0.5."""
    builder = ProgramBuilder(
        [4.0, 5.0, 6.0, 7.0, 1.0, 2.0],
        group=[0, 0, 1, 1, -1, -1],
        group_exact=[False, True],
        lower=[0, 0, 0, 0, 1, -1.5],
        upper=[1, 1, 1, 1, 3, 0.5],
        integral=[True, True, True, True, True, False],
    )
    builder.add_row("most", [0, 1, 2, 3, 5], [1.0, 2.0, 3.0, 4.0, -1.0], upper=6.0)
    builder.add_row("least", [4, 5], [1.0, 1.0], lower=1.0)
    return builder.build()


def test_sums_are_those_of_the_matrix():
    random = np.random.default_rng(3)
    for _ in range(20):
        values = np.where(random.random(6) < 0.5, random.normal(size=6), 0.0)
        assert np.allclose(program().activity(values), program().matrix() @ values, rtol=1e-14)


def test_the_size_of_a_row_is_its_largest_coefficient():
    builder = ProgramBuilder([1.0, 1.0])
    builder.add_row("three", [0, 1], [-3.0, 2.0])
    builder.add_row("nothing", [], 1.0)
    assert builder.build().row_sizes().tolist() == [3.0, 0.0]


@pytest.mark.parametrize(
    ("values", "feasible"),
    [
        ([0, 1, 0, 1, 1, 0], True),  # 2 + 4 = 6 in the first row
        ([1, 0, 1, 0, 2, -0.5], True),  # 1 + 3 + 0.5; 1.5 in the second row
        ([0, 1, 0, 1, 1, -1e-3], False),  # 6.001 in the first row
        ([1, 0, 1, 0, 2, -1.25], False),  # 0.75 in the second row
        ([0, 1, 0, 1, 1, 0.6], False),  # above its upper bound
        ([0, 1, 0, 1, 0, 0.5], False),  # 0, below its lower bound of 1
        ([1, 1, 1, 0, 1, 0], False),  # two of the first group
        ([1, 0, 0, 0, 1, 0], False),  # none of the exact group
        ([0.5, 0, 1, 0, 1, 0], False),  # half a whole column
        ([0, 1, 0, 1, 1, np.nan], False),
        ([0, 1, 0, 1, np.inf, 0], False),
    ],
)
def test_an_assignment_is_feasible_where_it_keeps_everything(values, feasible):
    assert program().is_feasible(np.array(values, dtype=np.float64)) is feasible


def test_broken_rows_are_named_by_number():
    assert program().broken_rows(np.array([0, 1, 0, 1, 0, 0.0])).tolist() == [1]
    assert program().broken_rows(np.array([1, 1, 1, 1, 1, 0.0])).tolist() == [0]


@pytest.mark.parametrize("columns", [[], [3], [5, 0, 2], [0, 1, 2, 3, 4, 5]])
def test_a_part_has_the_columns_asked_for(columns):
    whole, part = program(), program().take(np.array(columns, dtype=np.int64))
    assert np.array_equal(part.matrix().toarray(), whole.matrix().toarray()[:, columns])
    for name in ("value", "lower", "upper", "integral", "group"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[columns])
    assert part.n_groups == whole.n_groups


def test_row_counts_and_scaling() -> None:
    # "b" holds one column, times 4; values times 2; the caller's arrays stay as they are
    builder = ProgramBuilder([1.0, 2.0, 3.0])
    builder.add_row("a", [0, 1, 2], [5.0, 6.0, 7.0], upper=10.0)
    builder.add_row("b", [1], [8.0], lower=1.0)
    program = builder.build()
    assert program.row_counts().tolist() == [3, 1]
    scaled = program.scaled(2.0, np.array([1.0, 4.0]))
    assert scaled.value.tolist() == [2.0, 4.0, 6.0]
    assert scaled.matrix().toarray().tolist() == [[5.0, 6.0, 7.0], [0.0, 32.0, 0.0]]
    assert scaled.row_lower.tolist() == [-np.inf, 4.0]
    assert scaled.row_upper.tolist() == [10.0, np.inf]
    assert program.matrix().toarray().tolist() == [[5.0, 6.0, 7.0], [0.0, 8.0, 0.0]]
    assert program.scaled(2.0, np.ones(2)).coefficient is program.coefficient
