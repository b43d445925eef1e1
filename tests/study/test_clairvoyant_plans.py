"""The study's planner, its rankings, its true posterior and its tables."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from bundlewise.instances.orders import Orders
from bundlewise.instances.synthetic_shoppers import simulate_orders
from scipy.special import expit, logit

from benchmarks import clairvoyant_posterior as posterior_module
from benchmarks.clairvoyant_choice import best_plan, discounts, first_disjoint
from benchmarks.clairvoyant_posterior import true_posterior
from benchmarks.clairvoyant_rankings import _any_two_gain, ranked_plans
from benchmarks.clairvoyant_report import interval, report
from benchmarks.clairvoyant_shops import SUBSTITUTES, WORLDS, StudyShop, study_shop


def test_the_best_plan_is_the_best_of_all_plans() -> None:
    rng = np.random.default_rng(1)
    pairs = np.array(list(combinations(range(7), 2)))
    value = rng.normal(1.0, 2.0, (len(pairs), 2))
    off = np.ones((len(pairs), 2), dtype=np.int64)
    off[::5, 1] = 0  # not offered, however good
    value[::5, 1] = 99.0
    usable = np.where(off > 0, value, -np.inf).max(axis=1)
    best = max(
        sum(usable[list(rows)])
        for size in range(3)
        for rows in combinations(range(len(pairs)), size)
        if len(np.unique(pairs[list(rows)])) == 2 * size
    )
    plan = best_plan(pairs, off, value, 2)
    keys = [int(np.flatnonzero((pairs == pair).all(axis=1))[0]) for pair in plan.pairs]
    assert sum(usable[keys]) == pytest.approx(best, rel=1e-3)
    assert len(best_plan(pairs, off, -np.abs(value), 2)) == 0


def test_a_bundle_costs_more_than_each_of_its_products() -> None:
    """Prices 100 and 900, 5 and 15 % off 1,000: 950 is a bundle, 850 is not."""
    off = discounts(np.array([100, 900]), np.array([[0, 1]]), (0.05, 0.15))
    np.testing.assert_array_equal(off, [[50, 0]])


def test_rankings_take_disjoint_pairs_in_order() -> None:
    pairs = np.array([[0, 1], [1, 2], [2, 3], [4, 5]])
    np.testing.assert_array_equal(first_disjoint(pairs, np.array([1, 0, 2, 3]), 5), [1, 3])
    np.testing.assert_array_equal(first_disjoint(pairs, np.array([0, 1, 2, 3]), 2), [0, 2])
    joint = np.array([100, 90, 30, 8])
    orders = np.array([1000, 1000, 50, 40, 20, 10])
    plans = ranked_plans(joint, orders, pairs, 1)
    np.testing.assert_array_equal(plans["co-purchase"][0], [0, 2, 3])
    np.testing.assert_array_equal(plans["lift"][0], [3, 2, 0])  # 8/200, 30/2000, 100/10⁶
    np.testing.assert_array_equal(plans["lift"][1][:2], [2, 0])  # at least 20 joint orders


def test_any_two_products_go_to_who_saves_by_them() -> None:
    """At 10 % off 100 and 200: saved 10 − s and 20 − s.

    Buys both: gives 30 away. Lacks the second by 15: adds it, 60 − 30. Lacks both by 25 in all:
    takes them, 90 − 30. Lacks the second by 35: nothing.
    """
    short = np.array([[0, 0, np.inf], [0, 15, np.inf], [5, 20, np.inf], [0, 35, np.inf]])
    gain = _any_two_gain(np.array([100, 200, 300]), np.array([30.0, 60.0, 90.0]), short, 0.10)
    np.testing.assert_allclose(gain, [-30, 30, 60, 0])


def _small(monkeypatch: pytest.MonkeyPatch) -> tuple[StudyShop, Orders]:
    """Sixty of a shop's products, most of them in a tie, and their orders."""
    study = study_shop("thin", 1)
    shop, keep, weeks = study.shop, 60, 30
    rng = np.random.default_rng(4)
    q = rng.lognormal(np.log(5 / keep) - 0.9**2 / 2, 0.9, keep).clip(max=0.4)
    ties = rng.permutation(keep)[:48].reshape(-1, 2)
    ties.sort(axis=1)
    arrays = ("product_ids", "title", "category", "department", "brand", "price_sensitivity")
    prices = ("reference_price", "unit_cost")
    shop = replace(
        shop,
        **{name: getattr(shop, name)[:keep] for name in arrays + prices},
        purchase_probability=q,
        ties=ties,
        odds_ratio=np.exp(rng.uniform(np.log(0.5), np.log(8), len(ties))),
        weekly_price=shop.weekly_price[-weeks:, :keep],
        shift=shop.shift[-weeks:, :keep],
    )
    study = replace(study, shop=shop, visits=1_500)
    monkeypatch.setattr(posterior_module, "TIED_SHARE", 0.8)
    lines = simulate_orders(shop, weeks, study.visits, 9)
    order = lines["order_id"].astype(int).to_numpy() - 1
    week = np.array([np.datetime64(moment[:10]) for moment in lines["ordered_at"]])
    first = np.append(True, order[1:] != order[:-1])
    number = (week[first] - week[0]).astype(int) // 7 + shop.first_week
    n = len(lines)
    return study, Orders(
        visit=order.astype(np.int32),
        product=np.array([int(name) - 1 for name in lines["product_id"]], dtype=np.int32),
        quantity=np.ones(n),
        amount=np.ones(n, dtype=np.int64),
        list_amount=np.full(n, -1, dtype=np.int64),
        bundled=np.zeros(n, dtype=bool),
        week=number.astype(np.int32),
        customer=np.zeros(first.sum(), dtype=np.int32),
        store=np.full(first.sum(), -1, dtype=np.int32),
        n_products=keep,
    )


