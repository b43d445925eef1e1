"""What one product's weeks say about its price sensitivity: a conditional Poisson likelihood.

Baskets of one half of the customers, y, in the weeks in which the other half paid a price p:

    y_w ~ Poisson(μ_w),   μ_w = visits_w · season_cw · exp(a_g + η·x_w),   x_w = (1 − q)(1 − p_w/r)

(the factor 1 − q turns the slope of the log-odds into that of the log-probability). The level a_g
is free in every block g of four consecutive weeks, so whatever moves slowly, a product's fashion
or its own season, says nothing about η: only short-run price changes do. Given the sum of a block,
its weeks are multinomial and a_g drops out exactly, which leaves a likelihood in η alone. A week
enters only when the other half shows its price, and whether it does says nothing about y given
the price: no selection.

A holiday of the product's own, or an advertised week, can make one occasion tell a lie that Poisson
noise cannot excuse. So the slope may wander from occasion to occasion (a product's block, both
halves) with variance ν², and no occasion counts for more than 1/ν²: its slope and curvature are
weighted by 1/(1 + ν²·curvature).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .panel import FARTHEST_PRICE, Panel

# Short against seasons and fashions, long enough to hold a price cut and the weeks around it.
# The pooled slope moves little with it (docs/learning.md shows 3 to 40 weeks).
BLOCK_WEEKS = 4


@dataclass(frozen=True, slots=True)
class ResponseData:
    """Weeks that can speak about price, sorted by product, occasion and half.

    Attributes
    ----------
    start
        (products + 1,) product x has the rows ``start[x]:start[x + 1]``.
    product, week, half
        (rows,) product, position of the week, and the half that bought.
    occasion
        (rows,) index of the product's four weeks, ascending.
    block
        (rows,) index of the occasion's half, ascending; rows of a block are contiguous.
    baskets
        (rows,) y.
    slope
        (rows,) x.
    exposure
        (rows,) visits_w · season_cw.
    n_set_aside
        weeks left out because the price lies beyond ``FARTHEST_PRICE`` times the base price.
    """

    start: NDArray[np.int64]
    product: NDArray[np.int64]
    week: NDArray[np.int64]
    half: NDArray[np.int8]
    occasion: NDArray[np.int64]
    block: NDArray[np.int64]
    baskets: NDArray[np.float64]
    slope: NDArray[np.float64]
    exposure: NDArray[np.float64]
    n_set_aside: int

    @property
    def n_products(self) -> int:
        return len(self.start) - 1

    def of_half(self, half: int) -> ResponseData:
        """The rows in which this half bought (and the other paid)."""
        return self._taken(self.half == half)

    def placebo(self, sensitivity: NDArray[np.float64]) -> ResponseData:
        """The same purchases with each block's prices turned round by half its length.

        What the true prices explain is moved into the exposure, so the turned ones should add
        nothing.
        """
        first = np.flatnonzero(np.diff(self.block, prepend=-1))
        size = np.diff(np.append(first, len(self.block)))
        begin, length = np.repeat(first, size), np.repeat(size, size)
        turned = begin + (np.arange(len(self.block)) - begin + length // 2) % length
        explained = self.exposure * np.exp(sensitivity[self.product] * self.slope)
        return replace(self, slope=self.slope[turned], exposure=explained)

    def slope_before(self, weeks: int) -> NDArray[np.float64]:
        """(rows,) x of the same product and half some weeks before; 0 where no row tells it."""
        span = self.week.max(initial=0) + weeks + 1
        key = (self.product * 2 + self.half) * span + self.week
        order = np.argsort(key)
        at = np.searchsorted(key[order], key - weeks)
        before = order[np.minimum(at, len(key) - 1)] if len(key) else at
        known = (key[before] == key - weeks) & (self.week >= weeks)
        return np.where(known, self.slope[before], 0.0)

    def _taken(self, keep: NDArray[np.bool_]) -> ResponseData:
        kept = np.concatenate([[0], np.cumsum(keep)])
        rows: dict[str, NDArray] = {
            name: getattr(self, name)[keep]
            for name in (
                "product",
                "week",
                "half",
                "occasion",
                "block",
                "baskets",
                "slope",
                "exposure",
            )
        }
        rows["occasion"] = np.unique(rows["occasion"], return_inverse=True)[1]
        return replace(self, start=kept[self.start], **rows)


def response_data(panel: Panel, base_price: NDArray[np.float64]) -> ResponseData:
    """Pair each half's baskets with the other half's prices, in blocks of ``BLOCK_WEEKS`` weeks.

    Products of which no block has two weeks at different prices are left with no rows: they say
    nothing about η.

    Parameters
    ----------
    base_price
        (products,) r in cents; nan or <= 0 where unknown.
    """
    cell_product = panel.product
    rate = panel.totals(panel.baskets.sum(axis=1)) / max(panel.visits.sum(), 1.0)
    rows, sides, slopes, set_aside = [], [], [], 0
    for half in (0, 1):
        price, base = panel.price[:, 1 - half], base_price[cell_product]
        priced = np.isfinite(price) & (base > 0)
        ratio = np.divide(price, base, out=np.ones_like(price), where=priced)
        near = (ratio <= FARTHEST_PRICE) & (ratio >= 1 / FARTHEST_PRICE)
        set_aside += int((priced & ~near).sum())
        row = np.flatnonzero(priced & near)
        rows.append(row)
        sides.append(np.full(len(row), half, dtype=np.int8))
        slopes.append((1.0 - rate[cell_product[row]]) * (1.0 - ratio[row]))
    row, half, slope = np.concatenate(rows), np.concatenate(sides), np.concatenate(slopes)
    product, week = cell_product[row], panel.week[row].astype(np.int64)
    baskets = panel.baskets[row, half.astype(np.int64)]

    occasions_each = panel.n_weeks // BLOCK_WEEKS + 1
    occasion = product * occasions_each + panel.n_weeks // BLOCK_WEEKS
    occasion -= (panel.n_weeks - 1 - week) // BLOCK_WEEKS
    key = occasion * 2 + half
    order = np.lexsort((week, key))
    block = np.unique(key[order], return_inverse=True)[1]
    telling = _telling_blocks(block, baskets[order], slope[order])[block]
    kept, block = order[telling], np.unique(block[telling], return_inverse=True)[1]
    product, week, half = product[kept], week[kept], half[kept]
    occasion = np.unique(occasion[kept], return_inverse=True)[1]
    start = np.searchsorted(product, np.arange(panel.n_products + 1))
    exposure = panel.visits[week, half.astype(np.int64)]
    return ResponseData(
        start, product, week, half, occasion, block, baskets[kept], slope[kept], exposure, set_aside
    )


def _telling_blocks(
    block: NDArray[np.int64], baskets: NDArray[np.float64], slope: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(blocks,) whether the block has purchases and prices that differ."""
    n = int(block[-1]) + 1 if len(block) else 0
    lowest, highest = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(lowest, block, slope)
    np.maximum.at(highest, block, slope)
    return (np.bincount(block, weights=baskets, minlength=n) > 0) & (highest > lowest)


