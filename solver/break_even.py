"""The discount at which what a bundle adds comes to nothing, and the condition for any to gain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from ..models.copula import conditional, odds_ratio_of
from ..models.product_sets import set_table
from .economics import unit_gain
from .group_shares import Audience, Bundle, GroupShares, audiences
from .offers import Offers

_GRID = 24  # discounts looked at in each of the passes, each pass between two of the last
_PASSES = 3  # so that a discount is found to 1/24³ of the cheapest product's price


def break_even_discounts(
    instance: Instance, beliefs: Beliefs, chosen: Offers
) -> list[float | None]:
    """Of each offer the largest discount up to which its bundle still earns something.

    The incremental margin of the bundle as a function of D, offer cost included, as far as a
    discount may go: the bundle has to cost more than its products without the cheapest. It is
    looked through on a grid for the last D at which it passes from gain to loss, which is then
    narrowed down. Response is capped at the deepest cut as in the accounts: the smaller of the
    two margins counts.

    Returns
    -------
    list
        a share of the list price; 0 where no discount earns anything, None where the bundle still
        gains at the largest discount that may be offered.
    """
    gain = unit_gain(instance, beliefs.displaced)
    shown: list[list[Audience]] = [[] for _ in range(len(chosen))]
    for audience in audiences(instance, beliefs, chosen):
        for k in audience.rows:
            shown[k].append(audience)
    return [
        _break_even(instance, gain, shown[k], chosen.bundle(k), float(chosen.list_price[k]))
        for k in range(len(chosen))
    ]


def _break_even(
    instance: Instance,
    gain: NDArray[np.float64],
    shown: list[Audience],
    bundle: Bundle,
    list_price: float,
) -> float | None:
    low, high = 0.0, float(instance.catalogue.reference_price[list(bundle)].min())
    for first in range(_PASSES):
        discount = np.linspace(low, high, _GRID + 1)[1:]
        earns = np.flatnonzero(_margin(instance, gain, shown, bundle, discount) >= 0.0)
        if first == 0 and len(earns) and earns[-1] == _GRID - 1:
            return None
        step = (high - low) / _GRID
        low = low + step * (earns[-1] + 1 if len(earns) else 0)
        high = low + step
    return low / list_price


def _margin(
    instance: Instance,
    gain: NDArray[np.float64],
    shown: list[Audience],
    bundle: Bundle,
    discount: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(discounts,) incremental margin in cents a week."""
    total = np.full(len(discount), -100.0 * instance.scenario.assumptions.offer_cost)
    for audience in shown:
        total += audience.visits * np.minimum(
            *(
                _per_visit(
                    instance,
                    gain,
                    audience.groups.shares(bundle, discount, capped=capped),
                    discount,
                )
                for capped in (False, True)
            )
        )
    return total


def _per_visit(
    instance: Instance,
    gain: NDArray[np.float64],
    groups: GroupShares,
    discount: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(discounts,) cents a visit: exposure × Σ share·(Σ m of what is added + F − D/(1 + tax))."""
    assumptions = instance.scenario.assumptions
    bundle = list(groups.buys[0])
    funding = float(instance.catalogue.supplier_funding[bundle].sum())
    share = groups.share * assumptions.exposure
    if assumptions.redemption == "automatic":
        share[:, 0] = groups.share[:, 0]
    added = np.array([gain[list(adds)].sum() for adds in groups.adds])
    paid = funding - discount / (1.0 + assumptions.tax_rate)
    return share @ added + share.sum(axis=1) * paid


def gain_conditions(instance: Instance, beliefs: Beliefs, chosen: Offers) -> list[dict[int, float]]:
    """Of each offer what the first cent off earns through each product, for each cent it costs.

    Who buys all of S anyway, p_S of all visits, costs D/(1 + tax). Of a product l, those who buy
    the others anyway add it once it falls short by less than D: q_l·C1(q_l, p_{S∖l})·η_l(1 − q_l)
    ·D/r_l of all visits (ψ_l from p_{S∖l}, q_l, p_S), each worth m_l. So with a small discount the
    bundle gains if

        Σ_l e_l·η_l(1 − q_l)·m_l/(r_l/(1 + tax)) > 1,   e_l = q_l·C1(q_l, p_{S∖l})/p_S

    Those who add two are of second order. With automatic redemption the cost is paid on all
    visits, the gain made on those that see the offer: a part is exposure times as large.

    Returns
    -------
    list
        catalogue index -> its part of the sum.
    """
    gain = unit_gain(instance, beliefs.displaced)
    assumptions = instance.scenario.assumptions
    seen = assumptions.exposure if assumptions.redemption == "automatic" else 1.0
    cost = np.zeros(len(chosen))
    earned = [dict.fromkeys(chosen.bundle(k), 0.0) for k in range(len(chosen))]
    for audience in audiences(instance, beliefs, chosen):
        for k in audience.rows:
            joint, slopes = _first_cent(audience.groups.beliefs, chosen.bundle(int(k)))
            cost[k] += audience.visits * joint
            for product, slope in slopes.items():
                earned[k][product] += audience.visits * slope
    net = instance.catalogue.reference_price / (1.0 + assumptions.tax_rate)
    return [
        {
            product: float(seen * value * gain[product] / net[product] / cost[k])
            for product, value in of_bundle.items()
        }
        for k, of_bundle in enumerate(earned)
    ]


def _first_cent(beliefs: Beliefs, bundle: Bundle) -> tuple[float, dict[int, float]]:
    """p_S, and by product q·C1·η(1 − q): who adds it for each share of its price taken off."""
    table = set_table(beliefs, np.array([bundle], dtype=np.int32))[0]
    whole = len(table) - 1
    slopes = {}
    for place, product in enumerate(bundle):
        q, others = table[1 << place], table[whole ^ (1 << place)]
        psi = odds_ratio_of(q, others, table[whole])
        slope = q * conditional(q, others, psi)
        slopes[product] = float(slope * beliefs.price_sensitivity[product] * (1.0 - q))
    return float(table[whole]), slopes
