"""Puts a program together from columns and named rows, and checks it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from .program import Program


class ProgramBuilder:
    """Collects rows and further columns; ``build`` freezes them into a ``Program``.

    Parameters
    ----------
    value
        (columns,) objective coefficients.
    group
        (columns,) group of each column, -1 for none; without it no column is in a group.
    group_exact
        (groups,) whether exactly one column of the group is chosen; without it at most one.
    lower, upper, integral
        (columns,) bounds and wholeness; binary without them.
    """

    def __init__(
        self,
        value: ArrayLike,
        *,
        group: ArrayLike | None = None,
        group_exact: ArrayLike | None = None,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        integral: ArrayLike | None = None,
    ) -> None:
        self.value = np.asarray(value, dtype=np.float64)
        n = len(self.value)
        self.group = _filled(group, n, -1, np.int32)
        n_groups = int(self.group.max(initial=-1)) + 1
        self.group_exact = _filled(group_exact, n_groups, False, np.bool_)
        self.lower = _filled(lower, n, 0.0, np.float64)
        self.upper = _filled(upper, n, 1.0, np.float64)
        self.integral = _filled(integral, n, True, np.bool_)
        self._rows: list[NDArray[np.int64]] = []
        self._columns: list[NDArray[np.int64]] = []
        self._coefficients: list[NDArray[np.float64]] = []
        self._lower: list[NDArray[np.float64]] = []
        self._upper: list[NDArray[np.float64]] = []
        self._names: list[str] = []
        self._rules: list[str] = []
        self._kinds: list[str] = []

    @property
    def n_rows(self) -> int:
        return len(self._names)

    def add_columns(
        self,
        value: ArrayLike,
        *,
        upper: ArrayLike = 1.0,
        integral: bool = True,
    ) -> NDArray[np.int64]:
        """Add columns from 0 to ``upper`` that are in no group; gives their numbers."""
        value = np.asarray(value, dtype=np.float64)
        n, first = len(value), len(self.value)
        self.value = np.append(self.value, value)
        self.group = np.append(self.group, np.full(n, -1, dtype=np.int32))
        self.lower = np.append(self.lower, np.zeros(n))
        self.upper = np.append(self.upper, np.broadcast_to(np.asarray(upper, np.float64), (n,)))
        self.integral = np.append(self.integral, np.full(n, integral))
        return np.arange(first, first + n)

    def add_row(
        self,
        name: str,
        columns: ArrayLike,
        coefficients: ArrayLike,
        *,
        lower: float = -np.inf,
        upper: float = np.inf,
        rule: str | None = None,
        kind: str | None = None,
    ) -> None:
        """Add lower <= Σ coefficient · x <= upper; one coefficient serves all columns."""
        columns = np.asarray(columns, dtype=np.int64)
        zeros = np.zeros(len(columns), dtype=np.int64)
        self.add_rows(
            (name,), zeros, columns, coefficients, lower=lower, upper=upper, rule=rule, kind=kind
        )

    def add_rows(
        self,
        names: Sequence[str],
        row: NDArray[np.int64],
        columns: NDArray[np.int64],
        coefficients: ArrayLike,
        *,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        rule: str | None = None,
        kind: str | None = None,
    ) -> None:
        """Add a family of rows; entry e puts a coefficient in ``names[row[e]]``.

        Entries of one row and column are added up; those that come to 0 are left out.
        """
        n = len(names)
        self._rows.append(row + self.n_rows)
        self._columns.append(columns)
        self._coefficients.append(
            np.broadcast_to(np.asarray(coefficients, dtype=np.float64), (len(columns),))
        )
        self._lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (n,)))
        self._upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (n,)))
        self._names.extend(names)
        self._rules.extend((rule or name) for name in names)
        self._kinds.extend((kind or rule or name) for name in names)

    def build(self) -> Program:
        """The frozen program.

        Raises
        ------
        ValueError
            for a number that is not finite, crossed bounds or sides, a bound of a whole column
            that is not whole, a repeated row name, or a grouped column that is not binary.
        """
        shape = (self.n_rows, len(self.value))
        entries = (
            _joined(self._coefficients, np.float64),
            (_joined(self._rows, np.int32), _joined(self._columns, np.int32)),
        )
        matrix = sparse.coo_array(entries, shape=shape).tocsc()
        matrix.eliminate_zeros()
        matrix.sort_indices()
        program = Program(
            value=self.value,
            lower=self.lower,
            upper=self.upper,
            integral=self.integral,
            group=self.group,
            group_exact=self.group_exact,
            start=matrix.indptr.astype(np.int64),
            row=matrix.indices.astype(np.int32),
            coefficient=matrix.data,
            row_lower=_joined(self._lower, np.float64),
            row_upper=_joined(self._upper, np.float64),
            row_name=tuple(self._names),
            row_rule=tuple(self._rules),
            row_kind=tuple(self._kinds),
        )
        _check(program)
        return program


def _check(program: Program) -> None:
    grouped = program.group >= 0
    binary = program.integral & (program.lower == 0) & (program.upper == 1)
    problems = {
        "a value is not finite": not np.all(np.isfinite(program.value)),
        "a coefficient is not finite": not np.all(np.isfinite(program.coefficient)),
        "a lower bound lies above its upper bound": bool(np.any(program.lower > program.upper)),
        "a bound of a whole column is not whole": not (
            _whole(program.lower[program.integral]) and _whole(program.upper[program.integral])
        ),
        "a row's lower side lies above its upper side": bool(
            np.any(program.row_lower > program.row_upper)
        ),
        "a bound or side is not a number": any(
            bool(np.any(np.isnan(array)))
            for array in (program.lower, program.upper, program.row_lower, program.row_upper)
        ),
        "a row name is repeated": len(set(program.row_name)) != program.n_rows,
        "a grouped column is not binary": bool(np.any(grouped & ~binary)),
    }
    for problem, found in problems.items():
        if found:
            raise ValueError(f"not a program: {problem}")


def _whole(bounds: NDArray[np.float64]) -> bool:
    return bool(np.all((bounds == np.round(bounds)) | np.isnan(bounds)))


def _filled(given: ArrayLike | None, n: int, default: float, dtype: type) -> NDArray:
    if given is None:
        return np.full(n, default, dtype=dtype)
    array = np.asarray(given, dtype=dtype)
    if array.shape != (n,):
        raise ValueError(f"not a program: {array.shape} numbers where {n} were expected")
    return array


def _joined(parts: list[NDArray], dtype: type) -> NDArray:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype=dtype)
