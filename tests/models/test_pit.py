"""The probability integral transform of counts: by hand, flat for true models and for no others."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.pit import (
    Predicted,
    calibration_of,
    randomised,
    shape_of_log_spread,
    share_below,
    transform,
)
from scipy.special import polygamma


def predicted(seen, mean, shape=np.inf, row=None, column=None) -> Predicted:
    seen = np.asarray(seen, dtype=float)
    n = len(seen)
    return Predicted(
        seen,
        np.broadcast_to(np.asarray(mean, dtype=float), (n,)).copy(),
        np.broadcast_to(np.asarray(shape, dtype=float), (n,)).copy(),
        np.arange(n) if row is None else row,
        np.arange(n) if column is None else column,
    )


def test_poisson_by_hand():
    """With mean log 2: P(0) = 1/2, P(1) = log(2)/2. A count of 0 is spread over [0, 1/2], so half
    of it lies below 1/4; a count of 1 lies above 1/2."""
    low, high = transform(predicted([0, 1], np.log(2)))
    np.testing.assert_allclose(low, [0, 0.5])
    np.testing.assert_allclose(high, [0.5, 0.5 + np.log(2) / 2])
    below = share_below(low, high, np.array([0.25, 0.5, 1.0]))
    np.testing.assert_allclose(below, [[0.5, 1, 1], [0, 0, 1]])
    u = randomised(low, high, np.random.default_rng(1))
    assert ((u >= low) & (u <= high)).all()


def test_negative_binomial_by_hand():
    """With mean 1 and shape 1 it is geometric: P(0), P(1), P(2) = 1/2, 1/4, 1/8."""
    low, high = transform(predicted([0, 1, 2], 1.0, 1.0))
    np.testing.assert_allclose(low, [0, 0.5, 0.75])
    np.testing.assert_allclose(high, [0.5, 0.75, 0.875])


def test_a_true_model_of_small_counts_is_flat_where_a_plain_interval_covers_too_much():
    rng = np.random.default_rng(2)
    mean = rng.uniform(0.1, 0.3, 4_000)
    shape = np.full(4_000, 2.0)
    seen = rng.poisson(mean * rng.gamma(shape) / shape)
    (group,) = calibration_of(predicted(seen, mean, shape))["groups"]
    assert group["verdict"] == "flat"
    assert group["inside_90"] == pytest.approx(0.9, abs=0.01)
    assert group["seen_over_mean"] == pytest.approx(seen.sum() / mean.sum())
    assert np.mean(seen <= 1) > 0.96  # the plain 90 % interval of the same counts: 0 to 1


@pytest.mark.parametrize("assumed", ["too sure", "too unsure", "too high"])
def test_a_wrong_model_is_not_flat(assumed: str):
    rng = np.random.default_rng(3)
    n, mean = 4_000, 8.0
    shape = np.inf if assumed == "too unsure" else 2.0
    factor = 1.0 if np.isinf(shape) else rng.gamma(shape, 1 / shape, n)
    seen = rng.poisson(mean * np.broadcast_to(factor, n))
    stated = {"too sure": (mean, np.inf), "too unsure": (mean, 2.0), "too high": (1.2 * mean, 2.0)}
    (group,) = calibration_of(predicted(seen, *stated[assumed]))["groups"]
    assert group["verdict"] == "not flat"
    ends, middle = group["histogram"][0] + group["histogram"][9], sum(group["histogram"][4:6])
    if assumed == "too sure":
        assert ends > 0.3 > middle + 0.1
    if assumed == "too unsure":
        assert ends < 0.1 < middle


def test_noise_grows_where_counts_hang_together():
    """Weeks that are good or bad for every product are not 100 observations each."""
    rng = np.random.default_rng(4)
    week = np.repeat(np.arange(10), 200)
    common = rng.gamma(20, 1 / 20, 10)[week]
    counts = rng.poisson(12 * common)
    together = predicted(counts, 12.0, row=np.arange(2_000), column=week)
    (clustered,) = calibration_of(together)["groups"]
    (apart,) = calibration_of(predicted(counts, 12.0))["groups"]
    assert clustered["distance"] == apart["distance"]
    assert clustered["noise"] > 2 * apart["noise"]


def test_few_counts_make_no_group():
    assert calibration_of(predicted([1, 2], 1.5)) == {"limit": 0.05, "verdict": None, "groups": []}


def test_a_shape_has_the_spread_asked_for():
    spread = np.array([0.01, 0.1, 0.5, 1.0, 3.0, 20.0])
    np.testing.assert_allclose(polygamma(1, shape_of_log_spread(spread)), spread**2, rtol=1e-6)
