"""What a plan earns where its bundles compete: shoppers who take their best option.

Offers are valued one by one. That adds up exactly only while no product is in two offers; where
products are shared the finished plan is valued again, by simulated shoppers (design section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .economics import unit_gain
from .offers import ABSENT, Offers
from .overlap_choice import best_choices
from .overlap_shoppers import Component, draw_shoppers

Floats = NDArray[np.float64]

_ROUND = 40_000  # shoppers drawn at a time
_LARGEST_MATRIX = 4_000_000  # shoppers × products held at a time
_MOST_ROUNDS = 60
# Standard errors to stop at, as parts of the component's value: of the offers one by one, which
# are a check only, and of the change, which is the result.
_PRECISION = np.array([0.02, 0.008])


@dataclass(frozen=True, slots=True)
class Overlap:
    """A plan valued with its offers side by side. Money in cents a week.

    Attributes
    ----------
    separate
        Σ of the incremental margins of the offers, each valued alone.
    together
        expected incremental margin when every shopper takes the best of all offers.
    interaction
        (together − separate)/|separate|; 0 where no product is shared.
    standard_error
        of ``together``: only the interaction is simulated.
    simulated_separate, simulated_error
        the overlapping offers valued one by one by the same shoppers, and its standard error: a
        check against ``overlapping``, what their own values say.
    overlapping
        Σ of the incremental margins of the offers that share a product.
    components, offers
        groups of offers tied by shared products, and the offers in them.
    crowded_shoppers
        share of simulated shoppers with so many wanted bundles that the choice was greedy.
    """

    separate: float
    together: float
    interaction: float
    standard_error: float
    simulated_separate: float
    simulated_error: float
    overlapping: float
    components: int
    offers: int
    crowded_shoppers: float


@dataclass(frozen=True, slots=True)
class _Tally:
    """Means a visit of one component, with the variances of these means; cents."""

    alone: float
    alone_variance: float
    change: float
    change_variance: float
    crowded: int
    shoppers: int


def reevaluate(
    instance: Instance,
    beliefs: Beliefs,
    chosen: Offers,
    *,
    seed: int = 0,
) -> Overlap:
    """Value a plan again where its offers share products.

    A shopper sees all offers of a component or none, draws a willingness to pay for each of its
    products and takes the set of disjoint bundles, and products apart, with the highest surplus.
    Price sensitivities are drawn from their posterior for every shopper, so that an offer alone
    earns its expected value; capped offers are taken only within the deepest cut.

    What is simulated is the difference between the best choice and the sum of the offers taken
    one by one, by the same shoppers; it is added to the sum of the offers' own values.

    Products are tied by the pairs within the offers, along a tree of the strongest. Of bundles
    of three and four the whole set's own tie is not simulated: ``simulated_separate`` beside
    ``overlapping`` shows how far that matters.

    Parameters
    ----------
    chosen
        the offers of the plan.
    """
    separate = float(chosen.incremental_margin.sum())
    components = _components(chosen)
    gains = unit_gain(instance, beliefs.displaced)
    tallies = [
        _simulate(
            _component(instance, beliefs, chosen.take(rows), gains),
            instance,
            float(np.abs(chosen.incremental_margin[rows]).sum()) / instance.visits,
            np.random.default_rng([seed, number]),
        )
        for number, rows in enumerate(components)
    ]
    visits = instance.visits
    members = np.concatenate(components) if components else np.zeros(0, dtype=np.int64)
    costs = 100 * instance.scenario.assumptions.offer_cost * len(members)
    together = separate + visits * sum(tally.change for tally in tallies)
    drawn = sum(tally.shoppers for tally in tallies)
    return Overlap(
        separate=separate,
        together=together,
        interaction=(together - separate) / abs(separate) if separate else 0.0,
        standard_error=visits * sum(tally.change_variance for tally in tallies) ** 0.5,
        simulated_separate=visits * sum(tally.alone for tally in tallies) - costs,
        simulated_error=visits * sum(tally.alone_variance for tally in tallies) ** 0.5,
        overlapping=float(chosen.incremental_margin[members].sum()),
        components=len(components),
        offers=len(members),
        crowded_shoppers=sum(tally.crowded for tally in tallies) / drawn if drawn else 0.0,
    )


def _components(chosen: Offers) -> list[NDArray[np.int64]]:
    """Groups of two or more offers that hang together by shared products: their rows."""
    bundles = [chosen.bundle(row) for row in range(len(chosen))]
    parent = {product: product for bundle in bundles for product in bundle}

    def root(product: int) -> int:
        while parent[product] != product:
            parent[product] = parent[parent[product]]
            product = parent[product]
        return product

    for first, *others in bundles:
        for other in others:
            parent[root(first)] = root(other)
    groups: dict[int, list[int]] = {}
    for row, bundle in enumerate(bundles):
        groups.setdefault(root(bundle[0]), []).append(row)
    return [np.array(rows) for rows in groups.values() if len(rows) > 1]


def _component(instance: Instance, beliefs: Beliefs, offers: Offers, gains: Floats) -> Component:
    """The figures of a component's offers, their products numbered from 0."""
    catalogue = instance.catalogue
    products = np.unique(offers.entries()[1])
    number = np.zeros(len(catalogue) + 1, dtype=np.int64)
    number[products] = np.arange(len(products))
    number[ABSENT] = ABSENT
    price = catalogue.reference_price.astype(np.float64)
    money_off = (offers.list_price - offers.bundle_price).astype(np.float64)
    deepest = np.where(offers.capped[:, None], offers.of_products(beliefs.deepest_cut, 0.0), 1.0)
    funding = offers.of_products(catalogue.supplier_funding, 0).sum(axis=1)
    pairs = (pair for k in range(len(offers)) for pair in combinations(offers.bundle(k), 2))
    ties = np.array(list(dict.fromkeys(pairs)))
    return Component(
        products=number[offers.products],
        ties=number[ties],
        odds_ratio=beliefs.pairs_of(ties[:, 0], ties[:, 1])["odds_ratio"],
        money_off=money_off,
        reach=np.minimum(money_off[:, None], deepest * offers.of_products(price, 0.0)),
        paid=funding - money_off / (1.0 + instance.scenario.assumptions.tax_rate),
        probability=beliefs.purchase_probability[products],
        sensitivity_location=beliefs.sensitivity_location[products],
        sensitivity_scale=beliefs.sensitivity_scale[products],
        sensitivity_cap=beliefs.sensitivity_cap[products],
        price=price[products],
        gain=gains[products],
    )


