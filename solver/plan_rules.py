"""Entries of plan.json's ``rules`` for what is no row of the program: filters, levels, targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..instances.instance import Instance
from ..instances.rules import Clearance, SameLevel, Stability
from .last_week import NOT_ON_OFFER, last_week, steps_of
from .matching import Matcher, named_rules
from .offers import Offers
from .same_level import fewest_levels


def entries_beside_rows(instance: Instance, chosen: Offers) -> list[dict[str, Any]]:
    """Name, kind, value, limit and slack on the chosen offers.

    ========================  ==========================================================
    bundle-margin             least margin rate of an offer >= limits.min_bundle_margin
    min-price                 least money above Σ min_price of an offer's products >= 0
    same-level                levels that the line's offers need <= 1
    stability, ``max_steps``  most steps of a bundle of last week, ``NAME[max_steps]``
    ========================  ==========================================================
    """
    found = [*_filters(instance, chosen)] if len(chosen) else []
    matcher = Matcher(instance)
    for name, rule in named_rules(instance):
        if isinstance(rule, SameLevel):
            line = matcher.in_line(chosen, rule, name)
            used = fewest_levels([int(mask) for mask in chosen.level_mask[line]])
            found.append(_entry(name, rule.kind, used, upper=1))
        elif isinstance(rule, Stability) and rule.max_steps is not None:
            most = int(steps_of(instance, chosen).max(initial=0))
            found.append(_entry(f"{name}[max_steps]", rule.kind, most, upper=rule.max_steps))
    return found


def missing_units(instance: Instance, entry: dict[str, Any]) -> dict[str, float]:
    """``missing`` and ``penalty`` of a soft clearance target; nothing for any other entry.

    The penalty is in the objective's unit: money, or what the scenario maximises.
    """
    for name, rule in named_rules(instance):
        if name == entry["name"] and isinstance(rule, Clearance) and rule.price is not None:
            missing = max(-float(entry["slack"]), 0.0)
            return {"missing": missing, "penalty": missing * rule.price}
    return {}


def missed_targets(instance: Instance, entries: list[dict[str, Any]]) -> list[str]:
    """A warning for each soft target that is missed."""
    money = instance.scenario.objective.maximize in ("margin", "revenue")
    unit = f" {instance.scenario.currency}" if money else ""
    return [
        f"rule {entry['name']}: {entry['value']:,.6g} of {entry['limit']:,.6g} incremental units, "
        f"{entry['missing']:,.6g} are missing; the objective is {entry['penalty']:,.2f}{unit} less"
        for entry in entries
        if entry.get("missing", 0.0) > 0.0
    ]


def lost_bundles(instance: Instance, counts: dict[str, int]) -> list[str]:
    """A warning where last week's bundles can no longer be offered, which the rules still count."""
    lost, bundles = counts.get(NOT_ON_OFFER, 0), len(last_week(instance))
    if not lost:
        return []
    return [
        f"{lost} of last week's {bundles} bundles cannot be offered again; the share that rules "
        f"of kind stability ask for is of all {bundles}"
    ]


def _filters(instance: Instance, chosen: Offers) -> Iterator[dict[str, Any]]:
    least = instance.scenario.limits.min_bundle_margin
    if least is not None:
        rate = float(chosen.margin_rate.min())
        yield _entry("bundle-margin", "bundle-margin", rate, lower=least)
    floor = chosen.of_products(instance.catalogue.min_price, 0).sum(axis=1)
    held = floor > 0
    if held.any():
        room = int((chosen.bundle_price - floor)[held].min()) / 100
        yield _entry("min-price", "min-price", room, lower=0.0)


def _entry(
    name: str,
    kind: str,
    value: float,
    *,
    lower: float | None = None,
    upper: float | None = None,
) -> dict[str, Any]:
    slack = value - lower if lower is not None else (upper or 0) - value
    limit = lower if lower is not None else upper
    return {
        "name": name,
        "kind": kind,
        "value": value,
        "limit": limit,
        "slack": slack,
    }
