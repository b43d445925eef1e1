"""CP-SAT, which knows integers only: real coefficients are scaled, and what is said stays true.

Every side of a row becomes Σ a·x <= u and is multiplied by a scale s. Where s·a is whole for all
coefficients and all columns are whole, nothing is lost. Elsewhere two integer programs bracket
the real one:

* the *outer* one rounds coefficients down, so that every solution of the real program is in it:
  its bound, and a proof that nothing is feasible, hold for the real program;
* the *inner* one rounds coefficients up and sides down, so that whatever it finds is feasible.

Objective coefficients are rounded up: the scaled bound divided by the scale is a bound. Sums of
absolute coefficients stay below 2³¹, past which CP-SAT 9.15 can err. A continuous column runs
over a grid of 2¹⁴ steps; the outer program forgives one step a row.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from ...instances.errors import InputError
from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, conclude, settled
from .interface import Clock, EngineSettings, Progress, ProgressCallback
from .mathopt import linear_answer

_SUM_LIMIT = 2.0**31 - 1
_STEPS = 2**14
_EXACT_SCALES = tuple(10.0**k for k in range(7))


def solve_cp_sat(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    start: NDArray[np.float64] | None = None,
) -> Solution:
    """Solve the program with CP-SAT; its answer is checked against the real coefficients.

    Raises
    ------
    InputError
        for a column without finite bounds, or columns so wide that sums would pass 2³¹.
    """
    if not (np.all(np.isfinite(program.lower)) and np.all(np.isfinite(program.upper))):
        raise InputError(
            None, "solver.engine", "cp-sat was given a column without bounds", "auto, highs, scip"
        )
    widths = np.where(program.integral, program.upper - program.lower, _STEPS)
    if widths.sum() > _SUM_LIMIT / 2:
        raise InputError(
            None, "solver.engine", "cp-sat was given columns too wide for it", "auto, highs, scip"
        )
    outer = _Scaled(program, inner=False)
    raw = outer.solve(settings, clock)
    values = _polished(program, raw.values, clock)
    if values is None and raw.values is not None and not clock.over():
        inner = _Scaled(program, inner=True).solve(settings, clock)
        values = _polished(program, inner.values, clock)
        raw = replace(raw, limit=inner.limit or raw.limit)
    solution = conclude(program, settings, replace(raw, values=values), engine="cp-sat")
    if progress is not None:
        progress(Progress(clock.spent(), solution.objective, solution.bound, "cp-sat"))
    return solution


class _Scaled:
    """One of the two bracketing integer programs.

    Column j stands for ``lower[j] + step[j] · k`` with k = 0 .. steps[j].
    """

    def __init__(self, program: Program, *, inner: bool) -> None:
        self.program, self.inner = program, inner
        span = program.upper - program.lower
        self.step = np.where(program.integral, 1.0, span / _STEPS)
        self.step[self.step == 0] = 1.0
        self.steps = np.floor(span / self.step + 1e-9).astype(np.int64)
        self.model = cp_model.CpModel()
        self.k = [self.model.new_int_var(0, int(most), "") for most in self.steps]
        self._add_groups()
        self._add_rows()
        self.objective_scale, self.offset = self._add_objective()

    def solve(self, settings: EngineSettings, clock: Clock) -> RawAnswer:
        if clock.over():
            return RawAnswer(None, None, limit="time")
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = clock.left()
        solver.parameters.relative_gap_limit = settings.gap
        solver.parameters.num_workers = settings.n_threads
        solver.parameters.random_seed = settings.seed
        solver.parameters.interleave_search = settings.deterministic
        status = solver.solve(self.model)
        found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        values = None
        if found:
            k = np.array([solver.value(k) for k in self.k], dtype=np.float64)
            values = self.program.lower + self.step * k
        bound, said = None, solver.best_objective_bound
        # stopped in its presolve, CP-SAT has no bound and says 0
        nothing = status == cp_model.INFEASIBLE or (status == cp_model.UNKNOWN and said == 0.0)
        if not nothing and math.isfinite(said):
            bound = said / self.objective_scale + self.offset
            bound += 1e-12 * abs(bound)
        limit = None if status in (cp_model.OPTIMAL, cp_model.INFEASIBLE) else "time"
        return RawAnswer(values, bound, infeasible=status == cp_model.INFEASIBLE, limit=limit)

    def _add_groups(self) -> None:
        """Σ_{j in g} x_j <= 1, or = 1 for exact groups."""
        order = np.argsort(self.program.group, kind="stable")
        group = self.program.group[order]
        edges = np.searchsorted(group, np.arange(self.program.n_groups + 1))
        for g, exact in enumerate(self.program.group_exact):
            members = [self.k[j] for j in order[edges[g] : edges[g + 1]]]
            if exact:
                self.model.add_exactly_one(members)
            elif len(members) > 1:
                self.model.add_at_most_one(members)

    def _add_rows(self) -> None:
        by_row = self.program.matrix().tocsr()
        for i in range(self.program.n_rows):
            entries = slice(by_row.indptr[i], by_row.indptr[i + 1])
            columns, a = by_row.indices[entries], by_row.data[entries]
            offset = float(a @ self.program.lower[columns])
            if np.isfinite(self.program.row_upper[i]):
                self._add_side(columns, a, self.program.row_upper[i] - offset)
            if np.isfinite(self.program.row_lower[i]):
                self._add_side(columns, -a, offset - self.program.row_lower[i])

    def _add_side(self, columns: NDArray[np.int32], a: NDArray[np.float64], upper: float) -> None:
        """Σ a·step·k <= upper in whole numbers; see the head of the file for the rounding."""
        per_step = a * self.step[columns]
        total = float(np.abs(per_step) @ self.steps[columns])
        grid = ~self.program.integral[columns]
        scale = None if grid.any() else _exact_scale(per_step, upper, total)
        if scale is not None:
            whole, side = np.round(per_step * scale), math.floor(upper * scale + 1e-6)
        else:
            room = _SUM_LIMIT - float(self.steps[columns].sum())
            scale = room / max(total, 1e-300)
            if self.inner:
                whole, side = np.ceil(per_step * scale), math.floor(upper * scale)
            else:
                forgiven = float(np.maximum(-per_step[grid], 0.0).sum())
                whole = np.floor(per_step * scale)
                side = math.floor((upper + forgiven) * scale + 1e-6)
        if float(np.maximum(whole, 0.0) @ self.steps[columns]) <= side:
            return
        side = max(side, -int(_SUM_LIMIT) - 1)
        expression = cp_model.LinearExpr.weighted_sum(
            [self.k[j] for j in columns], whole.astype(np.int64).tolist()
        )
        self.model.add(expression <= side)

    def _add_objective(self) -> tuple[float, float]:
        """Maximise Σ ⌈s·v⌉·k; returns s and what lies outside the scaled sum."""
        per_step = self.program.value * self.step
        total = float(np.abs(per_step) @ self.steps)
        scale = _exact_scale(per_step, 0.0, total)
        if scale is not None:
            whole = np.round(per_step * scale)
        else:
            scale = (_SUM_LIMIT - float(self.steps.sum())) / max(total, 1e-300)
            whole = np.ceil(per_step * scale)
        paying = np.flatnonzero(whole)
        expression = cp_model.LinearExpr.weighted_sum(
            [self.k[j] for j in paying], whole[paying].astype(np.int64).tolist()
        )
        self.model.maximize(expression)
        grid = ~self.program.integral
        offset = float(self.program.value @ self.program.lower)
        return scale, offset + float(np.maximum(per_step[grid], 0.0).sum())


def _exact_scale(a: NDArray[np.float64], side: float, total: float) -> float | None:
    """The smallest power of ten that makes the coefficients whole, None where none fits."""
    for scale in _EXACT_SCALES:
        if scale * max(total, abs(side)) > _SUM_LIMIT:
            return None
        scaled = a * scale
        if np.all(np.abs(scaled - np.round(scaled)) <= 1e-12 * np.maximum(1.0, np.abs(scaled))):
            return scale
    return None


def _polished(
    program: Program, values: NDArray[np.float64] | None, clock: Clock
) -> NDArray[np.float64] | None:
    """The assignment with its continuous columns set by a linear program; None if it breaks."""
    if values is None or program.integral.all():
        return settled(program, values)
    fixed = replace(
        program,
        lower=np.where(program.integral, values, program.lower),
        upper=np.where(program.integral, values, program.upper),
    )
    answer = linear_answer(fixed, max(clock.left(), 1.0))
    return settled(program, values if answer is None else answer.values)
