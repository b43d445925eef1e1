"""Cell texts turned into numbers, money, moments and truth values, once for each distinct text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .columns import Column

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*")
_MOMENT = re.compile(
    r"\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
    r"\s*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?)?\s*",
    re.ASCII,
)
_TRUTH = {"true": 1, "yes": 1, "1": 1, "false": 0, "no": 0, "0": 0}
_LARGEST = 1e13  # larger numbers are no quantity and no money, and would not fit cents exactly


@dataclass(frozen=True, slots=True)
class Money:
    """A column of money.

    Attributes
    ----------
    cents
        (rows,) 0 where the cell is empty or unreadable.
    readable
        (rows,) whether the cell holds a number.
    rounded
        (rows,) whether the cell had a fraction of a cent.
    """

    cents: NDArray[np.int64]
    readable: NDArray[np.bool_]
    rounded: NDArray[np.bool_]


def numbers(column: Column) -> NDArray[np.float64]:
    """(rows,) numbers; NaN where the cell is empty or no finite number of a sensible size."""
    return column.spread(_numbers(column.values), np.nan)


def money(column: Column) -> Money:
    """A column of money in currency units as cents; a half cent goes to the even side."""
    values = _numbers(column.values)
    readable = ~np.isnan(values)
    exact = np.where(readable, values, 0.0) * 100.0
    cents = np.rint(exact).astype(np.int64)
    # a sum of floats such as 0.1 + 0.2 is whole cents; 1.005 is not
    rounded = np.abs(exact - cents) > np.maximum(1e-6, 1e-12 * np.abs(exact))
    for index in np.flatnonzero(rounded):
        decimal = Decimal(column.values[index].strip()).scaleb(2)
        cents[index] = int(decimal.to_integral_value(ROUND_HALF_EVEN))
    return Money(
        column.spread(cents, 0), column.spread(readable, False), column.spread(rounded, False)
    )


def moments(column: Column) -> NDArray[np.datetime64]:
    """(rows,) moments to the second, as on the clock where they were written; NaT if unreadable.

    ISO 8601 dates, with or without a time, with or without an offset. The offset is read and
    then set aside: a purchase belongs to the day and week of its own place.
    """
    texts = [_moment_text(text) for text in column.values]
    parsed = pd.to_datetime(pd.Series(texts, dtype="str"), format="ISO8601", errors="coerce")
    seconds = parsed.to_numpy(dtype="datetime64[s]")
    return column.spread(seconds, np.datetime64("NaT", "s"))


def truths(column: Column, *, missing: bool) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(rows,) truth values, and whether each cell could be read (an empty one can)."""
    parsed = np.array([_TRUTH.get(text.strip().lower(), -1) for text in column.values], dtype=int)
    spread = column.spread(parsed, int(missing))
    return spread == 1, spread >= 0


def _numbers(texts: NDArray[np.object_]) -> NDArray[np.float64]:
    values = np.array(
        [float(text) if _NUMBER.fullmatch(text) else np.nan for text in texts], dtype=np.float64
    )
    values[np.abs(values) >= _LARGEST] = np.nan
    return values


def _moment_text(text: str) -> str | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    day, minute, second = match.groups()
    return f"{day}T{minute or '00:00'}:{second or '00'}"
