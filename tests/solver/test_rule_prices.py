"""What one step of a rule is worth: optima worked by hand, and all plans tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bundlewise.instances.rules import CategoryLimit, Clearance, MustInclude, Rule, SameLevel
from bundlewise.instances.scenario import Limits
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.offers import Offers
from bundlewise.solver.rule_prices import RulePrice, price_rules, shadow_price_unit
from bundlewise.solver.solution import Solution

from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario

IDS = ("1", "2", "3", "4", "5", "6")
# 1+2, 3+4, 1+3 and 5+6
PAIRS = [(0, 1), (2, 3), (0, 2), (4, 5)]


def priced(
    limits: dict[str, Any],
    rules: Sequence[Rule] = (),
    offers: Offers | None = None,
    *,
    values: Sequence[float] = (10.0, 8.0, 7.0, 2.0),
    catalogue: dict[str, Any] | None = None,
    engine: str = "auto",
    seconds: float = 20.0,
    gap: float = 0.0,
) -> tuple[Solution, dict[str, RulePrice]]:
    made = make_catalogue(IDS, category=["a", "a", "b", "b", "c", "c"], **(catalogue or {}))
    instance = make_instance(made, make_scenario(Limits(**limits), rules))
    beliefs = make_beliefs(made)
    offers = make_offers(PAIRS, values) if offers is None else offers
    program = build_program(instance, beliefs, offers)
    solution = solve_program(program, EngineSettings(engine=engine, gap=gap, time_limit=20))
    solution, prices = price_rules(instance, beliefs, offers, program, solution, seconds)
    return solution, {price.rule: price for price in prices}


def test_one_more_bundle() -> None:
    # the best two of 1+2 (10), 3+4 (8), 5+6 (2); a third adds 2
    _, prices = priced({"max_bundles": 2})
    price = prices["bundle-count"]
    assert price.step_text == "one more bundle"
    assert price.change == pytest.approx(2.0)
    assert price.objective == pytest.approx(20.0)
    assert 2.0 - 1e-9 <= price.relaxation_change <= 8.0 + 1e-9  # what the second one is worth
    assert price.change_low == pytest.approx(2.0)
    assert price.change_high == pytest.approx(2.0)


def test_one_more_bundle_for_each_product() -> None:
    # with max_bundles = 4: 10 + 8 + 2 = 20; each product twice: 1+3 as well, 27
    _, prices = priced({"max_bundles": 4})
    price = prices["product-exposure"]
    assert price.change == pytest.approx(7.0)
    assert price.relaxation_change > price.change  # the relaxation takes halves


def test_the_exact_price_of_a_discount_budget_is_not_its_shadow_price() -> None:
    # 200 cents off, units 1, 2, 3, 4: spend 2, 4, 6, 8. With 5.90: 1+2 and nothing beside it, or
    # 3+4: 10. One per cent of it more, 5.96, buys nothing: 1+2 and 3+4 need 6.00.
    offers = make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0], bundle_units=[1.0, 2.0, 3.0, 4.0])
    _, prices = priced({"max_bundles": 4, "discount_budget": 5.9}, offers=offers)
    price = prices["discount-budget"]
    assert price.step == pytest.approx(0.06)
    assert price.step_text == "0.06 USD more to give away"
    assert price.relaxation_change == pytest.approx(0.06 * 2.0)  # 8 for 4.00
    assert price.change == pytest.approx(0.0)
    # with 5.95 the step reaches 6.01
    _, prices = priced({"max_bundles": 4, "discount_budget": 5.95}, offers=offers)
    assert prices["discount-budget"].change == pytest.approx(8.0)


def test_plan_margin_one_point_lower() -> None:
    # revenue 18.00 each. 1+2 at rate 0.195 does not fit under 0.2 without help; at 0.19 it does
    offers = make_offers(PAIRS[:2], [10.0, 1.0], margin_rate=[0.195, 0.2], bundle_units=[1.0, 1.0])
    _, prices = priced({"max_bundles": 4, "min_plan_margin": 0.2}, offers=offers)
    price = prices["plan-margin"]
    assert price.step_text == "plan margin 1 point lower"
    assert price.change == pytest.approx(10.0)


def test_rules_with_a_lower_side() -> None:
    # 5+6 loses 2 and is asked for; a bundle of c at least costs the same
    rules = [
        MustInclude(kind="must-include", name="keep", products=("5", "6")),
    ]
    _, prices = priced({"max_bundles": 4}, rules, values=[10.0, 8.0, 7.0, -2.0])
    assert prices["keep"].step_text == "without 5+6"
    assert prices["keep"].change == pytest.approx(2.0)
    some = CategoryLimit(kind="category-limit", name="some c", category="c", min=1)
    _, prices = priced({"max_bundles": 4}, [some], values=[10.0, 8.0, 7.0, -2.0])
    assert prices["some c"].step_text == "one bundle of c fewer required"
    assert prices["some c"].change == pytest.approx(2.0)
    _, prices = priced({"max_bundles": 4, "min_bundles": 3}, values=[10.0, 8.0, 7.0, -2.0])
    assert prices["bundle-count"].step_text == "one bundle fewer required"
    assert prices["bundle-count"].change == pytest.approx(2.0)


def test_a_second_level_for_a_line() -> None:
    # both at the first level earn 10 + 3, at the second 6 + 8; at a level each, 10 + 8
    offers = make_offers(
        [(0, 1), (0, 1), (2, 3), (2, 3)],
        [10.0, 6.0, 3.0, 8.0],
        candidate=[0, 0, 1, 1],
        level=[0, 1, 0, 1],
    )
    line = (("1", "2"), ("3", "4"))
    solution, prices = priced(
        {"max_bundles": 4}, [SameLevel(kind="same-level", name="line", bundles=line)], offers
    )
    assert solution.objective == pytest.approx(14.0)
    assert prices["line"].step_text == "a second level for line"
    assert prices["line"].change == pytest.approx(4.0)


def test_a_lower_target() -> None:
    # 1.05 units of product 1 take 1+2 and 1+3, 10 + 7; a tenth less leaves room for 3+4, 10 + 8
    rule = Clearance(kind="clearance", name="clear", products=("1",), target=1.05)
    _, prices = priced({"max_bundles": 2, "max_bundles_per_product": 2}, [rule])
    assert prices["clear"].step == pytest.approx(0.11)
    assert prices["clear"].step_text == "target of clear 0.11 units lower"
    assert prices["clear"].change == pytest.approx(1.0)


def test_stock_in_parts_of_it() -> None:
    # product 1: stock 11.2, stand-alone 10; 1+2 and 1+3 add a unit each, of which 1.2 fit
    _, prices = priced(
        {"max_bundles": 4, "max_bundles_per_product": 2},
        catalogue={"stock": [11.2] + [np.inf] * 5},
    )
    price = prices["stock[1]"]
    assert price.step == 1
    assert price.step_text == "1 more unit of 1 to sell"
    assert price.change == pytest.approx(7.0)
    assert price.covers == "the offers that pass the filters now"


def test_every_price_against_all_plans() -> None:
    """Category limits and counts on random values: the change of the optimum, by enumeration."""
    random = np.random.default_rng(3)
    pairs = [(i, j) for i in range(6) for j in range(i + 1, 6)]
    for _ in range(2):
        values = random.uniform(1, 9, 15).round(2).tolist()
        limits = {"max_bundles": 3, "max_bundles_per_product": 2}
        rule = CategoryLimit(kind="category-limit", name="few a", category="a", max=1)
        offers = make_offers(pairs, values)
        _, prices = priced(limits, [rule], offers=offers)
        best = _best(pairs, values, 3, 2, 1)
        expected = {
            "bundle-count": _best(pairs, values, 4, 2, 1) - best,
            "product-exposure": _best(pairs, values, 3, 3, 1) - best,
            "few a": _best(pairs, values, 3, 2, 2) - best,
        }
        assert prices
        for name, price in prices.items():
            assert price.change == pytest.approx(expected[name], abs=1e-6)


def _best(
    pairs: list[tuple[int, int]], values: list[float], most: int, exposure: int, of_a: int
) -> float:
    best = 0.0
    for plan in range(1 << len(pairs)):
        chosen = [k for k in range(len(pairs)) if plan >> k & 1]
        held = np.bincount([p for k in chosen for p in pairs[k]], minlength=6)
        touching = sum(min(pairs[k]) < 2 for k in chosen)
        if len(chosen) <= most and held.max() <= exposure and touching <= of_a:
            best = max(best, sum(values[k] for k in chosen))
    return best


@pytest.mark.parametrize("engine", ["highs", "cp-sat"])
def test_engines_without_a_relaxation_of_their_own_are_priced_too(engine: str) -> None:
    solution, prices = priced({"max_bundles": 2}, engine=engine)
    assert solution.shadow_prices["bundle-count"] > 0
    assert prices["bundle-count"].change == pytest.approx(2.0)


def test_an_interval_where_time_is_too_short_for_a_number() -> None:
    # the plan at hand is worth 12, and re-solves have no time: what is known is an interval
    made = make_catalogue(IDS)
    instance = make_instance(made, make_scenario(Limits(max_bundles=2)))
    beliefs, offers = make_beliefs(made), make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0])
    program = build_program(instance, beliefs, offers)
    best = solve_program(program, EngineSettings(gap=0.0))
    poor = replace(best, values=np.array([1.0, 0.0, 0.0, 1.0]), objective=12.0, bound=18.5)

    def price_in(seconds: float) -> RulePrice:
        _, prices = price_rules(instance, beliefs, offers, program, poor, seconds)
        return next(price for price in prices if price.rule == "bundle-count")

    quick = price_in(1e-9)
    assert quick.change is None
    assert quick.change_low == 0.0
    # three bundles are worth 20 at the most, the shadow price (2 to 8) says up to 26; now 12
    assert quick.change_high is not None
    assert 8.0 - 1e-9 <= quick.change_high <= 14.0 + 1e-9
    assert price_in(20.0).change == pytest.approx(2.0)


def test_no_time_no_prices() -> None:
    solution, prices = priced({"max_bundles": 2}, seconds=0.0)
    assert prices == {}
    assert "bundle-count" in solution.shadow_prices


def test_at_most_five_and_the_dearest_first() -> None:
    rules = [
        CategoryLimit(kind="category-limit", name=f"no {category}", category=category, max=0)
        for category in ("a", "b", "c")
    ]
    _, prices = priced({"max_bundles": 2}, rules)
    assert len(prices) <= 5
    changes = [price.change for price in prices.values()]
    assert changes == sorted(changes, reverse=True)


def test_units_in_words() -> None:
    instance = make_instance(make_catalogue(IDS), make_scenario())
    assert shadow_price_unit(instance, "bundle-count") == "USD a week per bundle"
    assert shadow_price_unit(instance, "stock") == "USD a week per unit to sell"
    assert shadow_price_unit(instance, "discount-budget") == "USD a week per USD of budget"
    units = make_instance(make_catalogue(IDS), make_scenario(maximize="units"))
    assert shadow_price_unit(units, "bundle-count") == "units a week per bundle"
