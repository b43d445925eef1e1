"""Time and memory to a proven 0.1 % from 10 thousand to 10 million offers.

    python -m benchmarks.scale [--sizes 4,5,6,7]

Each size has a process of its own, which draws the shop, scores its pairs, builds the program and
solves it with auto: the peak memory is of all that. Kernels are loaded before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings

from .programs import scale_offers
from .runs import load_kernels, timed

GAP = 0.001
LIMIT = 600.0  # seconds a size
TARGET_SECONDS, TARGET_PEAK = 60.0, 6.0  # of 10 million offers, building and solving; GB


def main() -> None:
    """Print a line a size, then what is aimed for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="4,5,6,7", help="powers of ten, comma-separated")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(_measured(arguments.one)))
        return
    print(f"gap {GAP:.1%}, {os.cpu_count()} cores; seconds, and GB at the peak")
    print(
        f"{'offers':>10} {'rows':>8} {'score':>7} {'build':>7} {'solve':>7} "
        f"{'a million':>10} {'peak':>6} {'gap':>9}"
    )
    for size in arguments.sizes.split(","):
        found = _in_a_process(int(size))
        seconds = found["build"] + found["solve"]
        gap = "–" if found["gap"] is None else f"{found['gap']:.4%}"
        print(
            f"{found['offers']:10,} {found['rows']:8,} {found['score']:7.2f} {found['build']:7.2f} "
            f"{found['solve']:7.2f} {seconds / found['offers'] * 1e6:10.2f} "
            f"{found['peak']:6.2f} {gap:>9}",
            flush=True,
        )
    print(
        f"target: 10 million offers in {TARGET_SECONDS:.0f} s after scoring and "
        f"{TARGET_PEAK:.0f} GB; seconds a million offers, build and solve, that do not grow"
    )


def _in_a_process(size: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scale", "--one", str(size)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def _measured(size: int) -> dict[str, Any]:
    """Seconds by stage, what came out, and the peak memory of the process in GB."""
    load_kernels()
    scored_from = time.perf_counter()
    instance, beliefs, offers = scale_offers(10**size)
    built_from = time.perf_counter()
    program = build_program(instance, beliefs, offers)
    built = time.perf_counter()
    settings = EngineSettings(engine="auto", gap=GAP, time_limit=LIMIT)
    seconds, solution = timed(program, settings)
    return {
        "offers": program.n_columns,
        "rows": program.n_rows,
        "score": built_from - scored_from,
        "build": built - built_from,
        "solve": seconds,
        "gap": solution.gap,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


if __name__ == "__main__":
    main()
