"""What points of a frontier are worth to each other: `python -m benchmarks.frontier`.

The same points of a synthetic shop are solved four times: each on its own; started from the plans
of the points before it; with their bounds; with both. Every search has the same gap and limit.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from bundlewise.instances.instance import Instance
from bundlewise.models.beliefs import Beliefs
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.frontier import Found, Point, Values, trace_frontier
from bundlewise.solver.monotone import looser_when
from bundlewise.solver.offers import Offers
from bundlewise.solver.warm_start import Start, start_values

from .programs import scale_offers, with_limits
from .runs import load_kernels

OFFERS = 100_000
POINTS = 9
SECONDS = 20.0  # for a point
GAP = 0.001
WAYS = {
    "each on its own": (False, False),
    "plans": (True, False),
    "bounds": (False, True),
    "plans and bounds": (True, True),
}


def main() -> None:
    """Print a line a key and way: seconds, searches, points within the gap."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offers", type=int, default=OFFERS)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--limit", type=float, default=SECONDS)
    arguments = parser.parse_args()
    load_kernels()
    instance, beliefs, offers = scale_offers(arguments.offers)
    settings = EngineSettings(engine=arguments.engine, gap=GAP, time_limit=arguments.limit)
    print(f"{len(offers):,} offers, {POINTS} points a key, {settings.engine}, gap {GAP:.1%}")
    for key, values in _axes(instance).items():
        for way, (plans, bounds) in WAYS.items():
            problem = _Problem(instance, beliefs, offers, key, settings, plans, bounds)
            began = time.perf_counter()
            points = problem.points(values)
            seconds = time.perf_counter() - began
            print(f"{key:24} {way:18} {_line(points, seconds)}", flush=True)


def _axes(instance: Instance) -> dict[str, Values]:
    """Values around the shop's own limits: up to where they no longer bind, as a user would."""
    limits = instance.scenario.limits
    assert limits.min_plan_margin is not None
    assert limits.discount_budget is not None
    bundles = np.linspace(0.2, 1.8, POINTS) * limits.max_bundles
    margins = limits.min_plan_margin + np.linspace(-0.04, 0.04, POINTS)
    budgets = np.linspace(0.2, 1.8, POINTS) * limits.discount_budget
    return {
        "limits.max_bundles": tuple(int(value) for value in bundles),
        "limits.min_plan_margin": tuple(float(value) for value in margins),
        "limits.discount_budget": tuple(float(value) for value in budgets),
    }


class _Problem:
    """A shop at the points of a key, with or without what the points before it found."""

    def __init__(
        self,
        instance: Instance,
        beliefs: Beliefs,
        offers: Offers,
        key: str,
        settings: EngineSettings,
        plans: bool,
        bounds: bool,
    ) -> None:
        self.instance, self.beliefs, self.offers = instance, beliefs, offers
        self.key, self.settings, self.plans, self.bounds = key, settings, plans, bounds

    def points(self, values: Values) -> list[Point]:
        """The frontier; without direction nothing is concluded from other points."""
        shared = self.plans or self.bounds
        direction = looser_when(self.instance.scenario, self.key) if shared else 0
        return trace_frontier((values,), (direction,), self.solve_at, gap=self.settings.gap)

    def solve_at(self, values: Values, start: Start) -> Found:
        limit = {self.key.removeprefix("limits."): values[0]}
        program = build_program(with_limits(self.instance, **limit), self.beliefs, self.offers)
        began = time.perf_counter()
        plans = start.plans if self.plans else ()
        bound = start.bound if self.bounds else None
        first = start_values(program, self.offers, plans, self.settings, known_bound=bound)
        left = self.settings.time_limit - (time.perf_counter() - began)
        solution = solve_program(
            program,
            replace(self.settings, time_limit=left),
            start=first,
            known_bound=bound,
        )
        chosen = np.flatnonzero([] if solution.values is None else solution.values > 0.5)
        price = self.offers.bundle_price
        return Found(
            status=str(solution.status),
            objective=solution.objective,
            bound=solution.bound,
            bound_source=solution.bound_source,
            figures={},
            candidates_cut=0,
            bundles=tuple((self.offers.bundle(int(k)), int(price[k])) for k in chosen),
        )


def _line(points: list[Point], seconds: float) -> str:
    gaps = [point.gap for point in points if point.gap is not None]
    searched = sum(point.searched for point in points)
    closed = sum(gap <= GAP * (1 + 1e-9) for gap in gaps)
    return (
        f"{seconds:7.1f} s, {searched} searches, {closed} of {len(points)} within the gap, "
        f"largest {max(gaps, default=0.0):.3%}"
    )


if __name__ == "__main__":
    main()
