"""Segments made by hand for the shops of the scoring tests."""

from __future__ import annotations

import numpy as np
from bundlewise.models.segments import Grouping, Segments

SHARE = np.array([0.5, 0.3, 0.2])


def made_segments(n_products: int, spread: float, *, factor_spread: float = 0.0) -> Segments:
    """Three segments whose q differ by ``spread`` and whose η differ by ``factor_spread``."""
    rng = np.random.default_rng(21)
    ratio = np.exp(spread * rng.normal(0, 1, (n_products, 3)))
    ratio /= (ratio @ SHARE)[:, None]
    factor = np.exp(factor_spread * rng.normal(0, 1, (n_products, 3)))
    factor /= ((SHARE * ratio) * factor).sum(axis=1, keepdims=True)
    names = ("Quick visits: beer", "Small baskets: =tea", "Large baskets: cheese, <b>wine</b>")
    profile = tuple(
        {
            "name": name,
            "customers": 100 + s,
            "share_of_visits": float(SHARE[s]),
            "visits_per_week": 1.0,
            "spend_per_visit": 20.0,
            "items_per_visit": 5.0 + s,
            "deal_share": 0.2,
            "price_sensitivity": 2.0,
            "interests": [{"name": "Beer", "probability": 0.2, "times_common": 2.0}],
        }
        for s, name in enumerate(names)
    )
    return Segments(
        name=np.array(names, dtype=object),
        customers=np.array([100, 101, 102]),
        visit_share=SHARE,
        purchase_ratio=ratio,
        ratio_spread=np.full((n_products, 3), 0.1 * (spread > 0)),
        sensitivity_factor=factor,
        profile=profile,
        grouping=Grouping(
            topic_name=np.array(["Beer", "Tea"], dtype=object),
            product_topic=(np.arange(n_products) % 2).astype(np.int32),
            topic_share=np.array([0.5, 0.5]),
            topic_strength=5.0,
            mean_items=4.0,
            log_mean=1.0,
            log_spread=0.5,
            interest_weight=2.0,
            centre=np.array([[-1.0, 0.5, -0.5], [0.0, -0.5, 0.5], [1.0, 0.2, 0.2]]),
        ),
    )
