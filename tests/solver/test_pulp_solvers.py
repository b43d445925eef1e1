"""Which of PuLP's solvers ``pulp:NAME`` means, and what is said where it is not there."""

from __future__ import annotations

import pulp
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.pulp_engine import installed_solver
from bundlewise.solver.solution import Status

from .enumeration import optimum, random_program

KNOWN = ["GLPK_CMD", "PULP_CBC_CMD", "COIN_CMD", "HiGHS", "HiGHS_CMD", "SCIP_PY", "GUROBI"]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What PuLP says is installed, to be changed by a test."""
    names = ["PULP_CBC_CMD", "HiGHS", "HiGHS_CMD", "SCIP_PY"]

    def listed(**options: bool) -> list[str]:
        return names if options.get("onlyAvailable") else KNOWN

    monkeypatch.setattr(pulp, "listSolvers", listed)
    return names


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        ("pulp:HiGHS", "HiGHS"),
        ("pulp:highs", "HiGHS"),
        ("pulp:HIGHS", "HiGHS"),
        ("pulp:highs_cmd", "HiGHS_CMD"),
        ("pulp:CBC", "PULP_CBC_CMD"),
        ("pulp:cbc", "PULP_CBC_CMD"),
        ("pulp:pulp_cbc_cmd", "PULP_CBC_CMD"),
        ("pulp:SCIP", "SCIP_PY"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_people_need_not_know_pulps_names(engine: str, name: str):
    assert installed_solver(engine) == name


def test_the_command_line_form_serves_where_the_library_is_not_there(installed: list[str]):
    installed.remove("HiGHS")
    assert installed_solver("pulp:HiGHS") == "HiGHS_CMD"
    installed.remove("PULP_CBC_CMD")
    installed.append("COIN_CMD")
    assert installed_solver("pulp:CBC") == "COIN_CMD"


@pytest.mark.parametrize(
    ("engine", "found"),
    [
        ("pulp:GLPK", "'pulp:GLPK' is not installed, as far as PuLP can find"),
        ("pulp:gurobi", "'pulp:gurobi' is not installed, as far as PuLP can find"),
        ("pulp:HiHGS", "'pulp:HiHGS' names no solver that PuLP knows"),
        ("pulp:", "'pulp:' names no solver that PuLP knows"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_what_is_there_is_said(engine: str, found: str):
    with pytest.raises(InputError) as caught:
        installed_solver(engine)
    expected = "expected one that is installed: pulp:CBC, pulp:HiGHS, pulp:SCIP"
    assert str(caught.value) == f"solver.engine: {found}; {expected}"


def test_nothing_installed_is_said_too(installed: list[str]):
    installed.clear()
    with pytest.raises(InputError, match="one that is installed: none at present"):
        installed_solver("pulp:CBC")


@pytest.mark.parametrize(
    ("engine", "library"),
    [("pulp:HiGHS", "highspy"), ("pulp:SCIP_PY", "pyscipopt"), ("pulp:Gurobi", "gurobipy")],
)
def test_a_solver_that_is_installed_finds_the_optimum(engine: str, library: str):
    pytest.importorskip(library)
    for seed in (0, 1, 3, 7):
        program = random_program(seed)
        best = optimum(program)
        solution = solve_program(program, EngineSettings(engine=engine, gap=0.0, time_limit=20))
        if best is None:
            assert solution.status is Status.INFEASIBLE
        else:
            assert solution.status is Status.OPTIMAL
            assert solution.objective == pytest.approx(best)
