"""Plans judged under each other's scenarios, against sums and enumerations made here by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundlewise.instances import Instance
from bundlewise.instances.rules import (
    CategoryLimit,
    Clearance,
    Excluded,
    MustInclude,
    NeverTogether,
    Rule,
    SameLevel,
)
from bundlewise.instances.scenario import Assumptions, Candidates, Discounts, Limits
from bundlewise.models import Beliefs
from bundlewise.solver import solve
from bundlewise.solver.comparison import Contender, compare
from bundlewise.solver.cross_evaluation import Judge, Judgement
from bundlewise.solver.plan_folder import parse_plan
from bundlewise.solver.planned_offers import PlannedOffer
from bundlewise.solver.robust_choice import robust_choice

from .set_cases import shop_of_sets

VISITS, ETA, PRICE, COST = 10_000.0, 3.0, 10.0, 5.0
Q = {"0": 0.10, "1": 0.08, "2": 0.05, "3": 0.03}
LEVELS = (0.1, 0.2)
Offer = tuple[str, str, float]


def shop(**sections: Any) -> tuple[Instance, Beliefs]:
    instance, beliefs = shop_of_sets(
        list(Q.values()), sensitivity=ETA, max_size=2, visits=VISITS, levels=LEVELS
    )
    scenario = instance.scenario.model_copy(update=sections)
    return replace(instance, scenario=scenario), beliefs


def reach(q: float, off: np.ndarray | float) -> Any:
    """P(willing to pay the price less ``off``), logistic."""
    odds = q / (1 - q) * np.exp(ETA * np.asarray(off) / PRICE)
    return odds / (1 + odds)


def shares(offer: Offer) -> tuple[float, float, float]:
    """Buy both anyway; buy one anyway and add the other; bought neither and take both.

    Products are independent here. The last is the triangle below both prices, summed in slices.
    """
    one, other = Q[offer[0]], Q[offer[1]]
    off = 2 * PRICE * offer[2]
    upper = min(off, PRICE)
    edges = np.linspace(0.0, upper, 20_001)
    middle = (edges[1:] + edges[:-1]) / 2
    neither = float((np.diff(reach(one, edges)) * (reach(other, off - middle) - other)).sum())
    adds = one * (reach(other, upper) - other) + other * (reach(one, upper) - one)
    return one * other, float(adds), neither


def worth(offer: Offer, *, exposure: float = 1.0, offer_cost: float = 0.0) -> float:
    """Incremental margin a week: visits × exposure × Σ share × gain − cost of the offer."""
    both, adds, neither = shares(offer)
    off, margin = 2 * PRICE * offer[2], PRICE - COST
    gain = -both * off + adds * (margin - off) + neither * (2 * margin - off)
    return VISITS * exposure * gain - offer_cost


OFFERS = [(*pair, level) for pair, level in product(combinations(Q, 2), LEVELS)]


def best(most: int, allowed: Sequence[Offer], **assumed: float) -> tuple[float, set[Offer]]:
    """The best plan of at most so many bundles without a product in two, by trying them all."""
    plans: list[tuple[Offer, ...]] = [()]
    for size in range(1, most + 1):
        plans += [
            plan
            for plan in combinations(allowed, size)
            if len({name for offer in plan for name in offer[:2]}) == 2 * size
        ]
    value = {plan: sum(worth(offer, **assumed) for offer in plan) for plan in plans}
    ranked = sorted(plans, key=lambda plan: -value[plan])
    assert value[ranked[0]] > value[ranked[1]] + 1.0  # no tie that rounding would decide
    return value[ranked[0]], set(ranked[0])


@dataclass(frozen=True)
class Case:
    """A scenario in this test's own words, and as the package reads it."""

    most: int
    assumed: dict[str, float]
    shallow: bool
    sections: dict[str, Any]

    def value(self, plan: set[Offer]) -> float:
        return sum(worth(offer, **self.assumed) for offer in plan)

    def allowed(self) -> list[Offer]:
        return [offer for offer in OFFERS if not (self.shallow and offer[2] > 0.15)]

    def broken(self, plan: set[Offer]) -> set[str]:
        found = {"bundle-count"} if len(plan) > self.most else set()
        return found | {"bundle-margin"} if plan - set(self.allowed()) else found


