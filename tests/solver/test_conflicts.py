"""Conflicts: the set named is infeasible, and dropping any one rule of it is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.errors import ConflictError
from bundlewise.instances.rules import (
    AtMostOneOf,
    CategoryLimit,
    Locked,
    MustInclude,
    NeverTogether,
    Rule,
)
from bundlewise.instances.scenario import Limits
from bundlewise.solver import filters
from bundlewise.solver.build import build_program
from bundlewise.solver.conflict_text import describe_rules
from bundlewise.solver.conflicts import explain_conflict
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.filters import offer_mask
from bundlewise.solver.offers import Offers
from bundlewise.solver.solution import Status

from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario

IDS = ("1", "2", "3", "4", "5", "6")
PAIRS = [(0, 1), (2, 3), (0, 2), (4, 5)]


def conflict_of(
    limits: Limits,
    rules: Sequence[Rule] = (),
    *,
    offers: Offers | None = None,
    maximize: str = "margin",
    stock: Sequence[float] | None = None,
    candidates_cut: int = 0,
) -> ConflictError:
    catalogue = make_catalogue(IDS, category=["a", "a", "b", "b", "c", "c"], stock=stock)
    instance = make_instance(catalogue, make_scenario(limits, rules, maximize=maximize))
    beliefs = make_beliefs(catalogue)
    mask = offer_mask(instance, beliefs)
    scored = make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0]) if offers is None else offers
    left = scored.take(np.flatnonzero(mask(scored)[0]))
    program = build_program(instance, beliefs, left)
    assert solve_program(program, EngineSettings(time_limit=20)).status is Status.INFEASIBLE
    cut = candidates_cut
    return explain_conflict(instance, beliefs, left, program, mask, candidates_cut=cut)


def test_two_rules_on_one_product() -> None:
    error = conflict_of(
        Limits(max_bundles=4, discount_budget=100.0),
        [
            MustInclude(kind="must-include", products=("1", "2")),
            Locked(kind="locked", name="keep 1+3", products=("1", "3"), level=0.1),
            CategoryLimit(kind="category-limit", category="c", max=1),
        ],
    )
    assert set(error.rules) == {"product-exposure", "must-include[1]", "keep 1+3"}
    assert "asks for 1+2" in str(error)
    assert "asks for 1+3 at level 0.1" in str(error)
    assert "limits.max_bundles_per_product = 1" in str(error)
    assert "\n" not in str(error)


def test_more_bundles_than_there_are() -> None:
    error = conflict_of(Limits(max_bundles=9, min_bundles=5))
    assert error.rules == ("bundle-count",)
    assert "limits.min_bundles = 5" in str(error)
    assert "4 bundles could be offered" in str(error)


def test_more_bundles_than_products_allow() -> None:
    error = conflict_of(Limits(max_bundles=9, min_bundles=4))
    assert set(error.rules) == {"bundle-count", "product-exposure"}


def test_affinity_without_enough_pairs() -> None:
    error = conflict_of(
        Limits(max_bundles=4, max_bundles_per_product=1),
        maximize="affinity",
        offers=make_offers(PAIRS, [-1.0] * 4),
    )
    assert set(error.rules) == {"bundle-count", "product-exposure"}
    assert "limits.max_bundles = 4" in str(error)


def test_a_filter_is_named_where_it_took_the_offer_away() -> None:
    offers = make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0], margin_rate=[0.1, 0.3, 0.3, 0.3])
    error = conflict_of(
        Limits(max_bundles=4, min_bundle_margin=0.2),
        [MustInclude(kind="must-include", products=("1", "2"))],
        offers=offers,
    )
    assert set(error.rules) == {"must-include[1]", "bundle-margin"}
    assert "limits.min_bundle_margin = 0.2" in str(error)


def test_two_filters_on_one_offer_each_suffice() -> None:
    # bundle-margin and never-together both reject 1+2: naming both would not be smallest
    offers = make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0], margin_rate=[0.1, 0.3, 0.3, 0.3])
    error = conflict_of(
        Limits(max_bundles=4, min_bundle_margin=0.2),
        [
            MustInclude(kind="must-include", products=("1", "2")),
            NeverTogether(kind="never-together", products=("1", "2")),
        ],
        offers=offers,
    )
    assert len(error.rules) == 2
    assert "must-include[1]" in error.rules


def test_filters_that_leave_too_few_bundles() -> None:
    offers = make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0], margin_rate=[0.1, 0.3, 0.3, 0.3])
    error = conflict_of(Limits(max_bundles=4, min_bundles=3, min_bundle_margin=0.2), offers=offers)
    # without the margin filter 1+2, 3+4, 5+6 would do; with it 3+4 or 1+3, and 5+6
    assert set(error.rules) == {"bundle-count", "product-exposure", "bundle-margin"}


def test_stock_that_one_bundle_exceeds() -> None:
    error = conflict_of(
        Limits(max_bundles=4),
        [MustInclude(kind="must-include", products=("1", "2"))],
        stock=[10.5, np.inf, np.inf, np.inf, np.inf, np.inf],
    )
    assert set(error.rules) == {"must-include[1]", "stock"}


def test_a_bundle_that_was_never_scored() -> None:
    error = conflict_of(
        Limits(max_bundles=4), [MustInclude(kind="must-include", products=("2", "5"))]
    )
    assert error.rules == ("must-include[1]",)
    assert "asks for 2+5, but no offer can be made of them" in str(error)


def test_a_product_that_may_not_be_in_a_bundle_is_named() -> None:
    available = np.array([product != "6" for product in IDS])
    catalogue = replace(make_catalogue(IDS), available=available)
    rule = Locked(kind="locked", name="keep 1+6", products=("1", "6"), level=0.1)
    instance = make_instance(catalogue, make_scenario(Limits(max_bundles=4), [rule]))
    (sentence,) = describe_rules(instance, make_offers(PAIRS, [1.0] * 4), ("keep 1+6",))
    assert "asks for 1+6 at level 0.1, but 6 may not be in a bundle (not active" in sentence


def test_category_and_at_most_one_of() -> None:
    error = conflict_of(
        Limits(max_bundles=4),
        [
            CategoryLimit(kind="category-limit", category="a", min=1),
            CategoryLimit(kind="category-limit", category="c", min=1),
            AtMostOneOf(kind="at-most-one-of", products=("1", "5")),
        ],
    )
    assert set(error.rules) == {"category-limit[1]", "category-limit[2]", "at-most-one-of[1]"}
    assert "at least 1 offers of category 'a' (bundles to choose from: 2)" in str(error)


def test_candidates_that_were_cut_are_part_of_the_explanation() -> None:
    limits = Limits(max_bundles=5, min_bundles=5)
    assert "max_candidates" not in str(conflict_of(limits))
    error = conflict_of(limits, candidates_cut=1234)
    assert "candidates.max_candidates = 200000 cut 1,234 candidates" in str(error)


def test_filtered_offers_beyond_those_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    offers = make_offers(PAIRS, [10.0, 8.0, 7.0, 2.0], margin_rate=[0.1, 0.3, 0.1, 0.1])
    limits = Limits(max_bundles=4, min_bundles=3, min_bundle_margin=0.2)
    assert "not looked at" not in str(conflict_of(limits, offers=offers))
    monkeypatch.setattr(filters, "_REMEMBERED", 1)
    assert "2 more filtered offers were not looked at" in str(conflict_of(limits, offers=offers))
