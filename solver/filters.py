"""Filters: which scored offers can be in the program at all, and which rule removed the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.rules import (
    BrandLimit,
    CategoryLimit,
    Clearance,
    Excluded,
    Locked,
    MustInclude,
    NeverTogether,
    Stability,
)
from ..models.beliefs import Beliefs
from .accounts import margin_above, missing_price, stock_left
from .last_week import beyond_steps, last_week, returning
from .matching import Matcher, named_rules
from .offers import Offers

Mask = NDArray[np.bool_]
NO_GAIN = "no-gain"
FILTER_NAMES = ("bundle-margin", "min-price", "stock")
RULE_PREFIX = "rule "
"""Counts of what a scenario's own rules removed begin so: a rule may be named "candidates"."""

_REMEMBERED = 50_000  # filtered offers kept for explanations, for each demand and filter


@dataclass(frozen=True, slots=True)
class SetAside:
    """Offers outside the program that a conflict is explained by: a rule asks for them.

    Attributes
    ----------
    offers
        filtered ones that a rule with a lower side asks for, or idle ones that a lower
        ``min_plan_margin`` would make useful.
    rejected_by
        filter's name -> (offers,) which of them it rejects.
    """

    offers: Offers
    rejected_by: dict[str, Mask]


def offer_mask(instance: Instance, beliefs: Beliefs) -> OfferFilter:
    """The filter of an instance: call it on chunks of scored offers."""
    return OfferFilter(instance, beliefs)


