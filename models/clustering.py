"""Which customers belong together: k-means on the scale of ``Grouping``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from .segments import Grouping
from .shoppers import Counts

_STARTS = 4  # of k-means


def grouped(
    blank: Grouping, visits: NDArray[np.float64], bought: Counts, count: int, min_customers: int
) -> tuple[Grouping, NDArray[np.int64]]:
    """At most ``count`` segments of at least ``min_customers`` customers, and each customer's.

    k-means over the customers with visits. A segment that is too small is dissolved, the smallest
    first: its customers join the nearest of the others.

    Parameters
    ----------
    blank
        a grouping whose centres are not yet known.
    """
    positions = blank.positions(visits, bought)
    active = positions[visits > 0]
    distinct = len(np.unique(active.round(9), axis=0))
    means = KMeans(min(count, distinct), n_init=_STARTS, random_state=0)  # pyright: ignore[reportArgumentType]
    fitted: Any = means.fit(active)
    grouping = replace(blank, centre=fitted.cluster_centers_)
    while True:
        segment = grouping.nearest(positions)
        size = np.bincount(segment[visits > 0], minlength=len(grouping))
        if len(grouping) == 1 or size.min() >= min_customers:
            return grouping, segment
        grouping = replace(grouping, centre=np.delete(grouping.centre, size.argmin(), axis=0))


def blank_grouping(
    topic_name: NDArray[np.object_],
    product_topic: NDArray[np.int32],
    topic_share: NDArray[np.float64],
    topic_strength: float,
    visits: NDArray[np.float64],
    bought: Counts,
    interest_weight: float,
) -> Grouping:
    """The scale on which these customers are told apart, before there are segments."""
    items = np.asarray(bought.sum(axis=1), dtype=np.float64).ravel()
    mean_items = float(items.sum() / max(visits.sum(), 1.0))
    size = np.log((items + mean_items) / (visits + 1.0))[visits > 0]
    spread = float(size.std()) if len(size) else 0.0
    return Grouping(
        topic_name=topic_name,
        product_topic=product_topic,
        topic_share=topic_share,
        topic_strength=topic_strength,
        mean_items=mean_items,
        log_mean=float(size.mean()) if len(size) else 0.0,
        log_spread=spread if spread > 0 else 1.0,
        interest_weight=interest_weight,
        centre=np.zeros((0, 1 + len(topic_share))),
    )
