"""The neutral program that every engine solves: columns, groups and named sparse rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

ROW_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Program:
    """Maximise ``value · x`` over groups, rows and column bounds.

    Serves plans and published benchmarks alike. ``program_builder.ProgramBuilder`` makes one
    from named rows and checks it.

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
        Columns of a group are binary.
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

    @property
    def n_groups(self) -> int:
        return len(self.group_exact)

    def matrix(self) -> sparse.csc_array:
        """The rows as a (rows, columns) sparse matrix that shares the program's arrays."""
        return sparse.csc_array(
            (self.coefficient, self.row, self.start), shape=(self.n_rows, self.n_columns)
        )

    def objective(self, values: NDArray[np.float64]) -> float:
        """``value · x``."""
        chosen = np.flatnonzero(values)
        return float(self.value[chosen] @ values[chosen])

    def activity(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(rows,) what each row adds up to."""
        return self._row_sums(*self._terms(values))

    def row_sizes(self) -> NDArray[np.float64]:
        """(rows,) the largest absolute coefficient of each row; 0 for a row without entries."""
        return _largest(self.row, self.coefficient, self.n_rows)

    def row_counts(self) -> NDArray[np.int64]:
        """(rows,) how many columns each row holds."""
        return _counted(self.row, self.n_rows)

    def scaled(self, value_scale: float, row_scale: NDArray[np.float64]) -> Program:
        """The program with its values, and each row with its sides, times a factor.

        Parameters
        ----------
        row_scale
            (rows,) factors > 0.
        """
        coefficient = self.coefficient
        if np.any(row_scale != 1.0):
            coefficient = _multiplied(self.row, coefficient, row_scale)
        return replace(
            self,
            value=self.value if value_scale == 1.0 else self.value * value_scale,
            coefficient=coefficient,
            row_lower=self.row_lower * row_scale,
            row_upper=self.row_upper * row_scale,
        )

    def broken_rows(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Rows that an assignment violates, groups aside.

        A row is kept when it is within ``ROW_TOLERANCE`` × max(1, |side|) of its sides, plus
        1e-9 × Σ |coefficient · x| for the rounding of the sum.
        """
        row, terms = self._terms(values)
        activity = self._row_sums(row, terms)
        slip = 1e-9 * self._row_sums(row, np.abs(terms))
        below = activity < self.row_lower - _tolerance(self.row_lower) - slip
        above = activity > self.row_upper + _tolerance(self.row_upper) + slip
        return np.flatnonzero(below | above)

    def is_feasible(self, values: NDArray[np.float64]) -> bool:
        """Whether an assignment keeps bounds, whole values, groups and (to tolerance) rows."""
        chosen = np.flatnonzero(values)  # few of many: hundreds of millions of offers
        at = values[chosen]
        if not np.all(np.isfinite(at)):
            return False
        slip = ROW_TOLERANCE * np.maximum(1.0, np.abs(at))
        if np.any(at < self.lower[chosen] - slip) or np.any(at > self.upper[chosen] + slip):
            return False
        if _any_shut_out(values, self.lower, self.upper):
            return False
        whole = at[self.integral[chosen]]
        if np.any(whole != np.round(whole)):
            return False
        group = self.group[chosen]
        grouped = group >= 0
        count = np.bincount(group[grouped], weights=at[grouped], minlength=self.n_groups)
        if np.any(count > 1) or np.any(count[self.group_exact] != 1):
            return False
        return len(self.broken_rows(values)) == 0

    def take(self, columns: NDArray[np.int64]) -> Program:
        """The program over these columns alone; rows and groups keep their numbers."""
        start = np.zeros(len(columns) + 1, dtype=np.int64)
        np.cumsum(self.start[columns + 1] - self.start[columns], out=start[1:])
        row = np.empty(start[-1], dtype=np.int32)
        coefficient = np.empty(start[-1])
        _copy_entries(columns, self.start, self.row, self.coefficient, start, row, coefficient)
        return replace(
            self,
            value=self.value[columns],
            lower=self.lower[columns],
            upper=self.upper[columns],
            integral=self.integral[columns],
            group=self.group[columns],
            start=start,
            row=row,
            coefficient=coefficient,
        )

    def with_sides(self, row_lower: NDArray[np.float64], row_upper: NDArray[np.float64]) -> Program:
        """The same program with other sides."""
        return replace(self, row_lower=row_lower, row_upper=row_upper)

    def _terms(self, values: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Row and coefficient · x of each entry whose column is not 0."""
        chosen = np.flatnonzero(values)
        few = self.take(chosen)
        return few.row, few.coefficient * np.repeat(values[chosen], np.diff(few.start))

    def _row_sums(self, row: NDArray[np.int32], terms: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(row, weights=terms, minlength=self.n_rows), dtype=np.float64)


@njit(cache=True)
def _copy_entries(
    columns: NDArray[np.int64],
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    new_start: NDArray[np.int64],
    new_row: NDArray[np.int32],
    new_coefficient: NDArray[np.float64],
) -> None:
    """Copy the entries of some columns to where ``new_start`` says, with nothing in between."""
    for k in range(len(columns)):
        at = new_start[k]
        for e in range(start[columns[k]], start[columns[k] + 1]):
            new_row[at], new_coefficient[at] = row[e], coefficient[e]
            at += 1


@njit(cache=True)
def _largest(
    row: NDArray[np.int32], coefficient: NDArray[np.float64], n_rows: int
) -> NDArray[np.float64]:
    largest = np.zeros(n_rows)
    for e in range(len(row)):
        largest[row[e]] = max(largest[row[e]], abs(coefficient[e]))
    return largest


@njit(cache=True)
def _counted(row: NDArray[np.int32], n_rows: int) -> NDArray[np.int64]:
    count = np.zeros(n_rows, dtype=np.int64)
    for i in row:
        count[i] += 1
    return count


@njit(cache=True)
def _multiplied(
    row: NDArray[np.int32], coefficient: NDArray[np.float64], factor: NDArray[np.float64]
) -> NDArray[np.float64]:
    product = np.empty(len(row))
    for e in range(len(row)):
        product[e] = coefficient[e] * factor[row[e]]
    return product


@njit(cache=True)
def _any_shut_out(
    values: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> bool:
    """Whether some column is 0 and may not be."""
    for j in range(len(values)):
        if values[j] == 0 and (lower[j] > ROW_TOLERANCE or upper[j] < -ROW_TOLERANCE):
            return True
    return False


def _tolerance(side: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = np.where(np.isfinite(side), np.abs(side), 1.0)
    return ROW_TOLERANCE * np.maximum(1.0, scale)
