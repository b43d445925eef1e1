"""Cuts, and their coefficients for every column: what a solver finds on a few columns holds for
all.

A cut is a function of the rows: column j gets φ(Σ_i λ_i·a_ij) − Σ_i γ_i·a_ij, whatever the
column. Rows may be those of earlier cuts. Two kinds of φ:

* a mixed-integer rounding function (Nemhauser & Wolsey 1990) with fraction f,
  F(α) = ⌊α⌋ + max(0, α − ⌊α⌋ − f)/(1 − f) for whole columns, min(0, α)/(1 − f) for others;
* a step function of one knapsack row (``knapsack_cuts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ..program import Program

KIND = "cut"
NEGLIGIBLE = 1e-9  # what the coefficient of a column may come to, at most, to be left out
_LEAST = 1e-8  # a smaller coefficient of an unbounded column is noise that leads simplex in circles
_CHUNKS = 64
_MANY = 1_000_000  # entries from which threads save more than it takes to wake them


@dataclass(frozen=True, slots=True)
class Cut:
    """Σ_j (φ(Σ_i λ_i·a_ij) − Σ_i γ_i·a_ij)/scale·x_j <= side.

    Attributes
    ----------
    row
        (k,) numbers of the rows, or groups, that it is made of.
    group
        (k,) whether it is a group, which counts as a row of ones.
    multiplier, slack
        (k,) λ and γ.
    fraction
        f of the rounding function; 0 for a step function.
    breakpoint, weight
        (steps,) of the step function, ascending; none for a rounding function.
    complemented
        columns that enter as 1 − x: φ(α) becomes −φ(−α).
    side
        the right-hand side.
    scale
        what all coefficients are divided by.
    """

    row: NDArray[np.int64]
    group: NDArray[np.bool_]
    multiplier: NDArray[np.float64]
    slack: NDArray[np.float64]
    fraction: float
    side: float
    scale: float = 1.0
    breakpoint: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    weight: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    complemented: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def with_cuts(
    program: Program,
    cuts: Sequence[Cut],
    columns: NDArray[np.int64] | None = None,
) -> Program:
    """The program with a row for each cut, in order; a cut may be made of rows before it.

    Parameters
    ----------
    columns
        (columns,) the numbers, ascending, that the cuts know the program's columns by, where it
        is a part of another.
    """
    if not cuts:
        return program
    n_rows, n = program.n_rows, len(cuts)
    start = np.zeros(program.n_columns + 1, dtype=np.int64)
    given: tuple[Any, ...] = (
        program.start,
        program.row,
        program.coefficient,
        program.group,
        program.integral,
        program.lower,
        program.upper,
        n_rows,
        *_tables(program, cuts, columns),
        start,
    )
    counted: tuple[Any, ...] = (*given, np.zeros(0, dtype=np.int32), np.zeros(0), False)
    _lift(program, counted)
    np.cumsum(start, out=start)
    row, coefficient = np.empty(start[-1], dtype=np.int32), np.empty(start[-1])
    filled: tuple[Any, ...] = (*given, row, coefficient, True)
    _lift(program, filled)
    names = tuple(f"cut {n_rows + k}" for k in range(n))
    return replace(
        program,
        start=start,
        row=row,
        coefficient=coefficient,
        row_lower=np.concatenate([program.row_lower, np.full(n, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, [cut.side for cut in cuts]]),
        row_name=program.row_name + names,
        row_rule=program.row_rule + names,
        row_kind=program.row_kind + (KIND,) * n,
    )


def in_use(n_rows: int, cuts: Sequence[Cut], wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(cuts,) the wanted cuts and those they are made of.

    Parameters
    ----------
    n_rows
        rows of the program before any cut.
    wanted
        (cuts,) which to keep.
    """
    keep = wanted.copy()
    for k in range(len(cuts) - 1, -1, -1):
        if keep[k]:
            earlier = cuts[k].row[~cuts[k].group] - n_rows
            keep[earlier[earlier >= 0]] = True
    return keep


def _lift(program: Program, given: tuple[Any, ...]) -> None:
    if len(program.row) < _MANY:
        _lift_some(0, program.n_columns, *given)
    else:
        _lift_all(program.n_columns, given)


def _tables(
    program: Program,
    cuts: Sequence[Cut],
    columns: NDArray[np.int64] | None,
) -> tuple[NDArray, ...]:
    """The cuts by row and by group, as the kernel reads them."""
    n_rows, n = program.n_rows, len(cuts)
    size = np.array([len(cut.row) for cut in cuts])
    cut_of = np.repeat(np.arange(n), size)
    row = np.concatenate([cut.row for cut in cuts])
    is_group = np.concatenate([cut.group for cut in cuts])
    multiplier = np.concatenate([cut.multiplier for cut in cuts])
    slack = np.concatenate([cut.slack for cut in cuts])
    used = np.unique(row[is_group])
    slot = np.full(program.n_groups + 1, -1, dtype=np.int32)  # the last is that of no group
    slot[used] = np.arange(len(used))
    place = row.copy()
    place[is_group] = n_rows + n + np.searchsorted(used, row[is_group])
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], np.arange(n_rows + n + len(used) + 1))
    flipped = np.unique(np.concatenate([cut.complemented for cut in cuts]))
    flip_slot = np.full(program.n_columns, -1, dtype=np.int32)
    numbers = np.arange(program.n_columns) if columns is None else columns
    _, here, there = np.intersect1d(numbers, flipped, assume_unique=True, return_indices=True)
    flip_slot[here] = there
    flip = np.zeros((len(flipped), n), dtype=np.bool_)
    for k, cut in enumerate(cuts):
        flip[np.searchsorted(flipped, cut.complemented), k] = True
    step_start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum([len(cut.weight) for cut in cuts], out=step_start[1:])
    return (
        first,
        cut_of[order],
        multiplier[order],
        slack[order],
        slot,
        np.array([cut.fraction for cut in cuts]),
        np.array([cut.scale for cut in cuts]),
        step_start,
        np.concatenate([cut.breakpoint for cut in cuts]),
        np.concatenate([cut.weight for cut in cuts]),
        flip_slot,
        flip,
    )