CASES = {
    "one": Case(1, {}, False, {"limits": Limits(max_bundles=1)}),
    "two": Case(2, {}, False, {"limits": Limits(max_bundles=2)}),
    # 16.00 for goods of 10.00 is a margin rate of 0.375, 18.00 one of 0.444
    "dear": Case(
        2,
        {"exposure": 0.5, "offer_cost": 100.0},
        True,
        {
            "limits": Limits(max_bundles=2, min_bundle_margin=0.4),
            "assumptions": Assumptions(exposure=0.5, offer_cost=100.0),
        },
    ),
}


@pytest.fixture(scope="module")
def comparison() -> dict[str, Any]:
    contenders = []
    for name, case in CASES.items():
        instance, beliefs = shop(name=name, **case.sections)
        plan = parse_plan(solve(instance, beliefs).files(), Path(name))
        contenders.append(Contender(instance.scenario, plan, world=(instance, beliefs)))
    return compare(contenders)


def test_three_plans_under_three_scenarios_by_hand(comparison: dict[str, Any]) -> None:
    plans, optimum = {}, {}
    for name, case in CASES.items():
        optimum[name], plans[name] = best(case.most, case.allowed(), **case.assumed)
    assert [len(plan) for plan in plans.values()] == [1, 2, 1]  # so that they differ
    levels = {row["bundle_id"]: row["levels"] for row in comparison["offers"]}
    for name, plan in plans.items():
        chosen = {(*key.split("+"), at[name]) for key, at in levels.items() if at[name] is not None}
        assert chosen == plan
    cross = {(entry["plan"], entry["under"]): entry for entry in comparison["cross"]}
    assert len(cross) == 9
    for (plan, under), entry in cross.items():
        case = CASES[under]
        value = case.value(plans[plan])
        assert entry["incremental_margin"] == pytest.approx(value, rel=0.003, abs=0.05)
        assert entry["objective"] == pytest.approx(entry["incremental_margin"], abs=0.02)
        regret = optimum[under] - value
        assert entry["regret"] == pytest.approx(regret, rel=0.003, abs=0.01 * abs(value))
        assert set(entry["broken_rules"]) == case.broken(plans[plan])
        assert entry["offers_made"] == len(plans[plan])
        if plan == under:
            assert entry["regret"] == 0.0
        elif not entry["broken_rules"]:
            assert entry["regret"] >= 0.0
    assert cross["two", "one"]["regret"] < 0.0  # more bundles than allowed there
    assert cross["two", "one"]["broken_rules"] == ["bundle-count"]


def test_the_robust_choice_by_hand(comparison: dict[str, Any]) -> None:
    plans = {name: best(c.most, c.allowed(), **c.assumed)[1] for name, c in CASES.items()}
    sound = [
        name for name, plan in plans.items() if not any(c.broken(plan) for c in CASES.values())
    ]
    worst = {
        name: max(
            best(c.most, c.allowed(), **c.assumed)[0] - c.value(plans[name]) for c in CASES.values()
        )
        for name in sound
    }
    assert comparison["robust"]["plan"] == min(worst, key=lambda name: worst[name])
    assert comparison["robust"]["largest_regret"] == pytest.approx(min(worst.values()), rel=0.01)


def test_the_cause_is_named(comparison: dict[str, Any]) -> None:
    assert comparison["changed_keys"] == {
        "two": ["limits.max_bundles"],
        "dear": [
            "assumptions.exposure",
            "assumptions.offer_cost",
            "limits.max_bundles",
            "limits.min_bundle_margin",
        ],
    }


def offer(*ids: str, level: float = 0.1, price: int | None = None, whole: int = 0) -> PlannedOffer:
    whole = whole or 1000 * len(ids)
    price = round(whole * (1 - level)) if price is None else price
    return PlannedOffer("+".join(ids), ids, level, whole, price)


def judged(plan: Sequence[PlannedOffer], **changes: Any) -> Judgement:
    """A plan under the shop with other sections, catalogue columns or beliefs."""
    catalogue, beliefs_of = changes.pop("catalogue", {}), changes.pop("beliefs", {})
    instance, beliefs = shop(**changes)
    columns = {name: np.asarray(column) for name, column in catalogue.items()}
    instance = replace(instance, catalogue=replace(instance.catalogue, **columns))
    return Judge(instance, replace(beliefs, **beliefs_of), 2).judge(plan)


PAIR = [offer("0", "1")]


def test_a_plan_that_fits_breaks_nothing_and_earns_what_was_worked_out() -> None:
    found = judged([offer("0", "1"), offer("2", "3", level=0.2)])
    assert found.broken_rules == []
    expected = worth(("0", "1", 0.1)) + worth(("2", "3", 0.2))
    assert found.incremental_margin == pytest.approx(expected, rel=0.003)


