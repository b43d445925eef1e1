"""The trade-off curve: a scenario solved at every point of a grid of its numbers.

Each point starts from the plans of the points before it, and where a key makes rules tighter or
looser (``monotone``) the proofs of one point serve the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..instances.errors import ConflictError, InterruptedSearchError, NoPlanError
from .engines.answer import within_gap
from .engines.interface import KNOWN_BOUND
from .monotone import is_looser, visiting_order
from .plan import Plan
from .solution import Status
from .warm_start import Bundles, Start, bundles_of

FIGURES = (
    "incremental_margin",
    "incremental_margin_low",
    "incremental_margin_high",
    "revenue",
    "margin",
    "margin_rate",
    "discount_spend",
    "bundles",
)
_PLANS = 3  # of other points that a search starts from

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the frontier; money in currency units.

    Attributes
    ----------
    values
        of the varied keys.
    status
        as of a plan: "optimal", "feasible", "infeasible" where the rules conflict, "unknown"
        where the time limit came before a plan.
    objective, bound
        what the plan earns, and what no plan is proven to earn more than; None without one.
    figures
        ``FIGURES`` of the plan; empty without one.
    plan_from, bound_from
        the tighter point whose plan, the looser one whose bound it is; None for its own.
    conflict, conflict_from
        rules that conflict, and the looser point that they were found at.
    message
        why there is no plan.
    searched
        whether an engine searched: not where a looser point's bound and a plan were within the
        gap, or a looser point has no plan.
    candidates_cut
        candidates that ``max_candidates`` kept out: no proof covers them.
    seconds
        that the point took.
    bundles
        the plan, as a start for others.
    """

    values: Values
    status: str
    objective: float | None = None
    bound: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    plan_from: Values | None = None
    bound_from: Values | None = None
    conflict: tuple[str, ...] = ()
    conflict_from: Values | None = None
    message: str = ""
    searched: bool = False
    candidates_cut: int = 0
    seconds: float = 0.0
    bundles: Bundles = ()

    @property
    def gap(self) -> float | None:
        """(bound − objective)/|objective|, 0 where both are the same; None without both."""
        if self.objective is None or self.bound is None:
            return None
        difference = max(self.bound - self.objective, 0.0)
        return 0.0 if difference == 0 else difference / max(abs(self.objective), 1e-9)

    @property
    def has_plan(self) -> bool:
        return self.objective is not None


@dataclass(frozen=True, slots=True)
class Found:
    """What solving a point gave; objective and bound as plan.json has them."""

    status: str
    objective: float | None
    bound: float | None
    bound_source: str
    figures: Mapping[str, Any]
    candidates_cut: int
    bundles: Bundles


SolveAt = Callable[[Values, Start], Found]


def found_in(plan: Plan) -> Found:
    """What a plan says of its point."""
    report = plan.report
    return Found(
        status=plan.status,
        objective=report["objective"],
        bound=report["bound"],
        bound_source=report["proof"]["source"],
        figures={name: report["kpis"][name] for name in FIGURES},
        candidates_cut=report["candidates_cut"],
        bundles=bundles_of(plan),
    )


