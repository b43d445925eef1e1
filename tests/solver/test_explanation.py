"""Explanations of a bundle and of a set that is none, against arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.prices import PriceTable
from bundlewise.instances.rules import AtMostOneOf, Excluded, MustInclude, NeverTogether
from bundlewise.instances.scenario import Limits
from bundlewise.solver.explanation import explain_bundle, find_bundle
from bundlewise.solver.plan_tables import PlanTables, read_plan_tables
from bundlewise.solver.what_if import Situation, changed_since, situation
from bundlewise.solver.why_not import why_not
from scipy.optimize import brentq

from .explained_plans import best_margins, pair_groups, pair_margin, planned
from .set_cases import shop_of_sets

Q, ETA, VISITS, LEVELS = [0.1, 0.12, 0.08, 0.15], 3.5, 100_000.0, (0.05, 0.1, 0.2)
SLOPPY = 2e-3  # the kernel's quadrature, relative to what is earned


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Situation:
    """A plan of the single best pair of four independent products: 1 and 3."""
    instance, beliefs = shop_of_sets(
        Q, sensitivity=ETA, max_size=2, levels=LEVELS, visits=VISITS,
        limits=Limits(max_bundles=1),
    )  # fmt: skip
    _, tables = planned(instance, beliefs, tmp_path_factory.mktemp("one"))
    assert changed_since(tables, instance, beliefs) is None
    return situation(tables, instance, beliefs)


def test_the_groups_of_a_thousand_visits_and_the_gain_condition(one: Situation) -> None:
    answer = explain_bundle(one.tables, "1+3", one)
    account = answer["per_1000_visits"]
    off = answer["bundle"]["list_price"] - answer["bundle"]["bundle_price"]
    groups = pair_groups((0.12, 0.15), ETA, off)
    for found, (share, gain) in zip(account["groups"], groups, strict=True):
        assert found["shoppers"] == pytest.approx(1000 * share, rel=1e-3)
        assert found["gain"] == pytest.approx(gain, abs=1e-6)
        assert found["money"] == pytest.approx(1000 * share * gain, rel=1e-3, abs=1e-3)
    earned = answer["bundle"]["incremental_margin"] * 1000 / VISITS
    assert account["earns"] == pytest.approx(earned, abs=1e-9)
    # independent: e = 1, so η(1 − q)·m/r each, with m/r = ½
    assert answer["gain"]["parts"]["1"] == pytest.approx(ETA * 0.88 / 2)
    assert answer["gain"]["parts"]["3"] == pytest.approx(ETA * 0.85 / 2)
    assert answer["gain"]["condition"] == pytest.approx(ETA * (0.88 + 0.85) / 2)
    assert answer["gain"]["holds"]
    assert answer["not_told"] == []


def test_the_break_even_discount_is_where_the_account_meets(one: Situation) -> None:
    """Response is credited up to half the price here, so beyond 5.00 off only the cost grows."""

    def margin(off: float) -> float:
        return pair_margin((0.12, 0.15), ETA, off, VISITS, 0.5)

    expected = brentq(margin, 3.0, 9.9) / 20.0
    found = explain_bundle(one.tables, "1+3", one)["gain"]["break_even_discount"]
    assert found == pytest.approx(expected, abs=2e-3)


def test_rare_equal_products_break_even_at_the_closed_form(tmp_path: Path) -> None:
    """m/r − 1/(2η) of the bundle's price (docs/explain.md)."""
    instance, beliefs = shop_of_sets(
        [1e-5, 1e-5], sensitivity=ETA, deepest_cut=0.999, max_size=2, levels=LEVELS, visits=1e13
    )
    _, tables = planned(instance, beliefs, tmp_path)
    found = explain_bundle(tables, "0+1")["gain"]["break_even_discount"]
    assert found == pytest.approx(0.5 - 0.5 / ETA, abs=1e-3)


def test_levels_are_told_with_what_they_earn_less(one: Situation) -> None:
    levels = explain_bundle(one.tables, "1+3", one)["levels"]
    expected = [pair_margin((0.12, 0.15), ETA, 20 * level, VISITS) for level in LEVELS]
    best = max(expected)
    for level, value in zip(levels, expected, strict=True):
        assert level["difference"] == pytest.approx(value - best, rel=5e-3, abs=SLOPPY * best)
        assert level["why_not"] == (None if value == best else "earns less")


