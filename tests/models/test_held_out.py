"""One split of a history: what is known before it, and nothing of what comes after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from bundlewise.models.all_pairs import all_pairs, dense, position
from bundlewise.models.held_out import HeldOut, hold_out, split_history
from bundlewise.models.product_features import features_of_codes

from .shops import FIRST_WEEK, WEEKS, instance_of, shop, without_weeks_from
from .test_evaluation import orders_of


def held_out_of(visits: list[list[int]], weeks: list[int], split: int, end: int) -> HeldOut:
    n = 1 + max(x for visit in visits for x in visit)
    features = features_of_codes(np.zeros(n, dtype=np.int32), 1)
    return hold_out(orders_of(visits, weeks, n), features, (0, split, end))


def test_products_are_those_bought_before_the_split_most_bought_first():
    visits = [[2, 1], [2], [2, 1, 0], [3, 0], [3]]
    held_out = held_out_of(visits, [0, 1, 2, 3, 4], 3, 4)
    assert held_out.scored.tolist() == [2, 1, 0]  # 3 came later
    assert held_out.train.n_visits == 3
    assert held_out.test.n_visits == 1  # the fifth visit lies after the end
    assert held_out.train_customer.tolist() == [0, 1, 2]


def test_prices_of_the_held_out_weeks_are_not_known():
    orders, split = shop().orders, FIRST_WEEK + 23
    late = (orders.week >= split)[orders.visit]
    dearer = replace(orders, amount=np.where(late, 3 * orders.amount, orders.amount))
    features = features_of_codes(np.zeros(orders.n_products, dtype=np.int32), 1)
    weeks = (FIRST_WEEK, split, FIRST_WEEK + WEEKS)
    first, second = hold_out(orders, features, weeks), hold_out(dearer, features, weeks)
    np.testing.assert_array_equal(first.base_price, second.base_price)
    np.testing.assert_array_equal(
        first.known_features.price, hold_out(orders, features, weeks).base_price
    )


def test_events_name_the_scored_products():
    visits = [[2, 1], [2], [2, 1, 0], [3, 0]]
    orders = orders_of(visits, [0, 1, 2, 3], 4)
    catalogue = shop().catalogue
    events = pd.DataFrame({"product": [2, 3, -1, 1]})
    instance = replace(instance_of(orders, catalogue, 4), events=events)
    features = features_of_codes(np.zeros(4, dtype=np.int32), 1)
    held_out = hold_out(orders, features, (0, 3, 4), instance)
    assert held_out.events is not None
    assert held_out.events["product"].tolist() == [0, -1, -1, 1]
    assert events["product"].tolist() == [2, 3, -1, 1]  # a caller's table is not written into
    assert hold_out(orders, features, (0, 3, 4)).events is None


def test_a_history_that_cannot_be_split_says_why():
    features = features_of_codes(np.zeros(60, dtype=np.int32), 1)
    short = without_weeks_from(shop().orders, FIRST_WEEK + 5)
    assert "5 weeks" in str(split_history(short, features, FIRST_WEEK, FIRST_WEEK + 5))
    quiet = without_weeks_from(shop().orders, FIRST_WEEK + 20)
    found = split_history(quiet, features, FIRST_WEEK, FIRST_WEEK + 40)
    assert found == "nothing was bought in the held-out weeks"
    alone = orders_of([[0]] * 20, list(range(20)), 1)
    one = features_of_codes(np.zeros(1, dtype=np.int32), 1)
    assert "fewer than two" in str(split_history(alone, one, 0, 20))


def test_all_pairs_stand_in_order_with_their_counts():
    visits = [[0, 1], [0, 1], [1, 2], [0, 3], [2, 3]] * 4
    held_out = held_out_of(visits, [week for week in range(10) for _ in range(2)], 8, 10)
    n = held_out.orders.n_products
    pairs = held_out.pairs
    assert len(pairs) == n * (n - 1) // 2
    np.testing.assert_array_equal(position(pairs.first, pairs.second, n), np.arange(len(pairs)))
    counts = dense(pairs.orders, pairs, n)
    members = np.zeros((held_out.train.n_visits, n))
    visit = np.repeat(np.arange(len(members)), np.diff(held_out.train.start))
    members[visit, held_out.train.product] = 1
    together = members.T @ members
    np.testing.assert_array_equal(counts, together - np.diag(np.diagonal(together)))
    again = all_pairs(held_out.affinity, held_out.seen, n)
    np.testing.assert_array_equal(pairs.lift, again.lift)
    assert (pairs.lift > 0).all()
