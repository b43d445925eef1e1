"""Random programs that choose one column in each group, and their optima by trying all choices."""

from __future__ import annotations

from itertools import product

import numpy as np
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from numpy.typing import NDArray


def choice_program(
    seed: int, *, groups: int = 5, rows: int = 3, room: float = 0.45, places: int = 0
) -> Program:
    """A multiple-choice multidimensional knapsack.

    Parameters
    ----------
    room
        of what the largest choices take; about 0.3 and below, many are infeasible.
    places
        decimal places of values and weights.
    """
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), random.integers(1, 5, groups))
    n = len(group)
    weight = random.integers(0, 50, (rows, n)) * (random.random((rows, n)) < 0.8) / 10.0**places
    # what takes more is worth more, so that the rows decide
    value = (weight.sum(axis=0) + random.integers(-5, 40, n) / 10.0**places).round(places)
    builder = ProgramBuilder(value, group=group, group_exact=np.ones(groups, dtype=bool))
    for i in range(rows):
        largest = sum(weight[i, group == g].max() for g in range(groups))
        upper = float(np.round(room * largest, places))
        builder.add_row(f"row {i}", np.arange(n), weight[i], upper=upper)
    return builder.build()


def choices(program: Program) -> NDArray[np.float64]:
    """(choices, columns) every choice of one column a group, whether it keeps the rows or not."""
    members = [np.flatnonzero(program.group == g) for g in range(program.n_groups)]
    chosen = np.array(list(product(*members)))
    points = np.zeros((len(chosen), program.n_columns))
    points[np.arange(len(chosen))[:, None], chosen] = 1.0
    return points


def feasible_choices(program: Program) -> NDArray[np.float64]:
    """(choices, columns) those that keep the rows."""
    points = choices(program)
    activity = points @ program.matrix().toarray().T
    room = 1e-6 * np.maximum(1.0, np.abs(program.row_upper))
    return points[np.all(activity <= program.row_upper + room, axis=1)]


def best_choice(program: Program) -> float | None:
    """What the best choice is worth; None where none keeps the rows."""
    points = feasible_choices(program)
    return float((points @ program.value).max()) if len(points) else None
