"""A frontier as ``frontier --json`` prints it, with its knees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..instances.scenario import Scenario
from ..instances.variation import Axis
from ..instances.weeks import week_label
from .frontier import FIGURES, Point, Values
from .knee import find_knee

_LOOSER = {1: "higher", -1: "lower", 0: None}
UNITS = {"units": "units a week", "affinity": "affinity loss"}


def frontier_report(
    scenario: Scenario,
    axes: tuple[Axis, ...],
    directions: tuple[int, ...],
    points: Sequence[Point],
) -> dict[str, Any]:
    """The frontier of a scenario as a dictionary; money in currency units.

    Parameters
    ----------
    scenario
        as its file states it.
    directions
        of each key, as ``monotone.looser_when`` has them.
    points
        those that were done, in the order of their values.

    Returns
    -------
    dict
        ``name``, ``week``, ``currency``, ``maximize``, ``unit`` (of objectives), ``gap``;
        ``keys``: ``key``, ``values``, ``asked`` and ``looser`` ("higher", "lower" or None) of each;
        ``points_asked``; ``points``, as docs/frontier.md lists; ``knees``: one for each value of
        the second key (``line``), ``at`` being the value of the first, or None with a ``reason``.
    """
    knees = _knees(axes, points)
    marked = {tuple(knee["point"]) for knee in knees if knee["point"] is not None}
    asked = 1
    for axis in axes:
        asked *= len(axis.values)
    return {
        "name": scenario.name,
        "week": week_label(scenario.week),
        "currency": scenario.currency,
        "maximize": scenario.objective.maximize,
        "unit": UNITS.get(scenario.objective.maximize, f"{scenario.currency} a week"),
        "gap": scenario.solver.gap,
        "keys": [
            {
                "key": axis.key,
                "values": list(axis.values),
                "asked": axis.asked,
                "looser": _LOOSER[direction],
            }
            for axis, direction in zip(axes, directions, strict=True)
        ],
        "points_asked": asked,
        "points": [_row(axes, point, point.values in marked) for point in points],
        "knees": [
            {name: value for name, value in knee.items() if name != "point"} for knee in knees
        ],
    }


def _row(axes: tuple[Axis, ...], point: Point, knee: bool) -> dict[str, Any]:
    return {
        "values": _named(axes, point.values),
        "status": str(point.status),
        "objective": point.objective,
        "bound": point.bound,
        "gap": point.gap,
        **{name: point.figures.get(name) for name in FIGURES},
        "knee": knee,
        "plan_from": _named(axes, point.plan_from),
        "bound_from": _named(axes, point.bound_from),
        "conflict": list(point.conflict),
        "conflict_from": _named(axes, point.conflict_from),
        "message": point.message,
        "candidates_cut": point.candidates_cut,
        "searched": point.searched,
        "seconds": round(point.seconds, 3),
    }


def _named(axes: tuple[Axis, ...], values: Values | None) -> dict[str, float] | None:
    if values is None:
        return None
    return dict(zip((axis.key for axis in axes), values, strict=True))


def _knees(axes: tuple[Axis, ...], points: Sequence[Point]) -> list[dict[str, Any]]:
    """The knee along the first key, for each value of the second."""
    found = []
    for line in sorted({point.values[1:] for point in points}):
        planned = [point for point in points if point.values[1:] == line and point.has_plan]
        knee = find_knee(
            [point.values[0] for point in planned],
            [point.objective or 0.0 for point in planned],
            [point.bound for point in planned],
        )
        at = None if knee.at is None else planned[knee.at].values
        found.append(
            {
                "line": dict(zip((axis.key for axis in axes[1:]), line, strict=True)) or None,
                "at": None if at is None else at[0],
                "height": knee.height,
                "reason": knee.reason,
                "point": at,
            }
        )
    return found
