"""Engine auto as a whole: right without any one of its parts, from a start, when interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings, auto, cutting, sifting, solve_program
from bundlewise.solver.engines.auto import solve_auto
from bundlewise.solver.engines.ingredients import Ingredients
from bundlewise.solver.engines.interface import Clock, Interrupt
from bundlewise.solver.solution import Status

from .cut_programs import cut_program, feasible_points
from .enumeration import market_split
from .test_auto import shop

PARTS = [field.name for field in fields(Ingredients)]


@pytest.fixture
def tiny_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restricted programs of a handful of columns, so that small programs need many rounds."""
    for module, name, value in [
        (sifting, "_FIRST", 5),
        (sifting, "_ADDED", 2),
        (auto, "_FIRST", 5),
        (auto, "_GROWTH", 2),
        (cutting, "_PRUNED_EVERY", 2),
    ]:
        monkeypatch.setattr(module, name, value)


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("off", [None, *PARTS])
def test_agrees_with_enumeration_without_any_one_part(off: str | None) -> None:
    parts = Ingredients() if off is None else replace(Ingredients(), **{off: False})
    settings = EngineSettings(gap=0.0, time_limit=10, threads=1)
    first = 1000 * (1 + PARTS.index(off)) if off else 0
    for seed in range(first, first + 20):
        program = cut_program(seed, columns=11, within=0.0)
        exact, points = feasible_points(program, tolerance=0.0), feasible_points(program)
        best = float((exact @ program.value).max(initial=-np.inf))
        # what rows allow by their tolerance is not worth more than this
        top = float((points @ program.value).max())
        start = None
        if seed % 2:
            start = points[seed % len(points)]
        solution = solve_auto(program, settings, Clock(10.0), None, start, parts)
        assert solution.bound is not None, seed
        assert solution.objective is not None, seed
        assert solution.bound >= best - 1e-6, seed
        assert solution.status is Status.OPTIMAL, seed
        assert best - 1e-5 <= solution.objective <= top + 1e-5, seed
        if start is not None and program.is_feasible(start):
            assert solution.objective >= program.objective(start) - 1e-9, seed


@pytest.mark.parametrize("limit", [0.0, 1e-3, 0.05, 0.3])
def test_never_less_than_the_start(limit: float) -> None:
    program = market_split(6)
    # columns that make up for what is missing: a start far from the best
    start = np.zeros(program.n_columns)
    n = program.n_columns - 2 * program.n_rows
    start[n + 2 * np.arange(program.n_rows)] = program.row_upper
    start[: n // 2] = 1.0
    missing = program.row_upper - program.activity(start * (np.arange(len(start)) < n))
    start[n:] = 0.0
    start[n + 2 * np.arange(program.n_rows)] = np.maximum(missing, 0.0)
    start[n + 2 * np.arange(program.n_rows) + 1] = np.maximum(-missing, 0.0)
    assert program.is_feasible(start)
    settings = EngineSettings(gap=0.0, time_limit=limit)
    solution = solve_program(program, settings, start=start)
    assert solution.objective is not None
    assert solution.objective >= program.objective(start)
    assert solution.status in (Status.FEASIBLE, Status.OPTIMAL)


def test_an_optimal_start_is_kept_and_proven() -> None:
    program = shop(2, columns=100)
    best = solve_program(program, EngineSettings(gap=0.0, time_limit=20))
    assert best.values is not None
    again = solve_program(program, EngineSettings(gap=0.0, time_limit=20), start=best.values)
    assert again.status is Status.OPTIMAL
    assert again.objective == pytest.approx(best.objective)


@contextmanager
def busy() -> Iterator[None]:
    """A thread beside that never rests."""
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_counted_work_gives_the_same_plan_bound_and_statistics_under_load() -> None:
    program = market_split(6)
    settings = EngineSettings(gap=0.0, time_limit=2.0, threads=2, seed=3, deterministic=True)
    first = solve_program(program, settings)
    with busy():
        second = solve_program(program, settings)
    assert first.limit == "time"
    assert first.statistics["neighbourhoods"] > 0
    assert first.values is not None
    assert second.values is not None
    assert second.values.tolist() == first.values.tolist()
    assert second.bound == first.bound
    assert second.statistics == first.statistics


def test_an_interrupt_in_mid_search_brings_the_incumbent() -> None:
    program, interrupt = market_split(6), Interrupt()
    asked: list[float] = []

    def ask() -> None:
        asked.append(time.perf_counter())
        interrupt.request()

    timer = threading.Timer(1.0, ask)
    timer.start()
    settings = EngineSettings(gap=0.0, time_limit=60.0)
    solution = solve_program(program, settings, interrupt=interrupt)
    took = time.perf_counter() - asked[0]
    timer.join()
    assert took < 10.0  # a moment, on a machine that others use
    assert solution.limit == "interrupt"
    assert solution.status is Status.FEASIBLE
    assert solution.values is not None
    assert program.is_feasible(solution.values)
    assert solution.bound is not None
