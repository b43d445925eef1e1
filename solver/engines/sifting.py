"""The linear relaxation over all columns, solved on a few thousand of them at a time.

Solve the relaxation over a restricted set, price every column with its dual values, add the
best, repeat until no column improves it (sifting; Bixby, Gregory, Lustig, Marsten & Shanno 1992).
Each round's dual values give a bound that holds for all columns (``pricing``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..program import Program
from .interface import Clock
from .linear import Basis, LinearAnswer, linear_answer
from .pricing import Pricing, binary_columns, pick_diverse, price

_FIRST = 4000  # columns in the first restricted relaxation
_ADDED = 3000  # columns added in a round, at most
_MOST = 24_000  # columns in a restricted relaxation before it is trimmed
_PER_ROW = 3  # columns a round adds to one sparse row, at most
_SPARSE = 0.02  # a row is sparse when it holds less than this share of the columns
_NEGLIGIBLE = 1e-9  # an improvement, relative to the largest value, that is none
_CLOSED = 1e-7  # relative difference between restricted relaxation and bound that is nothing
_PRICING_WORK = 5e-9  # seconds of a nominal machine an entry
_INFEASIBLE = 1e-6  # scaled violation that no assignment can avoid


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What sifting found out.

    Attributes
    ----------
    pricing
        all columns under the dual values with the best bound; None where no restricted
        relaxation was solved in time.
    columns
        the columns of the last restricted relaxation, ascending.
    values
        (columns,) its primal values, over all columns.
    infeasible
        proven: the relaxation over all columns has no solution.
    conflict
        (rows,) whether the row takes part in that proof; None without one.
    rounds
        restricted relaxations solved.
    basis
        what the last restricted relaxation rests on.
    """

    pricing: Pricing | None
    columns: NDArray[np.int64]
    values: NDArray[np.float64] | None
    infeasible: bool
    rounds: int
    conflict: NDArray[np.bool_] | None = None
    basis: Basis | None = None


def sift(
    program: Program,
    clock: Clock,
    columns: NDArray[np.int64] | None = None,
    basis: Basis | None = None,
) -> Relaxation:
    """Solve the linear relaxation over all columns, or show that there is none.

    Parameters
    ----------
    columns
        the restricted set to begin with, if one is at hand.
    basis
        one over these columns that was optimal until rows came in.
    """
    sparse_row = _sparse_rows(program)
    if columns is None:
        columns = _first_columns(program, sparse_row)
    first = _restricted(program, columns, clock, basis, rows_added=True)
    if first is None and not clock.over():
        slack_program = _with_slacks(program)
        slack = np.arange(program.n_columns, slack_program.n_columns)
        both = np.concatenate([columns, slack])
        phase = _rounds(slack_program, both, None, clock, sparse_row, goal=0.0)
        if phase.pricing is not None and phase.pricing.bound < -_INFEASIBLE:
            conflict = phase.pricing.row_dual != 0
            return Relaxation(None, columns, None, True, phase.rounds, conflict)
        columns = phase.columns[phase.columns < program.n_columns]
    return _rounds(program, columns, first, clock, sparse_row)


def _restricted(
    program: Program,
    columns: NDArray[np.int64],
    clock: Clock,
    basis: Basis | None,
    *,
    rows_added: bool = False,
) -> LinearAnswer | None:
    seconds = math.inf if clock.deterministic else clock.left()
    answer = linear_answer(program.take(columns), seconds, basis, rows_added=rows_added)
    if answer is not None:
        clock.charge(answer.work)
    return answer


def _rounds(
    program: Program,
    columns: NDArray[np.int64],
    answer: LinearAnswer | None,
    clock: Clock,
    sparse_row: NDArray[np.bool_],
    goal: float = math.inf,
) -> Relaxation:
    """Solve, price, add, until nothing improves, ``goal`` is reached or time is up."""
    scale = max(1.0, float(program.value.max(initial=0.0)), -float(program.value.min(initial=0.0)))
    best: Pricing | None = None
    values: NDArray[np.float64] | None = None
    basis: Basis | None = None
    rounds = 0
    while True:
        if answer is None:
            answer = _restricted(program, columns, clock, basis)
        if answer is None:
            break
        rounds += 1
        values = np.zeros(program.n_columns)
        values[columns] = answer.values
        now = price(program, answer.row_dual)
        clock.charge(_PRICING_WORK * len(program.row))
        if best is None or now.bound < best.bound:
            best = now
        basis = answer.basis
        closed = best.bound - answer.objective <= _CLOSED * max(1.0, abs(answer.objective))
        if closed or answer.objective >= goal - 1e-9 or clock.over():
            break
        grown = _grown(program, columns, now, answer, sparse_row, _NEGLIGIBLE * scale)
        if grown is None:
            break
        basis = basis.moved(program, columns, grown)
        columns, answer = grown, None
    return Relaxation(best, columns, values, infeasible=False, rounds=rounds, basis=basis)


