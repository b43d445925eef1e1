"""What each segment buys and how it answers to prices, beside all shoppers together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import polygamma

from ..instances.orders import Orders
from .gamma_poisson import fitted_strength
from .panel import FARTHEST_PRICE, Panel, customer_half
from .shoppers import distinct_purchases

_HIGHEST = 0.999  # as of q itself


@dataclass(frozen=True, slots=True)
class PurchaseRatios:
    """q of each segment over q of all.

    Attributes
    ----------
    ratio
        (products, segments) Σ_s visit_share·ratio = 1 for every product.
    spread
        (products, segments) posterior standard deviation of log ratio.
    visit_share
        (segments,) share of the visits.
    size
        (segments,) items of a visit over those of all visits.
    category_strength, product_strength
        fitted shapes of the gammas, of categories about the segment and of products about their
        category.
    """

    ratio: NDArray[np.float64]
    spread: NDArray[np.float64]
    visit_share: NDArray[np.float64]
    size: NDArray[np.float64]
    category_strength: float
    product_strength: float


def purchase_ratios(
    orders: Orders,
    visit_segment: NDArray[np.int64],
    n_segments: int,
    category: NDArray[np.int32],
    n_categories: int,
    first_week: int,
    end_week: int,
) -> PurchaseRatios:
    """Learn q by segment, gamma-Poisson in two steps on matched bases.

    With y_xs the baskets of segment s that hold x, and y_xw, V_w those and the visits of week w,

        E_xs = size_s·Σ_w y_xw·V_sw/V_w

    are the baskets expected if the segment took every product as often as all do, but for its
    basket size. y_xs ~ Poisson(E_xs·λ_cs·λ_xs), both λ gamma with mean 1 and a fitted shape:
    categories first, then products given their category.

    Parameters
    ----------
    visit_segment
        (visits,) segment of each visit.
    """
    baskets = _baskets_by_week(orders, first_week, end_week)
    inside = (orders.week >= first_week) & (orders.week < end_week)
    visits = np.zeros((end_week - first_week, n_segments))
    np.add.at(visits, (orders.week[inside] - first_week, visit_segment[inside]), 1.0)
    of_week = visits / np.maximum(visits.sum(axis=1, keepdims=True), 1.0)
    seen = _baskets_by_segment(orders, visit_segment, n_segments, first_week, end_week)
    expected = np.asarray(baskets @ of_week)
    size = np.maximum(seen.sum(axis=0), 0.5) / np.maximum(expected.sum(axis=0), 0.5)
    expected = expected * size

    member = sparse.csr_array(
        (np.ones(len(category)), (category, np.arange(len(category)))),
        shape=(n_categories, len(category)),
    )
    of_category, category_strength = _shrunk(
        np.asarray(member @ seen), np.asarray(member @ expected)
    )
    expected = expected * of_category[category]
    of_product, product_strength = _shrunk(seen, expected)
    ratio = size * of_category[category] * of_product
    share = visits.sum(axis=0) / max(visits.sum(), 1.0)
    return PurchaseRatios(
        ratio=ratio / (ratio @ share)[:, None],
        spread=np.sqrt(polygamma(1, product_strength + seen)),
        visit_share=share,
        size=size,
        category_strength=category_strength,
        product_strength=product_strength,
    )


def bounded_ratios(
    probability: NDArray[np.float64], ratio: NDArray[np.float64], visit_share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(products, segments) ratios under which no segment buys with more than 0.999.

    What is cut from one segment goes to the others in proportion, so that Σ share·ratio stays 1.
    """
    q = probability[:, None]
    ratio = np.array(ratio)
    for _ in range(len(visit_share)):  # each round bounds another segment, or ends
        highest = _HIGHEST / np.maximum(q, 1e-300)
        over = ratio > highest
        if not over.any():
            break
        ratio = np.where(over, highest, ratio)
        held = (visit_share * ratio * (ratio >= highest)).sum(axis=1)
        free = (visit_share * ratio * (ratio < highest)).sum(axis=1)
        scale = np.divide(1.0 - held, free, out=np.ones_like(free), where=free > 0)
        ratio = np.where(ratio >= highest, ratio, ratio * scale[:, None])
    return ratio


