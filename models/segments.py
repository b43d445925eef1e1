"""Segments: groups of shoppers who shop alike, told apart by basket size and interests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from .segment_demand import bounded_ratios
from .shoppers import Counts
from .topic_shares import smoothed_shares


@dataclass(frozen=True, slots=True)
class Grouping:
    """What tells the segment of a shopper from order lines alone. Holds nobody's data.

    A shopper stands at z = ((log items per visit − mean)/spread, w·√share_k·log ratio_k ...),
    where ratio_k is the shopper's smoothed share of topic k over the common share, and belongs to
    the segment with the nearest centre. √share is the scale on which differences of log shares
    count alike for what is bought (Fisher's information of a multinomial).

    Attributes
    ----------
    topic_name
        (topics,) names.
    product_topic
        (products,) topic of each product, -1 for none.
    topic_share
        (topics,) share of each in all purchases.
    topic_strength
        purchases that the common shares are worth beside a shopper's own.
    mean_items, log_mean, log_spread
        mean items of a visit (itself worth one visit of a shopper's own), and mean and standard
        deviation over shoppers of the logarithm.
    interest_weight
        w, by which differences of interests count beside one standard deviation of basket size.
    centre
        (segments, 1 + topics) centres.
    """

    topic_name: NDArray[np.object_]
    product_topic: NDArray[np.int32]
    topic_share: NDArray[np.float64]
    topic_strength: float
    mean_items: float
    log_mean: float
    log_spread: float
    interest_weight: float
    centre: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.centre)

    def topic_counts(self, bought: Counts) -> NDArray[np.float64]:
        """(customers, topics) purchases of each topic."""
        member = np.zeros((bought.shape[1], len(self.topic_share)))
        known = np.flatnonzero(self.product_topic >= 0)
        member[known, self.product_topic[known]] = 1.0
        return bought @ member

    def positions(self, visits: NDArray[np.float64], bought: Counts) -> NDArray[np.float64]:
        """(customers, 1 + topics) z; a shopper without visits stands at the mean of all."""
        items = np.asarray(bought.sum(axis=1), dtype=np.float64).ravel()
        size = np.log((items + self.mean_items) / (visits + 1.0))
        size = np.where(visits > 0, (size - self.log_mean) / self.log_spread, 0.0)
        shares = smoothed_shares(self.topic_counts(bought), self.topic_share, self.topic_strength)
        tags = np.sqrt(self.topic_share) * np.log(shares / self.topic_share)
        return np.column_stack([size, self.interest_weight * tags])

    def segment_of(self, visits: NDArray[np.float64], bought: Counts) -> NDArray[np.int64]:
        """(customers,) segment of each."""
        return self.nearest(self.positions(visits, bought))

    def nearest(self, positions: NDArray[np.float64]) -> NDArray[np.int64]:
        """(customers,) segment with the centre nearest to each position."""
        away = (self.centre**2).sum(axis=1) - 2 * positions @ self.centre.T
        return away.argmin(axis=1)


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of shoppers and what is believed of each. Counts only: no customer is in it.

    Attributes
    ----------
    name
        (segments,) for people, made from the profile.
    customers
        (segments,) customers of each; 0 for visits whose customer is not known.
    visit_share
        (segments,) share of all visits; sums to 1.
    purchase_ratio
        (products, segments) q of the segment over q of all; Σ_s visit_share·ratio = 1.
    ratio_spread
        (products, segments) posterior standard deviation of log ratio.
    sensitivity_factor
        (products, segments) η of the segment over η of all, >= 0; the purchase-weighted mean
        Σ_s visit_share·ratio·factor = 1.
    profile
        one dictionary a segment: the figures behind the name.
    grouping
        what tells the segment of a shopper; its centres are those of the first segments, a last
        one without a centre is that of visits whose customer is not known.
    """

    name: NDArray[np.object_]
    customers: NDArray[np.int64]
    visit_share: NDArray[np.float64]
    purchase_ratio: NDArray[np.float64]
    ratio_spread: NDArray[np.float64]
    sensitivity_factor: NDArray[np.float64]
    profile: tuple[dict[str, Any], ...]
    grouping: Grouping

    def __len__(self) -> int:
        return len(self.name)

    def take(self, source: NDArray[np.int64]) -> Segments:
        """These segments for products at old positions ``source``; -1 is a product never seen."""
        new = source < 0

        def taken(values: NDArray[Any], otherwise: float) -> NDArray[Any]:
            filled = np.full((len(source), *values.shape[1:]), otherwise, dtype=values.dtype)
            filled[~new] = values[source[~new]]
            return filled

        return replace(
            self,
            purchase_ratio=taken(self.purchase_ratio, 1.0),
            ratio_spread=taken(self.ratio_spread, 0.0),
            sensitivity_factor=taken(self.sensitivity_factor, 1.0),
            grouping=replace(self.grouping, product_topic=taken(self.grouping.product_topic, -1)),
        )

    def carried(
        self,
        probability: NDArray[np.float64],
        sensitivity: NDArray[np.float64],
        price_ratio: NDArray[np.float64],
        carried_probability: NDArray[np.float64],
    ) -> Segments:
        """These segments at other reference prices, each moving along its own demand curve.

        logit q_s' = logit q_s + η_s(1 − r'/r); what Σ visit_share·q_s' then lacks of q' is shared
        out in proportion. Factors of η stay.

        Parameters
        ----------
        probability, sensitivity
            (products,) q and η of all at the old prices.
        price_ratio
            (products,) r'/r.
        carried_probability
            (products,) q'.
        """
        q = probability[:, None] * self.purchase_ratio
        moved = np.flatnonzero((price_ratio != 1.0) & (probability > 0.0))
        shift = (sensitivity * (1.0 - price_ratio))[moved, None] * self.sensitivity_factor[moved]
        q_moved = expit(logit(q[moved]) + shift)
        ratio = np.array(self.purchase_ratio)
        ratio[moved] = q_moved / (q_moved @ self.visit_share)[:, None]
        bounded = bounded_ratios(carried_probability, ratio, self.visit_share)
        return replace(self, purchase_ratio=bounded)
