"""What the filters let through, and what they say of the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from bundlewise.instances.rules import (
    CategoryLimit,
    Excluded,
    Locked,
    MustInclude,
    NeverTogether,
    Rule,
)
from bundlewise.instances.scenario import Limits
from bundlewise.solver.filters import OfferFilter, offer_mask

from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario

IDS = ("1", "2", "3", "4")


def filter_of(
    limits: Limits | None = None,
    rules: Sequence[Rule] = (),
    *,
    maximize: str = "margin",
    **products: Sequence[float],
) -> OfferFilter:
    catalogue = make_catalogue(IDS, category=["a", "a", "b", "b"], **products)  # pyright: ignore[reportArgumentType]
    scenario = make_scenario(limits or Limits(max_bundles=5), rules, maximize=maximize)
    return offer_mask(make_instance(catalogue, scenario), make_beliefs(catalogue))


def test_without_rules_offers_that_gain_stay() -> None:
    keep, counts = filter_of()(make_offers([(0, 1), (0, 2), (0, 3)], [1.0, 0.0, -1.0]))
    assert keep.tolist() == [True, False, False]
    assert counts == {"no-gain": 2}


def test_bundle_margin() -> None:
    offers = make_offers([(0, 1), (0, 2)], [1.0, 1.0], margin_rate=[0.25, 0.2499])
    keep, counts = filter_of(Limits(max_bundles=5, min_bundle_margin=0.25))(offers)
    assert keep.tolist() == [True, False]
    assert counts == {"bundle-margin": 1}


def test_min_price_is_of_the_bundle() -> None:
    # 18.00 against 9.00 + 9.00 and 9.00 + 9.01
    mask = filter_of(min_price=[900, 900, 901, 0])
    keep, counts = mask(make_offers([(0, 1), (0, 2)], [1.0, 1.0]))
    assert keep.tolist() == [True, False]
    assert counts == {"min-price": 1}


def test_stock_filters_what_an_offer_alone_exceeds() -> None:
    # stand-alone demand is 10: 11 leaves 1, 10.5 leaves 0.5, 9 nothing; the last adds none of 4
    mask = filter_of(stock=[11.0, np.inf, 10.5, 9.0])
    added = [[1.0, 1.0], [1.0, 1.0], [1.0, 0.1], [1.0, 0.0]]
    offers = make_offers([(0, 1), (0, 2), (0, 3), (1, 3)], [1.0] * 4, added_units=added)
    keep, counts = mask(offers)
    assert keep.tolist() == [True, False, False, True]
    assert counts == {"stock": 2}


def test_excluded_and_never_together() -> None:
    rules: list[Rule] = [
        Excluded(kind="excluded", products=("2", "1")),
        Excluded(kind="excluded", name="not so deep", products=("1", "3"), level=0.2),
        NeverTogether(kind="never-together", products=("2", "3", "4")),
    ]
    offers = make_offers(
        [(0, 1), (0, 2), (0, 2), (1, 3), (2, 3), (0, 3)],
        [1.0] * 6,
        candidate=[0, 1, 1, 2, 3, 4],
        level=[0, 0, 1, 0, 0, 0],
    )
    keep, counts = filter_of(rules=rules)(offers)
    assert keep.tolist() == [False, True, False, False, False, True]
    assert counts == {
        "rule excluded[1]": 1,
        "rule not so deep": 1,
        "rule never-together[1]": 2,
    }


def test_an_offer_counts_under_the_first_filter_that_removes_it() -> None:
    rule = NeverTogether(kind="never-together", products=("1", "2"))
    mask = filter_of(Limits(max_bundles=5, min_bundle_margin=0.5), [rule])
    assert mask(make_offers([(0, 1)], [1.0]))[1] == {"bundle-margin": 1}


@pytest.mark.parametrize(
    ("limits", "rules", "kept"),
    [
        (Limits(max_bundles=5, min_bundles=1), [], [True, True]),
        (None, [MustInclude(kind="must-include", products=("1", "2"))], [True, False]),
        (None, [Locked(kind="locked", products=("1", "2"), level=0.1)], [True, False]),
        (None, [Locked(kind="locked", products=("1", "2"), level=0.2)], [False, False]),
        (None, [CategoryLimit(kind="category-limit", category="a", min=1)], [True, False]),
        (None, [CategoryLimit(kind="category-limit", category="a", max=1)], [False, False]),
        (Limits(max_bundles=5, min_plan_margin=0.3), [], [True, False]),
    ],
)
def test_losing_offers_stay_where_a_lower_side_could_need_them(
    limits: Limits | None, rules: list[Rule], kept: list[bool]
) -> None:
    offers = make_offers([(0, 1), (2, 3)], [-1.0, -1.0], margin_rate=[0.31, 0.3])
    assert filter_of(limits, rules)(offers)[0].tolist() == kept


def test_affinity_keeps_offers_whatever_their_value() -> None:
    keep, counts = filter_of(maximize="affinity")(make_offers([(0, 1), (2, 3)], [-1.0, -2.0]))
    assert keep.tolist() == [True, True]
    assert counts == {}


def test_filtered_offers_that_a_rule_asks_for_are_set_aside() -> None:
    rule = MustInclude(kind="must-include", products=("1", "2"))
    mask = filter_of(Limits(max_bundles=5, min_bundle_margin=0.5), [rule])
    mask(make_offers([(0, 1), (0, 2)], [1.0, 1.0]))
    (aside,) = mask.set_aside
    assert aside.offers.products.tolist() == [[0, 1]]
    assert {name: rejects.tolist() for name, rejects in aside.rejected_by.items()} == {
        "bundle-margin": [True]
    }


def test_no_offers() -> None:
    none = make_offers([(0, 1)], [1.0]).take(np.zeros(0, dtype=np.int64))
    keep, counts = filter_of(Limits(max_bundles=5, min_bundle_margin=0.5))(none)
    assert keep.tolist() == []
    assert counts == {}