def _simulate(
    component: Component, instance: Instance, scale: float, rng: np.random.Generator
) -> _Tally:
    """Draw shoppers until the change is known to a small part of ``scale`` (cents a visit)."""
    size = max(min(_ROUND, _LARGEST_MATRIX // len(component.price)), 1)
    means, variances = np.zeros(2), np.zeros(2)  # of the offers one by one, and of the change
    rounds, shoppers, crowded = 0, 0, 0
    while rounds < _MOST_ROUNDS:
        drawn = draw_shoppers(component, size, rng)
        alone, together, greedy = _earned(component, instance, drawn.short)
        for k, values in enumerate((alone, together - alone)):
            mean, variance = _stratified_mean(drawn.weight * values, drawn.stratum)
            means[k] += mean
            variances[k] += variance
        rounds, shoppers, crowded = rounds + 1, shoppers + len(alone), crowded + greedy
        if np.all(np.sqrt(variances) / rounds <= _PRECISION * scale):
            break
    means, variances = means / rounds, variances / rounds**2
    return _Tally(
        float(means[0]),
        float(variances[0]),
        float(means[1]),
        float(variances[1]),
        crowded,
        shoppers,
    )


def _earned(component: Component, instance: Instance, short: Floats) -> tuple[Floats, Floats, int]:
    """What each shopper earns the shop: offers one by one summed, and with the best choice.

    A bundle is worth D − Σ s_x to a shopper beyond buying apart what is worth its price, and is
    wanted where that is not negative and every s_x is within reach. Its gain to the shop is
    Σ m_x over the products added, less the discount. With automatic redemption the till gives
    the bundles also to shoppers who saw none and buy their products anyway.
    """
    assumptions = instance.scenario.assumptions
    held = component.products
    none = np.zeros((len(short), 1))  # what ABSENT reads
    falls = np.hstack([short, none])[:, held]  # (shoppers, offers, width)
    surplus = component.money_off - falls.sum(axis=2)
    wanted = np.all(falls <= component.reach, axis=2) & (surplus >= 0)
    gain = component.paid + ((falls > 0) * np.append(component.gain, 0.0)[held]).sum(axis=2)
    alone, together, crowded = best_choices(wanted, surplus, gain, component.conflicts)
    alone, together = assumptions.exposure * alone, assumptions.exposure * together
    if assumptions.redemption == "automatic" and assumptions.exposure < 1.0:
        bought = np.all(falls <= 0, axis=2)
        off, paid = (np.broadcast_to(x, gain.shape) for x in (component.money_off, component.paid))
        unseen_alone, unseen, more = best_choices(
            bought, np.ascontiguousarray(off), np.ascontiguousarray(paid), component.conflicts
        )
        alone = alone + (1 - assumptions.exposure) * unseen_alone
        together = together + (1 - assumptions.exposure) * unseen
        crowded += more
    return alone, together, crowded


def _stratified_mean(values: Floats, stratum: NDArray[np.int64]) -> tuple[float, float]:
    """Mean over all shoppers and the variance of that mean, shoppers being drawn by stratum."""
    counts = np.bincount(stratum)
    sums = np.bincount(stratum, values)
    squares = np.bincount(stratum, values * values)
    within = (squares - sums**2 / counts) / np.maximum(counts - 1, 1)
    return float(sums.sum() / len(values)), float((counts * within).sum() / len(values) ** 2)
