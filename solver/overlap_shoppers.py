"""Shoppers of a component of overlapping offers, drawn where they matter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, ndtri

from ..instances.synthetic_ties import tied_uniform
from ..models.copula import conditional, joint_probability
from .offers import ABSENT

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Component:
    """Offers that hang together by shared products; products are numbered from 0. Cents.

    Attributes
    ----------
    products
        (offers, width) products of each offer, ``ABSENT`` where it has fewer than the widest.
    ties, odds_ratio
        (ties, 2) the pairs of products within the offers, and (ties,) ψ of each.
    money_off
        (offers,) D.
    reach
        (offers, width) largest shortfall the offer is credited with closing.
    paid
        (offers,) supplier funding less discount, net of tax, for each bundle sold.
    probability, sensitivity_location, sensitivity_scale, sensitivity_cap, price
        (products,) beliefs and reference price.
    gain
        (products,) what an added unit earns.
    """

    products: NDArray[np.int64]
    ties: NDArray[np.int64]
    odds_ratio: Floats
    money_off: Floats
    reach: Floats
    paid: Floats
    probability: Floats
    sensitivity_location: Floats
    sensitivity_scale: Floats
    sensitivity_cap: Floats
    price: Floats
    gain: Floats

    @cached_property
    def conflicts(self) -> NDArray[np.bool_]:
        """(offers, offers) whether two offers share a product."""
        held = np.zeros((len(self.products), len(self.price) + 1), dtype=np.int64)
        np.put_along_axis(held, self.products % held.shape[1], 1, axis=1)
        return held[:, :-1] @ held[:, :-1].T > 0

    @cached_property
    def tree(self) -> NDArray[np.bool_]:
        """(ties,) whether the tie is one of the tree that links all products.

        The strongest ties that form no circle (by |log ψ|): along them products are tied as
        believed; a pair off the tree is tied only through the products between.
        """
        parent = list(range(len(self.price)))

        def root(product: int) -> int:
            while parent[product] != product:
                product = parent[product]
            return product

        kept = np.zeros(len(self.ties), dtype=bool)
        for tie in np.argsort(-np.abs(np.log(self.odds_ratio)), kind="stable"):
            first, second = (root(int(product)) for product in self.ties[tie])
            kept[tie] = first != second
            parent[first] = second
        return kept

    @cached_property
    def anchors(self) -> tuple[_Anchor, ...]:
        """(offers,) where the shoppers of each offer are drawn from."""
        return tuple(self._anchor(offer) for offer in range(len(self.products)))

    def _anchor(self, offer: int) -> _Anchor:
        """The rarest pair of the offer that the tree ties; without one, its rarest product."""
        place = {int(p): k for k, p in enumerate(self.products[offer]) if p != ABSENT}
        within = [
            k for k in np.flatnonzero(self.tree) if all(int(p) in place for p in self.ties[k])
        ]
        if within:
            ends = self.probability[self.ties[within]].T
            joint = joint_probability(ends[0], ends[1], self.odds_ratio[within])
            tie = within[int(np.argmin(joint))]
            first, second = (int(product) for product in self.ties[tie])
            psi = float(self.odds_ratio[tie])
            return _Anchor((first, second), (place[first], place[second]), psi)
        rarest = min(place, key=lambda product: self.probability[product])
        return _Anchor((rarest,), (place[rarest],), 1.0)


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A tied pair of an offer, with ψ, or one product of it: products and places in the offer."""

    products: tuple[int, ...]
    places: tuple[int, ...]
    odds_ratio: float


@dataclass(frozen=True, slots=True)
class Shoppers:
    """Simulated shoppers.

    Attributes
    ----------
    short
        (shoppers, products) cents the willingness to pay falls short of the reference price;
        0 where the product is bought anyway.
    weight
        (shoppers,) density under the beliefs over density under the draw.
    stratum
        (shoppers,) offer the shopper was drawn for.
    """

    short: Floats
    weight: Floats
    stratum: NDArray[np.int64]