def _grown(
    program: Program,
    columns: NDArray[np.int64],
    pricing: Pricing,
    answer: LinearAnswer,
    sparse_row: NDArray[np.bool_],
    least: float,
) -> NDArray[np.int64] | None:
    """The restricted set with the columns that improve it most, None where there are none.

    A column improves where its reduced value exceeds its group's dual value, by ``least``.
    """
    group_dual = np.where(
        program.group_exact, answer.group_dual, np.maximum(answer.group_dual, 0.0)
    )
    entering, score = _entering(pricing.reduced, program.group, group_dual, columns, least)
    if len(entering) == 0:
        return None
    added = _spread(program, entering, score, sparse_row, _ADDED)
    return np.sort(np.concatenate([_kept(program, columns, pricing, group_dual, answer), added]))


def _kept(
    program: Program,
    columns: NDArray[np.int64],
    pricing: Pricing,
    group_dual: NDArray[np.float64],
    answer: LinearAnswer,
) -> NDArray[np.int64]:
    """The restricted set, or half of what it may hold once it is full: what the solution rests
    on, what is not binary, and the best of the others."""
    binary = binary_columns(program, columns)
    if np.count_nonzero(binary) <= _MOST:
        return columns
    group = program.group[columns]
    score = pricing.reduced[columns] - np.where(group >= 0, np.append(group_dual, 0.0)[group], 0.0)
    resting = answer.basis.basic_columns() | (answer.values > 0)
    worth = np.where(~binary | resting, np.inf, score)
    most = max(_MOST // 2, int(np.isposinf(worth).sum()))
    return np.sort(columns[np.argsort(-worth, kind="stable")[:most]])


def _first_columns(program: Program, sparse_row: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A spread of valuable columns, one of each exact group, and all that are not binary."""
    if program.n_columns <= _FIRST:
        return np.arange(program.n_columns)
    everything = np.arange(program.n_columns)
    chosen = ~binary_columns(program)
    chosen[_spread(program, everything, program.value, sparse_row, _FIRST)] = True
    leaders = _leaders(program.group, program.group_exact, program.value)
    chosen[leaders[leaders >= 0]] = True
    return np.flatnonzero(chosen)


def _spread(
    program: Program,
    among: NDArray[np.int64],
    score: NDArray[np.float64],
    sparse_row: NDArray[np.bool_],
    most: int,
) -> NDArray[np.int64]:
    """The best columns, at most so many a group and a sparse row.

    Parameters
    ----------
    among, score
        (k,) columns to choose from, ascending, and what each is worth.
    """
    pool = 20 * most
    if len(among) > pool:  # ties in, whatever their order
        best = np.flatnonzero(score >= np.partition(score, -pool)[-pool])
        among, score = among[best], score[best]
    order = among[np.argsort(-score, kind="stable")]
    per_group = 2 if bool(program.group_exact.any()) else 1
    return pick_diverse(
        order,
        most,
        program.group,
        program.n_groups,
        per_group,
        program.start,
        program.row,
        sparse_row,
        _PER_ROW,
    )


@njit(cache=True)
def _entering(
    reduced: NDArray[np.float64],
    group: NDArray[np.int32],
    group_dual: NDArray[np.float64],
    inside: NDArray[np.int64],
    least: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Columns that are not ``inside`` (ascending) and score more than ``least``, and the scores."""
    columns, scores = np.empty(len(reduced), dtype=np.int64), np.empty(len(reduced))
    n, k = 0, 0
    for j in range(len(reduced)):
        if k < len(inside) and inside[k] == j:
            k += 1
            continue
        score = reduced[j]
        if group[j] >= 0:
            score -= group_dual[group[j]]
        if score > least:
            columns[n], scores[n] = j, score
            n += 1
    return columns[:n].copy(), scores[:n].copy()


@njit(cache=True)
def _leaders(
    group: NDArray[np.int32], group_exact: NDArray[np.bool_], value: NDArray[np.float64]
) -> NDArray[np.int64]:
    """(groups,) the most valuable column of each exact group, -1 for other groups."""
    leader = np.full(len(group_exact), -1, dtype=np.int64)
    for j in range(len(group)):
        g = group[j]
        if g >= 0 and group_exact[g] and (leader[g] < 0 or value[j] > value[leader[g]]):
            leader[g] = j
    return leader


def _sparse_rows(program: Program) -> NDArray[np.bool_]:
    return program.row_counts() < _SPARSE * program.n_columns


def _with_slacks(program: Program) -> Program:
    """Phase one: maximise −Σ (scaled violation of the rows), the values left aside."""
    lower = np.flatnonzero(np.isfinite(program.row_lower))
    upper = np.flatnonzero(np.isfinite(program.row_upper))
    scale = np.maximum(program.row_sizes(), 1.0)
    n_slacks = len(lower) + len(upper)
    row = np.concatenate([lower, upper])
    sign = np.concatenate([np.ones(len(lower)), -np.ones(len(upper))])
    return replace(
        program,
        value=np.concatenate([np.zeros(program.n_columns), -np.ones(n_slacks)]),
        lower=np.concatenate([program.lower, np.zeros(n_slacks)]),
        upper=np.concatenate([program.upper, np.full(n_slacks, np.inf)]),
        integral=np.concatenate([program.integral, np.zeros(n_slacks, dtype=bool)]),
        group=np.concatenate([program.group, np.full(n_slacks, -1, dtype=np.int32)]),
        start=np.concatenate([program.start, program.start[-1] + 1 + np.arange(n_slacks)]),
        row=np.concatenate([program.row, row.astype(np.int32)]),
        coefficient=np.concatenate([program.coefficient, sign * scale[row]]),
    )
