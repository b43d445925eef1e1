"""The response to the prices that a half of the customers met, as far as these are known.

A half's prices are those that the other half paid. Where that half bought none of a product the
price of the week is not known, and the last one shown is only a guess at it: promotions last a
week or two. Taken at its word, a carried price makes a product look promoted more often than it
is. So the response to it is expected, not looked up:

    response = shown·R + (1 − shown)·[held·R + (1 − held)·usual],   R = exp(slope·(1 − p/r))

``shown`` is 1 or 0 in weeks that were seen, and in weeks to come the share of the product's weeks
that showed a price: whether the other half bought is not known beforehand. ``held`` is how much a
carried price still says, fitted for all products together. ``usual`` is the product's mean response
over weeks that show no price: those that do, each weighted by the odds that the other half would
have bought none, exp(−λ)/(1 − exp(−λ)) with λ the baskets expected of it; by exp(−λ) where a table
states the price, so that it is known whoever buys.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .panel import FARTHEST_PRICE, Panel

_HELD = np.linspace(0.0, 1.0, 11)
_MOVES = 1e-3  # a response that varies less does not tell what a carried price is worth


def price_paths(
    panel: Panel, base_price: NDArray[np.float64], slope: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(halves, products, weeks) exp(slope·(1 − p/r)) at the last price shown.

    Prices are those the other half paid, carried forward over the weeks in which that half bought
    none, and the base price before the first of them. The relative price is taken as no farther
    from 1 than ``FARTHEST_PRICE``; ``price_response`` counts such weeks.
    """
    return np.stack(
        [
            _paths(
                panel.start,
                panel.week,
                panel.met_price[:, 1 - half],
                base_price,
                slope,
                panel.n_weeks,
                FARTHEST_PRICE,
            )
            for half in (0, 1)
        ]
    )


def met_responses(
    panel: Panel,
    base_price: NDArray[np.float64],
    slope: NDArray[np.float64],
    held: float,
    known: int,
) -> NDArray[np.float32]:
    """(halves, products, weeks) the response that each half of the customers is expected to show.

    Parameters
    ----------
    slope
        (products,) η(1 − q).
    held
        what a carried price still says, as ``fit_held`` finds it.
    known
        weeks that were seen; of the weeks after them nothing is used but the last price shown.
    """
    response, shown = price_paths(panel, base_price, slope), _shown(panel)
    usual = _usual(panel, response, shown, known)[:, :, None]
    chance = ((shown[:, :, :known].sum(axis=2) + 0.5) / (known + 1.0)).astype(np.float32)
    carried = held * response + (1.0 - held) * usual
    now, later = np.s_[:, :, :known], np.s_[:, :, known:]
    met = np.where(shown, response, carried)
    met[later] = carried[later] + chance[:, :, None] * (response[later] - carried[later])
    met[now] = np.where(shown[now], response[now], carried[now])
    return met


def fit_held(panel: Panel, base_price: NDArray[np.float64], slope: NDArray[np.float64]) -> float:
    """How much a carried price says: the share with the highest Poisson likelihood.

    Of the products whose response varies, purchases of weeks that show a price and of those that
    do not, at the product's own level; the latter have a factor of their own, since a week in
    which the other half bought none is a slow one.
    """
    response, shown = price_paths(panel, base_price, slope), _shown(panel)
    varies = np.ptp(response, axis=2).max(axis=0) > _MOVES
    if not varies.any():
        return 1.0
    usual = _usual(panel, response, shown, panel.n_weeks)[:, varies, None]
    response, shown = response[:, varies], shown[:, varies]
    baskets = _dense(panel)[:, varies]
    visits = panel.visits.T[:, None, :]
    seen = np.where(shown, visits * response, 0.0).sum(axis=2)
    total = baskets.sum(axis=2)
    hidden = np.where(shown, 0.0, visits)
    slow = np.where(shown, 0.0, baskets)
    scores = []
    for held in _HELD:
        carried = held * response + (1.0 - held) * usual
        exposed, factor = (hidden * carried).sum(axis=2), 1.0
        for _ in range(5):  # settles in two or three
            level = total / np.maximum(seen + factor * exposed, 1e-9)
            factor = slow.sum() / max(float((level * exposed).sum()), 1e-9)
        level = total / np.maximum(seen + factor * exposed, 1e-9)
        value = float((slow * np.log(carried)).sum()) + slow.sum() * np.log(max(factor, 1e-9))
        scores.append(value + float((total * np.log(np.maximum(level, 1e-300))).sum()))
    return float(_HELD[int(np.argmax(scores))])


def _dense(panel: Panel) -> NDArray[np.float32]:
    baskets = np.zeros((2, panel.n_products, panel.n_weeks), dtype=np.float32)
    baskets[:, panel.product, panel.week] = panel.baskets.T
    return baskets


def _shown(panel: Panel) -> NDArray[np.bool_]:
    """(halves, products, weeks) whether the other half showed a price."""
    shown = np.zeros((2, panel.n_products, panel.n_weeks), dtype=np.bool_)
    shown[:, panel.product, panel.week] = np.isfinite(panel.met_price[:, ::-1]).T
    return shown


def _usual(
    panel: Panel, response: NDArray[np.float32], shown: NDArray[np.bool_], known: int
) -> NDArray[np.float32]:
    """(halves, products) mean response of weeks that show no price; 1 where none shows any."""
    baskets, usual = _dense(panel)[:, :, :known], np.ones(response.shape[:2], dtype=np.float32)
    stated = np.zeros(response.shape[1:], dtype=np.bool_)
    if panel.stated is not None:
        stated[panel.product, panel.week] = panel.stated
    stated = stated[:, :known]
    for half in (0, 1):
        of_half, seen = response[half, :, :known], shown[half, :, :known]
        visits = panel.visits[:known, 1 - half].astype(np.float32)
        rate = baskets[1 - half].sum(axis=1) / np.maximum(of_half @ visits, 1e-9)
        expected = np.maximum(rate[:, None] * visits * of_half, 1e-9)
        expected = np.minimum(expected, 80.0)
        odds = np.where(stated, np.exp(-expected), 1.0 / np.expm1(expected)) * seen
        weight = odds.sum(axis=1)
        some = weight > 0
        usual[half, some] = (odds * of_half).sum(axis=1)[some] / weight[some]
    return usual


@njit(cache=True)
def _paths(start, week, price, base_price, slope, n_weeks, farthest):
    n = len(start) - 1
    out = np.ones((n, n_weeks), dtype=np.float32)
    for x in range(n):
        if not base_price[x] > 0.0:
            continue
        response = 1.0
        cell = start[x]
        for w in range(n_weeks):
            if cell < start[x + 1] and week[cell] == w:
                if price[cell] > 0.0:
                    ratio = min(max(price[cell] / base_price[x], 1.0 / farthest), farthest)
                    response = np.exp(slope[x] * (1.0 - ratio))
                cell += 1
            out[x, w] = response
    return out
