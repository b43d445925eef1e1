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

Deterministic, CP-SAT takes turns between its strategies and counts its own deterministic time,
whose unit is one to two seconds: each of two strategies a thread may use up what it is given.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from ...instances.errors import InputError
from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, conclude, settled
from .apart import solve_apart
from .interface import Clock, EngineSettings, Progress, ProgressCallback
from .linear import linear_answer

_SUM_LIMIT = 2.0**31 - 1
_STEPS = 2**14
_LARGE = 20_000  # columns from which presolve may not hear that the time is up
_AGAIN = 0.02  # seconds
_BOUND_SLACK = 2e-13  # for the rounding of sums; well within what ``within_gap`` takes for nothing
_NO_SIDE = -(2**62)
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
    if program.n_columns <= _LARGE:
        raw = answer_here(program, settings, clock, progress, start)
    else:
        raw = solve_apart(program, settings, clock, progress)
    solution = conclude(program, settings, raw, engine="cp-sat")
    if progress is not None:
        progress(Progress(clock.spent(), solution.objective, solution.bound, "cp-sat"))
    return solution


def answer_here(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None = None,
    start: NDArray[np.float64] | None = None,
) -> RawAnswer:
    """What CP-SAT says, asked from this process, where large programs make it deaf for seconds."""
    raw = _answer(program, settings, clock, progress, start, inner=False)
    values = _polished(program, raw.values, clock)
    if values is None and raw.values is not None and not clock.over():
        inner = _answer(program, settings, clock, None, start, inner=True)
        values = _polished(program, inner.values, clock)
        raw = replace(raw, limit=inner.limit or raw.limit)
    return replace(raw, values=values)


def _answer(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    start: NDArray[np.float64] | None,
    *,
    inner: bool,
) -> RawAnswer:
    scaled = _Scaled(program, clock, inner=inner)
    if clock.over():
        return RawAnswer(None, None, limit=clock.reason)
    if start is not None:
        scaled.start_from(start)
    return scaled.solve(settings, clock, progress)


