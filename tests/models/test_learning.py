"""Learning as a whole: truth recovered, order and repetition without effect, bundles kept apart."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.learning import learn

from .shops import (
    FIRST_WEEK,
    PRODUCTS,
    TRUE_Q,
    TRUE_SENSITIVITY,
    WEEKS,
    catalogue_of,
    instance_of,
    shop,
)
from .simulate import order_lines


@pytest.fixture(scope="module")
def beliefs() -> Beliefs:
    return learn(shop())


def test_the_truth_of_a_simulated_shop_is_found(beliefs: Beliefs):
    error = np.log(beliefs.purchase_probability / TRUE_Q)
    assert abs(np.mean(error)) < 0.05
    assert np.mean(np.abs(error) < 1.645 * beliefs.purchase_spread) > 0.8
    assert np.corrcoef(beliefs.price_sensitivity, TRUE_SENSITIVITY)[0, 1] > 0.6
    assert abs(np.mean(beliefs.price_sensitivity) - np.mean(TRUE_SENSITIVITY)) < 0.4
    independent = np.abs(np.log(beliefs.odds_ratio)) < 1.645 * beliefs.odds_spread
    assert np.mean(independent) > 0.85


def test_what_is_learned_is_in_range_and_consistent(beliefs: Beliefs):
    assert ((beliefs.deepest_cut >= 0) & (beliefs.deepest_cut < 0.4001)).all()
    assert np.mean(beliefs.deepest_cut) > 0.25
    assert (beliefs.usual_quantity == 1).all()
    assert (beliefs.price_sensitivity >= 0).all()
    assert (beliefs.price_sensitivity <= beliefs.sensitivity_cap).all()
    assert (beliefs.pair_orders >= 5).all()
    key = beliefs.pair_a.astype(int) * PRODUCTS + beliefs.pair_b
    assert (np.diff(key) > 0).all()
    assert (beliefs.pair_a < beliefs.pair_b).all()


def test_learning_twice_gives_the_same_bytes(beliefs: Beliefs):
    again = learn(shop())
    for field in fields(Beliefs):
        first, second = getattr(beliefs, field.name), getattr(again, field.name)
        if isinstance(first, np.ndarray):
            np.testing.assert_array_equal(first, second)
    assert json.dumps(beliefs.manifest) == json.dumps(again.manifest)


def test_the_manifest_is_plain_json_and_names_the_training_window(beliefs: Beliefs):
    assert json.loads(json.dumps(beliefs.manifest, allow_nan=False)) == beliefs.manifest
    training = beliefs.manifest["training"]
    assert training["visits"] == WEEKS * 400
    assert beliefs.manifest["held_out"]["test_weeks"] == 7


def test_orders_of_the_planned_week_and_later_are_not_learned_from():
    instance = shop()
    early = replace(
        instance, scenario=instance.scenario.model_copy(update={"week": FIRST_WEEK + 20})
    )
    late = early.orders.week >= FIRST_WEEK + 20
    price = np.where(late[early.orders.visit], 1, early.orders.amount)
    changed = replace(early, orders=replace(early.orders, amount=price))
    first, second = learn(early), learn(changed)
    np.testing.assert_array_equal(first.price_sensitivity, second.price_sensitivity)
    np.testing.assert_array_equal(first.purchase_probability, second.purchase_probability)
    np.testing.assert_array_equal(first.deepest_cut, second.deepest_cut)
    assert first.manifest["training"]["visits"] == 20 * 400


def test_bundled_lines_count_as_bought_but_show_no_price_and_no_affinity(beliefs: Beliefs):
    """Products 0 and 1 sold together in bundles at half price, in a third of the visits."""
    orders = shop().orders
    rng = np.random.default_rng(13)
    sold = np.flatnonzero(rng.random(orders.n_visits) < 0.3)
    extra = {
        "visit": np.repeat(sold, 2).astype(np.int32),
        "product": np.tile([0, 1], len(sold)).astype(np.int32),
        "quantity": np.ones(2 * len(sold)),
        "amount": np.full(2 * len(sold), 250, dtype=np.int64),
        "list_amount": np.full(2 * len(sold), -1, dtype=np.int64),
        "bundled": np.ones(2 * len(sold), dtype=bool),
    }
    joined = {name: np.concatenate([getattr(orders, name), extra[name]]) for name in extra}
    order = np.argsort(joined["visit"], kind="stable")
    both = replace(orders, **{name: values[order] for name, values in joined.items()})
    with_bundles = learn(replace(shop(), orders=both))
    assert with_bundles.purchase_probability[0] > 0.25
    assert with_bundles.deepest_cut[0] == beliefs.deepest_cut[0]
    pair = (with_bundles.pair_a == 0) & (with_bundles.pair_b == 1)
    before = (beliefs.pair_a == 0) & (beliefs.pair_b == 1)
    assert with_bundles.pair_orders[pair].tolist() == beliefs.pair_orders[before].tolist()


def test_unknown_customers_are_halved_by_visit():
    instance = shop()
    orders = replace(instance.orders, customer=np.full(instance.orders.n_visits, -1, np.int32))
    found = learn(replace(instance, orders=orders))
    assert np.corrcoef(found.price_sensitivity, TRUE_SENSITIVITY)[0, 1] > 0.6


def test_products_without_a_price_or_a_sale_do_no_harm():
    instance = shop()
    price = instance.catalogue.reference_price.copy()
    price[:5] = -1
    catalogue = replace(instance.catalogue, reference_price=price)
    keep = instance.orders.product != 7
    lines = ("visit", "product", "quantity", "amount", "list_amount", "bundled")
    orders = replace(
        instance.orders, **{name: getattr(instance.orders, name)[keep] for name in lines}
    )
    found = learn(replace(instance, catalogue=catalogue, orders=orders))
    assert found.purchase_probability[7] == 0
    assert (found.purchase_probability[:5] > 0).all()
    assert (found.reference_price[:5] == -1).all()
    for name in ("price_sensitivity", "deepest_cut", "usual_quantity", "purchase_spread"):
        assert np.isfinite(getattr(found, name)).all()


def test_a_short_history_says_why_it_has_no_held_out_scores():
    instance = shop()
    first = instance.scenario.model_copy(update={"week": FIRST_WEEK + 3})
    found = learn(replace(instance, scenario=first))
    assert "3 weeks" in found.manifest["held_out"]["skipped"]
    assert np.isfinite(found.price_sensitivity).all()


@pytest.mark.parametrize("products", [1, 2, 4])
@pytest.mark.parametrize("weeks", [1, 12])
def test_tiny_shops_can_be_learned_from(products: int, weeks: int):
    """A handful of visits: nothing fails, and what is believed is finite and in range."""
    rng = np.random.default_rng(15)
    cut = np.zeros((products, weeks))
    q, eta, price = np.full(products, 0.3), np.full(products, 2.0), np.full(products, 500.0)
    orders = order_lines(rng, q, eta, cut, price, 6, FIRST_WEEK)
    instance = instance_of(orders, catalogue_of(products), FIRST_WEEK + weeks)
    found = learn(instance)
    for name in ("purchase_probability", "purchase_spread", "price_sensitivity", "odds_ratio"):
        assert np.isfinite(getattr(found, name)).all(), name
    assert ((found.purchase_probability >= 0) & (found.purchase_probability < 1)).all()
    assert (found.deepest_cut == 0).all()
    assert (found.sensitivity_cap > 0).all()


@pytest.mark.parametrize("case", ["every visit", "one customer", "no category", "huge"])
def test_odd_shops_can_be_learned_from(case: str):
    rng = np.random.default_rng(18)
    n, weeks = 4, 10
    q = np.array([0.9999 if case == "every visit" else 0.2, 0.9999, 0.2, 0.2])
    cut, price = np.zeros((n, weeks)), np.full(n, 500.0)
    orders = order_lines(rng, q, np.full(n, 2.0), cut, price, 40, FIRST_WEEK)
    catalogue = catalogue_of(n)
    if case == "one customer":
        orders = replace(orders, customer=np.zeros_like(orders.customer))
    elif case == "no category":
        catalogue = replace(catalogue, category=np.full(n, "", dtype=object))
    elif case == "huge":
        orders = replace(orders, quantity=orders.quantity * 1e7, amount=orders.amount * 10**7)
    found = learn(instance_of(orders, catalogue, FIRST_WEEK + weeks))
    assert len(found.odds_ratio) == n * (n - 1) // 2
    for name in ("purchase_probability", "purchase_spread", "odds_ratio", "odds_spread"):
        assert np.isfinite(getattr(found, name)).all(), name
    np.testing.assert_allclose(found.purchase_probability, q, atol=0.1)
    certain = q > 0.99
    one = certain[found.pair_a] | certain[found.pair_b]
    assert (np.abs(np.log(found.odds_ratio)) < 3 * found.odds_spread)[~one].all()
    assert (found.odds_spread[one] > 1).all()  # beside a product of every visit ψ is hardly known


def test_no_order_before_the_planned_week_is_an_input_error():
    instance = shop()
    early = instance.scenario.model_copy(update={"week": FIRST_WEEK})
    with pytest.raises(InputError, match="no order before the planned week"):
        learn(replace(instance, scenario=early))
