"""Shoppers of a synthetic shop, simulated one by one: their orders, and what bundles do to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from .synthetic import SyntheticShop
from .synthetic_demand import cut_for, rank_at
from .synthetic_ties import second_rank, tie_strength
from .weeks import week_monday

_DRAWS_AT_ONCE = 4_000_000  # uniform draws held in memory at a time
_EXTRA_UNITS = 0.08  # mean units beyond the first of a line


def simulate_orders(
    shop: SyntheticShop, weeks: int, visits_per_week: int, seed: int, *, customers: int = 400
) -> pd.DataFrame:
    """Order lines of the shop's last ``weeks`` weeks, in the ``orders`` format.

    Every visit draws its willingness to pay for every product and buys where it reaches the
    week's price, of substitutes only the one with the highest surplus; visits that buy nothing
    leave no lines. Amounts are in currency units.

    Raises
    ------
    ValueError
        for more weeks than the shop has prices for.
    """
    if not 0 < weeks <= shop.n_weeks:
        raise ValueError(f"weeks is {weeks}; expected 1 to {shop.n_weeks}")
    rng = np.random.default_rng(seed)
    strength = _strength(shop)
    chunk = max(_DRAWS_AT_ONCE // shop.n_products, 1)
    parts = []
    for week in range(shop.n_weeks - weeks, shop.n_weeks):
        for first in range(0, visits_per_week, chunk):
            count = min(chunk, visits_per_week - first)
            parts.append(_visits_of(shop, week, count, customers, strength, rng))
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
    expectation and keeps rare products measurable. Trip sizes and substitutes are left out.

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
    strength = _strength(shop)
    rows = [
        _simulate_bundle(shop, int(first), int(second), int(off), visits, strength, rng)
        for (first, second), off in zip(products, discount, strict=True)
    ]
    return pd.DataFrame(rows)


def _strength(shop: SyntheticShop) -> NDArray[np.float64]:
    """(pairs,) parameter of the copula of each tied pair."""
    first, second = shop.ties[:, 0], shop.ties[:, 1]
    q = shop.purchase_probability
    return tie_strength(q[first], q[second], shop.odds_ratio, shop.dependence)


def _visits_of(
    shop: SyntheticShop,
    week: int,
    visits: int,
    customers: int,
    strength: NDArray[np.float64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Lines of some visits of one week: visit, product, quantity, moment, customer, week."""
    rank = rng.random((visits, shop.n_products))
    first, second = shop.ties[:, 0], shop.ties[:, 1]
    rank[:, second] = second_rank(rank[:, first], rank[:, second], strength, shop.dependence)
    trip = rng.normal(0.0, shop.trip_spread, (visits, 1)) if shop.trip_spread > 0 else 0.0
    level = expit(_logit(shop.purchase_probability) + shop.shift[week] + trip)
    cut = 1 - shop.weekly_price[week] / shop.reference_price
    bought = rank <= rank_at(level, shop.price_sensitivity, cut, shop.curve)
    if shop.substitutes is not None:
        _keep_the_best(shop, bought, rank, np.broadcast_to(level, rank.shape), week)
    visit, product = np.nonzero(bought)
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


def _keep_the_best(
    shop: SyntheticShop,
    bought: NDArray[np.bool_],
    rank: NDArray[np.float64],
    level: NDArray[np.float64],
    week: int,
) -> None:
    """Of the substitutes a visit would buy, leave the one with the highest surplus."""
    assert shop.substitutes is not None
    price = shop.weekly_price[week]
    for group in np.unique(shop.substitutes[shop.substitutes >= 0]):
        members = np.flatnonzero(shop.substitutes == group)
        rows = np.flatnonzero(bought[:, members].sum(axis=1) > 1)
        cell = np.ix_(rows, members)
        reach = cut_for(level[cell], shop.price_sensitivity[members], rank[cell], shop.curve)
        surplus = shop.reference_price[members] * (1 - reach) - price[members]
        best = np.argmax(np.where(bought[cell], surplus, -np.inf), axis=1)
        bought[cell] = best[:, None] == np.arange(len(members))


def _simulate_bundle(
    shop: SyntheticShop,
    first: int,
    second: int,
    discount: int,
    visits: int,
    strength: NDArray[np.float64],
    rng: np.random.Generator,
) -> dict[str, object]:
    """The outcome of one bundle: see ``simulate_bundles``."""
    price_a, price_b = shop.reference_price[[first, second]].astype(np.float64)
    margin_a, margin_b = (shop.reference_price - shop.unit_cost)[[first, second]]
    reach = _reach(shop, first, discount)
    rank_a = rng.random(visits) * reach
    rank_b, tied = rng.random(visits), _tie(shop, first, second)
    if tied is not None:
        rank_b = second_rank(rank_a, rank_b, strength[tied], shop.dependence)
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
    q, eta = shop.purchase_probability[product], shop.price_sensitivity[product]
    relative = min(discount / shop.reference_price[product], 1.0)
    return float(rank_at(q, eta, relative, shop.curve))


def _worth(shop: SyntheticShop, product: int, rank: NDArray[np.float64]) -> NDArray[np.float64]:
    """Willingness to pay in cents of shoppers at these ranks (0 pays most): inverse demand."""
    q, eta = shop.purchase_probability[product], shop.price_sensitivity[product]
    return shop.reference_price[product] * (1 - cut_for(q, eta, rank, shop.curve))


def _tie(shop: SyntheticShop, first: int, second: int) -> int | None:
    """The number of the tie between two products, None where there is none."""
    tied = np.flatnonzero(
        (shop.ties[:, 0] == min(first, second)) & (shop.ties[:, 1] == max(first, second))
    )
    return int(tied[0]) if len(tied) else None


def _logit(probability):
    return np.log(probability) - np.log1p(-probability)
