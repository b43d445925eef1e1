"""How well each engine keeps its time limit, an interrupt, and a count of work.

    python -m benchmarks.control [--engines auto,highs,scip,cp-sat,pulp:CBC] [--what limits]
        [--offers 1000,20000,480000] [--limits 2,5,20]

The programs are made here: pairs of products worth about what they take of stock and budget, a
count, a plan margin, and a gap of 0 to prove. Limits of 2 s at 480,000 offers end before engines
have a plan; what counts is that they end.

``limits`` prints wall-clock seconds of ``solve_program`` over the limit; ``interrupts`` the
seconds from an interrupt, asked for at half the limit, to the answer; ``work`` whether two
deterministic runs, the second beside a process that keeps a core busy, give the same plan.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
from bundlewise.instances.errors import InputError
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.interface import Interrupt
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Solution

SEED = 20_180_101
TARGET = 1.1  # wall-clock seconds over the limit
BUSY = "while True: pass"


def main() -> None:
    """Run each engine on each program, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", default="auto,highs,scip,cp-sat,pulp:CBC")
    parser.add_argument("--what", default="limits", choices=["limits", "interrupts", "work"])
    parser.add_argument("--offers", default="1000,20000,480000")
    parser.add_argument("--limits", default="2,5,20", help="seconds")
    arguments = parser.parse_args()
    measure = {"limits": _limit, "interrupts": _interrupt, "work": _work}[arguments.what]
    solve_program(shop_program(1000), EngineSettings(time_limit=5.0))  # loads compiled kernels
    for offers in arguments.offers.split(","):
        program = shop_program(int(offers))
        for limit in arguments.limits.split(","):
            for engine in arguments.engines.split(","):
                print(f"{int(offers):>9,} offers  {engine:9} {limit:>3} s ", end="", flush=True)
                print(_line(measure, program, engine, float(limit)), flush=True)


def _line(
    measure: Callable[[Program, EngineSettings], str], program: Program, engine: str, limit: float
) -> str:
    deterministic = measure is _work
    settings = EngineSettings(
        engine=engine, gap=0.0, time_limit=limit, threads=2, deterministic=deterministic
    )
    try:
        return measure(program, settings)
    except InputError as error:
        return str(error)


def shop_program(offers: int) -> Program:
    """Offers of random pairs of products, the same on every run."""
    random = np.random.default_rng(SEED)
    products = max(offers // 40, 50)
    pair = np.sort(random.integers(0, products, (offers, 2)), axis=1)
    pair = pair[pair[:, 0] < pair[:, 1]]
    n = len(pair)
    units = random.lognormal(1.0, 1.0, n)
    value = (5.0 + 10.0 * units + random.normal(0.0, 1.0, n)).round(2)
    everything = np.arange(n)
    builder = ProgramBuilder(value)
    builder.add_row("bundle-count", everything, 1.0, upper=min(200, products // 4))
    builder.add_row("discount-budget", everything, units, upper=150.0)
    builder.add_row("plan-margin", everything, random.normal(0.0, 2.0, n) * units, lower=0.0)
    stock = random.uniform(3.0, 9.0, products)
    builder.add_rows(
        [f"stock[{product}]" for product in range(products)],
        pair.ravel(),
        np.repeat(everything, 2),
        np.repeat(units, 2),
        lower=np.full(products, -np.inf),
        upper=stock,
    )
    return builder.build()


def _limit(program: Program, settings: EngineSettings) -> str:
    start = time.perf_counter()
    solution = solve_program(program, settings)
    ratio = (time.perf_counter() - start) / settings.time_limit
    verdict = "" if ratio <= TARGET else f"  above {TARGET:g}"
    return f"{ratio:5.2f} of the limit  {_found(solution)}{verdict}"


def _interrupt(program: Program, settings: EngineSettings) -> str:
    interrupt = Interrupt()
    asked = settings.time_limit / 2
    timer = threading.Timer(asked, interrupt.request)
    start = time.perf_counter()
    timer.start()
    solution = solve_program(program, settings, interrupt=interrupt)
    timer.cancel()
    return f"{time.perf_counter() - start - asked:5.2f} s after  {_found(solution)}"


def _work(program: Program, settings: EngineSettings) -> str:
    start = time.perf_counter()
    first = solve_program(program, settings)
    seconds = time.perf_counter() - start
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        second = solve_program(program, settings)
    finally:
        busy.kill()
        busy.wait()
    same = (first.values is None) == (second.values is None)
    if first.values is not None and second.values is not None:
        same = bool(np.array_equal(first.values, second.values))
    return f"{'same' if same else 'DIFFERENT'} plan, {seconds:.1f} s  {_found(first)}"


def _found(solution: Solution) -> str:
    objective = "–" if solution.objective is None else f"{solution.objective:,.2f}"
    gap = "–" if solution.gap is None else f"{solution.gap:.2%}"
    return f"{solution.status:10} {solution.limit or '':9} {objective:>12} {gap:>8}"


if __name__ == "__main__":
    main()
