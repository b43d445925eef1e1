"""Which rules of a plan a bundle uses, and which of them have nothing to spare."""

from __future__ import annotations

from typing import Any

from ..instances.instance import Instance
from ..instances.rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Clearance,
    Excluded,
    Locked,
    MustInclude,
    NeverTogether,
    Rule,
    SameLevel,
    Stability,
)
from ..instances.sections import Scenario

_BINDING = 1e-6  # relative slack below which a rule has nothing to spare
_OF_PLAN = ("bundle-count", "plan-margin", "discount-budget")
_OF_PRODUCT = ("product-exposure", "stock")
_KEYS = ("name", "kind", "value", "limit", "slack", "shadow_price", "shadow_price_unit")


def binding_rules(
    report: dict[str, Any],
    scenario: Scenario,
    products: tuple[str, ...],
    instance: Instance | None = None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """The rules without slack that a bundle uses, and the names of those nobody can tell.

    Parameters
    ----------
    report
        plan.json, whose ``rules`` have value, limit and slack.
    products
        ids of the bundle.
    instance
        the tables; without them it is not known which category or brand a product has.

    Returns
    -------
    tuple
        entries with name, kind, value, limit, slack, shadow price and ``change`` (what the
        objective gains by one step of the rule, where a re-solve told); names of tight rules of
        which it is not known whether they speak of the bundle.
    """
    rules = {rule.name: rule for rule in scenario.rules}
    bound, untold = [], []
    for entry in report["rules"]:
        slack, limit = entry["slack"], entry["limit"] or 0.0
        if slack is None or abs(slack) > _BINDING * max(1.0, abs(limit)):
            continue
        uses = _uses(entry, rules.get(entry["name"].split("[max_steps]")[0]), products, instance)
        if uses is None:
            untold.append(str(entry["name"]))
        elif uses:
            price = entry.get("exact_price") or {}
            found = {key: entry.get(key) for key in _KEYS}
            bound.append({**found, "change": price.get("change"), "step": price.get("step_text")})
    return bound, untold


def ruled_out(scenario: Scenario, products: tuple[str, ...]) -> str | None:
    """The name of the first rule that keeps a bundle out at every level, None where none does."""
    for rule in scenario.rules:
        if isinstance(rule, NeverTogether) and len(set(rule.products) & set(products)) > 1:
            return rule.name
        if isinstance(rule, Excluded) and rule.level is None and _same(rule.products, products):
            return rule.name
    return None


def _uses(
    entry: dict[str, Any],
    rule: Rule | None,
    products: tuple[str, ...],
    instance: Instance | None,
) -> bool | None:
    """Whether a rule counts the bundle; None where only the tables could tell."""
    kind = entry["kind"]
    if kind in _OF_PLAN:
        return True
    if kind in _OF_PRODUCT:
        return entry["name"] in {f"{kind}[{product}]" for product in products}
    if isinstance(rule, CategoryLimit):
        return _any_in(instance, "category", rule.category, products)
    if isinstance(rule, BrandLimit):
        return _any_in(instance, "brand", rule.brand, products)
    if isinstance(rule, MustInclude | Locked):
        return _same(rule.products, products)
    if isinstance(rule, AtMostOneOf):
        named = bool(set(rule.products or ()) & set(products))
        return named or any(_same(bundle, products) for bundle in rule.bundles or ())
    if isinstance(rule, SameLevel):
        if rule.category is not None:
            return _any_in(instance, "category", rule.category, products)
        return any(_same(bundle, products) for bundle in rule.bundles or ())
    if isinstance(rule, Clearance):
        return bool(set(rule.products) & set(products))
    if isinstance(rule, Stability):
        if instance is None:
            return None
        known = instance.previous_plan.bundles if instance.previous_plan is not None else ()
        return any(_same(bundle.products, products) for bundle in known)
    return False  # a filter: it says what single offers may be, and its slack is the tightest's


def _any_in(
    instance: Instance | None, column: str, value: str, products: tuple[str, ...]
) -> bool | None:
    if instance is None:
        return None
    place = {str(name): k for k, name in enumerate(instance.catalogue.product_ids)}
    values = getattr(instance.catalogue, column)
    return any(values[place[product]] == value for product in products)


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return set(one) == set(other)
