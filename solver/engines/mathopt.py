"""HiGHS and SCIP through MathOpt, which takes whole arrays as a protocol buffer."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import parameters_pb2, result_pb2, rpc_pb2, solution_pb2
from pybind11_abseil.status import StatusNotOk

from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, cannot_be_unbounded, conclude, settled
from .apart import run_apart
from .interface import Clock, EngineSettings, Progress, ProgressCallback
from .mathopt_model import model_proto
from .mathopt_worker import answer as answer_here
from .mathopt_worker import set_limit
from .quiet import quiet

_SOLVERS = {
    "highs": parameters_pb2.SOLVER_TYPE_HIGHS,
    "scip": parameters_pb2.SOLVER_TYPE_GSCIP,
}
_LARGE = 8000  # columns from which presolve may take longer than any limit it is given
_MOMENT = 0.5  # seconds for which a search may be deaf to an interrupt
_NODE_SECONDS = 1e-3  # of a nominal machine, for a node of a search tree …
_ENTRY_SECONDS = 1e-6  # … and for each column and each entry of the program


def solve_mathopt(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    start: NDArray[np.float64] | None = None,
) -> Solution:
    """Solve the whole program with the HiGHS or SCIP that comes with OR-Tools."""
    name = settings.engine
    raw = integer_answer(program, name, settings, clock, progress=progress)
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
    seconds: float | None = None,
    node_limit: int | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> RawAnswer:
    """Solve the integer program; once more where rounding the incumbent breaks a row.

    Parameters
    ----------
    hint
        (columns,) an assignment to start from.
    presolve
        whether a large program goes through the solver's presolve.
    seconds
        a limit of this call alone, below what the clock leaves.
    node_limit
        nodes of the search tree after which to stop (limit "node"). Where the clock counts work,
        no wall-clock limit is passed: nodes are the only limit, as many as the clock (and
        ``seconds``) leave, and those searched are charged to the clock.
    threads
        instead of ``settings.threads``; HiGHS alone has a use for them, in a process of its own.
    progress
        told what a process of its own logs.
    """
    until = math.inf if seconds is None else clock.spent() + seconds
    effort = _Effort(until, node_limit, threads or settings.n_threads, presolve, progress)
    raw = _answer(program, name, settings, clock, hint, effort)
    if raw.values is None or settled(program, raw.values) is not None or clock.over():
        return raw
    tighter = _tighter(program, raw.values)
    if tighter is None:
        return raw
    again = _answer(tighter, name, settings, clock, None, effort)
    return RawAnswer(again.values, raw.bound, limit=again.limit or raw.limit)


@dataclass(frozen=True, slots=True)
class _Effort:
    """How hard to try, ``until`` when on the clock: see ``integer_answer``."""

    until: float
    node_limit: int | None
    threads: int
    presolve: bool
    progress: ProgressCallback | None

    def left(self, clock: Clock) -> float:
        return max(min(clock.left(), self.until - clock.spent()), 0.0)

    def nodes(self, program: Program, clock: Clock) -> int | None:
        """The node limit, which stands in for time where the clock counts work."""
        if not clock.deterministic:
            return self.node_limit
        nodes = max(int(self.left(clock) / _node_seconds(program)), 1)
        return nodes if self.node_limit is None else min(nodes, self.node_limit)


def _node_seconds(program: Program) -> float:
    """Seconds of a nominal machine for one node of the search tree."""
    return _NODE_SECONDS + _ENTRY_SECONDS * (program.n_columns + len(program.row))


def _answer(
    program: Program,
    name: str,
    settings: EngineSettings,
    clock: Clock,
    hint: NDArray[np.float64] | None,
    effort: _Effort,
) -> RawAnswer:
    """What the solver says, as it says it.

    What is not over in a moment runs in a process of its own, from the incumbent of that moment:
    HiGHS cannot be interrupted otherwise, and SCIP complains on stderr; presolve looks at the
    clock too rarely on large programs; and HiGHS's threads are global to a process. SCIP runs on
    one thread.
    """
    request = rpc_pb2.SolveRequest(solver_type=_SOLVERS[name], model=model_proto(program))
    request.parameters.relative_gap_tolerance = settings.gap
    request.parameters.random_seed = settings.seed
    _set_hint(request, hint)
    if name == "scip":
        request.parameters.gscip.bool_params["misc/catchctrlc"] = False
    nodes = effort.nodes(program, clock)
    if nodes is not None:
        request.parameters.node_limit = nodes
    here = None
    if program.n_columns <= _LARGE and _is_brief(program, clock, nodes):
        left = effort.left(clock)
        brief = clock.deterministic or left <= 2 * _MOMENT
        moment = effort if brief else replace(effort, until=clock.spent() + _MOMENT)
        here = _attempt(program, request, clock, moment, apart=False)
        if brief or here.limit != "time" or clock.over():
            return here
        _set_hint(request, here.values if here.values is not None else hint)
    if name == "highs":
        request.parameters.highs.int_options["threads"] = effort.threads
    if program.n_columns > _LARGE and not effort.presolve:
        request.parameters.presolve = parameters_pb2.EMPHASIS_OFF
    apart = _attempt(program, request, clock, effort, apart=True)
    return apart if here is None else _the_better(program, here, apart)


def _is_brief(program: Program, clock: Clock, nodes: int | None) -> bool:
    """Whether a search that counts work is over in a moment; one that counts time can be cut."""
    if not clock.deterministic or nodes is None:
        return True
    return nodes * _node_seconds(program) <= _MOMENT


def _set_hint(request: rpc_pb2.SolveRequest, hint: NDArray[np.float64] | None) -> None:
    del request.model_parameters.solution_hints[:]
    if hint is not None:
        start = request.model_parameters.solution_hints.add()
        start.variable_values.ids.extend(range(len(hint)))
        start.variable_values.values.extend(hint.tolist())


def _attempt(
    program: Program,
    request: rpc_pb2.SolveRequest,
    clock: Clock,
    effort: _Effort,
    *,
    apart: bool,
) -> RawAnswer:
    """Solve; once more without presolve where that fails: it has led HiGHS into errors."""
    for presolve in (request.parameters.presolve, parameters_pb2.EMPHASIS_OFF):
        if clock.over():
            return RawAnswer(None, None, limit=clock.reason)
        request.parameters.presolve = presolve
        seconds = math.inf if clock.deterministic else effort.left(clock)
        try:
            if apart:
                result = _answer_apart(request, clock, seconds, effort.progress)
            else:
                set_limit(request.parameters, seconds)
                with quiet():
                    result = answer_here(request)
        except (StatusNotOk, subprocess.CalledProcessError):
            continue
        nodes = 0 if result is None else result.solve_stats.node_count
        clock.charge((1 + nodes) * _node_seconds(program))
        if result is None:
            return RawAnswer(None, None, limit=clock.reason or "time")
        raw = _understood(program, result)
        if raw.limit == "interrupt":  # which is how the process was told that its time is up
            raw = replace(raw, limit=clock.reason or "time")
        return raw
    return RawAnswer(None, None, limit="error")


def _the_better(program: Program, first: RawAnswer, second: RawAnswer) -> RawAnswer:
    """The second answer, with what the first of the same program knows better."""
    values = second.values
    known = settled(program, first.values)
    found = settled(program, second.values)
    if known is not None and (found is None or program.objective(known) > program.objective(found)):
        values = known
    bounds = [raw.bound for raw in (first, second) if raw.bound is not None]
    return replace(second, values=values, bound=min(bounds) if bounds else None)


def _understood(program: Program, result: result_pb2.SolveResultProto) -> RawAnswer:
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


def _answer_apart(
    request: rpc_pb2.SolveRequest, clock: Clock, seconds: float, progress: ProgressCallback | None
) -> result_pb2.SolveResultProto | None:
    """The answer of ``mathopt_worker``; None where it had to be ended without one."""
    deadline = time.time() + seconds
    with tempfile.TemporaryDirectory(prefix="bundlewise-") as folder:
        asked, answered = Path(folder) / "request", Path(folder) / "response"
        asked.write_bytes(request.SerializeToString())
        script = Path(__file__).with_name("mathopt_worker.py")
        command = [sys.executable, "-P", str(script), str(asked), str(answered), repr(deadline)]
        name = "highs" if request.solver_type == _SOLVERS["highs"] else "scip"
        run_apart(command, clock, deadline, progress, name)
        if not answered.exists():
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


def _limit(limit: result_pb2.LimitProto.ValueType) -> str | None:
    named = {
        result_pb2.LIMIT_UNSPECIFIED: None,
        result_pb2.LIMIT_TIME: "time",
        result_pb2.LIMIT_INTERRUPTED: "interrupt",
    }
    name = result_pb2.LimitProto.Name(limit).removeprefix("LIMIT_").lower()
    return named.get(limit, name)
