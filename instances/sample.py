"""A sample to start from: a scenario with every key explained, and tables of a made-up shop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .errors import InputError
from .synthetic import SyntheticShop, price_cuts
from .synthetic_files import products_table
from .synthetic_shoppers import simulate_orders
from .weeks import week_index, week_label

_SEED = 7
_WEEKS = 26
_VISITS = 260  # shoppers a week
_FIRST_WEEK = "2026-W10"

_ASSORTMENT: tuple[tuple[str, str, str, float], ...] = (
    # title, category, brand, price
    ("Espresso beans 500 g", "Coffee", "Alpina", 9.49),
    ("Filter coffee 500 g", "Coffee", "Alpina", 6.99),
    ("Coffee filters, 80 pieces", "Coffee", "House", 2.49),
    ("Oat drink barista 1 l", "Coffee", "Halm", 2.29),
    ("Butter croissants, 4 pieces", "Breakfast", "House", 3.49),
    ("Strawberry jam 340 g", "Breakfast", "Beerenhof", 3.79),
    ("Acacia honey 350 g", "Breakfast", "Beerenhof", 6.49),
    ("Crunchy muesli 750 g", "Breakfast", "Halm", 4.79),
    ("Greek yoghurt 500 g", "Dairy", "Weide", 3.29),
    ("Crème fraîche 200 g", "Dairy", "Weide", 1.79),
    ("Salted butter 250 g", "Dairy", "Weide", 3.19),
    ("Feta 200 g", "Dairy", "Weide", 3.59),
    ("Parmesan 150 g", "Dairy", "Casa", 5.49),
    ("Mozzarella 2 × 125 g", "Dairy", "Casa", 3.29),
    ("Spaghetti 500 g", "Pasta", "Casa", 1.89),
    ("Fresh tagliatelle 400 g", "Pasta", "Casa", 3.99),
    ("Tomato sauce with basil 400 g", "Pasta", "Casa", 3.29),
    ("Pesto alla genovese 190 g", "Pasta", "Casa", 4.29),
    ("Olive oil 750 ml", "Pasta", "Casa", 11.99),
    ("Balsamic vinegar 500 ml", "Pasta", "Casa", 4.99),
    ("Tortilla chips 300 g", "Snacks", "Maya", 2.99),
    ("Salsa dip 300 g", "Snacks", "Maya", 3.49),
    ("Guacamole 200 g", "Snacks", "Maya", 3.99),
    ("Salted peanuts 250 g", "Snacks", "House", 2.79),
    ("Dark chocolate 70 % 100 g", "Snacks", "Kakao & Co", 2.99),
    ("Pale ale, 6 bottles", "Drinks", "Braustube", 8.99),
    ("Tonic water 1 l", "Drinks", "Quell", 2.19),
    ("Dry gin 0.7 l", "Drinks", "Braustube", 19.99),
    ("Elderflower syrup 500 ml", "Drinks", "Beerenhof", 5.29),
    ("Sparkling water, 6 bottles", "Drinks", "Quell", 4.49),
    ("Charcoal 3 kg", "Barbecue", "House", 7.49),
    ("Firelighters, 48 pieces", "Barbecue", "House", 3.49),
    ("Barbecue sauce 400 ml", "Barbecue", "Maya", 3.99),
    ("Bratwurst, 6 pieces", "Barbecue", "Weide", 5.99),
)

_USED_TOGETHER: tuple[tuple[str, str, float], ...] = (
    # two titles and the odds ratio of buying both
    ("Filter coffee 500 g", "Coffee filters, 80 pieces", 18.0),
    ("Espresso beans 500 g", "Oat drink barista 1 l", 9.0),
    ("Butter croissants, 4 pieces", "Strawberry jam 340 g", 10.0),
    ("Greek yoghurt 500 g", "Crunchy muesli 750 g", 8.0),
    ("Fresh tagliatelle 400 g", "Pesto alla genovese 190 g", 14.0),
    ("Spaghetti 500 g", "Tomato sauce with basil 400 g", 12.0),
    ("Olive oil 750 ml", "Balsamic vinegar 500 ml", 7.0),
    ("Tortilla chips 300 g", "Salsa dip 300 g", 22.0),
    ("Dry gin 0.7 l", "Tonic water 1 l", 25.0),
    ("Charcoal 3 kg", "Firelighters, 48 pieces", 28.0),
    ("Barbecue sauce 400 ml", "Bratwurst, 6 pieces", 11.0),
)

SCENARIO = """\
# A first scenario. Every key stands here; those that are commented out show their default,
# or an example where there is none. Paths are relative to this file.

