"""From shares to offers: accounts by hand, the NumPy twin of the kernel, cuts and masks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bundlewise.instances.instance import Instance
from bundlewise.instances.rules import Locked, MustInclude
from bundlewise.instances.scenario import (
    Assumptions,
    Candidates,
    Discounts,
    Limits,
    Objective,
    Scenario,
)
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.copula import joint_probability
from bundlewise.solver.candidates import candidate_pairs
from bundlewise.solver.offers import Offers
from bundlewise.solver.posterior import truncated_normal_nodes
from bundlewise.solver.scoring import score_offers
from bundlewise.solver.scoring_kernel import product_table, score_pairs, terms_of
from numpy.typing import NDArray

from .factories import make_beliefs, make_catalogue, make_instance, make_scenario
from .numpy_scoring import numpy_scores
from .reference_shares import PairCase, reference_shares

OBJECTIVES = ["margin", "revenue", "units", "affinity"]


def scenario(**sections: Any) -> Scenario:
    """The factory's scenario with sections replaced."""
    return make_scenario(Limits(max_bundles=10)).model_copy(update=sections)


def shop(n: int = 12, seed: int = 1, **sections: Any) -> tuple[Instance, Beliefs]:
    """Products of many prices, all pairs counted, with funding and tight price-cut support."""
    random = np.random.default_rng(seed)
    price = np.exp(random.normal(6.2, 0.6, n)).astype(int)
    ids = [f"{k:03d}" for k in range(n)]
    catalogue = replace(
        make_catalogue(ids, category=[f"c{k % 3}" for k in range(n)], price=price.tolist()),
        unit_cost=(price * random.uniform(0.3, 0.8, n)).astype(np.int64),
        supplier_funding=random.integers(0, 20, n),
    )
    first, second = np.triu_indices(n, 1)
    q = np.exp(random.normal(-3.5, 1.0, n)).clip(1e-5, 0.6)
    psi = np.exp(random.normal(1.5, 1.2, len(first)))
    eta = random.uniform(0.5, 6.0, n)
    beliefs = replace(
        make_beliefs(catalogue, purchase_probability=q.tolist()),
        price_sensitivity=eta,
        sensitivity_location=eta,
        sensitivity_scale=random.uniform(0.0, 1.0, n),
        deepest_cut=random.uniform(0.05, 0.4, n),
        pair_a=first.astype(np.int32),
        pair_b=second.astype(np.int32),
        pair_orders=random.integers(5, 50, len(first)),
        pair_joint=joint_probability(q[first], q[second], psi),
        odds_ratio=psi,
        odds_spread=np.full(len(first), 0.2),
    )
    return make_instance(catalogue, scenario(**sections), visits=5_000.0), beliefs


@pytest.mark.parametrize("maximize", OBJECTIVES)
@pytest.mark.parametrize("n_nodes", [1, 4])
def test_agrees_with_numpy(maximize: Any, n_nodes: int) -> None:
    instance, beliefs = shop(
        40,
        objective=Objective(maximize=maximize),
        assumptions=Assumptions(
            tax_rate=0.08, exposure=0.6, redemption="automatic", offer_cost=1.5, diversion=0.3
        ),
    )
    pairs, _ = candidate_pairs(instance, beliefs)
    price = instance.catalogue.reference_price
    total = price[pairs.first] + price[pairs.second]
    discount = (total[:, None] * np.arange(0.0, 0.5, 0.05)).astype(np.int64)
    arguments = (pairs, discount, product_table(instance, beliefs, n_nodes), terms_of(instance))
    found, expected = score_pairs(*arguments), numpy_scores(*arguments)
    assert (found.capped == expected.capped).all()
    assert found.capped.any()
    assert not found.capped.all()
    # incomes and expenses cancel in a margin, so its error is relative to what flows
    flow = expected.bundle_units * total[:, None]
    for name in found._fields:
        scale = flow if name in ("value", "incremental_margin") else getattr(expected, name)
        difference = np.abs(getattr(found, name) * 1.0 - getattr(expected, name))
        assert (difference <= 1e-10 * np.abs(scale)).all(), name


def two_products(**sections: Any) -> tuple[Instance, Beliefs]:
    """ "0" at 10.00 costing 4.00, "1" at 6.00 costing 3.00; q 0.1 and 0.05, ψ 3, η known."""
    catalogue = replace(
        make_catalogue(["0", "1"], category=["c", "c"], price=[1000, 600]),
        unit_cost=np.array([400, 300]),
        supplier_funding=np.array([10, 5]),
    )
    beliefs = replace(
        make_beliefs(catalogue, purchase_probability=[0.1, 0.05]),
        price_sensitivity=np.array([3.0, 4.0]),
        sensitivity_location=np.array([3.0, 4.0]),
        sensitivity_scale=np.zeros(2),
        deepest_cut=np.array([0.9, 0.9]),
        pair_a=np.array([0], dtype=np.int32),
        pair_b=np.array([1], dtype=np.int32),
        pair_orders=np.array([9]),
        pair_joint=np.array([joint_probability(0.1, 0.05, 3.0)]),
        odds_ratio=np.array([3.0]),
        odds_spread=np.array([0.1]),
    )
    sections = {"discounts": Discounts(levels=(0.1, 0.25)), **sections}
    return make_instance(catalogue, scenario(**sections), visits=2_000.0), beliefs


