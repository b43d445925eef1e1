"""Signals to a real process: the search ends with its plan, or the command without one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from .conftest import Run, heeds_interrupts

# The command, with a search that says it runs, and waits for the interrupt with what it found.
WAITS = """
import sys, time
from dataclasses import replace
from bundlewise.solver import planning
from bundlewise.solver.solution import Status

FOUND = {found}
search = planning.solve_program

def waits(program, settings, progress=None, *, start=None, interrupt=None, known_bound=None):
    solution = search(program, settings, start=start)
    print("searching", flush=True)
    while not interrupt.requested:
        time.sleep(0.01)
    time.sleep({deaf})
    if FOUND:
        bound = solution.bound * 1.05
        return replace(solution, status=Status.FEASIBLE, limit="interrupt", bound=bound)
    return replace(solution, status=Status.UNKNOWN, limit="interrupt", values=None,
                   objective=None, bound=None)

planning.solve_program = waits
from bundlewise.cli.main import main
main()
"""

# The command over a program that no engine proves in time, instead of the scenario's.
HARD = """
import sys
sys.path.insert(0, {tests!r})
from enumeration import market_split
from bundlewise.solver import planning
from bundlewise.solver.engines import mathopt

mathopt._LARGE = 0
search = planning.solve_program

def hard(program, settings, progress=None, *, start=None, interrupt=None, known_bound=None):
    print("searching", flush=True)
    search(market_split(), settings, progress, interrupt=interrupt)
    return search(program, settings)

planning.solve_program = hard
from bundlewise.cli.main import main
main()
"""
TESTS = str(Path(__file__).parents[1] / "solver")


class Process:
    """The command under way, searching."""

    def __init__(self, script: str, *arguments: str | Path) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heeds_interrupts,
        )

    def await_search(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            if line == "searching\n":
                return
        raise AssertionError(self.popen.communicate()[1])

    def end(self) -> tuple[int, str]:
        """Exit code and stderr."""
        _, err = self.popen.communicate(timeout=60)
        return self.popen.returncode, err


Found = TypeVar("Found")
Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Process] = []

    def begin(script: str, *arguments: str | Path) -> Process:
        started.append(Process(script, *arguments))
        return started[-1]

    yield begin
    for process in started:
        process.popen.kill()
        process.popen.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_search_keeps_the_plan(
    number: int, seed_case: Path, tmp_path: Path, start: Start, run: Run
) -> None:
    script = WAITS.format(found=True, deaf=0)
    process = start(script, "solve", seed_case / "scenario.toml", "--out", tmp_path / "plan")
    process.await_search()
    process.popen.send_signal(number)
    code, err = process.end()
    assert code == 0, err
    assert err == "bundlewise: interrupted: ending the search\n"
    report = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert (report["status"], report["limit"]) == ("feasible", "interrupt")
    assert run("check", tmp_path / "plan").code == 0


def test_a_signal_before_any_plan_is_found_writes_nothing(
    seed_case: Path, tmp_path: Path, start: Start
) -> None:
    script = WAITS.format(found=False, deaf=0)
    process = start(script, "solve", seed_case / "scenario.toml", "--out", tmp_path / "plan")
    process.await_search()
    process.popen.send_signal(signal.SIGINT)
    code, err = process.end()
    assert code == 130
    assert "interrupted before a plan was found" in err
    assert list(tmp_path.iterdir()) == []


def test_a_second_signal_aborts(seed_case: Path, tmp_path: Path, start: Start) -> None:
    script = WAITS.format(found=True, deaf=20)
    process = start(script, "solve", seed_case / "scenario.toml", "--out", tmp_path / "plan")
    process.await_search()
    process.popen.send_signal(signal.SIGINT)
    assert process.popen.stderr is not None
    assert process.popen.stderr.readline().startswith("bundlewise: interrupted")
    process.popen.send_signal(signal.SIGINT)
    assert process.end() == (130, "bundlewise: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_comparing_ends_at_the_first_signal(seed_case: Path, seed_plan: Path, start: Start) -> None:
    process = start(
        WAITS.format(found=True, deaf=0), "compare", seed_case / "scenario.toml", seed_plan
    )
    process.await_search()
    process.popen.send_signal(signal.SIGINT)
    assert process.end() == (130, "bundlewise: interrupted\n")


@pytest.mark.parametrize("engine", ["highs", "scip", "pulp:CBC"])
def test_processes_of_solvers_end_with_the_command_however_it_ends(
    engine: str,
    variant: Callable[..., Path],
    tmp_path: Path,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    scenario = variant(f'[solver]\nengine = "{engine}"\ntime_limit = 60\ngap = 0.0\n')
    process = start(HARD.format(tests=TESTS), "solve", scenario, "--out", tmp_path / "plan")
    process.await_search()
    children = _when(lambda: _children(process.popen.pid))
    process.popen.kill()
    process.end()
    assert _when(lambda: not any(_runs(child) for child in children))
    assert _when(lambda: not list(temporary.glob("bundlewise-*")))


@pytest.mark.parametrize("engine", ["highs", "scip", "cp-sat", "pulp:CBC"])
def test_engines_end_at_a_signal(
    engine: str, variant: Callable[..., Path], tmp_path: Path, start: Start
) -> None:
    scenario = variant(f'[solver]\nengine = "{engine}"\ntime_limit = 600\n')
    process = start(HARD.format(tests=TESTS), "solve", scenario, "--out", tmp_path / "plan")
    process.await_search()
    time.sleep(1.0)
    process.popen.send_signal(signal.SIGINT)
    code, err = process.end()
    assert code == 0, err
    assert (tmp_path / "plan" / "plan.csv").exists()


def _children(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(child) for child in listed.stdout.split()]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _when(condition: Callable[[], Found], seconds: float = 30.0) -> Found:
    """What the condition gives once it is true, or in the end."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
