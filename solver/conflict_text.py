"""What a rule asks for, and what of it would have to give, in words and with its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Clearance,
    Clearance,
    Locked,
    MustInclude,
    NeverTogether,
    Rule,
    SameLevel,
    Stability,
)
from .last_week import last_week, not_on_offer
from .matching import Matcher, named_rules
from .offers import Offers
from .relaxations import Case, Relaxation


_LISTED = 5  # products or bundles a sentence lists


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


def describe_relaxations(
    case: Case, relaxations: Sequence[Relaxation]
) -> tuple[dict[str, Any], ...]:
    """What of each rule would be enough, one dictionary a rule, ready for JSON.

    ``key`` is the number that moves, as in the scenario file or the tables; ``limit`` what it is,
    ``enough`` a value with which a plan exists, ``no_less`` the nearest value not ruled out, and
    ``proven`` whether these two are the same to the digits shown. For stock and price floors,
    which are many numbers, they are the total that is missing, and ``missing`` lists it by
    product or bundle. ``enough_alone`` is null where time did not suffice to tell.
    """
    return tuple(_relaxation(case, found) for found in relaxations)


def _relaxation(case: Case, found: Relaxation) -> dict[str, Any]:
    entry: dict[str, Any] = dict.fromkeys(("key", "limit", "enough", "no_less", "missing"))
    entry |= {"rule": found.rule, "enough_alone": found.alone, "proven": found.alone is not None}
    if found.alone is None:
        return entry | {"text": f"time did not suffice to see what of {found.rule} is enough"}
    if not found.alone:
        return entry | {"text": f"{found.rule} alone is not enough: other rules conflict as well"}
    if found.enough is None:
        return entry | {"text": f"dropping {found.rule}"}
    if found.rule in ("stock", "min-price"):
        return entry | _missing(case, found)
    key, limit, unit, digits = _number(case, found)
    down = found.side == "lower"
    enough = _rounded(found.enough * unit, digits, down=down)
    no_less = found.no_less
    if no_less is not None:
        no_less = _rounded(no_less * unit, digits, down=down)
    proven = no_less is not None and abs(enough - no_less) < 0.5 * 10.0**-digits
    shown = ".2f" if key == "limits.discount_budget" else "g"
    text = f"{key} = {enough:{shown}} instead of {limit:{shown}}"
    if no_less is not None and not proven:
        text += f" (perhaps {'up' if down else 'down'} to {no_less:{shown}})"
    return entry | {
        "key": key,
        "limit": limit,
        "enough": enough,
        "no_less": no_less,
        "proven": proven,
        "text": text,
    }


def _number(case: Case, found: Relaxation) -> tuple[str, float, float, int]:
    """The key of the number that moves, what it is, its unit in the program, and its digits."""
    limits = case.instance.scenario.limits
    affinity = case.instance.scenario.objective.maximize == "affinity"
    fixed: dict[str, tuple[str, float | None, float, int]] = {
        "product-exposure": (
            "limits.max_bundles_per_product",
            limits.max_bundles_per_product,
            1.0,
            0,
        ),
        "plan-margin": ("limits.min_plan_margin", limits.min_plan_margin, 1.0, 4),
        "bundle-margin": ("limits.min_bundle_margin", limits.min_bundle_margin, 1.0, 4),
        "discount-budget": ("limits.discount_budget", limits.discount_budget, 0.01, 2),
        "bundle-count": ("limits.min_bundles", limits.min_bundles, 1.0, 0)
        if found.side == "lower" and not affinity
        else ("limits.max_bundles", limits.max_bundles, 1.0, 0),
    }
    if found.rule in fixed:
        key, limit, unit, digits = fixed[found.rule]
        return key, limit or 0, unit, digits
    rule = dict(named_rules(case.instance))[found.rule]
    if isinstance(rule, CategoryLimit | BrandLimit):
        side, limit = ("min", rule.min) if found.side == "lower" else ("max", rule.max)
        return f"{side} of {found.rule}", limit or 0, 1.0, 0
    assert isinstance(rule, Clearance)
    return f"target of {found.rule}", rule.target, 1.0, 2


def _missing(case: Case, found: Relaxation) -> dict[str, Any]:
    """Units or money missing, by product or bundle, rounded up to two decimals."""
    ids = case.instance.catalogue.product_ids
    stock = found.rule == "stock"
    share = 1.0 - case.instance.scenario.limits.stock_safety if stock else 100.0
    missing = {
        str(ids[place])
        if stock
        else "+".join(str(ids[product]) for product in case.offers.products[place]): _rounded(
            amount / share, 2, down=False
        )
        for place, amount in found.missing.items()
    }
    enough = sum(missing.values())
    no_less = found.no_less
    if no_less is not None:
        no_less = _rounded(no_less / share, 2, down=False)
    proven = no_less is not None and enough - no_less < 0.01 * len(missing) + 0.005
    listed = [
        f"{amount:g} more units of {name}" if stock else f"{amount:.2f} less for {name}"
        for name, amount in list(missing.items())[:_LISTED]
    ]
    if len(missing) > _LISTED:
        listed.append(f"so for {len(missing) - _LISTED} more, {enough:,.2f} in all")
    key = "products.stock" if stock else "products.min_price"
    text = f"{key}: {', '.join(listed)}"
    if no_less is not None and not proven:
        text += f" (perhaps down to {no_less:,.2f} in all)"
    return {
        "key": key,
        "enough": enough,
        "no_less": no_less,
        "missing": missing,
        "proven": proven,
        "text": text,
    }


def _rounded(value: float, digits: int, *, down: bool) -> float:
    """To so many digits, on the side where the limit is looser; 1e-6 of a digit is noise."""
    scaled = value * 10.0**digits
    whole = math.floor(scaled + 1e-6) if down else math.ceil(scaled - 1e-6)
    return whole / 10.0**digits if digits else whole


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
    there = f"{len(np.unique(offers.candidate))} bundles could be offered"
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
        return f"keeps {_line(rule)} at one level (bundles to choose from: {there})"
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
    asks = []
    if rule.min_share is not None:
        bundles = len(last_week(instance))
        lost = not_on_offer(instance, offers)
        there = f"{bundles - len(lost)} can be offered"
        if lost:
            there += f", not {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''}"
        asks.append(
            f"asks for {rule.fewest(bundles)} of last week's {bundles} bundles "
            f"(min_share = {rule.min_share:g}; {there})"
        )
    if rule.max_steps is not None:
        asks.append(f"keeps them within max_steps = {rule.max_steps} of last week's level")
    return " and ".join(asks)


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
    return f"asks for {asks} offers {of} (bundles to choose from: {there})"


def _why_no_offer(instance: Instance, rule: MustInclude | Locked) -> str:
    """Why a pair that a rule forces has no offer; too few orders are no reason for such a pair."""
    available = dict(zip(instance.catalogue.product_ids, instance.catalogue.available, strict=True))
    barred = [product for product in rule.products if not available[product]]
    if barred:
        return (
            f"{' and '.join(barred)} may not be in a bundle (not active, promoted in the planned "
            "week, or without a price)"
        )
    return (
        "no offer can be made of them (one was never bought, or no price with the ending lies "
        "between the dearer product's and the price of both)"
    )
