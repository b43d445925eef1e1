"""Interrupts, limits and counted work: how a search ends before its proof."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.solver.engines import EngineSettings, Interrupt, Progress, mathopt, solve_program
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.mathopt import integer_answer
from bundlewise.solver.engines.mathopt_worker import _last_incumbent
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Status

from .enumeration import market_split, random_program

WHOLE = ("highs", "scip", "cp-sat", "pulp:CBC")


def shop(offers: int) -> Program:
    """Random pairs of 200 products, three offers a product at most, real budget and value."""
    random = np.random.default_rng(5)
    pair = np.sort(random.choice(200, (offers, 2)), axis=1)
    everything = np.arange(offers)
    units = random.lognormal(1.0, 1.0, offers)
    builder = ProgramBuilder((5 + 10 * units + random.normal(0, 1, offers)).round(2))
    builder.add_row("budget", everything, units, upper=400.0)
    for product in range(200):
        which = np.flatnonzero((pair == product).any(axis=1))
        builder.add_row(f"exposure[{product}]", which, 1.0, upper=3)
    return builder.build()


@pytest.mark.parametrize("engine", WHOLE)
def test_an_interrupt_keeps_incumbent_and_bound(engine: str) -> None:
    program, interrupt = market_split(), Interrupt()

    def tell(state: Progress) -> None:
        if state.objective is not None:
            interrupt.request()

    timer = threading.Timer(8, interrupt.request)  # for what tells of no incumbent under way
    timer.start()
    settings = EngineSettings(engine=engine, gap=0.0, time_limit=300)
    solution = solve_program(program, settings, tell, interrupt=interrupt)
    timer.cancel()
    assert (solution.status, solution.limit) == (Status.FEASIBLE, "interrupt")
    assert solution.values is not None
    assert program.is_feasible(solution.values)
    assert solution.bound is None or solution.bound >= solution.objective


@pytest.mark.parametrize("name", ["highs", "scip"])
def test_a_process_apart_hands_over_its_incumbent_at_an_interrupt(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mathopt, "_LARGE", 0)
    program, interrupt, seen = market_split(), Interrupt(), list[Progress]()

    def tell(state: Progress) -> None:
        seen.append(state)
        if state.objective is not None and state.bound is not None:
            interrupt.request()

    settings = EngineSettings(engine=name, gap=0.0, time_limit=300)
    solution = solve_program(program, settings, tell, interrupt=interrupt)
    assert (solution.status, solution.limit) == (Status.FEASIBLE, "interrupt")
    assert solution.bound == pytest.approx(0.0, abs=1e-6)
    assert seen[0].message == name


@pytest.mark.parametrize("engine", [*WHOLE, "auto"])
def test_an_interrupt_before_the_search_leaves_the_start(engine: str) -> None:
    interrupt = Interrupt()
    interrupt.request()
    program = random_program(1)
    start = np.zeros(program.n_columns)
    settings = EngineSettings(engine=engine)
    solution = solve_program(program, settings, start=start, interrupt=interrupt)
    assert solution.limit == "interrupt"
    assert (solution.values is not None) == program.is_feasible(start)


@pytest.mark.parametrize("engine", ["highs", "scip", "cp-sat", "pulp:CBC"])
def test_a_limit_on_a_large_program_is_a_time_limit(engine: str) -> None:
    settings = EngineSettings(engine=engine, gap=0.0, time_limit=2.0)
    solution = solve_program(shop(60_000), settings)
    assert solution.status in (Status.FEASIBLE, Status.UNKNOWN)
    assert solution.limit == "time"


@pytest.mark.parametrize("columns", [50, 600])
@pytest.mark.parametrize("engine", ["highs", "scip", "cp-sat", "auto"])
def test_counted_work_gives_the_same_solution_beside_a_busy_process(
    engine: str, columns: int
) -> None:
    program = market_split() if columns == 50 else shop(columns)
    settings = EngineSettings(engine=engine, gap=0.0, time_limit=0.5, threads=2, deterministic=True)
    first = solve_program(program, settings)
    with busy():
        second = solve_program(program, settings)
    assert (first.status, first.limit) == (second.status, second.limit)
    assert (first.objective, first.bound) == (second.objective, second.bound)
    assert (first.values is None) == (second.values is None)
    if first.values is not None and second.values is not None:
        assert first.values.tolist() == second.values.tolist()


def test_solvers_of_pulp_count_no_work() -> None:
    settings = EngineSettings(engine="pulp:CBC", deterministic=True)
    with pytest.raises(InputError, match=r"solver\.deterministic: true, but pulp:CBC"):
        solve_program(random_program(1), settings)


@pytest.mark.parametrize("name", ["highs", "scip"])
@pytest.mark.parametrize("large", [0, 8000])
def test_a_node_limit_ends_the_search(
    name: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mathopt, "_LARGE", large)
    settings, clock = EngineSettings(engine=name, gap=0.0), Clock(300)
    raw = integer_answer(market_split(), name, settings, clock, node_limit=20)
    assert raw.limit == "node"
    assert raw.values is not None
    assert clock.reason is None


def test_a_limit_of_one_call_leaves_the_clock_running() -> None:
    clock = Clock(300)
    raw = integer_answer(market_split(), "highs", EngineSettings(gap=0.0), clock, seconds=0.3)
    assert raw.limit == "time"
    assert clock.left() > 0


def test_counted_work_is_charged() -> None:
    clock = Clock(300, deterministic=True)
    integer_answer(market_split(), "scip", EngineSettings(gap=0.0), clock, node_limit=20)
    assert 0 < clock.spent() < 1


def test_the_last_incumbent_of_a_file_is_the_last_whole_one(tmp_path: Path) -> None:
    file = tmp_path / "incumbents"
    assert _last_incumbent(file) is None
    file.write_text("Objective 3\n# Columns -2\n 1 0\n 2 4\n")
    assert _last_incumbent(file) == {0: 1.0, 4: 2.0}
    # the process was ended while it wrote the second: "25" may have been meant to be "250"
    file.write_text(file.read_text() + "Objective 4\n# Columns -2\n 1 1\n 1 25")
    assert _last_incumbent(file) == {0: 1.0, 4: 2.0}
    file.write_text("Objective 0\n# Columns 0\n")
    assert _last_incumbent(file) == {}


@contextmanager
def busy() -> Iterator[None]:
    """Two processes that keep two cores at work meanwhile."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(2)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
