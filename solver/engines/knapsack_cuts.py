"""Cuts from knapsack rows: what whole numbers imply for a row Σ a·x <= b, for all its columns.

Take breakpoints t_1 < … < t_n of a/b and weights π_1 <= … <= π_n such that every multiset of
breakpoints with Σ t <= 1 (and no more members than the row can hold) has Σ π <= 1. Then

    Σ_j π(a_j/b)·x_j <= 1,        π(t) = π_i for the largest t_i <= t, 0 below t_1

holds for every choice of columns that keeps the row: π rounds a column down to a breakpoint. Such
π are the dual-feasible functions of bin packing (Fekete & Schepers 2001) that are steps; "at most
k that each take more than 1/(k + 1)" is one of them. The best π at the breakpoints of a
fractional solution is a small linear program; those of all rows are solved as one. Then each
breakpoint moves down as far as the multisets allow, which makes the cut hold more columns
(lifting).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..program import ROW_TOLERANCE, Program
from ..program_builder import ProgramBuilder
from .cuts import Cut
from .linear import linear_answer
from .row_shapes import RowShapes

_SMALLEST = 1 / 7  # a breakpoint below this share of the row is none, …
_SMALLEST_OF_FEW = 1 / 100  # … or below this one where the row holds few columns
_FEW = 5
_MOST = 10  # breakpoints of a row
_MOST_MEMBERS = 7  # of a multiset; where all breakpoints are above ``_SMALLEST``, no more fit
_MERGED = 1e-6  # shares closer than this are one breakpoint
_VIOLATION = 1e-3
_FRACTIONAL = 1e-6
_SAFE = 1e-9
_ROUNDING = 1e-12  # a column must reach the breakpoint that it gave, however its share is rounded
_SLACK = 2 * ROW_TOLERANCE  # relative; what a row may be over its side and still be kept
_SMALLEST_SIDE = 1e-4  # below, that is a large part of the side


@dataclass(frozen=True, slots=True)
class KnapsackRows:
    """The rows that knapsack cuts are made of.

    Attributes
    ----------
    which
        (rows,) whether the row has an upper side well above 0 and coefficients >= 0 of binary
        columns.
    most
        (rows,) how many of its columns can be 1 together, as far as a row Σ x <= K over all of
        them tells; a large number elsewhere.
    """

    which: NDArray[np.bool_]
    most: NDArray[np.int64]


def knapsack_rows(program: Program, shapes: RowShapes) -> KnapsackRows:
    """Find the knapsack rows and their cardinality limits."""
    bounded = np.isfinite(program.row_upper) & (program.row_upper > 0) & (shapes.size > 1)
    unit = shapes.ones & bounded
    which = shapes.positive & bounded & ~unit & (program.row_upper >= _SMALLEST_SIDE)
    partner = _partners(program.start, program.row, which, unit, program.row_upper)
    most = np.full(program.n_rows, np.iinfo(np.int32).max, dtype=np.int64)
    limited = partner >= 0
    upper = program.row_upper[partner[limited]]
    most[limited] = np.floor(upper + _SLACK * np.maximum(1.0, upper)).astype(np.int64)
    return KnapsackRows(which, most)


def knapsack_cuts(
    program: Program, rows: KnapsackRows, values: NDArray[np.float64], seconds: float
) -> list[Cut]:
    """The cuts that an assignment of the relaxation violates, one a row at most.

    Parameters
    ----------
    program
        the columns of the relaxation; its first rows are those ``rows`` tells of.
    values
        (columns,) a solution of the linear relaxation.
    """
    row, share, amount = _steps(program, rows, values)
    if len(row) == 0:
        return []
    first = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))
    edges = np.append(first, len(row))
    most = np.minimum(rows.most[row[first]], _MOST_MEMBERS)
    room = 1.0 + _SLACK * np.maximum(1.0, 1.0 / program.row_upper[row[first]])
    members, counts, sizes = _all_packings(edges, share, room, most)
    builder = ProgramBuilder(amount, integral=np.zeros(len(amount), dtype=bool))
    names = [str(k) for k in range(len(sizes))]
    builder.add_rows(names, np.repeat(np.arange(len(sizes)), sizes), members, counts, upper=1.0)
    answer = linear_answer(builder.build(), max(seconds, 0.1))
    if answer is None:
        return []
    cuts = []
    for k, (low, high) in enumerate(pairwise(edges.tolist())):
        weight = answer.values[low:high]
        if weight @ amount[low:high] > 1 + _VIOLATION:
            side = float(program.row_upper[row[low]])
            lowest = 0.0
            if rows.most[row[low]] > most[k]:  # more members must not fit
                lowest = float(room[k]) / (int(most[k]) + 1) + _SAFE
            cuts.append(
                _lifted(int(row[low]), side, share[low:high], weight, room[k], int(most[k]), lowest)
            )
    return cuts


def _steps(
    program: Program, rows: KnapsackRows, values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Row, share and Σ x of each breakpoint, by row and ascending share.

    Rows without a fractional column imply nothing new.
    """
    support = np.flatnonzero(values > _FRACTIONAL)
    few = program.take(support)
    entry_value = np.repeat(values[support], np.diff(few.start))
    inside = few.row < len(rows.which)
    inside[inside] &= rows.which[few.row[inside]]
    row, amount = few.row[inside].astype(np.int64), entry_value[inside]
    share = few.coefficient[inside] / program.row_upper[row]
    fractional = np.zeros(len(rows.which), dtype=bool)
    fractional[row[(amount > _FRACTIONAL) & (amount < 1 - _FRACTIONAL)]] = True
    smallest = np.where(rows.most[row] <= _FEW, _SMALLEST_OF_FEW, _SMALLEST)
    kept = fractional[row] & (share > smallest) & (share <= 1)
    row, share, amount = row[kept], share[kept], amount[kept]
    order = np.lexsort((share, row))
    row, share, amount = row[order], share[order], amount[order]
    if len(row) == 0:
        return row, share, amount
    new = np.concatenate([[True], (row[1:] != row[:-1]) | (np.diff(share) > _MERGED)])
    start = np.flatnonzero(new)
    row, share, amount = row[start], share[start], np.add.reduceat(amount, start)
    # the largest steps of each row; smaller ones weigh nothing
    last = np.searchsorted(row, row, side="right")
    large = last - np.arange(len(row)) <= _MOST
    return row[large], share[large], amount[large]


