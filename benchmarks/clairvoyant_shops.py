"""The shops of the clairvoyant study: how they are drawn, and the worlds their shoppers live in.

In the worlds ``right`` and ``thin`` the model of the project is right, and there are plenty of
order lines or few. In each of the others it is wrong in one way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from bundlewise.instances.instance import Instance
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.instances.synthetic import SyntheticShop, make_shop, price_cuts
from bundlewise.instances.synthetic_demand import rank_at
from bundlewise.instances.synthetic_files import products_table, write_csv
from bundlewise.instances.synthetic_shoppers import simulate_orders
from bundlewise.instances.weeks import week_label
from numpy.typing import NDArray
from scipy.special import logit

WORLDS = {
    "right": "the model is right",
    "thin": "the model is right, few visits",
    "probit": "normal willingness to pay",
    "threshold": "the first tenth off goes unnoticed",
    "gaussian": "Gaussian copula",
    "clayton": "Clayton copula, all ties positive",
    "trips": "trip sizes vary",
    "seasonal": "seasons and drift",
    "stockpiling": "added units are partly missing later",
    "substitutes": "one product of three or none",
}

MODEL_RIGHT = ("right", "thin")

PRODUCTS, CATEGORIES, TIED_SHARE = 300, 15, 0.8
BASKET_SIZE = 5.0
ODDS_RATIO = (0.5, 8.0)
MARGIN = (0.25, 0.45)
# η: normal about the category's mean, that about the mean of all, cut off at the least.
SENSITIVITY_MEAN, SENSITIVITY_BETWEEN, SENSITIVITY_WITHIN = 2.2, 0.5, 1.0
LEAST_SENSITIVITY = 0.05
PROMOTED = (2.0, 8.0)  # beta of a product's share of weeks with a price cut: mean 0.2
VISITS, WEEKS = (1_500, 3_000), (40, 52)
THIN_VISITS = (250, 600)
TRIP_SPREAD = 0.6
SEASON, DRIFT = 0.4, 0.5
PULLED_FORWARD = 0.3
SUBSTITUTES = 3  # products of a group, all of one category

BUNDLES = 25
LEVELS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
MIN_SUPPORT = 5

_SCENARIO = """\
[scenario]
name = "study"
week = "{week}"

[data]
orders = "orders.parquet"
products = "products.csv"

[candidates]
min_support = {support}

[discounts]
levels = {levels}

