"""Offers scored once for several scenarios: the plans are those of scenarios solved alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundlewise.instances import Instance, load_instance, read_scenario, write_seed_case
from bundlewise.instances.rules import Excluded, Locked, MustInclude, Rule
from bundlewise.instances.scenario import Candidates, Discounts
from bundlewise.models import Beliefs, learn
from bundlewise.solver import offer_mask, scorer, solve
from bundlewise.solver.offers import Offers
from bundlewise.solver.prepared import prepare
from bundlewise.solver.scoring import score_offers

from .segment_cases import made_segments
from .set_cases import shop_of_sets
from .test_scoring_accounts import shop


def with_scenario(instance: Instance, **sections: Any) -> Instance:
    return replace(instance, scenario=instance.scenario.model_copy(update=sections))


def same_offers(instance: Instance, beliefs: Beliefs, prepared_for: Instance) -> Offers:
    """The offers of an instance, after checking that those scored before come to the same."""
    alone, shared = offer_mask(instance, beliefs), offer_mask(instance, beliefs)
    expected, counts = score_offers(instance, beliefs, mask=alone)
    prepared = prepare(prepared_for, beliefs)
    prepared.check(instance, beliefs)
    found, counts_shared = score_offers(instance, beliefs, mask=shared, prepared=prepared)
    for field in fields(expected):
        one, other = getattr(expected, field.name), getattr(found, field.name)
        assert np.array_equal(one, other), field.name
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None), field.name
    assert counts_shared == counts
    assert shared.not_set_aside == alone.not_set_aside
    for one, other in zip(alone.set_aside, shared.set_aside, strict=True):
        assert np.array_equal(one.offers.products, other.offers.products)
        assert np.array_equal(one.offers.value, other.offers.value)
        assert one.rejected_by.keys() == other.rejected_by.keys()
    return expected


FORCING: list[Sequence[Rule]] = [
    [],
    [Excluded(kind="excluded", name="out", products=("000", "001"))],
    [MustInclude(kind="must-include", name="in", products=("002", "003"))],  # without support
    [
        MustInclude(kind="must-include", name="in", products=("002", "003")),
        MustInclude(kind="must-include", name="first", products=("000", "002")),
        Locked(kind="locked", name="kept", products=("010", "011"), level=0.1),
    ],
]


def thinly_bought(instance: Instance, beliefs: Beliefs, unsupported: set[tuple[int, int]]) -> Any:
    pairs = list(zip(beliefs.pair_a.tolist(), beliefs.pair_b.tolist(), strict=True))
    orders = [1 if pair in unsupported else 100 for pair in pairs]
    return replace(beliefs, pair_orders=np.array(orders))


@pytest.mark.parametrize("rules", FORCING)
@pytest.mark.parametrize("chunk", [7, 100_000])
def test_pairs_that_rules_force_take_their_place_among_those_scored_before(
    rules: Sequence[Rule], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "CHUNK", chunk)
    instance, beliefs = shop(12)
    ids = {str(name): k for k, name in enumerate(instance.catalogue.product_ids)}
    beliefs = thinly_bought(instance, beliefs, {(ids["002"], ids["003"]), (ids["010"], ids["011"])})
    limits = instance.scenario.limits.model_copy(update={"min_plan_margin": 0.3, "max_bundles": 2})
    asked = with_scenario(instance, rules=tuple(rules), limits=limits)
    offers = same_offers(asked, beliefs, instance)
    assert len(offers)
    wanted = [ids["002"], ids["003"]]
    forced = any(rule.name == "in" for rule in rules)
    assert (offers.products == wanted).all(axis=1).any() == forced


def test_larger_sets_that_rules_force_widen_offers_that_were_pairs() -> None:
    instance, beliefs = shop_of_sets([0.1] * 6, max_size=4, sensitivity=2.0)
    assert beliefs.product_sets is not None
    few = replace(beliefs.product_sets, orders=np.full(len(beliefs.product_sets.orders), 1))
    beliefs = replace(beliefs, product_sets=few)
    rules = [
        MustInclude(kind="must-include", name="three", products=("0", "1", "2")),
        MustInclude(kind="must-include", name="four", products=("0", "2", "3", "5")),
    ]
    assert same_offers(with_scenario(instance, rules=rules[:1]), beliefs, instance).width == 3
    assert same_offers(with_scenario(instance, rules=rules), beliefs, instance).width == 4
    assert same_offers(instance, beliefs, with_scenario(instance, rules=rules)).width == 2


def test_offers_scored_by_segment_are_shown_to_the_same() -> None:
    instance, beliefs = shop(12)
    beliefs = replace(beliefs, segments=made_segments(12, 0.5, factor_spread=0.3))
    target = instance.scenario.segments.model_copy(update={"target": True})
    instance = with_scenario(instance, segments=target)
    rule = MustInclude(kind="must-include", name="in", products=("002", "003"))
    beliefs = thinly_bought(instance, beliefs, {(2, 3)})
    assert same_offers(with_scenario(instance, rules=(rule,)), beliefs, instance).shown_to.any()


def test_what_scores_depend_on_is_checked() -> None:
    instance, beliefs = shop(4)
    prepared = prepare(instance, beliefs)
    limits = instance.scenario.limits.model_copy(update={"max_bundles": 1})
    few = Candidates(max_candidates=2)
    prepared.check(with_scenario(instance, name="other", limits=limits, candidates=few), beliefs)
    dearer = replace(instance.catalogue, unit_cost=instance.catalogue.unit_cost + 1)
    others = [
        (with_scenario(instance, discounts=Discounts(levels=(0.5,))), beliefs, "discounts"),
        (with_scenario(instance, candidates=Candidates(min_support=9)), beliefs, "candidates"),
        (replace(instance, visits=1.0), beliefs, "visits"),
        (replace(instance, catalogue=dearer), beliefs, "costs"),
        (instance, replace(beliefs), "beliefs"),
    ]
    for other, other_beliefs, what in others:
        with pytest.raises(ValueError, match=what):
            prepared.check(other, other_beliefs)
        with pytest.raises(ValueError, match="prepared for another instance"):
            solve(other, other_beliefs, prepared=prepared)


def test_plans_are_the_same_to_the_byte(tmp_path: Path) -> None:
    write_seed_case(tmp_path / "shop")
    instance = load_instance(read_scenario(tmp_path / "shop" / "scenario.toml"))
    beliefs = learn(instance)
    prepared = prepare(instance, beliefs)
    limits = instance.scenario.limits
    ids = [str(name) for name in instance.catalogue.product_ids]
    forced = MustInclude(kind="must-include", name="in", products=(ids[3], ids[77]))
    variants = [
        with_scenario(instance, name="base"),
        with_scenario(instance, limits=limits.model_copy(update={"max_bundles": 3})),
        with_scenario(instance, limits=limits.model_copy(update={"min_plan_margin": 0.32})),
        with_scenario(instance, rules=(*instance.scenario.rules, forced)),
    ]
    kept = set()
    for variant in variants:
        alone = solve(variant, beliefs).files()
        shared = solve(variant, beliefs, prepared=prepared).files()
        for name in alone.keys() - {"plan.json"}:  # which holds seconds
            assert shared[name] == alone[name], name
        kept.add(shared["plan.csv"])
    assert len(kept) > 2
