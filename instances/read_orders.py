"""Order lines read and cleaned: what cannot be used is set aside with its reason, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .cells import Money, moments, money, numbers
from .columns import Column, Table, shown
from .errors import InputError
from .orders import Orders
from .tables import read_columns
from .weeks import week_label, weeks_of

REQUIRED = ("order_id", "product_id", "ordered_at", "quantity", "amount")
OPTIONAL = ("list_amount", "customer_id", "store_id", "bundle_id")

REASONS = (
    "missing order_id",
    "missing product_id",
    "unreadable date",
    "unreadable number",
    "unknown product",
    "non-positive quantity",
    "non-positive amount",
    "absurd quantity",
    "duplicate line",
)
"""Why a line is set aside, in the order in which the reasons are tried; a line has one."""

LATER = "lines in or after the planned week"
"""Count of lines that are not learned from because of their date, set aside or not."""

LARGE_QUANTITY = 100
"""Fewer units than this on a line are never absurd."""

USUAL_MULTIPLE = 10
"""A large quantity is usual below this multiple of the product's median quantity."""

FEWEST_LINES = 5
"""A product of fewer lines than this has no usual quantity; a large one is absurd then."""

SMALLEST_UNIT_PRICE = 1
"""A large quantity below this price per unit (cents) is a weight or a volume, not units."""


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
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Lines:
    """The columns of the file, parsed, one entry a line."""

    product: NDArray[np.int32]
    moment: NDArray[np.datetime64]
    quantity: NDArray[np.float64]
    amount: Money
    list_amount: Money
    n_products: int


def read_orders(path: Path, product_ids: NDArray[np.object_], week: int) -> OrdersRead:
    """Read order lines for a plan of ``week``.

    Errors
    ------
    InputError
        for a file or header that cannot be used, and where no line is left to learn from.
    """
    table, warnings = read_columns(path, REQUIRED, OPTIONAL)
    lines = _Lines(
        product=codes_of(table.get("product_id"), product_ids),
        moment=moments(table.get("ordered_at")),
        quantity=numbers(table.get("quantity")),
        amount=money(table.get("amount")),
        list_amount=money(table.get("list_amount")),
        n_products=len(product_ids),
    )
    reason = _reasons(table, lines)
    counts = {
        text: int(number)
        for text, number in zip(REASONS, np.bincount(reason + 1, minlength=10)[1:], strict=True)
        if number
    }
    rows = np.flatnonzero(reason < 0)
    if len(rows) == 0:
        raise _nothing_left(table, reason, counts)
    visit, first = _visits(table.get("order_id"), rows)
    day = lines.moment[rows].astype("datetime64[D]")
    _count(counts, "orders with several dates", _mixed(visit, first, day))
    for name in ("customer_id", "store_id"):
        kind = "customers" if name == "customer_id" else "stores"
        _count(
            counts, f"orders with several {kind}", _mixed(visit, first, table.get(name).codes[rows])
        )
    several = counts.get("orders with several dates", 0)
    if several > 0.01 * len(first):
        warnings.append(
            f"{table.path.name}: {several:,} of {len(first):,} orders have lines of several dates; "
            "the date of the first line counts"
        )
    used, orders, customers = _learnable(table, lines, rows, visit, first, week)
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
        _quarantine(table, reason),
        counts,
        table.rows,
        day.min().item(),
        day[(weeks_of(day) <= week) | used].max().item(),
        day[used].max().item(),
        weekdays,
        customers,
        tuple(warnings),
    )


def codes_of(column: Column, ids: NDArray[np.object_]) -> NDArray[np.int32]:
    """(rows,) position of each cell among ``ids``; -1 where it is not there."""
    positions = pd.Index(ids, dtype="str").get_indexer(pd.Index(column.values, dtype="str"))
    return column.spread(positions.astype(np.int32), -1)


def _reasons(table: Table, lines: _Lines) -> NDArray[np.int8]:
    """(rows,) index into ``REASONS``; -1 for a line that can be used."""
    quantity, amount = lines.quantity, lines.amount
    list_missing = table.get("list_amount").missing
    bad = {
        "missing order_id": table.get("order_id").missing,
        "missing product_id": table.get("product_id").missing,
        "unreadable date": np.isnat(lines.moment),
        "unreadable number": np.isnan(quantity)
        | ~amount.readable
        | ~(lines.list_amount.readable | list_missing),
        "unknown product": lines.product < 0,
        "non-positive quantity": quantity <= 0,
        "non-positive amount": amount.cents <= 0,
    }
    reason = np.full(table.rows, -1, dtype=np.int8)
    for index, text in enumerate(REASONS):
        if text in bad:
            hit = bad[text]
        elif text == "absurd quantity":
            hit = _absurd(lines, reason < 0)
        else:
            hit = _repeated(table)
        reason[(reason < 0) & hit] = index
    return reason


