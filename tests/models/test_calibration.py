"""Calibration on held-out weeks of a shop whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.models import calibration as calibration_module
from bundlewise.models.calibration import score_calibration
from bundlewise.models.held_out import HeldOut, split_history
from bundlewise.models.product_features import features_of_codes
from bundlewise.models.purchase import fit_purchase
from bundlewise.models.reliability import reliability

from .shops import FIRST_WEEK, PRODUCTS, WEEKS, shop
from .simulate import order_lines, promotions


@pytest.fixture(scope="module")
def calibration() -> dict:
    features = features_of_codes(np.arange(PRODUCTS, dtype=np.int32) % 3, 3)
    held_out = split_history(shop().orders, features, FIRST_WEEK, FIRST_WEEK + WEEKS)
    assert isinstance(held_out, HeldOut)
    return score_calibration(held_out)


@pytest.mark.parametrize("kind", ["demand", "joint_orders", "affinity"])
def test_beliefs_about_a_simulated_shop_are_flat(calibration: dict, kind: str):
    assert calibration[kind]["verdict"] in ("flat", "within limits")
    for group in calibration[kind]["groups"]:
        assert sum(group["histogram"]) == pytest.approx(1)
        assert 0.8 < group["inside_90"] < 0.99


def test_what_was_said_to_be_probable_happened(calibration: dict):
    for kind in ("demand", "joint_orders"):
        points = calibration[kind]["reliability"]
        assert points
        inside = [point["low"] <= point["predicted"] <= point["high"] for point in points]
        assert np.mean(inside) >= 0.5


@pytest.fixture(scope="module")
def steady_and_volatile() -> HeldOut:
    """Frequent products of which the weeks of a half stray by 5 %, and of the others by 50 %."""
    rng = np.random.default_rng(15)
    n, weeks = 80, 40
    volatility = np.where(np.arange(n) % 2 == 0, 0.05, 0.5)
    orders = order_lines(
        rng,
        np.exp(rng.uniform(np.log(0.03), np.log(0.2), n)),
        rng.uniform(1.0, 4.0, n),
        promotions(rng, n, weeks),
        np.full(n, 500.0),
        600,
        FIRST_WEEK,
        rng.normal(0.0, volatility[:, None], (n, weeks)),
    )
    features = features_of_codes(np.arange(n, dtype=np.int32) % 4, 4)
    held_out = split_history(orders, features, FIRST_WEEK, FIRST_WEEK + weeks)
    assert isinstance(held_out, HeldOut)
    return held_out


def frequent(held_out: HeldOut) -> list[dict]:
    """The groups of ten expected baskets a week and more."""
    groups = score_calibration(held_out)["demand"]["groups"]
    return [group for group in groups if group["expected_from"] >= 10]


def test_weeks_of_frequent_products_are_where_they_were_said_to_be(steady_and_volatile: HeldOut):
    groups = frequent(steady_and_volatile)
    assert [group["expected_from"] for group in groups] == [10, 30]
    for group in groups:
        assert group["verdict"] in ("flat", "within limits")
        assert group["inside_90"] == pytest.approx(0.9, abs=0.04)


def test_a_spread_twice_too_wide_is_not_flat(
    steady_and_volatile: HeldOut, monkeypatch: pytest.MonkeyPatch
):
    def wide(*given, **named):
        found = fit_purchase(*given, **named)
        return replace(found, spread=2 * found.spread)

    monkeypatch.setattr(calibration_module, "fit_purchase", wide)
    for group in frequent(steady_and_volatile):
        assert group["verdict"] == "not flat"
        assert group["inside_90"] > 0.95


def test_one_spread_for_all_would_suit_neither(
    steady_and_volatile: HeldOut, monkeypatch: pytest.MonkeyPatch
):
    """The root mean square of all spreads covers steady products too often, volatile too seldom;
    their middle, where u of the steady ones lies, is too full."""

    def alike(*given, **named):
        found = fit_purchase(*given, **named)
        return replace(found, spread=np.full_like(found.spread, np.sqrt(np.mean(found.spread**2))))

    own = frequent(steady_and_volatile)
    monkeypatch.setattr(calibration_module, "fit_purchase", alike)
    for group, better in zip(frequent(steady_and_volatile), own, strict=True):
        assert group["distance"] > 1.5 * better["distance"]
        assert sum(group["histogram"][4:6]) > sum(better["histogram"][4:6]) + 0.03


def test_reliability_by_hand():
    """A hundred counts of 100 visits each, one in ten expected; twice as many happened."""
    n = 100
    rng = np.random.default_rng(1)
    (point,) = reliability(
        np.full(n, 20.0), np.full(n, 10.0), 100.0, np.arange(n), rng.integers(0, 10, n)
    )
    assert point == {"counts": n, "predicted": 0.1, "observed": 0.2, "low": 0.2, "high": 0.2}


def test_a_bin_of_few_products_or_few_expected_counts_is_left_out():
    ones = np.ones(5)
    rows = np.arange(5)
    assert reliability(ones, 10 * ones, 100.0, rows, rows) == []
    many = np.ones(50)
    assert reliability(many, 0.01 * many, 100.0, np.arange(50), np.arange(50)) == []
