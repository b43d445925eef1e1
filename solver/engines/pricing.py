"""Prices columns by dual values: reduced values, the Lagrangian bound, what each column allows.

With dual values y of the rows (>= 0 on an upper side, <= 0 on a lower side), no assignment that
keeps groups and column bounds earns more than

    bound(y) = Σ_rows (y⁺·upper − y⁻·lower) + Σ_groups max(0, max_{j in g} d_j)
               + Σ_other columns max(d_j·l_j, d_j·u_j),          d_j = v_j − Σ_i a_ij·y_i

(without the 0 for exact groups). This holds for every such y, so the tolerances of the solver
that found y cannot spoil it (Geoffrion 1974).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ..program import Program

_ALL = slice(None)
_MANY = 1_000_000  # entries from which threads save more than it takes to wake them
_CHUNKS = 64  # pieces of work for the threads
_SUM_ERROR = 1e-13  # relative to the sum of absolute terms; keeps the bound on the safe side


@dataclass(frozen=True, slots=True)
class Pricing:
    """All columns under one set of dual values.

    Attributes
    ----------
    row_dual
        (rows,) the dual values, made feasible in sign.
    reduced
        (columns,) d_j, the reduced value.
    group_best
        (groups,) what the group adds to the bound.
    bound
        upper bound for every assignment; inf where an unbounded column spoils it.
    """

    row_dual: NDArray[np.float64]
    reduced: NDArray[np.float64]
    group_best: NDArray[np.float64]
    bound: float

    def ceiling(self, program: Program) -> NDArray[np.float64]:
        """(columns,) upper bound for every assignment in which the column is 1.

        inf for columns that are not binary: they are never ruled out.
        """
        return _ceilings(
            self.bound, self.reduced, self.group_best, program.group, binary_columns(program)
        )


def price(program: Program, row_dual: NDArray[np.float64]) -> Pricing:
    """Reduced values and the bound of all columns for dual values of any origin.

    Parameters
    ----------
    row_dual
        (rows,) dual values; parts with the wrong sign are set to 0.
    """
    dual = _feasible_duals(program, row_dual)
    reduced = reduced_values(program.value, program.start, program.row, program.coefficient, dual)
    base = np.where(program.group_exact, -np.inf, 0.0)
    group_best = _group_maximum(program.group, reduced, program.lower, program.upper, base)
    other = np.flatnonzero(program.group < 0)
    rest, lower, upper = reduced[other], program.lower[other], program.upper[other]
    with np.errstate(invalid="ignore"):
        gains = np.fmax(np.where(rest == 0, 0.0, rest * lower), rest * upper)
    gains = np.where(rest == 0, 0.0, gains)
    side = np.where(dual > 0, program.row_upper, program.row_lower)
    sides = np.where(dual == 0, 0.0, dual * np.where(dual == 0, 0.0, side))
    terms = np.concatenate([sides, group_best, gains])
    slack = _SUM_ERROR * float(np.abs(terms).sum())
    bound = float(terms.sum()) + slack
    return Pricing(dual, reduced, group_best, bound if not math.isnan(bound) else math.inf)


def binary_columns(program: Program, among: NDArray[np.int64] | slice = _ALL) -> NDArray[np.bool_]:
    """Columns that are 0 or 1; the others are always kept in restricted programs.

    Parameters
    ----------
    among
        the columns asked for.
    """
    return program.integral[among] & (program.lower[among] == 0) & (program.upper[among] == 1)


def reduced_values(
    value: NDArray[np.float64],
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    dual: NDArray[np.float64],
) -> NDArray[np.float64]:
    """d = v − Aᵀy over compressed columns."""
    n = len(value)
    reduced = np.empty(n)
    if start[-1] < _MANY:
        _reduce(0, n, value, start, row, coefficient, dual, reduced)
    else:
        _reduce_all(value, start, row, coefficient, dual, reduced)
    return reduced


@njit(cache=True)
def _reduce(
    first: int,
    after: int,
    value: NDArray[np.float64],
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    dual: NDArray[np.float64],
    reduced: NDArray[np.float64],
) -> None:
    e = start[first]
    for j in range(first, after):
        total = value[j]
        end = start[j + 1]
        while e < end:
            total -= coefficient[e] * dual[row[e]]
            e += 1
        reduced[j] = total


@njit(cache=True, parallel=True)
def _reduce_all(
    value: NDArray[np.float64],
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    coefficient: NDArray[np.float64],
    dual: NDArray[np.float64],
    reduced: NDArray[np.float64],
) -> None:
    n = len(value)
    for chunk in prange(_CHUNKS):
        first, after = chunk * n // _CHUNKS, (chunk + 1) * n // _CHUNKS
        _reduce(first, after, value, start, row, coefficient, dual, reduced)


@njit(cache=True)
def pick_diverse(
    order: NDArray[np.int64],
    most: int,
    group: NDArray[np.int32],
    n_groups: int,
    per_group: int,
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    sparse_row: NDArray[np.bool_],
    per_row: int,
) -> NDArray[np.int64]:
    """Columns in ``order``, at most so many a group and a sparse row, ``most`` in all.

    The best columns alone crowd on a few products, whose rows let one of them in; a spread of
    columns lets the duals of many rows settle in one round.
    """
    in_group = np.zeros(n_groups + 1, dtype=np.int64)
    in_row = np.zeros(len(sparse_row), dtype=np.int64)
    picked = np.empty(most, dtype=np.int64)
    n = 0
    for j in order:
        if n == most:
            break
        g = group[j]
        if g >= 0 and in_group[g] >= per_group:
            continue
        full = False
        for e in range(start[j], start[j + 1]):
            if sparse_row[row[e]] and in_row[row[e]] >= per_row:
                full = True
                break
        if full:
            continue
        if g >= 0:
            in_group[g] += 1
        for e in range(start[j], start[j + 1]):
            in_row[row[e]] += 1
        picked[n] = j
        n += 1
    return picked[:n]


@njit(cache=True)
def _group_maximum(
    group: NDArray[np.int32],
    reduced: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    base: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What each group adds: its best column that may be 1, or the one that must be."""
    best = base.copy()
    held = np.zeros(len(base), dtype=np.bool_)
    for j in range(len(group)):
        g = group[j]
        if g < 0 or held[g]:
            continue
        if lower[j] > 0:
            held[g], best[g] = True, reduced[j]
        elif reduced[j] > best[g] and upper[j] > 0:
            best[g] = reduced[j]
    return best


