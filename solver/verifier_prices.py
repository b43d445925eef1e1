"""The prices of rules in plan.json against the plan's own objective and bound."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeGuard

from .verifier_case import Case

_SLIP = 1e-5  # relative to the objective


def wrong_rule_prices(case: Case) -> Iterator[str]:
    """Prices that the objectives and bounds beside them do not support.

    With z the plan's objective and b its bound, z' and b' those with a rule one step looser, the
    optimum changes by no less than max(z' − b, 0) and no more than b' − z. A plan that a re-solve
    showed to be short of the best narrows this; nothing widens it.
    """
    report = case.files.report
    listed = report.get("prices", [])
    if not isinstance(listed, list):
        yield "plan.json: prices: is no list, expected one of the rules that cost most"
        return
    for price in listed:
        if not isinstance(price, dict):
            yield f"plan.json: prices: {price} is found, expected rule, step and change"
            continue
        for problem in _wrong(price, report):
            yield f"plan.json: prices: {price.get('rule')}: {problem}"
    yield from _disagreeing(listed, report.get("rules"))


def _wrong(price: dict[str, Any], report: dict[str, Any]) -> Iterator[str]:
    now, bound_now = report.get("objective"), report.get("bound")
    step, objective, low = (price.get(key) for key in ("step", "objective", "change_low"))
    bound, high, change = (price.get(key) for key in ("bound", "change_high", "change"))
    if not (_number(now) and _number(step) and _number(objective) and _number(low)):
        yield "step, objective or change_low is missing, expected numbers"
        return
    allowed = _SLIP * max(abs(now), 1e-9)
    if step <= 0:
        yield f"step is {step}, expected more than 0: a price is of a looser rule"
    if objective < now - allowed:
        yield f"objective is {objective}, expected {now} or more: a looser rule keeps the plan"
    least = max(objective - bound_now, 0.0) if _number(bound_now) else 0.0
    if low < least - allowed:
        yield f"change_low is {low}, expected {least} or more"
    if high is None and change is None:
        return
    if not (_number(bound) and bound >= objective - allowed):
        yield f"bound is {bound}, expected {objective} (the objective) or more"
    elif not (_number(high) and low - allowed <= high <= bound - now + allowed):
        yield f"change_high is {high}, expected {low} to {bound - now}"
    elif change is not None and not (_number(change) and low - allowed <= change <= high + allowed):
        yield f"change is {change}, expected {low} to {high}"


def _disagreeing(listed: list[Any], rules: object) -> Iterator[str]:
    """Exact prices under ``rules`` that are not those of the list, where they all are."""
    known = {price.get("rule"): price for price in reversed(listed) if isinstance(price, dict)}
    for entry in rules if isinstance(rules, list) else []:
        if isinstance(entry, dict) and entry.get("exact_price") != known.get(entry.get("name")):
            yield f"plan.json: rules: {entry.get('name')}: exact_price is not the one in prices"


def _number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
