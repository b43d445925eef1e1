"""What the entries of each row have in common, in one pass over the program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..program import Program
from .pricing import binary_columns


@dataclass(frozen=True, slots=True)
class RowShapes:
    """What holds for every entry of a row.

    Attributes
    ----------
    size
        (rows,) number of entries.
    positive
        (rows,) coefficients >= 0 of binary columns.
    ones
        (rows,) coefficients of 1 of binary columns.
    whole
        (rows,) whole coefficients of whole columns.
    """

    size: NDArray[np.int64]
    positive: NDArray[np.bool_]
    ones: NDArray[np.bool_]
    whole: NDArray[np.bool_]


def row_shapes(program: Program) -> RowShapes:
    """The shapes of all rows; what holds for every entry holds for a row without any."""
    return RowShapes(
        *_shapes(
            program.start,
            program.row,
            program.coefficient,
            binary_columns(program),
            program.integral,
            program.n_rows,
        )
    )


@njit(cache=True)
def _shapes(
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    binary: NDArray[np.bool_],
    integral: NDArray[np.bool_],
    n_rows: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    size = np.zeros(n_rows, dtype=np.int64)
    positive = np.ones(n_rows, dtype=np.bool_)
    ones = np.ones(n_rows, dtype=np.bool_)
    whole = np.ones(n_rows, dtype=np.bool_)
    for j in range(len(binary)):
        for e in range(start[j], start[j + 1]):
            i, a = row[e], coefficient[e]
            size[i] += 1
            if not binary[j] or a < 0:
                positive[i] = False
            if not binary[j] or a != 1.0:
                ones[i] = False
            if not integral[j] or a != np.round(a):
                whole[i] = False
    return size, positive, ones, whole