def test_an_empty_plan_earns_nothing() -> None:
    found = judged([])
    assert (found.incremental_margin, found.objective, found.broken_rules) == (0.0, 0.0, [])
    rules = (MustInclude(kind="must-include", name="in", products=("0", "1")),)
    limits = Limits(max_bundles=2, min_bundles=1)
    assert set(judged([], rules=rules, limits=limits).broken_rules) == {"in", "bundle-count"}


IMPOSSIBLE: dict[str, tuple[PlannedOffer, dict[str, Any], str]] = {
    "missing": (offer("0", "9"), {}, "data.products"),
    "inactive": (
        PAIR[0],
        {"catalogue": {"available": [False, True, True, True]}},
        "products.active",
    ),
    "never bought": (
        PAIR[0],
        {"beliefs": {"purchase_probability": np.array([0.1, 0.0, 0.05, 0.03])}},
        "data.orders",
    ),
    "given away": (offer("0", "1", level=0.2, price=1000), {}, "price-of-one"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_offer_that_cannot_be_made_earns_nothing_and_says_why(name: str) -> None:
    impossible, changes, rule = IMPOSSIBLE[name]
    found = judged([impossible, offer("2", "3")], **changes)
    assert found.broken_rules == [rule]
    assert found.made == 1
    assert found.incremental_margin == pytest.approx(worth(("2", "3", 0.1)), rel=0.003)
    assert found.breaches[0]["bundles"] == [impossible.bundle_id]


BROKEN: dict[str, tuple[list[PlannedOffer], dict[str, Any], list[str]]] = {
    "level": (PAIR, {"discounts": Discounts(levels=(0.2,))}, ["discounts.levels"]),
    "ending": (
        PAIR,
        {"discounts": Discounts(levels=LEVELS, price_ending=".99")},
        ["discounts.levels"],
    ),
    "support": (PAIR, {"candidates": Candidates(min_support=101)}, ["candidates.min_support"]),
    "uncounted": (
        PAIR,
        {"beliefs": {"pair_orders": np.array([4, 9, 9, 9, 9, 9])}},
        ["candidates.min_support"],
    ),
    "category": (
        PAIR,
        {"candidates": Candidates(allow_same_category=False)},
        ["candidates.allow_same_category"],
    ),
    "margin": (PAIR, {"limits": Limits(max_bundles=2, min_bundle_margin=0.5)}, ["bundle-margin"]),
    "price": (PAIR, {"catalogue": {"min_price": [950, 900, 0, 0]}}, ["min-price"]),
    "plan margin": (
        PAIR,
        {"limits": Limits(max_bundles=2, min_plan_margin=0.5)},
        ["plan-margin"],
    ),
    "budget": (PAIR, {"limits": Limits(max_bundles=2, discount_budget=1.0)}, ["discount-budget"]),
    "exposure": ([*PAIR, offer("0", "2")], {}, ["product-exposure"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_limits_forbid_is_broken_and_still_judged(name: str) -> None:
    plan, changes, rules = BROKEN[name]
    found = judged(plan, **changes)
    assert found.broken_rules == rules
    assert found.made == len(plan)
    expected = sum(worth((*one.products, one.level)) for one in plan)  # pyright: ignore
    assert found.incremental_margin == pytest.approx(expected, rel=0.003)


RULES: list[tuple[Rule, list[PlannedOffer]]] = [
    (Excluded(kind="excluded", name="a rule", products=("1", "0")), PAIR),
    (NeverTogether(kind="never-together", name="a rule", products=("1", "0", "2")), PAIR),
    (MustInclude(kind="must-include", name="a rule", products=("2", "3")), PAIR),
    (CategoryLimit(kind="category-limit", name="a rule", category="c", max=0), PAIR),
    (Clearance(kind="clearance", name="a rule", products=("3",), target=1.0), PAIR),
    (
        SameLevel(kind="same-level", name="a rule", category="c"),
        [*PAIR, offer("2", "3", level=0.2)],
    ),
]


@pytest.mark.parametrize(("rule", "plan"), RULES, ids=[rule.kind for rule, _ in RULES])
def test_rules_are_broken_by_name(rule: Rule, plan: list[PlannedOffer]) -> None:
    assert judged(plan).broken_rules == []
    assert judged(plan, rules=(rule,)).broken_rules == ["a rule"]


def test_a_bundle_that_a_rule_asks_for_needs_no_support() -> None:
    rule = MustInclude(kind="must-include", name="in", products=("0", "1"))
    settings = Candidates(min_support=101, allow_same_category=False)
    assert judged(PAIR, rules=(rule,), candidates=settings).broken_rules == []


def test_a_soft_target_costs_what_it_misses_and_is_not_broken() -> None:
    free = judged(PAIR)
    rule = Clearance(kind="clearance", name="soft", products=("3",), target=7.0, price=2.0)
    found = judged(PAIR, rules=(rule,))
    assert found.broken_rules == []
    assert found.objective == pytest.approx(free.objective - 14.0)
    assert found.incremental_margin == free.incremental_margin


def test_prices_stay_where_shelf_prices_do_and_levels_where_they_do_not() -> None:
    """At 8.00 + 10.00 a level of 10 % is 16.20; at 20.00 the price 18.00 stays."""
    same = judged([offer("0", "1", price=1700)])  # a price that no level of the shop leads to
    assert same.broken_rules == ["discounts.levels"]
    lower = judged(PAIR, catalogue={"reference_price": [800, 1000, 1000, 1000]})
    assert lower.broken_rules == []
    both, adds_0, adds_1 = Q["0"] * Q["1"], 0.0, 0.0
    off = 1.8

    def at(q: float, money: Any, price: float) -> Any:
        odds = q / (1 - q) * np.exp(ETA * np.asarray(money) / price)
        return odds / (1 + odds)

    adds_1 = Q["0"] * (at(Q["1"], off, 10.0) - Q["1"])
    adds_0 = Q["1"] * (at(Q["0"], off, 8.0) - Q["0"])
    edges = np.linspace(0.0, off, 20_001)
    middle = (edges[1:] + edges[:-1]) / 2
    neither = (np.diff(at(Q["0"], edges, 8.0)) * (at(Q["1"], off - middle, 10.0) - Q["1"])).sum()
    gain = -both * off + adds_1 * (5.0 - off) + adds_0 * (3.0 - off) + neither * (8.0 - off)
    assert lower.incremental_margin == pytest.approx(VISITS * gain, rel=0.003)


def entry(plan: str, under: str, regret: float | None, *broken: str) -> dict[str, Any]:
    return {"plan": plan, "under": under, "regret": regret, "broken_rules": list(broken)}


def test_the_robust_choice_breaks_no_rule_and_regrets_least() -> None:
    cross = [
        *[entry("a", "a", 0.0), entry("a", "b", 9.0)],
        *[entry("b", "a", 4.0), entry("b", "b", 0.0)],
        *[entry("c", "a", -1.0, "budget"), entry("c", "b", 1.0)],
    ]
    found = robust_choice(["a", "b", "c"], cross, one_objective=True)
    assert (found["plan"], found["largest_regret"], found["under"]) == ("b", 4.0, "a")
    assert robust_choice(["a", "b"], cross, one_objective=False)["plan"] is None
    broken = robust_choice(["c"], cross, one_objective=True)
    assert broken["plan"] is None
    assert "breaks a rule" in broken["why"]


def test_scenarios_without_a_plan_of_their_own_count_for_their_rules() -> None:
    cross = [
        *[entry("a", "a", 0.0), entry("a", "x", None, "budget")],
        *[entry("b", "a", 4.0), entry("b", "x", None)],
    ]
    assert robust_choice(["a", "b", "x"], cross, one_objective=True)["plan"] == "b"
    conflict = [*cross, entry("a", "y", None, "budget"), entry("b", "y", None, "budget")]
    assert robust_choice(["a", "b", "x", "y"], conflict, one_objective=True)["plan"] is None
    found = robust_choice(["a", "b", "x", "y"], conflict, one_objective=True, conflicts=["y"])
    assert found["plan"] == "b"
    assert "but y, whose rules conflict" in found["why"]
    gone = [*cross, {**entry("b", "z", None), "broken_rules": None}]
    found = robust_choice(["a", "b", "x", "z"], gone, one_objective=True)
    assert "any scenario but z, whose data are gone or changed (" in found["why"]
    unjudged = [{**one, "broken_rules": None, "regret": None} for one in cross]
    nothing = robust_choice(["a", "b", "x"], unjudged, one_objective=True)
    assert nothing["plan"] is None
    assert "no plan could be judged" in nothing["why"]