@dataclass(slots=True)
class OfferFilter:
    """``filter(offers)`` gives (offers,) what stays, and how many each filter removed.

    An offer is counted under the first filter that removes it.

    Attributes
    ----------
    set_aside
        filtered offers that some rule asks for, by chunk.
    not_set_aside
        such offers beyond ``_REMEMBERED``: counted, and not kept.
    """

    instance: Instance
    beliefs: Beliefs
    set_aside: list[SetAside] = field(default_factory=list)
    not_set_aside: int = 0
    _remembered: dict[tuple[str, str], int] = field(default_factory=dict)
    _matcher: Matcher = field(init=False)

    def __post_init__(self) -> None:
        self._matcher = Matcher(self.instance)

    def __call__(self, offers: Offers) -> tuple[Mask, dict[str, int]]:
        rejected_by = dict(self.rejections(offers))
        given = {name for name, _ in named_rules(self.instance)}
        keep = np.ones(len(offers), dtype=bool)
        counts: dict[str, int] = {}
        for name, rejects in rejected_by.items():
            gone = int(np.count_nonzero(keep & rejects))
            if gone:
                counts[f"{RULE_PREFIX}{name}" if name in given else name] = gone
            keep &= ~rejects
        self._remember(offers, keep, rejected_by)
        idle = keep & ~self._can_matter(offers)
        if idle.any():
            counts[NO_GAIN] = int(np.count_nonzero(idle))
            self._remember_idle(offers, idle)
        return keep & ~idle, counts

    def reasons(self, offers: Offers) -> list[str]:
        """Of each offer the first filter that removes it, "" where none does."""
        reason = [""] * len(offers)
        for name, rejects in (*self.rejections(offers), (NO_GAIN, ~self._can_matter(offers))):
            for row in np.flatnonzero(rejects):
                reason[row] = reason[row] or name
        return reason

    def rejections(self, offers: Offers) -> Iterator[tuple[str, Mask]]:
        """Each filter's name and (offers,) what it rejects."""
        instance, scenario = self.instance, self.instance.scenario
        matcher = self._matcher
        if scenario.limits.min_bundle_margin is not None:
            # margin_rate >= min_bundle_margin
            yield "bundle-margin", offers.margin_rate < scenario.limits.min_bundle_margin
        if instance.catalogue.min_price.any():
            # bundle price >= Σ min_price of its products
            floor = offers.of_products(instance.catalogue.min_price, 0).sum(axis=1)
            yield "min-price", offers.bundle_price < floor
        if np.isfinite(instance.catalogue.stock).any():
            # what the offer alone adds <= what is left beside stand-alone demand
            left = offers.of_products(stock_left(instance, self.beliefs), np.inf)
            needs = offers.added_units
            yield "stock", np.any((needs > 0) & (needs > left), axis=1)
        for name, rule in named_rules(instance):
            if isinstance(rule, NeverTogether):
                yield name, matcher.holding_two(offers, rule.products, name)
            elif isinstance(rule, Excluded):
                yield name, matcher.exactly(offers, rule.products, name, rule.level)
            elif isinstance(rule, Stability) and rule.max_steps is not None:
                # a bundle of last week stays within max_steps of its level
                yield name, beyond_steps(instance, offers, rule.max_steps)

    def _can_matter(self, offers: Offers) -> Mask:
        """Offers with value, or that a row with a lower side could need."""
        scenario = self.instance.scenario
        matters = self._worth_with_targets(offers)
        if scenario.limits.min_plan_margin is not None:
            rate = scenario.limits.min_plan_margin
            matters |= margin_above(offers, self.instance, rate) > 0
        for _, wanted in self._demands(offers):
            matters |= wanted
        return matters

    def _worth_with_targets(self, offers: Offers) -> Mask:
        """Offers whose value and what they save of soft clearance targets come to more than 0."""
        matcher, worth = self._matcher, offers.value
        for name, rule in named_rules(self.instance):
            price = missing_price(self.instance, rule) if isinstance(rule, Clearance) else None
            if isinstance(rule, Clearance) and price is not None:
                worth = worth + price * matcher.units_of(offers, rule.products, name)
        return worth > 0

    def _demands(self, offers: Offers) -> Iterator[tuple[str, Mask]]:
        """Rules with a lower side, and (offers,) those that would serve them."""
        scenario = self.instance.scenario
        matcher = self._matcher
        if scenario.limits.min_bundles > 0 or scenario.objective.maximize == "affinity":
            yield "bundle-count", np.ones(len(offers), dtype=bool)
        for name, rule in named_rules(self.instance):
            if isinstance(rule, MustInclude | Locked):
                yield name, matcher.exactly(offers, rule.products, name, rule.level)
            elif isinstance(rule, CategoryLimit) and rule.min > 0:
                yield name, matcher.in_category(offers, rule.category, name)
            elif isinstance(rule, BrandLimit) and rule.min > 0:
                yield name, matcher.in_brand(offers, rule.brand, name)
            elif isinstance(rule, Stability) and rule.fewest(len(last_week(self.instance))) > 0:
                yield name, returning(self.instance, offers) >= 0
            elif isinstance(rule, Clearance) and rule.price is None:
                yield name, matcher.units_of(offers, rule.products, name) > 0

    def _remember(self, offers: Offers, keep: Mask, rejected_by: dict[str, Mask]) -> None:
        """Keep the filtered offers that a rule asks for, up to a number, and count the others."""
        sample, asked_for = np.zeros(len(offers), dtype=bool), np.zeros(len(offers), dtype=bool)
        for demand, wanted in self._demands(offers):
            asked_for |= wanted & ~keep
            for name, rejects in rejected_by.items():
                room = _REMEMBERED - self._remembered.get((demand, name), 0)
                rows = np.flatnonzero(wanted & ~keep & rejects)[: max(room, 0)]
                self._remembered[demand, name] = _REMEMBERED - room + len(rows)
                sample[rows] = True
        self.not_set_aside += int(np.count_nonzero(asked_for & ~sample))
        rows = np.flatnonzero(sample)
        if len(rows):
            rejected = {name: rejects[rows] for name, rejects in rejected_by.items()}
            self.set_aside.append(SetAside(offers.take(rows), rejected))

    def _remember_idle(self, offers: Offers, idle: Mask) -> None:
        """Keep offers that would help a plan's margin if its limit were lower, in the same way."""
        demands = any(True for _ in self._demands(offers))
        if self.instance.scenario.limits.min_plan_margin is None or not demands:
            return
        known = self._remembered.get(("plan-margin", NO_GAIN), 0)
        rows = np.flatnonzero(idle)[: max(_REMEMBERED - known, 0)]
        self._remembered["plan-margin", NO_GAIN] = known + len(rows)
        self.not_set_aside += int(np.count_nonzero(idle)) - len(rows)
        if len(rows):
            self.set_aside.append(SetAside(offers.take(rows), {}))
