"""Exchanges between exact groups: exhaustive search of small neighbourhoods, thousands a second.

For programs that choose one column in each group under a few rows Σ a·x <= b, a >= 0 (the
multiple-choice multidimensional knapsack). With dual values y of the rows, a column's loss is what
its group's best reduced value exceeds its own by, and

    bound − value·x = Σ losses of the chosen columns + y·(b − Ax),

so whatever betters the incumbent has a smaller sum. A neighbourhood releases some groups; a depth
first search tries their columns, those of small loss first, and turns back where the losses alone
are too large or a row cannot be kept. The search moves to the best other assignment of the
neighbourhood as long as it is not much worse than the best known (record-to-record travel, Dueck
1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..program import Program
from .pricing import Pricing, binary_columns

_MOST_ROWS = 64
_NODES = 5_000  # a neighbourhood's; one that takes more was too large
_NODE_WORK = 2e-9  # seconds of a nominal machine for a node and a row
_FIRST_SIZE = 6.0  # groups of a neighbourhood at first
_NOTHING = 1e-9  # what is between the bound and an assignment that cannot be bettered


@dataclass(frozen=True, slots=True)
class ExchangeProblem:
    """The program as the search reads it.

    Attributes
    ----------
    first, column
        columns by group, those of small loss first: group g has ``column[first[g]:first[g + 1]]``.
    loss
        (columns,) in the order of ``column``.
    weight
        (columns, rows) in the order of ``column``.
    capacity, dual
        (rows,) sides, and dual values.
    bound
        what no assignment is worth more than.
    """

    first: NDArray[np.int64]
    column: NDArray[np.int64]
    loss: NDArray[np.float64]
    weight: NDArray[np.float64]
    capacity: NDArray[np.float64]
    dual: NDArray[np.float64]
    bound: float


def exchange_problem(program: Program, pricing: Pricing) -> ExchangeProblem | None:
    """The program in this form; None where it does not have it."""
    bounded = np.isfinite(program.row_upper)
    if (
        program.n_rows > _MOST_ROWS
        or not program.group_exact.all()
        or np.any(program.group < 0)
        or not binary_columns(program).all()
        or np.any(np.isfinite(program.row_lower))
        or np.any(program.coefficient < 0)
    ):
        return None
    loss = pricing.group_best[program.group] - pricing.reduced
    column = np.lexsort((loss, program.group)).astype(np.int64)
    first = np.searchsorted(program.group[column], np.arange(program.n_groups + 1))
    dense = program.matrix().toarray().T[column][:, bounded]
    return ExchangeProblem(
        first=first.astype(np.int64),
        column=column,
        loss=np.maximum(loss[column], 0.0),
        weight=np.ascontiguousarray(dense),
        capacity=program.row_upper[bounded],
        dual=np.maximum(pricing.row_dual[: program.n_rows][bounded], 0.0),
        bound=pricing.bound,
    )


def exchange(
    problem: ExchangeProblem,
    values: NDArray[np.float64],
    nodes: int,
    deviation: float,
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """The best assignment on a walk from one, and the work in seconds of a nominal machine.

    Parameters
    ----------
    values
        (columns,) the assignment to start from.
    nodes
        of all neighbourhoods together, at least, after which to stop.
    deviation
        of (bound − best), by which the current assignment may be worse than the best.
    seed
        of the walk.
    """
    place = np.flatnonzero(values[problem.column] > 0.5)
    chosen, searched = _walk(
        problem.first,
        problem.loss,
        problem.weight,
        problem.capacity,
        problem.dual,
        place,
        nodes,
        deviation,
        np.uint64(seed),
    )
    better = np.zeros(len(values))
    better[problem.column[chosen]] = 1.0
    return better, searched * node_seconds(problem)


def node_seconds(problem: ExchangeProblem) -> float:
    """What a node takes on a nominal machine."""
    return _NODE_WORK * max(problem.weight.shape[1], 1)


@njit(cache=True, nogil=True)
def _random(state: NDArray[np.uint64], below: int) -> int:
    """The next number of xorshift64 (Marsaglia 2003), below a limit."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return int((x >> np.uint64(11)) % np.uint64(below))


