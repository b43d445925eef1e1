"""A synthetic shop as a folder: tables, a scenario ready to solve, and the truth beside them."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd

from .synthetic import SyntheticShop, make_shop
from .synthetic_shoppers import simulate_orders
from .weeks import week_label

_SCENARIO = """\
# A synthetic shop: its shoppers are simulated, and truth.csv holds what learning should find.

[scenario]
name = "synthetic"
week = "{week}"

[data]
orders = "orders.csv.gz"
products = "products.csv"
prices = "prices.csv"

[assumptions]
visits = {visits}            # shoppers a week, those who buy nothing included

[candidates]
min_support = 5

[discounts]
levels = [0.05, 0.10, 0.15, 0.20, 0.25, 0.30]

[limits]
max_bundles = 20
max_bundles_per_product = 1

[solver]
gap = 0.001
"""


def write_synthetic(out: Path, *, seed: int = 1) -> None:
    """The instance ``synthetic``: 200 products, 40 weeks of 1,000 visits."""
    shop = make_shop(seed)
    write_shop(shop, out, simulate_orders(shop, shop.n_weeks, 1000, seed + 1), visits=1000)


def write_shop(shop: SyntheticShop, folder: Path, orders: pd.DataFrame, *, visits: int) -> None:
    """Write a shop and its orders as an instance folder, with ``truth.csv`` beside the tables.

    Files: ``orders.csv.gz``, ``products.csv``, ``prices.csv`` (planned week included, at
    reference prices), ``scenario.toml``, ``truth.csv`` (a product a row: its q, η, the product
    it is tied to and their odds ratio).

    Parameters
    ----------
    visits
        shoppers in the planned week, written into the scenario.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(orders, folder / "orders.csv.gz")
    write_csv(products_table(shop), folder / "products.csv")
    write_csv(_prices_table(shop), folder / "prices.csv")
    write_csv(truth_table(shop), folder / "truth.csv", money="%.6g")
    scenario = _SCENARIO.format(week=week_label(shop.planned_week), visits=visits)
    (folder / "scenario.toml").write_text(scenario, encoding="utf-8", newline="\n")


def products_table(shop: SyntheticShop) -> pd.DataFrame:
    """The shop's products in the ``products`` format, money in currency units."""
    return pd.DataFrame(
        {
            "product_id": shop.product_ids,
            "title": shop.title,
            "category": shop.category,
            "department": shop.department,
            "brand": shop.brand,
            "list_price": shop.reference_price / 100,
            "unit_cost": shop.unit_cost / 100,
        }
    )


def truth_table(shop: SyntheticShop) -> pd.DataFrame:
    """What is true of each product: q, η, partner and ψ (empty and 1 for untied products)."""
    partner = np.full(shop.n_products, "", dtype=object)
    odds_ratio = np.ones(shop.n_products)
    for side, other in ((0, 1), (1, 0)):
        partner[shop.ties[:, side]] = shop.product_ids[shop.ties[:, other]]
        odds_ratio[shop.ties[:, side]] = shop.odds_ratio
    return pd.DataFrame(
        {
            "product_id": shop.product_ids,
            "purchase_probability": shop.purchase_probability,
            "price_sensitivity": shop.price_sensitivity,
            "tied_to": partner,
            "odds_ratio": odds_ratio,
        }
    )


def write_csv(table: pd.DataFrame, path: Path, *, money: str = "%.2f") -> None:
    """A CSV whose bytes depend on the table alone (a gzip header holds no time and no name)."""
    text = table.to_csv(index=False, float_format=money, lineterminator="\n").encode()
    if path.suffix == ".gz":
        packed = io.BytesIO()
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=packed, mtime=0) as stream:
            stream.write(text)
        text = packed.getvalue()
    path.write_bytes(text)


def _prices_table(shop: SyntheticShop) -> pd.DataFrame:
    """Shelf prices of every week with orders and of the planned one."""
    weeks = range(shop.first_week, shop.planned_week + 1)
    price = np.vstack([shop.weekly_price, shop.reference_price])
    return pd.DataFrame(
        {
            "product_id": np.tile(shop.product_ids, len(weeks)),
            "week": np.repeat([week_label(week) for week in weeks], shop.n_products),
            "price": price.ravel() / 100,
            # A bundle is not built on top of a running price cut; the planned week has none.
            "promoted": np.where(price < shop.reference_price, "true", "false").ravel(),
        }
    )
