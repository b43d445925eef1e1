"""One engine on one program: how long, how far, and a line about it."""

from __future__ import annotations

import time

import numpy as np
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Solution


def timed(program: Program, settings: EngineSettings) -> tuple[float, Solution]:
    """Seconds and the solution."""
    start = time.perf_counter()
    solution = solve_program(program, settings)
    return time.perf_counter() - start, solution


def load_kernels() -> None:
    """Solve a program of a few hundred columns, so that compiled kernels are in memory."""
    random = np.random.default_rng(0)
    builder = ProgramBuilder(random.random(400), group=np.arange(400) // 2)
    for number in range(10):
        builder.add_row(f"row {number}", np.arange(400), random.random(400), upper=5.0)
    solve_program(builder.build(), EngineSettings(engine="auto", time_limit=10.0))


def line(label: str, seconds: float, solution: Solution) -> str:
    """Label, seconds, status, objective and bound in whole money, and gap."""
    objective = "–" if solution.objective is None else f"{solution.objective / 100:,.2f}"
    bound = "–" if solution.bound is None else f"{solution.bound / 100:,.2f}"
    gap = "–" if solution.gap is None else f"{solution.gap:.4%}"
    return f"{label:9} {seconds:8.2f} s  {solution.status:10} {objective:>14} {bound:>14} {gap:>11}"
