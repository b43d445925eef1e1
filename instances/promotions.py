"""Displays and mailers: in which weeks a product stood out in the shop, or was advertised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .columns import Column
from .orders import Orders
from .tables import read_columns
from .weeks import week_index

_NONE = ("", "0", "none", "no", "false")
_SHARE = re.compile(r"(0?\.\d+|0\.\d*|1(\.0*)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PromotionTable:
    """Promotion other than by price, one entry a row of the promotions table.

    Attributes
    ----------
    product
        (rows,) index into the catalogue; -1 for a product that the products table lacks.
    week
        (rows,) number of the ISO week.
    store
        (rows,) code of the store as in ``Orders.store``; -1 for all stores, -2 for one without
        orders.
    display, mailer
        (rows,) from 0 to 1: whether, or in what share of the stores, the product was on display
        and in the mailer.
    """

    product: NDArray[np.int32]
    week: NDArray[np.int32]
    store: NDArray[np.int32]
    display: NDArray[np.float64]
    mailer: NDArray[np.float64]

    def shares(
        self, orders: Orders, first_week: int, end_week: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(products, weeks) share of a week's visits that met the product on display, in the
        mailer; a row of one store counts with that store's share of the week's visits."""
        weeks, products = end_week - first_week, orders.n_products
        inside = (orders.week >= first_week) & (orders.week < end_week)
        n_stores = int(orders.store.max(initial=-1)) + 1
        visits = np.zeros((weeks, n_stores + 1))
        np.add.at(visits, (orders.week[inside] - first_week, orders.store[inside]), 1.0)
        of_week = visits / np.maximum(visits.sum(axis=1, keepdims=True), 1.0)
        used = (self.product >= 0) & (self.store >= -1)
        used &= (self.week >= first_week) & (self.week < end_week)
        week, store = self.week[used] - first_week, self.store[used]
        weight = np.where(store >= 0, of_week[week, np.maximum(store, 0)], 1.0)
        key = (self.product[used].astype(np.int64) * weeks + week) * (n_stores + 1) + store + 1
        shares = []
        for column in (self.display, self.mailer):
            order = np.lexsort((column[used], key))  # of rows that repeat, the largest comes last
            last = order[np.append(np.diff(key[order]) > 0, True)] if len(order) else order
            cell = key[last] // (n_stores + 1)
            summed = np.bincount(
                cell, column[used][last] * weight[last], minlength=products * weeks
            )
            share = np.minimum(summed, 1.0).astype(np.float32)
            shares.append(share.reshape(products, weeks))
        return shares[0], shares[1]


def read_promotions(
    path: Path, product_ids: NDArray[np.object_], store_ids: NDArray[np.object_]
) -> tuple[PromotionTable, list[str]]:
    """Read a promotions table, and what to warn of.

    Parameters
    ----------
    store_ids
        ids behind the codes of ``Orders.store``.

    Errors
    ------
    InputError
        for a file or header that cannot be used, and a bad cell.
    """
    optional = ("store_id", "display", "mailer")
    table, warnings = read_columns(path, ("product_id", "week"), optional)
    ids, weeks = table.get("product_id"), table.get("week")
    if ids.missing.any():
        raise table.error(int(ids.missing.argmax()), "product_id", "a product id")
    week = weeks.spread(np.array([_week(text) for text in weeks.values], dtype=np.int32), -1)
    if (week < 0).any():
        raise table.error(int((week < 0).argmax()), "week", "an ISO week such as 2018-W01")
    display, mailer = (_share(table.get(name)) for name in ("display", "mailer"))
    for name, share in (("display", display), ("mailer", mailer)):
        if np.isnan(share).any():
            bad = int(np.isnan(share).argmax())
            raise table.error(bad, name, "true or false, a place, or a share from 0 to 1")
    product, stores = ids.positions(product_ids), table.get("store_id")
    store = np.where(stores.missing, -1, stores.positions(store_ids))
    store = np.where(~stores.missing & (store < 0), -2, store).astype(np.int32)
    for count, what in (
        (int((product < 0).sum()), "name products that are not listed"),
        (int((store == -2).sum()), "are of stores without orders, and not used"),
    ):
        if count:
            warnings.append(f"{table.path.name}: {count:,} rows {what}")
    return PromotionTable(product, week, store, display, mailer), warnings


def _share(column: Column) -> NDArray[np.float64]:
    """(rows,) 0 for none, 1 for any place, a share as it is; nan for a number below 0."""
    return column.spread(np.array([_parsed(text) for text in column.values], dtype=float), 0.0)


def _parsed(text: str) -> float:
    word = text.strip().lower()
    if word in _NONE:
        return 0.0
    if _SHARE.fullmatch(word):
        return float(word)
    return np.nan if word.startswith("-") else 1.0


def _week(label: str) -> int:
    try:
        return week_index(label.strip())
    except ValueError:
        return -1
