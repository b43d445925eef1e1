"""The plan from the true posterior: Bayes given the same orders, with the truth's own priors.

No learner can know more of such a shop on average: it is told how the shop was drawn and how its
shoppers behave, and reads the same baskets. What it keeps of the clairvoyant's plan is what the
data allow. For the worlds in which the model is right.

- *q and η*: by product, on a grid, from its weekly baskets at the week's true prices and visits;
  log q and η have the normals they were drawn from, the category's mean of η its own.
- *ψ*: a pair is tied or not; tied, log ψ is even on the range it was drawn from. Joint baskets by
  stratum (each product at its price or on promotion) given both products' baskets. A product has
  one tie at most, which belief propagation over all pairs heeds.

Approximations: products' own counts and joint counts are taken one after the other, as if joint
counts told nothing of q and η; margins of strata are the counts' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bundlewise.instances.orders import Orders
from bundlewise.solver.shares import offer_shares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit, logit, logsumexp, ndtr, softmax

from .clairvoyant_choice import Chosen, best_plan, discounts
from .clairvoyant_shops import (
    BASKET_SIZE,
    BUNDLES,
    LEAST_SENSITIVITY,
    LEVELS,
    ODDS_RATIO,
    SENSITIVITY_BETWEEN,
    SENSITIVITY_MEAN,
    SENSITIVITY_WITHIN,
    TIED_SHARE,
    StudyShop,
)

Floats = NDArray[np.float64]

_SENSITIVITIES = np.linspace(LEAST_SENSITIVITY, 8.0, 107)
_CATEGORY_MEANS = SENSITIVITY_MEAN + SENSITIVITY_BETWEEN * np.linspace(-4, 4, 65)
_LEVEL_SPREADS = np.linspace(-5, 5, 25)
_LOG_RATE_SPREAD = 0.9  # of log q, as synthetic.make_shop draws it
_ODDS_RATIOS = np.exp(np.linspace(np.log(ODDS_RATIO[0]), np.log(ODDS_RATIO[1]), 25))
_BINS = 6  # of equal mass that stand for a product's posterior of η
_TIE_BINS = 4  # likewise for ψ of a tied pair
_ROUNDS = 30  # of belief propagation
_FINALISTS = 3_000  # pairs valued over the whole posterior, after all at its mean
_CERTAIN = 25.0  # log-odds; beyond, sums of odds would lose the small ones
_SMALL = 1e-300


@dataclass(frozen=True, slots=True)
class TruePosterior:
    """Posterior of a shop as nodes of equal weight. Products and pairs in the shop's order.

    Attributes
    ----------
    sensitivity, probability
        (products, nodes) η and, given η, the mean of q.
    tied
        (products, products) probability that the pair is tied.
    odds_ratio
        (products, products, nodes) ψ if it is, ascending.
    joint_orders
        (products, products) orders that hold both.
    """

    sensitivity: Floats
    probability: Floats
    tied: Floats
    odds_ratio: Floats
    joint_orders: NDArray[np.int64]


def true_posterior(study: StudyShop, orders: Orders) -> TruePosterior:
    """Everything the orders tell, to somebody who knows how such shops come about."""
    baskets, joint, strata = _counts(study, orders)
    sensitivity, probability = _product_posterior(study, baskets)
    tied, odds_ratio = _tie_posterior(study, strata)
    return TruePosterior(sensitivity, probability, tied, odds_ratio, joint)


def plan_from(study: StudyShop, posterior: TruePosterior, pairs: NDArray[np.int64]) -> Chosen:
    """The plan of the highest expected value over the posterior, out of these pairs."""
    price = study.shop.reference_price
    off = discounts(price, pairs, LEVELS)
    rough = _expected(study, posterior, pairs, off, mean_only=True).max(axis=1)
    finalists = np.sort(np.argsort(-rough, kind="stable")[:_FINALISTS])
    pairs, off = pairs[finalists], off[finalists]
    return best_plan(pairs, off, _expected(study, posterior, pairs, off), BUNDLES)


def _counts(
    study: StudyShop, orders: Orders
) -> tuple[Floats, NDArray[np.int64], tuple[Floats, Floats, Floats, Floats]]:
    """Baskets by week; joint orders; and by stratum visits, baskets of each and of both."""
    shop, n = study.shop, study.shop.n_products
    baskets = np.zeros((shop.n_weeks, n))
    joint = np.zeros((n, n), dtype=np.int64)
    visits, first, second, both = (np.zeros((4, n, n)) for _ in range(4))
    promoted = shop.weekly_price < shop.reference_price
    for week in range(shop.n_weeks):
        lines = orders.week[orders.visit] == shop.first_week + week
        held = csr_matrix(
            (np.ones(lines.sum()), (orders.visit[lines], orders.product[lines])),
            shape=(orders.n_visits, n),
        )
        held.data[:] = 1.0
        together = (held.T @ held).toarray()
        baskets[week] = together.diagonal()
        joint += together.astype(np.int64)
        for stratum in range(4):
            row = promoted[week] == bool(stratum & 1)
            column = promoted[week] == bool(stratum & 2)
            mask = np.outer(row, column)
            visits[stratum] += study.visits * mask
            first[stratum] += mask * baskets[week][:, None]
            second[stratum] += mask * baskets[week]
            both[stratum] += mask * together
    return baskets, joint, (visits, first, second, both)


def _product_posterior(study: StudyShop, baskets: Floats) -> tuple[Floats, Floats]:
    """(products, nodes) η and the mean of q given η, nodes of equal mass, ascending."""
    shop = study.shop
    cut = 1 - shop.weekly_price / shop.reference_price
    n = shop.n_products
    likelihood = np.zeros((n, len(_SENSITIVITIES)))  # log, q integrated over
    mean_q = np.zeros_like(likelihood)
    log_mean = np.log(BASKET_SIZE / n) - _LOG_RATE_SPREAD**2 / 2
    for x in range(n):
        total, mean_cut = baskets[:, x].sum(), cut[:, x].mean()
        # level: log-odds at the mean cut, nearly free of η
        centre = logit((total + 0.5) / (study.visits * shop.n_weeks))
        level = centre + _LEVEL_SPREADS / np.sqrt(total + 1.0)
        q = expit(level[None, :] - _SENSITIVITIES[:, None] * mean_cut)
        log_odds = logit(q)[..., None] + _SENSITIVITIES[:, None, None] * cut[:, x]
        fit = (baskets[:, x] * log_odds - study.visits * np.logaddexp(0, log_odds)).sum(axis=2)
        fit -= 0.5 * ((np.log(q) - log_mean) / _LOG_RATE_SPREAD) ** 2
        likelihood[x] = logsumexp(fit, axis=1)
        mean_q[x] = (softmax(fit, axis=1) * q).sum(axis=1)
    weight = _with_categories(study, likelihood)
    return _equal_bins(weight, _SENSITIVITIES, _BINS), _equal_bins(
        weight, _SENSITIVITIES, _BINS, mean_q
    )


def _with_categories(study: StudyShop, likelihood: Floats) -> Floats:
    """(products, grid) posterior of η: a product's likelihood under its category's population."""
    category = np.unique(study.shop.category, return_inverse=True)[1]
    apart = (_SENSITIVITIES[:, None] - _CATEGORY_MEANS) / SENSITIVITY_WITHIN
    beyond = ndtr((_CATEGORY_MEANS - LEAST_SENSITIVITY) / SENSITIVITY_WITHIN)
    population = -0.5 * apart**2 - np.log(beyond)  # (grid, means), log
    by_mean = logsumexp(likelihood[:, :, None] + population, axis=1)  # (products, means)
    prior = -0.5 * ((_CATEGORY_MEANS - SENSITIVITY_MEAN) / SENSITIVITY_BETWEEN) ** 2
    weight = np.zeros_like(likelihood)
    for code in range(category.max() + 1):
        members = category == code
        of_mean = softmax(prior + by_mean[members].sum(axis=0))
        joint = likelihood[members][:, :, None] + population - by_mean[members][:, None, :]
        weight[members] = (np.exp(joint) * of_mean).sum(axis=2)
    return weight / weight.sum(axis=1, keepdims=True)


def _tie_posterior(
    study: StudyShop, strata: tuple[Floats, Floats, Floats, Floats]
) -> tuple[Floats, Floats]:
    """Probability that pairs are tied, and nodes of ψ if they are."""
    n = study.shop.n_products
    slab = np.stack([_table_likelihood(strata, ratio) for ratio in _ODDS_RATIOS], axis=-1)
    slab -= _table_likelihood(strata, 1.0)[..., None]
    weight = softmax(slab, axis=-1)
    log_odds = logsumexp(slab, axis=-1) - np.log(len(_ODDS_RATIOS))
    # The odds of a single tie at which, without data, a product is tied with TIED_SHARE.
    expected = TIED_SHARE / (n - 1)
    free = 1 - TIED_SHARE * (n - 2) / (n - 1)
    odds = np.exp(np.clip(log_odds, -_CERTAIN, _CERTAIN)) * expected / (1 - expected) / free**2
    np.fill_diagonal(odds, 0.0)
    # message[i, j]: probability that i is not tied to any product but j
    message = np.full((n, n), free)
    for _ in range(_ROUNDS):
        reach = odds * message.T
        message = 0.5 * (message + 1 / (1 + reach.sum(axis=1, keepdims=True) - reach))
    pull = odds * message * message.T
    nodes = _equal_bins(weight.reshape(n * n, -1), _ODDS_RATIOS, _TIE_BINS)
    return pull / (1 + pull), nodes.reshape(n, n, _TIE_BINS)


def _table_likelihood(strata: tuple[Floats, Floats, Floats, Floats], odds_ratio: float) -> Floats:
    """(products, products) log-likelihood of the 2×2 tables at ψ, given their margins."""
    total = np.zeros(strata[0].shape[1:])
    for visits, first, second, both in zip(*strata, strict=True):
        u, v = first / np.maximum(visits, 1), second / np.maximum(visits, 1)
        s = 1 + (odds_ratio - 1) * (u + v)
        root = np.sqrt(s**2 - 4 * odds_ratio * (odds_ratio - 1) * u * v)
        joint = 2 * odds_ratio * u * v / (s + root)
        for count, share in (
            (both, joint),
            (first - both, u - joint),
            (second - both, v - joint),
            (visits - first - second + both, 1 - u - v + joint),
        ):
            total += np.where(count > 0, count * np.log(np.maximum(share, _SMALL)), 0.0)
    return total


def _equal_bins(weight: Floats, grid: Floats, bins: int, values: Floats | None = None) -> Floats:
    """(rows, bins) means of the grid, or of ``values``, over slices of equal mass of each row."""
    upper = np.cumsum(weight, axis=1)
    lower = upper - weight
    values = np.broadcast_to(grid, weight.shape) if values is None else values
    means = np.empty((len(weight), bins))
    for k in range(bins):
        inside = np.clip(np.minimum(upper, (k + 1) / bins) - np.maximum(lower, k / bins), 0, None)
        means[:, k] = (inside * values).sum(axis=1) / np.maximum(inside.sum(axis=1), _SMALL)
    return means


def _expected(
    study: StudyShop,
    posterior: TruePosterior,
    pairs: NDArray[np.int64],
    off: NDArray[np.int64],
    *,
    mean_only: bool = False,
) -> Floats:
    """(pairs, levels) expected cents a visit over the posterior, at its nodes or at its mean."""
    eta, q = posterior.sensitivity, posterior.probability
    chance = posterior.tied[pairs[:, 0], pairs[:, 1]]
    ratio = posterior.odds_ratio[pairs[:, 0], pairs[:, 1]]
    untied = np.ones((len(pairs), 1))
    psi = np.concatenate([untied, ratio], axis=1)
    share = np.concatenate([1 - chance[:, None], chance[:, None] / ratio.shape[1] + 0 * ratio], 1)
    if mean_only:
        eta, q = eta.mean(axis=1, keepdims=True), q.mean(axis=1, keepdims=True)
        psi, share = (psi * share).sum(axis=1, keepdims=True), untied
    total = np.zeros(off.shape)
    nodes = eta.shape[1]
    for i in range(nodes):
        for j in range(nodes):
            pair_q = np.stack([q[pairs[:, 0], i], q[pairs[:, 1], j]], axis=1)
            pair_eta = np.stack([eta[pairs[:, 0], i], eta[pairs[:, 1], j]], axis=1)
            for k in range(psi.shape[1]):
                gain = _gain(study, pairs, off, pair_q, pair_eta, psi[:, k])
                total += share[:, [k]] * gain / nodes**2
    return total


def _gain(
    study: StudyShop,
    pairs: NDArray[np.int64],
    off: NDArray[np.int64],
    q: Floats,
    eta: Floats,
    psi: Floats,
) -> Floats:
    """(pairs, levels) cents a visit at one point of the posterior."""
    shop, n_levels = study.shop, off.shape[1]
    price = shop.reference_price[pairs].astype(np.float64)
    margin = np.repeat((shop.reference_price - shop.unit_cost)[pairs], n_levels, axis=0)
    each = [np.repeat(values, n_levels, axis=0) for values in (q, psi, eta, price, price)]
    discount = off.astype(np.float64).ravel()
    shares = offer_shares(*each, discount)
    added = np.stack([shares[:, 2] + shares[:, 3], shares[:, 1] + shares[:, 3]], axis=1)
    gain = (added * margin).sum(axis=1) - shares.sum(axis=1) * discount
    return gain.reshape(-1, n_levels)
