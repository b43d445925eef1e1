"""Odd-set cuts: what whole numbers imply for products that may be in one bundle each.

Bundles of two products that share none are a matching, and its relaxation likes to put ½ on each
of three bundles over three products. For an odd set S of rows Σ x <= 1 with coefficients 1, the
halved sum of its rows, rounded down, holds for whole numbers (Edmonds 1965):

    Σ_j ⌊(rows of S that j is in)/2⌋·x_j <= (|S| − 1)/2.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from ..program import Program
from .pricing import binary_columns

_KIND = "odd-set"
_FRACTIONAL = 1e-6
_VIOLATION = 1e-3
_SMALLEST_WEIGHT = 1e-9  # a stored zero is no edge to scipy


def with_odd_set_cuts(program: Program, values: NDArray[np.float64]) -> Program:
    """The program with the odd-set rows that the assignment violates; the same where none is.

    Parameters
    ----------
    values
        (columns,) a solution of the linear relaxation.
    """
    fractional = np.flatnonzero((values > _FRACTIONAL) & (values < 1 - _FRACTIONAL))
    if len(fractional) == 0:
        return program
    unit = _unit_rows(program)
    support = np.flatnonzero(values > _FRACTIONAL)
    few = program.take(support).matrix()
    cuts: dict[tuple[int, ...], None] = {}
    for rows in _odd_cycles(program, values, fractional, unit):
        inside = np.zeros(program.n_rows)
        inside[rows] = 1.0
        held = np.floor((inside @ (few != 0)) / 2) @ values[support]
        if held > (len(rows) - 1) / 2 + _VIOLATION:
            cuts[tuple(rows.tolist())] = None
    return _with_rows(program, [np.array(rows) for rows in cuts]) if cuts else program


def _unit_rows(program: Program) -> NDArray[np.bool_]:
    """Rows Σ x <= 1 over binary columns, all coefficients 1, but not the cuts made here."""
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    other = (program.coefficient != 1.0) | ~binary_columns(program)[column]
    unit = program.row_upper == 1.0
    unit[program.row[other]] = False
    unit &= np.array([kind != _KIND for kind in program.row_kind], dtype=np.bool_)
    return unit


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


def _with_rows(program: Program, cuts: list[NDArray[np.int64]]) -> Program:
    """The program with a row for each set of rows."""
    matrix = program.matrix()
    parts = [matrix]
    inside = np.zeros(program.n_rows, dtype=np.bool_)
    for rows in cuts:
        inside[rows] = True
        held = _halved(program.start, program.row, inside)
        inside[rows] = False
        columns = np.flatnonzero(held)
        parts.append(
            sparse.csc_array(
                (held[columns], (np.zeros(len(columns), dtype=np.int64), columns)),
                shape=(1, program.n_columns),
            )
        )
    together = sparse.vstack(parts).tocsc()
    together.sort_indices()
    names = tuple(f"odd set {program.n_rows + k}" for k in range(len(cuts)))
    sides = np.array([(len(rows) - 1) / 2 for rows in cuts])
    return replace(
        program,
        start=together.indptr.astype(np.int64),
        row=together.indices.astype(np.int32),
        coefficient=together.data,
        row_lower=np.concatenate([program.row_lower, np.full(len(cuts), -np.inf)]),
        row_upper=np.concatenate([program.row_upper, sides]),
        row_name=program.row_name + names,
        row_rule=program.row_rule + names,
        row_kind=program.row_kind + (_KIND,) * len(cuts),
    )


@njit(cache=True)
def _halved(
    start: NDArray[np.int64], row: NDArray[np.int32], inside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(columns,) half the rows of the set that a column is in, rounded down."""
    held = np.zeros(len(start) - 1)
    for j in range(len(held)):
        count = 0
        for e in range(start[j], start[j + 1]):
            if inside[row[e]]:
                count += 1
        held[j] = count // 2
    return held
