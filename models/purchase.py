"""Purchase probability q at the reference price: recent weeks, shrunk to the past and category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .gamma_poisson import fitted_strength
from .panel import FARTHEST_PRICE, Panel

_HALF_LIVES = (1.0, 2.0, 4.0, 8.0, 13.0, 26.0, 52.0, np.inf)  # weeks
_RECENT_STRENGTHS = (0.1, 0.3, 1.0, 2.5, 6.0, 15.0, 40.0, 100.0, 300.0, 1000.0)  # baskets
_ORIGINS = 8  # forecasts that the settings are validated on
_HIGHEST = 0.999


@dataclass(frozen=True, slots=True)
class Level:
    """How much the past weighs.

    Attributes
    ----------
    half_life
        weeks after which a week counts half; inf weighs all alike.
    recent_strength
        k, baskets that a product's long-run rate is worth beside its recent ones. Where rates are
        steady it is large, whatever the half-life.
    category_strength
        c, baskets that the category's mean rate is worth beside the product's long run: the shape
        of the gamma that rates vary with within a category.
    """

    half_life: float
    recent_strength: float
    category_strength: float


@dataclass(frozen=True, slots=True)
class Purchase:
    """Forecast of the purchase probability per visit, at the base price.

    Attributes
    ----------
    probability
        (products,) 0 where nothing was ever bought.
    spread
        (products,) posterior standard deviation of log q for a single week.
    level
        the settings, fitted and validated inside the training weeks.
    forecast_variance
        variance of log q from week to week that the counts do not explain, as forecasts inside
        the training weeks missed it; 0 where a single week leaves none to make.
    n_bounded
        products whose probability was bounded at 0.999.
    """

    probability: NDArray[np.float64]
    spread: NDArray[np.float64]
    level: Level
    forecast_variance: float
    n_bounded: int


def fit_purchase(
    panel: Panel,
    base_price: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    sensitivity_spread: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
    *,
    horizon: int,
    half: int | None = None,
) -> Purchase:
    """Forecast q for the weeks after the panel.

    With a and e the recency-weighted baskets and visits (each visit counted with the price
    response exp(η(1 − q)(1 − p/r)) of its week, which carries q to the base price r), A and E
    the same without recency, m the category's mean rate, k and c the two strengths:

        long run = (A + c)/(E + c/m),   q = (a + k)/(e + k/long run)

    c has the highest marginal likelihood; half-life and k are those that forecast best inside
    the training weeks.

    Parameters
    ----------
    sensitivity, sensitivity_spread
        (products,) η, and its posterior standard deviation, which adds to that of log q as far
        as q was carried; zeros leave prices out.
    horizon
        weeks ahead the forecast is for, >= 1.
    half
        forecast for this half of the customers only (the long run still uses both).
    """
    history = _history(panel, base_price, sensitivity, half)
    end = panel.n_weeks
    origins = forecast_origins(end)
    level = _best_level(history, category, n_categories, origins, horizon)
    probability, counted = _forecast(history, category, n_categories, end, level)
    forecast_variance = _forecast_variance(history, category, n_categories, origins, horizon, level)
    other = _history(panel, base_price, sensitivity + sensitivity_spread, half)
    other_probability, _ = _forecast(other, category, n_categories, end, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        carried = np.nan_to_num(np.log(other_probability / probability))
    bounded = probability > _HIGHEST
    return Purchase(
        np.minimum(probability, _HIGHEST),
        np.sqrt(counted + carried**2 + forecast_variance),
        level,
        forecast_variance,
        int(bounded.sum()),
    )


def forecast_origins(end: int) -> list[int]:
    """Weeks of the second half, from each of which the weeks after it are forecast.

    As many weeks as the horizon, or as are left: a last quarter that is forecast once, as far
    ahead as it is long, would let a single run of weeks choose the settings.
    """
    half = (end + 1) // 2
    return sorted({half + (end - half) * i // _ORIGINS for i in range(_ORIGINS)} - {end})


def price_paths(
    panel: Panel, base_price: NDArray[np.float64], slope: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(halves, products, weeks) exp(slope·(1 − p/r)): the response to the prices a half met.

    A half's prices are those the other half paid, carried forward over the weeks in which that
    half bought none, and the base price before the first of them. The relative price is taken
    as no farther from 1 than ``FARTHEST_PRICE``; ``price_response`` counts such weeks.
    """
    return np.stack(
        [
            _paths(
                panel.start,
                panel.week,
                panel.price[:, 1 - half],
                base_price,
                slope,
                panel.n_weeks,
                FARTHEST_PRICE,
            )
            for half in (0, 1)
        ]
    )


@dataclass(frozen=True, slots=True)
class _History:
    """(products, weeks) baskets and price-corrected visits: of whom we forecast, and of all."""

    baskets: NDArray[np.float32]
    visits: NDArray[np.float32]
    all_baskets: NDArray[np.float32]
    all_visits: NDArray[np.float32]


def _history(
    panel: Panel,
    base_price: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    half: int | None,
) -> _History:
    rate = panel.totals(panel.baskets.sum(axis=1)) / max(panel.visits.sum(), 1.0)
    paths = price_paths(panel, base_price, sensitivity * (1.0 - rate))
    visits = [paths[f] * panel.visits[:, f].astype(np.float32) for f in (0, 1)]
    baskets = np.zeros((2, panel.n_products, panel.n_weeks), dtype=np.float32)
    baskets[:, panel.product, panel.week] = panel.baskets.T
    all_baskets, all_visits = baskets[0] + baskets[1], visits[0] + visits[1]
    if half is None:
        return _History(all_baskets, all_visits, all_baskets, all_visits)
    return _History(baskets[half], visits[half], all_baskets, all_visits)


