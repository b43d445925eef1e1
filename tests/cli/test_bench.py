"""``bundlewise bench mmkp``: lines, summary, JSON, and what is refused before a solve."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bundlewise.solver import mmkp_benchmark

from .conftest import Run, heeds_interrupts

# Best: the second item of both classes, 9 + 5.5 within 10 and 4.
FIRST = "2 2\n10 4\n2\n7 3 1\n9 5 2\n3\n2 0 0\n5.5 5 1\n6 6 0\n"
SECOND = "1 1\n3\n2\n4 3\n5 4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "instances"
    path.mkdir()
    (path / "first.txt").write_text(FIRST)
    (path / "second.txt").write_text(SECOND)
    (path / "notes.md").write_text("not an instance")
    return path


def write_reference(folder: Path, best_of_first: str) -> None:
    (folder / "reference.csv").write_text(
        "instance,best_value,upper_bound,kind\n"
        f"first.txt,{best_of_first},{best_of_first},optimal\n"
        "third.txt,1,1,optimal\n"
    )


def test_a_line_an_instance_and_a_summary(folder: Path, run: Run):
    write_reference(folder, "14.5")
    answer = run("bench", "mmkp", folder, "--time-limit", "20")
    assert (answer.code, answer.err) == (0, "")
    lines = [line.split() for line in answer.out.splitlines()]
    assert lines[0][:3] == ["instance", "value", "bound"]
    assert lines[0][3:] == ["gap", "seconds", "status", "reference", "difference"]
    seconds = lines[1].pop(4)
    assert float(seconds) < 20
    assert lines[1] == ["first.txt", "14.5", "14.5", "0.000%", "optimal", "14.5*", "0.000%"]
    del lines[2][4]
    assert lines[2] == ["second.txt", "4", "4", "0.000%", "optimal", "–", "–"]
    assert "2 proven optimal" in answer.out
    assert "over 1: mean 0.000%, worst 0.000%" in answer.out


@pytest.mark.parametrize("engine", ["auto", "highs", "cp-sat", "pulp:cbc"])
def test_json_holds_every_figure(engine: str, folder: Path, run: Run):
    write_reference(folder, "14.5")
    answer = run("bench", "mmkp", folder, "--json", "--engine", engine)
    assert (answer.code, answer.err) == (0, "")
    report = json.loads(answer.out)
    first, second = report["instances"]
    del first["seconds"], second["seconds"]
    assert first == {
        "instance": "first.txt",
        "value": 14.5,
        "bound": 14.5,
        "gap": 0.0,
        "status": "optimal",
        "reference": 14.5,
        "reference_kind": "optimal",
        "difference": 0.0,
    }
    assert (second["value"], second["reference"], second["difference"]) == (4.0, None, None)
    summed = report["summary"]
    assert (summed["instances"], summed["optimal"], summed["referenced"]) == (2, 2, 1)
    assert summed["problems"] == []


def test_without_references_there_is_nothing_to_differ_from(folder: Path, run: Run):
    answer = run("bench", "mmkp", folder)
    assert answer.code == 0
    assert "reference (" not in answer.out


def test_only_some_and_quiet(folder: Path, run: Run):
    report = json.loads(run("bench", "mmkp", folder, "--only", "sec*", "--json").out)
    assert [row["instance"] for row in report["instances"]] == ["second.txt"]
    answer = run("bench", "mmkp", folder, "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_an_instance_without_a_solution_is_a_line_like_others(folder: Path, run: Run):
    (folder / "second.txt").write_text("1 1\n3\n1\n4 5\n")
    answer = run("bench", "mmkp", folder)
    assert answer.code == 0
    assert "infeasible" in answer.out
    assert "1 with a solution" in answer.out


@pytest.mark.parametrize("as_json", [True, False])
def test_a_contradicted_reference_is_a_failed_check_after_all_is_printed(
    as_json: bool, folder: Path, run: Run
):
    write_reference(folder, "15")
    answer = run("bench", "mmkp", folder, *(["--json"] if as_json else []))
    assert answer.code == 5
    assert answer.err.splitlines() == [
        "bundlewise: the benchmark failed its check:",
        "first.txt: a bound of 14.5 was claimed below the reference's value 15",
    ]
    if as_json:
        assert len(json.loads(answer.out)["instances"]) == 2
    else:
        assert "2 instances" in answer.out


def test_nothing_is_solved_where_a_file_is_broken(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    def no(*_: object) -> None:
        raise AssertionError("solved")

    monkeypatch.setattr(mmkp_benchmark, "solve_program", no)
    (folder / "second.txt").write_text(SECOND.replace("4 3", "4"))
    line = run("bench", "mmkp", folder).refused(2)
    assert "second.txt: end: the file ends" in line
    (folder / "second.txt").write_text(SECOND)
    (folder / "reference.csv").write_text("instance,best\n")
    assert "reference.csv: line 1: no column 'best_value'" in run("bench", "mmkp", folder).refused(
        2
    )


def test_folders_without_instances_are_refused(folder: Path, tmp_path: Path, run: Run):
    assert "cannot be read (No such" in run("bench", "mmkp", tmp_path / "nowhere").refused(2)
    assert "cannot be read (Not a d" in run("bench", "mmkp", folder / "first.txt").refused(2)
    (tmp_path / "empty").mkdir()
    assert "no *.txt file in it" in run("bench", "mmkp", tmp_path / "empty").refused(2)
    line = run("bench", "mmkp", folder, "--only", "x*").refused(2)
    assert "none of 2 *.txt files matches --only 'x*'" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--time-limit", "0"], "--time-limit"),
        (["--time-limit", "nan"], "--time-limit"),
        (["--time-limit", "inf"], "--time-limit"),
        (["--gap", "-0.1"], "--gap"),
        (["--gap", "nan"], "--gap"),
        (["--gap", "1"], "--gap"),
        (["--engine", "fast"], "no engine 'fast'"),
        (["--engine", "pulp:nothing"], "'pulp:nothing' names no solver that PuLP knows"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    options: list[str], words: str, folder: Path, run: Run
):
    assert words in run("bench", "mmkp", folder, *options).refused(2)


def test_an_unknown_benchmark_is_refused(run: Run, tmp_path: Path):
    assert "No such command 'mmpk'" in run("bench", "mmpk", tmp_path).refused(2)


# The command, with a solver that never ends on the second instance and cannot be asked to.
STUCK = """
import time
from bundlewise.cli.main import main
from bundlewise.solver import mmkp_benchmark
solve = mmkp_benchmark.solve_program
def stuck(program, *arguments):
    if program.n_columns == 2:
        time.sleep(300)
    return solve(program, *arguments)
mmkp_benchmark.solve_program = stuck
main()
"""


def test_ctrl_c_ends_at_once_with_what_was_solved(folder: Path):
    command = [sys.executable, "-c", STUCK, "bench", "mmkp", str(folder)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heeds_interrupts,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"instance")
        assert process.stdout.readline().startswith(b"first.txt")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"bundlewise: interrupted\n")
