"""Puts a program together from columns and named rows, and checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .program import Program


@dataclass(frozen=True, slots=True)
class _Entries:
    """Entries of a family of rows.

    Attributes
    ----------
    column
        (entries,) the column.
    row, coefficient
        (entries,), or (1,) where one serves them all: a program of ten million offers has sixty
        million entries, and most of them are a 1.
    """

    column: NDArray[np.int32]
    row: NDArray[np.int32]
    coefficient: NDArray[np.float64]


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
        self._entries: list[_Entries] = []
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
        self.add_rows(
            (name,),
            np.zeros(1, dtype=np.int64),
            np.asarray(columns),
            coefficients,
            lower=lower,
            upper=upper,
            rule=rule,
            kind=kind,
        )

    def add_rows(
        self,
        names: Sequence[str],
        row: NDArray[np.integer],
        columns: NDArray[np.integer],
        coefficients: ArrayLike,
        *,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        rule: str | None = None,
        kind: str | None = None,
    ) -> None:
        """Add a family of rows; entry e puts a coefficient in ``names[row[e]]``.

        One row, or one coefficient, serves all entries. Entries of one row and column are added
        up; those that come to 0 are left out.

        Raises
        ------
        ValueError
            for a row or a column that does not exist, or arrays of different lengths.
        """
        n = len(names)
        _require_below(n, row, "row")
        _require_below(len(self.value), columns, "column")
        coefficient = np.atleast_1d(np.asarray(coefficients, dtype=np.float64))
        for array in (row, coefficient):
            if len(array) not in (1, len(columns)):
                raise ValueError(f"not a program: {len(array)} numbers for {len(columns)} entries")
        self._entries.append(
            _Entries(
                column=columns.astype(np.int32),
                row=(row + self.n_rows).astype(np.int32),
                coefficient=np.ascontiguousarray(coefficient),
            )
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
        start, row, coefficient = self._compressed()
        program = Program(
            value=self.value,
            lower=self.lower,
            upper=self.upper,
            integral=self.integral,
            group=self.group,
            group_exact=self.group_exact,
            start=start,
            row=row,
            coefficient=coefficient,
            row_lower=np.concatenate([np.zeros(0), *self._lower]),
            row_upper=np.concatenate([np.zeros(0), *self._upper]),
            row_name=tuple(self._names),
            row_rule=tuple(self._rules),
            row_kind=tuple(self._kinds),
        )
        _check(program)
        return program

    def _compressed(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """``Program.start``, ``row`` and ``coefficient``: counted first, then filled in place."""
        start = np.zeros(len(self.value) + 1, dtype=np.int64)
        for entries in self._entries:
            _count(start, entries.column)
        np.cumsum(start, out=start)
        row = np.empty(start[-1], dtype=np.int32)
        coefficient = np.empty(start[-1])
        position = start[:-1].copy()
        for entries in self._entries:
            _fill(position, row, coefficient, entries.column, entries.row, entries.coefficient)
        n_entries = _settle(start, row, coefficient)
        if n_entries < len(row):
            row, coefficient = row[:n_entries].copy(), coefficient[:n_entries].copy()
        return start, row, coefficient


@njit(cache=True)
def _count(start: NDArray[np.int64], column: NDArray[np.int32]) -> None:
    """Count each column's entries, one place further on."""
    for j in column:
        start[j + 1] += 1


@njit(cache=True)
def _fill(
    position: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    entry_column: NDArray[np.int32],
    entry_row: NDArray[np.int32],
    entry_coefficient: NDArray[np.float64],
) -> None:
    """Put entries at their column's next position."""
    one_row, one_coefficient = len(entry_row) == 1, len(entry_coefficient) == 1
    for e in range(len(entry_column)):
        at = position[entry_column[e]]
        position[entry_column[e]] += 1
        row[at] = entry_row[0 if one_row else e]
        coefficient[at] = entry_coefficient[0 if one_coefficient else e]


@njit(cache=True)
def _settle(
    start: NDArray[np.int64], row: NDArray[np.int32], coefficient: NDArray[np.float64]
) -> int:
    """Sort each column by row, add up entries of one row, drop zeros; the entries that are left.

    Families are added in the order of their rows, so that insertion finds next to nothing to do.
    """
    kept = 0
    begin = start[0]
    for j in range(len(start) - 1):
        end = start[j + 1]
        for e in range(begin + 1, end):
            r, a = row[e], coefficient[e]
            k = e
            while k > begin and row[k - 1] > r:
                row[k], coefficient[k] = row[k - 1], coefficient[k - 1]
                k -= 1
            row[k], coefficient[k] = r, a
        e = begin
        while e < end:
            r, total = row[e], 0.0
            while e < end and row[e] == r:
                total += coefficient[e]
                e += 1
            if total != 0.0:
                row[kept], coefficient[kept] = r, total
                kept += 1
        begin = end
        start[j + 1] = kept
    return kept


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


def _require_below(n: int, numbers: NDArray[np.integer], what: str) -> None:
    if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < n:
        raise ValueError(f"not a program: a {what} that does not exist among {n}")