def _recent(
    history: _History, end: int, half_life: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(products,) recency-weighted baskets a and visits e of the weeks before ``end``."""
    weight = (0.5 ** (np.arange(end - 1, -1, -1) / half_life)).astype(np.float32)
    baskets, visits = history.baskets[:, :end] @ weight, history.visits[:, :end] @ weight
    return baskets.astype(np.float64), visits.astype(np.float64)


def _long_run(history: _History, end: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(products,) baskets A and visits E of all customers in the weeks before ``end``."""
    baskets = history.all_baskets[:, :end].sum(axis=1, dtype=np.float64)
    return baskets, history.all_visits[:, :end].sum(axis=1, dtype=np.float64)


def _category_rate(
    baskets: NDArray[np.float64],
    visits: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
) -> NDArray[np.float64]:
    """(products,) mean rate of the bought products of each category, itself worth one basket
    of the mean of all."""
    bought = baskets > 0
    overall = baskets[bought].sum() / max(visits[bought].sum(), 1e-300)
    seen = np.bincount(category[bought], baskets[bought], minlength=n_categories)
    exposed = np.bincount(category[bought], visits[bought], minlength=n_categories)
    return ((seen + 1.0) / (exposed + 1.0 / max(overall, 1e-300)))[category]


def _forecast(
    history: _History,
    category: NDArray[np.int32],
    n_categories: int,
    end: int,
    level: Level,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(products,) q from the weeks before ``end``, and the variance of log q from the counts.

    The variance is that of the two gammas in turn, 1/(a + k) + (k/(a + k))²/(A + c), and not
    below 1/(A + c), which all the baskets there are would give.
    """
    k, c = level.recent_strength, level.category_strength
    all_baskets, all_visits = _long_run(history, end)
    recent, exposed = _recent(history, end, level.half_life)
    mean = _category_rate(all_baskets, all_visits, category, n_categories)
    long_run = (all_baskets + c) / (all_visits + c / mean)
    q = np.where(all_baskets > 0, (recent + k) / (exposed + k / long_run), 0.0)
    variance = 1 / (recent + k) + (k / (recent + k)) ** 2 / (all_baskets + c)
    return q, np.maximum(variance, 1 / (all_baskets + c))


def _best_level(
    history: _History,
    category: NDArray[np.int32],
    n_categories: int,
    origins: list[int],
    horizon: int,
) -> Level:
    """Half-life and k with the highest Poisson likelihood Σ y·log q − q·visits after the origins.

    c is fitted beforehand, not chosen by forecasts: these would raise it where the products
    were picked for selling well later, as those of the held-out scores are.
    """
    all_baskets, all_visits = _long_run(history, history.baskets.shape[1])
    mean = _category_rate(all_baskets, all_visits, category, n_categories)
    some = (all_baskets > 0) & (all_visits > 0)
    c, _ = fitted_strength(all_baskets[some], (all_visits * mean)[some])
    score: dict[Level, float] = {}
    for origin in origins:
        after = slice(origin, origin + horizon)
        all_baskets, all_visits = _long_run(history, origin)
        bought = np.flatnonzero(all_baskets > 0)
        y = history.baskets[bought, after].sum(axis=1, dtype=np.float64)
        exposed = history.visits[bought, after].sum(axis=1, dtype=np.float64)
        mean = _category_rate(all_baskets, all_visits, category, n_categories)[bought]
        for half_life in _HALF_LIVES:
            recent, visits = (part[bought] for part in _recent(history, origin, half_life))
            for k in _RECENT_STRENGTHS:
                level = Level(half_life, k, c)
                value = _likelihood(
                    recent, visits, all_baskets[bought], all_visits[bought], mean, k, c, y, exposed
                )
                score[level] = score.get(level, 0.0) + value
    if not score:
        return Level(np.inf, 1.0, c)
    return max(score, key=lambda level: score[level])


def _forecast_variance(
    history: _History,
    category: NDArray[np.int32],
    n_categories: int,
    origins: list[int],
    horizon: int,
    level: Level,
) -> float:
    """Moment estimate of Var(log q) beyond the counts: [(y − μ)² − μ − μ²v]/μ², weighted.

    From product-weeks with at least one basket expected: of rarer products the counts' own
    variance v is nearly all there is, and a few that come or go would stand for all.
    """
    over = base = 0.0
    for origin in origins:
        after = slice(origin, origin + horizon)
        q, counted = _forecast(history, category, n_categories, origin, level)
        mu = q[:, None] * history.visits[:, after].astype(np.float64)
        y = history.baskets[:, after].astype(np.float64)
        weight = np.where(mu >= 1, 1 / (1 + mu) ** 2, 0.0)
        over += float((weight * ((y - mu) ** 2 - mu - mu**2 * counted[:, None])).sum())
        base += float((weight * mu**2).sum())
    return max(over / base, 0.0) if base > 0 else 0.0


@njit(cache=True)
def _likelihood(recent, visits, all_baskets, all_visits, mean, k, c, y, exposed):
    """Σ y·log q − q·exposed, with q as in ``_forecast``."""
    total = 0.0
    for x in range(len(y)):
        long_run = (all_baskets[x] + c) / (all_visits[x] + c / mean[x])
        q = (recent[x] + k) / (visits[x] + k / long_run)
        total -= q * exposed[x]
        if y[x] > 0.0:
            total += y[x] * np.log(q)
    return total


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
