"""The economics of a pair in closed form: what an explanation can say without a simulation.

These hold for small discounts; the figures of a plan come from ``shares`` and the scoring kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs, Displaced
from ..models.copula import conditional


@dataclass(frozen=True, slots=True)
class PairEconomics:
    """Why pairs gain or do not; arrays have shape (pairs,) or (pairs, 2), money in cents.

    Attributes
    ----------
    unit_gain
        (pairs, 2) m_x, what an added unit earns at the reference price, net of tax and of what
        it displaces.
    reach
        (pairs, 2) e_x = q_x·C1(q_x, q_y)/J: for each shopper who buys both anyway, how many stand
        at the edge of x among those who buy the other. Near 1 for rare products with a weak tie.
    response
        (pairs, 2) e_x·η_x(1 − q_x)·m_x/(r_x/(1 + tax)): what the first cent off earns through
        added units of x, for each cent given to those who buy both anyway.
    gains
        whether a small discount gains: Σ_x response > 1.
    break_even_discount
        share of the bundle price at which the two sides of the account meet, of a pair of two
        products like the mean of these: m/r − 1/(2η), as a share of r net of tax. Above 0 only
        where a discount can gain.
    lift_over_independence
        J/(q_1 q_2).
    """

    unit_gain: NDArray[np.float64]
    reach: NDArray[np.float64]
    response: NDArray[np.float64]
    gains: NDArray[np.bool_]
    break_even_discount: NDArray[np.float64]
    lift_over_independence: NDArray[np.float64]


def pair_economics(
    instance: Instance,
    beliefs: Beliefs,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    odds_ratio: NDArray[np.float64],
    joint: NDArray[np.float64],
) -> PairEconomics:
    """The gain condition and the break-even discount of some pairs.

    With a small discount D split over neither product in particular, a shopper who buys y anyway
    adds x once x falls short by less than D: q_x C1(q_x, q_y)·η_x(1−q_x)·D/r_x of all visits,
    each worth m_x. Those who buy both anyway, J of all visits, cost D/(1 + tax) each. The
    triangle is of second order in D. So the offer gains for small D only if

        Σ_x e_x·η_x(1 − q_x)·m_x/(r_x/(1 + tax)) > 1,   e_x = q_x·C1(q_x, q_y)/J

    and for two equal rare products 2ηm/r > 1, where a plain price cut needs ηm/r > 1.

    Parameters
    ----------
    first, second
        (pairs,) catalogue indices.
    odds_ratio, joint
        (pairs,) ψ and J.
    """
    pair = np.stack([first, second], axis=1)
    q = beliefs.purchase_probability[pair]
    eta = beliefs.price_sensitivity[pair]
    net_price = instance.catalogue.reference_price[pair] / (
        1.0 + instance.scenario.assumptions.tax_rate
    )
    gain = unit_gain(instance, beliefs.displaced)[pair]
    slope = np.stack(
        [
            conditional(q[:, 0], q[:, 1], odds_ratio),
            conditional(q[:, 1], q[:, 0], odds_ratio),
        ],
        axis=1,
    )
    reach = q * slope / joint[:, None]
    response = reach * eta * (1.0 - q) * gain / net_price
    mean_eta = np.maximum(eta.mean(axis=1), 1e-12)
    return PairEconomics(
        unit_gain=gain,
        reach=reach,
        response=response,
        gains=response.sum(axis=1) > 1.0,
        break_even_discount=(gain / net_price).mean(axis=1) - 0.5 / mean_eta,
        lift_over_independence=joint / q.prod(axis=1),
    )


def unit_gain(instance: Instance, displaced: Displaced | None = None) -> NDArray[np.float64]:
    """(products,) cents an added unit earns at the reference price, net of tax.

    m = r/(1 + tax) − cost, less what added units displace: (1 − φ)·m − δ·m̄. A share φ was bought
    earlier: at a discount now, and missing at the full margin in the weeks after. A share δ is
    taken from substitutes, which costs the shop the category's mean unit margin m̄.

    Parameters
    ----------
    displaced
        δ and φ by the beliefs; the scenario's δ goes before theirs. 0 where neither tells.
    """
    learned = displaced or Displaced()
    gain = margin = _unit_margin(instance)
    if learned.pull_forward is not None:
        gain = gain - learned.pull_forward * margin
    stated = instance.scenario.assumptions.diversion
    delta = learned.diversion if stated is None else stated
    return gain if delta is None else gain - delta * category_mean_margin(instance)


def category_mean_margin(instance: Instance) -> NDArray[np.float64]:
    """(products,) mean unit margin of the priced products of each product's category, cents."""
    priced = instance.catalogue.reference_price > 0
    table = pd.DataFrame(
        {
            "category": instance.catalogue.category,
            "margin": np.where(priced, _unit_margin(instance), np.nan),
        }
    )
    means = table.groupby("category")["margin"].transform("mean")
    return np.nan_to_num(means.to_numpy(dtype=np.float64))


def _unit_margin(instance: Instance) -> NDArray[np.float64]:
    catalogue = instance.catalogue
    net_price = catalogue.reference_price / (1.0 + instance.scenario.assumptions.tax_rate)
    return net_price - catalogue.unit_cost
