"""Held-out score of the interest tags: do they foretell what shoppers buy, beside the majority."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.orders import Orders
from .interests import learn_interests, topic_counts
from .product_features import ProductFeatures
from .shoppers import shoppers_of
from .topic_shares import common_share, dirichlet_strength, smoothed_shares


def score_interests(
    orders: Orders,
    events: pd.DataFrame | None,
    features: ProductFeatures,
    first_week: int,
    split_week: int,
    end_week: int,
) -> dict[str, dict[str, float]]:
    """How well tags from the weeks before ``split_week`` foretell the topics of later purchases.

    Shoppers who bought in both parts are scored, over all their later purchases of products with
    a topic.

    Returns
    -------
    log_loss
        mean −log P(topic of the purchase), lower is better: ``majority`` gives everybody the
        topics' shares; ``own_share`` the shopper's own, shrunk to these; ``learned`` the tags.
    accuracy
        share of purchases that are of the topic held most probable.
    main_tag
        share of shoppers whose most bought topic of the later weeks is the one held most probable.
    sizes
        topics, shoppers and purchases scored.

    Empty where there is nothing to learn from or to score.
    """
    interests = learn_interests(orders, events, features, first_week, split_week)
    if interests is None:
        return {}
    before = shoppers_of(orders, events, first_week, split_week)
    after = shoppers_of(orders, events, split_week, end_week)
    topics = interests.topics
    bought, later = topic_counts(before.bought, topics), topic_counts(after.bought, topics)
    scored = (bought.sum(axis=1) > 0) & (later.sum(axis=1) > 0)
    if not scored.any():
        return {}
    share = common_share(bought)
    own = smoothed_shares(bought, share, dirichlet_strength(bought, share))
    methods = {
        "majority": np.broadcast_to(share, own.shape),
        "own_share": own,
        "learned": interests.probabilities(before),
    }
    later = later[scored]
    of_methods = {name: p[scored] for name, p in methods.items()}
    return {
        "log_loss": {
            n: -float((later * np.log(p)).sum() / later.sum()) for n, p in of_methods.items()
        },
        "accuracy": {n: _hits(later, p) for n, p in of_methods.items()},
        "main_tag": {
            n: float((p.argmax(axis=1) == later.argmax(axis=1)).mean())
            for n, p in of_methods.items()
        },
        "sizes": {
            "topics": float(len(topics)),
            "shoppers": float(scored.sum()),
            "purchases": float(later.sum()),
        },
    }


def _hits(later: NDArray[np.float64], probability: NDArray[np.float64]) -> float:
    guess = probability.argmax(axis=1)
    return float(later[np.arange(len(later)), guess].sum() / later.sum())