def keep_all(offers: Offers) -> tuple[NDArray[np.bool_], dict[str, int]]:
    return np.ones(len(offers), dtype=bool), {}


@pytest.mark.parametrize("redemption", ["seen", "automatic"])
def test_accounts_by_hand(redemption: Any) -> None:
    """16.00 at 25 % off: D = 4.00; every figure from the four shares."""
    assumptions = Assumptions(
        tax_rate=0.2, exposure=0.5, redemption=redemption, offer_cost=2.0, diversion=0.25
    )
    offers, _ = score_offers(*two_products(assumptions=assumptions), mask=keep_all)
    joint, adds2, adds1, both = reference_shares(
        PairCase((0.1, 0.05), (3.0, 4.0), 3.0, (1000.0, 600.0), 400.0)
    )
    # 2,000 visits, half of which see the offer; the till knows no exposure
    subsidised = (2_000 if redemption == "automatic" else 1_000) * joint
    added = [1_000 * (adds1 + both), 1_000 * (adds2 + both)]
    bundles = subsidised + 1_000 * (adds1 + adds2 + both)
    # net prices 833.33 and 500; margins 433.33 and 200, mean 316.67, of which a quarter is lost
    mean = (1000 / 1.2 - 400 + 600 / 1.2 - 300) / 2
    gain = [1000 / 1.2 - 400 - 0.25 * mean, 600 / 1.2 - 300 - 0.25 * mean]
    margin = added[0] * gain[0] + added[1] * gain[1] + bundles * (15 - 400 / 1.2) - 200
    assert (offers.level[1], offers.bundle_price[1], offers.list_price[1]) == (1, 1200, 1600)
    assert offers.level_mask.tolist() == [1, 2]
    assert offers.incremental_margin[1] == pytest.approx(margin, rel=1e-4)
    assert offers.value[1] == offers.incremental_margin[1]
    assert offers.bundle_units[1] == pytest.approx(bundles, rel=1e-6)
    assert offers.subsidised_units[1] == pytest.approx(subsidised, rel=1e-12)
    assert offers.added_units[1] == pytest.approx(added, rel=1e-6)
    # a bundle brings 1,000 net, costs 700 and 15 come from suppliers
    assert offers.margin_rate[1] == pytest.approx((1000 - 700 + 15) / 1000)
    assert not offers.capped.any()


def test_objectives_by_hand() -> None:
    by_margin, _ = score_offers(*two_products(), mask=keep_all)
    by_revenue, _ = score_offers(
        *two_products(objective=Objective(maximize="revenue")), mask=keep_all
    )
    by_units, _ = score_offers(*two_products(objective=Objective(maximize="units")), mask=keep_all)
    affinity, _ = score_offers(*two_products(objective=Objective(maximize="affinity")))
    discount = by_margin.list_price - by_margin.bundle_price
    revenue = by_margin.added_units @ [1000, 600] - discount * by_margin.bundle_units
    assert by_revenue.value == pytest.approx(revenue)
    assert by_units.value == pytest.approx(by_margin.added_units.sum(axis=1))
    assert by_units.incremental_margin == pytest.approx(by_margin.incremental_margin)
    # affinity: the smallest level only, and −p_i p_j log J is the loss
    assert affinity.level.tolist() == [0]
    expected = 0.1 * 0.05 * np.log(joint_probability(0.1, 0.05, 3.0))
    assert affinity.value == pytest.approx([expected])


def test_the_smaller_of_capped_and_uncapped_counts() -> None:
    instance, beliefs = shop(15)
    free = replace(beliefs, deepest_cut=np.ones(15))
    capped, counts = score_offers(instance, beliefs, mask=keep_all)
    uncapped, _ = score_offers(instance, free, mask=keep_all)
    assert counts["offers capped"] == capped.capped.sum() > 0
    assert not uncapped.capped.any()
    assert (capped.value <= uncapped.value + 1e-9).all()
    same = ~capped.capped
    assert (capped.value[same] == uncapped.value[same]).all()
    price = instance.catalogue.reference_price[capped.products]
    discount = capped.list_price - capped.bundle_price
    within = (discount[:, None] <= beliefs.deepest_cut[capped.products] * price).all(axis=1)
    assert not capped.capped[within].any()


def test_without_discount_support_a_discount_only_costs() -> None:
    """deepest_cut = 0: nobody is credited with reacting, so everything off is subsidy."""
    instance, beliefs = two_products()
    offers, _ = score_offers(instance, replace(beliefs, deepest_cut=np.zeros(2)), mask=keep_all)
    assert offers.capped.all()
    assert (offers.added_units == 0.0).all()
    assert offers.bundle_units == pytest.approx(offers.subsidised_units, rel=1e-15)
    assert (offers.value < 0.0).all()


