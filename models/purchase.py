"""Purchase probability q at the reference price, foretold for the weeks after the panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .drift import HALF_LIVES, SILENCES, History, Level, fit_level, forecast_level
from .met_prices import fit_held, met_responses
from .panel import Panel
from .volatility import Volatility, fit_volatility

_HIGHEST = 0.999
# Only weeks with a basket or more expected tell how a product strays: of rarer ones the counts' own
# variance is nearly all there is.
_LEAST_EXPECTED = 1.0
# Fewer baskets in all have no such week (8 is the least that has one on the Complete Journey), and
# most products of a large shop have fewer: left out, forecasting the others takes a third as long.
_LEAST_BASKETS = 5


@dataclass(frozen=True, slots=True)
class Purchase:
    """Forecast of the purchase probability per visit, at the base price.

    Attributes
    ----------
    probability
        (products,) mean of q; 0 where nothing was ever bought.
    spread
        (products,) posterior standard deviation of log q for a single week: q is log-normal with
        the mean above, so of the variance exp(spread²) − 1 about it, in units of its square.
    carried
        (products,) what log q gains if η is one standard deviation higher; part of the spread.
    level
        how the past is weighed, fitted inside the training weeks.
    held
        how much a price says in weeks that do not show it (``met_prices``).
    volatility
        variance of q from week to week that the counts do not explain, as forecasts inside the
        training weeks missed it; 0 where a single week leaves none to make.
    n_bounded
        products whose probability was bounded at 0.999.
    """

    probability: NDArray[np.float64]
    spread: NDArray[np.float64]
    carried: NDArray[np.float64]
    level: Level
    held: float
    volatility: Volatility
    n_bounded: int

    @property
    def fit(self) -> dict[str, Any]:
        """What was estimated, for the manifest; a half-life without end is null."""
        level, volatility = self.level, self.volatility
        return {
            "half_lives_weeks": [half if np.isfinite(half) else None for half in HALF_LIVES],
            "half_life_weights": (level.own_weights + level.all_weights).round(4).tolist(),
            "silences_baskets": list(SILENCES),
            "alive_by_silence": level.alive.round(4).tolist(),
            "category_strength": level.category_strength,
            "carried_price_holds": self.held,
            "forecast_variance": {
                "typical": volatility.typical,
                "spread_within_categories": volatility.within,
                "spread_between_categories": volatility.between,
            },
            "products_bounded": self.n_bounded,
        }


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
    promoted: NDArray[np.float32] | float = 1.0,
) -> Purchase:
    """Forecast q for the weeks after the panel, as ``drift`` describes.

    Each visit counts with the price response of its week, exp(η(1 − q)(1 − p/r)), which carries q
    to the base price r.

    Parameters
    ----------
    sensitivity, sensitivity_spread
        (products,) η, and its posterior standard deviation, which adds to that of log q as far
        as q was carried; zeros leave prices out.
    horizon
        weeks ahead the forecast is for, >= 1.
    half
        forecast for this half of the customers only (the long run still uses both).
    promoted
        (products, weeks) what display and mailer multiplied purchases by: q is without them.
    """
    rate = panel.totals(panel.baskets.sum(axis=1)) / max(panel.visits.sum(), 1.0)
    held = fit_held(panel, base_price, sensitivity * (1.0 - rate))
    history = _history(panel, base_price, sensitivity * (1.0 - rate), held, half, promoted)
    end = panel.n_weeks
    level = fit_level(history, category, n_categories, horizon)
    probability, counted = forecast_level(history, category, n_categories, end, level)
    shifted = (sensitivity + sensitivity_spread) * (1.0 - rate)
    other = _history(panel, base_price, shifted, held, half, promoted)
    other_probability, _ = forecast_level(other, category, n_categories, end, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        carried = np.nan_to_num(np.log(other_probability / probability))
    volatility = _fit_volatility(history, other, category, n_categories, horizon, level)
    bounded = probability > _HIGHEST
    return Purchase(
        np.minimum(probability, _HIGHEST),
        np.sqrt(np.log1p(counted + carried**2 + volatility.variance)),
        carried,
        level,
        held,
        volatility,
        int(bounded.sum()),
    )


def _history(
    panel: Panel,
    base_price: NDArray[np.float64],
    slope: NDArray[np.float64],
    held: float,
    half: int | None,
    promoted: NDArray[np.float32] | float,
) -> History:
    met = met_responses(panel, base_price, slope, held, panel.n_weeks) * promoted
    visits = [met[f] * panel.visits[:, f].astype(np.float32) for f in (0, 1)]
    baskets = np.zeros((2, panel.n_products, panel.n_weeks), dtype=np.float32)
    baskets[:, panel.product, panel.week] = panel.baskets.T
    all_baskets, all_visits = baskets[0] + baskets[1], visits[0] + visits[1]
    if half is None:
        return History(all_baskets, all_visits, all_baskets, all_visits)
    return History(baskets[half], visits[half], all_baskets, all_visits)


def _of(history: History, rows: NDArray[np.int64]) -> History:
    """The history of these products alone."""
    baskets, visits = history.all_baskets[rows], history.all_visits[rows]
    if history.baskets is history.all_baskets:  # all customers are forecast
        return History(baskets, visits, baskets, visits)
    return History(history.baskets[rows], history.visits[rows], baskets, visits)


def _fit_volatility(
    history: History,
    shifted: History,
    category: NDArray[np.int32],
    n_categories: int,
    horizon: int,
    level: Level,
) -> Volatility:
    """κ of each product from every week after the first third, foretold from ``horizon`` weeks
    before it; from fewer where that would leave less than half of those weeks.

    What a forecast leaves open is the variance of its counts and that of η: ``shifted`` is the
    history at an η one standard deviation higher, level and week carried with the same η.
    """
    rows = np.flatnonzero(history.all_baskets.sum(axis=1) >= _LEAST_BASKETS)
    history, shifted, of_rows = _of(history, rows), _of(shifted, rows), category[rows]
    third = (history.n_weeks + 2) // 3
    ahead = max(min(horizon, (history.n_weeks - third + 1) // 2), 1)
    found = []
    for origin in range(third, history.n_weeks - ahead + 1):
        week = origin + ahead - 1
        q, counted = forecast_level(history, of_rows, n_categories, origin, level)
        other, _ = forecast_level(shifted, of_rows, n_categories, origin, level)
        mean = q * history.visits[:, week]
        product = np.flatnonzero(mean >= _LEAST_EXPECTED)
        mean = mean[product]
        unsure = np.log(other[product] * shifted.visits[product, week] / mean)
        known = counted[product] + unsure**2
        seen = history.baskets[product, week].astype(float)
        age = np.full(len(product), history.n_weeks - 1 - week)
        found.append((seen, mean, known, age, rows[product]))
    if not found:
        return Volatility(np.zeros(len(category)), 0.0, 0.0, 0.0)
    seen, mean, known, age, product = (np.concatenate(part) for part in zip(*found, strict=True))
    return fit_volatility(seen, mean, known, age, product, category, n_categories)
