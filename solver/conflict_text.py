"""What a rule asks for, in words and with its numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Clearance,
    Locked,
    MustInclude,
    NeverTogether,
    Rule,
    SameLevel,
    Stability,
)
from .last_week import beyond_steps, last_week, not_on_offer
from .matching import Matcher, named_rules
from .offers import Offers


def describe_rules(instance: Instance, offers: Offers, rules: tuple[str, ...]) -> tuple[str, ...]:
    """One sentence a rule.

    Parameters
    ----------
    offers
        the offers the rules were applied to, those that filters rejected included.
    rules
        names as in ``Program.row_rule``.
    """
    given = dict(named_rules(instance))
    sentences = []
    for name in rules:
        if name in given:
            sentences.append(f"{name} {_given_rule(instance, offers, name, given[name])}")
        else:
            sentences.append(_limit(instance, offers, name))
    return tuple(sentences)


def _limit(instance: Instance, offers: Offers, name: str) -> str:
    limits = instance.scenario.limits
    safety = f" and limits.stock_safety = {limits.stock_safety:g}" if limits.stock_safety else ""
    budget = limits.discount_budget or 0.0
    sentences = {
        "bundle-count": _bundle_count(instance, offers),
        "product-exposure": f"limits.max_bundles_per_product = {limits.max_bundles_per_product}",
        "stock": f"products.stock{safety} leave too few units beside stand-alone demand",
        "bundle-margin": f"limits.min_bundle_margin = {limits.min_bundle_margin} filters offers",
        "min-price": "products.min_price filters offers that are cheaper",
        "plan-margin": f"limits.min_plan_margin = {limits.min_plan_margin}",
        "discount-budget": f"limits.discount_budget = {budget:g}",
    }
    return sentences.get(name, name)


def _bundle_count(instance: Instance, offers: Offers) -> str:
    limits = instance.scenario.limits
    there = f"{len(np.unique(offers.candidate)):,} bundles could be offered"
    if instance.scenario.objective.maximize == "affinity":
        return (
            f"objective.maximize = affinity takes exactly limits.max_bundles = "
            f"{limits.max_bundles}, {there}"
        )
    if limits.min_bundles > 0:
        return (
            f"limits.min_bundles = {limits.min_bundles} and limits.max_bundles = "
            f"{limits.max_bundles}, {there}"
        )
    return f"limits.max_bundles = {limits.max_bundles}"


def _given_rule(instance: Instance, offers: Offers, name: str, rule: Rule) -> str:
    matcher = Matcher(instance)
    if isinstance(rule, MustInclude | Locked):
        level = "" if rule.level is None else f" at level {rule.level:g}"
        asks = f"asks for {'+'.join(rule.products)}{level}"
        if not matcher.exactly(offers, rule.products, name, rule.level).any():
            asks += f", but {_why_no_offer(instance, rule)}"
        return asks
    if isinstance(rule, CategoryLimit):
        touching = matcher.in_category(offers, rule.category, name)
        there = len(np.unique(offers.candidate[touching]))
        return _between(rule.min, rule.max, f"of category {rule.category!r}", there)
    if isinstance(rule, BrandLimit):
        touching = matcher.in_brand(offers, rule.brand, name)
        there = len(np.unique(offers.candidate[touching]))
        return _between(rule.min, rule.max, f"of brand {rule.brand!r}", there)
    if isinstance(rule, AtMostOneOf):
        bundles = ["+".join(bundle) for bundle in rule.bundles or ()]
        return f"lets one offer at most touch {', '.join([*(rule.products or ()), *bundles])}"
    if isinstance(rule, SameLevel):
        line = matcher.in_line(offers, rule, name)
        there = len(np.unique(offers.candidate[line]))
        return f"keeps {_line(rule)} at one level (bundles to choose from: {there:,})"
    if isinstance(rule, Stability):
        return _stability(instance, offers, rule)
    if isinstance(rule, Clearance):
        return _clearance(offers, rule, matcher.units_of(offers, rule.products, name))
    if isinstance(rule, NeverTogether):
        return f"keeps {', '.join(rule.products)} apart"
    level = "" if rule.level is None else f" at level {rule.level:g}"
    return f"excludes {'+'.join(rule.products)}{level}"


def _line(rule: SameLevel) -> str:
    if rule.category is not None:
        return f"offers of category {rule.category!r}"
    return ", ".join("+".join(bundle) for bundle in rule.bundles or ())


def _stability(instance: Instance, offers: Offers, rule: Stability) -> str:
    """What is asked of last week's bundles, and how many of them can be offered like that."""
    within = ""
    if rule.max_steps is not None:
        within = f" within max_steps = {rule.max_steps} of last week's level"
        offers = offers.take(np.flatnonzero(~beyond_steps(instance, offers, rule.max_steps)))
    if rule.min_share is None:
        return f"keeps last week's bundles{within}"
    bundles, lost = len(last_week(instance)), not_on_offer(instance, offers)
    there = f"{bundles - len(lost)} can be offered"
    if lost:
        there += f", not {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''}"
    return (
        f"asks for {rule.fewest(bundles)} of last week's {bundles} bundles{within} "
        f"(min_share = {rule.min_share:g}; {there})"
    )


def _clearance(offers: Offers, rule: Clearance, units: NDArray[np.float64]) -> str:
    most = np.zeros(int(offers.candidate.max(initial=-1)) + 1)
    np.maximum.at(most, offers.candidate, units)
    return (
        f"asks for target = {rule.target:g} incremental units of {', '.join(rule.products)} "
        f"(all bundles together would bring {most.sum():,.6g})"
    )


def _between(least: int, most: int | None, of: str, there: int) -> str:
    wanted = [f"at least {least}" if least else "", f"at most {most}" if most is not None else ""]
    asks = " and ".join(filter(None, wanted))
    return f"asks for {asks} offers {of} (bundles to choose from: {there:,})"


def _why_no_offer(instance: Instance, rule: MustInclude | Locked) -> str:
    """Why a bundle that a rule forces has no offer; too few orders are no reason for it."""
    available = dict(zip(instance.catalogue.product_ids, instance.catalogue.available, strict=True))
    barred = [product for product in rule.products if not available[product]]
    if barred:
        return (
            f"{' and '.join(barred)} may not be in a bundle (not active, promoted in the planned "
            "week, or without a price)"
        )
    if len(rule.products) > 2:
        return (
            "no offer can be made of them (one was never bought, their joint probabilities "
            "contradict each other, or every price on offer would give the cheapest away)"
        )
    return (
        "no offer can be made of them (one was never bought, or no price with the ending lies "
        "between the dearer product's and the price of both)"
    )
