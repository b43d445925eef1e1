"""Any solver that PuLP finds on this machine, such as the CBC that comes with it."""

from __future__ import annotations

import inspect
import math
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pulp
from numpy.typing import NDArray

from ...instances.errors import InputError
from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, cannot_be_unbounded, conclude
from .apart import solve_apart
from .interface import Clock, EngineSettings, Progress, ProgressCallback
from .pulp_model import pulp_model

_SUFFIXES = ("", "_CMD", "_PY", "_DLL")
_ALIASES = {"cbc": ("PULP_CBC_CMD", "COIN_CMD", "COINMP_DLL"), "coin": ("COIN_CMD",)}
_LOG_BOUND = re.compile(r"^(?:Lower bound|Upper bound):\s+(\S+)\s*$", re.MULTILINE)
_LOG_DECIMALS = 0.0005  # CBC prints its bound with three decimals


def solve_pulp(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    start: NDArray[np.float64] | None = None,
) -> Solution:
    """Solve the program with the solver named after ``pulp:``.

    PuLP calls a stopped search optimal unless ``sol_status`` is read, and passes no bound on.
    CBC's is read from its log; where a solver claims to have reached the gap, that claim is the
    bound: objective + gap·|objective|.

    All of it runs in a process of its own: building a large model, writing and reading PuLP's
    files look at no clock. At an interrupt the solver gets the signal that Ctrl-C sends, at which
    CBC hands over its incumbent; one that goes on is ended without.

    Raises
    ------
    InputError
        for a solver that is not installed; the message lists those that are.
    """
    installed_solver(settings.engine)
    raw = solve_apart(program, settings, clock, progress)
    solution = conclude(program, settings, raw, engine=settings.engine)
    if progress is not None:
        message = f"{settings.engine} ended"
        progress(Progress(clock.spent(), solution.objective, solution.bound, message))
    return solution


def answer_here(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None = None,
) -> RawAnswer:
    """What the solver says, asked from this process; there is no progress to be had from PuLP."""
    with warnings.catch_warnings():
        # PuLP 3 announces which of its solvers PuLP 4 will no longer have
        warnings.simplefilter("ignore", DeprecationWarning)
        return _solve(program, installed_solver(settings.engine), settings, clock)


def _solve(program: Program, solver_name: str, settings: EngineSettings, clock: Clock) -> RawAnswer:
    model = pulp_model(program, clock=clock)
    if model is None:
        return RawAnswer(None, None, limit=clock.reason)
    problem, columns = model
    with tempfile.TemporaryDirectory(prefix="bundlewise-") as folder:
        log = Path(folder) / "solver.log"
        try:
            _call(problem, solver_name, settings, clock, log)
        except pulp.PulpSolverError:
            return RawAnswer(None, None, limit="error")
        return _answer(program, settings, problem, columns, clock, log)


def installed_solver(engine: str, file: Path | None = None) -> str:
    """The name PuLP knows the solver of ``pulp:NAME`` by; upper and lower case are the same.

    Raises InputError, on behalf of ``file``, for a solver that is not installed.
    """
    wanted = engine.removeprefix("pulp:").lower()
    installed = {name.lower(): name for name in pulp.listSolvers(onlyAvailable=True)}
    names = [*_ALIASES.get(wanted, ()), *(wanted + suffix for suffix in _SUFFIXES)]
    for name in names:
        if name.lower() in installed:
            return installed[name.lower()]
    known = {name.lower() for name in pulp.listSolvers()}
    found = f"{engine!r} names no solver that PuLP knows"
    if any(name.lower() in known for name in names):
        found = f"{engine!r} is not installed, as far as PuLP can find"
    listed = ", ".join(sorted({f"pulp:{_short(name)}" for name in installed.values()}))
    raise InputError(
        file, "solver.engine", found, f"one that is installed: {listed or 'none at present'}"
    )


def _short(name: str) -> str:
    """What people call a solver that PuLP calls PULP_CBC_CMD or HiGHS_CMD."""
    for suffix in _SUFFIXES[1:]:
        name = name.removesuffix(suffix)
    return name.removeprefix("PULP_")


def _call(
    problem: pulp.LpProblem,
    solver_name: str,
    settings: EngineSettings,
    clock: Clock,
    log: Path,
) -> None:
    options: dict[str, object] = {"msg": False, "timeLimit": max(clock.left(), 0.01)}
    options |= {"gapRel": settings.gap, "threads": settings.n_threads}
    if solver_name in ("PULP_CBC_CMD", "COIN_CMD"):
        options |= {"logPath": str(log), "options": [f"randomSeed {settings.seed + 1}"]}
    solver = pulp.getSolver(solver_name, **_options_taken(solver_name, options))
    if isinstance(solver, pulp.LpSolver_CMD):
        solver.tmpDir = str(log.parent)  # a solver that crashes leaves its files behind
    problem.solve(solver)


def _options_taken(solver_name: str, options: dict[str, object]) -> dict[str, object]:
    """The options that PuLP's class for the solver takes: GLPK's has neither gap nor threads."""
    parameters = inspect.signature(type(pulp.getSolver(solver_name)).__init__).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return options
    return {name: value for name, value in options.items() if name in parameters}


def _answer(
    program: Program,
    settings: EngineSettings,
    problem: pulp.LpProblem,
    columns: list[pulp.LpVariable],
    clock: Clock,
    log: Path,
) -> RawAnswer:
    """What the solver said, by ``sol_status``."""
    status = problem.sol_status
    limit = clock.reason or ("time" if clock.left() < 0.1 * clock.limit else None)
    # PuLP reads CBC's "Integer infeasible" into the status, but not into sol_status
    infeasible = pulp.LpStatusInfeasible in (problem.status, status)
    if infeasible and limit is None and cannot_be_unbounded(program):
        return RawAnswer(None, None, infeasible=True)
    bound = _logged_bound(log)
    if status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        # PuLP calls a Gurobi that was stopped unsolved, and yet passes its incumbent on
        values = np.array([column.varValue for column in columns], dtype=np.float64)
        whole = bool(np.all(np.isfinite(values)))
        return RawAnswer(values if whole else None, bound, limit=limit or "time")
    values = np.array([column.varValue or 0.0 for column in columns])
    if bound is None and status == pulp.LpSolutionOptimal:
        objective = program.objective(values)
        bound = objective + settings.gap * abs(objective)
    if status == pulp.LpSolutionOptimal:
        return RawAnswer(values, bound)
    return RawAnswer(values, bound, limit=limit or "time")


def _logged_bound(log: Path) -> float | None:
    """CBC's proven bound on value · x, from the last lines of its log."""
    if not log.exists():
        return None
    found = _LOG_BOUND.findall(log.read_text(errors="replace"))
    if not found:
        return None
    bound = -float(found[-1])
    return bound + _LOG_DECIMALS if math.isfinite(bound) and abs(bound) < 1e40 else None
