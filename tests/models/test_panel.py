"""The weekly panel and what the data support."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bundlewise.instances.orders import Orders
from bundlewise.models.panel import base_prices, weekly_panel
from bundlewise.models.price_support import deepest_cuts, usual_quantities


def orders() -> Orders:
    """Customer 0 in weeks 1 and 2, customer 1 in week 1; product 1 only ever in a bundle."""
    return Orders(
        visit=np.array([0, 0, 1, 2, 2], dtype=np.int32),
        product=np.array([0, 0, 0, 0, 1], dtype=np.int32),
        quantity=np.array([1.0, 3.0, 2.0, 1.0, 1.0]),
        amount=np.array([90, 270, 220, 80, 50]),
        list_amount=np.full(5, -1),
        bundled=np.array([False, False, False, False, True]),
        week=np.array([1, 1, 2], dtype=np.int32),
        customer=np.array([0, 1, 0], dtype=np.int32),
        store=np.full(3, -1, dtype=np.int32),
        n_products=3,
    )


def test_the_panel_counts_baskets_and_averages_prices_by_half():
    panel = weekly_panel(orders(), 1, 3)
    assert panel.visits.tolist() == [[1, 1], [1, 0]]
    assert panel.start.tolist() == [0, 2, 3, 3]
    assert panel.week.tolist() == [0, 1, 1]
    assert panel.baskets.tolist() == [[1, 1], [1, 0], [1, 0]]
    np.testing.assert_allclose(panel.price, [[90, 110], [80, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(panel.usual_price(), [90, np.nan, np.nan])
    np.testing.assert_allclose(base_prices(np.array([-1, 70, -1]), panel), [90, 70, np.nan])


def test_cutting_a_panel_is_like_never_having_seen_the_rest():
    whole, early = weekly_panel(orders(), 1, 3).before(1), weekly_panel(orders(), 1, 2)
    for name in ("visits", "start", "week", "baskets", "price"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(early, name))


def many(cuts: np.ndarray, product: np.ndarray, n_products: int) -> Orders:
    n = len(cuts)
    return replace(
        orders(),
        visit=np.arange(n, dtype=np.int32),
        product=product.astype(np.int32),
        quantity=np.ones(n),
        amount=np.rint(1000 * (1 - cuts)).astype(np.int64),
        list_amount=np.full(n, -1),
        bundled=np.zeros(n, dtype=bool),
        week=np.ones(n, dtype=np.int32),
        customer=np.arange(n, dtype=np.int32),
        store=np.full(n, -1, dtype=np.int32),
        n_products=n_products,
    )


def test_the_deepest_cut_needs_enough_baskets():
    """Product 0: 4 lines at 45 % off, 16 at 30 % off, 380 at 10 % off; 5 % of 400 are 20."""
    cuts = np.repeat([0.45, 0.3, 0.1], [4, 16, 380])
    found, own = deepest_cuts(
        many(cuts, np.zeros(400), 1), np.array([1000.0]), np.zeros(1, dtype=np.int32), 1
    )
    np.testing.assert_allclose(found, 0.3)
    assert own.tolist() == [True]


def test_a_product_with_too_few_lines_takes_its_category():
    """Product 1 has three lines at half price; its category's lines reach 20 % off."""
    cuts = np.concatenate([np.full(100, 0.2), np.full(3, 0.5)])
    product = np.concatenate([np.zeros(100), np.ones(3)])
    found, own = deepest_cuts(
        many(cuts, product, 3), np.full(3, 1000.0), np.array([0, 0, 1], dtype=np.int32), 2
    )
    assert own.tolist() == [True, False, False]
    np.testing.assert_allclose(found, 0.2)


def test_prices_that_no_response_is_read_from_support_no_cut():
    """A fifth of the lines at 70 % off: another pack, or an error."""
    cuts = np.repeat([0.7, 0.2, 0.1], [40, 60, 100])
    found, _ = deepest_cuts(
        many(cuts, np.zeros(200), 1), np.array([1000.0]), np.zeros(1, np.int32), 1
    )
    np.testing.assert_allclose(found, 0.2)


def test_an_old_shelf_price_is_no_cut():
    """Before a rise from 7.00 to 10.00 half of the lines were at 7.00, a fifth of these at 6.30."""
    cuts = np.repeat([0.37, 0.3, 0.0], [20, 80, 100])
    lines = many(cuts, np.zeros(200), 1)
    listed = replace(lines, list_amount=np.where(cuts > 0, 700, 1000))
    base, category = np.array([1000.0]), np.zeros(1, dtype=np.int32)
    np.testing.assert_allclose(deepest_cuts(listed, base, category, 1)[0], 0.1)
    np.testing.assert_allclose(deepest_cuts(lines, base, category, 1)[0], 0.37)


def test_prices_above_the_reference_are_no_cut():
    found, _ = deepest_cuts(
        many(np.full(50, -0.3), np.zeros(50), 1), np.array([1000.0]), np.zeros(1, np.int32), 1
    )
    assert found.tolist() == [0.0]


def test_usual_quantities_are_units_a_basket():
    """Product 0: 7 units in three baskets; product 2 takes the mean of its category."""
    found = usual_quantities(orders(), np.array([0, 1, 0], dtype=np.int32), 2)
    np.testing.assert_allclose(found, [7 / 3, 1.0, 7 / 3])
