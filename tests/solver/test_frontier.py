"""Frontiers whose points are worked by hand, or found by trying every plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bundlewise.instances.errors import ConflictError, InterruptedSearchError, NoPlanError
from bundlewise.instances.scenario import Limits
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.frontier import (
    FIGURES,
    Found,
    Point,
    SolveAt,
    Values,
    tightened,
    trace_frontier,
)
from bundlewise.solver.offers import Offers
from bundlewise.solver.solution import Status
from bundlewise.solver.warm_start import Start, start_values

from .enumeration import optimum
from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario

SETTINGS = EngineSettings(gap=0.0, time_limit=20.0)
IDS = ("1", "2", "3", "4", "5", "6")
# 1+2, 3+4, 1+3, 5+6; each product in one bundle, each bundle sold once at 18.00
PAIRS = [(0, 1), (2, 3), (0, 2), (4, 5)]
OFFERS = make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0], margin_rate=[0.1, 0.3, 0.5, 0.4])


def problem(keys: Sequence[str], offers: Offers = OFFERS, **stated: Any) -> SolveAt:
    """Solves the instance of ``offers`` with the limits ``stated`` and those of ``keys``."""
    catalogue = make_catalogue(IDS)
    beliefs = make_beliefs(catalogue)

    def solve_at(values: Values, start: Start) -> Found:
        limits = Limits(**({"max_bundles": 4} | stated | dict(zip(keys, values, strict=True))))
        program = build_program(make_instance(catalogue, make_scenario(limits)), beliefs, offers)
        solution = solve_program(
            program,
            SETTINGS,
            start=start_values(program, offers, start.plans, SETTINGS),
            known_bound=start.bound,
        )
        if solution.status is Status.INFEASIBLE:
            raise ConflictError(("bundle-count", "plan-margin"), "no plan satisfies these rules")
        assert solution.values is not None
        chosen = np.flatnonzero(solution.values > 0.5)
        return Found(
            status=str(solution.status),
            objective=solution.objective,
            bound=solution.bound,
            bound_source=solution.bound_source,
            figures=dict.fromkeys(FIGURES, 0.0) | {"bundles": len(chosen)},
            candidates_cut=0,
            bundles=tuple((offers.bundle(int(k)), int(offers.bundle_price[k])) for k in chosen),
        )

    return solve_at


def objectives(points: Sequence[Point]) -> list[float | None]:
    return [None if p.objective is None else round(p.objective, 6) for p in points]


def test_one_bundle_more_each_time() -> None:
    # nothing; 1+2; 1+2 and 3+4; and 5+6; a fourth has no product left
    grid = ((0, 1, 2, 3, 4),)
    points = trace_frontier(grid, (1,), problem(["max_bundles"]), gap=0.0)
    assert [point.values for point in points] == [(0,), (1,), (2,), (3,), (4,)]
    assert objectives(points) == [0, 10, 18, 20, 20]
    assert [point.figures["bundles"] for point in points] == [0, 1, 2, 3, 3]
    assert all(point.status == Status.OPTIMAL for point in points)
    assert all(point.bound == pytest.approx(point.objective, abs=1e-6) for point in points)


def test_a_margin_floor_up_to_where_no_plan_is_left() -> None:
    # All bundles bring the same revenue, so the floor is one on the mean of their rates. 0.2: the
    # three of rates 0.1, 0.3, 0.4 (mean 0.267) earn 20. 0.3: 3+4 and 5+6 (0.35), 10. 0.4: 1+3 and
    # 5+6 (0.45), 9. 0.5: 1+3 alone, 7. 0.6 and 0.7: nothing, and one bundle is required
    grid = ((0.2, 0.3, 0.4, 0.5, 0.6, 0.7),)
    solve_at = problem(["min_plan_margin"], min_bundles=1)
    points = trace_frontier(grid, (-1,), solve_at, gap=0.0)
    assert objectives(points) == [20, 10, 9, 7, None, None]
    assert [str(point.status) for point in points] == ["optimal"] * 4 + ["infeasible"] * 2
    assert points[4].conflict == points[5].conflict == ("bundle-count", "plan-margin")


def test_a_looser_point_without_a_plan_spares_the_tighter_ones_a_search() -> None:
    grid = ((0.55, 0.6, 0.7),)
    solve_at = problem(["min_plan_margin"], min_bundles=1)
    points = trace_frontier(grid, (-1,), solve_at, gap=0.0)
    assert objectives(points) == [None] * 3
    assert [point.searched for point in points] == [True, False, False]
    assert [point.conflict_from for point in points] == [None, (0.55,), (0.55,)]


def test_a_flat_stretch_takes_two_searches() -> None:
    points = trace_frontier(((3, 4, 5, 6, 7),), (1,), problem(["max_bundles"]), gap=0.0)
    assert objectives(points) == [20] * 5
    assert [point.searched for point in points] == [False, False, False, False, True]


def test_two_keys() -> None:
    # floor 0.3 with one bundle: 3+4 (0.3), 8; with two 3+4 and 5+6, 10. Floor 0.4: 1+3 or with 5+6
    grid = ((1, 2), (0.1, 0.3, 0.4))
    solve_at = problem(["max_bundles", "min_plan_margin"])
    points = trace_frontier(grid, (1, -1), solve_at, gap=0.0)
    found = dict(zip([point.values for point in points], objectives(points), strict=True))
    assert found == {
        (1, 0.1): 10,
        (1, 0.3): 8,
        (1, 0.4): 7,
        (2, 0.1): 18,
        (2, 0.3): 10,
        (2, 0.4): 9,
    }


@pytest.mark.parametrize("seed", range(6))
def test_points_that_share_are_the_best_of_all_plans(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(6) for j in range(i + 1, 6)]
    pairs = [pairs[k] for k in sorted(rng.choice(15, 9, replace=False))]
    offers = make_offers(
        pairs,
        rng.uniform(1, 10, 9).round(1),
        margin_rate=rng.uniform(0.05, 0.5, 9),
        bundle_units=rng.uniform(1, 5, 9),
    )
    grid = ((0, 1, 2, 3), (0.1, 0.2, 0.3, 0.4))
    keys = ["max_bundles", "min_plan_margin"]
    solve_at = problem(keys, offers)
    points = trace_frontier(grid, (1, -1), solve_at, gap=0.0)
    catalogue = make_catalogue(IDS)
    for point in points:
        limits = Limits(**dict(zip(keys, point.values, strict=True)))
        instance = make_instance(catalogue, make_scenario(limits))
        best = optimum(build_program(instance, make_beliefs(catalogue), offers))
        assert point.objective == pytest.approx(best, abs=1e-6)
        assert point.bound is not None
        assert point.bound >= (best or 0.0) - 1e-6


def test_what_is_done_before_an_interrupt_is_the_answer() -> None:
    inner = problem(["max_bundles"])
    told: list[Values] = []

    def solve_at(values: Values, start: Start) -> Found:
        if values == (2,):
            raise InterruptedSearchError("interrupted before a plan was found")
        return inner(values, start)

    def tell(point: Point, done: int) -> None:
        told.append(point.values)
        assert done == len(told)

    points = trace_frontier(((1, 2, 3),), (1,), solve_at, gap=0.0, tell=tell)
    assert told == [(3,), (1,)]
    assert objectives(points) == [10, 20]
    stopped = trace_frontier(((1, 2, 3),), (1,), inner, gap=0.0, stopped=lambda: True)
    assert stopped == []


def test_a_point_that_ran_out_of_time_keeps_the_others() -> None:
    inner = problem(["max_bundles"])

    def solve_at(values: Values, start: Start) -> Found:
        if values == (2,):
            raise NoPlanError("no plan found within the time limit")
        return inner(values, start)

    points = trace_frontier(((1, 2, 3),), (1,), solve_at, gap=0.0)
    # the plan of one bundle is a plan of at most two, and none is worth more than with three
    assert objectives(points) == [10, 10, 20]
    assert (points[1].status, points[1].plan_from, points[1].bound_from) == (
        Status.FEASIBLE,
        (1,),
        (3,),
    )
    alone = trace_frontier(((1, 2, 3),), (0,), solve_at, gap=0.0)
    assert (alone[1].status, alone[1].objective) == (Status.UNKNOWN, None)
    assert alone[1].message == "no plan found within the time limit"


def planned(value: float, objective: float, bound: float, **more: Any) -> Point:
    figures = {"bundles": int(objective)}
    return Point((value,), Status.FEASIBLE, objective, bound, figures, **more)


def test_bounds_go_to_tighter_points_and_plans_to_looser_ones() -> None:
    # looser with a larger value
    tight, loose = planned(1, 19.0, 25.0), planned(2, 18.0, 21.0)
    first, second = tightened([tight, loose], (1,), gap=0.12)
    assert (first.objective, first.bound, first.bound_from) == (19.0, 21.0, (2,))
    assert (second.objective, second.bound, second.plan_from) == (19.0, 21.0, (1,))
    assert second.figures == tight.figures
    assert first.status == second.status == Status.OPTIMAL  # 2/19 is within the gap now
    assert tightened([tight, loose], (0,), gap=0.12) == [
        tight,
        replace(loose, status=Status.FEASIBLE),
    ]


def test_nothing_is_concluded_from_a_point_whose_candidates_were_cut() -> None:
    tight, loose = planned(1, 19.0, 25.0), planned(2, 18.0, 21.0, candidates_cut=3)
    first, second = tightened([tight, loose], (1,), gap=0.0)
    assert (first.bound, second.objective) == (25.0, 18.0)


def test_a_bound_never_lies_below_a_plan() -> None:
    tight, loose = planned(1, 20.0, 20.5), planned(2, 20.0 - 1e-13, 20.0 - 1e-13)
    first, second = tightened([tight, loose], (1,), gap=0.0)
    assert first.bound == 20.0
    assert first.gap == second.gap == 0.0
