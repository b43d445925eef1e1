"""Amounts that rules and filters count, one number an offer or a product."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.rules import Clearance
from ..models.beliefs import Beliefs
from .offers import Offers


def stock_left(instance: Instance, beliefs: Beliefs) -> NDArray[np.float64]:
    """(products,) units that bundles may add: stock·(1 − stock_safety) − stand-alone demand.

    Stand-alone demand is visits × q × usual quantity, whether shoppers see an offer or not.
    Negative where it alone exceeds the stock; inf where stock is unlimited.
    """
    stock = instance.catalogue.stock * (1 - instance.scenario.limits.stock_safety)
    return stock - standalone_units(instance, beliefs)


def discount_spend(offers: Offers) -> NDArray[np.float64]:
    """(offers,) cents given away: (list_price − bundle_price)·units, subsidised units included."""
    return (offers.list_price - offers.bundle_price) * offers.bundle_units


def margin_above(offers: Offers, instance: Instance, rate: float) -> NDArray[np.float64]:
    """(offers,) cents: margin − rate·revenue/(1 + tax_rate), units of all four rows."""
    revenue = offers.bundle_units * offers.bundle_price
    net = revenue / (1 + instance.scenario.assumptions.tax_rate)
    return (offers.margin_rate - rate) * net


def standalone_units(instance: Instance, beliefs: Beliefs) -> NDArray[np.float64]:
    """(products,) units sold in the week without any offer: visits × q × usual quantity."""
    return instance.visits * beliefs.purchase_probability * beliefs.usual_quantity


def missing_price(instance: Instance, rule: Clearance) -> float | None:
    """What a missing unit costs in the program's objective; None where none may be missing.

    The program counts money in cents; where it does not count money, the price is in what it
    does count (units, loss).
    """
    if rule.price is None:
        return None
    money = instance.scenario.objective.maximize in ("margin", "revenue")
    return rule.price * (100.0 if money else 1.0)
