"""Rules over lines, weeks and targets, recomputed on a written plan."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from ..instances.rules import Clearance, SameLevel, Stability
from .verifier_case import Case
from .verifier_row import Row, broken, count_row
from .verifier_tables import WrittenOffer


def same_level(case: Case) -> Iterator[Row]:
    """The levels that the offers of a line need, one at most.

    A level is needed where it is the deepest one that leads to some offer's price and no
    shallower level that is needed anyway leads there.
    """
    for rule in case.instance.scenario.rules:
        if isinstance(rule, SameLevel):
            answers = [
                set(case.answering(offer)) for offer in case.offers if _in_line(case, offer, rule)
            ]
            needed: set[int] = set()
            for level in range(len(case.levels)):
                if any(max(found) == level and not found & needed for found in answers if found):
                    needed.add(level)
            yield count_row(rule.name, rule.kind, len(needed), -math.inf, 1)


def kept_bundles(case: Case) -> Iterator[Row]:
    """Of last week's n bundles at least min_share·n, rounded up, are in the plan."""
    last = _last_week(case)
    kept = sum(frozenset(offer.product_ids) in last for offer in case.offers)
    for rule in case.instance.scenario.rules:
        if isinstance(rule, Stability) and rule.min_share is not None:
            fewest = math.ceil(Decimal(repr(rule.min_share)) * len(last))
            yield count_row(rule.name, rule.kind, kept, fewest or -math.inf, math.inf)


def most_steps(case: Case) -> Iterator[Row]:
    """The most levels between a bundle of last week and the same bundle in the plan."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, Stability) and rule.max_steps is not None:
            steps = [found for offer in case.offers if (found := _steps(case, offer)) is not None]
            yield Row(
                name=f"{rule.name}[max_steps]",
                kind=rule.kind,
                value=max(steps, default=0),
                lower=-math.inf,
                upper=rule.max_steps,
                scale=0.0,
                enforced=False,
            )


def too_many_steps(case: Case) -> Iterator[str]:
    """A bundle of last week lies at most max_steps levels from its level of last week."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, Stability) and rule.max_steps is not None:
            for offer in case.offers:
                steps = _steps(case, offer)
                if steps is not None and steps > rule.max_steps:
                    levels = "1 level" if steps == 1 else f"{steps} levels"
                    found = f"{offer.bundle_id} {levels} from last week's"
                    yield broken(rule.kind, rule.name, found, f"at most {rule.max_steps}")


def clearance(case: Case) -> Iterator[Row]:
    """Σ written added units of the products >= target, unless missing units have a price."""
    for rule in case.instance.scenario.rules:
        if isinstance(rule, Clearance):
            units = _cleared(case, rule)
            yield Row(
                name=rule.name,
                kind=rule.kind,
                value=units,
                lower=rule.target,
                upper=math.inf,
                scale=max(units, rule.target),
                enforced=rule.price is None,
            )


def missed_targets(case: Case) -> dict[str, tuple[float, float]]:
    """Rule -> units missing of a soft target, and the price of each."""
    return {
        rule.name: (max(rule.target - _cleared(case, rule), 0.0), rule.price)
        for rule in case.instance.scenario.rules
        if isinstance(rule, Clearance) and rule.price is not None
    }


def last_week_bundles(case: Case) -> set[frozenset[str]]:
    """Last week's bundles, which need no support where a rule compares with them."""
    return set(_last_week(case))


def _cleared(case: Case, rule: Clearance) -> float:
    wanted = set(rule.products)
    return math.fsum(
        units
        for offer in case.offers
        for name, units in zip(offer.product_ids, offer.added_units, strict=True)
        if name in wanted
    )


def _in_line(case: Case, offer: WrittenOffer, rule: SameLevel) -> bool:
    if rule.category is not None:
        category = case.instance.catalogue.category
        return any(category[row] == rule.category for row in case.rows(offer))
    return set(offer.product_ids) in [set(bundle) for bundle in rule.bundles or ()]


def _last_week(case: Case) -> dict[frozenset[str], int]:
    """Last week's bundles, each with its level's place in discounts.levels."""
    plan = case.instance.previous_plan
    return {} if plan is None else {frozenset(b.products): b.level for b in plan.bundles}


def _steps(case: Case, offer: WrittenOffer) -> int | None:
    """Levels between the offer and last week's; None for a bundle that was not in that plan."""
    before = _last_week(case).get(frozenset(offer.product_ids))
    if before is None:
        return None
    return min((abs(level - before) for level in case.answering(offer)), default=None)
