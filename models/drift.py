"""How the level of a product drifts: half-lives mixed, products gone, baskets growing or shrinking.

The rate of the weeks to come is foretold by a mixture of the rates of the weeks past, each product
weighing its past with half-lives from one week to for ever:

    q = long run · trip size · alive(silence) · Σ_i weight_i·(a_i + 1)/(e_i·long run + 1)

a_i and e_i are baskets and price-corrected visits with half-life i, of the customers who are
forecast and of all customers; one basket of the long run steadies each rate. ``alive`` lowers the
level of a product that nobody bought lately, by the baskets that were expected since it was last
bought: it may have left the shelf. ``trip size`` is what a visit holds beside what levels expect.
Weights and factors are those that forecast best inside the training weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .gamma_poisson import fitted_strength

HALF_LIVES = (1.0, 2.0, 4.0, 8.0, 16.0, np.inf)  # weeks
SILENCES = (0.5, 1.0, 2.0, 4.0, 8.0)  # baskets expected since the last one, upper ends of classes
_TRIP_HALF_LIFE = 13.0  # weeks; between 8 and for ever the forecasts hardly differ
_ORIGINS = 8  # forecasts that the settings are validated on
_ABSENT = 4.0  # a product on the shelf is that long not bought in one of fifty cases, exp(-4)
_RARE = 0.01  # quantile of baskets that the rarest products of the panel are taken to have
_ROUNDS, _SETTLED = 1000, 1e-8  # of expectation and maximisation; relative gain of a round


@dataclass(frozen=True, slots=True)
class History:
    """(products, weeks) baskets and price-corrected visits: of whom we forecast, and of all."""

    baskets: NDArray[np.float32]
    visits: NDArray[np.float32]
    all_baskets: NDArray[np.float32]
    all_visits: NDArray[np.float32]

    @property
    def n_weeks(self) -> int:
        return self.baskets.shape[1]


@dataclass(frozen=True, slots=True)
class Level:
    """How much the past weighs.

    Attributes
    ----------
    own_weights, all_weights
        (half-lives,) of the rates of the customers who are forecast and of those of all customers,
        by ``HALF_LIVES``; where all are forecast, ``all_weights`` is 0. Their sum is the level that
        products keep on average.
    alive
        (silences + 1,) factor by class of ``SILENCES``.
    category_strength
        c, baskets that the category's mean rate is worth beside the product's long run: the shape
        of the gamma that rates vary with within a category.
    trip_size
        (weeks,) baskets of a week, over what visits and levels expect.
    """

    own_weights: NDArray[np.float64]
    all_weights: NDArray[np.float64]
    alive: NDArray[np.float64]
    category_strength: float
    trip_size: NDArray[np.float64]

    @property
    def memory(self) -> float:
        """Share of the weight that lies on half-lives of 8 weeks and more."""
        weights = self.own_weights + self.all_weights
        long = np.array(HALF_LIVES) >= 8
        return float(weights[long].sum() / weights.sum())


def fit_level(
    history: History, category: NDArray[np.int32], n_categories: int, horizon: int
) -> Level:
    """The level that forecasts best inside the training weeks, ``horizon`` weeks ahead.

    A product takes part in a forecast if it had as many baskets by then as the rarest products of
    the panel have now. Where the panel holds the products that sold best, others would be in it
    because they sold well later, and the forecast would learn that products grow.
    """
    strength = _category_strength(history, category, n_categories)
    end = history.n_weeks
    trip_size = _trip_sizes(history)
    families = 1 if history.baskets is history.all_baskets else 2
    long_only = np.zeros((families, len(HALF_LIVES)))
    long_only[0, -1] = 1.0
    alike = np.ones(len(SILENCES) + 1)
    level = _level(long_only, alike, strength, trip_size)
    totals = history.all_baskets.sum(axis=1)
    rarest = max(float(np.quantile(totals[totals > 0], _RARE)), 1.0) if totals.any() else 1.0
    parts = []
    for origin in forecast_origins(end):
        past = _Past.of(history, origin, level, category, n_categories)
        rows = np.flatnonzero(past.total >= rarest)
        after = slice(origin, min(origin + horizon, end))
        seen = history.baskets[rows, after].sum(axis=1, dtype=np.float64)
        exposed = history.visits[rows, after] @ trip_size[after]
        parts.append((past.ratios()[rows], past.silence[rows], seen, exposed * past.long_run[rows]))
    ratios, silence, seen, exposed = (
        (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else _NOTHING
    )
    if not seen.any():
        return level
    weights = _mixture(ratios, seen, exposed)
    expected = exposed * (ratios @ weights)
    alive = _alive(silence, seen, expected)
    weights = weights.reshape(families, -1)
    return _level(weights, alive, strength, trip_size)


_NOTHING = (np.zeros((0, 0)), np.zeros(0), np.zeros(0), np.zeros(0))


def forecast_level(
    history: History, category: NDArray[np.int32], n_categories: int, end: int, level: Level
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """q from the weeks before ``end``, and what the counts leave open of it.

    Returns
    -------
    probability
        (products,) 0 where nothing was bought.
    variance
        (products,) of log q: each past basket is Poisson and enters with the weight of its week,
        the long run's basket with that of all; not below 1/(A + c), which all the baskets there
        are would give.
    """
    past = _Past.of(history, end, level, category, n_categories)
    families = past.seen.shape[0]
    weights = np.stack([level.own_weights, level.all_weights])[:families]
    kernel = weights[:, None, :] / (past.exposed + 1.0 / past.long_run[:, None])
    rate = (kernel * (past.seen + 1.0)).sum(axis=(0, 2))
    q = rate * level.alive[_silence_class(past.silence)] * _coming_trip_size(level, end)
    weekly = kernel @ _decay(end).T  # (families, products, weeks)
    counts = [history.baskets[:, :end]]
    if families == 2:
        weekly[0] += weekly[1]
        counts.append(history.all_baskets[:, :end] - history.baskets[:, :end])
    squares = sum((n * w**2).sum(axis=1) for n, w in zip(counts, weekly, strict=True))
    squares = squares + kernel.sum(axis=(0, 2)) ** 2
    variance = np.divide(squares, rate**2, out=np.ones_like(rate), where=rate > 0)
    least = 1.0 / (past.total + level.category_strength)
    return np.where(past.total > 0, q, 0.0), np.maximum(variance, least)


def forecast_origins(end: int) -> list[int]:
    """Weeks after the first third, from each of which the weeks after it are forecast.

    As many weeks as the horizon, or as are left: a last quarter that is forecast once, as far
    ahead as it is long, would let a single run of weeks choose the settings.
    """
    third = (end + 2) // 3
    return sorted({third + (end - third) * i // _ORIGINS for i in range(_ORIGINS)} - {end})


@dataclass(frozen=True, slots=True)
class _Past:
    """What is known of each product at the end of some week.

    Attributes
    ----------
    seen, exposed
        (families, products, half-lives) decayed baskets and visits, of the customers who are
        forecast and, unless they are all, of all customers.
    long_run
        (products,) rate of all customers, shrunk to the category.
    total
        (products,) baskets of all customers.
    silence
        (products,) baskets expected since anybody last bought it.
    """

    seen: NDArray[np.float64]
    exposed: NDArray[np.float64]
    long_run: NDArray[np.float64]
    total: NDArray[np.float64]
    silence: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        history: History,
        end: int,
        level: Level,
        category: NDArray[np.int32],
        n_categories: int,
    ) -> _Past:
        trip, c = level.trip_size[:end].astype(np.float32), level.category_strength
        all_baskets, all_visits = history.all_baskets[:, :end], history.all_visits[:, :end] * trip
        families = [(all_baskets, all_visits)]
        if history.baskets is not history.all_baskets:
            families.insert(0, (history.baskets[:, :end], history.visits[:, :end] * trip))
        decay = _decay(end).astype(np.float32)
        seen, exposed = (np.stack([f[i] @ decay for f in families]).astype(float) for i in (0, 1))
        total = all_baskets.sum(axis=1, dtype=np.float64)
        visits = all_visits.sum(axis=1, dtype=np.float64)
        mean = category_rate(total, visits, category, n_categories)
        long_run = (total + c) / (visits + c / mean)
        ages = np.where(all_baskets[:, ::-1] > 0, np.arange(end), end).min(axis=1)
        since = np.where(np.arange(end - 1, -1, -1) < ages[:, None], all_visits, 0.0)
        return cls(seen, exposed, long_run, total, since.sum(axis=1, dtype=np.float64) * long_run)

    def ratios(self) -> NDArray[np.float64]:
        """(products, families · half-lives) each rate over the long run."""
        ratio = (self.seen + 1.0) / (self.exposed * self.long_run[:, None] + 1.0)
        return np.concatenate(list(ratio), axis=1)


def category_rate(
    baskets: NDArray[np.float64],
    visits: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
) -> NDArray[np.float64]:
    """(products,) mean rate of the bought products of each category, itself worth one basket
    of the mean of all."""
    bought = baskets > 0
    overall = max(float(baskets[bought].sum() / max(visits[bought].sum(), 1e-300)), 1e-300)
    seen = np.bincount(category[bought], baskets[bought], minlength=n_categories)
    exposed = np.bincount(category[bought], visits[bought], minlength=n_categories)
    return ((seen + 1.0) / (exposed + 1.0 / overall))[category]


def _category_strength(history: History, category: NDArray[np.int32], n_categories: int) -> float:
    """c, fitted to the totals, not chosen by forecasts: these would raise it where the products
    were picked for selling well later, as those of the held-out scores are."""
    baskets = history.all_baskets.sum(axis=1, dtype=np.float64)
    visits = history.all_visits.sum(axis=1, dtype=np.float64)
    mean = category_rate(baskets, visits, category, n_categories)
    some = (baskets > 0) & (visits > 0)
    return fitted_strength(baskets[some], (visits * mean)[some])[0]


def _trip_sizes(history: History) -> NDArray[np.float64]:
    """(weeks,) baskets over those expected at every product's mean rate; 1 where none are.

    A product takes part while it is on the shelf: from ``_ABSENT`` expected baskets before it was
    first bought to as many after it was last bought. Trips do not shrink because products leave.
    """
    rate = _mean_rate(history.all_baskets, history.all_visits)
    expected = history.all_visits * rate[:, None].astype(np.float32)
    bought = history.all_baskets > 0
    before = np.where(_since(bought[:, ::-1]), expected[:, ::-1], 0).cumsum(axis=1)[:, ::-1]
    after = np.where(_since(bought), expected, 0).cumsum(axis=1)
    on_shelf = (before <= _ABSENT) & (after <= _ABSENT)
    visits = np.where(on_shelf, history.all_visits, 0)
    foretold = _mean_rate(history.all_baskets, visits) @ visits
    seen = history.all_baskets.sum(axis=0, dtype=np.float64)
    return np.divide(seen, foretold, out=np.ones_like(seen), where=(foretold > 0) & (seen > 0))


def _since(bought: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(products, weeks) whether the product is bought in no later week, nor in this one."""
    return ~np.logical_or.accumulate(bought[:, ::-1], axis=1)[:, ::-1]