@njit(cache=True)
def rounded(alpha: float, fraction: float, whole: bool) -> float:
    """The mixed-integer rounding function; it is continuous, so small errors stay small."""
    if not whole:
        return min(0.0, alpha) / (1.0 - fraction)
    floor = np.floor(alpha)
    return floor + max(0.0, alpha - floor - fraction) / (1.0 - fraction)


@njit(cache=True)
def without_noise(coefficient: float, lower: float, upper: float) -> float:
    """A coefficient of a row Σ a·x <= b; 0 where the column's share of the sum is negligible.

    A small one of a column without an upper bound becomes one that makes the row weaker.
    """
    if coefficient == 0.0 or abs(coefficient) * max(abs(lower), abs(upper)) <= NEGLIGIBLE:
        return 0.0
    if abs(coefficient) < _LEAST and lower == 0.0 and upper == np.inf:
        return 0.0 if coefficient > 0.0 else -_LEAST
    return coefficient


@njit(cache=True)
def _step(
    alpha: float, low: int, high: int, breakpoint_: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    value = 0.0
    for k in range(low, high):
        if alpha < breakpoint_[k]:
            break
        value = weight[k]
    return value


@njit(cache=True)
def _lift_some(
    begin: int,
    end: int,
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    group: NDArray[np.int32],
    integral: NDArray[np.bool_],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    n_rows: int,
    first: NDArray[np.int64],
    hit: NDArray[np.int64],
    multiplier: NDArray[np.float64],
    slack: NDArray[np.float64],
    slot: NDArray[np.int32],
    fraction: NDArray[np.float64],
    scale: NDArray[np.float64],
    step_start: NDArray[np.int64],
    breakpoint_: NDArray[np.float64],
    weight: NDArray[np.float64],
    flip_slot: NDArray[np.int32],
    flip: NDArray[np.bool_],
    widened: NDArray[np.int64],
    new_row: NDArray[np.int32],
    new_coefficient: NDArray[np.float64],
    fill: bool,
) -> None:
    """Entries of each column with the cuts in: counted into ``widened[j + 1]``, or filled in."""
    n_cuts = len(fraction)
    total, paid = np.zeros(n_cuts), np.zeros(n_cuts)
    touched = np.zeros(n_cuts, dtype=np.bool_)
    for j in range(begin, end):
        lowest = n_cuts
        place = widened[j]
        size = start[j + 1] - start[j]
        for e in range(start[j], start[j + 1]):
            if fill:
                new_row[place], new_coefficient[place] = row[e], coefficient[e]
                place += 1
            for h in range(first[row[e]], first[row[e] + 1]):
                c = hit[h]
                total[c] += multiplier[h] * coefficient[e]
                paid[c] += slack[h] * coefficient[e]
                touched[c] = True
                lowest = min(lowest, c)
        g = slot[group[j]]
        if g >= 0:
            for h in range(first[n_rows + n_cuts + g], first[n_rows + n_cuts + g + 1]):
                c = hit[h]
                total[c] += multiplier[h]
                paid[c] += slack[h]
                touched[c] = True
                lowest = min(lowest, c)
        for c in range(lowest, n_cuts):
            if not touched[c]:
                continue
            if step_start[c] < step_start[c + 1]:
                value = _step(total[c], step_start[c], step_start[c + 1], breakpoint_, weight)
            elif flip_slot[j] >= 0 and flip[flip_slot[j], c]:
                value = -rounded(-total[c], fraction[c], integral[j])
            else:
                value = rounded(total[c], fraction[c], integral[j])
            value = without_noise((value - paid[c]) / scale[c], lower[j], upper[j])
            total[c], paid[c], touched[c] = 0.0, 0.0, False
            if value == 0.0:
                continue
            size += 1
            if fill:
                new_row[place], new_coefficient[place] = n_rows + c, value
                place += 1
            for h in range(first[n_rows + c], first[n_rows + c + 1]):
                later = hit[h]
                total[later] += multiplier[h] * value
                paid[later] += slack[h] * value
                touched[later] = True
        if not fill:
            widened[j + 1] = size


@njit(cache=True, parallel=True)
def _lift_all(n: int, given: tuple[Any, ...]) -> None:
    """The same for all columns, in threads."""
    for chunk in prange(_CHUNKS):
        _lift_some(chunk * n // _CHUNKS, (chunk + 1) * n // _CHUNKS, *given)
