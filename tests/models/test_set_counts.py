"""Counts of sets of three and four products against counting every set by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from bundlewise.instances.orders import Baskets
from bundlewise.models.set_counts import count_sets
from hypothesis import given, settings
from hypothesis import strategies as st

VISITS = st.lists(st.sets(st.integers(0, 9), max_size=7), max_size=40)


def baskets_of(visits: list[set[int]], n_products: int = 10) -> Baskets:
    product = np.array([p for visit in visits for p in sorted(visit)], dtype=np.int32)
    start = np.append(0, np.cumsum([len(visit) for visit in visits])).astype(np.int64)
    return Baskets(start, product, np.zeros(len(visits), dtype=np.int32), n_products)


def by_hand(visits: list[set[int]], size: int, least: int) -> dict[tuple[int, ...], int]:
    counts: dict[tuple[int, ...], int] = {}
    for visit in visits:
        for held in combinations(sorted(visit), size):
            counts[held] = counts.get(held, 0) + 1
    return {held: count for held, count in counts.items() if count >= least}


@settings(max_examples=60, deadline=None)
@given(visits=VISITS, least=st.integers(1, 3))
def test_every_set_with_enough_visits_is_counted(visits: list[set[int]], least: int) -> None:
    counted = count_sets(baskets_of(visits), least, 4)
    for size, counts in zip((3, 4), counted, strict=True):
        found = {
            tuple(row): int(orders)
            for row, orders in zip(counts.products.tolist(), counts.orders, strict=True)
        }
        assert found == by_hand(visits, size, least)
        assert counts.products.tolist() == sorted(counts.products.tolist())
        assert counts.n_left_out == 0
        assert counts.least_orders == least


def test_only_sizes_asked_for() -> None:
    baskets = baskets_of([{0, 1, 2, 3}] * 2)
    assert [len(counted) for counted in count_sets(baskets, 1, 3)] == [4]
    assert count_sets(baskets, 1, 2) == ()


@pytest.mark.parametrize("most", [1, 5, 40])
def test_what_is_too_much_to_keep_goes_by_its_orders_and_is_counted(most: int) -> None:
    random = np.random.default_rng(0)
    visits = [set(np.flatnonzero(random.random(10) < 0.5).tolist()) for _ in range(200)]
    (counted,) = count_sets(baskets_of(visits), 3, 3, most=most)
    everything = by_hand(visits, 3, 3)
    kept = {held for held, orders in everything.items() if orders >= counted.least_orders}
    assert {tuple(row) for row in counted.products.tolist()} == kept
    assert len(counted) <= most
    assert counted.n_left_out == len(everything) - len(kept)


def test_oversized_visits_are_left_out_as_they_are_of_pairs() -> None:
    baskets = baskets_of([{0, 1, 2}, {0, 1, 2, 3, 4, 5}])
    (counted,) = count_sets(baskets, 1, 3, max_basket=5)
    assert counted.products.tolist() == [[0, 1, 2]]
    assert counted.orders.tolist() == [1]