def trace_frontier(
    grid: tuple[Values, ...],
    directions: tuple[int, ...],
    solve_at: SolveAt,
    *,
    gap: float,
    tell: Callable[[Point, int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Point]:
    """Solve every point of a grid; the points that were done, ascending by their values.

    Parameters
    ----------
    grid
        the values of each key, ascending.
    directions
        of each key, as ``monotone.looser_when`` has them.
    solve_at
        solves the scenario of a point, begun from a start; ConflictError and NoPlanError
        make the point one without a plan.
    gap
        relative gap at which a plan counts as optimal.
    tell
        called with every point as it is done, and how many are.
    stopped
        asked before each point: the points done so far are the answer.
    """
    known: dict[Values, Point] = {}
    for values in visiting_order(grid, directions):
        if stopped():
            break
        try:
            known[values] = _point(values, list(known.values()), grid, directions, solve_at)
        except InterruptedSearchError:
            break
        if tell is not None:
            tell(known[values], len(known))
    return tightened([known[values] for values in sorted(known)], directions, gap)


def _point(
    values: Values,
    others: list[Point],
    grid: tuple[Values, ...],
    directions: tuple[int, ...],
    solve_at: SolveAt,
) -> Point:
    began = time.perf_counter()
    looser = [p for p in others if _tells(p, directions, values)]
    barred = next((p for p in looser if p.status == Status.INFEASIBLE), None)
    if barred is not None:
        return _without_plan_as(barred, values)
    bound = min((p.bound for p in looser if p.bound is not None), default=None)
    try:
        found = solve_at(values, Start(_starts(values, others, grid, directions), bound))
    except ConflictError as error:
        return Point(
            values,
            Status.INFEASIBLE,
            conflict=error.rules,
            message=str(error),
            searched=True,
            candidates_cut=int(error.report.get("candidates_cut", 0)),
            seconds=time.perf_counter() - began,
        )
    except NoPlanError as error:
        seconds = time.perf_counter() - began
        return Point(values, Status.UNKNOWN, message=str(error), searched=True, seconds=seconds)
    return Point(
        values,
        found.status,
        objective=found.objective,
        bound=found.bound,
        figures=found.figures,
        searched=found.bound_source != KNOWN_BOUND,
        candidates_cut=found.candidates_cut,
        seconds=time.perf_counter() - began,
        bundles=found.bundles,
    )


def _without_plan_as(looser: Point, values: Values) -> Point:
    """A point that a looser one shows to have no plan either."""
    origin = looser.conflict_from or looser.values
    return Point(
        values,
        Status.INFEASIBLE,
        conflict=looser.conflict,
        conflict_from=origin,
        message=looser.message,
    )


def _tells(looser: Point, directions: tuple[int, ...], values: Values) -> bool:
    """Whether a point's bound, or that it has no plan, holds at ``values`` too."""
    return looser.candidates_cut == 0 and is_looser(directions, looser.values, values)


def _starts(
    values: Values, others: list[Point], grid: tuple[Values, ...], directions: tuple[int, ...]
) -> tuple[Bundles, ...]:
    """Plans to start from: the best of the tighter points, then those of the nearest points."""

    def steps(point: Point) -> int:
        places = zip(grid, point.values, values, strict=True)
        return sum(abs(axis.index(a) - axis.index(b)) for axis, a, b in places)

    planned = [point for point in others if point.has_plan]
    tighter = [point for point in planned if is_looser(directions, values, point.values)]
    best = sorted(tighter, key=lambda point: -(point.objective or 0.0))[:1]
    near = [point for point in sorted(planned, key=steps) if point not in best]
    return tuple(point.bundles for point in [*best, *near][:_PLANS])


def tightened(points: list[Point], directions: tuple[int, ...], gap: float) -> list[Point]:
    """Points with the best that they prove for each other.

    A point takes the lowest bound of the looser ones, and the best plan of the tighter ones, which
    is a plan of its own; where a looser point has no plan it has none.
    """
    return [_tightened(point, points, directions, gap) for point in points]


def _tightened(point: Point, points: list[Point], directions: tuple[int, ...], gap: float) -> Point:
    looser = [p for p in points if _tells(p, directions, point.values)]
    if point.status == Status.UNKNOWN:
        barred = next((p for p in looser if p.status == Status.INFEASIBLE), None)
        if barred is not None:
            found = _without_plan_as(barred, point.values)
            return replace(found, searched=True, seconds=point.seconds)
    bounds = [p for p in looser if p.bound is not None]
    least = min(bounds, key=lambda p: p.bound or 0.0, default=None)
    if (
        least is not None
        and point.status != Status.INFEASIBLE
        and (point.bound is None or (least.bound or 0.0) < point.bound)
    ):
        point = replace(point, bound=least.bound, bound_from=least.values)
    best = _best_plan(point, points, directions)
    if best is not None:
        point = replace(
            point,
            objective=best.objective,
            figures=best.figures,
            bundles=best.bundles,
            plan_from=best.values,
            message="",
        )
    if point.objective is None:
        return point
    if point.bound is not None:  # rounding alone can put a bound below a plan
        point = replace(point, bound=max(point.bound, point.objective))
    closed = within_gap(point.objective, point.bound, gap)
    return replace(point, status=Status.OPTIMAL if closed else Status.FEASIBLE)


def _best_plan(point: Point, points: list[Point], directions: tuple[int, ...]) -> Point | None:
    """The tighter point with the best plan, where that is better than the point's own."""
    if point.status == Status.INFEASIBLE or point.candidates_cut:
        return None
    better = [
        p
        for p in points
        if p.objective is not None
        and is_looser(directions, point.values, p.values)
        and (point.objective is None or p.objective > point.objective)
    ]
    return max(better, key=lambda p: p.objective or 0.0, default=None)