def _mean_rate(baskets: NDArray[np.float32], visits: NDArray[np.float32]) -> NDArray[np.float64]:
    seen, exposed = (part.sum(axis=1, dtype=np.float64) for part in (baskets, visits))
    return np.divide(seen, exposed, out=np.zeros_like(seen), where=exposed > 0)


def _coming_trip_size(level: Level, end: int) -> float:
    """Mean of the trip sizes before ``end``, the recent ones weighing more."""
    weight = 0.5 ** (np.arange(end - 1, -1, -1) / _TRIP_HALF_LIFE)
    return float(level.trip_size[:end] @ weight / weight.sum())


def _mixture(
    ratios: NDArray[np.float64], seen: NDArray[np.float64], exposed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(columns,) weights w >= 0 that maximise Σ y·log(e·Cw) − e·Cw, from equal ones by EM.

    w_i ← w_i·Σ_x y_x·C_xi/(Cw)_x / Σ_x e_x·C_xi. The likelihood is concave; near its top, which is
    flat, the weights are left as even as they are.
    """
    bought = seen > 0
    held, y = ratios[bought], seen[bought]
    exposure = ratios.T @ exposed
    weights = np.full(ratios.shape[1], 1.0 / ratios.shape[1])
    before = -np.inf
    for _ in range(_ROUNDS):
        mixed = held @ weights
        value = float(y @ np.log(mixed) - exposure @ weights)
        if value - before < _SETTLED * y.sum():
            break
        before = value
        weights *= (held.T @ (y / mixed)) / exposure
    return weights


def _alive(
    silence: NDArray[np.float64], seen: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(classes,) baskets over expected by class of silence, shrunk to 1 by a fitted strength."""
    at, classes = _silence_class(silence), len(SILENCES) + 1
    found = np.bincount(at, seen, minlength=classes).astype(np.float64)
    foretold = np.bincount(at, expected, minlength=classes).astype(np.float64)
    some = foretold > 0
    strength, _ = fitted_strength(found[some], foretold[some])
    return (found + strength) / (foretold + strength)


def _silence_class(silence: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.searchsorted(np.array(SILENCES), silence)


def _decay(end: int) -> NDArray[np.float64]:
    """(weeks, half-lives) weight of each week before ``end``."""
    return 0.5 ** (np.arange(end - 1, -1, -1)[:, None] / np.array(HALF_LIVES))


def _level(
    weights: NDArray[np.float64],
    alive: NDArray[np.float64],
    strength: float,
    trip_size: NDArray[np.float64],
) -> Level:
    of_all = weights[1] if len(weights) == 2 else np.zeros(len(HALF_LIVES))
    return Level(weights[0], of_all, alive, strength, trip_size)
