"""Diversion δ: of what a price cut adds to a product, the share taken from its own category.

When the others of a category add U baskets a visit at their prices of the week, and a share δ of
them would have gone to the category's products anyway, each in proportion to its level B_y, then

    log purchases of y change by −δ·log(1 + z_y),   z_y = Σ over x ≠ y of U_x/(B − B_x)

with B = Σ_y B_y and U_x = B_x·(response − 1), display and mailer included where known. δ_c is the
slope on −log(1 + z) in the conditional likelihood of ``price_response``, in which slow levels drop
out, with what a product's own price explains set before. Weeks in which a category sells for
another reason often are those in which it is promoted; so the season is taken off that the *rest
of the department* shows, and the variance of a category's estimate is that of its weeks, not of
single counts. Categories are shrunk to the mean of all, and that to what is published.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .category_effects import spread_moments
from .gamma_poisson import fitted_strength
from .panel import Panel
from .price_response import ResponseData, expected_baskets, response_data
from .product_features import ProductFeatures
from .sensitivity import Promotions, Sensitivity, response_covariates, truncated_moments

# Before any data: of the unit sales that a promotion adds a third are lost by other brands of the
# category (van Heerde, Gupta and Wittink 2003, Is 75 % of the sales promotion bump due to brand
# switching? No, only 33 % is, Journal of Marketing Research 40). The spread leaves 0 to 80 % open.
PRIOR_MEAN, PRIOR_SPREAD = 0.33, 0.25
_ROUNDS = 10  # of season and δ in turn; the mean then moves by less than 0.01
_RIDGE = 1e-6  # information of a category that says nothing


@dataclass(frozen=True, slots=True)
class Diversion:
    """Posterior of δ by category: a normal truncated to [0, 1].

    Attributes
    ----------
    of_category, spread
        (categories,) posterior mean and standard deviation.
    assumed
        whether the prior says more of the mean of all categories than the data do.
    fit
        for the manifest.
    """

    of_category: NDArray[np.float64]
    spread: NDArray[np.float64]
    assumed: bool
    fit: dict[str, float | bool]


def fit_diversion(
    panel: Panel,
    base_price: NDArray[np.float64],
    features: ProductFeatures,
    sensitivity: Sensitivity,
    promotions: Promotions | None = None,
) -> Diversion:
    """Learn δ of each category from how its products sell while others of it are cheap."""
    category, n = features.category, features.n_categories
    data = response_data(panel, base_price)
    covariates, of_row = response_covariates(data, promotions), category[data.product]
    response = np.exp(sensitivity.mean[data.product] * data.slope)
    response *= sensitivity.effects.factor(of_row, covariates)
    explained = replace(data, exposure=data.exposure * response)
    level = panel.totals(panel.baskets.sum(axis=1)) / max(panel.visits.sum(), 1.0)
    taken = _taken_by_others(data, response - 1.0, level, category, n)
    own, variance = np.zeros(n), np.ones(n)
    mean = between = error = 0.0
    for _ in range(_ROUNDS):
        # the rest of the department loses to its own cuts too, which is no season
        lost = replace(explained, exposure=explained.exposure * np.exp(-mean * taken))
        season = _rest_of_department(lost, features)
        net = replace(explained, exposure=explained.exposure * season)
        own, variance = _refined(net, taken, of_row, own)
        mean, between, error = spread_moments(own, variance)
    precision = 1.0 / error**2 + 1.0 / PRIOR_SPREAD**2
    mean = (mean / error**2 + PRIOR_MEAN / PRIOR_SPREAD**2) / precision
    prior = between**2 + 1.0 / precision
    location = (own / variance + mean / prior) / (1.0 / variance + 1.0 / prior)
    scale = np.sqrt(1.0 / (1.0 / variance + 1.0 / prior))
    of_category, spread = truncated_moments(location, scale, 1.0)
    assumed = error > PRIOR_SPREAD
    fit = {
        "mean": mean,
        "error": float(precision**-0.5),
        "between_categories": between,
        "assumed": assumed,
    }
    return Diversion(of_category, spread, assumed, fit)


def _taken_by_others(
    data: ResponseData,
    uplift: NDArray[np.float64],
    level: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
) -> NDArray[np.float64]:
    """(rows,) log(1 + z): a loss of all of z, shared out, multiplies purchases by 1/(1 + z).

    Prices are those that the other half of the customers shows: a price shown by the shoppers who
    are explained would tell of their baskets.
    """
    rest = np.bincount(category, level, minlength=n_categories)[category] - level
    rest = np.where(rest > 1e-6 * level, rest, np.inf)[data.product]
    added = level[data.product] * uplift / rest
    span = np.int64(data.week.max(initial=0) + 1)
    cell = (category[data.product] * span + data.week) * 2 + data.half
    others = np.bincount(cell, added)[cell] - added if len(cell) else added
    return np.log1p(np.maximum(others, -0.9))


def _rest_of_department(data: ResponseData, features: ProductFeatures) -> NDArray[np.float64]:
    """(rows,) factor by which the department's other categories sold more that week.

    Gamma-Poisson with a fitted strength, as the season of ``sensitivity``; 1 where the department
    has no other category.
    """
    span = np.int64(data.week.max(initial=0) + 1)
    department = features.department[data.product].astype(np.int64) * span + data.week
    kind = features.category[data.product].astype(np.int64)
    own = np.unique(department * features.n_categories + kind, return_inverse=True)[1]
    expected, _ = expected_baskets(data, np.zeros(data.n_products), data.exposure)
    seen_all = np.bincount(department, data.baskets).astype(np.float64)
    expected_all = np.bincount(department, expected).astype(np.float64)
    some = expected_all > 0
    strength, _ = fitted_strength(seen_all[some], expected_all[some])
    seen = seen_all[department] - np.bincount(own, data.baskets)[own]
    others = expected_all[department] - np.bincount(own, expected)[own]
    return (strength + np.maximum(seen, 0.0)) / (strength + np.maximum(others, 0.0))


def _refined(
    data: ResponseData,
    taken: NDArray[np.float64],
    of_row: NDArray[np.int32],
    own: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(categories,) δ of each after a step of Newton's method, and the variance of the estimate.

    With g_w the score of a week and H the information, the variance is Σ_w g_w²/H², clustered by
    week, and not below the 1/H that independent counts would give.
    """
    n, span = len(own), int(data.week.max(initial=0)) + 1
    exposure = data.exposure * np.exp(-own[of_row] * taken)
    expected, share = expected_baskets(data, np.zeros(data.n_products), exposure)
    centred = taken - np.bincount(data.block, taken * share)[data.block]
    score = -(data.baskets - expected) * centred
    cell = of_row * np.int64(span) + data.week
    by_week = np.bincount(cell, score, minlength=n * span).reshape(n, span)
    information = np.bincount(of_row, expected * centred**2, minlength=n) + _RIDGE
    step = np.clip(by_week.sum(axis=1) / information, -1.0, 1.0)
    return own + step, np.maximum((by_week**2).sum(axis=1), information) / information**2