def _lifted(
    row: int,
    side: float,
    share: NDArray[np.float64],
    weight: NDArray[np.float64],
    room: float,
    most: int,
    lowest: float,
) -> Cut:
    """The cut with every breakpoint as low as it may be, steps without a rise left out."""
    share = share * (1 - _ROUNDING)
    weight = np.maximum.accumulate(np.maximum(weight, 0.0))
    weight = weight / max(1.0, _heaviest(share, weight, room, most))
    low = _lowered(share, weight, room, most, lowest)
    order = np.argsort(low, kind="stable")
    low, weight = low[order], np.maximum.accumulate(weight[order])
    rising = np.diff(weight, prepend=0.0) > _SAFE
    return Cut(
        row=np.array([row]),
        group=np.zeros(1, dtype=bool),
        multiplier=np.array([1.0 / side]),
        slack=np.zeros(1),
        fraction=0.0,
        side=1.0,
        breakpoint=low[rising],
        weight=weight[rising],
    )


@njit(cache=True)
def _partners(
    start: NDArray[np.int64],
    row: NDArray[np.int32],
    which: NDArray[np.bool_],
    unit: NDArray[np.bool_],
    row_upper: NDArray[np.float64],
) -> NDArray[np.int64]:
    """(rows,) the tightest unit row that holds every column of the knapsack row, -1 without one.

    The unit rows of its first column are the candidates; a column without one strikes it out.
    """
    few, n_rows = 6, len(row_upper)
    candidate = np.full((n_rows, few), -1, dtype=np.int64)
    seen = np.zeros(n_rows, dtype=np.bool_)
    for j in range(len(start) - 1):
        for e in range(start[j], start[j + 1]):
            i = row[e]
            if not which[i]:
                continue
            if not seen[i]:
                seen[i] = True
                found = 0
                for f in range(start[j], start[j + 1]):
                    if unit[row[f]] and found < few:
                        candidate[i, found] = row[f]
                        found += 1
                continue
            for k in range(few):
                if candidate[i, k] < 0:
                    continue
                there = False
                for f in range(start[j], start[j + 1]):
                    if row[f] == candidate[i, k]:
                        there = True
                        break
                if not there:
                    candidate[i, k] = -1
    partner = np.full(n_rows, -1, dtype=np.int64)
    for i in range(n_rows):
        for k in range(few):
            c = candidate[i, k]
            if c >= 0 and (partner[i] < 0 or row_upper[c] < row_upper[partner[i]]):
                partner[i] = c
    return partner


