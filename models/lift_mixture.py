"""Most pairs are what their features foretell, a few are not: λ as a mixture of gammas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betainc, digamma, expit, gammaln, logit, polygamma

from .later_pairs import LaterPairs

Floats = NDArray[np.float64]

_BIN = 0.15  # of logarithms of E, of λ0 and of counts above ten: pairs so alike are one in the fit
_MOST = 2  # kinds that stand out; a third gains little and can be any of several
# Log-density that a kind has to gain for each number it brings (Akaike 1974); the first brings the
# others' factor too.
_WORTH = 1.0
# Of a kind before any data: one pair in a hundred, three times as high, of shape 1; and the spreads
# about that on the scales of the fit. A hundred joint orders say more. The search begins at ten
# times as high: nearer to the others it more often ends in a kind that says little.
_GUESS = np.array([logit(0.01), np.log(3.0), 0.0])
_GUESS_SPREAD = np.array([2.0, 2.0, 1.0])
_BEGIN = np.array([logit(0.01), np.log(10.0), 0.0])
_FACTOR_SPREAD = 1.0  # of the log of the others' factor, about 0
_BOUNDS = [(logit(1e-6), logit(0.3)), (np.log(0.1), np.log(1e4)), (np.log(0.05), np.log(50.0))]
_FACTOR_BOUND = (0.0, np.log(100.0))
_SLOPE_STEP = 1e-6  # of differences for slopes
_STEPS = 100  # of quasi-Newton at most; it takes about thirty


class Kind(NamedTuple):
    """Pairs that stand out alike.

    Attributes
    ----------
    share
        of all pairs, > 0.
    level
        λ/λ0 of these on average.
    shape
        of their gamma.
    """

    share: float
    level: float
    shape: float


@dataclass(frozen=True, slots=True)
class LiftMixture:
    """The prior of λ/λ0, of mean 1, given the shape k of one gamma for all:

        (1 − Σ shares) · Gamma(shape k·others_factor, mean m)  +  Σ share · Gamma(shape, mean level)

    with m such that the mean is 1. A pair's own count c tells which of them it is: negative
    binomial likelihoods of c, each joint order worth 1/dispersion of one.

    Source: DuMouchel 1999, Bayesian data mining in large frequency tables, The American
    Statistician 53(3), whose mixture is over all cells of a table; here its mean is what features
    foretell of the pair.

    Attributes
    ----------
    kinds
        of pairs that stand out.
    others_factor
        on the shape of the others: without those that stand out they vary less.
    """

    kinds: tuple[Kind, ...]
    others_factor: float

    @property
    def others(self) -> tuple[float, float]:
        """Share of the pairs that do not stand out, and λ/λ0 of these on average."""
        share = 1 - sum(kind.share for kind in self.kinds)
        return share, (1 - sum(kind.share * kind.level for kind in self.kinds)) / share

    def known(self, orders: Floats, prior_orders: Floats, k: Floats, dispersion: float) -> Known:
        """What c tells of λ/λ0.

        Parameters
        ----------
        orders, prior_orders
            (pairs,) c, and E·λ0.
        k
            (pairs,) shape of one gamma for all.
        """
        parts = list(self._parts(k))
        logs = np.stack(
            [
                np.log(share) + _log_likelihood(orders, prior_orders * level, shape, dispersion)
                for share, level, shape in parts
            ]
        )
        chance = np.exp(logs - logs.max(axis=0))
        chance /= chance.sum(axis=0)
        each = [
            level * (orders + shape) / (prior_orders * level + shape) for _, level, shape in parts
        ]
        shapes = [(orders + shape) / dispersion for _, _, shape in parts]
        return Known(chance, np.stack(each), np.stack(shapes))

    def unseen(self, prior_orders: Floats, k: Floats, below: int) -> Floats:
        """(pairs,) mean of λ/λ0 where all that is known is c < ``below``."""
        chance, total = np.zeros_like(prior_orders), np.zeros_like(prior_orders)
        for share, level, shape in self._parts(k):
            success = shape / (shape + prior_orders * level)
            chance += share * betainc(shape, below, success)
            total += share * level * betainc(shape + 1, below, success)
        return total / chance

    def _parts(self, k: Floats) -> Iterator[tuple[float, float, Floats]]:
        """Share, level and (pairs,) shape of the others, then of each kind."""
        share, level = self.others
        yield share, level, k * self.others_factor
        for kind in self.kinds:
            yield kind.share, kind.level, np.full_like(k, kind.shape)


class Known(NamedTuple):
    """The posterior of λ/λ0: gammas, mixed for each pair; arrays are (1 + kinds, pairs).

    Attributes
    ----------
    chance
        that the pair is of the others, and of each kind.
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
    with one gamma. Kinds of pairs that stand out are added one by one, as long as they are worth
    their numbers. Pairs of the same c and nearly the same E and λ0 are taken as one.

    Parameters
    ----------
    pairs
        of which E_later > 0.
    prior, k
        (pairs,) λ0, and the shape of one gamma for all.
    """
    counts, prior_orders, k, seen, weight = _alike(pairs, prior, k)

    alone = (counts + k) / (prior_orders + k)

    def gained(factor: Floats) -> float:  # term by term: the totals are a million times as large
        return float(seen @ np.log(factor / alone) - weight @ (factor - alone))

    def loss(at: Floats) -> float:
        kinds = at[:-1].reshape(-1, 3)
        penalty = (((kinds - _GUESS) / _GUESS_SPREAD) ** 2).sum() + (at[-1] / _FACTOR_SPREAD) ** 2
        known = _mixture(at).known(counts, prior_orders, k, dispersion)
        return penalty / 2 - gained(known.mean)

    best, at = 0.0, np.zeros(1)  # of one gamma
    for kinds in range(1, _MOST + 1):
        found = minimize(
            loss,
            np.concatenate([at[:-1], _BEGIN, at[-1:]]),
            method="L-BFGS-B",
            bounds=[*(_BOUNDS * kinds), _FACTOR_BOUND],
            options={"maxiter": _STEPS, "eps": _SLOPE_STEP},
        )
        if best - found.fun <= _WORTH * (4 if kinds == 1 else 3):
            break
        best, at = float(found.fun), found.x
    return _mixture(at) if len(at) > 1 else None


def _mixture(at: Floats) -> LiftMixture:
    """Of logit share, log level and log shape of each kind, and the log of the others' factor.

    Levels and shares that would leave nothing for the others leave them half of the lift.
    """
    kinds = at[:-1].reshape(-1, 3)
    shares, (levels, shapes) = expit(kinds[:, 0]), np.exp(kinds[:, 1:]).T
    shares = shares * min(1.0, 0.5 / shares.sum())
    levels = levels * min(1.0, 0.5 / float(shares @ levels))
    found = zip(shares.tolist(), levels.tolist(), shapes.tolist(), strict=True)
    return LiftMixture(tuple(Kind(*kind) for kind in found), float(np.exp(at[-1])))


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
    found = -k * np.log1p(m / k)
    some = np.flatnonzero(c > 0)  # of most pairs there is none, and nothing else to say
    c, m, k = c[some], m[some], k[some]
    found[some] += gammaln(c + k) - gammaln(k) + c * np.log(np.maximum(m, 1e-300) / (k + m))
    return found