@njit(cache=True, nogil=True)
def _walk(
    first: NDArray[np.int64],
    loss: NDArray[np.float64],
    weight: NDArray[np.float64],
    capacity: NDArray[np.float64],
    dual: NDArray[np.float64],
    start: NDArray[np.int64],
    nodes: int,
    deviation: float,
    seed: np.uint64,
) -> tuple[NDArray[np.int64], int]:
    """Walk from neighbourhood to neighbourhood; the best places (in ``loss``) of each group."""
    n_groups, n_rows = len(first) - 1, len(capacity)
    state = np.empty(1, dtype=np.uint64)
    state[0] = seed * np.uint64(2685821657736338717) + np.uint64(88172645463325252)
    current, best = start.copy(), start.copy()
    room = capacity.copy()
    total = 0.0
    for g in range(n_groups):
        total += loss[current[g]]
        for i in range(n_rows):
            room[i] -= weight[current[g], i]
    total += _paid(dual, room)
    best_total, size, searched = total, _FIRST_SIZE, 0
    order = np.arange(n_groups)
    while searched < nodes and best_total > _NOTHING:
        k = min(max(int(size), 2), n_groups)
        for i in range(k):  # the first k of a random order
            j = i + _random(state, n_groups - i)
            order[i], order[j] = order[j], order[i]
        released = order[:k].copy()
        budget = min(total, best_total) + deviation * best_total
        found, found_total, used = _search(
            first, loss, weight, dual, current, room, released, total, budget
        )
        searched += used
        size = min(size * 1.002, 1.0 * n_groups) if used < _NODES else max(size * 0.98, 2.0)
        if found[0] < 0:
            continue
        for i in range(k):
            g = released[i]
            for r in range(n_rows):
                room[r] += weight[current[g], r] - weight[found[i], r]
            current[g] = found[i]
        total = found_total
        if total < best_total - 1e-9:
            best_total = total
            best[:] = current
    return best, searched


@njit(cache=True, nogil=True)
def _paid(dual: NDArray[np.float64], room: NDArray[np.float64]) -> float:
    total = 0.0
    for i in range(len(room)):
        total += dual[i] * room[i]
    return total


@njit(cache=True, nogil=True)
def _search(
    first: NDArray[np.int64],
    loss: NDArray[np.float64],
    weight: NDArray[np.float64],
    dual: NDArray[np.float64],
    current: NDArray[np.int64],
    room: NDArray[np.float64],
    released: NDArray[np.int64],
    total: float,
    budget: float,
) -> tuple[NDArray[np.int64], float, int]:
    """The best other assignment of the released groups below the budget; -1 where there is none."""
    k, n_rows = len(released), len(room)
    left = np.empty((k + 1, n_rows))  # what the rows have left before each depth
    least = np.zeros((k + 1, n_rows))  # what the groups from a depth on take at the least
    left[0] = room
    base = total - _paid(dual, room)
    for i in range(k):
        g = released[i]
        base -= loss[current[g]]
        for r in range(n_rows):
            left[0, r] += weight[current[g], r]
    for i in range(k - 1, -1, -1):
        g = released[i]
        for r in range(n_rows):
            smallest = np.inf
            for p in range(first[g], first[g + 1]):
                if base + loss[p] >= budget:
                    break
                smallest = min(smallest, weight[p, r])
            least[i, r] = least[i + 1, r] + smallest
    place = np.empty(k, dtype=np.int64)
    sums = np.empty(k + 1)
    sums[0] = base
    found = np.full(k, -1, dtype=np.int64)
    depth, used = 0, 0
    place[0] = first[released[0]] - 1
    while depth >= 0 and used < _NODES:
        place[depth] += 1
        p, g = place[depth], released[depth]
        if p >= first[g + 1] or sums[depth] + loss[p] >= budget:
            depth -= 1
            continue
        used += 1
        fits = True
        for r in range(n_rows):
            rest = left[depth, r] - weight[p, r]
            left[depth + 1, r] = rest
            if rest < least[depth + 1, r] - 1e-9:
                fits = False
                break
        if not fits:
            continue
        sums[depth + 1] = sums[depth] + loss[p]
        if depth + 1 < k:
            depth += 1
            place[depth] = first[released[depth]] - 1
            continue
        whole = sums[k] + _paid(dual, left[k])
        if whole >= budget:
            continue
        same = True
        for i in range(k):
            if place[i] != current[released[i]]:
                same = False
                break
        if not same:
            budget = whole
            found[:] = place
    return found, budget, used
