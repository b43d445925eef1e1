"""Solvers that fail: another try without presolve, then an answer that claims nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pulp
import pytest
from bundlewise.solver.engines import EngineSettings, mathopt, pulp_engine, solve_program
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.pulp_engine import _options_taken
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Status
from ortools.math_opt import parameters_pb2, result_pb2, rpc_pb2
from pybind11_abseil import status

from .enumeration import market_split, optimum, random_program


def test_a_failure_of_presolve_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = mathopt.answer_here

    def fails_in_presolve(request: rpc_pb2.SolveRequest) -> result_pb2.SolveResultProto:
        if request.parameters.presolve != parameters_pb2.EMPHASIS_OFF:
            raise status.StatusNotOk(status.internal_error("HighsStatus: kError"))
        return answer(request)

    monkeypatch.setattr(mathopt, "answer_here", fails_in_presolve)
    program = random_program(1)
    solution = solve_program(program, EngineSettings(engine="highs", gap=0.0))
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(optimum(program))


@pytest.mark.parametrize("apart", [False, True])
def test_a_solver_that_always_fails_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, apart: bool
) -> None:
    def fails(request: rpc_pb2.SolveRequest) -> result_pb2.SolveResultProto:
        raise status.StatusNotOk(status.internal_error("HighsStatus: kError"))

    if apart:
        monkeypatch.setattr(mathopt, "_LARGE", 0)
        monkeypatch.setattr(mathopt.sys, "executable", "/bin/false")
    else:
        monkeypatch.setattr(mathopt, "answer_here", fails)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    solution = solve_program(random_program(1), EngineSettings(engine="highs", gap=0.0))
    assert solution.status is Status.UNKNOWN
    assert solution.limit == "error"
    assert solution.values is None
    assert solution.bound is None
    assert list(tmp_path.iterdir()) == []


def test_a_crash_of_a_pulp_solver_is_unknown_and_leaves_no_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Broken(pulp.PULP_CBC_CMD):
        pulp_cbc_path = "/bin/false"

    monkeypatch.setattr(pulp, "getSolver", lambda _, **options: Broken(**options))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    builder = ProgramBuilder([3.0, 4.0, 5.0])
    builder.add_row("room", [0, 1, 2], [2.0, 3.0, 4.0], upper=6.0)
    raw = pulp_engine.answer_here(builder.build(), EngineSettings(engine="pulp:CBC"), Clock(10))
    assert raw.values is None
    assert raw.limit == "error"
    assert list(tmp_path.iterdir()) == []


def test_pulp_solvers_get_the_options_they_take() -> None:
    options: dict[str, object] = {"msg": False, "timeLimit": 5, "gapRel": 0.1, "threads": 2}
    assert _options_taken("GLPK_CMD", options) == {"msg": False, "timeLimit": 5}
    assert _options_taken("HiGHS_CMD", options) == options


def test_a_process_apart_keeps_its_incumbent_at_a_short_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # the start of the process counts, so that the solver stops before it is ended
    monkeypatch.setattr(mathopt, "_LARGE", 0)
    settings = EngineSettings(engine="highs", gap=0.0, time_limit=4.0)
    solution = solve_program(market_split(), settings)
    assert solution.status is Status.FEASIBLE
    assert solution.limit == "time"