def draw_shoppers(component: Component, count: int, rng: np.random.Generator) -> Shoppers:
    """Draw shoppers within reach of at least one offer, as many for each offer.

    Only shoppers with u_i <= a_i and u_j <= a_j can take an offer {i, j}, a_x being the rank of
    its largest shortfall; they are rare. Each offer is a stratum with shoppers drawn from that
    corner of its copula, exactly: u_i from C(·, a_j)/C(a_i, a_j), whose inverse is closed, u_j
    by conditional inversion below a_j, the other products along the tree. A shopper may lie in
    the corners of several offers, so the weight is that of the mixture:

        1 / Σ_c (share of stratum c)·[shopper in corner c]/P(corner c).

    The corner of a larger bundle is that of its rarest pair on the tree. An offer off the tree
    has u_i <= a_i as its corner, i its rarest product. Price sensitivities are drawn first, one
    of each product for every shopper.
    """
    n_offers = len(component.products)
    stratum = np.sort(np.arange(max(count, 2 * n_offers)) % n_offers)
    eta = _draw_sensitivity(component, rng.random((len(stratum), len(component.price))))
    log_odds = logit(component.probability)
    steepness = eta / component.price
    limits = expit(
        log_odds[component.products] + steepness[:, component.products] * component.reach
    )  # (shoppers, offers, width); nobody reads those of ABSENT
    rank = np.zeros_like(eta)
    for offer in range(n_offers):
        rows = np.flatnonzero(stratum == offer)
        _draw_corner(component, offer, limits[rows, offer], rank, rows, rng)
    density = np.zeros(len(stratum))
    share = np.bincount(stratum, minlength=n_offers) / len(stratum)
    for offer in range(n_offers):
        inside, probability = _corner(component, offer, limits[:, offer], rank)
        density += share[offer] * inside / probability
    with np.errstate(divide="ignore"):
        fall = (logit(np.minimum(rank, 1.0)) - log_odds) / np.maximum(steepness, 1e-300)
    return Shoppers(np.maximum(fall, 0.0), 1.0 / density, stratum)


def _draw_sensitivity(component: Component, uniform: Floats) -> Floats:
    """η at these quantiles of the truncated normals; upper tails keep digits far from 0."""
    location, scale = component.sensitivity_location, component.sensitivity_scale
    spread = np.where(scale > 0, scale, 1.0)
    above_zero = ndtr(location / spread)
    above_cap = ndtr((location - component.sensitivity_cap) / spread)
    drawn = location - spread * ndtri(above_zero + (above_cap - above_zero) * uniform)
    drawn = np.where(scale > 0, drawn, location)
    return np.clip(drawn, 0.0, component.sensitivity_cap)


def _corner(
    component: Component, offer: int, limit: Floats, rank: Floats
) -> tuple[NDArray[np.bool_], Floats]:
    """Which shoppers lie in an offer's corner, and the corner's probability for each."""
    anchor = component.anchors[offer]
    within = limit[:, anchor.places]
    inside = np.all(rank[:, anchor.products] <= within, axis=1)
    if len(anchor.products) == 1:
        return inside, within[:, 0]
    return inside, joint_probability(within[:, 0], within[:, 1], anchor.odds_ratio)


def _draw_corner(
    component: Component,
    offer: int,
    limit: Floats,
    rank: Floats,
    rows: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Fill ``rank[rows]`` with shoppers from an offer's corner."""
    anchor = component.anchors[offer]
    within = limit[:, anchor.places].T
    if len(anchor.products) == 1:
        rank[rows, anchor.products[0]] = rng.random(len(rows)) * within[0]
    else:
        first, second = anchor.products
        psi = anchor.odds_ratio
        corner = joint_probability(within[0], within[1], psi)
        u = _first_given_joint(rng.random(len(rows)) * corner, within[1], psi)
        below = conditional(u, within[1], psi)
        rank[rows, first] = np.minimum(u, within[0])
        v = tied_uniform(u, rng.random(len(rows)) * below, psi)
        rank[rows, second] = np.minimum(v, within[1])
    for parent, child, psi in _outward(component, list(anchor.products)):
        rank[rows, child] = tied_uniform(rank[rows, parent], rng.random(len(rows)), psi)


def _first_given_joint(joint: Floats, second: Floats, odds_ratio: float) -> Floats:
    """The u with C_ψ(u, v) = z: z(1 − v + z + ψ(v − z))/(ψ(v − z) + z)."""
    rest = odds_ratio * (second - joint)
    return joint * (1 - second + joint + rest) / (rest + joint)


def _outward(component: Component, known: list[int]) -> list[tuple[int, int, float]]:
    """Tree edges (parent, child, ψ) in the order that reaches every product from ``known``."""
    edges = [
        (int(first), int(second), float(psi))
        for (first, second), psi, kept in zip(
            component.ties, component.odds_ratio, component.tree, strict=True
        )
        if kept
    ]
    reached, order = set(known), []
    while len(reached) < len(component.price):
        for first, second, psi in edges:
            if (first in reached) != (second in reached):
                parent, child = (first, second) if first in reached else (second, first)
                order.append((parent, child, psi))
                reached.add(child)
    return order
