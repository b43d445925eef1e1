"""The learned prior of λ: how features and a pair's own count foretell what comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, polygamma

from .later_pairs import LaterPairs
from .lift_mixture import LiftMixture, fitted_mixture
from .pair_features import NAMES, PairFeatures

Floats = NDArray[np.float64]

# Standard deviation of every weight about what would be taken without later weeks: the lift of
# categories and products as it is, nothing else, and one strength for all. A hundred joint orders
# say more.
_PRIOR_SPREAD = 0.5
_PAIRS_A_WEIGHT = 10  # with fewer, weights would tell of these pairs rather than of pairs at large
_LEAST_EXPECTED = 0.01  # joint orders, in k; validated: 0.1 and 1 score 0.0005 and 0.002 lower
_STEPS = 50  # of Fisher scoring, those that are refused included; it takes about ten
_LEAST_GAIN = 1e-2  # of the log-density, at which it stops


@dataclass(frozen=True, slots=True)
class LiftPrior:
    """λ of a pair is gamma with mean λ0 = exp(weights · features) and shape k.

        k = strength · (E + 0.01)^strength_exponent

    with E the joint orders that the pair's own rates would have made: frequent pairs stray less
    from their prior than rare ones. Where some pairs stand out from what features foretell, that
    gamma is replaced by a mixture of the same mean.

    Attributes
    ----------
    features
        of any pair.
    weights
        (features,) in the order of ``features.names``.
    new_weights
        (features,) for pairs with a product that was never bought, of which only the tables tell.
    strength, strength_exponent
        of k.
    dispersion
        φ >= 1: joint orders vary φ times as much as Poisson, since the same shoppers come again;
        c of them tell as much as c/φ.
    mixture
        of gammas; None: one does.
    """

    features: PairFeatures
    weights: NDArray[np.float64]
    new_weights: NDArray[np.float64]
    strength: float
    strength_exponent: float
    dispersion: float
    mixture: LiftMixture | None = None

    @property
    def fit(self) -> dict[str, Any]:
        """What was fitted, for the manifest."""
        return {
            "strength": self.strength,
            "strength_exponent": self.strength_exponent,
            "dispersion": self.dispersion,
            "mixture": None if self.mixture is None else _written(self.mixture),
            "weights": dict(zip(self.features.names, self.weights.tolist(), strict=True)),
            "new_weights": dict(zip(self.features.names, self.new_weights.tolist(), strict=True)),
        }

    @property
    def category_lift(self) -> NDArray[np.float64]:
        """(codes, codes) lifts of category pairs, the coarsest of the features."""
        return self.features.lift.category_lift

    @property
    def product_lift(self) -> NDArray[np.float64]:
        """(products,) lifts of products, mostly the size of the trips they are bought on."""
        return self.features.lift.product_lift

    def of(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs,) prior mean of λ."""
        made = self.features.of(a, b)
        log_lift = made @ self.weights
        new = ~(self.features.bought[a] & self.features.bought[b])
        log_lift[new] = made[new] @ self.new_weights
        return np.exp(log_lift)

    def take(self, products: NDArray[np.integer]) -> LiftPrior:
        """The prior of these products, -1 one of which nothing is known."""
        return replace(self, features=self.features.take(products))

    def strength_at(self, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """(pairs,) shape k."""
        return self.strength * (expected + _LEAST_EXPECTED) ** self.strength_exponent

    def posterior(self, orders: Floats, expected: Floats, prior: Floats) -> Floats:
        """(pairs,) mean of λ given c joint orders: λ0·(c + k)/(E·λ0 + k) of one gamma.

        Parameters
        ----------
        prior
            (pairs,) λ0, as from ``of``.
        """
        k = self.strength_at(expected)
        if self.mixture is None:
            return prior * (orders + k) / (expected * prior + k)
        return prior * self.mixture.known(orders, expected * prior, k, self.dispersion).mean

    def unseen(self, expected: Floats, prior: Floats, below: int) -> Floats:
        """(pairs,) mean of λ where all that is known is c < ``below``."""
        k = self.strength_at(expected)
        if self.mixture is None:
            return unseen_lift(prior, expected, k, below)
        return prior * self.mixture.unseen(expected * prior, k, below)

    def spread(self, orders: Floats, expected: Floats, prior: Floats) -> Floats:
        """(pairs,) posterior standard deviation of log λ: of one gamma, that of shape (c + k)/φ."""
        k = self.strength_at(expected)
        if self.mixture is not None:
            known = self.mixture.known(orders, expected * prior, k, self.dispersion)
            return known.log_spread
        values, at = np.unique((orders + k) / self.dispersion, return_inverse=True)
        return np.sqrt(np.asarray(polygamma(1, values)))[at]

    def shape(self, orders: Floats, expected: Floats, prior: Floats) -> Floats:
        """(pairs,) shape of the gamma with the mean and variance of the posterior of λ."""
        k = self.strength_at(expected)
        if self.mixture is None:
            return (orders + k) / self.dispersion
        known = self.mixture.known(orders, expected * prior, k, self.dispersion)
        return known.mean**2 / known.variance


def unseen_lift(prior: Floats, expected: Floats, strength: Floats | float, below: int) -> Floats:
    """Mean of λ for pairs of which only "fewer than ``below`` joint orders" is known.

    E[λ | a < m] = λ0·P(a' < m)/P(a < m), with a negative binomial of shape k and a' of shape
    k + 1, both with success probability k/(k + E·λ0); for m = 1 it is λ0·k/(k + E·λ0).
    """
    success = strength / (strength + expected * prior)
    return prior * betainc(strength + 1, below, success) / betainc(strength, below, success)


def _written(mixture: LiftMixture) -> dict[str, Any]:
    kinds = [kind._asdict() for kind in mixture.kinds]
    return {"others_factor": mixture.others_factor, "kinds": kinds}


def plain_prior(features: PairFeatures, strength: float) -> LiftPrior:
    """The lift of categories and products as it is, and one strength for all pairs."""
    weights = np.zeros(len(features.names))
    weights[NAMES.index("log_lift")] = 1.0
    return LiftPrior(features, weights, weights, strength, 0.0, 1.0)


def fitted_prior(earlier: LiftPrior, pairs: LaterPairs) -> LiftPrior:
    """The prior under which earlier weeks best foretell the λ of later ones.

    Maximises Σ (y·log μ − μ) over the pairs, μ = E_later·λ0·(c + k)/(E·λ0 + k), in the weights
    and in k, by Fisher scoring. Because the features were made from the earlier weeks alone, what
    they repeat of a pair's own count c, and what shoppers repeat of their own baskets, finds its
    place: a prior fitted to the very counts it is made of would believe itself. A mixture of
    gammas about the same means is fitted after that, and kept where it foretells better.

    Parameters
    ----------
    earlier
        the plain prior of the earlier weeks, which the fit starts from and is shrunk to; it stays
        as it is where there are fewer than ten pairs to a weight.
    """
    if len(pairs.a) < _PAIRS_A_WEIGHT * (len(earlier.weights) + 2):
        return earlier
    pairs = _at_one_level(earlier, pairs)
    design = earlier.features.of(pairs.a, pairs.b)
    n = design.shape[1]
    start = np.append(earlier.weights, [np.log(earlier.strength), earlier.strength_exponent])
    at, mean, k = _fitted(design, pairs, start)
    none = np.zeros(len(pairs.a))
    unbought = replace(pairs, orders=none, expected=none)
    of_tables, _, _ = _fitted(earlier.features.as_if_new(pairs.a, pairs.b), unbought, start)
    posterior_shape = pairs.orders + k
    fitted = replace(
        earlier,
        weights=at[:n],
        new_weights=of_tables[:n],
        strength=float(np.exp(at[n])),
        strength_exponent=float(at[n + 1]),
        dispersion=_dispersion(pairs, mean, mean**2 / posterior_shape),
    )
    return _with_mixture(fitted, pairs, np.exp(design @ at[:n]), k)


def _with_mixture(fitted: LiftPrior, pairs: LaterPairs, prior: Floats, k: Floats) -> LiftPrior:
    """The mixture given the dispersion that one gamma leaves, then what it leaves itself."""
    mixture = fitted_mixture(pairs, prior, k, fitted.dispersion)
    if mixture is None:
        return fitted
    known = mixture.known(pairs.orders, pairs.expected * prior, k, fitted.dispersion)
    foretold = pairs.later_expected * prior
    # λ's own variance, as if each joint order were worth one
    whole = known._replace(shapes=known.shapes * fitted.dispersion)
    dispersion = _dispersion(pairs, foretold * known.mean, foretold**2 * whole.variance)
    return replace(fitted, mixture=mixture, dispersion=dispersion)


def _at_one_level(earlier: LiftPrior, pairs: LaterPairs) -> LaterPairs:
    """The pairs with E of the later weeks such that ``earlier`` foretells as many joint orders as
    there were: trips grow and shrink with the seasons, and that is no lift of any pair."""
    strength, prior = earlier.strength_at(pairs.expected), earlier.of(pairs.a, pairs.b)
    lift = prior * (pairs.orders + strength) / (pairs.expected * prior + strength)
    foretold = float(pairs.times @ (pairs.later_expected * lift))
    seen = float(pairs.times @ pairs.later_orders)
    if not (foretold > 0 and seen > 0):
        return pairs
    return replace(pairs, later_expected=pairs.later_expected * (seen / foretold))


def _fitted(
    design: NDArray[np.float64], pairs: LaterPairs, start: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weights, log strength and its exponent in one array; μ and k of every pair."""
    n = design.shape[1]
    log_size = np.log(pairs.expected + _LEAST_EXPECTED)
    times, y = pairs.times / pairs.at_once, pairs.later_orders

    def foretold(at: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """μ, k and λ0 of every pair, and the log-density up to a constant."""
        log_prior, k = design @ at[:n], np.exp(at[n] + at[n + 1] * log_size)
        from_own = np.log((pairs.orders + k) / (pairs.expected * np.exp(log_prior) + k))
        log_mean = np.log(pairs.later_expected) + log_prior + from_own
        mean = np.exp(log_mean)
        penalty = ((at - start) ** 2).sum() / (2 * _PRIOR_SPREAD**2)
        return mean, k, np.exp(log_prior), times @ (y * log_mean - mean) - penalty

    at, damping = start, 1e-3
    mean, k, prior, best = foretold(at)
    for _ in range(_STEPS):
        own = k / (pairs.expected * prior + k)
        by_strength = k / (pairs.orders + k) - own
        slopes = np.column_stack([design * own[:, None], by_strength, by_strength * log_size])
        gradient = slopes.T @ (times * (y - mean)) - (at - start) / _PRIOR_SPREAD**2
        information = (slopes * (times * mean)[:, None]).T @ slopes
        information[np.diag_indices(n + 2)] += 1 / _PRIOR_SPREAD**2
        damped = information + damping * np.diag(np.diag(information))
        new = np.asarray(at + np.linalg.solve(damped, gradient), dtype=np.float64)
        found = foretold(new)
        gain = found[3] - best
        if not gain > 0:
            damping *= 10
            continue
        at, (mean, k, prior, best) = new, found
        damping /= 10
        if gain < _LEAST_GAIN:
            break
    return at, mean, k


def carried_prior(fitted: LiftPrior, features: PairFeatures) -> LiftPrior:
    """The same prior over features that were made from more weeks; a rank of the graph filter
    that there were too few products for before weighs nothing."""
    at = {name: k for k, name in enumerate(fitted.features.names)}

    def carried(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([weights[at[n]] if n in at else 0.0 for n in features.names], dtype=float)

    return replace(
        fitted,
        features=features,
        weights=carried(fitted.weights),
        new_weights=carried(fitted.new_weights),
    )


def _dispersion(pairs: LaterPairs, mean: Floats, variance: Floats) -> float:
    """φ with E (y − μ)² = φ·(μ + σ²): what later counts vary, beyond what they would as Poisson
    about means whose own variance is σ²."""
    expected = float(pairs.times @ (mean + variance))
    found = float(pairs.times @ (pairs.later_orders - mean) ** 2)
    return max(found / max(expected, 1e-300), 1.0)
