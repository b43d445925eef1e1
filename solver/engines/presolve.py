"""What can be seen without solving anything: impossible columns and rows that cannot bind."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..program import ROW_TOLERANCE, Program
from .pricing import binary_columns


def presolve(program: Program) -> tuple[Program, NDArray[np.int64]]:
    """A smaller program with the same solutions, and the columns it keeps.

    A binary column goes where it alone breaks a row whatever the others do; a row's side goes
    where no assignment can reach it. Row numbers stay.
    """
    reduced, kept = program, np.arange(program.n_columns)
    least, most = _activity_range(program)
    possible = ~_impossible(program, least, most)
    if not possible.all():
        kept = np.flatnonzero(possible)
        reduced = program.take(kept)
        least, most = _activity_range(reduced)
    row_lower = np.where(least >= reduced.row_lower, -np.inf, reduced.row_lower)
    row_upper = np.where(most <= reduced.row_upper, np.inf, reduced.row_upper)
    return reduced.with_sides(row_lower, row_upper), kept


def _impossible(
    program: Program, least: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(columns,) binary columns whose coefficient the rest of some row cannot make up for."""
    above = program.row_upper + ROW_TOLERANCE * np.maximum(1.0, _size(program.row_upper))
    below = program.row_lower - ROW_TOLERANCE * np.maximum(1.0, _size(program.row_lower))
    breaks = _breaks_a_row(
        program.start, program.row, program.coefficient, above - least, below - most
    )
    return breaks & binary_columns(program)


def _activity_range(program: Program) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rows,) least and greatest sum each row can have, groups and other rows aside."""
    return _row_ranges(
        program.start,
        program.row,
        program.coefficient,
        program.lower,
        program.upper,
        program.n_rows,
    )


@njit(cache=True)
def _row_ranges(
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    n_rows: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """In one thread: sums of its own for each would cost more memory traffic than they save."""
    least, most = np.zeros(n_rows), np.zeros(n_rows)
    for j in range(len(lower)):
        low, high = lower[j], upper[j]
        for e in range(start[j], start[j + 1]):
            a = coefficient[e]
            if a == 0:
                continue
            smaller, larger = (a * low, a * high) if a > 0 else (a * high, a * low)
            if smaller != 0:
                least[row[e]] += smaller
            if larger != 0:
                most[row[e]] += larger
    return least, most


@njit(cache=True)
def _breaks_a_row(
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    room_above: NDArray[np.float64],
    room_below: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Columns with a coefficient above the most, or below the least, that a row has room for."""
    breaks = np.zeros(len(start) - 1, dtype=np.bool_)
    for j in range(len(breaks)):
        for e in range(start[j], start[j + 1]):
            a = coefficient[e]
            if (a > 0 and a > room_above[row[e]]) or (a < 0 and a < room_below[row[e]]):
                breaks[j] = True
                break
    return breaks


def _size(side: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(side), np.abs(side), 1.0)
