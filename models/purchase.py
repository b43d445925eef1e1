"""Purchase probability q at the reference price, foretold for the weeks after the panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .drift import HALF_LIVES, SILENCES, History, Level, fit_level, forecast_level, forecast_origins
from .met_prices import fit_held, met_responses
from .panel import Panel

_HIGHEST = 0.999


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
        how the past is weighed, fitted inside the training weeks.
    held
        how much a price says in weeks that do not show it (``met_prices``).
    forecast_variance
        variance of log q from week to week that the counts do not explain, as forecasts inside
        the training weeks missed it; 0 where a single week leaves none to make.
    n_bounded
        products whose probability was bounded at 0.999.
    """

    probability: NDArray[np.float64]
    spread: NDArray[np.float64]
    level: Level
    held: float
    forecast_variance: float
    n_bounded: int

    @property
    def fit(self) -> dict[str, Any]:
        """What was estimated, for the manifest; a half-life without end is null."""
        level = self.level
        return {
            "half_lives_weeks": [half if np.isfinite(half) else None for half in HALF_LIVES],
            "half_life_weights": (level.own_weights + level.all_weights).round(4).tolist(),
            "silences_baskets": list(SILENCES),
            "alive_by_silence": level.alive.round(4).tolist(),
            "category_strength": level.category_strength,
            "carried_price_holds": self.held,
            "forecast_variance": self.forecast_variance,
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
    forecast_variance = _forecast_variance(history, category, n_categories, horizon, level)
    shifted = (sensitivity + sensitivity_spread) * (1.0 - rate)
    other = _history(panel, base_price, shifted, held, half, promoted)
    other_probability, _ = forecast_level(other, category, n_categories, end, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        carried = np.nan_to_num(np.log(other_probability / probability))
    bounded = probability > _HIGHEST
    return Purchase(
        np.minimum(probability, _HIGHEST),
        np.sqrt(counted + carried**2 + forecast_variance),
        level,
        held,
        forecast_variance,
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


def _forecast_variance(
    history: History,
    category: NDArray[np.int32],
    n_categories: int,
    horizon: int,
    level: Level,
) -> float:
    """Moment estimate of Var(log q) beyond the counts: κ with E(y/μ − 1)² = 1/μ + v + κ.

    Product-weeks are weighted by their precision, (1/μ + v + κ)⁻², at the κ found so far. Only
    those with at least one basket expected: of rarer products the counts' own variance v is nearly
    all there is, and a few that come or go would stand for all.
    """
    excess, noise = [], []
    for origin in forecast_origins(history.n_weeks):
        after = slice(origin, origin + horizon)
        q, counted = forecast_level(history, category, n_categories, origin, level)
        mu = q[:, None] * history.visits[:, after].astype(np.float64)
        product, week = np.nonzero(mu >= 1)
        mu, y = mu[product, week], history.baskets[product, week + origin]
        noise.append(1 / mu + counted[product])
        excess.append((y / mu - 1) ** 2 - noise[-1])
    if not excess:
        return 0.0
    above, variance = np.concatenate(excess), np.concatenate(noise)
    found = 1.0
    for _ in range(5):
        weight = 1 / (variance + found) ** 2
        found = max(float(weight @ above) / float(weight.sum()), 0.0) if len(above) else 0.0
    return found
