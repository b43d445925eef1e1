"""Keys that make a scenario's rules tighter or looser, so that one point says much of another.

Two scenarios that differ in such a key alone score the same offers with the same values, and every
plan that the tighter one allows the looser one allows too, at the same objective. So with z the
best objective and b a bound,

    z(tight) <= z(loose) <= b(loose),

whatever was searched: the looser point's bound bounds the tighter one, the tighter point's plan is
a plan of the looser one, and where the looser one has no plan the tighter one has none. Filters
take nothing away from this: one that a rule asks for (``bundle-margin``, ``stock``) keeps out what
the rule forbids, and ``no-gain`` only what no best plan needs. ``max_candidates`` may: which
candidates are cut depends on what the filters left, so nothing is concluded from a point where some
were. Plans of least affinity take ``max_bundles`` exactly, so there nothing is tight or loose.
"""

from __future__ import annotations

from ..instances.rules import BrandLimit, CategoryLimit, Clearance, Stability
from ..instances.scenario import Scenario

_LIMITS = {
    "limits.max_bundles": 1,  # Σ x <= max_bundles
    "limits.min_bundles": -1,  # Σ x >= min_bundles
    "limits.max_bundles_per_product": 1,  # Σ x over the bundles of a product <= it
    "limits.stock_safety": -1,  # Σ units·x <= stock·(1 − stock_safety) − stand-alone demand
    "limits.min_bundle_margin": -1,  # margin rate of each offer >= it
    "limits.min_plan_margin": -1,  # Σ (margin − it·net revenue)·x >= 0, net revenue >= 0
    "limits.discount_budget": 1,  # Σ spend·x <= discount_budget
}
"""Key -> 1 where a larger value is looser, -1 where a smaller one is."""


def looser_when(scenario: Scenario, key: str) -> int:
    """1 where a larger value of a key is a looser rule, -1 where a smaller one is, 0 if neither.

    Every other number (assumptions, levels, a price per missing unit, the solver's settings)
    changes what plans are worth, or which are looked at, and is 0.
    """
    if scenario.objective.maximize == "affinity":
        return 0
    if key in _LIMITS:
        return _LIMITS[key]
    for rule in scenario.rules:
        if key.startswith(f"rules.{rule.name}."):
            field = key.removeprefix(f"rules.{rule.name}.")
            if isinstance(rule, CategoryLimit | BrandLimit):
                return {"max": 1, "min": -1}.get(field, 0)  # min <= Σ x <= max
            if isinstance(rule, Stability):
                return {"max_steps": 1, "min_share": -1}.get(field, 0)
            if isinstance(rule, Clearance) and rule.price is None:
                return {"target": -1}.get(field, 0)  # Σ units·x >= target
    return 0


def is_looser(
    directions: tuple[int, ...], first: tuple[float, ...], second: tuple[float, ...]
) -> bool:
    """Whether ``first`` is another point than ``second``, and as loose in every key, or looser.

    Parameters
    ----------
    directions
        of each key, as ``looser_when`` has them; in a key of 0 the points have to be the same.
    """
    return first != second and all(
        direction * (a - b) >= 0 if direction else a == b
        for direction, a, b in zip(directions, first, second, strict=True)
    )


def visiting_order(
    axes: tuple[tuple[float, ...], ...], directions: tuple[int, ...]
) -> list[tuple[float, ...]]:
    """The points of a grid in the order in which they say most about those after them.

    A key with a direction is taken from its loosest value to its tightest, then to the middle of
    each gap, the widest first: what lies between a bound and a plan as good as it needs no search.
    Other keys are taken in their order, so that each point has a neighbour to start from, and
    change least often, since offers are scored anew for them.
    """
    points: list[tuple[float, ...]] = [()]
    for values, direction in zip(reversed(axes), reversed(directions), strict=True):
        ordered = _halving(values[::-1] if direction > 0 else values) if direction else values
        points = [(value, *rest) for rest in points for value in ordered]
    others = [place for place, direction in enumerate(directions) if direction == 0]
    return sorted(points, key=lambda point: [axes[k].index(point[k]) for k in others])


def _halving(values: tuple[float, ...]) -> tuple[float, ...]:
    """First, last, and then the middle of each gap, the widest gaps first."""
    order = [0, len(values) - 1] if len(values) > 1 else [0]
    gaps = [(0, len(values) - 1)]
    while gaps:
        low, high = gaps.pop(0)
        if high - low > 1:
            middle = (low + high) // 2
            order.append(middle)
            gaps += [(low, middle), (middle, high)]
    return tuple(values[place] for place in order)
