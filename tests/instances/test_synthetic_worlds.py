"""Other demand curves, other copulas and substitutes of synthetic shops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.synthetic import SyntheticShop, make_shop
from bundlewise.instances.synthetic_demand import CURVES, cut_for, rank_at
from bundlewise.instances.synthetic_shoppers import simulate_orders
from bundlewise.instances.synthetic_ties import (
    DEPENDENCES,
    joint_below,
    second_rank,
    share_below,
    tie_strength,
)
from scipy.special import logit

Q, ETA = np.array([0.001, 0.03, 0.3]), np.array([0.5, 2.0, 5.0])


@pytest.mark.parametrize("curve", CURVES)
def test_curves_pass_the_purchase_probability_and_rise(curve: str) -> None:
    np.testing.assert_allclose(rank_at(Q, ETA, 0.0, curve), Q, rtol=1e-12)
    cuts = np.linspace(-0.5, 1.0, 31)[:, None]
    assert np.all(np.diff(rank_at(Q, ETA, cuts, curve), axis=0) >= 0)


@pytest.mark.parametrize("curve", CURVES)
def test_cuts_are_the_inverse_of_ranks(curve: str) -> None:
    cuts = np.array([-0.3, -0.01, 0.11, 0.2, 0.8])[:, None]
    found = cut_for(Q, ETA, rank_at(Q, ETA, cuts, curve), curve)
    np.testing.assert_allclose(found, np.broadcast_to(cuts, found.shape), rtol=1e-6)


@pytest.mark.parametrize("curve", ["logistic", "probit"])
def test_the_first_response_is_the_sensitivity(curve: str) -> None:
    step = 1e-5
    slope = (logit(rank_at(Q, ETA, step, curve)) - logit(rank_at(Q, ETA, -step, curve))) / step / 2
    np.testing.assert_allclose(slope, ETA, rtol=1e-6)


def test_small_cuts_go_unnoticed_beyond_a_threshold() -> None:
    np.testing.assert_array_equal(rank_at(Q, ETA, 0.1, "threshold"), rank_at(Q, ETA, 0.0))
    np.testing.assert_allclose(rank_at(Q, ETA, 0.2, "threshold"), rank_at(Q, ETA, 0.2))
    np.testing.assert_allclose(rank_at(Q, ETA, 0.3, "threshold"), rank_at(Q, ETA, 0.4))


@pytest.mark.parametrize("dependence", DEPENDENCES)
@pytest.mark.parametrize("odds_ratio", [0.5, 1.5, 8.0])
def test_ties_have_the_odds_ratio_asked_for(dependence: str, odds_ratio: float) -> None:
    """At the ranks asked for; by simulation too, within 3.5 standard errors of log ψ."""
    if dependence == "clayton" and odds_ratio < 1:
        with pytest.raises(ValueError, match="above 1"):
            tie_strength(np.array([0.1]), np.array([0.2]), np.array([odds_ratio]), dependence)
        return
    a, b = np.array([0.02, 0.1]), np.array([0.2, 0.15])
    strength = tie_strength(a, b, np.full(2, odds_ratio), dependence)
    joint = joint_below(a, b, strength, dependence)
    found = joint * (1 - a - b + joint) / ((a - joint) * (b - joint))
    np.testing.assert_allclose(found, odds_ratio, rtol=1e-4)

    rng = np.random.default_rng(1)
    u = rng.random(400_000)
    v = second_rank(u, rng.random(400_000), strength[1], dependence)
    table = np.histogram2d(u <= a[1], v <= b[1], bins=2)[0]
    seen = np.log(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
    assert abs(seen - np.log(odds_ratio)) < 3.5 * np.sqrt((1 / table).sum())
    for cut in (0.05, 0.5, 0.9):
        assert abs((v <= cut).mean() - cut) < 3.5 * np.sqrt(cut * (1 - cut) / 400_000)


@pytest.mark.parametrize("dependence", DEPENDENCES)
def test_conditional_ranks_invert_conditional_shares(dependence: str) -> None:
    strength = tie_strength(np.array([0.1]), np.array([0.1]), np.array([4.0]), dependence)
    u, t = np.meshgrid([0.01, 0.1, 0.6], [0.05, 0.4, 0.9])
    v = second_rank(u, t, strength, dependence)
    np.testing.assert_allclose(share_below(u, v, strength, dependence), t, rtol=1e-6)


def _held(shop: SyntheticShop, visits: int) -> np.ndarray:
    """(visits, products) who bought what, visits that bought nothing left out."""
    orders = simulate_orders(shop, shop.n_weeks, visits, 3)
    held = np.zeros((int(orders["order_id"].max()) + 1, shop.n_products), dtype=bool)
    row = orders["order_id"].astype(int).to_numpy()
    held[row, [int(name) - 1 for name in orders["product_id"]]] = True
    return held


@pytest.mark.parametrize("curve", ["probit", "threshold"])
def test_orders_follow_the_curve(curve: str) -> None:
    """At 15 % off everywhere: rates within 4 standard errors."""
    shop = make_shop(3, 20, weeks=2, cut_share=0.0, basket_size=2.0)
    cheap = np.tile(np.rint(0.85 * shop.reference_price).astype(np.int64), (2, 1))
    shop = replace(shop, curve=curve, weekly_price=cheap)
    cut = 1 - cheap[0] / shop.reference_price
    expected = rank_at(shop.purchase_probability, shop.price_sensitivity, cut, curve)
    rate = _held(shop, 20_000).sum(axis=0) / 40_000
    assert np.abs((rate - expected) / np.sqrt(expected / 40_000)).max() < 4


def test_a_visit_buys_one_of_its_substitutes_the_one_it_gains_most_from() -> None:
    """Never two of a group; nobody who wants any leaves without; others as before."""
    shop = make_shop(3, 12, weeks=2, cut_share=0.0, basket_size=3.0, tied_share=0.0)
    group = np.repeat([0, 1, -1, -1], 3)
    grouped = replace(shop, substitutes=group)
    held = _held(grouped, 20_000)
    q = shop.purchase_probability
    for number in (0, 1):
        members = group == number
        assert held[:, members].sum(axis=1).max() == 1
        any_of = 1 - np.prod(1 - q[members])
        error = np.sqrt(any_of / 40_000)
        assert abs(held[:, members].any(axis=1).sum() / 40_000 - any_of) < 4 * error
    rate = held[:, 6:].sum(axis=0) / 40_000
    assert np.abs((rate - q[6:]) / np.sqrt(q[6:] / 40_000)).max() < 4


def test_unknown_worlds_are_refused() -> None:
    with pytest.raises(ValueError, match="no curve 'linear'"):
        replace(make_shop(1, 20), curve="linear")
