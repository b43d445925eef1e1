"""What a plan would lose under one more rule: solved anew, exactly, from the same scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..instances.bundle_ids import bundle_id
from ..instances.errors import BundlewiseError, ConflictError, NoPlanError
from ..instances.instance import Instance
from ..instances.rules import Excluded, MustInclude
from ..models.beliefs import Beliefs
from .bundle_scores import score_bundles
from .plan import Plan
from .plan_tables import PlanTables, ids_of
from .planning import solve
from .prepared import Prepared, prepare
from .segment_views import planned_by_segment
from .warm_start import Bundles, Start

_EXACT = 1e-9  # relative gap that a search is to reach
_SAME = 1e-4  # relative: how close what beliefs make of the plan comes to what plan.csv says
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Situation:
    """A finished plan beside the data and beliefs that it was made from."""

    tables: PlanTables
    instance: Instance
    beliefs: Beliefs
    prepared: Prepared

    @property
    def place(self) -> dict[str, int]:
        """Product id -> catalogue index."""
        return {str(name): k for k, name in enumerate(self.instance.catalogue.product_ids)}


def situation(tables: PlanTables, instance: Instance, beliefs: Beliefs) -> Situation:
    """Score once what the questions about a plan have in common."""
    beliefs = planned_by_segment(beliefs, instance.scenario.objective.maximize)
    return Situation(tables, instance, beliefs, prepare(instance, beliefs))


def changed_since(tables: PlanTables, instance: Instance, beliefs: Beliefs) -> str | None:
    """What makes the data and beliefs at hand others than those of the plan; None where nothing.

    Files are compared by their hashes, beliefs by what they make of the plan's offers.
    """
    written = {entry["path"]: entry["sha256"] for entry in tables.plan.report.get("inputs", [])}
    for file in instance.inputs:
        if written.get(str(file.path), file.sha256) != file.sha256:
            return f"{file.path} was changed after the plan was made"
    offers = tables.plan.offers
    if len(offers) == 0:
        return None
    place = {str(name): k for k, name in enumerate(instance.catalogue.product_ids)}
    bundles = [tuple(sorted(place[p] for p in ids_of(ids))) for ids in offers["product_ids"]]
    scored = score_bundles(
        instance, planned_by_segment(beliefs, instance.scenario.objective.maximize), bundles
    )
    margin = {
        (scored.bundle(k), int(scored.bundle_price[k])): scored.incremental_margin[k] / 100
        for k in range(len(scored))
    }
    spend = offers["discount_spend"].abs()
    keys = zip(bundles, (100 * offers["bundle_price"]).round().astype(int), strict=True)
    found = np.array([margin.get(key, np.nan) for key in keys])
    if not np.all(np.abs(found - offers["incremental_margin"]) <= 0.01 + _SAME * spend):
        return "what is believed now is not what the plan was made with"
    return None


def without_bundle(now: Situation, products: tuple[str, ...], say: Say) -> dict[str, Any]:
    """What the plan loses where a bundle may not be in it at any level (``_replanned``)."""
    rule = Excluded(kind="excluded", name=f"without {bundle_id(products)}", products=products)
    return _replanned(now, rule, say)


def with_bundle(now: Situation, products: tuple[str, ...], say: Say) -> dict[str, Any]:
    """What the plan loses where a bundle has to be in it, at the level that suits best."""
    rule = MustInclude(kind="must-include", name=f"with {bundle_id(products)}", products=products)
    return _replanned(now, rule, say)


def _replanned(now: Situation, rule: Excluded | MustInclude, say: Say) -> dict[str, Any]:
    """The best plan under one more rule, beside the plan as it is.

    The cost is what this plan earns in the scenario's objective less the most that is possible
    then: between ``cost_low`` (from the proven bound) and ``cost_high`` (from the plan found).
    They are the same where the search closes its gap.
    """
    scenario = now.instance.scenario
    solver = scenario.solver.model_copy(update={"gap": min(scenario.solver.gap, _EXACT)})
    changed = scenario.model_copy(update={"rules": (*scenario.rules, rule), "solver": solver})
    instance = replace(now.instance, scenario=changed)
    report = now.tables.plan.report
    start = Start(plans=(_plan_bundles(now),), bound=report["bound"])
    try:
        plan = solve(
            instance,
            now.beliefs,
            progress=say,
            prepared=now.prepared,
            start=start,
            with_prices=False,
        )
    except (ConflictError, NoPlanError) as error:
        return {**_nothing(error), "gap": None}
    objective, bound = plan.report["objective"], plan.report["bound"]
    return {
        "status": plan.status,
        "objective": objective,
        "bound": bound,
        "gap": plan.report["gap"],
        "cost_low": None if bound is None else _tidy(report["objective"] - bound),
        "cost_high": _tidy(report["objective"] - objective),
        **_moves(now.tables.plan.offers, plan),
        "conflict": None,
    }


def _plan_bundles(now: Situation) -> Bundles:
    offers, place = now.tables.plan.offers, now.place
    return tuple(
        (tuple(sorted(place[product] for product in ids_of(ids))), round(100 * price))
        for ids, price in zip(offers["product_ids"], offers["bundle_price"], strict=True)
    )


def _nothing(error: BundlewiseError) -> dict[str, Any]:
    conflict = None
    if isinstance(error, ConflictError):
        conflict = {"rules": list(error.rules), "text": str(error)}
    return {
        "status": "infeasible" if conflict else "unknown",
        "objective": None,
        "bound": None,
        "cost_low": None,
        "cost_high": None,
        "goes": [],
        "comes": [],
        "moves": [],
        "conflict": conflict,
    }


def _moves(before: pd.DataFrame, plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """Bundles that go, that come, and that stay at another level."""
    after = plan.offers.assign(incremental_margin=plan.offers["incremental_margin"] / 100)
    old = {row["bundle_id"]: row for row in before.to_dict("records")}
    new = {row["bundle_id"]: row for row in after.to_dict("records")}
    return {
        "goes": [_shown(row) for name, row in old.items() if name not in new],
        "comes": [_shown(row) for name, row in new.items() if name not in old],
        "moves": [
            {**_shown(new[name]), "level_before": float(old[name]["level"])}
            for name in old
            if name in new and float(new[name]["level"]) != float(old[name]["level"])
        ],
    }


def _shown(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        "bundle_id": str(row["bundle_id"]),
        "name": str(row["name"]),
        "level": float(row["level"]),
        "incremental_margin": float(row["incremental_margin"]),
    }


def _tidy(value: float) -> float:
    """Without the digits that summing in another order leaves."""
    return round(value, 6) + 0.0
