"""Calibration on held-out weeks of a shop whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.calibration import score_calibration
from bundlewise.models.held_out import HeldOut, split_history
from bundlewise.models.product_features import features_of_codes
from bundlewise.models.reliability import reliability

from .shops import FIRST_WEEK, PRODUCTS, WEEKS, shop


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
