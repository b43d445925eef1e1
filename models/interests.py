"""Interest tags: how probable it is that a shopper's next purchase is of each topic.

The form is Y = f(X, W, b): f the softmax, X what the shopper bought, viewed and searched for,

    P(next purchase of shopper c is of topic k) = softmax_k(x_c·W + b)

with x_ck = log of (n_ck + s·share_k)/((n_c + s)·share_k) for each of the three kinds of counts n.
s, the purchases that the common shares are worth, is that of a Dirichlet-multinomial. W = 1 on
purchases and 0 elsewhere with b = log share is then the posterior mean under that Dirichlet; W
and b are fitted to what shoppers bought in later weeks and shrunk to it, as far as other shoppers
bear out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from ..instances.orders import Orders
from .product_features import ProductFeatures
from .shoppers import Counts, Shoppers, shoppers_of
from .threads import one_thread
from .topic_shares import common_share, dirichlet_strength, smoothed_shares
from .topics import Topics, fit_topics, product_texts, word_places

TOPIC_NUMBERS = (4, 8, 16, 24, 40)
"""Numbers of topics tried; more than 40 tags nobody reads, though scores rise a little beyond."""

_MOST_LATE_WEEKS, _LATE_PART = 13, 4
_PENALTIES = (30.0, 300.0, 3_000.0, 30_000.0)  # on W and b, in purchases


@dataclass(frozen=True, slots=True)
class Interests:
    """Topics, and what tells a shopper's interest in them.

    Attributes
    ----------
    topics
        the topics.
    share
        (topics,) share of each in all purchases that have a topic.
    strength
        s, purchases.
    weights
        (kinds · topics, topics) W; kinds are bought, and where events are given viewed and
        searched for.
    bias
        (topics,) b.
    penalty
        how strongly W and b were shrunk, validated on other shoppers.
    """

    topics: Topics
    share: NDArray[np.float64]
    strength: float
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    penalty: float

    def probabilities(self, shoppers: Shoppers) -> NDArray[np.float64]:
        """(customers, topics) P(tag): each row sums to 1; without any counts, softmax(b)."""
        x = _features(shoppers, self.topics, self.share, self.strength)
        return np.exp(log_softmax(x @ self.weights + self.bias, axis=1))


@one_thread
def learn_interests(
    orders: Orders,
    events: pd.DataFrame | None,
    features: ProductFeatures,
    first_week: int,
    end_week: int,
) -> Interests | None:
    """Learn topics and tags: X from the early weeks, Y from the late ones.

    The number of topics is the one of ``TOPIC_NUMBERS`` under which topics of the early weeks
    foretell best which *products* shoppers buy in the late ones (a score that does not depend on
    how finely topics are cut); the topics kept are those of all weeks.

    Returns None where no product can be placed or nobody bought in both parts.
    """
    middle = late_start(first_week, end_week)
    early = shoppers_of(orders, events, first_week, middle)
    late = shoppers_of(orders, events, middle, end_week)
    both = shoppers_of(orders, events, first_week, end_week)
    texts = product_texts(features)
    places = word_places(texts, early, max(TOPIC_NUMBERS) - 1)
    scores = {
        number: product_score(fit_topics(texts, places, early, features, number), early, late)
        for number in TOPIC_NUMBERS
    }
    number = max(scores, key=lambda n: scores[n])
    if not np.isfinite(scores[number]):
        return None
    places = word_places(texts, both, number - 1)
    topics = fit_topics(texts, places, both, features, number)
    before, after = topic_counts(early.bought, topics), topic_counts(late.bought, topics)
    share = common_share(topic_counts(both.bought, topics))
    strength = dirichlet_strength(before, share)
    x = _features(early, topics, share, strength)
    penalty = _validated_penalty(x, after, share)
    weights, bias = _softmax_fit(x, after, share, penalty)
    return Interests(topics, share, strength, weights, bias, penalty)


def late_start(first_week: int, end_week: int) -> int:
    """First of the late weeks: the last 13, or a quarter of what there is, and one at least."""
    weeks = end_week - first_week
    return end_week - max(min(_MOST_LATE_WEEKS, weeks // _LATE_PART), 1)


def topic_counts(counts: Counts, topics: Topics) -> NDArray[np.float64]:
    """(customers, topics) counts of products added up by topic; products without one left out."""
    known = np.flatnonzero(topics.product_topic >= 0)
    member = np.zeros((counts.shape[1], len(topics)))
    member[known, topics.product_topic[known]] = 1.0
    return counts @ member


def product_score(topics: Topics, early: Shoppers, late: Shoppers) -> float:
    """Mean log-probability of the products bought in the late weeks, told from the early ones.

    log P(topic | shopper) + log P(product | topic), by smoothed shares and by popularity within
    the topic; over purchases of products with a topic (the others are the same for any number).
    """
    if not len(topics):
        return -np.inf
    known = np.flatnonzero(topics.product_topic >= 0)
    topic = topics.product_topic[known]
    sold = np.asarray(early.bought.sum(axis=0), dtype=np.float64).ravel()[known] + 0.5
    within = np.log(sold / np.bincount(topic, sold, minlength=len(topics))[topic])
    later = np.asarray(late.bought.sum(axis=0), dtype=np.float64).ravel()[known]
    before, after = topic_counts(early.bought, topics), topic_counts(late.bought, topics)
    if not later.sum() or not before.sum():
        return -np.inf
    share = common_share(before)
    shares = smoothed_shares(before, share, dirichlet_strength(before, share))
    return float(((after * np.log(shares)).sum() + later @ within) / later.sum())


def _features(
    shoppers: Shoppers, topics: Topics, share: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    """(customers, kinds · topics) X: 0 where a shopper's counts say nothing."""
    kinds = [topic_counts(shoppers.bought, topics)]
    if shoppers.viewed.nnz or len(shoppers.query):
        searched = np.zeros_like(kinds[0])
        asked = topics.of_texts(shoppers.query)
        known = asked >= 0
        np.add.at(searched, (shoppers.searcher[known], asked[known]), 1.0)
        kinds += [topic_counts(shoppers.viewed, topics), searched]
    ratios = [np.log(smoothed_shares(counts, share, strength) / share) for counts in kinds]
    return np.concatenate(ratios, axis=1)


