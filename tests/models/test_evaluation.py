"""Held-out evaluation: scores by hand, and nothing of the test weeks in what is learned."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.orders import Orders
from bundlewise.models.demand import fit_demand
from bundlewise.models.evaluation import evaluate
from bundlewise.models.history import most_bought, only_products
from bundlewise.models.panel import weekly_panel
from bundlewise.models.product_features import features_of_codes
from bundlewise.models.score_demand import score_demand
from bundlewise.models.score_pairs import score_pairs

from .shops import FIRST_WEEK, WEEKS, catalogue_of, instance_of, shop, without_weeks_from
from .simulate import order_lines


def test_scores_stand_beside_their_baselines():
    scores = evaluate(shop())
    assert scores["train_weeks"] == 23
    assert scores["test_weeks"] == 7
    assert scores["products"] == 60
    assert scores["demand"]["learned"] < scores["demand"]["no_price"]
    pairs = scores["pairs"]
    assert pairs["learned"] > pairs["raw_counts"]
    assert pairs["learned"] > pairs["independence"] - 0.015  # the products are independent


def orders_of(visits: list[list[int]], weeks: list[int], n_products: int) -> Orders:
    lines = [(v, x) for v, basket in enumerate(visits) for x in basket]
    n = len(lines)
    return Orders(
        visit=np.array([v for v, _ in lines], dtype=np.int32),
        product=np.array([x for _, x in lines], dtype=np.int32),
        quantity=np.ones(n),
        amount=np.full(n, 100, dtype=np.int64),
        list_amount=np.full(n, -1, dtype=np.int64),
        bundled=np.zeros(n, dtype=bool),
        week=np.array(weeks, dtype=np.int32),
        customer=np.arange(len(visits), dtype=np.int32),
        store=np.full(len(visits), -1, dtype=np.int32),
        n_products=n_products,
    )


def test_pair_baselines_are_those_worked_out_by_hand():
    """Four training visits {0,1}, {0,1}, {0}, {2}; two test visits {0,1}, {0,2}.

    Rates 3/4, 2/4, 1/4. Expected test baskets of (0,1), (0,2), (1,2) under independence:
    0.75, 0.375, 0.25; from raw counts 2(2.01)/4, 2(0.01)/4 twice.
    """
    orders = orders_of([[0, 1], [0, 1], [0], [2], [0, 1], [0, 2]], [1, 2, 3, 4, 5, 5], n_products=3)
    scores = score_pairs(orders, features_of_codes(np.zeros(3, dtype=np.int32), 1), 1, 5, 6)
    independent, raw = np.array([0.75, 0.375, 0.25]), np.array([1.005, 0.005, 0.005])
    y = np.array([1.0, 1.0, 0.0])

    def score(mu: np.ndarray) -> float:
        return float((y * np.log(mu)).sum() - mu.sum()) / 2

    assert scores["independence"] == pytest.approx(score(independent))
    assert scores["raw_counts"] == pytest.approx(score(raw))
    # pairs seen 2, expected 4·(3/8 + 3/16 + 1/8) = 2.75: a lift of 2/2.75 for all
    assert scores["category_lift"] == pytest.approx(score(independent * 2 / 2.75))


def test_demand_without_prices_is_that_worked_out_by_hand():
    """One product, in half of the odd customers' training visits, in 1 of 2 test visits."""
    baskets = [[0], [0], [1], [1]] * 4 + [[0], [0], [1], [1]]
    weeks = [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4
    orders = orders_of(baskets, weeks, n_products=2)
    scores = score_demand(orders, features_of_codes(np.zeros(2, dtype=np.int32), 1), 1, 5, 6)
    assert scores["no_price"] == pytest.approx(0.0)  # y = μ = 1 for both products


def test_nothing_learned_depends_on_the_held_out_weeks():
    orders = shop().orders
    split = FIRST_WEEK + 23
    train = without_weeks_from(orders, split)
    prices = np.full(60, 500.0)
    category = np.zeros(60, dtype=np.int32)
    whole = weekly_panel(orders, FIRST_WEEK, FIRST_WEEK + WEEKS).before(23)
    alone = weekly_panel(train, FIRST_WEEK, split)
    first = fit_demand(whole, prices, category, 1, horizon=7)
    second = fit_demand(alone, prices, category, 1, horizon=7)
    np.testing.assert_array_equal(first.sensitivity.mean, second.sensitivity.mean)
    np.testing.assert_array_equal(first.purchase.probability, second.purchase.probability)
    np.testing.assert_array_equal(whole.usual_price(), alone.usual_price())


def test_test_weeks_change_scores_only_through_what_happened_in_them():
    """Purchases of the scored half in the test weeks move no forecast: the mean deviance of the
    same purchases, repeated, is the same."""
    orders = shop().orders
    category = np.zeros(60, dtype=np.int32)
    weeks = FIRST_WEEK, FIRST_WEEK + 23, FIRST_WEEK + 30
    score = score_demand(orders, features_of_codes(category, 1), *weeks)
    late = (orders.week >= weeks[1])[orders.visit]
    odd = (orders.customer % 2 == 1)[orders.visit]
    dearer = np.where(late & odd, 3 * orders.amount, orders.amount)
    assert (
        score_demand(replace(orders, amount=dearer), features_of_codes(category, 1), *weeks)
        == score
    )


def test_most_bought_counts_baskets_of_the_weeks_asked_for():
    orders = orders_of([[0], [0, 1], [2], [2], [2]], [1, 1, 1, 2, 2], n_products=4)
    assert most_bought(orders, 1, 2, 10).tolist() == [0, 1, 2]
    assert most_bought(orders, 1, 3, 1).tolist() == [2]
    chosen = only_products(orders, np.array([2, 0]))
    assert chosen.product.tolist() == [1, 1, 0, 0, 0]
    assert chosen.n_visits == 5


def test_too_short_a_history_is_an_input_error():
    orders = without_weeks_from(shop().orders, FIRST_WEEK + 5)
    short = instance_of(orders, shop().catalogue, FIRST_WEEK + 5)
    with pytest.raises(InputError, match="5 weeks of orders"):
        evaluate(short)


@pytest.mark.parametrize(
    "case", ["bundles alone", "one of them", "two visits", "one half", "one at first", "everything"]
)
def test_shops_that_leave_little_to_score_have_scores_all_the_same(case: str):
    """Nothing fails, and what is printed is plain JSON."""
    rng = np.random.default_rng(19)
    n, weeks = (2 if case == "two visits" else 6), 20
    q = np.full(n, 0.9999 if case == "everything" else 0.2)
    visits = 1 if case == "two visits" else 40
    orders = order_lines(
        rng, q, np.full(n, 2.0), np.zeros((n, weeks)), np.full(n, 500.0), visits, FIRST_WEEK
    )
    if case == "bundles alone":
        orders = replace(orders, bundled=np.ones_like(orders.bundled))
    elif case == "one of them":
        orders = replace(orders, bundled=orders.product == 0)
    elif case == "one half":
        orders = replace(orders, customer=orders.customer // 2 * 2)
    elif case == "one at first":
        early = orders.week[orders.visit] < FIRST_WEEK + 12
        orders = replace(orders, product=np.where(early, 0, orders.product).astype(np.int32))
    scores = evaluate(instance_of(orders, catalogue_of(n), FIRST_WEEK + weeks))
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