def _shrunk(
    seen: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Posterior means (k + y)/(k + E) of the ratios, and the fitted k."""
    some = expected > 0
    strength, _ = fitted_strength(seen[some], expected[some])
    return (strength + seen) / (strength + expected), strength


def _baskets_by_week(orders: Orders, first_week: int, end_week: int) -> sparse.csr_array:
    """(products, weeks) baskets that hold the product."""
    visit, product = distinct_purchases(orders)
    week = orders.week[visit] - first_week
    kept = (week >= 0) & (week < end_week - first_week)
    return sparse.csr_array(
        (np.ones(int(kept.sum())), (product[kept], week[kept])),
        shape=(orders.n_products, end_week - first_week),
    )


def _baskets_by_segment(
    orders: Orders,
    visit_segment: NDArray[np.int64],
    n_segments: int,
    first_week: int,
    end_week: int,
) -> NDArray[np.float64]:
    """(products, segments) baskets that hold the product."""
    visit, product = distinct_purchases(orders)
    week = orders.week[visit]
    kept = (week >= first_week) & (week < end_week)
    key = product[kept] * n_segments + visit_segment[visit[kept]]
    counts = np.bincount(key, minlength=orders.n_products * n_segments)
    return counts.reshape(-1, n_segments).astype(np.float64)


@dataclass(frozen=True, slots=True)
class SensitivityFactors:
    """η of each segment over η of all.

    Attributes
    ----------
    factor
        (products, segments) >= 0, with Σ_s visit_share·ratio·factor = 1 for every product.
    of_segment, spread
        (segments,) 1 + d_s, and the posterior standard deviation of d_s.
    between_segments, between_categories
        fitted standard deviations ω of d_s and τ of the categories about it.
    """

    factor: NDArray[np.float64]
    of_segment: NDArray[np.float64]
    spread: NDArray[np.float64]
    between_segments: float
    between_categories: float


@dataclass(frozen=True, slots=True)
class Splits:
    """Purchases of product-weeks by segment, at prices away from the base price.

    Attributes
    ----------
    product
        (rows,) product; a row is a product, week and half of the customers.
    baskets
        (rows, segments) baskets of the half's customers.
    offset
        (rows, segments) log of the segment's visits that week times its purchase ratio.
    response
        (rows,) η(1 − q)(1 − p/r): log-response of all shoppers, at the other half's price.
    """

    product: NDArray[np.int64]
    baskets: NDArray[np.float64]
    offset: NDArray[np.float64]
    response: NDArray[np.float64]


_NEWTON_STEPS = 8
_STEP_END = 1e-6


def sensitivity_factors(
    splits: Splits,
    purchase: PurchaseRatios,
    category: NDArray[np.int32],
    n_categories: int,
) -> SensitivityFactors:
    """Learn by how much segments answer more or less to the same prices.

    Given that somebody of the half bought x in week w, the segment is multinomial,

        P(s | x, w) ∝ visits_sw·ratio_xs·exp(d_s·response_xw):

    drift, season and advertising that move all segments alike cancel, and d_s = 0 is the
    sensitivity of all. d_s ~ N(0, ω²); a category's own d_cs ~ N(d_s, τ²), by one Newton step
    from d_s; both variances by moments (DerSimonian and Laird 1986).
    """
    n_segments = splits.baskets.shape[1]
    if n_segments == 1 or not len(splits.product):
        one = np.ones((len(category), n_segments))
        return SensitivityFactors(one, np.ones(n_segments), np.zeros(n_segments), 0.0, 0.0)
    d, information = np.zeros(n_segments), np.ones(n_segments)
    for _ in range(_NEWTON_STEPS):
        gradient, information = _slopes(splits, d)
        step = gradient.sum(axis=0) / information.sum(axis=0)
        d = d + step - step.mean()
        if np.abs(step - step.mean()).max() < _STEP_END:
            break
    between = _moment_variance(d, information.sum(axis=0))
    total = information.sum(axis=0)
    shrink = between * total / (between * total + 1.0)
    d = shrink * d
    gradient, information = _slopes(splits, d)
    by_category = np.zeros((2, n_categories, n_segments))
    np.add.at(by_category[0], category[splits.product], gradient)
    np.add.at(by_category[1], category[splits.product], information)
    known = by_category[1] > 0
    own = np.divide(by_category[0], by_category[1], out=np.zeros_like(by_category[0]), where=known)
    within = _moment_variance(own[known], by_category[1][known])
    own = own * within * by_category[1] / (within * by_category[1] + 1.0)
    factor = np.maximum(1.0 + d + own[category], 0.0)
    weight = purchase.visit_share * purchase.ratio
    mean = (weight * factor).sum(axis=1, keepdims=True)
    return SensitivityFactors(
        factor=np.where(mean > 0, factor / np.maximum(mean, 1e-300), 1.0),
        of_segment=1.0 + d,
        spread=np.sqrt(np.divide(shrink, total, out=np.zeros_like(total), where=total > 0)),
        between_segments=float(np.sqrt(between)),
        between_categories=float(np.sqrt(within)),
    )


def split_probability(splits: Splits, d: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows, segments) P(s | x, w) at (segments,) or (rows, segments) d."""
    log_p = splits.offset + d * splits.response[:, None]
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _slopes(
    splits: Splits, d: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rows, segments) gradient of the log-likelihood in d, and its (diagonal) information."""
    p = split_probability(splits, d)
    size = splits.baskets.sum(axis=1, keepdims=True)
    z = splits.response[:, None]
    return z * (splits.baskets - size * p), z**2 * size * p * (1.0 - p)


def _moment_variance(estimate: NDArray[np.float64], information: NDArray[np.float64]) -> float:
    """Variance of the truth behind estimates with variances 1/information, about 0."""
    n = len(estimate)
    spent = information.sum() - (information**2).sum() / max(information.sum(), 1e-300)
    excess = float((information * estimate**2).sum()) - n
    return max(excess / float(spent), 0.0) if spent > 0 else 0.0


def splits_of(
    orders: Orders,
    visit_segment: NDArray[np.int64],
    purchase: PurchaseRatios,
    panel: Panel,
    base_price: NDArray[np.float64],
    response_slope: NDArray[np.float64],
) -> Splits:
    """Purchases by segment of each half of the customers, at the prices that the other half paid.

    Parameters
    ----------
    panel
        the weekly panel of the weeks to learn from.
    base_price
        (products,) cents; nan where unknown.
    response_slope
        (products,) η(1 − q).
    """
    n_segments, weeks = len(purchase.visit_share), panel.n_weeks
    week = orders.week - panel.first_week
    inside = (week >= 0) & (week < weeks)
    half = customer_half(orders)
    visits = np.zeros((weeks, 2, n_segments))
    np.add.at(visits, (week[inside], half[inside], visit_segment[inside]), 1.0)

    visit, product = distinct_purchases(orders)
    visit, product = visit[inside[visit]], product[inside[visit]]
    cell = np.searchsorted(panel.product * weeks + panel.week, product * weeks + week[visit])
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = panel.price[cell, 1 - half[visit]] / base_price[product]
        z = response_slope[product] * (1.0 - ratio)
    near = (ratio <= FARTHEST_PRICE) & (ratio >= 1 / FARTHEST_PRICE)
    telling = np.isfinite(z) & (z != 0.0) & near
    rows, row = np.unique(cell[telling] * 2 + half[visit[telling]], return_inverse=True)
    baskets = np.zeros((len(rows), n_segments))
    np.add.at(baskets, (row, visit_segment[visit[telling]]), 1.0)
    response = np.zeros(len(rows))
    response[row] = z[telling]
    of_product, of_week = panel.product[rows // 2], panel.week[rows // 2]
    with np.errstate(divide="ignore"):
        offset = np.log(visits[of_week, rows % 2] * purchase.ratio[of_product])
    return Splits(of_product, baskets, offset, response)
