"""The linear relaxation over all columns, solved on a few thousand of them at a time.

Solve the relaxation over a restricted set, price every column with its dual values, add the
best, repeat until no column improves it (sifting; Bixby, Gregory, Lustig, Marsten & Shanno 1992).
Each round's dual values give a bound that holds for all columns (``pricing``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
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
    if columns is None:
        columns = _first_columns(program)
    first = _restricted(program, columns, clock, basis, rows_added=True)
    if first is None and not clock.over():
        slack_program = _with_slacks(program)
        slack = np.arange(program.n_columns, slack_program.n_columns)
        phase = _rounds(slack_program, np.concatenate([columns, slack]), None, clock, goal=0.0)
        if phase.pricing is not None and phase.pricing.bound < -_INFEASIBLE:
            conflict = phase.pricing.row_dual != 0
            return Relaxation(None, columns, None, True, phase.rounds, conflict)
        columns = phase.columns[phase.columns < program.n_columns]
    return _rounds(program, columns, first, clock)


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
    goal: float = math.inf,
) -> Relaxation:
    """Solve, price, add, until nothing improves, ``goal`` is reached or time is up."""
    sparse_row = _sparse_rows(program)
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
        grown, any_entered = _grown(program, columns, now, answer, sparse_row)
        if not any_entered:
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
) -> tuple[NDArray[np.int64], bool]:
    """The restricted set with the columns that improve it most, and whether there are any.

    A column improves where its reduced value exceeds its group's dual value.
    """
    score = pricing.reduced.copy()
    grouped = program.group >= 0
    group_dual = np.where(
        program.group_exact, answer.group_dual, np.maximum(answer.group_dual, 0.0)
    )
    score[grouped] -= group_dual[program.group[grouped]]
    binary = binary_columns(program)[columns]
    kept = columns
    if np.count_nonzero(binary) > _MOST:
        resting = answer.basis.basic_columns() | (answer.values > 0)
        worth = np.where(~binary | resting, np.inf, score[columns])
        most = max(_MOST // 2, int(np.isposinf(worth).sum()))
        kept = np.sort(columns[np.argsort(-worth, kind="stable")[:most]])
    inside = np.zeros(program.n_columns, dtype=bool)
    inside[columns] = True
    scale = max(1.0, float(np.abs(program.value).max(initial=0.0)))
    entering = np.flatnonzero(~inside & (score > 1e-9 * scale))
    added = _spread(program, entering, score, sparse_row, _ADDED)
    return np.sort(np.concatenate([kept, added])), len(added) > 0


def _first_columns(program: Program) -> NDArray[np.int64]:
    """A spread of valuable columns, one of each exact group, and all that are not binary."""
    if program.n_columns <= _FIRST:
        return np.arange(program.n_columns)
    everything = np.arange(program.n_columns)
    chosen = np.zeros(program.n_columns, dtype=bool)
    spread = _spread(program, everything, program.value, _sparse_rows(program), _FIRST)
    chosen[spread] = True
    chosen |= ~binary_columns(program)
    if program.group_exact.any():
        order = np.lexsort((-program.value, program.group))
        group = program.group[order]
        leaders = order[(group >= 0) & np.concatenate([[True], group[1:] != group[:-1]])]
        chosen[leaders[program.group_exact[program.group[leaders]]]] = True
    return np.flatnonzero(chosen)


def _spread(
    program: Program,
    among: NDArray[np.int64],
    score: NDArray[np.float64],
    sparse_row: NDArray[np.bool_],
    most: int,
) -> NDArray[np.int64]:
    pool = 20 * most
    if len(among) > pool:
        among = among[np.argpartition(-score[among], pool)[:pool]]
    order = among[np.argsort(-score[among], kind="stable")]
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


def _sparse_rows(program: Program) -> NDArray[np.bool_]:
    entries = np.bincount(program.row, minlength=program.n_rows)
    return entries < _SPARSE * program.n_columns


def _with_slacks(program: Program) -> Program:
    """Phase one: maximise −Σ (scaled violation of the rows), the values left aside."""
    lower = np.flatnonzero(np.isfinite(program.row_lower))
    upper = np.flatnonzero(np.isfinite(program.row_upper))
    scale = np.ones(program.n_rows)
    np.maximum.at(scale, program.row, np.abs(program.coefficient))
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
