"""Hands a program to the engine that the settings name."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...instances.errors import InputError
from ..program import Program
from ..solution import Solution, Status
from .answer import RawAnswer, conclude
from .ingredients import Ingredients
from .interface import (
    KNOWN_BOUND,
    Clock,
    Engine,
    EngineSettings,
    Interrupt,
    Progress,
    ProgressCallback,
)

_ENGINES = ("auto", "highs", "scip", "cp-sat")

_SMALL = 1.0  # largest value below which the absolute tolerances of solvers are too coarse
_VALUE_EXPONENT = 20  # such values are scaled until the largest lies in [2^19, 2^20)
_LARGE = 2.0**20  # largest coefficient of a row above which they are too fine
_ROW_EXPONENT = 10  # such rows are scaled until it lies in [2^9, 2^10)


def solve_program(
    program: Program,
    settings: EngineSettings,
    progress: ProgressCallback | None = None,
    *,
    start: NDArray[np.float64] | None = None,
    known_bound: float | None = None,
    interrupt: Interrupt | None = None,
    ingredients: Ingredients | None = None,
) -> Solution:
    """Solve a program; what comes back was re-verified against it, and no worse than ``start``.

    Parameters
    ----------
    progress
        called with the incumbent and the bound as they improve.
    start
        (columns,) an assignment to begin from; ignored where it breaks the program.
    known_bound
        what no assignment is worth more than, as proven elsewhere: of a program with looser
        rows, say. Nothing is searched where ``start`` is within the gap of it.
    interrupt
        ends the search early: what it has found by then comes back as ``feasible``.
    ingredients
        what engine "auto" is to do without, for studies.

    Raises
    ------
    InputError
        for an engine that does not exist, is not installed, or cannot take the program.
    """
    clock = Clock(settings.time_limit, deterministic=settings.deterministic, interrupt=interrupt)
    require_engine(settings.engine, deterministic=settings.deterministic)
    if program.n_columns == 0:
        return _without_columns(program, settings)
    if start is not None and not program.is_feasible(start):
        start = None
    given = RawAnswer(start, known_bound, limit=clock.reason)
    before = conclude(program, settings, given, engine=settings.engine, bound_source=KNOWN_BOUND)
    if clock.over() or before.status is Status.OPTIMAL:
        return before
    value_scale, row_scale = _value_scale(program), _row_scale(program)
    scaled_bound = None if known_bound is None else value_scale * known_bound
    engine = _engine(settings.engine, ingredients, scaled_bound)
    if value_scale == 1.0 and np.all(row_scale == 1.0):
        solution = engine(program, settings, clock, progress, start)
    else:
        scaled = program.scaled(value_scale, row_scale)
        solution = engine(scaled, settings, clock, _in_units_of(value_scale, progress), start)
        solution = _unscaled(program, solution, value_scale, row_scale)
    return _with_known(program, settings, solution, before)


def _with_known(
    program: Program, settings: EngineSettings, found: Solution, before: Solution
) -> Solution:
    """What an engine found, or what was known before it where that is better."""
    if found.status is Status.INFEASIBLE and before.values is None:
        return found
    plans = [one for one in (found, before) if one.objective is not None]
    bounds = [one for one in (found, before) if one.bound is not None]
    plan = max(plans, key=lambda one: one.objective or 0.0, default=found)
    proof = min(bounds, key=lambda one: one.bound or 0.0, default=found)
    if plan is found and proof is found:
        return found
    raw = RawAnswer(plan.values, proof.bound, limit=found.limit, statistics=found.statistics)
    return conclude(
        program,
        settings,
        raw,
        engine=settings.engine,
        bound_source=proof.bound_source,
        shadow_prices=found.shadow_prices,
    )


def _engine(name: str, ingredients: Ingredients | None, known_bound: float | None) -> Engine:
    """The engine of a name that is known; only what it needs is loaded."""
    if name.startswith("pulp:"):
        from .pulp_engine import solve_pulp as engine
    elif name == "cp-sat":
        from .cp_sat import solve_cp_sat as engine
    elif name == "auto":
        from .auto import solve_auto

        engine = partial(solve_auto, ingredients=ingredients, known_bound=known_bound)
    else:
        from .mathopt import solve_mathopt as engine
    return engine


def _value_scale(program: Program) -> float:
    """The power of two that lifts small values (losses of affinity, say) to the size of money.

    Solvers stop at an absolute gap of 1e-6 whatever the relative one, and take that for nothing
    in reduced costs too: a plan worth 1e-7 would be called optimal before it is.
    """
    value = program.value
    largest = max(float(value.max(initial=0.0)), -float(value.min(initial=0.0)))
    if largest == 0.0 or largest >= _SMALL:
        return 1.0
    return 2.0 ** min(_VALUE_EXPONENT - math.frexp(largest)[1], 1000)


def _row_scale(program: Program) -> NDArray[np.float64]:
    """(rows,) powers of two that bring rows of large coefficients down.

    Solvers want rows within an absolute 1e-6, which is less than the rounding of sums of large
    numbers: what satisfies such a row would be called infeasible.
    """
    largest = program.row_sizes()
    return np.where(largest > _LARGE, 2.0 ** (_ROW_EXPONENT - np.frexp(largest)[1]), 1.0)


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


def _unscaled(
    program: Program, solution: Solution, value_scale: float, row_scale: NDArray[np.float64]
) -> Solution:
    """The solution in the program's own units; an incumbent must satisfy its own tolerances."""
    row = dict(zip(program.row_name, (row_scale / value_scale).tolist(), strict=True))
    values, status = solution.values, solution.status
    if values is not None and not program.is_feasible(values):
        values, status = None, Status.UNKNOWN
    return replace(
        solution,
        status=status,
        values=values,
        objective=None if values is None else program.objective(values),
        bound=None if solution.bound is None else solution.bound / value_scale,
        shadow_prices={name: dual * row[name] for name, dual in solution.shadow_prices.items()},
    )


def require_engine(engine: str, file: Path | None = None, *, deterministic: bool = False) -> None:
    """Raise InputError for an engine that does not exist, is not installed or counts no work."""
    if engine.startswith("pulp:"):
        from .pulp_engine import installed_solver

        installed_solver(engine, file)
        if deterministic:
            raise InputError(
                file,
                "solver.deterministic",
                f"true, but {engine} cannot count work",
                "auto, highs, scip or cp-sat as solver.engine",
            )
    elif engine not in _ENGINES:
        known = ", ".join([*_ENGINES, "pulp:NAME"])
        raise InputError(file, "solver.engine", f"no engine {engine!r}", known)


def _without_columns(program: Program, settings: EngineSettings) -> Solution:
    """Nothing to choose: 0 where the rows allow it, else infeasible."""
    nothing = np.zeros(0)
    feasible = program.is_feasible(nothing)
    raw = RawAnswer(nothing if feasible else None, 0.0, infeasible=not feasible)
    return conclude(program, settings, raw, engine=settings.engine, bound_source="no columns")
