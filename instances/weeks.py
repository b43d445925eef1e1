"""ISO weeks as integers, so that they can be compared, subtracted and stored in arrays."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

_LABEL = re.compile(r"(\d{4})-W(\d{2})")
_EPOCH_MONDAY = date(1969, 12, 29)  # Monday of the ISO week that holds 1970-01-01


def week_index(label: str) -> int:
    """Number of an ISO week such as ``"2018-W01"``, counted from the week of 1970-01-01.

    Raises ValueError for a label that is not a week of the ISO calendar.
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        raise ValueError(f"{label!r} is not an ISO week such as '2018-W01'")
    monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    return (monday - _EPOCH_MONDAY).days // 7


def week_label(index: int) -> str:
    """The label of a week number: ``week_label(week_index("2018-W01")) == "2018-W01"``."""
    year, week, _ = week_monday(index).isocalendar()
    return f"{year:04d}-W{week:02d}"


def week_monday(index: int) -> date:
    """First day of a week."""
    return _EPOCH_MONDAY + timedelta(days=7 * int(index))


def weeks_of(moments: NDArray[np.datetime64]) -> NDArray[np.int32]:
    """Week numbers of moments, same shape."""
    days = moments.astype("datetime64[D]").astype(np.int64)
    return ((days + 3) // 7).astype(np.int32)