def test_dropping_costs_the_difference_to_the_next_best_plan(one: Situation) -> None:
    """One bundle is allowed: without 1+3 the plan is the second-best pair."""
    ranked = sorted(best_margins(Q, ETA, LEVELS, VISITS).items(), key=lambda item: -item[1])
    assert ranked[0][0] == "1+3"
    dropping = explain_bundle(one.tables, "1+3", one)["dropping"]
    assert dropping["cost_high"] == pytest.approx(
        ranked[0][1] - ranked[1][1], abs=SLOPPY * ranked[0][1]
    )
    assert dropping["cost_low"] == pytest.approx(dropping["cost_high"], abs=1e-3)
    assert dropping["gap"] < 1e-8
    assert [bundle["bundle_id"] for bundle in dropping["goes"]] == ["1+3"]
    assert [bundle["bundle_id"] for bundle in dropping["comes"]] == [ranked[1][0]]


@pytest.mark.parametrize("products", [("0", "2"), ("0", "1")])
def test_forcing_in_costs_what_it_pushes_out_earns_more(
    one: Situation, products: tuple[str, ...]
) -> None:
    margins = best_margins(Q, ETA, LEVELS, VISITS)
    name = "+".join(products)
    answer = why_not(one.tables, products[::-1], one)
    assert answer["candidate"]
    assert answer["reason"] is None
    assert not answer["in_plan"]
    assert answer["best"]["value"] == pytest.approx(margins[name], rel=5e-3)
    forcing = answer["forcing"]
    assert forcing["cost_high"] == pytest.approx(
        margins["1+3"] - margins[name], abs=SLOPPY * margins["1+3"]
    )
    assert [bundle["bundle_id"] for bundle in forcing["goes"]] == ["1+3"]
    assert [bundle["bundle_id"] for bundle in forcing["comes"]] == [name]


def test_dropping_and_forcing_with_two_bundles(tmp_path: Path) -> None:
    """Two disjoint pairs of four products: 01|23, 02|13, 03|12. Without the best matching's pair
    the best other matching stands, and one pair alone never earns as much."""
    instance, beliefs = shop_of_sets(
        Q, sensitivity=ETA, max_size=2, levels=LEVELS, visits=VISITS,
        limits=Limits(max_bundles=2),
    )  # fmt: skip
    _, tables = planned(instance, beliefs, tmp_path)
    now = situation(tables, instance, beliefs)
    margins = best_margins(Q, ETA, LEVELS, VISITS)
    matchings = {
        names: sum(margins[name] for name in names)
        for names in (("0+1", "2+3"), ("0+2", "1+3"), ("0+3", "1+2"))
    }
    ranked = sorted(matchings.items(), key=lambda item: -item[1])
    assert set(tables.plan.offers["bundle_id"]) == set(ranked[0][0])
    dropping = explain_bundle(tables, ranked[0][0][0], now)["dropping"]
    near = SLOPPY * ranked[0][1]
    assert dropping["cost_high"] == pytest.approx(ranked[0][1] - ranked[1][1], abs=near)
    assert {bundle["bundle_id"] for bundle in dropping["comes"]} == set(ranked[1][0])
    last = ranked[2][0]
    forcing = why_not(tables, last[0].split("+"), now)["forcing"]
    assert forcing["cost_high"] == pytest.approx(ranked[0][1] - ranked[2][1], abs=near)
    assert {bundle["bundle_id"] for bundle in forcing["comes"]} == set(last)


def test_a_triple_is_explained_with_the_pairs_within(tmp_path: Path) -> None:
    rule = MustInclude(kind="must-include", name="three", products=("0", "1", "2"))
    instance, beliefs = shop_of_sets(Q, sensitivity=ETA, levels=LEVELS, visits=VISITS, rules=[rule])
    _, tables = planned(instance, beliefs, tmp_path)
    now = situation(tables, instance, beliefs)
    answer = explain_bundle(tables, "0+1+2", now)
    assert len(answer["per_1000_visits"]["groups"]) == 7
    # independent of one another: e = 1 again
    expected = sum(ETA * (1 - q) / 2 for q in Q[:3])
    assert answer["gain"]["condition"] == pytest.approx(expected, rel=1e-6)
    assert answer["evidence"]["orders"] == 50
    assert [pair["product_ids"] for pair in answer["evidence"]["pairs"]] == [
        ["0", "1"], ["0", "2"], ["1", "2"],
    ]  # fmt: skip
    assert [rule["name"] for rule in answer["binding_rules"]][-1] == "three"
    conflict = answer["dropping"]["conflict"]
    assert "three" in conflict["rules"]
    assert answer["dropping"]["cost_high"] is None
    other = why_not(tables, ["1", "2", "3"], now)
    assert other["forcing"]["conflict"] is not None  # 1 and 2 are in one bundle already


