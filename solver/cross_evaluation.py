"""Each plan under each scenario: what it would earn there, what it breaks, what it would cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..instances.bundle_ids import bundle_id
from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .build import build_program
from .filters import OfferFilter
from .offers import Offers
from .plan_accounts import offer_accounts
from .plan_report import objective_unit
from .plan_rules import entries_beside_rows, missing_units
from .planned_offers import PlannedOffer, Refusals, Restaging
from .segment_views import planned_by_segment

_IN_CENTS = ("plan-margin", "discount-budget")
_EXACT = 1e-9  # of an entry beside rows: counts and shares, which are not sums of many terms


@dataclass(frozen=True, slots=True)
class Judgement:
    """A plan under a scenario.

    Attributes
    ----------
    incremental_margin
        what it would earn, in currency, as plan.csv accounts for it.
    objective
        in the scenario's own objective, as plan.json states it; what soft targets cost is taken
        off.
    made
        offers that the scenario can make.
    breaches
        rules broken: rule -> where, with value and limit, or the bundles.
    """

    incremental_margin: float
    objective: float
    made: int
    breaches: tuple[dict[str, Any], ...]

    @property
    def broken_rules(self) -> list[str]:
        """Names of the rules broken, each once."""
        return list(dict.fromkeys(str(breach["rule"]) for breach in self.breaches))


class Judge:
    """Judges plans under one scenario: its assumptions, beliefs, prices and rules."""

    def __init__(self, instance: Instance, beliefs: Beliefs, width: int) -> None:
        """``width``: products of the largest bundle of any plan."""
        self._instance = instance
        self._beliefs = planned_by_segment(beliefs, instance.scenario.objective.maximize)
        self._restaging = Restaging(instance, self._beliefs, max(width, 2))

    def judge(self, plan: Sequence[PlannedOffer]) -> Judgement:
        """What a plan would be under the scenario."""
        instance, beliefs = self._instance, self._beliefs
        offers, refused = self._restaging.offers(plan)
        nothing = np.zeros(len(offers))
        accounts = offer_accounts(
            instance, offers, nothing, nothing, beliefs.segments, beliefs.displaced
        )
        breaches, penalty = self._rules(offers)
        return Judgement(
            incremental_margin=int(accounts["incremental_margin"].sum()) / 100,
            objective=float(offers.value.sum()) * objective_unit(instance) - penalty,
            made=len(offers),
            breaches=(*_refused(refused), *self._filtered(offers), *breaches),
        )

    def _filtered(self, offers: Offers) -> Iterator[dict[str, Any]]:
        """Filters that refuse offers: by bundle."""
        ids = self._instance.catalogue.product_ids
        for name, rejects in OfferFilter(self._instance, self._beliefs).rejections(offers):
            rows = np.flatnonzero(rejects).tolist()
            if rows:
                yield _of_bundles(name, [bundle_id(ids[list(offers.bundle(k))]) for k in rows])

    def _rules(self, offers: Offers) -> tuple[list[dict[str, Any]], float]:
        """Rules over the whole plan that are broken, and what soft targets cost."""
        instance = self._instance
        program = build_program(instance, self._beliefs, offers, complete=True)
        every = np.ones(program.n_columns)
        activity = program.activity(every)
        broken, penalty = [], 0.0
        for row in program.broken_rows(every).tolist():
            name, kind = program.row_name[row], program.row_kind[row]
            lower, upper = float(program.row_lower[row]), float(program.row_upper[row])
            below = bool(activity[row] < lower)
            entry = {
                "name": name,
                "slack": float(activity[row] - lower if below else upper - activity[row]),
            }
            soft = missing_units(instance, entry)
            if soft:
                penalty += soft["penalty"]
                continue
            unit = 0.01 if kind in _IN_CENTS else 1.0
            value, limit = float(activity[row]) * unit, (lower if below else upper) * unit
            broken.append(_of_row(program.row_rule[row], name, value, limit, below=below))
        on_level = offers.take(np.flatnonzero(offers.level_mask > 0))
        for entry in entries_beside_rows(instance, on_level):
            if entry["kind"] == "same-level" and entry["slack"] < -_EXACT:
                value, limit = entry["value"], entry["limit"]
                broken.append(_of_row(entry["name"], entry["name"], value, limit, below=False))
        return broken, penalty


def _refused(refused: Refusals) -> Iterator[dict[str, Any]]:
    for rule, bundles in refused.items():
        yield _of_bundles(rule, bundles)


def _of_bundles(rule: str, bundles: list[str]) -> dict[str, Any]:
    return {"rule": rule, "where": rule, "bundles": bundles}


def _of_row(rule: str, where: str, value: float, limit: float, *, below: bool) -> dict[str, Any]:
    side = "at_least" if below else "at_most"
    return {"rule": rule, "where": where, "value": value, side: limit}


def largest_bundle(plans: Sequence[Sequence[PlannedOffer]]) -> int:
    """Products of the largest bundle of any plan, 2 at least."""
    return max((len(offer.products) for plan in plans for offer in plan), default=2)
