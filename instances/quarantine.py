"""Which order lines cannot be used, why, and the table that keeps them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .cells import Money, moments, money, numbers
from .columns import Column, Table, shown
from .errors import InputError
from .weeks import weeks_of

REQUIRED = ("order_id", "product_id", "ordered_at", "quantity", "amount")
OPTIONAL = ("list_amount", "coupon_amount", "customer_id", "store_id", "bundle_id")

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

LARGE_QUANTITY = 100
"""Fewer units than this on a line are never absurd."""

USUAL_MULTIPLE = 10
"""A large quantity is usual below this multiple of the product's median quantity."""

FEWEST_LINES = 5
"""A product of fewer lines than this has no usual quantity; a large one is absurd then."""

SMALLEST_UNIT_PRICE = 1
"""A large quantity below this price per unit (cents) is a weight or a volume, not units."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The columns of an orders file, parsed, one entry a line.

    Attributes
    ----------
    product
        (lines,) index into the catalogue; -1 where it is not listed.
    moment
        (lines,) to the second; NaT where unreadable.
    quantity
        (lines,) NaN where unreadable.
    amount, list_amount, coupon_amount
        (lines,) cents.
    n_products
        size of the catalogue.
    """

    product: NDArray[np.int32]
    moment: NDArray[np.datetime64]
    quantity: NDArray[np.float64]
    amount: Money
    list_amount: Money
    coupon_amount: Money
    n_products: int


def parse_lines(table: Table, product_ids: NDArray[np.object_]) -> Lines:
    """Parse the columns of an orders file."""
    return Lines(
        product=table.get("product_id").positions(product_ids),
        moment=moments(table.get("ordered_at")),
        quantity=numbers(table.get("quantity")),
        amount=money(table.get("amount")),
        list_amount=money(table.get("list_amount")),
        coupon_amount=money(table.get("coupon_amount")),
        n_products=len(product_ids),
    )


def bad_line_reasons(table: Table, lines: Lines, week: int) -> NDArray[np.int8]:
    """(rows,) index into ``REASONS``; -1 for a line that can be used in a plan of ``week``."""
    quantity, amount = lines.quantity, lines.amount
    bad = {
        "missing order_id": table.get("order_id").missing,
        "missing product_id": table.get("product_id").missing,
        "unreadable date": np.isnat(lines.moment),
        "unreadable number": np.isnan(quantity)
        | ~amount.readable
        | ~(lines.list_amount.readable | table.get("list_amount").missing)
        | ~(lines.coupon_amount.readable | table.get("coupon_amount").missing),
        "unknown product": lines.product < 0,
        "non-positive quantity": quantity <= 0,
        "non-positive amount": amount.cents <= 0,
    }
    reason = np.full(table.rows, -1, dtype=np.int8)
    for index, text in enumerate(REASONS):
        if text in bad:
            hit = bad[text]
        elif text == "absurd quantity":
            hit = _absurd(lines, reason < 0, week)
        else:
            hit = _repeated(table)
        reason[(reason < 0) & hit] = index
    return reason


def reason_counts(reason: NDArray[np.int8]) -> dict[str, int]:
    """Lines set aside for each reason that occurs."""
    numbers_of = np.bincount(reason[reason >= 0], minlength=len(REASONS))
    return {text: int(number) for text, number in zip(REASONS, numbers_of, strict=True) if number}


def quarantined(table: Table, reason: NDArray[np.int8]) -> pd.DataFrame:
    """The lines set aside: ``line``, ``reason`` and their cells as read, without customers."""
    rows = np.flatnonzero(reason >= 0)
    frame = pd.DataFrame(
        {"line": rows + 2, "reason": np.array(REASONS, dtype=object)[reason[rows]]}
    )
    for name in (*REQUIRED, *OPTIONAL):
        if name in table.columns and name != "customer_id":
            column = table.columns[name]
            frame[name] = Column(column.codes[rows], column.values).text()
    return frame.astype({name: "str" for name in frame.columns if name != "line"})


def nothing_left(table: Table, reason: NDArray[np.int8]) -> InputError:
    """The error for a file without a usable line: how many of each reason, and an example."""
    row = int(np.flatnonzero(reason >= 0)[0])
    numeric = ("quantity", "amount", "list_amount", "coupon_amount")
    wrong = [
        name
        for name in numeric
        if np.isnan(numbers(table.get(name))[row])
        and (name in REQUIRED or not table.get(name).missing[row])
    ]
    shows = {
        "unreadable date": "ordered_at",
        "unreadable number": wrong[0] if wrong else "quantity",
        "unknown product": "product_id",
        "non-positive quantity": "quantity",
        "non-positive amount": "amount",
        "absurd quantity": "quantity",
    }
    column = shows.get(REASONS[reason[row]], "order_id")
    reasons = ", ".join(f"{number:,} {text}" for text, number in reason_counts(reason).items())
    example = f"row {row + 2} has {column} {shown(table.get(column).cell(row))}"
    return InputError(
        table.path, None, f"no usable line left ({reasons}; {example})", "at least one good line"
    )


def _absurd(lines: Lines, usable: NDArray[np.bool_], week: int) -> NDArray[np.bool_]:
    """(rows,) whether a line of many units is unlike the product, or weighs it in grams."""
    large = usable & (lines.quantity >= LARGE_QUANTITY)
    if not large.any():
        return large
    suspects = np.zeros(lines.n_products, dtype=bool)
    suspects[lines.product[large]] = True
    rows = np.flatnonzero(usable & suspects[lines.product])
    rows = rows[weeks_of(lines.moment[rows]) < week]  # nothing is learned from later ones
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
