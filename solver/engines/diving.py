"""Diving: from the linear relaxation to an assignment, by choosing what it is surest of.

Columns at 1, and the nearest to it, are chosen; what they use is taken off the rows; the relaxation
over what still fits is solved again, until it is whole.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from .answer import settled
from .interface import Clock
from .linear import linear_answer
from .presolve import presolve
from .pricing import binary_columns

_LEAST_SHARE = 0.03  # of the fractional columns that are chosen in a round, at least
_WHOLE = 1e-6


def dive(
    program: Program, values: NDArray[np.float64], sure: float, clock: Clock
) -> NDArray[np.float64] | None:
    """(columns,) a feasible assignment near a solution of the relaxation; None where that fails.

    Parameters
    ----------
    program
        the columns to choose from.
    values
        (columns,) the solution to start from.
    sure
        a value from which a column is chosen.
    """
    binary = binary_columns(program)
    kept = np.flatnonzero(binary & (values > 1 - _WHOLE))
    now, stuck = values, False
    while not clock.over():
        fractional = np.flatnonzero(binary & (now > _WHOLE) & (now < 1 - _WHOLE))
        if len(fractional) == 0:
            return settled(program, now)
        order = fractional[np.argsort(-now[fractional], kind="stable")]
        least = math.ceil(_LEAST_SHARE * len(order))
        wanted = order[: max(least, int(np.count_nonzero(now[order] >= sure)))]
        more = _that_fit(program, kept, wanted)
        if len(more) == 0 and stuck:
            return None
        stuck = len(more) == 0  # the relaxation over what still fits may know others
        kept = np.union1d(kept, more)
        part, columns = what_fits(program, kept)
        answer = linear_answer(part, math.inf if clock.deterministic else clock.left())
        if answer is None:
            return None
        clock.charge(answer.work)
        now = np.zeros(program.n_columns)
        now[kept] = 1.0
        now[columns] = answer.values
        kept = np.union1d(kept, np.flatnonzero(binary & (now > 1 - _WHOLE)))
    return None


def what_fits(program: Program, kept: NDArray[np.int64]) -> tuple[Program, NDArray[np.int64]]:
    """The program that chosen columns leave, and its columns: those that still fit."""
    activity, taken = _occupied(program, kept)
    free = ~taken[program.group]
    free[kept] = False
    columns = np.flatnonzero(free)
    part = replace(
        program.take(columns),
        row_lower=program.row_lower - activity,
        row_upper=program.row_upper - activity,
        group_exact=program.group_exact & ~taken[:-1],
    )
    part, possible = presolve(part)
    return part, columns[possible]


def _that_fit(
    program: Program, kept: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The wanted columns, in their order, that together keep upper sides and groups."""
    activity, taken = _occupied(program, kept)
    fitting = []
    for j in wanted.tolist():
        entries = slice(program.start[j], program.start[j + 1])
        rows, coefficient = program.row[entries], program.coefficient[entries]
        after = activity[rows] + coefficient
        crowded = (coefficient > 0) & (after > program.row_upper[rows] + 1e-9)
        if taken[program.group[j]] or crowded.any():
            continue
        fitting.append(j)
        activity[rows] = after
        taken[program.group[j]] = program.group[j] >= 0
    return np.array(fitting, dtype=np.int64)


def _occupied(
    program: Program, kept: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(rows,) what chosen columns add up to, and (groups + 1,) theirs; the last is no group's."""
    used = np.zeros(program.n_columns)
    used[kept] = 1.0
    taken = np.zeros(program.n_groups + 1, dtype=bool)
    taken[program.group[kept]] = True
    taken[-1] = False
    return program.activity(used), taken
