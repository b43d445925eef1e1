"""Hands a program to the engine that the settings name."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ...instances.errors import InputError
from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, conclude
from .auto import solve_auto
from .cp_sat import solve_cp_sat
from .interface import Clock, Engine, EngineSettings, Progress, ProgressCallback
from .mathopt import solve_mathopt
from .pulp_engine import solve_pulp

_ENGINES: dict[str, Engine] = {
    "auto": solve_auto,
    "highs": solve_mathopt,
    "scip": solve_mathopt,
    "cp-sat": solve_cp_sat,
}

_SMALL = 1.0  # largest value below which the absolute tolerances of solvers are too coarse
_EXPONENT = 20  # such values are scaled until the largest lies in [2^19, 2^20)


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
    scale = _value_scale(program)
    if scale == 1.0:
        return engine(program, settings, clock, progress)
    scaled = replace(program, value=program.value * scale)
    solution = engine(scaled, settings, clock, _in_units_of(scale, progress))
    return _unscaled(program, solution, scale)


def _value_scale(program: Program) -> float:
    """The power of two that lifts small values (losses of affinity, say) to the size of money.

    Solvers stop at an absolute gap of 1e-6 whatever the relative one, and take that for nothing
    in reduced costs too: a plan worth 1e-7 would be called optimal before it is.
    """
    largest = float(np.abs(program.value).max(initial=0.0))
    if largest == 0.0 or largest >= _SMALL:
        return 1.0
    return 2.0 ** min(_EXPONENT - math.frexp(largest)[1], 1000)


def _in_units_of(scale: float, progress: ProgressCallback | None) -> ProgressCallback | None:
    if progress is None:
        return None

    def unscaled(state: Progress) -> None:
        progress(
            replace(
                state,
                objective=None if state.objective is None else state.objective / scale,
                bound=None if state.bound is None else state.bound / scale,
            )
        )

    return unscaled


def _unscaled(program: Program, solution: Solution, scale: float) -> Solution:
    return replace(
        solution,
        objective=None if solution.values is None else program.objective(solution.values),
        bound=None if solution.bound is None else solution.bound / scale,
        shadow_prices={row: dual / scale for row, dual in solution.shadow_prices.items()},
    )


def _without_columns(program: Program, settings: EngineSettings) -> Solution:
    """Nothing to choose: 0 where the rows allow it, else infeasible."""
    nothing = np.zeros(0)
    feasible = program.is_feasible(nothing)
    raw = RawAnswer(nothing if feasible else None, 0.0, infeasible=not feasible)
    return conclude(program, settings, raw, engine=settings.engine, bound_source="no columns")
