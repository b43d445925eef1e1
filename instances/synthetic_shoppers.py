"""Shoppers of a synthetic shop, simulated one by one: their orders, and what bundles do to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .synthetic import SyntheticShop
from .weeks import week_monday

_DRAWS_AT_ONCE = 4_000_000  # uniform draws held in memory at a time
_EXTRA_UNITS = 0.08  # mean units beyond the first of a line


def simulate_orders(
    shop: SyntheticShop, weeks: int, visits_per_week: int, seed: int, *, customers: int = 400
) -> pd.DataFrame:
    """Order lines of the shop's last ``weeks`` weeks, in the ``orders`` format.

    Every visit draws its willingness to pay for every product and buys where it reaches the
    week's price; visits that buy nothing leave no lines. Amounts are in currency units.

    Raises
    ------
    ValueError
        for more weeks than the shop has prices for.
    """
    if not 0 < weeks <= shop.n_weeks:
        raise ValueError(f"weeks is {weeks}; expected 1 to {shop.n_weeks}")
    rng = np.random.default_rng(seed)
    chunk = max(_DRAWS_AT_ONCE // shop.n_products, 1)
    parts = []
    for week in range(shop.n_weeks - weeks, shop.n_weeks):
        for first in range(0, visits_per_week, chunk):
            count = min(chunk, visits_per_week - first)
            parts.append(_visits_of(shop, week, count, customers, rng))
    lines = pd.concat(parts, ignore_index=True)
    new_order = lines["moment"].ne(lines["moment"].shift()) | lines["visit"].ne(
        lines["visit"].shift()
    )
    number = new_order.cumsum().to_numpy()
    product = lines["product"].to_numpy()
    quantity = lines["quantity"].to_numpy()
    paid = shop.weekly_price[lines["week"].to_numpy(), product]
    return pd.DataFrame(
        {
            "order_id": [f"{value:07d}" for value in number],
            "product_id": shop.product_ids[product],
            "ordered_at": lines["moment"].dt.strftime("%Y-%m-%dT%H:%M:%S"),
            "quantity": quantity,
            "amount": quantity * paid / 100,
            "list_amount": quantity * shop.reference_price[product] / 100,
            "customer_id": [f"C{value:05d}" for value in lines["customer"]],
        }
    )


def simulate_bundles(
    shop: SyntheticShop,
    products: NDArray[np.integer],
    discount: NDArray[np.integer],
    visits: int,
    seed: int,
) -> pd.DataFrame:
    """What bundles truly do, each offered alone in the planned week, by simulated shoppers.

    A shopper takes the best of: nothing, one product, both apart, the bundle. Only one whose
    first product is within the discount's reach can take the bundle; all ``visits`` drawn are of
    that kind and their share of all shoppers is applied afterwards, which changes no
    expectation and keeps rare products measurable.

    Parameters
    ----------
    products
        (offers, 2) product indices.
    discount
        (offers,) cents off the sum of the two reference prices.
    visits
        shoppers drawn for each offer.

    Returns
    -------
    pd.DataFrame
        one row an offer: ``product_a``, ``product_b`` (ids), ``discount`` (cents), the shares of
        all visits ``subsidised``, ``adds_a``, ``adds_b``, ``both``, the ``gain`` of the shop in
        cents a visit, each with its standard error in a column ending in ``_se``.
    """
    rng = np.random.default_rng(seed)
    rows = [
        _simulate_bundle(shop, int(first), int(second), int(off), visits, rng)
        for (first, second), off in zip(products, discount, strict=True)
    ]
    return pd.DataFrame(rows)


def tied_uniform(
    given: NDArray[np.float64],
    uniform: NDArray[np.float64],
    odds_ratio: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """The second of two uniforms tied by a Plackett copula, given the first.

    Solves ∂C_ψ(u, v)/∂u = t for v, u ``given`` and t an independent ``uniform`` (conditional
    inversion; Nelsen 2006, section 3.3.1):

        a = t(1 − t),  b = ψ + a(ψ − 1)²,  c = 2a(uψ² + 1 − u) + ψ(1 − 2a),
        d = √ψ·√(ψ + 4a·u(1 − u)(1 − ψ)²),  v = (c − (1 − 2t)d)/(2b).
    """
    psi = np.asarray(odds_ratio, dtype=np.float64)
    a = uniform * (1 - uniform)
    b = psi + a * (psi - 1) ** 2
    c = 2 * a * (given * psi**2 + 1 - given) + psi * (1 - 2 * a)
    d = np.sqrt(psi) * np.sqrt(psi + 4 * a * given * (1 - given) * (1 - psi) ** 2)
    return np.clip((c - (1 - 2 * uniform) * d) / (2 * b), 0.0, 1.0)


def _visits_of(
    shop: SyntheticShop, week: int, visits: int, customers: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Lines of some visits of one week: visit, product, quantity, moment, customer, week."""
    relative = shop.weekly_price[week] / shop.reference_price
    log_odds = _logit(shop.purchase_probability) + shop.price_sensitivity * (1 - relative)
    log_odds = log_odds + shop.shift[week]
    rank = rng.random((visits, shop.n_products))
    first, second = shop.ties[:, 0], shop.ties[:, 1]
    rank[:, second] = tied_uniform(rank[:, first], rank[:, second], shop.odds_ratio)
    trip = rng.normal(0.0, shop.trip_spread, (visits, 1)) if shop.trip_spread > 0 else 0.0
    visit, product = np.nonzero(rank <= 1 / (1 + np.exp(-(log_odds + trip))))
    # Shopping hours, 8 to 20 o'clock; times ascend, so that order numbers do too.
    second_of_week = np.sort(rng.integers(0, 7 * 43_200, visits))
    monday = np.datetime64(week_monday(shop.first_week + week), "s")
    moment = monday + (second_of_week // 43_200) * 86_400 + 28_800 + second_of_week % 43_200
    return pd.DataFrame(
        {
            "visit": visit,
            "product": product,
            "quantity": 1 + rng.poisson(_EXTRA_UNITS, len(visit)),
            "moment": moment[visit],
            "customer": rng.integers(0, customers, visits)[visit],
            "week": week,
        }
    )


def _simulate_bundle(
    shop: SyntheticShop,
    first: int,
    second: int,
    discount: int,
    visits: int,
    rng: np.random.Generator,
) -> dict[str, object]:
    """The outcome of one bundle: see ``simulate_bundles``."""
    price_a, price_b = shop.reference_price[[first, second]].astype(np.float64)
    margin_a, margin_b = (shop.reference_price - shop.unit_cost)[[first, second]]
    reach = _reach(shop, first, discount)
    rank_a = rng.random(visits) * reach
    rank_b = tied_uniform(rank_a, rng.random(visits), _odds_ratio(shop, first, second))
    worth_a, worth_b = _worth(shop, first, rank_a), _worth(shop, second, rank_b)

    surplus_a, surplus_b = worth_a - price_a, worth_b - price_b
    apart = np.maximum(surplus_a, 0) + np.maximum(surplus_b, 0)
    # A product nobody wants is thrown away at no cost, never worth less than nothing.
    together = np.maximum(worth_a, 0) + np.maximum(worth_b, 0) - (price_a + price_b - discount)
    wanted = (worth_a >= 0) & (worth_b >= 0)
    takes = wanted & (together >= apart)

    has_a, has_b = surplus_a >= 0, surplus_b >= 0
    kinds = {
        "subsidised": (takes & has_a & has_b, -discount),
        "adds_b": (takes & has_a & ~has_b, margin_b - discount),
        "adds_a": (takes & ~has_a & has_b, margin_a - discount),
        "both": (takes & ~has_a & ~has_b, margin_a + margin_b - discount),
    }
    row: dict[str, object] = {
        "product_a": shop.product_ids[first],
        "product_b": shop.product_ids[second],
        "discount": discount,
    }
    gain = np.zeros(visits)
    for name, (who, worth) in kinds.items():
        row |= _mean_of(name, who * reach)
        gain += who * float(worth) * reach
    return row | _mean_of("gain", gain)


def _mean_of(name: str, draws: NDArray[np.float64]) -> dict[str, object]:
    error = float(draws.std(ddof=1) / np.sqrt(len(draws)))
    return {name: float(draws.mean()), f"{name}_se": error}


def _reach(shop: SyntheticShop, product: int, discount: int) -> float:
    """Share of shoppers who would buy the product with the whole discount on it."""
    relative = min(discount / shop.reference_price[product], 1.0)
    log_odds = _logit(shop.purchase_probability[product])
    return float(1 / (1 + np.exp(-(log_odds + shop.price_sensitivity[product] * relative))))


def _worth(shop: SyntheticShop, product: int, rank: NDArray[np.float64]) -> NDArray[np.float64]:
    """Willingness to pay in cents of shoppers at these ranks (0 pays most): inverse demand."""
    log_odds = _logit(shop.purchase_probability[product]) - _logit(rank)
    return shop.reference_price[product] * (1 + log_odds / shop.price_sensitivity[product])


def _odds_ratio(shop: SyntheticShop, first: int, second: int) -> float:
    """The true ψ of a pair: 1 unless it is tied."""
    tied = np.flatnonzero(
        (shop.ties[:, 0] == min(first, second)) & (shop.ties[:, 1] == max(first, second))
    )
    return float(shop.odds_ratio[tied[0]]) if len(tied) else 1.0


def _logit(probability):
    return np.log(probability) - np.log1p(-probability)
