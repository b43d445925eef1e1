"""A process of its own for one MathOpt solve, so that a solver deaf to its time limit can be ended.

Run as a script with two paths, the request to read and the response to write (MathOpt's protocol
buffers); the time at which to stop, in seconds since the epoch ("inf" for never), as what the
start of the process takes is not the solver's; and the id of the process that reads the response.

When its input is closed it hands over what it has: SCIP is asked to end; HiGHS, which MathOpt
cannot ask, has written its incumbents to a file and its bounds to its log. Incumbents and bounds
that a log tells of are passed on on its output, a line of two numbers each. It imports nothing of
this package, so it starts quickly.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ortools.math_opt import callback_pb2, parameters_pb2, result_pb2, rpc_pb2, solution_pb2
from ortools.math_opt.core.python import solver
from ortools.util.python.solve_interrupter import SolveInterrupter

_LOG_SECONDS = 0.5  # between two lines of HiGHS's log
_LOG_ROUNDING = 1e-8  # relative: HiGHS logs bounds with nine significant digits or more
# HiGHS: bound, incumbent, gap after the share explored; SCIP: the same before what is complete
_LOG_LINES = (
    re.compile(r"^ *[A-Za-z]? +\d+ +\d+ +\d+ +\S+% +(\S+) +(\S+) +\S+"),
    re.compile(r"\| *(\S+) *\| *(\S+) *\|[^|]*\|[^|]*$"),
)


def answer(
    request: rpc_pb2.SolveRequest,
    interrupter: SolveInterrupter | None = None,
    messages: Callable[[list[str]], None] | None = None,
) -> result_pb2.SolveResultProto:
    """Solve a request in this process."""
    return solver.solve(
        request.model,
        request.solver_type,
        request.initializer,
        request.parameters,
        request.model_parameters,
        messages,
        callback_pb2.CallbackRegistrationProto(),
        None,
        None if interrupter is None else interrupter.pybind_interrupter,
    )


def set_limit(parameters: parameters_pb2.SolveParametersProto, seconds: float) -> None:
    """Stop after so many seconds; never where they are infinite."""
    if math.isfinite(seconds):
        parameters.time_limit.FromNanoseconds(int(max(seconds, 1e-3) * 1e9))


class _Heard:
    """What a solver says while it runs: HiGHS's incumbents in a file, bounds in a log."""

    def __init__(self, request: rpc_pb2.SolveRequest, incumbents: Path) -> None:
        self._maximize = request.model.objective.maximize
        self._incumbents = incumbents
        self._bound = math.inf if self._maximize else -math.inf
        self._output = os.fdopen(os.dup(1), "w")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if request.solver_type == parameters_pb2.SOLVER_TYPE_HIGHS:
            options = request.parameters.highs
            options.bool_options["mip_improving_solution_save"] = True
            options.string_options["mip_improving_solution_file"] = str(incumbents)
            options.bool_options["mip_improving_solution_report_sparse"] = True
            options.double_options["mip_min_logging_interval"] = _LOG_SECONDS

    def listen(self, lines: list[str]) -> None:
        for line in lines:
            found = next((match for kind in _LOG_LINES if (match := kind.search(line))), None)
            if found is None:
                continue
            bound, incumbent = (_number(text) for text in found.groups())
            self._bound = self._bound if math.isnan(bound) else bound
            with contextlib.suppress(BrokenPipeError):
                print(incumbent, self._bound, file=self._output, flush=True)

    def result(self) -> result_pb2.SolveResultProto:
        """The answer of a search that stops here."""
        ctypes.CDLL(None).fflush(None)
        values = _last_incumbent(self._incumbents)
        result = result_pb2.SolveResultProto()
        result.termination.reason = (
            result_pb2.TERMINATION_REASON_NO_SOLUTION_FOUND
            if values is None
            else result_pb2.TERMINATION_REASON_FEASIBLE
        )
        result.termination.limit = result_pb2.LIMIT_INTERRUPTED
        rounding = _LOG_ROUNDING * abs(self._bound) if math.isfinite(self._bound) else 0.0
        outward = rounding if self._maximize else -rounding
        result.termination.objective_bounds.dual_bound = self._bound + outward
        if values is not None:
            primal = result.solutions.add().primal_solution
            primal.feasibility_status = solution_pb2.SOLUTION_STATUS_FEASIBLE
            primal.variable_values.ids.extend(values)
            primal.variable_values.values.extend(values.values())
        return result


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _last_incumbent(file: Path) -> dict[int, float] | None:
    """Column -> value of the last solution that is whole: "# Columns -N", then N lines."""
    text = file.read_text(encoding="ascii") if file.exists() else ""
    for block in reversed(text.split("# Columns ")[1:]):
        head, *lines = block[: block.rfind("\n")].split("\n")
        n = abs(int(head))
        entries = [line.split() for line in lines[:n]]
        if len(entries) == n and all(len(entry) == 2 for entry in entries):
            return {int(column): float(value) for value, column in entries}
    return None


def main(asked: str, answered: str, deadline: str, parent: str) -> None:
    """Solve, write the answer and end the process; at the end of the input, with what there is."""
    request = rpc_pb2.SolveRequest.FromString(Path(asked).read_bytes())
    heard = _Heard(request, Path(answered).with_name("incumbents"))
    interrupter = SolveInterrupter()
    writing = threading.Lock()

    def finish(result: result_pb2.SolveResultProto | None) -> None:
        with writing:
            if result is not None:
                Path(answered).write_bytes(result.SerializeToString())
            if os.getppid() != int(parent):  # nobody is left to read it
                shutil.rmtree(Path(answered).parent, ignore_errors=True)
            os._exit(0)

    def hand_over() -> None:
        sys.stdin.buffer.read()
        if request.solver_type == parameters_pb2.SOLVER_TYPE_HIGHS:
            finish(heard.result())
        interrupter.interrupt()

    threading.Thread(target=hand_over, daemon=True).start()
    set_limit(request.parameters, float(deadline) - time.time())
    finish(answer(request, interrupter, heard.listen))


if __name__ == "__main__":
    main(*sys.argv[1:])