def _validated_penalty(
    x: NDArray[np.float64], later: NDArray[np.float64], share: NDArray[np.float64]
) -> float:
    """The penalty under which one half of the shoppers foretells the other best, both ways."""
    half = np.arange(len(x)) % 2
    score = dict.fromkeys(_PENALTIES, 0.0)
    for penalty in _PENALTIES:
        for fitted in (0, 1):
            mine, others = half == fitted, half != fitted
            weights, bias = _softmax_fit(x[mine], later[mine], share, penalty)
            log_p = log_softmax(x[others] @ weights + bias, axis=1)
            score[penalty] += float((later[others] * log_p).sum())
    return max(score, key=lambda penalty: score[penalty])


def _softmax_fit(
    x: NDArray[np.float64],
    later: NDArray[np.float64],
    share: NDArray[np.float64],
    penalty: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W and b with the highest Σ later·log softmax(xW + b) − penalty/2·(|W − W0|² + |b − b0|²)."""
    width, n_topics = x.shape[1], len(share)
    start = np.concatenate([np.eye(width, n_topics).ravel(), np.log(share)])
    size = later.sum(axis=1, keepdims=True)

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = values[: width * n_topics].reshape(width, n_topics)
        log_p = log_softmax(x @ weights + values[width * n_topics :], axis=1)
        excess = np.exp(log_p) * size - later
        away = values - start
        gradient = np.concatenate([(x.T @ excess).ravel(), excess.sum(axis=0)])
        value = penalty / 2 * float(away @ away) - float((later * log_p).sum())
        return value, gradient + penalty * away

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    values = found.x
    return values[: width * n_topics].reshape(width, n_topics), values[width * n_topics :]
