"""HiGHS, SCIP and GLOP through MathOpt, which takes whole arrays as a protocol buffer."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import parameters_pb2, result_pb2, rpc_pb2, solution_pb2
from pybind11_abseil.status import StatusNotOk

from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, cannot_be_unbounded, conclude, settled
from .interface import Clock, EngineSettings, Progress, ProgressCallback
from .mathopt_model import model_proto
from .mathopt_worker import answer as answer_here
from .quiet import quiet

_SOLVERS = {
    "highs": parameters_pb2.SOLVER_TYPE_HIGHS,
    "scip": parameters_pb2.SOLVER_TYPE_GSCIP,
    "glop": parameters_pb2.SOLVER_TYPE_GLOP,
}
_LARGE = 8000  # columns from which presolve may take longer than any limit it is given
_GRACE = 1.05  # share of the time left after which a process is ended


@dataclass(frozen=True, slots=True)
class LinearAnswer:
    """An optimal basic solution of the linear relaxation.

    Attributes
    ----------
    objective
        its value.
    values
        (columns,) primal values.
    row_dual, group_dual
        (rows,) and (groups,) dual values: objective per unit of the side.
    """

    objective: float
    values: NDArray[np.float64]
    row_dual: NDArray[np.float64]
    group_dual: NDArray[np.float64]


def solve_mathopt(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    start: NDArray[np.float64] | None = None,
) -> Solution:
    """Solve the whole program with the HiGHS or SCIP that comes with OR-Tools."""
    name = settings.engine
    raw = integer_answer(program, name, settings, clock)
    solution = conclude(program, settings, raw, engine=name)
    if progress is not None:
        progress(Progress(clock.spent(), solution.objective, solution.bound, name))
    return solution


def integer_answer(
    program: Program,
    name: str,
    settings: EngineSettings,
    clock: Clock,
    *,
    hint: NDArray[np.float64] | None = None,
    presolve: bool = True,
) -> RawAnswer:
    """Solve the integer program; once more where rounding the incumbent breaks a row.

    Parameters
    ----------
    hint
        (columns,) an assignment to start from.
    presolve
        whether a large program goes through the solver's presolve.
    """
    raw = _answer(program, name, settings, clock, hint, presolve)
    if raw.values is None or settled(program, raw.values) is not None or clock.over():
        return raw
    tighter = _tighter(program, raw.values)
    if tighter is None:
        return raw
    again = _answer(tighter, name, settings, clock, None, presolve)
    return RawAnswer(again.values, raw.bound, limit=again.limit or raw.limit)


def _answer(
    program: Program,
    name: str,
    settings: EngineSettings,
    clock: Clock,
    hint: NDArray[np.float64] | None,
    presolve: bool,
) -> RawAnswer:
    """What the solver says, as it says it.

    Presolve looks at the clock too rarely on large programs, so these are solved in a process
    that is ended when the time is up (an incumbent it may have had is lost then). HiGHS's
    threads can be set there alone: they are global to a process. SCIP runs on one thread.
    """
    request = rpc_pb2.SolveRequest(solver_type=_SOLVERS[name], model=model_proto(program))
    apart = program.n_columns > _LARGE
    parameters = request.parameters
    parameters.relative_gap_tolerance = settings.gap
    parameters.random_seed = settings.seed
    if apart:
        if name == "highs":
            parameters.highs.int_options["threads"] = settings.n_threads
        if not presolve:
            parameters.presolve = parameters_pb2.EMPHASIS_OFF
    if hint is not None:
        start = request.model_parameters.solution_hints.add()
        start.variable_values.ids.extend(range(program.n_columns))
        start.variable_values.values.extend(hint.tolist())
    if clock.over():
        return RawAnswer(None, None, limit="time")
    for presolve_effort in (parameters.presolve, parameters_pb2.EMPHASIS_OFF):
        parameters.presolve = presolve_effort
        _set_limit(parameters, clock.left())
        try:
            return _understood(program, _result(request, clock, apart))
        except (StatusNotOk, subprocess.CalledProcessError):
            continue  # HiGHS's presolve has led it into errors on programs without a solution
    return RawAnswer(None, None, limit="error")


def _result(
    request: rpc_pb2.SolveRequest, clock: Clock, apart: bool
) -> result_pb2.SolveResultProto | None:
    if apart:
        return _answer_apart(request, clock)
    with quiet():
        return answer_here(request)


def _understood(program: Program, result: result_pb2.SolveResultProto | None) -> RawAnswer:
    if result is None:
        return RawAnswer(None, None, limit="time")
    reason = result.termination.reason
    return RawAnswer(
        values=_values(result, program.n_columns),
        bound=result.termination.objective_bounds.dual_bound,
        infeasible=reason
        in (
            result_pb2.TERMINATION_REASON_INFEASIBLE,
            result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED,
        )
        and cannot_be_unbounded(program),
        limit=_limit(result.termination.limit),
    )


def linear_answer(program: Program, seconds: float) -> LinearAnswer | None:
    """Solve the linear relaxation with GLOP; None where it is infeasible or time runs out."""
    model = model_proto(program, relax=True)
    request = rpc_pb2.SolveRequest(solver_type=_SOLVERS["glop"], model=model)
    _set_limit(request.parameters, seconds)
    result = answer_here(request)
    if result.termination.reason != result_pb2.TERMINATION_REASON_OPTIMAL:
        return None
    values = _values(result, program.n_columns)
    if values is None:
        return None
    duals = np.zeros(program.n_rows + program.n_groups)
    sparse_duals = result.solutions[0].dual_solution.dual_values
    duals[np.array(sparse_duals.ids, dtype=np.int64)] = np.array(sparse_duals.values)
    return LinearAnswer(
        objective=program.objective(values),
        values=values,
        row_dual=duals[: program.n_rows],
        group_dual=duals[program.n_rows :],
    )


def _answer_apart(
    request: rpc_pb2.SolveRequest, clock: Clock
) -> result_pb2.SolveResultProto | None:
    """The answer of a process of its own; None where it had to be ended."""
    with tempfile.TemporaryDirectory(prefix="bundlewise-") as folder:
        asked, answered = Path(folder) / "request", Path(folder) / "response"
        asked.write_bytes(request.SerializeToString())
        script = Path(__file__).with_name("mathopt_worker.py")
        deadline = repr(time.time() + clock.left())
        try:
            subprocess.run(
                [sys.executable, "-P", str(script), str(asked), str(answered), deadline],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_GRACE * clock.left(),
            )
        except subprocess.TimeoutExpired:
            return None
        return result_pb2.SolveResultProto.FromString(answered.read_bytes())


def _tighter(program: Program, values: NDArray[np.float64]) -> Program | None:
    """Sides moved in by twice what the rounded assignment violates; None where they would cross.

    Solvers accept rows within a tolerance of their own, with columns that are almost whole.
    """
    whole = np.where(program.integral, np.round(values), values)
    activity = program.activity(whole)
    over = np.maximum(activity - program.row_upper, 0.0)
    under = np.maximum(program.row_lower - activity, 0.0)
    lower, upper = program.row_lower + 2 * under, program.row_upper - 2 * over
    return None if np.any(lower > upper) else program.with_sides(lower, upper)


def _values(result: result_pb2.SolveResultProto, n: int) -> NDArray[np.float64] | None:
    """(columns,) the best primal feasible solution."""
    for solution in result.solutions:
        primal = solution.primal_solution
        if primal.feasibility_status == solution_pb2.SOLUTION_STATUS_FEASIBLE:
            values = np.zeros(n)
            ids = np.array(primal.variable_values.ids, dtype=np.int64)
            values[ids] = np.array(primal.variable_values.values)
            return values
    return None


def _set_limit(parameters: parameters_pb2.SolveParametersProto, seconds: float) -> None:
    parameters.time_limit.FromNanoseconds(int(max(seconds, 1e-3) * 1e9))


def _limit(limit: result_pb2.LimitProto.ValueType) -> str | None:
    named = {
        result_pb2.LIMIT_UNSPECIFIED: None,
        result_pb2.LIMIT_TIME: "time",
        result_pb2.LIMIT_INTERRUPTED: "interrupt",
    }
    name = result_pb2.LimitProto.Name(limit).removeprefix("LIMIT_").lower()
    return named.get(limit, name)
