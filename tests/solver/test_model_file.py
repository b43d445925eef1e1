"""A program written to a file, read by other solvers, has the same optimum."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pulp
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.model_file import check_model_target, write_model
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder

from .enumeration import optimum, random_program

CBC = pulp.apis.PULP_CBC_CMD.pulp_cbc_path
pytestmark = pytest.mark.filterwarnings("ignore:.*PuLP 4:DeprecationWarning")


def every_kind() -> Program:
    """A program with every kind of column, row and group.

    Columns: a, b (exactly one), c (alone in a group), k whole in -2..4, m whole from 0, f free,
    g up to -1, h in -3..5 continuous, s from 0, t fixed at 2. Values 3, 4, 1, 1, -1, -1, 1, 2,
    -5, 7. With b (limited by no row) 4, c 1, g at -1, h at 5, t 14, s at 0:
    k + m <= 3.5 and m >= k - 1 give k = 2, m = 1 (worth 1: 2 - 1, as k = 1, m = 0 is);
    f >= a - 1.5 gives f = -1.5, worth 1.5. In all 4 + 1 + 1 + 1.5 - 1 + 10 + 14 = 30.5.
    """
    infinite = np.inf
    builder = ProgramBuilder(
        [3, 4, 1, 1, -1, -1, 1, 2, -5, 7],
        group=[0, 0, 1, -1, -1, -1, -1, -1, -1, -1],
        group_exact=[True, False],
        lower=[0, 0, 0, -2, 0, -infinite, -infinite, -3, 0, 2],
        upper=[1, 1, 1, 4, infinite, infinite, -1, 5, infinite, 2],
        integral=[True, True, True, True, True, False, False, False, False, False],
    )
    builder.add_row("two sides", [3, 4], 1.0, lower=-3.5, upper=3.5)
    builder.add_row("above", [4, 3], [1.0, -1.0], lower=-1.0)
    builder.add_row("free", [5, 0], [1.0, -1.0], lower=-1.5)
    builder.add_row("equal", [8, 9], [1.0, -1.0], lower=-2.0, upper=-2.0)
    builder.add_row("nothing in it", [], [], lower=-1.0, upper=2.0)
    builder.add_row("no sides", [0, 1], 1.0)
    return builder.build()


def written(program: Program, path: Path) -> Path:
    columns = [f"b+{j}_at_0.1" for j in range(program.n_columns)]
    groups = [f"b+{g}" for g in range(program.n_groups)]
    write_model(program, path, column_names=columns, group_names=groups)
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # nothing else is left
    return path


def optimum_by_pulp(path: Path) -> float | None:
    """Of an MPS file, read by PuLP, solved by CBC; in the sense of the program."""
    _, problem = pulp.LpProblem.fromMPS(str(path))
    problem.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0))
    if problem.status == pulp.LpStatusInfeasible:
        return None
    assert problem.sol_status == pulp.LpSolutionOptimal
    return -float(pulp.value(problem.objective))


def optimum_by_cbc(path: Path) -> float | None:
    """Of any file, read and solved by CBC alone; in the sense of the program."""
    command = [CBC, str(path), "-ratioGap", "0", "-solve"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if re.search(r"proven infeasible|Problem is infeasible|says infeasible", said):
        return None
    found = re.findall(r"^(?:Objective value:|Optimal objective) +(\S+)", said, re.MULTILINE)
    assert found, said
    # CBC turns a maximisation round and prints the negative of what it found in a minimisation
    return float(found[-1]) if path.suffix == ".lp" else -float(found[-1])


def optimum_by_scip(path: Path) -> float | None:
    """Of an MPS file, read and solved by OR-Tools and SCIP; in the sense of the program."""
    from ortools.linear_solver.python import model_builder

    model = model_builder.Model()
    assert model.import_from_mps_file(str(path))
    solver = model_builder.Solver("scip")
    status = solver.solve(model)
    if status == model_builder.SolveStatus.INFEASIBLE:
        return None
    assert status == model_builder.SolveStatus.OPTIMAL
    return -solver.objective_value


@pytest.mark.parametrize("seed", range(10))
def test_other_solvers_read_the_same_optimum(seed: int, tmp_path: Path):
    program = random_program(seed)
    expected = optimum(program)
    mps, lp = tmp_path / "mps" / "model.mps", tmp_path / "lp" / "model.lp"
    for path, readers in (
        (mps, (optimum_by_pulp, optimum_by_cbc, optimum_by_scip)),
        (lp, (optimum_by_cbc,)),
    ):
        path.parent.mkdir()
        written(program, path)
        for read in readers:
            found = read(path)
            if expected is None:
                assert found is None, read
            else:
                assert found == pytest.approx(expected, abs=1e-5), read


def test_every_kind_of_column_and_row_survives(tmp_path: Path):
    program = every_kind()
    solution = solve_program(program, EngineSettings(engine="highs", gap=0.0))
    assert solution.objective == pytest.approx(30.5)
    mps, lp = tmp_path / "mps" / "model.mps", tmp_path / "lp" / "model.lp"
    for path in (mps, lp):
        path.parent.mkdir()
        written(program, path)
    assert optimum_by_pulp(mps) == pytest.approx(30.5)
    assert optimum_by_scip(mps) == pytest.approx(30.5)
    assert optimum_by_cbc(mps) == pytest.approx(30.5)
    assert optimum_by_cbc(lp) == pytest.approx(30.5)


def test_an_mps_file_holds_the_program_number_by_number(tmp_path: Path):
    program = every_kind()
    columns, problem = pulp.LpProblem.fromMPS(str(written(program, tmp_path / "m.mps")))
    for j in range(program.n_columns):
        column = columns[f"x_b_{j}_at_0.1"]
        low = -np.inf if column.lowBound is None else column.lowBound
        high = np.inf if column.upBound is None else column.upBound
        assert (low, high) == (program.lower[j], program.upper[j])
        assert (column.cat == pulp.LpInteger) == program.integral[j]
        assert problem.objective.get(column, 0.0) == -program.value[j]
    rows = {row.name: row for row in problem.constraints()}
    assert set(rows) == {
        "r_two_sides",
        "r_two_sides_lower",
        "r_above",
        "r_free",
        "r_equal",
        "r_nothing_in_it",
        "r_nothing_in_it_lower",
        "one_of_b_0",
    }
    assert (rows["r_two_sides"].getUb(), rows["r_two_sides_lower"].getLb()) == (3.5, -3.5)
    assert rows["r_equal"].getLb() == rows["r_equal"].getUb() == -2.0
    assert {column.name: value for column, value in rows["r_above"].items()} == {
        "x_b_3_at_0.1": -1.0,
        "x_b_4_at_0.1": 1.0,
    }
    assert rows["one_of_b_0"].getLb() == rows["one_of_b_0"].getUb() == 1.0


def test_an_lp_file_reads_like_the_program(tmp_path: Path):
    builder = ProgramBuilder([2.5, 1.0, 4.0], group=[0, 0, 1])
    builder.add_row("stock[0001]", [0, 2], [3.0, 1.0], upper=3.0, rule="stock")
    path = tmp_path / "model.lp"
    names = ["0001+0002_at_0.05", "0001+0002_at_0.1", "0001+0003_at_0.05"]
    write_model(builder.build(), path, column_names=names, group_names=["0001+0002", "0001+0003"])
    assert path.read_text().splitlines() == [
        "\\* bundlewise *\\",
        "Maximize",
        "objective: 2.5 x_0001_0002_at_0.05 + x_0001_0002_at_0.1",
        " + 4 x_0001_0003_at_0.05",
        "Subject To",
        "one_of_0001_0002: x_0001_0002_at_0.05 + x_0001_0002_at_0.1 <= 1",
        "r_stock_0001: 3 x_0001_0002_at_0.05 + x_0001_0003_at_0.05 <= 3",
        "Binaries",
        "x_0001_0002_at_0.05",
        "x_0001_0002_at_0.1",
        "x_0001_0003_at_0.05",
        "End",
    ]


@pytest.mark.parametrize("ending", ["mps", "lp"])
def test_names_are_kept_apart_and_short_whatever_the_ids(ending: str, tmp_path: Path):
    long = "é" * 300
    names = ["a b", "a-b", "a+b", "free", "1e5", "", "", "=x\n2", "a_b_2", long, long, "x" * 300]
    n = len(names)
    builder = ProgramBuilder(np.arange(1.0, n + 1))
    for name in ("end", "End", "stock[é]", "stock[ü]", "a_lower", "x" * 300, "x" * 300 + "y"):
        builder.add_row(name, range(n), 1.0, lower=-1.0, upper=3.0)
    builder.add_row("a", range(n), 1.0, lower=0.0, upper=3.0)
    program = builder.build()
    path = tmp_path / f"model.{ending}"
    write_model(program, path, column_names=names, group_names=[])
    # The three best of 1..12 are worth 12 + 11 + 10.
    assert optimum_by_cbc(path) == 33.0
    used = set(re.findall(r"\b[xr](?:_[\w.]+)?", path.read_text()))
    assert len([name for name in used if name.startswith("x")]) == n
    assert len([name for name in used if name.startswith("r")]) == 2 * program.n_rows
    assert max(map(len, used)) <= 100
    assert all(name.isascii() for name in used)


def test_what_cannot_be_written_is_refused_first(tmp_path: Path):
    def refusal(path: Path, *, force: bool = False) -> str:
        with pytest.raises(InputError) as caught:
            check_model_target(path, force=force)
        return str(caught.value)

    for name in ("model", "model.txt", "model.mps.gz", ".lp"):
        assert "expected one of .mps, .lp" in refusal(tmp_path / name)
    (tmp_path / "folder.lp").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder.lp", force=True)
    assert "cannot be written (No such" in refusal(tmp_path / "nowhere" / "model.lp")
    assert "cannot be written (File name too long)" in refusal(tmp_path / f"{'x' * 300}.lp")
    (tmp_path / "file").write_text("")
    assert "cannot be written (Not a d" in refusal(tmp_path / "file" / "model.lp")
    model = tmp_path / "MODEL.LP"
    check_model_target(model, force=False)
    assert not model.exists()
    model.write_text("mine")
    assert "exists already; expected --force" in refusal(model)
    check_model_target(model, force=True)
    assert model.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MODEL.LP", "file", "folder.lp"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: pulp.LpProblem, filename: str, **__: object) -> None:
        Path(filename).write_text("half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pulp.LpProblem, "writeLP", full)
    path = tmp_path / "model.lp"
    path.write_text("whole")
    with pytest.raises(InputError, match="cannot be written \\(No space left"):
        write_model(random_program(1), path, column_names=["x"] * 11, group_names=["g"] * 5)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("model.lp", "whole")]