def _absurd(lines: _Lines, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(rows,) whether a line of many units is unlike the product, or weighs it in grams."""
    large = usable & (lines.quantity >= LARGE_QUANTITY)
    if not large.any():
        return large
    rows = np.flatnonzero(usable)
    suspects = np.zeros(lines.product.max() + 1, dtype=bool)
    suspects[lines.product[large]] = True
    rows = rows[suspects[lines.product[rows]]]
    by_product = pd.Series(lines.quantity[rows]).groupby(lines.product[rows])
    usual = by_product.median().where(by_product.size() >= FEWEST_LINES, 0.0)
    median = np.zeros(len(suspects))
    median[usual.index.to_numpy()] = usual.to_numpy()
    unlike = lines.quantity >= USUAL_MULTIPLE * median[lines.product]
    tiny = lines.amount.cents < SMALLEST_UNIT_PRICE * lines.quantity
    return large & (unlike | tiny)


def _repeated(table: Table) -> NDArray[np.bool_]:
    """(rows,) whether every cell equals that of an earlier line."""
    key = np.zeros(table.rows, dtype=np.int64)
    size = 1
    for column in table.columns.values():
        width = len(column.values) + 1
        if size > 2**62 // width:
            key, distinct = pd.factorize(key)
            size = len(distinct)
        key = key * width + (column.codes + 1)
        size *= width
    return pd.Series(key).duplicated().to_numpy()


def _visits(column: Column, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Visit of each usable line, numbered by first appearance, and where each first appears."""
    visit, distinct = pd.factorize(column.codes[rows])
    first = np.empty(len(distinct), dtype=np.int64)
    first[visit[::-1]] = np.arange(len(rows))[::-1]  # the last to write is the first line
    return visit.astype(np.int64), first


def _mixed(visit: NDArray[np.int64], first: NDArray[np.int64], values: NDArray[np.generic]) -> int:
    """Number of visits with a line that differs from their first line."""
    return len(np.unique(visit[values != values[first][visit]]))


def _learnable(
    table: Table,
    lines: _Lines,
    rows: NDArray[np.int64],
    visit: NDArray[np.int64],
    first: NDArray[np.int64],
    week: int,
) -> tuple[NDArray[np.bool_], Orders, NDArray[np.object_]]:
    """Which usable lines are from before the planned week, those as orders, and customer ids."""
    visit_week = weeks_of(lines.moment[rows[first]])
    kept = visit_week < week
    used = kept[visit]
    number = np.cumsum(kept) - 1
    line_visit = number[visit[used]]
    order = np.argsort(line_visit, kind="stable")
    taken = rows[used][order]
    heads = rows[first[kept]]
    customer, customers = _codes(table.get("customer_id"), heads)
    store, _ = _codes(table.get("store_id"), heads)
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
    )
    return used, orders, customers


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
    lines: _Lines,
    rows: NDArray[np.int64],
    counts: dict[str, int],
    warnings: list[str],
) -> None:
    fractions = (lines.amount.rounded | lines.list_amount.rounded)[rows]
    _count(counts, "lines with a fraction of a cent, rounded", int(fractions.sum()))
    if fractions.any():
        warnings.append(
            f"{table.path.name}: {int(fractions.sum()):,} lines have amounts with a fraction of a "
            "cent, rounded to the nearest cent (half a cent to the even one)"
        )
    stated = ~table.get("list_amount").missing[rows]
    unusable = stated & (lines.list_amount.cents[rows] <= 0)
    _count(counts, "lines with a list_amount of 0 or less, not used", int(unusable.sum()))


def _count(counts: dict[str, int], text: str, number: int) -> None:
    if number:
        counts[text] = number


def _quarantine(table: Table, reason: NDArray[np.int8]) -> pd.DataFrame:
    rows = np.flatnonzero(reason >= 0)
    frame = pd.DataFrame(
        {"line": rows + 2, "reason": np.array(REASONS, dtype=object)[reason[rows]]}
    )
    for name in (*REQUIRED, *OPTIONAL):
        if name in table.columns and name != "customer_id":
            column = table.columns[name]
            frame[name] = Column(column.codes[rows], column.values).text()
    return frame.astype({name: "str" for name in frame.columns if name != "line"})


def _nothing_left(table: Table, reason: NDArray[np.int8], counts: dict[str, int]) -> InputError:
    """The error for a file without a usable line: how many of each reason, and an example."""
    row = int(np.flatnonzero(reason >= 0)[0])
    shows = {
        "unreadable date": "ordered_at",
        "unreadable number": "amount",
        "unknown product": "product_id",
        "non-positive quantity": "quantity",
        "non-positive amount": "amount",
        "absurd quantity": "quantity",
    }
    column = shows.get(REASONS[reason[row]], "order_id")
    reasons = ", ".join(f"{number:,} {text}" for text, number in counts.items())
    example = f"row {row + 2} has {column} {shown(table.get(column).cell(row))}"
    return InputError(
        table.path, None, f"no usable line left ({reasons}; {example})", "at least one good line"
    )
