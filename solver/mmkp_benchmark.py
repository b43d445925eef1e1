"""Published knapsack benchmarks solved, checked and put beside what is known of them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from ..instances.mmkp import MmkpInstance, MmkpReference
from .engines.interface import EngineSettings, ProgressCallback
from .engines.solve import solve_program
from .mmkp import MmkpCheck, check_mmkp, mmkp_program
from .solution import Solution, Status

_ROUNDING = 1e-8  # of a bound: what an engine's sums of doubles may be off by


@dataclass(frozen=True, slots=True)
class MmkpResult:
    """What an engine made of one instance.

    Attributes
    ----------
    instance
        the file's name.
    value
        of the solution, added up from the instance; None without a solution.
    bound
        proven; rounded down to the decimals of the instance's values, which every solution's
        value has. None where none was proven.
    gap
        (bound − value)/|value|; None without both.
    seconds
        building the program and solving it; reading and checking not included.
    status
        what was established.
    reference
        the best value known before; None without one.
    reference_kind
        where it is from; "optimal" where it is proven.
    difference
        (value − reference)/|reference|: below 0 where the solution is worse. None without both.
    problems
        one line each: a solution that the instance refuses, or figures that contradict what is
        known. Empty as it should be.
    """

    instance: str
    value: float | None
    bound: float | None
    gap: float | None
    seconds: float
    status: Status
    reference: float | None
    reference_kind: str | None
    difference: float | None
    problems: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        """Everything but the problems, for machines."""
        names = [name for name in self.__slots__ if name != "problems"]
        return {name: getattr(self, name) for name in names}


def solve_mmkp(
    instance: MmkpInstance,
    settings: EngineSettings,
    reference: MmkpReference | None = None,
    progress: ProgressCallback | None = None,
) -> MmkpResult:
    """Solve an instance and check the answer against it, and against what is known."""
    start = time.perf_counter()
    program = mmkp_program(instance)
    left = settings.time_limit - (time.perf_counter() - start)
    solution = solve_program(program, replace(settings, time_limit=max(left, 0.0)), progress)
    seconds = time.perf_counter() - start
    check = None if solution.values is None else check_mmkp(instance, solution.values)
    value = None if check is None else float(check.value)
    bound = _rounded_down(solution.bound, instance.value_places)
    known = None if reference is None else float(reference.best_value)
    problems = _problems(check, value, bound, solution.status, reference)
    gap = _relative(value, bound)
    difference = _relative(known, value)
    return MmkpResult(
        instance=instance.name,
        value=value,
        bound=bound,
        gap=gap,
        seconds=round(seconds, 3),
        status=_status(solution, gap, settings.gap),
        reference=known,
        reference_kind=None if reference is None else reference.kind,
        difference=difference,
        problems=tuple(f"{instance.name}: {problem}" for problem in problems),
    )


def summary(results: Sequence[MmkpResult]) -> dict[str, Any]:
    """Counts, and means over the instances that have the figure (None where none has).

    ``worst_difference`` is the smallest; ``solved`` counts those with a solution.
    """
    differences = [result.difference for result in results if result.difference is not None]
    gaps = [result.gap for result in results if result.gap is not None]
    return {
        "instances": len(results),
        "solved": sum(result.value is not None for result in results),
        "optimal": sum(result.status is Status.OPTIMAL for result in results),
        "referenced": len(differences),
        "mean_difference": fmean(differences) if differences else None,
        "worst_difference": min(differences, default=None),
        "mean_gap": fmean(gaps) if gaps else None,
        "seconds": round(sum(result.seconds for result in results), 3),
        "problems": [problem for result in results for problem in result.problems],
    }


def _rounded_down(bound: float | None, places: int) -> float | None:
    if bound is None:
        return None
    units = bound * 10.0**places
    return math.floor(units + _ROUNDING * max(1.0, abs(units))) / 10.0**places


def _status(solution: Solution, gap: float | None, wanted: float) -> Status:
    """Optimal too where only the rounding of the bound shows it."""
    return Status.OPTIMAL if gap is not None and gap <= wanted else solution.status


def _relative(base: float | None, other: float | None) -> float | None:
    """(other − base)/|base|, 0 where they are equal; None without both."""
    if base is None or other is None:
        return None
    return 0.0 if other == base else (other - base) / max(abs(base), 1e-9)


def _problems(
    check: MmkpCheck | None,
    value: float | None,
    bound: float | None,
    status: Status,
    reference: MmkpReference | None,
) -> list[str]:
    problems = [] if check is None else list(check.problems)
    if value is not None and bound is not None and bound < value:
        problems.append(f"a bound of {bound:.12g} was claimed below the value {value:.12g}")
    if reference is None:
        return problems
    best, limit = reference.best_value, reference.upper_bound
    if status is Status.INFEASIBLE:
        problems.append(f"called infeasible, but the references hold a solution worth {best}")
    if bound is not None and bound < float(best):
        problems.append(f"a bound of {bound:.12g} was claimed below the reference's value {best}")
    if check is not None and check.value > limit:
        problems.append(f"worth {check.value}, above the reference's proven bound {limit}")
    return problems
