"""Order lines read and cleaned: what cannot be used is set aside with its reason, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .columns import Column, Table
from .errors import InputError
from .orders import Orders
from .quarantine import (
    OPTIONAL,
    REQUIRED,
    Lines,
    bad_line_reasons,
    nothing_left,
    parse_lines,
    quarantined,
    reason_counts,
)
from .tables import read_columns
from .weeks import week_label, weeks_of

LATER = "lines in or after the planned week"
"""Count of lines that are not learned from because of their date, set aside or not."""


@dataclass(frozen=True, slots=True)
class OrdersRead:
    """Clean orders, and what became of the lines that are not among them.

    Attributes
    ----------
    orders
        clean lines from before the planned week.
    quarantine
        the lines set aside as read, with ``line`` (row in the file, the header being 1) and
        ``reason``. Without customers: the file is meant to be passed around.
    counts
        lines by reason, and what else is worth knowing; no entry is 0.
    rows
        lines in the file.
    first_day, last_day
        first and last day with a clean line, up to the end of the planned week.
    last_used_day
        last day with a line to learn from.
    weekdays
        (7,) whether the shop sold anything on Monday, Tuesday, ...
    customer_ids
        (customers,) the ids behind the codes of ``orders.customer``; never written out.
    store_ids
        (stores,) the ids behind the codes of ``orders.store``.
    warnings
        sentences for the person who reads the plan.
    """

    orders: Orders
    quarantine: pd.DataFrame
    counts: dict[str, int]
    rows: int
    first_day: date
    last_day: date
    last_used_day: date
    weekdays: NDArray[np.bool_]
    customer_ids: NDArray[np.object_]
    store_ids: NDArray[np.object_]
    warnings: tuple[str, ...]


def read_orders(path: Path, product_ids: NDArray[np.object_], week: int) -> OrdersRead:
    """Read order lines for a plan of ``week``.

    Errors
    ------
    InputError
        for a file or header that cannot be used, and where no line is left to learn from.
    """
    table, warnings = read_columns(path, REQUIRED, OPTIONAL)
    lines = parse_lines(table, product_ids)
    reason = bad_line_reasons(table, lines, week)
    counts = reason_counts(reason)
    rows = np.flatnonzero(reason < 0)
    if len(rows) == 0:
        raise nothing_left(table, reason)
    visit, first = _visits(table.get("order_id"), rows)
    day = lines.moment[rows].astype("datetime64[D]")
    _note_mixed(table, rows, visit, first, day, counts, warnings)
    used, orders, customers, stores = _learnable(table, lines, rows, visit, first, week)
    dated = lines.moment[(reason >= 0) & ~np.isnat(lines.moment)]
    later = int((weeks_of(dated) >= week).sum())
    _count(counts, LATER, len(rows) - int(used.sum()) + later)
    if not used.any():
        found = f"all {len(rows):,} usable lines are in or after the planned week"
        raise InputError(table.path, None, found, f"lines from before {week_label(week)}")
    _note_money(table, lines, rows[used], counts, warnings)
    weekdays = np.zeros(7, dtype=bool)
    weekdays[np.unique((day.astype(np.int64) + 3) % 7)] = True
    return OrdersRead(
        orders,
        quarantined(table, reason),
        counts,
        table.rows,
        day.min().item(),
        day[(weeks_of(day) <= week) | used].max().item(),
        day[used].max().item(),
        weekdays,
        customers,
        stores,
        tuple(warnings),
    )


def _visits(column: Column, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Visit of each usable line, numbered by first appearance, and where each first appears."""
    visit, distinct = pd.factorize(column.codes[rows])
    first = np.empty(len(distinct), dtype=np.int64)
    first[visit[::-1]] = np.arange(len(rows))[::-1]  # the last to write is the first line
    return visit.astype(np.int64), first


def _note_mixed(
    table: Table,
    rows: NDArray[np.int64],
    visit: NDArray[np.int64],
    first: NDArray[np.int64],
    day: NDArray[np.datetime64],
    counts: dict[str, int],
    warnings: list[str],
) -> None:
    """Count the orders with a line that differs from their first line, which is what counts."""
    values = {
        "dates": day,
        "customers": table.get("customer_id").codes[rows],
        "stores": table.get("store_id").codes[rows],
    }
    for kind, value in values.items():
        mixed = len(np.unique(visit[value != value[first][visit]]))
        _count(counts, f"orders with several {kind}", mixed)
    several = counts.get("orders with several dates", 0)
    if several > 0.01 * len(first):
        warnings.append(
            f"{table.path.name}: {several:,} of {len(first):,} orders have lines of several dates; "
            "the date of the first line counts"
        )


def _learnable(
    table: Table,
    lines: Lines,
    rows: NDArray[np.int64],
    visit: NDArray[np.int64],
    first: NDArray[np.int64],
    week: int,
) -> tuple[NDArray[np.bool_], Orders, NDArray[np.object_], NDArray[np.object_]]:
    """Which usable lines are from before the planned week, those as orders, customer, store ids.

    Parameters
    ----------
    rows
        (usable,) rows of the usable lines in the file.
    visit
        (usable,) visit of each.
    first
        (visits,) position among the usable lines of each visit's first line.
    """
    visit_week = weeks_of(lines.moment[rows[first]])
    kept = visit_week < week
    used = kept[visit]
    number = np.cumsum(kept) - 1
    line_visit = number[visit[used]]
    order = np.argsort(line_visit, kind="stable")
    taken = rows[used][order]
    heads = rows[first[kept]]
    customer, customers = _codes(table.get("customer_id"), heads)
    store, stores = _codes(table.get("store_id"), heads)
    listed = lines.list_amount.cents[taken]
    orders = Orders(
        visit=line_visit[order].astype(np.int32),
        product=lines.product[taken],
        quantity=lines.quantity[taken],
        amount=lines.amount.cents[taken],
        list_amount=np.where(listed > 0, listed, -1),
        bundled=~table.get("bundle_id").missing[taken],
        week=visit_week[kept],
        customer=customer,
        store=store,
        n_products=lines.n_products,
        coupon=lines.coupon_amount.cents[taken] > 0,
    )
    return used, orders, customers, stores


def _codes(
    column: Column, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    """Codes by first appearance among ``rows``, -1 for empty cells, and the texts behind them."""
    cells = column.codes[rows]
    known = cells >= 0
    codes = np.full(len(rows), -1, dtype=np.int32)
    codes[known], distinct = pd.factorize(cells[known])
    return codes, column.values[distinct]


def _note_money(
    table: Table,
    lines: Lines,
    rows: NDArray[np.int64],
    counts: dict[str, int],
    warnings: list[str],
) -> None:
    money = (lines.amount, lines.list_amount, lines.coupon_amount)
    fractions = np.any([column.rounded[rows] for column in money], axis=0)
    _count(counts, "lines with a fraction of a cent, rounded", int(fractions.sum()))
    if fractions.any():
        warnings.append(
            f"{table.path.name}: {int(fractions.sum()):,} lines have amounts with a fraction of a "
            "cent, rounded to the nearest cent (half a cent to the even one)"
        )
    stated = ~table.get("list_amount").missing[rows]
    unusable = stated & (lines.list_amount.cents[rows] <= 0)
    _count(counts, "lines with a list_amount of 0 or less, not used", int(unusable.sum()))
    negative = int((lines.coupon_amount.cents[rows] < 0).sum())
    _count(counts, "lines with a coupon_amount below 0, taken as without a coupon", negative)


def _count(counts: dict[str, int], text: str, number: int) -> None:
    if number:
        counts[text] = number
