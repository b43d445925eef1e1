"""What no single key shows: keys of a scenario that contradict each other, and names of rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count

from .errors import InputError
from .rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Clearance,
    Rule,
    SameLevel,
    Stability,
)
from .scenario_merge import Source
from .scenario_words import found_words
from .sections import Scenario

_ENGINE = re.compile(r"auto|highs|scip|cp-sat|pulp:[A-Za-z0-9_]+")
_LIMIT_NAMES = (
    "bundle-count",
    "product-exposure",
    "stock",
    "bundle-margin",
    "min-price",
    "plan-margin",
    "discount-budget",
)
"""What plans and conflicts call the rules that ``limits`` and the products table state."""

_PER_PRODUCT = ("product-exposure[", "stock[")

_Fault = Callable[[str, str, str | None], InputError]


def name_rules(rules: list[Rule]) -> tuple[Rule, ...]:
    """Give every rule a name, unique within the scenario: its own, or kind and what it is about."""
    taken = {rule.name for rule in rules if rule.name}
    named: list[Rule] = []
    for rule in rules:
        name = rule.name
        if not name:
            before = sum(other.kind == rule.kind for other in named)
            name = next(text for text in _made_names(rule, before) if text not in taken)
            taken.add(name)
        named.append(rule.model_copy(update={"name": name}))
    return tuple(named)


def _made_names(rule: Rule, before: int) -> Iterator[str]:
    """Names a rule could have, best first: ``category-limit[DAIRY]``, ``never-together[1]``."""
    if isinstance(rule, CategoryLimit | BrandLimit):
        about = rule.category if isinstance(rule, CategoryLimit) else rule.brand
        yield f"{rule.kind}[{about}]"
        yield from (f"{rule.kind}[{about},{number}]" for number in count(2))
    if isinstance(rule, SameLevel) and rule.category is not None:
        yield f"{rule.kind}[{rule.category}]"
    yield from (f"{rule.kind}[{number}]" for number in count(before + 1))


def check_scenario(scenario: Scenario, source: Source) -> None:
    """Raise InputError for keys that contradict each other or ask for what is not there yet."""
    limits, fault = scenario.limits, source.error
    if limits.min_bundles > limits.max_bundles:
        found = f"{limits.min_bundles}, above limits.max_bundles = {limits.max_bundles}"
        raise fault("limits.min_bundles", found, f"at most {limits.max_bundles}")
    if scenario.candidates.max_size > 2 and scenario.objective.maximize == "affinity":
        found = f'{scenario.candidates.max_size} with objective.maximize = "affinity"'
        raise fault("candidates.max_size", found, "2: affinity chooses pairs")
    levels = scenario.discounts.levels
    if len(set(levels)) != len(levels):
        twice = next(level for level in levels if levels.count(level) > 1)
        raise fault("discounts.levels", f"{twice:g} stands there twice", "each level once")
    if not _ENGINE.fullmatch(scenario.solver.engine):
        expected = "auto, highs, scip, cp-sat or pulp:NAME such as pulp:CBC"
        raise fault("solver.engine", found_words(scenario.solver.engine), expected)
    _check_segments(scenario, fault)
    for index, rule in enumerate(scenario.rules, start=1):
        _check_rule(rule, index, scenario, source)


def _check_segments(scenario: Scenario, fault: _Fault) -> None:
    if scenario.segments.count != 1 and scenario.candidates.max_size > 2:
        found = f"{scenario.candidates.max_size}, with segments.count"
        raise fault("candidates.max_size", found, "2: only pairs are scored by segment")
    if not scenario.segments.target:
        return
    if scenario.segments.count == 1:
        found = "true, with segments.count = 1"
        raise fault("segments.target", found, 'segments.count = "auto" or at least 2')
    if scenario.assumptions.redemption == "automatic":
        found = (
            'true, with assumptions.redemption = "automatic": the till gives everybody the price'
        )
        raise fault("segments.target", found, 'false, or redemption = "seen"')
    if scenario.objective.maximize == "affinity":
        found = 'true, with objective.maximize = "affinity", which knows no segments'
        raise fault("segments.target", found, "false, or another objective")


def _check_rule(rule: Rule, index: int, scenario: Scenario, source: Source) -> None:
    place = f"rules.{rule.name}"
    if place not in source.origin:  # the name was made, so the file knows only the position
        place = f"rules[{index}]"
    fault = source.error
    if rule.name in _LIMIT_NAMES or rule.name.startswith(_PER_PRODUCT):
        found = f"{found_words(rule.name)}, which is the name of a limit"
        raise fault(f"{place}.name", found, "another name")
    for other in scenario.rules:
        if isinstance(other, Stability) and rule.name == f"{other.name}[max_steps]":
            found = f"{found_words(rule.name)}, which is what plans call {other.name}'s max_steps"
            raise fault(f"{place}.name", found, "another name")
    if isinstance(rule, CategoryLimit | BrandLimit):
        if rule.max is None and rule.min == 0:
            raise fault(place, "neither min nor max", "min, max or both")
        if rule.max is not None and rule.min > rule.max:
            found = f"{rule.min}, above max = {rule.max}"
            raise fault(f"{place}.min", found, f"at most {rule.max}")
        return
    if isinstance(rule, AtMostOneOf):
        if (rule.products is None) == (rule.bundles is None):
            found = "neither products nor bundles" if rule.products is None else "both of them"
            raise fault(place, found, "exactly one of products, bundles")
        _check_distinct(rule.products or (), f"{place}.products", fault)
        for bundle in rule.bundles or ():
            _check_bundle(bundle, f"{place}.bundles", scenario, fault)
    elif isinstance(rule, SameLevel):
        if (rule.bundles is None) == (rule.category is None):
            found = "neither bundles nor category" if rule.bundles is None else "both of them"
            raise fault(place, found, "exactly one of bundles, category")
        for bundle in rule.bundles or ():
            _check_bundle(bundle, f"{place}.bundles", scenario, fault)
        if len({frozenset(bundle) for bundle in rule.bundles or ()}) < len(rule.bundles or ()):
            raise fault(f"{place}.bundles", found_words(rule.bundles), "each bundle once")
    elif isinstance(rule, Stability):
        _check_stability(rule, place, scenario, fault)
    elif isinstance(rule, Clearance) or rule.kind == "never-together":
        _check_distinct(rule.products, f"{place}.products", fault)
    else:
        _check_bundle(rule.products, f"{place}.products", scenario, fault)
        if rule.level is not None and rule.level not in scenario.discounts.levels:
            levels = ", ".join(f"{level:g}" for level in scenario.discounts.levels)
            expected = f"an entry of discounts.levels ({levels})"
            raise fault(f"{place}.level", f"{rule.level:g}", expected)


def _check_stability(rule: Stability, place: str, scenario: Scenario, fault: _Fault) -> None:
    if rule.min_share is None and rule.max_steps is None:
        raise fault(place, "neither min_share nor max_steps", "min_share, max_steps or both")
    if scenario.data.previous_plan is None:
        found = "no data.previous_plan to compare with"
        raise fault(place, found, "data.previous_plan, the folder of last week's plan")


def _check_bundle(products: tuple[str, ...], key: str, scenario: Scenario, fault: _Fault) -> None:
    _check_distinct(products, key, fault)
    most = scenario.candidates.max_size
    if len(products) > most:
        raise fault(key, f"{len(products)} products", f"at most candidates.max_size = {most}")


def _check_distinct(products: tuple[str, ...], key: str, fault: _Fault) -> None:
    if len(set(products)) != len(products):
        raise fault(key, found_words(products), "each product once")
