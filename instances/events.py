"""What customers viewed, searched for and put in their carts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .cells import moments
from .columns import Column
from .tables import read_columns
from .weeks import weeks_of

KINDS = ("view", "search", "cart")


def read_events(
    path: Path,
    product_ids: NDArray[np.object_],
    customer_ids: NDArray[np.object_],
    week: int,
) -> tuple[pd.DataFrame, dict[str, int], list[str]]:
    """Read an events table for a plan of ``week``: good rows, counts of the others, warnings.

    Returns
    -------
    events
        ``customer`` (code; below ``len(customer_ids)`` it is that of the orders, -1 unknown),
        ``product`` (catalogue index; -1 for a search that names none), ``at`` (datetime64[s]),
        ``week``, ``kind``, ``query`` ("" where empty). No customer id.
    counts
        rows left out, by cause.

    Errors
    ------
    InputError
        for a file or header that cannot be used.
    """
    required = ("customer_id", "product_id", "at", "kind")
    table, warnings = read_columns(path, required, ("query",))
    product = table.get("product_id").positions(product_ids)
    at = moments(table.get("at"))
    kind = table.get("kind").text()
    weeks = np.where(np.isnat(at), -1, weeks_of(np.where(np.isnat(at), np.datetime64(0, "s"), at)))
    nameless = table.get("product_id").missing
    causes = {
        "events with an unreadable date": np.isnat(at),
        "events of an unknown kind": ~np.isin(kind.astype(str), KINDS),
        "events of an unknown product": (product < 0) & ~nameless,
        "events without a product": nameless & (kind != "search"),
        "events in or after the planned week": weeks >= week,
    }
    left = np.zeros(table.rows, dtype=bool)
    counts: dict[str, int] = {}
    for text, hit in causes.items():
        if (fresh := int((hit & ~left).sum())) > 0:
            counts[text] = fresh
        left |= hit
    customers = table.get("customer_id")
    events = pd.DataFrame(
        {
            "customer": _customer_codes(customers, customer_ids),
            "product": product,
            "at": at,
            "week": weeks.astype(np.int32),
            "kind": pd.Series(kind, dtype="str"),
            "query": pd.Series(table.get("query").text(), dtype="str"),
        }
    )
    return events[~left].reset_index(drop=True), counts, warnings


def _customer_codes(column: Column, customer_ids: NDArray[np.object_]) -> NDArray[np.int32]:
    """(rows,) the orders' code of a customer, a new one for a customer without orders."""
    codes = pd.Index(customer_ids, dtype="str").get_indexer(pd.Index(column.values, dtype="str"))
    new = codes < 0
    codes[new] = len(customer_ids) + np.arange(int(new.sum()))
    return column.spread(codes.astype(np.int32), -1)
