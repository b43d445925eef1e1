"""Columns that only cost, set to the least that their row asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .program import Program
from .solution import Solution


def without_excess(program: Program, solution: Solution) -> Solution:
    """The solution with soft targets charged for exactly the units that are missing.

    An engine that stops at a gap may leave s above what Σ units·x + s >= target asks for. Each
    continuous column with a negative value that stands in one row only, in which more of it
    helps a lower side, comes down to max(lower, (side − rest of the row)/coefficient). That keeps
    the row and lowers no objective.
    """
    if solution.values is None or solution.objective is None:
        return solution
    single = np.diff(program.start) == 1
    soft = np.flatnonzero(single & ~program.integral & (program.value < 0))
    if len(soft) == 0:
        return solution
    values = solution.values.copy()
    row, coefficient = program.row[program.start[soft]], program.coefficient[program.start[soft]]
    rest = program.activity(values)[row] - coefficient * values[soft]
    lower, upper = program.row_lower[row], program.row_upper[row]
    alone = np.bincount(row, minlength=program.n_rows)[row] == 1
    fits = alone & (coefficient > 0) & np.isfinite(lower) & np.isposinf(upper)
    least = np.clip((lower - rest) / coefficient, program.lower[soft], program.upper[soft])
    values[soft[fits]] = np.minimum(values[soft], least)[fits]
    objective = max(program.objective(values), solution.objective)
    bound = None if solution.bound is None else max(solution.bound, objective)
    return replace(solution, values=values, objective=objective, bound=bound)