def test_a_bundle_no_dearer_than_one_product_is_not_made() -> None:
    instance, beliefs = two_products(discounts=Discounts(levels=(0.35, 0.375, 0.4)))
    offers, counts = score_offers(instance, beliefs, mask=keep_all)
    # 16.00 less 37.5 % is 10.00, the price of the first product
    assert offers.bundle_price.tolist() == [1040]
    assert counts["offers below one price"] == 2


def test_only_gains_are_kept_without_a_mask() -> None:
    instance, beliefs = shop(15)
    everything, _ = score_offers(instance, beliefs, mask=keep_all)
    offers, counts = score_offers(instance, beliefs)
    assert (offers.value > 0.0).all()
    assert len(offers) == (everything.value > 0.0).sum()
    assert counts["value"] == len(everything) - len(offers)
    assert counts["offers scored"] == len(everything)


def test_the_mask_decides_and_its_counts_are_handed_up() -> None:
    instance, beliefs = shop(15)

    def deep(offers: Offers) -> tuple[NDArray[np.bool_], dict[str, int]]:
        keep = offers.level == 1
        return keep, {"too shallow": int((~keep).sum())}

    offers, counts = score_offers(instance, beliefs, mask=deep)
    assert set(offers.level.tolist()) == {1}
    assert counts["too shallow"] == counts["offers scored"] - len(offers)


def test_numbering_and_order() -> None:
    instance, beliefs = shop(15)
    offers, counts = score_offers(instance, beliefs)
    assert (np.diff(offers.candidate) >= 0).all()
    assert np.unique(offers.candidate).tolist() == list(range(offers.n_candidates))
    assert offers.n_scored == counts["candidates"] == 105
    assert (offers.products[:, 0] < offers.products[:, 1]).all()
    again = np.diff(offers.candidate) == 0
    assert (np.diff(offers.level.astype(int))[again] > 0).all()
    assert (np.diff(offers.products[:, 0])[again] == 0).all()


def test_cut_keeps_the_best_candidates_and_the_forced_ones() -> None:
    everything, _ = score_offers(*shop(15), mask=keep_all)
    best = np.full(everything.n_candidates, -np.inf)
    np.maximum.at(best, everything.candidate, everything.value)
    rank = np.argsort(-best)
    pair_of = {
        int(c): tuple(p) for c, p in zip(everything.candidate, everything.products, strict=True)
    }
    worst = pair_of[int(rank[-1])]
    rules = (MustInclude(kind="must-include", products=tuple(f"{k:03d}" for k in worst)),)
    instance, beliefs = shop(15, candidates=Candidates(max_candidates=10), rules=rules)
    offers, counts = score_offers(instance, beliefs, mask=keep_all)
    kept = {tuple(pair) for pair in offers.products.tolist()}
    assert counts["candidates cut"] == 95
    assert offers.n_candidates == 10
    assert kept == {tuple(int(x) for x in pair_of[int(c)]) for c in rank[:9]} | {
        tuple(int(x) for x in worst)
    }
    assert np.unique(offers.candidate).tolist() == list(range(10))


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, counts = score_offers(*shop(15))
    monkeypatch.setattr("bundlewise.solver.scorer.CHUNK", 7)
    pieces, counts_again = score_offers(*shop(15))
    assert counts == counts_again
    for name in Offers.__slots__:
        assert np.array_equal(getattr(whole, name), getattr(pieces, name)), name


def test_no_candidates_no_offers() -> None:
    instance, beliefs = two_products(candidates=Candidates(min_support=10))
    offers, counts = score_offers(instance, beliefs)
    assert (len(offers), offers.n_candidates, offers.n_scored) == (0, 0, 0)
    assert counts["support"] == 1


def test_expectation_over_the_sensitivity() -> None:
    """The margin is the mean of the margins over the posterior, not that of the mean."""
    instance, beliefs = two_products()
    wide = replace(beliefs, sensitivity_scale=np.array([1.0, 0.7]))
    offers, _ = score_offers(instance, wide, mask=keep_all)
    rule = [
        truncated_normal_nodes(*np.array([[mean], [spread], [10.0]]), 8)
        for mean, spread in ((3.0, 1.0), (4.0, 0.7))
    ]
    total = 0.0
    for eta1, w1 in zip(rule[0][0][0], rule[0][1][0], strict=True):
        for eta2, w2 in zip(rule[1][0][0], rule[1][1][0], strict=True):
            at = replace(beliefs, sensitivity_location=np.array([eta1, eta2]))
            total += w1 * w2 * score_offers(instance, at, mask=keep_all)[0].value[1]
    assert offers.value[1] == pytest.approx(total, rel=1e-3)
    at_the_mean = score_offers(instance, beliefs, mask=keep_all)[0].value[1]
    assert offers.value[1] > at_the_mean * 1.02


def test_locked_pairs_are_forced_too() -> None:
    instance, beliefs = two_products(
        candidates=Candidates(min_support=10),
        rules=(Locked(kind="locked", products=("1", "0"), level=0.25),),
    )
    offers, _ = score_offers(instance, beliefs, mask=keep_all)
    assert offers.products.tolist() == [[0, 1], [0, 1]]
