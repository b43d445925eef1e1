"""Hands a program to the engine that the settings name."""

from __future__ import annotations

import numpy as np

from ...instances.errors import InputError
from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, conclude
from .auto import solve_auto
from .cp_sat import solve_cp_sat
from .interface import Clock, Engine, EngineSettings, ProgressCallback
from .mathopt import solve_mathopt
from .pulp_engine import solve_pulp

_ENGINES: dict[str, Engine] = {
    "auto": solve_auto,
    "highs": solve_mathopt,
    "scip": solve_mathopt,
    "cp-sat": solve_cp_sat,
}


def solve_program(
    program: Program,
    settings: EngineSettings,
    progress: ProgressCallback | None = None,
) -> Solution:
    """Solve a program; what comes back was re-verified against it.

    Parameters
    ----------
    progress
        called with the incumbent and the bound as they improve.

    Raises
    ------
    InputError
        for an engine that does not exist, is not installed, or cannot take the program.
    """
    clock = Clock(settings.time_limit)
    engine = solve_pulp if settings.engine.startswith("pulp:") else _ENGINES.get(settings.engine)
    if engine is None:
        known = ", ".join([*_ENGINES, "pulp:NAME"])
        raise InputError(None, "solver.engine", f"no engine {settings.engine!r}", known)
    if program.n_columns == 0:
        return _without_columns(program, settings)
    if clock.over():
        raw = RawAnswer(None, None, limit="time")
        return conclude(program, settings, raw, engine=settings.engine)
    return engine(program, settings, clock, progress)


def _without_columns(program: Program, settings: EngineSettings) -> Solution:
    """Nothing to choose: 0 where the rows allow it, else infeasible."""
    nothing = np.zeros(0)
    feasible = program.is_feasible(nothing)
    raw = RawAnswer(nothing if feasible else None, 0.0, infeasible=not feasible)
    return conclude(program, settings, raw, engine=settings.engine, bound_source="no columns")
