"""Which keys are tighter or looser, and in which order points are solved."""

from __future__ import annotations

import pytest
from bundlewise.instances.rules import CategoryLimit, Clearance, MustInclude, Stability
from bundlewise.instances.scenario import Scenario
from bundlewise.solver.monotone import is_looser, looser_when, visiting_order

from .factories import make_scenario

RULES = (
    CategoryLimit(name="dairy", kind="category-limit", category="DAIRY", max=3),
    Clearance(name="sell.off", kind="clearance", products=("1", "2"), target=40),
    Clearance(name="soft", kind="clearance", products=("1", "2"), target=40, price=1.5),
    Stability(name="keep", kind="stability", min_share=0.5, max_steps=1),
    MustInclude(name="must", kind="must-include", products=("1", "2"), level=0.1),
)


@pytest.mark.parametrize(
    ("key", "direction"),
    [
        ("limits.max_bundles", 1),
        ("limits.min_bundles", -1),
        ("limits.min_plan_margin", -1),
        ("limits.discount_budget", 1),
        ("rules.dairy.max", 1),
        ("rules.dairy.min", -1),
        ("rules.sell.off.target", -1),
        ("rules.soft.target", 0),  # a plan costs more as its target rises
        ("rules.soft.price", 0),
        ("rules.keep.min_share", -1),
        ("rules.keep.max_steps", 1),
        ("rules.must.level", 0),
        ("assumptions.exposure", 0),
        ("candidates.max_candidates", 0),
        ("solver.gap", 0),
    ],
)
def test_only_limits_have_a_direction(key: str, direction: int) -> None:
    assert looser_when(make_scenario(rules=RULES), key) == direction


def test_plans_of_least_affinity_take_the_number_of_bundles_exactly() -> None:
    scenario: Scenario = make_scenario(maximize="affinity")
    assert looser_when(scenario, "limits.max_bundles") == 0


def test_looser_is_a_partial_order() -> None:
    directions = (1, -1)
    assert is_looser(directions, (5, 0.1), (4, 0.2))
    assert is_looser(directions, (5, 0.1), (5, 0.2))
    assert not is_looser(directions, (5, 0.2), (4, 0.1))
    assert not is_looser(directions, (5, 0.1), (5, 0.1))
    assert is_looser((1, 0), (5, 7), (4, 7))
    assert not is_looser((1, 0), (5, 7), (4, 6))


def test_points_that_bound_others_come_first() -> None:
    assert visiting_order(((1, 2, 3, 4, 5),), (1,)) == [(5,), (1,), (3,), (4,), (2,)]
    assert visiting_order(((1, 2, 3),), (-1,)) == [(1,), (3,), (2,)]
    assert visiting_order(((1, 2, 3),), (0,)) == [(1,), (2,), (3,)]
    assert visiting_order(((7,),), (1,)) == [(7,)]
    grid = visiting_order(((1, 2, 3), (10, 20)), (1, 0))
    assert grid == [(3, 10), (1, 10), (2, 10), (3, 20), (1, 20), (2, 20)]
    turned = visiting_order(((10, 20), (1, 2, 3)), (0, 1))
    assert turned == [(second, first) for first, second in grid]