@njit(cache=True)
def _all_packings(
    edges: NDArray[np.int64],
    share: NDArray[np.float64],
    room: NDArray[np.float64],
    most: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Every maximal multiset of each row's breakpoints that fits: members, counts, sizes."""
    members = [np.int64(0) for _ in range(0)]
    counts = [0.0 for _ in range(0)]
    sizes = [np.int64(0) for _ in range(0)]
    for k in range(len(edges) - 1):
        low, n = edges[k], edges[k + 1] - edges[k]
        count = np.zeros(n, dtype=np.int64)
        place, used, number = n - 1, 0.0, 0
        # depth first: as many of the largest as fit, then fewer
        descending = True
        while True:
            if descending:
                while place >= 0:
                    left = max(room[k] - used, 0.0)
                    fit = min(np.int64(left / share[low + place]), most[k] - number)
                    count[place] = fit
                    used += fit * share[low + place]
                    number += fit
                    place -= 1
                size = 0
                for i in range(n):
                    if count[i] > 0:
                        members.append(low + i)
                        counts.append(float(count[i]))
                        size += 1
                sizes.append(np.int64(size))
                descending = False
                # the last place was filled to the brim: go back to one that can give way
                used -= count[0] * share[low]
                number -= count[0]
                count[0] = 0
                place = 1
            while place < n and count[place] == 0:
                place += 1
            if place >= n:
                break
            count[place] -= 1
            used -= share[low + place]
            number -= 1
            place -= 1
            descending = True
    return np.array(members), np.array(counts), np.array(sizes)


@njit(cache=True)
def _next_multiset(count: NDArray[np.int64], most: int) -> bool:
    """Step to the next multiset of at most so many members; False after the last."""
    number = count.sum()
    for i in range(len(count)):
        if number < most:
            count[i] += 1
            return True
        number -= count[i]
        count[i] = 0
    return False


@njit(cache=True)
def _dot(count: NDArray[np.int64], number: NDArray[np.float64]) -> float:
    total = 0.0
    for i in range(len(count)):
        total += count[i] * number[i]
    return total


@njit(cache=True)
def _heaviest(
    share: NDArray[np.float64], weight: NDArray[np.float64], room: float, most: int
) -> float:
    """The greatest weight of a multiset that fits."""
    count = np.zeros(len(share), dtype=np.int64)
    heaviest = 0.0
    while _next_multiset(count, most):
        if _dot(count, share) <= room:
            heaviest = max(heaviest, _dot(count, weight))
    return heaviest


@njit(cache=True)
def _lowered(
    share: NDArray[np.float64],
    weight: NDArray[np.float64],
    room: float,
    most: int,
    lowest: float,
) -> NDArray[np.float64]:
    """Breakpoints moved down in turn, largest first, until a heavier multiset would fit."""
    low = share.copy()
    for i in range(len(low) - 1, -1, -1):
        if weight[i] <= 0.0:
            continue
        limit = lowest
        count = np.zeros(len(low), dtype=np.int64)
        while _next_multiset(count, most):
            if count[i] == 0 or _dot(count, weight) <= 1.0 + 1e-9:
                continue
            rest = 0.0
            for k in range(len(low)):
                if k != i:
                    rest += count[k] * low[k]
            limit = max(limit, (room - rest) / count[i])
        low[i] = min(low[i], limit + 1e-9)
    return low
