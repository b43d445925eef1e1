"""The seed's own case: 100 products with browse, search and purchase events, solved in seconds."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from .seed_assortment import ASSORTMENT, USED_TOGETHER
from .synthetic import SyntheticShop, price_cuts
from .synthetic_files import products_table, write_csv
from .synthetic_shoppers import simulate_orders
from .weeks import week_index, week_label

_SEED = 100
_WEEKS = 40
_VISITS = 320  # a week
_FIRST_WEEK = "2025-W05"
_FILES = ("orders.csv.gz", "products.csv", "events.csv.gz", "scenario.toml")

_SCENARIO = """\
# A hundred products of an online grocer with their browse, search and purchase events.
# The shoppers are simulated (see instances/seed_case.py), so nothing here is a real shop.

[scenario]
name = "seed100"
week = "{week}"
currency = "EUR"

[data]
orders = "orders.csv.gz"
products = "products.csv"
events = "events.csv.gz"

[assumptions]
visits = {visits}            # shoppers a week, those who buy nothing included

[candidates]
min_support = 5

[discounts]
levels = [0.05, 0.10, 0.15, 0.20, 0.25, 0.30]
price_ending = "x.x9"

[limits]
max_bundles = 12
max_bundles_per_product = 1

[[rules]]
name = "room-for-other-shelves"
kind = "category-limit"
category = "Pasta & sauces"
max = 2

[[rules]]
name = "no-alcohol-with-snacks"
kind = "never-together"
products = ["064", "068", "069", "051", "053"]
"""


def write_seed_case(out: Path) -> None:
    """Copy the shipped case into a folder: the instance ``seed100``."""
    out.mkdir(parents=True, exist_ok=True)
    source = resources.files("bundlewise.instances") / "data" / "seed100"
    for name in _FILES:
        (out / name).write_bytes((source / name).read_bytes())


def build_seed_case(folder: Path) -> None:
    """Make the shipped files again, the same byte for byte."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = seed_shop()
    orders = simulate_orders(shop, _WEEKS, _VISITS, _SEED + 1, customers=900)
    orders["order_id"] = orders["order_id"].str.removeprefix("00")
    orders["ordered_at"] = orders["ordered_at"].str.slice(stop=16)  # to the minute
    write_csv(orders, folder / "orders.csv.gz")
    write_csv(_products(shop), folder / "products.csv")
    write_csv(_events(shop, orders), folder / "events.csv.gz")
    scenario = _SCENARIO.format(week=week_label(shop.planned_week), visits=_VISITS)
    (folder / "scenario.toml").write_text(scenario, encoding="utf-8", newline="\n")


def seed_shop() -> SyntheticShop:
    """The shop behind the case, truth included."""
    rng = np.random.default_rng(_SEED)
    rows = [
        (title, category, department, brand, round(price * 100))
        for (category, department), products in ASSORTMENT.items()
        for title, brand, price in products
    ]
    title, category, department, brand, price = (list(column) for column in zip(*rows, strict=True))
    reference_price = np.array(price, dtype=np.int64)
    count = len(rows)
    weights = rng.lognormal(0.0, 0.45, count)
    ties = np.array([[title.index(a), title.index(b)] for a, b, _ in USED_TOGETHER])
    # What is used together also answers to prices, so that good bundles are readable ones.
    price_sensitivity = rng.uniform(0.8, 2.2, count)
    price_sensitivity[ties.ravel()] = rng.uniform(2.2, 4.5, ties.size)
    return SyntheticShop(
        product_ids=_text(f"{number:03d}" for number in range(1, count + 1)),
        title=_text(title),
        category=_text(category),
        department=_text(department),
        brand=_text(brand),
        purchase_probability=weights * 4.0 / weights.sum(),
        price_sensitivity=price_sensitivity,
        reference_price=reference_price,
        unit_cost=np.round(reference_price * rng.uniform(0.42, 0.66, count)).astype(np.int64),
        ties=np.sort(ties, axis=1),
        odds_ratio=np.array([odds_ratio for *_, odds_ratio in USED_TOGETHER]),
        first_week=week_index(_FIRST_WEEK),
        weekly_price=price_cuts(reference_price, _WEEKS, 0.2, rng),
        shift=np.zeros((_WEEKS, count)),
        trip_spread=0.0,
    )


def _products(shop: SyntheticShop) -> pd.DataFrame:
    """The products table, with stock for every seventh product: three to six weeks of sales."""
    rng = np.random.default_rng(_SEED + 2)
    table = products_table(shop)
    weekly = shop.purchase_probability * _VISITS
    stock = np.ceil(weekly * rng.uniform(3, 6, shop.n_products)).astype(int)
    limited = np.arange(shop.n_products) % 7 == 0
    table["stock"] = [
        str(units) if short else "" for units, short in zip(stock, limited, strict=True)
    ]
    return table


def _events(shop: SyntheticShop, orders: pd.DataFrame) -> pd.DataFrame:
    """Browse, search and cart events around one order line in five, and browsing beside it."""
    rng = np.random.default_rng(_SEED + 3)
    bought = orders.sample(frac=0.2, random_state=rng).sort_index()
    position = pd.Series(range(shop.n_products), index=shop.product_ids)
    moment = pd.to_datetime(bought["ordered_at"])
    customer = bought["customer_id"].to_numpy()
    product = position[bought["product_id"]].to_numpy()
    other = rng.integers(0, shop.n_products, len(bought))

    searched = rng.random(len(bought)) < 0.3
    word = np.array([text.split()[0].lower().strip(",") for text in shop.title], dtype=object)
    parts = (
        (searched, product, "search", word[product], 9),
        (np.full(len(bought), True), product, "view", "", 7),
        (rng.random(len(bought)) < 0.8, product, "cart", "", 4),
        (rng.random(len(bought)) < 0.4, other, "view", "", 2),
    )
    events = pd.concat(
        pd.DataFrame(
            {
                "customer_id": customer,
                "product_id": shop.product_ids[what],
                "at": (moment - pd.Timedelta(minutes=minutes)).to_numpy(),
                "kind": kind,
                "query": query,
            }
        )[mask]
        for mask, what, kind, query, minutes in parts
    ).sort_values(["at", "customer_id", "product_id", "kind"], ignore_index=True)
    events["at"] = events["at"].dt.strftime("%Y-%m-%dT%H:%M")
    return events


def _text(values) -> np.ndarray:
    return np.array(list(values), dtype=object)