class _Scaled:
    """One of the two bracketing integer programs; in part only where the time runs out meanwhile.

    Column j stands for ``lower[j] + step[j] · k`` with k = 0 .. steps[j].
    """

    def __init__(self, program: Program, clock: Clock, *, inner: bool) -> None:
        self.program, self.inner = program, inner
        span = program.upper - program.lower
        self.step = np.where(program.integral, 1.0, span / _STEPS)
        self.step[self.step == 0] = 1.0
        self.steps = np.floor(span / self.step + 1e-9).astype(np.int64)
        self.model = cp_model.CpModel()
        self._add_columns()
        self._add_groups()
        self._add_rows(clock)
        self.objective_scale, self.offset = self._add_objective()

    def start_from(self, values: NDArray[np.float64]) -> None:
        """Begin from an assignment (columns,)."""
        k = np.round((values - self.program.lower) / self.step).astype(np.int64)
        hint = self.model.proto.solution_hint
        hint.vars.extend(range(self.program.n_columns))
        hint.values.extend(np.clip(k, 0, self.steps).tolist())

    def solve(
        self, settings: EngineSettings, clock: Clock, progress: ProgressCallback | None = None
    ) -> RawAnswer:
        solver = cp_model.CpSolver()
        if clock.deterministic:
            solver.parameters.max_deterministic_time = clock.left() / (2 * settings.n_threads)
            solver.parameters.interleave_search = True
        else:
            solver.parameters.max_time_in_seconds = clock.left()
        solver.parameters.catch_sigint_signal = False  # it would abort outside the main thread
        solver.parameters.relative_gap_limit = settings.gap
        solver.parameters.num_workers = settings.n_threads
        solver.parameters.random_seed = settings.seed
        with _stopping(solver, clock):
            status = solver.solve(self.model, self._teller(clock, progress))
        clock.charge(solver.response_proto.deterministic_time)
        found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        values = None
        if found:
            k = np.array(list(solver.response_proto.solution), dtype=np.float64)
            values = self.program.lower + self.step * k
        bound, said = None, solver.best_objective_bound
        # stopped in its presolve, CP-SAT has no bound and says 0
        nothing = status == cp_model.INFEASIBLE or (status == cp_model.UNKNOWN and said == 0.0)
        if not nothing and math.isfinite(said):
            bound = self._real(said)
            bound += _BOUND_SLACK * abs(bound)
        limit = None
        if status not in (cp_model.OPTIMAL, cp_model.INFEASIBLE):
            limit = clock.reason or "time"
        return RawAnswer(values, bound, infeasible=status == cp_model.INFEASIBLE, limit=limit)

    def _real(self, scaled: float) -> float:
        """The objective that a scaled one stands for, from above."""
        return scaled / self.objective_scale + self.offset

    def _teller(
        self, clock: Clock, progress: ProgressCallback | None
    ) -> cp_model.CpSolverSolutionCallback | None:
        return None if progress is None else _Teller(self._real, clock, progress)

    def _add_columns(self) -> None:
        """One integer variable a column, copied from one of each width."""
        widths, width = np.unique(self.steps, return_inverse=True)
        holder = cp_model.CpModel()  # its variables live no longer than it does
        patterns = holder.proto.variables
        for most in widths.tolist():
            patterns.add().domain.extend([0, most])
        each = [patterns[i] for i in range(len(widths))]
        self.model.proto.variables.extend([each[i] for i in width.tolist()])

    def _add_groups(self) -> None:
        """Σ_{j in g} x_j <= 1, or = 1 for exact groups."""
        order = np.argsort(self.program.group, kind="stable")
        group = self.program.group[order]
        edges = np.searchsorted(group, np.arange(self.program.n_groups + 1))
        constraints = self.model.proto.constraints
        for g, exact in enumerate(self.program.group_exact.tolist()):
            members = order[edges[g] : edges[g + 1]].tolist()
            if exact:
                constraints.add().exactly_one.literals.extend(members)
            elif len(members) > 1:
                constraints.add().at_most_one.literals.extend(members)

    def _add_rows(self, clock: Clock) -> None:
        by_row = self.program.matrix().tocsr()
        for i in range(self.program.n_rows):
            if clock.over():
                return
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
        row = self.model.proto.constraints.add().linear
        row.vars.extend(columns.tolist())
        row.coeffs.extend(whole.astype(np.int64).tolist())
        row.domain.extend([_NO_SIDE, side])

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
        objective = self.model.proto.objective
        objective.vars.extend(paying.tolist())
        objective.coeffs.extend((-whole[paying]).astype(np.int64).tolist())
        objective.scaling_factor = -1.0
        grid = ~self.program.integral
        offset = float(self.program.value @ self.program.lower)
        return scale, offset + float(np.maximum(per_step[grid], 0.0).sum())


class _Teller(cp_model.CpSolverSolutionCallback):
    """Tells of every better solution."""

    def __init__(
        self, real: Callable[[float], float], clock: Clock, progress: ProgressCallback
    ) -> None:
        super().__init__()
        self._real, self._clock, self._progress = real, clock, progress

    def on_solution_callback(self) -> None:
        objective, bound = self._real(self.objective_value), self._real(self.best_objective_bound)
        self._progress(Progress(self._clock.spent(), objective, bound, "cp-sat"))


@contextmanager
def _stopping(solver: cp_model.CpSolver, clock: Clock) -> Iterator[None]:
    """Meanwhile, an interrupt stops the solver; said again and again, as one not yet on is deaf."""
    over = threading.Event()

    def stop() -> None:
        while not over.wait(_AGAIN):
            solver.stop_search()

    def in_a_thread() -> None:
        threading.Thread(target=stop, daemon=True).start()

    with clock.interrupt.calling(in_a_thread):
        try:
            yield
        finally:
            over.set()


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
    answer = linear_answer(fixed, math.inf if clock.deterministic else max(clock.left(), 1.0))
    return settled(program, values if answer is None else answer.values)
