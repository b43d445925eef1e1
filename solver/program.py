"""The neutral program that every engine solves: columns, groups and named sparse rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Program:
    """Maximise ``value · x`` over groups, rows and column bounds.

    Serves plans and published benchmarks alike.

    Attributes
    ----------
    value
        (columns,) objective coefficients.
    lower, upper
        (columns,) bounds; offers are binary (0, 1).
    integral
        (columns,) whether the column takes whole values only.
    group
        (columns,) index of the column's group, -1 for none. At most one column of a group is 1.
    group_exact
        (groups,) whether exactly one is.
    start, row, coefficient
        compressed columns: column j has ``coefficient[start[j]:start[j + 1]]`` in the rows
        ``row[start[j]:start[j + 1]]``, ascending.
    row_lower, row_upper
        (rows,) sides; -inf or inf where there is none.
    row_name
        (rows,) unique, as shown to people, such as ``stock[0001]``.
    row_rule
        (rows,) name of the scenario's rule the row belongs to, such as ``stock``.
    row_kind
        (rows,) kind of the rule (design section 4).
    """

    value: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    integral: NDArray[np.bool_]
    group: NDArray[np.int32]
    group_exact: NDArray[np.bool_]
    start: NDArray[np.int64]
    row: NDArray[np.int32]
    coefficient: NDArray[np.float64]
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    row_name: tuple[str, ...]
    row_rule: tuple[str, ...]
    row_kind: tuple[str, ...]

    @property
    def n_columns(self) -> int:
        return len(self.value)

    @property
    def n_rows(self) -> int:
        return len(self.row_lower)
