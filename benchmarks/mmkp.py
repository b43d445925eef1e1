"""Published knapsacks: auto beside other engines on the same instances with the same limit.

    python -m benchmarks.mmkp DIR [--engines auto,cp-sat,highs] [--limit 20] [--only 'hh_*']

DIR holds MMKP files and a reference.csv (docs/benchmarks.md). Every answer is checked against
its file. A difference is (value − best_value)/best_value, below 0 where the answer is worse.
79 instances at 20 s take up to 26 minutes an engine, less where optima are proven early.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
from pathlib import Path
from typing import Any

from bundlewise.instances.mmkp import REFERENCE_FILE, read_mmkp, read_references
from bundlewise.solver.engines import EngineSettings
from bundlewise.solver.mmkp_benchmark import MmkpResult, solve_mmkp, summary
from bundlewise.solver.solution import Status

FAMILIES = ("hh_", "khan_", "mmkp_a_", "mmkp_b_", "mmkp_c_")
HH_SECONDS = 5.0  # in which each hh_ instance is to be proven
TARGET_MEAN, TARGET_WORST = -0.0003, -0.0015  # differences on the open instances


def main() -> None:
    """A line an instance, each engine's difference, gap and seconds; then means by family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--engines", default="auto,cp-sat,highs", help="comma-separated")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds an instance")
    parser.add_argument("--only", default="*", metavar="GLOB", help="files whose name matches")
    arguments = parser.parse_args()
    engines = arguments.engines.split(",")
    files = sorted(
        path
        for path in arguments.folder.glob("*.txt")
        if fnmatch.fnmatch(path.name, arguments.only)
    )
    instances = [read_mmkp(path) for path in files]
    names = {instance.name for instance in instances}
    references = read_references(arguments.folder / REFERENCE_FILE)
    print(f"{len(instances)} instances, {arguments.limit:g} s each, {os.cpu_count()} cores")
    print(f"{'':20}" + "".join(f"{f'{engine}: difference, gap, s':>32}" for engine in engines))
    results: dict[str, list[MmkpResult]] = {engine: [] for engine in engines}
    for instance in instances:
        cells = []
        for engine in engines:
            settings = EngineSettings(engine=engine, gap=0.0, time_limit=arguments.limit)
            result = solve_mmkp(instance, settings, references.get(instance.name))
            results[engine].append(result)
            cells.append(_cell(result))
        print(f"{instance.name:20}" + "".join(cells), flush=True)
    for family in FAMILIES:
        _print_group(f"{family}*", results, {n for n in names if n.startswith(family)})
    still_open = {n for n in names if n in references and references[n].kind != "optimal"}
    _print_group("open", results, still_open)
    _print_group("all", results, names)
    if "auto" in engines:
        print(_verdict(results["auto"], still_open))
    problems = [
        f"{engine}: {problem}"
        for engine, solved in results.items()
        for result in solved
        for problem in result.problems
    ]
    if problems:
        sys.exit("\n".join(problems))


def _cell(result: MmkpResult) -> str:
    figures = f"{_percent(result.difference)} {_percent(result.gap)} {result.seconds:7.2f}"
    return f"{figures:>32}"


def _print_group(name: str, results: dict[str, list[MmkpResult]], members: set[str]) -> None:
    """Optima, mean and worst difference, and mean gap of each engine on some instances."""
    for engine, solved in results.items():
        of_group = [result for result in solved if result.instance in members]
        if of_group:
            print(f"{name:10}{engine:10}{_line(summary(of_group))}")


def _line(summed: dict[str, Any]) -> str:
    return (
        f"{summed['optimal']:3} of {summed['instances']} proven, {summed['solved']} solved, "
        f"difference mean {_percent(summed['mean_difference'])} "
        f"worst {_percent(summed['worst_difference'])}, "
        f"gap mean {_percent(summed['mean_gap'])}, {summed['seconds']:.1f} s"
    )


def _verdict(solved: list[MmkpResult], still_open: set[str]) -> str:
    """Auto against the targets: optima of hh_, differences of the open ones."""
    closed = [result for result in solved if result.instance.startswith("hh_")]
    in_time = [r for r in closed if r.status is Status.OPTIMAL and r.seconds <= HH_SECONDS]
    summed = summary([result for result in solved if result.instance in still_open])
    return (
        f"auto: {len(in_time)} of {len(closed)} hh_ proven within {HH_SECONDS:g} s; "
        f"{len(still_open)} open: mean difference {_percent(summed['mean_difference'])} "
        f"(target {TARGET_MEAN:.2%}), worst {_percent(summed['worst_difference'])} "
        f"(target {TARGET_WORST:.2%})"
    )


def _percent(share: float | None) -> str:
    return f"{'–':>8}" if share is None else f"{share:8.3%}"


if __name__ == "__main__":
    main()
