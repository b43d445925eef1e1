"""Pairs of the Complete Journey in at least 5 orders: ours, scipy and DuckDB, same answer checked.

python -m benchmarks.pair_counting
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
import scipy.sparse as sp
from bundlewise.instances.orders import Baskets
from bundlewise.models.pair_counts import count_pairs
from numpy.typing import NDArray

from .journey import journey_baskets

MIN_ORDERS = 5
REPEATS = 3
TARGET = 4.0  # times faster than scipy
Counted = tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]


def main() -> None:
    """Print seconds (the best of some runs) and the ratio to ours."""
    baskets = journey_baskets()
    pair_visits = int((np.diff(baskets.start) * (np.diff(baskets.start) - 1) // 2).sum())
    print(
        f"{baskets.n_visits:,} baskets, {len(baskets.product):,} entries, "
        f"{baskets.n_products:,} products, {pair_visits:,} pairs in baskets, {os.cpu_count()} cores"
    )
    start = time.perf_counter()
    ours = _ours(baskets)
    print(
        f"ours, first call (compiled or read from the cache): {time.perf_counter() - start:.2f} s"
    )
    ways: dict[str, Callable[[Baskets], Counted]] = {
        "ours": _ours,
        "scipy sparse XᵀX": _scipy,
        "DuckDB self-join": _duckdb,
    }
    seconds = {}
    for name, way in ways.items():
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            counted = way(baskets)
            times.append(time.perf_counter() - start)
        for mine, theirs in zip(ours, counted, strict=True):
            assert np.array_equal(mine, theirs), f"{name} finds other pairs or counts"
        seconds[name] = min(times)
    for name, value in seconds.items():
        print(f"{name:18} {value:7.3f} s   {value / seconds['ours']:6.1f} times ours")
    ratio = seconds["scipy sparse XᵀX"] / seconds["ours"]
    print(f"same {len(ours[0]):,} pairs and counts; scipy / ours {ratio:.1f}, target {TARGET:.1f}")


def _ours(baskets: Baskets) -> Counted:
    counts = count_pairs(baskets, MIN_ORDERS)
    return counts.first, counts.second, counts.orders


def _scipy(baskets: Baskets) -> Counted:
    shape = (baskets.n_visits, baskets.n_products)
    ones = np.ones(len(baskets.product), dtype=np.int32)
    visits = sp.csr_matrix((ones, baskets.product, baskets.start), shape=shape)
    together = sp.triu(visits.T @ visits, k=1, format="coo")
    enough = together.data >= MIN_ORDERS
    first, second, orders = together.row[enough], together.col[enough], together.data[enough]
    order = np.lexsort((second, first))
    return first[order], second[order], orders[order]


def _duckdb(baskets: Baskets) -> Counted:
    visit = np.repeat(np.arange(baskets.n_visits, dtype=np.int32), np.diff(baskets.start))
    lines = pd.DataFrame({"visit": visit, "product": baskets.product})
    with duckdb.connect() as connection:
        connection.register("lines", lines)
        found = connection.execute(
            """
            SELECT a.product AS first, b.product AS second, count(*) AS orders
            FROM lines a JOIN lines b ON a.visit = b.visit AND a.product < b.product
            GROUP BY ALL HAVING count(*) >= ? ORDER BY first, second
            """,
            [MIN_ORDERS],
        ).fetchnumpy()
    return found["first"], found["second"], found["orders"]


if __name__ == "__main__":
    main()
