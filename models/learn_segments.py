"""From order lines to segments of shoppers and what is believed of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.orders import Orders
from .clustering import blank_grouping, grouped
from .demand import Demand
from .history import most_bought, only_products
from .interests import Interests, late_start, learn_interests
from .panel import Panel
from .product_features import ProductFeatures
from .segment_demand import (
    PurchaseRatios,
    SensitivityFactors,
    bounded_ratios,
    purchase_ratios,
    sensitivity_factors,
    splits_of,
)
from .segment_profile import segment_profiles
from .segments import Grouping, Segments
from .shoppers import Shoppers, shoppers_of
from .threads import one_thread

MOST_SEGMENTS = 8
"""The most that "auto" makes: scores still rise a little beyond, but who keeps nine in mind?"""

_INTEREST_WEIGHT = 2.0  # foretold best of 0, 1, 2, 3, 4, 6 on the validation weeks (docs)
_SCORED_PRODUCTS = 4_000  # that the number of segments is chosen on


@dataclass(frozen=True, slots=True)
class Learned:
    """Segments, with what was found on the way.

    Attributes
    ----------
    segments
        the segments.
    interests
        the tags they were made from.
    fit
        for the manifest: numbers tried and their scores, fitted strengths, what was merged.
    """

    segments: Segments
    interests: Interests
    fit: dict[str, Any]


@one_thread
def learn_segments(
    orders: Orders,
    events: pd.DataFrame | None,
    features: ProductFeatures,
    panel: Panel,
    base_price: NDArray[np.float64],
    probability: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    *,
    count: int | Literal["auto"],
    min_customers: int,
) -> Learned | str:
    """Group the customers of these orders, and learn what each group buys.

    Parameters
    ----------
    panel
        the weekly panel of the orders.
    base_price
        (products,) cents, nan where unknown.
    probability, sensitivity
        (products,) q and η of all shoppers.
    count
        segments wanted; "auto" takes the number, up to ``MOST_SEGMENTS``, under which the q of
        segments formed on the early weeks give what customers buy in the late ones the highest
        probability (``late_score``).
    min_customers
        smaller segments are dissolved.

    Returns
    -------
    The segments, or why there are none.
    """
    first_week, end_week = panel.first_week, panel.first_week + panel.n_weeks
    if not (orders.customer >= 0).any():
        return "no order has a customer_id"
    interests = learn_interests(orders, events, features, first_week, end_week)
    if interests is None:
        return "too few words, products or customers to learn interests from"
    shoppers = shoppers_of(orders, events, first_week, end_week)
    scores: dict[int, float] = {}
    if count == "auto":
        scores = _scores(orders, features, interests, min_customers, first_week, end_week)
        wanted = max(scores, key=lambda number: scores[number])
    else:
        wanted = count
    blank = grouping_of(interests, shoppers)
    grouping, of_customer = grouped(blank, shoppers.visits, shoppers.bought, wanted, min_customers)
    visit_segment, n_segments = segments_of_visits(orders, of_customer, len(grouping))
    ratios = purchase_ratios(
        orders,
        visit_segment,
        n_segments,
        features.category,
        features.n_categories,
        first_week,
        end_week,
    )
    slope = sensitivity * (1.0 - probability)
    splits = splits_of(orders, visit_segment, ratios, panel, base_price, slope)
    factors = sensitivity_factors(splits, ratios, features.category, features.n_categories)
    segments = _assembled(
        orders,
        shoppers,
        interests,
        grouping,
        of_customer,
        visit_segment,
        ratios,
        factors,
        base_price,
        probability,
        sensitivity,
        panel.n_weeks,
    )
    fit = {
        "wanted": wanted,
        "segments": len(segments),
        "customers": int(segments.customers.sum()),
        "merged": max(wanted - len(grouping), 0),
        "scores": {str(number): score for number, score in scores.items()},
        "topics": len(interests.topics),
        "interest_strength": interests.strength,
        "interest_penalty": interests.penalty,
        "category_strength": ratios.category_strength,
        "product_strength": ratios.product_strength,
        "sensitivity_between_segments": factors.between_segments,
        "sensitivity_between_categories": factors.between_categories,
    }
    return Learned(segments, interests, fit)


def instance_segments(
    instance: Instance,
    orders: Orders,
    features: ProductFeatures,
    panel: Panel,
    base_price: NDArray[np.float64],
    demand: Demand,
) -> Learned:
    """``learn_segments`` as an instance's scenario asks for it; InputError where it cannot be."""
    asked = instance.scenario.segments
    learned = learn_segments(
        orders,
        instance.events,
        features,
        panel,
        base_price,
        demand.purchase.probability,
        demand.sensitivity.mean,
        count=asked.count,
        min_customers=asked.min_customers,
    )
    if isinstance(learned, str):
        expected = "orders that tell shoppers apart, or segments.count = 1"
        raise InputError(instance.scenario.data.orders, None, learned, expected)
    return learned


