"""Most pairs are what their features foretell, a few are not: λ as a mixture of two gammas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betainc, digamma, expit, gammaln, logit, polygamma

from .later_pairs import LaterPairs

Floats = NDArray[np.float64]

_BIN = 0.1  # of logarithms of E, of λ0 and of counts above ten: pairs so alike are one in the fit
_WORTH = 4.0  # log-density that four parameters have to gain (Akaike 1974); else one gamma it is
# Standard deviations about the first guess: one pair in a hundred, three times as high, its
# lift and that of the others as unsure as that of one gamma. A hundred joint orders say more.
_GUESS = np.array([logit(0.01), np.log(3.0), 0.0, 0.0])
_GUESS_SPREAD = np.array([2.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class LiftMixture:
    """The prior of λ/λ0, of mean 1, given the shape k of one gamma for all:

        (1 − share) · Gamma(shape k·others_factor, mean m)  +  share · Gamma(shape, mean level)

    with m such that the mean is 1. A pair's own count c tells which of the two it is: negative
    binomial likelihoods of c, each joint order worth 1/dispersion of one.

    Source: DuMouchel 1999, Bayesian data mining in large frequency tables, The American
    Statistician 53(3), whose mixture is over all cells of a table; here its mean is what features
    foretell of the pair.

    Attributes
    ----------
    share
        of pairs that stand out, 0 <= share < 1.
    level
        λ/λ0 of these on average.
    shape
        of their gamma.
    others_factor
        on the shape of the others: without those that stand out they vary less.
    """

    share: float
    level: float
    shape: float
    others_factor: float

    @property
    def others_level(self) -> float:
        """λ/λ0 of the pairs that do not stand out, on average."""
        return (1 - self.share * self.level) / (1 - self.share)

    def known(self, orders: Floats, prior_orders: Floats, k: Floats, dispersion: float) -> Known:
        """What c tells of λ/λ0.

        Parameters
        ----------
        orders, prior_orders
            (pairs,) c, and E·λ0.
        k
            (pairs,) shape of one gamma for all.
        """
        levels, shapes = self._components(k)
        weights = np.array([1 - self.share, self.share])
        logs = [
            np.log(weight) + _log_likelihood(orders, prior_orders * level, shape, dispersion)
            for weight, level, shape in zip(weights, levels, shapes, strict=True)
        ]
        standing_out = expit(logs[1] - logs[0])
        each = [
            level * (orders + shape) / (prior_orders * level + shape)
            for level, shape in zip(levels, shapes, strict=True)
        ]
        return Known(
            np.stack([1 - standing_out, standing_out]),
            np.stack(each),
            np.stack([(orders + shape) / dispersion for shape in shapes]),
        )

    def unseen(self, prior_orders: Floats, k: Floats, below: int) -> Floats:
        """(pairs,) mean of λ/λ0 where all that is known is c < ``below``."""
        chance, total = np.zeros_like(prior_orders), np.zeros_like(prior_orders)
        levels, shapes = self._components(k)
        for weight, level, shape in zip((1 - self.share, self.share), levels, shapes, strict=True):
            success = shape / (shape + prior_orders * level)
            chance += weight * betainc(shape, below, success)
            total += weight * level * betainc(shape + 1, below, success)
        return total / chance

    def _components(self, k: Floats) -> tuple[tuple[float, float], tuple[Floats, Floats]]:
        shapes = (k * self.others_factor, np.full_like(k, self.shape))
        return (self.others_level, self.level), shapes


class Known(NamedTuple):
    """The posterior of λ/λ0: a mixture of two gammas for each pair; arrays are (2, pairs).

    Attributes
    ----------
    chance
        that it is the one or the other.
    means, shapes
        of each gamma, the shape in joint orders that are worth a whole one.
    """

    chance: Floats
    means: Floats
    shapes: Floats

    @property
    def mean(self) -> Floats:
        """(pairs,) posterior mean."""
        return (self.chance * self.means).sum(axis=0)

    @property
    def variance(self) -> Floats:
        """(pairs,) posterior variance."""
        squares = self.means**2 * (1 + 1 / self.shapes)
        return (self.chance * squares).sum(axis=0) - self.mean**2

    @property
    def log_spread(self) -> Floats:
        """(pairs,) posterior standard deviation of the logarithm."""
        each = np.log(self.means) + digamma(self.shapes) - np.log(self.shapes)
        mean = (self.chance * each).sum(axis=0)
        within = np.asarray(polygamma(1, self.shapes))
        return np.sqrt((self.chance * (within + (each - mean) ** 2)).sum(axis=0))


def fitted_mixture(
    pairs: LaterPairs, prior: Floats, k: Floats, dispersion: float
) -> LiftMixture | None:
    """The mixture under which earlier counts best foretell later ones; None: one gamma does.

    Maximises Σ (y·log μ − μ), μ = E_later·λ0·E[λ/λ0 | c], given λ0 and k, which were fitted so
    with one gamma. Pairs of the same c and nearly the same E and λ0 are taken as one.

    Parameters
    ----------
    pairs
        of which E_later > 0.
    prior, k
        (pairs,) λ0, and the shape of one gamma for all.
    """
    counts, prior_orders, k, seen, weight = _alike(pairs, prior, k)

    def gained(at: Floats) -> float:
        factor = _mixture(at).known(counts, prior_orders, k, dispersion).mean
        return float(seen @ np.log(factor) - weight @ factor)

    def loss(at: Floats) -> float:
        return (((at - _GUESS) / _GUESS_SPREAD) ** 2).sum() / 2 - gained(at)

    found = minimize(loss, _GUESS, method="L-BFGS-B", bounds=_BOUNDS)
    alone = (counts + k) / (prior_orders + k)
    single = float(seen @ np.log(alone) - weight @ alone)
    return _mixture(found.x) if -found.fun - single > _WORTH else None


_BOUNDS = [(logit(1e-5), logit(0.3)), (np.log(0.1), np.log(100.0)), (np.log(0.05), np.log(50.0)),
           (0.0, np.log(100.0))]  # fmt: skip


def _mixture(at: Floats) -> LiftMixture:
    """Of logit share, log level, log shape and log factor. A level that leaves nothing for the
    others is one that leaves them half."""
    share, level, shape, factor = float(expit(at[0])), *np.exp(at[1:]).tolist()
    return LiftMixture(share, min(level, 0.5 / share), shape, factor)


def _alike(pairs: LaterPairs, prior: Floats, k: Floats) -> tuple[Floats, ...]:
    """c, E·λ0 and k of groups of pairs that are alike, their later joint orders and what λ0 alone
    foretells of these; orders that come together are worth one."""
    times = pairs.times / pairs.at_once
    few = np.minimum(pairs.orders, 10.0)
    steps = np.round(np.log(np.maximum(pairs.orders, 10.0) / 10.0) / _BIN)
    binned = [few + steps] + [
        np.round(np.log(np.maximum(x, 1e-12)) / _BIN) for x in (pairs.expected, prior)
    ]
    _, group = np.unique(_packed(binned), return_inverse=True)
    foretold = times * pairs.later_expected * prior

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, values), dtype=np.float64)

    weight = total(foretold)
    counts, prior_orders, shape = (
        total(foretold * values) / weight for values in (pairs.orders, pairs.expected * prior, k)
    )
    return counts, prior_orders, shape, total(times * pairs.later_orders), weight


def _packed(parts: list[Floats]) -> NDArray[np.int64]:
    """One integer for each combination of the whole numbers in ``parts``."""
    key = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        at = (part - part.min()).astype(np.int64)
        key = key * (int(at.max()) + 1) + at
    return key


def _log_likelihood(orders: Floats, mean: Floats, shape: Floats, dispersion: float) -> Floats:
    """Of a negative binomial count, up to what is the same for every mean and shape."""
    c, m, k = orders / dispersion, mean / dispersion, shape / dispersion
    with np.errstate(divide="ignore"):
        by_mean = np.where(c > 0, c * np.log(m / (k + m)), 0.0)
    return gammaln(c + k) - gammaln(k) - k * np.log1p(m / k) + by_mean
