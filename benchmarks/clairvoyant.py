"""Plans learned from simulated orders against plans of a clairvoyant: docs/study.md.

    python -m benchmarks.clairvoyant [--shops 20] [--worlds right,thin,…] [--jobs 1] [--json FILE]

Each shop is drawn, its orders are simulated, ``learn`` and ``solve`` make a plan of them, and the
plan earns what the shop's shoppers, whose willingness to pay is known, then truly do. A line is
printed a shop; the tables come at the end. The worlds in which the model is right get all the
shops, the others half as many. ``--json`` writes every figure after every shop.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba

from .clairvoyant_measure import measure
from .clairvoyant_report import report
from .clairvoyant_shops import MODEL_RIGHT, WORLDS


def main() -> None:
    """Measure all shops, then print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shops", type=int, default=20, help="of each world where it is right")
    parser.add_argument("--worlds", default=",".join(WORLDS), help="of " + ", ".join(WORLDS))
    parser.add_argument("--jobs", type=int, default=1, help="shops measured at a time")
    parser.add_argument("--json", type=Path, help="where to write every shop's figures")
    arguments = parser.parse_args()
    worlds = arguments.worlds.split(",")
    unknown = [world for world in worlds if world not in WORLDS]
    if unknown:
        parser.error(f"no world {unknown[0]!r}; there are {', '.join(WORLDS)}")

    start = time.perf_counter()
    results: list[dict[str, Any]] = []
    for result in _measured(_cases(worlds, arguments.shops), arguments.jobs):
        results.append(result)
        print(_line(result), flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    order = list(WORLDS)
    results.sort(key=lambda one: (order.index(one["world"]), one["seed"]))
    print(f"\n{report(results)}\n\n{(time.perf_counter() - start) / 60:.1f} minutes")


def _cases(worlds: list[str], shops: int) -> list[tuple[str, int]]:
    """(world, seed) of every shop, seed by seed, so that a run cut short says something of all."""
    return [
        (world, seed)
        for seed in range(1, shops + 1)
        for world in worlds
        if world in MODEL_RIGHT or seed <= max(shops // 2, 1)
    ]


def _measured(cases: list[tuple[str, int]], jobs: int) -> Iterator[dict[str, Any]]:
    if jobs == 1:
        yield from map(_measure, cases)
        return
    # Processes are made anew: threads of compiled kernels do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(jobs, numba.set_num_threads, (1,)) as pool:
        yield from pool.imap_unordered(_measure, cases)


def _measure(case: tuple[str, int]) -> dict[str, Any]:
    return measure(*case)


def _line(result: dict[str, Any]) -> str:
    plans = result["plans"]
    posterior = ""
    if "posterior" in plans:
        posterior = f", {plans['learned'] / plans['posterior']:.1%} of the posterior's"
    return (
        f"{result['world']:11} {result['seed']:3}  {result['lines']:>7,} lines  "
        f"delivered {plans['learned']:,.2f}: {plans['learned'] / plans['clairvoyant']:.1%} of the "
        f"clairvoyant's{posterior}; promised {result['promised'] / plans['learned'] - 1:+.1%}  "
        f"({result['seconds']:.0f} s)"
    )


if __name__ == "__main__":
    main()
