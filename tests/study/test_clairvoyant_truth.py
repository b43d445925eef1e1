"""What offers truly earn: quadrature against shoppers simulated one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.synthetic import SyntheticShop, make_shop
from bundlewise.instances.synthetic_demand import cut_for
from bundlewise.instances.synthetic_shoppers import simulate_bundles
from bundlewise.instances.synthetic_ties import second_rank, tie_strength
from bundlewise.solver.shares import offer_shares
from numpy.typing import NDArray
from scipy.special import expit, logit

from benchmarks.clairvoyant_substitutes import substituted_gain
from benchmarks.clairvoyant_truth import true_gain, true_shares


def _shop(**fields: object) -> SyntheticShop:
    """Ten common products, five tied pairs."""
    shop = make_shop(3, 10, basket_size=2.5, tied_share=1.0, odds_ratio=(1.5, 8.0), weeks=2)
    return replace(shop, **fields)  # pyright: ignore[reportArgumentType]


def _offers(shop: SyntheticShop) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The tied pairs and two that are not, at 20 % off."""
    apart = np.stack([shop.ties[:2, 0], shop.ties[2:4, 1]], axis=1)
    pairs = np.concatenate([shop.ties, apart])
    return pairs, np.rint(0.2 * shop.reference_price[pairs].sum(axis=1)).astype(np.int64)


def _worths(shop: SyntheticShop, visits: int, seed: int) -> NDArray[np.float64]:
    """(visits, products) willingness to pay, cents."""
    rng = np.random.default_rng(seed)
    rank = rng.random((visits, shop.n_products))
    first, second = shop.ties.T
    q = shop.purchase_probability
    strength = tie_strength(q[first], q[second], shop.odds_ratio, shop.dependence)
    rank[:, second] = second_rank(rank[:, first], rank[:, second], strength, shop.dependence)
    level = expit(logit(q) + shop.trip_spread * rng.normal(size=(visits, 1)))
    cut = cut_for(level, shop.price_sensitivity, rank, shop.curve)
    return shop.reference_price * (1 - cut)


@pytest.mark.parametrize("curve", ["logistic", "probit", "threshold"])
@pytest.mark.parametrize("dependence", ["plackett", "gaussian", "clayton"])
def test_shares_are_those_of_simulated_shoppers(curve: str, dependence: str) -> None:
    """Every row of the economics within 4 standard errors."""
    shop = _shop(curve=curve, dependence=dependence)
    pairs, discount = _offers(shop)
    shares = true_shares(shop, pairs, discount)
    found = simulate_bundles(shop, pairs, discount, 50_000, 5)
    for k, name in enumerate(("subsidised", "adds_b", "adds_a", "both")):
        error = np.maximum(found[f"{name}_se"], 1e-12)
        assert np.abs((shares[:, k] - found[name]) / error).max() < 4


def test_where_the_model_is_right_shares_are_the_projects() -> None:
    """To half a per cent, which is what the project's own quadrature promises."""
    shop = _shop()
    pairs, discount = _offers(shop)
    price = shop.reference_price[pairs].astype(float)
    q, eta = shop.purchase_probability[pairs], shop.price_sensitivity[pairs]
    psi = np.append(shop.odds_ratio, [1.0, 1.0])
    expected = offer_shares(q, psi, eta, price, price, discount.astype(float))
    np.testing.assert_allclose(true_shares(shop, pairs, discount), expected, rtol=5e-3)


@pytest.mark.parametrize("trip_spread", [0.0, 0.8])
def test_a_plan_earns_what_shoppers_bring_who_choose_among_all_its_offers(
    trip_spread: float,
) -> None:
    """Every combination of bundles taken and products bought apart is compared; three bundles."""
    shop = _shop(trip_spread=trip_spread)
    pairs, discount = _offers(shop)
    pairs, discount = pairs[:3], discount[:3]
    worth = _worths(shop, 200_000, 8)
    margin = (shop.reference_price - shop.unit_cost).astype(float)
    surplus = worth - shop.reference_price
    apart = np.maximum(surplus, 0.0)
    best = apart.sum(axis=1)
    gain = np.zeros(len(worth))
    for taken in range(1, 8):
        rows = [k for k in range(3) if taken >> k & 1]
        held = pairs[rows].ravel()
        value = apart.sum(axis=1) - apart[:, held].sum(axis=1)
        value += surplus[:, held].sum(axis=1) + discount[rows].sum()
        earned = ((surplus[:, held] < 0) * margin[held]).sum(axis=1) - discount[rows].sum()
        better = (value > best) & (worth[:, held] >= 0).all(axis=1)
        gain = np.where(better, earned, gain)
        best = np.where(better, value, best)
    error = gain.std() / np.sqrt(len(gain))
    assert abs(gain.mean() - true_gain(shop, pairs, discount).sum()) < 4 * error


def test_what_later_weeks_miss_is_taken_off_added_units() -> None:
    shop = _shop()
    pairs, discount = _offers(shop)
    shares = true_shares(shop, pairs, discount)
    margin = (shop.reference_price - shop.unit_cost)[pairs]
    added = np.stack([shares[:, 2] + shares[:, 3], shares[:, 1] + shares[:, 3]], axis=1)
    lost = true_gain(shop, pairs, discount) - true_gain(shop, pairs, discount, kept=0.7)
    np.testing.assert_allclose(lost, 0.3 * (added * margin).sum(axis=1))


def test_with_substitutes_offers_earn_what_simulated_shoppers_bring() -> None:
    """Groups of three; tied products and their mates in one offer or apart; 4 standard errors."""
    shop = make_shop(5, 9, basket_size=3.0, tied_share=1.0, odds_ratio=(3.0, 8.0), weeks=2)
    shop = replace(shop, substitutes=np.array([0, 0, 0, 1, 1, 1, 2, 2, -1]))
    across = [(0, 3), (1, 4), (2, 8), (5, 6), (0, 1)]
    pairs = np.array(sorted({*across, *(tuple(pair) for pair in shop.ties.tolist())}))
    total = shop.reference_price[pairs].sum(axis=1)
    discount = np.stack([np.rint(total * share) for share in (0.1, 0.25)], axis=1).astype(np.int64)
    found, error = substituted_gain(shop, pairs, discount, 20_000, 4)

    worth = _worths(shop, 200_000, 6)
    surplus = worth - shop.reference_price
    margin = (shop.reference_price - shop.unit_cost).astype(float)
    group = np.where(shop.substitutes < 0, 9, shop.substitutes)
    best, left = np.zeros((len(worth), 10)), np.zeros((len(worth), 10))
    for product in range(9):
        better = surplus[:, product] > best[:, group[product]]
        best[better, group[product]] = surplus[better, product]
        left[better, group[product]] = margin[product]
    for row, (i, j) in enumerate(pairs):
        g, h = group[i], group[j]
        if g == h:
            assert np.all(found[row] == 0)
            continue
        for k in range(2):
            off = discount[row, k]
            takes = (surplus[:, i] + surplus[:, j] + off >= best[:, g] + best[:, h]) & (
                worth[:, [i, j]] >= 0
            ).all(axis=1)
            gain = takes * (margin[i] + margin[j] - off - left[:, g] - left[:, h])
            spread = np.hypot(gain.std() / np.sqrt(len(gain)), error[row, k])
            assert abs(gain.mean() - found[row, k]) < 4 * spread
