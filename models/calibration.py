"""Calibration on held-out weeks: are counts where the beliefs' own uncertainty puts them?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Baskets
from .affinity import carry_to_week, odds_at_base
from .all_pairs import AllPairs
from .copula import joint_probability
from .held_out import HeldOut
from .met_prices import met_responses
from .pair_counts import PairCounts, count_pairs
from .pit import EXPECTED_EDGES, Predicted, calibration_of, shape_of_log_spread
from .purchase import fit_purchase
from .reliability import reliability
from .score_demand import SCORED_HALF

_PAIRS_A_GROUP = 10_000  # drawn from each group of expectations: rare pairs are millions
_ORIGINS = 4  # weeks from which joint orders are foretold one week ahead
_SEED = 1
_HIGHEST = 0.999  # a probability at a price
_STEP = 1e-4  # of logarithms, for slopes
_CHUNK = 1_000_000  # pairs at once


def score_calibration(held_out: HeldOut) -> dict[str, Any]:
    """Calibration of purchases, of joint orders and of lifts; each as ``pit.calibration_of`` says.

    Returns
    -------
    demand
        baskets of a product in one week, foretold from the week before at the price of the week:
        the interval of q. ``reliability`` of purchase probabilities comes with it.
    joint_orders
        orders of one week that hold both products of a pair, foretold from the week before: the
        interval of J. ``reliability`` is that of joint probabilities over all held-out weeks and
        all pairs.
    affinity
        joint orders of all held-out weeks, given how often each product was bought in them and how
        many joint orders there were in all: the interval of λ alone. ``level`` is what there were
        over what was expected, which moves with the size of trips.
    """
    forecasts = [_foretell(held_out, week) for week in _later_weeks(held_out)]
    return {
        "demand": _demand(held_out, forecasts),
        "joint_orders": {
            **_joint_orders(held_out, forecasts),
            "reliability": _pair_reliability(held_out),
        },
        "affinity": _affinity(held_out),
    }


@dataclass(frozen=True, slots=True)
class _Forecast:
    """Of one held-out week, from the weeks before it, for the scored half of the customers.

    Attributes
    ----------
    week
        position in the panel.
    visits
        of the scored half in that week.
    probability
        (products,) q at the price that the other half pays in the week.
    spread
        (products,) standard deviation of its logarithm.
    """

    week: int
    visits: float
    probability: NDArray[np.float64]
    spread: NDArray[np.float64]


def _later_weeks(held_out: HeldOut) -> range:
    """Positions in the panel of the held-out weeks."""
    return range(held_out.split_week - held_out.first_week, held_out.panel.n_weeks)


def _foretell(held_out: HeldOut, week: int) -> _Forecast:
    """q of one week, from the weeks before: price sensitivity as learned before the split.

    What η is unsure of moves q twice, as past weeks are carried to the base price and as that is
    carried to the price of the week: with the same η, so the two are added before they are squared.
    """
    features, base_price = held_out.features, held_out.base_price
    known, through = held_out.panel.before(week), held_out.panel.before(week + 1)
    sensitivity = held_out.demand.sensitivity
    purchase = fit_purchase(
        known,
        base_price,
        sensitivity.mean,
        sensitivity.spread,
        features.category,
        features.n_categories,
        horizon=1,
        half=SCORED_HALF,
    )
    rate = known.totals(known.baskets.sum(axis=1)) / max(known.visits.sum(), 1.0)

    def response(eta: NDArray[np.float64]) -> NDArray[np.float64]:
        met = met_responses(through, base_price, eta * (1 - rate), purchase.held, week)
        return met[SCORED_HALF][:, week].astype(float)

    at_price = response(sensitivity.mean)
    unsure = np.log(response(sensitivity.mean + sensitivity.spread) / at_price)
    moved = (purchase.carried + unsure) ** 2 - purchase.carried**2
    return _Forecast(
        week,
        float(through.visits[week, SCORED_HALF]),
        np.minimum(purchase.probability * at_price, _HIGHEST),
        np.sqrt(np.log1p(np.expm1(purchase.spread**2) + moved)),
    )


def _demand(held_out: HeldOut, forecasts: list[_Forecast]) -> dict[str, Any]:
    panel = held_out.panel
    baskets = np.zeros((panel.n_products, panel.n_weeks))
    baskets[panel.product, panel.week] = panel.baskets[:, SCORED_HALF]
    parts = []
    for forecast in forecasts:
        mean = forecast.probability * forecast.visits
        known = np.flatnonzero(mean > 0)
        parts.append(
            Predicted(
                baskets[known, forecast.week],
                mean[known],
                1 / np.maximum(np.expm1(forecast.spread[known] ** 2), 1e-12),
                known,
                np.full(len(known), forecast.week),
            )
        )
    every = _joined(parts)
    visits = panel.visits[every.column, SCORED_HALF]
    return {
        **calibration_of(every),
        "reliability": reliability(every.seen, every.mean, visits, every.row, every.column),
    }


def _joint_orders(held_out: HeldOut, forecasts: list[_Forecast]) -> dict[str, Any]:
    """Poisson about J of the week; log J varies with log q of both and log ψ, all independent."""
    pairs, scored = held_out.pairs, _scored_half(held_out)
    at = np.linspace(0, len(forecasts) - 1, min(_ORIGINS, len(forecasts))).round().astype(int)
    parts = []
    for forecast in (forecasts[k] for k in np.unique(at)):
        q = forecast.probability
        rough = forecast.visits * pairs.lift * (q[pairs.first] * q[pairs.second])
        chosen = _drawn_by_group(rough)
        a, b = pairs.first[chosen], pairs.second[chosen]
        joint, spread = _joint_with_spread(held_out, pairs, chosen, forecast)
        week = scored.select(scored.week == held_out.first_week + forecast.week)
        seen = _orders_of(count_pairs(week, 1, max_basket=week.n_products), a, b)
        mean = joint * forecast.visits
        known = mean > 0
        part = Predicted(seen, mean, shape_of_log_spread(spread), a, b, crossed=True)
        parts.append(part.take(known))
    return calibration_of(_joined(parts))


def _joint_with_spread(
    held_out: HeldOut, pairs: AllPairs, chosen: NDArray[np.int64], forecast: _Forecast
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(chosen,) J at the prices of the week, and the standard deviation of log J."""
    a, b = pairs.first[chosen], pairs.second[chosen]
    orders = pairs.orders[chosen].astype(np.int64)
    counted = PairCounts(a, b, orders, held_out.train.n_visits, 0, held_out.orders.n_products)
    carried = carry_to_week(held_out.affinity, counted, forecast.probability)
    psi = carried.odds_ratio
    u, v = forecast.probability[a], forecast.probability[b]
    joint = carried.joint_probability

    def slope(u: NDArray, v: NDArray, psi: NDArray) -> NDArray[np.float64]:
        return np.log(joint_probability(u, v, psi) / joint) / _STEP

    up = np.exp(_STEP)
    variance = (
        (slope(u * up, v, psi) * forecast.spread[a]) ** 2
        + (slope(u, v * up, psi) * forecast.spread[b]) ** 2
        + (slope(u, v, psi * up) * carried.odds_spread) ** 2
    )
    return joint, np.sqrt(variance)


