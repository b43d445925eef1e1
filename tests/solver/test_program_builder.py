"""Programs put together row by row: what the compressed columns hold, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.solver.program_builder import ProgramBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

COLUMNS, ROWS = 4, 3
ENTRIES = st.lists(
    st.tuples(
        st.integers(0, ROWS - 1),
        st.integers(0, COLUMNS - 1),
        st.sampled_from([-2.0, 0.0, 1.0, 2.0]),
    ),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(families=st.lists(ENTRIES, max_size=3))
def test_columns_hold_the_sum_of_all_entries_sorted_and_without_zeros(families):
    builder = ProgramBuilder(np.ones(COLUMNS))
    expected = np.zeros((ROWS * len(families), COLUMNS))
    for number, entries in enumerate(families):
        row, column = (np.array([e[k] for e in entries], dtype=np.int64) for k in (0, 1))
        coefficient = np.array([e[2] for e in entries])
        names = [f"family {number}, row {k}" for k in range(ROWS)]
        builder.add_rows(names, row, column, coefficient)
        np.add.at(expected, (ROWS * number + row, column), coefficient)
    program = builder.build()
    assert np.array_equal(program.matrix().toarray(), expected)
    assert np.all(program.coefficient != 0)
    assert program.start[0] == 0
    assert program.start[-1] == len(program.row) == len(program.coefficient)
    for j in range(COLUMNS):
        assert np.all(np.diff(program.row[program.start[j] : program.start[j + 1]]) > 0)


def test_one_row_and_one_coefficient_serve_all_entries():
    builder = ProgramBuilder(np.ones(3))
    builder.add_row("first", [0, 1, 2], 5.0)
    builder.add_row("second", [2, 0], [7.0, 8.0])
    builder.add_rows(["third", "fourth"], np.array([1, 0]), np.array([1, 1]), 9.0)
    assert builder.build().matrix().toarray().tolist() == [
        [5, 5, 5],
        [8, 0, 7],
        [0, 9, 0],
        [0, 9, 0],
    ]


def test_later_columns_take_part_in_later_rows():
    builder = ProgramBuilder([1.0])
    builder.add_row("first", [0], 1.0)
    added = builder.add_columns([2.0, 3.0], upper=[4.0, np.inf], integral=False)
    builder.add_row("second", np.append(added, 0), [1.0, 2.0, 3.0])
    program = builder.build()
    assert program.matrix().toarray().tolist() == [[1, 0, 0], [3, 1, 2]]
    assert program.upper.tolist() == [1.0, 4.0, np.inf]
    assert program.integral.tolist() == [True, False, False]


def test_a_program_may_have_no_rows_and_a_row_no_entries():
    assert ProgramBuilder([1.0]).build().n_rows == 0
    builder = ProgramBuilder([1.0])
    builder.add_row("empty", [], 1.0, upper=1.0)
    assert builder.build().matrix().toarray().tolist() == [[0]]


@pytest.mark.parametrize(
    ("row", "columns", "coefficients"),
    [([0, 2], [0, 1], 1.0), ([0], [0, 4], 1.0), ([0], [-1], 1.0), ([0], [0, 1, 2], [1.0, 2.0])],
)
def test_entries_outside_the_program_are_refused(row, columns, coefficients):
    builder = ProgramBuilder(np.ones(COLUMNS))
    with pytest.raises(ValueError, match="not a program"):
        builder.add_rows(["a", "b"], np.array(row), np.array(columns), coefficients)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"value": [np.nan, 1.0]}, "a value is not finite"),
        ({"lower": [2.0, 0.0]}, "a lower bound lies above"),
        ({"upper": [1.5, 1.0]}, "a bound of a whole column is not whole"),
        ({"group": [0, -1], "upper": [2.0, 1.0]}, "a grouped column is not binary"),
    ],
)
def test_what_is_no_program_is_refused(change, problem):
    builder = ProgramBuilder(**{"value": [1.0, 1.0], **change})
    with pytest.raises(ValueError, match=problem):
        builder.build()
