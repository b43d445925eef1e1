"""Price endings: the nearest price with the ending, ties down, levels merged."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from bundlewise.solver.price_endings import level_prices, nearest_price
from hypothesis import given
from hypothesis import strategies as st

ENDINGS = {"none": (1, 0), "x.x9": (10, 9), ".99": (100, 99), ".95": (100, 95), ".00": (100, 0)}


def prices(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("list_price", "level", "ending", "expected"),
    [
        (990, 0.15, "none", 841),  # 841.5 is a tie
        (1000, 0.05, "none", 950),
        (1000, 0.10, "x.x9", 899),  # 900 is 1 above 899, 9 below 909
        (1000, 0.106, "x.x9", 889),  # 894 is a tie of 889 and 899
        (1000, 0.2, ".99", 799),
        (1000, 0.251, ".99", 699),  # 749 is a tie of 699 and 799
        (1000, 0.25, ".99", 799),
        (1000, 0.25, ".95", 795),
        (1000, 0.25, ".00", 700),  # 750 is a tie
        (1001, 0.25, ".00", 800),  # 750.75 is nearer to 800
        (30, 0.1, ".99", -1),  # there is no such price near: not to be offered
    ],
)
def test_worked_examples(list_price: int, level: float, ending: str, expected: int) -> None:
    assert nearest_price(prices(list_price), level, ending).tolist() == [expected]


@given(
    st.integers(1, 10**9),
    st.integers(1, 999_999).map(lambda k: k / 1_000_000),
    st.sampled_from(sorted(ENDINGS)),
)
def test_nearest_and_ties_down(list_price: int, level: float, ending: str) -> None:
    found = int(nearest_price(prices(list_price), level, ending)[0])
    modulus, remainder = ENDINGS[ending]
    exact = list_price * (1 - Fraction(repr(level)))
    assert found % modulus == remainder
    assert abs(found - exact) <= Fraction(modulus, 2)
    assert found - exact < Fraction(modulus, 2), "a tie must go down"


def test_levels_that_coincide_merge_into_the_deepest() -> None:
    """9.50 becomes 9.99, 9.00 and 8.50 become 8.99; 8.00 becomes 7.99, past the top level."""
    price, mask = level_prices(prices(1000), (0.05, 0.10, 0.15, 0.20), ".99")
    assert price.tolist() == [[999, 0, 899, 0]]
    assert mask.tolist() == [[1, 0, 0b110, 0]]


def test_below_the_top_level_is_not_offered() -> None:
    """7.99 of 10.00 is 20.1 % off: too much where 20 % is the top level, not where 21 % is."""
    price, _ = level_prices(prices(1000), (0.20,), ".99")
    assert price.tolist() == [[0]]
    price, _ = level_prices(prices(1000), (0.20, 0.21), ".99")
    assert price.tolist() == [[0, 799]]


def test_rounding_to_the_cent_never_loses_the_top_level() -> None:
    list_price = np.arange(1, 5_000, dtype=np.int64)
    price, mask = level_prices(list_price, (0.07, 0.333333), "none")
    offered = price[:, 1] > 0
    assert offered[3:].all()
    assert (mask[offered, 1] & np.uint64(2) == 2).all()


def test_no_discount_is_not_an_offer() -> None:
    """5 % off 1.05 is 0.9975, which ends in .00 as 1.00; off 1.00 it is 1.00 again."""
    price, mask = level_prices(prices(105, 100), (0.05,), ".00")
    assert (price.tolist(), mask.tolist()) == ([[100], [0]], [[1], [0]])
    price, mask = level_prices(prices(3), (0.05,), "none")
    assert (price.tolist(), mask.tolist()) == ([[0]], [[0]])


@given(
    st.lists(st.integers(1, 100_000), min_size=1, max_size=5),
    st.lists(st.floats(0.01, 0.9), min_size=1, max_size=8, unique=True).map(sorted),
    st.sampled_from(sorted(ENDINGS)),
)
def test_every_level_is_in_one_offer_at_most(
    list_prices: list[int], levels: list[float], ending: str
) -> None:
    price, mask = level_prices(prices(*list_prices), tuple(levels), ending)
    for row, masks, list_price in zip(price, mask, list_prices, strict=True):
        offered = row > 0
        assert (row[offered] < list_price).all()
        assert (np.diff(row[offered]) < 0).all(), "deeper levels are cheaper"
        assert ((masks > 0) == offered).all()
        bits = [int(value) for value in masks if value]
        assert sum(bits) == int(np.bitwise_or.reduce(masks)), "no level in two offers"
        for level, (value, bit) in enumerate(zip(row, masks, strict=True)):
            if value > 0:
                assert int(bit) >> level == 1, "the deepest level merged is the offer's own"