def _affinity(held_out: HeldOut) -> dict[str, Any]:
    """Joint orders of the held-out weeks, about level·λ·Σ over weeks of baskets_a·baskets_b/visits.

    The level is that of all pairs together: smaller trips make fewer joint orders of every pair,
    which is no matter of any one λ.
    """
    pairs, test = held_out.pairs, held_out.test
    n = held_out.orders.n_products
    weeks = test.week - held_out.split_week
    n_weeks = held_out.end_week - held_out.split_week
    visit = np.repeat(np.arange(test.n_visits), np.diff(test.start))
    by_week = np.zeros((n, n_weeks))
    np.add.at(by_week, (test.product, weeks[visit]), 1.0)
    visits = np.maximum(np.bincount(weeks, minlength=n_weeks), 1)
    independent = (by_week / visits) @ by_week.T
    mean = independent[pairs.first, pairs.second] * pairs.lift
    level = float(held_out.seen_later.orders.sum() / max(mean.sum(dtype=float), 1e-300))
    mean = mean * level
    chosen = _drawn_by_group(mean)
    a, b = pairs.first[chosen], pairs.second[chosen]
    spread = held_out.affinity.lift_spread(
        a, b, pairs.orders[chosen].astype(np.int64), pairs.expected[chosen].astype(float)
    )
    seen = _orders_of(held_out.seen_later, a, b)
    shape = shape_of_log_spread(spread)
    found = calibration_of(Predicted(seen, mean[chosen], shape, a, b, crossed=True))
    return {"level": level, **found}


