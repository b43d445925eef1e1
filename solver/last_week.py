"""What rules of kind stability ask of last week's bundles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.previous_plan import PreviousBundle
from ..instances.rules import Stability
from .matching import Matcher
from .offers import Offers

NOT_ON_OFFER = "last week's bundles not on offer"
"""What ``score_offers`` counts them under."""


def last_week(instance: Instance) -> tuple[PreviousBundle, ...]:
    """Last week's bundles; none where no rule compares with them."""
    return () if instance.previous_plan is None else instance.previous_plan.bundles


def stability_rules(instance: Instance) -> list[Stability]:
    """The rules that compare with last week's plan."""
    return [rule for rule in instance.scenario.rules if isinstance(rule, Stability)]


def returning(instance: Instance, offers: Offers) -> NDArray[np.int64]:
    """(offers,) number of last week's bundle that the offer is one of, -1 for a new bundle."""
    bundles = [bundle.products for bundle in last_week(instance)]
    return Matcher(instance).number_of(offers, bundles)


def beyond_steps(instance: Instance, offers: Offers, most: int) -> NDArray[np.bool_]:
    """(offers,) those of last week's bundles more than ``most`` levels from last week's.

    An offer that several levels lead to counts as the nearest of them.
    """
    return steps_of(instance, offers) > most


def steps_of(instance: Instance, offers: Offers) -> NDArray[np.int64]:
    """(offers,) levels from last week's to those of last week's bundles; 0 for a new bundle."""
    number = returning(instance, offers)
    steps = np.zeros(len(offers), dtype=np.int64)
    again = np.flatnonzero(number >= 0)
    levels = np.array([bundle.level for bundle in last_week(instance)], dtype=np.int64)
    steps[again] = steps_from(offers.level_mask[again], levels[number[again]])
    return steps


def steps_from(masks: NDArray[np.uint64], levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) entries of discounts.levels between each mask's nearest level and ``levels``."""
    bits = np.arange(64)
    held = (masks[:, None] >> bits.astype(np.uint64)) & np.uint64(1) == 1
    distance = np.abs(bits - levels[:, None])
    return np.where(held, distance, 64).min(axis=1, initial=64)


def not_on_offer(instance: Instance, offers: Offers) -> list[str]:
    """Ids of last week's bundles that have no offer."""
    there = set(np.unique(returning(instance, offers)).tolist())
    return [bundle.bundle_id for k, bundle in enumerate(last_week(instance)) if k not in there]
