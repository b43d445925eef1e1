"""Price sensitivity η of every product: its own evidence, shrunk to its category and to all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .category_effects import CategoryEffects, no_effects, refined_effects
from .gamma_poisson import fitted_strength
from .panel import Panel
from .population import PRIOR_MEAN, PRIOR_SPREAD, Population, fit_population
from .price_response import (
    ResponseData,
    expected_baskets,
    posterior_mode,
    response_data,
    wandering_variance,
)

_ROUNDS = 6  # of season, effects and η in turn, within a pass
_PASSES = 2  # of season and population; a third changes neither in the third digit
_LAGS = (1, 2)  # weeks after a cut in which purchases brought forward are missing
# Before any data, the spread of the share that is brought forward: a third is what is published
# (van Heerde, Leeflang and Wittink 2004, Decomposing the sales promotion bump with store data,
# Marketing Science 23).
_USUAL_SHARE = 1 / 3
_CAP_SPREADS = 3.1  # the 99.9 % point of a normal population


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Posterior of η: a normal truncated to [0, cap].

    Attributes
    ----------
    location, scale
        (products,) of the normal before truncation.
    cap
        upper end: the 99.9 % point of the fitted population of products.
    mean, spread
        (products,) posterior mean and standard deviation.
    category_mean
        (categories,) mean of η over a category's population.
    information
        (products,) of the product's own likelihood; 0 where it says nothing and the posterior
        is that of its category.
    category
        (products,) codes.
    effects
        of what comes with a price or follows it, by category: display and mailer where
        promotions are given, then the cuts of the weeks before, as ``_LAGS`` lists them.
    fit
        what was estimated on the way, for the manifest.
    """

    location: NDArray[np.float64]
    scale: NDArray[np.float64]
    cap: float
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    category_mean: NDArray[np.float64]
    information: NDArray[np.float64]
    category: NDArray[np.int32]
    effects: CategoryEffects
    fit: dict[str, float]

    @property
    def pull_forward(self) -> NDArray[np.float64]:
        """(products,) share of the units a cut adds that the weeks after it are short of.

        −Σ β_lag/η of the category, in [0, 1]: what the weeks after seem to add is not credited.
        Small changes add up so; those of a deep cut nearly do. Shrunk to none by the error of the
        mean of all categories, or what chance alone gives back in a small shop would be believed.
        """
        given_back = -self.effects.of_category[:, -len(_LAGS) :].sum(axis=1)
        response = self.category_mean
        share = np.divide(given_back, response, out=np.zeros_like(response), where=response > 0)
        error = _given_back_error(self.effects)
        variance = (_USUAL_SHARE * response) ** 2
        return np.clip(share * variance / (variance + error**2), 0.0, 1.0)[self.category]

    def promotion_factor(self, promotions: Promotions | None) -> NDArray[np.float32] | float:
        """(products, weeks) what display and mailer multiplied purchases by; 1 without any."""
        if promotions is None:
            return 1.0
        display, mailer = self.effects.of_category[self.category, :2].T.astype(np.float32)
        return np.exp(display[:, None] * promotions.display + mailer[:, None] * promotions.mailer)


@dataclass(frozen=True, slots=True)
class Promotions:
    """(products, weeks) share of a week's visits that met the product on display, in the mailer."""

    display: NDArray[np.float32]
    mailer: NDArray[np.float32]


