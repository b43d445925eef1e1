"""Who takes a bundle at several prices, worked out once more: for checks of levels and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .verifier_accounts import RELATIVE, Expected, Sold, expected_accounts, sold
from .verifier_case import Case
from .verifier_economics import Side, plackett, sensitivity_nodes, shares
from .verifier_sets import adds_one, adds_two
from .verifier_tables import WrittenOffer

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Shares of the visits that see a bundle, one number a price, in expectation over η.

    ``one`` adds the product at each place to the others, ``two`` those at both places.
    """

    anyway: Floats
    one: tuple[Floats, ...]
    two: dict[tuple[int, int], Floats]

    def at(self, k: int) -> Sold:
        """The shares at one of the prices, as accounts count them."""
        place = slice(k, k + 1)
        return sold(
            self.anyway[place],
            [share[place] for share in self.one],
            {places: share[place] for places, share in self.two.items()},
        )

    def groups(self, k: int) -> dict[tuple[int, ...], float]:
        """Places of what is added -> share, at one of the prices."""
        alone = {(place,): float(share[k]) for place, share in enumerate(self.one)}
        both = {places: float(share[k]) for places, share in self.two.items()}
        return {(): float(self.anyway[k]), **alone, **both}


@dataclass(frozen=True, slots=True)
class Judged:
    """An offer's accounts that count: the smaller of the two values, or the ones written where
    the two are close."""

    expected: Expected
    capped: bool
    close: bool


def judged(case: Case, offers: Sequence[WrittenOffer], *, as_written: bool = True) -> list[Judged]:
    """The accounts of one bundle at several prices, all of them offers of the same products.

    Parameters
    ----------
    as_written
        whether ``capped`` of the offers decides where the two values are close.
    """
    uncapped = capped = _parts(case, offers, cap=False)
    if _beyond_deepest(case, offers):
        capped = _parts(case, offers, cap=True)
    found = []
    for k, offer in enumerate(offers):
        plain = expected_accounts(case, offer, uncapped.at(k))
        careful = expected_accounts(case, offer, capped.at(k))
        close = abs(careful.value - plain.value) <= RELATIVE * max(plain.flows, 1e-9)
        smaller = careful.value < plain.value
        take = offer.capped if close and as_written else smaller
        found.append(Judged(careful if take else plain, smaller, close))
    return found


def groups_of(case: Case, offer: WrittenOffer) -> dict[tuple[int, ...], float]:
    """Places of what is added -> share of the visits that see an offer, capped as it says."""
    return _parts(case, [offer], cap=offer.capped).groups(0)


def _beyond_deepest(case: Case, offers: Sequence[WrittenOffer]) -> bool:
    """Whether any of the prices is cut deeper than the data support for one of the products."""
    off = max(offer.money_off for offer in offers)
    prices = case.instance.catalogue.reference_price[case.rows(offers[0])]
    cuts = (case.files.product_beliefs[name]["deepest_cut"] for name in offers[0].product_ids)
    return any(
        min(off, price) > cut * price for price, cut in zip(prices.tolist(), cuts, strict=True)
    )


def _parts(case: Case, offers: Sequence[WrittenOffer], *, cap: bool) -> Parts:
    offer = offers[0]
    off = np.array([[float(entry.money_off)] for entry in offers])
    beliefs = [case.files.product_beliefs[name] for name in offer.product_ids]
    prices = case.instance.catalogue.reference_price[case.rows(offer)].astype(float)
    nodes = [sensitivity_nodes(belief) for belief in beliefs]

    def side(place: int, eta: Floats) -> Side:
        belief, price = beliefs[place], float(prices[place])
        reach = np.minimum(off, price * (belief["deepest_cut"] if cap else 1.0))
        return Side(belief["purchase_probability"], eta[None, :], price, reach)

    if len(beliefs) == 2:
        sides, weight = _crossed(side, nodes, 0, 1)
        psi = case.files.pair_beliefs[frozenset(offer.product_ids)]["odds_ratio"]
        found = shares(*sides, psi, off)
        q_i, q_j = (belief["purchase_probability"] for belief in beliefs)
        return Parts(
            np.full(len(offers), float(plackett(q_i, q_j, psi))),
            (found.adds_first @ weight, found.adds_second @ weight),
            {(0, 1): found.both @ weight},
        )
    table = case.table(offer)
    two = {}
    for a, b in combinations(range(len(beliefs)), 2):
        sides, weight = _crossed(side, nodes, a, b)
        two[a, b] = adds_two(table, (a, b), sides, off) @ weight
    return Parts(
        np.full(len(offers), table[max(table, key=len)]),
        tuple(
            adds_one(table, place, side(place, eta)) @ weight
            for place, (eta, weight) in enumerate(nodes)
        ),
        two,
    )


def _crossed(side, nodes, a: int, b: int) -> tuple[tuple[Side, Side], Floats]:
    """Two products at every two of their nodes, and the weights of these."""
    (eta_a, weight_a), (eta_b, weight_b) = nodes[a], nodes[b]
    sides = side(a, np.repeat(eta_a, len(eta_b))), side(b, np.tile(eta_b, len(eta_a)))
    return sides, np.repeat(weight_a, len(eta_b)) * np.tile(weight_b, len(eta_a))
