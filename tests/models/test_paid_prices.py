"""What a week's price was: multi-buys and coupons kept out, stated prices put in for those paid."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from bundlewise.instances.instance import Instance
from bundlewise.instances.orders import Orders
from bundlewise.instances.paid_prices import paid_prices
from bundlewise.instances.prices import PriceTable
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.history import only_products, orders_before
from bundlewise.models.learning import learn
from bundlewise.models.met_prices import fit_held, met_responses
from bundlewise.models.panel import weekly_panel
from bundlewise.models.price_support import deepest_cuts

from .shops import FIRST_WEEK, PRODUCTS, TRUE_SENSITIVITY, WEEKS, catalogue_of, instance_of, shop
from .simulate import order_lines, promotions


def lines(*rows: tuple[int, int, int], coupon: list[bool] | None = None) -> Orders:
    """One product; a visit a line: customer, units, cents."""
    customer, quantity, amount = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return Orders(
        visit=np.arange(n, dtype=np.int32),
        product=np.zeros(n, dtype=np.int32),
        quantity=quantity.astype(float),
        amount=amount.astype(np.int64),
        list_amount=np.full(n, -1, dtype=np.int64),
        bundled=np.zeros(n, dtype=bool),
        week=np.zeros(n, dtype=np.int32),
        customer=customer.astype(np.int32),
        store=np.full(n, -1, dtype=np.int32),
        n_products=1,
        coupon=None if coupon is None else np.array(coupon),
    )


def test_several_units_that_cost_less_each_are_a_multi_buy():
    """299 a unit: three for 600 and two for 500 are multi-buys, two for 597 is rounding."""
    orders = lines((0, 1, 299), (0, 3, 600), (0, 2, 500), (0, 2, 597), (0, 2, 598))
    found = paid_prices(orders)
    assert found.shown.tolist() == [True, False, False, True, True]
    assert found.kept_out == {"bundle": 0, "coupon": 0, "multi-buy": 2}


def test_where_nobody_bought_one_unit_the_line_stays():
    assert paid_prices(lines((0, 3, 600), (1, 2, 598))).shown.all()
    orders = lines((0, 1, 299), (0, 3, 600))
    next_week = replace(orders, week=np.array([0, 1], dtype=np.int32))
    assert paid_prices(next_week).shown.all()


def test_the_panel_keeps_the_price_of_one_and_what_was_paid_on_the_whole():
    panel = weekly_panel(lines((0, 1, 300), (0, 2, 480), (1, 2, 480)), 0, 1)
    assert np.isnan(panel.price).all()  # a multi-buy was going in both halves
    np.testing.assert_allclose(panel.met_price, [[260, 240]])
    assert panel.baskets.tolist() == [[2, 1]]


def test_a_coupon_line_shows_no_price_and_is_no_measure_for_others():
    orders = lines((0, 1, 199), (0, 1, 299), (0, 2, 500), coupon=[True, False, False])
    found = paid_prices(orders)
    assert found.shown.tolist() == [False, True, False]
    assert found.kept_out == {"bundle": 0, "coupon": 1, "multi-buy": 1}
    bundled = replace(orders, bundled=np.array([True, False, False]))
    assert paid_prices(bundled).kept_out == {"bundle": 1, "coupon": 0, "multi-buy": 1}


def test_coupons_stay_with_their_lines():
    orders = replace(
        lines((0, 1, 1), (1, 1, 2), (2, 1, 3), coupon=[False, True, True]),
        product=np.array([0, 1, 0], dtype=np.int32),
        week=np.array([0, 0, 1], dtype=np.int32),
        n_products=2,
    )
    early, chosen = orders_before(orders, 1), only_products(orders, np.array([0]))
    assert early.coupon is not None
    assert early.coupon.tolist() == [False, True]
    assert chosen.coupon is not None
    assert chosen.coupon.tolist() == [False, True]


MULTI_BUY, COUPON = "multi-buy", "coupon"


@cache
def disturbed(cause: str) -> Instance:
    """The shop of ``shops.py`` where in a third of its weeks a product has an offer on top.

    Two in three of its buyers then pay 20 % less a unit: of two or three units, or of one with a
    coupon. The offers draw nobody: shoppers decide by the price of one.
    """
    rng = np.random.default_rng(41)
    instance = shop()
    orders = instance.orders
    offered = rng.random((PRODUCTS, WEEKS)) < 1 / 3
    week = orders.week[orders.visit] - FIRST_WEEK
    taken = offered[orders.product, week] & (rng.random(orders.n_lines) < 2 / 3)
    units = rng.integers(2, 4, orders.n_lines) if cause == MULTI_BUY else 1
    quantity = np.where(taken, units, 1.0)
    amount = np.where(taken, np.rint(0.8 * orders.amount * quantity), orders.amount)
    changed = replace(
        orders,
        quantity=quantity,
        amount=amount.astype(np.int64),
        coupon=taken if cause == COUPON else None,
    )
    return replace(instance, orders=changed)


@pytest.fixture(scope="module", params=[MULTI_BUY, COUPON])
def cause(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def found(cause: str) -> Beliefs:
    return learn(disturbed(cause))


def bias(beliefs: Beliefs) -> float:
    return float(np.mean(beliefs.price_sensitivity - TRUE_SENSITIVITY))


def error(beliefs: Beliefs) -> float:
    return float(np.sqrt(np.mean((beliefs.price_sensitivity - TRUE_SENSITIVITY) ** 2)))


def fit(beliefs: Beliefs) -> float:
    return float(np.corrcoef(beliefs.price_sensitivity, TRUE_SENSITIVITY)[0, 1])


def test_offers_on_top_of_the_price_do_not_pass_for_price_cuts(cause: str, found: Beliefs):
    """Learned from the mean of all lines η is far too low; without these lines it is right."""
    instance = disturbed(cause)
    plain = replace(instance.orders, quantity=np.ones(instance.orders.n_lines), coupon=None)
    each = np.rint(instance.orders.amount / instance.orders.quantity).astype(np.int64)
    taken_for_prices = learn(replace(instance, orders=replace(plain, amount=each)))
    assert abs(bias(found)) < 0.25
    assert bias(taken_for_prices) < -0.5
    assert error(found) < 0.8 * error(taken_for_prices)


def test_offers_on_top_of_the_price_support_no_cut(cause: str, found: Beliefs):
    assert found.deepest_cut.max() <= 0.4001
    orders = disturbed(cause).orders
    whole_category = np.zeros(PRODUCTS, dtype=np.int32)
    base = np.full(PRODUCTS, 500.0)
    taken = paid_prices(orders).shown
    unhindered = replace(orders, quantity=np.ones(orders.n_lines), coupon=None)
    unhindered = replace(unhindered, amount=np.rint(orders.amount / orders.quantity).astype(int))
    cut, _ = deepest_cuts(orders, base, whole_category, 1)
    wrong, _ = deepest_cuts(unhindered, base, whole_category, 1)
    assert np.mean(wrong - cut) > 0.02
    assert 0.1 < np.mean(~taken) < 0.3


def test_lines_kept_out_of_prices_are_counted(cause: str, found: Beliefs):
    counts = found.manifest["panel"]
    kept_out = counts["lines_kept_out_of_prices"]
    assert kept_out[cause] > 3_000
    assert sum(kept_out.values()) == kept_out[cause]
    assert counts["lines_with_price"] + kept_out[cause] == disturbed(cause).orders.n_lines


def thin(stated: str) -> Instance:
    """Sixty products of a basket or so a week; ``stated``: the weeks a table prices."""
    rng = np.random.default_rng(51)
    weeks, visits = 40, 300
    cut = promotions(rng, PRODUCTS, weeks)
    price, q = np.full(PRODUCTS, 500.0), np.full(PRODUCTS, 0.004)
    orders = order_lines(rng, q, TRUE_SENSITIVITY, cut, price, visits, FIRST_WEEK)
    instance = instance_of(orders, catalogue_of(PRODUCTS), FIRST_WEEK + weeks)
    product, week = (axis.ravel() for axis in np.indices(cut.shape))
    if stated == "bought":
        sold = np.unique(orders.product * weeks + orders.week[orders.visit] - FIRST_WEEK)
        product, week = sold // weeks, sold % weeks
    table = PriceTable(
        product=product.astype(np.int32),
        week=(week + FIRST_WEEK).astype(np.int32),
        price=np.rint(500 * (1 - cut[product, week])).astype(np.int64),
        promoted=np.zeros(len(product), dtype=bool),
    )
    return replace(instance, prices=None if stated == "none" else table)


def test_stated_prices_tell_more_of_a_thin_shop():
    """Of weeks in which nobody bought too: without these, cheap weeks are those that sell."""
    without, bought, every = (learn(thin(stated)) for stated in ("none", "bought", "every week"))
    assert fit(every) > fit(without) + 0.1
    assert abs(bias(every)) < 0.25
    assert bias(bought) < -0.5
    assert every.manifest["panel"]["prices_stated"] == 40 * PRODUCTS
    assert without.manifest["panel"]["prices_stated"] == 0
    truth = np.log(every.purchase_probability / 0.004)
    assert abs(np.mean(truth)) < 0.1


def table_of(*rows: tuple[int, int, int]) -> PriceTable:
    product, week, price = (np.array(column) for column in zip(*rows, strict=True))
    return PriceTable(
        product.astype(np.int32),
        week.astype(np.int32),
        price.astype(np.int64),
        np.zeros(len(rows), dtype=bool),
    )


def test_a_stated_price_is_the_price_of_both_halves():
    """Weeks 0 to 2: bought by one half in week 0 only; week 9 and product -1 are left out."""
    orders = lines((0, 1, 300), (1, 1, 290))
    orders = replace(orders, week=np.array([0, 2], dtype=np.int32))
    stated = table_of((0, 0, 280), (0, 1, 250), (-1, 1, 100), (0, 9, 100))
    panel = weekly_panel(orders, 0, 3, stated=stated)
    assert panel.week.tolist() == [0, 1, 2]
    assert panel.baskets.tolist() == [[1, 0], [0, 0], [0, 1]]
    np.testing.assert_allclose(panel.price, [[280, 280], [250, 250], [np.nan, 290]])
    assert panel.stated is not None
    assert panel.stated.tolist() == [True, True, False]
    assert panel.before(2).product.tolist() == [0, 0]
    np.testing.assert_allclose(panel.usual_price(), [280])


def test_where_every_week_is_stated_nothing_is_carried():
    instance = thin("every week")
    panel = weekly_panel(instance.orders, FIRST_WEEK, FIRST_WEEK + 40, stated=instance.prices)
    base, slope = np.full(PRODUCTS, 500.0), TRUE_SENSITIVITY
    assert 0 <= fit_held(panel, base, slope) <= 1
    met = [met_responses(panel, base, slope, held, 40) for held in (0.0, 1.0)]
    np.testing.assert_array_equal(*met)
    np.testing.assert_array_equal(met[0][0], met[0][1])
    expected = np.exp(slope[:, None] * (1 - panel.price[:, 0].reshape(PRODUCTS, 40) / 500))
    np.testing.assert_allclose(met[0][0], expected, rtol=1e-5)
