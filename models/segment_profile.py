"""What a segment is like, in figures and in a name that a manager understands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Orders
from .interests import Interests

UNKNOWN_NAME = "Shoppers not known"
"""Visits without a customer: nobody can tell what else these shoppers bought."""

_SIZES = (
    (0.5, "Quick visits"),
    (0.85, "Small baskets"),
    (1.2, "Medium baskets"),
    (1.8, "Large baskets"),
    (np.inf, "Very large baskets"),
)  # items of a visit, as a multiple of the mean of all visits
_TOP = 5  # interests listed
_PRICE_STEP = 0.02  # of the usual price; a smaller difference is no deal


def segment_profiles(
    orders: Orders,
    visit_segment: NDArray[np.int64],
    customers: NDArray[np.int64],
    tags: NDArray[np.float64],
    interests: Interests,
    base_price: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    weeks: int,
) -> tuple[dict[str, Any], ...]:
    """The figures of each segment; the last may be that of visits without a customer.

    Parameters
    ----------
    visit_segment
        (visits,) segment of each visit.
    customers
        (segments,) customers; 0 where they are not known.
    tags
        (segments, topics) mean tag probabilities of the customers.
    base_price
        (products,) cents, nan where unknown: a line paid less than this by 2 % is a deal.
    sensitivity
        (segments,) mean η of what the segment buys.
    weeks
        weeks the orders are of.

    Returns
    -------
    tuple
        a dictionary a segment: ``name``, ``customers``, ``share_of_visits``,
        ``visits_per_week`` (of a customer; None where these are not known), ``spend_per_visit``
        (currency units), ``items_per_visit`` (distinct products), ``deal_share`` (of lines),
        ``price_sensitivity``, and ``interests``: name, probability and multiple of the common
        one, the most telling first.
    """
    n = len(customers)
    visits = np.bincount(visit_segment, minlength=n).astype(np.float64)
    line_segment = visit_segment[orders.visit]
    spend = np.bincount(line_segment, orders.amount, minlength=n) / 100
    items = np.bincount(
        np.repeat(visit_segment, np.diff(orders.baskets(bundled=True).start)), minlength=n
    )
    lines = np.bincount(line_segment, minlength=n)
    with np.errstate(invalid="ignore"):
        paid = orders.amount / orders.quantity / base_price[orders.product]
    deals = np.bincount(line_segment, paid < 1 - _PRICE_STEP, minlength=n)
    mean_items = items.sum() / max(visits.sum(), 1.0)
    profiles: list[dict[str, Any]] = []
    for s in range(n):
        known = bool(customers[s])
        size = items[s] / max(visits[s], 1.0) / max(mean_items, 1e-12)
        top = _interests(tags[s], interests) if known else []
        name = _name(size, top, [p["name"] for p in profiles]) if known else UNKNOWN_NAME
        profiles.append(
            {
                "name": name,
                "customers": int(customers[s]),
                "share_of_visits": visits[s] / max(visits.sum(), 1.0),
                "visits_per_week": visits[s] / customers[s] / weeks if known else None,
                "spend_per_visit": spend[s] / max(visits[s], 1.0),
                "items_per_visit": items[s] / max(visits[s], 1.0),
                "deal_share": deals[s] / max(lines[s], 1),
                "price_sensitivity": float(sensitivity[s]),
                "interests": top,
            }
        )
    return tuple(profiles)


def _interests(tags: NDArray[np.float64], interests: Interests) -> list[dict[str, Any]]:
    """The topics that tell the segment from the others most: P·log(P/common share)."""
    telling = tags * np.log(tags / interests.share)
    order = [int(k) for k in np.argsort(-telling, kind="stable") if telling[k] > 0][:_TOP]
    return [
        {
            "name": str(interests.topics.name[k]),
            "probability": float(tags[k]),
            "times_common": float(tags[k] / interests.share[k]),
        }
        for k in order
    ]


def _name(size: float, top: list[dict[str, Any]], taken: list[str]) -> str:
    """Basket size and the most telling interest; more interests where that name is taken."""
    word = next(word for end, word in _SIZES if size <= end)
    names = [word] if not top else []
    for used in range(1, len(top) + 1):
        names.append(f"{word}: {' + '.join(part['name'].lower() for part in top[:used])}")
    for name in names:
        if name not in taken:
            return name
    same = sum(other.startswith(names[-1]) for other in taken)
    return f"{names[-1]} ({same + 1})"
