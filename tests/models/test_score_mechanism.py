"""The held-out test of the mechanism finds the truth that shops are simulated from."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.instances.orders import Orders
from bundlewise.models import movement
from bundlewise.models.copula import joint_probability
from bundlewise.models.movement import Tables, Ties, clustered_errors, compare_movement
from bundlewise.models.product_features import features_of_codes
from bundlewise.models.score_mechanism import score_mechanism
from bundlewise.models.weekly_rates import weekly_rates
from numpy.typing import NDArray

LEARNED, WEEKS, VISITS, PAIRS = 16, 28, 1_500, 12
ODDS_RATIO, LIFT = 5.0, 2.2


def shop(tie: str, seed: int, *, promoted: bool = True) -> Orders:
    """Pairs of products (0, 1), (2, 3), … of which one, in a fifth of the weeks, is a third off
    and sells two and a half times as often; 1,500 visits a week."""
    random = np.random.default_rng(seed)
    base = random.uniform(0.05, 0.13, 2 * PAIRS)
    cut = random.random((WEEKS, 2 * PAIRS)) < (0.2 if promoted else 0.0)
    rates = base * np.where(cut, 2.5, 1.0)
    visit, product = [], []
    for week in range(WEEKS):
        for pair in range(PAIRS):
            u, v = rates[week, 2 * pair], rates[week, 2 * pair + 1]
            joint = joint_probability(u, v, ODDS_RATIO) if tie == "odds ratio" else LIFT * u * v
            bought = random.choice(4, VISITS, p=[joint, u - joint, v - joint, 1 - u - v + joint])
            for side, cases in ((0, (0, 1)), (1, (0, 2))):
                buyers = np.flatnonzero(np.isin(bought, cases)) + week * VISITS
                visit.append(buyers)
                product.append(np.full(len(buyers), 2 * pair + side))
    order = np.argsort(np.concatenate(visit), kind="stable")
    visits = np.concatenate(visit)[order].astype(np.int32)
    products = np.concatenate(product)[order].astype(np.int32)
    week = np.repeat(np.arange(WEEKS), VISITS).astype(np.int32)
    amount = np.where(cut[week[visits], products], 200, 300)
    n = len(visits)
    return Orders(
        visit=visits,
        product=products,
        quantity=np.ones(n),
        amount=amount.astype(np.int64),
        list_amount=np.full(n, -1, dtype=np.int64),
        bundled=np.zeros(n, dtype=bool),
        week=week,
        customer=np.full(len(week), -1, dtype=np.int32),
        store=np.full(len(week), -1, dtype=np.int32),
        n_products=2 * PAIRS,
    )


def mechanism(orders: Orders) -> dict:
    features = features_of_codes(np.zeros(orders.n_products, dtype=np.int32), 1)
    return score_mechanism(orders, features, 0, LEARNED, WEEKS)


@pytest.mark.parametrize("among", ["all", "price_cut"])
def test_the_copula_wins_where_odds_ratios_hold(among: str) -> None:
    found = mechanism(shop("odds ratio", 1))[among]
    assert found["difference"] < -2 * found["standard_error"]
    assert found["better"] == "copula"
    assert found["movement"] == pytest.approx(1.0, abs=3 * found["movement_error"])


@pytest.mark.parametrize("among", ["all", "price_cut"])
def test_the_copula_loses_where_lifts_hold(among: str) -> None:
    found = mechanism(shop("lift", 2))[among]
    assert found["difference"] > 2 * found["standard_error"]
    assert found["better"] == "constant lift"
    assert found["movement"] == pytest.approx(0.0, abs=3 * found["movement_error"])


def test_without_price_cuts_there_is_nothing_to_report_of_them() -> None:
    assert mechanism(shop("lift", 3, promoted=False))["price_cut"] == {"pair_weeks": 0}


def test_pair_weeks_and_price_cuts_are_those_of_the_orders() -> None:
    orders = shop("odds ratio", 4)
    found = mechanism(orders)
    n = orders.n_products
    assert found["weeks"] == WEEKS - LEARNED
    assert found["pairs"] == n * (n - 1) // 2
    assert found["all"]["pair_weeks"] == found["pairs"] * found["weeks"]
    cut = np.zeros((n, WEEKS), dtype=bool)
    cut[orders.product, orders.week[orders.visit]] = orders.amount == 200
    cut = cut[:, LEARNED:]
    either = sum(int((cut[a] | cut[b]).sum()) for a in range(n) for b in range(a))
    assert found["price_cut"]["pair_weeks"] == either


def test_a_history_without_joint_orders_is_skipped() -> None:
    orders = shop("lift", 5)
    features = features_of_codes(np.zeros(orders.n_products, dtype=np.int32), 1)
    assert "skipped" in score_mechanism(orders, features, 0, WEEKS - 1, WEEKS)


@pytest.mark.parametrize("truth", ["odds ratio", "lift"])
def test_rare_pairs_with_weekly_counts_of_a_few_are_judged_without_bias(truth: str) -> None:
    found = rare_pairs(truth, promoted=True)
    expected = 1.0 if truth == "odds ratio" else 0.0
    assert found["movement_error"] < 0.15
    assert found["movement"] == pytest.approx(expected, abs=0.3)
    assert found["better"] == ("copula" if expected else "constant lift")


def test_rates_that_only_chance_moves_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # without promotions the two truths are one: the tables are the same every week
    assert rare_pairs("lift", promoted=False)["better"] == "undecided"
    # at the rates as observed, what chance does to the margins would count for the copula
    monkeypatch.setattr(movement, "weekly_rates", lambda bought, visits: bought / visits)
    assert rare_pairs("lift", promoted=False)["better"] == "copula"


def rare_pairs(truth: str, *, promoted: bool) -> dict:
    """The comparison on 3,000 pairs of rare products; promotions treble rates in a fifth of the
    weeks."""
    random = np.random.default_rng(6)
    pairs, weeks, visits = 3_000, 13, 2_800
    mean = random.uniform(0.003, 0.02, 2 * pairs)
    moved = random.random((2 * pairs, weeks)) < (0.2 if promoted else 0.0)
    rates = mean[:, None] * np.where(moved, 3.0, 1.0)
    u, v = rates[:pairs].T, rates[pairs:].T
    psi = random.uniform(2, 12, pairs)
    level = joint_probability(mean[:pairs], mean[pairs:], psi) / mean[:pairs] / mean[pairs:]
    joint = joint_probability(u, v, psi) if truth == "odds ratio" else level * u * v
    cells = np.stack([joint, u - joint, v - joint, 1 - u - v + joint], axis=-1)
    drawn = random.multinomial(visits, cells).astype(float)
    bought = np.concatenate([(drawn[..., 0] + drawn[..., side]).T for side in (1, 2)])
    some = drawn[..., 0].sum(axis=0) > 0
    ties = Ties(np.arange(pairs), pairs + np.arange(pairs), level, psi).take(some)
    tables = Tables(np.full(weeks, float(visits)), bought, drawn[:, some, 0])
    marked = np.ones((weeks, int(some.sum())), dtype=bool)
    return compare_movement(ties, tables, {"all": marked})["all"]


def test_clustered_errors_add_the_products_of_all_that_belong_together() -> None:
    random = np.random.default_rng(7)
    first, second = np.triu_indices(5, 1)
    ties = Ties(first, second, np.ones(10), np.ones(10))
    centred = random.normal(size=(6, 10)) + random.normal(size=10)
    by_week, either = 0.0, 0.0
    for w in range(6):
        for i in range(10):
            for v in range(6):
                for j in range(10):
                    product = centred[w, i] * centred[v, j]
                    shared = len({first[i], second[i]} & {first[j], second[j]}) > 0
                    by_week += product * (w == v)
                    either += product * (w == v or shared)
    week, two_way = clustered_errors(ties, centred)
    assert week == pytest.approx((by_week * 6 / 5) ** 0.5)
    assert two_way == pytest.approx((either + by_week / 5) ** 0.5)
    assert two_way > week


def test_weekly_rates_shrink_chance_and_keep_promotions() -> None:
    random = np.random.default_rng(8)
    visits = np.full(13, 2_000.0)
    steady: NDArray[np.float64] = np.full((300, 13), 0.005)
    moving = np.full((100, 13), 0.01)
    moving[:, ::4] *= 5
    truth = np.concatenate([steady, moving])
    rates = weekly_rates(random.poisson(truth * visits).astype(float), visits)
    error = np.abs(np.log(rates / truth))
    assert np.median(error[:300]) < 0.1  # chance alone is 0.3 at ten buyers
    assert np.median(error[300:, ::4]) < 0.1
    assert (weekly_rates(np.zeros((1, 13)), visits) == 0).all()