def fit_sensitivity(
    panel: Panel,
    base_price: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
    promotions: Promotions | None = None,
) -> Sensitivity:
    """Learn η from short-run price changes, net of drift, of category-week season, of display and
    mailer where ``promotions`` tell of them, and of what the cuts of the weeks before took away.

    The population is η_x ~ N(μ_category, τ²) truncated to η >= 0, μ_category ~ N(μ, ω²); all of
    it fitted by marginal likelihood. The posterior of a product is its Laplace approximation.

    Parameters
    ----------
    base_price
        (products,) cents, the price at which relative cuts are 0; nan where unknown.
    category
        (products,) codes from 0 to ``n_categories`` − 1.
    """
    data, n = response_data(panel, base_price), panel.n_products
    shop = _Shop(data.exposure, response_covariates(data, promotions), category, n_categories)
    location, scale = np.full(n, PRIOR_MEAN), np.full(n, PRIOR_SPREAD)
    mode, _ = posterior_mode(data, location, scale, np.ones(n), 0.0)
    effects = no_effects(n_categories, len(shop.covariates))
    step = _refined(shop, data, mode, location, scale, 0.0, effects)
    for _ in range(_PASSES - 1):
        step = _refined(
            shop, step.data, step.mode, step.location, step.scale, step.wandering, step.effects
        )
    mode, information = posterior_mode(
        step.data, step.location, step.scale, step.dispersion, step.wandering
    )
    population = step.population

    cap = max(population.mean, 0.0) + _CAP_SPREADS * float(
        np.hypot(population.within, population.between)
    )
    posterior_scale = 1 / np.sqrt(information + 1 / step.scale**2)
    fit = {
        "products_with_evidence": float((information > 0).sum()),
        "population_location": population.mean,
        "between_categories": population.between,
        "within_category": population.within,
        "season_strength": step.season_strength,
        "excess_dispersion": step.excess_dispersion,
        "between_occasions": float(np.sqrt(step.wandering)),
        "weeks_set_aside_for_price": float(data.n_set_aside),
        **_robustness(step),
        **_beside_price(step, shop, promotions),
    }
    mean, spread = truncated_moments(mode, posterior_scale, cap)
    of_category = np.sqrt(population.within**2 + population.location_variance)
    category_mean, _ = truncated_moments(population.location, of_category, cap)
    found = Sensitivity(
        mode,
        posterior_scale,
        cap,
        mean,
        spread,
        category_mean,
        information,
        category,
        step.effects,
        fit,
    )
    told = information > 0
    means = {"mean": mean, "mean_net": mean * (1.0 - found.pull_forward)}
    fit.update({name: float(values[told].mean()) for name, values in means.items() if told.any()})
    return found


def response_covariates(data: ResponseData, promotions: Promotions | None) -> NDArray[np.float64]:
    """(K, rows) display and mailer where they are told of, then x of the weeks before."""
    lagged = [data.slope_before(weeks) for weeks in _LAGS]
    if promotions is None:
        return np.stack(lagged)
    at = data.product, data.week
    met = [part[at].astype(np.float64) for part in (promotions.display, promotions.mailer)]
    return np.stack([*met, *lagged])


@dataclass(frozen=True, slots=True)
class _Shop:
    """What stays the same while η is estimated: visits and covariates of the rows, categories."""

    visits: NDArray[np.float64]
    covariates: NDArray[np.float64]
    category: NDArray[np.int32]
    n_categories: int


@dataclass(frozen=True, slots=True)
class _Pass:
    """Where the estimation stands: season and effects in ``data``, prior of each product, mode."""

    data: ResponseData
    mode: NDArray[np.float64]
    location: NDArray[np.float64]
    scale: NDArray[np.float64]
    dispersion: NDArray[np.float64]
    effects: CategoryEffects
    population: Population
    season_strength: float
    excess_dispersion: float
    wandering: float


def _refined(
    shop: _Shop,
    data: ResponseData,
    mode: NDArray[np.float64],
    location: NDArray[np.float64],
    scale: NDArray[np.float64],
    wandering: float,
    effects: CategoryEffects,
) -> _Pass:
    """Season, effects and η in turn until they settle, then dispersion and the population."""
    category, of_row = shop.category, shop.category[data.product]
    dispersion, season = np.ones(len(mode)), np.ones(len(of_row))
    strength, excess = np.inf, 0.0
    for _ in range(_ROUNDS):
        visits = shop.visits * effects.factor(of_row, shop.covariates)
        season, strength = _season(data, mode, visits, season, category)
        data = replace(data, exposure=visits * season)
        mode, _ = posterior_mode(data, location, scale, dispersion, wandering)
        dispersion, excess = _dispersion(data, mode)
        effects = refined_effects(effects, data, shop.covariates, mode, dispersion, category)
    wandering = wandering_variance(data, mode, dispersion)
    mode, information = posterior_mode(data, location, scale, dispersion, wandering)
    centre = likelihood_centre(mode, information, location, scale)
    population = fit_population(centre, information, category, shop.n_categories)
    location = population.location[category]
    scale = np.sqrt(population.within**2 + population.location_variance[category])
    mode, _ = posterior_mode(data, location, scale, dispersion, wandering)
    return _Pass(
        data,
        mode,
        location,
        scale,
        dispersion,
        effects,
        population,
        strength,
        excess,
        wandering,
    )


