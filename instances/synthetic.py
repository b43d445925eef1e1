"""Synthetic shops whose true purchase probabilities, price responses and odds ratios are known.

Learning and planning can be held against such a shop: what was learned against its truth, what
a plan promised against what its shoppers then do (``synthetic_shoppers``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .synthetic_demand import CURVES
from .synthetic_ties import DEPENDENCES
from .weeks import week_index

_CUT_STEPS = np.array([0.10, 0.15, 0.20, 0.25, 0.30])
_LARGEST_PROBABILITY = 0.4


@dataclass(frozen=True, slots=True)
class SyntheticShop:
    """A shop and the truth about its shoppers. Money in cents, tax rate 0.

    A visit in week w buys product x where a uniform draw is at most
    σ(logit q + η·(1 − price/r) + shift), that is where its logistic willingness to pay reaches
    the price. Products of a tied pair share a Plackett copula, all others are independent, so
    ``odds_ratio`` is exact as long as ``trip_spread`` is 0. Other demand curves, other copulas
    and substitutes make shops that no learner of this project is right about.

    Attributes
    ----------
    product_ids, title, category, department, brand
        (products,) text.
    purchase_probability
        (products,) q per visit at the reference price in the planned week.
    price_sensitivity
        (products,) η > 0.
    reference_price, unit_cost
        (products,) cents.
    ties
        (pairs, 2) product indices; a product is in at most one tied pair.
    odds_ratio
        (pairs,) ψ of the tied pairs; every other pair has ψ = 1.
    first_week
        number of the first week with orders.
    weekly_price
        (weeks, products) cents paid; the planned week is the one after the last.
    shift
        (weeks, products) log-odds of purchase relative to the planned week: drift and season.
    trip_spread
        standard deviation of a visit's own log-odds shift, common to all products. Above 0 it
        ties every pair a little and raises purchase rates, so that ``purchase_probability`` and
        ``odds_ratio`` are no longer the truth of the orders.
    curve
        demand curve, one of ``synthetic_demand.CURVES``; q and the first response η stay true.
    dependence
        copula of the tied pairs, one of ``synthetic_ties.DEPENDENCES``; ``odds_ratio`` stays
        true at the reference prices.
    substitutes
        (products,) number of a group, -1 for none; a visit buys at most one product of a group,
        the one with the highest surplus, so q is the share that *would* buy it. None: no groups.
    """

    product_ids: NDArray[np.object_]
    title: NDArray[np.object_]
    category: NDArray[np.object_]
    department: NDArray[np.object_]
    brand: NDArray[np.object_]
    purchase_probability: NDArray[np.float64]
    price_sensitivity: NDArray[np.float64]
    reference_price: NDArray[np.int64]
    unit_cost: NDArray[np.int64]
    ties: NDArray[np.int64]
    odds_ratio: NDArray[np.float64]
    first_week: int
    weekly_price: NDArray[np.int64]
    shift: NDArray[np.float64]
    trip_spread: float
    curve: str = "logistic"
    dependence: str = "plackett"
    substitutes: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        tied = self.ties.ravel()
        if len(np.unique(tied)) != len(tied):
            raise ValueError("a product is in two tied pairs; expected at most one, so ψ is exact")
        if not np.all((self.purchase_probability > 0) & (self.purchase_probability < 1)):
            raise ValueError("purchase probabilities must lie between 0 and 1")
        if not np.all(self.price_sensitivity > 0):
            raise ValueError("price sensitivities must be positive")
        if self.curve not in CURVES or self.dependence not in DEPENDENCES:
            raise ValueError(f"no curve {self.curve!r} or no dependence {self.dependence!r}")

    @property
    def n_products(self) -> int:
        return len(self.product_ids)

    @property
    def n_weeks(self) -> int:
        return len(self.weekly_price)

    @property
    def planned_week(self) -> int:
        """Number of the week to plan: the one after the last week of orders."""
        return self.first_week + self.n_weeks


def make_shop(
    seed: int,
    products: int = 200,
    *,
    weeks: int = 40,
    first_week: str = "2025-W05",
    categories: int = 10,
    tied_share: float = 0.5,
    odds_ratio: tuple[float, float] = (3.0, 40.0),
    basket_size: float = 5.0,
    sensitivity: tuple[float, float] = (1.0, 5.0),
    margin: tuple[float, float] = (0.30, 0.55),
    cut_share: float = 0.15,
    drift: float = 0.0,
    season: float = 0.0,
    trip_spread: float = 0.0,
) -> SyntheticShop:
    """Draw a shop; the same arguments give the same shop.

    Parameters
    ----------
    tied_share
        share of the products that are in a tied pair.
    odds_ratio, sensitivity, margin
        lowest and highest value; ψ is drawn evenly in its logarithm, the others evenly.
    basket_size
        mean number of different products of a visit, Σ q.
    cut_share
        share of product-weeks sold at a price cut of 10 to 30 %.
    drift
        standard deviation of a product's log-odds change over all weeks together.
    season
        amplitude of a yearly wave of the log-odds, its phase drawn by category.
    """
    rng = np.random.default_rng(seed)
    weights = rng.lognormal(0.0, 0.9, products)
    purchase_probability = np.minimum(weights * basket_size / weights.sum(), _LARGEST_PROBABILITY)
    reference_price = np.round(np.exp(rng.uniform(np.log(1.2), np.log(18.0), products)), 1)
    reference_cents = (reference_price * 100).astype(np.int64) - 1
    category_code = np.arange(products) % categories
    ties = rng.permutation(products)[: 2 * int(products * tied_share / 2)].reshape(-1, 2)
    return SyntheticShop(
        product_ids=_text(f"{number:05d}" for number in range(1, products + 1)),
        title=_text(f"Product {number:05d}" for number in range(1, products + 1)),
        category=_text(f"Category {code + 1:02d}" for code in category_code),
        department=_text(f"Department {code % 3 + 1}" for code in category_code),
        brand=_text(f"Brand {letter}" for letter in rng.choice(list("ABCDE"), products)),
        purchase_probability=purchase_probability,
        price_sensitivity=rng.uniform(*sensitivity, products),
        reference_price=reference_cents,
        unit_cost=np.round(reference_cents * (1 - rng.uniform(*margin, products))).astype(np.int64),
        ties=np.sort(ties, axis=1),
        odds_ratio=np.exp(rng.uniform(np.log(odds_ratio[0]), np.log(odds_ratio[1]), len(ties))),
        first_week=week_index(first_week),
        weekly_price=price_cuts(reference_cents, weeks, cut_share, rng),
        shift=_shift(category_code, weeks, drift, season, rng),
        trip_spread=trip_spread,
    )


def price_cuts(
    reference_price: NDArray[np.int64],
    weeks: int,
    cut_share: float | NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Prices by week, (weeks, products) cents: the reference price, now and then cut.

    ``cut_share`` is the share of weeks with a cut, of all products or (products,) of each.
    """
    shape = (weeks, len(reference_price))
    cut = np.where(rng.random(shape) < cut_share, rng.choice(_CUT_STEPS, shape), 0.0)
    return np.maximum(np.round(reference_price * (1 - cut)), 1).astype(np.int64)


def _shift(
    category_code: NDArray[np.int64],
    weeks: int,
    drift: float,
    season: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Log-odds by week relative to the planned week, (weeks, products): 0 in the planned week."""
    week = np.arange(weeks + 1)[:, None]
    slope = rng.normal(0.0, drift, len(category_code)) / weeks
    phase = rng.uniform(0.0, 2 * np.pi, category_code.max() + 1)[category_code]
    level = slope * week + season * np.sin(2 * np.pi * week / 52 + phase)
    return level[:-1] - level[-1]


def _text(values) -> NDArray[np.object_]:
    return np.array(list(values), dtype=object)