[scenario]
name = "sample"                  # letters, digits, - and _
week = "{week}"                # the ISO week to plan; --week overrides it
currency = "EUR"
# extends = "base.toml"          # read that file first; what stands here wins

[data]
orders = "orders.csv"            # .csv, .csv.gz, .parquet or .xlsx
products = "products.csv"
prices = "prices.csv"            # optional: planned shelf prices, and what is promoted
# events = "events.csv"          # optional: views, searches, carts
# promotions = "promotions.csv"  # optional: products on display and in the mailer, by week
# beliefs = "beliefs"            # optional: a folder that `bundlewise learn` wrote
# previous_plan = "plans/last"   # last week's plan, for rules of kind stability
max_age_days = 14                # optional: an error if the newest order line is older

[assumptions]
gross_margin = 0.35              # for products without unit_cost; or a table, see below
tax_rate = 0.0                   # tax within the prices: 0.19 is 19 %
# visits = 260                   # in the planned week; default: mean of the last 4 complete weeks
exposure = 1.0                   # share of visits that see the offers
redemption = "seen"              # or "automatic": the till gives the price to everybody
offer_cost = 0.0                 # money a bundle costs for the week, sold or not
# diversion = 0.1                # share of added units taken from similar products
# [assumptions.gross_margin]     # instead of one share: by category or department
# by = "category"
# default = 0.35
# "Drinks" = 0.28

[candidates]
min_support = 5                  # orders that hold all of a bundle's products
max_size = 2                     # products in a bundle, up to 4
max_candidates = 200000          # the most promising are kept
allow_same_category = true
allow_promoted = false           # products that prices.csv marks as promoted stay out

[discounts]
levels = [0.05, 0.10, 0.15, 0.20, 0.25, 0.30]
price_ending = "x.x9"            # "none", "x.x9", ".99", ".95" or ".00"

[objective]
maximize = "margin"              # or "revenue", "units", "affinity"

[limits]
max_bundles = 6
min_bundles = 0
max_bundles_per_product = 1
stock_safety = 0.1               # share of the stock that is not planned with
# min_bundle_margin = 0.10       # lowest margin rate of a bundle
# min_plan_margin = 0.20         # lowest margin rate of the whole plan
# discount_budget = 200.0        # most money off, over the week

[[rules]]
name = "room-for-others"         # made from kind and field where none is given
kind = "category-limit"          # number of offers that touch a category; brand-limit is alike
category = "Pasta"
max = 2

[[rules]]
kind = "excluded"                # never this bundle (at this level, if one is given)
products = ["0026", "0028"]

# [[rules]]
# kind = "must-include"          # this bundle is in the plan (at this level, if one is given)
# products = ["0021", "0022"]
# level = 0.10
# [[rules]]
# kind = "never-together"        # no bundle holds two of these
# products = ["0026", "0028", "0027"]
# [[rules]]
# kind = "at-most-one-of"        # products, or bundles = [["0001", "0004"], ["0002", "0003"]]
# products = ["0015", "0016"]
# [[rules]]
# kind = "locked"                # exactly this offer is in the plan
# products = ["0031", "0032"]
# level = 0.15
# [[rules]]
# kind = "same-level"            # one level for a category, or bundles = [["0001", "0004"], …]
# category = "Pasta"
# [[rules]]
# kind = "stability"             # compared with data.previous_plan
# min_share = 0.5                # of last week's bundles, at least, are in the plan again
# max_steps = 1                  # entries of discounts.levels that one of them may move
# [[rules]]
# kind = "clearance"             # incremental units of these products, together
# products = ["0033", "0034"]
# target = 20
# price = 0.50                   # a unit that is missing costs so much; without it, none may be

