"""Synthetic shops: their shoppers behave as the shop's truth says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.instances.synthetic import SyntheticShop, make_shop
from bundlewise.instances.synthetic_files import truth_table, write_shop, write_synthetic
from bundlewise.instances.synthetic_shoppers import (
    simulate_bundles,
    simulate_orders,
)
from bundlewise.instances.synthetic_ties import tied_uniform


def _baskets(shop: SyntheticShop, visits: int, seed: int = 7) -> tuple[np.ndarray, int]:
    """(orders, products) who bought what, and the number of visits."""
    orders = simulate_orders(shop, shop.n_weeks, visits, seed)
    row = orders["order_id"].astype("category").cat.codes.to_numpy()
    column = pd.Index(shop.product_ids).get_indexer(orders["product_id"])
    bought = np.zeros((row.max() + 1, shop.n_products), dtype=bool)
    bought[row, column] = True
    return bought, visits * shop.n_weeks


@pytest.mark.parametrize("odds_ratio", [0.05, 1.0, 1 + 1e-9, 6.0, 1000.0])
def test_tied_uniforms_have_their_odds_ratio(odds_ratio: float) -> None:
    """ψ of the 2×2 table at two cuts, within 3.5 standard errors of its logarithm."""
    rng = np.random.default_rng(3)
    u = rng.random(400_000)
    v = tied_uniform(u, rng.random(400_000), odds_ratio)
    assert v.min() >= 0
    assert v.max() <= 1
    for cut_u, cut_v in ((0.1, 0.2), (0.5, 0.3)):
        table = np.histogram2d(u <= cut_u, v <= cut_v, bins=2)[0]
        found = np.log(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
        error = np.sqrt((1 / table).sum())
        assert abs(found - np.log(odds_ratio)) < 3.5 * error
        assert abs((v <= cut_v).mean() - cut_v) < 3.5 * np.sqrt(cut_v / 400_000)


def test_purchase_rates_are_the_shops() -> None:
    shop = make_shop(2, 40, weeks=5, cut_share=0.0)
    bought, visits = _baskets(shop, 8_000)
    share = bought.sum(axis=0) / visits
    error = np.sqrt(shop.purchase_probability * (1 - shop.purchase_probability) / visits)
    assert np.abs((share - shop.purchase_probability) / error).max() < 4  # of 40


def test_price_cuts_raise_purchases_by_the_sensitivity() -> None:
    """A shop at three quarters of its prices: logit P = logit q + η/4."""
    shop = make_shop(2, 40, weeks=5, cut_share=0.0)
    cut = np.round(shop.reference_price * 0.75).astype(np.int64)
    cheap = replace(shop, weekly_price=np.tile(cut, (5, 1)))
    bought, visits = _baskets(cheap, 8_000)
    share = bought.sum(axis=0) / visits
    odds = shop.purchase_probability / (1 - shop.purchase_probability)
    odds = odds * np.exp(shop.price_sensitivity * (1 - cut / shop.reference_price))
    expected = odds / (1 + odds)
    assert np.abs((share - expected) / np.sqrt(expected * (1 - expected) / visits)).max() < 4


def test_tied_pairs_have_their_odds_ratio_and_no_others() -> None:
    shop = make_shop(4, 30, weeks=5, cut_share=0.0, basket_size=6.0)
    bought, visits = _baskets(shop, 16_000)

    def deviation(first: int, second: int, odds_ratio: float) -> float:
        both = (bought[:, first] & bought[:, second]).sum()
        one, other = bought[:, first].sum() - both, bought[:, second].sum() - both
        neither = visits - both - one - other
        log_ratio = np.log(both * neither / (one * other)) - np.log(odds_ratio)
        return log_ratio / np.sqrt(1 / both + 1 / one + 1 / other + 1 / neither)

    tied = [deviation(i, j, psi) for (i, j), psi in zip(shop.ties, shop.odds_ratio, strict=True)]
    assert np.abs(tied).max() < 4
    partners = {tuple(pair) for pair in shop.ties}
    free = [deviation(i, j, 1.0) for i in range(12) for j in range(i) if (j, i) not in partners]
    assert np.abs(free).max() < 4.2


def test_drift_and_season_vanish_in_the_planned_week() -> None:
    """The shift of the last weeks is small, of the first ones it is as asked for."""
    shop = make_shop(1, 200, weeks=52, drift=1.0, season=0.5)
    assert np.abs(shop.shift[-1]).max() < 0.15
    assert shop.shift[0].std() == pytest.approx(1.0, rel=0.2)
    assert not make_shop(1, 200).shift.any()


def test_trip_size_ties_every_pair() -> None:
    shop = make_shop(1, 30, weeks=3, tied_share=0.0, cut_share=0.0, trip_spread=1.0)
    bought, visits = _baskets(shop, 8_000)
    together = (bought.astype(float).T @ bought) / visits
    share = bought.sum(axis=0) / visits
    lift = (together / np.outer(share, share))[np.triu_indices(30, 1)]
    assert np.median(lift) > 1.5


def test_the_same_seed_gives_the_same_orders() -> None:
    shop = make_shop(1, 20, weeks=3)
    pd.testing.assert_frame_equal(
        simulate_orders(shop, 3, 100, 5), simulate_orders(make_shop(1, 20, weeks=3), 3, 100, 5)
    )
    assert not simulate_orders(shop, 3, 100, 6).equals(simulate_orders(shop, 3, 100, 5))


def test_a_product_in_two_ties_is_refused() -> None:
    shop = make_shop(1, 20)
    with pytest.raises(ValueError, match="two tied pairs"):
        replace(shop, ties=np.array([[0, 1], [1, 2]]), odds_ratio=np.array([2.0, 3.0]))
    with pytest.raises(ValueError, match="weeks is 99"):
        simulate_orders(shop, 99, 10, 1)


def test_bundles_gain_what_whole_shoppers_would_bring() -> None:
    """Against shoppers drawn without any stratum, on a shop with common products."""
    shop = make_shop(3, 10, basket_size=2.5, tied_share=1.0)
    pairs = shop.ties
    discount = np.full(len(pairs), 90)
    found = simulate_bundles(shop, pairs, discount, 100_000, 5)
    rng = np.random.default_rng(9)
    for k, (i, j) in enumerate(pairs):
        u = rng.random(1_000_000)
        v = tied_uniform(u, rng.random(1_000_000), shop.odds_ratio[k])
        q, eta, price = (
            values[[i, j]]
            for values in (shop.purchase_probability, shop.price_sensitivity, shop.reference_price)
        )
        rank = np.stack([u, v], axis=1)
        worth = price * (1 + (np.log(q / (1 - q)) - np.log(rank / (1 - rank))) / eta)
        has = worth >= price
        takes = (worth >= 0).all(axis=1) & (np.maximum(price - worth, 0).sum(axis=1) <= 90)
        margin = (shop.reference_price - shop.unit_cost)[[i, j]]
        gain = takes * ((~has * margin).sum(axis=1) - 90)
        error = np.hypot(gain.std() / 1000, found["gain_se"][k])
        assert abs(gain.mean() - found["gain"][k]) < 4 * error
        for name, who in (("subsidised", has.all(axis=1)), ("both", ~has.any(axis=1))):
            share = (takes & who).mean()
            error = np.hypot(np.sqrt(share / 1e6), found[f"{name}_se"][k])
            assert abs(share - found[name][k]) < 4 * error


def test_a_written_shop_loads_as_an_instance(tmp_path: Path) -> None:
    shop = make_shop(1, 25, weeks=6)
    orders = simulate_orders(shop, 6, 200, 2)
    write_shop(shop, tmp_path, orders, visits=200)
    instance = load_instance(read_scenario(tmp_path / "scenario.toml"))
    assert instance.orders.n_lines == len(orders)
    assert instance.scenario.week == shop.planned_week
    assert instance.visits == 200
    assert instance.catalogue.product_ids.tolist() == shop.product_ids.tolist()
    np.testing.assert_array_equal(instance.catalogue.reference_price, shop.reference_price)
    np.testing.assert_array_equal(instance.catalogue.unit_cost, shop.unit_cost)
    assert instance.catalogue.available.all()
    assert len(instance.quarantine) == 0
    truth = pd.read_csv(tmp_path / "truth.csv", dtype={"product_id": str, "tied_to": str})
    assert truth["product_id"].tolist() == shop.product_ids.tolist()
    np.testing.assert_allclose(truth["price_sensitivity"], shop.price_sensitivity, rtol=1e-5)
    assert (truth_table(shop)["odds_ratio"] != 1).sum() == 2 * len(shop.ties)


def test_the_named_instance_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_synthetic(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == ["orders.csv.gz", "prices.csv", "products.csv", "scenario.toml", "truth.csv"]
    for name in files:
        first, second = ((tmp_path / run / name).read_bytes() for run in ("first", "second"))
        assert first == second