def likelihood_centre(
    mode: NDArray[np.float64],
    information: NDArray[np.float64],
    location: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(products,) centre of the likelihood alone, the prior's pull on the mode taken out."""
    pull = np.divide(
        mode - location, scale**2 * information, out=np.zeros_like(mode), where=information > 0
    )
    return mode + pull


def truncated_moments(
    location: NDArray[np.float64], scale: NDArray[np.float64], cap: NDArray[np.float64] | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of normals truncated to [0, cap].

    With α, β the standardised ends and Z = Φ(β) − Φ(α): mean = location + scale·(φ(α) − φ(β))/Z,
    variance = scale²·[1 + (αφ(α) − βφ(β))/Z − ((φ(α) − φ(β))/Z)²].
    """
    low, high = -location / scale, (cap - location) / scale
    mass = np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    at_low, at_high = (np.exp(-(end**2) / 2) / np.sqrt(2 * np.pi) for end in (low, high))
    # Where the normal lies so far outside that no mass is left in double precision, its
    # truncation has collapsed onto the nearer end.
    inside = mass > 1e-290
    mass = np.where(inside, mass, 1.0)
    shift = (at_low - at_high) / mass
    mean = np.where(inside, location + scale * shift, np.where(location < 0, 0.0, cap))
    share = 1 + (low * at_low - high * at_high) / mass - shift**2
    variance = np.where(inside, scale**2 * np.maximum(share, 0.0), 0.0)
    return np.clip(mean, 0.0, cap), np.sqrt(variance)


def _season(
    data: ResponseData,
    sensitivity: NDArray[np.float64],
    visits: NDArray[np.float64],
    season: NDArray[np.float64],
    category: NDArray[np.int32],
) -> tuple[NDArray[np.float64], float]:
    """(rows,) factor by which the rest of the category sold more that week, net of prices.

    Of each category and week, baskets A over expected baskets B, gamma-Poisson with a fitted
    strength K: (K + A)/(K + B), the product's own baskets left out so that
    its own price cut does not pass for a season.
    """
    n_weeks = np.int64(data.week.max() + 1 if len(data.week) else 1)
    cell = category[data.product] * n_weeks + data.week
    own = np.unique(data.product * n_weeks + data.week, return_inverse=True)[1]
    expected, _ = expected_baskets(data, sensitivity, visits * season)
    expected = expected / season
    seen_all = np.bincount(cell, weights=data.baskets).astype(np.float64)
    expected_all = np.bincount(cell, weights=expected).astype(np.float64)
    some = expected_all > 0
    strength, _ = fitted_strength(seen_all[some], expected_all[some])
    seen = seen_all[cell] - np.bincount(own, weights=data.baskets)[own]
    others = expected_all[cell] - np.bincount(own, weights=expected)[own]
    return (strength + seen) / (strength + np.maximum(others, 0.0)), strength


def _dispersion(
    data: ResponseData, sensitivity: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """(products,) 1 + κ·(mean baskets a week), with one κ for the week-to-week noise of all.

    Given a block's sum a count has variance μ(1 − share) when Poisson; κ is the moment estimate
    of the excess variance κμ².
    """
    expected, share = expected_baskets(data, sensitivity, data.exposure)
    alone = 1.0 - share
    usable = (alone > 0.05) & (expected > 0)
    mu, y = expected[usable], data.baskets[usable]
    weight = 1 / (1 + mu)
    over = float(((((y - mu) ** 2 / alone[usable]) - mu) * weight).sum())
    base = float((mu**2 * weight).sum())
    excess = max(over / base, 0.0) if base > 0 else 0.0
    rows = np.maximum(np.diff(data.start), 1)
    squares = np.bincount(data.product, expected**2, minlength=data.n_products)
    sums = np.bincount(data.product, expected, minlength=data.n_products)
    level = np.divide(squares, sums, out=np.zeros(data.n_products), where=sums > 0)
    level = np.where(level > 0, level, sums / rows)
    return 1.0 + excess * level, excess


def _robustness(step: _Pass) -> dict[str, float]:
    """Checks that would betray noise taken for response: see docs/learning.md.

    The slope common to all products with true prices; the one that prices turned round in time
    add to them, which should be near 0; and the correlation of product estimates
    between the two halves of the customers, weighted by information and net of category (stepped
    up to both halves by Spearman and Brown).
    """

    data, location, within = step.data, step.location, step.population.within

    def centres(
        part: ResponseData, location: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mode, information = posterior_mode(part, location, scale, step.dispersion, step.wandering)
        return likelihood_centre(mode, information, location, scale), information

    (first, info_first), (second, info_second) = (
        centres(data.of_half(half), location, step.scale) for half in (0, 1)
    )
    both = np.minimum(info_first, info_second)
    weight = np.where(both > 0, 1 / (within**2 + 1 / np.maximum(both, 1e-12)) ** 2, 0.0)
    total = float(weight.sum())
    reliability = 0.0
    if total > 0:
        a, b = first - location, second - location
        a, b = a - (weight * a).sum() / total, b - (weight * b).sum() / total
        spread = np.sqrt((weight * a * a).sum() * (weight * b * b).sum())
        correlation = float((weight * a * b).sum() / spread) if spread > 0 else 0.0
        reliability = 2 * correlation / (1 + correlation) if correlation > -1 else -1.0
    none = np.zeros_like(location)
    return {
        "pooled_slope": _pooled_slope(step, data, location),
        "placebo_slope": _pooled_slope(step, data.placebo(step.mode), none),
        "split_half_reliability": reliability,
    }


def _pooled_slope(step: _Pass, part: ResponseData, location: NDArray[np.float64]) -> float:
    """The mean slope of all products, by precision, each by its own likelihood."""
    scale = np.full_like(location, PRIOR_SPREAD)
    mode, information = posterior_mode(part, location, scale, step.dispersion, step.wandering)
    centre, total = likelihood_centre(mode, information, location, scale), float(information.sum())
    return float((centre * information).sum()) / total if total > 0 else 0.0


def _beside_price(step: _Pass, shop: _Shop, promotions: Promotions | None) -> dict[str, float]:
    """The effects common to all categories, and what the slope would be without display and mailer.

    ``pull_forward_share`` is the part of the response that the weeks after take back: purchases
    made earlier, not more of them.
    """
    effects, lags = step.effects, len(_LAGS)
    slope = _pooled_slope(step, step.data, step.location)
    given_back = -float(effects.mean[-lags:].sum())
    found = {
        "pull_forward_share": given_back / slope if slope > 0 else 0.0,
        "pull_forward_share_error": _given_back_error(effects) / slope if slope > 0 else 0.0,
    }
    if promotions is None:
        return found
    of_row = shop.category[step.data.product]
    met = replace(effects, of_category=effects.of_category[:, :2])
    without = step.data.exposure / met.factor(of_row, shop.covariates[:2])
    gross = replace(step.data, exposure=without)
    names = ("display_effect", "mailer_effect")
    return found | {
        **dict(zip(names, effects.mean[:2].tolist(), strict=True)),
        **{f"{n}_spread": float(v) for n, v in zip(names, effects.spread[:2], strict=True)},
        **{f"{n}_error": float(v) for n, v in zip(names, effects.error[:2], strict=True)},
        "pooled_slope_without_promotions": _pooled_slope(step, gross, step.location),
    }


def _given_back_error(effects: CategoryEffects) -> float:
    """Standard error of the sum of the lags' means, which err together."""
    return float(effects.mean_covariance[-len(_LAGS) :, -len(_LAGS) :].sum()) ** 0.5
