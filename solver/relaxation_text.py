"""What of a rule would be enough to give, in the words and numbers of the scenario file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..instances.rules import BrandLimit, CategoryLimit, Clearance, Stability
from .last_week import last_week
from .matching import named_rules
from .relaxations import Case, Relaxation

_LISTED = 5  # products or bundles a sentence lists


def describe_relaxations(
    case: Case, relaxations: Sequence[Relaxation]
) -> tuple[dict[str, Any], ...]:
    """What of each rule would be enough, one dictionary a change, ready for JSON.

    ``key`` is the number that moves, as in the scenario file or the tables; ``limit`` what it is,
    ``enough`` a value with which a plan exists, ``no_less`` the nearest value not ruled out, and
    ``proven`` whether these two are the same to the digits shown. For stock and price floors,
    which are many numbers, they are the total that is missing, and ``missing`` lists it by
    product or bundle. ``enough_alone`` is null where time did not suffice to tell.
    """
    return tuple(_relaxation(case, found) for found in relaxations)


def what_would_do(changes: Sequence[dict[str, Any]]) -> str:
    """The changes as further sentences of a message, each begun by ". "."""
    enough = [change["text"] for change in changes if change["enough_alone"]]
    in_vain = [change["rule"] for change in changes if change["enough_alone"] is False]
    unknown = [change["rule"] for change in changes if change["enough_alone"] is None]
    one = "This" if len(enough) == 1 else "Each of these alone"
    return "".join(
        f". {sentence}"
        for sentence, said in (
            (f"{one} would do: {'; '.join(enough)}", enough),
            (f"Not enough alone, since other rules conflict too: {_few(in_vain)}", in_vain),
            (f"Time did not suffice to see what would be enough of {_few(unknown)}", unknown),
        )
        if said
    )


def _few(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


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
    if proven and enough <= 0 and key.startswith(("target of ", "min_share of ")):
        # these numbers cannot be 0: the rule, or its part, can only go
        return entry | {"text": f"dropping {key if _has_two_parts(case, found) else found.rule}"}
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


def _has_two_parts(case: Case, found: Relaxation) -> bool:
    rule = dict(named_rules(case.instance))[found.rule]
    return isinstance(rule, Stability) and rule.max_steps is not None


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
    if isinstance(rule, Stability) and found.side == "upper":
        return f"max_steps of {found.rule}", rule.max_steps or 0, 1.0, 0
    if isinstance(rule, Stability):  # min_share of last week's bundles, counted
        bundles = len(last_week(case.instance))
        return f"min_share of {found.rule}", rule.min_share or 0.0, 1.0 / max(bundles, 1), 4
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
        else "+".join(str(ids[product]) for product in case.offers.bundle(place)): _rounded(
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