def grouping_of(interests: Interests, shoppers: Shoppers) -> Grouping:
    """The scale on which these customers are told apart."""
    topics = interests.topics
    return blank_grouping(
        topics.name,
        topics.product_topic,
        interests.share,
        interests.strength,
        shoppers.visits,
        shoppers.bought,
        _INTEREST_WEIGHT,
    )


def segments_of_visits(
    orders: Orders, of_customer: NDArray[np.int64], n_known: int
) -> tuple[NDArray[np.int64], int]:
    """(visits,) segment of each, and their number: visits without a customer are one more."""
    known = orders.customer >= 0
    segment = np.where(known, of_customer[np.maximum(orders.customer, 0)], n_known)
    return segment, n_known + int(not known.all())


def late_score(
    late: Shoppers,
    of_customer: NDArray[np.int64],
    ratio: NDArray[np.float64],
    rate: NDArray[np.float64],
) -> float:
    """(Σ y·log μ − Σ μ)/Σ y over every product and visit of known customers, higher is better.

    μ = q_x·ratio_xs is the probability that a visit of a customer of segment s buys x. The sums
    run over visits, not segments, so numbers of segments can be compared.

    Parameters
    ----------
    rate
        (products,) q of all shoppers.
    """
    n_segments = ratio.shape[1]
    member = np.zeros((len(of_customer), n_segments))
    member[np.arange(len(of_customer)), of_customer] = 1.0
    bought, visits = (late.bought.T @ member), late.visits @ member
    mu = rate[:, None] * ratio
    log_mu = np.log(np.maximum(mu, 1e-12))
    return float(((bought * log_mu).sum() - (mu @ visits).sum()) / max(bought.sum(), 1.0))


def _scores(
    orders: Orders,
    features: ProductFeatures,
    interests: Interests,
    min_customers: int,
    first_week: int,
    end_week: int,
) -> dict[int, float]:
    """``late_score`` of each number of segments, formed and learned on the early weeks."""
    middle = late_start(first_week, end_week)
    top = most_bought(orders, first_week, middle, _SCORED_PRODUCTS)
    some, known = only_products(orders, top), features.take(top)
    all_early = shoppers_of(orders, None, first_week, middle)
    late = shoppers_of(some, None, middle, end_week)
    early = shoppers_of(some, None, first_week, middle)
    visits = ((orders.week >= first_week) & (orders.week < middle)).sum()
    rate = np.asarray(early.bought.sum(axis=0), dtype=np.float64).ravel() / max(int(visits), 1)
    blank = grouping_of(interests, all_early)
    scores: dict[int, float] = {}
    for number in range(1, MOST_SEGMENTS + 1):
        grouping, of_customer = grouped(
            blank, all_early.visits, all_early.bought, number, min_customers
        )
        if len(grouping) < number:
            break
        visit_segment, n_segments = segments_of_visits(orders, of_customer, number)
        learned = purchase_ratios(
            some, visit_segment, n_segments, known.category, known.n_categories, first_week, middle
        )
        scores[number] = late_score(late, of_customer, learned.ratio[:, :number], rate)
    return scores


def _assembled(
    orders: Orders,
    shoppers: Shoppers,
    interests: Interests,
    grouping: Grouping,
    of_customer: NDArray[np.int64],
    visit_segment: NDArray[np.int64],
    ratios: PurchaseRatios,
    factors: SensitivityFactors,
    base_price: NDArray[np.float64],
    probability: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    weeks: int,
) -> Segments:
    n_segments, n_known = len(ratios.visit_share), len(grouping)
    active = shoppers.visits > 0
    customers = np.bincount(of_customer[active], minlength=n_segments)
    tag = interests.probabilities(shoppers)
    tags = np.tile(interests.share, (n_segments, 1))
    for s in range(n_known):
        tags[s] = tag[active & (of_customer == s)].mean(axis=0)
    ratio = bounded_ratios(probability, ratios.ratio, ratios.visit_share)
    weight = probability[:, None] * ratio
    mean = (weight * factors.factor * sensitivity[:, None]).sum(axis=0)
    profile = segment_profiles(
        orders,
        visit_segment,
        customers,
        tags,
        interests,
        base_price,
        mean / np.maximum(weight.sum(axis=0), 1e-300),
        weeks,
    )
    return Segments(
        name=np.array([facts["name"] for facts in profile], dtype=object),
        customers=customers.astype(np.int64),
        visit_share=ratios.visit_share,
        purchase_ratio=ratio,
        ratio_spread=ratios.spread,
        sensitivity_factor=factors.factor,
        profile=profile,
        grouping=grouping,
    )
