"""Pair counting against a plain double loop."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from bundlewise.instances.orders import Baskets
from bundlewise.models import pair_counts
from bundlewise.models.pair_counts import count_pairs
from hypothesis import given, settings
from hypothesis import strategies as st

VISITS = st.lists(st.sets(st.integers(0, 14), max_size=9), max_size=60)


def baskets_of(visits: list[set[int]], n_products: int = 15) -> Baskets:
    start = np.cumsum([0, *(len(visit) for visit in visits)]).astype(np.int64)
    product = np.array([k for visit in visits for k in sorted(visit)], dtype=np.int32)
    return Baskets(start, product, np.zeros(len(visits), dtype=np.int32), n_products)


def counted_plainly(
    visits: list[set[int]], min_orders: int, max_basket: int = 500
) -> list[tuple[int, int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    for visit in visits:
        if len(visit) <= max_basket:
            counts.update(combinations(sorted(visit), 2))
    return sorted((a, b, n) for (a, b), n in counts.items() if n >= min_orders)


def triples(counts: pair_counts.PairCounts) -> list[tuple[int, int, int]]:
    columns = (counts.first, counts.second, counts.orders)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(VISITS, st.integers(1, 4), st.integers(2, 9))
@settings(deadline=None)
def test_same_pairs_and_counts_as_a_double_loop(
    visits: list[set[int]], min_orders: int, max_basket: int
) -> None:
    counts = count_pairs(baskets_of(visits), min_orders, max_basket=max_basket)
    assert triples(counts) == counted_plainly(visits, min_orders, max_basket)
    assert counts.n_oversized == sum(len(visit) > max_basket for visit in visits)
    assert counts.n_visits == len(visits) - counts.n_oversized


@pytest.mark.parametrize("block_pairs", [1, 50, 4_000_000])
def test_blocks_do_not_change_the_answer(block_pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little may be held at once, nothing is lost where one block ends."""
    monkeypatch.setattr(pair_counts, "_BLOCK_PAIRS", block_pairs)
    generator = np.random.default_rng(5)
    popularity = 1.0 / np.arange(1, 201)
    visits = [
        set(generator.choice(200, size, replace=False, p=popularity / popularity.sum()).tolist())
        for size in generator.integers(0, 25, 2_000)
    ]
    for min_orders in (1, 3):
        counts = count_pairs(baskets_of(visits, 200), min_orders)
        assert triples(counts) == counted_plainly(visits, min_orders)


def test_a_huge_visit_is_left_out_and_counted() -> None:
    visits = [{0, 1}, {0, 1}, set(range(4)), {0, 1, 2}]
    counts = count_pairs(baskets_of(visits), 2, max_basket=3)
    assert triples(counts) == [(0, 1, 3)]
    assert (counts.n_oversized, counts.max_basket, counts.n_visits) == (1, 3, 3)


def test_no_visits_no_pairs() -> None:
    counts = count_pairs(baskets_of([]), 1)
    assert len(counts) == 0
    assert counts.first.dtype == np.int32
    assert counts.orders.dtype == np.int64


def test_a_threshold_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="min_orders is 0"):
        count_pairs(baskets_of([{0, 1}]), 0)