[segments]
count = 1                        # groups of shoppers; 1: none; "auto": as many as foretell best
target = false                   # true: an offer is shown only to the segments it gains in
min_customers = 20               # smaller groups join their neighbours

[solver]
engine = "auto"                  # or "highs", "scip", "cp-sat", "pulp:CBC", ...
gap = 0.001                      # stop once the plan is proven this close to the best
time_limit = 60                  # seconds
threads = 0                      # 0: all cores
seed = 0
deterministic = false
"""


def write_sample(out: Path) -> None:
    """Write the sample scenario and its tables into a folder, the same every time.

    Errors
    ------
    InputError
        where the folder holds one of the files; nothing is written then.
    """
    out = Path(out)
    names = ("orders.csv", "products.csv", "prices.csv", "scenario.toml")
    for name in names:
        if (out / name).exists():
            raise InputError(out / name, None, "the file is there already", "a folder without it")
    shop = _shop()
    out.mkdir(parents=True, exist_ok=True)
    orders = simulate_orders(shop, _WEEKS, _VISITS, _SEED + 1, customers=500)
    for name, table in zip(names, (orders, _products(shop), _prices(shop)), strict=False):
        table.to_csv(out / name, index=False, lineterminator="\n", float_format="%.2f")
    scenario = SCENARIO.replace("{week}", week_label(shop.planned_week))
    (out / "scenario.toml").write_text(scenario, encoding="utf-8", newline="\n")


def _shop() -> SyntheticShop:
    rng = np.random.default_rng(_SEED)
    title, category, brand, price = (list(cells) for cells in zip(*_ASSORTMENT, strict=True))
    count = len(title)
    reference_price = np.round(np.array(price) * 100).astype(np.int64)
    weights = rng.lognormal(0.0, 0.35, count)
    ties = [
        sorted((title.index(first), title.index(second))) for first, second, _ in _USED_TOGETHER
    ]
    # products used together answer most to prices here, so that the plan is easy to read
    sensitivity = np.where(np.isin(np.arange(count), ties), 4.2, 1.6) * rng.uniform(0.9, 1.1, count)
    return SyntheticShop(
        product_ids=np.array([f"{number:04d}" for number in range(1, count + 1)], dtype=object),
        title=np.array(title, dtype=object),
        category=np.array(category, dtype=object),
        department=np.array(["Food"] * count, dtype=object),
        brand=np.array(brand, dtype=object),
        purchase_probability=weights * 3.0 / weights.sum(),
        price_sensitivity=sensitivity,
        reference_price=reference_price,
        unit_cost=np.round(reference_price * rng.uniform(0.45, 0.62, count)).astype(np.int64),
        ties=np.array(ties),
        odds_ratio=np.array([odds_ratio for *_, odds_ratio in _USED_TOGETHER]),
        first_week=week_index(_FIRST_WEEK),
        weekly_price=price_cuts(reference_price, _WEEKS, 0.2, rng),
        shift=np.zeros((_WEEKS, count)),
        trip_spread=0.0,
    )


def _products(shop: SyntheticShop) -> pd.DataFrame:
    """The products table, with what real ones have: gaps, a few stocks, a product that is out."""
    table = products_table(shop)
    number = np.arange(shop.n_products)
    table["unit_cost"] = table["unit_cost"].mask(number % 11 == 5)
    weekly = np.ceil(shop.purchase_probability * _VISITS)
    table["stock"] = pd.Series(weekly * 4).astype("Int64").mask(number % 5 > 0)
    table["min_price"] = (shop.unit_cost * 1.05 / 100).round(2)
    table["supplier_funding"] = np.where(number % 9 == 0, 0.15, 0.0)
    table["active"] = np.where(shop.title == "Sparkling water, 6 bottles", "false", "true")
    return table


def _prices(shop: SyntheticShop) -> pd.DataFrame:
    """Shelf prices of the planned week; one product is promoted."""
    promoted = shop.title == "Dark chocolate 70 % 100 g"
    price = np.where(promoted, shop.reference_price * 0.8, shop.reference_price)
    return pd.DataFrame(
        {
            "product_id": shop.product_ids,
            "week": week_label(shop.planned_week),
            "price": np.round(price) / 100,
            "promoted": np.where(promoted, "true", "false"),
        }
    )