[limits]
max_bundles = {bundles}
max_bundles_per_product = 1
"""


@dataclass(frozen=True, slots=True)
class StudyShop:
    """A shop of the study and what is true beside its shoppers' willingness to pay.

    Attributes
    ----------
    visits
        visits a week, in every week and in the planned one.
    category_sensitivity
        (categories,) the means that η was drawn about.
    kept
        share of an added unit's margin that no later week misses.
    """

    world: str
    seed: int
    shop: SyntheticShop
    visits: int
    category_sensitivity: NDArray[np.float64]
    kept: float


def study_shop(world: str, seed: int) -> StudyShop:
    """Draw a shop; the same world and seed give the same one.

    Shops of one seed share their products, prices and sensitivities across worlds.
    """
    rng = np.random.default_rng([seed, 1])
    weeks = int(rng.integers(WEEKS[0], WEEKS[1] + 1))
    visits = int(np.exp(rng.uniform(*np.log(THIN_VISITS if world == "thin" else VISITS))))
    shop = make_shop(
        seed,
        PRODUCTS,
        weeks=weeks,
        categories=CATEGORIES,
        tied_share=TIED_SHARE,
        odds_ratio=(1.05, ODDS_RATIO[1]) if world == "clayton" else ODDS_RATIO,
        basket_size=BASKET_SIZE,
        margin=MARGIN,
        drift=DRIFT if world == "seasonal" else 0.0,
        season=SEASON if world == "seasonal" else 0.0,
        trip_spread=TRIP_SPREAD if world == "trips" else 0.0,
    )
    category = np.arange(PRODUCTS) % CATEGORIES
    means = rng.normal(SENSITIVITY_MEAN, SENSITIVITY_BETWEEN, CATEGORIES)
    shop = replace(
        shop,
        price_sensitivity=_above(LEAST_SENSITIVITY, means[category], SENSITIVITY_WITHIN, rng),
        weekly_price=price_cuts(shop.reference_price, weeks, rng.beta(*PROMOTED, PRODUCTS), rng),
    )
    kept = 1.0
    if world in ("probit", "threshold"):
        shop = replace(shop, curve=world)
    elif world in ("gaussian", "clayton"):
        shop = replace(shop, dependence=world)
    elif world == "stockpiling":
        kept = 1 - PULLED_FORWARD
        shop = replace(shop, shift=_after_promotions(shop))
    elif world == "substitutes":
        shop = replace(shop, substitutes=_groups(category, rng))
    return StudyShop(world, seed, shop, visits, means, kept)


def study_instance(study: StudyShop, *, past_prices: bool = False) -> Instance:
    """The instance of a shop's simulated orders, read from files as any shop's is.

    ``visits`` is left to the project: the mean of the last four weeks of orders.

    Parameters
    ----------
    past_prices
        a table of each product's price in every past week is given (``data.prices``).
    """
    shop = study.shop
    orders = simulate_orders(shop, shop.n_weeks, study.visits, study.seed + 1_000)
    with TemporaryDirectory() as name:
        folder = Path(name)
        orders.to_parquet(folder / "orders.parquet", index=False)
        write_csv(products_table(shop), folder / "products.csv")
        text = _SCENARIO.format(
            week=week_label(shop.planned_week),
            support=MIN_SUPPORT,
            levels=list(LEVELS),
            bundles=BUNDLES,
        )
        if past_prices:
            write_csv(_price_table(shop), folder / "prices.csv")
            text = text.replace("[data]\n", '[data]\nprices = "prices.csv"\n')
        (folder / "scenario.toml").write_text(text, encoding="utf-8")
        return load_instance(read_scenario(folder / "scenario.toml"))


def _price_table(shop: SyntheticShop) -> pd.DataFrame:
    weeks = shop.first_week + np.arange(shop.n_weeks)
    labels = [week_label(int(week)) for week in weeks]
    return pd.DataFrame(
        {
            "product_id": np.tile(shop.product_ids, shop.n_weeks),
            "week": np.repeat(labels, shop.n_products),
            "price": shop.weekly_price.ravel() / 100,
        }
    )


def _above(
    least: float, mean: NDArray[np.float64], spread: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Normal draws, drawn again until they are above the least."""
    drawn = rng.normal(mean, spread)
    while (low := drawn <= least).any():
        drawn[low] = rng.normal(mean[low], spread)
    return drawn


def _after_promotions(shop: SyntheticShop) -> NDArray[np.float64]:
    """(weeks, products) log-odds by which purchases are fewer after a week with a price cut.

    Of what a cut adds, a share ``PULLED_FORWARD`` is missing from the week after.
    """
    q, eta = shop.purchase_probability, shop.price_sensitivity
    cut = 1 - shop.weekly_price / shop.reference_price
    plain = rank_at(q, eta, cut)
    missing = np.zeros_like(plain)
    missing[1:] = PULLED_FORWARD * (plain[:-1] - q)
    left = np.maximum(plain - missing, 0.05 * plain)
    return logit(left) - logit(plain)


def _groups(category: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Groups of substitutes within each category; what is left over stands alone."""
    group = np.full(len(category), -1)
    number = 0
    for code in range(category.max() + 1):
        members = rng.permutation(np.flatnonzero(category == code))
        for start in range(0, len(members) - SUBSTITUTES + 1, SUBSTITUTES):
            group[members[start : start + SUBSTITUTES]] = number
            number += 1
    return group