def expected_baskets(
    data: ResponseData, sensitivity: NDArray[np.float64], exposure: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(rows,) baskets expected given each block's sum, and each row's share of its block."""
    weight = exposure * np.exp(sensitivity[data.product] * data.slope)
    share = weight / np.bincount(data.block, weights=weight)[data.block]
    return np.bincount(data.block, weights=data.baskets)[data.block] * share, share


def posterior_mode(
    data: ResponseData,
    location: NDArray[np.float64],
    scale: NDArray[np.float64],
    dispersion: NDArray[np.float64],
    wandering: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mode of η under a normal prior, and the information the likelihood holds there.

    Newton's method on the concave log-posterior
    Σ_g [Σ y·η·x − Y_g·log Σ exposure·exp(η·x)]/dispersion − (η − location)²/(2·scale²).

    Parameters
    ----------
    location, scale
        (products,) normal prior.
    dispersion
        (products,) variance of the baskets over their mean, >= 1.
    wandering
        ν², variance of the slope from occasion to occasion.

    Returns
    -------
    mode, information
        (products,); information is 0 for a product without rows.
    """
    return _newton(
        data.start,
        data.occasion,
        data.block,
        data.baskets,
        data.slope,
        data.exposure,
        location,
        scale,
        dispersion,
        wandering,
    )


def wandering_variance(
    data: ResponseData, mode: NDArray[np.float64], dispersion: NDArray[np.float64]
) -> float:
    """ν²: how far slopes differ between the occasions of a product, beyond their noise.

    An occasion with gradient g and curvature h at the product's η, both over the dispersion, has
    E g² = h + ν²h². The moment estimate weights each by its precision at the ν² found so far.
    """
    gradient, curvature = _by_occasion(
        data.start, data.occasion, data.block, data.baskets, data.slope, data.exposure, mode
    )
    first = np.flatnonzero(np.diff(data.occasion, prepend=-1))
    noise = dispersion[data.product[first]]
    g, h = gradient / noise, curvature / noise
    found = 1.0
    for _ in range(5):
        weight = np.divide(1.0, (h + found * h**2) ** 2, out=np.zeros_like(h), where=h > 0)
        base = float((weight * h**4).sum())
        found = float((weight * h**2 * (g**2 - h)).sum()) / base if base > 0 else 0.0
        found = max(found, 0.0)
    return found


@njit(cache=True)
def _newton(
    start, occasion, block, baskets, slope, exposure, location, scale, dispersion, wandering
):
    n = len(start) - 1
    mode, information = location.copy(), np.zeros(n)
    for x in range(n):
        if start[x] == start[x + 1]:
            continue
        prior = 1.0 / scale[x] ** 2
        for _ in range(50):
            gradient = information[x] = 0.0
            i = start[x]
            while i < start[x + 1]:
                i, g, h = _of_occasion(i, occasion, block, baskets, slope, exposure, mode[x])
                weight = 1.0 / (dispersion[x] + wandering * h)
                gradient += weight * g
                information[x] += weight * h
            step = gradient - prior * (mode[x] - location[x])
            step /= information[x] + prior
            step = min(max(step, -2.0), 2.0)
            mode[x] += step
            if abs(step) < 1e-7:
                break
    return mode, information


@njit(cache=True)
def _by_occasion(start, occasion, block, baskets, slope, exposure, mode):
    n = occasion[-1] + 1 if len(occasion) else 0
    gradient, curvature = np.zeros(n), np.zeros(n)
    k = 0
    for x in range(len(start) - 1):
        i = start[x]
        while i < start[x + 1]:
            i, gradient[k], curvature[k] = _of_occasion(
                i, occasion, block, baskets, slope, exposure, mode[x]
            )
            k += 1
    return gradient, curvature


@njit(cache=True)
def _of_occasion(first, occasion, block, baskets, slope, exposure, eta):
    """Where the occasion ends, and first and minus second derivative of its log-likelihood."""
    gradient = curvature = 0.0
    i = first
    while i < len(occasion) and occasion[i] == occasion[first]:
        current = block[i]
        weight_sum = first_moment = second_moment = total = paired = 0.0
        while i < len(block) and block[i] == current:
            weight = exposure[i] * np.exp(eta * slope[i])
            weight_sum += weight
            first_moment += weight * slope[i]
            second_moment += weight * slope[i] * slope[i]
            total += baskets[i]
            paired += baskets[i] * slope[i]
            i += 1
        mean = first_moment / weight_sum
        gradient += paired - total * mean
        curvature += total * max(second_moment / weight_sum - mean * mean, 0.0)
    return i, gradient, curvature
