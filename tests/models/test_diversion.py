"""Diversion: how much of what a price cut adds is taken from the rest of the category."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.diversion import Diversion, fit_diversion
from bundlewise.models.product_features import features_of_codes
from bundlewise.models.sensitivity import fit_sensitivity
from numpy.typing import NDArray

from .simulate import panel_of, promotions

WEEKS = 52
VISITS = np.full((2, WEEKS), 3_000.0)
PER_CATEGORY = 8


def learned(
    rng: np.random.Generator,
    delta: NDArray[np.float64],
    cut: NDArray[np.float64],
    season: NDArray[np.float64] | float = 0.0,
) -> Diversion:
    """Categories of eight alike products, η = 2.5; of what a cut adds δ leaves the others."""
    n, n_categories = PER_CATEGORY * len(delta), len(delta)
    category = np.repeat(np.arange(n_categories), PER_CATEGORY).astype(np.int32)
    added = 0.01 * np.expm1(2.5 * cut)
    lost = np.zeros_like(added)
    for x in range(n):
        others = np.flatnonzero((category == category[x]) & (np.arange(n) != x))
        lost[others] += delta[category[x]] * added[x] / len(others)
    rate = np.maximum(0.01 + added - lost, 0.0005) * np.exp(season)
    baskets = rng.poisson(rate * VISITS[:, None, :]).astype(float)
    panel = panel_of(baskets, 100.0 * (1 - cut), VISITS)
    base = np.full(n, 100.0)
    sensitivity = fit_sensitivity(panel, base, category, n_categories)
    return fit_diversion(panel, base, features_of_codes(category, n_categories), sensitivity)


@pytest.mark.parametrize("delta", [0.0, 0.3, 0.6])
def test_what_others_lose_is_found(delta: float):
    rng = np.random.default_rng(1)
    cut = promotions(rng, 40 * PER_CATEGORY, WEEKS, 0.15, 0.4)
    found = learned(rng, np.full(40, delta), cut)
    assert not found.assumed
    assert abs(np.mean(found.of_category) - delta) < 0.1


def test_categories_differ():
    rng = np.random.default_rng(2)
    delta = np.tile([0.1, 0.7], 20)
    found = learned(rng, delta, promotions(rng, 40 * PER_CATEGORY, WEEKS, 0.15, 0.4))
    assert np.mean(found.of_category[1::2]) - np.mean(found.of_category[::2]) > 0.35
    inside = np.abs(found.of_category - delta) < 1.645 * found.spread
    assert np.mean(inside) > 0.75


def test_holidays_on_which_everything_sells_do_not_hide_it():
    """The department sells twice as much in six weeks, in which a third more is promoted."""
    rng = np.random.default_rng(3)
    holidays = np.zeros(WEEKS)
    holidays[[5, 13, 22, 30, 39, 47]] = np.log(2.0)
    cut = promotions(rng, 40 * PER_CATEGORY, WEEKS, 0.15, 0.4)
    extra = rng.random(cut.shape) < 0.33
    cut = np.where((holidays > 0) & extra, 0.25, cut)
    found = learned(rng, np.full(40, 0.4), cut, holidays)
    assert abs(np.mean(found.of_category) - 0.4) < 0.15


def test_without_price_changes_it_is_assumed():
    rng = np.random.default_rng(4)
    found = learned(rng, np.full(5, 0.6), np.zeros((5 * PER_CATEGORY, WEEKS)))
    assert found.assumed
    assert np.ptp(found.of_category) < 1e-9
    assert abs(found.of_category[0] - 0.36) < 0.05  # the published mean, truncated to [0, 1]
    assert found.spread[0] > 0.15
