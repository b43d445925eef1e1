"""The seed's rule: the plan of least loss, and among equal losses the one that earns most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .engines.interface import Clock, EngineSettings, Interrupt
from .engines.solve import solve_program
from .offers import Offers
from .program import Program
from .program_builder import ProgramBuilder
from .solution import Solution, Status

_TIE = 1e-9  # relative: losses closer than that are equal
_SCALE = 1e3  # of the row that keeps the loss, so that solvers' absolute tolerance is a tie


def break_ties(
    program: Program,
    offers: Offers,
    solution: Solution,
    settings: EngineSettings,
    interrupt: Interrupt | None = None,
) -> Solution:
    """The best incremental margin among plans whose objective equals the best.

    Solves the program to the end where ``solution`` left a gap, then maximises the incremental
    margin under value · x >= best objective, both within ``settings.time_limit``; where that is
    too short, ``solution`` stands. Objective and bound of the answer are those of the program's
    own objective.
    """
    clock = Clock(settings.time_limit, deterministic=settings.deterministic, interrupt=interrupt)
    exact = replace(settings, gap=0.0)
    first = solution if solution.gap == 0 else solve_program(program, exact, interrupt=interrupt)
    if first.status is not Status.OPTIMAL or first.objective is None:
        return solution
    best = first.objective
    in_time = replace(exact, time_limit=clock.left())
    among = _among_the_best(program, offers, best)
    second = solve_program(among, in_time, interrupt=interrupt)
    if second.values is None or second.status is not Status.OPTIMAL:
        return first
    objective = program.objective(second.values)
    if objective < best - _TIE * abs(best):
        return first
    return replace(first, values=second.values, objective=objective)


def _among_the_best(program: Program, offers: Offers, best: float) -> Program:
    """Maximise incremental margin under the program's rows and value · x >= best."""
    scale = abs(best) or 1.0
    earned = np.zeros(program.n_columns)
    earned[: len(offers)] = offers.incremental_margin
    builder = ProgramBuilder(
        earned,
        group=program.group,
        group_exact=program.group_exact,
        lower=program.lower,
        upper=program.upper,
        integral=program.integral,
    )
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    builder.add_rows(
        program.row_name,
        program.row.astype(np.int64),
        column,
        program.coefficient,
        lower=program.row_lower,
        upper=program.row_upper,
    )
    builder.add_row(
        "least loss",
        np.arange(program.n_columns),
        program.value * (_SCALE / scale),
        lower=_SCALE * (best / scale - _TIE),
    )
    return builder.build()