@njit(cache=True)
def _ceilings(
    bound: float,
    reduced: NDArray[np.float64],
    group_best: NDArray[np.float64],
    group: NDArray[np.int32],
    binary: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The bound, less what the column's group (or the column alone) adds to it, and the column."""
    ceiling = np.full(len(reduced), np.inf)
    for j in range(len(reduced)):
        if binary[j]:
            share = max(reduced[j], 0.0) if group[j] < 0 else group_best[group[j]]
            ceiling[j] = bound - share + reduced[j]
    return ceiling


def _feasible_duals(program: Program, dual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signs made right, and the reduced value of unbounded single-row columns made <= 0.

    A solver's tolerance leaves such a column a reduced value of 1e-9, which an infinite upper
    bound would turn into an infinite bound.
    """
    dual = np.where(np.isfinite(dual), dual, 0.0)
    dual = np.where(np.isfinite(program.row_upper), dual, np.minimum(dual, 0.0))
    dual = np.where(np.isfinite(program.row_lower), dual, np.maximum(dual, 0.0))
    unbounded = np.flatnonzero(program.upper == np.inf)
    single = program.start[unbounded + 1] - program.start[unbounded] == 1
    for j in unbounded[single]:
        i, a = program.row[program.start[j]], program.coefficient[program.start[j]]
        limit = program.value[j] / a
        dual[i] = max(dual[i], limit) if a > 0 else min(dual[i], limit)
    dual = np.where(np.isfinite(program.row_upper), dual, np.minimum(dual, 0.0))
    return np.where(np.isfinite(program.row_lower), dual, np.maximum(dual, 0.0))
