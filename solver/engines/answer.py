"""From what a back end says to what is passed on: re-verified, recomputed, honestly named."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..program import Program
from ..solution import Solution, Status
from .interface import EngineSettings

_ABSOLUTE_GAP = 1e-6  # a millionth of a cent: sums of doubles are no better than that


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a back end reports, before it is believed.

    Attributes
    ----------
    values
        (columns,) its incumbent, None without one.
    bound
        the upper bound it proved, None without one.
    infeasible
        whether it proved that no assignment satisfies every row.
    limit
        the limit that stopped it, None where none did.
    """

    values: NDArray[np.float64] | None
    bound: float | None
    infeasible: bool = False
    limit: str | None = None
    statistics: dict[str, float] = field(default_factory=dict)


def conclude(
    program: Program,
    settings: EngineSettings,
    raw: RawAnswer,
    *,
    engine: str,
    bound_source: str | None = None,
    shadow_prices: dict[str, float] | None = None,
) -> Solution:
    """The solution that the numbers support.

    An incumbent that breaks the program is dropped, its objective is recomputed from the
    program, and OPTIMAL is only said where the proven gap is within ``settings.gap``.
    """
    values = settled(program, raw.values)
    objective = None if values is None else program.objective(values)
    bound = raw.bound if raw.bound is not None and math.isfinite(raw.bound) else None
    if bound is not None and objective is not None:
        bound = max(bound, objective)
    if raw.infeasible and values is None:
        status, limit, bound = Status.INFEASIBLE, None, None
    elif values is None:
        status, limit = Status.UNKNOWN, raw.limit
    elif within_gap(objective, bound, settings.gap):
        status, limit = Status.OPTIMAL, None
    else:
        status, limit = Status.FEASIBLE, raw.limit
    return Solution(
        status=status,
        limit=limit,
        values=values,
        objective=objective,
        bound=bound,
        bound_source=bound_source or engine,
        engine=engine,
        shadow_prices=shadow_prices or {},
        statistics=raw.statistics,
    )


def within_gap(objective: float | None, bound: float | None, gap: float) -> bool:
    """Whether (bound − objective) <= gap·|objective|, up to the rounding of sums."""
    if objective is None or bound is None:
        return False
    rounding = max(_ABSOLUTE_GAP, 1e-12 * abs(objective))
    return bound - objective <= gap * abs(objective) + rounding


def settled(program: Program, values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """The assignment with whole columns made whole, or None where that breaks the program."""
    if values is None:
        return None
    exact = _rounded(values, program.lower, program.upper, program.integral)
    return exact if program.is_feasible(exact) else None


@njit(cache=True)
def _rounded(
    values: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    integral: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Within the bounds, and whole where it must be; NaN stays."""
    exact = np.empty(len(values))
    for j in range(len(values)):
        value = values[j]
        if value < lower[j]:
            value = lower[j]
        elif value > upper[j]:
            value = upper[j]
        exact[j] = np.round(value) if integral[j] else value
    return exact


def cannot_be_unbounded(program: Program) -> bool:
    """Whether no objective can be infinite, so that "infeasible or unbounded" is the first."""
    return bool(
        np.all((program.value <= 0) | np.isfinite(program.upper))
        and np.all((program.value >= 0) | np.isfinite(program.lower))
    )