def _pair_reliability(held_out: HeldOut) -> list[dict[str, float]]:
    """Of all pairs, with q as foretold for the whole of the held-out weeks, prices left out."""
    pairs, features, panel = held_out.pairs, held_out.features, held_out.panel
    none = np.zeros(panel.n_products)
    train = panel.before(held_out.split_week - held_out.first_week)
    q = fit_purchase(
        train,
        held_out.base_price,
        none,
        none,
        features.category,
        features.n_categories,
        horizon=held_out.end_week - held_out.split_week,
    ).probability
    mean = np.empty(len(pairs), dtype=np.float32)
    for first in range(0, len(pairs), _CHUNK):
        part = slice(first, first + _CHUNK)
        a, b = pairs.first[part], pairs.second[part]
        expected, lift = (x[part].astype(float) for x in (pairs.expected, pairs.lift))
        psi, _, _ = odds_at_base(held_out.affinity, a, b, expected, lift)
        mean[part] = joint_probability(q[a], q[b], psi) * held_out.test.n_visits
    seen = _orders_of(held_out.seen_later, pairs.first, pairs.second).astype(np.float32)
    known = mean > 0
    return reliability(
        seen[known],
        mean[known],
        float(held_out.test.n_visits),
        pairs.first[known],
        pairs.second[known],
        crossed=True,
    )


def _scored_half(held_out: HeldOut) -> Baskets:
    """Baskets of the scored half of the customers, as the panel halves them."""
    orders, baskets = held_out.orders, held_out.baskets
    code = np.where(orders.customer >= 0, orders.customer, np.arange(orders.n_visits))
    return baskets.select(code % 2 == SCORED_HALF)


def _drawn_by_group(expected: NDArray[np.floating]) -> NDArray[np.int64]:
    """Positions drawn from each group of expectations, all of a small one."""
    generator = np.random.default_rng(_SEED)
    drawn = []
    for least, most in pairwise(EXPECTED_EDGES):
        inside = np.flatnonzero((expected > least) & (expected <= most))
        if len(inside) > _PAIRS_A_GROUP:
            inside = generator.choice(inside, _PAIRS_A_GROUP, replace=False)
        drawn.append(inside)
    return np.sort(np.concatenate(drawn))


def _orders_of(
    counts: PairCounts, a: NDArray[np.integer], b: NDArray[np.integer]
) -> NDArray[np.float64]:
    """(pairs,) joint orders of pairs a < b; 0 where they were not found together."""
    if not len(counts):
        return np.zeros(len(a))
    n = int(max(counts.second.max(), b.max(initial=0))) + 1
    key = counts.first.astype(np.int64) * n + counts.second
    wanted = a.astype(np.int64) * n + b
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, counts.orders[at], 0).astype(float)


def _joined(parts: list[Predicted]) -> Predicted:
    """All of them as one."""

    def all_of(name: str) -> NDArray:
        return np.concatenate([getattr(part, name) for part in parts])

    return Predicted(
        seen=all_of("seen"),
        mean=all_of("mean"),
        shape=all_of("shape"),
        row=all_of("row"),
        column=all_of("column"),
        crossed=parts[0].crossed,
    )
