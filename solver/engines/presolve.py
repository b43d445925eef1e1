"""What can be seen without solving anything: impossible columns and rows that cannot bind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..program import ROW_TOLERANCE, Program
from .pricing import binary_columns


def presolve(program: Program) -> tuple[Program, NDArray[np.int64]]:
    """A smaller program with the same solutions, and the columns it keeps.

    A binary column goes where it alone breaks a row whatever the others do; a row's side goes
    where no assignment can reach it. Row numbers stay.
    """
    reduced, kept = program, np.arange(program.n_columns)
    possible = ~_breaks_a_row_alone(program)
    if not possible.all():
        kept = np.flatnonzero(possible)
        reduced = program.take(kept)
    least, most = _activity_range(reduced)
    row_lower = np.where(least >= reduced.row_lower, -np.inf, reduced.row_lower)
    row_upper = np.where(most <= reduced.row_upper, np.inf, reduced.row_upper)
    return reduced.with_sides(row_lower, row_upper), kept


def _breaks_a_row_alone(program: Program) -> NDArray[np.bool_]:
    least, most = _activity_range(program)
    slack_above = ROW_TOLERANCE * np.maximum(1.0, _size(program.row_upper))
    slack_below = ROW_TOLERANCE * np.maximum(1.0, _size(program.row_lower))
    a, i = program.coefficient, program.row
    too_much = (a > 0) & (least[i] + a > (program.row_upper + slack_above)[i])
    too_little = (a < 0) & (most[i] + a < (program.row_lower - slack_below)[i])
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    breaks = np.zeros(program.n_columns, dtype=bool)
    breaks[column[too_much | too_little]] = True
    return breaks & binary_columns(program)


def _activity_range(program: Program) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rows,) least and greatest sum each row can have, groups and other rows aside."""
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    at_lower = program.coefficient * program.lower[column]
    at_upper = program.coefficient * program.upper[column]
    least = _row_sums(program, np.minimum(at_lower, at_upper))
    most = _row_sums(program, np.maximum(at_lower, at_upper))
    return least, most


def _row_sums(program: Program, entries: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.bincount(program.row, weights=entries, minlength=program.n_rows)
    return sums.astype(np.float64)


def _size(side: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(side), np.abs(side), 1.0)
