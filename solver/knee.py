"""The knee of a curve: where a rule that is loosened further stops paying as it did.

Both axes are scaled to [0, 1] between the curve's ends; the knee is the point that lies farthest
above the chord between them. That is the point Kneedle ends at on a curve that is not smoothed
(Satopää, Albrecht, Irwin and Raghavan 2011, *Finding a "Kneedle" in a Haystack*). It is named only
where it is certain to lie above the chord: the plan's own objective there, against a chord through
the proven bounds of the two ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_FEWEST = 3
_FLAT = 1e-9  # of the larger end: what sums of doubles may differ by


@dataclass(frozen=True, slots=True)
class Knee:
    """Where a curve bends.

    Attributes
    ----------
    at
        position of the knee among the points given; None where there is none.
    height
        how far it lies above the chord, as a share of the rise between the ends; None without one.
    reason
        why there is none; "" where there is one.
    """

    at: int | None = None
    height: float | None = None
    reason: str = ""


def find_knee(
    values: Sequence[float], objectives: Sequence[float], bounds: Sequence[float | None]
) -> Knee:
    """The knee of the curve through (value, objective).

    Parameters
    ----------
    values
        ascending or descending, of the points that have a plan.
    objectives, bounds
        what the plan at each point earns, and what none is proven to earn more than.
    """
    if len(values) < _FEWEST:
        return Knee(reason=f"a plan at {len(values)} points only, and a bend takes {_FEWEST}")
    first, last = objectives[0], objectives[-1]
    rise = abs(last - first)
    size = max(abs(objective) for objective in objectives)
    if rise <= _FLAT * size:
        return Knee(reason="both ends of the curve earn the same")
    ends = [
        objectives[k] if bounds[k] is None else max(bounds[k] or 0.0, objectives[k])
        for k in (0, -1)
    ]
    heights = _above(values, objectives, first, last)
    at = max(range(len(values)), key=lambda k: heights[k])
    certain = _above(values, objectives, ends[0], ends[1])[at]
    if heights[at] <= _FLAT * size:
        return Knee(reason="no point lies above the straight line between the ends")
    if certain <= _FLAT * size:
        return Knee(reason="the bend is smaller than what the proofs leave open")
    return Knee(at, heights[at] / rise)


def _above(
    values: Sequence[float], objectives: Sequence[float], first: float, last: float
) -> list[float]:
    """How far each point lies above the chord from ``first`` to ``last``."""
    span = values[-1] - values[0]
    return [
        objective - (first + (last - first) * (value - values[0]) / span)
        for value, objective in zip(values, objectives, strict=True)
    ]