def no_candidate(one: Situation, **changes: Any) -> Situation:
    """The plan beside changed data; what the plan says of itself stays."""
    scenario = one.instance.scenario
    catalogue, beliefs = one.instance.catalogue, one.beliefs
    scenario = scenario.model_copy(update=changes.get("scenario", {}))
    catalogue = replace(catalogue, **changes.get("catalogue", {}))
    beliefs = replace(beliefs, **changes.get("beliefs", {}))
    instance = replace(
        one.instance, scenario=scenario, catalogue=catalogue, prices=changes.get("prices")
    )
    return situation(one.tables, instance, beliefs)


def unavailable(**more: Any) -> dict[str, Any]:
    return {"catalogue": {"available": np.array([False, True, True, True]), **more}}


def promoted(one: Situation) -> dict[str, Any]:
    week = np.array([one.instance.scenario.week], dtype=np.int32)
    first = np.zeros(1, dtype=np.int32)
    prices = PriceTable(first, week, np.array([900]), np.array([True]))
    return {**unavailable(), "prices": prices}


CASES: dict[str, tuple[Callable[[Situation], dict[str, Any]], str]] = {
    "inactive": (lambda _: unavailable(), "0 is not active"),
    "promoted": (promoted, "0 is promoted in the planned week"),
    "price": (
        lambda _: unavailable(reference_price=np.array([-1, 1000, 1000, 1000])),
        "the price of 0 is not known",
    ),
    "support": (
        lambda _: {"beliefs": {"pair_orders": np.array([4, 9, 9, 9, 9, 9])}},
        "4 orders hold all of it, candidates.min_support asks for 5",
    ),
    "never-bought": (
        lambda _: {"beliefs": {"purchase_probability": np.array([0.0, 0.12, 0.08, 0.15])}},
        "0 was never bought",
    ),
    "same-category": (
        lambda one: {
            "scenario": {
                "candidates": one.instance.scenario.candidates.model_copy(
                    update={"allow_same_category": False}
                )
            }
        },
        "of the category c",
    ),
    "rule": (
        lambda _: {
            "scenario": {
                "rules": (NeverTogether(kind="never-together", name="apart", products=("0", "1")),)
            }
        },
        "the rule apart forbids it",
    ),
    "no-gain": (
        lambda _: {
            "beliefs": {
                "sensitivity_location": np.array([0.1, 0.1, 3.5, 3.5]),
                "price_sensitivity": np.array([0.1, 0.1, 3.5, 3.5]),
            }
        },
        "gains nothing at any level",
    ),
    "filter": (
        lambda _: {"scenario": {"limits": Limits(max_bundles=1, min_bundle_margin=0.49)}},
        "refused by bundle-margin",
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_the_first_reason_why_a_set_is_no_candidate(one: Situation, code: str) -> None:
    changes, text = CASES[code]
    answer = why_not(one.tables, ["0", "1"], no_candidate(one, **changes(one)))
    assert answer["candidate"] is False
    assert answer["reason"]["code"] == code
    assert text in answer["reason"]["text"]
    if code in ("rule", "filter"):
        assert answer["forcing"]["conflict"] is not None
    if code in ("inactive", "promoted", "price", "never-bought"):
        assert answer["forcing"] is None
        assert answer["levels"] == []
    if code in ("support", "same-category", "no-gain"):
        assert answer["forcing"]["conflict"] is None  # what a rule names needs none of that
        assert answer["best"] is not None


def test_a_rule_without_a_name_of_the_set_and_sets_that_are_too_large(one: Situation) -> None:
    rule = Excluded(kind="excluded", name="no tea", products=("1", "0"))
    answer = why_not(one.tables, ["0", "1"], no_candidate(one, scenario={"rules": (rule,)}))
    assert answer["reason"] == {"code": "rule", "text": "the rule no tea forbids it"}
    answer = why_not(one.tables, ["0", "1", "2"], one)
    assert answer["reason"]["code"] == "size"
    assert answer["forcing"] is None
    assert len(answer["levels"]) == len(LEVELS)


def test_candidates_that_were_cut(tmp_path: Path) -> None:
    instance, beliefs = shop_of_sets(Q, sensitivity=ETA, max_size=2, levels=LEVELS, visits=VISITS)
    few = instance.scenario.candidates.model_copy(update={"max_candidates": 2})
    instance = replace(instance, scenario=instance.scenario.model_copy(update={"candidates": few}))
    _, tables = planned(instance, beliefs, tmp_path)
    now = situation(tables, instance, beliefs)
    margins = sorted(best_margins(Q, ETA, LEVELS, VISITS).items(), key=lambda item: -item[1])
    answer = why_not(tables, margins[-1][0].split("+"), now)
    assert answer["reason"]["code"] == "max-candidates"
    assert "4 candidates" in answer["reason"]["text"]
    assert answer["forcing"]["conflict"] is None
    assert why_not(tables, margins[1][0].split("+"), now)["candidate"]


@pytest.mark.parametrize("products", [["0"], ["0", "0"], ["0", "1", "2", "3", "4"]])
def test_what_is_no_set_is_refused(one: Situation, products: list[str]) -> None:
    with pytest.raises(InputError, match="two to four different product ids"):
        why_not(one.tables, products, one)


def test_an_unknown_product_is_refused_with_the_nearest(one: Situation) -> None:
    with pytest.raises(InputError, match=r"no product '33' \(the nearest is 3\)"):
        why_not(one.tables, ["0", "33"], one)


def test_without_the_data_the_folder_still_tells(one: Situation) -> None:
    answer = explain_bundle(one.tables, "3,1", None, "orders.csv is gone")
    assert answer["dropping"] is None
    assert answer["not_told"] == ["the cost of dropping it: orders.csv is gone"]
    assert answer["gain"]["condition"] > 1
    assert len(answer["levels"]) == len(LEVELS)
    absent = why_not(one.tables, ["0", "1"], None, "orders.csv is gone")
    assert absent["candidate"] is None
    assert absent["not_told"] == [
        "whether it is a candidate, its levels and its cost: orders.csv is gone"
    ]
    assert why_not(one.tables, ["1", "3"], None, "gone")["in_plan"]


def test_what_changed_after_the_plan_was_made_is_noticed(one: Situation) -> None:
    other = replace(one.beliefs, sensitivity_location=1.1 * one.beliefs.sensitivity_location)
    found = changed_since(one.tables, one.instance, other)
    assert found == "what is believed now is not what the plan was made with"


def test_a_folder_of_an_older_version_tells_less(one: Situation, tmp_path: Path) -> None:
    report = {key: value for key, value in one.tables.plan.report.items() if key != "evidence"}
    plan = replace(one.tables.plan, report=report)
    tables = PlanTables(plan, one.tables.scenario, one.tables.products, None, None)
    answer = explain_bundle(tables, "1+3", None, "gone")
    assert answer["levels"] is None
    assert answer["gain"] is None
    assert len(answer["not_told"]) == 4


def test_bundles_are_found_by_id_products_name_and_part_of_a_title(one: Situation) -> None:
    tables = one.tables
    for text in ("1+3", "3+1", "3, 1", "1 & 3", "1 + 3"):
        assert find_bundle(tables, text)["bundle_id"] == "1+3"
    with pytest.raises(InputError, match=r"no bundle '1\+4' \(the nearest is 1\+3, 1 & 3\)"):
        find_bundle(tables, "1+4")


def test_rules_that_bind_and_do_not(tmp_path: Path) -> None:
    rules = [
        AtMostOneOf(kind="at-most-one-of", name="hot", products=("1", "2")),
        AtMostOneOf(kind="at-most-one-of", name="cold", products=("0",)),
    ]
    instance, beliefs = shop_of_sets(
        Q, sensitivity=ETA, max_size=2, levels=LEVELS, visits=VISITS, rules=rules,
        limits=Limits(max_bundles=1),
    )  # fmt: skip
    _, tables = planned(instance, beliefs, tmp_path)
    answer = explain_bundle(tables, "1+3", situation(tables, instance, beliefs))
    names = [rule["name"] for rule in answer["binding_rules"]]
    assert names == ["bundle-count", "product-exposure[1]", "product-exposure[3]", "hot"]


def test_a_plan_is_read_back_with_its_tables(one: Situation) -> None:
    tables = read_plan_tables(one.tables.plan.folder)
    assert tables.groups is not None
    assert tables.groups["buys"].tolist()[0] == ("1", "3")
    assert tables.titles == {"1": "1", "3": "3"}
