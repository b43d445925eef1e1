"""What would be enough: each relaxation makes a plan possible, and a little less does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundlewise.instances.catalogue import Catalogue
from bundlewise.instances.errors import ConflictError
from bundlewise.instances.instance import Instance
from bundlewise.instances.previous_plan import PreviousBundle, PreviousPlan
from bundlewise.instances.rules import (
    AtMostOneOf,
    CategoryLimit,
    Clearance,
    Excluded,
    Locked,
    MustInclude,
    Rule,
    SameLevel,
    Stability,
)
from bundlewise.instances.scenario import Limits
from bundlewise.solver.build import build_program
from bundlewise.solver.conflicts import explain_conflict
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.filters import offer_mask
from bundlewise.solver.offers import Offers
from bundlewise.solver.solution import Status

from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario

IDS = ("1", "2", "3", "4", "5", "6")
# 1+2, 3+4, 1+3 and 5+6: at most three of them share no product
PAIRS = [(0, 1), (2, 3), (0, 2), (4, 5)]
VALUES = [10.0, 8.0, 7.0, 2.0]
INCLUDE = MustInclude(kind="must-include", products=("1", "2"))


@dataclass
class Shop:
    """A scenario over the pairs, to be tried under several limits, rules and tables."""

    limits: dict[str, Any]
    rules: Sequence[Rule] = ()
    offers: Offers = field(default_factory=lambda: make_offers(PAIRS, VALUES))
    catalogue: dict[str, Any] = field(default_factory=dict)
    maximize: str = "margin"
    last: PreviousPlan | None = None
    levels: tuple[float, ...] = (0.1, 0.2)

    def explained(self) -> ConflictError:
        instance, beliefs, left, mask = self._filtered()
        program = build_program(instance, beliefs, left)
        return explain_conflict(instance, beliefs, left, program, mask, seconds=30.0)

    def changes(self) -> dict[str, dict[str, Any]]:
        """Rule -> what would be enough of it."""
        return {change["rule"]: change for change in self.explained().report["relaxations"]}

    def with_limits(self, **limits: float) -> Shop:
        return replace(self, limits=self.limits | limits)

    def feasible(self) -> bool:
        instance, beliefs, left, _ = self._filtered()
        settings = EngineSettings(engine="highs", time_limit=20)
        status = solve_program(build_program(instance, beliefs, left), settings).status
        assert status in (Status.OPTIMAL, Status.INFEASIBLE)
        return status is Status.OPTIMAL

    def _filtered(self) -> tuple[Instance, Any, Offers, Any]:
        made: Catalogue = make_catalogue(
            IDS, category=["a", "a", "b", "b", "c", "c"], **self.catalogue
        )
        scenario = make_scenario(
            Limits(**self.limits), self.rules, maximize=self.maximize, levels=self.levels
        )
        instance = replace(make_instance(made, scenario), previous_plan=self.last)
        beliefs = make_beliefs(made)
        mask = offer_mask(instance, beliefs)
        left = self.offers.take(np.flatnonzero(mask(self.offers)[0]))
        return instance, beliefs, left, mask


def test_counts() -> None:
    shop = Shop({"max_bundles": 9, "min_bundles": 4})
    changes = shop.changes()
    fewest, exposure = changes["bundle-count"], changes["product-exposure"]
    assert fewest["text"] == "limits.min_bundles = 3 instead of 4"
    assert (fewest["key"], fewest["limit"], fewest["enough"]) == ("limits.min_bundles", 4, 3)
    assert exposure["text"] == "limits.max_bundles_per_product = 2 instead of 1"
    assert fewest["proven"]
    assert exposure["proven"]
    assert not shop.feasible()
    assert shop.with_limits(min_bundles=3).feasible()
    assert shop.with_limits(max_bundles_per_product=2).feasible()


def test_exposure_by_more_than_one() -> None:
    # four bundles of product 1: only with max_bundles_per_product = 4 are all of them allowed
    star = make_offers([(0, 1), (0, 2), (0, 3), (0, 4)], VALUES)
    shop = Shop({"max_bundles": 9, "min_bundles": 4}, offers=star)
    assert shop.changes()["product-exposure"]["enough"] == 4
    assert not shop.with_limits(max_bundles_per_product=3).feasible()
    assert shop.with_limits(max_bundles_per_product=4).feasible()


def test_exposure_that_stock_would_not_allow() -> None:
    # 1+2 and 1+3 add 1 unit of product 1 each; stand-alone demand of 10 leaves 1.5
    shop = Shop({"max_bundles": 9, "min_bundles": 4}, catalogue={"stock": [11.5] + [np.inf] * 5})
    changes = shop.changes()
    assert changes["bundle-count"]["enough"] == 3
    assert changes["product-exposure"]["enough_alone"] is False
    assert not shop.with_limits(max_bundles_per_product=2).feasible()


def test_more_bundles_where_categories_ask_for_them() -> None:
    rules = [
        CategoryLimit(kind="category-limit", name=f"some {category}", category=category, min=1)
        for category in ("a", "b", "c")
    ]
    shop = Shop({"max_bundles": 1}, rules)
    changes = shop.changes()
    # 1+3 touches a and b, 5+6 touches c
    assert changes["bundle-count"]["text"] == "limits.max_bundles = 2 instead of 1"
    assert shop.with_limits(max_bundles=2).feasible()
    assert changes["some c"]["text"] == "min of some c = 0 instead of 1"


def test_more_bundles_of_a_line_at_one_level() -> None:
    # 5 and 6 want a bundle each, at one level; 0.1 for both takes 1+5 and 3+6
    pairs = [(0, 4), (0, 4), (2, 5), (2, 5)]
    offers = make_offers(pairs, [1.0] * 4, candidate=[0, 0, 1, 1], level=[0, 1, 0, 1])
    rules = [
        SameLevel(kind="same-level", category="c"),
        MustInclude(kind="must-include", name="1+5", products=("1", "5")),
        MustInclude(kind="must-include", name="3+6", products=("3", "6"), level=0.2),
    ]
    shop = Shop({"max_bundles": 1}, rules, offers=offers)
    assert shop.changes()["bundle-count"]["enough"] == 2
    assert shop.with_limits(max_bundles=2).feasible()


def test_a_share_of_last_week() -> None:
    # all three of last week's bundles are asked for, and 1+9 can no longer be had
    rule = Stability(kind="stability", name="keep", min_share=1.0)
    bundles = (("1", "2"), ("3", "4"), ("1", "9"))
    last = PreviousPlan(Path("plan.csv"), tuple(PreviousBundle(ids, 0) for ids in bundles))
    shop = Shop({"max_bundles": 4}, [rule], last=last)
    change = shop.changes()["keep"]
    assert change["text"] == "min_share of keep = 0.6666 instead of 1"
    assert replace(shop, rules=[rule.model_copy(update={"min_share": 0.6666})]).feasible()
    assert not replace(shop, rules=[rule.model_copy(update={"min_share": 0.6667})]).feasible()


def levels_shop(rules: Sequence[Rule], **limits: float) -> Shop:
    """1+2, 3+4 and 5+6, each at levels 0, 1 and 2; last week all of them stood at level 0."""
    pairs = [pair for pair in [(0, 1), (2, 3), (4, 5)] for _ in range(3)]
    numbers = [number for number in range(3) for _ in range(3)]
    offers = make_offers(pairs, [5.0] * 9, candidate=numbers, level=[0, 1, 2] * 3)
    bundles = (("1", "2"), ("3", "4"), ("5", "6"))
    last = PreviousPlan(Path("plan.csv"), tuple(PreviousBundle(ids, 0) for ids in bundles))
    return Shop(
        {"max_bundles": 4, **limits}, rules, offers=offers, last=last, levels=(0.1, 0.2, 0.3)
    )


def test_how_far_bundles_of_last_week_have_to_move() -> None:
    steady = Stability(kind="stability", name="steady", max_steps=0)
    deep = Locked(kind="locked", name="deep", products=("1", "2"), level=0.3)  # level 2
    changes = levels_shop([steady, deep]).changes()
    change = changes["steady"]
    assert change["text"] == "max_steps of steady = 2 instead of 0"
    assert (change["key"], change["enough"], change["no_less"]) == ("max_steps of steady", 2, 2)
    assert change["proven"]
    for steps, feasible in ((1, False), (2, True)):
        moved = steady.model_copy(update={"max_steps": steps})
        assert levels_shop([moved, deep]).feasible() == feasible


def test_of_a_share_and_steps_the_one_that_helps_moves() -> None:
    both = Stability(kind="stability", name="keep", min_share=1.0, max_steps=1)
    few = levels_shop([both], max_bundles=2)
    assert few.changes()["keep"]["text"] == "min_share of keep = 0.6666 instead of 1"
    fewer = both.model_copy(update={"min_share": 0.6666})
    assert replace(few, rules=[fewer]).feasible()
    deep = Locked(kind="locked", name="deep", products=("1", "2"), level=0.3)
    moved = levels_shop([both, deep])
    assert moved.changes()["keep"]["text"] == "max_steps of keep = 2 instead of 1"
    assert replace(moved, rules=[both.model_copy(update={"max_steps": 2}), deep]).feasible()
    assert not replace(moved, rules=[both.model_copy(update={"min_share": 0.01}), deep]).feasible()
    # neither alone: two bundles at most, one of them two levels further
    neither = levels_shop([both, deep], max_bundles=2)
    assert "keep" not in neither.changes() or not neither.changes()["keep"]["key"]
    assert levels_shop([deep], max_bundles=2).feasible()


def test_a_rule_that_is_named_like_a_filter_is_none() -> None:
    both = Stability(kind="stability", name="filter me", min_share=1.0, max_steps=0)
    change = levels_shop([both], max_bundles=2).changes()["filter me"]
    assert change["text"] == "min_share of filter me = 0.6666 instead of 1"


def test_a_number_that_may_not_be_zero_goes_with_its_rule() -> None:
    # one bundle at most, which cannot clear both 1 and 5
    rules = [
        Clearance(kind="clearance", name=f"clear {one}", products=(one,), target=0.5)
        for one in ("1", "5")
    ]
    changes = Shop({"max_bundles": 1}, rules).changes()
    assert changes["clear 1"]["text"] == "dropping clear 1"
    assert changes["clear 1"]["key"] is None
    excluded = Excluded(kind="excluded", name="never", products=("1", "2"))
    share = Stability(kind="stability", name="keep", min_share=0.5)
    last = PreviousPlan(Path("plan.csv"), (PreviousBundle(("1", "2"), 0),))
    changes = Shop({"max_bundles": 4}, [excluded, share], last=last).changes()
    assert changes["keep"]["text"] == "dropping keep"
    in_part = share.model_copy(update={"max_steps": 3})
    changes = Shop({"max_bundles": 4}, [excluded, in_part], last=last).changes()
    assert changes["keep"]["text"] == "dropping min_share of keep"


@pytest.mark.parametrize("name", ["clearance", "stability", "category-limit", "never-together"])
def test_a_filter_that_is_named_like_a_kind_is_still_a_filter(name: str) -> None:
    excluded = Excluded(kind="excluded", name=name, products=("1", "2"))
    changes = Shop({"max_bundles": 4}, [INCLUDE, excluded]).changes()
    assert changes[name]["text"] == f"dropping {name}"


def test_category_that_is_limited_from_both_sides() -> None:
    few = CategoryLimit(kind="category-limit", name="few", category="c", max=0)
    shop = Shop({"max_bundles": 4, "min_bundles": 3}, [few])
    changes = shop.changes()
    assert changes["few"]["text"] == "max of few = 1 instead of 0"
    more = few.model_copy(update={"max": 1})
    assert replace(shop, rules=[more]).feasible()


def test_affinity_takes_fewer_pairs() -> None:
    shop = Shop({"max_bundles": 4}, offers=make_offers(PAIRS, [-1.0] * 4), maximize="affinity")
    assert shop.changes()["bundle-count"]["text"] == "limits.max_bundles = 3 instead of 4"
    assert shop.with_limits(max_bundles=3).feasible()


def test_discount_budget_in_money() -> None:
    # 2.00 off: 1+2 spends 2.00, 3+4 4.00, 1+3 6.00, 5+6 8.00; three without a shared product: 14
    offers = make_offers(PAIRS, VALUES, bundle_units=[1.0, 2.0, 3.0, 4.0])
    shop = Shop({"max_bundles": 4, "min_bundles": 3, "discount_budget": 10.0}, offers=offers)
    changes = shop.changes()
    assert changes["discount-budget"]["text"] == "limits.discount_budget = 14.00 instead of 10.00"
    assert changes["discount-budget"]["proven"]
    assert changes["bundle-count"]["enough"] == 2
    assert shop.with_limits(discount_budget=14.0).feasible()
    assert not shop.with_limits(discount_budget=13.99).feasible()


def test_plan_margin_to_the_best_a_plan_can_have() -> None:
    # 1+2 has to be in: (0.1 + 0.3 + 0.3)/3 = 0.2333 with 3+4 and 5+6, each of 18.00 of revenue
    offers = make_offers(PAIRS, VALUES, margin_rate=[0.1, 0.3, 0.3, 0.3])
    shop = Shop({"max_bundles": 4, "min_plan_margin": 0.3}, [INCLUDE], offers=offers)
    change = shop.changes()["plan-margin"]
    assert change["text"] == "limits.min_plan_margin = 0.2333 instead of 0.3"
    assert change["proven"]
    assert shop.with_limits(min_plan_margin=0.2333).feasible()
    assert not shop.with_limits(min_plan_margin=0.2334).feasible()


def test_plan_margin_with_an_offer_that_only_a_lower_margin_makes_useful() -> None:
    # 3+4 loses money and lies below the limit: idle at 0.35, but it lifts a plan with 1+2 to 0.2
    offers = make_offers(PAIRS, [10.0, -8.0, -7.0, -2.0], margin_rate=[0.1, 0.3, 0.0, 0.0])
    shop = Shop({"max_bundles": 4, "min_plan_margin": 0.35}, [INCLUDE], offers=offers)
    assert shop.changes()["plan-margin"]["enough"] == pytest.approx(0.2)
    assert shop.with_limits(min_plan_margin=0.2).feasible()
    assert not shop.with_limits(min_plan_margin=0.2001).feasible()


def test_plan_margin_on_random_shops() -> None:
    random = np.random.default_rng(7)
    for _ in range(10):
        pairs = [(i, j) for i in range(6) for j in range(i + 1, 6)]
        offers = make_offers(
            pairs,
            random.uniform(1, 9, 15).tolist(),
            margin_rate=random.uniform(0.0, 0.4, 15),
            bundle_units=random.uniform(0.1, 9.0, 15),
        )
        shop = Shop({"max_bundles": 3, "min_bundles": 3, "min_plan_margin": 0.39}, offers=offers)
        if shop.feasible():
            continue
        change = shop.changes()["plan-margin"]
        assert change["proven"]
        assert shop.with_limits(min_plan_margin=change["enough"]).feasible()
        assert not shop.with_limits(min_plan_margin=change["enough"] + 0.0001).feasible()


def test_bundle_margin_at_which_enough_offers_come_back() -> None:
    # three bundles need 5+6 (0.12) and 1+2 (0.15) beside 3+4; the lower of them is what counts
    offers = make_offers(PAIRS, VALUES, margin_rate=[0.15, 0.3, 0.3, 0.12])
    shop = Shop({"max_bundles": 4, "min_bundles": 3, "min_bundle_margin": 0.2}, offers=offers)
    change = shop.changes()["bundle-margin"]
    assert change["text"] == "limits.min_bundle_margin = 0.12 instead of 0.2"
    assert change["proven"]
    assert shop.with_limits(min_bundle_margin=0.12).feasible()
    assert not shop.with_limits(min_bundle_margin=0.1201).feasible()


def test_the_bundle_margin_that_asks_least_of_the_lowest_offer() -> None:
    # one bundle of c: 5+6 at 0.05 alone, or 1+5 (0.1) and never both; the higher floor wins
    offers = make_offers([(4, 5), (0, 4), (0, 1)], [1, 1, 1], margin_rate=[0.05, 0.1, 0.1])
    one = CategoryLimit(kind="category-limit", category="c", min=1)
    shop = Shop({"max_bundles": 4, "min_bundle_margin": 0.2}, [one], offers=offers)
    assert shop.changes()["bundle-margin"]["enough"] == pytest.approx(0.1)


def test_floors_of_products() -> None:
    # 1+2 sells at 18.00, its floors come to 19.50
    floors = [1000, 950, 0, 0, 0, 0]
    shop = Shop({"max_bundles": 4}, [INCLUDE], catalogue={"min_price": floors})
    change = shop.changes()["min-price"]
    assert change["text"] == "products.min_price: 1.50 less for 1+2"
    assert change["missing"] == {"1+2": 1.5}
    lower, higher = ([1000, 950 - cents, 0, 0, 0, 0] for cents in (150, 149))
    assert replace(shop, catalogue={"min_price": lower}).feasible()
    assert not replace(shop, catalogue={"min_price": higher}).feasible()


@pytest.mark.parametrize(("stock", "missing"), [(10.5, 0.5), (11.0 - 1e-3, 0.01), (5.0, 6.0)])
def test_stock_in_units_of_the_product(stock: float, missing: float) -> None:
    # stand-alone demand is 100 visits × 0.1 = 10, and 1+2 adds one unit of each
    shop = Shop({"max_bundles": 4}, [INCLUDE], catalogue={"stock": [stock] + [np.inf] * 5})
    error = shop.explained()
    assert set(error.rules) == {"must-include[1]", "stock"}
    change = shop.changes()["stock"]
    assert change["missing"] == {"1": missing}
    assert change["text"] == f"products.stock: {missing:g} more units of 1"
    assert replace(shop, catalogue={"stock": [stock + missing] + [np.inf] * 5}).feasible()
    less = stock + missing - 0.011
    assert not replace(shop, catalogue={"stock": [less] + [np.inf] * 5}).feasible()


def test_stock_of_the_cheapest_products() -> None:
    # three bundles sell one more unit of each of their products: 5 lacks 0.25, 6 lacks 0.5
    stock = [np.inf] * 4 + [10.75, 10.5]
    shop = Shop({"max_bundles": 4, "min_bundles": 3, "stock_safety": 0.0}, catalogue={})
    short = replace(shop, catalogue={"stock": stock})
    assert shop.feasible()
    change = short.changes()["stock"]
    assert change["missing"] == {"5": 0.25, "6": 0.5}
    assert change["enough"] == pytest.approx(0.75)


def test_a_clearance_target() -> None:
    clear = Clearance(kind="clearance", name="clear 1", products=("1",), target=2.0)
    shop = Shop({"max_bundles": 4}, [clear])
    changes = shop.changes()
    assert changes["clear 1"]["text"] == "target of clear 1 = 1 instead of 2"
    assert changes["product-exposure"]["enough"] == 2
    assert replace(shop, rules=[clear.model_copy(update={"target": 1.0})]).feasible()
    assert not replace(shop, rules=[clear.model_copy(update={"target": 1.01})]).feasible()


def test_rules_without_a_number_are_dropped() -> None:
    excluded = Excluded(kind="excluded", name="no 1+2", products=("1", "2"))
    changes = Shop({"max_bundles": 4}, [INCLUDE, excluded]).changes()
    assert changes["must-include[1]"]["text"] == "dropping must-include[1]"
    assert changes["no 1+2"]["text"] == "dropping no 1+2"
    touching = AtMostOneOf(kind="at-most-one-of", name="one of them", products=("1", "3"))
    other = MustInclude(kind="must-include", name="3+4", products=("3", "4"))
    shop = Shop({"max_bundles": 4}, [INCLUDE, other, touching])
    assert set(shop.changes()) == {"must-include[1]", "3+4", "one of them"}
    assert all(change["enough_alone"] for change in shop.changes().values())


def test_two_conflicts_that_share_nothing() -> None:
    # 1+2 and 1+3 share product 1; and nothing is left for category c
    rules = [
        INCLUDE,
        MustInclude(kind="must-include", name="1+3", products=("1", "3")),
        CategoryLimit(kind="category-limit", name="two of c", category="c", min=2),
    ]
    error = Shop({"max_bundles": 4}, rules).explained()
    assert error.rules == ("two of c",)  # the smallest
    assert error.report["smallest"]
    assert "Not enough alone, since other rules conflict too: two of c" in str(error)
    assert "would do" not in str(error)


def test_the_message_names_what_would_do() -> None:
    message = str(Shop({"max_bundles": 9, "min_bundles": 4}).explained())
    assert message.endswith(
        ". Each of these alone would do: limits.max_bundles_per_product = 2 instead of 1; "
        "limits.min_bundles = 3 instead of 4"
    )


def test_without_time_nothing_is_claimed() -> None:
    shop = Shop({"max_bundles": 9, "min_bundles": 4})
    instance, beliefs, left, mask = shop._filtered()
    program = build_program(instance, beliefs, left)
    error = explain_conflict(instance, beliefs, left, program, mask, seconds=0.0)
    assert "time did not suffice to see whether all of them are needed" in str(error)
    assert "Time did not suffice to see what would be enough of product-exposure" in str(error)
    assert not error.report["irreducible"]
