"""Prices that objective and bound do not support are named; right ones pass."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from bundlewise.solver.verifier_prices import wrong_rule_prices

# The plan is worth 100 and at most 101; with one more bundle 140, at most 140.5.
RIGHT = {
    "rule": "bundle-count",
    "kind": "bundle-count",
    "step": 1,
    "step_text": "one more bundle",
    "relaxation_change": 45.0,
    "objective": 140.0,
    "bound": 140.5,
    "change_low": 39.0,
    "change_high": 40.5,
    "change": None,
    "covers": "all offers",
}


def problems(*prices: Any, **report: Any) -> list[str]:
    made = {"objective": 100.0, "bound": 101.0, "rules": [], "prices": list(prices)} | report
    case: Any = SimpleNamespace(files=SimpleNamespace(report=made))
    return list(wrong_rule_prices(case))


def test_right_prices_pass() -> None:
    assert problems(RIGHT) == []
    # a re-solve of the plan's own program proved more than plan.json's bound
    assert problems(RIGHT | {"change_low": 40.0, "change_high": 40.0, "change": 40.0}) == []
    assert problems(RIGHT | {"bound": None, "change_high": None}) == []
    assert problems() == []
    assert problems(RIGHT, rules=[{"name": "bundle-count", "exact_price": RIGHT}]) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"step": 0}, "step is 0"),
        ({"objective": 99.0}, "objective is 99.0"),
        ({"objective": "much"}, "objective or change_low is missing"),
        ({"change_low": 38.0}, "change_low is 38.0"),
        ({"change_low": -1.0, "objective": 100.0, "bound": 100.5}, "change_low is -1.0"),
        ({"bound": 139.0}, "bound is 139.0"),
        ({"bound": None}, "bound is None"),
        ({"change_high": 41.0}, "change_high is 41.0"),
        ({"change_high": 38.0}, "change_high is 38.0"),
        ({"change": 45.0}, "change is 45.0"),
        ({"change": 38.0}, "change is 38.0"),
    ],
)
def test_every_wrong_figure_is_named(change: dict[str, Any], named: str) -> None:
    found = problems(RIGHT | change)
    assert any(named in problem for problem in found), found
    assert all(problem.startswith("plan.json: prices: bundle-count: ") for problem in found)


def test_a_rule_with_another_price_than_the_list_is_named() -> None:
    other = {"name": "bundle-count", "exact_price": RIGHT | {"change_low": 39.5}}
    (problem,) = problems(RIGHT, rules=[other])
    assert problem == "plan.json: rules: bundle-count: exact_price is not the one in prices"


def test_a_rule_without_its_price_of_the_list_is_named() -> None:
    (problem,) = problems(RIGHT, rules=[{"name": "bundle-count", "exact_price": None}])
    assert problem == "plan.json: rules: bundle-count: exact_price is not the one in prices"
    # of two sides of a rule the dearer stands with it
    fewer = RIGHT | {"step_text": "one bundle fewer required", "objective": 120.0}
    fewer |= {"bound": 120.0, "change_low": 19.0, "change_high": 20.0}
    assert problems(RIGHT, fewer, rules=[{"name": "bundle-count", "exact_price": RIGHT}]) == []
    assert problems(RIGHT, fewer, rules=[{"name": "bundle-count", "exact_price": fewer}])


def test_what_is_no_price_is_named() -> None:
    assert problems("none")[0].startswith("plan.json: prices: none is found")
    assert problems(prices=7)[0].startswith("plan.json: prices: is no list")
