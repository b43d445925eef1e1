"""Odd-set cuts: what whole numbers imply for products that may be in one bundle each.

Bundles of two products that share none are a matching, and its relaxation likes to put ½ on each
of three bundles over three products. For an odd set S of rows Σ x <= 1 with coefficients 1, the
halved sum of its rows, rounded down, holds for whole numbers (Edmonds 1965):

    Σ_j ⌊(rows of S that j is in)/2⌋·x_j <= (|S| − 1)/2.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from ..program import Program
from .cuts import Cut
from .row_shapes import RowShapes

_FRACTIONAL = 1e-6
_VIOLATION = 1e-3
_SMALLEST_WEIGHT = 1e-9  # a stored zero is no edge to scipy


def odd_set_cuts(
    program: Program, unit_row: NDArray[np.bool_], values: NDArray[np.float64]
) -> list[Cut]:
    """The odd-set cuts that an assignment violates: rounding with multipliers ½.

    Parameters
    ----------
    unit_row
        (rows,) rows Σ x <= 1, all coefficients 1 (``unit_rows``).
    values
        (columns,) a solution of the linear relaxation.
    """
    fractional = np.flatnonzero((values > _FRACTIONAL) & (values < 1 - _FRACTIONAL))
    if len(fractional) == 0:
        return []
    support = np.flatnonzero(values > _FRACTIONAL)
    few = program.take(support).matrix()
    cuts: dict[tuple[int, ...], None] = {}
    for rows in _odd_cycles(program, values, fractional, unit_row):
        inside = np.zeros(program.n_rows)
        inside[rows] = 1.0
        held = np.floor((inside @ (few != 0)) / 2) @ values[support]
        if held > (len(rows) - 1) / 2 + _VIOLATION:
            cuts[tuple(rows.tolist())] = None
    return [_cut(np.array(rows)) for rows in cuts]


def unit_rows(program: Program, shapes: RowShapes) -> NDArray[np.bool_]:
    """(rows,) rows Σ x <= 1 over binary columns, all coefficients 1."""
    return (program.row_upper == 1.0) & shapes.ones


def _odd_cycles(
    program: Program,
    values: NDArray[np.float64],
    fractional: NDArray[np.int64],
    unit: NDArray[np.bool_],
) -> list[NDArray[np.int64]]:
    """Rows of short odd cycles whose edges are fractional columns between two unit rows.

    A cycle is violated where Σ (1 − 2·x) < 1 over its edges. The shortest odd closed walk
    through a row is a shortest path between its two copies in the doubled graph.
    """
    edges = [
        (*pair, max(1 - 2 * values[j], _SMALLEST_WEIGHT))
        for j in fractional
        for pair in combinations(_rows_of(program, j, unit), 2)
    ]
    if not edges:
        return []
    ends = np.array([edge[:2] for edge in edges])
    names, local = np.unique(ends, return_inverse=True)
    u, v = local.reshape(ends.shape).T
    weight = np.array([edge[2] for edge in edges])
    n = len(names)
    u, v = u.astype(np.int32), v.astype(np.int32)  # what scipy's shortest paths took at first
    tails, heads = np.concatenate([u, u + n, v, v + n]), np.concatenate([v + n, v, u + n, u])
    order = np.lexsort((np.tile(weight, 4), heads, tails))
    key = tails[order].astype(np.int64) * 2 * n + heads[order]
    first = order[np.concatenate([[True], key[1:] != key[:-1]])]
    doubled = sparse.csr_array(
        (np.tile(weight, 4)[first], (tails[first], heads[first])), shape=(2 * n, 2 * n)
    )
    distance, before = dijkstra(doubled, indices=np.arange(n), return_predecessors=True, limit=1.0)
    cycles = []
    for source in range(n):
        if not np.isfinite(distance[source, source + n]):
            continue
        walk, node = [], source + n
        while node != source:
            walk.append(node % n)
            node = before[source, node]
        if len(set(walk)) == len(walk):
            cycles.append(np.sort(names[walk]))
    return cycles


def _rows_of(program: Program, column: int, unit: NDArray[np.bool_]) -> NDArray[np.int32]:
    rows = program.row[program.start[column] : program.start[column + 1]]
    return rows[unit[rows]]


def _cut(rows: NDArray[np.int64]) -> Cut:
    return Cut(
        row=rows,
        group=np.zeros(len(rows), dtype=bool),
        multiplier=np.full(len(rows), 0.5),
        slack=np.zeros(len(rows)),
        fraction=0.5,
        side=(len(rows) - 1) / 2,
    )