def test_the_true_posterior_is_as_wide_as_it_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """η: mean square error over variance is near 1; q and ψ are near, ties mostly right.

    Six bins' means understate a variance by a few per cent; sixty products make the mean of
    squares uncertain by a fifth.
    """
    study, orders = _small(monkeypatch)
    posterior = true_posterior(study, orders)
    eta = posterior.sensitivity
    score = (study.shop.price_sensitivity - eta.mean(axis=1)) ** 2 / eta.var(axis=1)
    assert 0.5 < score.mean() < 1.8
    q = posterior.probability.mean(axis=1)
    truth = study.shop.purchase_probability
    sold = truth * study.visits * study.shop.n_weeks
    assert np.mean((np.log(q / truth)) ** 2 * sold) < 2.5  # a little above Poisson's 1: η joins in

    a, b = study.shop.ties.T
    tied = posterior.tied
    np.testing.assert_allclose(tied, tied.T, atol=1e-6)
    assert np.all(tied.sum(axis=1) < 1.01)  # of the ties of a product, one at most
    assert tied[a, b].sum() + 0.5 > 0.5 * len(a)
    untied = np.triu(np.ones_like(tied, dtype=bool), 1)
    untied[a, b] = False
    assert tied[untied].sum() < 0.35 * len(a)
    sure = tied[a, b] > 0.95
    assert sure.sum() >= 5
    miss = np.log(study.shop.odds_ratio / posterior.odds_ratio[a, b].mean(axis=1))[sure]
    assert np.sqrt(np.mean(miss**2)) < 0.25


def test_worlds_differ_in_what_they_say_and_in_nothing_else() -> None:
    right = study_shop("right", 2)
    for world in WORLDS:
        other = study_shop(world, 2)
        np.testing.assert_array_equal(right.shop.reference_price, other.shop.reference_price)
        np.testing.assert_array_equal(right.shop.price_sensitivity, other.shop.price_sensitivity)
        np.testing.assert_array_equal(right.shop.weekly_price, other.shop.weekly_price)
    shop = study_shop("substitutes", 2).shop
    assert shop.substitutes is not None
    sizes = np.bincount(shop.substitutes[shop.substitutes >= 0])
    assert np.all(sizes == SUBSTITUTES)
    for members in (shop.substitutes == number for number in range(len(sizes))):
        assert len(set(shop.category[members])) == 1


def test_after_a_promotion_the_share_pulled_forward_is_missing() -> None:
    """Purchases of a week without a cut: q less 30 % of what the week before added."""
    study = study_shop("stockpiling", 2)
    shop = study.shop
    cut = 1 - shop.weekly_price / shop.reference_price
    week, product = np.argwhere((cut[:-1] > 0.15) & (cut[1:] == 0))[0]
    q, eta = shop.purchase_probability[product], shop.price_sensitivity[product]
    added = expit(logit(q) + eta * cut[week, product]) - q
    after = expit(logit(q) + shop.shift[week + 1, product])
    assert after == pytest.approx(q - 0.3 * added)
    assert study.kept == pytest.approx(0.7)


def test_tables_say_mean_and_interval() -> None:
    """Two shops at 0.9 and 1.0: 0.95 ± 12.706·0.05 (Student, one degree of freedom)."""
    mean, width = interval([0.9, 1.0])
    assert (mean, width) == (pytest.approx(0.95), pytest.approx(12.7062 * 0.05, rel=1e-4))
    names = ("told", "learned", "clairvoyant", "posterior", "mean", "uncapped", "quantile", "floor")
    names += ("half", "co-purchase", "lift", "random", "any two", "one level", "q", "η", "ψ")
    one = {
        "world": "right", "seed": 1, "visits": 2_000, "weeks": 45, "baskets": 9, "lines": 9,
        "candidates": 9, "reliability": 0.8, "promised": 110.0, "promised_low": 90.0,
        "promised_high": 130.0, "others_promised": {"told": 101.0, "uncapped": 105.0},
        "losing": 0.04,
        "plans": dict.fromkeys((*names, "q, η, ψ", "q, η, ψ, no cap"), 100.0),
    }  # fmt: skip
    text = report([one, one, one])
    row = "| the model is right | 100.0% ± 0.0% | 110.0% ± 0.0% | +10.0% | 10.0% "
    assert row + "| +1.0% | +5.0% | 100% |" in text
