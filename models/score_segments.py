"""Held-out score of segments: do they foretell what a visit buys, and how it answers to prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.orders import Orders
from .demand import fit_demand
from .learn_segments import late_score, learn_segments, segments_of_visits
from .panel import Panel, weekly_panel
from .personal import personal_probability, personal_strength
from .product_features import ProductFeatures
from .segment_demand import purchase_ratios, split_probability, splits_of
from .segments import Segments
from .shoppers import Shoppers, shoppers_of

_SHOPPERS_AT_A_TIME = 250


def score_segments(
    orders: Orders,
    events: pd.DataFrame | None,
    features: ProductFeatures,
    first_week: int,
    split_week: int,
    end_week: int,
    *,
    min_customers: int = 20,
) -> dict[str, dict[str, float]]:
    """Segments formed and learned before ``split_week``, scored on the weeks after.

    Returns
    -------
    purchases
        (Σ y·log μ − Σ μ)/Σ y over products and visits of the customers, higher is better:
        ``pooled`` gives every visit the q of all, ``basket_size`` that times the items of the
        segment's visits over those of all, ``learned`` the q of the segment, ``personal`` that
        moved by the shopper's own purchases.
    prices
        mean log-probability of the segment that a purchase at a changed price is of, higher is
        better: ``one_sensitivity`` with the η of all, ``learned`` with the segments' own.
    sizes
        segments, customers, purchases scored of each kind; and the fitted spread of η between
        segments, as a share of η.

    Empty where no segments can be learned.
    """
    panel = weekly_panel(orders, first_week, end_week)
    train = panel.before(split_week - first_week)
    base = train.usual_price()
    demand = fit_demand(
        train, base, features.category, features.n_categories, horizon=end_week - split_week
    )
    q, eta = demand.purchase.probability, demand.sensitivity.mean
    learned = learn_segments(
        orders, events, features, train, base, q, eta, count="auto", min_customers=min_customers
    )
    if isinstance(learned, str):
        return {}
    segments = learned.segments
    early = shoppers_of(orders, None, first_week, split_week)
    late = shoppers_of(orders, None, split_week, end_week)
    of_customer = segments.grouping.segment_of(early.visits, early.bought)
    late = replace(late, visits=np.where(early.visits > 0, late.visits, 0.0))
    late = replace(late, bought=late.bought.multiply((early.visits > 0)[:, None]).tocsr())

    n_known = len(segments.grouping)
    visit_segment, n_segments = segments_of_visits(orders, of_customer, n_known)
    ratios = purchase_ratios(
        orders,
        visit_segment,
        n_segments,
        features.category,
        features.n_categories,
        first_week,
        split_week,
    )
    rate = train.totals(train.baskets.sum(axis=1)) / max(train.visits.sum(), 1.0)
    by_size = np.broadcast_to(ratios.size, ratios.ratio.shape)
    methods = {
        "pooled": np.ones_like(by_size),
        "basket_size": by_size,
        "learned": segments.purchase_ratio,
    }
    scores = {
        name: late_score(late, of_customer, ratio[:, :n_known], rate)
        for name, ratio in methods.items()
    }
    scores["personal"] = _personal_score(early, late, rate, segments, of_customer)
    splits = splits_of(
        orders, visit_segment, ratios, _after(panel, split_week), base, eta * (1 - q)
    )
    own = segments.sensitivity_factor[splits.product] - 1.0
    counted = float(splits.baskets.sum())

    def split_score(d: np.ndarray) -> float:
        log_p = np.log(np.maximum(split_probability(splits, d), 1e-300))
        return float((splits.baskets * log_p).sum() / max(counted, 1.0))

    return {
        "purchases": scores,
        "prices": {
            "one_sensitivity": split_score(np.zeros(n_segments)),
            "learned": split_score(own),
        },
        "sizes": {
            "segments": float(n_segments),
            "customers": float(((early.visits > 0) & (late.visits > 0)).sum()),
            "purchases": float(late.bought.sum()),
            "purchases_at_changed_prices": counted,
            "sensitivity_spread": float(learned.fit["sensitivity_between_segments"]),
        },
    }


def _personal_score(
    early: Shoppers,
    late: Shoppers,
    rate: NDArray[np.float64],
    segments: Segments,
    of_customer: NDArray[np.int64],
) -> float:
    """``late_score`` of q shopper by shopper, a few hundred at a time."""
    active = np.flatnonzero(early.visits > 0)
    by_segment = (rate[:, None] * segments.purchase_ratio).T
    total, seen, strength = 0.0, float(late.bought.sum()), None
    for start in range(0, len(active), _SHOPPERS_AT_A_TIME):
        some = active[start : start + _SHOPPERS_AT_A_TIME]
        before, after = (part.bought[some].toarray() for part in (early, late))
        of_segment = by_segment[of_customer[some]]
        if strength is None:  # the first few hundred tell it well enough
            strength = personal_strength(early.visits[some], before, of_segment)
        q = personal_probability(early.visits[some], before, of_segment, strength)
        log_q = np.log(np.maximum(q, 1e-12))
        total += float((after * log_q).sum() - late.visits[some] @ q.sum(axis=1))
    return total / max(seen, 1.0)


def _after(panel: Panel, week: int) -> Panel:
    """The weeks of a panel from ``week`` on."""
    skipped = week - panel.first_week
    kept = panel.week >= skipped
    start = np.searchsorted(panel.product[kept], np.arange(panel.n_products + 1))
    return Panel(
        week,
        panel.visits[skipped:],
        start,
        (panel.week[kept] - skipped).astype(np.int32),
        panel.baskets[kept],
        panel.price[kept],
        panel.met_price[kept],
    )
